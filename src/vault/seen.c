/* SPDX-License-Identifier: Apache-2.0 */

#include "vault/seen.h"

#include "base/alloc.h"
#include "vault/spelling.h"

/* Longer words count as far as this: no stand-in has one. */
#define SEEN_WORD_MAX 64

/* Most separators between a type word and its number. */
#define SEEN_SEPARATORS 6

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
}

/* Letters beyond ASCII belong to words: "Éva" is no "va". */
static bool in_word(uint8_t c)
{
    return (lower(c) >= 'a' && lower(c) <= 'z') || (c >= '0' && c <= '9') || c >= 0x80;
}

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static uint64_t hash_word(const struct seen *seen, sotto_span word)
{
    uint8_t folded[SEEN_WORD_MAX];
    size_t len = word.len < SEEN_WORD_MAX ? word.len : SEEN_WORD_MAX;
    for (size_t i = 0; i < len; i++) {
        folded[i] = lower(word.base[i]);
    }
    return sotto_hash64(seen->key, sotto_span_init(folded, len));
}

static uint64_t hash_number(const struct seen *seen, unsigned type, unsigned number)
{
    const uint8_t bytes[] = {0xff, (uint8_t)type, (uint8_t)(number >> 16), (uint8_t)(number >> 8),
                             (uint8_t)number};
    return sotto_hash64(seen->key, sotto_span_init(bytes, sizeof(bytes)));
}

static void put(const struct seen *seen, uint64_t hash)
{
    for (int i = 0; i < 2; i++, hash >>= 32) {
        size_t bit = (size_t)hash % (SEEN_BYTES * 8);
        seen->bits[bit / 8] |= (uint8_t)(1U << bit % 8);
    }
}

static bool has(const struct seen *seen, uint64_t hash)
{
    bool there = true;
    for (int i = 0; i < 2; i++, hash >>= 32) {
        size_t bit = (size_t)hash % (SEEN_BYTES * 8);
        there &= (seen->bits[bit / 8] >> bit % 8 & 1) != 0;
    }
    return there;
}

/* The number behind a type word that ends at `at`; UINT32_MAX: none. */
static uint32_t number_behind(sotto_span text, size_t at)
{
    for (size_t i = 0; i < SEEN_SEPARATORS && at < text.len; i++) {
        size_t n = spelling_separator(sotto_span_skip(text, at));
        if (n == 0 || n == SIZE_MAX) {
            break;
        }
        at += n;
    }
    uint32_t number = UINT32_MAX;
    for (size_t i = 0; i < 7 && at < text.len && is_digit(text.base[at]); i++, at++) {
        number = (number == UINT32_MAX ? 0 : number * 10) + (uint32_t)(text.base[at] - '0');
    }
    return number;
}

static void add_numbers(const struct seen *seen, sotto_span text)
{
    for (size_t i = 0; i + 1 < text.len; i++) {
        if (spelling_first[text.base[i]] == 0 ||
            !spelling_begins(text.base[i], text.base[i + 1], UINT32_MAX)) {
            continue;
        }
        for (unsigned type = 0; type < SOTTO_TOKEN_WORD_COUNT; type++) {
            sotto_span word = sotto_token_word(type);
            if (text.len - i > word.len &&
                sotto_span_ieq(sotto_span_sub(text, i, i + word.len), word)) {
                uint32_t number = number_behind(text, i + word.len);
                if (number != UINT32_MAX) {
                    put(seen, hash_number(seen, type, number));
                }
            }
        }
    }
}

/* The next word at or behind `*at`; empty: none. */
static sotto_span next_word(sotto_span text, size_t *at)
{
    while (*at < text.len && !in_word(text.base[*at])) {
        (*at)++;
    }
    size_t start = *at;
    while (*at < text.len && in_word(text.base[*at])) {
        (*at)++;
    }
    return sotto_span_sub(text, start, *at);
}

enum sotto_err seen_add(struct seen *seen, sotto_span text)
{
    if (seen->bits == NULL && (seen->bits = sotto_calloc(1, SEEN_BYTES)) == NULL) {
        return SOTTO_ENOMEM;
    }
    size_t at = 0;
    for (sotto_span word; (word = next_word(text, &at)).len != 0;) {
        put(seen, hash_word(seen, word));
    }
    add_numbers(seen, text);
    return SOTTO_OK;
}

bool seen_words(const struct seen *seen, sotto_span text, bool any)
{
    size_t at = 0, words = 0, known = 0;
    if (seen->bits == NULL) {
        return false;
    }
    for (sotto_span word; (word = next_word(text, &at)).len != 0; words++) {
        known += has(seen, hash_word(seen, word));
    }
    return any ? known != 0 : known == words && words != 0;
}

bool seen_number(const struct seen *seen, unsigned type, unsigned number)
{
    return seen->bits != NULL && has(seen, hash_number(seen, type, number));
}

void seen_free(struct seen *seen)
{
    sotto_free(seen->bits);
    seen->bits = NULL;
}
