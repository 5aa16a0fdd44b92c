/* SPDX-License-Identifier: Apache-2.0 */

#include "seal/keeper.h"

#include "base/alloc.h"
#include "crypto/hkdf.h"

/* So many requests, and the thread takes another key: far below where nonces run out. */
#define KEEPER_USES_MAX ((uint64_t)1 << 32)

struct keeper_key {
    struct sotto_aead *aead;
    uint64_t uses;   /* also the next nonce */
    uint64_t serial; /* of the pair in its ring */
    unsigned refs;
    char key_id[SOTTO_SESSION_KEY_ID_LEN + 1];
};

struct sotto_keeper {
    struct sotto_keyring *ring;
    struct keeper_key *keys[SOTTO_SUITE_COUNT]; /* NULL: none yet */
};

static void key_unref(struct keeper_key *key)
{
    if (key != NULL && --key->refs == 0) {
        sotto_aead_free(key->aead);
        sotto_free(key);
    }
}

static enum sotto_err make_aead(const struct sotto_gateway_pair *pair, struct sotto_aead **out)
{
    uint8_t ciphertext[SOTTO_KEM_CIPHERTEXT_MAX]; /* for whom the pair is all that is left */
    uint8_t secret[SOTTO_KEM_SECRET_BYTES], key[SOTTO_AEAD_KEY_BYTES];
    const struct sotto_kem *kem = pair->suite->kem;
    enum sotto_err err =
        sotto_kem_encapsulate(kem, sotto_kem_public(pair->pair), ciphertext, secret);
    if (err == SOTTO_OK) {
        err = sotto_hkdf(sotto_span_init(secret, sizeof(secret)),
                         sotto_span_init(ciphertext, kem->ciphertext_len),
                         SOTTO_LIT("sotto gateway keeps"), key, sizeof(key));
    }
    if (err == SOTTO_OK) {
        err = sotto_aead_new(key, out);
    }
    sotto_wipe(secret, sizeof(secret));
    sotto_wipe(key, sizeof(key));
    return err;
}

static enum sotto_err make_key(struct sotto_keeper *keeper, const struct sotto_suite *suite,
                               struct keeper_key **out)
{
    uint64_t serial = sotto_keyring_serial(keeper->ring, suite);
    struct sotto_gateway_pair *pair = sotto_keyring_current(keeper->ring, suite);
    if (pair == NULL) {
        return SOTTO_ENOTFOUND;
    }
    struct keeper_key *key = sotto_calloc(1, sizeof(*key));
    enum sotto_err err = key != NULL ? make_aead(pair, &key->aead) : SOTTO_ENOMEM;
    if (err == SOTTO_OK) {
        key->refs = 1;
        key->serial = serial; /* of this pair or an older one: at worst it is made again */
        memcpy(key->key_id, pair->key_id, sizeof(key->key_id));
        *out = key;
    } else {
        sotto_free(key);
    }
    sotto_gateway_pair_unref(pair);
    return err;
}

/* The thread's key of the current pair. */
static enum sotto_err current_key(struct sotto_keeper *keeper, const struct sotto_suite *suite,
                                  struct keeper_key **out)
{
    struct keeper_key **slot = &keeper->keys[sotto_suite_index(suite)], *fresh = NULL;
    if (*slot == NULL || (*slot)->serial != sotto_keyring_serial(keeper->ring, suite) ||
        (*slot)->uses >= KEEPER_USES_MAX) {
        enum sotto_err err = make_key(keeper, suite, &fresh);
        if (err != SOTTO_OK) {
            return err;
        }
        key_unref(*slot);
        *slot = fresh;
    }
    *out = *slot;
    return SOTTO_OK;
}

enum sotto_err sotto_keeper_seal(struct sotto_keeper *keeper, const struct sotto_suite *suite,
                                 struct sotto_buf *plain, struct sotto_kept *kept)
{
    struct keeper_key *key = NULL;
    struct sotto_kept fresh = {.key = NULL};
    enum sotto_err err = current_key(keeper, suite, &key);
    if (err != SOTTO_OK) {
        return err;
    }
    sotto_buf_init(&fresh.sealed, SOTTO_BUF_UNBOUNDED);
    for (size_t i = 0; i < sizeof(key->uses); i++) {
        fresh.nonce[i] = (uint8_t)(key->uses >> (8 * i));
    }
    key->uses++;
    err = sotto_aead_seal(key->aead, fresh.nonce, sotto_span_str(key->key_id),
                          sotto_buf_span(plain), &fresh.sealed);
    if (err != SOTTO_OK) {
        sotto_buf_free(&fresh.sealed);
        return err;
    }
    fresh.key = key;
    key->refs++;
    *kept = fresh;
    sotto_buf_free(plain);
    return SOTTO_OK;
}

enum sotto_err sotto_kept_open(const struct sotto_kept *kept, struct sotto_buf *plain)
{
    return sotto_aead_open(kept->key->aead, kept->nonce, sotto_span_str(kept->key->key_id),
                           sotto_buf_span(&kept->sealed), plain);
}

const char *sotto_kept_key_id(const struct sotto_kept *kept)
{
    return kept->key->key_id;
}

void sotto_kept_free(struct sotto_kept *kept)
{
    if (kept->key != NULL) {
        key_unref(kept->key);
        sotto_buf_free(&kept->sealed);
        *kept = (struct sotto_kept){.key = NULL};
    }
}

void sotto_keeper_sweep(struct sotto_keeper *keeper)
{
    for (size_t i = 0; i < SOTTO_SUITE_COUNT; i++) {
        struct keeper_key **slot = &keeper->keys[i];
        if (*slot != NULL &&
            (*slot)->serial != sotto_keyring_serial(keeper->ring, &sotto_suites[i])) {
            key_unref(*slot);
            *slot = NULL;
        }
    }
}

enum sotto_err sotto_keeper_new(struct sotto_keyring *ring, struct sotto_keeper **out)
{
    struct sotto_keeper *keeper = sotto_calloc(1, sizeof(*keeper));
    if (keeper == NULL) {
        return SOTTO_ENOMEM;
    }
    keeper->ring = ring;
    *out = keeper;
    return SOTTO_OK;
}

void sotto_keeper_free(struct sotto_keeper *keeper)
{
    if (keeper != NULL) {
        for (size_t i = 0; i < SOTTO_SUITE_COUNT; i++) {
            key_unref(keeper->keys[i]);
        }
        sotto_free(keeper);
    }
}
