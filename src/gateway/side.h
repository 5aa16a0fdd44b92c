/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_GATEWAY_SIDE_H
#define SOTTO_GATEWAY_SIDE_H

/*
 * The side thread: work that must not stand in an event loop's way.  Large requests are read and
 * masked here, keys are read from the store, use is written to it.  One queue, in order; what a
 * loop handed over goes back to that loop.
 */

#include <pthread.h>

#include "base/err.h"
#include "net/loop.h"

struct sotto_side;

/** A piece of work, embedded in what it is about. */
struct sotto_side_work {
    struct sotto_side_work *next;
    void (*run)(struct sotto_side_work *work);  /* in the side thread */
    void (*done)(struct sotto_side_work *work); /* in the loop's thread; NULL: nothing */
    struct sotto_loop *loop;                    /* NULL: `done` is not called */
    struct sotto_task task;
};

/**
 * Starts the thread.
 *
 * @param[out] out  set only on SOTTO_OK; ended with sotto_side_free()
 * @retval SOTTO_ENOMEM, SOTTO_EIO
 */
SOTTO_MUST_CHECK enum sotto_err sotto_side_new(struct sotto_side **out);

/** Queues work; from any thread. */
void sotto_side_put(struct sotto_side *side, struct sotto_side_work *work);

/** Does what is queued, ends the thread, frees; NULL is allowed. */
void sotto_side_free(struct sotto_side *side);

#endif
