/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_TEXT_UTF8_H
#define SOTTO_TEXT_UTF8_H

/*
 * UTF-8 (RFC 3629; Unicode 3.9 D92): validation, walking in both directions, offsets in code
 * points, and classes of characters by their general category.
 *
 * All functions but sotto_utf8_valid() are about valid text.  On anything else they still stay
 * inside the span: a byte that begins no character counts as U+FFFD of one byte.
 */

#include "base/span.h"

#define SOTTO_UTF8_REPLACEMENT 0xfffdU

/** Classes of characters; a character may have several. */
enum sotto_char_class {
    SOTTO_CHAR_LETTER = 1,
    SOTTO_CHAR_UPPER = 2, /* upper or title case letter */
    SOTTO_CHAR_LOWER = 4, /* lower case letter */
    SOTTO_CHAR_DIGIT = 8, /* decimal digit of any script */
    SOTTO_CHAR_MARK = 16, /* combining mark: belongs to the letter before it */
    SOTTO_CHAR_SPACE = 32,
    SOTTO_CHAR_PUNCT = 64,   /* punctuation and symbols */
    SOTTO_CHAR_HIDDEN = 128, /* zero-width, bidi and variation controls, soft hyphen */
};

/** What words are made of. */
#define SOTTO_CHAR_WORD (SOTTO_CHAR_LETTER | SOTTO_CHAR_DIGIT | SOTTO_CHAR_MARK)

/** Classes of the ASCII characters; use sotto_char_classes(). */
extern const uint8_t sotto_char_ascii[128];

/** Classes of a character beyond ASCII; use sotto_char_classes(). */
unsigned sotto_char_wide(uint32_t c);

/** The set of enum sotto_char_class that a code point has. */
static inline unsigned sotto_char_classes(uint32_t c)
{
    return c < 128 ? sotto_char_ascii[c] : sotto_char_wide(c);
}

/**
 * Whether `text` is valid UTF-8.
 *
 * @param[out] bad_at  offset of the first byte that is not; set only on false; may be NULL
 */
bool sotto_utf8_valid(sotto_span text, size_t *bad_at);

/** Decodes a character beyond ASCII; use sotto_utf8_next(). */
uint32_t sotto_utf8_next_wide(sotto_span text, size_t *at);

/** The character at `*at`, which must be less than text.len; moves `*at` behind it. */
static inline uint32_t sotto_utf8_next(sotto_span text, size_t *at)
{
    uint8_t c = text.base[*at];
    if (c < 128) {
        (*at)++;
        return c;
    }
    return sotto_utf8_next_wide(text, at);
}

/** The character that ends at `*at`, which must not be 0; moves `*at` to its start. */
uint32_t sotto_utf8_before(sotto_span text, size_t *at);

/** Whether `at` lies between characters, or at an end of the text. */
static inline bool sotto_utf8_boundary(sotto_span text, size_t at)
{
    return at >= text.len || (text.base[at] & 0xc0) != 0x80;
}

/** Number of code points. */
size_t sotto_utf8_count(sotto_span text);

/** Writes `c` as UTF-8; returns the number of bytes, 1 to 4. */
size_t sotto_utf8_put(uint32_t c, uint8_t out[4]);

/**
 * Maps offsets between bytes and code points.  Zero-initialise all but `text`; a series of
 * ascending questions costs one pass over the text.
 */
struct sotto_utf8_cursor {
    sotto_span text;
    size_t byte;
    size_t chars;
};

/** The number of code points before the byte offset `byte` (at most text.len). */
size_t sotto_utf8_chars_at(struct sotto_utf8_cursor *cursor, size_t byte);

#endif
