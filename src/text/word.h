/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_TEXT_WORD_H
#define SOTTO_TEXT_WORD_H

/*
 * Words: runs of letters, marks and digits, with hidden characters between them, and joined by
 * single apostrophes and hyphens between two of them ("O'Brien", "Anne-Marie").  A coarser and
 * faster notion than UAX #29, which splits at hyphens.
 */

#include "base/span.h"

/** Whether the character that starts at `at` is part of a word by itself. */
bool sotto_word_char_at(sotto_span text, size_t at);

/** Whether the character that ends at `at` is part of a word by itself. */
bool sotto_word_char_before(sotto_span text, size_t at);

/** Whether `at` does not lie inside a run of letters, marks and digits. */
bool sotto_word_edge(sotto_span text, size_t at);

/** The start of the run of letters, marks and digits that `at` lies in or behind; else `at`. */
size_t sotto_word_run_start(sotto_span text, size_t at);

/** The end of the run of letters, marks and digits that `at` lies in or before; else `at`. */
size_t sotto_word_run_end(sotto_span text, size_t at);

/** As sotto_word_run_end(), across inner apostrophes and hyphens. */
size_t sotto_word_end(sotto_span text, size_t at);

/**
 * The next word at or behind `*at`.
 *
 * @param[in,out] at  moved behind the word; to text.len when there is none
 * @return            the word as a part of `text`; empty when there is none
 */
sotto_span sotto_word_next(sotto_span text, size_t *at);

#endif
