/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_APPS_FINDER_H
#define SOTTO_APPS_FINDER_H

/*
 * Detection as the commands use it, on the same path as the gateway: all layers, known values,
 * merge, and what a mode would replace.
 */

#include "detect/detect.h"
#include "policy/mode.h"

/** What the options of a command say; empty strings are NULL. */
struct sotto_finder_options {
    const char *mode;      /* report only what it replaces; NULL: all */
    const char *threshold; /* 0 to 1; NULL: the built-in ones */
    const char *lang;      /* NULL: guessed */
};

struct sotto_finder;

/**
 * Makes a finder.  What is wrong is said on standard error.
 *
 * @param[out] out  set only on SOTTO_CLI_GO; freed with sotto_finder_free()
 * @return          SOTTO_CLI_GO, or the exit status with which the command ends
 */
SOTTO_MUST_CHECK int sotto_finder_new(const struct sotto_finder_options *options,
                                      struct sotto_finder **out);

/** Wipes and frees; NULL is allowed. */
void sotto_finder_free(struct sotto_finder *finder);

/**
 * Finds what is in a text.
 *
 * @param text      valid UTF-8
 * @param lang      language code; empty: that of the options
 * @param[out] out  replaced by the findings
 *
 * @retval SOTTO_ENOMEM, SOTTO_ELIMIT
 */
SOTTO_MUST_CHECK enum sotto_err sotto_finder_run(struct sotto_finder *finder, sotto_span text,
                                                 sotto_span lang, struct sotto_findings *out);

/** The exact type of a finding, or NULL. */
const char *sotto_finder_finer(const struct sotto_finder *finder,
                               const struct sotto_finding *finding);

/** Whether spellings of a finding's value share a token, as contract and gateway have it. */
bool sotto_finder_foldable(const struct sotto_finder *finder, const struct sotto_finding *finding);

#endif
