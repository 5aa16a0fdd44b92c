/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_FLEET_VALKEY_H
#define SOTTO_FLEET_VALKEY_H

/*
 * One connection of one event loop to a Valkey or Redis server, made anew whenever it is lost.
 * Commands are pipelined; their answers come in order.  A server that does not answer a command in
 * time counts as lost: the connection is closed, so that no late answer meets another command.
 * While nobody asks anything it is asked for a sign of life, so that whoever looks at the connection
 * knows of a server that went away in silence before a request does.
 *
 *   DOWN -> RESOLVING -> CONNECTING -> (SHAKING) -> GREETING -> OPEN -> DOWN, after a pause
 *
 * GREETING proves who we are (AUTH), chooses the database, reads what kind of server it is and
 * loads the scripts.  A server that may drop counters to make room, or is one of a cluster, is
 * refused: what it forgets would go unprotected.
 */

#include "fleet/resp.h"
#include "net/loop.h"
#include "net/resolver.h"
#include "net/tls.h"

/** Pause before a new connection: doubled from the first to the last with each one that fails. */
#define SOTTO_VALKEY_PAUSE_FIRST_MS 50
#define SOTTO_VALKEY_PAUSE_LAST_MS  2000

/** After so long without a command the server is asked for a sign of life. */
#define SOTTO_VALKEY_SILENCE_MS 1000

/** Most commands without an answer, and bytes of commands that wait. */
#define SOTTO_VALKEY_CALLS_MAX 65536
#define SOTTO_VALKEY_BYTES_MAX ((size_t)64 << 20)

/** Length of a server's run id, hexadecimal. */
#define SOTTO_VALKEY_RUN_ID_LEN 40

/** Longest sentence that says why there is no connection. */
#define SOTTO_VALKEY_WHY_BYTES 200

struct sotto_valkey;
struct sotto_valkey_call;

/** A script that the server runs by the SHA-1 of its text. */
struct sotto_valkey_script {
    const char *text;
    const char *sha1;
};

/** Borrowed as long as the link, spans included. */
struct sotto_valkey_options {
    struct sotto_resolver *resolver;
    struct sotto_tls_context *tls; /* NULL: in the clear */
    sotto_span host;
    uint16_t port;
    sotto_span username; /* empty: the server's default user */
    sotto_span password; /* empty: none */
    unsigned database;
    int64_t wait_ms; /* for a connection, and for each answer */
    const struct sotto_valkey_script *scripts;
    size_t script_count;
    void (*on_open)(void *ctx); /* commands may be sent; not called from within another call */
    void *ctx;
};

/**
 * @param err    SOTTO_OK: there is an answer, which is no error; else the store failed, and whether
 *               the command was carried out is unknown
 * @param reply  valid for the call; NULL where there is none
 */
typedef void sotto_valkey_fn(struct sotto_valkey_call *call, enum sotto_err err,
                             const struct sotto_resp_reply *reply);

/** A command under way, embedded in what it is about, which stays until `fn` was called. */
struct sotto_valkey_call {
    struct sotto_valkey_call *next;
    sotto_valkey_fn *fn;
    int64_t due_ms;
};

/**
 * Begins to connect.
 *
 * @param[out] out  set only on SOTTO_OK; freed with sotto_valkey_free()
 * @retval SOTTO_ENOMEM
 */
SOTTO_MUST_CHECK enum sotto_err sotto_valkey_new(struct sotto_loop *loop,
                                                 const struct sotto_valkey_options *options,
                                                 struct sotto_valkey **out);

/** Closes for good: each call under way ends with SOTTO_ECLOSED, further ones are refused. */
void sotto_valkey_stop(struct sotto_valkey *link);

/** Stops and frees; NULL is allowed. */
void sotto_valkey_free(struct sotto_valkey *link);

/**
 * Sends a command, at once or as soon as the connection that is being made is there.
 *
 * @retval SOTTO_ECLOSED  there is no connection; `fn` will not be called, as with the others
 * @retval SOTTO_ELIMIT   too much waits already
 * @retval SOTTO_ENOMEM
 */
SOTTO_MUST_CHECK enum sotto_err sotto_valkey_send(struct sotto_valkey *link,
                                                  struct sotto_valkey_call *call,
                                                  sotto_valkey_fn *fn, const sotto_span *words,
                                                  size_t count);

/** Whether commands are carried out at present.  From any thread. */
bool sotto_valkey_is_open(const struct sotto_valkey *link);

/** Whether the server was reached and cannot be used as it is configured. */
bool sotto_valkey_is_refused(const struct sotto_valkey *link);

/** Id of the present run of the server; changes with each start.  Empty: never connected. */
const char *sotto_valkey_run_id(const struct sotto_valkey *link);

/** Why there is no connection, one sentence without a secret; empty while there is one. */
const char *sotto_valkey_why(const struct sotto_valkey *link);

#endif
