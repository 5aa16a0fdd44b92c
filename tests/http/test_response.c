/* SPDX-License-Identifier: Apache-2.0 */

#include "http/response.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "tap/tap.h"

struct outcome {
    struct sotto_buf text; /* head, body, then what is known at the end */
    enum sotto_err err;
    bool done;
};

static enum sotto_err feed_piece(struct sotto_http_response *r, sotto_span in, struct outcome *o)
{
    for (;;) {
        size_t used;
        enum sotto_http_event event;
        sotto_span piece;
        enum sotto_err err = sotto_http_response_feed(r, in, &used, &event, &piece);
        in = in.len != 0 ? sotto_span_skip(in, used) : in;
        if (err != SOTTO_OK || event == SOTTO_HTTP_MORE) {
            return err;
        }
        if (event == SOTTO_HTTP_HEAD) {
            sotto_ignore(sotto_buf_append(&o->text, sotto_http_response_head(r)));
        } else if (event == SOTTO_HTTP_BODY) {
            sotto_ignore(sotto_buf_append(&o->text, piece));
        } else {
            sotto_ignore(
                sotto_buf_printf(&o->text, "|%d|%zu", sotto_http_response_reusable(r), in.len));
            o->done = true;
            return SOTTO_OK;
        }
    }
}

static struct outcome run(sotto_span in, size_t split, size_t step, bool to_head)
{
    struct outcome o = {.err = SOTTO_OK};
    struct sotto_http_response *r;
    sotto_buf_init(&o.text, SOTTO_BUF_UNBOUNDED);
    o.err = sotto_http_response_new(1024, &r);
    if (o.err != SOTTO_OK) {
        return o;
    }
    sotto_http_response_next(r, to_head);
    for (size_t at = 0; o.err == SOTTO_OK && !o.done && at < in.len;) {
        size_t end = at < split ? split : at + step;
        end = end < in.len ? end : in.len;
        uint8_t *copy = malloc(end - at);
        memcpy(copy, in.base + at, end - at);
        o.err = feed_piece(r, sotto_span_init(copy, end - at), &o);
        free(copy);
        at = end;
    }
    if (o.err == SOTTO_OK && !o.done) {
        o.err = sotto_http_response_eof(r);
        sotto_ignore(sotto_buf_printf(&o.text, "|eof%d", sotto_http_response_reusable(r)));
    }
    sotto_http_response_free(r);
    return o;
}

/* At every split; `want` NULL: only the result counts. */
static void check(const char *name, sotto_span in, bool to_head, enum sotto_err err,
                  const char *want)
{
    size_t wrong = 0;
    for (size_t split = 0; split <= in.len + 1; split++) {
        /* the last round: byte by byte */
        struct outcome o =
            split <= in.len ? run(in, split, in.len, to_head) : run(in, 0, 1, to_head);
        bool same = o.err == err;
        if (want != NULL) { /* what follows the message depends on the split */
            size_t n = strlen(want);
            same = same && o.text.len >= n && memcmp(o.text.base, want, n) == 0;
        }
        if (!same && wrong++ == 0) {
            IS_INT(o.err, err, "%s: result, split at %zu", name, split);
            IS_TEXT(o.text.base, o.text.len, want != NULL ? want : "", "%s: content", name);
        }
        sotto_buf_free(&o.text);
    }
    IS_SIZE(wrong, 0, "%s: at every split", name);
}

#define GOOD(name, in, want) check(name, SOTTO_LIT(in), false, SOTTO_OK, want)
#define BAD(name, in)        check(name, SOTTO_LIT(in), false, SOTTO_EFORMAT, NULL)
#define OK200                "HTTP/1.1 200 OK\r\n"

static void test_good(void)
{
    GOOD("a known length", OK200 "Content-Length: 5\r\nX:y\r\n\r\nhello",
         "200\r\nContent-Length: 5\r\nX: y\r\n\r\nhello|1|0");
    GOOD("no reason phrase", "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n",
         "200\r\nContent-Length: 0\r\n\r\n|1|0");
    GOOD("an empty reason phrase", "HTTP/1.1 204 \r\n\r\n", "204\r\n\r\n|1|0");
    GOOD("bytes behind the answer are left", OK200 "Content-Length: 1\r\n\r\nxHTTP",
         "200\r\nContent-Length: 1\r\n\r\nx|1|");
    GOOD("chunked", OK200 "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1;x\r\n!\r\n0\r\n\r\n",
         "200\r\nTransfer-Encoding: chunked\r\n\r\nhello!|1|0");
    GOOD("chunked with trailers", OK200 "Transfer-Encoding: chunked\r\n\r\n0\r\nA: b\r\n\r\n",
         "200\r\nTransfer-Encoding: chunked\r\n\r\n|1|0");
    GOOD("until the connection closes", OK200 "\r\nhello", "200\r\n\r\nhello|eof0");
    GOOD("HTTP/1.0 closes", "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx",
         "200\r\nContent-Length: 1\r\n\r\nx|0|0");
    GOOD("Connection: close", OK200 "Connection: close\r\nContent-Length: 0\r\n\r\n",
         "200\r\nConnection: close\r\nContent-Length: 0\r\n\r\n|0|0");
    GOOD("interim responses are skipped",
         "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" OK200
         "Content-Length: 1\r\n\r\nx",
         "200\r\nContent-Length: 1\r\n\r\nx|1|0");
    GOOD("304 has no body", "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n",
         "304\r\nContent-Length: 9\r\n\r\n|1|0");
    check("an answer to HEAD", SOTTO_LIT(OK200 "Content-Length: 9\r\n\r\n"), true, SOTTO_OK,
          "200\r\nContent-Length: 9\r\n\r\n|1|0");
    GOOD("an error of an upstream", "HTTP/1.1 529 Overloaded\r\nContent-Length: 2\r\n\r\nno",
         "529\r\nContent-Length: 2\r\n\r\nno|1|0");
}

#define I4                                                                                         \
    "HTTP/1.1 100 C\r\n\r\nHTTP/1.1 100 C\r\n\r\nHTTP/1.1 100 C\r\n\r\nHTTP/1.1 100 C\r\n\r\n"

static void test_bad(void)
{
    BAD("no HTTP", "SSH-2.0-OpenSSH_9.2\r\n\r\n");
    BAD("HTTP/2 frames", "\x00\x00\x12\x04\x00\x00\x00\x00\x00");
    BAD("LF in place of CRLF", "HTTP/1.1 200 OK\nContent-Length: 0\n\n");
    BAD("LF behind a field", OK200 "Content-Length: 0\n\r\n");
    BAD("an empty line first", "\r\n" OK200 "Content-Length: 0\r\n\r\n");
    BAD("another version", "HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n");
    BAD("two spaces", "HTTP/1.1  200 OK\r\nContent-Length: 0\r\n\r\n");
    BAD("a status of two digits", "HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n");
    BAD("a status of four digits", "HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n");
    BAD("status 099", "HTTP/1.1 099 Low\r\nContent-Length: 0\r\n\r\n");
    BAD("101", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n");
    BAD("two lengths", OK200 "Content-Length: 1\r\nContent-Length: 1\r\n\r\nx");
    BAD("a length and chunks",
        OK200 "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
    BAD("another coding", OK200 "Transfer-Encoding: gzip\r\n\r\n");
    BAD("obs-fold", OK200 "A: b\r\n c\r\nContent-Length: 0\r\n\r\n");
    BAD("NUL in a value", OK200 "A: \0\r\nContent-Length: 0\r\n\r\n");
    BAD("a broken chunk size", OK200 "Transfer-Encoding: chunked\r\n\r\nxyz\r\n");
    BAD("LF behind a chunk size", OK200 "Transfer-Encoding: chunked\r\n\r\n1\nx\r\n0\r\n\r\n");
    BAD("a chunk longer than it says", OK200 "Transfer-Encoding: chunked\r\n\r\n1\r\nxy\r\n");
    BAD("endless interim responses", I4 I4 I4 I4 I4);
    check("cut off in the head", SOTTO_LIT(OK200 "Content-Le"), false, SOTTO_ECLOSED, NULL);
    check("cut off in the body", SOTTO_LIT(OK200 "Content-Length: 5\r\n\r\nhell"), false,
          SOTTO_ECLOSED, NULL);
    check("cut off in a chunk",
          SOTTO_LIT(OK200 "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n"), false,
          SOTTO_ECLOSED, NULL);
    check("only an interim response", SOTTO_LIT("HTTP/1.1 100 Continue\r\n\r\n"), false,
          SOTTO_ECLOSED, NULL);
    check("nothing", SOTTO_LIT(""), false, SOTTO_ECLOSED, NULL);

    struct sotto_buf in;
    sotto_buf_init(&in, 1 << 16);
    sotto_ignore(sotto_buf_printf(&in, OK200 "X: "));
    for (int i = 0; i < 1100; i++) {
        sotto_ignore(sotto_buf_push(&in, 'x'));
    }
    check("a head over the limit", sotto_buf_span(&in), false, SOTTO_ELIMIT, NULL);
    sotto_buf_truncate(&in, 0);
    sotto_ignore(sotto_buf_printf(&in, OK200));
    for (int i = 0; i < 129; i++) {
        sotto_ignore(sotto_buf_printf(&in, "a:\r\n"));
    }
    sotto_ignore(sotto_buf_append(&in, SOTTO_LIT("\r\n")));
    check("many fields over the limit", sotto_buf_span(&in), false, SOTTO_ELIMIT, NULL);
    sotto_buf_truncate(&in, 0);
    sotto_ignore(sotto_buf_printf(&in, "H"));
    for (int i = 0; i < 1100; i++) {
        sotto_ignore(sotto_buf_push(&in, 'x'));
    }
    check("no HTTP, longer than a head may be", sotto_buf_span(&in), false, SOTTO_EFORMAT, NULL);
    memcpy(in.base, "HTTP/1+", 7);
    check("nearly HTTP, as long", sotto_buf_span(&in), false, SOTTO_EFORMAT, NULL);
    sotto_buf_free(&in);
}

static void test_reuse(void)
{
    struct sotto_http_response *r;
    size_t used;
    enum sotto_http_event event;
    sotto_span piece;
    IS_INT(sotto_http_response_new(1024, &r), SOTTO_OK, "a reader is made");
    OK(sotto_http_response_idle(r), "it has seen nothing");
    for (int i = 0; i < 3; i++) {
        struct outcome o = {.err = SOTTO_OK};
        sotto_buf_init(&o.text, 4096);
        sotto_http_response_next(r, false);
        OK(sotto_http_response_idle(r), "nothing was seen of answer %d", i);
        IS_INT(feed_piece(r, SOTTO_LIT(OK200 "Content-Length: 1\r\n\r\nx"), &o), SOTTO_OK, "fed");
        OK(!sotto_http_response_idle(r) && o.done && sotto_http_response_status(r) == 200,
           "answer %d on one connection", i);
        sotto_buf_free(&o.text);
    }
    IS_INT(sotto_http_response_feed(r, SOTTO_LIT("x"), &used, &event, &piece), SOTTO_ESTATE,
           "a complete one takes no more");
    sotto_http_response_free(r);
    sotto_http_response_free(NULL);
}

static void test_memory_faults(void)
{
    sotto_span in = SOTTO_LIT(OK200 "Content-Length: 1\r\n\r\nx");
    for (size_t n = 1;; n++) {
        sotto_alloc_set_fault(n);
        struct sotto_http_response *r = NULL;
        enum sotto_err err = sotto_http_response_new(1024, &r);
        struct outcome o = {.err = SOTTO_OK};
        sotto_buf_init(&o.text, 0);
        if (r != NULL && (err = feed_piece(r, sotto_span_sub(in, 0, 9), &o)) == SOTTO_OK) {
            err = feed_piece(r, sotto_span_skip(in, 9), &o);
        }
        bool hit = sotto_alloc_set_fault(0) >= n;
        sotto_http_response_free(r);
        sotto_buf_free(&o.text);
        IS_INT(err, hit ? SOTTO_ENOMEM : SOTTO_OK, "allocation %zu %s", n,
               hit ? "fails" : "is not made");
        if (!hit) {
            break;
        }
    }
}

int main(void)
{
    test_good();
    test_bad();
    test_reuse();
    test_memory_faults();
    return done_testing();
}
