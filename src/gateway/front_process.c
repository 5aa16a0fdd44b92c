/* SPDX-License-Identifier: Apache-2.0 */

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "gateway/front.h"
#include "gateway/room_process.h"
#include "gateway/room_setup.h"
#include "gateway/room_threads.h"
#include "net/socket.h"
#include "net/tls.h"
#include "sys/log.h"
#include "sys/sandbox.h"

/* Requests that the vault has not taken; beyond, new ones are turned away. */
#define FRONT_WAITING_MAX ((size_t)64 << 20)

struct front_process {
    struct room_threads threads;
    struct sotto_front_setup setup;
    struct sotto_tls_context *tls;
    struct sotto_front *admin;
    struct sotto_doorway *admin_link;
    bool required, set_up, draining;
};

/* An order for one thread; freed where it is carried out. */
struct front_order {
    struct sotto_task task;
    struct room_thread *thread;
    struct sotto_server_limits limits;
    bool drain;
};

/* --- doors ------------------------------------------------------------------------------------- */

static void from_vault(void *ctx, const struct sotto_door_msg *msg)
{
    struct room_thread *t = ctx;
    sotto_front_from_vault(t->room, msg);
}

static const struct sotto_doorway_handler door_handler = {
    .on_message = from_vault,
    .on_closed = room_thread_closed,
};

/* A vault that does not keep up is not buried under more. */
static void to_vault(void *ctx, const struct sotto_door_msg *msg)
{
    static const char body[] = "{\"error\":{\"message\":\"The gateway is busy: try again.\","
                               "\"type\":\"server_error\",\"param\":null,\"code\":\"busy\"}}";
    struct room_thread *t = ctx;
    if (msg->kind == SOTTO_DOOR_OPEN && sotto_doorway_waiting(t->link) > FRONT_WAITING_MAX) {
        struct sotto_door_msg busy = {
            .kind = SOTTO_DOOR_REPLY,
            .flags = SOTTO_DOOR_LAST,
            .stream = msg->stream,
            .arg = 503,
            .head = SOTTO_LIT("Content-Type: application/json\r\nRetry-After: 1\r\n"),
            .body = sotto_span_init((const uint8_t *)body, sizeof(body) - 1),
        };
        sotto_front_from_vault(t->room, &busy);
        return;
    }
    sotto_doorway_put(t->link, msg);
}

static void admin_from_vault(void *ctx, const struct sotto_door_msg *msg)
{
    struct front_process *p = ctx;
    sotto_front_from_vault(p->admin, msg);
}

static void lost_vault(void *ctx, bool broken)
{
    struct front_process *p = ctx;
    p->threads.over = p->draining && !broken;
    sotto_loop_stop(p->threads.loop);
}

static const struct sotto_doorway_handler admin_handler = {
    .on_message = admin_from_vault,
    .on_closed = lost_vault,
};

/* --- listening --------------------------------------------------------------------------------- */

static enum sotto_err open_fronts(struct front_process *p)
{
    enum sotto_err err = SOTTO_OK;
    for (size_t i = 0; i < p->threads.count && err == SOTTO_OK; i++) {
        struct room_thread *t = &p->threads.list[i];
        struct sotto_front *front;
        err = sotto_front_new(t->loop, &p->setup.limits, &front);
        if (err == SOTTO_OK) {
            t->room = front;
            sotto_front_connect(front, (struct sotto_door){to_vault, t});
        }
    }
    struct sotto_server_limits limits = sotto_server_limits_default();
    struct sotto_door_rules rules = sotto_door_rules_vault();
    if (err == SOTTO_OK) {
        err = sotto_front_new(p->threads.loop, &limits, &p->admin);
    }
    if (err == SOTTO_OK) {
        err = sotto_doorway_new(p->threads.loop, SOTTO_ROOM_DOORS_FD + (int)p->threads.count,
                                &rules, &admin_handler, p, &p->admin_link);
    }
    if (err == SOTTO_OK) {
        sotto_front_connect(p->admin, (struct sotto_door){sotto_doorway_put, p->admin_link});
    }
    return err;
}

/* All threads share the address; the first one may have been given any free port. */
static enum sotto_err listen_all(struct front_process *p, const struct sotto_room_listener *at,
                                 struct sotto_tls_context *tls, uint16_t *bound)
{
    uint16_t port = at->port;
    if (at->host[0] == '\0') {
        return SOTTO_OK;
    }
    enum sotto_err err = sotto_socket_port_free(at->host, port);
    for (size_t i = 0; i < p->threads.count && err == SOTTO_OK; i++) {
        struct sotto_server *server = sotto_front_server(p->threads.list[i].room);
        err = sotto_server_listen(server, at->host, port, tls, 0, bound);
        port = *bound;
    }
    return err;
}

static enum sotto_err listen_everywhere(struct front_process *p, struct sotto_room_ready *ready)
{
    const struct sotto_front_setup *s = &p->setup;
    enum sotto_err err = SOTTO_OK;
    ready->failed = SOTTO_FRONT_CERTIFICATE;
    if (s->tls.host[0] != '\0') {
        err = sotto_tls_server_new(s->certificate, s->key, &p->tls);
    }
    if (err == SOTTO_OK) {
        ready->failed = SOTTO_FRONT_PLAIN;
        err = listen_all(p, &s->plain, NULL, &ready->plain);
    }
    if (err == SOTTO_OK) {
        ready->failed = SOTTO_FRONT_TLS;
        err = listen_all(p, &s->tls, p->tls, &ready->tls);
    }
    if (err == SOTTO_OK && s->admin.host[0] != '\0') {
        ready->failed = SOTTO_FRONT_ADMIN;
        err = sotto_server_listen(sotto_front_server(p->admin), s->admin.host, s->admin.port, NULL,
                                  SOTTO_REQUEST_ADMIN, &ready->admin);
    }
    return err;
}

/* Certificate and key are read again at a reload; their files may be replaced, so folders. */
static enum sotto_err close_off(struct front_process *p, struct sotto_room_ready *ready)
{
    char certificate[SOTTO_ROOM_PATH_BYTES], key[SOTTO_ROOM_PATH_BYTES];
    const char *const none[] = {NULL};
    const char *const read[] = {certificate, key, "/dev/urandom", NULL};
    const struct sotto_sandbox_paths paths = {.read = p->setup.tls.host[0] != '\0' ? read : none,
                                              .write = none};
    struct sotto_sandbox_report report;
    sotto_room_folder_of(p->setup.certificate, certificate);
    sotto_room_folder_of(p->setup.key, key);
    enum sotto_err err = sotto_sandbox(SOTTO_SANDBOX_FRONT, &paths, &report);
    ready->landlock = (uint16_t)report.landlock;
    ready->seccomp = report.seccomp;
    return p->required ? err : SOTTO_OK;
}

static void set_up(struct front_process *p)
{
    struct sotto_room_ready ready = {0};
    enum sotto_err err = open_fronts(p);
    ready.failed = SOTTO_FRONT_OTHER;
    if (err == SOTTO_OK) {
        err = listen_everywhere(p, &ready);
    }
    if (err == SOTTO_OK) {
        ready.failed = SOTTO_FRONT_OTHER;
        err = close_off(p, &ready);
    }
    if (err == SOTTO_OK) {
        err = room_threads_start(&p->threads);
    }
    p->set_up = true;
    room_threads_ready(&p->threads, err, sotto_span_init((const uint8_t *)&ready, sizeof(ready)));
}

/* --- orders ------------------------------------------------------------------------------------ */

static void drained(void *ctx)
{
    struct room_thread *t = ctx;
    sotto_loop_stop(t->loop);
}

static void carry_out(struct sotto_task *task)
{
    struct front_order *order = SOTTO_CONTAINER(task, struct front_order, task);
    struct room_thread *t = order->thread;
    if (t->room == NULL) { /* the loop ended before it heard of this, and is being freed */
        sotto_free(order);
        return;
    }
    if (order->drain) {
        sotto_front_on_drained(t->room, drained, t);
        sotto_server_drain(sotto_front_server(t->room));
    } else {
        sotto_server_set_limits(sotto_front_server(t->room), &order->limits);
    }
    sotto_free(order);
}

static void order_all(struct front_process *p, bool drain)
{
    for (size_t i = 0; i < p->threads.count; i++) {
        struct front_order *order = sotto_calloc(1, sizeof(*order));
        if (order == NULL) { /* limits can be sent again; a drain becomes an end */
            if (drain) {
                sotto_loop_stop(p->threads.list[i].loop);
            }
            continue;
        }
        order->thread = &p->threads.list[i];
        order->limits = p->setup.limits;
        order->drain = drain;
        sotto_loop_post(order->thread->loop, &order->task, carry_out);
    }
}

static void reload(struct front_process *p)
{
    order_all(p, false);
    if (p->tls == NULL) {
        return;
    }
    enum sotto_err err = sotto_tls_server_reload(p->tls, p->setup.certificate, p->setup.key);
    if (err != SOTTO_OK) {
        SOTTO_LOG(SOTTO_LOG_ERROR, "certificate_not_reloaded", SOTTO_LOG_ERR("why", err));
    }
}

static void on_control(void *ctx, const struct sotto_door_msg *msg)
{
    struct front_process *p = ctx;
    if (msg->kind == SOTTO_DOOR_DRAIN) {
        p->draining = true;
        order_all(p, true);
    } else if (msg->kind == SOTTO_DOOR_SETUP && msg->body.len == sizeof(p->setup)) {
        memcpy(&p->setup, msg->body.base, sizeof(p->setup));
        if (p->set_up) {
            reload(p);
        } else {
            set_up(p);
        }
    }
}

static const struct sotto_doorway_handler control_handler = {
    .on_message = on_control,
    .on_closed = lost_vault,
};

int sotto_front_process(size_t workers, bool required)
{
    struct front_process p = {.required = required};
    enum sotto_err err =
        room_threads_open(&p.threads, workers, &door_handler, &control_handler, &p);
    if (err == SOTTO_OK) {
        err = sotto_loop_run(p.threads.loop);
    }
    bool answered = p.draining && p.threads.ended == p.threads.count && !p.threads.failed;
    room_threads_join(&p.threads);
    for (size_t i = 0; i < p.threads.count; i++) {
        sotto_front_free(p.threads.list[i].room);
        p.threads.list[i].room = NULL;
    }
    sotto_front_free(p.admin);
    sotto_doorway_free(p.admin_link);
    room_threads_close(&p.threads);
    sotto_tls_context_drop(p.tls);
    return err == SOTTO_OK && (answered || p.threads.over) ? 0 : 1;
}
