/* SPDX-License-Identifier: Apache-2.0 */

#include "golden.h"
#include "tap/tap.h"

#include "detect/ner/token.h"

/* What the masks of the shipped tables are; the golden file adds up masked n-grams. */
#define GRAM_MASK ((1U << 16) - 1)

static void check_tokens(const struct golden_text *g)
{
    struct sotto_ner_cursor cursor = {.text = g->text, .space = true};
    struct sotto_ner_token token;
    size_t n = 0;
    bool same = true;

    while (sotto_ner_next(&cursor, &token) && n < g->token_count) {
        const struct golden_token *want = &g->tokens[n++];
        uint32_t sum = 0;
        for (size_t i = 0; i < token.gram_count; i++) {
            sum += token.grams[i] & GRAM_MASK;
        }
        bool equal = token.start == want->start && token.end == want->end &&
                     token.hash == want->hash && token.shape == want->shape &&
                     token.gram_count == want->gram_count && sum == want->gram_sum;
        if (!equal && same) {
            printf("# token %zu: got %u-%u %08x shape %u, want %u-%u %08x shape %u\n", n - 1,
                   token.start, token.end, token.hash, token.shape, want->start, want->end,
                   want->hash, want->shape);
        }
        same = same && equal;
    }
    OK(same && n == g->token_count && !sotto_ner_next(&cursor, &token),
       "tokens of text %zu are those of training", g->number);
}

/* Every token lies behind the one before, and nothing but white space and hidden signs between. */
static void test_order(const struct golden_text *g)
{
    struct sotto_ner_cursor cursor = {.text = g->text, .space = true};
    struct sotto_ner_token token;
    size_t end = 0;
    bool ordered = true;

    while (sotto_ner_next(&cursor, &token)) {
        ordered =
            ordered && token.start >= end && token.end > token.start && token.end <= g->text.len;
        end = token.end;
    }
    OK(ordered, "tokens of text %zu are in order", g->number);
}

/* A word's or short number's hash is that of its code points, with the seed of its kind. */
static void test_points(const struct golden_text *g)
{
    struct sotto_ner_cursor cursor = {.text = g->text, .space = true};
    struct sotto_ner_token token;
    uint32_t points[SOTTO_NER_TOKEN_MAX];
    bool same = true;

    while (sotto_ner_next(&cursor, &token)) {
        size_t n =
            sotto_ner_points(sotto_span_sub(g->text, token.start, token.end), token.kind, points);
        uint32_t h = SOTTO_NER_HASH_BASIS ^ (token.kind == SOTTO_NER_WORD ? 1U : 2U);
        for (size_t i = 0; i < n; i++) {
            h = (h ^ points[i]) * SOTTO_NER_HASH_PRIME;
        }
        bool whole = token.kind == SOTTO_NER_WORD || (token.kind == SOTTO_NER_NUMBER && n <= 4);
        same = same && n <= SOTTO_NER_TOKEN_MAX && (!whole || sotto_ner_mix(h) == token.hash);
        same = same && (token.kind == SOTTO_NER_BREAK ? n == 0 : n > 0);
        same = same && (token.kind != SOTTO_NER_PUNCT || n == 1);
    }
    OK(same, "code points of text %zu are those of its hashes", g->number);
}

int main(int argc, char **argv)
{
    struct golden_file file;

    if (argc < 2 || !golden_load(argv[1], &file)) {
        SKIP_ALL("no golden file");
    }
    for (size_t i = 0; i < file.count; i++) {
        check_tokens(&file.texts[i]);
        test_order(&file.texts[i]);
        test_points(&file.texts[i]);
    }
    golden_free(&file);
    return done_testing();
}
