/* SPDX-License-Identifier: Apache-2.0 */

#include "base/alloc.h"
#include "store/sqlite.h"

/* In the order in which read_key() and bind_key() count. */
#define KEYS_COLUMNS                                                                               \
    "id, hash, old_hash, old_until, created, expires, revoked, name, tenant, scopes, mode, style," \
    " anonymize, requests_per_minute, tokens_per_minute, monthly_requests, monthly_tokens,"        \
    " monthly_cost"
#define KEYS_PARAMETERS                                                                            \
    " ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18"

static enum sotto_err read_key(struct store_sqlite *s, sqlite3_stmt *stmt, struct sotto_key *key)
{
    sotto_span id = sqlite_text(stmt, 0), hash = sqlite_text(stmt, 1), old = sqlite_text(stmt, 2);
    if (!sotto_key_id_valid(id) || hash.len != sizeof(key->hash) ||
        old.len != sizeof(key->old_hash)) {
        return sqlite_failed(s, SQLITE_CORRUPT);
    }
    *key = (struct sotto_key){
        .old_until_s = sqlite_int(stmt, 3),
        .created_s = sqlite_int(stmt, 4),
        .expires_s = sqlite_int(stmt, 5),
        .revoked_s = sqlite_int(stmt, 6),
        .name = sqlite_text(stmt, 7),
        .tenant = sqlite_text(stmt, 8),
        .scopes = sqlite_text(stmt, 9),
        .mode = sqlite_text(stmt, 10),
        .style = sqlite_text(stmt, 11),
        .anonymize = sqlite_int(stmt, 12) != 0,
        .quota = {(uint64_t)sqlite_int(stmt, 13), (uint64_t)sqlite_int(stmt, 14),
                  (uint64_t)sqlite_int(stmt, 15), (uint64_t)sqlite_int(stmt, 16),
                  (uint64_t)sqlite_int(stmt, 17)},
    };
    memcpy(key->id, id.base, sizeof(key->id));
    memcpy(key->hash, hash.base, sizeof(key->hash));
    memcpy(key->old_hash, old.base, sizeof(key->old_hash));
    return SOTTO_OK;
}

static void bind_key(sqlite3_stmt *stmt, const struct sotto_key *key)
{
    sotto_span id = sotto_span_init(key->id, sizeof(key->id));
    sqlite_bind_text(stmt, 1, id);
    sqlite_bind_blob(stmt, 2, key->hash, sizeof(key->hash));
    sqlite_bind_blob(stmt, 3, key->old_hash, sizeof(key->old_hash));
    sqlite_bind_int(stmt, 4, key->old_until_s);
    sqlite_bind_int(stmt, 5, key->created_s);
    sqlite_bind_int(stmt, 6, key->expires_s);
    sqlite_bind_int(stmt, 7, key->revoked_s);
    sqlite_bind_text(stmt, 8, key->name);
    sqlite_bind_text(stmt, 9, key->tenant.len != 0 ? key->tenant : id);
    sqlite_bind_text(stmt, 10, key->scopes);
    sqlite_bind_text(stmt, 11, key->mode);
    sqlite_bind_text(stmt, 12, key->style);
    sqlite_bind_int(stmt, 13, key->anonymize ? 1 : 0);
    sqlite_bind_int(stmt, 14, (int64_t)key->quota.requests_per_minute);
    sqlite_bind_int(stmt, 15, (int64_t)key->quota.tokens_per_minute);
    sqlite_bind_int(stmt, 16, (int64_t)key->quota.monthly_requests);
    sqlite_bind_int(stmt, 17, (int64_t)key->quota.monthly_tokens);
    sqlite_bind_int(stmt, 18, (int64_t)key->quota.monthly_cost_nano);
}

/* --- reading --------------------------------------------------------------------------------- */

/* The number that a statement without parameters gives. */
static enum sotto_err read_number(struct store_sqlite *s, const char *sql, int64_t *number)
{
    sqlite3_stmt *stmt;
    bool row = false;
    enum sotto_err err = sqlite_prepare(s, sql, &stmt);
    if (err == SOTTO_OK) {
        err = sqlite_step(s, stmt, &row);
    }
    if (err == SOTTO_OK && row) {
        *number = sqlite_int(stmt, 0);
    }
    sqlite3_finalize(stmt);
    return err;
}

enum sotto_err sqlite_key_count(struct sotto_store *store, size_t *count)
{
    int64_t found = 0;
    enum sotto_err err = read_number(SQLITE_STORE(store), "SELECT count(*) FROM keys", &found);
    if (err == SOTTO_OK) {
        *count = (size_t)found;
    }
    return err;
}

enum sotto_err sqlite_key_each(struct sotto_store *store, sotto_store_each_key *each, void *ctx)
{
    struct store_sqlite *s = SQLITE_STORE(store);
    sqlite3_stmt *stmt;
    bool row = true;
    enum sotto_err err =
        sqlite_prepare(s, "SELECT " KEYS_COLUMNS " FROM keys ORDER BY created, rowid", &stmt);
    while (err == SOTTO_OK && (err = sqlite_step(s, stmt, &row)) == SOTTO_OK && row) {
        struct sotto_key key = {0};
        err = read_key(s, stmt, &key);
        if (err == SOTTO_OK) {
            err = each(ctx, &key);
        }
        sotto_wipe(&key, sizeof(key));
    }
    sqlite3_finalize(stmt);
    return err;
}

enum sotto_err sqlite_key_find(struct sotto_store *store, sotto_span id, struct sotto_key *key)
{
    struct store_sqlite *s = SQLITE_STORE(store);
    sqlite3_stmt *stmt;
    bool row = false;
    enum sotto_err err =
        sqlite_prepare(s, "SELECT " KEYS_COLUMNS " FROM keys WHERE id = ?1", &stmt);
    if (err == SOTTO_OK) {
        sqlite_bind_text(stmt, 1, id);
        err = sqlite_step(s, stmt, &row);
    }
    if (err == SOTTO_OK && row) {
        err = read_key(s, stmt, key);
        key->name = key->tenant = key->scopes = key->mode = key->style = (sotto_span){NULL, 0};
    } else if (err == SOTTO_OK) {
        err = store_refuse(store, SOTTO_ENOTFOUND, "there is no key with this id");
    }
    sqlite3_finalize(stmt);
    return err;
}

/* --- changing -------------------------------------------------------------------------------- */

/* Runs a statement that changes one key, and frees it.  @retval SOTTO_ENOTFOUND  it changed none */
static enum sotto_err change(struct store_sqlite *s, sqlite3_stmt *stmt)
{
    bool row;
    enum sotto_err err = sqlite_step(s, stmt, &row);
    if (err == SOTTO_OK && sqlite3_changes(s->db) == 0) {
        err = SOTTO_ENOTFOUND;
    }
    sqlite3_finalize(stmt);
    if (err == SOTTO_OK) { /* last of all: who reads after this reads the change */
        sotto_shared_counter_bump(s->generation);
    }
    return err;
}

enum sotto_err sqlite_key_insert(struct sotto_store *store, const struct sotto_key *key, bool first)
{
    struct store_sqlite *s = SQLITE_STORE(store);
    sqlite3_stmt *stmt;
    /* One statement, so that no other process comes between the look and the writing. */
    const char *sql = first ? "INSERT INTO keys (" KEYS_COLUMNS ") SELECT" KEYS_PARAMETERS
                              " WHERE NOT EXISTS (SELECT 1 FROM keys)"
                            : "INSERT INTO keys (" KEYS_COLUMNS ") SELECT" KEYS_PARAMETERS
                              " WHERE NOT EXISTS (SELECT 1 FROM keys WHERE id = ?1)";
    enum sotto_err err = sqlite_prepare(s, sql, &stmt);
    if (err != SOTTO_OK) {
        return err;
    }
    bind_key(stmt, key);
    err = change(s, stmt);
    return err == SOTTO_ENOTFOUND
               ? store_refuse(store, SOTTO_EEXISTS,
                              first ? "there are keys already" : "there is a key with this id")
               : err;
}

enum sotto_err sqlite_key_renew(struct sotto_store *store, sotto_span id, int64_t old_until_s,
                                const uint8_t hash[SOTTO_KEY_HASH_BYTES])
{
    struct store_sqlite *s = SQLITE_STORE(store);
    sqlite3_stmt *stmt;
    enum sotto_err err = sqlite_prepare(s,
                                        "UPDATE keys SET old_hash = hash, old_until = ?2, hash = ?3"
                                        " WHERE id = ?1 AND revoked = 0",
                                        &stmt);
    if (err != SOTTO_OK) {
        return err;
    }
    sqlite_bind_text(stmt, 1, id);
    sqlite_bind_int(stmt, 2, old_until_s);
    sqlite_bind_blob(stmt, 3, hash, SOTTO_KEY_HASH_BYTES);
    return change(s, stmt);
}

enum sotto_err sqlite_key_revoke(struct sotto_store *store, sotto_span id, int64_t now_s)
{
    struct store_sqlite *s = SQLITE_STORE(store);
    sqlite3_stmt *stmt;
    enum sotto_err err =
        sqlite_prepare(s, "UPDATE keys SET revoked = ?2 WHERE id = ?1 AND revoked = 0", &stmt);
    if (err != SOTTO_OK) {
        return err;
    }
    sqlite_bind_text(stmt, 1, id);
    sqlite_bind_int(stmt, 2, now_s);
    return change(s, stmt);
}

enum sotto_err sqlite_grace_set(struct sotto_store *store, int64_t grace_s)
{
    struct store_sqlite *s = SQLITE_STORE(store);
    sqlite3_stmt *stmt;
    bool row;
    enum sotto_err err =
        sqlite_prepare(s, "INSERT OR REPLACE INTO setting VALUES ('grace', ?1)", &stmt);
    if (err == SOTTO_OK) {
        sqlite_bind_int(stmt, 1, grace_s);
        err = sqlite_step(s, stmt, &row);
    }
    sqlite3_finalize(stmt);
    return err;
}

enum sotto_err sqlite_grace(struct sotto_store *store, int64_t *grace_s)
{
    return read_number(SQLITE_STORE(store), "SELECT value FROM setting WHERE name = 'grace'",
                       grace_s);
}
