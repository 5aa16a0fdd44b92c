/* SPDX-License-Identifier: Apache-2.0 */

#include "net/server_conn.h"

#include <stdio.h>
#include <sys/socket.h>
#include <time.h>

#include "base/alloc.h"
#include "sys/clock.h"

/* Reads of one connection before others get a turn. */
#define CONN_READS 8
/* How long what a refused client still sends is thrown away, so that it can read our answer. */
#define CONN_LINGER_MS    3000
#define CONN_LINGER_BYTES ((size_t)8 << 20)

/* --- the end of a connection ------------------------------------------------------------------ */

static void unlink_conn(struct sotto_conn *c)
{
    if (c->prev != NULL) {
        c->prev->next = c->next;
    } else {
        c->server->conns = c->next;
    }
    if (c->next != NULL) {
        c->next->prev = c->prev;
    }
}

void sotto_conn_free(struct sotto_task *task)
{
    struct sotto_conn *c = SOTTO_CONTAINER(task, struct sotto_conn, task);
    sotto_http_request_free(c->parser);
    sotto_h2_server_free(c->h2);
    sotto_free(c);
}

void sotto_conn_kill(struct sotto_conn *c)
{
    struct sotto_server *server = c->server;
    if (c->state == CONN_DEAD) {
        return;
    }
    if (c->state == CONN_RUNNING) {
        server->stats.running--;
    }
    sotto_server_h2_end(c, false);
    c->state = CONN_DEAD;
    sotto_loop_unwatch(server->loop, &c->watch);
    sotto_timer_close(&c->timer);
    sotto_wire_close(&c->wire);
    sotto_buf_free(&c->waiting);
    sotto_buf_free(&c->out);
    unlink_conn(c);
    server->stats.open--;
    sotto_loop_undefer(server->loop, &c->head_task);
    sotto_loop_undefer(server->loop, &c->task);
    sotto_loop_defer(server->loop, &c->task, sotto_conn_free);
    sotto_server_check_drained(server);
}

void sotto_conn_lose(struct sotto_conn *c)
{
    if (c->state == CONN_RUNNING) {
        c->server->stats.gone++;
        c->server->stats.running--;
        c->state = CONN_FLUSHING; /* the exchange is over before it is told */
        c->server->handler->on_gone(c->server->ctx, &c->exchange);
    }
    sotto_server_h2_end(c, true);
    sotto_conn_kill(c);
}

/* --- sending ---------------------------------------------------------------------------------- */

void sotto_conn_set_flow(struct sotto_conn *c)
{
    struct sotto_exchange *x = &c->exchange;
    const struct sotto_server *server = c->server;
    bool full =
        sotto_conn_waiting(c) > (x->full ? server->limits.low_bytes : server->limits.high_bytes);
    if (c->state == CONN_RUNNING && full != x->full) {
        x->full = full;
        if (server->handler->on_flow != NULL) {
            server->handler->on_flow(server->ctx, x, full);
        }
    }
}

enum sotto_err sotto_conn_enqueue(struct sotto_conn *c, const struct iovec *iov, int count,
                                  size_t skip)
{
    if (c->out_at > c->out.len / 2) {
        sotto_buf_consume(&c->out, c->out_at);
        c->out_at = 0;
    }
    c->out.max = c->server->limits.out_bytes;
    for (int i = 0; i < count; i++) {
        if (skip >= iov[i].iov_len) {
            skip -= iov[i].iov_len;
            continue;
        }
        sotto_span piece = sotto_span_init(iov[i].iov_base, iov[i].iov_len);
        enum sotto_err err = sotto_buf_append(&c->out, sotto_span_skip(piece, skip));
        if (err != SOTTO_OK) {
            return err;
        }
        skip = 0;
    }
    return SOTTO_OK;
}

enum sotto_err sotto_conn_send(struct sotto_conn *c, const struct iovec *iov, int count)
{
    size_t total = 0, n = 0;
    for (int i = 0; i < count; i++) {
        total += iov[i].iov_len;
    }
    if (sotto_conn_waiting(c) == 0 && total != 0) {
        switch (sotto_wire_writev(&c->wire, iov, count, &n)) {
        case SOTTO_TLS_OK:
        case SOTTO_TLS_AGAIN:
            break;
        case SOTTO_TLS_END:
        case SOTTO_TLS_FAILED:
            return SOTTO_ECLOSED;
        }
    }
    if (n == total) {
        return SOTTO_OK;
    }
    bool first = sotto_conn_waiting(c) == 0;
    enum sotto_err err = sotto_conn_enqueue(c, iov, count, n);
    if (err == SOTTO_OK && first) {
        sotto_timer_arm(&c->timer, c->server->limits.send_ms);
    }
    return err;
}

bool sotto_conn_flush(struct sotto_conn *c)
{
    while (sotto_conn_waiting(c) != 0) {
        struct iovec iov = {.iov_base = c->out.base + c->out_at, .iov_len = sotto_conn_waiting(c)};
        size_t n = 0;
        switch (sotto_wire_writev(&c->wire, &iov, 1, &n)) {
        case SOTTO_TLS_OK:
            c->out_at += n;
            sotto_timer_arm(&c->timer, c->server->limits.send_ms);
            break;
        case SOTTO_TLS_AGAIN:
            return true;
        case SOTTO_TLS_END:
        case SOTTO_TLS_FAILED:
            return false;
        }
    }
    if (c->out.cap != 0) {
        sotto_buf_free(&c->out);
        c->out_at = 0;
    }
    return true;
}

const char *sotto_server_date(struct sotto_server *server)
{
    int64_t now_s = sotto_wall_s();
    if (now_s != server->date_s) {
        struct tm tm;
        time_t seconds = (time_t)now_s;
        static const char days[][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
        static const char months[][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
        gmtime_r(&seconds, &tm);
        snprintf(server->date, sizeof(server->date), "%s, %02u %s %04u %02u:%02u:%02u GMT",
                 days[tm.tm_wday % 7], (unsigned)tm.tm_mday % 100, months[tm.tm_mon % 12],
                 (unsigned)(tm.tm_year + 1900) % 10000, (unsigned)tm.tm_hour % 100,
                 (unsigned)tm.tm_min % 100, (unsigned)tm.tm_sec % 100);
        server->date_s = now_s;
    }
    return server->date;
}

/* --- reading ---------------------------------------------------------------------------------- */

void sotto_conn_read_task(struct sotto_task *task)
{
    sotto_conn_read_on(SOTTO_CONTAINER(task, struct sotto_conn, task));
}

void sotto_conn_linger(struct sotto_conn *c)
{
    sotto_wire_shutdown(&c->wire);
    c->state = CONN_LINGERING;
    c->counted = 0;
    sotto_buf_free(&c->waiting);
    sotto_timer_arm(&c->timer, CONN_LINGER_MS);
    sotto_loop_defer(c->server->loop, &c->task, sotto_conn_read_task);
}

static void discard(struct sotto_conn *c, size_t n)
{
    c->counted += n;
    if (c->counted > CONN_LINGER_BYTES) {
        sotto_conn_kill(c);
    }
}

/* Whether bytes of the connection are wanted now.  While an answer runs they stay in the kernel. */
static bool wants_input(const struct sotto_conn *c)
{
    return c->state == CONN_IDLE || c->state == CONN_READING || c->state == CONN_LINGERING ||
           c->state == CONN_MULTI;
}

static void read_once(struct sotto_conn *c, bool *more)
{
    uint8_t *scratch = sotto_loop_scratch(c->server->loop);
    size_t n = 0;
    *more = false;
    switch (sotto_wire_read(&c->wire, scratch, SOTTO_LOOP_SCRATCH_BYTES, &n)) {
    case SOTTO_TLS_OK:
        if (c->state == CONN_LINGERING) {
            discard(c, n);
        } else if (c->state == CONN_MULTI) {
            sotto_server_h2_input(c, sotto_span_init(scratch, n));
        } else {
            sotto_server_h1_input(c, sotto_span_init(scratch, n));
        }
        sotto_wipe(scratch, n);
        *more = true;
        break;
    case SOTTO_TLS_AGAIN:
        break;
    case SOTTO_TLS_END:
    case SOTTO_TLS_FAILED:
        sotto_conn_lose(c);
        break;
    }
}

void sotto_conn_read_on(struct sotto_conn *c)
{
    bool more = true;
    c->reading = true;
    if (c->state == CONN_IDLE && c->waiting.len != 0) {
        sotto_server_h1_take_waiting(c);
    }
    for (int i = 0; more && wants_input(c); i++) {
        if (i == CONN_READS) { /* let others have a turn */
            sotto_loop_defer(c->server->loop, &c->task, sotto_conn_read_task);
            break;
        }
        read_once(c, &more);
        if (c->state == CONN_IDLE && c->waiting.len != 0) {
            sotto_server_h1_take_waiting(c);
        }
    }
    c->reading = false;
}

/* --- events ----------------------------------------------------------------------------------- */

/* A client without TLS on a listener with it: what comes first is the name of a method. */
static bool is_plain_request(int fd)
{
    static const char *const methods[] = {"GET ", "POST", "HEAD", "OPTI", "PUT ", "DELE", "PATC"};
    char first[4];
    if (recv(fd, first, sizeof(first), MSG_PEEK | MSG_DONTWAIT) != sizeof(first)) {
        return false;
    }
    for (size_t i = 0; i < SOTTO_COUNT(methods); i++) {
        if (sotto_span_eq(sotto_span_init(first, sizeof(first)), sotto_span_str(methods[i]))) {
            return true;
        }
    }
    return false;
}

/* The handshake is complete. */
static void begin(struct sotto_conn *c)
{
    if (!sotto_tls_is_h2(c->wire.tls)) {
        c->state = CONN_IDLE;
        sotto_timer_arm(&c->timer, c->server->limits.keep_alive_ms);
    } else if (!sotto_server_h2_begin(c)) {
        sotto_conn_kill(c);
    }
}

static void shake_hands(struct sotto_conn *c)
{
    if (is_plain_request(c->wire.fd)) {
        sotto_tls_free(c->wire.tls);
        c->wire.tls = NULL;
        sotto_server_h1_refuse(c, 400, "this address speaks TLS: use https://");
        return;
    }
    switch (sotto_tls_handshake(c->wire.tls)) {
    case SOTTO_TLS_OK:
        begin(c);
        break;
    case SOTTO_TLS_AGAIN:
        break;
    case SOTTO_TLS_END:
    case SOTTO_TLS_FAILED:
        sotto_conn_kill(c);
        break;
    }
}

static void write_on(struct sotto_conn *c)
{
    if (c->state == CONN_MULTI) {
        sotto_server_h2_pump(c);
        return;
    }
    size_t before = sotto_conn_waiting(c);
    if (before == 0) {
        return;
    }
    if (!sotto_conn_flush(c)) {
        sotto_conn_lose(c);
        return;
    }
    if (sotto_conn_waiting(c) == 0) {
        sotto_timer_stop(&c->timer);
        if (c->state == CONN_FLUSHING) {
            sotto_server_h1_answer_sent(c);
            return;
        }
        if (c->state == CONN_READING) { /* it was a 100 Continue */
            sotto_timer_arm(&c->timer, c->server->limits.body_window_ms);
        }
    }
    sotto_conn_set_flow(c);
}

static void on_event(struct sotto_watch *watch, uint32_t events)
{
    struct sotto_conn *c = SOTTO_CONTAINER(watch, struct sotto_conn, watch);
    if ((events & (SOTTO_LOOP_READ | SOTTO_LOOP_GONE)) != 0) {
        sotto_wire_readable(&c->wire, (events & SOTTO_LOOP_GONE) != 0);
    }
    if (c->state == CONN_HANDSHAKE) {
        shake_hands(c);
    }
    write_on(c);
    if (wants_input(c)) {
        sotto_conn_read_on(c);
    }
    if ((events & SOTTO_LOOP_GONE) != 0 && c->state == CONN_RUNNING) {
        sotto_conn_lose(c);
    }
}

static void on_timer(struct sotto_timer *timer)
{
    struct sotto_conn *c = SOTTO_CONTAINER(timer, struct sotto_conn, timer);
    switch (c->state) {
    case CONN_READING:
        if (sotto_conn_waiting(c) != 0) {
            sotto_conn_lose(c);
        } else if (sotto_http_request_in_body(c->parser)) {
            sotto_server_h1_body_window(c);
        } else {
            sotto_server_h1_refuse(c, 408, "the head came too slowly");
        }
        break;
    case CONN_MULTI:
        sotto_server_h2_tick(c);
        break;
    case CONN_RUNNING: /* nothing could be sent for send_ms, or a write failed */
    case CONN_FLUSHING:
    case CONN_HANDSHAKE:
    case CONN_IDLE:
    case CONN_LINGERING:
        sotto_conn_lose(c);
        break;
    case CONN_DEAD:
        break;
    }
}

enum sotto_err sotto_conn_open(struct sotto_server *server, int fd, struct sotto_tls_context *tls,
                               uint32_t flags)
{
    struct sotto_conn *c = sotto_calloc(1, sizeof(*c));
    enum sotto_err err = SOTTO_ENOMEM;
    if (c == NULL) {
        return err;
    }
    c->server = server;
    c->wire.fd = fd;
    c->flags = flags;
    c->state = tls != NULL ? CONN_HANDSHAKE : CONN_IDLE;
    sotto_buf_init(&c->out, server->limits.out_bytes);
    sotto_buf_init(&c->waiting, SOTTO_CONN_WAITING_MAX);
    if ((err = sotto_http_request_new(&server->limits.http, &c->parser)) != SOTTO_OK ||
        (tls != NULL && (err = sotto_tls_new(tls, fd, NULL, NULL, &c->wire.tls)) != SOTTO_OK) ||
        (err = sotto_timer_open(server->loop, &c->timer, on_timer)) != SOTTO_OK ||
        (err = sotto_loop_watch(server->loop, &c->watch, fd, on_event)) != SOTTO_OK) {
        sotto_timer_close(&c->timer);
        sotto_tls_free(c->wire.tls);
        sotto_http_request_free(c->parser);
        sotto_free(c);
        return err;
    }
    sotto_timer_arm(&c->timer, tls != NULL ? server->limits.head_ms : server->limits.keep_alive_ms);
    c->next = server->conns;
    if (c->next != NULL) {
        c->next->prev = c;
    }
    server->conns = c;
    server->stats.open++;
    server->stats.accepted++;
    return SOTTO_OK;
}
