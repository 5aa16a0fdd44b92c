/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_STORE_KIND_H
#define SOTTO_STORE_KIND_H

/*
 * What a kind of store does; store.c, keys.c and usage.c do the rest, for all kinds alike.  For the
 * files of store/ alone.
 *
 * Each function that can fail leaves a sentence in `why`.
 */

#include "store/store.h"

/** What one key used in a month. */
struct store_use_row {
    char id[SOTTO_KEY_ID_LEN];
    int32_t month;
    struct sotto_use used;
};

/** Bytes that name a batch. */
#define STORE_BATCH_ID_BYTES 16

/** Use that is written as a whole. */
struct store_batch {
    uint8_t id[STORE_BATCH_ID_BYTES]; /* random: what was booked under it is not booked again */
    struct store_use_row *rows;       /* sorted by key and month */
    size_t count, cap;
};

struct store_kind {
    void (*close)(struct sotto_store *store);

    /** NULL: there is nothing to watch. */
    enum sotto_err (*watch)(struct sotto_store *store, uint64_t trust_ms);
    /** From any thread. */
    uint64_t (*generation)(const struct sotto_store *store);
    /** From any thread; NULL: always. */
    bool (*trusted)(const struct sotto_store *store);
    void (*touch)(struct sotto_store *store);

    enum sotto_err (*key_count)(struct sotto_store *store, size_t *count);
    enum sotto_err (*key_each)(struct sotto_store *store, sotto_store_each_key *each, void *ctx);
    /** Reads one key without its strings.  @retval SOTTO_ENOTFOUND */
    enum sotto_err (*key_find)(struct sotto_store *store, sotto_span id, struct sotto_key *key);
    /** @retval SOTTO_EEXISTS  its id is there; `first`: there is any key */
    enum sotto_err (*key_insert)(struct sotto_store *store, const struct sotto_key *key,
                                 bool first);
    /** The secret it had becomes the old one.  @retval SOTTO_ENOTFOUND  not there, or revoked */
    enum sotto_err (*key_renew)(struct sotto_store *store, sotto_span id, int64_t old_until_s,
                                const uint8_t hash[SOTTO_KEY_HASH_BYTES]);
    /** @retval SOTTO_ENOTFOUND  not there, or revoked */
    enum sotto_err (*key_revoke)(struct sotto_store *store, sotto_span id, int64_t now_s);

    enum sotto_err (*grace_set)(struct sotto_store *store, int64_t grace_s);
    /** @param[out] grace_s  unchanged where none was set */
    enum sotto_err (*grace)(struct sotto_store *store, int64_t *grace_s);

    enum sotto_err (*usage_each)(struct sotto_store *store, int32_t month,
                                 sotto_store_each_use *each, void *ctx);
    /** Adds all rows or none; where it cannot tell which, the same batch comes again. */
    enum sotto_err (*usage_add)(struct sotto_store *store, const struct store_batch *batch);
};

/** The beginning of each kind's own structure. */
struct sotto_store {
    const struct store_kind *kind;
    struct store_batch batch; /* use that is not known to be written */
    char why[SOTTO_STORE_WHY_BYTES];
};

/** Notes why a call failed.  @return `err` */
SOTTO_PRINTF(3, 4)
enum sotto_err store_refuse(struct sotto_store *store, enum sotto_err err, const char *fmt, ...);

/** A file in the state folder of a gateway whose keys are in PostgreSQL. */
#define STORE_ELSEWHERE "keys.in-postgres"

/**
 * The kinds.  *out is set wherever there was memory, also on failure: then for its sentence, and to
 * be closed.
 */
SOTTO_MUST_CHECK enum sotto_err store_sqlite_open(const char *folder, struct sotto_store **out);
SOTTO_MUST_CHECK enum sotto_err store_postgres_open(const char *folder, sotto_span url,
                                                    struct sotto_store **out);

#endif
