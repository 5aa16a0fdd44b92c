/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_DETECT_NER_FOLD_H
#define SOTTO_DETECT_NER_FOLD_H

#include <stdint.h>

/*
 * Folding of letters for the tagger.  The tables in fold_table.c are written by
 * `python -m tagger fold` in model/ and are part of the model's definition.
 */

/** Set in an entry when the letter is upper case; the rest is the folded code point. */
#define SOTTO_NER_UPPER 0x8000U

extern const uint16_t sotto_ner_fold_latin[0x250 - 0xc0];  /* from U+00C0 */
extern const uint16_t sotto_ner_fold_greek[0x530 - 0x370]; /* Greek and Cyrillic, from U+0370 */
extern const uint16_t sotto_ner_fold_extended[0x1f00 - 0x1e00]; /* from U+1E00 */

#endif
