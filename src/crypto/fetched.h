/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_CRYPTO_FETCHED_H
#define SOTTO_CRYPTO_FETCHED_H

#include <openssl/evp.h>
#include <stdbool.h>

/*
 * Algorithms, fetched once: a fetch by name costs more than hashing a kilobyte.  For the files of
 * this folder.  Each calls sotto_crypto_init() and gives NULL where that fails.
 */

const EVP_MD *crypto_sha256(void);

/**
 * The calling thread's context for SHA-256, to be begun anew by each user; NULL: there is none.
 * Whoever has used it calls crypto_sha256_end(), which wipes what it knows of the text.
 */
EVP_MD_CTX *crypto_sha256_ctx(void);
bool crypto_sha256_end(EVP_MD_CTX *ctx);

const EVP_MD *crypto_sha3_256(void);
const EVP_MD *crypto_shake256(void);
const EVP_CIPHER *crypto_aes256_gcm(void);

#endif
