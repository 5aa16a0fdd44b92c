/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_CONFIG_VALUE_H
#define SOTTO_CONFIG_VALUE_H

/* The words that single values are written in. */

#include "config/config.h"

/** "12": decimal digits only.  @retval SOTTO_EFORMAT  `out` unchanged */
SOTTO_MUST_CHECK enum sotto_err config_parse_count(sotto_span text, uint64_t *out);

/** "32MiB", "64KiB", "1GiB", "100B", "100": bytes.  @retval SOTTO_EFORMAT  `out` unchanged */
SOTTO_MUST_CHECK enum sotto_err config_parse_size(sotto_span text, uint64_t *out);

/** "250ms", "300s", "5m", "48h", "30d": milliseconds.  @retval SOTTO_EFORMAT */
SOTTO_MUST_CHECK enum sotto_err config_parse_duration(sotto_span text, uint64_t *out);

/** "0", "0.85", "1": thousandths, rounded.  @retval SOTTO_EFORMAT  `out` unchanged */
SOTTO_MUST_CHECK enum sotto_err config_parse_score(sotto_span text, uint16_t *out);

/** "0", "12", "0.25": thousand-millionths, at most nine decimals.  @retval SOTTO_EFORMAT */
SOTTO_MUST_CHECK enum sotto_err config_parse_money(sotto_span text, uint64_t *out);

/** Room for a text made by the following two. */
#define CONFIG_NUMBER_BYTES 32

/** Writes a size or a duration with the greatest unit that leaves no rest. */
void config_write_size(uint64_t bytes, char out[CONFIG_NUMBER_BYTES]);
void config_write_duration(uint64_t ms, char out[CONFIG_NUMBER_BYTES]);

/** Writes money without trailing zeros: "0.25". */
void config_write_money(uint64_t nano, char out[CONFIG_NUMBER_BYTES]);

#endif
