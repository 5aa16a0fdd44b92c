/* SPDX-License-Identifier: Apache-2.0 */

#include "base/alloc.h"
#include "store/postgres.h"

/* In the order in which read_key() and add_key() count. */
#define KEYS_COLUMNS                                                                               \
    "id, hash, old_hash, old_until, created, expires, revoked, name, tenant, scopes, mode, style," \
    " anonymize, requests_per_minute, tokens_per_minute, monthly_requests, monthly_tokens,"        \
    " monthly_cost"
#define KEYS_PARAMETERS                                                                            \
    " $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18"

#define KEYS_TYPES                                                                                 \
    {                                                                                              \
        POSTGRES_TEXT, POSTGRES_BYTEA, POSTGRES_BYTEA, POSTGRES_INT8, POSTGRES_INT8,               \
            POSTGRES_INT8, POSTGRES_INT8, POSTGRES_TEXT, POSTGRES_TEXT, POSTGRES_TEXT,             \
            POSTGRES_TEXT, POSTGRES_TEXT, POSTGRES_INT8, POSTGRES_INT8, POSTGRES_INT8,             \
            POSTGRES_INT8, POSTGRES_INT8, POSTGRES_INT8                                            \
    }

static enum sotto_err read_key(struct store_postgres *s, const PGresult *result, int row,
                               struct sotto_key *key)
{
    sotto_span id = postgres_bytes(result, row, 0), hash = postgres_bytes(result, row, 1),
               old = postgres_bytes(result, row, 2);
    if (!sotto_key_id_valid(id) || hash.len != sizeof(key->hash) ||
        old.len != sizeof(key->old_hash)) {
        return store_refuse(&s->store, SOTTO_EIO,
                            "PostgreSQL: a row of sotto.keys is no key: remove it");
    }
    *key = (struct sotto_key){
        .old_until_s = postgres_int(result, row, 3),
        .created_s = postgres_int(result, row, 4),
        .expires_s = postgres_int(result, row, 5),
        .revoked_s = postgres_int(result, row, 6),
        .name = postgres_bytes(result, row, 7),
        .tenant = postgres_bytes(result, row, 8),
        .scopes = postgres_bytes(result, row, 9),
        .mode = postgres_bytes(result, row, 10),
        .style = postgres_bytes(result, row, 11),
        .anonymize = postgres_int(result, row, 12) != 0,
        .quota = {(uint64_t)postgres_int(result, row, 13), (uint64_t)postgres_int(result, row, 14),
                  (uint64_t)postgres_int(result, row, 15), (uint64_t)postgres_int(result, row, 16),
                  (uint64_t)postgres_int(result, row, 17)},
    };
    memcpy(key->id, id.base, sizeof(key->id));
    memcpy(key->hash, hash.base, sizeof(key->hash));
    memcpy(key->old_hash, old.base, sizeof(key->old_hash));
    return SOTTO_OK;
}

static void add_text(struct postgres_values *values, sotto_span text)
{
    postgres_add_bytes(values, text.base, text.len);
}

static void add_key(struct postgres_values *values, const struct sotto_key *key)
{
    sotto_span id = sotto_span_init(key->id, sizeof(key->id));
    add_text(values, id);
    postgres_add_bytes(values, key->hash, sizeof(key->hash));
    postgres_add_bytes(values, key->old_hash, sizeof(key->old_hash));
    postgres_add_int(values, key->old_until_s);
    postgres_add_int(values, key->created_s);
    postgres_add_int(values, key->expires_s);
    postgres_add_int(values, key->revoked_s);
    add_text(values, key->name);
    add_text(values, key->tenant.len != 0 ? key->tenant : id);
    add_text(values, key->scopes);
    add_text(values, key->mode);
    add_text(values, key->style);
    postgres_add_int(values, key->anonymize ? 1 : 0);
    postgres_add_int(values, (int64_t)key->quota.requests_per_minute);
    postgres_add_int(values, (int64_t)key->quota.tokens_per_minute);
    postgres_add_int(values, (int64_t)key->quota.monthly_requests);
    postgres_add_int(values, (int64_t)key->quota.monthly_tokens);
    postgres_add_int(values, (int64_t)key->quota.monthly_cost_nano);
}

/* --- reading --------------------------------------------------------------------------------- */

enum sotto_err postgres_key_count(struct sotto_store *store, size_t *count)
{
    static const struct postgres_statement statement = {.name = "key_count",
                                                        .sql = "SELECT count(*) FROM sotto.keys"};
    struct store_postgres *s = POSTGRES_STORE(store);
    PGresult *result = NULL;
    enum sotto_err err = postgres_run(s->link, &statement, NULL, &result);
    if (err == SOTTO_OK) {
        *count = (size_t)postgres_int(result, 0, 0);
        PQclear(result);
    }
    return postgres_result(s, err);
}

enum sotto_err postgres_key_each(struct sotto_store *store, sotto_store_each_key *each, void *ctx)
{
    static const struct postgres_statement statement = {
        .name = "key_each",
        .sql = "SELECT " KEYS_COLUMNS " FROM sotto.keys ORDER BY created, number",
    };
    struct store_postgres *s = POSTGRES_STORE(store);
    PGresult *result = NULL;
    enum sotto_err err = postgres_run(s->link, &statement, NULL, &result);
    if (err != SOTTO_OK) {
        return postgres_result(s, err);
    }
    for (int row = 0; err == SOTTO_OK && row < PQntuples(result); row++) {
        struct sotto_key key = {0};
        err = read_key(s, result, row, &key);
        if (err == SOTTO_OK) {
            err = each(ctx, &key);
        }
        sotto_wipe(&key, sizeof(key));
    }
    PQclear(result);
    return err;
}

enum sotto_err postgres_key_find(struct sotto_store *store, sotto_span id, struct sotto_key *key)
{
    static const struct postgres_statement statement = {
        .name = "key_find",
        .sql = "SELECT " KEYS_COLUMNS " FROM sotto.keys WHERE id = $1",
        .types = {POSTGRES_TEXT},
    };
    struct store_postgres *s = POSTGRES_STORE(store);
    struct postgres_values values = {.count = 0};
    PGresult *result = NULL;
    add_text(&values, id);
    enum sotto_err err = postgres_run(s->link, &statement, &values, &result);
    if (err != SOTTO_OK) {
        return postgres_result(s, err);
    }
    if (PQntuples(result) == 0) {
        err = store_refuse(store, SOTTO_ENOTFOUND, "there is no key with this id");
    } else {
        err = read_key(s, result, 0, key);
        key->name = key->tenant = key->scopes = key->mode = key->style = (sotto_span){NULL, 0};
    }
    PQclear(result);
    return err;
}

/* --- changing -------------------------------------------------------------------------------- */

/* Runs what changes one key.  @retval SOTTO_ENOTFOUND  it changed none */
static enum sotto_err change(struct store_postgres *s, const struct postgres_statement *statement,
                             const struct postgres_values *values)
{
    PGresult *result = NULL;
    enum sotto_err err = postgres_run(s->link, statement, values, &result);
    if (err == SOTTO_OK) {
        err = strcmp(PQcmdTuples(result), "0") == 0 ? SOTTO_ENOTFOUND : SOTTO_OK;
        PQclear(result);
        return err;
    }
    return postgres_result(s, err);
}

/* Of gateways that start at once with no key, one makes the first. */
static enum sotto_err insert_first(struct store_postgres *s, const struct postgres_values *values)
{
    static const struct postgres_statement statement = {
        .name = "key_first",
        .sql = "INSERT INTO sotto.keys (" KEYS_COLUMNS ") SELECT" KEYS_PARAMETERS
               " WHERE NOT EXISTS (SELECT 1 FROM sotto.keys)",
        .types = KEYS_TYPES,
        .once = true,
    };
    enum sotto_err err = postgres_begin(s->link);
    if (err != SOTTO_OK) {
        return postgres_result(s, err);
    }
    err = change(s, &statement, values);
    enum sotto_err ended = postgres_end(s->link, err);
    return err == ended ? err : postgres_result(s, ended);
}

enum sotto_err postgres_key_insert(struct sotto_store *store, const struct sotto_key *key,
                                   bool first)
{
    static const struct postgres_statement statement = {
        .name = "key_insert",
        .sql = "INSERT INTO sotto.keys (" KEYS_COLUMNS ") SELECT" KEYS_PARAMETERS
               " ON CONFLICT (id) DO NOTHING",
        .types = KEYS_TYPES,
        .once = true,
    };
    struct store_postgres *s = POSTGRES_STORE(store);
    struct postgres_values values = {.count = 0};
    add_key(&values, key);
    enum sotto_err err = first ? insert_first(s, &values) : change(s, &statement, &values);
    if (err == SOTTO_ENOTFOUND) {
        return store_refuse(store, SOTTO_EEXISTS,
                            first ? "there are keys already" : "there is a key with this id");
    }
    postgres_watch_bump(s->watch);
    return err;
}

enum sotto_err postgres_key_renew(struct sotto_store *store, sotto_span id, int64_t old_until_s,
                                  const uint8_t hash[SOTTO_KEY_HASH_BYTES])
{
    static const struct postgres_statement statement = {
        .name = "key_renew",
        .sql = "UPDATE sotto.keys SET old_hash = hash, old_until = $2, hash = $3"
               " WHERE id = $1 AND revoked = 0",
        .types = {POSTGRES_TEXT, POSTGRES_INT8, POSTGRES_BYTEA},
        .once = true,
    };
    struct store_postgres *s = POSTGRES_STORE(store);
    struct postgres_values values = {.count = 0};
    add_text(&values, id);
    postgres_add_int(&values, old_until_s);
    postgres_add_bytes(&values, hash, SOTTO_KEY_HASH_BYTES);
    enum sotto_err err = change(s, &statement, &values);
    postgres_watch_bump(s->watch); /* also where nobody knows whether it was done */
    return err;
}

enum sotto_err postgres_key_revoke(struct sotto_store *store, sotto_span id, int64_t now_s)
{
    static const struct postgres_statement statement = {
        .name = "key_revoke",
        .sql = "UPDATE sotto.keys SET revoked = $2 WHERE id = $1 AND revoked = 0",
        .types = {POSTGRES_TEXT, POSTGRES_INT8},
    };
    struct store_postgres *s = POSTGRES_STORE(store);
    struct postgres_values values = {.count = 0};
    add_text(&values, id);
    postgres_add_int(&values, now_s);
    enum sotto_err err = change(s, &statement, &values);
    postgres_watch_bump(s->watch);
    return err;
}

/* --- the grace of rotations ------------------------------------------------------------------ */

enum sotto_err postgres_grace_set(struct sotto_store *store, int64_t grace_s)
{
    static const struct postgres_statement statement = {
        .name = "grace_set",
        .sql = "UPDATE sotto.fleet SET grace = $1",
        .types = {POSTGRES_INT8},
    };
    struct store_postgres *s = POSTGRES_STORE(store);
    struct postgres_values values = {.count = 0};
    postgres_add_int(&values, grace_s);
    return postgres_result(s, postgres_run(s->link, &statement, &values, NULL));
}

enum sotto_err postgres_grace(struct sotto_store *store, int64_t *grace_s)
{
    static const struct postgres_statement statement = {
        .name = "grace",
        .sql = "SELECT grace FROM sotto.fleet WHERE grace IS NOT NULL",
    };
    struct store_postgres *s = POSTGRES_STORE(store);
    PGresult *result = NULL;
    enum sotto_err err = postgres_run(s->link, &statement, NULL, &result);
    if (err == SOTTO_OK) {
        *grace_s = PQntuples(result) != 0 ? postgres_int(result, 0, 0) : *grace_s;
        PQclear(result);
    }
    return postgres_result(s, err);
}
