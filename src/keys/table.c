/* SPDX-License-Identifier: Apache-2.0 */

#include "keys/table.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/arena.h"

struct sotto_key_table {
    struct sotto_arena arena; /* strings of the rows */
    atomic_size_t refs;
    uint64_t generation;
    size_t count;
    struct sotto_key_row rows[]; /* sorted by id */
};

struct sotto_key_slot {
    pthread_mutex_t lock; /* held while the table is changed, or gets a reference */
    _Atomic(struct sotto_key_table *) table;
    _Atomic uint64_t generation; /* that of `table` */
};

/* --- the table ------------------------------------------------------------------------------- */

static int compare_rows(const void *a, const void *b)
{
    const struct sotto_key_row *x = a, *y = b;
    return sotto_key_id_compare(x->key.id, y->key.id);
}

static uint64_t or_default(uint64_t own, uint64_t otherwise)
{
    return own != 0 ? own : otherwise;
}

static void apply_defaults(struct sotto_key_quota *quota, const struct sotto_key_quota *defaults)
{
    quota->requests_per_minute =
        or_default(quota->requests_per_minute, defaults->requests_per_minute);
    quota->tokens_per_minute = or_default(quota->tokens_per_minute, defaults->tokens_per_minute);
    quota->monthly_requests = or_default(quota->monthly_requests, defaults->monthly_requests);
    quota->monthly_tokens = or_default(quota->monthly_tokens, defaults->monthly_tokens);
    quota->monthly_cost_nano = or_default(quota->monthly_cost_nano, defaults->monthly_cost_nano);
}

static enum sotto_err copy_row(struct sotto_arena *arena, const struct sotto_key *key,
                               struct sotto_limits *limits, const struct sotto_key_quota *defaults,
                               struct sotto_key_row *row)
{
    enum sotto_err err;
    row->key = *key;
    apply_defaults(&row->key.quota, defaults);
    if ((err = sotto_arena_copy(arena, key->name, &row->key.name)) != SOTTO_OK ||
        (err = sotto_arena_copy(arena, key->tenant, &row->key.tenant)) != SOTTO_OK ||
        (err = sotto_arena_copy(arena, key->scopes, &row->key.scopes)) != SOTTO_OK ||
        (err = sotto_arena_copy(arena, key->mode, &row->key.mode)) != SOTTO_OK ||
        (err = sotto_arena_copy(arena, key->style, &row->key.style)) != SOTTO_OK ||
        (err = sotto_limits_usage(limits, sotto_span_init(key->id, sizeof(key->id)),
                                  &row->usage)) != SOTTO_OK) {
        return err;
    }
    return SOTTO_OK;
}

static enum sotto_err check_ids(const struct sotto_key_table *table)
{
    for (size_t i = 1; i < table->count; i++) {
        if (compare_rows(&table->rows[i - 1], &table->rows[i]) == 0) {
            return SOTTO_EEXISTS;
        }
    }
    return SOTTO_OK;
}

enum sotto_err sotto_key_table_new(const struct sotto_key *keys, size_t count,
                                   struct sotto_limits *limits,
                                   const struct sotto_key_quota *defaults, uint64_t generation,
                                   struct sotto_key_table **out)
{
    struct sotto_key_table *table = NULL;
    if (count <= (SIZE_MAX - sizeof(*table)) / sizeof(table->rows[0])) {
        table = sotto_calloc(1, sizeof(*table) + count * sizeof(table->rows[0]));
    }
    if (table == NULL) {
        return SOTTO_ENOMEM;
    }
    atomic_init(&table->refs, 1);
    table->generation = generation;
    enum sotto_err err = SOTTO_OK;
    while (err == SOTTO_OK && table->count < count) {
        err = copy_row(&table->arena, &keys[table->count], limits, defaults,
                       &table->rows[table->count]);
        table->count++;
    }
    qsort(table->rows, table->count, sizeof(table->rows[0]), compare_rows);
    if (err == SOTTO_OK) {
        err = check_ids(table);
    }
    if (err != SOTTO_OK) {
        sotto_key_table_unref(table);
        return err;
    }
    *out = table;
    return SOTTO_OK;
}

struct sotto_key_table *sotto_key_table_ref(struct sotto_key_table *table)
{
    atomic_fetch_add_explicit(&table->refs, 1, memory_order_relaxed);
    return table;
}

void sotto_key_table_unref(struct sotto_key_table *table)
{
    if (table != NULL && atomic_fetch_sub_explicit(&table->refs, 1, memory_order_acq_rel) == 1) {
        sotto_arena_free(&table->arena);
        sotto_free(table);
    }
}

uint64_t sotto_key_table_generation(const struct sotto_key_table *table)
{
    return table->generation;
}

size_t sotto_key_table_count(const struct sotto_key_table *table)
{
    return table->count;
}

const struct sotto_key_row *sotto_key_table_at(const struct sotto_key_table *table, size_t i)
{
    return &table->rows[i];
}

const struct sotto_key_row *sotto_key_table_find(const struct sotto_key_table *table, sotto_span id)
{
    size_t low = 0, high = table->count;
    if (id.len != SOTTO_KEY_ID_LEN) {
        return NULL;
    }
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = sotto_key_id_compare(table->rows[middle].key.id, id.base);
        if (order == 0) {
            return &table->rows[middle];
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return NULL;
}

enum sotto_err sotto_key_table_verify(const struct sotto_key_table *table, sotto_span text,
                                      int64_t now_s, const struct sotto_key_row **out)
{
    struct sotto_key_text parts;
    if (sotto_key_parse(text, &parts) != SOTTO_OK) {
        return SOTTO_EAUTH;
    }
    const struct sotto_key_row *row = sotto_key_table_find(table, parts.id);
    enum sotto_err err = row != NULL ? sotto_key_verify(&row->key, &parts, now_s) : SOTTO_EAUTH;
    if (err == SOTTO_OK) {
        *out = row;
    }
    return err;
}

/* --- the slot -------------------------------------------------------------------------------- */

enum sotto_err sotto_key_slot_new(struct sotto_key_table *first, struct sotto_key_slot **out)
{
    struct sotto_key_slot *slot = sotto_calloc(1, sizeof(*slot));
    if (slot == NULL || pthread_mutex_init(&slot->lock, NULL) != 0) {
        sotto_free(slot);
        return SOTTO_ENOMEM;
    }
    atomic_init(&slot->table, first);
    atomic_init(&slot->generation, first->generation);
    *out = slot;
    return SOTTO_OK;
}

void sotto_key_slot_free(struct sotto_key_slot *slot)
{
    if (slot != NULL) {
        sotto_key_table_unref(atomic_load(&slot->table));
        pthread_mutex_destroy(&slot->lock);
        sotto_free(slot);
    }
}

void sotto_key_slot_put(struct sotto_key_slot *slot, struct sotto_key_table *table)
{
    pthread_mutex_lock(&slot->lock);
    struct sotto_key_table *rejected = table;
    struct sotto_key_table *present = atomic_load(&slot->table);
    if (table->generation >= present->generation) {
        rejected = present;
        atomic_store(&slot->table, table);
        atomic_store_explicit(&slot->generation, table->generation, memory_order_release);
    }
    pthread_mutex_unlock(&slot->lock);
    sotto_key_table_unref(rejected);
}

uint64_t sotto_key_slot_generation(const struct sotto_key_slot *slot)
{
    return atomic_load_explicit(&slot->generation, memory_order_acquire);
}

const struct sotto_key_table *sotto_key_slot_get(struct sotto_key_slot *slot,
                                                 struct sotto_key_table **handle)
{
    /* While the handle keeps its table alive, no other can have its address. */
    if (*handle != NULL && *handle == atomic_load_explicit(&slot->table, memory_order_acquire)) {
        return *handle;
    }
    pthread_mutex_lock(&slot->lock);
    struct sotto_key_table *newest = sotto_key_table_ref(atomic_load(&slot->table));
    pthread_mutex_unlock(&slot->lock);
    sotto_key_table_unref(*handle);
    *handle = newest;
    return newest;
}
