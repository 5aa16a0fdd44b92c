/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_STORE_SQLITE_H
#define SOTTO_STORE_SQLITE_H

/* What the files about SQLite share: the connection and statements with parameters. */

#include <sqlite3.h>

#include "store/kind.h"
#include "sys/shared_counter.h"

struct store_sqlite {
    struct sotto_store store;
    sqlite3 *db;
    struct sotto_shared_counter *generation;
    char path[4096]; /* of the database, for sentences */
};

/* The common part comes first. */
#define SQLITE_STORE(of) ((struct store_sqlite *)(void *)(of))

/** Notes why a call failed, from an SQLite result.  @return its error code */
enum sotto_err sqlite_failed(struct store_sqlite *s, int rc);

/** Runs SQL without parameters and results. */
SOTTO_MUST_CHECK enum sotto_err sqlite_run(struct store_sqlite *s, const char *sql);

/** Ends a transaction: commits where `err` is SOTTO_OK, else rolls back.  @return what counts */
SOTTO_MUST_CHECK enum sotto_err sqlite_end(struct store_sqlite *s, enum sotto_err err);

/** Prepares one statement; sqlite3_finalize() frees it, also where this failed. */
SOTTO_MUST_CHECK enum sotto_err sqlite_prepare(struct store_sqlite *s, const char *sql,
                                               sqlite3_stmt **stmt);

/** Binds parameter number `i` (from 1).  The bytes are borrowed until the statement is freed. */
void sqlite_bind_text(sqlite3_stmt *stmt, int i, sotto_span text);
void sqlite_bind_blob(sqlite3_stmt *stmt, int i, const void *bytes, size_t len);
void sqlite_bind_int(sqlite3_stmt *stmt, int i, int64_t number);

/** Takes one step.  @param[out] row  whether there is a row */
SOTTO_MUST_CHECK enum sotto_err sqlite_step(struct store_sqlite *s, sqlite3_stmt *stmt, bool *row);

/** Column number `i` (from 0), valid until the next step. */
sotto_span sqlite_text(sqlite3_stmt *stmt, int i);
int64_t sqlite_int(sqlite3_stmt *stmt, int i);

/* What they do for the kind, as store/kind.h says. */
enum sotto_err sqlite_key_count(struct sotto_store *store, size_t *count);
enum sotto_err sqlite_key_each(struct sotto_store *store, sotto_store_each_key *each, void *ctx);
enum sotto_err sqlite_key_find(struct sotto_store *store, sotto_span id, struct sotto_key *key);
enum sotto_err sqlite_key_insert(struct sotto_store *store, const struct sotto_key *key,
                                 bool first);
enum sotto_err sqlite_key_renew(struct sotto_store *store, sotto_span id, int64_t old_until_s,
                                const uint8_t hash[SOTTO_KEY_HASH_BYTES]);
enum sotto_err sqlite_key_revoke(struct sotto_store *store, sotto_span id, int64_t now_s);
enum sotto_err sqlite_grace_set(struct sotto_store *store, int64_t grace_s);
enum sotto_err sqlite_grace(struct sotto_store *store, int64_t *grace_s);
enum sotto_err sqlite_usage_each(struct sotto_store *store, int32_t month,
                                 sotto_store_each_use *each, void *ctx);
enum sotto_err sqlite_usage_add(struct sotto_store *store, const struct store_batch *batch);

#endif
