/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_STORE_POSTGRES_AUDIT_H
#define SOTTO_STORE_POSTGRES_AUDIT_H

/*
 * The tables of a fleet's audit log in PostgreSQL (the schema `sotto`):
 *
 *   audit          one row: the log's name, its signing key (sealed), and the head, whose lock is
 *                  the turn: whoever holds it commits
 *   audit_frame    what was committed: a frame (audit/journal.h) of `count` entries from `first` on
 *                  and the code that chains it to the one before; no frame holds a slot
 *   audit_subject  a slot each (audit/subject.h); of an erased one the number of its erasure, too
 *
 * These functions move bytes and judge nothing: store/audit_fleet.c checks what comes back.  One
 * thread at a time.  Errors are those of postgres_run().
 */

#include "audit/subject.h"
#include "base/buf.h"
#include "crypto/hmac.h"
#include "store/store.h"

/** Most entries that one read of frames spans. */
#define POSTGRES_AUDIT_SPAN 4096

struct postgres_audit;

/** Connects when it is first used.  @retval SOTTO_EINVAL  no such URL;  @retval SOTTO_ENOMEM */
SOTTO_MUST_CHECK enum sotto_err postgres_audit_new(sotto_span url, struct postgres_audit **out);

/** NULL is allowed. */
void postgres_audit_free(struct postgres_audit *db);

/** Why the last call failed, as a sentence. */
const char *postgres_audit_why(const struct postgres_audit *db);

/**
 * Reads the log's name and its sealed key.
 *
 * @param[out] origin  appended
 * @param[out] sealed  appended
 * @retval SOTTO_ENOTFOUND  no log was begun
 */
SOTTO_MUST_CHECK enum sotto_err
postgres_audit_key(struct postgres_audit *db, struct sotto_buf *origin, struct sotto_buf *sealed);

/** Begins a log, where none was begun: of several that do, one is the first. */
SOTTO_MUST_CHECK enum sotto_err postgres_audit_create(struct postgres_audit *db, sotto_span origin,
                                                      sotto_span sealed,
                                                      const uint8_t code[SOTTO_HMAC_BYTES]);

struct postgres_audit_head {
    uint64_t next;                  /* index of the next entry */
    uint64_t subjects;              /* how many slots there are */
    uint64_t erasures;              /* how many subjects were erased */
    uint8_t code[SOTTO_HMAC_BYTES]; /* of the last frame */
};

/**
 * Reads the head.
 *
 * @param turn  in a transaction: waits until nobody else has the turn, and takes it
 * @retval SOTTO_ENOTFOUND  no log was begun
 * @retval SOTTO_EFORMAT    the row is not one that a gateway wrote
 */
SOTTO_MUST_CHECK enum sotto_err postgres_audit_head(struct postgres_audit *db, bool turn,
                                                    struct postgres_audit_head *out);

/** A frame as it lies there; views that last for the call. */
struct postgres_audit_frame {
    uint64_t first, count;
    sotto_span bytes, code;
};

typedef enum sotto_err postgres_audit_each_frame(void *ctx, const struct postgres_audit_frame *f);
typedef enum sotto_err postgres_audit_each_slot(void *ctx, uint64_t number, sotto_span slot);

/** Reads the frames that begin from entry `from` on and before `until`, in order; no more than
 *  POSTGRES_AUDIT_SPAN entries further. */
SOTTO_MUST_CHECK enum sotto_err postgres_audit_frames(struct postgres_audit *db, uint64_t from,
                                                      uint64_t until,
                                                      postgres_audit_each_frame *each, void *ctx);

/** Reads the slots from `from` on and before `until`, in order; no more than
 *  POSTGRES_AUDIT_SPAN. */
SOTTO_MUST_CHECK enum sotto_err postgres_audit_slots(struct postgres_audit *db, uint64_t from,
                                                     uint64_t until, postgres_audit_each_slot *each,
                                                     void *ctx);

/** Reads the slots that were erased after erasure number `after`. */
SOTTO_MUST_CHECK enum sotto_err postgres_audit_erased(struct postgres_audit *db, uint64_t after,
                                                      postgres_audit_each_slot *each, void *ctx);

/** Begins a transaction. */
SOTTO_MUST_CHECK enum sotto_err postgres_audit_begin(struct postgres_audit *db);

/** Commits where `err` is SOTTO_OK, else rolls back.  @return what counts */
SOTTO_MUST_CHECK enum sotto_err postgres_audit_end(struct postgres_audit *db, enum sotto_err err);

/** Adds slots, one behind the other in `slots`, with the numbers from `first` on. */
SOTTO_MUST_CHECK enum sotto_err postgres_audit_add_slots(struct postgres_audit *db, uint64_t first,
                                                         sotto_span slots);

/** Adds a frame and moves the head. */
SOTTO_MUST_CHECK enum sotto_err postgres_audit_add_frame(struct postgres_audit *db,
                                                         const struct postgres_audit_frame *frame,
                                                         uint64_t subjects);

/** Puts `slot` in the place of a subject's and counts the erasure.  @retval SOTTO_ENOTFOUND */
SOTTO_MUST_CHECK enum sotto_err postgres_audit_erase(struct postgres_audit *db, uint64_t number,
                                                     const uint8_t slot[SOTTO_AUDIT_SLOT_BYTES]);

#endif
