/* SPDX-License-Identifier: Apache-2.0 */

#include "store/sqlite.h"

/* In the order in which read_use() and add_row() count. */
#define USAGE_COLUMNS "requests, prompt_tokens, completion_tokens, estimated_tokens, cost"

/* The figures of a row, from column 1 on. */
static struct sotto_use read_use(sqlite3_stmt *stmt)
{
    return (struct sotto_use){
        .requests = sqlite_int(stmt, 1),
        .prompt_tokens = sqlite_int(stmt, 2),
        .completion_tokens = sqlite_int(stmt, 3),
        .estimated_tokens = sqlite_int(stmt, 4),
        .cost_nano = sqlite_int(stmt, 5),
    };
}

enum sotto_err sqlite_usage_each(struct sotto_store *store, int32_t month,
                                 sotto_store_each_use *each, void *ctx)
{
    struct store_sqlite *s = SQLITE_STORE(store);
    sqlite3_stmt *stmt;
    bool row = true;
    enum sotto_err err = sqlite_prepare(
        s, "SELECT key, " USAGE_COLUMNS " FROM usage WHERE month = ?1 ORDER BY key", &stmt);
    if (err == SOTTO_OK) {
        sqlite_bind_int(stmt, 1, month);
    }
    while (err == SOTTO_OK && (err = sqlite_step(s, stmt, &row)) == SOTTO_OK && row) {
        const struct sotto_use used = read_use(stmt);
        err = each(ctx, sqlite_text(stmt, 0), &used);
    }
    sqlite3_finalize(stmt);
    return err;
}

static enum sotto_err add_row(struct store_sqlite *s, sqlite3_stmt *stmt,
                              const struct store_use_row *row)
{
    bool more;
    sqlite_bind_text(stmt, 1, sotto_span_init(row->id, sizeof(row->id)));
    sqlite_bind_int(stmt, 2, row->month);
    sqlite_bind_int(stmt, 3, row->used.requests);
    sqlite_bind_int(stmt, 4, row->used.prompt_tokens);
    sqlite_bind_int(stmt, 5, row->used.completion_tokens);
    sqlite_bind_int(stmt, 6, row->used.estimated_tokens);
    sqlite_bind_int(stmt, 7, row->used.cost_nano);
    enum sotto_err err = sqlite_step(s, stmt, &more);
    (void)sqlite3_reset(stmt); /* repeats the error that the step gave */
    return err;
}

/* One transaction, and it is known whether it was committed: the batch's id is not needed. */
enum sotto_err sqlite_usage_add(struct sotto_store *store, const struct store_batch *batch)
{
    struct store_sqlite *s = SQLITE_STORE(store);
    sqlite3_stmt *stmt;
    enum sotto_err err = sqlite_run(s, "BEGIN IMMEDIATE");
    if (err != SOTTO_OK) {
        return err;
    }
    err = sqlite_prepare(s,
                         "INSERT INTO usage (key, month, " USAGE_COLUMNS ")"
                         " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"
                         " ON CONFLICT (key, month) DO UPDATE SET"
                         " requests = requests + excluded.requests,"
                         " prompt_tokens = prompt_tokens + excluded.prompt_tokens,"
                         " completion_tokens = completion_tokens + excluded.completion_tokens,"
                         " estimated_tokens = estimated_tokens + excluded.estimated_tokens,"
                         " cost = cost + excluded.cost",
                         &stmt);
    for (size_t i = 0; err == SOTTO_OK && i < batch->count; i++) {
        err = add_row(s, stmt, &batch->rows[i]);
    }
    sqlite3_finalize(stmt);
    return sqlite_end(s, err);
}
