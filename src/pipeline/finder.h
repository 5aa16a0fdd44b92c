/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_PIPELINE_FINDER_H
#define SOTTO_PIPELINE_FINDER_H

/*
 * Detection of one text by itself, as the commands and the library use it, on the same path as the
 * gateway: all layers, known values, merge, and what a mode would replace.  Not thread-safe.
 */

#include "detect/detect.h"
#include "policy/mode.h"

struct sotto_finder;

/**
 * @param options   as for sotto_detector_new(); borrowed for the call
 * @param mode      report only what this built-in mode replaces; empty: all
 * @param lang      language of texts; empty: guessed
 * @param[out] out  set only on SOTTO_OK; freed with sotto_finder_free()
 *
 * @retval SOTTO_ENOTFOUND  there is no such mode
 * @retval SOTTO_EINVAL     there is no such language, or an option is wrong
 * @retval SOTTO_ENOMEM
 */
SOTTO_MUST_CHECK enum sotto_err sotto_finder_new(const struct sotto_detector_options *options,
                                                 sotto_span mode, sotto_span lang,
                                                 struct sotto_finder **out);

/**
 * Another finder with the same detector, mode and language, for another thread.
 *
 * @param of        borrowed; must outlive it, and may be forked by several threads at once
 * @param[out] out  set only on SOTTO_OK; freed with sotto_finder_free()
 * @retval SOTTO_ENOMEM
 */
SOTTO_MUST_CHECK enum sotto_err sotto_finder_fork(const struct sotto_finder *of,
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

/** The exact type of a finding, or NULL; static as long as the finder. */
const char *sotto_finder_finer(const struct sotto_finder *finder,
                               const struct sotto_finding *finding);

/** The name of the rule that made a finding; never NULL; as long as the finder. */
const char *sotto_finder_rule(const struct sotto_finder *finder,
                              const struct sotto_finding *finding);

/** Whether spellings of a finding's value share a token, as the gateway has it. */
bool sotto_finder_foldable(const struct sotto_finder *finder, const struct sotto_finding *finding);

#endif
