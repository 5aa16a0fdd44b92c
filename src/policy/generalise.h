/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_POLICY_GENERALISE_H
#define SOTTO_POLICY_GENERALISE_H

/*
 * Something coarser in the place of a value, without a way back:
 *
 *   DATE, DATE_OF_BIRTH   its year, where exactly one stands in it; else "[DATE]"
 *   AGE                   "90 or older" above 89, else ten years: "40 to 49 years old"
 *   AGE_OVER_89           "90 or older"
 *   POSTCODE              of a US ZIP code the first three digits, "000" where fewer than 20,000
 *                         people live behind them; else "[POSTCODE]"
 *
 * The rules for years, ages and ZIP codes are those of Safe Harbor, 45 CFR 164.514(b)(2)(i); the 17
 * ZIP code areas are those that its guidance names, by the census of 2000.
 */

#include "base/span.h"
#include "detect/finding.h"

/** Longest text that a value becomes, with its NUL. */
#define SOTTO_GENERALISE_BYTES 32

/** Whether there is a rule for a label or an exact type, by its name. */
bool sotto_generalise_knows(sotto_span name);

/** What stands in the place of a value.  @param finer  exact type; NULL or "": not known */
void sotto_generalise(enum sotto_label label, const char *finer, sotto_span value,
                      char out[SOTTO_GENERALISE_BYTES]);

#endif
