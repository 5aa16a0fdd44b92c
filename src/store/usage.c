/* SPDX-License-Identifier: Apache-2.0 */

#include "base/alloc.h"
#include "store/db.h"

enum sotto_err sotto_store_usage_load(struct sotto_store *store, int32_t month,
                                      struct sotto_limits *limits)
{
    sqlite3_stmt *stmt;
    bool row = true;
    enum sotto_err err =
        store_prepare(store, "SELECT key, requests FROM usage WHERE month = ?1", &stmt);
    if (err == SOTTO_OK) {
        store_bind_int(stmt, 1, month);
    }
    while (err == SOTTO_OK && (err = store_step(store, stmt, &row)) == SOTTO_OK && row) {
        struct sotto_usage *usage = NULL;
        int64_t requests = store_int(stmt, 1);
        err = sotto_limits_usage(limits, store_text(stmt, 0), &usage);
        if (err == SOTTO_OK && requests > 0) {
            sotto_usage_load(usage, month, (uint64_t)requests);
        }
    }
    sqlite3_finalize(stmt);
    return err;
}

/* One row that a transaction wrote. */
struct usage_row {
    char id[SOTTO_KEY_ID_LEN];
    int32_t month;
    int64_t requests;
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

static enum sotto_err save_one(void *ctx, sotto_span id, int32_t month, int64_t requests)
{
    struct usage_save *save = ctx;
    bool row;
    enum sotto_err err = make_room(save);
    if (err == SOTTO_OK) {
        store_bind_text(save->stmt, 1, id);
        store_bind_int(save->stmt, 2, month);
        store_bind_int(save->stmt, 3, requests);
        err = store_step(save->store, save->stmt, &row);
        (void)sqlite3_reset(save->stmt); /* repeats the error that the step gave */
    }
    if (err == SOTTO_OK) {
        struct usage_row *done = &save->rows[save->count++];
        memcpy(done->id, id.base, sizeof(done->id));
        done->month = month;
        done->requests = requests;
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
                        "INSERT INTO usage (key, month, requests) VALUES (?1, ?2, ?3)"
                        " ON CONFLICT (key, month) DO UPDATE SET"
                        " requests = requests + excluded.requests",
                        &save.stmt);
    if (err == SOTTO_OK) {
        err = sotto_limits_save(limits, save_one, &save);
    }
    sqlite3_finalize(save.stmt);
    err = store_end(store, err);
    for (size_t i = 0; err != SOTTO_OK && i < save.count; i++) {
        const struct usage_row *row = &save.rows[i];
        sotto_limits_unsave(limits, sotto_span_init(row->id, sizeof(row->id)), row->month,
                            row->requests);
    }
    sotto_free(save.rows);
    return err;
}
