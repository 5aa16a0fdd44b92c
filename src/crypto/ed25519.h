/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_CRYPTO_ED25519_H
#define SOTTO_CRYPTO_ED25519_H

/*
 * Ed25519 signatures (RFC 8032, 5.1: the plain variant, without context or prehash).  A signature
 * is a function of key and message: it needs no random numbers.  Thread-safe.
 */

#include "base/err.h"
#include "base/span.h"

#define SOTTO_ED25519_SEED_BYTES   32
#define SOTTO_ED25519_PUBLIC_BYTES 32
#define SOTTO_ED25519_SIG_BYTES    64

/**
 * The public key of a private one, which is any 32 random bytes.
 *
 * @param[out] out  wiped on failure
 * @retval SOTTO_ECRYPTO
 */
SOTTO_MUST_CHECK enum sotto_err sotto_ed25519_public(const uint8_t seed[SOTTO_ED25519_SEED_BYTES],
                                                     uint8_t out[SOTTO_ED25519_PUBLIC_BYTES]);

/** Signs `message`.  @param[out] sig  wiped on failure.  @retval SOTTO_ECRYPTO */
SOTTO_MUST_CHECK enum sotto_err sotto_ed25519_sign(const uint8_t seed[SOTTO_ED25519_SEED_BYTES],
                                                   sotto_span message,
                                                   uint8_t sig[SOTTO_ED25519_SIG_BYTES]);

/**
 * Checks a signature.
 *
 * @retval SOTTO_EAUTH    it is not of this key and message, or the key is no point of the curve
 * @retval SOTTO_ECRYPTO  the library failed: nothing is known
 */
SOTTO_MUST_CHECK enum sotto_err
sotto_ed25519_verify(const uint8_t public_key[SOTTO_ED25519_PUBLIC_BYTES], sotto_span message,
                     const uint8_t sig[SOTTO_ED25519_SIG_BYTES]);

#endif
