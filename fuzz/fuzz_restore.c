/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Restores a text that the input makes up of pieces of tokens and of its own bytes.
 *
 * Oracles: any split gives what the whole gives, with at most SOTTO_RESTORE_HOLD bytes withheld;
 * what comes out is the input with the tokens told of replaced; each of them was issued; a text
 * without the type words of issued tokens comes out as it is; so does any text when nothing was
 * issued.
 */

#include <stdlib.h>

#include "vault/restore.h"
#include "vault/restore_text.h"
#include "vault/token.h"

#define FUZZ_TOKENS 6
#define FUZZ_MAX    4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct sotto_vault *vault, *none;
static sotto_span token[FUZZ_TOKENS];

static void require(bool true_always)
{
    if (!true_always) {
        abort();
    }
}

static void setup(void)
{
    static const uint8_t key[SOTTO_VAULT_KEY_BYTES] = {3};
    static const unsigned types[FUZZ_TOKENS] = {0, 0, 11, 7, 9, 6};
    require(sotto_vault_new(key, SOTTO_LIT("fuzz"), SOTTO_STYLE_TOKEN, &vault) == SOTTO_OK);
    require(sotto_vault_new(key, SOTTO_LIT("fuzz"), SOTTO_STYLE_TOKEN, &none) == SOTTO_OK);
    for (unsigned i = 0; i < FUZZ_TOKENS; i++) {
        const uint8_t value[] = {'<', (uint8_t)('a' + i), '>'};
        require(sotto_vault_token(vault, types[i], false, sotto_span_init(value, sizeof(value)),
                                  &token[i]) == SOTTO_OK);
    }
}

/* Bytes from 0xc0 on stand for pieces of tokens, so that the fuzzer need not find the codes. */
static void make_text(sotto_span data, struct sotto_buf *text)
{
    static const char *const between[] = {"-",  " ", "_",   "\\_",      "&#95;",       "&nbsp;",
                                          "**", "`", "%20", "\xc2\xad", "\xe2\x80\x8b"};
    for (size_t i = 0; i < data.len && text->len < FUZZ_MAX; i++) {
        uint8_t c = data.base[i];
        sotto_span piece = sotto_span_init(&c, 1);
        if (c >= 0xc0) {
            sotto_span t = token[c % FUZZ_TOKENS];
            size_t word = t.len - SOTTO_TOKEN_CODE_LEN, half = word + 4;
            switch ((c - 0xc0) / FUZZ_TOKENS) {
            case 0:
            case 1:
                piece = t;
                break;
            case 2:
                piece = sotto_span_sub(t, 0, word);
                break;
            case 3:
                piece = sotto_span_skip(t, word);
                break;
            case 4:
                piece = sotto_span_sub(t, word, half);
                break;
            case 5:
                piece = sotto_span_skip(t, half);
                break;
            case 6:
                piece = sotto_span_sub(t, 0, t.len - 1);
                break;
            case 7:
            case 8:
                piece = sotto_span_str(between[c % SOTTO_COUNT(between)]);
                break;
            default:
                break;
            }
        }
        require(sotto_buf_append(text, piece) == SOTTO_OK);
    }
}

struct check {
    sotto_span text;
    size_t at; /* in the text, behind the last token told of */
    struct sotto_buf want;
};

static enum sotto_err check_hit(void *ctx, const struct sotto_restored *hit, struct sotto_buf *out)
{
    struct check *c = ctx;
    require(hit->in_at >= c->at && hit->in_at + hit->spelled.len <= c->text.len);
    sotto_span spelled = sotto_span_sub(c->text, hit->in_at, hit->in_at + hit->spelled.len);
    require(sotto_span_eq(spelled, hit->spelled) && spelled.len >= SOTTO_TOKEN_CODE_LEN + 2);
    require(spelled.len <= SOTTO_RESTORE_HOLD && hit->value.len == 3);
    sotto_span passed = sotto_span_sub(c->text, c->at, hit->in_at);
    c->at = hit->in_at + hit->spelled.len;
    const sotto_span parts[] = {passed, hit->before, hit->value, hit->after};
    for (size_t i = 0; i < SOTTO_COUNT(parts); i++) {
        require(sotto_buf_append(&c->want, parts[i]) == SOTTO_OK);
        require(i == 0 || sotto_buf_append(out, parts[i]) == SOTTO_OK);
    }
    return SOTTO_OK;
}

/* Feeds the text in pieces whose lengths the bytes of `cuts` say. */
static void feed(sotto_span text, sotto_span cuts, struct sotto_buf *out)
{
    struct sotto_restore *r = NULL;
    struct check c = {.text = text};
    sotto_buf_init(&c.want, SOTTO_BUF_UNBOUNDED);
    require(sotto_restore_new(vault, &r) == SOTTO_OK);
    sotto_restore_divert(r, check_hit, &c);
    for (size_t at = 0, i = 0; at < text.len; i++) {
        size_t n = cuts.len != 0 ? (size_t)(cuts.base[i % cuts.len] % 24) + 1 : text.len;
        n = n < text.len - at ? n : text.len - at;
        require(sotto_restore_feed(r, sotto_span_sub(text, at, at + n), out) == SOTTO_OK);
        require(sotto_restore_held(r) <= SOTTO_RESTORE_HOLD);
        at += n;
    }
    require(sotto_restore_end(r, out) == SOTTO_OK && sotto_restore_held(r) == 0);
    require(sotto_buf_append(&c.want, sotto_span_skip(text, c.at)) == SOTTO_OK);
    require(sotto_span_eq(sotto_buf_span(&c.want), sotto_buf_span(out)));
    sotto_restore_free(r);
    sotto_buf_free(&c.want);
}

static bool has_word(sotto_span text)
{
    for (size_t i = 0; i < FUZZ_TOKENS; i++) {
        size_t len = token[i].len - SOTTO_TOKEN_CODE_LEN;
        for (size_t at = 0; at + len <= text.len; at++) {
            if (sotto_span_ieq(sotto_span_sub(text, at, at + len),
                               sotto_span_sub(token[i], 0, len))) {
                return true;
            }
        }
    }
    return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (vault == NULL) {
        setup();
    }
    struct sotto_buf text, whole, split;
    sotto_buf_init(&text, SOTTO_BUF_UNBOUNDED);
    sotto_buf_init(&whole, SOTTO_BUF_UNBOUNDED);
    sotto_buf_init(&split, SOTTO_BUF_UNBOUNDED);
    make_text(sotto_span_init(data, size), &text);
    sotto_span in = sotto_buf_span(&text);

    require(sotto_restore_text(vault, in, &whole) == SOTTO_OK);
    feed(in, sotto_span_init(NULL, 0), &split);
    require(sotto_span_eq(sotto_buf_span(&whole), sotto_buf_span(&split)));
    sotto_buf_truncate(&split, 0);
    feed(in, sotto_span_init(data, size), &split);
    require(sotto_span_eq(sotto_buf_span(&whole), sotto_buf_span(&split)));
    require(has_word(in) || sotto_span_eq(in, sotto_buf_span(&whole)));

    sotto_buf_truncate(&whole, 0);
    require(sotto_restore_text(none, in, &whole) == SOTTO_OK);
    require(sotto_span_eq(in, sotto_buf_span(&whole)));
    sotto_buf_free(&text);
    sotto_buf_free(&whole);
    sotto_buf_free(&split);
    return 0;
}
