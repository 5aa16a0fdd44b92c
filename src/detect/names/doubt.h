/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_DETECT_NAMES_DOUBT_H
#define SOTTO_DETECT_NAMES_DOUBT_H

/*
 * What speaks against a person's name that another layer found: an ordinary word with a capital
 * because it is a German noun or begins a sentence, a word in lower case where names have
 * capitals, a number or "... of" before it, a year in brackets behind it.
 */

#include "detect/names/token.h"

/**
 * The words in and around bytes [start, end), as doubt in thousandths of a score; 0: nothing
 * speaks against a name there.  No more than SOTTO_SCORE_MAX.
 */
unsigned sotto_names_doubt_of(const struct names_tokens *t, size_t start, size_t end);

#endif
