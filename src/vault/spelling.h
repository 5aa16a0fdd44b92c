/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_VAULT_SPELLING_H
#define SOTTO_VAULT_SPELLING_H

/*
 * How models spell tokens, for the files of this folder.
 *
 *   spelling  = word *6separator symbol 8( *3separator symbol )        at most SPELLING_MAX bytes
 *   word      = a type word, in any case
 *   symbol    = a letter or digit
 *   separator = " " / "-" / "_" / "\_" / "\-" / "*" / "`" / "\*" / "\`"
 *             / "&#95;" / "&#45;" / "&nbsp;" and other names and numbers of the same
 *             / "%20" / "%2D" / "%5F"
 *             / no-break and thin spaces, Unicode hyphens and en dash, zero-width space and
 *               joiners, word joiner, byte order mark, soft hyphen
 *
 * "*" and "`" are Markdown marks: they are collected, so that "**PERSON** 4KQ7XM2BT" stays bold.
 * What a spelling stands for is decided elsewhere; here only its form.
 */

#include "base/span.h"
#include "vault/token.h"

/** Longest spelling, and longest look ahead before one is refused. */
#define SPELLING_MAX 48

/** Most Markdown marks in a spelling. */
#define SPELLING_MARKS 8

enum spelling_verdict {
    SPELLING_NO,    /* no spelling, whatever follows */
    SPELLING_MORE,  /* the text ended before it could be decided */
    SPELLING_WHOLE, /* a spelling, not looking at what follows */
};

struct spelling {
    unsigned type;
    bool word_whole;                      /* the type word is complete, `type` is set */
    bool word_exact;                      /* in capitals */
    bool code_apart;                      /* there are separators inside the code */
    bool code_capitals;                   /* it has no lower case */
    size_t len;                           /* in bytes */
    size_t symbol_count;                  /* 9 when whole */
    size_t none_count;                    /* how many of them no code can have */
    uint8_t symbol[SOTTO_TOKEN_CODE_LEN]; /* see vault/code.h; below 29 or CODE_NONE */
    size_t mark_count;
    char mark[SPELLING_MARKS];
};

/**
 * Reads the spelling at the beginning of `text`.
 *
 * @param types       a bit for each type word that counts
 * @param exact       accept tokens as issued only: capitals, nothing between
 * @param[out] out    filled as far as it was read
 */
enum spelling_verdict spelling_read(sotto_span text, unsigned types, bool exact,
                                    struct spelling *out);

/**
 * Length of the separator at the beginning of `text`, which is not empty; 0: none; SIZE_MAX:
 * `text` ends inside of one.
 */
size_t spelling_separator(sotto_span text);

/** The type words, a bit each, whose first and second letter is `c` in any case. */
extern const uint16_t spelling_first[256];
extern const uint16_t spelling_second[256];

/** Whether the letters `a` and `b`, in any case, begin one of the type words in `types`. */
static inline bool spelling_begins(uint8_t a, uint8_t b, unsigned types)
{
    return (spelling_first[a] & spelling_second[b] & types) != 0;
}

#endif
