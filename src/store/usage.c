/* SPDX-License-Identifier: Apache-2.0 */

#include "base/alloc.h"
#include "store/db.h"

/* In the order in which read_use() and save_one() count. */
#define USAGE_COLUMNS "requests, prompt_tokens, completion_tokens, estimated_tokens, cost"

/* The figures of a row, from column 1 on. */
static struct sotto_use read_use(sqlite3_stmt *stmt)
{
    return (struct sotto_use){
        .requests = store_int(stmt, 1),
        .prompt_tokens = store_int(stmt, 2),
        .completion_tokens = store_int(stmt, 3),
        .estimated_tokens = store_int(stmt, 4),
        .cost_nano = store_int(stmt, 5),
    };
}

enum sotto_err sotto_store_usage_each(struct sotto_store *store, int32_t month,
                                      sotto_store_each_use *each, void *ctx)
{
    sqlite3_stmt *stmt;
    bool row = true;
    enum sotto_err err = store_prepare(
        store, "SELECT key, " USAGE_COLUMNS " FROM usage WHERE month = ?1 ORDER BY key", &stmt);
    if (err == SOTTO_OK) {
        store_bind_int(stmt, 1, month);
    }
    while (err == SOTTO_OK && (err = store_step(store, stmt, &row)) == SOTTO_OK && row) {
        const struct sotto_use used = read_use(stmt);
        err = each(ctx, store_text(stmt, 0), &used);
    }
    sqlite3_finalize(stmt);
    return err;
}

/* Counters into which a month is read. */
struct usage_load {
    struct sotto_limits *limits;
    int32_t month;
};

static enum sotto_err load_one(void *ctx, sotto_span key, const struct sotto_use *used)
{
    const struct usage_load *load = ctx;
    struct sotto_usage *usage = NULL;
    enum sotto_err err = sotto_limits_usage(load->limits, key, &usage);
    if (err == SOTTO_OK) {
        sotto_usage_load(usage, load->month, used);
    }
    return err;
}

enum sotto_err sotto_store_usage_load(struct sotto_store *store, int32_t month,
                                      struct sotto_limits *limits)
{
    struct usage_load load = {limits, month};
    return sotto_store_usage_each(store, month, load_one, &load);
}

/* One row that a transaction wrote. */
struct usage_row {
    char id[SOTTO_KEY_ID_LEN];
    int32_t month;
    struct sotto_use used;
};

struct usage_save {
    struct sotto_store *store;
    sqlite3_stmt *stmt;
    struct usage_row *rows; /* what goes back to the counters if the commit fails */
    size_t count, cap;
};

static enum sotto_err make_room(struct usage_save *save)
{
    if (save->count == save->cap) {
        size_t cap = save->cap != 0 ? save->cap * 2 : 64;
        struct usage_row *rows = sotto_resize(save->rows, cap * sizeof(*rows));
        if (rows == NULL) {
            return SOTTO_ENOMEM;
        }
        save->rows = rows;
        save->cap = cap;
    }
    return SOTTO_OK;
}

static enum sotto_err save_one(void *ctx, sotto_span id, int32_t month,
                               const struct sotto_use *used)
{
    struct usage_save *save = ctx;
    bool row;
    enum sotto_err err = make_room(save);
    if (err == SOTTO_OK) {
        store_bind_text(save->stmt, 1, id);
        store_bind_int(save->stmt, 2, month);
        store_bind_int(save->stmt, 3, used->requests);
        store_bind_int(save->stmt, 4, used->prompt_tokens);
        store_bind_int(save->stmt, 5, used->completion_tokens);
        store_bind_int(save->stmt, 6, used->estimated_tokens);
        store_bind_int(save->stmt, 7, used->cost_nano);
        err = store_step(save->store, save->stmt, &row);
        (void)sqlite3_reset(save->stmt); /* repeats the error that the step gave */
    }
    if (err == SOTTO_OK) {
        struct usage_row *done = &save->rows[save->count++];
        memcpy(done->id, id.base, sizeof(done->id));
        done->month = month;
        done->used = *used;
    }
    return err;
}

enum sotto_err sotto_store_usage_save(struct sotto_store *store, struct sotto_limits *limits)
{
    struct usage_save save = {.store = store};
    enum sotto_err err = store_run(store, "BEGIN IMMEDIATE");
    if (err != SOTTO_OK) {
        return err;
    }
    err = store_prepare(store,
                        "INSERT INTO usage (key, month, " USAGE_COLUMNS ")"
                        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"
                        " ON CONFLICT (key, month) DO UPDATE SET"
                        " requests = requests + excluded.requests,"
                        " prompt_tokens = prompt_tokens + excluded.prompt_tokens,"
                        " completion_tokens = completion_tokens + excluded.completion_tokens,"
                        " estimated_tokens = estimated_tokens + excluded.estimated_tokens,"
                        " cost = cost + excluded.cost",
                        &save.stmt);
    if (err == SOTTO_OK) {
        err = sotto_limits_save(limits, save_one, &save);
    }
    sqlite3_finalize(save.stmt);
    err = store_end(store, err);
    for (size_t i = 0; err != SOTTO_OK && i < save.count; i++) {
        const struct usage_row *row = &save.rows[i];
        sotto_limits_unsave(limits, sotto_span_init(row->id, sizeof(row->id)), row->month,
                            &row->used);
    }
    sotto_free(save.rows);
    return err;
}
