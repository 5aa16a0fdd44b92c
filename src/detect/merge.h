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

#endif
