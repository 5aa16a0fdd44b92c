/* SPDX-License-Identifier: Apache-2.0 */

#include "net/server.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "http/write.h"
#include "net/socket.h"
#include "net/wire.h"
#include "sys/clock.h"

/* Connections taken, and reads of one connection, before others get a turn. */
#define SERVER_ACCEPTS 64
#define SERVER_READS   8
/* How long a listener rests when the system has no descriptors left. */
#define SERVER_REST_MS 100
/* How long what a refused client still sends is thrown away, so that it can read our answer. */
#define SERVER_LINGER_MS    3000
#define SERVER_LINGER_BYTES ((size_t)8 << 20)
/* Most bytes of pipelined requests that wait for an answer in front of them. */
#define SERVER_WAITING_MAX SOTTO_LOOP_SCRATCH_BYTES

enum conn_state {
    CONN_HANDSHAKE, /* TLS */
    CONN_IDLE,      /* between requests */
    CONN_READING,   /* in a request */
    CONN_RUNNING,   /* its exchange runs */
    CONN_FLUSHING,  /* the answer is complete and waits to be sent */
    CONN_LINGERING, /* our direction is closed */
    CONN_DEAD,
};

struct sotto_exchange {
    uint64_t id;
    void *user;
    bool streaming; /* the head has been written */
    bool chunked;
    bool bodiless; /* HEAD, 204, 304: the body is not sent */
    bool full;     /* on_flow(full) was called */
};

struct conn {
    struct conn *prev, *next;
    struct sotto_server *server;
    struct sotto_watch watch;
    struct sotto_timer timer;
    struct sotto_task task;      /* reads on, or frees */
    struct sotto_task head_task; /* sends the head of a stream, where no piece came with it */
    struct sotto_wire wire;
    struct sotto_http_request *parser;
    enum conn_state state;
    uint32_t flags;
    struct sotto_buf waiting; /* read, not yet parsed: pipelined behind the running request */
    struct sotto_buf out;     /* not yet sent, from out_at on */
    size_t out_at;
    size_t counted;   /* body bytes in this window; discarded bytes when lingering */
    int64_t begun_us; /* first byte of the request */
    bool keep;        /* stays open behind this answer */
    bool is_11;
    bool reading; /* inside read_on(): what ends an exchange must not start another there */
    struct sotto_exchange exchange;
};

struct listener {
    struct listener *next;
    struct sotto_server *server;
    struct sotto_watch watch;
    struct sotto_timer rest;
    struct sotto_tls_context *tls;
    uint32_t flags;
    bool loopback;
};

struct sotto_server {
    struct sotto_loop *loop;
    const struct sotto_server_handler *handler;
    void *ctx;
    struct sotto_server_limits limits;
    struct listener *listeners;
    struct conn *conns;
    struct sotto_server_stats stats;
    struct sotto_buf head; /* where heads are put together */
    struct sotto_task drained;
    uint64_t next_id;
    int64_t date_s;
    char date[32]; /* "Sun, 06 Nov 1994 08:49:37 GMT" of date_s */
    bool draining;
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

/* --- the end of a connection ------------------------------------------------------------------ */

static void on_drained(struct sotto_task *task)
{
    struct sotto_server *server = SOTTO_CONTAINER(task, struct sotto_server, drained);
    if (server->handler->on_drained != NULL) {
        server->handler->on_drained(server->ctx);
    }
}

static void unlink_conn(struct conn *c)
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

static void free_conn(struct sotto_task *task)
{
    struct conn *c = SOTTO_CONTAINER(task, struct conn, task);
    sotto_http_request_free(c->parser);
    sotto_free(c);
}

/* Closes at once.  The memory stays until the end of the round: callers may still look at it. */
static void kill_conn(struct conn *c)
{
    struct sotto_server *server = c->server;
    if (c->state == CONN_DEAD) {
        return;
    }
    if (c->state == CONN_RUNNING) {
        server->stats.running--;
    }
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
    sotto_loop_defer(server->loop, &c->task, free_conn);
    if (server->draining && server->stats.open == 0) {
        sotto_loop_defer(server->loop, &server->drained, on_drained);
    }
}

/* The client went away, or let us wait for too long. */
static void lose_conn(struct conn *c)
{
    if (c->state == CONN_RUNNING) {
        c->server->stats.gone++;
        c->server->stats.running--;
        c->state = CONN_FLUSHING; /* the exchange is over before it is told */
        c->server->handler->on_gone(c->server->ctx, &c->exchange);
    }
    kill_conn(c);
}

/* --- sending ---------------------------------------------------------------------------------- */

static size_t waiting_bytes(const struct conn *c)
{
    return c->out.len - c->out_at;
}

static void set_flow(struct conn *c)
{
    struct sotto_exchange *x = &c->exchange;
    const struct sotto_server *server = c->server;
    bool full = waiting_bytes(c) > (x->full ? server->limits.low_bytes : server->limits.high_bytes);
    if (c->state == CONN_RUNNING && full != x->full) {
        x->full = full;
        if (server->handler->on_flow != NULL) {
            server->handler->on_flow(server->ctx, x, full);
        }
    }
}

/* Appends the pieces behind the first `skip` bytes to what waits. */
static enum sotto_err enqueue(struct conn *c, const struct iovec *iov, int count, size_t skip)
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

/* Sends now what goes, in one write if nothing waits already; keeps the rest. */
static enum sotto_err send_pieces(struct conn *c, const struct iovec *iov, int count)
{
    size_t total = 0, n = 0;
    for (int i = 0; i < count; i++) {
        total += iov[i].iov_len;
    }
    if (waiting_bytes(c) == 0 && total != 0) {
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
    bool first = waiting_bytes(c) == 0;
    enum sotto_err err = enqueue(c, iov, count, n);
    if (err == SOTTO_OK && first) {
        sotto_timer_arm(&c->timer, c->server->limits.send_ms);
    }
    return err;
}

/* Sends what waits.  False: the connection is lost. */
static bool flush(struct conn *c)
{
    while (waiting_bytes(c) != 0) {
        struct iovec iov = {.iov_base = c->out.base + c->out_at, .iov_len = waiting_bytes(c)};
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

/* --- between requests ------------------------------------------------------------------------- */

static void read_on(struct conn *c);

static void on_read_task(struct sotto_task *task)
{
    read_on(SOTTO_CONTAINER(task, struct conn, task));
}

/* Half-closes and throws away what comes, so that no reset overtakes the answer (RFC 9112 9.6). */
static void linger(struct conn *c)
{
    sotto_wire_shutdown(&c->wire);
    c->state = CONN_LINGERING;
    c->counted = 0;
    sotto_buf_free(&c->waiting);
    sotto_timer_arm(&c->timer, SERVER_LINGER_MS);
    sotto_loop_defer(c->server->loop, &c->task, on_read_task);
}

/* The answer has been sent in full. */
static void answer_sent(struct conn *c)
{
    if (!c->keep || c->server->draining) {
        linger(c);
        return;
    }
    c->state = CONN_IDLE;
    sotto_timer_arm(&c->timer, c->server->limits.keep_alive_ms);
    /* What came meanwhile: pipelined requests, or the end. */
    if (!c->reading && (c->waiting.len != 0 || !c->wire.drained || c->wire.tls != NULL)) {
        sotto_loop_defer(c->server->loop, &c->task, on_read_task);
    }
}

/* The exchange is over; what waits is still sent. */
static void exchange_over(struct conn *c)
{
    c->server->stats.running--;
    c->state = CONN_FLUSHING;
    if (waiting_bytes(c) == 0) {
        answer_sent(c);
    }
}

/* --- heads ------------------------------------------------------------------------------------ */

static const char *date_text(struct sotto_server *server)
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

/* Writes the head into server->head.  `length` < 0: no Content-Length. */
static enum sotto_err write_head(struct conn *c, int status, sotto_span lines, int64_t length,
                                 bool chunked)
{
    struct sotto_buf *head = &c->server->head;
    enum sotto_err err;
    sotto_buf_truncate(head, 0);
    if ((err = sotto_http_write_status(head, status)) != SOTTO_OK ||
        (err = sotto_buf_append(head, lines)) != SOTTO_OK ||
        (err = sotto_http_write_field(head, "Date", sotto_span_str(date_text(c->server)))) !=
            SOTTO_OK) {
        return err;
    }
    if (chunked) {
        err = sotto_buf_append(head, SOTTO_LIT("Transfer-Encoding: chunked\r\n"));
    } else if (length >= 0) {
        err = sotto_http_write_number(head, "Content-Length", (uint64_t)length);
    }
    if (err == SOTTO_OK && !c->keep) {
        err = sotto_buf_append(head, SOTTO_LIT("Connection: close\r\n"));
    } else if (err == SOTTO_OK && !c->is_11) {
        err = sotto_buf_append(head, SOTTO_LIT("Connection: keep-alive\r\n"));
    }
    return err == SOTTO_OK ? sotto_http_write_head_end(head) : err;
}

static enum sotto_err send_head_and(struct conn *c, sotto_span body)
{
    const struct iovec iov[] = {sotto_wire_iov(sotto_buf_span(&c->server->head)),
                                sotto_wire_iov(body)};
    enum sotto_err err = send_pieces(c, iov, body.len != 0 ? 2 : 1);
    sotto_buf_truncate(&c->server->head, 0);
    return err;
}

/* --- exchanges -------------------------------------------------------------------------------- */

static struct conn *conn_of(struct sotto_exchange *x)
{
    return SOTTO_CONTAINER(x, struct conn, exchange);
}

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
    struct conn *c = conn_of(x);
    if (c->state != CONN_RUNNING || x->streaming) {
        return;
    }
    c->keep = c->keep && !c->server->draining;
    bool no_length = status == 204 || status == 304;
    bool no_body = x->bodiless || no_length;
    if (write_head(c, status, lines, no_length ? -1 : (int64_t)body.len, false) != SOTTO_OK ||
        send_head_and(c, no_body ? sotto_span_init(NULL, 0) : body) != SOTTO_OK) {
        kill_conn(c);
        return;
    }
    exchange_over(c);
}

static void on_head_task(struct sotto_task *task)
{
    struct conn *c = SOTTO_CONTAINER(task, struct conn, head_task);
    if (!flush(c)) {
        lose_conn(c);
    } else if (waiting_bytes(c) == 0) {
        sotto_timer_stop(&c->timer);
    }
}

void sotto_exchange_stream(struct sotto_exchange *x, int status, sotto_span lines)
{
    struct conn *c = conn_of(x);
    if (c->state != CONN_RUNNING || x->streaming) {
        return;
    }
    x->bodiless = x->bodiless || status == 204 || status == 304;
    x->chunked = c->is_11 && !x->bodiless;
    x->streaming = true;
    c->keep = c->keep && c->is_11 && !c->server->draining;
    struct iovec iov;
    if (write_head(c, status, lines, -1, x->chunked) == SOTTO_OK) {
        iov = sotto_wire_iov(sotto_buf_span(&c->server->head));
        if (enqueue(c, &iov, 1, 0) == SOTTO_OK) {
            sotto_buf_truncate(&c->server->head, 0);
            sotto_timer_arm(&c->timer, c->server->limits.send_ms);
            sotto_loop_defer(c->server->loop, &c->head_task, on_head_task);
            return;
        }
    }
    kill_conn(c);
}

static enum sotto_err send_stream(struct conn *c, sotto_span piece, bool last)
{
    uint8_t frame[SOTTO_HTTP_CHUNK_HEAD_MAX];
    struct iovec iov[5];
    int n = 0;
    struct sotto_buf head = {0};
    if (c->head_task.queued) { /* the head still waits: both go in one write */
        sotto_loop_undefer(c->server->loop, &c->head_task);
        head = c->out;
        sotto_buf_init(&c->out, 0);
        iov[n++] = sotto_wire_iov(sotto_buf_span(&head));
    }
    if (piece.len != 0 && !c->exchange.bodiless) {
        if (c->exchange.chunked) {
            iov[n++] =
                sotto_wire_iov(sotto_span_init(frame, sotto_http_chunk_head(frame, piece.len)));
        }
        iov[n++] = sotto_wire_iov(piece);
        if (c->exchange.chunked) {
            iov[n++] = sotto_wire_iov(last ? SOTTO_LIT("\r\n0\r\n\r\n") : SOTTO_LIT("\r\n"));
        }
    } else if (last && c->exchange.chunked) {
        iov[n++] = sotto_wire_iov(SOTTO_LIT("0\r\n\r\n"));
    }
    enum sotto_err err = n != 0 ? send_pieces(c, iov, n) : SOTTO_OK;
    sotto_buf_free(&head);
    return err;
}

bool sotto_exchange_write(struct sotto_exchange *x, sotto_span piece, bool last)
{
    struct conn *c = conn_of(x);
    if (c->state != CONN_RUNNING || !x->streaming) {
        return false;
    }
    enum sotto_err err = send_stream(c, piece, last);
    if (err == SOTTO_ECLOSED && !last) {
        /* The client is gone: told from the loop, not from inside the gateway's own call. */
        sotto_timer_arm(&c->timer, 0);
        return true;
    }
    if (err != SOTTO_OK) {
        kill_conn(c);
        return err == SOTTO_ECLOSED; /* the last piece: over, as expected */
    }
    if (waiting_bytes(c) == 0) {
        sotto_timer_stop(&c->timer);
    }
    if (last) {
        exchange_over(c);
    } else {
        set_flow(c);
    }
    return true;
}

size_t sotto_exchange_waiting(struct sotto_exchange *x)
{
    return waiting_bytes(conn_of(x));
}

/* Without a length or chunks only a reset tells a broken answer from a complete one. */
static void reset(struct conn *c)
{
    const struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    setsockopt(c->wire.fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    c->wire.failed = true; /* no close_notify either, which would pass for the end */
    kill_conn(c);
}

void sotto_exchange_abort(struct sotto_exchange *x)
{
    struct conn *c = conn_of(x);
    if (c->state != CONN_RUNNING) {
        return;
    }
    if (x->streaming && !x->chunked && !x->bodiless) {
        reset(c);
        return;
    }
    c->keep = false;
    sotto_loop_undefer(c->server->loop, &c->head_task);
    if (flush(c)) {
        exchange_over(c); /* what was written before still reaches the client */
    } else {
        kill_conn(c);
    }
}

/* --- requests --------------------------------------------------------------------------------- */

static void begin_exchange(struct conn *c)
{
    struct sotto_server *server = c->server;
    int64_t now_us = sotto_loop_now_us(server->loop);
    c->keep = sotto_http_request_keep_alive(c->parser);
    c->is_11 = sotto_http_request_is_11(c->parser);
    c->state = CONN_RUNNING;
    c->exchange = (struct sotto_exchange){
        .id = ++server->next_id,
        .bodiless = sotto_http_request_is_head(c->parser),
    };
    sotto_timer_stop(&c->timer);
    server->stats.requests++;
    server->stats.running++;
    const struct sotto_server_request request = {
        .id = c->exchange.id,
        .head = sotto_http_request_head(c->parser),
        .body = sotto_http_request_body(c->parser),
        .flags = c->flags,
        .begun_us = c->begun_us,
        .age_us = now_us - c->begun_us,
    };
    server->handler->on_request(server->ctx, &c->exchange, &request);
    sotto_http_request_next(c->parser);
}

/* The server's own answer to what is no request; the connection ends behind it. */
static void refuse(struct conn *c, int status, const char *reason)
{
    struct sotto_server *server = c->server;
    struct sotto_buf lines, body;
    sotto_buf_init(&lines, SOTTO_HTTP_HEAD_MAX);
    sotto_buf_init(&body, SOTTO_HTTP_HEAD_MAX);
    server->stats.refused++;
    if (server->handler->on_refused != NULL) {
        server->handler->on_refused(server->ctx, status, reason, &lines, &body);
    }
    c->keep = false;
    c->is_11 = true;
    c->state = CONN_FLUSHING;
    enum sotto_err err = write_head(c, status, sotto_buf_span(&lines), (int64_t)body.len, false);
    if (err == SOTTO_OK) {
        err = send_head_and(c, sotto_buf_span(&body));
    }
    sotto_buf_free(&lines);
    sotto_buf_free(&body);
    if (err != SOTTO_OK) {
        kill_conn(c);
    } else if (waiting_bytes(c) == 0) {
        answer_sent(c);
    }
}

static void head_complete(struct conn *c, bool more_came)
{
    c->counted = 0;
    sotto_timer_arm(&c->timer, c->server->limits.body_window_ms);
    if (sotto_http_request_expects_continue(c->parser) && !more_came) {
        const struct iovec iov = sotto_wire_iov(SOTTO_LIT("HTTP/1.1 100 Continue\r\n\r\n"));
        if (send_pieces(c, &iov, 1) != SOTTO_OK) {
            kill_conn(c);
        }
    }
}

/* First byte of a request: its clock starts. */
static void begin_request(struct conn *c)
{
    c->state = CONN_READING;
    c->begun_us = sotto_loop_now_us(c->server->loop);
    sotto_timer_arm(&c->timer, c->server->limits.head_ms);
}

/* A TLS client on a listener without TLS: its first record is a handshake (RFC 8446 5.1). */
static bool is_client_hello(const struct conn *c, sotto_span in)
{
    return c->wire.tls == NULL && in.len >= 2 && in.base[0] == 0x16 && in.base[1] == 0x03;
}

/* Parses up to the end of a request, or all of it.  Returns how many bytes were used. */
static size_t parse(struct conn *c, sotto_span in)
{
    size_t total = 0;
    while (c->state == CONN_IDLE || c->state == CONN_READING) {
        size_t used = 0;
        enum sotto_http_event event;
        sotto_span rest = sotto_span_skip(in, total);
        if (c->state == CONN_IDLE) {
            begin_request(c);
        }
        enum sotto_err err = sotto_http_request_feed(c->parser, rest, &used, &event);
        total += used;
        if (err != SOTTO_OK) {
            refuse(c, sotto_http_request_status(c->parser),
                   is_client_hello(c, rest) ? "this address speaks HTTP without TLS: use http://"
                                            : sotto_http_request_reason(c->parser));
        } else if (event == SOTTO_HTTP_DONE) {
            begin_exchange(c);
            break;
        } else if (event == SOTTO_HTTP_HEAD) {
            head_complete(c, total < in.len);
        } else {
            break;
        }
    }
    c->counted += total;
    return total;
}

/* Parses `in` request by request; keeps what has to wait for an answer. */
static void take_input(struct conn *c, sotto_span in)
{
    while (in.len != 0 && (c->state == CONN_IDLE || c->state == CONN_READING)) {
        in = sotto_span_skip(in, parse(c, in));
    }
    bool wait = c->state == CONN_RUNNING || c->state == CONN_FLUSHING;
    if (in.len != 0 && wait && sotto_buf_append(&c->waiting, in) != SOTTO_OK) {
        lose_conn(c);
    }
}

/* Requests that were read while another one ran. */
static void take_waiting(struct conn *c)
{
    struct sotto_buf waiting = c->waiting;
    sotto_buf_init(&c->waiting, SERVER_WAITING_MAX);
    take_input(c, sotto_buf_span(&waiting));
    sotto_buf_free(&waiting);
}

static void discard(struct conn *c, size_t n)
{
    c->counted += n;
    if (c->counted > SERVER_LINGER_BYTES) {
        kill_conn(c);
    }
}

/* Whether bytes of the connection are wanted now.  While an answer runs they stay in the kernel. */
static bool wants_input(const struct conn *c)
{
    return c->state == CONN_IDLE || c->state == CONN_READING || c->state == CONN_LINGERING;
}

static void read_once(struct conn *c, bool *more)
{
    uint8_t *scratch = sotto_loop_scratch(c->server->loop);
    size_t n = 0;
    *more = false;
    switch (sotto_wire_read(&c->wire, scratch, SOTTO_LOOP_SCRATCH_BYTES, &n)) {
    case SOTTO_TLS_OK:
        if (c->state == CONN_LINGERING) {
            discard(c, n);
        } else {
            take_input(c, sotto_span_init(scratch, n));
        }
        sotto_wipe(scratch, n);
        *more = true;
        break;
    case SOTTO_TLS_AGAIN:
        break;
    case SOTTO_TLS_END:
    case SOTTO_TLS_FAILED:
        lose_conn(c);
        break;
    }
}

static void read_on(struct conn *c)
{
    bool more = true;
    c->reading = true;
    if (c->state == CONN_IDLE && c->waiting.len != 0) {
        take_waiting(c);
    }
    for (int i = 0; more && wants_input(c); i++) {
        if (i == SERVER_READS) { /* let others have a turn */
            sotto_loop_defer(c->server->loop, &c->task, on_read_task);
            break;
        }
        read_once(c, &more);
        if (c->state == CONN_IDLE && c->waiting.len != 0) {
            take_waiting(c);
        }
    }
    c->reading = false;
}

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

static void shake_hands(struct conn *c)
{
    if (is_plain_request(c->wire.fd)) {
        sotto_tls_free(c->wire.tls);
        c->wire.tls = NULL;
        refuse(c, 400, "this address speaks TLS: use https://");
        return;
    }
    switch (sotto_tls_handshake(c->wire.tls)) {
    case SOTTO_TLS_OK:
        c->state = CONN_IDLE;
        sotto_timer_arm(&c->timer, c->server->limits.keep_alive_ms);
        break;
    case SOTTO_TLS_AGAIN:
        break;
    case SOTTO_TLS_END:
    case SOTTO_TLS_FAILED:
        kill_conn(c);
        break;
    }
}

static void write_on(struct conn *c)
{
    size_t before = waiting_bytes(c);
    if (before == 0) {
        return;
    }
    if (!flush(c)) {
        lose_conn(c);
        return;
    }
    if (waiting_bytes(c) == 0) {
        sotto_timer_stop(&c->timer);
        if (c->state == CONN_FLUSHING) {
            answer_sent(c);
            return;
        }
        if (c->state == CONN_READING) { /* it was a 100 Continue */
            sotto_timer_arm(&c->timer, c->server->limits.body_window_ms);
        }
    }
    set_flow(c);
}

static void on_event(struct sotto_watch *watch, uint32_t events)
{
    struct conn *c = SOTTO_CONTAINER(watch, struct conn, watch);
    if ((events & (SOTTO_LOOP_READ | SOTTO_LOOP_GONE)) != 0) {
        sotto_wire_readable(&c->wire, (events & SOTTO_LOOP_GONE) != 0);
    }
    if (c->state == CONN_HANDSHAKE) {
        shake_hands(c);
    }
    write_on(c);
    if (wants_input(c)) {
        read_on(c);
    }
    if ((events & SOTTO_LOOP_GONE) != 0 && c->state == CONN_RUNNING) {
        lose_conn(c);
    }
}

/* --- time limits ------------------------------------------------------------------------------ */

static void body_window(struct conn *c)
{
    if (c->counted < c->server->limits.body_window_bytes) {
        refuse(c, 408, "the body came too slowly");
        return;
    }
    c->counted = 0;
    sotto_timer_arm(&c->timer, c->server->limits.body_window_ms);
}

static void on_timer(struct sotto_timer *timer)
{
    struct conn *c = SOTTO_CONTAINER(timer, struct conn, timer);
    switch (c->state) {
    case CONN_READING:
        if (waiting_bytes(c) != 0) {
            lose_conn(c);
        } else if (sotto_http_request_in_body(c->parser)) {
            body_window(c);
        } else {
            refuse(c, 408, "the head came too slowly");
        }
        break;
    case CONN_RUNNING: /* nothing could be sent for send_ms, or a write failed */
    case CONN_FLUSHING:
    case CONN_HANDSHAKE:
    case CONN_IDLE:
    case CONN_LINGERING:
        lose_conn(c);
        break;
    case CONN_DEAD:
        break;
    }
}

/* --- listeners -------------------------------------------------------------------------------- */

/* Takes ownership of `fd` on success. */
static enum sotto_err open_conn(struct listener *l, int fd, bool loopback)
{
    struct sotto_server *server = l->server;
    struct conn *c = sotto_calloc(1, sizeof(*c));
    enum sotto_err err = SOTTO_ENOMEM;
    if (c == NULL) {
        return err;
    }
    c->server = server;
    c->wire.fd = fd;
    c->flags = l->flags | (l->tls != NULL ? SOTTO_REQUEST_TLS : 0) |
               (l->loopback && loopback ? SOTTO_REQUEST_LOOPBACK : 0);
    c->state = l->tls != NULL ? CONN_HANDSHAKE : CONN_IDLE;
    sotto_buf_init(&c->out, server->limits.out_bytes);
    sotto_buf_init(&c->waiting, SERVER_WAITING_MAX);
    if ((err = sotto_http_request_new(&server->limits.http, &c->parser)) != SOTTO_OK ||
        (l->tls != NULL &&
         (err = sotto_tls_new(l->tls, fd, NULL, NULL, &c->wire.tls)) != SOTTO_OK) ||
        (err = sotto_timer_open(server->loop, &c->timer, on_timer)) != SOTTO_OK ||
        (err = sotto_loop_watch(server->loop, &c->watch, fd, on_event)) != SOTTO_OK) {
        sotto_timer_close(&c->timer);
        sotto_tls_free(c->wire.tls);
        sotto_http_request_free(c->parser);
        sotto_free(c);
        return err;
    }
    sotto_timer_arm(&c->timer,
                    l->tls != NULL ? server->limits.head_ms : server->limits.keep_alive_ms);
    c->next = server->conns;
    if (c->next != NULL) {
        c->next->prev = c;
    }
    server->conns = c;
    server->stats.open++;
    server->stats.accepted++;
    return SOTTO_OK;
}

static void on_accept(struct sotto_watch *watch, uint32_t events);

static void on_rested(struct sotto_timer *timer)
{
    struct listener *l = SOTTO_CONTAINER(timer, struct listener, rest);
    int fd = l->watch.fd;
    if (sotto_loop_watch_level(l->server->loop, &l->watch, fd, on_accept) != SOTTO_OK) {
        l->watch.fd = fd;
        sotto_timer_arm(&l->rest, SERVER_REST_MS);
    }
}

/* There is no room for a connection now: those who wait stay in the kernel's queue. */
static void rest(struct listener *l)
{
    sotto_loop_unwatch(l->server->loop, &l->watch);
    sotto_timer_arm(&l->rest, SERVER_REST_MS);
}

static void on_accept(struct sotto_watch *watch, uint32_t events)
{
    struct listener *l = SOTTO_CONTAINER(watch, struct listener, watch);
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
        if (open_conn(l, fd, sotto_socket_is_loopback(&peer)) != SOTTO_OK) {
            close(fd);
        }
    }
}

static void close_listener(struct listener *l)
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
        struct listener *l = server->listeners;
        server->listeners = l->next;
        close_listener(l);
    }
}

enum sotto_err sotto_server_listen(struct sotto_server *server, const char *address, uint16_t port,
                                   struct sotto_tls_context *tls, uint32_t flags,
                                   uint16_t *bound_port)
{
    struct listener *l = sotto_calloc(1, sizeof(*l));
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
    l->flags = flags & SOTTO_REQUEST_ADMIN;
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
        struct conn *c = server->conns;
        kill_conn(c);
        sotto_loop_undefer(server->loop, &c->task);
        free_conn(&c->task);
    }
    sotto_loop_undefer(server->loop, &server->drained);
    sotto_buf_free(&server->head);
    sotto_free(server);
}

void sotto_server_drain(struct sotto_server *server)
{
    server->draining = true;
    close_listeners(server);
    for (struct conn *c = server->conns, *next; c != NULL; c = next) {
        next = c->next;
        if (c->state == CONN_IDLE) { /* a request may have come that no event has told yet */
            sotto_wire_readable(&c->wire, c->wire.ending);
            read_on(c);
        }
        if (c->state == CONN_IDLE || c->state == CONN_HANDSHAKE) {
            kill_conn(c);
        }
    }
    if (server->stats.open == 0) {
        sotto_loop_defer(server->loop, &server->drained, on_drained);
    }
}

void sotto_server_stats(const struct sotto_server *server, struct sotto_server_stats *stats)
{
    *stats = server->stats;
}

void sotto_server_set_limits(struct sotto_server *server, const struct sotto_server_limits *limits)
{
    server->limits = *limits;
}
