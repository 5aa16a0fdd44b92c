/* SPDX-License-Identifier: Apache-2.0 */

#include "net/server_conn.h"

#include <sys/socket.h>

#include "http/write.h"

/* --- between requests ------------------------------------------------------------------------- */

void sotto_server_h1_answer_sent(struct sotto_conn *c)
{
    if (!c->keep || c->server->draining) {
        sotto_conn_linger(c);
        return;
    }
    c->state = CONN_IDLE;
    sotto_timer_arm(&c->timer, c->server->limits.keep_alive_ms);
    /* What came meanwhile: pipelined requests, or the end. */
    if (!c->reading && (c->waiting.len != 0 || !c->wire.drained || c->wire.tls != NULL)) {
        sotto_loop_defer(c->server->loop, &c->task, sotto_conn_read_task);
    }
}

/* The exchange is over; what waits is still sent. */
static void exchange_over(struct sotto_conn *c)
{
    c->server->stats.running--;
    c->state = CONN_FLUSHING;
    if (sotto_conn_waiting(c) == 0) {
        sotto_server_h1_answer_sent(c);
    }
}

/* --- heads ------------------------------------------------------------------------------------ */

/* Writes the head into server->head.  `length` < 0: no Content-Length. */
static enum sotto_err write_head(struct sotto_conn *c, int status, sotto_span lines, int64_t length,
                                 bool chunked)
{
    struct sotto_buf *head = &c->server->head;
    enum sotto_err err;
    sotto_buf_truncate(head, 0);
    if ((err = sotto_http_write_status(head, status)) != SOTTO_OK ||
        (err = sotto_buf_append(head, lines)) != SOTTO_OK ||
        (err = sotto_http_write_field(head, "Date",
                                      sotto_span_str(sotto_server_date(c->server)))) != SOTTO_OK) {
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

static enum sotto_err send_head_and(struct sotto_conn *c, sotto_span body)
{
    const struct iovec iov[] = {sotto_wire_iov(sotto_buf_span(&c->server->head)),
                                sotto_wire_iov(body)};
    enum sotto_err err = sotto_conn_send(c, iov, body.len != 0 ? 2 : 1);
    sotto_buf_truncate(&c->server->head, 0);
    return err;
}

/* --- exchanges -------------------------------------------------------------------------------- */

static struct sotto_conn *conn_of(struct sotto_exchange *x)
{
    return SOTTO_CONTAINER(x, struct sotto_conn, exchange);
}

void sotto_server_h1_reply(struct sotto_exchange *x, int status, sotto_span lines, sotto_span body)
{
    struct sotto_conn *c = conn_of(x);
    if (c->state != CONN_RUNNING || x->streaming) {
        return;
    }
    c->keep = c->keep && !c->server->draining;
    bool no_length = status == 204 || status == 304;
    bool no_body = x->bodiless || no_length;
    if (write_head(c, status, lines, no_length ? -1 : (int64_t)body.len, false) != SOTTO_OK ||
        send_head_and(c, no_body ? sotto_span_init(NULL, 0) : body) != SOTTO_OK) {
        sotto_conn_kill(c);
        return;
    }
    exchange_over(c);
}

static void on_head_task(struct sotto_task *task)
{
    struct sotto_conn *c = SOTTO_CONTAINER(task, struct sotto_conn, head_task);
    if (!sotto_conn_flush(c)) {
        sotto_conn_lose(c);
    } else if (sotto_conn_waiting(c) == 0) {
        sotto_timer_stop(&c->timer);
    }
}

void sotto_server_h1_stream(struct sotto_exchange *x, int status, sotto_span lines)
{
    struct sotto_conn *c = conn_of(x);
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
        if (sotto_conn_enqueue(c, &iov, 1, 0) == SOTTO_OK) {
            sotto_buf_truncate(&c->server->head, 0);
            sotto_timer_arm(&c->timer, c->server->limits.send_ms);
            sotto_loop_defer(c->server->loop, &c->head_task, on_head_task);
            return;
        }
    }
    sotto_conn_kill(c);
}

static enum sotto_err send_stream(struct sotto_conn *c, sotto_span piece, bool last)
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
    enum sotto_err err = n != 0 ? sotto_conn_send(c, iov, n) : SOTTO_OK;
    sotto_buf_free(&head);
    return err;
}

bool sotto_server_h1_write(struct sotto_exchange *x, sotto_span piece, bool last)
{
    struct sotto_conn *c = conn_of(x);
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
        sotto_conn_kill(c);
        return err == SOTTO_ECLOSED; /* the last piece: over, as expected */
    }
    if (sotto_conn_waiting(c) == 0) {
        sotto_timer_stop(&c->timer);
    }
    if (last) {
        exchange_over(c);
    } else {
        sotto_conn_set_flow(c);
    }
    return true;
}

size_t sotto_server_h1_waiting(struct sotto_exchange *x)
{
    return sotto_conn_waiting(conn_of(x));
}

/* Without a length or chunks only a reset tells a broken answer from a complete one. */
static void reset(struct sotto_conn *c)
{
    const struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    setsockopt(c->wire.fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    c->wire.failed = true; /* no close_notify either, which would pass for the end */
    sotto_conn_kill(c);
}

void sotto_server_h1_abort(struct sotto_exchange *x)
{
    struct sotto_conn *c = conn_of(x);
    if (c->state != CONN_RUNNING) {
        return;
    }
    if (x->streaming && !x->chunked && !x->bodiless) {
        reset(c);
        return;
    }
    c->keep = false;
    sotto_loop_undefer(c->server->loop, &c->head_task);
    if (sotto_conn_flush(c)) {
        exchange_over(c); /* what was written before still reaches the client */
    } else {
        sotto_conn_kill(c);
    }
}

/* --- requests --------------------------------------------------------------------------------- */

static void begin_exchange(struct sotto_conn *c)
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

void sotto_server_h1_refuse(struct sotto_conn *c, int status, const char *reason)
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
        sotto_conn_kill(c);
    } else if (sotto_conn_waiting(c) == 0) {
        sotto_server_h1_answer_sent(c);
    }
}

static void head_complete(struct sotto_conn *c, bool more_came)
{
    c->counted = 0;
    sotto_timer_arm(&c->timer, c->server->limits.body_window_ms);
    if (sotto_http_request_expects_continue(c->parser) && !more_came) {
        const struct iovec iov = sotto_wire_iov(SOTTO_LIT("HTTP/1.1 100 Continue\r\n\r\n"));
        if (sotto_conn_send(c, &iov, 1) != SOTTO_OK) {
            sotto_conn_kill(c);
        }
    }
}

/* First byte of a request: its clock starts. */
static void begin_request(struct sotto_conn *c)
{
    c->state = CONN_READING;
    c->begun_us = sotto_loop_now_us(c->server->loop);
    sotto_timer_arm(&c->timer, c->server->limits.head_ms);
}

/* A TLS client on a listener without TLS: its first record is a handshake (RFC 8446 5.1). */
static bool is_client_hello(const struct sotto_conn *c, sotto_span in)
{
    return c->wire.tls == NULL && in.len >= 2 && in.base[0] == 0x16 && in.base[1] == 0x03;
}

/* Parses up to the end of a request, or all of it.  Returns how many bytes were used. */
static size_t parse(struct sotto_conn *c, sotto_span in)
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
            sotto_server_h1_refuse(c, sotto_http_request_status(c->parser),
                                   is_client_hello(c, rest)
                                       ? "this address speaks HTTP without TLS: use http://"
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

void sotto_server_h1_input(struct sotto_conn *c, sotto_span in)
{
    while (in.len != 0 && (c->state == CONN_IDLE || c->state == CONN_READING)) {
        in = sotto_span_skip(in, parse(c, in));
    }
    bool wait = c->state == CONN_RUNNING || c->state == CONN_FLUSHING;
    if (in.len != 0 && wait && sotto_buf_append(&c->waiting, in) != SOTTO_OK) {
        sotto_conn_lose(c);
    }
}

void sotto_server_h1_take_waiting(struct sotto_conn *c)
{
    struct sotto_buf waiting = c->waiting;
    sotto_buf_init(&c->waiting, SOTTO_CONN_WAITING_MAX);
    sotto_server_h1_input(c, sotto_buf_span(&waiting));
    sotto_buf_free(&waiting);
}

void sotto_server_h1_body_window(struct sotto_conn *c)
{
    if (c->counted < c->server->limits.body_window_bytes) {
        sotto_server_h1_refuse(c, 408, "the body came too slowly");
        return;
    }
    c->counted = 0;
    sotto_timer_arm(&c->timer, c->server->limits.body_window_ms);
}
