/* SPDX-License-Identifier: Apache-2.0 */

#include "net/client_pool.h"

#include "base/alloc.h"

/* Reads of one connection before others get a turn. */
#define CLIENT_H2_READS 8

static void on_turn_task(struct sotto_task *task);

/* What was submitted goes out at the end of this round, with that of other requests. */
static void turn_later(struct sotto_pool_conn *c)
{
    if (c != NULL && c->state == POOL_MULTI) {
        sotto_loop_defer(sotto_pool_of(c)->loop, &c->task, on_turn_task);
    }
}

/* --- the end of a request --------------------------------------------------------------------- */

static void complete(struct sotto_fetch *f)
{
    sotto_fetch_leave(f);
    sotto_h2_request_free(f->stream); /* where the request has not gone yet, it need not */
    f->stream = NULL;
    f->over = true;
    f->handler->on_end(f->ctx, f);
    sotto_fetch_bury(f);
}

/* The upstream did not begin with it.  False: it was sent often enough. */
static bool send_again(struct sotto_fetch *f)
{
    struct sotto_pool *pool = f->origin->pool;
    if (f->resent == SOTTO_FETCH_RESENT || f->request.len != f->request_len) {
        return false;
    }
    f->resent++;
    pool->stats.retried++;
    sotto_fetch_leave(f);
    sotto_h2_request_free(f->stream);
    f->stream = NULL;
    f->conn = NULL;
    sotto_timer_close(&f->timer);
    sotto_loop_undefer(pool->loop, &f->task); /* it may have been told to go on in this round */
    sotto_fetch_again(f);
    return true;
}

static void fail(struct sotto_fetch *f, enum sotto_err err)
{
    bool begun = !sotto_h2_request_idle(f->stream);
    if (err == SOTTO_EUPSTREAM) {
        if (!send_again(f)) {
            sotto_fetch_fail(f, SOTTO_FETCH_UNREACHABLE, "the upstream refuses the request");
        }
    } else if (err == SOTTO_ENOMEM) {
        sotto_fetch_fail(f, SOTTO_FETCH_MEMORY, "no memory for the answer");
    } else if (err == SOTTO_ETIMEOUT) {
        sotto_fetch_fail(f, SOTTO_FETCH_TIMEOUT, "the upstream gives no sign of life");
    } else if (err == SOTTO_ELIMIT) {
        sotto_fetch_fail(f, SOTTO_FETCH_PROTOCOL, "the upstream is over the limits of HTTP/2");
    } else if (err == SOTTO_EFORMAT) {
        sotto_fetch_fail(f, SOTTO_FETCH_PROTOCOL, "the answer is not valid HTTP/2");
    } else {
        sotto_fetch_fail(f, begun ? SOTTO_FETCH_CUT : SOTTO_FETCH_UNREACHABLE,
                         begun ? "the upstream ended it in the middle of its answer"
                               : "the upstream ended it before it answered");
    }
}

static void on_stream_timer(struct sotto_timer *timer)
{
    struct sotto_fetch *f = SOTTO_CONTAINER(timer, struct sotto_fetch, timer);
    struct sotto_pool_conn *c = f->conn;
    const char *reason =
        !sotto_h2_request_sent(f->stream)  ? "the upstream does not take the request"
        : sotto_h2_request_idle(f->stream) ? "the upstream does not answer"
                                           : "the upstream fell silent in the middle of its answer";
    sotto_fetch_fail(f, SOTTO_FETCH_TIMEOUT, reason);
    turn_later(c);
}

/* --- what came -------------------------------------------------------------------------------- */

/* Until the answer begins the time limit is that of what is being done. */
static void watch_progress(struct sotto_fetch *f)
{
    const struct sotto_client_limits *limits = &f->origin->pool->limits;
    if (f->progress == SIZE_MAX || f->ending) {
        return;
    }
    if (sotto_h2_request_sent(f->stream)) {
        f->progress = SIZE_MAX;
        if (f->paused) {
            sotto_timer_stop(&f->timer);
        } else {
            sotto_timer_arm(&f->timer, limits->first_byte_ms);
        }
    } else if (sotto_h2_request_progress(f->stream) != f->progress) {
        f->progress = sotto_h2_request_progress(f->stream);
        sotto_timer_arm(&f->timer, limits->silence_ms);
    }
}

/* Hands on what came for the fetch, as long as it is wanted. */
static void serve(struct sotto_fetch *f)
{
    watch_progress(f);
    while (!f->over && !f->paused) {
        enum sotto_http_event event;
        sotto_span piece;
        enum sotto_err err = sotto_h2_request_take(f->stream, &event, &piece);
        if (err != SOTTO_OK) {
            fail(f, err);
            return;
        }
        if (event != SOTTO_HTTP_MORE && !f->ending) {
            sotto_timer_arm(&f->timer, f->origin->pool->limits.silence_ms);
        }
        switch (event) {
        case SOTTO_HTTP_MORE:
            return;
        case SOTTO_HTTP_HEAD:
            if (sotto_h2_request_sent(f->stream)) {
                sotto_buf_free(&f->request);
            }
            f->handler->on_head(f->ctx, f, sotto_h2_request_status(f->stream),
                                sotto_h2_request_head(f->stream));
            break;
        case SOTTO_HTTP_BODY:
            f->handler->on_body(f->ctx, f, piece);
            break;
        case SOTTO_HTTP_DONE:
            complete(f);
            return;
        }
    }
}

static void on_serve_task(struct sotto_task *task)
{
    struct sotto_fetch *f = SOTTO_CONTAINER(task, struct sotto_fetch, task);
    struct sotto_pool_conn *c = f->conn;
    serve(f);
    turn_later(c);
}

static void serve_ready(struct sotto_pool_conn *c)
{
    struct sotto_fetch *f;
    while ((f = sotto_h2_client_next(c->h2)) != NULL) {
        serve(f);
    }
}

/* --- the end of a connection ------------------------------------------------------------------ */

void sotto_client_h2_abandon(struct sotto_pool_conn *c)
{
    struct sotto_pool *pool = sotto_pool_of(c);
    if (c->h2 == NULL) {
        return;
    }
    if (c->resting) {
        c->resting = false;
        pool->stats.idle--;
    }
    sotto_h2_client_end(c->h2, SOTTO_ECLOSED);
    while (c->shared.first != NULL) {
        struct sotto_fetch *f = c->shared.first;
        sotto_fetch_leave(f);
        f->conn = NULL;
        sotto_fetch_enter(f, &c->origin->orphans);
        if (!f->paused) {
            sotto_loop_defer(pool->loop, &f->task, on_serve_task);
        }
    }
}

static void lose(struct sotto_pool_conn *c)
{
    struct sotto_pool_origin *origin = c->origin;
    sotto_pool_conn_kill(c);
    sotto_pool_serve_queue(origin);
}

static bool flush(struct sotto_pool_conn *c)
{
    while (c->out_at < c->out.len) {
        const struct iovec iov = {.iov_base = c->out.base + c->out_at,
                                  .iov_len = c->out.len - c->out_at};
        size_t n = 0;
        switch (sotto_wire_writev(&c->wire, &iov, 1, &n)) {
        case SOTTO_TLS_OK:
            c->out_at += n;
            break;
        case SOTTO_TLS_AGAIN:
            return true;
        case SOTTO_TLS_END:
        case SOTTO_TLS_FAILED:
            c->wire.failed = true;
            return false;
        }
    }
    if (c->out.cap != 0) {
        sotto_buf_free(&c->out);
        sotto_buf_init(&c->out, SOTTO_BUF_UNBOUNDED); /* SOTTO_H2_SEND_BYTES and a frame */
        c->out_at = 0;
    }
    return true;
}

/* Says what there is to say, as far as that goes at once, and closes. */
static void say_and_close(struct sotto_pool_conn *c)
{
    if (flush(c) && c->out.len == 0 && sotto_h2_client_send(c->h2, &c->out) == SOTTO_OK) {
        flush(c);
    }
    lose(c);
}

/* --- turns ------------------------------------------------------------------------------------ */

/* False: the connection is gone. */
static bool read_input(struct sotto_pool_conn *c)
{
    struct sotto_pool *pool = sotto_pool_of(c);
    uint8_t *scratch = sotto_loop_scratch(pool->loop);
    for (int i = 0; i < CLIENT_H2_READS; i++) {
        size_t n = 0;
        enum sotto_err err;
        switch (sotto_wire_read(&c->wire, scratch, SOTTO_LOOP_SCRATCH_BYTES, &n)) {
        case SOTTO_TLS_OK:
            c->heard_us = sotto_loop_now_us(pool->loop);
            c->asked = false;
            err = sotto_h2_client_feed(c->h2, sotto_span_init(scratch, n), c->heard_us);
            sotto_wipe(scratch, n);
            if (err != SOTTO_OK) {
                say_and_close(c);
                return false;
            }
            serve_ready(c);
            break;
        case SOTTO_TLS_AGAIN:
            return true;
        case SOTTO_TLS_END:
        case SOTTO_TLS_FAILED:
            lose(c);
            return false;
        }
    }
    turn_later(c);
    return true;
}

/* False: the connection is gone. */
static bool send_output(struct sotto_pool_conn *c)
{
    while (!c->wire.failed) {
        if (!flush(c)) { /* what the upstream said before may still be read */
            sotto_wire_readable(&c->wire, true);
            turn_later(c);
            return true;
        }
        if (c->out.len != 0) {
            return true;
        }
        if (sotto_h2_client_send(c->h2, &c->out) != SOTTO_OK) {
            flush(c);
            lose(c);
            return false;
        }
        if (c->out.len == 0) {
            return true;
        }
    }
    return true;
}

static bool is_young(const struct sotto_pool_conn *c)
{
    const struct sotto_pool *pool = sotto_pool_of(c);
    return sotto_loop_now_us(pool->loop) - c->opened_us < pool->limits.age_ms * 1000;
}

/* Looks at what the connection is to be used for from now on. */
static void settle(struct sotto_pool_conn *c)
{
    struct sotto_pool_origin *origin = c->origin;
    struct sotto_pool *pool = origin->pool;
    if (sotto_h2_client_streams(c->h2) != 0) {
        origin->h2_streams = sotto_h2_client_streams(c->h2);
    }
    if (c->shared.count == 0 && (sotto_h2_client_is_ending(c->h2) || !is_young(c))) {
        sotto_h2_client_leave(c->h2);
        say_and_close(c);
        return;
    }
    if (c->shared.count == 0 && !c->resting) {
        c->resting = true;
        pool->stats.idle++;
        sotto_timer_arm(&c->timer, pool->limits.idle_ms);
    }
    if (origin->first != NULL) {
        sotto_pool_serve_queue(origin);
    }
}

static void turn(struct sotto_pool_conn *c)
{
    if (c->state == POOL_MULTI && read_input(c) && send_output(c)) {
        serve_ready(c); /* what went */
        settle(c);
    }
}

static void on_turn_task(struct sotto_task *task)
{
    turn(SOTTO_CONTAINER(task, struct sotto_pool_conn, task));
}

void sotto_client_h2_event(struct sotto_pool_conn *c)
{
    turn(c);
}

void sotto_client_h2_tick(struct sotto_pool_conn *c)
{
    int64_t quiet_ms = (sotto_loop_now_us(sotto_pool_of(c)->loop) - c->heard_us) / 1000;
    if (c->resting) {
        sotto_h2_client_leave(c->h2);
        say_and_close(c);
    } else if (c->asked) {
        sotto_h2_client_end(c->h2, SOTTO_ETIMEOUT);
        lose(c);
    } else if (quiet_ms < SOTTO_FETCH_PING_MS) {
        sotto_timer_arm(&c->timer, SOTTO_FETCH_PING_MS - quiet_ms);
    } else if (sotto_h2_client_ping(c->h2) == SOTTO_OK) {
        c->asked = true;
        sotto_timer_arm(&c->timer, SOTTO_FETCH_PONG_MS);
        turn(c);
    } else {
        sotto_h2_client_end(c->h2, SOTTO_ENOMEM);
        lose(c);
    }
}

/* --- requests --------------------------------------------------------------------------------- */

static void start(struct sotto_pool_conn *c, struct sotto_fetch *f)
{
    struct sotto_pool *pool = sotto_pool_of(c);
    enum sotto_err err = sotto_timer_open(pool->loop, &f->timer, on_stream_timer);
    if (err == SOTTO_OK) {
        err = sotto_h2_request_new(c->h2, sotto_buf_span(&f->request), f, &f->stream);
    }
    if (err != SOTTO_OK) {
        sotto_timer_close(&f->timer);
        sotto_fetch_fail_later(f, err == SOTTO_ENOMEM ? SOTTO_FETCH_MEMORY : SOTTO_FETCH_PROTOCOL,
                               "the request could not be begun");
        return;
    }
    f->conn = c;
    f->progress = 0;
    sotto_fetch_enter(f, &c->shared);
    sotto_timer_arm(&f->timer, pool->limits.silence_ms);
    if (c->resting) {
        c->resting = false;
        pool->stats.idle--;
        c->heard_us = sotto_loop_now_us(pool->loop); /* it had no reason to speak */
        sotto_timer_arm(&c->timer, SOTTO_FETCH_PING_MS);
    }
    turn_later(c);
}

struct sotto_pool_conn *sotto_client_h2_find(struct sotto_pool_origin *origin)
{
    struct sotto_pool_conn *comes = NULL;
    if (!origin->http2 || origin->answers_h1) {
        return NULL;
    }
    for (struct sotto_pool_conn *c = origin->conns; c != NULL; c = c->next) {
        if (c->state == POOL_MULTI) {
            if (!c->wire.failed && !c->wire.ending && is_young(c) &&
                c->shared.count < origin->h2_streams && sotto_h2_client_room(c->h2) != 0) {
                return c;
            }
        } else if (c->offers_h2 && c->state < POOL_BUSY &&
                   c->shared.count + 1 < origin->h2_streams) {
            comes = c;
        }
    }
    return comes;
}

bool sotto_client_h2_join(struct sotto_pool_origin *origin, struct sotto_fetch *f)
{
    struct sotto_pool_conn *c = sotto_client_h2_find(origin);
    if (c == NULL) {
        return false;
    }
    if (c->state == POOL_MULTI) {
        origin->pool->stats.reused++;
        start(c, f);
    } else {
        f->conn = c;
        sotto_fetch_enter(f, &c->shared);
    }
    return true;
}

/* Those that wait for the connection, the one that came first in front. */
static void take_waiting(struct sotto_pool_conn *c, struct sotto_fetch_list *list)
{
    while (c->shared.first != NULL) {
        struct sotto_fetch *f = c->shared.first;
        sotto_fetch_leave(f);
        f->conn = NULL;
        sotto_fetch_enter(f, list);
    }
}

void sotto_client_h2_declined(struct sotto_pool_conn *c)
{
    struct sotto_fetch_list waiting = {0};
    if (!c->offers_h2) {
        return;
    }
    c->origin->answers_h1 = true;
    take_waiting(c, &waiting);
    while (waiting.first != NULL) {
        struct sotto_fetch *f = waiting.first;
        sotto_fetch_leave(f);
        sotto_fetch_again(f);
    }
}

void sotto_client_h2_begin(struct sotto_pool_conn *c)
{
    struct sotto_pool *pool = sotto_pool_of(c);
    struct sotto_fetch_list waiting = {0};
    int64_t now_us = sotto_loop_now_us(pool->loop);
    if (sotto_h2_client_new(pool->limits.head_bytes, now_us, &c->h2) != SOTTO_OK) {
        sotto_pool_conn_fail(c, SOTTO_FETCH_MEMORY, "no memory for the connection");
        return;
    }
    c->origin->answers_h1 = false;
    c->state = POOL_MULTI;
    c->heard_us = now_us;
    sotto_buf_init(&c->out, SOTTO_BUF_UNBOUNDED);
    sotto_http_response_free(c->parser);
    c->parser = NULL;
    sotto_timer_arm(&c->timer, SOTTO_FETCH_PING_MS);
    take_waiting(c, &waiting);
    sotto_fetch_enter(c->fetch, &waiting);
    c->fetch->conn = NULL;
    c->fetch = NULL;
    while (waiting.first != NULL) {
        struct sotto_fetch *f = waiting.first;
        sotto_fetch_leave(f);
        if (sotto_h2_client_room(c->h2) != 0) {
            start(c, f);
        } else {
            sotto_fetch_again(f);
        }
    }
}

bool sotto_client_h2_hand_over(struct sotto_pool_conn *c)
{
    struct sotto_fetch *f = c->shared.first;
    if (c->state >= POOL_BUSY || f == NULL) {
        return false;
    }
    sotto_fetch_leave(f);
    c->fetch->conn = NULL;
    c->fetch = f;
    return true;
}

void sotto_client_h2_cancel(struct sotto_fetch *f)
{
    turn_later(f->conn);
}

void sotto_client_h2_pause(struct sotto_fetch *f)
{
    if (sotto_h2_request_sent(f->stream)) {
        sotto_timer_stop(&f->timer);
    }
}

void sotto_client_h2_resume(struct sotto_fetch *f)
{
    struct sotto_pool *pool = f->origin->pool;
    sotto_timer_arm(&f->timer, pool->limits.silence_ms);
    sotto_loop_defer(pool->loop, &f->task, on_serve_task);
}
