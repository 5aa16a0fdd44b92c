/* SPDX-License-Identifier: Apache-2.0 */

#include "net/client.h"

#include "base/alloc.h"
#include "net/client_pool.h"

struct sotto_client_limits sotto_client_limits_default(void)
{
    return (struct sotto_client_limits){
        .connect_ms = 5000,
        .first_byte_ms = 300000,
        .silence_ms = 300000,
        .idle_ms = 55000,
        .age_ms = 600000,
        .queue_ms = 10000,
        .connections = 1024,
        .queued = 4096,
        .head_bytes = SOTTO_HTTP_HEAD_MAX,
    };
}

const char *sotto_fetch_error_text(enum sotto_fetch_error error)
{
    switch (error) {
    case SOTTO_FETCH_UNREACHABLE:
        return "upstream_unreachable";
    case SOTTO_FETCH_TIMEOUT:
        return "upstream_timeout";
    case SOTTO_FETCH_TLS:
        return "upstream_tls_failed";
    case SOTTO_FETCH_PROTOCOL:
        return "upstream_protocol_error";
    case SOTTO_FETCH_CUT:
        return "upstream_cut_off";
    case SOTTO_FETCH_BUSY:
        return "upstream_busy";
    case SOTTO_FETCH_MEMORY:
        break;
    }
    return "out_of_memory";
}

/* --- the end of fetches ----------------------------------------------------------------------- */

static void free_fetch(struct sotto_task *task)
{
    struct sotto_fetch *f = SOTTO_CONTAINER(task, struct sotto_fetch, task);
    sotto_buf_free(&f->request);
    sotto_free(f);
}

static void leave_queue(struct sotto_fetch *f)
{
    struct sotto_pool_origin *origin = f->origin;
    if (!f->queued) {
        return;
    }
    if (f->prev != NULL) {
        f->prev->next = f->next;
    } else {
        origin->first = f->next;
    }
    if (f->next != NULL) {
        f->next->prev = f->prev;
    } else {
        origin->last = f->prev;
    }
    f->prev = f->next = NULL;
    f->queued = false;
    origin->queued--;
    origin->pool->stats.waiting--;
    sotto_timer_close(&f->timer);
}

static void leave_failing(struct sotto_fetch *f)
{
    struct sotto_pool *pool = f->origin->pool;
    struct sotto_fetch **link = &pool->failing;
    while (*link != NULL && *link != f) {
        link = &(*link)->next;
    }
    if (*link != NULL) {
        *link = f->next;
        f->next = NULL;
    }
}

void sotto_fetch_enter(struct sotto_fetch *f, struct sotto_fetch_list *list)
{
    f->list = list;
    f->prev = NULL;
    f->next = list->first;
    if (f->next != NULL) {
        f->next->prev = f;
    }
    list->first = f;
    list->count++;
}

void sotto_fetch_leave(struct sotto_fetch *f)
{
    if (f->list == NULL) {
        return;
    }
    if (f->prev != NULL) {
        f->prev->next = f->next;
    } else {
        f->list->first = f->next;
    }
    if (f->next != NULL) {
        f->next->prev = f->prev;
    }
    f->list->count--;
    f->list = NULL;
    f->prev = f->next = NULL;
}

void sotto_fetch_bury(struct sotto_fetch *f)
{
    f->over = true;
    sotto_fetch_leave(f);
    sotto_h2_request_free(f->stream);
    f->stream = NULL;
    sotto_timer_close(&f->timer);
    sotto_buf_free(&f->request);
    sotto_loop_undefer(f->origin->pool->loop, &f->task);
    sotto_loop_defer(f->origin->pool->loop, &f->task, free_fetch);
}

void sotto_fetch_fail(struct sotto_fetch *f, enum sotto_fetch_error error, const char *reason)
{
    f->origin->pool->stats.failed++;
    f->over = true;
    f->handler->on_error(f->ctx, f, error, reason);
    sotto_fetch_bury(f);
}

static void on_fail_task(struct sotto_task *task)
{
    struct sotto_fetch *f = SOTTO_CONTAINER(task, struct sotto_fetch, task);
    leave_failing(f);
    sotto_fetch_fail(f, f->error, f->reason);
}

void sotto_fetch_fail_later(struct sotto_fetch *f, enum sotto_fetch_error error, const char *reason)
{
    struct sotto_pool *pool = f->origin->pool;
    f->error = error;
    f->reason = reason;
    f->next = pool->failing;
    pool->failing = f;
    sotto_loop_undefer(pool->loop, &f->task);
    sotto_loop_defer(pool->loop, &f->task, on_fail_task);
}

/* --- who gets a connection -------------------------------------------------------------------- */

/* Takes the newest idle connection for the fetch.  False: there is none. */
static bool reuse_conn(struct sotto_pool_origin *origin, struct sotto_fetch *f)
{
    struct sotto_pool_conn *c = origin->idle;
    if (c == NULL) {
        return false;
    }
    sotto_pool_leave_idle(c);
    origin->pool->stats.reused++;
    c->fetch = f;
    f->conn = c;
    sotto_client_h1_begin(c);
    return true;
}

static void on_queue_timer(struct sotto_timer *timer)
{
    struct sotto_fetch *f = SOTTO_CONTAINER(timer, struct sotto_fetch, timer);
    leave_queue(f);
    sotto_fetch_fail(f, SOTTO_FETCH_BUSY, "all connections to the upstream are in use");
}

static enum sotto_err enter_queue(struct sotto_pool_origin *origin, struct sotto_fetch *f)
{
    struct sotto_pool *pool = origin->pool;
    enum sotto_err err = sotto_timer_open(pool->loop, &f->timer, on_queue_timer);
    if (err != SOTTO_OK) {
        return err;
    }
    sotto_timer_arm(&f->timer, pool->limits.queue_ms);
    f->prev = origin->last;
    if (f->prev != NULL) {
        f->prev->next = f;
    } else {
        origin->first = f;
    }
    origin->last = f;
    f->queued = true;
    origin->queued++;
    pool->stats.waiting++;
    return SOTTO_OK;
}

void sotto_pool_serve_queue(struct sotto_pool_origin *origin)
{
    while (origin->first != NULL) {
        struct sotto_fetch *f = origin->first;
        if (origin->idle == NULL && origin->conn_count >= origin->pool->limits.connections &&
            sotto_client_h2_find(origin) == NULL) {
            return;
        }
        leave_queue(f);
        if (!reuse_conn(origin, f) && !sotto_client_h2_join(origin, f) &&
            sotto_pool_conn_open(origin, f) != SOTTO_OK) {
            sotto_fetch_fail_later(f, SOTTO_FETCH_MEMORY, "no memory for a connection");
        }
    }
}

static enum sotto_err dispatch(struct sotto_pool_origin *origin, struct sotto_fetch *f)
{
    const struct sotto_client_limits *limits = &origin->pool->limits;
    if (origin->first == NULL && (reuse_conn(origin, f) || sotto_client_h2_join(origin, f))) {
        return SOTTO_OK;
    }
    if (origin->first == NULL && origin->conn_count < limits->connections) {
        enum sotto_err err = sotto_pool_conn_open(origin, f);
        if (err == SOTTO_EIO || err == SOTTO_EINVAL) {
            sotto_fetch_fail_later(f, SOTTO_FETCH_UNREACHABLE, "the name could not be looked up");
            return SOTTO_OK;
        }
        return err;
    }
    if (origin->queued >= limits->queued) {
        sotto_fetch_fail_later(f, SOTTO_FETCH_BUSY, "too many requests wait for the upstream");
        return SOTTO_OK;
    }
    return enter_queue(origin, f);
}

void sotto_fetch_again(struct sotto_fetch *f)
{
    if (dispatch(f->origin, f) != SOTTO_OK) {
        sotto_fetch_fail_later(f, SOTTO_FETCH_MEMORY, "no memory for a connection");
    }
}

/* --- the pool --------------------------------------------------------------------------------- */

enum sotto_err sotto_pool_new(struct sotto_loop *loop, struct sotto_resolver *resolver,
                              struct sotto_tls_context *tls,
                              const struct sotto_client_limits *limits, struct sotto_pool **out)
{
    struct sotto_pool *pool = sotto_calloc(1, sizeof(*pool));
    if (pool == NULL) {
        return SOTTO_ENOMEM;
    }
    pool->loop = loop;
    pool->resolver = resolver;
    pool->tls = tls != NULL ? sotto_tls_context_hold(tls) : NULL;
    pool->limits = *limits;
    *out = pool;
    return SOTTO_OK;
}

static void free_origin(struct sotto_pool_origin *origin)
{
    while (origin->conns != NULL) {
        struct sotto_pool_conn *c = origin->conns;
        if (c->fetch != NULL) {
            sotto_fetch_bury(c->fetch);
        }
        while (c->shared.first != NULL) {
            sotto_fetch_bury(c->shared.first);
        }
        sotto_pool_conn_kill(c);
    }
    while (origin->orphans.first != NULL) {
        sotto_fetch_bury(origin->orphans.first);
    }
    while (origin->first != NULL) {
        struct sotto_fetch *f = origin->first;
        leave_queue(f);
        sotto_fetch_bury(f);
    }
    sotto_tls_ticket_free(origin->ticket);
    sotto_free(origin);
}

void sotto_pool_free(struct sotto_pool *pool)
{
    if (pool == NULL) {
        return;
    }
    while (pool->failing != NULL) {
        struct sotto_fetch *f = pool->failing;
        leave_failing(f);
        sotto_fetch_bury(f);
    }
    while (pool->origins != NULL) {
        struct sotto_pool_origin *origin = pool->origins;
        pool->origins = origin->next;
        free_origin(origin);
    }
    sotto_tls_context_drop(pool->tls);
    sotto_free(pool);
}

void sotto_pool_stats(const struct sotto_pool *pool, struct sotto_pool_stats *stats)
{
    *stats = pool->stats;
}

static bool is_origin(const struct sotto_pool_origin *origin, const struct sotto_origin *wanted)
{
    sotto_span name = wanted->sni.len != 0 ? wanted->sni : wanted->host;
    return origin->port == wanted->port && origin->tls == wanted->tls &&
           origin->http2 == (wanted->http2 && wanted->tls) &&
           sotto_span_ieq(sotto_span_str(origin->host), wanted->host) &&
           sotto_span_ieq(sotto_span_str(origin->name), name);
}

static bool copy_name(char to[SOTTO_RESOLVER_HOST_MAX + 1], sotto_span name)
{
    if (name.len == 0 || name.len > SOTTO_RESOLVER_HOST_MAX ||
        memchr(name.base, '\0', name.len) != NULL) {
        return false;
    }
    memcpy(to, name.base, name.len);
    to[name.len] = '\0';
    return true;
}

static enum sotto_err find_origin(struct sotto_pool *pool, const struct sotto_origin *wanted,
                                  struct sotto_pool_origin **out)
{
    for (struct sotto_pool_origin *origin = pool->origins; origin != NULL; origin = origin->next) {
        if (is_origin(origin, wanted)) {
            *out = origin;
            return SOTTO_OK;
        }
    }
    struct sotto_pool_origin *origin = sotto_calloc(1, sizeof(*origin));
    if (origin == NULL) {
        return SOTTO_ENOMEM;
    }
    if (!copy_name(origin->host, wanted->host) ||
        !copy_name(origin->name, wanted->sni.len != 0 ? wanted->sni : wanted->host) ||
        (wanted->tls && pool->tls == NULL)) {
        sotto_free(origin);
        return SOTTO_EINVAL;
    }
    origin->pool = pool;
    origin->port = wanted->port;
    origin->tls = wanted->tls;
    origin->http2 = wanted->http2 && wanted->tls;
    origin->h2_streams = SOTTO_H2_STREAMS_ASSUMED;
    origin->next = pool->origins;
    pool->origins = origin;
    *out = origin;
    return SOTTO_OK;
}

/* --- fetches ---------------------------------------------------------------------------------- */

enum sotto_err sotto_fetch_start(struct sotto_pool *pool, const struct sotto_origin *wanted,
                                 sotto_span request, const struct sotto_fetch_handler *handler,
                                 void *ctx, struct sotto_fetch **out)
{
    struct sotto_pool_origin *origin;
    enum sotto_err err = find_origin(pool, wanted, &origin);
    if (err != SOTTO_OK) {
        return err;
    }
    struct sotto_fetch *f = sotto_calloc(1, sizeof(*f));
    if (f == NULL) {
        return SOTTO_ENOMEM;
    }
    f->origin = origin;
    f->handler = handler;
    f->ctx = ctx;
    f->request_len = request.len;
    f->to_head = sotto_span_starts(request, SOTTO_LIT("HEAD "));
    sotto_buf_init(&f->request, request.len);
    if ((err = sotto_buf_append(&f->request, request)) != SOTTO_OK ||
        (err = dispatch(origin, f)) != SOTTO_OK) {
        free_fetch(&f->task);
        return err;
    }
    pool->stats.fetches++;
    *out = f;
    return SOTTO_OK;
}

void sotto_fetch_cancel(struct sotto_fetch *f)
{
    struct sotto_pool_origin *origin = f->origin;
    if (f->over) {
        return;
    }
    leave_queue(f);
    leave_failing(f);
    if (f->list != NULL) {
        sotto_client_h2_cancel(f);
    } else if (f->conn != NULL && !sotto_client_h2_hand_over(f->conn)) {
        sotto_pool_conn_kill(f->conn);
    }
    sotto_fetch_bury(f);
    sotto_pool_serve_queue(origin);
}

void sotto_fetch_pause(struct sotto_fetch *f)
{
    if (f->over || f->paused || f->ending) {
        return;
    }
    f->paused = true;
    if (f->stream != NULL) {
        sotto_client_h2_pause(f);
    } else if (f->conn != NULL && f->conn->state == POOL_BUSY && f->conn->sent == f->request_len) {
        sotto_timer_stop(&f->conn->timer);
    }
}

void sotto_fetch_resume(struct sotto_fetch *f)
{
    if (f->over || !f->paused) {
        return;
    }
    f->paused = false;
    struct sotto_pool_conn *c = f->conn;
    if (f->stream != NULL) {
        sotto_client_h2_resume(f);
    } else if (c != NULL && c->state == POOL_BUSY) {
        sotto_timer_arm(&c->timer, sotto_pool_of(c)->limits.silence_ms);
        sotto_loop_defer(sotto_pool_of(c)->loop, &c->task, sotto_client_h1_read_task);
    }
}

void sotto_fetch_let_end(struct sotto_fetch *f, int64_t ms)
{
    sotto_fetch_resume(f);
    if (!f->over && f->stream != NULL) {
        f->ending = true;
        sotto_timer_arm(&f->timer, ms);
    } else if (!f->over && f->conn != NULL && f->conn->state == POOL_BUSY) {
        f->ending = true;
        sotto_timer_arm(&f->conn->timer, ms);
    }
}
