/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_DETECT_PATTERN_PATTERN_H
#define SOTTO_DETECT_PATTERN_PATTERN_H

/*
 * The first layer of detection: recognizers for everything that is known by its form, by a
 * checksum or by the words beside it: e-mail, web and network addresses, phone numbers, dates,
 * ages, postal addresses, cards and accounts, national and medical identifiers, secrets.
 *
 * One pass over the text stops at the few places where something may begin (a token with a digit,
 * `@`, a word of a table) and asks the recognizers that may begin there.  Each looks at a bounded
 * neighbourhood, so the time is linear in the length of the window whatever the text is; only
 * PEM blocks (SOTTO_PATTERN_PEM_MAX) and unbroken secrets and URLs (SOTTO_PATTERN_LONG_MAX) reach
 * further than SOTTO_PATTERN_REACH bytes.
 *
 * Scores: below 500 is a guess that should not be acted on without other evidence; 500 and more
 * is likely, 800 and more nearly certain.
 */

#include "detect/finding.h"

/** How far around a window the recognizers look, in bytes. */
#define SOTTO_PATTERN_REACH 256

/** Longest URL or secret of one piece. */
#define SOTTO_PATTERN_LONG_MAX 4096

/** Longest PEM block. */
#define SOTTO_PATTERN_PEM_MAX 16384

struct sotto_patterns;
struct sotto_patterns_scratch;

/** The built-in recognizers; immutable, shared by all threads.  @retval SOTTO_ENOMEM */
SOTTO_MUST_CHECK enum sotto_err sotto_patterns_new(struct sotto_patterns **out);

/** Frees; NULL is allowed. */
void sotto_patterns_free(struct sotto_patterns *patterns);

/** Working memory of one thread.  @retval SOTTO_ENOMEM */
SOTTO_MUST_CHECK enum sotto_err sotto_patterns_scratch_new(struct sotto_patterns_scratch **out);

/** Wipes and frees; NULL is allowed. */
void sotto_patterns_scratch_free(struct sotto_patterns_scratch *scratch);

/**
 * Appends to `out` what begins in bytes [start, end) of `text`, in the order of the starts.
 *
 * The findings of consecutive windows are those of one window over all of them, wherever the
 * cuts lie.  Findings may overlap, but none lies inside another that is as certain, as far as
 * these are shorter than SOTTO_PATTERN_REACH.
 *
 * @param text  valid UTF-8 of less than 4 GiB, whole; read around the window too
 *
 * @retval SOTTO_ENOMEM  `out` unchanged
 */
SOTTO_MUST_CHECK enum sotto_err sotto_patterns_scan(const struct sotto_patterns *patterns,
                                                    struct sotto_patterns_scratch *scratch,
                                                    sotto_span text, size_t start, size_t end,
                                                    struct sotto_findings *out);

/** Steps that recognizers made in the last scan: about one for each byte that was looked at. */
size_t sotto_patterns_steps(const struct sotto_patterns_scratch *scratch);

#endif
