/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_DETECT_MERGE_H
#define SOTTO_DETECT_MERGE_H

#include "detect/finding.h"

/**
 * Makes one list of findings from several layers: deterministic, sorted by start, without
 * overlaps.  Where two overlap, the more certain and more exact one wins and the rest of the other
 * is kept as far as it still covers whole words; nothing that any finding covered is uncovered.
 * The tagger's findings get the exact type that another layer has for the very same stretch.
 *
 * @param text  the text that the findings are about
 * @param list  changed in place
 *
 * @retval SOTTO_ENOMEM  `list` unchanged
 */
SOTTO_MUST_CHECK enum sotto_err sotto_merge(sotto_span text, struct sotto_findings *list);

/**
 * Brings the known values of a text together with its findings.  A value inside a finding that is
 * a value of such a kind itself (the "doe" of an e-mail address) says nothing new; any other wins
 * over what it overlaps, so that a person's name is not taken for a town in the next message.
 * Names are made whole again (detect/whole.h): "Dos" before the known "Reis" is part of it.
 *
 * @param found  findings as sotto_merge() leaves them
 * @param list   in: what sotto_known_scan() found; out: all findings, or empty where no value says
 *               anything new and the findings stand as they are
 *
 * @retval SOTTO_ENOMEM  `list` is to be thrown away
 */
SOTTO_MUST_CHECK enum sotto_err sotto_merge_known(sotto_span text,
                                                  const struct sotto_finding *found, size_t count,
                                                  struct sotto_findings *list);

#endif
