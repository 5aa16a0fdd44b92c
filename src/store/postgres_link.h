/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_STORE_POSTGRES_LINK_H
#define SOTTO_STORE_POSTGRES_LINK_H

/*
 * One connection to PostgreSQL that comes back by itself, over libpq.  Nothing waits longer than
 * POSTGRES_WAIT_MS for an answer, also where the server has stopped without a word; while
 * connecting fails, calls in between fail at once.  Belongs to one thread at a time, and never to
 * that of a loop.
 *
 * Values go as parameters of prepared statements, in binary: numbers are int8, hashes bytea.
 * libpq has its own memory, which is not wiped: what goes through here is hashes, counts, and what
 * a key says of itself.
 *
 * Source: PostgreSQL 15 documentation, chapters 34 (libpq) and 55 (protocol).
 */

#include <libpq-fe.h>

#include "base/compiler.h"
#include "base/err.h"
#include "base/span.h"

/** For one answer, and for a connection to one address. */
#define POSTGRES_WAIT_MS 5000

/** Most parameters of a statement. */
#define POSTGRES_PARAMETERS 20

/** A statement; of static storage.  It is prepared on each connection where it is first used. */
struct postgres_statement {
    const char *name; /* of its own */
    const char *sql;
    Oid types[POSTGRES_PARAMETERS]; /* of the parameters; then 0 */
    /* What changes something but once: where a connection breaks it is not tried again. */
    bool once;
};

#define POSTGRES_INT8  20
#define POSTGRES_TEXT  25
#define POSTGRES_BYTEA 17

/** Values of parameters; the bytes are borrowed for the call that sends them. */
struct postgres_values {
    const char *at[POSTGRES_PARAMETERS];
    int len[POSTGRES_PARAMETERS];
    uint8_t numbers[POSTGRES_PARAMETERS][8];
    int count;
};

void postgres_add_int(struct postgres_values *values, int64_t number);
void postgres_add_bytes(struct postgres_values *values, const void *bytes, size_t len);

/** Columns of a row of a result. */
int64_t postgres_int(const PGresult *result, int row, int column);
sotto_span postgres_bytes(const PGresult *result, int row, int column);

struct postgres_link;

/**
 * Makes a link; it connects when it is first used.  Readies our cryptography before libpq does its
 * own (sotto_crypto_init()).
 *
 * @param url  borrowed for the call; postgres_url_read() took it before
 *
 * @retval SOTTO_ECRYPTO  OpenSSL cannot be readied
 * @retval SOTTO_ENOMEM   out of memory
 */
SOTTO_MUST_CHECK enum sotto_err postgres_link_new(sotto_span url, struct postgres_link **out);

/** NULL is allowed. */
void postgres_link_free(struct postgres_link *link);

/** Why the last call failed, as a sentence. */
const char *postgres_link_why(const struct postgres_link *link);

/**
 * Runs a prepared statement.
 *
 * @param[out] result  NULL: not wanted; else set only on SOTTO_OK, and freed with PQclear()
 *
 * @retval SOTTO_EIO      no connection, or no answer in time: it may have been done
 * @retval SOTTO_EEXISTS  a row with this key is there
 * @retval SOTTO_EDENIED  the role may not do that
 * @retval SOTTO_EFORMAT  the server refuses it otherwise
 * @retval SOTTO_ENOMEM
 */
SOTTO_MUST_CHECK enum sotto_err postgres_run(struct postgres_link *link,
                                             const struct postgres_statement *statement,
                                             const struct postgres_values *values,
                                             PGresult **result);

/**
 * Runs statements without parameters and results.  Where the connection is new since the call
 * before, that is no error: so for transactions postgres_begin() first.
 */
SOTTO_MUST_CHECK enum sotto_err postgres_script(struct postgres_link *link, const char *sql);

/** Begins a transaction: each of its statements sees what was committed before it. */
SOTTO_MUST_CHECK enum sotto_err postgres_start(struct postgres_link *link);

/** Begins a transaction that no other gateway has open at the same time, also after a new start of
 *  the server in between. */
SOTTO_MUST_CHECK enum sotto_err postgres_begin(struct postgres_link *link);

/** Ends it: commits where `err` is SOTTO_OK, else rolls back.  @return what counts */
SOTTO_MUST_CHECK enum sotto_err postgres_end(struct postgres_link *link, enum sotto_err err);

/** The socket, for poll(); -1: not connected. */
int postgres_socket(const struct postgres_link *link);

/** Takes what came in.  @param[out] told  whether a notification was among it */
SOTTO_MUST_CHECK enum sotto_err postgres_notified(struct postgres_link *link, bool *told);

/** How often this link was connected. */
uint64_t postgres_connections(const struct postgres_link *link);

#endif
