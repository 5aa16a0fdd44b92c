/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_CRYPTO_HASH_H
#define SOTTO_CRYPTO_HASH_H

#include "base/err.h"
#include "base/span.h"

#define SOTTO_SHA256_BYTES 32
#define SOTTO_SHA512_BYTES 64

/**
 * SHA-256 (FIPS 180-4) of the `count` parts, one behind the other.  Thread-safe.
 *
 * @param[out] out  wiped on failure
 *
 * @retval SOTTO_ECRYPTO
 */
SOTTO_MUST_CHECK enum sotto_err sotto_sha256_parts(const sotto_span *parts, size_t count,
                                                   uint8_t out[SOTTO_SHA256_BYTES]);

/** SHA-256 of one span, as sotto_sha256_parts(). */
SOTTO_MUST_CHECK enum sotto_err sotto_sha256(sotto_span in, uint8_t out[SOTTO_SHA256_BYTES]);

/** SHA-512 (FIPS 180-4) of the parts, as sotto_sha256_parts(). */
SOTTO_MUST_CHECK enum sotto_err sotto_sha512_parts(const sotto_span *parts, size_t count,
                                                   uint8_t out[SOTTO_SHA512_BYTES]);

#endif
