/* SPDX-License-Identifier: Apache-2.0 */

#include <stdlib.h>

#include "base/alloc.h"
#include "crypto/random.h"
#include "store/kind.h"

enum sotto_err sotto_store_usage_each(struct sotto_store *store, int32_t month,
                                      sotto_store_each_use *each, void *ctx)
{
    return store->kind->usage_each(store, month, each, ctx);
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

/* --- saving ---------------------------------------------------------------------------------- */

static enum sotto_err collect(void *ctx, sotto_span id, int32_t month, const struct sotto_use *used)
{
    struct store_batch *batch = ctx;
    if (batch->count == batch->cap) {
        size_t cap = batch->cap != 0 ? batch->cap * 2 : 64;
        struct store_use_row *rows = sotto_resize(batch->rows, cap * sizeof(*rows));
        if (rows == NULL) {
            return SOTTO_ENOMEM;
        }
        batch->rows = rows;
        batch->cap = cap;
    }
    struct store_use_row *row = &batch->rows[batch->count++];
    memcpy(row->id, id.base, sizeof(row->id));
    row->month = month;
    row->used = *used;
    return SOTTO_OK;
}

/* One order for all gateways: they do not wait for each other in a circle. */
static int compare_rows(const void *a, const void *b)
{
    const struct store_use_row *x = a, *y = b;
    int order = sotto_key_id_compare(x->id, y->id);
    return order != 0 ? order : (x->month > y->month) - (x->month < y->month);
}

/* What was used since the last batch.  A key may come twice: counters move while they are read. */
static enum sotto_err fill_batch(struct store_batch *batch, struct sotto_limits *limits)
{
    enum sotto_err err = sotto_crypto_random(batch->id, sizeof(batch->id));
    if (err != SOTTO_OK) {
        return err;
    }
    err = sotto_limits_save(limits, collect, batch);
    if (batch->count == 0) {
        return err;
    }
    qsort(batch->rows, batch->count, sizeof(batch->rows[0]), compare_rows);
    size_t kept = 0;
    for (size_t i = 1; i < batch->count; i++) {
        if (compare_rows(&batch->rows[kept], &batch->rows[i]) == 0) {
            sotto_use_add(&batch->rows[kept].used, &batch->rows[i].used);
        } else {
            batch->rows[++kept] = batch->rows[i];
        }
    }
    batch->count = kept + 1;
    return err;
}

static enum sotto_err write_batch(struct sotto_store *store)
{
    if (store->batch.count == 0) {
        return SOTTO_OK;
    }
    enum sotto_err err = store->kind->usage_add(store, &store->batch);
    if (err == SOTTO_OK) {
        store->batch.count = 0;
    }
    return err;
}

enum sotto_err sotto_store_usage_save(struct sotto_store *store, struct sotto_limits *limits)
{
    enum sotto_err err = write_batch(store); /* as it was: it may be written already */
    if (err != SOTTO_OK) {
        return err;
    }
    err = fill_batch(&store->batch, limits);
    enum sotto_err written = write_batch(store);
    return err != SOTTO_OK ? err : written;
}
