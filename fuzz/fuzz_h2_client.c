/* SPDX-License-Identifier: Apache-2.0 */

/*
 * An upstream's bytes on an HTTP/2 connection with three requests, behind its first SETTINGS.
 * Oracles: whatever way the bytes are cut, and whenever what came is taken, each request gets the
 * same head and body (of a malformed answer as much as came whole) and ends in the same way; a head can be indexed; a whole answer has as many
 * bytes as it said, and as HTTP/1.1 is read as the same answer; each request ends exactly once;
 * what is sent is bounded by what came.
 */

#include <stdlib.h>

#include "base/buf.h"
#include "h2_frames.h"
#include "http/h2_client.h"
#include "http/head.h"
#include "http/response.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What may be sent besides what each byte of input can ask for. */
#define FIXED_OUT  ((size_t)64 << 10)
#define OUT_A_BYTE 128
/* More could be over an allowance or a window in one way of cutting and not in another. */
#define INPUT_BYTES ((size_t)16 << 10)
#define REQUESTS    3

struct answer {
    struct sotto_h2_request *request;
    struct sotto_buf head, body;
    int status;
    bool done;
    enum sotto_err err;
};

struct outcome {
    struct answer answers[REQUESTS];
    enum sotto_err err;
};

static void must(bool ok)
{
    if (!ok) {
        abort();
    }
}

/* As HTTP/1.1 it is the same answer. */
static void as_http1(const struct answer *a, const struct sotto_http_head *head)
{
    struct sotto_http_response *r;
    struct sotto_buf text, body;
    size_t used;
    enum sotto_http_event event;
    sotto_span piece, block = sotto_buf_span(&a->head);
    sotto_buf_init(&text, SOTTO_BUF_UNBOUNDED);
    sotto_buf_init(&body, SOTTO_BUF_UNBOUNDED);
    must(sotto_buf_printf(&text, "HTTP/1.1 %03d X\r\n", a->status) == SOTTO_OK &&
         sotto_buf_append(&text, sotto_span_sub(block, 5, block.len - 2)) == SOTTO_OK);
    if (sotto_http_count(head, "content-length") == 0) {
        must(sotto_buf_printf(&text, "content-length: %zu\r\n", a->body.len) == SOTTO_OK);
    }
    must(sotto_buf_append(&text, SOTTO_LIT("\r\n")) == SOTTO_OK &&
         sotto_buf_append(&text, sotto_buf_span(&a->body)) == SOTTO_OK);
    must(sotto_http_response_new(1 << 20, &r) == SOTTO_OK);
    sotto_span in = sotto_buf_span(&text);
    do {
        must(sotto_http_response_feed(r, in, &used, &event, &piece) == SOTTO_OK);
        must(event != SOTTO_HTTP_MORE && sotto_buf_append(&body, piece) == SOTTO_OK);
        in = sotto_span_skip(in, used);
    } while (event != SOTTO_HTTP_DONE);
    must(in.len == 0 && sotto_http_response_status(r) == a->status);
    must(sotto_span_eq(sotto_buf_span(&body), sotto_buf_span(&a->body)));
    sotto_http_response_free(r);
    sotto_buf_free(&text);
    sotto_buf_free(&body);
}

/* `to_head`: the request was HEAD. */
static void check(const struct answer *a, bool to_head)
{
    struct sotto_http_head head;
    must(a->done != (a->err != SOTTO_OK));
    must((a->status != 0) == (a->head.len != 0) && (a->status != 0 || a->body.len == 0));
    if (a->status == 0) {
        must(!a->done);
        return;
    }
    must(sotto_http_head_index(sotto_buf_span(&a->head), false, &head) == SOTTO_OK);
    must(head.status == a->status && a->status >= 200 && a->status <= 999);
    must(sotto_http_count(&head, "transfer-encoding") + sotto_http_count(&head, "connection") == 0);
    must(sotto_http_count(&head, "content-length") <= 1);
    if (a->done && (to_head || a->status == 204 || a->status == 304)) {
        must(a->body.len == 0);
    } else if (a->done) {
        as_http1(a, &head);
    }
}

static void take(struct answer *a)
{
    enum sotto_http_event event = SOTTO_HTTP_DONE;
    sotto_span piece;
    while (event != SOTTO_HTTP_MORE && a->err == SOTTO_OK) {
        a->err = sotto_h2_request_take(a->request, &event, &piece);
        must(a->err == SOTTO_OK || event == SOTTO_HTTP_MORE);
        must(event == SOTTO_HTTP_MORE || !a->done);
        if (event == SOTTO_HTTP_HEAD) {
            must(a->status == 0 && a->body.len == 0);
            a->status = sotto_h2_request_status(a->request);
            must(sotto_buf_append(&a->head, sotto_h2_request_head(a->request)) == SOTTO_OK);
        } else if (event == SOTTO_HTTP_BODY) {
            must(a->status != 0 && piece.len != 0);
            must(sotto_buf_append(&a->body, piece) == SOTTO_OK);
        } else if (event == SOTTO_HTTP_DONE) {
            a->done = true;
        }
    }
}

static size_t send_all(struct sotto_h2_client *h2)
{
    struct sotto_buf out;
    size_t sum = 0;
    sotto_buf_init(&out, SOTTO_BUF_UNBOUNDED);
    do {
        sotto_buf_truncate(&out, 0);
        enum sotto_err err = sotto_h2_client_send(h2, &out);
        must(err == SOTTO_OK || err == SOTTO_EFORMAT);
        sum += out.len;
    } while (out.len != 0);
    sotto_buf_free(&out);
    return sum;
}

static void begin(struct sotto_h2_client *h2, struct outcome *o)
{
    static const char *const requests[REQUESTS] = {
        "GET /a HTTP/1.1\r\nHost: a.example\r\n\r\n",
        "POST /b HTTP/1.1\r\nHost: a.example\r\nAuthorization: x\r\nContent-Length: 2\r\n\r\nhi",
        "HEAD /c HTTP/1.1\r\nHost: a.example\r\n\r\n",
    };
    for (size_t i = 0; i < REQUESTS; i++) {
        struct answer *a = &o->answers[i];
        sotto_buf_init(&a->head, SOTTO_BUF_UNBOUNDED);
        sotto_buf_init(&a->body, SOTTO_BUF_UNBOUNDED);
        must(sotto_h2_request_new(h2, sotto_span_str(requests[i]), a, &a->request) == SOTTO_OK);
    }
}

/* Feeds by `step` bytes.  `late`: takes only at the end. */
static struct outcome run(sotto_span in, size_t step, bool late)
{
    static const uint8_t settings[9] = {0, 0, 0, 4};
    struct outcome o = {.err = SOTTO_OK};
    struct sotto_h2_client *h2;
    struct answer *a;
    must(sotto_h2_client_new(2048, 1, &h2) == SOTTO_OK);
    begin(h2, &o);
    size_t out = send_all(h2);
    o.err = sotto_h2_client_feed(h2, sotto_span_init(settings, sizeof(settings)), 1);
    for (size_t at = 0; at < in.len && o.err == SOTTO_OK; at += step) {
        size_t end = in.len - at < step ? in.len : at + step;
        o.err = sotto_h2_client_feed(h2, sotto_span_sub(in, at, end), 1);
        while (!late && (a = sotto_h2_client_next(h2)) != NULL) {
            take(a);
        }
    }
    out += send_all(h2);
    must(out <= FIXED_OUT + in.len * OUT_A_BYTE);
    must(sotto_h2_client_room(h2) <= 128 && sotto_h2_client_streams(h2) >= 1);
    while ((a = sotto_h2_client_next(h2)) != NULL) {
        take(a);
    }
    for (size_t i = 0; i < REQUESTS; i++) { /* nothing was left behind */
        bool over = o.answers[i].done || o.answers[i].err != SOTTO_OK;
        size_t had = o.answers[i].body.len;
        take(&o.answers[i]);
        must(had == o.answers[i].body.len);
        must(over == (o.answers[i].done || o.answers[i].err != SOTTO_OK));
    }
    sotto_h2_client_free(h2);
    for (size_t i = 0; i < REQUESTS; i++) {
        take(&o.answers[i]);
        sotto_h2_request_free(o.answers[i].request);
        check(&o.answers[i], i == 2);
    }
    return o;
}

static void free_outcome(struct outcome *o)
{
    for (size_t i = 0; i < REQUESTS; i++) {
        sotto_buf_free(&o->answers[i].head);
        sotto_buf_free(&o->answers[i].body);
    }
}

static void same(const struct outcome *a, const struct outcome *b)
{
    must(a->err == b->err);
    for (size_t i = 0; i < REQUESTS; i++) {
        const struct answer *x = &a->answers[i], *y = &b->answers[i];
        must(x->status == y->status && x->done == y->done && x->err == y->err);
        must(sotto_span_eq(sotto_buf_span(&x->head), sotto_buf_span(&y->head)));
        /* Of a malformed one what came before its fault was seen. */
        sotto_span shorter = sotto_buf_span(x->body.len < y->body.len ? &x->body : &y->body);
        sotto_span longer = sotto_buf_span(x->body.len < y->body.len ? &y->body : &x->body);
        must(sotto_span_starts(longer, shorter));
        must(longer.len == shorter.len || x->err == SOTTO_EFORMAT);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0 || size > INPUT_BYTES) {
        return 0;
    }
    sotto_span in = sotto_span_init(data, size);
    struct outcome whole = run(in, size, true);
    const size_t steps[] = {1, (size_t)data[size / 2] % 31 + 1};
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        struct outcome pieces = run(in, steps[i], false);
        if (!h2_goes_on_and_on(in)) {
            same(&whole, &pieces);
        }
        free_outcome(&pieces);
    }
    free_outcome(&whole);
    return 0;
}
