/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_CRYPTO_FETCHED_H
#define SOTTO_CRYPTO_FETCHED_H

#include <openssl/evp.h>

/*
 * Algorithms, fetched once: a fetch by name costs more than hashing a kilobyte.  For the files of
 * this folder.  Each calls sotto_crypto_init() and gives NULL where that fails.
 */

const EVP_MD *crypto_sha256(void);
const EVP_MD *crypto_sha3_256(void);
const EVP_MD *crypto_shake256(void);
EVP_MAC *crypto_hmac(void);
const EVP_CIPHER *crypto_aes256_gcm(void);

#endif
