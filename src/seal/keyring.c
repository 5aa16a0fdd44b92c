/* SPDX-License-Identifier: Apache-2.0 */

#include "seal/keyring.h"

#include <pthread.h>

#include "base/alloc.h"

struct keyring_slot {
    struct sotto_gateway_pair *current;
    struct sotto_gateway_pair *replaced; /* NULL: none, or nobody can ask for it */
    atomic_uint_fast64_t serial;
};

struct sotto_keyring {
    pthread_mutex_t lock;
    atomic_bool stopped;
    struct keyring_slot slots[SOTTO_SUITE_COUNT];
};

static struct sotto_gateway_pair *pair_ref(struct sotto_gateway_pair *pair)
{
    if (pair != NULL) {
        atomic_fetch_add_explicit(&pair->refs, 1, memory_order_relaxed);
    }
    return pair;
}

void sotto_gateway_pair_unref(struct sotto_gateway_pair *pair)
{
    if (pair != NULL && atomic_fetch_sub_explicit(&pair->refs, 1, memory_order_acq_rel) == 1) {
        sotto_kem_pair_free(pair->pair);
        sotto_free(pair);
    }
}

static enum sotto_err make_pair(const struct sotto_suite *suite, int64_t now_s,
                                const atomic_bool *cancelled, struct sotto_gateway_pair **out)
{
    struct sotto_gateway_pair *pair = sotto_calloc(1, sizeof(*pair));
    if (pair == NULL) {
        return SOTTO_ENOMEM;
    }
    atomic_init(&pair->refs, 1);
    pair->suite = suite;
    pair->made_s = now_s;
    enum sotto_err err = sotto_kem_pair_new(suite->kem, cancelled, &pair->pair);
    if (err == SOTTO_OK) {
        err = sotto_session_key_id(sotto_kem_public(pair->pair), pair->key_id);
    }
    if (err != SOTTO_OK) {
        sotto_gateway_pair_unref(pair);
        return err;
    }
    *out = pair;
    return SOTTO_OK;
}

static struct keyring_slot *slot_of(struct sotto_keyring *ring, const struct sotto_suite *suite)
{
    return &ring->slots[sotto_suite_index(suite)];
}

static bool is_over(const struct sotto_gateway_pair *pair, int64_t lives, int64_t now_s)
{
    return now_s - pair->made_s >= lives * pair->suite->pair_life_s;
}

enum sotto_err sotto_keyring_new(struct sotto_keyring **out)
{
    struct sotto_keyring *ring = sotto_calloc(1, sizeof(*ring));
    if (ring == NULL) {
        return SOTTO_ENOMEM;
    }
    if (pthread_mutex_init(&ring->lock, NULL) != 0) {
        sotto_free(ring);
        return SOTTO_ENOMEM;
    }
    *out = ring;
    return SOTTO_OK;
}

void sotto_keyring_free(struct sotto_keyring *ring)
{
    if (ring == NULL) {
        return;
    }
    for (size_t i = 0; i < SOTTO_SUITE_COUNT; i++) {
        sotto_gateway_pair_unref(ring->slots[i].current);
        sotto_gateway_pair_unref(ring->slots[i].replaced);
    }
    pthread_mutex_destroy(&ring->lock);
    sotto_free(ring);
}

void sotto_keyring_stop(struct sotto_keyring *ring)
{
    atomic_store(&ring->stopped, true);
}

bool sotto_keyring_is_due(struct sotto_keyring *ring, const struct sotto_suite *suite,
                          int64_t now_s)
{
    pthread_mutex_lock(&ring->lock);
    const struct sotto_gateway_pair *current = slot_of(ring, suite)->current;
    bool due = current == NULL || is_over(current, 1, now_s);
    pthread_mutex_unlock(&ring->lock);
    return due;
}

enum sotto_err sotto_keyring_renew(struct sotto_keyring *ring, const struct sotto_suite *suite,
                                   int64_t now_s)
{
    struct keyring_slot *slot = slot_of(ring, suite);
    struct sotto_gateway_pair *fresh = NULL, *old[2];
    if (atomic_load(&ring->stopped)) {
        return SOTTO_ECLOSED;
    }
    enum sotto_err err = make_pair(suite, now_s, &ring->stopped, &fresh);
    if (err != SOTTO_OK) {
        return err;
    }
    pthread_mutex_lock(&ring->lock);
    old[0] = slot->replaced;
    old[1] = suite->ephemeral ? slot->current : NULL;
    slot->replaced = suite->ephemeral ? NULL : slot->current;
    slot->current = fresh;
    atomic_fetch_add(&slot->serial, 1);
    pthread_mutex_unlock(&ring->lock);
    sotto_gateway_pair_unref(old[0]);
    sotto_gateway_pair_unref(old[1]);
    return SOTTO_OK;
}

void sotto_keyring_sweep(struct sotto_keyring *ring, int64_t now_s)
{
    for (size_t i = 0; i < SOTTO_SUITE_COUNT; i++) {
        struct sotto_gateway_pair *gone = NULL;
        pthread_mutex_lock(&ring->lock);
        if (ring->slots[i].replaced != NULL && is_over(ring->slots[i].replaced, 2, now_s)) {
            gone = ring->slots[i].replaced;
            ring->slots[i].replaced = NULL;
        }
        pthread_mutex_unlock(&ring->lock);
        sotto_gateway_pair_unref(gone);
    }
}

uint64_t sotto_keyring_serial(const struct sotto_keyring *ring, const struct sotto_suite *suite)
{
    return atomic_load(&ring->slots[sotto_suite_index(suite)].serial);
}

struct sotto_gateway_pair *sotto_keyring_current(struct sotto_keyring *ring,
                                                 const struct sotto_suite *suite)
{
    pthread_mutex_lock(&ring->lock);
    struct sotto_gateway_pair *pair = pair_ref(slot_of(ring, suite)->current);
    pthread_mutex_unlock(&ring->lock);
    return pair;
}

static bool is_named(const struct sotto_gateway_pair *pair, sotto_span key_id)
{
    return pair != NULL && sotto_span_eq(sotto_span_str(pair->key_id), key_id);
}

struct sotto_gateway_pair *sotto_keyring_find(struct sotto_keyring *ring,
                                              const struct sotto_suite *suite, sotto_span key_id,
                                              int64_t now_s)
{
    struct keyring_slot *slot = slot_of(ring, suite);
    struct sotto_gateway_pair *found = NULL;
    pthread_mutex_lock(&ring->lock);
    if (is_named(slot->current, key_id)) {
        found = pair_ref(slot->current);
    } else if (is_named(slot->replaced, key_id) && !is_over(slot->replaced, 2, now_s)) {
        found = pair_ref(slot->replaced);
    }
    pthread_mutex_unlock(&ring->lock);
    return found;
}
