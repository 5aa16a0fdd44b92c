/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_PRESIDIO_ADHOC_H
#define SOTTO_PRESIDIO_ADHOC_H

/*
 * Recognizers that a request brings along (`ad_hoc_recognizers`): Presidio's PatternRecognizer
 * with patterns or a deny list.  Expressions are PCRE2's without back-references, run with the
 * limits of detect/custom.h.  Context words that stand near raise the score, as in Presidio: by
 * 0.35, to 0.4 at least.  For the files of this folder.
 */

#include "detect/detect.h"
#include "presidio/answer.h"
#include "presidio/entity.h"

/** Most patterns and deny lists of a request. */
#define PRESIDIO_ADHOC_MAX 64

struct presidio_adhoc;

/**
 * Compiles the recognizers for a language.
 *
 * @param list      a JSON value of any kind; borrowed, as the object points into it
 * @param[out] out  set only on SOTTO_OK; freed with presidio_adhoc_free(); NULL: none
 *
 * @retval SOTTO_EINVAL  refused; `answer` says why
 * @retval SOTTO_ENOMEM
 */
SOTTO_MUST_CHECK enum sotto_err presidio_adhoc_new(yyjson_mut_val *list, sotto_span language,
                                                   struct presidio_adhoc **out,
                                                   struct presidio_answer *answer);

/** Wipes and frees; NULL is allowed. */
void presidio_adhoc_free(struct presidio_adhoc *adhoc);

/** Whether one of them finds a type of the set. */
bool presidio_adhoc_serves(const struct presidio_adhoc *adhoc, const struct presidio_words *wanted);

/**
 * Appends what begins in bytes [start, end) of `text`, a window of detect/window.h.
 *
 * @retval SOTTO_ELIMIT  an expression exceeded its limit of work
 * @retval SOTTO_ENOMEM
 */
SOTTO_MUST_CHECK enum sotto_err presidio_adhoc_scan(struct presidio_adhoc *adhoc, sotto_span text,
                                                    size_t start, size_t end,
                                                    struct sotto_findings *out);

/** Entity type, and name of the recognizer, of a finding of presidio_adhoc_scan(). */
sotto_span presidio_adhoc_entity(const struct presidio_adhoc *adhoc, const struct sotto_finding *f);
sotto_span presidio_adhoc_name(const struct presidio_adhoc *adhoc, const struct sotto_finding *f);

/**
 * Puts the flags of Python's `regex` module (I 2, M 8, S 16, X 64) before an expression.
 *
 * @param flags  a JSON value; not there: those of Presidio, I M S
 * @retval SOTTO_ENOMEM
 */
SOTTO_MUST_CHECK enum sotto_err presidio_regex(sotto_span expression, const yyjson_mut_val *flags,
                                               struct sotto_buf *out);

#endif
