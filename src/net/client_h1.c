/* SPDX-License-Identifier: Apache-2.0 */

#include "net/client_pool.h"

#include "base/alloc.h"

/* Reads of one connection before others get a turn. */
#define CLIENT_READS 8

/* --- sending ---------------------------------------------------------------------------------- */

void sotto_client_h1_read_task(struct sotto_task *task)
{
    sotto_client_h1_read_on(SOTTO_CONTAINER(task, struct sotto_pool_conn, task));
}

/* Sends what is left of the request.  A failed write is left to the reader: the upstream may have
 * answered before it closed. */
void sotto_client_h1_write_on(struct sotto_pool_conn *c)
{
    struct sotto_fetch *f = c->fetch;
    struct sotto_pool *pool = sotto_pool_of(c);
    while (c->sent < f->request_len && !c->wire.failed) {
        const struct iovec iov = {.iov_base = f->request.base + c->sent,
                                  .iov_len = f->request_len - c->sent};
        size_t n = 0;
        switch (sotto_wire_writev(&c->wire, &iov, 1, &n)) {
        case SOTTO_TLS_OK:
            c->sent += n;
            break;
        case SOTTO_TLS_AGAIN:
            sotto_timer_arm(&c->timer, pool->limits.silence_ms);
            return;
        case SOTTO_TLS_END:
        case SOTTO_TLS_FAILED:
            c->wire.failed = true;
            sotto_wire_readable(&c->wire, true);
            sotto_loop_defer(pool->loop, &c->task, sotto_client_h1_read_task);
            return;
        }
    }
    if (c->sent == f->request_len) {
        sotto_timer_arm(&c->timer, pool->limits.first_byte_ms);
        if (!c->reused) { /* it is never sent again */
            sotto_buf_free(&f->request);
        }
    }
}

void sotto_client_h1_begin(struct sotto_pool_conn *c)
{
    c->state = POOL_BUSY;
    c->sent = 0;
    sotto_http_response_next(c->parser, c->fetch->to_head);
    sotto_client_h1_write_on(c);
}

/* --- receiving -------------------------------------------------------------------------------- */

/* The upstream closed a reused connection before it answered: what was sent is sent once more. */
static bool retry(struct sotto_pool_conn *c)
{
    struct sotto_fetch *f = c->fetch;
    struct sotto_pool_origin *origin = c->origin;
    if (!c->reused || f->retried || !sotto_http_response_idle(c->parser) ||
        f->request.len != f->request_len) {
        return false;
    }
    f->retried = true;
    sotto_pool_conn_kill(c);
    origin->pool->stats.retried++;
    if (sotto_pool_conn_open(origin, f) != SOTTO_OK) {
        sotto_fetch_fail(f, SOTTO_FETCH_MEMORY, "no memory for a connection");
    }
    return true;
}

/* Whether nothing at all is left to be read, so that nothing can pass for the next answer. */
static bool is_quiet(struct sotto_pool_conn *c)
{
    uint8_t byte = 0;
    size_t n;
    return sotto_wire_read(&c->wire, &byte, 1, &n) == SOTTO_TLS_AGAIN;
}

/* Whether the connection may carry another request behind a complete answer. */
static bool may_keep(struct sotto_pool_conn *c)
{
    const struct sotto_pool *pool = sotto_pool_of(c);
    int64_t age_us = sotto_loop_now_us(pool->loop) - c->opened_us;
    return sotto_http_response_reusable(c->parser) && c->sent == c->fetch->request_len &&
           !c->wire.failed && !c->wire.ending && age_us < pool->limits.age_ms * 1000 && is_quiet(c);
}

/* The answer is complete.  `clean`: nothing came behind it. */
static void complete(struct sotto_pool_conn *c, bool clean)
{
    struct sotto_fetch *f = c->fetch;
    struct sotto_pool_origin *origin = c->origin;
    bool keep = clean && may_keep(c);
    c->fetch = NULL;
    f->conn = NULL;
    if (keep) {
        c->state = POOL_IDLE;
        c->reused = true;
        sotto_http_response_next(c->parser, false);
        sotto_timer_arm(&c->timer, origin->pool->limits.idle_ms);
        sotto_pool_enter_idle(c);
    } else {
        sotto_pool_conn_kill(c);
    }
    f->over = true;
    f->handler->on_end(f->ctx, f);
    sotto_fetch_bury(f);
    sotto_pool_serve_queue(origin);
}

/* The connection ended or broke. */
static void lost(struct sotto_pool_conn *c, bool clean)
{
    if (clean && sotto_http_response_eof(c->parser) == SOTTO_OK) {
        complete(c, false);
    } else if (!retry(c)) {
        bool begun = !sotto_http_response_idle(c->parser);
        sotto_pool_conn_fail(c, begun ? SOTTO_FETCH_CUT : SOTTO_FETCH_UNREACHABLE,
                             begun ? "the upstream closed in the middle of its answer"
                                   : "the upstream closed before it answered");
    }
}

/* Hands on what the parser finds in `in`.  False: the connection's turn is over. */
static bool take_input(struct sotto_pool_conn *c, sotto_span in)
{
    struct sotto_fetch *f = c->fetch;
    for (;;) {
        size_t used = 0;
        enum sotto_http_event event;
        sotto_span piece;
        enum sotto_err err = sotto_http_response_feed(c->parser, in, &used, &event, &piece);
        in = sotto_span_skip(in, used);
        if (err != SOTTO_OK) {
            sotto_pool_conn_fail(c, err == SOTTO_ENOMEM ? SOTTO_FETCH_MEMORY : SOTTO_FETCH_PROTOCOL,
                                 err == SOTTO_ELIMIT ? "the head of the answer is too large"
                                                     : "the answer is not valid HTTP");
            return false;
        }
        switch (event) {
        case SOTTO_HTTP_MORE:
            return true;
        case SOTTO_HTTP_HEAD:
            f->handler->on_head(f->ctx, f, sotto_http_response_status(c->parser),
                                sotto_http_response_head(c->parser));
            break;
        case SOTTO_HTTP_BODY:
            f->handler->on_body(f->ctx, f, piece);
            break;
        case SOTTO_HTTP_DONE:
            complete(c, in.len == 0);
            return false;
        }
        if (c->fetch != f) { /* cancelled in the callback */
            return false;
        }
    }
}

/* One read.  False: the connection's turn is over. */
static bool read_once(struct sotto_pool_conn *c)
{
    struct sotto_pool *pool = sotto_pool_of(c);
    uint8_t *scratch = sotto_loop_scratch(pool->loop);
    size_t n = 0;
    switch (sotto_wire_read(&c->wire, scratch, SOTTO_LOOP_SCRATCH_BYTES, &n)) {
    case SOTTO_TLS_OK: {
        if (c->sent == c->fetch->request_len) {
            sotto_buf_free(&c->fetch->request);
        }
        if (!c->fetch->ending) {
            sotto_timer_arm(&c->timer, pool->limits.silence_ms);
        }
        bool more = take_input(c, sotto_span_init(scratch, n));
        sotto_wipe(scratch, n);
        return more;
    }
    case SOTTO_TLS_AGAIN:
        return false;
    case SOTTO_TLS_END:
        lost(c, true);
        return false;
    case SOTTO_TLS_FAILED:
        lost(c, false);
        return false;
    }
    return false;
}

void sotto_client_h1_read_on(struct sotto_pool_conn *c)
{
    for (int i = 0; c->state == POOL_BUSY && !c->fetch->paused; i++) {
        if (i == CLIENT_READS) {
            sotto_loop_defer(sotto_pool_of(c)->loop, &c->task, sotto_client_h1_read_task);
            return;
        }
        if (!read_once(c)) {
            return;
        }
    }
}
