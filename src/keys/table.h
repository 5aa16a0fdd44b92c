/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_KEYS_TABLE_H
#define SOTTO_KEYS_TABLE_H

/*
 * All keys in memory: an immutable table, shared by threads, replaced as a whole when keys change.
 *
 * A slot holds the newest table.  Each thread has a handle of its own, which keeps one table
 * alive; refreshing the handle costs one atomic load while nothing has changed.  A key found in a
 * table lives as long as a handle or a reference holds that table.
 */

#include "keys/key.h"
#include "keys/limit.h"

/** One row: the key and where its use is counted. */
struct sotto_key_row {
    struct sotto_key key;
    struct sotto_usage *usage; /* borrowed from the table's limits */
};

struct sotto_key_table;

/**
 * Makes a table; it has one reference, the caller's.
 *
 * @param keys        copied, strings included
 * @param limits      each key's counters come from here; borrowed, must outlive the table
 * @param defaults    quotas for keys without their own
 * @param generation  number of this state of the keys, greater than that of every older state
 * @param[out] out    set only on SOTTO_OK; given back with sotto_key_table_unref()
 *
 * @retval SOTTO_EEXISTS  two keys have one id
 * @retval SOTTO_ENOMEM
 */
SOTTO_MUST_CHECK enum sotto_err sotto_key_table_new(const struct sotto_key *keys, size_t count,
                                                    struct sotto_limits *limits,
                                                    const struct sotto_key_quota *defaults,
                                                    uint64_t generation,
                                                    struct sotto_key_table **out);

/** One reference more. */
struct sotto_key_table *sotto_key_table_ref(struct sotto_key_table *table);

/** One reference less; the last one wipes and frees.  NULL is allowed. */
void sotto_key_table_unref(struct sotto_key_table *table);

uint64_t sotto_key_table_generation(const struct sotto_key_table *table);
size_t sotto_key_table_count(const struct sotto_key_table *table);

/** Row number `i` below the count, sorted by id. */
const struct sotto_key_row *sotto_key_table_at(const struct sotto_key_table *table, size_t i);

/** The key with this id; NULL: there is none.  Says nothing about secrets and expiry. */
const struct sotto_key_row *sotto_key_table_find(const struct sotto_key_table *table,
                                                 sotto_span id);

/**
 * The key that `text` is, if it works now.
 *
 * @param text      as the client sent it; any bytes
 * @param[out] out  set only on SOTTO_OK
 *
 * @retval SOTTO_EAUTH    not a key, unknown, wrong, expired or revoked
 * @retval SOTTO_ECRYPTO
 */
SOTTO_MUST_CHECK enum sotto_err sotto_key_table_verify(const struct sotto_key_table *table,
                                                       sotto_span text, int64_t now_s,
                                                       const struct sotto_key_row **out);

/** Where the newest table is. */
struct sotto_key_slot;

/** @param first  the table to begin with; its reference is taken over on SOTTO_OK */
SOTTO_MUST_CHECK enum sotto_err sotto_key_slot_new(struct sotto_key_table *first,
                                                   struct sotto_key_slot **out);

/** Frees; NULL is allowed.  Handles may outlive the slot. */
void sotto_key_slot_free(struct sotto_key_slot *slot);

/** Puts in a table, unless a newer one is there; its reference is taken over.  Any thread. */
void sotto_key_slot_put(struct sotto_key_slot *slot, struct sotto_key_table *table);

/** Generation of the newest table.  Any thread. */
uint64_t sotto_key_slot_generation(const struct sotto_key_slot *slot);

/**
 * Makes `*handle` the newest table and returns it.
 *
 * @param handle  a thread's own; *handle is NULL at first and goes to sotto_key_table_unref()
 */
const struct sotto_key_table *sotto_key_slot_get(struct sotto_key_slot *slot,
                                                 struct sotto_key_table **handle);

#endif
