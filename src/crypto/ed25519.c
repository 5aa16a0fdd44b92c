/* SPDX-License-Identifier: Apache-2.0 */

#include "crypto/ed25519.h"

#include <openssl/evp.h>

#include "base/alloc.h"
#include "crypto/crypto.h"

enum sotto_err sotto_ed25519_public(const uint8_t seed[SOTTO_ED25519_SEED_BYTES],
                                    uint8_t out[SOTTO_ED25519_PUBLIC_BYTES])
{
    size_t len = SOTTO_ED25519_PUBLIC_BYTES;
    EVP_PKEY *key = NULL;
    if (sotto_crypto_init() == SOTTO_OK) {
        key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, SOTTO_ED25519_SEED_BYTES);
    }
    bool ok = key != NULL && EVP_PKEY_get_raw_public_key(key, out, &len) == 1 &&
              len == SOTTO_ED25519_PUBLIC_BYTES;
    EVP_PKEY_free(key);
    if (!ok) {
        sotto_wipe(out, SOTTO_ED25519_PUBLIC_BYTES);
    }
    return ok ? SOTTO_OK : SOTTO_ECRYPTO;
}

enum sotto_err sotto_ed25519_sign(const uint8_t seed[SOTTO_ED25519_SEED_BYTES], sotto_span message,
                                  uint8_t sig[SOTTO_ED25519_SIG_BYTES])
{
    size_t len = SOTTO_ED25519_SIG_BYTES;
    EVP_PKEY *key = NULL;
    EVP_MD_CTX *ctx = NULL;
    if (sotto_crypto_init() == SOTTO_OK) {
        key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, SOTTO_ED25519_SEED_BYTES);
        ctx = EVP_MD_CTX_new();
    }
    bool ok = key != NULL && ctx != NULL && EVP_DigestSignInit(ctx, NULL, NULL, NULL, key) == 1 &&
              EVP_DigestSign(ctx, sig, &len, message.base, message.len) == 1 &&
              len == SOTTO_ED25519_SIG_BYTES;
    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(key);
    if (!ok) {
        sotto_wipe(sig, SOTTO_ED25519_SIG_BYTES);
    }
    return ok ? SOTTO_OK : SOTTO_ECRYPTO;
}

enum sotto_err sotto_ed25519_verify(const uint8_t public_key[SOTTO_ED25519_PUBLIC_BYTES],
                                    sotto_span message, const uint8_t sig[SOTTO_ED25519_SIG_BYTES])
{
    enum sotto_err err = sotto_crypto_init();
    if (err != SOTTO_OK) {
        return err;
    }
    EVP_PKEY *key =
        EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, public_key, SOTTO_ED25519_PUBLIC_BYTES);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    if (key == NULL || ctx == NULL || EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, key) != 1) {
        err = SOTTO_ECRYPTO;
    } else if (EVP_DigestVerify(ctx, sig, SOTTO_ED25519_SIG_BYTES, message.base, message.len) !=
               1) {
        err = SOTTO_EAUTH;
    }
    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(key);
    return err;
}
