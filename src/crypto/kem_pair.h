/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_CRYPTO_KEM_PAIR_H
#define SOTTO_CRYPTO_KEM_PAIR_H

/* A key pair from inside; for the files kem*.c. */

#include <openssl/evp.h>

#include "crypto/kem.h"

struct sotto_kem_pair {
    const struct sotto_kem *kem;
    EVP_PKEY *key;    /* ML-KEM or RSA */
    EVP_PKEY *second; /* X-Wing: X25519 */
    size_t public_len;
    uint8_t public_key[SOTTO_KEM_PUBLIC_MAX];
};

/* ML-KEM of the parameter set with this name ("ML-KEM-768"), for both KEMs that use it. */

/** @param seed  d || z, 64 bytes.  NULL when OpenSSL fails. */
EVP_PKEY *kem_mlkem_key(const char *name, const uint8_t *seed);

/** @retval SOTTO_EINVAL  not an encapsulation key.  @retval SOTTO_ECRYPTO */
SOTTO_MUST_CHECK enum sotto_err kem_mlkem_encapsulate(const char *name, sotto_span public_key,
                                                      const uint8_t *randomness,
                                                      uint8_t *ciphertext, size_t ciphertext_len,
                                                      uint8_t *secret);

/** @retval SOTTO_ECRYPTO */
SOTTO_MUST_CHECK enum sotto_err kem_mlkem_decapsulate(EVP_PKEY *key, const uint8_t *ciphertext,
                                                      size_t ciphertext_len, uint8_t *secret);

#endif
