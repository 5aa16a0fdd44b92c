/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_STORE_DB_H
#define SOTTO_STORE_DB_H

/* What the files of store/ share: the connection and statements with parameters. */

#include <sqlite3.h>

#include "store/store.h"
#include "sys/shared_counter.h"

struct sotto_store {
    sqlite3 *db;
    struct sotto_shared_counter *generation;
    char path[4096]; /* of the database, for sentences */
    char why[SOTTO_STORE_WHY_BYTES];
};

/** Notes why a call failed, from an SQLite result.  @return its error code */
enum sotto_err store_failed(struct sotto_store *store, int rc);

/** Runs SQL without parameters and results. */
SOTTO_MUST_CHECK enum sotto_err store_run(struct sotto_store *store, const char *sql);

/** Ends a transaction: commits where `err` is SOTTO_OK, else rolls back.  @return what counts */
SOTTO_MUST_CHECK enum sotto_err store_end(struct sotto_store *store, enum sotto_err err);

/** Prepares one statement; sqlite3_finalize() frees it, also where this failed. */
SOTTO_MUST_CHECK enum sotto_err store_prepare(struct sotto_store *store, const char *sql,
                                              sqlite3_stmt **stmt);

/** Binds parameter number `i` (from 1).  The bytes are borrowed until the statement is freed. */
void store_bind_text(sqlite3_stmt *stmt, int i, sotto_span text);
void store_bind_blob(sqlite3_stmt *stmt, int i, const void *bytes, size_t len);
void store_bind_int(sqlite3_stmt *stmt, int i, int64_t number);

/** Takes one step.  @param[out] row  whether there is a row */
SOTTO_MUST_CHECK enum sotto_err store_step(struct sotto_store *store, sqlite3_stmt *stmt,
                                           bool *row);

/** Column number `i` (from 0), valid until the next step. */
sotto_span store_text(sqlite3_stmt *stmt, int i);
int64_t store_int(sqlite3_stmt *stmt, int i);

#endif
