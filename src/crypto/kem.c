/* SPDX-License-Identifier: Apache-2.0 */

#include "crypto/kem.h"

#include "base/alloc.h"
#include "crypto/crypto.h"
#include "crypto/kem_pair.h"
#include "crypto/random.h"

static enum sotto_err make_pair(const struct sotto_kem *kem, const uint8_t *seed,
                                const atomic_bool *cancelled, struct sotto_kem_pair **out)
{
    enum sotto_err err = sotto_crypto_init();
    if (err != SOTTO_OK) {
        return err;
    }
    struct sotto_kem_pair *pair = sotto_calloc(1, sizeof(*pair));
    if (pair == NULL) {
        return SOTTO_ENOMEM;
    }
    pair->kem = kem;
    err = kem->make(kem, seed, cancelled, pair);
    if (err != SOTTO_OK) {
        sotto_kem_pair_free(pair);
        return err;
    }
    *out = pair;
    return SOTTO_OK;
}

enum sotto_err sotto_kem_pair_new(const struct sotto_kem *kem, const atomic_bool *cancelled,
                                  struct sotto_kem_pair **out)
{
    uint8_t seed[SOTTO_KEM_SEED_MAX];
    enum sotto_err err = sotto_crypto_random(seed, sizeof(seed));
    if (err == SOTTO_OK) {
        err = make_pair(kem, seed, cancelled, out);
    }
    sotto_wipe(seed, sizeof(seed));
    return err;
}

enum sotto_err sotto_kem_pair_from_seed(const struct sotto_kem *kem, sotto_span seed,
                                        struct sotto_kem_pair **out)
{
    if (kem->seed_len == 0 || seed.len != kem->seed_len) {
        return SOTTO_EINVAL;
    }
    return make_pair(kem, seed.base, NULL, out);
}

void sotto_kem_pair_free(struct sotto_kem_pair *pair)
{
    if (pair != NULL) {
        EVP_PKEY_free(pair->key);
        EVP_PKEY_free(pair->second);
        sotto_free(pair);
    }
}

sotto_span sotto_kem_public(const struct sotto_kem_pair *pair)
{
    return sotto_span_init(pair->public_key, pair->public_len);
}

static enum sotto_err encapsulate(const struct sotto_kem *kem, sotto_span public_key,
                                  const uint8_t *randomness, uint8_t *ciphertext, uint8_t *secret)
{
    enum sotto_err err = sotto_crypto_init();
    bool fits = kem->public_len != 0 ? public_key.len == kem->public_len
                                     : public_key.len <= SOTTO_KEM_PUBLIC_MAX;
    if (err == SOTTO_OK) {
        err =
            fits ? kem->encapsulate(kem, public_key, randomness, ciphertext, secret) : SOTTO_EINVAL;
    }
    if (err != SOTTO_OK) {
        sotto_wipe(ciphertext, kem->ciphertext_len);
        sotto_wipe(secret, SOTTO_KEM_SECRET_BYTES);
    }
    return err;
}

enum sotto_err sotto_kem_encapsulate(const struct sotto_kem *kem, sotto_span public_key,
                                     uint8_t *ciphertext, uint8_t secret[SOTTO_KEM_SECRET_BYTES])
{
    return encapsulate(kem, public_key, NULL, ciphertext, secret);
}

enum sotto_err sotto_kem_encapsulate_with(const struct sotto_kem *kem, sotto_span public_key,
                                          sotto_span randomness, uint8_t *ciphertext,
                                          uint8_t secret[SOTTO_KEM_SECRET_BYTES])
{
    if (kem->randomness_len == 0 || randomness.len != kem->randomness_len) {
        sotto_wipe(ciphertext, kem->ciphertext_len);
        sotto_wipe(secret, SOTTO_KEM_SECRET_BYTES);
        return SOTTO_EINVAL;
    }
    return encapsulate(kem, public_key, randomness.base, ciphertext, secret);
}

enum sotto_err sotto_kem_decapsulate(const struct sotto_kem_pair *pair, sotto_span ciphertext,
                                     uint8_t secret[SOTTO_KEM_SECRET_BYTES])
{
    enum sotto_err err = SOTTO_EAUTH;
    if (ciphertext.len == pair->kem->ciphertext_len) {
        err = pair->kem->decapsulate(pair, ciphertext.base, secret);
    }
    if (err != SOTTO_OK) {
        sotto_wipe(secret, SOTTO_KEM_SECRET_BYTES);
    }
    return err;
}
