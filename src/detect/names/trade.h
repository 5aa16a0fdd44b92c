/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_DETECT_NAMES_TRADE_H
#define SOTTO_DETECT_NAMES_TRADE_H

#include "detect/finding.h"
#include "detect/names/token.h"

/**
 * Finds what somebody does for a living where the text says so: "works as a roofer", "arbeitet als
 * Schweißer", "Profession : couvreur".  The trade may be any word; of what follows the cue at most four
 * words are taken, in German up to the noun.
 *
 * @param first  first word that a finding may begin with
 * @param limit  behind the last one
 * @param out    gets findings labelled OCCUPATION in the order of the words
 *
 * @retval SOTTO_ENOMEM
 */
SOTTO_MUST_CHECK enum sotto_err sotto_names_trades(const struct names_tokens *t, size_t first,
                                                   size_t limit, struct sotto_findings *out);

#endif
