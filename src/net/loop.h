/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_NET_LOOP_H
#define SOTTO_NET_LOOP_H

/*
 * The event loop: one a thread, over epoll.  Descriptors, timers, tasks for later in the same
 * thread, and tasks posted from other threads.  Watches, timers and tasks are embedded in what
 * they serve, so that arming, stopping and queueing cannot fail and allocate nothing.
 *
 * All functions but sotto_loop_post() and sotto_loop_stop() belong to the thread that runs the
 * loop.  Callbacks may do anything but run or free the loop.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct sotto_loop;

/* What happened to a descriptor; bits. */
#define SOTTO_LOOP_READ  1U /* readable, or the end of the stream was reached */
#define SOTTO_LOOP_WRITE 2U
#define SOTTO_LOOP_GONE  4U /* the other side closed (at least its half), or an error */

struct sotto_watch;
struct sotto_timer;
struct sotto_task;
typedef void sotto_watch_fn(struct sotto_watch *watch, uint32_t events);
typedef void sotto_timer_fn(struct sotto_timer *timer);
typedef void sotto_task_fn(struct sotto_task *task);

/** A watched descriptor.  Private but for `fd`; zero-initialised is not watched. */
struct sotto_watch {
    sotto_watch_fn *fn;
    int fd;
    bool watched;
};

/** A timer.  Private; zero-initialised is not opened. */
struct sotto_timer {
    struct sotto_loop *loop;
    sotto_timer_fn *fn;
    int64_t due_us;  /* when to fire; INT64_MAX: stopped */
    int64_t key_us;  /* where it stands in the heap; never after due_us */
    size_t position; /* in the heap; 0: not in it */
};

/** Something to do later.  Private; zero-initialised is not queued. */
struct sotto_task {
    struct sotto_task *next;
    sotto_task_fn *fn;
    bool queued;
};

/** The structure that `member` is embedded in. */
#define SOTTO_CONTAINER(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

/**
 * @param[out] out  set only on SOTTO_OK; freed with sotto_loop_free()
 * @retval SOTTO_ENOMEM, SOTTO_EIO
 */
SOTTO_MUST_CHECK enum sotto_err sotto_loop_new(struct sotto_loop **out);

/**
 * Runs the tasks that are still queued or posted, then frees the loop; NULL is allowed.  Watches
 * and timers have to be closed before.
 */
void sotto_loop_free(struct sotto_loop *loop);

/**
 * Runs until sotto_loop_stop().
 * @retval SOTTO_EIO  epoll failed
 */
SOTTO_MUST_CHECK enum sotto_err sotto_loop_run(struct sotto_loop *loop);

/** Lets sotto_loop_run() return after the current round.  From any thread. */
void sotto_loop_stop(struct sotto_loop *loop);

/**
 * One round: waits at most `wait_ms` for something to happen, and does what there is.  For tests
 * and for programs with a loop of their own.
 * @retval SOTTO_EIO
 */
SOTTO_MUST_CHECK enum sotto_err sotto_loop_step(struct sotto_loop *loop, int wait_ms);

/**
 * Runs what other threads have posted and nothing else: no descriptor is looked at, no timer fires.
 * For the end of a loop that runs no more, while those who work for it are already gone.
 */
void sotto_loop_settle(struct sotto_loop *loop);

/** Time of this round, on the clock of sys/clock.h: read once a wake, costs nothing. */
int64_t sotto_loop_now_us(const struct sotto_loop *loop);
int64_t sotto_loop_now_ms(const struct sotto_loop *loop);

/** For tests: lets the loop's clock jump ahead. */
void sotto_loop_skip_ms(struct sotto_loop *loop, int64_t ms);

/**
 * Watches a descriptor for everything at once, edge-triggered: `fn` is called when something new
 * happens, and has to read and write until EAGAIN.  The first call may come at once.
 * @retval SOTTO_EIO, SOTTO_ENOMEM
 */
SOTTO_MUST_CHECK enum sotto_err sotto_loop_watch(struct sotto_loop *loop, struct sotto_watch *watch,
                                                 int fd, sotto_watch_fn *fn);

/** As sotto_loop_watch(), level-triggered and for reading only: listeners, signals, eventfds. */
SOTTO_MUST_CHECK enum sotto_err sotto_loop_watch_level(struct sotto_loop *loop,
                                                       struct sotto_watch *watch, int fd,
                                                       sotto_watch_fn *fn);

/** Ends the watch; `fn` is not called again, also not in this round.  Does not close the fd. */
void sotto_loop_unwatch(struct sotto_loop *loop, struct sotto_watch *watch);

/**
 * Makes a timer usable: reserves its place, so that arming cannot fail.
 * @retval SOTTO_ENOMEM
 */
SOTTO_MUST_CHECK enum sotto_err sotto_timer_open(struct sotto_loop *loop, struct sotto_timer *timer,
                                                 sotto_timer_fn *fn);

/** Stops it and gives the place back.  Not opened is fine. */
void sotto_timer_close(struct sotto_timer *timer);

/** Lets it fire once, `ms` from now (or sooner than before, or later).  Pushing back is free. */
void sotto_timer_arm(struct sotto_timer *timer, int64_t ms);

/** Stops it.  Free. */
void sotto_timer_stop(struct sotto_timer *timer);

static inline bool sotto_timer_armed(const struct sotto_timer *timer)
{
    return timer->due_us != INT64_MAX && timer->loop != NULL;
}

/** Runs the task at the end of this round, once.  Queued already: nothing changes. */
void sotto_loop_defer(struct sotto_loop *loop, struct sotto_task *task, sotto_task_fn *fn);

/** Takes a deferred task back.  Not queued is fine. */
void sotto_loop_undefer(struct sotto_loop *loop, struct sotto_task *task);

/**
 * From any thread: runs the task in the loop's thread.  The task must not be posted again before
 * it has run, and everything written before is visible to it.
 */
void sotto_loop_post(struct sotto_loop *loop, struct sotto_task *task, sotto_task_fn *fn);

/**
 * 64 KiB that every reader in this thread may use within one callback; wiped by whoever filled it.
 */
uint8_t *sotto_loop_scratch(struct sotto_loop *loop);
#define SOTTO_LOOP_SCRATCH_BYTES ((size_t)64 << 10)

#endif
