/* SPDX-License-Identifier: Apache-2.0 */

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "base/alloc.h"
#include "crypto/kem_pair.h"
#include "crypto/random.h"

#define RSA_BITS     4096
#define RSA_EXPONENT 65537

static bool set_oaep(EVP_PKEY_CTX *ctx)
{
    return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING) == 1 &&
           EVP_PKEY_CTX_set_rsa_oaep_md_name(ctx, "SHA256", NULL) == 1 &&
           EVP_PKEY_CTX_set_rsa_mgf1_md_name(ctx, "SHA256", NULL) == 1;
}

/* OpenSSL asks while it looks for primes. */
static int go_on(EVP_PKEY_CTX *ctx)
{
    const atomic_bool *cancelled = EVP_PKEY_CTX_get_app_data(ctx);
    return cancelled == NULL || !atomic_load_explicit(cancelled, memory_order_relaxed);
}

static EVP_PKEY *find_key(const atomic_bool *cancelled)
{
    EVP_PKEY *key = NULL;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    if (ctx != NULL && EVP_PKEY_keygen_init(ctx) == 1 &&
        EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, RSA_BITS) == 1) {
        /* The callback only reads it. */
        EVP_PKEY_CTX_set_app_data(
            ctx, (void *)(uintptr_t)cancelled); /* NOLINT(performance-no-int-to-ptr) */
        EVP_PKEY_CTX_set_cb(ctx, go_on);
        if (EVP_PKEY_generate(ctx, &key) != 1) {
            key = NULL;
        }
    }
    EVP_PKEY_CTX_free(ctx);
    return key;
}

static enum sotto_err make(const struct sotto_kem *kem, const uint8_t *seed,
                           const atomic_bool *cancelled, struct sotto_kem_pair *pair)
{
    uint8_t *at = pair->public_key;
    (void)kem;
    (void)seed;
    pair->key = find_key(cancelled);
    if (pair->key == NULL && cancelled != NULL && atomic_load(cancelled)) {
        return SOTTO_ECLOSED;
    }
    int len = pair->key != NULL ? i2d_PUBKEY(pair->key, NULL) : -1;
    if (len <= 0 || len > SOTTO_KEM_PUBLIC_MAX || i2d_PUBKEY(pair->key, &at) != len) {
        return SOTTO_ECRYPTO;
    }
    pair->public_len = (size_t)len;
    return SOTTO_OK;
}

/* Other sizes and exponents are not this suite; a small exponent would be a weak one. */
static bool is_ours(const EVP_PKEY *key)
{
    BIGNUM *e = NULL;
    bool ours = EVP_PKEY_is_a(key, "RSA") == 1 && EVP_PKEY_get_bits(key) == RSA_BITS &&
                EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &e) == 1 &&
                BN_is_word(e, RSA_EXPONENT) == 1;
    BN_free(e);
    return ours;
}

static enum sotto_err encapsulate(const struct sotto_kem *kem, sotto_span public_key,
                                  const uint8_t *randomness, uint8_t *ciphertext, uint8_t *secret)
{
    const uint8_t *at = public_key.base;
    size_t len = kem->ciphertext_len;
    (void)randomness;
    EVP_PKEY *key = d2i_PUBKEY(NULL, &at, (long)public_key.len);
    if (key == NULL || at != public_key.base + public_key.len || !is_ours(key)) {
        EVP_PKEY_free(key);
        return SOTTO_EINVAL;
    }
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
    enum sotto_err err = sotto_crypto_random(secret, SOTTO_KEM_SECRET_BYTES);
    if (err == SOTTO_OK &&
        (ctx == NULL || EVP_PKEY_encrypt_init(ctx) != 1 || !set_oaep(ctx) ||
         EVP_PKEY_encrypt(ctx, ciphertext, &len, secret, SOTTO_KEM_SECRET_BYTES) != 1)) {
        err = SOTTO_ECRYPTO;
    }
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(key);
    return err;
}

/* RFC 8017, 7.1.2: one error for whatever is wrong.  OpenSSL compares in constant time. */
static enum sotto_err decapsulate(const struct sotto_kem_pair *pair, const uint8_t *ciphertext,
                                  uint8_t *secret)
{
    uint8_t plain[RSA_BITS / 8];
    size_t len = sizeof(plain);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pair->key, NULL);
    if (ctx == NULL || EVP_PKEY_decrypt_init(ctx) != 1 || !set_oaep(ctx)) {
        EVP_PKEY_CTX_free(ctx);
        return SOTTO_ECRYPTO;
    }
    bool opened = EVP_PKEY_decrypt(ctx, plain, &len, ciphertext, pair->kem->ciphertext_len) == 1 &&
                  len == SOTTO_KEM_SECRET_BYTES;
    if (opened) {
        memcpy(secret, plain, SOTTO_KEM_SECRET_BYTES);
    }
    sotto_wipe(plain, sizeof(plain));
    EVP_PKEY_CTX_free(ctx);
    return opened ? SOTTO_OK : SOTTO_EAUTH;
}

const struct sotto_kem sotto_kem_rsa4096 = {
    .name = "RSA-4096-OAEP-SHA-256",
    .ciphertext_len = RSA_BITS / 8,
    .make = make,
    .encapsulate = encapsulate,
    .decapsulate = decapsulate,
};
