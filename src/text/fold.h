/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_TEXT_FOLD_H
#define SOTTO_TEXT_FOLD_H

/*
 * Folding of single characters for look-ups in word lists: lower case, without diacritics, and
 * Cyrillic and Greek letters that look like Latin ones as these.  One character stays one, so a
 * fold needs no memory.  "ß" becomes "s", "ø" "o", "æ" "a", "ł" "l".  Not for comparing values:
 * see text/canon.h.
 */

#include <stdint.h>

/** Folds a character beyond ASCII; use sotto_fold(). */
uint32_t sotto_fold_wide(uint32_t c);

static inline uint32_t sotto_fold(uint32_t c)
{
    if (c < 128) {
        return c >= 'A' && c <= 'Z' ? c | 0x20 : c;
    }
    return sotto_fold_wide(c);
}

/** Lower case of one character (simple mapping), diacritics kept. */
uint32_t sotto_lower(uint32_t c);

#endif
