/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_DETECT_NAMES_PEOPLE_H
#define SOTTO_DETECT_NAMES_PEOPLE_H

#include "detect/finding.h"
#include "detect/names/token.h"

/**
 * Finds where somebody says what people or faith a person is of, in English: "I am Kenyan", "as a
 * Muslim", "his Swedish wife", "Religion: Hindu".  What is merely made or done somewhere ("a German
 * restaurant") is left alone.
 *
 * @param first  first word that a finding may begin with
 * @param limit  behind the last one
 * @param out    gets findings labelled NRP in the order of the words
 *
 * @retval SOTTO_ENOMEM
 */
SOTTO_MUST_CHECK enum sotto_err sotto_names_people(const struct names_tokens *t, size_t first,
                                                   size_t limit, struct sotto_findings *out);

#endif
