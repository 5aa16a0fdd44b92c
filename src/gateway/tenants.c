/* SPDX-License-Identifier: Apache-2.0 */

#include "gateway/tenants.h"

#include "base/alloc.h"
#include "base/arena.h"
#include "base/hash.h"
#include "crypto/random.h"

/* Twice as many places as tenants, so that probing stays short. */
#define TENANTS_PLACES ((size_t)SOTTO_TENANTS_KEPT * 2)

struct tenants_entry {
    sotto_span name; /* in the arena; base NULL: free */
    struct sotto_masking_keys keys;
};

struct sotto_tenants {
    uint8_t master[SOTTO_MASTER_BYTES];
    uint8_t hash_key[SOTTO_HASH_KEY_BYTES];
    struct sotto_arena arena;
    size_t count;
    struct tenants_entry *entries[TENANTS_PLACES]; /* entries live in the arena */
};

enum sotto_err sotto_tenants_new(const uint8_t master[SOTTO_MASTER_BYTES],
                                 struct sotto_tenants **out)
{
    struct sotto_tenants *t = sotto_calloc(1, sizeof(*t));
    if (t == NULL) {
        return SOTTO_ENOMEM;
    }
    memcpy(t->master, master, sizeof(t->master));
    enum sotto_err err = sotto_crypto_random(t->hash_key, sizeof(t->hash_key));
    if (err != SOTTO_OK) {
        sotto_tenants_free(t);
        return err;
    }
    *out = t;
    return SOTTO_OK;
}

void sotto_tenants_free(struct sotto_tenants *t)
{
    if (t != NULL) {
        sotto_arena_free(&t->arena);
        sotto_free(t);
    }
}

static enum sotto_err derive(const struct sotto_tenants *t, sotto_span tenant,
                             struct sotto_masking_keys *keys)
{
    enum sotto_err err = sotto_secrets_tenant(t->master, tenant, SOTTO_TENANT_TOKENS, keys->token);
    if (err == SOTTO_OK) {
        err = sotto_secrets_tenant(t->master, tenant, SOTTO_TENANT_USERS, keys->user);
    }
    if (err == SOTTO_OK) {
        err = sotto_secrets_tenant(t->master, tenant, SOTTO_TENANT_CACHE, keys->cache);
    }
    if (err != SOTTO_OK) {
        sotto_wipe(keys, sizeof(*keys));
    }
    return err;
}

static struct tenants_entry **place_of(struct sotto_tenants *t, sotto_span tenant)
{
    size_t i = (size_t)sotto_hash64(t->hash_key, tenant) % TENANTS_PLACES;
    while (t->entries[i] != NULL && !sotto_span_eq(t->entries[i]->name, tenant)) {
        i = (i + 1) % TENANTS_PLACES;
    }
    return &t->entries[i];
}

enum sotto_err sotto_tenants_keys(struct sotto_tenants *t, sotto_span tenant,
                                  struct sotto_masking_keys *out)
{
    struct tenants_entry **place = place_of(t, tenant);
    if (*place != NULL) {
        *out = (*place)->keys;
        return SOTTO_OK;
    }
    enum sotto_err err = derive(t, tenant, out);
    if (err != SOTTO_OK) {
        return err;
    }
    if (t->count == SOTTO_TENANTS_KEPT) {
        sotto_arena_free(&t->arena);
        memset(t->entries, 0, sizeof(t->entries));
        t->count = 0;
        place = place_of(t, tenant);
    }
    struct tenants_entry *entry = sotto_arena_alloc(&t->arena, sizeof(*entry));
    if (entry == NULL || sotto_arena_copy(&t->arena, tenant, &entry->name) != SOTTO_OK) {
        sotto_wipe(out, sizeof(*out));
        return SOTTO_ENOMEM;
    }
    entry->keys = *out;
    *place = entry;
    t->count++;
    return SOTTO_OK;
}
