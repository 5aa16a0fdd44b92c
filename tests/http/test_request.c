/* SPDX-License-Identifier: Apache-2.0 */

#include "http/request.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "http/head.h"
#include "tap/tap.h"

static const struct sotto_http_limits small = {.head_bytes = 1024, .body_bytes = 64};

/* Everything that a connection's bytes came to, as text, so that two ways can be compared. */
struct outcome {
    struct sotto_buf text;
    int status;
};

static void note(struct outcome *o, struct sotto_http_request *r)
{
    sotto_span head = sotto_http_request_head(r), body = sotto_http_request_body(r);
    sotto_ignore(sotto_buf_append(&o->text, head));
    sotto_ignore(sotto_buf_append(&o->text, body));
    sotto_ignore(sotto_buf_printf(&o->text, "|%d%d%d%d|", sotto_http_request_keep_alive(r),
                                  sotto_http_request_is_11(r), sotto_http_request_is_head(r),
                                  sotto_http_request_expects_continue(r)));
}

/* Feeds one piece, over any number of messages.  False: refused. */
static bool feed_piece(struct sotto_http_request *r, sotto_span in, struct outcome *o)
{
    for (;;) {
        size_t used = 0;
        enum sotto_http_event event;
        if (sotto_http_request_feed(r, in, &used, &event) != SOTTO_OK) {
            o->status = sotto_http_request_status(r);
            return false;
        }
        in = sotto_span_skip(in, used);
        if (event == SOTTO_HTTP_DONE) {
            note(o, r);
            sotto_http_request_next(r);
            if (in.len == 0) {
                return true;
            }
        } else if (event == SOTTO_HTTP_MORE) {
            return true;
        }
    }
}

/* The pieces are copies, so that a sanitizer sees a reader that keeps pointers to them. */
static struct outcome run_split(sotto_span in, size_t split, size_t step,
                                const struct sotto_http_limits *limits)
{
    struct outcome o = {.status = 0};
    struct sotto_http_request *r;
    sotto_buf_init(&o.text, SOTTO_BUF_UNBOUNDED);
    if (sotto_http_request_new(limits, &r) != SOTTO_OK) {
        return o;
    }
    bool good = true;
    for (size_t at = 0; good && at < in.len;) {
        size_t end = at < split ? split : at + step;
        end = end < in.len ? end : in.len;
        uint8_t *copy = malloc(end - at);
        memcpy(copy, in.base + at, end - at);
        struct sotto_span piece = sotto_span_init(copy, end - at);
        good = feed_piece(r, piece, &o);
        free(copy);
        at = end;
    }
    sotto_http_request_free(r);
    return o;
}

/* A body that lies in the input must be noted before the piece is gone: feed_piece() does. */
static void check(const char *name, sotto_span in, int status, const char *want)
{
    for (size_t split = 0; split <= in.len; split++) {
        struct outcome o = run_split(in, split, in.len, &small);
        if (o.status != status || (want != NULL && (o.text.len != strlen(want) ||
                                                    memcmp(o.text.base, want, o.text.len) != 0))) {
            IS_INT(o.status, status, "%s: status, split at %zu", name, split);
            IS_TEXT(o.text.base, o.text.len, want != NULL ? want : "", "%s: content, split at %zu",
                    name, split);
        }
        sotto_buf_free(&o.text);
    }
    struct outcome o = run_split(in, 0, 1, &small);
    IS_INT(o.status, status, "%s: status, byte by byte and at every split", name);
    if (want != NULL) {
        IS_TEXT(o.text.base, o.text.len, want, "%s: content", name);
    }
    sotto_buf_free(&o.text);
}

#define GOOD(name, in, want)  check(name, SOTTO_LIT(in), 0, want)
#define BAD(status, name, in) check(name, SOTTO_LIT(in), status, NULL)
#define HOST                  "Host: a\r\n"

static void test_good(void)
{
    GOOD("a plain GET", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "GET /\r\nHost: a\r\n\r\n|1100|");
    GOOD("two pipelined requests",
         "GET /1 HTTP/1.1\r\nHost:a\r\n\r\nHEAD /2 HTTP/1.1\r\nhost:  a \t\r\n\r\n",
         "GET /1\r\nHost: a\r\n\r\n|1100|HEAD /2\r\nhost: a\r\n\r\n|1110|");
    GOOD(
        "a body of known length, and another request behind it",
        "POST /x HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhelloGET / HTTP/1.1\r\n" HOST "\r\n",
        "POST /x\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello|1100|GET /\r\nHost: a\r\n\r\n|1100|");
    GOOD("a chunked body with an extension and a trailer",
         "POST /x HTTP/1.1\r\n" HOST "Transfer-Encoding: Chunked\r\n\r\n"
         "3;a=b\r\nhel\r\n02\r\nlo\r\n0\r\nX-Sum: 1\r\n\r\n",
         "POST /x\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\nhello|1100|");
    GOOD("an empty chunked body",
         "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
         "0\r\n\r\n",
         "POST /\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n|1100|");
    GOOD("HTTP/1.0 closes", "GET / HTTP/1.0\r\n\r\n", "GET /\r\n\r\n|0000|");
    GOOD("HTTP/1.0 that asks to stay", "GET / HTTP/1.0\r\nConnection: x, Keep-Alive\r\n\r\n",
         "GET /\r\nConnection: x, Keep-Alive\r\n\r\n|1000|");
    GOOD("HTTP/1.1 that asks to close", "GET / HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n",
         "GET /\r\nHost: a\r\nConnection: close\r\n\r\n|0100|");
    GOOD("absolute-form becomes origin-form", "GET http://b:80/p?q HTTP/1.1\r\n" HOST "\r\n",
         "GET /p?q\r\nHost: a\r\n\r\n|1100|");
    GOOD("absolute-form without a path", "GET https://b HTTP/1.1\r\n" HOST "\r\n",
         "GET /\r\nHost: a\r\n\r\n|1100|");
    GOOD("OPTIONS *", "OPTIONS * HTTP/1.1\r\n" HOST "\r\n", "OPTIONS *\r\nHost: a\r\n\r\n|1100|");
    GOOD("empty lines in front", "\r\n\r\nGET / HTTP/1.1\r\n" HOST "\r\n",
         "GET /\r\nHost: a\r\n\r\n|1100|");
    GOOD("a client that waits for 100",
         "POST / HTTP/1.1\r\n" HOST "Expect: 100-Continue\r\nContent-Length: 1\r\n\r\nx",
         "POST /\r\nHost: a\r\nExpect: 100-Continue\r\nContent-Length: 1\r\n\r\nx|1101|");
    GOOD("bytes over 127 in a value", "GET / HTTP/1.1\r\n" HOST "X: \xc3\xa9\r\n\r\n",
         "GET /\r\nHost: a\r\nX: \xc3\xa9\r\n\r\n|1100|");
    GOOD("an empty value", "GET / HTTP/1.1\r\n" HOST "X:\r\nY: \t \r\n\r\n",
         "GET /\r\nHost: a\r\nX: \r\nY: \r\n\r\n|1100|");
    GOOD("identity is no coding",
         "POST / HTTP/1.1\r\n" HOST "Content-Encoding: identity\r\nContent-Length: 0\r\n\r\n",
         "POST /\r\nHost: a\r\nContent-Encoding: identity\r\nContent-Length: 0\r\n\r\n|1100|");
}

static void test_smuggling(void)
{
    BAD(400, "LF in place of CRLF", "GET / HTTP/1.1\n" HOST "\r\n");
    BAD(400, "LF behind a field", "GET / HTTP/1.1\r\nHost: a\n\r\n");
    BAD(400, "LF as the empty line", "GET / HTTP/1.1\r\nHost: a\r\n\n");
    BAD(400, "LF in front of a request", "\nGET / HTTP/1.1\r\n" HOST "\r\n");
    BAD(400, "CR without LF", "GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n");
    BAD(400, "obs-fold", "GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n");
    BAD(400, "obs-fold with a tab", "GET / HTTP/1.1\r\nHost: a\r\n\tb\r\n\r\n");
    BAD(400, "white space before the first field", "GET / HTTP/1.1\r\n Host: a\r\n\r\n");
    BAD(400, "a space before the colon", "GET / HTTP/1.1\r\nHost : a\r\n\r\n");
    BAD(400, "a tab before the colon", "GET / HTTP/1.1\r\nHost\t: a\r\n\r\n");
    BAD(400, "two Content-Length",
        "POST / HTTP/1.1\r\n" HOST "Content-Length: 1\r\nContent-Length: 1\r\n\r\nx");
    BAD(400, "a list as Content-Length",
        "POST / HTTP/1.1\r\n" HOST "Content-Length: 1, 1\r\n\r\nx");
    BAD(400, "a sign in Content-Length", "POST / HTTP/1.1\r\n" HOST "Content-Length: +1\r\n\r\nx");
    BAD(400, "an empty Content-Length", "POST / HTTP/1.1\r\n" HOST "Content-Length:\r\n\r\n");
    BAD(400, "a hexadecimal Content-Length",
        "POST / HTTP/1.1\r\n" HOST "Content-Length: 0x1\r\n\r\nx");
    BAD(400, "a Content-Length beyond 64 bits",
        "POST / HTTP/1.1\r\n" HOST "Content-Length: 18446744073709551617\r\n\r\nx");
    BAD(400, "Content-Length and Transfer-Encoding",
        "POST / HTTP/1.1\r\n" HOST
        "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
    BAD(400, "Transfer-Encoding and Content-Length",
        "POST / HTTP/1.1\r\n" HOST
        "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n0\r\n\r\n");
    BAD(400, "another transfer coding",
        "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n");
    BAD(400, "chunked twice",
        "POST / HTTP/1.1\r\n" HOST
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
    BAD(400, "identity as a transfer coding",
        "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: identity\r\n\r\n");
    BAD(400, "xchunked", "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n");
    BAD(400, "a quoted chunked",
        "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n");
    BAD(400, "chunked in HTTP/1.0",
        "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
#define CHUNKED "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
    BAD(400, "LF behind a chunk size", CHUNKED "1\nx\r\n0\r\n\r\n");
    BAD(400, "LF behind a chunk extension", CHUNKED "1;a\nx\r\n0\r\n\r\n");
    BAD(400, "LF behind chunk data", CHUNKED "1\r\nx\n0\r\n\r\n");
    BAD(400, "LF behind the last chunk", CHUNKED "0\n\r\n");
    BAD(400, "LF as the last line", CHUNKED "0\r\n\n");
    BAD(400, "no CRLF behind chunk data", CHUNKED "1\r\nxx\r\n0\r\n\r\n");
    BAD(400, "an empty chunk size", CHUNKED "\r\nx\r\n");
    BAD(400, "a space in front of a chunk size", CHUNKED " 1\r\nx\r\n0\r\n\r\n");
    BAD(400, "a space behind a chunk size", CHUNKED "1 \r\nx\r\n0\r\n\r\n");
    BAD(400, "a negative chunk size", CHUNKED "-1\r\nx\r\n0\r\n\r\n");
    BAD(400, "a chunk size with 0x", CHUNKED "0x1\r\nx\r\n0\r\n\r\n");
    BAD(400, "a chunk size of 17 digits", CHUNKED "10000000000000001\r\nx\r\n0\r\n\r\n");
    BAD(400, "a CR inside a chunk extension", CHUNKED "1;a\rb\r\nx\r\n0\r\n\r\n");
    BAD(400, "a control character in a chunk extension", CHUNKED "1;\x01\r\nx\r\n0\r\n\r\n");
    BAD(400, "a trailer that is no field", CHUNKED "0\r\nGET / HTTP/1.1\r\n\r\n");
    BAD(400, "obs-fold in a trailer", CHUNKED "0\r\nA: b\r\n c\r\n\r\n");
}

static void test_bad_heads(void)
{
    BAD(400, "NUL in a value", "GET / HTTP/1.1\r\nHost: a\0b\r\n\r\n");
    BAD(400, "a control character in a value", "GET / HTTP/1.1\r\n" HOST "X: \x01\r\n\r\n");
    BAD(400, "DEL in a value", "GET / HTTP/1.1\r\n" HOST "X: \x7f\r\n\r\n");
    BAD(400, "a name that is no token", "GET / HTTP/1.1\r\n" HOST "X(y): 1\r\n\r\n");
    BAD(400, "an empty name", "GET / HTTP/1.1\r\n" HOST ": 1\r\n\r\n");
    BAD(400, "a line without a colon", "GET / HTTP/1.1\r\n" HOST "nonsense\r\n\r\n");
    BAD(400, "no Host", "GET / HTTP/1.1\r\nX: 1\r\n\r\n");
    BAD(400, "two Host", "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n");
    BAD(400, "a Host with a path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n");
    BAD(400, "a Host with user information", "GET / HTTP/1.1\r\nHost: a@b\r\n\r\n");
    BAD(400, "an unknown method", "FROB / HTTP/1.1\r\n" HOST "\r\n");
    BAD(400, "a method in lower case", "get / HTTP/1.1\r\n" HOST "\r\n");
    BAD(400, "a method with a strange letter", "GE\xc3 / HTTP/1.1\r\n" HOST "\r\n");
    BAD(400, "two spaces behind the method", "GET  / HTTP/1.1\r\n" HOST "\r\n");
    BAD(400, "two spaces behind the target", "GET /  HTTP/1.1\r\n" HOST "\r\n");
    BAD(400, "a tab behind the method", "GET\t/ HTTP/1.1\r\n" HOST "\r\n");
    BAD(400, "a space at the end of the line", "GET / HTTP/1.1 \r\n" HOST "\r\n");
    BAD(400, "a space in the target", "GET /a b HTTP/1.1\r\n" HOST "\r\n");
    BAD(400, "a fragment in the target", "GET /a#b HTTP/1.1\r\n" HOST "\r\n");
    BAD(400, "bytes over 127 in the target", "GET /\xc3\xa9 HTTP/1.1\r\n" HOST "\r\n");
    BAD(400, "a quote in the target", "GET /\" HTTP/1.1\r\n" HOST "\r\n");
    BAD(400, "a target without a slash", "GET a HTTP/1.1\r\n" HOST "\r\n");
    BAD(400, "* for another method", "GET * HTTP/1.1\r\n" HOST "\r\n");
    BAD(400, "CONNECT", "CONNECT a:1 HTTP/1.1\r\n" HOST "\r\n");
    BAD(400, "an absolute target with user information",
        "GET http://u@b/ HTTP/1.1\r\n" HOST "\r\n");
    BAD(400, "an absolute target of another scheme", "GET ftp://b/ HTTP/1.1\r\n" HOST "\r\n");
    BAD(400, "HTTP/0.9", "GET /\r\n\r\n");
    BAD(400, "HTTP/0.9 with a version", "GET / HTTP/0.9\r\n\r\n");
    BAD(400, "HTTP/1.2", "GET / HTTP/1.2\r\n" HOST "\r\n");
    BAD(400, "HTTP/2.0", "GET / HTTP/2.0\r\n" HOST "\r\n");
    BAD(400, "HTTP/2's preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    BAD(400, "http in lower case", "GET / http/1.1\r\n" HOST "\r\n");
    BAD(400, "another protocol", "GET / RTSP/1.0\r\n" HOST "\r\n");
    BAD(400, "a TLS hello", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03");
    BAD(400, "nothing but empty lines", "\r\n\r\n\r\n\r\n\r\n\r\n");
    BAD(417, "another expectation", "POST / HTTP/1.1\r\n" HOST "Expect: 200-ok\r\n\r\n");
    BAD(415, "a content coding",
        "POST / HTTP/1.1\r\n" HOST "Content-Encoding: gzip\r\nContent-Length: 1\r\n\r\nx");
    BAD(415, "two content codings",
        "POST / HTTP/1.1\r\n" HOST "Content-Encoding: identity\r\nContent-Encoding: br\r\n\r\n");
}

static void test_limits(void)
{
    BAD(413, "a body announced as too long",
        "POST / HTTP/1.1\r\n" HOST "Content-Length: 65\r\n\r\n");
    BAD(413, "a chunked body that gets too long",
        CHUNKED "40\r\n0123456789012345678901234567890123456789012345678901234567890123\r\n1\r\nx");

    struct sotto_buf in;
    sotto_buf_init(&in, 1 << 20);
    sotto_ignore(sotto_buf_printf(&in, "GET / HTTP/1.1\r\nHost: a\r\nX: "));
    while (in.len < 1020) {
        sotto_ignore(sotto_buf_push(&in, 'x'));
    }
    sotto_ignore(sotto_buf_append(&in, SOTTO_LIT("\r\n\r\n")));
    check("a head of exactly the limit", sotto_buf_span(&in), 0, (const char *)NULL);
    sotto_buf_truncate(&in, 1020);
    sotto_ignore(sotto_buf_append(&in, SOTTO_LIT("x\r\n\r\n")));
    check("a head of one byte more", sotto_buf_span(&in), 431, NULL);
    sotto_buf_truncate(&in, 0);
    for (int i = 0; i < 2000; i++) {
        sotto_ignore(sotto_buf_push(&in, 'G'));
    }
    check("an endless first line", sotto_buf_span(&in), 431, NULL);

    for (int extra = 0; extra < 2; extra++) {
        sotto_buf_truncate(&in, 0);
        sotto_ignore(sotto_buf_printf(&in, "GET / HTTP/1.1\r\nHost:a\r\n"));
        for (int i = 0; i < SOTTO_HTTP_FIELDS_MAX - 1 + extra; i++) {
            sotto_ignore(sotto_buf_printf(&in, "a:\r\n"));
        }
        sotto_ignore(sotto_buf_append(&in, SOTTO_LIT("\r\n")));
        check(extra == 0 ? "128 fields" : "129 fields", sotto_buf_span(&in), extra == 0 ? 0 : 431,
              NULL);
    }
    sotto_buf_free(&in);
}

static void test_events(void)
{
    static const char text[] = "POST / HTTP/1.1\r\n" HOST "Expect: 100-continue\r\n"
                               "Content-Length: 2\r\n\r\nhi";
    struct sotto_http_request *r;
    size_t used;
    enum sotto_http_event event;
    sotto_span in = SOTTO_LIT(text);
    IS_INT(sotto_http_request_new(&small, &r), SOTTO_OK, "a reader is made");
    OK(sotto_http_request_idle(r), "it is idle");
    IS_INT(sotto_http_request_feed(r, sotto_span_sub(in, 0, in.len - 2), &used, &event), SOTTO_OK,
           "the head is taken");
    IS_INT(event, SOTTO_HTTP_HEAD, "and reported before the body has come");
    OK(!sotto_http_request_idle(r) && sotto_http_request_in_body(r), "now it is in the body");
    OK(sotto_http_request_expects_continue(r), "the client waits");
    IS_SIZE(used, in.len - 2, "all was used");
    IS_INT(sotto_http_request_feed(r, sotto_span_init(NULL, 0), &used, &event), SOTTO_OK,
           "nothing may be fed");
    IS_INT(event, SOTTO_HTTP_MORE, "which changes nothing");
    IS_INT(sotto_http_request_feed(r, SOTTO_LIT("hiGET"), &used, &event), SOTTO_OK, "the body");
    IS_INT(event, SOTTO_HTTP_DONE, "completes it");
    IS_SIZE(used, 2, "and what follows is left alone");
    IS_INT(sotto_http_request_feed(r, SOTTO_LIT("GET"), &used, &event), SOTTO_ESTATE,
           "more has to wait");
    sotto_http_request_next(r);
    OK(sotto_http_request_idle(r) && sotto_http_request_head(r).len == 0 &&
           sotto_http_request_body(r).len == 0,
       "then it is as new");
    IS_INT(sotto_http_request_feed(r, SOTTO_LIT("\n"), &used, &event), SOTTO_EFORMAT, "refused");
    IS_INT(sotto_http_request_status(r), 400, "with a status");
    OK(strlen(sotto_http_request_reason(r)) > 0, "and a reason");
    IS_INT(sotto_http_request_feed(r, SOTTO_LIT("GET"), &used, &event), SOTTO_ESTATE,
           "and stays dead");
    sotto_http_request_free(r);
    sotto_http_request_free(NULL);
}

static void test_memory_faults(void)
{
    sotto_span in = SOTTO_LIT("POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
                              "2\r\nhi\r\n0\r\n\r\n");
    for (size_t n = 1;; n++) {
        sotto_alloc_set_fault(n);
        struct sotto_http_request *r = NULL;
        enum sotto_err err = sotto_http_request_new(&small, &r);
        if (r == NULL) {
            sotto_alloc_set_fault(0);
            IS_INT(err, SOTTO_ENOMEM, "no reader without memory");
            continue;
        }
        struct outcome o = {.status = 0};
        sotto_buf_init(&o.text, 1); /* takes nothing: its allocations do not count */
        bool good = feed_piece(r, sotto_span_sub(in, 0, 9), &o) &&
                    feed_piece(r, sotto_span_skip(in, 9), &o);
        bool hit = sotto_alloc_set_fault(0) >= n;
        sotto_http_request_free(r);
        sotto_buf_free(&o.text);
        if (!hit) {
            OK(good, "without a fault it is read");
            break;
        }
        IS_INT(o.status, 503, "allocation %zu fails: 503", n);
    }
}

int main(void)
{
    test_good();
    test_smuggling();
    test_bad_heads();
    test_limits();
    test_events();
    test_memory_faults();
    return done_testing();
}
