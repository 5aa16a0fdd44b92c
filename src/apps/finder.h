/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_APPS_FINDER_H
#define SOTTO_APPS_FINDER_H

#include "pipeline/finder.h"

/** What the options of a command say. */
struct sotto_finder_options {
    const char *mode;      /* report only what it replaces; NULL: all */
    const char *threshold; /* 0 to 1; NULL: the built-in ones */
    const char *lang;      /* NULL: guessed */
    const char *tagger;    /* a word of `detection.tagger`; NULL: small */
};

/**
 * Makes a finder.  What is wrong is said on standard error.
 *
 * @param[out] out  set only on SOTTO_CLI_GO; freed with sotto_finder_free()
 * @return          SOTTO_CLI_GO, or the exit status with which the command ends
 */
SOTTO_MUST_CHECK int sotto_finder_open(const struct sotto_finder_options *options,
                                       struct sotto_finder **out);

#endif
