/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_DETECT_NER_TOKEN_H
#define SOTTO_DETECT_NER_TOKEN_H

/*
 * Tokens and their features, as the tagger was trained on them.
 *
 * A token is a run of letters, a run of digits, a run of one punctuation sign, or a line break
 * (white space that holds at least one).  Invisible code points and combining marks belong to the
 * token they stand in and do not count.  Letters are folded to lower case without accents, and
 * letters of other scripts that look Latin to Latin, so that a homoglyph, NFC and NFD read alike.
 *
 * Nothing here depends on the version of Unicode: the classes and the fold table are part of the
 * model's definition.  model/tagger/text.py is the same in Python; a golden test compares them.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/span.h"

/** Longest token, in code points; a longer run becomes several. */
#define SOTTO_NER_TOKEN_MAX 64

/** Letters of a word that enter its n-grams. */
#define SOTTO_NER_FOLD_MAX 24

/** Most n-grams of one word: three- and four-letter windows over the framed letters. */
#define SOTTO_NER_GRAMS_MAX (SOTTO_NER_FOLD_MAX + SOTTO_NER_FOLD_MAX - 1)

enum sotto_ner_kind {
    SOTTO_NER_WORD,
    SOTTO_NER_NUMBER,
    SOTTO_NER_PUNCT,
    SOTTO_NER_BREAK,
};

struct sotto_ner_token {
    uint32_t start; /* bytes */
    uint32_t end;
    uint32_t hash; /* of the folded content; looks the word up in the lexicon and the word table */
    uint8_t kind;  /* enum sotto_ner_kind */
    uint8_t sign;  /* first byte, for punctuation */
    uint8_t shape; /* row of the shape table */
    uint8_t gram_count;
    uint32_t grams[SOTTO_NER_GRAMS_MAX]; /* hashes of the n-grams, not yet cut to a table */
};

/** Where a text is read.  Zero `at` and a true `space` begin a text. */
struct sotto_ner_cursor {
    sotto_span text; /* valid UTF-8 */
    size_t at;
    bool space; /* white space came before */
};

/** The next token; false at the end of the text, `out` then undefined. */
bool sotto_ner_next(struct sotto_ner_cursor *cursor, struct sotto_ner_token *out);

/**
 * The code points of a token as they are told apart: letters folded, digits of ASCII, without
 * invisible ones and combining marks; of punctuation the first sign, as it stands; of a break none.
 *
 * @param bytes  of one token, as sotto_ner_next() found it; of other bytes the result means nothing
 * @param kind   enum sotto_ner_kind
 * @return how many
 */
size_t sotto_ner_points(sotto_span bytes, uint8_t kind, uint32_t points[SOTTO_NER_TOKEN_MAX]);

/** Where the hash of code points begins (FNV-1a), and its step; the last one is sotto_ner_mix(). */
#define SOTTO_NER_HASH_BASIS 0x811c9dc5U
#define SOTTO_NER_HASH_PRIME 0x01000193U

/** Spreads the bits of a hash (the last step of MurmurHash3). */
static inline uint32_t sotto_ner_mix(uint32_t h)
{
    h ^= h >> 16;
    h *= 0x85ebca6bU;
    h ^= h >> 13;
    h *= 0xc2b2ae35U;
    return h ^ h >> 16;
}

#endif
