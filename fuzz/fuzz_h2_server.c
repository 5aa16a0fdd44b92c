/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A client's bytes of an HTTP/2 connection, behind its preface.  Oracles: whatever way the bytes
 * are cut, the same requests come out and the connection ends in the same way; a head that is
 * accepted can be indexed, goes through nghttp2's own compression and back unchanged, and as
 * HTTP/1.1 is read as the same request; streams that were begun are answered or told to be gone;
 * what is sent is bounded by what came.
 */

#include <nghttp2/nghttp2.h>
#include <stdlib.h>

#include "base/buf.h"
#include "h2_frames.h"
#include "http/h2_server.h"
#include "http/head.h"
#include "http/request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What may be sent besides what each byte of input can ask for. */
#define FIXED_OUT  ((size_t)64 << 10)
#define OUT_A_BYTE 128

struct outcome {
    struct sotto_buf text;
    enum sotto_err err;
    size_t running, gone, out;
};

static void must(bool ok)
{
    if (!ok) {
        abort();
    }
}

/* The fields go through a compressor and come back the same. */
static void round_trip(const struct sotto_http_head *head)
{
    static nghttp2_nv list[SOTTO_HTTP_FIELDS_MAX];
    nghttp2_hd_deflater *deflater = NULL;
    nghttp2_hd_inflater *inflater = NULL;
    must(nghttp2_hd_deflate_new(&deflater, 0) == 0 && nghttp2_hd_inflate_new(&inflater) == 0);
    for (size_t i = 0; i < head->field_count; i++) {
        memcpy(&list[i].name, &head->fields[i].name.base, sizeof(list[i].name));
        memcpy(&list[i].value, &head->fields[i].value.base, sizeof(list[i].value));
        list[i].namelen = head->fields[i].name.len;
        list[i].valuelen = head->fields[i].value.len;
        list[i].flags = NGHTTP2_NV_FLAG_NO_INDEX;
    }
    size_t bound = nghttp2_hd_deflate_bound(deflater, list, head->field_count);
    uint8_t *packed = malloc(bound);
    must(packed != NULL);
    ssize_t n = nghttp2_hd_deflate_hd(deflater, packed, bound, list, head->field_count);
    must(n >= 0);
    size_t at = 0, seen = 0;
    int flags = 0;
    while ((flags & NGHTTP2_HD_INFLATE_FINAL) == 0) {
        nghttp2_nv nv;
        ssize_t used =
            nghttp2_hd_inflate_hd2(inflater, &nv, &flags, packed + at, (size_t)n - at, 1);
        must(used >= 0);
        at += (size_t)used;
        if ((flags & NGHTTP2_HD_INFLATE_EMIT) != 0) {
            must(seen < head->field_count);
            must(sotto_span_eq(sotto_span_init(nv.name, nv.namelen), head->fields[seen].name));
            must(sotto_span_eq(sotto_span_init(nv.value, nv.valuelen), head->fields[seen].value));
            seen++;
        }
    }
    must(seen == head->field_count);
    free(packed);
    nghttp2_hd_inflate_del(inflater);
    nghttp2_hd_deflate_del(deflater);
}

/* As HTTP/1.1 it is the same request; llhttp knows only some methods. */
static void as_http1(const struct sotto_http_head *head, sotto_span block, sotto_span body)
{
    static const struct sotto_http_limits limits = {.head_bytes = 1 << 20, .body_bytes = 1 << 20};
    struct sotto_http_request *r;
    struct sotto_buf text;
    size_t used;
    enum sotto_http_event event;
    if (!sotto_span_eq(head->method, SOTTO_LIT("GET")) &&
        !sotto_span_eq(head->method, SOTTO_LIT("POST"))) {
        return;
    }
    sotto_buf_init(&text, SOTTO_BUF_UNBOUNDED);
    bool has_length = sotto_http_count(head, "content-length") != 0;
    size_t line = head->method.len + 1 + head->target.len;
    must(sotto_buf_append(&text, sotto_span_sub(block, 0, line)) == SOTTO_OK &&
         sotto_buf_append(&text, SOTTO_LIT(" HTTP/1.1")) == SOTTO_OK &&
         sotto_buf_append(&text, sotto_span_sub(block, line, block.len - 2)) == SOTTO_OK);
    if (!has_length && body.len != 0) {
        must(sotto_buf_printf(&text, "content-length: %zu\r\n", body.len) == SOTTO_OK);
    }
    must(sotto_buf_append(&text, SOTTO_LIT("\r\n")) == SOTTO_OK &&
         sotto_buf_append(&text, body) == SOTTO_OK);
    must(sotto_http_request_new(&limits, &r) == SOTTO_OK);
    sotto_span in = sotto_buf_span(&text);
    must(sotto_http_request_feed(r, in, &used, &event) == SOTTO_OK && event == SOTTO_HTTP_HEAD);
    sotto_span seen = sotto_http_request_head(r);
    must(sotto_span_eq(sotto_span_sub(seen, 0, block.len - 2),
                       sotto_span_sub(block, 0, block.len - 2)));
    in = sotto_span_skip(in, used);
    must(sotto_http_request_feed(r, in, &used, &event) == SOTTO_OK && event == SOTTO_HTTP_DONE);
    must(used == in.len && sotto_span_eq(sotto_http_request_body(r), body));
    sotto_http_request_free(r);
    sotto_buf_free(&text);
}

static void on_request(void *ctx, struct sotto_h2_stream *stream, sotto_span block, sotto_span body,
                       int64_t begun_us)
{
    struct outcome *o = ctx;
    struct sotto_http_head head;
    (void)begun_us;
    must(sotto_http_head_index(block, true, &head) == SOTTO_OK);
    must(sotto_http_count(&head, "host") == 1 && sotto_http_count(&head, "content-length") <= 1);
    must(sotto_http_count(&head, "transfer-encoding") + sotto_http_count(&head, "connection") == 0);
    round_trip(&head);
    as_http1(&head, block, body);
    must(sotto_buf_append(&o->text, block) == SOTTO_OK &&
         sotto_buf_append(&o->text, body) == SOTTO_OK);
    sotto_h2_stream_set_user(stream, o);
    sotto_span path = sotto_http_path(&head);
    switch (path.len > 1 ? path.base[1] : 0) {
    case 'a':
        sotto_h2_stream_abort(stream);
        break;
    case 'k': /* keep it running */
        o->running++;
        break;
    case 's':
        must(sotto_h2_stream_begin(stream, 200, SOTTO_LIT("content-type: text/event-stream\r\n")));
        must(sotto_h2_stream_write(stream, SOTTO_LIT("data: a\n\n"), false));
        must(sotto_h2_stream_write(stream, body, true));
        break;
    default:
        sotto_h2_stream_reply(stream, 200, SOTTO_LIT("x-a: b\r\n"), SOTTO_LIT("ok"));
    }
}

static void on_gone(void *ctx, struct sotto_h2_stream *stream)
{
    struct outcome *o = ctx;
    must(sotto_h2_stream_user(stream) == o);
    o->gone++;
}

static void on_refused(void *ctx, int status, const char *reason, struct sotto_buf *lines,
                       struct sotto_buf *body)
{
    struct outcome *o = ctx;
    (void)lines;
    must(status >= 400 && status <= 503 && *reason != '\0');
    must(sotto_buf_printf(body, "%s", reason) == SOTTO_OK);
    must(sotto_buf_printf(&o->text, "|%d|", status) == SOTTO_OK);
}

static void on_taken(void *ctx, struct sotto_h2_stream *stream)
{
    must(sotto_h2_stream_user(stream) == ctx);
}

static const struct sotto_h2_server_handler handler = {
    .on_request = on_request,
    .on_gone = on_gone,
    .on_refused = on_refused,
    .on_taken = on_taken,
};

static struct outcome run(sotto_span in, size_t step)
{
    static const struct sotto_h2_server_limits limits = {
        .http = {.head_bytes = 2048, .body_bytes = 4096},
        .head_ms = 1000,
        .body_window_ms = 1000,
        .body_window_bytes = 100,
        .keep_alive_ms = 1000,
        .send_ms = 1000,
        .out_bytes = 1 << 20,
    };
    struct outcome o = {.err = SOTTO_OK};
    struct sotto_h2_server *h2;
    struct sotto_buf out;
    sotto_buf_init(&o.text, SOTTO_BUF_UNBOUNDED);
    sotto_buf_init(&out, SOTTO_BUF_UNBOUNDED);
    must(sotto_h2_server_new(&limits, &handler, &o, 1, &h2) == SOTTO_OK);
    o.err = sotto_h2_server_feed(h2, SOTTO_LIT("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 1);
    for (size_t at = 0; at < in.len && o.err == SOTTO_OK; at += step) {
        size_t end = in.len - at < step ? in.len : at + step;
        o.err = sotto_h2_server_feed(h2, sotto_span_sub(in, at, end), 1);
    }
    do { /* what has no window stays */
        sotto_buf_truncate(&out, 0);
        must(sotto_h2_server_send(h2, &out, 1) == SOTTO_OK);
        o.out += out.len;
    } while (out.len != 0);
    must(o.out <= FIXED_OUT + in.len * OUT_A_BYTE);
    must(o.gone <= o.running);
    /* Far later: all time limits at once. */
    enum sotto_err late = sotto_h2_server_tick(h2, INT64_C(10000000));
    must(late == SOTTO_OK || late == SOTTO_ETIMEOUT || late == o.err);
    must(sotto_h2_server_send(h2, &out, INT64_C(10000000)) == SOTTO_OK);
    sotto_buf_free(&out);
    sotto_h2_server_free(h2);
    return o;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    sotto_span in = sotto_span_init(data, size);
    struct outcome whole = run(in, size);
    const size_t steps[] = {1, (size_t)data[size / 2] % 31 + 1};
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        struct outcome pieces = run(in, steps[i]);
        bool same = pieces.err == whole.err &&
                    sotto_span_eq(sotto_buf_span(&pieces.text), sotto_buf_span(&whole.text));
        must(same || h2_goes_on_and_on(in));
        sotto_buf_free(&pieces.text);
    }
    sotto_buf_free(&whole.text);
    return 0;
}
