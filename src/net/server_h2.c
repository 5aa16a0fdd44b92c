/* SPDX-License-Identifier: Apache-2.0 */

#include "net/server_conn.h"

#include "base/alloc.h"
#include "http/write.h"

/* How often the time limits are looked at, at least and at most. */
#define H2_TICK_MS     1000
#define H2_TICK_MIN_MS 20

/* --- exchanges -------------------------------------------------------------------------------- */

static void on_pump_task(struct sotto_task *task)
{
    sotto_server_h2_pump(SOTTO_CONTAINER(task, struct sotto_conn, head_task));
}

/* What was submitted goes out at the end of this round, with that of other streams. */
static void pump_later(struct sotto_conn *c)
{
    sotto_loop_defer(c->server->loop, &c->head_task, on_pump_task);
}

/* The exchange is over; its memory stays until the end of whoever called. */
static void leave(struct sotto_exchange *x)
{
    struct sotto_conn *c = x->conn;
    if (x->stream != NULL) {
        sotto_h2_stream_set_user(x->stream, NULL);
        x->stream = NULL;
    }
    x->over = true;
    c->server->stats.running--;
    if (x->prev != NULL) {
        x->prev->next = x->next;
    } else {
        c->exchanges = x->next;
    }
    if (x->next != NULL) {
        x->next->prev = x->prev;
    }
}

static void finish(struct sotto_exchange *x)
{
    leave(x);
    sotto_free(x);
}

/* The client's side ended it: on_gone(). */
static void lose(struct sotto_exchange *x)
{
    struct sotto_server *server = x->conn->server;
    leave(x);
    server->stats.gone++;
    server->handler->on_gone(server->ctx, x);
    sotto_free(x);
}

void sotto_server_h2_end(struct sotto_conn *c, bool tell)
{
    while (c->exchanges != NULL) {
        if (tell) {
            lose(c->exchanges);
        } else {
            finish(c->exchanges);
        }
    }
}

/* Lines of the gateway and those that the server writes itself, into server->head. */
static bool write_lines(struct sotto_server *server, sotto_span lines)
{
    sotto_span date = sotto_span_str(sotto_server_date(server));
    sotto_buf_truncate(&server->head, 0);
    return sotto_buf_append(&server->head, lines) == SOTTO_OK &&
           sotto_http_write_field(&server->head, "date", date) == SOTTO_OK;
}

void sotto_server_h2_reply(struct sotto_exchange *x, int status, sotto_span lines, sotto_span body)
{
    struct sotto_conn *c = x->conn;
    if (x->over || x->streaming) {
        return;
    }
    if (write_lines(c->server, lines)) {
        sotto_h2_stream_reply(x->stream, status, sotto_buf_span(&c->server->head), body);
    } else {
        sotto_h2_stream_abort(x->stream);
    }
    sotto_buf_truncate(&c->server->head, 0);
    finish(x);
    pump_later(c);
}

void sotto_server_h2_stream(struct sotto_exchange *x, int status, sotto_span lines)
{
    struct sotto_conn *c = x->conn;
    if (x->over || x->streaming) {
        return;
    }
    x->streaming = true;
    if (!write_lines(c->server, lines) ||
        !sotto_h2_stream_begin(x->stream, status, sotto_buf_span(&c->server->head))) {
        sotto_h2_stream_abort(x->stream); /* the gateway hears of it with its next write */
        sotto_h2_stream_set_user(x->stream, NULL);
        x->stream = NULL;
    }
    sotto_buf_truncate(&c->server->head, 0);
    pump_later(c);
}

static void set_flow(struct sotto_exchange *x)
{
    const struct sotto_server *server = x->conn->server;
    bool full = sotto_h2_stream_waiting(x->stream) >
                (x->full ? server->limits.low_bytes : server->limits.high_bytes);
    if (full != x->full) {
        x->full = full;
        if (server->handler->on_flow != NULL) {
            server->handler->on_flow(server->ctx, x, full);
        }
    }
}

bool sotto_server_h2_write(struct sotto_exchange *x, sotto_span piece, bool last)
{
    struct sotto_conn *c = x->conn;
    if (x->over || !x->streaming) {
        return false;
    }
    if (x->stream == NULL) {
        finish(x);
        return false;
    }
    pump_later(c);
    if (!sotto_h2_stream_write(x->stream, piece, last)) {
        sotto_h2_stream_abort(x->stream);
        finish(x);
        return false;
    }
    if (last) {
        finish(x);
    } else {
        set_flow(x);
    }
    return true;
}

size_t sotto_server_h2_waiting(struct sotto_exchange *x)
{
    return x->stream != NULL ? sotto_h2_stream_waiting(x->stream) : 0;
}

void sotto_server_h2_abort(struct sotto_exchange *x)
{
    struct sotto_conn *c = x->conn;
    if (x->over) {
        return;
    }
    if (x->stream != NULL) {
        sotto_h2_stream_abort(x->stream);
    }
    finish(x);
    pump_later(c);
}

/* --- what the session tells ------------------------------------------------------------------- */

static void on_request(void *ctx, struct sotto_h2_stream *stream, sotto_span head, sotto_span body,
                       int64_t begun_us)
{
    struct sotto_conn *c = ctx;
    struct sotto_server *server = c->server;
    struct sotto_exchange *x = sotto_calloc(1, sizeof(*x));
    if (x == NULL) {
        sotto_h2_stream_abort(stream);
        return;
    }
    x->id = ++server->next_id;
    x->conn = c;
    x->stream = stream;
    x->next = c->exchanges;
    if (x->next != NULL) {
        x->next->prev = x;
    }
    c->exchanges = x;
    sotto_h2_stream_set_user(stream, x);
    server->stats.requests++;
    server->stats.running++;
    const struct sotto_server_request request = {
        .id = x->id,
        .head = head,
        .body = body,
        .flags = c->flags,
        .begun_us = begun_us,
        .age_us = sotto_loop_now_us(server->loop) - begun_us,
    };
    server->handler->on_request(server->ctx, x, &request);
}

static void on_gone(void *ctx, struct sotto_h2_stream *stream)
{
    (void)ctx;
    if (sotto_h2_stream_user(stream) != NULL) {
        lose(sotto_h2_stream_user(stream));
    }
}

static void on_taken(void *ctx, struct sotto_h2_stream *stream)
{
    (void)ctx;
    if (sotto_h2_stream_user(stream) != NULL) {
        set_flow(sotto_h2_stream_user(stream));
    }
}

static void on_refused(void *ctx, int status, const char *reason, struct sotto_buf *lines,
                       struct sotto_buf *body)
{
    struct sotto_conn *c = ctx;
    struct sotto_server *server = c->server;
    sotto_span date = sotto_span_str(sotto_server_date(server));
    server->stats.refused++;
    if (server->handler->on_refused != NULL) {
        server->handler->on_refused(server->ctx, status, reason, lines, body);
    }
    sotto_ignore(sotto_http_write_field(lines, "date", date)); /* an answer without it is one too */
}

static const struct sotto_h2_server_handler session_handler = {
    .on_request = on_request,
    .on_gone = on_gone,
    .on_refused = on_refused,
    .on_taken = on_taken,
};

/* --- the connection --------------------------------------------------------------------------- */

static void arm_tick(struct sotto_conn *c)
{
    const struct sotto_server_limits *limits = &c->server->limits;
    int64_t ms = H2_TICK_MS;
    ms = limits->head_ms / 4 < ms ? limits->head_ms / 4 : ms;
    ms = limits->body_window_ms / 4 < ms ? limits->body_window_ms / 4 : ms;
    ms = limits->send_ms / 4 < ms ? limits->send_ms / 4 : ms;
    if (sotto_h2_server_is_quiet(c->h2) &&
        c->stuck_us == 0) { /* only the end of keep_alive_ms can come */
        ms = limits->keep_alive_ms;
    }
    sotto_timer_arm(&c->timer, ms > H2_TICK_MIN_MS ? ms : H2_TICK_MIN_MS);
}

/* Says what there is to say, then closes. */
static void end(struct sotto_conn *c)
{
    sotto_server_h2_end(c, true);
    if (sotto_conn_waiting(c) == 0 &&
        sotto_h2_server_send(c->h2, &c->out, sotto_loop_now_us(c->server->loop)) == SOTTO_OK &&
        sotto_conn_flush(c) && sotto_conn_waiting(c) == 0) {
        sotto_conn_linger(c);
    } else {
        sotto_conn_kill(c);
    }
}

bool sotto_server_h2_begin(struct sotto_conn *c)
{
    const struct sotto_server_limits *limits = &c->server->limits;
    const struct sotto_h2_server_limits session_limits = {
        .http = limits->http,
        .head_ms = limits->head_ms,
        .body_window_ms = limits->body_window_ms,
        .body_window_bytes = limits->body_window_bytes,
        .keep_alive_ms = limits->keep_alive_ms,
        .send_ms = limits->send_ms,
        .out_bytes = limits->out_bytes,
    };
    if (sotto_h2_server_new(&session_limits, &session_handler, c,
                            sotto_loop_now_us(c->server->loop), &c->h2) != SOTTO_OK) {
        return false;
    }
    c->state = CONN_MULTI;
    arm_tick(c);
    sotto_server_h2_pump(c);
    return true;
}

void sotto_server_h2_input(struct sotto_conn *c, sotto_span in)
{
    enum sotto_err err = sotto_h2_server_feed(c->h2, in, sotto_loop_now_us(c->server->loop));
    if (err != SOTTO_OK) {
        end(c);
        return;
    }
    sotto_server_h2_pump(c);
}

/* Sends what waits.  False: the connection is lost. */
static bool flush(struct sotto_conn *c)
{
    size_t before = sotto_conn_waiting(c);
    if (!sotto_conn_flush(c)) {
        sotto_conn_lose(c);
        return false;
    }
    if (sotto_conn_waiting(c) == 0) {
        c->stuck_us = 0;
    } else if (c->stuck_us == 0 || sotto_conn_waiting(c) < before) {
        c->stuck_us = sotto_loop_now_us(c->server->loop);
    }
    return true;
}

void sotto_server_h2_pump(struct sotto_conn *c)
{
    if (c->state != CONN_MULTI) {
        return;
    }
    while (flush(c) && sotto_conn_waiting(c) == 0) {
        c->out.max = c->server->limits.out_bytes;
        if (sotto_h2_server_send(c->h2, &c->out, sotto_loop_now_us(c->server->loop)) != SOTTO_OK) {
            sotto_conn_lose(c);
            return;
        }
        if (sotto_conn_waiting(c) == 0) {
            break;
        }
    }
    if (c->state != CONN_MULTI) {
        return;
    }
    arm_tick(c);
    if (sotto_conn_waiting(c) == 0 && sotto_h2_server_finished(c->h2)) {
        end(c);
    }
}

void sotto_server_h2_tick(struct sotto_conn *c)
{
    int64_t now_us = sotto_loop_now_us(c->server->loop);
    if (c->stuck_us != 0 && now_us - c->stuck_us >= c->server->limits.send_ms * 1000) {
        sotto_conn_lose(c);
    } else if (sotto_h2_server_tick(c->h2, now_us) != SOTTO_OK) {
        end(c);
    } else {
        sotto_server_h2_pump(c);
    }
}

void sotto_server_h2_drain(struct sotto_conn *c)
{
    sotto_h2_server_drain(c->h2);
    sotto_server_h2_pump(c);
}
