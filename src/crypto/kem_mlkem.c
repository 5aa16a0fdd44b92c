/* SPDX-License-Identifier: Apache-2.0 */

#include <openssl/core_names.h>
#include <openssl/params.h>

#include "base/alloc.h"
#include "crypto/kem_pair.h"

#define MLKEM_SEED_BYTES       64
#define MLKEM_RANDOMNESS_BYTES 32

static const char mlkem512[] = "ML-KEM-512";

/* OpenSSL's parameters are not const, but these are only read. */
static OSSL_PARAM octets(const char *name, const uint8_t *bytes, size_t n)
{
    return OSSL_PARAM_construct_octet_string(name, (void *)(uintptr_t)bytes,
                                             n); /* NOLINT(performance-no-int-to-ptr) */
}

EVP_PKEY *kem_mlkem_key(const char *name, const uint8_t *seed)
{
    EVP_PKEY *key = NULL;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, name, NULL);
    OSSL_PARAM params[] = {
        octets(OSSL_PKEY_PARAM_ML_KEM_SEED, seed, MLKEM_SEED_BYTES),
        OSSL_PARAM_construct_end(),
    };
    if (ctx == NULL || EVP_PKEY_keygen_init(ctx) != 1 ||
        EVP_PKEY_CTX_set_params(ctx, params) != 1 || EVP_PKEY_generate(ctx, &key) != 1) {
        key = NULL;
    }
    EVP_PKEY_CTX_free(ctx);
    return key;
}

enum sotto_err kem_mlkem_encapsulate(const char *name, sotto_span public_key,
                                     const uint8_t *randomness, uint8_t *ciphertext,
                                     size_t ciphertext_len, uint8_t *secret)
{
    size_t got_ciphertext = ciphertext_len, got_secret = SOTTO_KEM_SECRET_BYTES;
    OSSL_PARAM params[] = {
        octets(OSSL_KEM_PARAM_IKME, randomness, MLKEM_RANDOMNESS_BYTES),
        OSSL_PARAM_construct_end(),
    };
    EVP_PKEY *key =
        EVP_PKEY_new_raw_public_key_ex(NULL, name, NULL, public_key.base, public_key.len);
    if (key == NULL) {
        return SOTTO_EINVAL;
    }
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
    bool done = ctx != NULL &&
                EVP_PKEY_encapsulate_init(ctx, randomness != NULL ? params : NULL) == 1 &&
                EVP_PKEY_encapsulate(ctx, ciphertext, &got_ciphertext, secret, &got_secret) == 1 &&
                got_ciphertext == ciphertext_len && got_secret == SOTTO_KEM_SECRET_BYTES;
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(key);
    return done ? SOTTO_OK : SOTTO_ECRYPTO;
}

enum sotto_err kem_mlkem_decapsulate(EVP_PKEY *key, const uint8_t *ciphertext,
                                     size_t ciphertext_len, uint8_t *secret)
{
    size_t got = SOTTO_KEM_SECRET_BYTES;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
    bool done = ctx != NULL && EVP_PKEY_decapsulate_init(ctx, NULL) == 1 &&
                EVP_PKEY_decapsulate(ctx, secret, &got, ciphertext, ciphertext_len) == 1 &&
                got == SOTTO_KEM_SECRET_BYTES;
    EVP_PKEY_CTX_free(ctx);
    return done ? SOTTO_OK : SOTTO_ECRYPTO;
}

static enum sotto_err make(const struct sotto_kem *kem, const uint8_t *seed,
                           const atomic_bool *cancelled, struct sotto_kem_pair *pair)
{
    (void)cancelled; /* it takes no time */
    pair->key = kem_mlkem_key(mlkem512, seed);
    pair->public_len = kem->public_len;
    if (pair->key == NULL ||
        EVP_PKEY_get_raw_public_key(pair->key, pair->public_key, &pair->public_len) != 1) {
        return SOTTO_ECRYPTO;
    }
    return SOTTO_OK;
}

static enum sotto_err encapsulate(const struct sotto_kem *kem, sotto_span public_key,
                                  const uint8_t *randomness, uint8_t *ciphertext, uint8_t *secret)
{
    return kem_mlkem_encapsulate(mlkem512, public_key, randomness, ciphertext, kem->ciphertext_len,
                                 secret);
}

static enum sotto_err decapsulate(const struct sotto_kem_pair *pair, const uint8_t *ciphertext,
                                  uint8_t *secret)
{
    return kem_mlkem_decapsulate(pair->key, ciphertext, pair->kem->ciphertext_len, secret);
}

const struct sotto_kem sotto_kem_mlkem512 = {
    .name = "ML-KEM-512",
    .hpke_id = 0x0040,
    .public_len = 800,
    .ciphertext_len = 768,
    .seed_len = MLKEM_SEED_BYTES,
    .randomness_len = MLKEM_RANDOMNESS_BYTES,
    .make = make,
    .encapsulate = encapsulate,
    .decapsulate = decapsulate,
};
