/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_GATEWAY_ROOM_THREADS_H
#define SOTTO_GATEWAY_ROOM_THREADS_H

/*
 * What front and back have in common as processes: threads with a loop and a door each, and the
 * door to the vault's main thread.  For front_process.c and back_process.c alone.
 */

#include <pthread.h>

#include "gateway/doorway.h"
#include "sys/memory_return.h"

struct room_threads;

struct room_thread {
    struct room_threads *all;
    struct sotto_loop *loop;
    struct sotto_doorway *link;
    void *room; /* struct sotto_front or sotto_back */
    struct sotto_task ended_task;
    pthread_t thread;
    bool started;
    bool failed; /* its door was closed or broken */
};

struct room_threads {
    struct sotto_loop *loop; /* of the main thread */
    struct sotto_doorway *control;
    size_t count, ended;
    bool failed;
    bool over; /* the vault closed the control door */
    struct sotto_timer memory_timer;
    struct sotto_memory_return memory;
    struct room_thread *list;
};

/** Opens loops and doors.  `on_message` and `on_full` get the struct room_thread. */
SOTTO_MUST_CHECK enum sotto_err room_threads_open(struct room_threads *all, size_t count,
                                                  const struct sotto_doorway_handler *door,
                                                  const struct sotto_doorway_handler *control,
                                                  void *control_ctx);

/** Starts them. */
SOTTO_MUST_CHECK enum sotto_err room_threads_start(struct room_threads *all);

/** A door was closed: the whole process ends.  For `on_closed` of a door; `ctx` is the thread. */
void room_thread_closed(void *ctx, bool broken);

/** Answers the vault's main thread. */
void room_threads_ready(struct room_threads *all, enum sotto_err err, sotto_span body);

/** Ends the threads. */
void room_threads_join(struct room_threads *all);

/** Frees doors and loops, after their rooms. */
void room_threads_close(struct room_threads *all);

#endif
