/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_SEAL_PEEK_H
#define SOTTO_SEAL_PEEK_H

#include <stdbool.h>

#include "base/span.h"

/** How much of a body is looked at. */
#define SOTTO_PEEK_BYTES ((size_t)64 << 10)

/**
 * Whether a JSON object has a member `messages` that is a string, or none but a member `message`
 * that is one; `messages` decides where both are there.  A glance at the object's own members that
 * ends with the first `messages`: what is no JSON is left to the parser.
 *
 * @param[out] text  what follows the string's first quote, to the end of what was looked at
 */
bool sotto_peek_text(sotto_span body, sotto_span *text);

#endif
