/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_DETECT_CUSTOM_H
#define SOTTO_DETECT_CUSTOM_H

/*
 * Recognizers from the configuration: a regular expression or words, with optional context words
 * and a checksum.  Regular expressions run in PCRE2 with a limit on the work at each place; one
 * that exceeds it is a failure, not a text without findings.
 */

#include "detect/detect.h"

/** How far behind a window a match may reach, in bytes. */
#define SOTTO_CUSTOM_REACH 1024

/** How far from a match its context words may stand, in bytes. */
#define SOTTO_CUSTOM_CONTEXT 120

struct sotto_customs;
struct sotto_customs_scratch;

/**
 * Compiles recognizers.
 *
 * @param items     borrowed for the call
 * @param[out] out  set only on SOTTO_OK; freed with sotto_customs_free()
 * @param[out] why  on SOTTO_EINVAL a sentence; may be NULL
 *
 * @retval SOTTO_EINVAL, SOTTO_ENOMEM
 */
SOTTO_MUST_CHECK enum sotto_err sotto_customs_new(const struct sotto_detect_custom *items,
                                                  size_t count, struct sotto_customs **out,
                                                  char why[256]);

/** Frees; NULL is allowed. */
void sotto_customs_free(struct sotto_customs *customs);

/** Working memory of one thread.  @retval SOTTO_ENOMEM */
SOTTO_MUST_CHECK enum sotto_err sotto_customs_scratch_new(const struct sotto_customs *customs,
                                                          struct sotto_customs_scratch **out);

/** Wipes and frees; NULL is allowed. */
void sotto_customs_scratch_free(struct sotto_customs_scratch *scratch);

/**
 * Appends what begins in bytes [start, end) of `text`; `finer` is SOTTO_FINER_COUNT plus the
 * number of the recognizer.
 *
 * @retval SOTTO_ELIMIT  a regular expression exceeded its limit of work
 * @retval SOTTO_ENOMEM
 */
SOTTO_MUST_CHECK enum sotto_err sotto_customs_scan(const struct sotto_customs *customs,
                                                   struct sotto_customs_scratch *scratch,
                                                   sotto_span text, size_t start, size_t end,
                                                   struct sotto_findings *out);

/** The name of recognizer number `i`; NULL when there is none. */
const char *sotto_customs_name(const struct sotto_customs *customs, size_t i);

#endif
