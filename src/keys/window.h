/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_KEYS_WINDOW_H
#define SOTTO_KEYS_WINDOW_H

/*
 * What was used in the last minute: a window that slides in steps of a second.  The present second
 * and the 60 before it count, so any 60 seconds lie within it.  A time that went back by less than
 * the window changes nothing; after a clock that was set back further, all that was in the window
 * counts as of now, and leaves it a minute later.  Zero-initialised is empty and valid.  Not
 * thread-safe.
 */

#include "base/compiler.h"
#include "base/span.h"

#define SOTTO_WINDOW_STEPS 61

struct sotto_window {
    int64_t latest_step;                /* the latest second seen, since 1970 */
    uint64_t steps[SOTTO_WINDOW_STEPS]; /* of a second, at second modulo the number of steps */
    uint64_t sum;
};

/** Moves to the second of `now_ms`, which is not negative. */
void sotto_window_advance(struct sotto_window *window, int64_t now_ms);

/** Counts `amount` in the present second. */
void sotto_window_add(struct sotto_window *window, uint64_t amount);

/** Counts `amount` in second `step`, unless that has left the window. */
void sotto_window_put(struct sotto_window *window, int64_t step, uint64_t amount);

/** Takes back what was counted in second `step`; what has left the window is gone. */
void sotto_window_take(struct sotto_window *window, int64_t step, uint64_t amount);

/** Milliseconds until `amount` of what is in the window has left it; 0: no need to wait. */
uint32_t sotto_window_wait_ms(const struct sotto_window *window, uint64_t amount, int64_t now_ms);

#endif
