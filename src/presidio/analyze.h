/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_PRESIDIO_ANALYZE_H
#define SOTTO_PRESIDIO_ANALYZE_H

/*
 * Presidio's analyzer service: /analyze takes {"text", "language", "entities", "score_threshold",
 * "return_decision_process", "ad_hoc_recognizers", "context", "allow_list", "allow_list_match",
 * "regex_flags"} and answers a list of {"analysis_explanation", "end", "entity_type", "score",
 * "start"} with the surest first and offsets in code points; for a list of texts a list of lists.
 *
 * Works in steps, as detection does.  For the files of this folder.
 */

#include "detect/detect.h"
#include "presidio/answer.h"

struct presidio_analyze;

/**
 * Reads a request.
 *
 * @param root      the body, a JSON value of any kind; must outlive the object, as must `job`
 * @param job       of `detector`
 * @param[out] out  set only on SOTTO_OK; freed with presidio_analyze_free()
 *
 * @retval SOTTO_EINVAL  refused; `answer` says why
 * @retval SOTTO_ENOMEM
 */
SOTTO_MUST_CHECK enum sotto_err presidio_analyze_new(yyjson_mut_val *root,
                                                     const struct sotto_detector *detector,
                                                     struct sotto_detect_job *job,
                                                     struct presidio_analyze **out,
                                                     struct presidio_answer *answer);

/** Wipes and frees; NULL is allowed. */
void presidio_analyze_free(struct presidio_analyze *a);

/**
 * Does a part of the work; with the last one `answer` is complete.
 *
 * @param budget  about how many bytes of text to go over; SIZE_MAX: all
 *
 * @retval SOTTO_EINVAL  refused; `answer` says why
 * @retval SOTTO_ELIMIT, SOTTO_ENOMEM
 */
SOTTO_MUST_CHECK enum sotto_err presidio_analyze_step(struct presidio_analyze *a, size_t budget,
                                                      bool *done, struct presidio_answer *answer);

#endif
