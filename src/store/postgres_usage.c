/* SPDX-License-Identifier: Apache-2.0 */

#include <inttypes.h>

#include "base/buf.h"
#include "store/postgres.h"

enum sotto_err postgres_usage_each(struct sotto_store *store, int32_t month,
                                   sotto_store_each_use *each, void *ctx)
{
    static const struct postgres_statement statement = {
        .name = "usage_each",
        .sql = "SELECT key, requests, prompt_tokens, completion_tokens, estimated_tokens, cost"
               " FROM sotto.usage WHERE month = $1 ORDER BY key",
        .types = {POSTGRES_INT8},
    };
    struct store_postgres *s = POSTGRES_STORE(store);
    struct postgres_values values = {.count = 0};
    PGresult *result = NULL;
    postgres_add_int(&values, month);
    enum sotto_err err = postgres_run(s->link, &statement, &values, &result);
    if (err != SOTTO_OK) {
        return postgres_result(s, err);
    }
    for (int row = 0; err == SOTTO_OK && row < PQntuples(result); row++) {
        const struct sotto_use used = {
            .requests = postgres_int(result, row, 1),
            .prompt_tokens = postgres_int(result, row, 2),
            .completion_tokens = postgres_int(result, row, 3),
            .estimated_tokens = postgres_int(result, row, 4),
            .cost_nano = postgres_int(result, row, 5),
        };
        err = each(ctx, postgres_bytes(result, row, 0), &used);
    }
    PQclear(result);
    return err;
}

/* The figures of a row as text, in the order of the statement's columns. */
static enum sotto_err write_row(struct sotto_buf *out, const struct store_use_row *row)
{
    return sotto_buf_printf(
        out, "%.12s %" PRId32 " %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 "\n",
        row->id, row->month, row->used.requests, row->used.prompt_tokens,
        row->used.completion_tokens, row->used.estimated_tokens, row->used.cost_nano);
}

/*
 * One statement, and so one transaction: the batch is noted and its rows are added, or neither.
 * Where it was noted before there is nothing to add.  Another connection that is about to note the
 * same batch is waited for.
 */
static const struct postgres_statement add_batch = {
    .name = "usage_add",
    .sql = "WITH fresh AS (INSERT INTO sotto.batch (id) VALUES ($1) ON CONFLICT (id) DO NOTHING"
           " RETURNING id),"
           " line AS (SELECT string_to_array(l, ' ') AS f"
           " FROM regexp_split_to_table($2, E'\\n') AS l WHERE l <> '')"
           " INSERT INTO sotto.usage AS u (key, month, requests, prompt_tokens, completion_tokens,"
           " estimated_tokens, cost)"
           " SELECT f[1], f[2]::bigint, f[3]::bigint, f[4]::bigint, f[5]::bigint, f[6]::bigint,"
           " f[7]::bigint FROM line, fresh ORDER BY 1, 2"
           " ON CONFLICT (key, month) DO UPDATE SET"
           " requests = u.requests + excluded.requests,"
           " prompt_tokens = u.prompt_tokens + excluded.prompt_tokens,"
           " completion_tokens = u.completion_tokens + excluded.completion_tokens,"
           " estimated_tokens = u.estimated_tokens + excluded.estimated_tokens,"
           " cost = u.cost + excluded.cost",
    .types = {POSTGRES_BYTEA, POSTGRES_TEXT},
};

enum sotto_err postgres_usage_add(struct sotto_store *store, const struct store_batch *batch)
{
    struct store_postgres *s = POSTGRES_STORE(store);
    struct postgres_values values = {.count = 0};
    struct sotto_buf rows;
    sotto_buf_init(&rows, SOTTO_BUF_UNBOUNDED);
    enum sotto_err err = SOTTO_OK;
    for (size_t i = 0; err == SOTTO_OK && i < batch->count; i++) {
        err = write_row(&rows, &batch->rows[i]);
    }
    if (err != SOTTO_OK) {
        store_refuse(store, err, "%s", sotto_err_text(err));
    } else {
        postgres_add_bytes(&values, batch->id, sizeof(batch->id));
        postgres_add_bytes(&values, rows.base, rows.len);
        err = postgres_result(s, postgres_run(s->link, &add_batch, &values, NULL));
    }
    sotto_buf_free(&rows);
    return err;
}
