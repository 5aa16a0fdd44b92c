/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_GATEWAY_ROOM_H
#define SOTTO_GATEWAY_ROOM_H

/*
 * The vault room: everything between the two doors (gateway/door.h).  It reads a request in its
 * dialect, admits it, masks it, has it fetched, restores the answer and writes it in the dialect's
 * form.  It has no sockets; time and work to be done later come from the thread that runs it.
 *
 * One room belongs to one thread.
 */

#include "gateway/door.h"
#include "gateway/metrics.h"
#include "gateway/setup.h"
#include "gateway/tenants.h"
#include "keys/table.h"
#include "seal/profile.h"

/** A larger request body is read and masked in a worker thread. */
#define SOTTO_ROOM_INLINE_BYTES ((size_t)64 << 10)

/** Longest stretch of masking on the loop's thread before others get their turn. */
#define SOTTO_ROOM_TURN_US 400

struct sotto_room;
struct sotto_trail;
struct sotto_trail_ticket;
struct sotto_room_job; /* a request in the hands of a worker */

/** What the room needs from the thread that runs it. */
struct sotto_room_host {
    void *ctx;
    /** sotto_room_turn() is to be called soon. */
    void (*later)(void *ctx);
    /** Runs sotto_room_job_run() in a worker and then sotto_room_job_done() in this thread. */
    void (*work)(void *ctx, struct sotto_room_job *job);
    /** The keys have changed: sotto_room_keys_ready() is to be called when the slot has them. */
    void (*reload_keys)(void *ctx);
    /** A line was logged: sotto_log_flush() is to be called soon. */
    void (*logged)(void *ctx);
    /** Hands the ticket to the trail; its `done` is to be called in this thread. */
    void (*commit)(void *ctx, struct sotto_trail_ticket *ticket);
    /** Number of the state of the keys, as store/store.h counts. */
    uint64_t (*key_generation)(void *ctx);
    /** Whether the keys in memory may be used; false: the store has been silent for too long. */
    bool (*keys_trusted)(void *ctx);
};

struct sotto_room_options {
    struct sotto_door front; /* gets REPLY, PAUSE, RESUME, CLOSE */
    struct sotto_door back;  /* gets FETCH, PAUSE, RESUME, CLOSE */
    struct sotto_room_host host;
    struct sotto_trail *trail;          /* the audit log; borrowed */
    struct sotto_key_slot *keys;        /* borrowed */
    struct sotto_metrics *metrics;      /* borrowed: filled by this room alone */
    struct sotto_setup *setup;          /* another reference is taken */
    const uint8_t *master;              /* SOTTO_MASTER_BYTES; borrowed for the call */
    const struct sotto_seal_host *seal; /* borrowed */
    struct sotto_fleet *fleet;          /* of this thread, borrowed; NULL: alone */
};

/** @param[out] out  freed with sotto_room_free().  @retval SOTTO_ENOMEM, SOTTO_ECRYPTO */
SOTTO_MUST_CHECK enum sotto_err sotto_room_new(const struct sotto_room_options *options,
                                               struct sotto_room **out);

/** Drops all requests without a word to the doors, wipes and frees; NULL is allowed. */
void sotto_room_free(struct sotto_room *room);

/** The room's ends of the two doors; `ctx` is a struct sotto_room. */
void sotto_room_from_front(void *ctx, const struct sotto_door_msg *msg);
void sotto_room_from_back(void *ctx, const struct sotto_door_msg *msg);

/** The back is gone: requests that wait for it end with an error. */
void sotto_room_back_lost(struct sotto_room *room);

/** Goes on with requests that are being masked, for about one turn; calls `later` for more. */
void sotto_room_turn(struct sotto_room *room);

/** To be called every second: comments in silent streams, heads of streams that wait. */
void sotto_room_tick(struct sotto_room *room);

/** The slot has the newest keys: requests that waited for them go on. */
void sotto_room_keys_ready(struct sotto_room *room);

/** From now on requests begin with this setup; another reference is taken. */
void sotto_room_use(struct sotto_room *room, struct sotto_setup *setup);

/** From any thread: the end has come, jobs that workers have or get are given up at once. */
void sotto_room_end(struct sotto_room *room);

/** In a worker thread: reads and masks the request. */
void sotto_room_job_run(struct sotto_room_job *job);

/** In the room's thread, after it: sends the request off, or refuses it. */
void sotto_room_job_done(struct sotto_room_job *job);

#endif
