/* SPDX-License-Identifier: Apache-2.0 */

#include "store/store.h"

#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "store/kind.h"
#include "sys/files.h"

enum sotto_err store_refuse(struct sotto_store *store, enum sotto_err err, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(store->why, sizeof(store->why), fmt, ap);
    va_end(ap);
    return err;
}

/* Others may look into the folder, but not put files there. */
enum sotto_err sotto_store_folder(const char *folder, char why[SOTTO_STORE_WHY_BYTES])
{
    struct stat info;
    enum sotto_err err = sotto_folder_make(folder);
    if (err != SOTTO_OK) {
        snprintf(why, SOTTO_STORE_WHY_BYTES,
                 "%.400s: the folder cannot be made: see to the permissions above it", folder);
        return err;
    }
    if (stat(folder, &info) != 0 || !S_ISDIR(info.st_mode)) {
        snprintf(why, SOTTO_STORE_WHY_BYTES,
                 "%.400s: cannot be opened as a folder: see to its permissions", folder);
        return SOTTO_EIO;
    }
    if ((info.st_mode & 022) != 0) {
        snprintf(why, SOTTO_STORE_WHY_BYTES, "%.400s: others may write it: chmod go-w it", folder);
        return SOTTO_EDENIED;
    }
    return SOTTO_OK;
}

enum sotto_err sotto_store_connect(const char *folder, sotto_span postgres,
                                   struct sotto_store **out, char why[SOTTO_STORE_WHY_BYTES])
{
    struct sotto_store *store = NULL;
    enum sotto_err err = postgres.len != 0 ? store_postgres_open(folder, postgres, &store)
                                           : store_sqlite_open(folder, &store);
    if (err == SOTTO_OK) {
        *out = store;
        return SOTTO_OK;
    }
    if (why != NULL) {
        snprintf(why, SOTTO_STORE_WHY_BYTES, "%s",
                 store != NULL ? store->why : "there is no memory left");
    }
    sotto_store_close(store);
    return err;
}

enum sotto_err sotto_store_open(const char *folder, struct sotto_store **out,
                                char why[SOTTO_STORE_WHY_BYTES])
{
    return sotto_store_connect(folder, sotto_span_init(NULL, 0), out, why);
}

void sotto_store_close(struct sotto_store *store)
{
    if (store != NULL) {
        store->kind->close(store);
        sotto_free(store->batch.rows);
        sotto_free(store);
    }
}

const char *sotto_store_why(const struct sotto_store *store)
{
    return store->why;
}

enum sotto_err sotto_store_watch(struct sotto_store *store, uint64_t trust_ms)
{
    return store->kind->watch != NULL ? store->kind->watch(store, trust_ms) : SOTTO_OK;
}

uint64_t sotto_store_generation(const struct sotto_store *store)
{
    return store->kind->generation(store);
}

bool sotto_store_trusted(const struct sotto_store *store)
{
    return store->kind->trusted == NULL || store->kind->trusted(store);
}

void sotto_store_keys_touch(struct sotto_store *store)
{
    store->kind->touch(store);
}

enum sotto_err sotto_store_grace(struct sotto_store *store, int64_t *grace_s)
{
    int64_t found = SOTTO_STORE_GRACE_S;
    enum sotto_err err = store->kind->grace(store, &found);
    if (err == SOTTO_OK) {
        *grace_s = found;
    }
    return err;
}

enum sotto_err sotto_store_grace_set(struct sotto_store *store, int64_t grace_s)
{
    int64_t there = -1;
    enum sotto_err err = store->kind->grace(store, &there);
    /* A start that changes nothing writes nothing. */
    return err != SOTTO_OK || there == grace_s ? err : store->kind->grace_set(store, grace_s);
}
