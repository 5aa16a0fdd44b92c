/* SPDX-License-Identifier: Apache-2.0 */

#include "net/server.h"

#include "base/alloc.h"
#include "http/head.h"
#include "net/rig.h"

/* The gateway's side: answers /now at once, keeps the others for the test. */
static struct room {
    struct sotto_exchange *last; /* running */
    int requests, gone, flow_full, flow_free, refused, drained;
    int refused_status;
    uint32_t flags;
    uint64_t id;
    struct sotto_buf seen; /* heads and bodies */
} room;

static struct sotto_loop *loop;
static struct sotto_server *server;
static uint16_t port;

static void on_request(void *ctx, struct sotto_exchange *x, const struct sotto_server_request *req)
{
    struct room *r = ctx;
    struct sotto_http_head head;
    r->requests++;
    r->flags = req->flags;
    OK(req->id > r->id && req->id == sotto_exchange_id(x), "numbers of exchanges grow");
    r->id = req->id;
    OK(sotto_http_head_index(req->head, true, &head) == SOTTO_OK, "the head is a block");
    sotto_ignore(sotto_buf_append(&r->seen, head.target));
    sotto_ignore(sotto_buf_append(&r->seen, SOTTO_LIT(" ")));
    sotto_ignore(sotto_buf_append(&r->seen, req->body));
    sotto_ignore(sotto_buf_append(&r->seen, SOTTO_LIT("|")));
    if (sotto_span_eq(sotto_http_path(&head), SOTTO_LIT("/now"))) {
        sotto_exchange_reply(x, 200, SOTTO_LIT("X-A: b\r\n"), SOTTO_LIT("hello"));
    } else if (sotto_span_eq(sotto_http_path(&head), SOTTO_LIT("/abort"))) {
        sotto_exchange_abort(x);
    } else {
        sotto_exchange_set_user(x, r);
        r->last = x;
    }
}

static void on_gone(void *ctx, struct sotto_exchange *x)
{
    struct room *r = ctx;
    OK(x == r->last && sotto_exchange_user(x) == r, "the exchange that is gone is the one we know");
    r->last = NULL;
    r->gone++;
    OK(!sotto_exchange_write(x, SOTTO_LIT("x"), true), "what is gone takes nothing");
    sotto_exchange_reply(x, 200, SOTTO_LIT(""), SOTTO_LIT(""));
    sotto_exchange_abort(x);
}

static void on_flow(void *ctx, struct sotto_exchange *x, bool full)
{
    struct room *r = ctx;
    (void)x;
    r->flow_full += full ? 1 : 0;
    r->flow_free += full ? 0 : 1;
}

static void on_refused(void *ctx, int status, const char *reason, struct sotto_buf *lines,
                       struct sotto_buf *body)
{
    struct room *r = ctx;
    r->refused++;
    r->refused_status = status;
    sotto_ignore(sotto_buf_append(lines, SOTTO_LIT("Content-Type: application/json\r\n")));
    sotto_ignore(sotto_buf_printf(body, "{\"error\":\"%s\"}", reason));
}

static void on_drained(void *ctx)
{
    ((struct room *)ctx)->drained++;
}

static const struct sotto_server_handler handler = {
    .on_request = on_request,
    .on_gone = on_gone,
    .on_flow = on_flow,
    .on_refused = on_refused,
    .on_drained = on_drained,
};

static void begin(const struct sotto_server_limits *limits)
{
    struct sotto_server_limits normal = sotto_server_limits_default();
    memset(&room, 0, sizeof(room));
    sotto_buf_init(&room.seen, SOTTO_BUF_UNBOUNDED);
    if (sotto_loop_new(&loop) != SOTTO_OK ||
        sotto_server_new(loop, &handler, &room, limits != NULL ? limits : &normal, &server) !=
            SOTTO_OK ||
        sotto_server_listen(server, "127.0.0.1", 0, NULL, 0, &port) != SOTTO_OK) {
        abort();
    }
}

static void end(void)
{
    sotto_server_free(server);
    sotto_loop_free(loop);
    sotto_buf_free(&room.seen);
}

static struct sotto_server_stats stats(void)
{
    struct sotto_server_stats s;
    sotto_server_stats(server, &s);
    return s;
}

/* Sends `in`, reads until `want` has come. */
static bool talk(int fd, sotto_span in, struct sotto_buf *out, const char *want)
{
    return rig_send(loop, fd, in) && rig_expect(loop, fd, out, want);
}

#define HOST    "Host: a\r\n"
#define GET(p)  "GET " p " HTTP/1.1\r\n" HOST "\r\n"
#define CASE(n) printf("# %s\n", n)

static void test_replies(void)
{
    CASE("replies");
    struct sotto_buf in;
    sotto_buf_init(&in, 1 << 24);
    begin(NULL);
    int fd = rig_connect(port);
    OK(talk(fd, SOTTO_LIT(GET("/now")), &in, "hello"), "a request is answered");
    OK(rig_find(&in, "HTTP/1.1 200 OK\r\nX-A: b\r\nDate: ") == 0, "with our lines");
    OK(rig_find(&in, "\r\nContent-Length: 5\r\n\r\nhello") != SIZE_MAX, "and a length");
    OK(rig_find(&in, "Connection") == SIZE_MAX, "the connection stays open");
    OK((room.flags & SOTTO_REQUEST_LOOPBACK) != 0 && (room.flags & SOTTO_REQUEST_TLS) == 0,
       "the listener is known");
    sotto_buf_truncate(&in, 0);
    OK(talk(fd, SOTTO_LIT("HEAD /now HTTP/1.1\r\n" HOST "\r\n"), &in, "\r\n\r\n"), "HEAD");
    rig_settle(loop);
    rig_take(fd, &in);
    OK(rig_find(&in, "Content-Length: 5\r\n\r\n") != SIZE_MAX && rig_find(&in, "hello") == SIZE_MAX,
       "has a length and no body");

    sotto_buf_truncate(&in, 0);
    OK(rig_send(loop, fd,
                SOTTO_LIT("POST /later HTTP/1.1\r\n" HOST "Content-Length: 4\r\n\r\nbody")),
       "a request that takes longer");
    UNTIL(loop, room.last != NULL);
    OK(rig_find(&room.seen, "/later body|") != SIZE_MAX, "its body has come");
    sotto_exchange_reply(room.last, 204, SOTTO_LIT(""), SOTTO_LIT("dropped"));
    OK(rig_expect(loop, fd, &in, "\r\n\r\n"), "204");
    OK(rig_find(&in, "Content-Length") == SIZE_MAX && rig_find(&in, "dropped") == SIZE_MAX,
       "has neither length nor body");

    sotto_buf_truncate(&in, 0);
    OK(rig_send(loop, fd, SOTTO_LIT("GET /now HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n")),
       "a last request");
    IS_INT(rig_rest(loop, fd, &in), RIG_CLOSED, "the connection is closed behind the answer");
    OK(rig_find(&in, "Connection: close\r\n") != SIZE_MAX, "as it says");
    close(fd);
    UNTIL(loop, stats().open == 0);
    IS_SIZE(stats().open, 0, "no connection is left");

    fd = rig_connect(port);
    sotto_buf_truncate(&in, 0);
    OK(rig_send(loop, fd, SOTTO_LIT("GET /now HTTP/1.0\r\n\r\n")), "HTTP/1.0");
    IS_INT(rig_rest(loop, fd, &in), RIG_CLOSED, "is closed");
    close(fd);
    fd = rig_connect(port);
    sotto_buf_truncate(&in, 0);
    OK(talk(fd, SOTTO_LIT("GET /now HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"), &in, "hello"),
       "HTTP/1.0 with keep-alive");
    OK(rig_find(&in, "Connection: keep-alive\r\n") != SIZE_MAX, "is told that it stays open");
    OK(talk(fd, SOTTO_LIT("GET /abort HTTP/1.1\r\n" HOST "\r\n"), &in, "hello"), "an abort");
    UNTIL(loop, stats().running == 0);
    close(fd);
    end();
    sotto_buf_free(&in);
}

static void test_streams(void)
{
    CASE("streams");
    struct sotto_buf in;
    sotto_buf_init(&in, 1 << 24);
    begin(NULL);
    int fd = rig_connect(port);
    OK(rig_send(loop, fd, SOTTO_LIT(GET("/s"))), "asked");
    UNTIL(loop, room.last != NULL);
    sotto_exchange_stream(room.last, 200, SOTTO_LIT("Content-Type: text/event-stream\r\n"));
    OK(rig_take(fd, &in) == RIG_OPEN && in.len == 0, "the head waits for the first piece");
    OK(sotto_exchange_write(room.last, SOTTO_LIT("data: a\n\n"), false), "a piece");
    uint8_t bytes[4096];
    ssize_t n = recv(fd, bytes, sizeof(bytes), 0);
    sotto_ignore(sotto_buf_append(&in, sotto_span_init(bytes, n > 0 ? (size_t)n : 0)));
    OK(rig_find(&in, "chunked\r\n\r\n9\r\ndata: a\n\n\r\n") != SIZE_MAX,
       "head and piece came in one read, before the loop ran");
    sotto_buf_truncate(&in, 0);
    OK(sotto_exchange_write(room.last, SOTTO_LIT(""), false), "an empty piece");
    rig_settle(loop);
    rig_take(fd, &in);
    IS_SIZE(in.len, 0, "sends nothing");
    OK(sotto_exchange_write(room.last, SOTTO_LIT("data: b\n\n"), false), "another");
    rig_take(fd, &in);
    IS_TEXT(in.base, in.len, "9\r\ndata: b\n\n\r\n", "is there at once");
    sotto_buf_truncate(&in, 0);
    OK(sotto_exchange_write(room.last, SOTTO_LIT("end"), true), "the last");
    rig_take(fd, &in);
    IS_TEXT(in.base, in.len, "3\r\nend\r\n0\r\n\r\n", "brings the end with it");
    sotto_buf_truncate(&in, 0);
    OK(talk(fd, SOTTO_LIT(GET("/now")), &in, "hello"), "the connection goes on");

    sotto_buf_truncate(&in, 0);
    room.last = NULL;
    OK(rig_send(loop, fd, SOTTO_LIT(GET("/s"))), "a stream without pieces");
    UNTIL(loop, room.last != NULL);
    sotto_exchange_stream(room.last, 200, SOTTO_LIT(""));
    OK(rig_expect(loop, fd, &in, "\r\n\r\n"), "its head comes without a piece");
    OK(sotto_exchange_write(room.last, SOTTO_LIT(""), true), "it ends");
    OK(rig_expect(loop, fd, &in, "\r\n\r\n0\r\n\r\n"), "empty");

    sotto_buf_truncate(&in, 0);
    room.last = NULL;
    OK(rig_send(loop, fd, SOTTO_LIT(GET("/s"))), "a stream that breaks");
    UNTIL(loop, room.last != NULL);
    sotto_exchange_stream(room.last, 200, SOTTO_LIT(""));
    OK(sotto_exchange_write(room.last, SOTTO_LIT("half"), false), "half of it");
    sotto_exchange_abort(room.last);
    IS_INT(rig_rest(loop, fd, &in), RIG_CLOSED, "the connection is closed");
    OK(rig_find(&in, "4\r\nhalf\r\n") != SIZE_MAX && rig_find(&in, "\r\n0\r\n") == SIZE_MAX,
       "what was sent has come, the end has not");
    close(fd);

    sotto_buf_truncate(&in, 0);
    room.last = NULL;
    fd = rig_connect(port);
    OK(rig_send(loop, fd, SOTTO_LIT("GET /s HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")), "1.0");
    UNTIL(loop, room.last != NULL);
    sotto_exchange_stream(room.last, 200, SOTTO_LIT(""));
    OK(sotto_exchange_write(room.last, SOTTO_LIT("all"), true), "of it");
    IS_INT(rig_rest(loop, fd, &in), RIG_CLOSED, "a 1.0 stream ends with the connection");
    OK(rig_find(&in, "chunked") == SIZE_MAX && rig_find(&in, "close\r\n\r\nall") != SIZE_MAX,
       "and has no chunks");
    close(fd);
    sotto_buf_truncate(&in, 0);
    room.last = NULL;
    fd = rig_connect(port);
    OK(rig_send(loop, fd, SOTTO_LIT("GET /s HTTP/1.0\r\n\r\n")), "1.0, broken");
    UNTIL(loop, room.last != NULL);
    sotto_exchange_stream(room.last, 200, SOTTO_LIT(""));
    OK(sotto_exchange_write(room.last, SOTTO_LIT("half"), false), "half of it");
    sotto_exchange_abort(room.last);
    IS_INT(rig_rest(loop, fd, &in), RIG_RESET, "is told by a reset");
    close(fd);
    IS_INT(room.gone, 0, "nobody was gone");
    end();
    sotto_buf_free(&in);
}

static void test_pipelining(void)
{
    CASE("pipelining");
    struct sotto_buf in;
    sotto_buf_init(&in, 1 << 24);
    begin(NULL);
    int fd = rig_connect(port);
    OK(talk(fd, SOTTO_LIT(GET("/now") GET("/now") GET("/later") GET("/now")), &in, "hello"),
       "four at once");
    UNTIL(loop, room.last != NULL);
    rig_settle(loop);
    rig_take(fd, &in);
    IS_SIZE(rig_count(&in, "hello"), 2, "those in front are answered");
    IS_INT(room.requests, 3, "what is behind the slow one waits");
    sotto_exchange_reply(room.last, 200, SOTTO_LIT(""), SOTTO_LIT("slow"));
    UNTIL(loop, room.requests == 4);
    rig_settle(loop);
    rig_take(fd, &in);
    IS_SIZE(rig_count(&in, "hello"), 3, "the last is answered");
    size_t slow = rig_find(&in, "slow");
    sotto_buf_consume(&in, slow < in.len ? slow : 0);
    IS_SIZE(rig_count(&in, "hello"), 1, "after the slow one");

    /* More than one read can hold, with the first one running. */
    struct sotto_buf many;
    sotto_buf_init(&many, 1 << 24);
    room.last = NULL;
    sotto_ignore(sotto_buf_append(&many, SOTTO_LIT(GET("/later"))));
    for (int i = 0; i < 8000; i++) {
        sotto_ignore(sotto_buf_append(&many, SOTTO_LIT(GET("/now"))));
    }
    sotto_buf_truncate(&in, 0);
    sotto_span rest = sotto_buf_span(&many);
    for (int i = 0; i < RIG_ROUNDS && (room.last == NULL || i < 100); i++) {
        ssize_t n = send(fd, rest.base, rest.len, MSG_NOSIGNAL);
        rest = sotto_span_skip(rest, n > 0 ? (size_t)n : 0);
        sotto_ignore(sotto_loop_step(loop, 0));
    }
    OK(rest.len == 0 || room.requests == 5, "the kernel holds what we do not read");
    sotto_exchange_reply(room.last, 200, SOTTO_LIT(""), SOTTO_LIT("slow"));
    for (int i = 0; i < RIG_ROUNDS && rig_count(&in, "hello") < 8000; i++) {
        ssize_t n = rest.len != 0 ? send(fd, rest.base, rest.len, MSG_NOSIGNAL) : 0;
        rest = sotto_span_skip(rest, n > 0 ? (size_t)n : 0);
        sotto_ignore(sotto_loop_step(loop, 1));
        if (i % 10 == 0 || rest.len == 0) {
            rig_take(fd, &in);
        }
    }
    IS_SIZE(rig_count(&in, "hello"), 8000, "all 8,000 are answered");
    close(fd);
    end();
    sotto_buf_free(&many);
    sotto_buf_free(&in);
}

static void test_refusals(void)
{
    CASE("refusals");
    static const struct {
        const char *request;
        int status;
    } cases[] = {
        {"GET / HTTP/1.1\n" HOST "\r\n", 400},
        {"POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n1\nx\r\n", 400},
        {"POST / HTTP/1.1\r\n" HOST "Content-Length: 99999999999\r\n\r\n", 413},
        {"POST / HTTP/1.1\r\n" HOST "Content-Encoding: gzip\r\nContent-Length: 1\r\n\r\n", 415},
        {"POST / HTTP/1.1\r\n" HOST "Expect: nothing\r\nContent-Length: 1\r\n\r\n", 417},
    };
    begin(NULL);
    for (size_t i = 0; i < SOTTO_COUNT(cases); i++) {
        struct sotto_buf in;
        char want[64];
        sotto_buf_init(&in, 1 << 20);
        int fd = rig_connect(port);
        OK(rig_send(loop, fd, sotto_span_str(cases[i].request)), "sent");
        IS_INT(rig_rest(loop, fd, &in), RIG_CLOSED, "case %zu: answered and closed", i);
        snprintf(want, sizeof(want), "HTTP/1.1 %d ", cases[i].status);
        OK(rig_find(&in, want) == 0, "with %d", cases[i].status);
        OK(rig_find(&in, "\r\n\r\n{\"error\":\"") != SIZE_MAX, "and the gateway's body");
        IS_INT(room.refused_status, cases[i].status, "the gateway was asked");
        close(fd);
        sotto_buf_free(&in);
    }
    IS_INT(room.requests, 0, "nothing became a request");

    /* A client that goes on sending a body that was refused still reads the answer. */
    struct sotto_buf in, body;
    sotto_buf_init(&in, 1 << 20);
    sotto_buf_init(&body, 1 << 24);
    sotto_ignore(
        sotto_buf_printf(&body, "POST / HTTP/1.1\r\n" HOST "Content-Length: 99999999\r\n\r\n"));
    for (int i = 0; i < (4 << 20); i++) {
        sotto_ignore(sotto_buf_push(&body, 'x'));
    }
    int fd = rig_connect(port);
    OK(rig_send(loop, fd, sotto_buf_span(&body)), "4 MiB of a refused body are taken");
    OK(rig_expect(loop, fd, &in, "HTTP/1.1 413 "), "and the answer arrives");
    OK(rig_rest(loop, fd, &in) == RIG_CLOSED, "without a reset");
    close(fd);
    UNTIL(loop, stats().open == 0);
    IS_SIZE(stats().open, 0, "nothing is left");
    sotto_buf_free(&in);
    sotto_buf_free(&body);
    end();
}

static void test_time_limits(void)
{
    CASE("time limits");
    struct sotto_buf in;
    sotto_buf_init(&in, 1 << 24);
    begin(NULL);
    int fd = rig_connect(port);
    OK(rig_send(loop, fd, SOTTO_LIT("GET / HTTP/1.1\r\nHo")), "half a head");
    UNTIL(loop, stats().open == 1);
    rig_settle(loop);
    sotto_loop_skip_ms(loop, 9000);
    OK(rig_send(loop, fd, SOTTO_LIT("s")), "a byte more does not help");
    rig_settle(loop);
    sotto_loop_skip_ms(loop, 1100);
    IS_INT(rig_rest(loop, fd, &in), RIG_CLOSED, "closed");
    OK(rig_find(&in, "HTTP/1.1 408 ") == 0, "with 408");
    close(fd);

    sotto_buf_truncate(&in, 0);
    fd = rig_connect(port);
    OK(rig_send(loop, fd, SOTTO_LIT("POST / HTTP/1.1\r\n" HOST "Content-Length: 99999\r\n\r\n")),
       "a head");
    uint8_t piece[4096] = {0};
    for (int i = 0; i < 6; i++) { /* 20 KiB in 10 s are enough, and again */
        OK(rig_send(loop, fd, sotto_span_init(piece, sizeof(piece))), "a piece");
        rig_settle(loop);
        sotto_loop_skip_ms(loop, 3000);
        rig_settle(loop);
    }
    rig_take(fd, &in);
    IS_SIZE(in.len, 0, "a body that comes fast enough is waited for");
    sotto_loop_skip_ms(loop, 20000);
    IS_INT(rig_rest(loop, fd, &in), RIG_CLOSED, "one that stops is not");
    OK(rig_find(&in, "HTTP/1.1 408 ") == 0, "408");
    close(fd);

    sotto_buf_truncate(&in, 0);
    fd = rig_connect(port);
    OK(talk(fd, SOTTO_LIT(GET("/now")), &in, "hello"), "a request");
    sotto_loop_skip_ms(loop, 74000);
    OK(talk(fd, SOTTO_LIT(GET("/now")), &in, "hello"), "and after 74 s another");
    rig_settle(loop);
    sotto_loop_skip_ms(loop, 76000);
    IS_INT(rig_rest(loop, fd, &in), RIG_CLOSED, "after 76 s it is closed");
    close(fd);

    fd = rig_connect(port);
    OK(rig_send(loop, fd, SOTTO_LIT(GET("/later"))), "a request that runs");
    UNTIL(loop, room.last != NULL);
    sotto_loop_skip_ms(loop, 3600000);
    rig_settle(loop);
    OK(room.gone == 0 && stats().running == 1, "may run for an hour");
    sotto_exchange_reply(room.last, 200, SOTTO_LIT(""), SOTTO_LIT("late"));
    sotto_buf_truncate(&in, 0);
    OK(rig_expect(loop, fd, &in, "late"), "and is answered");
    close(fd);
    end();
    sotto_buf_free(&in);
}

/* The client vanishes at each stage, politely and by reset. */
static void vanish(int fd, bool reset)
{
    const struct linger now = {.l_onoff = 1, .l_linger = 0};
    if (reset) {
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    }
    close(fd);
}

static void test_vanishing(void)
{
    CASE("vanished clients");
    begin(NULL);
    for (int reset = 0; reset < 2; reset++) {
        static const char *const parts[] = {
            "",
            "GET",
            "GET / HTTP/1.1\r\nHost",
            "POST / HTTP/1.1\r\n" HOST "Content-Length: 9\r\n\r\n",
            "POST / HTTP/1.1\r\n" HOST "Content-Length: 9\r\n\r\nabc",
            "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n3\r\nab",
        };
        for (size_t i = 0; i < SOTTO_COUNT(parts); i++) {
            int fd = rig_connect(port);
            OK(rig_send(loop, fd, sotto_span_str(parts[i])), "stage %zu", i);
            UNTIL(loop, stats().open == 1);
            rig_settle(loop);
            vanish(fd, reset == 1);
            UNTIL(loop, stats().open == 0);
            IS_SIZE(stats().open, 0, "the connection is gone, too");
        }
        IS_INT(room.requests, 0, "none of these was a request");

        int fd = rig_connect(port);
        OK(rig_send(loop, fd, SOTTO_LIT(GET("/later"))), "a running request");
        UNTIL(loop, room.last != NULL);
        vanish(fd, reset == 1);
        UNTIL(loop, room.gone == 1);
        IS_INT(room.gone, 1, "its gateway hears that the client is gone");
        IS_SIZE(stats().open, 0, "and the connection is closed");

        fd = rig_connect(port);
        OK(rig_send(loop, fd, SOTTO_LIT(GET("/later") GET("/now"))), "one with another behind it");
        UNTIL(loop, room.last != NULL);
        vanish(fd, reset == 1);
        UNTIL(loop, room.gone == 2);
        IS_INT(room.gone, 2, "as well");

        fd = rig_connect(port);
        OK(rig_send(loop, fd, SOTTO_LIT(GET("/later"))), "a stream");
        UNTIL(loop, room.last != NULL);
        sotto_exchange_stream(room.last, 200, SOTTO_LIT(""));
        OK(sotto_exchange_write(room.last, SOTTO_LIT("piece"), false), "has begun");
        rig_settle(loop);
        vanish(fd, reset == 1);
        bool wrote = sotto_exchange_write(room.last, SOTTO_LIT("piece"), false);
        UNTIL(loop, room.gone == 3);
        OK(wrote && room.gone == 3, "gone in the middle");

        fd = rig_connect(port);
        OK(rig_send(loop, fd, SOTTO_LIT(GET("/later"))), "a stream that waits");
        UNTIL(loop, room.last != NULL);
        sotto_exchange_stream(room.last, 200, SOTTO_LIT(""));
        vanish(fd, reset == 1);
        UNTIL(loop, room.gone == 4);
        IS_INT(room.gone, 4, "gone before the first piece");
        room.requests = room.gone = 0;
    }

    int fd = rig_connect(port);
    struct sotto_buf in;
    sotto_buf_init(&in, 1 << 20);
    OK(send(fd, GET("/now"), sizeof(GET("/now")) - 1, 0) > 0, "a client");
    shutdown(fd, SHUT_WR);
    OK(rig_expect(loop, fd, &in, "hello"), "that half-closes is answered where we answer at once");
    close(fd);
    fd = rig_connect(port);
    OK(rig_send(loop, fd, SOTTO_LIT(GET("/later"))), "one that waits");
    UNTIL(loop, room.last != NULL);
    shutdown(fd, SHUT_WR);
    UNTIL(loop, room.gone == 1);
    IS_INT(room.gone, 1, "counts as gone when it half-closes");
    close(fd);
    sotto_buf_free(&in);
    end();
}

static void test_back_pressure(void)
{
    CASE("back-pressure");
    struct sotto_server_limits limits = sotto_server_limits_default();
    limits.out_bytes = 1 << 20;
    begin(&limits);
    struct sotto_buf in;
    sotto_buf_init(&in, 1 << 26);
    int fd = rig_connect(port);
    OK(rig_send(loop, fd, SOTTO_LIT(GET("/later"))), "a slow reader");
    UNTIL(loop, room.last != NULL);
    sotto_exchange_stream(room.last, 200, SOTTO_LIT(""));
    static uint8_t piece[8192];
    memset(piece, 'p', sizeof(piece));
    size_t written = 0;
    while (room.flow_full == 0 && written < (size_t)64 << 20) {
        OK(sotto_exchange_write(room.last, sotto_span_init(piece, sizeof(piece)), false), "write");
        written += sizeof(piece);
        sotto_ignore(sotto_loop_step(loop, 0));
    }
    IS_INT(room.flow_full, 1, "the gateway is told to stop");
    size_t waits = sotto_exchange_waiting(room.last);
    OK(waits > limits.high_bytes && waits < limits.high_bytes + 2 * sizeof(piece),
       "what waits is bounded by the mark");
    rig_settle(loop);
    IS_INT(room.flow_free, 0, "and not told to go on while nobody reads");
    for (int i = 0; i < RIG_ROUNDS && room.flow_free == 0; i++) {
        rig_take(fd, &in);
        sotto_ignore(sotto_loop_step(loop, 1));
    }
    IS_INT(room.flow_free, 1, "it is when the reader has read");
    OK(sotto_exchange_waiting(room.last) <= limits.low_bytes, "under the low mark");
    OK(sotto_exchange_write(room.last, SOTTO_LIT("end"), true), "the end");
    OK(rig_expect(loop, fd, &in, "3\r\nend\r\n0\r\n\r\n"), "arrives");
    size_t bytes = 0;
    for (size_t i = 0; i < in.len; i++) {
        bytes += in.base[i] == 'p' ? 1 : 0;
    }
    IS_SIZE(bytes, written, "and nothing was lost");

    sotto_buf_truncate(&in, 0);
    room.last = NULL;
    OK(rig_send(loop, fd, SOTTO_LIT(GET("/later"))), "a reader that does not read at all");
    UNTIL(loop, room.last != NULL);
    sotto_exchange_stream(room.last, 200, SOTTO_LIT(""));
    room.flow_full = 0;
    while (room.flow_full == 0) {
        OK(sotto_exchange_write(room.last, sotto_span_init(piece, sizeof(piece)), false), "write");
    }
    rig_settle(loop);
    sotto_loop_skip_ms(loop, 61000);
    UNTIL(loop, room.gone == 1);
    IS_INT(room.gone, 1, "counts as gone after a minute");
    close(fd);

    fd = rig_connect(port);
    OK(rig_send(loop, fd, SOTTO_LIT(GET("/later"))), "a gateway that does not stop");
    UNTIL(loop, room.last != NULL);
    sotto_exchange_stream(room.last, 200, SOTTO_LIT(""));
    bool open = true;
    for (int i = 0; open && i < 10000; i++) {
        open = sotto_exchange_write(room.last, sotto_span_init(piece, sizeof(piece)), false);
    }
    OK(!open, "is cut off at out_bytes");
    room.last = NULL;
    rig_settle(loop);
    IS_SIZE(stats().open, 0, "with its connection");
    close(fd);
    sotto_buf_free(&in);
    end();
}

static void test_long_answer(void)
{
    CASE("a long answer");
    static uint8_t piece[8192];
    struct sotto_server_limits limits = sotto_server_limits_default();
    limits.out_bytes = 1 << 20;
    begin(&limits);
    struct sotto_buf in;
    sotto_buf_init(&in, 1 << 26);
    int fd = rig_connect(port);
    memset(piece, 'p', sizeof(piece));
    OK(rig_send(loop, fd, SOTTO_LIT(GET("/later"))), "a long whole answer");
    UNTIL(loop, room.last != NULL);
    struct sotto_buf body;
    sotto_buf_init(&body, 1 << 26);
    for (int i = 0; i < 100; i++) {
        sotto_ignore(sotto_buf_append(&body, sotto_span_init(piece, sizeof(piece))));
    }
    sotto_exchange_reply(room.last, 200, SOTTO_LIT(""), sotto_buf_span(&body));
    sotto_buf_free(&body);
    UNTIL(loop, rig_take(fd, &in) != RIG_OPEN || in.len > 100 * sizeof(piece));
    OK(in.len > 100 * sizeof(piece), "is sent behind the gateway's back");
    close(fd);
    sotto_buf_free(&in);
    end();
}

static void test_continue(void)
{
    CASE("100-continue");
    struct sotto_buf in;
    sotto_buf_init(&in, 1 << 20);
    begin(NULL);
    int fd = rig_connect(port);
    OK(talk(fd,
            SOTTO_LIT("POST /now HTTP/1.1\r\n" HOST
                      "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n"),
            &in, "HTTP/1.1 100 Continue\r\n\r\n"),
       "the client is told to go on");
    OK(talk(fd, SOTTO_LIT("hi"), &in, "hello"), "and answered");
    sotto_buf_truncate(&in, 0);
    OK(talk(fd,
            SOTTO_LIT("POST /now HTTP/1.1\r\n" HOST
                      "Expect: 100-continue\r\nContent-Length: 2\r\n\r\nhi"),
            &in, "hello"),
       "one that did not wait");
    OK(rig_find(&in, "100 Continue") == SIZE_MAX, "is told nothing");
    close(fd);
    sotto_buf_free(&in);
    end();
}

static void test_drain(void)
{
    CASE("drain");
    struct sotto_buf in;
    sotto_buf_init(&in, 1 << 20);
    begin(NULL);
    int idle = rig_connect(port), busy = rig_connect(port), half = rig_connect(port);
    OK(talk(idle, SOTTO_LIT(GET("/now")), &in, "hello"), "an idle connection");
    OK(rig_send(loop, busy, SOTTO_LIT(GET("/later"))), "a busy one");
    OK(rig_send(loop, half, SOTTO_LIT("GET /now HTTP/1.1\r\n")), "one in a head");
    UNTIL(loop, room.last != NULL && stats().open == 3);
    rig_settle(loop);
    sotto_server_drain(server);
    sotto_buf_truncate(&in, 0);
    IS_INT(rig_rest(loop, idle, &in), RIG_CLOSED, "the idle one is closed");
    IS_INT(rig_connect(port), -1, "nobody gets in any more");
    rig_settle(loop);
    IS_INT(room.drained, 0, "what runs is waited for");
    sotto_exchange_reply(room.last, 200, SOTTO_LIT(""), SOTTO_LIT("done"));
    IS_INT(rig_rest(loop, busy, &in), RIG_CLOSED, "the busy one is answered and closed");
    OK(rig_find(&in, "Connection: close") != SIZE_MAX && rig_find(&in, "done") != SIZE_MAX,
       "and says so");
    close(busy);
    sotto_buf_truncate(&in, 0);
    OK(rig_send(loop, half, SOTTO_LIT(HOST "\r\n")), "the last one ends its head");
    IS_INT(rig_rest(loop, half, &in), RIG_CLOSED, "is answered and closed");
    OK(rig_find(&in, "hello") != SIZE_MAX, "in full");
    close(half);
    close(idle);
    UNTIL(loop, room.drained == 1);
    IS_INT(room.drained, 1, "then the server is drained");
    end();
    begin(NULL);
    idle = rig_connect(port);
    sotto_buf_truncate(&in, 0);
    OK(talk(idle, SOTTO_LIT(GET("/now")), &in, "hello"), "an idle connection");
    OK(send(idle, GET("/now"), sizeof(GET("/now")) - 1, MSG_NOSIGNAL) > 0, "asks again");
    sotto_server_drain(server);
    sotto_buf_truncate(&in, 0);
    IS_INT(rig_rest(loop, idle, &in), RIG_CLOSED, "while the server begins to drain");
    OK(rig_find(&in, "hello") != SIZE_MAX, "and is answered");
    close(idle);
    end();
    begin(NULL);
    sotto_server_drain(server);
    UNTIL(loop, room.drained == 1);
    IS_INT(room.drained, 1, "at once where there was nothing");
    end();
    sotto_buf_free(&in);
}

static void test_thousand(void)
{
    CASE("1,000 connections");
    enum {
        MANY = 1000
    };
    static int fds[MANY];
    struct sotto_buf in;
    sotto_buf_init(&in, 1 << 24);
    begin(NULL);
    for (int i = 0; i < MANY; i++) {
        fds[i] = rig_connect(port);
        sotto_ignore(sotto_loop_step(loop, 0));
    }
    UNTIL(loop, stats().open == MANY);
    IS_SIZE(stats().open, MANY, "are open");
    int answered = 0;
    for (int i = 0; i < MANY; i++) {
        OK(send(fds[i], GET("/now"), sizeof(GET("/now")) - 1, MSG_NOSIGNAL) > 0, "sent");
    }
    for (int i = 0; i < MANY; i++) {
        sotto_buf_truncate(&in, 0);
        answered += rig_expect(loop, fds[i], &in, "hello") ? 1 : 0;
    }
    IS_INT(answered, MANY, "are answered");
    for (int i = 0; i < MANY; i++) {
        close(fds[i]);
    }
    UNTIL(loop, stats().open == 0);
    IS_SIZE(stats().open, 0, "are closed");
    end();

    struct sotto_server_limits limits = sotto_server_limits_default();
    limits.connections = 2;
    begin(&limits);
    int a = rig_connect(port), b = rig_connect(port), c = rig_connect(port);
    OK(send(c, GET("/now"), sizeof(GET("/now")) - 1, MSG_NOSIGNAL) > 0, "one too many");
    UNTIL(loop, stats().open == 2);
    rig_settle(loop);
    IS_SIZE(stats().open, 2, "waits");
    close(a);
    UNTIL(loop, stats().open == 1);
    sotto_loop_skip_ms(loop, 200);
    sotto_buf_truncate(&in, 0);
    OK(rig_expect(loop, c, &in, "hello"), "and has its turn when another has left");
    close(b);
    close(c);
    end();
    sotto_buf_free(&in);
}

static void test_listen(void)
{
    CASE("listening");
    uint16_t other = 0;
    begin(NULL);
    IS_INT(sotto_server_listen(server, "nowhere", 0, NULL, 0, &other), SOTTO_EINVAL, "no address");
    IS_INT(sotto_server_listen(server, "8.8.8.8", 0, NULL, 0, &other), SOTTO_EIO, "not ours");
    IS_INT(sotto_server_listen(server, "localhost", port, NULL, 0, &other), SOTTO_OK,
           "a port can be shared by loops");
    IS_INT(other, port, "it is the same");
    uint16_t taken;
    int fd = rig_listen(&taken);
    IS_INT(sotto_server_listen(server, "127.0.0.1", taken, NULL, 0, &other), SOTTO_EEXISTS,
           "a port of somebody else is taken");
    close(fd);
    IS_INT(sotto_server_listen(server, "0.0.0.0", 0, NULL, SOTTO_REQUEST_ADMIN, &other), SOTTO_OK,
           "all addresses");
    fd = rig_connect(other);
    OK(rig_send(loop, fd, SOTTO_LIT(GET("/now"))), "a request there");
    UNTIL(loop, room.requests == 1);
    OK((room.flags & SOTTO_REQUEST_ADMIN) != 0 && (room.flags & SOTTO_REQUEST_LOOPBACK) == 0,
       "is not one of a loopback listener, and has the listener's flag");
    close(fd);
    end();
}

static void test_memory_faults(void)
{
    CASE("memory faults");
    sotto_span request = SOTTO_LIT("POST /later HTTP/1.1\r\n" HOST
                                   "Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n");
    int survived = 0;
    for (size_t n = 1; n < 40 && survived < 3; n++) {
        struct sotto_buf in;
        sotto_buf_init(&in, 1 << 20);
        begin(NULL);
        int fd = rig_connect(port);
        rig_settle(loop);
        if (n < 20) { /* later ones: also while it is accepted */
            UNTIL(loop, stats().open == 1);
        }
        sotto_alloc_set_fault(n < 20 ? n : n - 19);
        OK(send(fd, request.base, 30, MSG_NOSIGNAL) == 30, "a piece");
        rig_settle(loop);
        send(fd, request.base + 30, request.len - 30, MSG_NOSIGNAL);
        rig_settle(loop);
        if (room.last != NULL) {
            sotto_exchange_stream(room.last, 200, SOTTO_LIT(""));
            if (sotto_exchange_write(room.last, SOTTO_LIT("x"), true)) {
                survived++;
            }
        }
        rig_settle(loop);
        sotto_alloc_set_fault(0);
        rig_take(fd, &in);
        OK(stats().running == 0, "fault %zu leaves nothing running", n);
        close(fd);
        UNTIL(loop, stats().open == 0);
        end();
        sotto_buf_free(&in);
    }
    OK(survived > 0, "and without a fault it works");
}

int main(void)
{
    test_replies();
    test_streams();
    test_pipelining();
    test_refusals();
    test_time_limits();
    test_vanishing();
    test_back_pressure();
    test_long_answer();
    test_continue();
    test_drain();
    test_thousand();
    test_listen();
    test_memory_faults();
    return done_testing();
}
