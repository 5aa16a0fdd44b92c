/* SPDX-License-Identifier: Apache-2.0 */

#include "crypto/crypto.h"

#include <openssl/crypto.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "base/alloc.h"
#include "crypto/fetched.h"

static pthread_mutex_t crypto_lock = PTHREAD_MUTEX_INITIALIZER;
static atomic_bool crypto_ready;

/* Written under the lock before `crypto_ready`, read only after it. */
static bool crypto_allocator_set;
static EVP_MD *fetched_sha256;
static EVP_MD *fetched_sha3_256;
static EVP_MD *fetched_shake256;
static EVP_MAC *fetched_hmac;
static EVP_CIPHER *fetched_aes256_gcm;

static void *crypto_malloc(size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return sotto_alloc(size);
}

static void *crypto_resize(void *block, size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    if (size == 0) {
        sotto_free(block);
        return NULL;
    }
    return sotto_resize(block, size);
}

static void crypto_release(void *block, const char *file, int line)
{
    (void)file;
    (void)line;
    sotto_free(block);
}

/* What an earlier try has fetched is kept. */
static bool fetch_all(void)
{
    if (!crypto_allocator_set) {
        crypto_allocator_set =
            CRYPTO_set_mem_functions(crypto_malloc, crypto_resize, crypto_release) == 1;
    }
    if (!crypto_allocator_set) {
        return false;
    }
    if (fetched_sha256 == NULL) {
        fetched_sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    }
    if (fetched_sha3_256 == NULL) {
        fetched_sha3_256 = EVP_MD_fetch(NULL, "SHA3-256", NULL);
    }
    if (fetched_shake256 == NULL) {
        fetched_shake256 = EVP_MD_fetch(NULL, "SHAKE256", NULL);
    }
    if (fetched_hmac == NULL) {
        fetched_hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    }
    if (fetched_aes256_gcm == NULL) {
        fetched_aes256_gcm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
    }
    return fetched_sha256 != NULL && fetched_sha3_256 != NULL && fetched_shake256 != NULL &&
           fetched_hmac != NULL && fetched_aes256_gcm != NULL;
}

enum sotto_err sotto_crypto_init(void)
{
    if (atomic_load_explicit(&crypto_ready, memory_order_acquire)) {
        return SOTTO_OK;
    }
    if (pthread_mutex_lock(&crypto_lock) != 0) {
        return SOTTO_ECRYPTO;
    }
    bool ready = fetch_all();
    atomic_store_explicit(&crypto_ready, ready, memory_order_release);
    pthread_mutex_unlock(&crypto_lock);
    return ready ? SOTTO_OK : SOTTO_ECRYPTO;
}

const EVP_MD *crypto_sha256(void)
{
    return sotto_crypto_init() == SOTTO_OK ? fetched_sha256 : NULL;
}

const EVP_MD *crypto_sha3_256(void)
{
    return sotto_crypto_init() == SOTTO_OK ? fetched_sha3_256 : NULL;
}

const EVP_MD *crypto_shake256(void)
{
    return sotto_crypto_init() == SOTTO_OK ? fetched_shake256 : NULL;
}

EVP_MAC *crypto_hmac(void)
{
    return sotto_crypto_init() == SOTTO_OK ? fetched_hmac : NULL;
}

const EVP_CIPHER *crypto_aes256_gcm(void)
{
    return sotto_crypto_init() == SOTTO_OK ? fetched_aes256_gcm : NULL;
}
