/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_KEYS_MONTH_H
#define SOTTO_KEYS_MONTH_H

/* Calendar months in UTC. */

#include "base/err.h"
#include "base/span.h"

/** Room for "2026-11" and a NUL. */
#define SOTTO_MONTH_TEXT_BYTES 16

/** Month of a time: months since January 1970. */
int32_t sotto_limit_month(int64_t now_ms);

/** How long until the month of `now_ms` ends, in seconds, rounded up. */
uint32_t sotto_month_rest_s(int64_t now_ms);

/**
 * Reads "2026-11", from January 1970 to December 9999.
 *
 * @param[out] month  set only on SOTTO_OK
 * @retval SOTTO_EFORMAT
 */
SOTTO_MUST_CHECK enum sotto_err sotto_month_parse(sotto_span text, int32_t *month);

/** Writes what sotto_month_parse() reads; `month` is not before 1970. */
void sotto_month_text(int32_t month, char out[SOTTO_MONTH_TEXT_BYTES]);

#endif
