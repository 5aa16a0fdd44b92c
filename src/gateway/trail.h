/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_GATEWAY_TRAIL_H
#define SOTTO_GATEWAY_TRAIL_H

/*
 * The audit log of a running gateway: two side threads over store/audit_log.h.  One commits what
 * the event loops hand over, as many entries as wait with one sync; the other brings them under a
 * checkpoint twice a second, takes over what other gateways of a fleet committed, counts requests
 * without a key once a minute, and erases subjects that `sotto audit erase` asks for.
 *
 * No event loop ever waits for a disk.  Under `audit.durability: strict` it holds the end of an
 * answer back until its ticket comes back.
 *
 * The command line asks for an erasure with the file `erase` (the subject) in the log's folder and
 * finds the outcome in `erased`: "ok", or a sentence.
 */

#include "audit/subject.h"
#include "config/config.h"
#include "net/loop.h"
#include "store/audit_log.h"

struct sotto_trail;

/** One entry on its way.  Made with sotto_trail_ticket_new(). */
struct sotto_trail_ticket {
    struct sotto_trail_ticket *next; /* NULL in a new one */
    struct sotto_task task;
    struct sotto_loop *loop; /* NULL: nobody waits, the trail frees the ticket */
    /** In the loop's thread, when it is on disk or `result` says why not; frees the ticket. */
    void (*done)(struct sotto_trail_ticket *ticket);
    void *ctx;
    enum sotto_err result;
    char id[SOTTO_AUDIT_ID_SYMBOLS];
    char subject[SOTTO_AUDIT_SUBJECT_MAX + 1];
    struct sotto_buf record;
};

/** An empty ticket; NULL: no memory. */
struct sotto_trail_ticket *sotto_trail_ticket_new(void);
void sotto_trail_ticket_free(struct sotto_trail_ticket *ticket);

/**
 * Opens the log in `folder`/audit and starts the threads.
 *
 * @param folder    the state folder
 * @param[out] out  set only on SOTTO_OK; ended with sotto_trail_free()
 * @param[out] why  on failure a sentence
 *
 * Errors as sotto_audit_open().
 */
SOTTO_MUST_CHECK enum sotto_err sotto_trail_new(const struct sotto_config *config,
                                                const char *folder, struct sotto_trail **out,
                                                char why[SOTTO_STORE_WHY_BYTES]);

/**
 * Commits what was handed over and ends the threads; NULL is allowed.  After that a ticket is
 * committed, and its `done` called, within sotto_trail_put(): for what is left when event loops
 * have ended.
 */
void sotto_trail_stop(struct sotto_trail *trail);

/** Stops, publishes what is left and closes; NULL is allowed. */
void sotto_trail_free(struct sotto_trail *trail);

/** Whether answers have to wait for their entries. */
bool sotto_trail_strict(const struct sotto_trail *trail);

/** Whether the last commit succeeded: if not, requests are refused.  Any thread. */
bool sotto_trail_healthy(const struct sotto_trail *trail);

/**
 * Hands entries over, linked by `next`; any thread.  Those of one call are committed together, and
 * tickets of one commit come back to their loop together.
 */
void sotto_trail_put(struct sotto_trail *trail, struct sotto_trail_ticket *tickets);

/** Counts a request without a key; any thread. */
void sotto_trail_count(struct sotto_trail *trail);

/** An entry that could not even be handed over is lost: requests are refused from here on. */
void sotto_trail_lost(struct sotto_trail *trail);

/** The log, for looking things up in a side thread. */
struct sotto_audit_log *sotto_trail_log(struct sotto_trail *trail);

/** Waits until all that was handed over so far is committed; in a side thread. */
void sotto_trail_settle(struct sotto_trail *trail);

#endif
