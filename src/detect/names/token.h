/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_DETECT_NAMES_TOKEN_H
#define SOTTO_DETECT_NAMES_TOKEN_H

/*
 * Words as the layer of names sees them: with their flags from the lexicon, their shape and what
 * stands before them.  A possessive "'s" is not part of a word; an elided article or pronoun
 * ("l'", "d'", "qu'") is left out; hyphens and other apostrophes are inside.
 */

#include <stdbool.h>

#include "base/span.h"

enum token_shape {
    TOKEN_LOWER,   /* begins with a lower case letter, or a letter without case */
    TOKEN_CAP,     /* begins with a capital: "Anna", "Jean-Pierre", "McDonald" */
    TOKEN_CAPS,    /* two or more capitals */
    TOKEN_INITIAL, /* one capital */
    TOKEN_NUMBER,  /* digits */
    TOKEN_CODE,    /* camelCase, letters with digits */
};

/* What stands between a word and the one before it. */
enum token_gap {
    TOKEN_SPACE = 1 << 0,
    TOKEN_LINE = 1 << 1,
    TOKEN_WIDE = 1 << 2, /* a tab, or two spaces */
    TOKEN_COMMA = 1 << 3,
    TOKEN_DOT = 1 << 4,
    TOKEN_STOP = 1 << 5, /* ! ? ; and the like */
    TOKEN_COLON = 1 << 6,
    TOKEN_DASH = 1 << 7,
    TOKEN_SLASH = 1 << 8,
    TOKEN_OPEN = 1 << 9,   /* ( [ " and the like */
    TOKEN_CLOSE = 1 << 10, /* ) ] " and the like */
    TOKEN_ANGLE = 1 << 11, /* < > */
    TOKEN_GLUE = 1 << 12,  /* @ _ \ = # & */
    TOKEN_OTHER = 1 << 13,
    TOKEN_ELISION = 1 << 14,
    TOKEN_EDGE = 1 << 15, /* start or end of the text */
};

struct names_token {
    uint32_t start, end; /* bytes */
    uint32_t flags;      /* enum sotto_lexicon_flag */
    uint16_t gap;        /* enum token_gap */
    uint8_t shape;       /* enum token_shape */
    uint8_t chars;       /* letters, at most 255 */
    uint8_t languages;   /* bits of enum sotto_lexicon_language */
    bool dot;            /* a full stop follows at once */
    bool possessive;     /* "'s" follows */
    bool glued;          /* part of an address, a path, an identifier */
};

/** The words of a stretch of text. */
struct names_tokens {
    sotto_span text;
    struct names_token *item;
    size_t count;
    uint16_t last_gap; /* what stands behind the last word */
    int language;      /* enum sotto_lexicon_language; -1: not known */
    bool german;       /* the language is German */
    bool lower;        /* hardly anything in it is capitalised */
};

#define NAMES_CACHE_WORDS 1024

/** Words asked of the lexicon last: hash and answer.  Zero-initialised is valid. */
struct names_cache {
    uint64_t hash[NAMES_CACHE_WORDS];
    uint64_t found[NAMES_CACHE_WORDS];
};

/** Most words that `len` bytes can have. */
#define NAMES_TOKENS_FOR(len) ((len) / 2 + 2)

/**
 * Reads the words of bytes [from, to) of `text` into `out->item`, which has room for all.
 *
 * @param language  enum sotto_lexicon_language; -1: guessed from the words
 */
void sotto_names_tokenize(sotto_span text, size_t from, size_t to, int language,
                          struct names_cache *cache, struct names_tokens *out);

#endif
