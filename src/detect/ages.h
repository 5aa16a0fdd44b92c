/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_DETECT_AGES_H
#define SOTTO_DETECT_AGES_H

#include "detect/finding.h"

/**
 * Finds the ages that newspapers put behind a full name: "Anna Petersen (34)", "Anna Petersen, 34,
 * of Leeds".  A surname alone with a number may be a quotation, so it needs two words; from ten years on.
 *
 * @param text      what the findings are in
 * @param findings  sorted by start, without overlaps; the ages, which overlap nothing, are added behind
 *                  them in their order
 *
 * @retval SOTTO_ENOMEM  findings as they were
 */
SOTTO_MUST_CHECK enum sotto_err sotto_ages_behind_names(sotto_span text,
                                                        struct sotto_findings *findings);

#endif
