/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_STORE_AUDIT_SEQUENCE_H
#define SOTTO_STORE_AUDIT_SEQUENCE_H

/*
 * Who gives the entries of a log their order, and where what was committed lies until it is in the
 * tree.  A row is a sequencer:
 *
 *   journal   a file in the log's folder; the process that holds the folder's lock is the only one
 *             that commits
 *   fleet     tables in PostgreSQL; gateways commit by turns, and each takes over what the others
 *             committed (store/audit_fleet.h)
 *
 * A batch is committed in a turn: take_turn(), add_slot() for each new subject, then commit() or
 * give_up().  What waits for the tree is in `pending` of the log, whole frames (audit/journal.h) in
 * the log's order; `next` is the index behind them.
 *
 * Everything is called with `appending` held, unless it says otherwise; at opening there is nobody
 * else.  Each may take as long as its disk or server does.
 */

#include "store/audit_log.h"

struct audit_sequencer {
    /**
     * Opens the log's signing key and its subjects; both are made at the first start.
     *
     * @param[out] why  on failure a sentence
     */
    enum sotto_err (*open_keys)(struct sotto_audit_log *log, sotto_span origin, char *why);

    /**
     * Reads what was committed and is not in the tree into `pending` and `next`.  The tree is open.
     *
     * @retval SOTTO_EAUTH  what was committed and the tree contradict each other: `why` says where
     */
    enum sotto_err (*open)(struct sotto_audit_log *log, struct sotto_audit_found_state *found,
                           char *why);

    /** Frees what it has; NULL is not given, a log that was not opened whole is. */
    void (*close)(struct sotto_audit_log *log);

    /**
     * Takes over what others committed: `pending`, `next` and the subjects are up to date then.
     *
     * @param[out] more  there is more: publish, and call again
     *
     * @retval SOTTO_EAUTH  it contradicts what was taken over before: the log is broken from here on
     * @retval SOTTO_EIO    nothing can be committed either
     */
    enum sotto_err (*catch_up)(struct sotto_audit_log *log, bool *more);

    /** Catches up; then nobody else commits until the turn ends.  On failure there is no turn. */
    enum sotto_err (*take_turn)(struct sotto_audit_log *log);

    /** A subject that this turn adds, before the first entry that is about it. */
    enum sotto_err (*add_slot)(struct sotto_audit_log *log, uint64_t number,
                               const uint8_t slot[SOTTO_AUDIT_SLOT_BYTES]);

    /**
     * Commits `frame`, durable where the log is strict, and ends the turn.
     *
     * @param count   entries in the frame
     * @retval SOTTO_OK   the caller adds the frame to `pending` and moves `next`
     * @retval SOTTO_EIO  it may have been committed; the next turn knows
     */
    enum sotto_err (*commit)(struct sotto_audit_log *log, size_t count);

    /** Ends the turn: nothing of it is committed. */
    void (*give_up)(struct sotto_audit_log *log);

    /** Makes durable what was committed. */
    enum sotto_err (*sync)(struct sotto_audit_log *log);

    /** Whether what is under a checkpoint takes so much room that settled() is due. */
    bool (*is_full)(const struct sotto_audit_log *log);

    /** All that was committed is under a checkpoint. */
    enum sotto_err (*settled)(struct sotto_audit_log *log);

    /** Destroys a subject's keys.  With both locks.  Errors of sotto_audit_erase(). */
    enum sotto_err (*erase)(struct sotto_audit_log *log, sotto_span subject, uint64_t *slot);
};

extern const struct audit_sequencer audit_journal, audit_fleet;

#endif
