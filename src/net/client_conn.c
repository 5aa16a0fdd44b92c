/* SPDX-License-Identifier: Apache-2.0 */

#include "net/client_pool.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "base/alloc.h"

/* --- the end of a connection ------------------------------------------------------------------ */

static void free_conn(struct sotto_task *task)
{
    struct sotto_pool_conn *c = SOTTO_CONTAINER(task, struct sotto_pool_conn, task);
    sotto_http_response_free(c->parser);
    sotto_free(c->addresses);
    sotto_h2_client_free(c->h2);
    sotto_buf_free(&c->out);
    sotto_free(c);
}

void sotto_pool_enter_idle(struct sotto_pool_conn *c)
{
    struct sotto_pool_origin *origin = c->origin;
    c->idle_next = origin->idle;
    if (c->idle_next != NULL) {
        c->idle_next->idle_prev = c;
    }
    origin->idle = c;
    origin->pool->stats.idle++;
}

void sotto_pool_leave_idle(struct sotto_pool_conn *c)
{
    if (c->idle_prev != NULL) {
        c->idle_prev->idle_next = c->idle_next;
    } else {
        c->origin->idle = c->idle_next;
    }
    if (c->idle_next != NULL) {
        c->idle_next->idle_prev = c->idle_prev;
    }
    c->idle_prev = c->idle_next = NULL;
    sotto_pool_of(c)->stats.idle--;
}

static void close_socket(struct sotto_pool_conn *c)
{
    sotto_loop_unwatch(sotto_pool_of(c)->loop, &c->watch);
    sotto_wire_close(&c->wire);
}

void sotto_pool_conn_kill(struct sotto_pool_conn *c)
{
    struct sotto_pool_origin *origin = c->origin;
    if (c->state == POOL_DEAD) {
        return;
    }
    if (c->state == POOL_IDLE) {
        sotto_pool_leave_idle(c);
    }
    if (c->fetch != NULL) {
        c->fetch->conn = NULL;
        c->fetch = NULL;
    }
    sotto_client_h2_abandon(c);
    c->state = POOL_DEAD;
    sotto_lookup_cancel(c->lookup);
    c->lookup = NULL;
    close_socket(c);
    sotto_timer_close(&c->timer);
    if (c->prev != NULL) {
        c->prev->next = c->next;
    } else {
        origin->conns = c->next;
    }
    if (c->next != NULL) {
        c->next->prev = c->prev;
    }
    origin->conn_count--;
    origin->pool->stats.open--;
    sotto_loop_undefer(origin->pool->loop, &c->task);
    sotto_loop_defer(origin->pool->loop, &c->task, free_conn);
}

void sotto_pool_conn_fail(struct sotto_pool_conn *c, enum sotto_fetch_error error,
                          const char *reason)
{
    struct sotto_fetch *f = c->fetch;
    struct sotto_pool_origin *origin = c->origin;
    while (c->shared.first != NULL && c->h2 == NULL) { /* they waited for it */
        struct sotto_fetch *waits = c->shared.first;
        sotto_fetch_leave(waits);
        waits->conn = NULL;
        sotto_fetch_fail_later(waits, error, reason);
    }
    sotto_pool_conn_kill(c);
    if (f != NULL) {
        sotto_fetch_fail(f, error, reason);
    }
    sotto_pool_serve_queue(origin);
}

void sotto_pool_conn_close_idle(struct sotto_pool_conn *c)
{
    struct sotto_pool_origin *origin = c->origin;
    sotto_pool_conn_kill(c);
    sotto_pool_serve_queue(origin);
}

/* --- connecting ------------------------------------------------------------------------------- */

static void on_event(struct sotto_watch *watch, uint32_t events);
static void next_address(struct sotto_pool_conn *c, const char *reason);

static void shake_hands(struct sotto_pool_conn *c)
{
    switch (sotto_tls_handshake(c->wire.tls)) {
    case SOTTO_TLS_OK:
        if (sotto_tls_is_h2(c->wire.tls)) {
            sotto_client_h2_begin(c);
        } else {
            sotto_client_h2_declined(c);
            sotto_client_h1_begin(c);
        }
        break;
    case SOTTO_TLS_AGAIN:
        break;
    case SOTTO_TLS_END:
        sotto_pool_conn_fail(c, SOTTO_FETCH_TLS, "the upstream closed during the TLS handshake");
        break;
    case SOTTO_TLS_FAILED:
        sotto_pool_conn_fail(c, SOTTO_FETCH_TLS, sotto_tls_reason(c->wire.tls));
        break;
    }
}

/* TCP is connected. */
static void connected(struct sotto_pool_conn *c)
{
    struct sotto_pool_origin *origin = c->origin;
    struct sotto_pool *pool = origin->pool;
    sotto_free(c->addresses);
    c->addresses = NULL;
    sotto_timer_arm(&c->timer, (c->give_up_us - sotto_loop_now_us(pool->loop)) / 1000);
    if (!origin->tls) {
        sotto_client_h1_begin(c);
        return;
    }
    enum sotto_err err =
        sotto_tls_new(pool->tls, c->wire.fd, origin->name, &origin->ticket, &c->wire.tls);
    if (err == SOTTO_OK && c->offers_h2) {
        err = sotto_tls_offer_h2(c->wire.tls);
    }
    if (err != SOTTO_OK) {
        sotto_pool_conn_fail(c, err == SOTTO_ENOMEM ? SOTTO_FETCH_MEMORY : SOTTO_FETCH_TLS,
                             "no TLS session could be made");
        return;
    }
    c->state = POOL_HANDSHAKE;
    shake_hands(c);
}

static const char *connect_reason(int number)
{
    switch (number) {
    case ECONNREFUSED:
        return "connection refused";
    case ENETUNREACH:
    case EHOSTUNREACH:
        return "no route to the upstream";
    case ETIMEDOUT:
        return "the connection timed out";
    case EMFILE:
    case ENFILE:
        return "no descriptors left";
    default:
        return "the connection failed";
    }
}

/* Whether connect(2) has come to an end, and how. */
static void check_connected(struct sotto_pool_conn *c)
{
    int number = 0;
    socklen_t len = sizeof(number);
    if (getsockopt(c->wire.fd, SOL_SOCKET, SO_ERROR, &number, &len) != 0) {
        number = errno;
    }
    if (number != 0) {
        next_address(c, connect_reason(number));
        return;
    }
    connected(c);
}

/* Starts a connection to the address; 0 or an errno. */
static int try_address(struct sotto_pool_conn *c, const struct sotto_address *address)
{
    const int on = 1;
    int fd = socket(address->addr.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return errno;
    }
    c->wire = (struct sotto_wire){.fd = fd};
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)); /* slower without, not wrong */
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
    int result = connect(fd, (const struct sockaddr *)(const void *)&address->addr, address->len);
    int number = result == 0 || errno == EINPROGRESS ? 0 : errno;
    if (number == 0 &&
        sotto_loop_watch(sotto_pool_of(c)->loop, &c->watch, fd, on_event) != SOTTO_OK) {
        number = ENOMEM;
    }
    if (number != 0) {
        sotto_wire_close(&c->wire);
    }
    return number;
}

/* The time that is left is shared by the addresses that are left. */
static void arm_attempt(struct sotto_pool_conn *c)
{
    struct sotto_pool *pool = sotto_pool_of(c);
    int64_t left_ms = (c->give_up_us - sotto_loop_now_us(pool->loop)) / 1000;
    size_t addresses_left = c->addresses->count - c->address_at + 1;
    sotto_timer_arm(&c->timer, left_ms > 0 ? left_ms / (int64_t)addresses_left : 0);
}

static void next_address(struct sotto_pool_conn *c, const char *reason)
{
    close_socket(c);
    while (c->address_at < c->addresses->count) {
        int number = try_address(c, &c->addresses->list[c->address_at++]);
        if (number == 0) {
            c->state = POOL_CONNECTING;
            arm_attempt(c);
            return;
        }
        reason = connect_reason(number);
    }
    sotto_pool_conn_fail(c, SOTTO_FETCH_UNREACHABLE, reason);
}

static void on_addresses(void *ctx, const struct sotto_addresses *addresses)
{
    struct sotto_pool_conn *c = ctx;
    c->lookup = NULL;
    *c->addresses = *addresses;
    next_address(c, "the name has no address");
}

/* From a task: callbacks may run. */
static void on_start_task(struct sotto_task *task)
{
    struct sotto_pool_conn *c = SOTTO_CONTAINER(task, struct sotto_pool_conn, task);
    next_address(c, "the name has no address");
}

/* --- events ----------------------------------------------------------------------------------- */

/*
 * An idle connection says something: it closes, or it is not to be trusted.  Under TLS it may be
 * a ticket, so the plaintext decides.
 */
static void check_idle(struct sotto_pool_conn *c)
{
    uint8_t *scratch = sotto_loop_scratch(sotto_pool_of(c)->loop);
    size_t n = 0;
    if (c->wire.tls == NULL ||
        sotto_wire_read(&c->wire, scratch, SOTTO_LOOP_SCRATCH_BYTES, &n) != SOTTO_TLS_AGAIN) {
        sotto_wipe(scratch, n);
        sotto_pool_conn_close_idle(c);
    }
}

static void on_event(struct sotto_watch *watch, uint32_t events)
{
    struct sotto_pool_conn *c = SOTTO_CONTAINER(watch, struct sotto_pool_conn, watch);
    if ((events & (SOTTO_LOOP_READ | SOTTO_LOOP_GONE)) != 0) {
        sotto_wire_readable(&c->wire, (events & SOTTO_LOOP_GONE) != 0);
    }
    switch (c->state) {
    case POOL_CONNECTING:
        if ((events & (SOTTO_LOOP_WRITE | SOTTO_LOOP_GONE)) != 0) {
            check_connected(c);
        }
        break;
    case POOL_HANDSHAKE:
        shake_hands(c);
        break;
    case POOL_BUSY:
        if (c->sent < c->fetch->request_len) {
            sotto_client_h1_write_on(c);
        }
        break;
    case POOL_IDLE:
        if ((events & SOTTO_LOOP_READ) != 0) {
            check_idle(c);
        }
        break;
    case POOL_MULTI:
        sotto_client_h2_event(c);
        return;
    case POOL_RESOLVING:
    case POOL_DEAD:
        break;
    }
    if (c->state == POOL_MULTI) { /* right behind a handshake, as below */
        sotto_client_h2_event(c);
    }
    if (c->state == POOL_BUSY) { /* also right behind a handshake: the event does not come again */
        sotto_client_h1_read_on(c);
    }
}

static void on_timer(struct sotto_timer *timer)
{
    struct sotto_pool_conn *c = SOTTO_CONTAINER(timer, struct sotto_pool_conn, timer);
    switch (c->state) {
    case POOL_RESOLVING:
        sotto_pool_conn_fail(c, SOTTO_FETCH_TIMEOUT, "the name could not be looked up in time");
        break;
    case POOL_CONNECTING:
        if (c->address_at < c->addresses->count) {
            next_address(c, "the connection timed out");
        } else {
            sotto_pool_conn_fail(c, SOTTO_FETCH_TIMEOUT, "the connection timed out");
        }
        break;
    case POOL_HANDSHAKE:
        sotto_pool_conn_fail(c, SOTTO_FETCH_TIMEOUT, "the TLS handshake timed out");
        break;
    case POOL_BUSY:
        sotto_pool_conn_fail(c, SOTTO_FETCH_TIMEOUT,
                             c->sent < c->fetch->request_len
                                 ? "the upstream does not take the request"
                             : sotto_http_response_idle(c->parser)
                                 ? "the upstream does not answer"
                                 : "the upstream fell silent in the middle of its answer");
        break;
    case POOL_IDLE:
        sotto_pool_conn_close_idle(c);
        break;
    case POOL_MULTI:
        sotto_client_h2_tick(c);
        break;
    case POOL_DEAD:
        break;
    }
}

static enum sotto_err start_lookup(struct sotto_pool_conn *c)
{
    struct sotto_pool_origin *origin = c->origin;
    struct sotto_pool *pool = origin->pool;
    enum sotto_err err =
        sotto_resolver_lookup(pool->resolver, pool->loop, sotto_span_str(origin->host),
                              origin->port, on_addresses, c, c->addresses, &c->lookup);
    if (err == SOTTO_OK && c->lookup == NULL) {
        sotto_loop_defer(pool->loop, &c->task, on_start_task);
    }
    return err;
}

enum sotto_err sotto_pool_conn_open(struct sotto_pool_origin *origin, struct sotto_fetch *f)
{
    struct sotto_pool *pool = origin->pool;
    struct sotto_pool_conn *c = sotto_calloc(1, sizeof(*c));
    enum sotto_err err = SOTTO_ENOMEM;
    if (c == NULL) {
        return err;
    }
    c->origin = origin;
    c->wire.fd = -1;
    c->state = POOL_RESOLVING;
    c->offers_h2 = origin->http2;
    c->opened_us = sotto_loop_now_us(pool->loop);
    c->give_up_us = c->opened_us + pool->limits.connect_ms * 1000;
    c->addresses = sotto_calloc(1, sizeof(*c->addresses));
    if (c->addresses == NULL ||
        (err = sotto_http_response_new(pool->limits.head_bytes, &c->parser)) != SOTTO_OK ||
        (err = sotto_timer_open(pool->loop, &c->timer, on_timer)) != SOTTO_OK ||
        (err = start_lookup(c)) != SOTTO_OK) {
        sotto_timer_close(&c->timer);
        free_conn(&c->task);
        return err;
    }
    sotto_timer_arm(&c->timer, pool->limits.connect_ms);
    c->next = origin->conns;
    if (c->next != NULL) {
        c->next->prev = c;
    }
    origin->conns = c;
    origin->conn_count++;
    pool->stats.open++;
    pool->stats.connects++;
    c->fetch = f;
    f->conn = c;
    return SOTTO_OK;
}
