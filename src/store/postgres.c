/* SPDX-License-Identifier: Apache-2.0 */

#include "store/postgres.h"

#include <stdio.h>

#include "base/alloc.h"
#include "sys/files.h"

enum sotto_err postgres_result(struct store_postgres *s, enum sotto_err err)
{
    if (err != SOTTO_OK && err != SOTTO_ENOTFOUND) {
        return store_refuse(&s->store, err, "%s", postgres_link_why(s->link));
    }
    return err;
}

static void close_postgres(struct sotto_store *store)
{
    struct store_postgres *s = POSTGRES_STORE(store);
    postgres_watch_free(s->watch);
    postgres_link_free(s->link);
}

static enum sotto_err watch(struct sotto_store *store, uint64_t trust_ms)
{
    return postgres_watch_start(POSTGRES_STORE(store)->watch, trust_ms);
}

static uint64_t generation(const struct sotto_store *store)
{
    return postgres_watch_generation(((const struct store_postgres *)(const void *)store)->watch);
}

static bool trusted(const struct sotto_store *store)
{
    return postgres_watch_trusted(((const struct store_postgres *)(const void *)store)->watch);
}

static void touch(struct sotto_store *store)
{
    postgres_watch_bump(POSTGRES_STORE(store)->watch);
}

static const struct store_kind kind = {
    .close = close_postgres,
    .watch = watch,
    .generation = generation,
    .trusted = trusted,
    .touch = touch,
    .key_count = postgres_key_count,
    .key_each = postgres_key_each,
    .key_find = postgres_key_find,
    .key_insert = postgres_key_insert,
    .key_renew = postgres_key_renew,
    .key_revoke = postgres_key_revoke,
    .grace_set = postgres_grace_set,
    .grace = postgres_grace,
    .usage_each = postgres_usage_each,
    .usage_add = postgres_usage_add,
};

/* For those who come to the folder without the URL. */
static enum sotto_err mark_folder(struct store_postgres *s, const char *folder)
{
    char path[4096];
    int len = snprintf(path, sizeof(path), "%s/" STORE_ELSEWHERE, folder);
    enum sotto_err err = sotto_store_folder(folder, s->store.why);
    if (err != SOTTO_OK) {
        return err;
    }
    if (len < 0 || (size_t)len >= sizeof(path)) {
        return store_refuse(&s->store, SOTTO_EINVAL, "the path of the state folder is too long");
    }
    err = sotto_file_write(path, SOTTO_LIT("The keys of this gateway are in PostgreSQL.\n"));
    return err == SOTTO_OK ? SOTTO_OK
                           : store_refuse(&s->store, err, "%.400s: cannot be written: %s", path,
                                          sotto_err_text(err));
}

enum sotto_err store_postgres_open(const char *folder, sotto_span url, struct sotto_store **out)
{
    struct store_postgres *s = sotto_calloc(1, sizeof(*s));
    if (s == NULL) {
        return SOTTO_ENOMEM;
    }
    s->store.kind = &kind;
    *out = &s->store;
    enum sotto_err err = postgres_link_new(url, &s->link);
    if (err == SOTTO_OK) {
        err = postgres_watch_new(url, &s->watch);
    }
    if (err != SOTTO_OK) {
        return store_refuse(&s->store, err, "stores.postgres: %s",
                            err == SOTTO_EINVAL
                                ? "is not postgresql://USER:PASSWORD@HOST:PORT/DATABASE"
                                : sotto_err_text(err));
    }
    err = postgres_migrate(s);
    return err == SOTTO_OK && folder != NULL ? mark_folder(s, folder) : err;
}
