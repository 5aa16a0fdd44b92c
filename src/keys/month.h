/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_KEYS_MONTH_H
#define SOTTO_KEYS_MONTH_H

/* Calendar months in UTC. */

#include <stdint.h>

/** Month of a time: months since January 1970. */
int32_t sotto_limit_month(int64_t now_ms);

/** How long until the month of `now_ms` ends, in seconds, rounded up. */
uint32_t sotto_month_rest_s(int64_t now_ms);

#endif
