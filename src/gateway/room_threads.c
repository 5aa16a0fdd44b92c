/* SPDX-License-Identifier: Apache-2.0 */

#include "gateway/room_threads.h"

#include "base/alloc.h"
#include "gateway/room_process.h"

static void on_memory(struct sotto_timer *timer)
{
    struct room_threads *all = SOTTO_CONTAINER(timer, struct room_threads, memory_timer);
    sotto_memory_return_tick(&all->memory);
    sotto_timer_arm(timer, SOTTO_MEMORY_RETURN_MS);
}

enum sotto_err room_threads_open(struct room_threads *all, size_t count,
                                 const struct sotto_doorway_handler *door,
                                 const struct sotto_doorway_handler *control, void *control_ctx)
{
    struct sotto_door_rules rules = sotto_door_rules_vault();
    all->list = sotto_calloc(count, sizeof(*all->list));
    if (all->list == NULL) {
        return SOTTO_ENOMEM;
    }
    all->count = count;
    enum sotto_err err = sotto_loop_new(&all->loop);
    if (err == SOTTO_OK) {
        err = sotto_doorway_new(all->loop, SOTTO_ROOM_CONTROL_FD, &rules, control, control_ctx,
                                &all->control);
    }
    if (err == SOTTO_OK) {
        err = sotto_timer_open(all->loop, &all->memory_timer, on_memory);
    }
    for (size_t i = 0; i < count && err == SOTTO_OK; i++) {
        struct room_thread *t = &all->list[i];
        t->all = all;
        err = sotto_loop_new(&t->loop);
        if (err == SOTTO_OK) {
            err =
                sotto_doorway_new(t->loop, SOTTO_ROOM_DOORS_FD + (int)i, &rules, door, t, &t->link);
        }
    }
    return err;
}

static void on_ended(struct sotto_task *task)
{
    struct room_thread *t = SOTTO_CONTAINER(task, struct room_thread, ended_task);
    struct room_threads *all = t->all;
    all->ended++;
    all->failed = all->failed || t->failed;
    if (all->failed || all->ended == all->count) {
        sotto_loop_stop(all->loop);
    }
}

static void *thread_main(void *arg)
{
    struct room_thread *t = arg;
    sotto_ignore(sotto_loop_run(t->loop)); /* the main thread hears of the end in either case */
    sotto_loop_post(t->all->loop, &t->ended_task, on_ended);
    return NULL;
}

enum sotto_err room_threads_start(struct room_threads *all)
{
    for (size_t i = 0; i < all->count; i++) {
        struct room_thread *t = &all->list[i];
        if (pthread_create(&t->thread, NULL, thread_main, t) != 0) {
            return SOTTO_EIO;
        }
        t->started = true;
    }
    sotto_timer_arm(&all->memory_timer, SOTTO_MEMORY_RETURN_MS);
    return SOTTO_OK;
}

void room_thread_closed(void *ctx, bool broken)
{
    struct room_thread *t = ctx;
    (void)broken;
    t->failed = true;
    sotto_loop_stop(t->loop);
}

void room_threads_ready(struct room_threads *all, enum sotto_err err, sotto_span body)
{
    struct sotto_door_msg msg = {.kind = SOTTO_DOOR_READY, .arg = err, .body = body};
    sotto_doorway_put(all->control, &msg);
}

void room_threads_join(struct room_threads *all)
{
    for (size_t i = 0; i < all->count; i++) {
        struct room_thread *t = &all->list[i];
        if (t->started) {
            sotto_loop_stop(t->loop);
            pthread_join(t->thread, NULL);
            t->started = false;
        }
    }
}

void room_threads_close(struct room_threads *all)
{
    for (size_t i = 0; i < all->count; i++) {
        sotto_doorway_free(all->list[i].link);
    }
    sotto_doorway_free(all->control);
    sotto_timer_close(&all->memory_timer);
    sotto_loop_free(all->loop); /* runs what the threads posted, which looks at the list */
    for (size_t i = 0; i < all->count; i++) {
        sotto_loop_free(all->list[i].loop);
    }
    sotto_free(all->list);
}
