/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_CRYPTO_HMAC_H
#define SOTTO_CRYPTO_HMAC_H

/*
 * HMAC-SHA-256 (RFC 2104, FIPS 198-1) with a prepared key: the two blocks that the key fills are
 * hashed once, so that a short message costs two blocks more and no allocation.
 *
 * A prepared key serves one thread at a time.
 */

#include "base/err.h"
#include "base/span.h"

#define SOTTO_HMAC_BYTES 32

struct sotto_hmac;

/**
 * @param key       any length; borrowed for the call
 * @param[out] out  set only on SOTTO_OK; freed with sotto_hmac_free()
 *
 * @retval SOTTO_ENOMEM, SOTTO_ECRYPTO
 */
SOTTO_MUST_CHECK enum sotto_err sotto_hmac_new(sotto_span key, struct sotto_hmac **out);

/** Wipes and frees; NULL is allowed. */
void sotto_hmac_free(struct sotto_hmac *hmac);

/**
 * The code of the `count` parts, one behind the other.  Where the parts vary in length, the
 * caller sees to it that no two messages run together to the same bytes.
 *
 * @param[out] out  wiped on failure
 *
 * @retval SOTTO_ECRYPTO
 */
SOTTO_MUST_CHECK enum sotto_err sotto_hmac_parts(struct sotto_hmac *hmac, const sotto_span *parts,
                                                 size_t count, uint8_t out[SOTTO_HMAC_BYTES]);

/**
 * The code of one message under a key that is used once.
 *
 * @param[out] out  wiped on failure
 *
 * @retval SOTTO_ENOMEM, SOTTO_ECRYPTO
 */
SOTTO_MUST_CHECK enum sotto_err sotto_hmac_sha256(sotto_span key, sotto_span message,
                                                  uint8_t out[SOTTO_HMAC_BYTES]);

#endif
