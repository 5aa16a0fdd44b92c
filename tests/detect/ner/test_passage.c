/* SPDX-License-Identifier: Apache-2.0 */

#include "detect/ner/passage.h"

#include "small_encoder.h"
#include "tap/tap.h"

#include "detect/ner/token.h"

#define PLACES 2000

static struct sotto_ner_place places[PLACES];
static struct sotto_ner_encoder *encoder;
static struct sotto_ner_reading *reading;

static size_t tokens_of(sotto_span text)
{
    struct sotto_ner_cursor cursor = {.text = text, .space = true};
    struct sotto_ner_token token;
    size_t n = 0;

    while (n < PLACES && sotto_ner_next(&cursor, &token)) {
        places[n++] = (struct sotto_ner_place){.start = token.start,
                                               .end = token.end,
                                               .kind = token.kind,
                                               .sign = token.sign,
                                               .shape = token.shape};
    }
    return n;
}

/* Passages of a text of which `known` tokens more become known at a time; sizes into `out`. */
static size_t cut(sotto_span text, size_t known, size_t out[PLACES])
{
    size_t count = tokens_of(text), n = 0, first = 0, end = 0;

    while (first < count) {
        size_t size = sotto_ner_passage(reading, text, places + first, end - first, end == count);
        if (size == 0) {
            if (end == count) {
                return 0; /* never */
            }
            end = end + known < count ? end + known : count;
            continue;
        }
        out[n++] = size;
        first += size;
    }
    return n;
}

static void test_sentences(void)
{
    static char text[8000];
    size_t got[PLACES], len = 0;

    for (int i = 0; i < 60; i++) { /* eight tokens each */
        len += (size_t)snprintf(text + len, sizeof(text) - len, "a a a a a a a. ");
    }
    size_t n = cut(sotto_span_init(text, len), PLACES, got);
    IS_SIZE(n, 15, "sentences are read together");
    bool four = true;
    for (size_t i = 0; i < n; i++) {
        four = four && got[i] == SOTTO_NER_PASSAGE_ENOUGH;
    }
    OK(four, "as many as make enough");
    IS_SIZE(cut(SOTTO_LIT("a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a 1.5 a "
                          "a"),
                PLACES, got),
            1, "a full stop inside a number ends nothing");
    IS_SIZE(cut(SOTTO_LIT("a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a\na a"),
                PLACES, got),
            2, "a line's end does");
    IS_SIZE(got[0], 34, "and belongs to what it ends");
}

static void test_long(void)
{
    static char text[3000];
    size_t got[PLACES];

    for (size_t i = 0; i + 2 <= sizeof(text); i += 2) {
        memcpy(text + i, "a ", 2);
    }
    size_t n = cut(sotto_span_init(text, sizeof(text)), PLACES, got);
    OK(n == 1500 / SOTTO_NER_PASSAGE_MAX + 1 && got[0] == SOTTO_NER_PASSAGE_MAX,
       "without an end a passage is as long as a reading");
}

/* Where a passage ends does not depend on how much of the text is known already. */
static void test_arrival(void)
{
    static const char *const units[] = {"a a. ", "Elm 12.34! ", "the\n", "elodie ", "?!", "a"};
    static char text[4000];
    size_t want[PLACES], got[PLACES];

    for (size_t u = 0; u < SOTTO_COUNT(units); u++) {
        size_t len = 0, unit = strlen(units[u]);
        for (; len + unit <= sizeof(text); len += unit) {
            memcpy(text + len, units[u], unit);
        }
        size_t n = cut(sotto_span_init(text, len), PLACES, want);
        bool same = n > 0;
        for (size_t known = 1; known < 300; known += 13) {
            same = same && cut(sotto_span_init(text, len), known, got) == n &&
                   memcmp(want, got, n * sizeof(want[0])) == 0;
        }
        OK(same, "unit %zu: %zu passages, however its tokens come", u, n);
    }
}

int main(void)
{
    struct small_encoder e = small_encoder_new(5);

    if (sotto_ner_encoder_open(sotto_span_init(e.base, e.len), false, NULL, &encoder) != SOTTO_OK ||
        sotto_ner_reading_new(encoder, &reading) != SOTTO_OK) {
        abort();
    }
    test_sentences();
    test_long();
    test_arrival();
    IS_SIZE(sotto_ner_passage(reading, SOTTO_LIT(""), places, 0, false), 0,
            "nothing is no passage");
    sotto_ner_reading_free(reading);
    sotto_ner_encoder_free(encoder);
    free(e.base);
    return done_testing();
}
