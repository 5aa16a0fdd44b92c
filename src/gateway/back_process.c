/* SPDX-License-Identifier: Apache-2.0 */

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "gateway/back.h"
#include "gateway/room_process.h"
#include "gateway/room_threads.h"
#include "net/resolver.h"
#include "net/tls.h"
#include "sys/harden.h"
#include "sys/sandbox.h"

struct back_process {
    struct room_threads threads;
    struct sotto_resolver *resolver;
    struct sotto_tls_context *tls;
    const struct sotto_back_trust *trust;
};

static void on_message(void *ctx, const struct sotto_door_msg *msg)
{
    struct room_thread *t = ctx;
    struct sotto_back_setup *setup;
    if (msg->kind != SOTTO_DOOR_SETUP) {
        sotto_back_from_vault(t->room, msg);
        return;
    }
    if (sotto_back_setup_read(msg->body, &setup) == SOTTO_OK) {
        if (sotto_back_use(t->room, setup) != SOTTO_OK) {
            sotto_free(setup); /* fetches of this setup are refused */
        }
    }
}

static void on_full(void *ctx, bool full)
{
    struct room_thread *t = ctx;
    sotto_back_hold(t->room, full);
}

static const struct sotto_doorway_handler door_handler = {
    .on_message = on_message,
    .on_full = on_full,
    .on_closed = room_thread_closed,
};

static void on_control(void *ctx, const struct sotto_door_msg *msg)
{
    (void)ctx;
    (void)msg; /* nothing that concerns the back comes here */
}

static void on_control_closed(void *ctx, bool broken)
{
    struct back_process *p = ctx;
    p->threads.over = !broken;
    sotto_loop_stop(p->threads.loop);
}

static const struct sotto_doorway_handler control_handler = {
    .on_message = on_control,
    .on_closed = on_control_closed,
};

/* Certificates are looked up as they are needed, names in files that others replace. */
static enum sotto_err close_off(struct back_process *p, struct sotto_sandbox_report *report)
{
    char file[SOTTO_ROOM_PATH_BYTES] = "/dev/urandom";
    if (p->trust->file != NULL) {
        sotto_room_folder_of(p->trust->file, file);
    }
    const char *const none[] = {NULL};
    const char *read[SOTTO_RESOLVER_PATHS + 4] = {
        "/dev/urandom", file, p->trust->folder != NULL ? p->trust->folder : "/dev/urandom"};
    sotto_resolver_paths(read + 3);
    sotto_resolver_prepare();
    const struct sotto_sandbox_paths paths = {.read = read, .write = none};
    return sotto_sandbox(SOTTO_SANDBOX_BACK, &paths, report);
}

static enum sotto_err open_rooms(struct back_process *p, size_t workers)
{
    enum sotto_err err =
        room_threads_open(&p->threads, workers, &door_handler, &control_handler, p);
    if (err == SOTTO_OK) {
        err = sotto_resolver_new(&p->resolver);
    }
    if (err == SOTTO_OK) {
        err = sotto_tls_client_new(NULL, &p->tls);
    }
    for (size_t i = 0; i < workers && err == SOTTO_OK; i++) {
        struct room_thread *t = &p->threads.list[i];
        struct sotto_back *back;
        err = sotto_back_new(t->loop, p->resolver, p->tls, &back);
        if (err == SOTTO_OK) {
            t->room = back;
            sotto_back_connect(back, (struct sotto_door){sotto_doorway_put, t->link});
        }
    }
    return err;
}

int sotto_back_process(size_t workers, bool required, const struct sotto_back_trust *trust)
{
    struct back_process p = {.trust = trust};
    struct sotto_sandbox_report report = {0};
    enum sotto_err err = open_rooms(&p, workers);
    if (err == SOTTO_OK) {
        enum sotto_err closed = close_off(&p, &report);
        err = required ? closed : SOTTO_OK;
    }
    if (err == SOTTO_OK) {
        err = room_threads_start(&p.threads);
    }
    if (p.threads.control != NULL) {
        const struct sotto_room_ready ready = {.landlock = (uint16_t)report.landlock,
                                               .seccomp = report.seccomp};
        room_threads_ready(&p.threads, err,
                           sotto_span_init((const uint8_t *)&ready, sizeof(ready)));
        sotto_ignore(sotto_loop_run(p.threads.loop)); /* on failure the vault closes the door */
    }
    room_threads_join(&p.threads);
    for (size_t i = 0; i < p.threads.count; i++) {
        sotto_back_free(p.threads.list[i].room);
    }
    room_threads_close(&p.threads);
    sotto_resolver_free(p.resolver);
    sotto_tls_context_drop(p.tls);
    return p.threads.over ? 0 : 1;
}
