/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_GATEWAY_DOORWAY_H
#define SOTTO_GATEWAY_DOORWAY_H

/*
 * One end of a door between two processes: messages (gateway/door_codec.h) over one of a pair of
 * connected sockets.  What is put in one round of the loop goes out together at its end.
 *
 * The sender never waits: what the other side has not taken yet lies in a wiped buffer, and
 * on_full() tells when that is much and when it is little again.  A room that is told so stops what
 * makes the messages; it goes on reading its other doors, so that two full doors cannot wait for
 * each other: front and back always read.
 */

#include "gateway/door_codec.h"
#include "net/loop.h"

/** on_full(true) above the first, on_full(false) below the second. */
#define SOTTO_DOORWAY_HIGH_BYTES ((size_t)1 << 20)
#define SOTTO_DOORWAY_LOW_BYTES  ((size_t)128 << 10)

struct sotto_doorway;

struct sotto_doorway_handler {
    /** A message that the rules allow; borrowed for the call.  May put messages into any link. */
    sotto_door_fn *on_message;
    /** May be NULL. */
    void (*on_full)(void *ctx, bool full);
    /**
     * The other process is gone (`broken` false), or wrote what the rules forbid, or there is no
     * memory for what it wrote (true).  Nothing comes after it.
     */
    void (*on_closed)(void *ctx, bool broken);
};

/**
 * @param fd       taken over on SOTTO_OK; non-blocking
 * @param handler  borrowed, outlives the link
 * @param[out] out set only on SOTTO_OK
 * @retval SOTTO_ENOMEM, SOTTO_EIO
 */
SOTTO_MUST_CHECK enum sotto_err sotto_doorway_new(struct sotto_loop *loop, int fd,
                                                  const struct sotto_door_rules *rules,
                                                  const struct sotto_doorway_handler *handler,
                                                  void *ctx, struct sotto_doorway **out);

/** Closes, wipes and frees, not inside a callback of the link; NULL is allowed. */
void sotto_doorway_free(struct sotto_doorway *link);

/** A sotto_door_fn: `link` is a struct sotto_doorway.  Without memory the link is closed as broken, later. */
void sotto_doorway_put(void *link, const struct sotto_door_msg *msg);

/** Whether messages are taken; they wait in the other process while not.  At first they are. */
void sotto_doorway_hold(struct sotto_doorway *link, bool held);

/** Bytes that the other side has not taken. */
size_t sotto_doorway_waiting(const struct sotto_doorway *link);

#endif
