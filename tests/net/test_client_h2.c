/* SPDX-License-Identifier: Apache-2.0 */

#include "net/client.h"

#include "base/alloc.h"
#include "crypto/crypto.h"
#include "net/certs.h"
#include "net/resolver.h"
#include "net/rig.h"
#include "net/server.h"
#include "net/tls.h"

/* Our client talks HTTP/2 to our server in one loop. */

#define CASE(n)  printf("# %s\n", n)
#define REQUEST  "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi"
#define MOST     220
#define PIECE_KB 40

static struct sotto_loop *loop;
static struct sotto_server *server;
static struct sotto_resolver *resolver;
static struct sotto_pool *pool;
static struct sotto_tls_context *server_tls, *client_tls;
static uint16_t port;
static bool offered; /* HTTP/2, by the client */

/* The server's side: exchanges in the order in which they came. */
static struct sotto_exchange *exchanges[MOST];
static int requests, gone;

static struct got {
    struct sotto_fetch *fetch;
    struct sotto_buf body;
    int heads, ends, errors;
    enum sotto_fetch_error error;
    const char *reason;
    bool cancel_at_head, pause_at_head;
} got[MOST];

static void on_request(void *ctx, struct sotto_exchange *x, const struct sotto_server_request *req)
{
    (void)ctx;
    OK(req->body.len == 2, "the body comes");
    exchanges[requests++] = x;
}

static void on_gone(void *ctx, struct sotto_exchange *x)
{
    (void)ctx;
    gone++;
    for (int i = 0; i < requests; i++) {
        exchanges[i] = exchanges[i] == x ? NULL : exchanges[i];
    }
}

static const struct sotto_server_handler server_handler = {.on_request = on_request,
                                                           .on_gone = on_gone};

static void on_head(void *ctx, struct sotto_fetch *fetch, int status, sotto_span head)
{
    struct got *g = ctx;
    g->heads += status == 200 && head.len != 0 ? 1 : 0;
    if (g->cancel_at_head) {
        sotto_fetch_cancel(fetch);
        g->fetch = NULL;
    } else if (g->pause_at_head) {
        sotto_fetch_pause(fetch);
    }
}

static void on_body(void *ctx, struct sotto_fetch *fetch, sotto_span piece)
{
    (void)fetch;
    sotto_ignore(sotto_buf_append(&((struct got *)ctx)->body, piece));
}

static void on_end(void *ctx, struct sotto_fetch *fetch)
{
    ((struct got *)ctx)->ends++;
    sotto_fetch_cancel(fetch); /* what is over takes no harm */
    sotto_fetch_resume(fetch);
}

static void on_error(void *ctx, struct sotto_fetch *fetch, enum sotto_fetch_error error,
                     const char *reason)
{
    struct got *g = ctx;
    (void)fetch;
    g->errors++;
    g->error = error;
    g->reason = reason;
}

static const struct sotto_fetch_handler handler = {
    .on_head = on_head, .on_body = on_body, .on_end = on_end, .on_error = on_error};

static void begin(const struct sotto_client_limits *limits)
{
    struct sotto_server_limits server_limits = sotto_server_limits_default();
    struct sotto_client_limits normal = sotto_client_limits_default();
    memset(got, 0, sizeof(got));
    memset(exchanges, 0, sizeof(exchanges));
    requests = gone = 0;
    offered = true;
    if (sotto_loop_new(&loop) != SOTTO_OK || sotto_resolver_new(&resolver) != SOTTO_OK ||
        sotto_tls_server_new(certs_path("good.pem"), certs_path("good.key"), &server_tls) !=
            SOTTO_OK ||
        sotto_tls_client_new(certs_path("ca.pem"), &client_tls) != SOTTO_OK ||
        sotto_server_new(loop, &server_handler, NULL, &server_limits, &server) != SOTTO_OK ||
        sotto_server_listen(server, "127.0.0.1", 0, server_tls, 0, &port) != SOTTO_OK ||
        sotto_pool_new(loop, resolver, client_tls, limits != NULL ? limits : &normal, &pool) !=
            SOTTO_OK) {
        abort();
    }
}

static void end(void)
{
    sotto_pool_free(pool);
    sotto_server_free(server);
    sotto_resolver_free(resolver);
    sotto_loop_free(loop);
    sotto_tls_context_drop(server_tls);
    sotto_tls_context_drop(client_tls);
    for (size_t i = 0; i < MOST; i++) {
        sotto_buf_free(&got[i].body);
    }
}

static enum sotto_err try_start(size_t i)
{
    const struct sotto_origin origin = {
        .host = SOTTO_LIT("127.0.0.1"), .port = port, .tls = true, .http2 = offered};
    sotto_buf_init(&got[i].body, SOTTO_BUF_UNBOUNDED);
    return sotto_fetch_start(pool, &origin, SOTTO_LIT(REQUEST), &handler, &got[i], &got[i].fetch);
}

static void start(size_t i)
{
    IS_INT(try_start(i), SOTTO_OK, "a fetch is started");
    OK(got[i].heads + got[i].errors + got[i].ends == 0, "nothing is told inside of it");
}

static bool over(size_t i)
{
    return got[i].ends + got[i].errors == 1;
}

static bool all_over(size_t from, size_t to)
{
    while (from < to && over(from)) {
        from++;
    }
    return from == to;
}

static void answer(int i)
{
    sotto_exchange_reply(exchanges[i], 200, SOTTO_LIT(""), SOTTO_LIT("hello"));
    exchanges[i] = NULL;
}

static struct sotto_pool_stats stats(void)
{
    struct sotto_pool_stats s;
    sotto_pool_stats(pool, &s);
    return s;
}

/* A first request, so that the connection is there. */
static void warm_up(void)
{
    start(0);
    UNTIL(loop, requests == 1);
    answer(0);
    UNTIL(loop, over(0) && stats().idle == 1);
    OK(got[0].ends == 1 && stats().idle == 1, "a connection is there");
}

static void test_sharing(void)
{
    CASE("many on one connection");
    begin(NULL);
    for (size_t i = 0; i < 50; i++) {
        start(i);
    }
    UNTIL(loop, requests == 50);
    IS_INT(requests, 50, "all requests come");
    OK(stats().connects == 1 && stats().open == 1 && stats().idle == 0, "on one connection");
    for (int i = 49; i >= 0; i--) {
        answer(i);
    }
    UNTIL(loop, all_over(0, 50) && stats().idle == 1);
    for (size_t i = 0; i < 50; i++) {
        OK(got[i].ends == 1 && got[i].heads == 1, "fetch %zu is answered", i);
        IS_TEXT(got[i].body.base, got[i].body.len, "hello", "in full");
    }
    IS_SIZE(stats().idle, 1, "then the connection is idle");
    sotto_loop_skip_ms(loop, 56000);
    UNTIL(loop, stats().open == 0);
    OK(stats().open == 0 && stats().idle == 0, "and closed after 55 s");
    end();

    CASE("more than fit on one");
    begin(NULL);
    for (size_t i = 0; i < 200; i++) {
        start(i);
    }
    UNTIL(loop, requests == 200);
    OK(requests == 200 && stats().connects == 2, "two connections");
    for (int i = 0; i < 200; i++) {
        answer(i);
    }
    UNTIL(loop, all_over(0, 200));
    OK(all_over(0, 200) && stats().failed == 0 && stats().retried == 0, "all are answered");
    end();

    CASE("as many as may be");
    struct sotto_client_limits limits = sotto_client_limits_default();
    limits.connections = 1;
    begin(&limits);
    for (size_t i = 0; i < 200; i++) {
        start(i);
    }
    UNTIL(loop, requests == 128);
    OK(requests == 128 && stats().waiting == 72, "the rest waits");
    for (int i = 0; i < 128; i++) {
        answer(i);
    }
    UNTIL(loop, requests == 200);
    for (int i = 128; i < 200; i++) {
        answer(i);
    }
    UNTIL(loop, all_over(0, 200));
    OK(all_over(0, 200) && stats().connects == 1 && stats().failed == 0, "and has its turn");
    end();

    CASE("HTTP/1.1 where HTTP/2 is not offered");
    begin(NULL);
    offered = false;
    start(0);
    start(1);
    UNTIL(loop, requests == 2);
    IS_INT(stats().connects, 2, "a connection each");
    answer(0);
    answer(1);
    UNTIL(loop, all_over(0, 2));
    OK(got[0].ends == 1 && got[1].ends == 1 && stats().idle == 2, "as ever");
    end();
}

static void test_cancelling(void)
{
    CASE("cancelling");
    begin(NULL);
    start(0);
    start(1);
    start(2);
    sotto_fetch_cancel(got[0].fetch); /* for whom the connection is opened */
    sotto_fetch_cancel(got[2].fetch); /* who waits for it */
    UNTIL(loop, requests == 1);
    OK(requests == 1 && stats().connects == 1, "the one that is left has its connection");
    start(3);
    UNTIL(loop, requests == 2);
    sotto_fetch_cancel(got[1].fetch);
    UNTIL(loop, gone == 1);
    OK(gone == 1 && stats().open == 1, "one stream ends, the connection stays");
    got[3].cancel_at_head = true;
    answer(1);
    UNTIL(loop, stats().idle == 1);
    OK(got[3].heads == 1 && got[3].ends == 0 && stats().idle == 1, "inside a callback too");
    start(4);
    start(5);
    sotto_fetch_cancel(got[5].fetch); /* not sent yet */
    UNTIL(loop, requests == 3);
    rig_settle(loop);
    IS_INT(requests, 3, "what was not sent is not sent");
    answer(2);
    UNTIL(loop, over(4));
    OK(got[4].ends == 1 && stats().connects == 1, "the same connection serves on");
    OK(got[0].errors + got[1].errors + got[2].errors + got[5].errors == 0, "nothing is told");
    end();
}

static void test_back_pressure(void)
{
    static uint8_t piece[PIECE_KB << 10];
    CASE("back-pressure");
    begin(NULL);
    warm_up();
    got[1].pause_at_head = true;
    start(1);
    start(2);
    UNTIL(loop, requests == 3);
    for (int i = 1; i <= 2; i++) {
        sotto_exchange_stream(exchanges[i], 200, SOTTO_LIT(""));
    }
    for (int round = 0; round < 20; round++) { /* 800 KB each */
        for (int i = 1; i <= 2; i++) {
            OK(sotto_exchange_write(exchanges[i], sotto_span_init(piece, sizeof(piece)),
                                    round == 19),
               "a piece");
        }
    }
    UNTIL(loop, over(2));
    IS_SIZE(got[2].body.len, 20 * sizeof(piece), "one goes on");
    OK(got[1].heads == 1 && got[1].body.len == 0 && !over(1), "beside one that is held");
    sotto_loop_skip_ms(loop, 301000);
    rig_settle(loop);
    OK(!over(1), "whose time limit stands still");
    OK(stats().open == 1, "the connection gives a sign of life");
    sotto_fetch_resume(got[1].fetch);
    UNTIL(loop, over(1));
    IS_SIZE(got[1].body.len, 20 * sizeof(piece), "it gets everything");
    IS_INT(got[1].ends, 1, "to the end");
    end();

    CASE("an answer that outlives its connection");
    begin(NULL);
    warm_up();
    got[1].pause_at_head = got[2].pause_at_head = true;
    for (size_t i = 1; i <= 3; i++) {
        start(i);
    }
    UNTIL(loop, requests == 4);
    answer(1);
    for (int i = 2; i <= 3; i++) {
        sotto_exchange_stream(exchanges[i], 200, SOTTO_LIT(""));
        OK(sotto_exchange_write(exchanges[i], SOTTO_LIT("some"), false), "a piece");
    }
    UNTIL(loop, got[1].heads + got[2].heads + got[3].heads == 3 && got[3].body.len == 4);
    sotto_server_free(server);
    server = NULL;
    UNTIL(loop, stats().open == 0 && over(3));
    IS_INT(got[3].error, SOTTO_FETCH_CUT, "what is not complete is cut");
    OK(!over(1) && !over(2), "who does not listen hears nothing");
    sotto_fetch_resume(got[1].fetch);
    sotto_fetch_resume(got[2].fetch);
    UNTIL(loop, all_over(1, 3));
    OK(got[1].ends == 1 && got[1].body.len == 5, "until it does: all");
    OK(got[2].error == SOTTO_FETCH_CUT && got[2].body.len == 4, "or as far as it came");
    end();
}

static void test_time_limits(void)
{
    CASE("time limits");
    begin(NULL);
    warm_up();
    start(1);
    start(2);
    UNTIL(loop, requests == 3);
    sotto_exchange_stream(exchanges[2], 200, SOTTO_LIT(""));
    for (int i = 0; i < 12; i++) { /* 300 s in steps that leave time for signs of life */
        OK(sotto_exchange_write(exchanges[2], SOTTO_LIT("x"), false), "a byte");
        UNTIL(loop, got[2].body.len == (size_t)i + 1);
        OK(!over(1), "not yet");
        sotto_loop_skip_ms(loop, 25100);
        rig_settle(loop);
    }
    UNTIL(loop, over(1));
    IS_INT(got[1].error, SOTTO_FETCH_TIMEOUT, "no answer in five minutes");
    OK(!over(2) && stats().open == 1, "is the end of that request alone");
    sotto_fetch_let_end(got[2].fetch, 2000);
    sotto_loop_skip_ms(loop, 2100);
    UNTIL(loop, over(2));
    IS_INT(got[2].error, SOTTO_FETCH_TIMEOUT, "what may end and does not is given up");
    UNTIL(loop, gone == 2);
    OK(gone == 2 && stats().open == 1, "the server is told of both");
    for (int i = 0; i < 25; i++) { /* the connection's age */
        sotto_loop_skip_ms(loop, 25000);
        rig_settle(loop);
        if (stats().idle != 0) {
            start(10 + (size_t)i);
            UNTIL(loop, requests == 4 + i);
            answer(3 + i);
            UNTIL(loop, over(10 + (size_t)i));
        }
    }
    OK(stats().failed == 2, "all are answered");
    IS_INT(stats().connects, 2, "and an old connection is replaced");
    end();

    CASE("who waits for a handshake that does not come");
    begin(NULL);
    uint16_t own = port;
    int listener = rig_listen(&port);
    for (size_t i = 0; i < 3; i++) {
        start(i);
    }
    int fd = rig_accept(loop, listener);
    OK(fd >= 0 && stats().connects == 1, "one connection");
    sotto_loop_skip_ms(loop, 5100);
    UNTIL(loop, all_over(0, 3));
    for (size_t i = 0; i < 3; i++) {
        OK(got[i].errors == 1 && got[i].error == SOTTO_FETCH_TIMEOUT, "fails with all others");
    }
    close(fd);
    close(listener);
    for (size_t i = 3; i < 5; i++) {
        start(i);
    }
    UNTIL(loop, all_over(3, 5));
    OK(got[3].error == SOTTO_FETCH_UNREACHABLE && got[4].error == SOTTO_FETCH_UNREACHABLE,
       "as where nobody listens");
    port = own;
    end();
}

/* Stands between client and server; what it carries is encrypted. */
static struct relay {
    int listener, client, server;
    uint16_t port;
} relay;

static void carry(int from, int to)
{
    struct sotto_buf bytes;
    sotto_buf_init(&bytes, SOTTO_BUF_UNBOUNDED);
    (void)rig_take(from, &bytes);
    if (bytes.len != 0) {
        OK(rig_send(loop, to, sotto_buf_span(&bytes)), "the relay carries on");
    }
    sotto_buf_free(&bytes);
}

static bool carry_both(void)
{
    if (relay.client < 0) {
        relay.client = accept4(relay.listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        relay.server = relay.client >= 0 ? rig_connect(relay.port) : -1;
    }
    if (relay.client >= 0) {
        carry(relay.client, relay.server);
        carry(relay.server, relay.client);
    }
    return true;
}

static void test_signs_of_life(void)
{
    CASE("a connection without a sign of life");
    begin(NULL);
    relay = (struct relay){.client = -1, .server = -1, .port = port};
    relay.listener = rig_listen(&port);
    start(0);
    start(1);
    UNTIL(loop, carry_both() && requests == 2);
    sotto_exchange_stream(exchanges[1], 200, SOTTO_LIT(""));
    OK(sotto_exchange_write(exchanges[1], SOTTO_LIT("some"), false), "a piece");
    UNTIL(loop, carry_both() && got[1].body.len == 4);
    for (int i = 0; i < 3; i++) {
        sotto_loop_skip_ms(loop, SOTTO_FETCH_PING_MS + 100);
        for (int turn = 0; turn < 20; turn++) {
            rig_settle(loop);
            carry_both();
        }
    }
    OK(!over(0) && !over(1), "signs of life keep it");
    sotto_loop_skip_ms(loop, SOTTO_FETCH_PING_MS + 100);
    rig_settle(loop);
    sotto_loop_skip_ms(loop, SOTTO_FETCH_PONG_MS - 1000);
    rig_settle(loop);
    OK(!over(0) && !over(1), "without one it is waited for");
    sotto_loop_skip_ms(loop, 1100);
    UNTIL(loop, all_over(0, 2));
    OK(got[0].error == SOTTO_FETCH_TIMEOUT && got[1].error == SOTTO_FETCH_TIMEOUT,
       "so long, then every request ends");
    IS_TEXT(got[0].reason, strlen(got[0].reason), "the upstream gives no sign of life", "and why");
    IS_SIZE(stats().open, 0, "with the connection");
    close(relay.listener);
    close(relay.client);
    close(relay.server);
    port = relay.port;
    start(2);
    UNTIL(loop, requests == 3);
    answer(2);
    UNTIL(loop, over(2));
    IS_INT(got[2].ends, 1, "the next gets another");
    end();
}

static void test_ends(void)
{
    CASE("refused in the round in which it is told to go on");
    begin(NULL);
    warm_up();
    sotto_server_drain(server);
    start(1);
    for (int round = 0; round < 200 && !over(1); round++) {
        sotto_fetch_pause(got[1].fetch);
        sotto_fetch_resume(got[1].fetch);
        sotto_ignore(sotto_loop_step(loop, 1));
    }
    UNTIL(loop, over(1));
    OK(stats().retried == 1, "it is sent again");
    IS_INT(got[1].error, SOTTO_FETCH_UNREACHABLE, "and finds nobody");
    end();

    CASE("a server that ends");
    begin(NULL);
    warm_up();
    start(1);
    UNTIL(loop, requests == 2);
    sotto_server_drain(server);
    rig_settle(loop);
    start(2); /* behind the GOAWAY, or in front of its last word: refused and nowhere to go */
    UNTIL(loop, over(2) || requests == 3);
    if (requests == 3) {
        answer(2);
    }
    answer(1);
    UNTIL(loop, over(1) && over(2));
    IS_INT(got[1].ends, 1, "what it has begun is answered");
    OK(got[2].ends == 1 || got[2].error == SOTTO_FETCH_UNREACHABLE, "nothing hangs");
    UNTIL(loop, stats().open == 0);
    IS_SIZE(stats().open, 0, "then the connection ends");
    end();

    CASE("a pool that ends");
    begin(NULL);
    warm_up();
    got[2].pause_at_head = true;
    start(1);
    start(2);
    UNTIL(loop, requests == 3);
    answer(2);
    UNTIL(loop, got[2].heads == 1);
    start(3); /* not sent yet */
    end();
    OK(got[1].errors + got[2].ends + got[3].errors == 0, "says nothing");
    begin(NULL);
    start(0);
    start(1);
    end(); /* while it connects */
    OK(got[0].errors + got[1].errors == 0, "also not to those that wait");
}

static void test_memory(void)
{
    CASE("no memory");
    begin(NULL);
    bool worked = false;
    for (size_t n = 1; n < 400 && !worked; n++) {
        memset(got, 0, sizeof(got));
        requests = 0;
        sotto_loop_skip_ms(loop, 10);
        warm_up();
        sotto_alloc_set_fault(n);
        enum sotto_err err = try_start(1);
        if (err == SOTTO_OK) {
            UNTIL(loop, over(1) || requests == 2);
            if (requests == 2 && exchanges[1] != NULL && !over(1)) {
                answer(1);
            }
            UNTIL(loop, over(1));
        }
        worked = sotto_alloc_set_fault(0) < n;
        OK(err == SOTTO_ENOMEM || over(1), "fault %zu: it comes to an end", n);
        OK(!worked || got[1].ends == 1, "without a fault it works");
        sotto_buf_free(&got[0].body);
        sotto_buf_free(&got[1].body);
        UNTIL(loop, stats().idle == stats().open);
        sotto_loop_skip_ms(loop, 56000); /* each round on a connection of its own */
        UNTIL(loop, stats().open == 0);
    }
    OK(worked, "all allocations were tried");
    end();
}

int main(void)
{
    if (sotto_crypto_init() != SOTTO_OK) {
        abort();
    }
    certs_make();
    test_sharing();
    test_cancelling();
    test_back_pressure();
    test_time_limits();
    test_signs_of_life();
    test_ends();
    test_memory();
    certs_remove();
    return done_testing();
}
