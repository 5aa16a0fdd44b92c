/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_DETECT_PATTERN_SCAN_H
#define SOTTO_DETECT_PATTERN_SCAN_H

/*
 * What the recognizers of this folder share: the state of one scan and the small tools that look
 * around in the text.  Recognizers are pure functions of the text and a place in it; they never
 * depend on what was found before, so that a text may be scanned in any windows.
 */

#include "detect/finding.h"
#include "detect/finer.h"
#include "detect/pattern/words.h"
#include "detect/rule.h"
#include "text/fold.h"
#include "text/utf8.h"

/** A word: a run of letters and marks, hidden characters inside allowed. */
struct token {
    size_t start;
    size_t end;
    size_t letters;            /* number of letters */
    size_t upper;              /* of these upper case */
    uint64_t hash;             /* of the folded letters */
    const struct word *word;   /* row of the table, or NULL */
    char folded[WORDS_FOLDED]; /* the letters; '?' for what does not fold to ASCII; NUL behind */
};

#define SHAPES_MAX     96
#define SHAPES_LENGTHS 32

/** The forms of shapes.c by their number of characters. */
struct shapes_index {
    uint8_t first[SHAPES_LENGTHS + 1]; /* of each length, into `order` */
    uint8_t order[SHAPES_MAX];
    uint32_t digits[SHAPES_MAX];  /* places that must be a digit, in that order */
    uint32_t letters[SHAPES_MAX]; /* places that must be a letter */
    uint32_t starts[SHAPES_MAX];  /* places before which a separator may stand */
};

/** Fills the index from the built-in forms. */
void shapes_index(struct shapes_index *index);

struct scan {
    const struct words *words;
    const struct shapes_index *shapes;
    sotto_span text;
    struct token memo[2];      /* last words read: several recognizers look at the same */
    size_t steps;              /* see sotto_patterns_steps() */
    struct sotto_findings raw; /* all findings of the window, not filtered */
    enum sotto_err err;        /* first failure; findings are lost from there on */
};

/** What a finding is, without where. */
struct verdict {
    enum sotto_label label;
    enum sotto_finer finer;
    enum sotto_rule rule;
    int score;
};

/** Notes a finding in bytes [start, end). */
void scan_add(struct scan *s, size_t start, size_t end, struct verdict v);

/** The byte at `at`, 0 beyond the end. */
static inline uint8_t scan_byte_at(const struct scan *s, size_t at)
{
    return at < s->text.len ? s->text.base[at] : 0;
}

/** The byte before `at`, 0 at the start. */
static inline uint8_t scan_byte_before(const struct scan *s, size_t at)
{
    return at > 0 ? s->text.base[at - 1] : 0;
}

static inline bool is_digit(uint32_t c)
{
    return c >= '0' && c <= '9';
}

static inline bool is_upper(uint32_t c)
{
    return c >= 'A' && c <= 'Z';
}

static inline bool is_lower(uint32_t c)
{
    return c >= 'a' && c <= 'z';
}

static inline bool is_alpha(uint32_t c)
{
    return is_upper(c) || is_lower(c);
}

static inline bool is_alnum(uint32_t c)
{
    return is_digit(c) || is_alpha(c);
}

/** Whether an ASCII character is one of `set`; NUL is in no set. */
static inline bool is_one_of(uint32_t c, const char *set)
{
    return c != 0 && c < 0x80 && strchr(set, (int)c) != NULL;
}

static inline bool is_hex(uint32_t c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/** Whether no letter, digit or mark touches `at` from the left, hidden characters apart. */
bool scan_left_free(const struct scan *s, size_t at);

/** Whether no letter, digit or mark touches `at` from the right, hidden characters apart. */
bool scan_right_free(const struct scan *s, size_t at);

/** Behind spaces, tabs and no-break spaces (at most 4 characters), never behind a line's end. */
size_t scan_skip_spaces(const struct scan *s, size_t at);

/** Longest word that is looked up; others are skipped over. */
#define SCAN_WORD_MAX 40

/** Reads the word that begins at `at`; false when there is no letter. */
bool scan_word(struct scan *s, size_t at, struct token *out);

/** Reads the word that ends at `at` (letters only); false when there is none. */
bool scan_word_before(struct scan *s, size_t at, struct token *out);

/** The next word behind spaces; false when there is none on this line. */
bool scan_next_word(struct scan *s, size_t at, struct token *out);

/** Whether the word is in the table with one of these roles. */
static inline bool token_has(const struct token *t, uint32_t roles)
{
    return t->word != NULL && (t->word->roles & roles) != 0;
}

/** Reads a decimal number of 1 to `most` digits that nothing alphanumeric follows directly
 * (an English ordinal suffix is allowed when `ordinal` is not NULL: set to whether there was one).
 * Returns the offset behind it, or 0. */
size_t scan_number(struct scan *s, size_t at, unsigned most, unsigned *value);

#endif
