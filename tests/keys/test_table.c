/* SPDX-License-Identifier: Apache-2.0 */

#include "keys/table.h"

#include <pthread.h>
#include <stdatomic.h>

#include "base/alloc.h"
#include "tap/tap.h"

#define SECRET "0123456789ABCDEFGHIJKLMNOPQRSTUV"

static const struct sotto_key_quota no_defaults;

static struct sotto_key key_of(unsigned number, const char *tenant)
{
    struct sotto_key key = {.tenant = sotto_span_str(tenant), .anonymize = true};
    char text[SOTTO_KEY_TEXT_LEN + 1];
    struct sotto_key_text parts;
    snprintf(text, sizeof(text), "ql_%012u_" SECRET, number);
    memcpy(key.id, text + 3, sizeof(key.id));
    if (sotto_key_parse(sotto_span_init(text, SOTTO_KEY_TEXT_LEN), &parts) != SOTTO_OK ||
        sotto_key_hash(&parts, key.hash) != SOTTO_OK) {
        abort();
    }
    return key;
}

static struct sotto_limits *new_limits(void)
{
    struct sotto_limits *limits = NULL;
    if (sotto_limits_new(&limits) != SOTTO_OK) {
        abort();
    }
    return limits;
}

static void test_finding(void)
{
    struct sotto_limits *limits = new_limits();
    struct sotto_key keys[200];
    char tenant[] = "house", name[] = "a name", scopes[] = "model:x";
    for (unsigned i = 0; i < SOTTO_COUNT(keys); i++) {
        keys[i] = key_of((i * 7919 + 3) % 1000, tenant);
        keys[i].name = sotto_span_str(name);
        keys[i].scopes = sotto_span_str(scopes);
    }
    struct sotto_key_table *table = NULL;
    IS_INT(sotto_key_table_new(keys, SOTTO_COUNT(keys), limits, &no_defaults, 7, &table), SOTTO_OK,
           "a table of two hundred keys");
    memset(tenant, '!', 5); /* the table has copies */
    memset(name, '!', 6);
    memset(scopes, '!', 7);
    IS_SIZE(sotto_key_table_count(table), 200, "has them all");
    IS_INT(sotto_key_table_generation(table), 7, "and its number");
    bool found = true;
    for (unsigned i = 0; i < SOTTO_COUNT(keys); i++) {
        const struct sotto_key_row *row =
            sotto_key_table_find(table, sotto_span_init(keys[i].id, 12));
        found = found && row != NULL && memcmp(row->key.id, keys[i].id, 12) == 0 &&
                sotto_span_eq(row->key.tenant, SOTTO_LIT("house")) && row->usage != NULL;
    }
    OK(found, "finds each");
    const struct sotto_key_row *first = sotto_key_table_at(table, 0);
    IS_TEXT(first->key.name.base, first->key.name.len, "a name", "with its name");
    IS_TEXT(first->key.scopes.base, first->key.scopes.len, "model:x", "and its scopes");
    OK(sotto_key_table_find(table, SOTTO_LIT("zzzzzzzzzzzz")) == NULL, "not what is not there");
    OK(sotto_key_table_find(table, SOTTO_LIT("")) == NULL, "nor nothing");
    sotto_key_table_unref(table);
    sotto_key_table_unref(NULL);
    sotto_limits_free(limits);
}

static void test_verifying(void)
{
    struct sotto_limits *limits = new_limits();
    struct sotto_key keys[] = {key_of(1, "t"), key_of(2, "t"), key_of(3, "t")};
    const struct sotto_key_quota defaults = {.requests_per_minute = 60, .monthly_requests = 1000};
    keys[1].revoked_s = 5;
    keys[2].quota.requests_per_minute = 6;
    struct sotto_key_table *table = NULL;
    const struct sotto_key_row *row = NULL;
    IS_INT(sotto_key_table_new(keys, 3, limits, &defaults, 1, &table), SOTTO_OK, "a table");
    IS_INT(sotto_key_table_verify(table, SOTTO_LIT("ql_000000000002_" SECRET), 10, &row),
           SOTTO_EAUTH, "a revoked key is refused");
    IS_INT(sotto_key_table_verify(table, SOTTO_LIT("ql_000000000004_" SECRET), 10, &row),
           SOTTO_EAUTH, "one that is not there too");
    IS_INT(sotto_key_table_verify(table, SOTTO_LIT("Bearer x"), 10, &row), SOTTO_EAUTH,
           "and what is none");
    IS_INT(sotto_key_table_verify(table, SOTTO_LIT(""), 10, &row), SOTTO_EAUTH, "and nothing");
    OK(row == NULL, "nothing comes out");
    IS_INT(sotto_key_table_verify(table, SOTTO_LIT("ql_000000000001_" SECRET), 10, &row), SOTTO_OK,
           "a good key is accepted");
    OK(row == sotto_key_table_at(table, 0), "and found");
    OK(row->key.quota.requests_per_minute == 60 && row->key.quota.monthly_requests == 1000 &&
           row->key.quota.monthly_tokens == 0,
       "it has the default quotas");
    OK(sotto_key_table_at(table, 2)->key.quota.requests_per_minute == 6, "or its own");
    sotto_key_table_unref(table);

    keys[1] = keys[0];
    table = NULL;
    IS_INT(sotto_key_table_new(keys, 3, limits, &defaults, 1, &table), SOTTO_EEXISTS,
           "two keys with one id are refused");
    OK(table == NULL, "nothing comes out");
    IS_INT(sotto_key_table_new(NULL, 0, limits, &defaults, 1, &table), SOTTO_OK, "an empty table");
    OK(sotto_key_table_find(table, SOTTO_LIT("000000000001")) == NULL, "has nothing");
    sotto_key_table_unref(table);
    sotto_limits_free(limits);
}

static struct sotto_key_table *table_of(struct sotto_limits *limits, uint64_t generation)
{
    struct sotto_key key = key_of(1, "t");
    struct sotto_key_table *table = NULL;
    if (sotto_key_table_new(&key, 1, limits, &no_defaults, generation, &table) != SOTTO_OK) {
        abort();
    }
    return table;
}

static void test_slot(void)
{
    struct sotto_limits *limits = new_limits();
    struct sotto_key_slot *slot = NULL;
    struct sotto_key_table *one = NULL, *other = NULL;
    IS_INT(sotto_key_slot_new(table_of(limits, 5), &slot), SOTTO_OK, "a slot");
    const struct sotto_key_table *first = sotto_key_slot_get(slot, &one);
    OK(first == one && sotto_key_slot_get(slot, &one) == first,
       "a handle stays while none is newer");
    OK(sotto_key_slot_get(slot, &other) == first, "threads share the table");

    struct sotto_usage *usage = sotto_key_table_at(one, 0)->usage;
    sotto_key_slot_put(slot, table_of(limits, 6));
    IS_INT(sotto_key_slot_generation(slot), 6, "a newer table is there");
    OK(sotto_key_slot_get(slot, &one) != first, "a handle gets it");
    IS_INT(sotto_key_table_generation(other), 5, "the other thread still has the old one");
    OK(sotto_key_table_at(one, 0)->usage == usage, "counters go on over tables");

    sotto_key_slot_put(slot, table_of(limits, 4));
    IS_INT(sotto_key_slot_generation(slot), 6, "an older table is dropped");
    const struct sotto_key_table *same = sotto_key_slot_get(slot, &one);
    sotto_key_slot_put(slot, table_of(limits, 6));
    OK(sotto_key_slot_get(slot, &one) != same, "one of the same generation is taken");

    sotto_key_slot_free(slot);
    sotto_key_slot_free(NULL);
    IS_SIZE(sotto_key_table_count(one), 1, "a handle outlives the slot");
    sotto_key_table_unref(one);
    sotto_key_table_unref(other);
    sotto_limits_free(limits);
}

/* --- threads --------------------------------------------------------------------------------- */

struct shared {
    struct sotto_key_slot *slot;
    atomic_bool end;
    atomic_bool bad;
};

static void *reader(void *arg)
{
    struct shared *shared = arg;
    struct sotto_key_table *handle = NULL;
    uint64_t seen = 0;
    while (!atomic_load(&shared->end)) {
        const struct sotto_key_table *table = sotto_key_slot_get(shared->slot, &handle);
        const struct sotto_key_row *row = sotto_key_table_find(table, SOTTO_LIT("000000000001"));
        uint64_t generation = sotto_key_table_generation(table);
        if (row == NULL || generation < seen || !sotto_span_eq(row->key.tenant, SOTTO_LIT("t"))) {
            atomic_store(&shared->bad, true);
        }
        seen = generation;
    }
    sotto_key_table_unref(handle);
    return NULL;
}

static void test_threads(void)
{
    pthread_t threads[4];
    struct shared shared = {0};
    struct sotto_limits *limits = new_limits();
    if (sotto_key_slot_new(table_of(limits, 0), &shared.slot) != SOTTO_OK) {
        abort();
    }
    for (size_t i = 0; i < SOTTO_COUNT(threads); i++) {
        if (pthread_create(&threads[i], NULL, reader, &shared) != 0) {
            abort();
        }
    }
    for (uint64_t i = 1; i <= 3000; i++) {
        sotto_key_slot_put(shared.slot, table_of(limits, i));
    }
    atomic_store(&shared.end, true);
    for (size_t i = 0; i < SOTTO_COUNT(threads); i++) {
        pthread_join(threads[i], NULL);
    }
    OK(!atomic_load(&shared.bad), "readers see whole tables, and never an older one");
    IS_INT(sotto_key_slot_generation(shared.slot), 3000, "the last one stays");
    sotto_key_slot_free(shared.slot);
    sotto_limits_free(limits);
}

static void test_every_allocation_failure(void)
{
    struct sotto_key keys[] = {key_of(1, "t"), key_of(2, "u")};
    enum sotto_err err = SOTTO_ENOMEM;
    size_t n = 0;
    while (err == SOTTO_ENOMEM) {
        struct sotto_limits *limits = new_limits();
        struct sotto_key_table *table = NULL;
        sotto_alloc_set_fault(++n);
        err = sotto_key_table_new(keys, 2, limits, &no_defaults, 1, &table);
        sotto_alloc_set_fault(0);
        OK((err == SOTTO_OK) == (table != NULL), "allocation %zu fails", n);
        sotto_key_table_unref(table);
        sotto_limits_free(limits);
    }
    OK(n > 3, "there were some");
}

int main(void)
{
    test_finding();
    test_verifying();
    test_slot();
    test_threads();
    test_every_allocation_failure();
    return done_testing();
}
