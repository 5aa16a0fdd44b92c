/* SPDX-License-Identifier: Apache-2.0 */

#include "net/client.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "http/response.h"
#include "net/resolver.h"
#include "net/wire.h"

/* Reads of one connection before others get a turn. */
#define CLIENT_READS 8

/*
 *   RESOLVING --> CONNECTING --> (HANDSHAKE) --> BUSY <--> IDLE
 *
 * From any of them to DEAD.  All but IDLE and DEAD have a fetch.
 */
enum conn_state {
    CONN_RESOLVING,
    CONN_CONNECTING,
    CONN_HANDSHAKE,
    CONN_BUSY,
    CONN_IDLE,
    CONN_DEAD,
};

struct conn {
    struct conn *prev, *next;           /* all of an origin */
    struct conn *idle_prev, *idle_next; /* idle ones, newest first */
    struct origin *origin;
    struct sotto_fetch *fetch;
    struct sotto_watch watch;
    struct sotto_timer timer;
    struct sotto_task task; /* reads on, or frees */
    struct sotto_wire wire;
    struct sotto_http_response *parser;
    struct sotto_lookup *lookup;
    struct sotto_addresses *addresses; /* while connecting */
    size_t address_at;
    int64_t opened_us;
    int64_t give_up_us; /* end of connect_ms */
    size_t sent;        /* of the request */
    enum conn_state state;
    bool reused; /* has carried an answer before */
};

struct origin {
    struct origin *next;
    struct sotto_pool *pool;
    char host[SOTTO_RESOLVER_HOST_MAX + 1];
    char name[SOTTO_RESOLVER_HOST_MAX + 1]; /* to verify */
    uint16_t port;
    bool tls;
    struct sotto_tls_ticket *ticket;
    struct conn *conns;
    struct conn *idle;
    size_t conn_count;
    struct sotto_fetch *first, *last; /* waiting for a connection */
    size_t queued;
};

struct sotto_fetch {
    struct sotto_fetch *prev, *next; /* in the origin's queue, or in the pool's list */
    struct origin *origin;
    struct conn *conn; /* NULL: waits in the queue, or is over */
    const struct sotto_fetch_handler *handler;
    void *ctx;
    struct sotto_buf request; /* until it cannot be needed again */
    size_t request_len;
    struct sotto_timer timer;     /* in the queue */
    struct sotto_task task;       /* reports a failure from the loop; frees */
    enum sotto_fetch_error error; /* to be reported by the task */
    const char *reason;
    bool to_head; /* the method is HEAD */
    bool queued;
    bool paused;
    bool ending; /* the time limit stands, whatever comes */
    bool retried;
    bool over;
};

struct sotto_pool {
    struct sotto_loop *loop;
    struct sotto_resolver *resolver;
    struct sotto_tls_context *tls;
    struct sotto_client_limits limits;
    struct origin *origins;
    struct sotto_fetch *failing; /* whose failure has yet to be reported */
    struct sotto_pool_stats stats;
};

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

static struct sotto_pool *pool_of(const struct conn *c)
{
    return c->origin->pool;
}

/* --- the end of connections and fetches ------------------------------------------------------- */

static void free_conn(struct sotto_task *task)
{
    struct conn *c = SOTTO_CONTAINER(task, struct conn, task);
    sotto_http_response_free(c->parser);
    sotto_free(c->addresses);
    sotto_free(c);
}

static void leave_idle(struct conn *c)
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
    pool_of(c)->stats.idle--;
}

static void close_socket(struct conn *c)
{
    sotto_loop_unwatch(pool_of(c)->loop, &c->watch);
    sotto_wire_close(&c->wire);
}

/* Closes at once; its fetch is let go of.  The memory stays until the end of the round. */
static void kill_conn(struct conn *c)
{
    struct origin *origin = c->origin;
    if (c->state == CONN_DEAD) {
        return;
    }
    if (c->state == CONN_IDLE) {
        leave_idle(c);
    }
    if (c->fetch != NULL) {
        c->fetch->conn = NULL;
        c->fetch = NULL;
    }
    c->state = CONN_DEAD;
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

static void free_fetch(struct sotto_task *task)
{
    struct sotto_fetch *f = SOTTO_CONTAINER(task, struct sotto_fetch, task);
    sotto_buf_free(&f->request);
    sotto_free(f);
}

static void leave_queue(struct sotto_fetch *f)
{
    struct origin *origin = f->origin;
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

/* The handle stays valid until the end of the round. */
static void bury_fetch(struct sotto_fetch *f)
{
    f->over = true;
    sotto_buf_free(&f->request);
    sotto_loop_undefer(f->origin->pool->loop, &f->task);
    sotto_loop_defer(f->origin->pool->loop, &f->task, free_fetch);
}

/* From the loop only: the handler may do anything but use the fetch afterwards. */
static void fail_fetch(struct sotto_fetch *f, enum sotto_fetch_error error, const char *reason)
{
    f->origin->pool->stats.failed++;
    f->over = true;
    f->handler->on_error(f->ctx, f, error, reason);
    bury_fetch(f);
}

static void on_fail_task(struct sotto_task *task)
{
    struct sotto_fetch *f = SOTTO_CONTAINER(task, struct sotto_fetch, task);
    leave_failing(f);
    fail_fetch(f, f->error, f->reason);
}

/* From where no callback may run. */
static void fail_later(struct sotto_fetch *f, enum sotto_fetch_error error, const char *reason)
{
    struct sotto_pool *pool = f->origin->pool;
    f->error = error;
    f->reason = reason;
    f->next = pool->failing;
    pool->failing = f;
    sotto_loop_defer(pool->loop, &f->task, on_fail_task);
}

static void serve_queue(struct origin *origin);

/* The connection failed and with it its fetch. */
static void fail_conn(struct conn *c, enum sotto_fetch_error error, const char *reason)
{
    struct sotto_fetch *f = c->fetch;
    struct origin *origin = c->origin;
    kill_conn(c);
    if (f != NULL) {
        fail_fetch(f, error, reason);
    }
    serve_queue(origin);
}

/* --- sending ---------------------------------------------------------------------------------- */

static void read_on(struct conn *c);

static void on_read_task(struct sotto_task *task)
{
    read_on(SOTTO_CONTAINER(task, struct conn, task));
}

/* Sends what is left of the request.  A failed write is left to the reader: the upstream may have
 * answered before it closed. */
static void write_on(struct conn *c)
{
    struct sotto_fetch *f = c->fetch;
    struct sotto_pool *pool = pool_of(c);
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
            sotto_loop_defer(pool->loop, &c->task, on_read_task);
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

static void begin_request(struct conn *c)
{
    c->state = CONN_BUSY;
    c->sent = 0;
    sotto_http_response_next(c->parser, c->fetch->to_head);
    write_on(c);
}

/* --- connecting ------------------------------------------------------------------------------- */

static void on_event(struct sotto_watch *watch, uint32_t events);
static void next_address(struct conn *c, const char *reason);

static void shake_hands(struct conn *c)
{
    switch (sotto_tls_handshake(c->wire.tls)) {
    case SOTTO_TLS_OK:
        begin_request(c);
        break;
    case SOTTO_TLS_AGAIN:
        break;
    case SOTTO_TLS_END:
        fail_conn(c, SOTTO_FETCH_TLS, "the upstream closed during the TLS handshake");
        break;
    case SOTTO_TLS_FAILED:
        fail_conn(c, SOTTO_FETCH_TLS, sotto_tls_reason(c->wire.tls));
        break;
    }
}

/* TCP is connected. */
static void connected(struct conn *c)
{
    struct origin *origin = c->origin;
    struct sotto_pool *pool = origin->pool;
    sotto_free(c->addresses);
    c->addresses = NULL;
    sotto_timer_arm(&c->timer, (c->give_up_us - sotto_loop_now_us(pool->loop)) / 1000);
    if (!origin->tls) {
        begin_request(c);
        return;
    }
    enum sotto_err err =
        sotto_tls_new(pool->tls, c->wire.fd, origin->name, &origin->ticket, &c->wire.tls);
    if (err != SOTTO_OK) {
        fail_conn(c, err == SOTTO_ENOMEM ? SOTTO_FETCH_MEMORY : SOTTO_FETCH_TLS,
                  "no TLS session could be made");
        return;
    }
    c->state = CONN_HANDSHAKE;
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
static void check_connected(struct conn *c)
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
static int try_address(struct conn *c, const struct sotto_address *address)
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
    if (number == 0 && sotto_loop_watch(pool_of(c)->loop, &c->watch, fd, on_event) != SOTTO_OK) {
        number = ENOMEM;
    }
    if (number != 0) {
        sotto_wire_close(&c->wire);
    }
    return number;
}

/* The time that is left is shared by the addresses that are left. */
static void arm_attempt(struct conn *c)
{
    struct sotto_pool *pool = pool_of(c);
    int64_t left_ms = (c->give_up_us - sotto_loop_now_us(pool->loop)) / 1000;
    size_t addresses_left = c->addresses->count - c->address_at + 1;
    sotto_timer_arm(&c->timer, left_ms > 0 ? left_ms / (int64_t)addresses_left : 0);
}

static void next_address(struct conn *c, const char *reason)
{
    close_socket(c);
    while (c->address_at < c->addresses->count) {
        int number = try_address(c, &c->addresses->list[c->address_at++]);
        if (number == 0) {
            c->state = CONN_CONNECTING;
            arm_attempt(c);
            return;
        }
        reason = connect_reason(number);
    }
    fail_conn(c, SOTTO_FETCH_UNREACHABLE, reason);
}

static void on_addresses(void *ctx, const struct sotto_addresses *addresses)
{
    struct conn *c = ctx;
    c->lookup = NULL;
    *c->addresses = *addresses;
    next_address(c, "the name has no address");
}

/* From a task: callbacks may run. */
static void on_start_task(struct sotto_task *task)
{
    struct conn *c = SOTTO_CONTAINER(task, struct conn, task);
    next_address(c, "the name has no address");
}

static void on_timer(struct sotto_timer *timer);

static void close_idle(struct conn *c)
{
    struct origin *origin = c->origin;
    kill_conn(c);
    serve_queue(origin);
}

static enum sotto_err start_lookup(struct conn *c)
{
    struct origin *origin = c->origin;
    struct sotto_pool *pool = origin->pool;
    enum sotto_err err =
        sotto_resolver_lookup(pool->resolver, pool->loop, sotto_span_str(origin->host),
                              origin->port, on_addresses, c, c->addresses, &c->lookup);
    if (err == SOTTO_OK && c->lookup == NULL) {
        sotto_loop_defer(pool->loop, &c->task, on_start_task);
    }
    return err;
}

/* A new connection for the fetch. */
static enum sotto_err open_conn(struct origin *origin, struct sotto_fetch *f)
{
    struct sotto_pool *pool = origin->pool;
    struct conn *c = sotto_calloc(1, sizeof(*c));
    enum sotto_err err = SOTTO_ENOMEM;
    if (c == NULL) {
        return err;
    }
    c->origin = origin;
    c->wire.fd = -1;
    c->state = CONN_RESOLVING;
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

/* Takes the newest idle connection for the fetch.  False: there is none. */
static bool reuse_conn(struct origin *origin, struct sotto_fetch *f)
{
    struct conn *c = origin->idle;
    if (c == NULL) {
        return false;
    }
    leave_idle(c);
    origin->pool->stats.reused++;
    c->fetch = f;
    f->conn = c;
    begin_request(c);
    return true;
}

static void on_queue_timer(struct sotto_timer *timer)
{
    struct sotto_fetch *f = SOTTO_CONTAINER(timer, struct sotto_fetch, timer);
    leave_queue(f);
    fail_fetch(f, SOTTO_FETCH_BUSY, "all connections to the upstream are in use");
}

static enum sotto_err enter_queue(struct origin *origin, struct sotto_fetch *f)
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

/* Gives waiting fetches the connections that have become free or may be opened. */
static void serve_queue(struct origin *origin)
{
    while (origin->first != NULL) {
        struct sotto_fetch *f = origin->first;
        if (origin->idle == NULL && origin->conn_count >= origin->pool->limits.connections) {
            return;
        }
        leave_queue(f);
        if (!reuse_conn(origin, f) && open_conn(origin, f) != SOTTO_OK) {
            fail_later(f, SOTTO_FETCH_MEMORY, "no memory for a connection");
        }
    }
}

/* --- receiving -------------------------------------------------------------------------------- */

/* The upstream closed a reused connection before it answered: what was sent is sent once more. */
static bool retry(struct conn *c)
{
    struct sotto_fetch *f = c->fetch;
    struct origin *origin = c->origin;
    if (!c->reused || f->retried || !sotto_http_response_idle(c->parser) ||
        f->request.len != f->request_len) {
        return false;
    }
    f->retried = true;
    kill_conn(c);
    origin->pool->stats.retried++;
    if (open_conn(origin, f) != SOTTO_OK) {
        fail_fetch(f, SOTTO_FETCH_MEMORY, "no memory for a connection");
    }
    return true;
}

/* Whether nothing at all is left to be read, so that nothing can pass for the next answer. */
static bool is_quiet(struct conn *c)
{
    uint8_t byte = 0;
    size_t n;
    return sotto_wire_read(&c->wire, &byte, 1, &n) == SOTTO_TLS_AGAIN;
}

/* Whether the connection may carry another request behind a complete answer. */
static bool may_keep(struct conn *c)
{
    const struct sotto_pool *pool = pool_of(c);
    int64_t age_us = sotto_loop_now_us(pool->loop) - c->opened_us;
    return sotto_http_response_reusable(c->parser) && c->sent == c->fetch->request_len &&
           !c->wire.failed && !c->wire.ending && age_us < pool->limits.age_ms * 1000 && is_quiet(c);
}

/* The answer is complete.  `clean`: nothing came behind it. */
static void complete(struct conn *c, bool clean)
{
    struct sotto_fetch *f = c->fetch;
    struct origin *origin = c->origin;
    bool keep = clean && may_keep(c);
    c->fetch = NULL;
    f->conn = NULL;
    if (keep) {
        c->state = CONN_IDLE;
        c->reused = true;
        sotto_http_response_next(c->parser, false);
        sotto_timer_arm(&c->timer, origin->pool->limits.idle_ms);
        c->idle_next = origin->idle;
        if (c->idle_next != NULL) {
            c->idle_next->idle_prev = c;
        }
        origin->idle = c;
        origin->pool->stats.idle++;
    } else {
        kill_conn(c);
    }
    f->over = true;
    f->handler->on_end(f->ctx, f);
    bury_fetch(f);
    serve_queue(origin);
}

/* The connection ended or broke. */
static void lost(struct conn *c, bool clean)
{
    if (clean && sotto_http_response_eof(c->parser) == SOTTO_OK) {
        complete(c, false);
    } else if (!retry(c)) {
        bool begun = !sotto_http_response_idle(c->parser);
        fail_conn(c, begun ? SOTTO_FETCH_CUT : SOTTO_FETCH_UNREACHABLE,
                  begun ? "the upstream closed in the middle of its answer"
                        : "the upstream closed before it answered");
    }
}

/* Hands on what the parser finds in `in`.  False: the connection's turn is over. */
static bool take_input(struct conn *c, sotto_span in)
{
    struct sotto_fetch *f = c->fetch;
    for (;;) {
        size_t used = 0;
        enum sotto_http_event event;
        sotto_span piece;
        enum sotto_err err = sotto_http_response_feed(c->parser, in, &used, &event, &piece);
        in = sotto_span_skip(in, used);
        if (err != SOTTO_OK) {
            fail_conn(c, err == SOTTO_ENOMEM ? SOTTO_FETCH_MEMORY : SOTTO_FETCH_PROTOCOL,
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
static bool read_once(struct conn *c)
{
    struct sotto_pool *pool = pool_of(c);
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

static void read_on(struct conn *c)
{
    for (int i = 0; c->state == CONN_BUSY && !c->fetch->paused; i++) {
        if (i == CLIENT_READS) {
            sotto_loop_defer(pool_of(c)->loop, &c->task, on_read_task);
            return;
        }
        if (!read_once(c)) {
            return;
        }
    }
}

/*
 * An idle connection says something: it closes, or it is not to be trusted.  Under TLS it may be
 * a ticket, so the plaintext decides.
 */
static void check_idle(struct conn *c)
{
    uint8_t *scratch = sotto_loop_scratch(pool_of(c)->loop);
    size_t n = 0;
    if (c->wire.tls == NULL ||
        sotto_wire_read(&c->wire, scratch, SOTTO_LOOP_SCRATCH_BYTES, &n) != SOTTO_TLS_AGAIN) {
        sotto_wipe(scratch, n);
        close_idle(c);
    }
}

static void on_event(struct sotto_watch *watch, uint32_t events)
{
    struct conn *c = SOTTO_CONTAINER(watch, struct conn, watch);
    if ((events & (SOTTO_LOOP_READ | SOTTO_LOOP_GONE)) != 0) {
        sotto_wire_readable(&c->wire, (events & SOTTO_LOOP_GONE) != 0);
    }
    switch (c->state) {
    case CONN_CONNECTING:
        if ((events & (SOTTO_LOOP_WRITE | SOTTO_LOOP_GONE)) != 0) {
            check_connected(c);
        }
        break;
    case CONN_HANDSHAKE:
        shake_hands(c);
        break;
    case CONN_BUSY:
        if (c->sent < c->fetch->request_len) {
            write_on(c);
        }
        break;
    case CONN_IDLE:
        if ((events & SOTTO_LOOP_READ) != 0) {
            check_idle(c);
        }
        break;
    case CONN_RESOLVING:
    case CONN_DEAD:
        break;
    }
    if (c->state == CONN_BUSY) { /* also right behind a handshake: the event does not come again */
        read_on(c);
    }
}

static void on_timer(struct sotto_timer *timer)
{
    struct conn *c = SOTTO_CONTAINER(timer, struct conn, timer);
    switch (c->state) {
    case CONN_RESOLVING:
        fail_conn(c, SOTTO_FETCH_TIMEOUT, "the name could not be looked up in time");
        break;
    case CONN_CONNECTING:
        if (c->address_at < c->addresses->count) {
            next_address(c, "the connection timed out");
        } else {
            fail_conn(c, SOTTO_FETCH_TIMEOUT, "the connection timed out");
        }
        break;
    case CONN_HANDSHAKE:
        fail_conn(c, SOTTO_FETCH_TIMEOUT, "the TLS handshake timed out");
        break;
    case CONN_BUSY:
        fail_conn(c, SOTTO_FETCH_TIMEOUT,
                  c->sent < c->fetch->request_len ? "the upstream does not take the request"
                  : sotto_http_response_idle(c->parser)
                      ? "the upstream does not answer"
                      : "the upstream fell silent in the middle of its answer");
        break;
    case CONN_IDLE:
        close_idle(c);
        break;
    case CONN_DEAD:
        break;
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

static void free_origin(struct origin *origin)
{
    while (origin->conns != NULL) {
        struct conn *c = origin->conns;
        if (c->fetch != NULL) {
            bury_fetch(c->fetch);
        }
        kill_conn(c);
    }
    while (origin->first != NULL) {
        struct sotto_fetch *f = origin->first;
        leave_queue(f);
        bury_fetch(f);
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
        bury_fetch(f);
    }
    while (pool->origins != NULL) {
        struct origin *origin = pool->origins;
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

static bool is_origin(const struct origin *origin, const struct sotto_origin *wanted)
{
    sotto_span name = wanted->sni.len != 0 ? wanted->sni : wanted->host;
    return origin->port == wanted->port && origin->tls == wanted->tls &&
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
                                  struct origin **out)
{
    for (struct origin *origin = pool->origins; origin != NULL; origin = origin->next) {
        if (is_origin(origin, wanted)) {
            *out = origin;
            return SOTTO_OK;
        }
    }
    struct origin *origin = sotto_calloc(1, sizeof(*origin));
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
    origin->next = pool->origins;
    pool->origins = origin;
    *out = origin;
    return SOTTO_OK;
}

static enum sotto_err dispatch(struct origin *origin, struct sotto_fetch *f)
{
    const struct sotto_client_limits *limits = &origin->pool->limits;
    if (origin->first == NULL && reuse_conn(origin, f)) {
        return SOTTO_OK;
    }
    if (origin->first == NULL && origin->conn_count < limits->connections) {
        enum sotto_err err = open_conn(origin, f);
        if (err == SOTTO_EIO || err == SOTTO_EINVAL) {
            fail_later(f, SOTTO_FETCH_UNREACHABLE, "the name could not be looked up");
            return SOTTO_OK;
        }
        return err;
    }
    if (origin->queued >= limits->queued) {
        fail_later(f, SOTTO_FETCH_BUSY, "too many requests wait for the upstream");
        return SOTTO_OK;
    }
    return enter_queue(origin, f);
}

enum sotto_err sotto_fetch_start(struct sotto_pool *pool, const struct sotto_origin *wanted,
                                 sotto_span request, const struct sotto_fetch_handler *handler,
                                 void *ctx, struct sotto_fetch **out)
{
    struct origin *origin;
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
    struct origin *origin = f->origin;
    if (f->over) {
        return;
    }
    leave_queue(f);
    leave_failing(f);
    if (f->conn != NULL) {
        kill_conn(f->conn);
    }
    bury_fetch(f);
    serve_queue(origin);
}

void sotto_fetch_pause(struct sotto_fetch *f)
{
    if (f->over || f->paused || f->ending) {
        return;
    }
    f->paused = true;
    if (f->conn != NULL && f->conn->state == CONN_BUSY && f->conn->sent == f->request_len) {
        sotto_timer_stop(&f->conn->timer);
    }
}

void sotto_fetch_resume(struct sotto_fetch *f)
{
    if (f->over || !f->paused) {
        return;
    }
    f->paused = false;
    struct conn *c = f->conn;
    if (c != NULL && c->state == CONN_BUSY) {
        sotto_timer_arm(&c->timer, pool_of(c)->limits.silence_ms);
        sotto_loop_defer(pool_of(c)->loop, &c->task, on_read_task);
    }
}

void sotto_fetch_let_end(struct sotto_fetch *f, int64_t ms)
{
    sotto_fetch_resume(f);
    if (!f->over && f->conn != NULL && f->conn->state == CONN_BUSY) {
        f->ending = true;
        sotto_timer_arm(&f->conn->timer, ms);
    }
}
