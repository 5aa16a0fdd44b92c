/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_DETECT_NAMES_LEXICON_H
#define SOTTO_DETECT_NAMES_LEXICON_H

/*
 * The word lists of names/lists/ as one immutable table: a word or a phrase of words joined by
 * single spaces, folded (text/fold.h), to a set of flags.  A look-up needs the hash alone, which
 * a tokenizer makes while it walks.  Made by names/make-lexicon when Sotto is built.
 */

#include "base/span.h"

/** What is known about a word.  The order is that of names/make-lexicon. */
enum sotto_lexicon_flag {
    SOTTO_LEXICON_FIRST = 1 << 0, /* first name, common */
    SOTTO_LEXICON_FIRST_RARE = 1 << 1,
    SOTTO_LEXICON_LAST = 1 << 2, /* last name, common */
    SOTTO_LEXICON_LAST_RARE = 1 << 3,
    SOTTO_LEXICON_CITY = 1 << 4, /* large town */
    SOTTO_LEXICON_CITY_RARE = 1 << 5,
    SOTTO_LEXICON_COUNTRY = 1 << 6,
    SOTTO_LEXICON_STATE = 1 << 7,
    SOTTO_LEXICON_WORD = 1 << 8, /* an ordinary word of a supported language */
    SOTTO_LEXICON_NOUN = 1 << 9, /* an ordinary German noun */
    SOTTO_LEXICON_TITLE = 1 << 10,
    SOTTO_LEXICON_ROLE = 1 << 11,
    SOTTO_LEXICON_PATIENT = 1 << 12,
    SOTTO_LEXICON_FAMILY = 1 << 13,
    SOTTO_LEXICON_GREETING = 1 << 14,
    SOTTO_LEXICON_CLOSING = 1 << 15,
    SOTTO_LEXICON_FIELD = 1 << 16,
    SOTTO_LEXICON_SAYS = 1 << 17,
    SOTTO_LEXICON_VERB = 1 << 18,
    SOTTO_LEXICON_PLACE_CUE = 1 << 19,
    SOTTO_LEXICON_PLACE_FIELD = 1 << 20,
    SOTTO_LEXICON_PARTICLE = 1 << 21,
    SOTTO_LEXICON_SUFFIX = 1 << 22,
    SOTTO_LEXICON_ORG_HEAD = 1 << 23,
    SOTTO_LEXICON_LEGAL = 1 << 24,
    SOTTO_LEXICON_EPONYM = 1 << 25,      /* makes the name before it an eponym: "disease" */
    SOTTO_LEXICON_EPONYM_NAME = 1 << 26, /* mostly an eponym: "Crohn" */
    SOTTO_LEXICON_CALENDAR = 1 << 27,
    SOTTO_LEXICON_NEVER = 1 << 28, /* capitalised, never a person */
    SOTTO_LEXICON_NRP = 1 << 29,
    SOTTO_LEXICON_PHRASE = 1 << 30, /* a phrase begins with it */
};

/** What the name of a hospital, school or employer follows: "admitted to". */
#define SOTTO_LEXICON_SITE 0x80000000U

/** The languages in which a word is an ordinary one: bits above the flags, by enum order. */
enum sotto_lexicon_language {
    SOTTO_LEXICON_EN,
    SOTTO_LEXICON_DE,
    SOTTO_LEXICON_FR,
    SOTTO_LEXICON_ES,
    SOTTO_LEXICON_IT,
    SOTTO_LEXICON_LANGUAGES, /* their number */
};
#define SOTTO_LEXICON_LANGUAGE_SHIFT 32

#define SOTTO_LEXICON_ANY_FIRST ((uint32_t)SOTTO_LEXICON_FIRST | (uint32_t)SOTTO_LEXICON_FIRST_RARE)
#define SOTTO_LEXICON_ANY_LAST  ((uint32_t)SOTTO_LEXICON_LAST | (uint32_t)SOTTO_LEXICON_LAST_RARE)
#define SOTTO_LEXICON_ANY_CITY  ((uint32_t)SOTTO_LEXICON_CITY | (uint32_t)SOTTO_LEXICON_CITY_RARE)
#define SOTTO_LEXICON_ANY_PLACE                                                                    \
    (SOTTO_LEXICON_ANY_CITY | (uint32_t)SOTTO_LEXICON_COUNTRY | (uint32_t)SOTTO_LEXICON_STATE)

/** The hash of no characters (FNV-1a over folded code points). */
#define SOTTO_LEXICON_EMPTY 0xcbf29ce484222325U

/** The hash of what `hash` stands for and one more folded character. */
static inline uint64_t sotto_lexicon_add(uint64_t hash, uint32_t folded)
{
    return (hash ^ folded) * 0x100000001b3U;
}

/** Flags and, above them, languages of what `hash` stands for; 0 when it is not in the table. */
uint64_t sotto_lexicon_find(uint64_t hash);

/** The flags of a word or phrase in any spelling; hidden characters do not count. */
uint32_t sotto_lexicon_word(sotto_span word);

#endif
