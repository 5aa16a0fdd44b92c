/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_STORE_STORE_H
#define SOTTO_STORE_STORE_H

/*
 * Keys, what they used in a month, and what a gateway tells the command line beside it.  Of two
 * kinds, one interface:
 *
 *   SQLite      `sotto.db` (mode 0600, WAL) in the state folder (mode 0700), for one gateway.
 *               What changes keys is on disk before the call returns (synchronous FULL), and is
 *               announced by a counter in `keys.generation`, a file that running gateways have
 *               mapped: they notice without a system call.
 *   PostgreSQL  the schema `sotto` of a database, for a fleet of gateways.  A change is committed
 *               (synchronous_commit on) before the call returns, and announced with NOTIFY; a
 *               thread that listens, and asks every second, tells this process.
 *
 * The schema has a version; an older one is brought up to date when it is opened, a newer one is
 * refused.  Revoked keys stay.  Secrets are stored as hashes only.
 *
 * Several processes may have the store open.  A store object belongs to one thread at a time, but
 * for what is said to be callable from any; a thread that needs one opens one.  No call waits for a
 * server longer than ten seconds.
 */

#include "base/err.h"
#include "base/span.h"
#include "keys/key.h"
#include "keys/limit.h"
#include "keys/table.h"

/** Room for a sentence about what went wrong: "FILE: what: what to do". */
#define SOTTO_STORE_WHY_BYTES 512

struct sotto_store;

/**
 * Makes a state folder where it is missing.
 *
 * @param[out] why  on failure a sentence
 * @retval SOTTO_EDENIED  others may write it
 * @retval SOTTO_EIO
 */
SOTTO_MUST_CHECK enum sotto_err sotto_store_folder(const char *folder,
                                                   char why[SOTTO_STORE_WHY_BYTES]);

/**
 * Opens the store in a folder, both made if they are not there.
 *
 * @param folder    NUL-terminated path
 * @param[out] out  set only on SOTTO_OK; freed with sotto_store_close()
 * @param[out] why  on failure a sentence; may be NULL
 *
 * @retval SOTTO_EDENIED  others may write the folder, or read the database
 * @retval SOTTO_ESTATE   made by a newer version
 * @retval SOTTO_EFORMAT  not a database of Sotto
 * @retval SOTTO_EIO, SOTTO_ENOMEM
 */
SOTTO_MUST_CHECK enum sotto_err sotto_store_open(const char *folder, struct sotto_store **out,
                                                 char why[SOTTO_STORE_WHY_BYTES]);

/**
 * The same, or with a URL of PostgreSQL (postgresql://…) the store of a fleet.
 *
 * @param folder    NULL with PostgreSQL: no gateway, but the command line; else a file in it tells
 *                  those who come without the URL that the keys are elsewhere
 * @param postgres  empty: SQLite in the folder; borrowed for the call
 *
 * @retval SOTTO_EINVAL   not such a URL
 * @retval SOTTO_EDENIED  the server refuses the role or its password, too
 */
SOTTO_MUST_CHECK enum sotto_err sotto_store_connect(const char *folder, sotto_span postgres,
                                                    struct sotto_store **out,
                                                    char why[SOTTO_STORE_WHY_BYTES]);

/** Closes; NULL is allowed. */
void sotto_store_close(struct sotto_store *store);

/** What went wrong last, as a sentence; valid until the next call.  Never NULL. */
const char *sotto_store_why(const struct sotto_store *store);

/**
 * Begins to notice what other gateways change, with a thread of its own where the kind needs one.
 *
 * @param trust_ms  for so long after the store last answered the keys in memory may be trusted
 * @retval SOTTO_EIO, SOTTO_ENOMEM
 */
SOTTO_MUST_CHECK enum sotto_err sotto_store_watch(struct sotto_store *store, uint64_t trust_ms);

/** Whether the keys in memory may be trusted still.  SQLite: always.  From any thread. */
bool sotto_store_trusted(const struct sotto_store *store);

/**
 * Number of the present state of the keys; rises with each change, by whichever process.  One
 * load from memory.  From any thread.
 */
uint64_t sotto_store_generation(const struct sotto_store *store);

/** How many keys there are, revoked ones included.  @retval SOTTO_EIO */
SOTTO_MUST_CHECK enum sotto_err sotto_store_key_count(struct sotto_store *store, size_t *count);

/** Length of a key's text, with its NUL. */
#define SOTTO_KEY_TEXT_BYTES (SOTTO_KEY_TEXT_LEN + 1)

/**
 * Makes a new key and adds it.
 *
 * @param key        what it may do; its id and hashes are ignored, an empty tenant becomes the id
 * @param[out] text  the key, NUL-terminated: nobody can say it again; the caller wipes it
 *
 * @retval SOTTO_EIO, SOTTO_ECRYPTO  `text` wiped
 */
SOTTO_MUST_CHECK enum sotto_err sotto_store_key_create(struct sotto_store *store,
                                                       const struct sotto_key *key,
                                                       char text[SOTTO_KEY_TEXT_BYTES]);

/**
 * The same where there is no key yet; of several processes that try it, one does.
 *
 * @retval SOTTO_EEXISTS  there are keys, if only revoked ones; `text` wiped
 */
SOTTO_MUST_CHECK enum sotto_err sotto_store_key_first(struct sotto_store *store,
                                                      const struct sotto_key *key,
                                                      char text[SOTTO_KEY_TEXT_BYTES]);

/**
 * Adds a key whose text was chosen elsewhere.  One that is there already stays as it is.
 *
 * @retval SOTTO_EFORMAT  `text` is not a key
 * @retval SOTTO_EEXISTS  its id belongs to a key with another secret, or to one that is revoked
 * @retval SOTTO_EIO, SOTTO_ECRYPTO
 */
SOTTO_MUST_CHECK enum sotto_err sotto_store_key_adopt(struct sotto_store *store,
                                                      const struct sotto_key *key, sotto_span text);

/**
 * Gives a key a new secret.  The one it had works until `old_until_s`; one that was still in its
 * grace period ends.
 *
 * @param[out] text  the key with its new secret, NUL-terminated; the caller wipes it
 *
 * @retval SOTTO_ENOTFOUND  no such key
 * @retval SOTTO_ESTATE     it is revoked
 * @retval SOTTO_EIO, SOTTO_ECRYPTO  `text` wiped
 */
SOTTO_MUST_CHECK enum sotto_err sotto_store_key_rotate(struct sotto_store *store, sotto_span id,
                                                       int64_t old_until_s,
                                                       char text[SOTTO_KEY_TEXT_BYTES]);

/**
 * Ends a key; ending it again changes nothing.
 *
 * @retval SOTTO_ENOTFOUND  no such key
 * @retval SOTTO_EIO
 */
SOTTO_MUST_CHECK enum sotto_err sotto_store_key_revoke(struct sotto_store *store, sotto_span id,
                                                       int64_t now_s);

/** Told of one key; spans are borrowed for the call.  An error ends the reading. */
typedef enum sotto_err sotto_store_each_key(void *ctx, const struct sotto_key *key);

/** Calls `each` for each key, oldest first.  @retval SOTTO_EIO, what `each` returned */
SOTTO_MUST_CHECK enum sotto_err sotto_store_key_each(struct sotto_store *store,
                                                     sotto_store_each_key *each, void *ctx);

/**
 * Reads all keys into a table, whose generation is that of what was read or an older one (then
 * the gateway reads once more).
 *
 * @param limits    as for sotto_key_table_new()
 * @param defaults  the same
 * @param[out] out  the same
 *
 * @retval SOTTO_EIO, SOTTO_ENOMEM
 */
SOTTO_MUST_CHECK enum sotto_err sotto_store_key_table(struct sotto_store *store,
                                                      struct sotto_limits *limits,
                                                      const struct sotto_key_quota *defaults,
                                                      struct sotto_key_table **out);

/** Lets running gateways read the keys anew though none has changed: their defaults have. */
void sotto_store_keys_touch(struct sotto_store *store);

/** Grace after a rotation that no gateway has set, in seconds. */
#define SOTTO_STORE_GRACE_S (48LL * 3600)

/** Remembers the grace of the gateway's configuration for `sotto keys rotate`.  @retval SOTTO_EIO */
SOTTO_MUST_CHECK enum sotto_err sotto_store_grace_set(struct sotto_store *store, int64_t grace_s);

/** The grace that was set, or SOTTO_STORE_GRACE_S.  @retval SOTTO_EIO */
SOTTO_MUST_CHECK enum sotto_err sotto_store_grace(struct sotto_store *store, int64_t *grace_s);

/** Told what one key used in a month; spans are borrowed for the call.  An error ends the reading. */
typedef enum sotto_err sotto_store_each_use(void *ctx, sotto_span key,
                                            const struct sotto_use *used);

/** Calls `each` for each key with use in a month, by id.  @retval SOTTO_EIO, what `each` returned */
SOTTO_MUST_CHECK enum sotto_err sotto_store_usage_each(struct sotto_store *store, int32_t month,
                                                       sotto_store_each_use *each, void *ctx);

/**
 * Reads what was used in a month into the counters, at the beginning and whenever all that was used
 * is saved: other gateways use, too.
 *
 * @retval SOTTO_EIO, SOTTO_ENOMEM
 */
SOTTO_MUST_CHECK enum sotto_err sotto_store_usage_load(struct sotto_store *store, int32_t month,
                                                       struct sotto_limits *limits);

/**
 * Writes what was used since the last time, in one transaction.  What could not be written is
 * written the next time; what may have been written, too, and then counts once.
 *
 * @retval SOTTO_EIO
 */
SOTTO_MUST_CHECK enum sotto_err sotto_store_usage_save(struct sotto_store *store,
                                                       struct sotto_limits *limits);

#endif
