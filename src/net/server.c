/* SPDX-License-Identifier: Apache-2.0 */

#include "net/server.h"

#include <errno.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "net/server_conn.h"
#include "net/socket.h"

/* Connections taken before others get a turn. */
#define SERVER_ACCEPTS 64
/* How long a listener rests when the system has no descriptors left. */
#define SERVER_REST_MS 100

struct server_listener {
    struct server_listener *next;
    struct sotto_server *server;
    struct sotto_watch watch;
    struct sotto_timer rest;
    struct sotto_tls_context *tls;
    uint32_t flags;
    bool loopback;
};

static atomic_uint_fast64_t server_count;

struct sotto_server_limits sotto_server_limits_default(void)
{
    return (struct sotto_server_limits){
        .http = {.head_bytes = SOTTO_HTTP_HEAD_MAX, .body_bytes = SOTTO_HTTP_BODY_MAX},
        .head_ms = 10000,
        .body_window_ms = 10000,
        .body_window_bytes = (size_t)10 << 10,
        .keep_alive_ms = 75000,
        .send_ms = 60000,
        .high_bytes = (size_t)128 << 10,
        .low_bytes = (size_t)32 << 10,
        .out_bytes = (size_t)64 << 20,
        .connections = 20000,
    };
}

/* --- listeners -------------------------------------------------------------------------------- */

static void on_accept(struct sotto_watch *watch, uint32_t events);

static void on_rested(struct sotto_timer *timer)
{
    struct server_listener *l = SOTTO_CONTAINER(timer, struct server_listener, rest);
    int fd = l->watch.fd;
    if (sotto_loop_watch_level(l->server->loop, &l->watch, fd, on_accept) != SOTTO_OK) {
        l->watch.fd = fd;
        sotto_timer_arm(&l->rest, SERVER_REST_MS);
    }
}

/* There is no room for a connection now: those who wait stay in the kernel's queue. */
static void rest(struct server_listener *l)
{
    sotto_loop_unwatch(l->server->loop, &l->watch);
    sotto_timer_arm(&l->rest, SERVER_REST_MS);
}

static void on_accept(struct sotto_watch *watch, uint32_t events)
{
    struct server_listener *l = SOTTO_CONTAINER(watch, struct server_listener, watch);
    (void)events;
    for (int i = 0; i < SERVER_ACCEPTS; i++) {
        struct sockaddr_storage peer = {0};
        socklen_t len = sizeof(peer);
        if (l->server->stats.open >= l->server->limits.connections) {
            rest(l);
            return;
        }
        int fd = accept4(watch->fd, (struct sockaddr *)(void *)&peer, &len,
                         SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) {
            if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
                rest(l);
                return;
            }
            if (errno == EAGAIN) {
                return;
            }
            continue; /* a client that was gone before we came */
        }
        uint32_t flags = l->flags;
        if (l->loopback && sotto_socket_is_loopback(&peer)) {
            flags |= SOTTO_REQUEST_LOOPBACK;
        }
        if (sotto_conn_open(l->server, fd, l->tls, flags) != SOTTO_OK) {
            close(fd);
        }
    }
}

static void close_listener(struct server_listener *l)
{
    sotto_loop_unwatch(l->server->loop, &l->watch);
    sotto_timer_close(&l->rest);
    close(l->watch.fd);
    sotto_tls_context_drop(l->tls);
    sotto_free(l);
}

static void close_listeners(struct sotto_server *server)
{
    while (server->listeners != NULL) {
        struct server_listener *l = server->listeners;
        server->listeners = l->next;
        close_listener(l);
    }
}

enum sotto_err sotto_server_listen(struct sotto_server *server, const char *address, uint16_t port,
                                   struct sotto_tls_context *tls, uint32_t flags,
                                   uint16_t *bound_port)
{
    struct server_listener *l = sotto_calloc(1, sizeof(*l));
    uint16_t bound = 0;
    int fd = -1;
    if (l == NULL) {
        return SOTTO_ENOMEM;
    }
    enum sotto_err err = sotto_socket_listen(address, port, &fd, &bound, &l->loopback);
    if (err != SOTTO_OK ||
        (err = sotto_timer_open(server->loop, &l->rest, on_rested)) != SOTTO_OK ||
        (err = sotto_loop_watch_level(server->loop, &l->watch, fd, on_accept)) != SOTTO_OK) {
        sotto_timer_close(&l->rest);
        if (fd >= 0) {
            close(fd);
        }
        sotto_free(l);
        return err;
    }
    l->server = server;
    l->tls = tls != NULL ? sotto_tls_context_hold(tls) : NULL;
    l->flags = (flags & SOTTO_REQUEST_ADMIN) | (tls != NULL ? SOTTO_REQUEST_TLS : 0);
    l->next = server->listeners;
    server->listeners = l;
    if (bound_port != NULL) {
        *bound_port = bound;
    }
    return SOTTO_OK;
}

/* --- the server ------------------------------------------------------------------------------- */

enum sotto_err sotto_server_new(struct sotto_loop *loop, const struct sotto_server_handler *handler,
                                void *ctx, const struct sotto_server_limits *limits,
                                struct sotto_server **out)
{
    struct sotto_server *server = sotto_calloc(1, sizeof(*server));
    if (server == NULL) {
        return SOTTO_ENOMEM;
    }
    server->loop = loop;
    server->handler = handler;
    server->ctx = ctx;
    server->limits = *limits;
    server->date_s = -1;
    /* Numbers of several servers cannot meet: 2^40 exchanges each. */
    server->next_id = ((uint64_t)atomic_fetch_add(&server_count, 1) + 1) << 40;
    sotto_buf_init(&server->head, SOTTO_BUF_UNBOUNDED);
    *out = server;
    return SOTTO_OK;
}

void sotto_server_free(struct sotto_server *server)
{
    if (server == NULL) {
        return;
    }
    close_listeners(server);
    while (server->conns != NULL) {
        struct sotto_conn *c = server->conns;
        sotto_conn_kill(c);
        sotto_loop_undefer(server->loop, &c->task);
        sotto_conn_free(&c->task);
    }
    sotto_loop_undefer(server->loop, &server->drained);
    sotto_buf_free(&server->head);
    sotto_free(server);
}

static void on_drained(struct sotto_task *task)
{
    struct sotto_server *server = SOTTO_CONTAINER(task, struct sotto_server, drained);
    if (server->handler->on_drained != NULL) {
        server->handler->on_drained(server->ctx);
    }
}

void sotto_server_check_drained(struct sotto_server *server)
{
    if (server->draining && server->stats.open == 0) {
        sotto_loop_defer(server->loop, &server->drained, on_drained);
    }
}

void sotto_server_drain(struct sotto_server *server)
{
    server->draining = true;
    close_listeners(server);
    for (struct sotto_conn *c = server->conns, *next; c != NULL; c = next) {
        next = c->next;
        if (c->state == CONN_IDLE) { /* a request may have come that no event has told yet */
            sotto_wire_readable(&c->wire, c->wire.ending);
            sotto_conn_read_on(c);
        }
        if (c->state == CONN_IDLE || c->state == CONN_HANDSHAKE) {
            sotto_conn_kill(c);
        } else if (c->state == CONN_MULTI) {
            sotto_server_h2_drain(c);
        }
    }
    sotto_server_check_drained(server);
}

void sotto_server_stats(const struct sotto_server *server, struct sotto_server_stats *stats)
{
    *stats = server->stats;
}

void sotto_server_set_limits(struct sotto_server *server, const struct sotto_server_limits *limits)
{
    server->limits = *limits;
}

/* --- exchanges -------------------------------------------------------------------------------- */

uint64_t sotto_exchange_id(const struct sotto_exchange *x)
{
    return x->id;
}

void sotto_exchange_set_user(struct sotto_exchange *x, void *user)
{
    x->user = user;
}

void *sotto_exchange_user(const struct sotto_exchange *x)
{
    return x->user;
}

void sotto_exchange_reply(struct sotto_exchange *x, int status, sotto_span lines, sotto_span body)
{
    if (x->conn != NULL) {
        sotto_server_h2_reply(x, status, lines, body);
    } else {
        sotto_server_h1_reply(x, status, lines, body);
    }
}

void sotto_exchange_stream(struct sotto_exchange *x, int status, sotto_span lines)
{
    if (x->conn != NULL) {
        sotto_server_h2_stream(x, status, lines);
    } else {
        sotto_server_h1_stream(x, status, lines);
    }
}

bool sotto_exchange_write(struct sotto_exchange *x, sotto_span piece, bool last)
{
    return x->conn != NULL ? sotto_server_h2_write(x, piece, last)
                           : sotto_server_h1_write(x, piece, last);
}

size_t sotto_exchange_waiting(struct sotto_exchange *x)
{
    return x->conn != NULL ? sotto_server_h2_waiting(x) : sotto_server_h1_waiting(x);
}

void sotto_exchange_abort(struct sotto_exchange *x)
{
    if (x->conn != NULL) {
        sotto_server_h2_abort(x);
    } else {
        sotto_server_h1_abort(x);
    }
}
