/* SPDX-License-Identifier: Apache-2.0 */

#include <stdio.h>

#include "base/alloc.h"
#include "base/arena.h"
#include "base/ct.h"
#include "store/db.h"

/* In the order in which read_key() and bind_key() count. */
#define KEYS_COLUMNS                                                                               \
    "id, hash, old_hash, old_until, created, expires, revoked, name, tenant, scopes, mode, style," \
    " anonymize, requests_per_minute, tokens_per_minute, monthly_requests, monthly_tokens,"        \
    " monthly_cost"

/* Tells running gateways.  Last of all: who reads after this reads the change. */
static enum sotto_err announce(struct sotto_store *store, enum sotto_err err)
{
    if (err == SOTTO_OK) {
        sotto_shared_counter_bump(store->generation);
    }
    return err;
}

static enum sotto_err read_key(struct sotto_store *store, sqlite3_stmt *stmt, struct sotto_key *key)
{
    sotto_span id = store_text(stmt, 0), hash = store_text(stmt, 1), old = store_text(stmt, 2);
    if (!sotto_key_id_valid(id) || hash.len != sizeof(key->hash) ||
        old.len != sizeof(key->old_hash)) {
        return store_failed(store, SQLITE_CORRUPT);
    }
    *key = (struct sotto_key){
        .old_until_s = store_int(stmt, 3),
        .created_s = store_int(stmt, 4),
        .expires_s = store_int(stmt, 5),
        .revoked_s = store_int(stmt, 6),
        .name = store_text(stmt, 7),
        .tenant = store_text(stmt, 8),
        .scopes = store_text(stmt, 9),
        .mode = store_text(stmt, 10),
        .style = store_text(stmt, 11),
        .anonymize = store_int(stmt, 12) != 0,
        .quota = {(uint64_t)store_int(stmt, 13), (uint64_t)store_int(stmt, 14),
                  (uint64_t)store_int(stmt, 15), (uint64_t)store_int(stmt, 16),
                  (uint64_t)store_int(stmt, 17)},
    };
    memcpy(key->id, id.base, sizeof(key->id));
    memcpy(key->hash, hash.base, sizeof(key->hash));
    memcpy(key->old_hash, old.base, sizeof(key->old_hash));
    return SOTTO_OK;
}

static void bind_key(sqlite3_stmt *stmt, const struct sotto_key *key)
{
    sotto_span id = sotto_span_init(key->id, sizeof(key->id));
    store_bind_text(stmt, 1, id);
    store_bind_blob(stmt, 2, key->hash, sizeof(key->hash));
    store_bind_blob(stmt, 3, key->old_hash, sizeof(key->old_hash));
    store_bind_int(stmt, 4, key->old_until_s);
    store_bind_int(stmt, 5, key->created_s);
    store_bind_int(stmt, 6, key->expires_s);
    store_bind_int(stmt, 7, key->revoked_s);
    store_bind_text(stmt, 8, key->name);
    store_bind_text(stmt, 9, key->tenant.len != 0 ? key->tenant : id);
    store_bind_text(stmt, 10, key->scopes);
    store_bind_text(stmt, 11, key->mode);
    store_bind_text(stmt, 12, key->style);
    store_bind_int(stmt, 13, key->anonymize ? 1 : 0);
    store_bind_int(stmt, 14, (int64_t)key->quota.requests_per_minute);
    store_bind_int(stmt, 15, (int64_t)key->quota.tokens_per_minute);
    store_bind_int(stmt, 16, (int64_t)key->quota.monthly_requests);
    store_bind_int(stmt, 17, (int64_t)key->quota.monthly_tokens);
    store_bind_int(stmt, 18, (int64_t)key->quota.monthly_cost_nano);
}

/* --- reading --------------------------------------------------------------------------------- */

enum sotto_err sotto_store_key_count(struct sotto_store *store, size_t *count)
{
    sqlite3_stmt *stmt;
    bool row = false;
    enum sotto_err err = store_prepare(store, "SELECT count(*) FROM keys", &stmt);
    if (err == SOTTO_OK) {
        err = store_step(store, stmt, &row);
    }
    if (err == SOTTO_OK) {
        *count = (size_t)store_int(stmt, 0);
    }
    sqlite3_finalize(stmt);
    return err;
}

enum sotto_err sotto_store_key_each(struct sotto_store *store, sotto_store_each_key *each,
                                    void *ctx)
{
    sqlite3_stmt *stmt;
    bool row = true;
    enum sotto_err err =
        store_prepare(store, "SELECT " KEYS_COLUMNS " FROM keys ORDER BY created, rowid", &stmt);
    while (err == SOTTO_OK && (err = store_step(store, stmt, &row)) == SOTTO_OK && row) {
        struct sotto_key key = {0};
        err = read_key(store, stmt, &key);
        if (err == SOTTO_OK) {
            err = each(ctx, &key);
        }
        sotto_wipe(&key, sizeof(key));
    }
    sqlite3_finalize(stmt);
    return err;
}

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

/* Reads one key without its strings.  @retval SOTTO_ENOTFOUND */
static enum sotto_err find_key(struct sotto_store *store, sotto_span id, struct sotto_key *key)
{
    sqlite3_stmt *stmt;
    bool row = false;
    enum sotto_err err =
        store_prepare(store, "SELECT " KEYS_COLUMNS " FROM keys WHERE id = ?1", &stmt);
    if (err == SOTTO_OK) {
        store_bind_text(stmt, 1, id);
        err = store_step(store, stmt, &row);
    }
    if (err == SOTTO_OK && row) {
        err = read_key(store, stmt, key);
        key->name = key->tenant = key->scopes = key->mode = key->style = (sotto_span){NULL, 0};
    } else if (err == SOTTO_OK) {
        snprintf(store->why, sizeof(store->why), "there is no key with this id");
        err = SOTTO_ENOTFOUND;
    }
    sqlite3_finalize(stmt);
    return err;
}

/* --- changing -------------------------------------------------------------------------------- */

static enum sotto_err insert(struct sotto_store *store, const struct sotto_key *key)
{
    sqlite3_stmt *stmt;
    bool row;
    enum sotto_err err = store_prepare(store,
                                       "INSERT INTO keys (" KEYS_COLUMNS ") VALUES"
                                       " (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13,"
                                       " ?14, ?15, ?16, ?17, ?18)",
                                       &stmt);
    if (err == SOTTO_OK) {
        bind_key(stmt, key);
        err = store_step(store, stmt, &row);
    }
    sqlite3_finalize(stmt);
    return announce(store, err);
}

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

enum sotto_err sotto_store_key_create(struct sotto_store *store, const struct sotto_key *key,
                                      char text[SOTTO_KEY_TEXT_BYTES])
{
    struct sotto_key copy = *key;
    text[SOTTO_KEY_TEXT_LEN] = '\0';
    enum sotto_err err = sotto_key_make(text);
    if (err == SOTTO_OK) {
        err = identify(&copy, sotto_span_init(text, SOTTO_KEY_TEXT_LEN));
    }
    if (err == SOTTO_OK) {
        err = insert(store, &copy);
    } else {
        snprintf(store->why, sizeof(store->why), "the key cannot be made: %s", sotto_err_text(err));
    }
    if (err != SOTTO_OK) {
        sotto_wipe(text, SOTTO_KEY_TEXT_BYTES);
    }
    sotto_wipe(&copy, sizeof(copy));
    return err;
}

enum sotto_err sotto_store_key_adopt(struct sotto_store *store, const struct sotto_key *key,
                                     sotto_span text)
{
    struct sotto_key copy = *key, there = {0};
    enum sotto_err err = identify(&copy, text);
    if (err != SOTTO_OK) {
        snprintf(store->why, sizeof(store->why),
                 "a key is ql_, 12 letters or digits, _ and 32 letters or digits");
        return err;
    }
    err = find_key(store, sotto_span_init(copy.id, sizeof(copy.id)), &there);
    if (err == SOTTO_ENOTFOUND) {
        err = insert(store, &copy);
    } else if (err == SOTTO_OK && (there.revoked_s != 0 ||
                                   !sotto_ct_equal(there.hash, copy.hash, sizeof(copy.hash)))) {
        snprintf(store->why, sizeof(store->why), "key %.12s %s", there.id,
                 there.revoked_s != 0 ? "is revoked" : "has another secret");
        err = SOTTO_EEXISTS;
    }
    sotto_wipe(&copy, sizeof(copy));
    sotto_wipe(&there, sizeof(there));
    return err;
}

/* The text of a key with a new secret.  The caller's id may lie in `text`: it is not used here. */
static enum sotto_err renew(const struct sotto_key *key, char text[SOTTO_KEY_TEXT_BYTES],
                            uint8_t hash[SOTTO_KEY_HASH_BYTES])
{
    struct sotto_key_text parts;
    enum sotto_err err = sotto_key_make(text);
    if (err == SOTTO_OK) {
        memcpy(text + 3, key->id, SOTTO_KEY_ID_LEN);
        text[SOTTO_KEY_TEXT_LEN] = '\0';
        err = sotto_key_parse(sotto_span_init(text, SOTTO_KEY_TEXT_LEN), &parts);
    }
    return err == SOTTO_OK ? sotto_key_hash(&parts, hash) : err;
}

static enum sotto_err update_secret(struct sotto_store *store, const struct sotto_key *key,
                                    int64_t old_until_s, const uint8_t hash[SOTTO_KEY_HASH_BYTES])
{
    sqlite3_stmt *stmt;
    bool row;
    enum sotto_err err = store_prepare(
        store, "UPDATE keys SET old_hash = hash, old_until = ?2, hash = ?3 WHERE id = ?1", &stmt);
    if (err == SOTTO_OK) {
        store_bind_text(stmt, 1, sotto_span_init(key->id, sizeof(key->id)));
        store_bind_int(stmt, 2, old_until_s);
        store_bind_blob(stmt, 3, hash, SOTTO_KEY_HASH_BYTES);
        err = store_step(store, stmt, &row);
    }
    sqlite3_finalize(stmt);
    return err;
}

enum sotto_err sotto_store_key_rotate(struct sotto_store *store, sotto_span id, int64_t old_until_s,
                                      char text[SOTTO_KEY_TEXT_BYTES])
{
    struct sotto_key key = {0};
    uint8_t hash[SOTTO_KEY_HASH_BYTES];
    enum sotto_err err = store_run(store, "BEGIN IMMEDIATE");
    if (err != SOTTO_OK) {
        return err;
    }
    err = find_key(store, id, &key);
    if (err == SOTTO_OK && key.revoked_s != 0) {
        snprintf(store->why, sizeof(store->why), "the key is revoked: create a new one");
        err = SOTTO_ESTATE;
    }
    if (err == SOTTO_OK) {
        err = renew(&key, text, hash);
    }
    if (err == SOTTO_OK) {
        err = update_secret(store, &key, old_until_s, hash);
    }
    err = announce(store, store_end(store, err));
    if (err != SOTTO_OK) {
        sotto_wipe(text, SOTTO_KEY_TEXT_BYTES);
    }
    sotto_wipe(&key, sizeof(key));
    sotto_wipe(hash, sizeof(hash));
    return err;
}

void sotto_store_keys_touch(struct sotto_store *store)
{
    sotto_shared_counter_bump(store->generation);
}

enum sotto_err sotto_store_grace_set(struct sotto_store *store, int64_t grace_s)
{
    int64_t there = -1;
    sqlite3_stmt *stmt;
    bool row;
    enum sotto_err err = sotto_store_grace(store, &there);
    if (err != SOTTO_OK || there == grace_s) {
        return err; /* a start that changes nothing writes nothing */
    }
    err = store_prepare(store, "INSERT OR REPLACE INTO setting VALUES ('grace', ?1)", &stmt);
    if (err == SOTTO_OK) {
        store_bind_int(stmt, 1, grace_s);
        err = store_step(store, stmt, &row);
    }
    sqlite3_finalize(stmt);
    return err;
}

enum sotto_err sotto_store_grace(struct sotto_store *store, int64_t *grace_s)
{
    sqlite3_stmt *stmt;
    bool row = false;
    enum sotto_err err =
        store_prepare(store, "SELECT value FROM setting WHERE name = 'grace'", &stmt);
    if (err == SOTTO_OK) {
        err = store_step(store, stmt, &row);
    }
    if (err == SOTTO_OK) {
        *grace_s = row ? store_int(stmt, 0) : SOTTO_STORE_GRACE_S;
    }
    sqlite3_finalize(stmt);
    return err;
}

enum sotto_err sotto_store_key_revoke(struct sotto_store *store, sotto_span id, int64_t now_s)
{
    sqlite3_stmt *stmt;
    struct sotto_key key = {0};
    bool row;
    enum sotto_err err = find_key(store, id, &key);
    if (err != SOTTO_OK) {
        return err;
    }
    err = store_prepare(store, "UPDATE keys SET revoked = ?2 WHERE id = ?1 AND revoked = 0", &stmt);
    if (err == SOTTO_OK) {
        store_bind_text(stmt, 1, id);
        store_bind_int(stmt, 2, now_s > 0 ? now_s : 1);
        err = store_step(store, stmt, &row);
    }
    sqlite3_finalize(stmt);
    sotto_wipe(&key, sizeof(key));
    return announce(store, err);
}
