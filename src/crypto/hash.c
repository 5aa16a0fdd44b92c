/* SPDX-License-Identifier: Apache-2.0 */

#include "crypto/hash.h"

#include <pthread.h>
#include <stdbool.h>

#include "base/alloc.h"
#include "crypto/crypto.h"
#include "crypto/fetched.h"

/* A context of its own for each thread: making one costs more than hashing a short text. */
static _Thread_local EVP_MD_CTX *sha256_ctx;
static pthread_once_t sha256_once = PTHREAD_ONCE_INIT;
static pthread_key_t sha256_key; /* frees the context of a thread that ends */
static bool sha256_kept;

static void free_ctx(void *ctx)
{
    EVP_MD_CTX_free(ctx);
}

static void make_key(void)
{
    sha256_kept = pthread_key_create(&sha256_key, free_ctx) == 0;
}

/* The thread's context; NULL: there is none. */
static EVP_MD_CTX *thread_ctx(void)
{
    pthread_once(&sha256_once, make_key);
    if (sha256_ctx == NULL && sha256_kept) {
        EVP_MD_CTX *ctx = EVP_MD_CTX_new();
        if (ctx != NULL && pthread_setspecific(sha256_key, ctx) != 0) {
            EVP_MD_CTX_free(ctx);
            ctx = NULL;
        }
        sha256_ctx = ctx;
    }
    return sha256_ctx;
}

static enum sotto_err digest(EVP_MD_CTX *ctx, const EVP_MD *md, const sotto_span *parts,
                             size_t count, uint8_t *out, size_t out_len)
{
    bool good = ctx != NULL && md != NULL && EVP_DigestInit_ex2(ctx, md, NULL) == 1;
    for (size_t i = 0; i < count && good; i++) {
        good = parts[i].len == 0 || EVP_DigestUpdate(ctx, parts[i].base, parts[i].len) == 1;
    }
    good = good && EVP_DigestFinal_ex(ctx, out, NULL) == 1;
    if (!good) {
        sotto_wipe(out, out_len);
    }
    return good ? SOTTO_OK : SOTTO_ECRYPTO;
}

enum sotto_err sotto_sha256_parts(const sotto_span *parts, size_t count,
                                  uint8_t out[SOTTO_SHA256_BYTES])
{
    const EVP_MD *md = crypto_sha256();
    EVP_MD_CTX *ctx = thread_ctx();
    enum sotto_err err = digest(ctx, md, parts, count, out, SOTTO_SHA256_BYTES);
    /* Beginning anew wipes what the context knows of this text. */
    if (ctx != NULL && md != NULL && EVP_DigestInit_ex2(ctx, md, NULL) != 1 && err == SOTTO_OK) {
        sotto_wipe(out, SOTTO_SHA256_BYTES);
        err = SOTTO_ECRYPTO;
    }
    return err;
}

enum sotto_err sotto_sha512_parts(const sotto_span *parts, size_t count,
                                  uint8_t out[SOTTO_SHA512_BYTES])
{
    EVP_MD *md = sotto_crypto_init() == SOTTO_OK ? EVP_MD_fetch(NULL, "SHA512", NULL) : NULL;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    enum sotto_err err = digest(ctx, md, parts, count, out, SOTTO_SHA512_BYTES);
    EVP_MD_CTX_free(ctx);
    EVP_MD_free(md);
    return err;
}

enum sotto_err sotto_sha256(sotto_span in, uint8_t out[SOTTO_SHA256_BYTES])
{
    return sotto_sha256_parts(&in, 1, out);
}
