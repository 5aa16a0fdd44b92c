/* SPDX-License-Identifier: Apache-2.0 */

#include <stdio.h>

#include "base/alloc.h"
#include "base/arena.h"
#include "base/ct.h"
#include "store/kind.h"

enum sotto_err sotto_store_key_count(struct sotto_store *store, size_t *count)
{
    return store->kind->key_count(store, count);
}

enum sotto_err sotto_store_key_each(struct sotto_store *store, sotto_store_each_key *each,
                                    void *ctx)
{
    return store->kind->key_each(store, each, ctx);
}

/* --- the table ------------------------------------------------------------------------------- */

/* Keys on their way into a table. */
struct keys_list {
    struct sotto_arena arena;
    struct sotto_key *items;
    size_t count, cap;
};

static enum sotto_err collect(void *ctx, const struct sotto_key *key)
{
    struct keys_list *list = ctx;
    if (list->count == list->cap) {
        size_t cap = list->cap != 0 ? list->cap * 2 : 64;
        struct sotto_key *items = sotto_resize(list->items, cap * sizeof(*items));
        if (items == NULL) {
            return SOTTO_ENOMEM;
        }
        list->items = items;
        list->cap = cap;
    }
    struct sotto_key *copy = &list->items[list->count];
    *copy = *key;
    enum sotto_err err;
    if ((err = sotto_arena_copy(&list->arena, key->name, &copy->name)) != SOTTO_OK ||
        (err = sotto_arena_copy(&list->arena, key->tenant, &copy->tenant)) != SOTTO_OK ||
        (err = sotto_arena_copy(&list->arena, key->scopes, &copy->scopes)) != SOTTO_OK ||
        (err = sotto_arena_copy(&list->arena, key->mode, &copy->mode)) != SOTTO_OK ||
        (err = sotto_arena_copy(&list->arena, key->style, &copy->style)) != SOTTO_OK) {
        return err;
    }
    list->count++;
    return SOTTO_OK;
}

enum sotto_err sotto_store_key_table(struct sotto_store *store, struct sotto_limits *limits,
                                     const struct sotto_key_quota *defaults,
                                     struct sotto_key_table **out)
{
    struct keys_list list = {0};
    uint64_t generation = sotto_store_generation(store); /* before: it may be older, never newer */
    enum sotto_err err = sotto_store_key_each(store, collect, &list);
    if (err == SOTTO_OK) {
        err = sotto_key_table_new(list.items, list.count, limits, defaults, generation, out);
    }
    sotto_free(list.items);
    sotto_arena_free(&list.arena);
    return err;
}

/* --- changing -------------------------------------------------------------------------------- */

/* Fills in what follows from a key's text. */
static enum sotto_err identify(struct sotto_key *key, sotto_span text)
{
    struct sotto_key_text parts;
    enum sotto_err err = sotto_key_parse(text, &parts);
    if (err == SOTTO_OK) {
        memcpy(key->id, parts.id.base, sizeof(key->id));
        sotto_wipe(key->old_hash, sizeof(key->old_hash));
        key->old_until_s = 0;
        err = sotto_key_hash(&parts, key->hash);
    }
    return err;
}

static enum sotto_err make_key(struct sotto_store *store, const struct sotto_key *key, bool first,
                               char text[SOTTO_KEY_TEXT_BYTES])
{
    struct sotto_key copy = *key;
    text[SOTTO_KEY_TEXT_LEN] = '\0';
    enum sotto_err err = sotto_key_make(text);
    if (err == SOTTO_OK) {
        err = identify(&copy, sotto_span_init(text, SOTTO_KEY_TEXT_LEN));
    }
    if (err == SOTTO_OK) {
        err = store->kind->key_insert(store, &copy, first);
    } else {
        store_refuse(store, err, "the key cannot be made: %s", sotto_err_text(err));
    }
    if (err != SOTTO_OK) {
        sotto_wipe(text, SOTTO_KEY_TEXT_BYTES);
    }
    sotto_wipe(&copy, sizeof(copy));
    return err;
}

enum sotto_err sotto_store_key_create(struct sotto_store *store, const struct sotto_key *key,
                                      char text[SOTTO_KEY_TEXT_BYTES])
{
    return make_key(store, key, false, text);
}

enum sotto_err sotto_store_key_first(struct sotto_store *store, const struct sotto_key *key,
                                     char text[SOTTO_KEY_TEXT_BYTES])
{
    return make_key(store, key, true, text);
}

/* Whether the key that is there is this one. */
static enum sotto_err compare(struct sotto_store *store, const struct sotto_key *there,
                              const struct sotto_key *key)
{
    bool same = sotto_ct_equal(there->hash, key->hash, sizeof(key->hash));
    if (there->revoked_s == 0 && same) {
        return SOTTO_OK;
    }
    return store_refuse(store, SOTTO_EEXISTS, "key %.12s %s", there->id,
                        there->revoked_s != 0 ? "is revoked" : "has another secret");
}

enum sotto_err sotto_store_key_adopt(struct sotto_store *store, const struct sotto_key *key,
                                     sotto_span text)
{
    struct sotto_key copy = *key, there = {0};
    enum sotto_err err = identify(&copy, text);
    if (err != SOTTO_OK) {
        return store_refuse(store, err,
                            "a key is ql_, 12 letters or digits, _ and 32 letters or digits");
    }
    sotto_span id = sotto_span_init(copy.id, sizeof(copy.id));
    err = store->kind->key_find(store, id, &there);
    if (err == SOTTO_OK) {
        err = compare(store, &there, &copy);
    } else if (err == SOTTO_ENOTFOUND) {
        err = store->kind->key_insert(store, &copy, false);
        if (err == SOTTO_EEXISTS) { /* another gateway adopted it in this moment */
            err = store->kind->key_find(store, id, &there);
            err = err == SOTTO_OK ? compare(store, &there, &copy) : err;
        }
    }
    sotto_wipe(&copy, sizeof(copy));
    sotto_wipe(&there, sizeof(there));
    return err;
}

/* The text of a key with a new secret. */
static enum sotto_err renew(const char id[SOTTO_KEY_ID_LEN], char text[SOTTO_KEY_TEXT_BYTES],
                            uint8_t hash[SOTTO_KEY_HASH_BYTES])
{
    struct sotto_key_text parts;
    enum sotto_err err = sotto_key_make(text);
    if (err == SOTTO_OK) {
        memcpy(text + 3, id, SOTTO_KEY_ID_LEN);
        text[SOTTO_KEY_TEXT_LEN] = '\0';
        err = sotto_key_parse(sotto_span_init(text, SOTTO_KEY_TEXT_LEN), &parts);
    }
    return err == SOTTO_OK ? sotto_key_hash(&parts, hash) : err;
}

/* Why nothing was changed: the key is not there, or revoked. */
static enum sotto_err explain_unchanged(struct sotto_store *store, sotto_span id)
{
    struct sotto_key key = {0};
    enum sotto_err err = store->kind->key_find(store, id, &key);
    sotto_wipe(&key, sizeof(key));
    return err != SOTTO_OK
               ? err
               : store_refuse(store, SOTTO_ESTATE, "the key is revoked: create a new one");
}

enum sotto_err sotto_store_key_rotate(struct sotto_store *store, sotto_span id, int64_t old_until_s,
                                      char text[SOTTO_KEY_TEXT_BYTES])
{
    char own[SOTTO_KEY_ID_LEN] = ""; /* the caller's id may lie in `text` */
    uint8_t hash[SOTTO_KEY_HASH_BYTES] = {0};
    memcpy(own, id.base, id.len < sizeof(own) ? id.len : sizeof(own));
    sotto_span kept = sotto_span_init(own, id.len < sizeof(own) ? id.len : sizeof(own));
    enum sotto_err err = renew(own, text, hash);
    if (err == SOTTO_OK) {
        err = store->kind->key_renew(store, kept, old_until_s, hash);
    } else {
        store_refuse(store, err, "the key cannot be made: %s", sotto_err_text(err));
    }
    if (err == SOTTO_ENOTFOUND) {
        err = explain_unchanged(store, kept);
    }
    if (err != SOTTO_OK) {
        sotto_wipe(text, SOTTO_KEY_TEXT_BYTES);
    }
    sotto_wipe(hash, sizeof(hash));
    return err;
}

enum sotto_err sotto_store_key_revoke(struct sotto_store *store, sotto_span id, int64_t now_s)
{
    enum sotto_err err = store->kind->key_revoke(store, id, now_s > 0 ? now_s : 1);
    if (err == SOTTO_ENOTFOUND) {
        err = explain_unchanged(store, id);
        err = err == SOTTO_ESTATE ? SOTTO_OK : err; /* it is revoked already */
    }
    return err;
}
