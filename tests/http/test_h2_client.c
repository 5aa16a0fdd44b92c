/* SPDX-License-Identifier: Apache-2.0 */

#include "http/h2_client.h"

#include "base/alloc.h"
#include "http/h2.h"
#include "http/h2_client_rig.h"
#include "http/head.h"
#include "tap/tap.h"

static void test_requests(void)
{
    CASE("requests");
    begin();
    ask(0, GET);
    OK(sotto_span_eq(sotto_buf_span(&peer.fields), SOTTO_LIT(":method: GET\n:scheme: https\n"
                                                             ":authority: a.example\n"
                                                             ":path: /v1/x\n")),
       "the fields of the connection stay here");
    IS_INT(peer.ends, 1, "without a body");
    ask(1, POST);
    OK(peer_has(&peer, ":authority: a.example:8443\n:path: /v1/y?z\n"), "authority and path");
    OK(peer_has(&peer, "authorization: Bearer k\n") && peer.never_indexed,
       "a credential is never to be indexed");
    OK(peer_has(&peer, "content-length: 5\n") && peer.ends == 2, "length and end");
    IS_TEXT(peer.data.base, peer.data.len, "hello", "the body");
    OK(sotto_h2_request_sent(got[1].request) && sotto_h2_request_progress(got[1].request) == 5,
       "is sent");
    static const char *const bad[] = {
        "",
        "GET /x HTTP/1.1\r\n",
        "GET /x HTTP/1.0\r\nHost: a\r\n\r\n",
        "GET  HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /x HTTP/1.1\r\n\r\n",
        "GET /x HTTP/1.1\r\nHost:\r\n\r\n",
        "GET /x HTTP/1.1\r\nHost: a\r\nb\r\n\r\n",
        "POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    };
    for (size_t i = 0; i < SOTTO_COUNT(bad); i++) {
        struct sotto_h2_request *r = NULL;
        IS_INT(sotto_h2_request_new(h2, sotto_span_str(bad[i]), &got[2], &r), SOTTO_EINVAL,
               "no request: case %zu", i);
        OK(r == NULL, "nothing is made of it");
    }
    end();
}

static void test_answers(void)
{
    CASE("answers, however they are cut");
    for (size_t step = 1; step < 400; step += step < 40 ? 1 : 359) {
        begin();
        ask(0, GET);
        ask(1, POST);
        peer_head(&in, 3, ":status: 103\nlink: x\n", false);
        peer_head(&in, 3, ":status: 201\nx: y\ncontent-length: 5\n", false);
        peer_data(&in, 3, "he", false);
        peer_head(&in, 1, FINE, false);
        peer_data(&in, 1, "abc", false);
        peer_data(&in, 3, "llo", true);
        peer_data(&in, 1, "d", false);
        peer_head(&in, 1, "x-trailer: dropped\n", true);
        IS_INT(feed_by(step, true), SOTTO_OK, "step %zu", step);
        OK(has(0, "200\r\ncontent-type: text/plain\r\n\r\n|abcd"), "one");
        OK(has(1, "201\r\nx: y\r\ncontent-length: 5\r\n\r\n|hello"), "and the other");
        OK(got[0].dones == 1 && got[1].dones == 1, "both complete");
        IS_INT(sotto_h2_request_status(got[1].request), 201, "the status");
        end();
    }
    begin();
    ask(0, "HEAD /x HTTP/1.1\r\nHost: a\r\n\r\n");
    peer_head(&in, 1, ":status: 200\ncontent-length: 7\n", true);
    IS_INT(feed(), SOTTO_OK, "HEAD");
    OK(got[0].dones == 1 && got[0].err == SOTTO_OK, "has no body");
    end();

    CASE("an answer before the request is sent");
    begin();
    static char large[200000];
    int n = snprintf(large, sizeof(large),
                     "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n", 150000);
    memset(large + n, 'x', 150000);
    ask(0, large);
    OK(!sotto_h2_request_sent(got[0].request), "the window holds it back");
    IS_SIZE(sotto_h2_request_progress(got[0].request), 65535, "at 64 KiB");
    peer_head(&in, 1, ":status: 413\n", true);
    IS_INT(feed(), SOTTO_OK, "it is refused");
    IS_INT(got[0].dones, 1, "which is an answer");
    sotto_h2_request_free(got[0].request);
    got[0].request = NULL;
    pump();
    OK(peer.rst == NGHTTP2_NO_ERROR && peer.rst_stream == 1, "the rest is not sent");
    ask(1, large);
    peer_number(&in, PEER_WINDOW, 0, 1 << 20);
    peer_number(&in, PEER_WINDOW, 3, 1 << 20);
    IS_INT(feed(), SOTTO_OK, "with windows");
    OK(sotto_h2_request_sent(got[1].request), "all of it goes");
    end();
}

static void test_windows(void)
{
    CASE("back-pressure");
    static char piece[16001];
    memset(piece, 'x', sizeof(piece) - 1);
    begin();
    ask(0, GET);
    ask(1, GET);
    peer_head(&in, 1, FINE, false);
    IS_INT(feed_by(SIZE_MAX / 2, false), SOTTO_OK, "a head");
    int before = peer.frames[PEER_WINDOW];
    for (int i = 0; i < 16; i++) {
        peer_data(&in, 1, piece, false);
    }
    IS_INT(feed_by(SIZE_MAX / 2, false), SOTTO_OK, "256,000 bytes that nobody takes");
    IS_INT(peer.frames[PEER_WINDOW], before, "open no window");
    take(&got[0]);
    pump();
    IS_INT(peer.frames[PEER_WINDOW], before + 1, "until they are taken");
    IS_SIZE(got[0].text.len, strlen("200\r\ncontent-type: text/plain\r\n\r\n|") + 256000, "all");
    for (int i = 0; i < 18; i++) { /* 288,000 bytes: over 256 KiB */
        peer_data(&in, 1, piece, false);
    }
    sotto_ignore(feed_by(SIZE_MAX / 2, false));
    peer_head(&in, 3, FINE, true);
    sotto_ignore(feed());
    OK(got[0].err == SOTTO_EFORMAT, "more than the window is against the rules");
    end();

    begin();
    ask(0, GET);
    ask(1, GET);
    peer_head(&in, 1, FINE, false);
    peer_head(&in, 3, FINE, false);
    before = peer.frames[PEER_WINDOW];
    for (int round = 0; round < 400; round++) { /* 6.4 MB through the connection's 4 MiB */
        peer_data(&in, 3, piece, false);
        IS_INT(feed_by(SIZE_MAX / 2, false), SOTTO_OK, "one that is taken");
        take(&got[1]);
        sotto_buf_truncate(&got[1].text, 0);
        if (round < 16) {
            peer_data(&in, 1, piece, false);
        }
    }
    OK(peer.frames[PEER_WINDOW] > before + 40, "flows beside one that is not");
    IS_INT(got[1].err, SOTTO_OK, "without an error");
    end();
}

static void test_limits(void)
{
    CASE("how many requests");
    begin();
    IS_SIZE(sotto_h2_client_room(h2), SOTTO_H2_STREAMS_MAX, "our own limit where there is none");
    peer_settings(&in, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 2);
    IS_INT(feed(), SOTTO_OK, "the upstream takes two");
    ask(0, GET);
    ask(1, GET);
    struct sotto_h2_request *more = NULL;
    OK(sotto_h2_client_room(h2) == 0 && sotto_h2_client_streams(h2) == 2, "two there are");
    IS_INT(sotto_h2_request_new(h2, SOTTO_LIT(GET), &got[2], &more), SOTTO_ESTATE, "a third waits");
    sotto_h2_request_free(got[0].request);
    got[0].request = NULL;
    pump();
    OK(peer.rst == NGHTTP2_CANCEL && peer.rst_stream == 1, "one is let go of");
    IS_SIZE(sotto_h2_client_room(h2), 1, "which makes room");
    ask(2, GET);
    peer_head(&in, 1, FINE, false); /* it had not heard of it yet */
    peer_data(&in, 1, "late", true);
    peer_head(&in, 5, FINE, true);
    IS_INT(feed(), SOTTO_OK, "what comes late");
    OK(got[2].dones == 1 && got[1].dones == 0, "does no harm");
    peer_settings(&in, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 0);
    IS_INT(feed(), SOTTO_OK, "none at all");
    OK(sotto_h2_client_room(h2) == 0 && sotto_h2_client_streams(h2) == 1, "is room for none");
    end();
}

static void test_refused(void)
{
    CASE("what the upstream did not begin");
    begin();
    ask(0, GET);
    ask(1, GET);
    ask(2, GET);
    peer_number(&in, PEER_RST, 1, NGHTTP2_REFUSED_STREAM);
    peer_frame(&in, PEER_GOAWAY, 0, 0, SOTTO_LIT("\0\0\0\3\0\0\0\0"));
    IS_INT(feed(), SOTTO_OK, "REFUSED_STREAM and GOAWAY");
    OK(got[0].err == SOTTO_EUPSTREAM && got[2].err == SOTTO_EUPSTREAM, "may be sent again");
    OK(got[1].err == SOTTO_OK && sotto_h2_client_is_ending(h2), "the one before it goes on");
    IS_SIZE(sotto_h2_client_room(h2), 0, "no more are begun");
    peer_head(&in, 3, FINE, true);
    IS_INT(feed(), SOTTO_OK, "its answer");
    IS_INT(got[1].dones, 1, "is complete");
    end();

    begin();
    ask(0, GET);
    ask(1, GET);
    ask(2, GET);
    peer_head(&in, 1, FINE, false);
    peer_data(&in, 1, "part", false);
    peer_number(&in, PEER_RST, 1, NGHTTP2_REFUSED_STREAM);
    peer_number(&in, PEER_RST, 3, NGHTTP2_INTERNAL_ERROR);
    IS_INT(feed(), SOTTO_OK, "resets");
    OK(got[0].err == SOTTO_ECLOSED && got[0].heads == 1, "an answer that began was begun");
    OK(got[1].err == SOTTO_ECLOSED && got[1].heads == 0, "and others are lost");
    OK(sotto_h2_request_idle(got[1].request) && !sotto_h2_request_idle(got[0].request), "so far");
    sotto_h2_client_end(h2, SOTTO_ETIMEOUT);
    take(&got[2]);
    IS_INT(got[2].err, SOTTO_ETIMEOUT, "as are all when the connection ends");
    end();

    CASE("what came outlives its connection");
    begin();
    ask(0, GET);
    ask(1, GET);
    peer_head(&in, 1, FINE, false);
    peer_data(&in, 1, "all", true);
    peer_head(&in, 3, FINE, false);
    peer_data(&in, 3, "some", false);
    IS_INT(feed_by(SIZE_MAX / 2, false), SOTTO_OK, "nobody takes it yet");
    sotto_h2_client_free(h2);
    h2 = NULL;
    take(&got[0]);
    take(&got[1]);
    OK(got[0].dones == 1 && has(0, "200\r\ncontent-type: text/plain\r\n\r\n|all"), "whole");
    OK(got[1].err == SOTTO_ECLOSED && has(1, "200\r\ncontent-type: text/plain\r\n\r\n|some"),
       "or as far as it came");
    end();
}

static void test_malformed(void)
{
    static const struct {
        const char *what, *lines;
        enum sotto_err err;
    } cases[] = {
        {"a name in upper case", ":status: 200\nX-A: b\n", SOTTO_EFORMAT},
        {"Connection", ":status: 200\nconnection: close\n", SOTTO_EFORMAT},
        {"Transfer-Encoding", ":status: 200\ntransfer-encoding: chunked\n", SOTTO_EFORMAT},
        {"no status", "x: y\n", SOTTO_EFORMAT},
        {"two", ":status: 200\n:status: 200\n", SOTTO_EFORMAT},
        {"a status that is none", ":status: 2x0\n", SOTTO_EFORMAT},
        {"101", ":status: 101\n", SOTTO_EFORMAT},
        {"099", ":status: 099\n", SOTTO_EFORMAT},
        {"a path", ":status: 200\n:path: /\n", SOTTO_EFORMAT},
        {"a status behind others", "x: y\n:status: 200\n", SOTTO_EFORMAT},
        {"a line end in a value", ":status: 200\nx: a\rb\n", SOTTO_EFORMAT},
        {"a name that is no token", ":status: 200\nx y: a\n", SOTTO_EFORMAT},
        {"two lengths", ":status: 200\ncontent-length: 3\ncontent-length: 3\n", SOTTO_EFORMAT},
        {"more than the length", ":status: 200\ncontent-length: 1\n", SOTTO_EFORMAT},
        {"less than the length", ":status: 200\ncontent-length: 9\n", SOTTO_EFORMAT},
        {"a body where there is none", ":status: 204\n", SOTTO_EFORMAT},
    };
    CASE("malformed answers");
    for (size_t i = 0; i < SOTTO_COUNT(cases); i++) {
        begin();
        ask(0, GET);
        ask(1, GET);
        peer_head(&in, 1, cases[i].lines, false);
        peer_data(&in, 1, "abc", true);
        IS_INT(feed(), SOTTO_OK, "%s", cases[i].what);
        IS_INT(got[0].err, cases[i].err, "fails");
        OK(got[0].dones == 0 && peer.rst_stream == 1, "ends the request alone");
        peer_head(&in, 3, FINE, true);
        IS_INT(feed(), SOTTO_OK, "the next answer");
        IS_INT(got[1].dones, 1, "comes");
        end();
    }
}

static void test_head_limits(void)
{
    CASE("heads over their limits");
    struct sotto_buf many;
    sotto_buf_init(&many, SOTTO_BUF_UNBOUNDED);
    for (int kind = 0; kind < 3; kind++) {
        begin();
        ask(0, GET);
        ask(1, GET);
        sotto_buf_truncate(&many, 0);
        peer_must(sotto_buf_printf(&many, ":status: 200\n") == SOTTO_OK);
        for (int i = 0; i < (kind == 0 ? 129 : kind == 1 ? 5 : 60); i++) {
            peer_must(sotto_buf_printf(&many, "x%d: %0*d\n", i, kind == 0 ? 1 : 990, 0) ==
                      SOTTO_OK);
        }
        peer_must(sotto_buf_push(&many, 0) == SOTTO_OK);
        if (kind < 2) {
            peer_head(&in, 1, (const char *)many.base, true);
        } else { /* 60 KB in four frames */
            struct sotto_buf block;
            sotto_buf_init(&block, SOTTO_BUF_UNBOUNDED);
            peer_block(&block, (const char *)many.base);
            for (size_t at = 0; at < block.len; at += 16000) {
                size_t to = block.len - at < 16000 ? block.len : at + 16000;
                peer_frame(&in, at == 0 ? PEER_HEADERS : PEER_CONTINUATION,
                           (at == 0 ? 1 : 0) | (to == block.len ? 4 : 0), 1,
                           sotto_span_sub(sotto_buf_span(&block), at, to));
            }
            sotto_buf_free(&block);
        }
        IS_INT(feed(), SOTTO_OK, "the connection stays");
        IS_INT(got[0].err, SOTTO_ELIMIT, "the request ends");
        peer_head(&in, 3, FINE, true);
        IS_INT(feed(), SOTTO_OK, "the next answer");
        IS_INT(got[1].dones, 1, "comes");
        end();
    }
    sotto_buf_free(&many);
    begin();
    ask(0, GET);
    for (int i = 0; i <= SOTTO_H2_INTERIM_MAX; i++) {
        peer_head(&in, 1, ":status: 100\n", false);
    }
    IS_INT(feed(), SOTTO_OK, "interim answers without end");
    IS_INT(got[0].err, SOTTO_EFORMAT, "are none");
    end();
}

/* A connection that ends: what its requests get. */
static void test_ends(void)
{
    CASE("a server of HTTP/1.1");
    memset(got, 0, sizeof(got));
    peer_must(sotto_h2_client_new(4096, now_us, &h2) == SOTTO_OK);
    sotto_buf_init(&out, SOTTO_BUF_UNBOUNDED);
    sotto_ignore(sotto_h2_client_feed(h2, SOTTO_LIT("HTTP/1.1 400 Bad\r\n\r\n"), now_us));
    IS_INT(sotto_h2_client_send(h2, &out), SOTTO_EFORMAT, "is not one of HTTP/2");
    IS_INT(sotto_h2_client_feed(h2, SOTTO_LIT("x"), now_us), SOTTO_EFORMAT, "and stays so");
    sotto_buf_free(&out);
    sotto_h2_client_free(h2);

    CASE("signs of life, and goodbye");
    begin();
    IS_INT(sotto_h2_client_ping(h2), SOTTO_OK, "PING");
    pump();
    IS_INT(peer.frames[PEER_PING], 1, "goes");
    sotto_h2_client_leave(h2);
    pump();
    IS_INT(peer.goaway, NGHTTP2_NO_ERROR, "goodbye");
    OK(sotto_h2_client_is_ending(h2), "no more requests");
    end();
}

/* Everything once, with the n-th allocation failing.  True: nothing failed any more. */
static bool with_fault(size_t n)
{
    struct sotto_h2_request *r = NULL;
    memset(got, 0, sizeof(got));
    sotto_buf_init(&in, SOTTO_BUF_UNBOUNDED);
    sotto_buf_init(&out, SOTTO_BUF_UNBOUNDED);
    peer_settings(&in, 0, 0);
    peer_head(&in, 1, FINE, false);
    peer_data(&in, 1, "hello", true);
    sotto_buf_init(&got[0].text, SOTTO_BUF_UNBOUNDED);
    peer_must(sotto_buf_reserve(&got[0].text, 4096) == SOTTO_OK &&
              sotto_buf_reserve(&out, 4096) == SOTTO_OK);
    sotto_alloc_set_fault(n);
    enum sotto_err err = sotto_h2_client_new(4096, now_us, &h2);
    bool made = err == SOTTO_OK;
    if (made) {
        err = sotto_h2_request_new(h2, SOTTO_LIT(POST), &got[0], &r);
        OK((err == SOTTO_OK) == (r != NULL), "a request is made or not");
        err = err == SOTTO_OK ? sotto_h2_client_send(h2, &out) : err;
        err = err == SOTTO_OK ? sotto_h2_client_feed(h2, sotto_buf_span(&in), now_us) : err;
    }
    got[0].request = r;
    if (r != NULL) {
        take(&got[0]);
    }
    bool worked = sotto_alloc_set_fault(0) < n;
    OK(err == SOTTO_OK || err == SOTTO_ENOMEM, "fault %zu: %s", n, sotto_err_text(err));
    OK(!worked || (got[0].dones == 1 && got[0].err == SOTTO_OK), "without one it works");
    sotto_h2_request_free(r);
    if (made) {
        sotto_h2_client_free(h2);
    }
    sotto_buf_free(&got[0].text);
    sotto_buf_free(&in);
    sotto_buf_free(&out);
    return worked;
}

static void test_memory(void)
{
    CASE("no memory");
    bool worked = false;
    for (size_t n = 1; n < 200 && !worked; n++) {
        worked = with_fault(n);
    }
    OK(worked, "all allocations were tried");
    sotto_h2_client_free(NULL);
    sotto_h2_request_free(NULL);
}

int main(void)
{
    test_requests();
    test_answers();
    test_windows();
    test_limits();
    test_refused();
    test_malformed();
    test_head_limits();
    test_ends();
    test_memory();
    return done_testing();
}
