/* SPDX-License-Identifier: Apache-2.0 */

/*
 * X-Wing (draft-connolly-cfrg-xwing-kem):
 *
 *   private key   seed of 32 bytes; SHAKE256(seed, 96) = d || z || X25519 private key
 *   public key    ML-KEM-768 encapsulation key || X25519 public key
 *   ciphertext    ML-KEM-768 ciphertext || ephemeral X25519 public key
 *   secret        SHA3-256(ML-KEM secret || X25519 secret || ephemeral key || public key || label)
 */

#include "base/alloc.h"
#include "crypto/fetched.h"
#include "crypto/kem_pair.h"
#include "crypto/random.h"

#define XWING_MLKEM_PUBLIC     1184
#define XWING_MLKEM_CIPHERTEXT 1088
#define XWING_MLKEM_SEED       64
#define XWING_CURVE            32 /* of X25519: private, public, shared */
#define XWING_MLKEM_RANDOMNESS 32

static const char mlkem768[] = "ML-KEM-768";
static const uint8_t label[] = {'\\', '.', '/', '/', '^', '\\'};

static bool expand_seed(const uint8_t *seed, uint8_t out[XWING_MLKEM_SEED + XWING_CURVE])
{
    const EVP_MD *md = crypto_shake256();
    EVP_MD_CTX *ctx = md != NULL ? EVP_MD_CTX_new() : NULL;
    bool done = ctx != NULL && EVP_DigestInit_ex2(ctx, md, NULL) == 1 &&
                EVP_DigestUpdate(ctx, seed, XWING_CURVE) == 1 &&
                EVP_DigestFinalXOF(ctx, out, XWING_MLKEM_SEED + XWING_CURVE) == 1;
    EVP_MD_CTX_free(ctx);
    return done;
}

static EVP_PKEY *curve_private(const uint8_t *bytes)
{
    return EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, bytes, XWING_CURVE);
}

/* Fails for a public key of small order, whose shared secret everybody knows (RFC 7748, 6.1). */
static bool curve_shared(EVP_PKEY *own, const uint8_t *public_key, uint8_t out[XWING_CURVE])
{
    size_t len = XWING_CURVE;
    EVP_PKEY *peer = EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, NULL, public_key, XWING_CURVE);
    EVP_PKEY_CTX *ctx = peer != NULL ? EVP_PKEY_CTX_new_from_pkey(NULL, own, NULL) : NULL;
    bool done = ctx != NULL && EVP_PKEY_derive_init(ctx) == 1 &&
                EVP_PKEY_derive_set_peer_ex(ctx, peer, 0) == 1 &&
                EVP_PKEY_derive(ctx, out, &len) == 1 && len == XWING_CURVE;
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(peer);
    return done;
}

struct xwing_parts {
    uint8_t mlkem[SOTTO_KEM_SECRET_BYTES];
    uint8_t curve[XWING_CURVE];
    const uint8_t *ephemeral; /* public */
    const uint8_t *recipient; /* public */
};

static enum sotto_err combine(const struct xwing_parts *parts, uint8_t *secret)
{
    const EVP_MD *md = crypto_sha3_256();
    EVP_MD_CTX *ctx = md != NULL ? EVP_MD_CTX_new() : NULL;
    bool done = ctx != NULL && EVP_DigestInit_ex2(ctx, md, NULL) == 1 &&
                EVP_DigestUpdate(ctx, parts->mlkem, sizeof(parts->mlkem)) == 1 &&
                EVP_DigestUpdate(ctx, parts->curve, sizeof(parts->curve)) == 1 &&
                EVP_DigestUpdate(ctx, parts->ephemeral, XWING_CURVE) == 1 &&
                EVP_DigestUpdate(ctx, parts->recipient, XWING_CURVE) == 1 &&
                EVP_DigestUpdate(ctx, label, sizeof(label)) == 1 &&
                EVP_DigestFinal_ex(ctx, secret, NULL) == 1;
    EVP_MD_CTX_free(ctx);
    return done ? SOTTO_OK : SOTTO_ECRYPTO;
}

static bool read_public(struct sotto_kem_pair *pair)
{
    size_t mlkem_len = XWING_MLKEM_PUBLIC, curve_len = XWING_CURVE;
    pair->public_len = pair->kem->public_len;
    return EVP_PKEY_get_raw_public_key(pair->key, pair->public_key, &mlkem_len) == 1 &&
           EVP_PKEY_get_raw_public_key(pair->second, pair->public_key + XWING_MLKEM_PUBLIC,
                                       &curve_len) == 1 &&
           mlkem_len == XWING_MLKEM_PUBLIC && curve_len == XWING_CURVE;
}

static enum sotto_err make(const struct sotto_kem *kem, const uint8_t *seed,
                           const atomic_bool *cancelled, struct sotto_kem_pair *pair)
{
    uint8_t expanded[XWING_MLKEM_SEED + XWING_CURVE];
    enum sotto_err err = SOTTO_ECRYPTO;
    (void)kem;
    (void)cancelled; /* it takes no time */
    if (expand_seed(seed, expanded)) {
        pair->key = kem_mlkem_key(mlkem768, expanded);
        pair->second = curve_private(expanded + XWING_MLKEM_SEED);
        if (pair->key != NULL && pair->second != NULL && read_public(pair)) {
            err = SOTTO_OK;
        }
    }
    sotto_wipe(expanded, sizeof(expanded));
    return err;
}

/* The X25519 half: the ephemeral public key and the shared secret. */
static enum sotto_err curve_encapsulate(const uint8_t *recipient, const uint8_t *randomness,
                                        uint8_t *ephemeral, uint8_t *shared)
{
    uint8_t private_key[XWING_CURVE];
    size_t len = XWING_CURVE;
    enum sotto_err err = SOTTO_OK;
    EVP_PKEY *key = NULL;
    if (randomness != NULL) {
        memcpy(private_key, randomness, sizeof(private_key));
    } else {
        err = sotto_crypto_random(private_key, sizeof(private_key));
    }
    if (err == SOTTO_OK) {
        key = curve_private(private_key);
        if (key == NULL || EVP_PKEY_get_raw_public_key(key, ephemeral, &len) != 1) {
            err = SOTTO_ECRYPTO;
        } else if (!curve_shared(key, recipient, shared)) {
            err = SOTTO_EINVAL;
        }
    }
    EVP_PKEY_free(key);
    sotto_wipe(private_key, sizeof(private_key));
    return err;
}

/* draft-irtf-cfrg-concrete-hybrid-kems: the randomness is ML-KEM's, then X25519's. */
static enum sotto_err encapsulate(const struct sotto_kem *kem, sotto_span public_key,
                                  const uint8_t *randomness, uint8_t *ciphertext, uint8_t *secret)
{
    struct xwing_parts parts = {
        .ephemeral = ciphertext + XWING_MLKEM_CIPHERTEXT,
        .recipient = public_key.base + XWING_MLKEM_PUBLIC,
    };
    (void)kem;
    enum sotto_err err =
        kem_mlkem_encapsulate(mlkem768, sotto_span_sub(public_key, 0, XWING_MLKEM_PUBLIC),
                              randomness, ciphertext, XWING_MLKEM_CIPHERTEXT, parts.mlkem);
    if (err == SOTTO_OK) {
        err = curve_encapsulate(parts.recipient,
                                randomness != NULL ? randomness + XWING_MLKEM_RANDOMNESS : NULL,
                                ciphertext + XWING_MLKEM_CIPHERTEXT, parts.curve);
    }
    if (err == SOTTO_OK) {
        err = combine(&parts, secret);
    }
    sotto_wipe(&parts, sizeof(parts));
    return err;
}

static enum sotto_err decapsulate(const struct sotto_kem_pair *pair, const uint8_t *ciphertext,
                                  uint8_t *secret)
{
    struct xwing_parts parts = {
        .ephemeral = ciphertext + XWING_MLKEM_CIPHERTEXT,
        .recipient = pair->public_key + XWING_MLKEM_PUBLIC,
    };
    enum sotto_err err =
        kem_mlkem_decapsulate(pair->key, ciphertext, XWING_MLKEM_CIPHERTEXT, parts.mlkem);
    if (err == SOTTO_OK && !curve_shared(pair->second, parts.ephemeral, parts.curve)) {
        err = SOTTO_EAUTH;
    }
    if (err == SOTTO_OK) {
        err = combine(&parts, secret);
    }
    sotto_wipe(&parts, sizeof(parts));
    return err;
}

const struct sotto_kem sotto_kem_xwing = {
    .name = "X-Wing",
    .hpke_id = 0x647a,
    .public_len = XWING_MLKEM_PUBLIC + XWING_CURVE,
    .ciphertext_len = XWING_MLKEM_CIPHERTEXT + XWING_CURVE,
    .seed_len = XWING_CURVE,
    .randomness_len = XWING_MLKEM_RANDOMNESS + XWING_CURVE,
    .make = make,
    .encapsulate = encapsulate,
    .decapsulate = decapsulate,
};
