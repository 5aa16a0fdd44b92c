/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_CRYPTO_HKDF_H
#define SOTTO_CRYPTO_HKDF_H

#include "base/err.h"
#include "base/span.h"

/** Most bytes that one derivation gives: 255 blocks (RFC 5869 2.3). */
#define SOTTO_HKDF_MAX_BYTES ((size_t)255 * 32)

/**
 * HKDF-SHA-256 (RFC 5869), extract and expand.
 *
 * @param secret    input key material; borrowed for the call, as are the others
 * @param salt      may be empty
 * @param info      what the key is for; may be empty
 * @param[out] out  `n` bytes; wiped on failure
 *
 * @retval SOTTO_EINVAL  `n` is more than SOTTO_HKDF_MAX_BYTES
 * @retval SOTTO_ENOMEM, SOTTO_ECRYPTO
 */
SOTTO_MUST_CHECK enum sotto_err sotto_hkdf(sotto_span secret, sotto_span salt, sotto_span info,
                                           uint8_t *out, size_t n);

/** Most parts of an `info`. */
#define SOTTO_HKDF_PARTS_MAX 6

/**
 * HKDF-Expand alone, for a key that is one already; `info` is the parts, one behind the other.
 *
 * @param count  at most SOTTO_HKDF_PARTS_MAX
 * @retval SOTTO_EINVAL  `n` or `count` is too large
 * @retval SOTTO_ENOMEM, SOTTO_ECRYPTO  `out` is wiped
 */
SOTTO_MUST_CHECK enum sotto_err sotto_hkdf_expand(sotto_span key, const sotto_span *info,
                                                  size_t count, uint8_t *out, size_t n);

#endif
