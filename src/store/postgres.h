/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_STORE_POSTGRES_H
#define SOTTO_STORE_POSTGRES_H

/* What the files about PostgreSQL share: the store's structure, and what they do for the kind. */

#include "store/kind.h"
#include "store/postgres_link.h"
#include "store/postgres_watch.h"

struct store_postgres {
    struct sotto_store store;
    struct postgres_link *link;
    struct postgres_watch *watch;
};

/* The common part comes first. */
#define POSTGRES_STORE(of) ((struct store_postgres *)(void *)(of))

/** Keeps the link's sentence for a call that failed.  @return `err` */
enum sotto_err postgres_result(struct store_postgres *s, enum sotto_err err);

/**
 * Makes the schema, or brings it up to date; gateways that start at once wait for each other.
 *
 * @retval SOTTO_ESTATE  made by a newer version
 */
SOTTO_MUST_CHECK enum sotto_err postgres_migrate(struct store_postgres *s);

/* As store/kind.h says. */
enum sotto_err postgres_key_count(struct sotto_store *store, size_t *count);
enum sotto_err postgres_key_each(struct sotto_store *store, sotto_store_each_key *each, void *ctx);
enum sotto_err postgres_key_find(struct sotto_store *store, sotto_span id, struct sotto_key *key);
enum sotto_err postgres_key_insert(struct sotto_store *store, const struct sotto_key *key,
                                   bool first);
enum sotto_err postgres_key_renew(struct sotto_store *store, sotto_span id, int64_t old_until_s,
                                  const uint8_t hash[SOTTO_KEY_HASH_BYTES]);
enum sotto_err postgres_key_revoke(struct sotto_store *store, sotto_span id, int64_t now_s);
enum sotto_err postgres_grace_set(struct sotto_store *store, int64_t grace_s);
enum sotto_err postgres_grace(struct sotto_store *store, int64_t *grace_s);
enum sotto_err postgres_usage_each(struct sotto_store *store, int32_t month,
                                   sotto_store_each_use *each, void *ctx);
enum sotto_err postgres_usage_add(struct sotto_store *store, const struct store_batch *batch);

#endif
