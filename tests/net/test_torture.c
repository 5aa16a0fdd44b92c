/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Our client against our server, thousands of exchanges with everything that can go on at once:
 * answers now and later, streams, aborts, pauses, cancelled fetches, clients that vanish.  The dice
 * are the same in each run.  What was promised about callbacks is checked throughout, a complete
 * answer is compared byte for byte, and at the end nothing may be left.
 */

#include "crypto/crypto.h"
#include "net/certs.h"
#include "net/client.h"
#include "net/resolver.h"
#include "net/rig.h"
#include "net/server.h"
#include "net/tls.h"

#define TORTURE_PLAIN   6000
#define TORTURE_TLS     1500
#define TORTURE_AT_ONCE 40
#define TORTURE_RAW     20

static struct sotto_loop *loop;
static struct sotto_server *server;
static struct sotto_resolver *resolver;
static struct sotto_pool *pool;
static uint16_t port;
static uint64_t dice_state = 88172645463325252U;

static uint32_t dice(uint32_t sides)
{
    dice_state ^= dice_state << 13;
    dice_state ^= dice_state >> 7;
    dice_state ^= dice_state << 17;
    return (uint32_t)(dice_state >> 32) % sides;
}

/* The body of every complete answer: `len` bytes that count up. */
static uint8_t pattern[300000];

struct serving {
    struct sotto_exchange *x; /* NULL: this place is free */
    uint64_t id;
    size_t len, sent;
    bool streaming, full;
};

struct fetching {
    struct sotto_fetch *f; /* NULL: free */
    size_t got;
    bool wrong, headed, paused;
};

static struct serving servings[TORTURE_AT_ONCE + TORTURE_RAW + 8];
static struct fetching fetchings[TORTURE_AT_ONCE];
static bool with_tls;
static size_t wanted, started, complete, failed, cancelled, broken_promises, drained;

static void promise(bool kept)
{
    broken_promises += kept ? 0 : 1;
}

/* --- the server's side ------------------------------------------------------------------------ */

static struct serving *find(const struct sotto_exchange *x)
{
    for (size_t i = 0; i < SOTTO_COUNT(servings); i++) {
        if (servings[i].x == x) {
            return &servings[i];
        }
    }
    return NULL;
}

static void on_request(void *ctx, struct sotto_exchange *x, const struct sotto_server_request *req)
{
    struct serving *s = find(NULL);
    (void)ctx;
    promise(req->body.len == 2 && memcmp(req->body.base, "hi", 2) == 0 && find(x) == NULL);
    if (s == NULL || dice(20) == 0) {
        sotto_exchange_abort(x);
    } else if (dice(4) == 0) {
        sotto_exchange_reply(x, 200, SOTTO_LIT(""), sotto_span_init(pattern, dice(5000)));
    } else {
        *s = (struct serving){.x = x, .id = req->id};
        s->len = dice(3) == 0 ? dice(sizeof(pattern)) : dice(500);
    }
}

static void on_gone(void *ctx, struct sotto_exchange *x)
{
    struct serving *s = find(x);
    (void)ctx;
    promise(s != NULL);
    if (s != NULL) {
        s->x = NULL;
    }
}

static void on_flow(void *ctx, struct sotto_exchange *x, bool full)
{
    struct serving *s = find(x);
    (void)ctx;
    promise(s != NULL && s->full != full);
    if (s != NULL) {
        s->full = full;
    }
}

static void on_drained(void *ctx)
{
    (void)ctx;
    drained++;
}

/* One step of a running answer. */
static void serve(struct serving *s)
{
    promise(sotto_exchange_id(s->x) == s->id);
    if (!s->streaming && dice(3) == 0) {
        struct sotto_exchange *x = s->x;
        s->x = NULL;
        sotto_exchange_reply(x, 200, SOTTO_LIT(""), sotto_span_init(pattern, s->len));
    } else if (!s->streaming) {
        s->streaming = true;
        sotto_exchange_stream(s->x, 200, SOTTO_LIT("Content-Type: text/event-stream\r\n"));
    } else if (dice(60) == 0) {
        struct sotto_exchange *x = s->x;
        s->x = NULL;
        sotto_exchange_abort(x);
    } else if (!s->full) {
        size_t n = 1 + dice(20000);
        n = n < s->len - s->sent ? n : s->len - s->sent;
        sotto_span piece = sotto_span_init(pattern + s->sent, n);
        s->sent += n;
        struct sotto_exchange *x = s->x;
        bool last = s->sent == s->len;
        s->x = last ? NULL : x;
        promise(sotto_exchange_write(x, piece, last));
    }
}

/* --- the client's side ------------------------------------------------------------------------ */

static void on_head(void *ctx, struct sotto_fetch *fetch, int status, sotto_span head)
{
    struct fetching *f = ctx;
    promise(f->f == fetch && !f->headed && status == 200 && head.len > 0);
    f->headed = true;
}

static void on_body(void *ctx, struct sotto_fetch *fetch, sotto_span piece)
{
    struct fetching *f = ctx;
    promise(f->f == fetch && f->headed && piece.len > 0);
    f->wrong = f->wrong || f->got + piece.len > sizeof(pattern) ||
               memcmp(pattern + f->got, piece.base, piece.len) != 0;
    f->got += piece.len;
    if (dice(40) == 0) {
        f->f = NULL;
        cancelled++;
        sotto_fetch_cancel(fetch);
    } else if (dice(10) == 0) {
        f->paused = true;
        sotto_fetch_pause(fetch);
    }
}

static void on_end(void *ctx, struct sotto_fetch *fetch)
{
    struct fetching *f = ctx;
    promise(f->f == fetch && f->headed && !f->wrong);
    f->f = NULL;
    complete++;
}

static void on_error(void *ctx, struct sotto_fetch *fetch, enum sotto_fetch_error error,
                     const char *reason)
{
    struct fetching *f = ctx;
    promise(f->f == fetch && reason != NULL && error != SOTTO_FETCH_PROTOCOL &&
            error != SOTTO_FETCH_TIMEOUT);
    f->f = NULL;
    failed++;
}

static void step_fetch(struct fetching *f)
{
    static const struct sotto_fetch_handler handler = {
        .on_head = on_head, .on_body = on_body, .on_end = on_end, .on_error = on_error};
    if (f->f == NULL && started < wanted) {
        const struct sotto_origin origin = {
            .host = SOTTO_LIT("127.0.0.1"), .port = port, .tls = with_tls};
        sotto_span request =
            SOTTO_LIT("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi");
        memset(f, 0, sizeof(*f));
        started++;
        promise(sotto_fetch_start(pool, &origin, request, &handler, f, &f->f) == SOTTO_OK);
    } else if (f->f != NULL && f->paused) {
        f->paused = false;
        sotto_fetch_resume(f->f);
    } else if (f->f != NULL && dice(50) == 0) {
        struct sotto_fetch *fetch = f->f;
        f->f = NULL;
        cancelled++;
        sotto_fetch_cancel(fetch);
    }
}

#define REQUEST "POST /r HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi"

/* Sockets of strangers: whole requests, halves, pipelines, nonsense, and gone at any time. */
static void step_raw(int *fd)
{
    static const char *const words[] = {
        REQUEST,
        "POST /r HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
        (REQUEST REQUEST),
        "POST /r HTTP/1.1\r\nHo",
        "GET / HTTP/1.1\n\n",
        "\x16\x03\x01",
    };
    if (*fd < 0) {
        *fd = rig_connect(port);
        return;
    }
    const char *text = words[dice(SOTTO_COUNT(words))];
    uint8_t sink[4096];
    switch (dice(6)) {
    case 0:
        send(*fd, text, strlen(text), MSG_NOSIGNAL);
        break;
    case 1:
        shutdown(*fd, SHUT_WR);
        break;
    case 2:
    case 3: {
        const struct linger now = {.l_onoff = (int)dice(2), .l_linger = 0};
        setsockopt(*fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
        close(*fd);
        *fd = -1;
        break;
    }
    default:
        if (recv(*fd, sink, sizeof(sink), 0) == 0) {
            close(*fd);
            *fd = -1;
        }
        break;
    }
}

static bool idle(void)
{
    for (size_t i = 0; i < SOTTO_COUNT(fetchings); i++) {
        if (fetchings[i].f != NULL) {
            return false;
        }
    }
    return started == wanted;
}

static void everybody(int *raw)
{
    for (size_t i = 0; i < SOTTO_COUNT(servings); i++) {
        if (servings[i].x != NULL && dice(2) == 0) {
            serve(&servings[i]);
        }
    }
    for (size_t i = 0; i < SOTTO_COUNT(fetchings); i++) {
        if (dice(3) == 0) {
            step_fetch(&fetchings[i]);
        }
    }
    for (size_t i = 0; i < TORTURE_RAW; i++) {
        if (dice(5) == 0) {
            step_raw(&raw[i]);
        }
    }
}

static void run(void)
{
    static const struct sotto_server_handler handler = {
        .on_request = on_request, .on_gone = on_gone, .on_flow = on_flow, .on_drained = on_drained};
    struct sotto_server_limits server_limits = sotto_server_limits_default();
    struct sotto_client_limits client_limits = sotto_client_limits_default();
    struct sotto_server_stats seen;
    struct sotto_pool_stats pooled;
    struct sotto_tls_context *server_tls = NULL, *client_tls = NULL;
    int raw[TORTURE_RAW];
    server_limits.high_bytes = 30000;
    server_limits.low_bytes = 10000;
    client_limits.connections = TORTURE_AT_ONCE / 2;
    client_limits.connect_ms = client_limits.queue_ms = 3600000; /* however slow the machine */
    server_limits.head_ms = server_limits.send_ms = 3600000;
    for (size_t i = 0; i < sizeof(pattern); i++) {
        pattern[i] = (uint8_t)(i * 7 + i / 256);
    }
    for (size_t i = 0; i < TORTURE_RAW; i++) {
        raw[i] = -1;
    }
    started = complete = failed = cancelled = broken_promises = drained = 0;
    memset(servings, 0, sizeof(servings));
    memset(fetchings, 0, sizeof(fetchings));
    if (with_tls && (sotto_tls_server_new(certs_path("good.pem"), certs_path("good.key"),
                                          &server_tls) != SOTTO_OK ||
                     sotto_tls_client_new(certs_path("ca.pem"), &client_tls) != SOTTO_OK)) {
        abort();
    }
    if (sotto_loop_new(&loop) != SOTTO_OK || sotto_resolver_new(&resolver) != SOTTO_OK ||
        sotto_server_new(loop, &handler, NULL, &server_limits, &server) != SOTTO_OK ||
        sotto_server_listen(server, "127.0.0.1", 0, server_tls, 0, &port) != SOTTO_OK ||
        sotto_pool_new(loop, resolver, client_tls, &client_limits, &pool) != SOTTO_OK) {
        abort();
    }
    for (int round = 0; round < 100000 && !idle(); round++) {
        everybody(raw);
        sotto_ignore(sotto_loop_step(loop, 0));
    }
    OK(idle(), "%zu fetches have come to an end", started);
    IS_SIZE(complete + failed + cancelled, started, "each in one way");
    OK(complete > started / 2, "%zu complete, %zu failed, %zu cancelled", complete, failed,
       cancelled);
    IS_SIZE(broken_promises, 0, "no promise was broken");
    sotto_pool_stats(pool, &pooled);
    OK(pooled.reused > 0 && pooled.waiting == 0 && pooled.open == pooled.idle,
       "connections were reused, none is busy");
    sotto_server_stats(server, &seen);
    OK(seen.gone > 0 && (with_tls || seen.refused > 0), "clients have vanished and were refused");

    for (size_t i = 0; i < TORTURE_RAW; i++) {
        if (raw[i] >= 0) {
            close(raw[i]);
        }
    }
    sotto_pool_free(pool);
    sotto_server_drain(server);
    for (int round = 0; round < RIG_ROUNDS && drained == 0; round++) {
        for (size_t i = 0; i < SOTTO_COUNT(servings); i++) {
            if (servings[i].x != NULL) {
                serve(&servings[i]);
            }
        }
        sotto_ignore(sotto_loop_step(loop, 1));
    }
    IS_SIZE(drained, 1, "the server is drained");
    sotto_server_stats(server, &seen);
    OK(seen.open == 0 && seen.running == 0, "nothing is left");
    IS_SIZE(broken_promises, 0, "and no promise was broken at the end");
    sotto_server_free(server);
    sotto_resolver_free(resolver);
    sotto_loop_free(loop);
    sotto_tls_context_drop(server_tls);
    sotto_tls_context_drop(client_tls);
}

int main(void)
{
    if (sotto_crypto_init() != SOTTO_OK) {
        abort();
    }
    printf("# plain\n");
    wanted = TORTURE_PLAIN;
    run();
    printf("# TLS\n");
    certs_make();
    wanted = TORTURE_TLS;
    with_tls = true;
    run();
    certs_remove();
    return done_testing();
}
