/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_TEXT_CANON_H
#define SOTTO_TEXT_CANON_H

#include "base/buf.h"

/**
 * Appends the canonical form of `in`, in which two spellings of one value are equal bytes:
 * hidden characters (zero-width, bidi and variation controls, soft hyphens) removed, full case
 * folding (Unicode 3.13 D145), NFC (UAX #15), white space collapsed to one space and trimmed.
 *
 * @param in  valid UTF-8; borrowed for the call, not part of `out`
 *
 * @retval SOTTO_EFORMAT               `in` is not valid UTF-8; `out` unchanged
 * @retval SOTTO_ENOMEM, SOTTO_ELIMIT  `out` unchanged
 */
SOTTO_MUST_CHECK enum sotto_err sotto_canon(sotto_span in, struct sotto_buf *out);

#endif
