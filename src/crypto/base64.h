/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_CRYPTO_BASE64_H
#define SOTTO_CRYPTO_BASE64_H

/* Base64 with padding (RFC 4648, 4), written and read strictly: one text for each value. */

#include "base/buf.h"

/** Length of the text of `n` bytes. */
#define SOTTO_BASE64_LEN(n) (((n) + 2) / 3 * 4)

/** Appends the text of `in`.  @retval SOTTO_ELIMIT, SOTTO_ENOMEM  `out` unchanged */
SOTTO_MUST_CHECK enum sotto_err sotto_base64_write(sotto_span in, struct sotto_buf *out);

/**
 * Appends what `text` stands for.
 *
 * @retval SOTTO_EFORMAT  another symbol, wrong padding, white space, or bits behind the last byte
 *                        that are not zero; `out` unchanged
 * @retval SOTTO_ELIMIT, SOTTO_ENOMEM  `out` unchanged
 */
SOTTO_MUST_CHECK enum sotto_err sotto_base64_read(sotto_span text, struct sotto_buf *out);

/** Reads a text of exactly `n` bytes into `out`.  @retval SOTTO_EFORMAT, SOTTO_ENOMEM */
SOTTO_MUST_CHECK enum sotto_err sotto_base64_read_exact(sotto_span text, uint8_t *out, size_t n);

#endif
