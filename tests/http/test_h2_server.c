/* SPDX-License-Identifier: Apache-2.0 */

#include "http/h2_server.h"

#include "base/alloc.h"
#include "http/h2.h"
#include "http/h2_peer.h"
#include "tap/tap.h"

#define CASE(n)   printf("# %s\n", n)
#define GET       ":method: GET\n:scheme: https\n:path: /x\n:authority: a.example\n"
#define POST      ":method: POST\n:scheme: https\n:path: /x\n:authority: a.example\n"
#define SECOND_US INT64_C(1000000)

/* The gateway's side: keeps what it is given. */
static struct room {
    struct sotto_h2_stream *last;
    struct sotto_buf seen;
    int requests, gone, refused, taken;
    int status;
    bool at_once; /* answers inside on_request() */
} room;

static struct sotto_h2_server *h2;
static struct peer peer;
static struct sotto_buf in, out;
static int64_t now_us;

static void on_request(void *ctx, struct sotto_h2_stream *stream, sotto_span head, sotto_span body,
                       int64_t begun_us)
{
    struct room *r = ctx;
    OK(begun_us != 0, "it says when it began");
    r->requests++;
    peer_must(sotto_buf_append(&r->seen, head) == SOTTO_OK &&
              sotto_buf_append(&r->seen, body) == SOTTO_OK &&
              sotto_buf_append(&r->seen, SOTTO_LIT("|")) == SOTTO_OK);
    if (r->at_once) {
        sotto_h2_stream_reply(stream, 200, SOTTO_LIT("X-A: b\r\n"), SOTTO_LIT("hello"));
        return;
    }
    sotto_h2_stream_set_user(stream, r);
    r->last = stream;
}

static void on_gone(void *ctx, struct sotto_h2_stream *stream)
{
    struct room *r = ctx;
    OK(sotto_h2_stream_user(stream) == r, "the stream that is gone is known");
    r->gone++;
    r->last = NULL;
}

static void on_refused(void *ctx, int status, const char *reason, struct sotto_buf *lines,
                       struct sotto_buf *body)
{
    struct room *r = ctx;
    r->refused++;
    r->status = status;
    peer_must(sotto_buf_append(lines, SOTTO_LIT("Content-Type: text/plain\r\n")) == SOTTO_OK &&
              sotto_buf_append(body, sotto_span_str(reason)) == SOTTO_OK);
}

static void on_taken(void *ctx, struct sotto_h2_stream *stream)
{
    (void)stream;
    ((struct room *)ctx)->taken++;
}

static const struct sotto_h2_server_handler handler = {
    .on_request = on_request,
    .on_gone = on_gone,
    .on_refused = on_refused,
    .on_taken = on_taken,
};

static const struct sotto_h2_server_limits limits = {
    .http = {.head_bytes = 4096, .body_bytes = 1 << 20},
    .head_ms = 10000,
    .body_window_ms = 10000,
    .body_window_bytes = 1000,
    .keep_alive_ms = 75000,
    .send_ms = 60000,
    .out_bytes = 1 << 20,
};

static void end(void)
{
    sotto_h2_server_free(h2);
    h2 = NULL;
    peer_free(&peer);
    sotto_buf_free(&in);
    sotto_buf_free(&out);
    sotto_buf_free(&room.seen);
}

/* What there is to be sent goes to the peer. */
static void pump(void)
{
    do {
        sotto_buf_truncate(&out, 0);
        IS_INT(sotto_h2_server_send(h2, &out, now_us), SOTTO_OK, "what there is goes out");
        peer_read(&peer, sotto_buf_span(&out));
    } while (out.len != 0);
}

/* Feeds what is in `in`, in pieces of `step` bytes. */
static enum sotto_err feed_by(size_t step)
{
    enum sotto_err err = SOTTO_OK;
    for (size_t at = 0; at < in.len && err == SOTTO_OK; at += step) {
        size_t to = in.len - at < step ? in.len : at + step;
        err = sotto_h2_server_feed(h2, sotto_span_sub(sotto_buf_span(&in), at, to), now_us);
    }
    sotto_buf_truncate(&in, 0);
    pump();
    return err;
}

static enum sotto_err feed(void)
{
    return feed_by(SIZE_MAX / 2);
}

/* A connection whose settings are agreed on. */
static void begin(void)
{
    memset(&room, 0, sizeof(room));
    sotto_buf_init(&room.seen, SOTTO_BUF_UNBOUNDED);
    sotto_buf_init(&in, SOTTO_BUF_UNBOUNDED);
    sotto_buf_init(&out, SOTTO_BUF_UNBOUNDED);
    peer = peer_new();
    now_us = SECOND_US;
    peer_must(sotto_h2_server_new(&limits, &handler, &room, now_us, &h2) == SOTTO_OK);
    peer_must(sotto_buf_append(&in, SOTTO_LIT(PEER_MAGIC)) == SOTTO_OK);
    peer_settings(&in, 0, 0);
    peer_frame(&in, PEER_SETTINGS, 1, 0, SOTTO_LIT(""));
    IS_INT(feed(), SOTTO_OK, "a connection begins");
}

static bool seen(const char *text)
{
    return sotto_span_eq(sotto_buf_span(&room.seen), sotto_span_str(text));
}

static void test_requests(void)
{
    CASE("requests and answers");
    begin();
    OK(peer.settings_acks == 1 && peer.frames[PEER_SETTINGS] == 2, "settings go both ways");
    room.at_once = true;
    peer_head(&in, 1, GET "authorization: Bearer k\n", true);
    IS_INT(feed(), SOTTO_OK, "a request");
    OK(seen("GET /x\r\nhost: a.example\r\nauthorization: Bearer k\r\n\r\n|"),
       "comes as HTTP/1.1 would bring it");
    OK(peer_has(&peer, ":status: 200\nx-a: b\ncontent-length: 5\n"), "the answer has its head");
    OK(peer.never_indexed, "what is not known to be harmless is never indexed");
    IS_TEXT(peer.data.base, peer.data.len, "hello", "and its body");
    IS_INT(peer.ends, 1, "and ends the stream");
    OK(sotto_h2_server_is_quiet(h2), "nothing is left");
    end();

    begin();
    peer_head(&in, 1, POST "content-length: 5\n", false);
    peer_data(&in, 1, "he", false);
    peer_data(&in, 1, "llo", true);
    IS_INT(feed(), SOTTO_OK, "a body in pieces");
    OK(seen("POST /x\r\nhost: a.example\r\ncontent-length: 5\r\n\r\nhello|"), "comes whole");
    OK(sotto_h2_stream_begin(room.last, 200, SOTTO_LIT("Content-Type: text/event-stream\r\n")),
       "a stream is begun");
    pump();
    OK(peer_has(&peer, "content-type: text/event-stream\n") && peer.data.len == 0,
       "its head goes out alone");
    OK(sotto_h2_stream_write(room.last, SOTTO_LIT("data: a\n\n"), false), "a piece");
    pump();
    IS_TEXT(peer.data.base, peer.data.len, "data: a\n\n", "goes out at once");
    OK(sotto_h2_stream_write(room.last, SOTTO_LIT(""), true), "the end");
    pump();
    OK(peer.ends == 1 && room.gone == 0 && sotto_h2_server_is_quiet(h2), "ends it");
    end();

    begin();
    room.at_once = true;
    peer_head(&in, 1, ":method: HEAD\n:scheme: https\n:path: /x\n:authority: a\n", true);
    peer_head(&in, 3, POST, false);
    peer_data(&in, 3, "ab", false);
    peer_head(&in, 3, "x-trailer: 1\n", true);
    IS_INT(feed(), SOTTO_OK, "HEAD, and a body with trailers");
    OK(seen("HEAD /x\r\nhost: a\r\n\r\n|POST /x\r\nhost: a.example\r\n\r\nab|"),
       "trailers are dropped");
    IS_TEXT(peer.data.base, peer.data.len, "hello", "an answer to HEAD has no body");
    IS_INT(peer.ends, 2, "and both end");
    end();

    begin();
    peer_head(&in, 1, POST "expect: 100-continue\ncontent-length: 2\n", false);
    IS_INT(feed(), SOTTO_OK, "a client that waits");
    OK(peer_has(&peer, ":status: 100\n") && peer.ends == 0, "is told to go on");
    end();
}

/* Everything in `lines` at every split: the same outcome as whole. */
static void test_splits(void)
{
    CASE("every split");
    for (size_t step = 1; step < 60; step++) {
        begin();
        struct sotto_buf block;
        sotto_buf_init(&block, SOTTO_BUF_UNBOUNDED);
        peer_block(&block, POST "content-type: application/json\n");
        sotto_span b = sotto_buf_span(&block);
        peer_frame(&in, PEER_HEADERS, 0, 1, sotto_span_sub(b, 0, step < b.len ? step : b.len));
        peer_frame(&in, PEER_CONTINUATION, 4, 1,
                   step < b.len ? sotto_span_skip(b, step) : (sotto_span){0});
        peer_data(&in, 1, "hello", true);
        IS_INT(feed_by(step), SOTTO_OK, "in pieces of %zu", step);
        OK(seen("POST /x\r\nhost: a.example\r\ncontent-type: application/json\r\n\r\nhello|"),
           "it is the same request");
        sotto_buf_free(&block);
        end();
    }
}

/* By us, or before us by an nghttp2 that follows RFC 9113 8.3.1 itself. */
static void test_user_information(void)
{
    CASE("a name of the host with user information");
    begin();
    peer_head(&in, 1, ":method: GET\n:scheme: https\n:path: /x\n:authority: u@a\n", true);
    IS_INT(feed(), SOTTO_OK, "the connection stays");
    OK(room.requests == 0 && (room.status == 400 || peer.rst_stream == 1), "it is refused");
    end();
}

static void test_refusals(void)
{
    static const struct {
        const char *what, *lines;
        int status;
    } refused[] = {
        {"another Host", GET "host: b.example\n", 400},
        {"another scheme", ":method: GET\n:scheme: ftp\n:path: /x\n:authority: a\n", 400},
        {"CONNECT", ":method: CONNECT\n:authority: a:1\n", 400},
        {"a body that is too large", POST "content-length: 1048577\n", 413},
        {"a compressed body", POST "content-encoding: gzip\n", 415},
        {"another expectation", POST "expect: x\n", 417},
    };
    CASE("what the server answers itself");
    for (size_t i = 0; i < SOTTO_COUNT(refused); i++) {
        begin();
        peer_head(&in, 1, refused[i].lines, refused[i].status == 400);
        IS_INT(feed(), SOTTO_OK, "%s: the connection stays", refused[i].what);
        IS_INT(room.status, refused[i].status, "it is refused");
        OK(room.requests == 0 && peer.ends == 1 && peer.data.len != 0, "with an answer");
        OK(refused[i].status == 400 || (peer.rst == NGHTTP2_NO_ERROR && peer.rst_stream == 1),
           "and the rest of the request is not wanted");
        peer_data(&in, 1, "late", true);
        peer_head(&in, 3, GET, true);
        IS_INT(feed(), SOTTO_OK, "what still comes of it is dropped");
        IS_INT(room.requests, 1, "and the next request is served");
        end();
    }

    CASE("a head over its limits");
    begin();
    char line[4200];
    memset(line, 'a', sizeof(line));
    memcpy(line, GET "x: ", sizeof(GET "x: ") - 1);
    memcpy(line + sizeof(line) - 2, "\n", 2);
    peer_head(&in, 1, line, true);
    IS_INT(feed(), SOTTO_OK, "the connection stays");
    IS_INT(room.status, 431, "too many bytes are refused");
    struct sotto_buf many;
    sotto_buf_init(&many, SOTTO_BUF_UNBOUNDED);
    peer_must(sotto_buf_printf(&many, "%s", GET) == SOTTO_OK);
    for (int i = 0; i < 129; i++) {
        peer_must(sotto_buf_printf(&many, "x%d: \n", i) == SOTTO_OK);
    }
    peer_must(sotto_buf_push(&many, 0) == SOTTO_OK);
    peer_head(&in, 3, (const char *)many.base, true);
    IS_INT(feed(), SOTTO_OK, "the connection stays");
    OK(room.status == 431 && room.refused == 2, "and so are too many fields");
    sotto_buf_free(&many);
    end();
}

static void test_malformed(void)
{
    static const struct {
        const char *what, *lines;
    } malformed[] = {
        {"a name in upper case", GET "X-A: b\n"},
        {"Connection", GET "connection: close\n"},
        {"Transfer-Encoding", POST "transfer-encoding: chunked\n"},
        {"Keep-Alive", GET "keep-alive: 1\n"},
        {"Upgrade", GET "upgrade: h2c\n"},
        {"te: gzip", GET "te: gzip\n"},
        {"a pseudo field behind others",
         ":method: GET\n:scheme: https\nx: y\n:path: /x\n:authority: a\n"},
        {"two paths", ":method: GET\n:scheme: https\n:path: /x\n:path: /y\n:authority: a\n"},
        {"an unknown pseudo field", ":method: GET\n:scheme: https\n:path: /x\n:x: /y\n"},
        {"no method", ":scheme: https\n:path: /x\n:authority: a\n"},
        {"no Host", ":method: GET\n:scheme: https\n:path: /x\n"},
        {"no path", ":method: GET\n:scheme: https\n:authority: a\n"},
        {"a path that is none", ":method: GET\n:scheme: https\n:path: x\n:authority: a\n"},
        {"a line end in a value", GET "x: a\rb\n"},
        {"a name that is no token", GET "x y: a\n"},
        {"two lengths", POST "content-length: 1\ncontent-length: 1\n"},
        {"a length that is none", POST "content-length: +1\n"},
        {"more than the length", POST "content-length: 1\n"},
        {"less than the length", POST "content-length: 9\n"},
    };
    CASE("malformed requests");
    for (size_t i = 0; i < SOTTO_COUNT(malformed); i++) {
        begin();
        peer_head(&in, 1, malformed[i].lines, false);
        peer_data(&in, 1, "abc", true);
        IS_INT(feed(), SOTTO_OK, "%s", malformed[i].what);
        OK(room.requests == 0 && peer.rst == NGHTTP2_PROTOCOL_ERROR && peer.rst_stream == 1,
           "ends the stream");
        peer_head(&in, 3, GET "te: trailers\n", true);
        IS_INT(feed(), SOTTO_OK, "the next request");
        IS_INT(room.requests, 1, "is served");
        end();
    }
}

static void test_broken(void)
{
    CASE("what ends a connection");
    begin();
    peer_must(sotto_buf_append(&in, SOTTO_LIT("\0\0\0\1\4\0\0\0\2")) == SOTTO_OK);
    sotto_ignore(feed()); /* an even stream: refused now or with the next bytes */
    OK(peer.goaway == NGHTTP2_PROTOCOL_ERROR && sotto_h2_server_finished(h2), "an even stream");
    end();
    begin();
    peer_frame(&in, PEER_PUSH, 4, 1, SOTTO_LIT("\0\0\0\2"));
    sotto_ignore(feed());
    OK(peer.goaway == NGHTTP2_PROTOCOL_ERROR, "a push");
    end();
    begin();
    peer_number(&in, PEER_WINDOW, 0, 0x7fffffff);
    sotto_ignore(feed());
    OK(peer.goaway == NGHTTP2_FLOW_CONTROL_ERROR, "a window that overflows");
    end();
    begin();
    struct sotto_h2_server *plain;
    IS_INT(sotto_h2_server_new(&limits, &handler, &room, now_us, &plain), SOTTO_OK, "another");
    IS_INT(sotto_h2_server_feed(plain, SOTTO_LIT("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), now_us),
           SOTTO_EFORMAT, "HTTP/1.1 is no HTTP/2");
    IS_INT(sotto_h2_server_feed(plain, SOTTO_LIT(PEER_MAGIC), now_us), SOTTO_EFORMAT,
           "and it stays so");
    sotto_h2_server_free(plain);
    end();
}

static void test_resets(void)
{
    CASE("rapid reset");
    begin();
    int asked = 0;
    enum sotto_err err = SOTTO_OK;
    for (int i = 0; i < 1000 && err == SOTTO_OK; i++) {
        peer_head(&in, 2 * i + 1, GET, true);
        peer_number(&in, PEER_RST, 2 * i + 1, NGHTTP2_CANCEL);
        err = feed();
        asked++;
    }
    IS_INT(err, SOTTO_ELIMIT, "a client that resets what it asks for is sent away");
    IS_INT(asked, SOTTO_H2_RESETS + 1, "when its allowance is used up");
    OK(peer.goaway == NGHTTP2_ENHANCE_YOUR_CALM, "and told why");
    OK(room.gone == room.requests, "each exchange was told");
    end();
    begin();
    for (int i = 0; i < 1000; i++) {
        now_us += SECOND_US / 10;
        peer_head(&in, 2 * i + 1, GET, true);
        peer_number(&in, PEER_RST, 2 * i + 1, NGHTTP2_CANCEL);
        err = feed();
    }
    IS_INT(err, SOTTO_OK, "ten a second may go on for ever");
    end();

    CASE("made to reset");
    begin();
    err = SOTTO_OK;
    for (asked = 0; asked < 1000 && err == SOTTO_OK; asked++) {
        peer_head(&in, 2 * asked + 1, POST, false);
        peer_number(&in, PEER_WINDOW, 2 * asked + 1, 0x7fffffff); /* an error of the stream */
        err = feed();
    }
    IS_INT(err, SOTTO_ELIMIT, "resets that the client makes us send count too");
    end();
}

static void test_empty_frames(void)
{
    CASE("frames that bring nothing");
    static const struct {
        const char *what;
        int type, flags;
        int32_t stream;
        const char *body;
        size_t len;
    } floods[] = {
        {"PING", PEER_PING, 0, 0, "12345678", sizeof("12345678") - 1},
        {"SETTINGS", PEER_SETTINGS, 0, 0, "", sizeof("") - 1},
        {"PRIORITY", PEER_PRIORITY, 0, 1, "\0\0\0\0\x10", sizeof("\0\0\0\0\x10") - 1},
        {"WINDOW_UPDATE", PEER_WINDOW, 0, 0, "\0\0\0\1", sizeof("\0\0\0\1") - 1},
        {"DATA without data", PEER_DATA, 0, 1, "", sizeof("") - 1},
    };
    for (size_t i = 0; i < SOTTO_COUNT(floods); i++) {
        begin();
        peer_head(&in, 1, POST, false);
        enum sotto_err err = feed();
        int n = 0;
        for (; n < 10000 && err == SOTTO_OK; n++) {
            peer_frame(&in, floods[i].type, floods[i].flags, floods[i].stream,
                       sotto_span_init(floods[i].body, floods[i].len));
            err = feed();
        }
        OK(err == SOTTO_ELIMIT && n <= SOTTO_H2_IDLE_FRAMES, "%s: the allowance ends",
           floods[i].what);
        IS_INT((int)peer.goaway, NGHTTP2_ENHANCE_YOUR_CALM, "the client is told why");
        end();
    }

    CASE("answers that are not taken in");
    begin();
    for (int i = 0; i < 200; i++) {
        peer_frame(&in, PEER_PING, 0, 0, SOTTO_LIT("12345678"));
    }
    IS_INT(feed(), SOTTO_ELIMIT, "PINGs at once, before their answers could be sent");
    end();
}

static void test_swollen_heads(void)
{
    CASE("CONTINUATION");
    begin();
    peer_frame(&in, PEER_HEADERS, 1, 1, SOTTO_LIT(""));
    for (int i = 0; i < 9; i++) {
        peer_frame(&in, PEER_CONTINUATION, 0, 1, SOTTO_LIT(""));
    }
    IS_INT(feed(), SOTTO_ELIMIT, "more than eight of one head");
    end();

    CASE("a head that grows when it is unpacked");
    begin();
    struct sotto_buf block;
    sotto_buf_init(&block, SOTTO_BUF_UNBOUNDED);
    char line[3000];
    memset(line, 'a', sizeof(line));
    memcpy(line, "x: ", 3);
    memcpy(line + sizeof(line) - 2, "\n", 2);
    peer_block(&block, GET);
    for (int i = 0; i < 6; i++) {
        peer_block(&block, line);
    }
    for (size_t at = 0; at < block.len; at += 16000) {
        size_t to = block.len - at < 16000 ? block.len : at + 16000;
        peer_frame(&in, at == 0 ? PEER_HEADERS : PEER_CONTINUATION, to == block.len ? 4 : 0, 1,
                   sotto_span_sub(sotto_buf_span(&block), at, to));
    }
    IS_INT(feed(), SOTTO_ELIMIT, "four times its limit ends the connection");
    sotto_buf_free(&block);
    end();
}

static void test_streams(void)
{
    CASE("many streams");
    begin();
    for (int i = 0; i < SOTTO_H2_STREAMS_MAX; i++) {
        peer_head(&in, 2 * i + 1, GET, true);
    }
    IS_INT(feed(), SOTTO_OK, "as many as are allowed");
    IS_INT(room.requests, SOTTO_H2_STREAMS_MAX, "all run");
    peer_head(&in, 2 * SOTTO_H2_STREAMS_MAX + 1, GET, true);
    IS_INT(feed(), SOTTO_OK, "one more");
    OK(room.requests == SOTTO_H2_STREAMS_MAX &&
           (peer.goaway == NGHTTP2_PROTOCOL_ERROR || peer.rst == NGHTTP2_REFUSED_STREAM),
       "is not taken");
    end();

    CASE("a client that goes");
    begin();
    peer_head(&in, 1, GET, true);
    IS_INT(feed(), SOTTO_OK, "a request");
    OK(sotto_h2_stream_begin(room.last, 200, SOTTO_LIT("")) &&
           sotto_h2_stream_write(room.last, SOTTO_LIT("a"), false),
       "whose answer runs");
    peer_number(&in, PEER_RST, 1, NGHTTP2_CANCEL);
    IS_INT(feed(), SOTTO_OK, "is taken back");
    OK(room.gone == 1 && sotto_h2_server_is_quiet(h2), "and nothing is left of it");
    end();

    CASE("an answer that breaks off");
    begin();
    peer_head(&in, 1, GET, true);
    IS_INT(feed(), SOTTO_OK, "a request");
    OK(sotto_h2_stream_begin(room.last, 200, SOTTO_LIT("")) &&
           sotto_h2_stream_write(room.last, SOTTO_LIT("abc"), false),
       "an answer");
    sotto_h2_stream_abort(room.last);
    pump();
    IS_TEXT(peer.data.base, peer.data.len, "abc", "what was written reaches the client");
    OK(peer.ends == 0 && peer.rst == NGHTTP2_INTERNAL_ERROR && room.gone == 0,
       "and then the stream ends with an error");
    peer_head(&in, 3, GET, true);
    IS_INT(feed(), SOTTO_OK, "another request");
    sotto_h2_stream_abort(room.last);
    pump();
    OK(peer.rst_stream == 3, "before its head too");
    end();
}

static void test_windows(void)
{
    CASE("windows");
    begin();
    peer_settings(&in, NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 10);
    peer_head(&in, 1, GET, true);
    IS_INT(feed(), SOTTO_OK, "a client with a tiny window");
    OK(sotto_h2_stream_begin(room.last, 200, SOTTO_LIT("")) &&
           sotto_h2_stream_write(room.last, SOTTO_LIT("0123456789abcdef"), false),
       "gets an answer");
    pump();
    IS_TEXT(peer.data.base, peer.data.len, "0123456789", "as far as its window goes");
    IS_SIZE(sotto_h2_stream_waiting(room.last), 6, "the rest waits");
    peer_number(&in, PEER_WINDOW, 1, 4);
    IS_INT(feed(), SOTTO_OK, "it goes on");
    IS_TEXT(peer.data.base, peer.data.len, "0123456789abcd", "as it is allowed");
    OK(room.taken == 2, "each time the writer is told");
    now_us += 61 * SECOND_US;
    IS_INT(sotto_h2_server_tick(h2, now_us), SOTTO_OK, "a client that then takes nothing");
    pump();
    OK(room.gone == 1 && peer.rst == NGHTTP2_CANCEL, "loses its stream");
    end();

    begin();
    peer_head(&in, 1, GET, true);
    IS_INT(feed(), SOTTO_OK, "a request");
    struct sotto_buf big;
    uint8_t *bytes;
    sotto_buf_init(&big, SOTTO_BUF_UNBOUNDED);
    peer_must(sotto_buf_extend(&big, 1 << 20, &bytes) == SOTTO_OK);
    memset(bytes, 'x', 1 << 20);
    OK(sotto_h2_stream_begin(room.last, 200, SOTTO_LIT("")) &&
           sotto_h2_stream_write(room.last, sotto_buf_span(&big), false),
       "an answer as large as may wait");
    OK(!sotto_h2_stream_write(room.last, SOTTO_LIT("y"), false), "more is refused");
    sotto_buf_truncate(&out, 0);
    IS_INT(sotto_h2_server_send(h2, &out, now_us), SOTTO_OK, "one round of sending");
    OK(out.len <= SOTTO_H2_SEND_BYTES + 32768, "makes ready no more than fits");
    peer_read(&peer, sotto_buf_span(&out));
    pump();
    IS_SIZE(peer.data.len, 65535, "the window bounds what goes out");
    sotto_buf_free(&big);
    end();

    CASE("uploads");
    begin();
    static char piece[16001];
    memset(piece, 'u', sizeof(piece) - 1);
    peer_head(&in, 1, POST, false);
    for (int i = 0; i < 60; i++) {
        peer_data(&in, 1, piece, false);
        IS_INT(feed(), SOTTO_OK, "a body of many windows");
    }
    OK(peer.frames[PEER_WINDOW] > 4, "its sender may always go on");
    peer_data(&in, 1, "", true);
    IS_INT(feed(), SOTTO_OK, "it ends");
    OK(room.requests == 1 && room.seen.len > 960000, "and comes whole");
    end();
    begin();
    peer_head(&in, 1, POST, false);
    for (int i = 0; i < 70; i++) {
        peer_data(&in, 1, piece, false);
        IS_INT(feed(), SOTTO_OK, "a body without a length");
    }
    IS_INT(room.status, 413, "over the limit is refused");
    end();
}

static void test_time(void)
{
    CASE("time limits");
    begin();
    peer_head(&in, 1, POST, false);
    peer_data(&in, 1, "abc", false);
    IS_INT(feed(), SOTTO_OK, "a body that does not come");
    now_us += 11 * SECOND_US;
    IS_INT(sotto_h2_server_tick(h2, now_us), SOTTO_OK, "after its time");
    pump();
    OK(room.status == 408 && peer_has(&peer, ":status: 408\n"), "is refused");
    now_us += 74 * SECOND_US;
    IS_INT(sotto_h2_server_tick(h2, now_us), SOTTO_OK, "an idle connection stays");
    now_us += 2 * SECOND_US;
    IS_INT(sotto_h2_server_tick(h2, now_us), SOTTO_ETIMEOUT, "as long as is allowed");
    pump();
    IS_INT((int)peer.goaway, NGHTTP2_NO_ERROR, "and is ended in good order");
    end();

    begin();
    peer_frame(&in, PEER_HEADERS, 1, 1, SOTTO_LIT(""));
    IS_INT(feed(), SOTTO_OK, "a head that does not end");
    now_us += 11 * SECOND_US;
    IS_INT(sotto_h2_server_tick(h2, now_us), SOTTO_ETIMEOUT, "ends the connection");
    end();

    struct sotto_h2_server *silent;
    begin();
    IS_INT(sotto_h2_server_new(&limits, &handler, &room, now_us, &silent), SOTTO_OK, "a client");
    IS_INT(sotto_h2_server_tick(silent, now_us + 9 * SECOND_US), SOTTO_OK, "may take its time");
    IS_INT(sotto_h2_server_tick(silent, now_us + 11 * SECOND_US), SOTTO_ETIMEOUT,
           "to answer our settings, but not for ever");
    sotto_h2_server_free(silent);
    end();
}

static void test_drain(void)
{
    CASE("drain");
    begin();
    peer_head(&in, 1, GET, true);
    IS_INT(feed(), SOTTO_OK, "a request runs");
    struct sotto_h2_stream *first = room.last;
    sotto_h2_server_drain(h2);
    pump();
    OK(peer.goaway == NGHTTP2_NO_ERROR && peer.frames[PEER_PING] == 1, "the client is told");
    peer_head(&in, 3, GET, true);
    IS_INT(feed(), SOTTO_OK, "what it had begun before it read that");
    IS_INT(room.requests, 2, "is served");
    peer_frame(&in, PEER_PING, 1, 0, SOTTO_LIT("\0\0\0\0\0\0\0\0"));
    IS_INT(feed(), SOTTO_OK, "it has read it");
    IS_INT(peer.frames[PEER_GOAWAY], 2, "now the last stream is known");
    OK(!sotto_h2_server_finished(h2), "streams still run");
    sotto_h2_stream_reply(first, 200, SOTTO_LIT(""), SOTTO_LIT("a"));
    sotto_h2_stream_reply(room.last, 200, SOTTO_LIT(""), SOTTO_LIT("b"));
    pump();
    OK(peer.ends == 2 && sotto_h2_server_finished(h2), "when they have ended it is over");
    end();
}

/* Each allocation fails once: the connection ends or the stream does, and nothing leaks. */
static void test_memory(void)
{
    CASE("no memory");
    bool answered = false;
    for (size_t n = 1; n < 400 && !answered; n++) {
        begin();
        struct sotto_h2_server *other;
        sotto_alloc_set_fault(0);
        sotto_alloc_set_fault(n);
        enum sotto_err err = sotto_h2_server_new(&limits, &handler, &room, now_us, &other);
        if (err == SOTTO_OK) {
            static const char head[] = "\0\0\x0f\1\5\0\0\0\1\x82\x87\x84\x41\x0b"
                                       "a.example/x";
            struct sotto_buf got;
            sotto_buf_init(&got, SOTTO_BUF_UNBOUNDED);
            room.at_once = true;
            err = sotto_h2_server_feed(other, SOTTO_LIT(PEER_MAGIC "\0\0\0\4\0\0\0\0\0"), now_us);
            if (err == SOTTO_OK) {
                err = sotto_h2_server_feed(other, sotto_span_init(head, 9 + 15), now_us);
            }
            bool sent = sotto_h2_server_send(other, &got, now_us) == SOTTO_OK;
            answered = err == SOTTO_OK && sent && sotto_alloc_set_fault(0) < n;
            sotto_alloc_set_fault(0);
            sotto_buf_free(&got);
            sotto_h2_server_free(other);
        }
        sotto_alloc_set_fault(0);
        OK(err == SOTTO_OK || err == SOTTO_ENOMEM, "allocation %zu", n);
        end();
    }
    OK(answered, "all were tried");
}

int main(void)
{
    test_requests();
    test_splits();
    test_user_information();
    test_refusals();
    test_malformed();
    test_broken();
    test_resets();
    test_empty_frames();
    test_swollen_heads();
    test_streams();
    test_windows();
    test_time();
    test_drain();
    test_memory();
    return done_testing();
}
