/* SPDX-License-Identifier: Apache-2.0 */

#include "net/client.h"

#include "base/alloc.h"
#include "http/head.h"
#include "net/resolver.h"
#include "net/rig.h"

/* One fetch and what came of it. */
struct got {
    struct sotto_fetch *fetch; /* NULL: over */
    struct sotto_buf body;
    int status, heads, ends, errors;
    enum sotto_fetch_error error;
    const char *reason;
    bool cancel_at_head, cancel_at_body, pause_at_body, start_at_end;
    struct got *next;
};

static struct sotto_loop *loop;
static struct sotto_resolver *resolver;
static struct sotto_pool *pool;
static int listener;
static uint16_t port;

static void start(struct got *got);

static void on_head(void *ctx, struct sotto_fetch *fetch, int status, sotto_span head)
{
    struct got *got = ctx;
    struct sotto_http_head index;
    OK(fetch == got->fetch, "the head is of our fetch");
    OK(sotto_http_head_index(head, false, &index) == SOTTO_OK && index.status == status,
       "the head is a block");
    got->status = status;
    got->heads++;
    if (got->cancel_at_head) {
        got->fetch = NULL;
        sotto_fetch_cancel(fetch);
    }
}

static void on_body(void *ctx, struct sotto_fetch *fetch, sotto_span piece)
{
    struct got *got = ctx;
    sotto_ignore(sotto_buf_append(&got->body, piece));
    if (got->cancel_at_body) {
        got->fetch = NULL;
        sotto_fetch_cancel(fetch);
    } else if (got->pause_at_body) {
        sotto_fetch_pause(fetch);
    }
}

static void on_end(void *ctx, struct sotto_fetch *fetch)
{
    struct got *got = ctx;
    got->ends++;
    got->fetch = NULL;
    sotto_fetch_cancel(fetch); /* what is over takes no harm */
    sotto_fetch_resume(fetch);
    if (got->start_at_end) {
        start(got->next);
    }
}

static void on_error(void *ctx, struct sotto_fetch *fetch, enum sotto_fetch_error error,
                     const char *reason)
{
    struct got *got = ctx;
    (void)fetch;
    got->errors++;
    got->error = error;
    got->reason = reason;
    got->fetch = NULL;
}

static const struct sotto_fetch_handler handler = {
    .on_head = on_head, .on_body = on_body, .on_end = on_end, .on_error = on_error};

#define REQUEST "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi"
#define OK200   "HTTP/1.1 200 OK\r\n"
#define CASE(n) printf("# %s\n", n)

static void start_with(struct got *got, sotto_span request)
{
    const struct sotto_origin origin = {.host = SOTTO_LIT("127.0.0.1"), .port = port};
    sotto_buf_init(&got->body, SOTTO_BUF_UNBOUNDED);
    IS_INT(sotto_fetch_start(pool, &origin, request, &handler, got, &got->fetch), SOTTO_OK,
           "a fetch is started");
    OK(got->heads + got->errors + got->ends == 0, "nothing is told inside of it");
}

static void start(struct got *got)
{
    start_with(got, SOTTO_LIT(REQUEST));
}

static void begin(const struct sotto_client_limits *limits)
{
    struct sotto_client_limits normal = sotto_client_limits_default();
    if (sotto_loop_new(&loop) != SOTTO_OK || sotto_resolver_new(&resolver) != SOTTO_OK ||
        sotto_pool_new(loop, resolver, NULL, limits != NULL ? limits : &normal, &pool) !=
            SOTTO_OK) {
        abort();
    }
    listener = rig_listen(&port);
}

static void end(void)
{
    sotto_pool_free(pool);
    sotto_resolver_free(resolver);
    sotto_loop_free(loop);
    if (listener >= 0) {
        close(listener);
    }
}

static struct sotto_pool_stats stats(void)
{
    struct sotto_pool_stats s;
    sotto_pool_stats(pool, &s);
    return s;
}

/* Reads one request on the upstream's side. */
static bool take_request(int fd)
{
    struct sotto_buf in;
    sotto_buf_init(&in, 1 << 20);
    bool came = rig_expect(loop, fd, &in, "\r\n\r\nhi");
    sotto_buf_free(&in);
    return came;
}

static bool over(const struct got *got)
{
    return got->ends + got->errors == 1;
}

static void test_answers(void)
{
    CASE("answers");
    static const struct {
        const char *answer, *body;
        bool closes;
    } cases[] = {
        {OK200 "Content-Length: 5\r\n\r\nhello", "hello", false},
        {OK200 "Content-Length: 0\r\n\r\n", "", false},
        {OK200 "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n", "hello!",
         false},
        {"HTTP/1.1 100 Continue\r\n\r\n" OK200 "Content-Length: 1\r\n\r\nx", "x", false},
        {OK200 "Connection: close\r\nContent-Length: 5\r\n\r\nhello", "hello", true},
        {"HTTP/1.0 200 OK\r\n\r\nhello", "hello", true},
    };
    begin(NULL);
    int fd = -1;
    for (size_t split = 0; split < 2; split++) {
        for (size_t i = 0; i < SOTTO_COUNT(cases); i++) {
            struct got got = {0};
            start(&got);
            fd = fd < 0 ? rig_accept(loop, listener) : fd;
            OK(take_request(fd), "case %zu: the request comes", i);
            sotto_span answer = sotto_span_str(cases[i].answer);
            for (size_t at = 0; at < answer.len; at++) {
                size_t n = split == 0 ? answer.len : 1;
                OK(rig_send(loop, fd, sotto_span_sub(answer, at, at + n)), "answer");
                at = split == 0 ? answer.len : at;
            }
            if (cases[i].closes) {
                shutdown(fd, SHUT_WR);
            }
            UNTIL(loop, over(&got));
            OK(got.ends == 1 && got.status == 200 && got.heads == 1, "case %zu: complete", i);
            IS_TEXT(got.body.base, got.body.len, cases[i].body, "case %zu: its body", i);
            IS_SIZE(stats().idle, cases[i].closes ? 0 : 1, "case %zu: kept or closed", i);
            sotto_buf_free(&got.body);
            if (cases[i].closes) {
                close(fd);
                fd = -1;
            }
        }
    }
    OK(stats().connects == 4 && stats().reused == 8, "connections are reused");
    struct got got = {0};
    start_with(&got, SOTTO_LIT("HEAD /x HTTP/1.1\r\nHost: a\r\nX: \r\n\r\nhi"));
    fd = rig_accept(loop, listener);
    OK(take_request(fd), "HEAD");
    OK(rig_send(loop, fd, SOTTO_LIT(OK200 "Content-Length: 5\r\n\r\n")), "answer");
    UNTIL(loop, over(&got));
    OK(got.ends == 1 && got.body.len == 0, "has no body");
    sotto_buf_free(&got.body);
    close(fd);
    end();
}

static void test_errors(void)
{
    CASE("upstreams that fail");
    static const struct {
        const char *answer;
        bool reset;
        enum sotto_fetch_error error;
        int heads;
    } cases[] = {
        {"", false, SOTTO_FETCH_UNREACHABLE, 0},
        {"", true, SOTTO_FETCH_UNREACHABLE, 0},
        {"HTTP/1.1 200", false, SOTTO_FETCH_CUT, 0},
        {"HTTP/1.1 200", true, SOTTO_FETCH_CUT, 0},
        {OK200 "Content-Length: 9\r\n\r\n", false, SOTTO_FETCH_CUT, 1},
        {OK200 "Content-Length: 9\r\n\r\nabc", false, SOTTO_FETCH_CUT, 1},
        {OK200 "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", false, SOTTO_FETCH_CUT, 1},
        {OK200 "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", true, SOTTO_FETCH_CUT, 1},
        {OK200 "\r\nuntil", true, SOTTO_FETCH_CUT, 1},
        {"220 mail.example ESMTP\r\n", false, SOTTO_FETCH_PROTOCOL, 0},
        {OK200 "Content-Length: 1\r\nContent-Length: 2\r\n\r\nx", false, SOTTO_FETCH_PROTOCOL, 0},
        {OK200 "Transfer-Encoding: chunked\r\n\r\n5\nhello", false, SOTTO_FETCH_PROTOCOL, 1},
        {OK200 "Transfer-Encoding: chunked\r\n\r\nzzz\r\n", false, SOTTO_FETCH_PROTOCOL, 1},
        {"HTTP/1.1 101 Switching\r\n\r\n", false, SOTTO_FETCH_PROTOCOL, 0},
    };
    begin(NULL);
    for (size_t i = 0; i < SOTTO_COUNT(cases); i++) {
        struct got got = {0};
        start(&got);
        int fd = rig_accept(loop, listener);
        OK(take_request(fd), "case %zu: the request comes", i);
        OK(rig_send(loop, fd, sotto_span_str(cases[i].answer)) || true, "answer");
        rig_settle(loop);
        if (cases[i].reset) {
            const struct linger now = {.l_onoff = 1, .l_linger = 0};
            setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
        }
        close(fd);
        UNTIL(loop, over(&got));
        IS_INT(got.errors, 1, "case %zu: it fails", i);
        IS_INT(got.error, cases[i].error, "case %zu: in this way", i);
        IS_INT(got.heads, cases[i].heads, "case %zu: with or without a head", i);
        OK(got.reason != NULL && strlen(got.reason) > 0, "case %zu: %s", i, got.reason);
        sotto_buf_free(&got.body);
    }
    IS_SIZE(stats().open, 0, "no connection is left");
    IS_INT(stats().retried, 0, "nothing was sent twice");

    struct got got = {0};
    struct sotto_buf head;
    sotto_buf_init(&head, 1 << 20);
    sotto_ignore(sotto_buf_append(&head, SOTTO_LIT(OK200 "X: ")));
    while (head.len < (70u << 10)) {
        sotto_ignore(sotto_buf_push(&head, 'x'));
    }
    start(&got);
    int fd = rig_accept(loop, listener);
    OK(take_request(fd), "a request");
    sotto_ignore(rig_send(loop, fd, sotto_buf_span(&head)) ? SOTTO_OK : SOTTO_EIO);
    UNTIL(loop, over(&got));
    IS_INT(got.error, SOTTO_FETCH_PROTOCOL, "a head over 64 KiB is refused");
    sotto_buf_free(&got.body);
    sotto_buf_free(&head);
    close(fd);

    close(listener);
    listener = -1;
    struct got refused = {0};
    start(&refused);
    UNTIL(loop, over(&refused));
    IS_INT(refused.error, SOTTO_FETCH_UNREACHABLE, "nobody listens");
    IS_TEXT(refused.reason, strlen(refused.reason), "connection refused", "and says so");
    for (int e = SOTTO_FETCH_UNREACHABLE; e <= SOTTO_FETCH_MEMORY; e++) {
        OK(strlen(sotto_fetch_error_text((enum sotto_fetch_error)e)) > 0, "error %d has a text", e);
    }
    end();
}

static void test_retry(void)
{
    CASE("a reused connection that was closed");
    begin(NULL);
    struct got first = {0}, second = {0}, third = {0};
    start(&first);
    int fd = rig_accept(loop, listener);
    OK(take_request(fd), "a request");
    OK(rig_send(loop, fd, SOTTO_LIT(OK200 "Content-Length: 0\r\n\r\n")), "is answered");
    UNTIL(loop, over(&first));
    IS_SIZE(stats().idle, 1, "its connection waits");
    close(fd); /* the loop has not seen it yet */
    start(&second);
    IS_INT(stats().reused, 1, "it is taken");
    fd = rig_accept(loop, listener);
    OK(take_request(fd), "and the request comes again on a new one");
    IS_INT(stats().retried, 1, "once");
    close(fd);
    UNTIL(loop, over(&second));
    IS_INT(second.error, SOTTO_FETCH_UNREACHABLE, "but not a third time");

    /* Closed while idle and seen. */
    start(&third);
    fd = rig_accept(loop, listener);
    OK(take_request(fd), "a request");
    OK(rig_send(loop, fd, SOTTO_LIT(OK200 "Content-Length: 0\r\n\r\n")), "is answered");
    UNTIL(loop, over(&third));
    close(fd);
    UNTIL(loop, stats().open == 0);
    IS_SIZE(stats().idle, 0, "a connection that closes while idle is forgotten");

    /* An answer that begins on a reused connection is never asked for again. */
    struct got fourth = {0}, fifth = {0};
    start(&fourth);
    fd = rig_accept(loop, listener);
    OK(take_request(fd), "a request");
    OK(rig_send(loop, fd, SOTTO_LIT(OK200 "Content-Length: 0\r\n\r\n")), "is answered");
    UNTIL(loop, over(&fourth));
    start(&fifth);
    OK(take_request(fd), "another on the same connection");
    OK(rig_send(loop, fd, SOTTO_LIT("H")), "one byte of an answer");
    close(fd);
    UNTIL(loop, over(&fifth));
    IS_INT(fifth.error, SOTTO_FETCH_CUT, "is an answer");
    IS_INT(stats().retried, 1, "no second try");

    /* Bytes that nobody asked for. */
    struct got sixth = {0}, seventh = {0};
    start(&sixth);
    fd = rig_accept(loop, listener);
    OK(take_request(fd), "a request");
    OK(rig_send(loop, fd, SOTTO_LIT(OK200 "Content-Length: 0\r\n\r\nmore")), "too long an answer");
    UNTIL(loop, over(&sixth));
    IS_SIZE(stats().idle, 0, "is the last on its connection");
    close(fd);
    start(&seventh);
    fd = rig_accept(loop, listener);
    OK(take_request(fd), "a request");
    OK(rig_send(loop, fd, SOTTO_LIT(OK200 "Content-Length: 0\r\n\r\n")), "is answered");
    UNTIL(loop, over(&seventh));
    OK(rig_send(loop, fd, SOTTO_LIT("HTTP/1.1 200 OK\r\n\r\n")), "unasked");
    UNTIL(loop, stats().open == 0);
    IS_SIZE(stats().open, 0, "an idle connection that talks is closed");
    close(fd);
    end();
    struct got *all[] = {&first, &second, &third, &fourth, &fifth, &sixth, &seventh};
    for (size_t i = 0; i < SOTTO_COUNT(all); i++) {
        sotto_buf_free(&all[i]->body);
    }
}

static void test_time_limits(void)
{
    CASE("time limits");
    begin(NULL);
    struct got silent = {0}, stops = {0}, trickles = {0};
    start(&silent);
    int fd = rig_accept(loop, listener);
    OK(take_request(fd), "a request");
    sotto_loop_skip_ms(loop, 299000);
    rig_settle(loop);
    OK(!over(&silent), "five minutes are waited");
    sotto_loop_skip_ms(loop, 2000);
    UNTIL(loop, over(&silent));
    IS_INT(silent.error, SOTTO_FETCH_TIMEOUT, "then no longer");
    close(fd);
    start(&stops);
    fd = rig_accept(loop, listener);
    OK(take_request(fd), "a request");
    OK(rig_send(loop, fd, SOTTO_LIT(OK200 "Content-Length: 9\r\n\r\nabc")), "half an answer");
    UNTIL(loop, stops.body.len == 3);
    sotto_loop_skip_ms(loop, 301000);
    UNTIL(loop, over(&stops));
    OK(stops.error == SOTTO_FETCH_TIMEOUT && stops.heads == 1, "silence in the middle");
    close(fd);
    start(&trickles);
    fd = rig_accept(loop, listener);
    OK(take_request(fd), "a request");
    OK(rig_send(loop, fd, SOTTO_LIT(OK200 "Content-Length: 9\r\n\r\n")), "head");
    for (size_t i = 0; i < 9; i++) {
        OK(rig_send(loop, fd, SOTTO_LIT("x")), "a byte");
        UNTIL(loop, trickles.body.len == i + 1);
        sotto_loop_skip_ms(loop, 200000);
        rig_settle(loop);
    }
    OK(trickles.ends == 1, "slow is not silent");
    close(fd);
    struct got lingers = {0};
    start(&lingers);
    fd = rig_accept(loop, listener);
    OK(take_request(fd), "a request");
    OK(rig_send(loop, fd, SOTTO_LIT(OK200 "Content-Length: 9\r\n\r\n")), "head");
    UNTIL(loop, lingers.heads == 1);
    sotto_fetch_let_end(lingers.fetch, 2000);
    for (size_t i = 0; i < 2; i++) {
        sotto_loop_skip_ms(loop, 900);
        OK(rig_send(loop, fd, SOTTO_LIT("x")), "a byte");
        UNTIL(loop, lingers.body.len == i + 1);
    }
    sotto_loop_skip_ms(loop, 300);
    UNTIL(loop, over(&lingers));
    OK(lingers.error == SOTTO_FETCH_TIMEOUT, "what may end and does not is given up");
    IS_SIZE(stats().open, 0, "a connection of half an hour is not kept");
    close(fd);
    struct got last = {0};
    start(&last);
    fd = rig_accept(loop, listener);
    OK(take_request(fd), "a request");
    OK(rig_send(loop, fd, SOTTO_LIT(OK200 "Content-Length: 0\r\n\r\n")), "answered");
    UNTIL(loop, over(&last));
    IS_SIZE(stats().idle, 1, "a young one is kept");
    sotto_loop_skip_ms(loop, 54000);
    rig_settle(loop);
    IS_SIZE(stats().idle, 1, "for a while");
    sotto_loop_skip_ms(loop, 2000);
    UNTIL(loop, stats().open == 0);
    IS_SIZE(stats().open, 0, "idle connections are closed after 55 s");
    close(fd);
    end();
    sotto_buf_free(&last.body);
    sotto_buf_free(&silent.body);
    sotto_buf_free(&stops.body);
    sotto_buf_free(&trickles.body);
    sotto_buf_free(&lingers.body);
}

/* A full backlog lets connect(2) hang. */
static void test_connect_limit(void)
{
    CASE("time to connect");
    begin(NULL);
    close(listener);
    struct sockaddr_in addr = rig_address(0);
    socklen_t len = sizeof(addr);
    listener = socket(AF_INET, SOCK_STREAM, 0);
    OK(bind(listener, (struct sockaddr *)&addr, len) == 0 && listen(listener, 0) == 0 &&
           getsockname(listener, (struct sockaddr *)&addr, &len) == 0,
       "a listener that takes nobody");
    port = ntohs(addr.sin_port);
    int fillers[8];
    for (size_t i = 0; i < SOTTO_COUNT(fillers); i++) {
        fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        sotto_ignore(connect(fillers[i], (struct sockaddr *)&addr, len) == 0 ? SOTTO_OK
                                                                             : SOTTO_EIO);
    }
    struct got hangs = {0};
    start(&hangs);
    rig_settle(loop);
    OK(!over(&hangs), "connecting takes time");
    sotto_loop_skip_ms(loop, 5100);
    UNTIL(loop, over(&hangs));
    IS_INT(hangs.error, SOTTO_FETCH_TIMEOUT, "but not more than 5 s");
    sotto_buf_free(&hangs.body);
    for (size_t i = 0; i < SOTTO_COUNT(fillers); i++) {
        close(fillers[i]);
    }
    end();
}

static void test_cancel(void)
{
    CASE("cancelling");
    begin(NULL);
    struct got at_once = {0}, waiting = {0}, head = {.cancel_at_head = true},
               body = {.cancel_at_body = true};
    start(&at_once);
    sotto_fetch_cancel(at_once.fetch);
    rig_settle(loop);
    OK(!over(&at_once) && stats().open == 0, "at once");
    start(&waiting);
    int fd = rig_accept(loop, listener); /* of the one above, perhaps */
    struct sotto_buf in;
    sotto_buf_init(&in, 1 << 20);
    if (!rig_expect(loop, fd, &in, "hi")) {
        close(fd);
        fd = rig_accept(loop, listener);
        OK(take_request(fd), "a request");
    }
    sotto_buf_truncate(&in, 0);
    sotto_fetch_cancel(waiting.fetch);
    OK(rig_rest(loop, fd, &in) != RIG_OPEN, "the upstream sees the connection close at once");
    OK(!over(&waiting), "and nothing is told");
    close(fd);
    start(&head);
    fd = rig_accept(loop, listener);
    OK(take_request(fd), "a request");
    OK(rig_send(loop, fd, SOTTO_LIT(OK200 "Content-Length: 3\r\n\r\nabc")), "an answer");
    UNTIL(loop, head.heads == 1);
    rig_settle(loop);
    OK(head.body.len == 0 && !over(&head) && stats().open == 0, "inside on_head()");
    close(fd);
    start(&body);
    fd = rig_accept(loop, listener);
    OK(take_request(fd), "a request");
    OK(rig_send(loop, fd,
                SOTTO_LIT(OK200 "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n1\r\nb\r\n")),
       "an answer");
    UNTIL(loop, body.body.len != 0);
    rig_settle(loop);
    OK(body.body.len == 1 && !over(&body) && stats().open == 0, "inside on_body()");
    close(fd);
    struct got open = {0};
    start(&open);
    rig_settle(loop);
    end(); /* with a fetch that runs */
    OK(!over(&open), "a pool that is freed tells nothing");
    sotto_buf_free(&in);
    sotto_buf_free(&at_once.body);
    sotto_buf_free(&waiting.body);
    sotto_buf_free(&head.body);
    sotto_buf_free(&body.body);
    sotto_buf_free(&open.body);
}

static void test_back_pressure(void)
{
    CASE("back-pressure");
    begin(NULL);
    struct got got = {.pause_at_body = true};
    start(&got);
    int fd = rig_accept(loop, listener);
    OK(take_request(fd), "a request");
    OK(rig_send(loop, fd, SOTTO_LIT(OK200 "Content-Length: 33554432\r\n\r\n")), "a long answer");
    static uint8_t piece[65536];
    size_t sent = 0;
    int stuck = 0;
    while (stuck < 50 && sent < ((size_t)32 << 20)) {
        ssize_t n = send(fd, piece, sizeof(piece), MSG_NOSIGNAL);
        sent += n > 0 ? (size_t)n : 0;
        stuck = n > 0 ? 0 : stuck + 1;
        sotto_ignore(sotto_loop_step(loop, 0));
    }
    OK(sent < ((size_t)32 << 20), "an upstream is held back by a paused fetch");
    OK(got.body.len <= 2 * SOTTO_LOOP_SCRATCH_BYTES, "little was read (%zu)", got.body.len);
    size_t before = got.body.len;
    sotto_loop_skip_ms(loop, 400000);
    rig_settle(loop);
    OK(!over(&got) && got.body.len == before, "a pause may last");
    got.pause_at_body = false;
    sotto_fetch_resume(got.fetch);
    IS_SIZE(got.body.len, before, "resuming calls nothing at once");
    for (int i = 0; i < RIG_ROUNDS && !over(&got); i++) {
        size_t left = ((size_t)32 << 20) - sent;
        ssize_t n = left != 0
                        ? send(fd, piece, left < sizeof(piece) ? left : sizeof(piece), MSG_NOSIGNAL)
                        : 0;
        sent += n > 0 ? (size_t)n : 0;
        sotto_ignore(sotto_loop_step(loop, n > 0 ? 0 : 1));
    }
    OK(got.ends == 1 && got.body.len == (size_t)32 << 20, "then all of it comes");
    sotto_buf_free(&got.body);

    /* A request that the upstream does not read. */
    struct sotto_buf big;
    sotto_buf_init(&big, 1 << 26);
    for (int i = 0; i < 256; i++) {
        sotto_ignore(sotto_buf_append(&big, sotto_span_init(piece, sizeof(piece))));
    }
    struct got slow = {0};
    start_with(&slow, sotto_buf_span(&big));
    rig_settle(loop);
    OK(!over(&slow), "a long request waits for its reader");
    size_t taken = 0;
    for (int i = 0; i < RIG_ROUNDS && taken < big.len; i++) {
        ssize_t n = recv(fd, piece, sizeof(piece), 0);
        taken += n > 0 ? (size_t)n : 0;
        sotto_ignore(sotto_loop_step(loop, n > 0 ? 0 : 1));
    }
    IS_SIZE(taken, big.len, "and gets there in full");
    OK(rig_send(loop, fd, SOTTO_LIT(OK200 "Content-Length: 0\r\n\r\n")), "answered");
    UNTIL(loop, over(&slow));
    IS_INT(slow.ends, 1, "complete");
    sotto_buf_free(&slow.body);

    /* An upstream that answers before it has read everything, and closes. */
    struct got early = {0};
    start_with(&early, sotto_buf_span(&big));
    rig_settle(loop);
    OK(rig_send(loop, fd, SOTTO_LIT("HTTP/1.1 413 No\r\nContent-Length: 2\r\n\r\nno")), "early");
    UNTIL(loop, over(&early));
    OK(early.ends == 1 && early.status == 413, "its answer counts");
    IS_SIZE(stats().idle, 0, "its connection does not");
    sotto_buf_free(&early.body);
    sotto_buf_free(&big);
    close(fd);
    end();
}

static void test_queue(void)
{
    CASE("queue");
    struct sotto_client_limits limits = sotto_client_limits_default();
    limits.connections = 1;
    limits.queued = 2;
    begin(&limits);
    struct got a = {0}, b = {0}, c = {0}, d = {0};
    start(&a);
    start(&b);
    start(&c);
    start(&d);
    UNTIL(loop, over(&d));
    IS_INT(d.error, SOTTO_FETCH_BUSY, "one too many fails");
    IS_SIZE(stats().waiting, 2, "two wait");
    int fd = rig_accept(loop, listener);
    OK(take_request(fd), "the first is sent");
    OK(rig_send(loop, fd, SOTTO_LIT(OK200 "Content-Length: 0\r\n\r\n")), "answered");
    UNTIL(loop, over(&a));
    OK(a.ends == 1 && take_request(fd), "the second follows on the same connection");
    sotto_loop_skip_ms(loop, 11000);
    UNTIL(loop, over(&c));
    IS_INT(c.error, SOTTO_FETCH_BUSY, "the third has waited for too long");
    close(fd);
    UNTIL(loop, stats().retried == 1);
    IS_INT(stats().retried, 1, "the second had a closed connection: tried again");
    IS_INT(b.ends + b.errors, 0, "not over yet");
    fd = rig_accept(loop, listener);
    OK(take_request(fd), "on a new one");
    struct got e = {0}, f = {0};
    start(&e);
    start(&f);
    sotto_fetch_cancel(e.fetch);
    IS_SIZE(stats().waiting, 1, "one that waits can be cancelled");
    sotto_fetch_cancel(b.fetch);
    IS_SIZE(stats().waiting, 0, "a cancelled one makes room");
    close(fd);
    fd = rig_accept(loop, listener);
    OK(take_request(fd), "for the next");
    struct got g = {0};
    start(&g);
    end(); /* with one that waits */
    close(fd);
    struct got *all[] = {&a, &b, &c, &d, &e, &f, &g};
    for (size_t i = 0; i < SOTTO_COUNT(all); i++) {
        sotto_buf_free(&all[i]->body);
    }
}

static void test_chain(void)
{
    CASE("a fetch from on_end()");
    begin(NULL);
    struct got second = {0}, first = {.start_at_end = true, .next = &second};
    start(&first);
    int fd = rig_accept(loop, listener);
    OK(take_request(fd), "the first");
    OK(rig_send(loop, fd, SOTTO_LIT(OK200 "Content-Length: 0\r\n\r\n")), "answered");
    UNTIL(loop, over(&first));
    OK(take_request(fd), "the second takes the same connection");
    OK(rig_send(loop, fd, SOTTO_LIT(OK200 "Content-Length: 2\r\n\r\nok")), "answered");
    UNTIL(loop, over(&second));
    OK(second.ends == 1 && stats().connects == 1, "both are complete");
    sotto_buf_free(&first.body);
    sotto_buf_free(&second.body);
    close(fd);
    end();
}

static int two_addresses(const char *host, struct sotto_addresses *out)
{
    struct sockaddr_in dead = rig_address(1), good = rig_address(0);
    if (strcmp(host, "two.example") != 0) {
        return -1;
    }
    dead.sin_addr.s_addr = htonl(0x7f000002); /* nobody listens on port `port` of 127.0.0.2 */
    memcpy(&out->list[0].addr, &dead, sizeof(dead));
    memcpy(&out->list[1].addr, &good, sizeof(good));
    out->list[0].len = out->list[1].len = sizeof(good);
    out->count = 2;
    return 0;
}

static void test_names(void)
{
    CASE("names");
    begin(NULL);
    sotto_resolver_set_source(resolver, two_addresses);
    struct got got = {0}, none = {0}, gone = {0};
    struct sotto_origin origin = {.host = SOTTO_LIT("two.example"), .port = port};
    sotto_buf_init(&got.body, 1 << 20);
    IS_INT(sotto_fetch_start(pool, &origin, SOTTO_LIT(REQUEST), &handler, &got, &got.fetch),
           SOTTO_OK, "a name with two addresses");
    int fd = rig_accept(loop, listener);
    OK(take_request(fd), "the second is tried when the first refuses");
    OK(rig_send(loop, fd, SOTTO_LIT(OK200 "Content-Length: 0\r\n\r\n")), "answered");
    UNTIL(loop, over(&got));
    IS_INT(got.ends, 1, "complete");
    close(fd);
    origin.host = SOTTO_LIT("none.example");
    IS_INT(sotto_fetch_start(pool, &origin, SOTTO_LIT(REQUEST), &handler, &none, &none.fetch),
           SOTTO_OK, "a name that does not exist");
    UNTIL(loop, over(&none));
    IS_INT(none.error, SOTTO_FETCH_UNREACHABLE, "is unreachable");
    origin.host = SOTTO_LIT("other.example");
    IS_INT(sotto_fetch_start(pool, &origin, SOTTO_LIT(REQUEST), &handler, &gone, &gone.fetch),
           SOTTO_OK, "a lookup");
    sotto_fetch_cancel(gone.fetch);
    rig_settle(loop);
    OK(!over(&gone), "can be cancelled");
    origin.host = SOTTO_LIT("");
    IS_INT(sotto_fetch_start(pool, &origin, SOTTO_LIT(REQUEST), &handler, &gone, &gone.fetch),
           SOTTO_EINVAL, "no name is refused");
    origin.host = SOTTO_LIT("a");
    origin.tls = true;
    IS_INT(sotto_fetch_start(pool, &origin, SOTTO_LIT(REQUEST), &handler, &gone, &gone.fetch),
           SOTTO_EINVAL, "TLS without a context is refused");
    sotto_buf_free(&got.body);
    end();
}

static void test_memory_faults(void)
{
    CASE("memory faults");
    begin(NULL);
    bool worked = false;
    for (size_t n = 1; n < 30 && !worked; n++) {
        const struct sotto_origin origin = {.host = SOTTO_LIT("127.0.0.1"), .port = port};
        struct got got = {0};
        sotto_buf_init(&got.body, 0);
        sotto_alloc_set_fault(n);
        enum sotto_err err =
            sotto_fetch_start(pool, &origin, SOTTO_LIT(REQUEST), &handler, &got, &got.fetch);
        if (err != SOTTO_OK) {
            sotto_alloc_set_fault(0);
            IS_INT(err, SOTTO_ENOMEM, "allocation %zu fails", n);
            continue;
        }
        int fd = -1;
        for (int i = 0; i < 100 && fd < 0; i++) {
            sotto_ignore(sotto_loop_step(loop, 1));
            fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
        }
        if (fd >= 0) {
            static const char answer[] = OK200 "Content-Length: 1\r\n\r\nx";
            OK(send(fd, answer, sizeof(answer) - 1, MSG_NOSIGNAL) > 0, "answered");
        }
        UNTIL(loop, over(&got));
        size_t seen = sotto_alloc_set_fault(0);
        OK(over(&got), "fault %zu: it comes to an end", n);
        worked = seen < n;
        OK(!worked || got.ends == 1, "without a fault it works");
        if (fd >= 0) {
            close(fd);
        }
        UNTIL(loop, stats().open == 0);
    }
    OK(worked, "all allocations were tried");
    end();
}

int main(void)
{
    test_answers();
    test_errors();
    test_retry();
    test_time_limits();
    test_connect_limit();
    test_cancel();
    test_back_pressure();
    test_queue();
    test_chain();
    test_names();
    test_memory_faults();
    return done_testing();
}
