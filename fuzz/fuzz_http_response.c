/* SPDX-License-Identifier: Apache-2.0 */

/*
 * HTTP responses.  Oracle: whatever way the bytes are cut, the same head, body and end come out,
 * or both are refused.  The first byte says whether the request was HEAD.
 */

#include <stdlib.h>

#include "base/buf.h"
#include "http/head.h"
#include "http/response.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct outcome {
    struct sotto_buf text;
    enum sotto_err err;
    size_t used;
    bool done;
    bool reusable;
};

static void must(bool ok)
{
    if (!ok) {
        abort();
    }
}

static enum sotto_err feed(struct sotto_http_response *r, sotto_span in, struct outcome *o)
{
    struct sotto_http_head head;
    for (;;) {
        size_t used;
        enum sotto_http_event event;
        sotto_span piece;
        enum sotto_err err = sotto_http_response_feed(r, in, &used, &event, &piece);
        o->used += used;
        in = sotto_span_skip(in, used);
        if (err != SOTTO_OK || event == SOTTO_HTTP_MORE) {
            return err;
        }
        switch (event) {
        case SOTTO_HTTP_HEAD:
            must(sotto_http_head_index(sotto_http_response_head(r), false, &head) == SOTTO_OK);
            must(head.status == sotto_http_response_status(r) && head.status >= 200);
            must(sotto_buf_append(&o->text, sotto_http_response_head(r)) == SOTTO_OK);
            break;
        case SOTTO_HTTP_BODY:
            must(piece.len != 0);
            must(sotto_buf_append(&o->text, piece) == SOTTO_OK);
            break;
        case SOTTO_HTTP_DONE:
        case SOTTO_HTTP_MORE:
            o->done = true;
            o->reusable = sotto_http_response_reusable(r);
            return SOTTO_OK;
        }
    }
}

static struct outcome run(sotto_span in, size_t step, bool to_head)
{
    struct outcome o = {.err = SOTTO_OK};
    struct sotto_http_response *r;
    sotto_buf_init(&o.text, SOTTO_BUF_UNBOUNDED);
    must(sotto_http_response_new(2048, &r) == SOTTO_OK);
    sotto_http_response_next(r, to_head);
    for (size_t at = 0; at < in.len && o.err == SOTTO_OK && !o.done; at += step) {
        size_t end = in.len - at < step ? in.len : at + step;
        o.err = feed(r, sotto_span_sub(in, at, end), &o);
    }
    if (o.err == SOTTO_OK && !o.done) {
        o.err = sotto_http_response_eof(r);
    }
    sotto_http_response_free(r);
    return o;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2) {
        return 0;
    }
    bool to_head = data[0] == 'h';
    sotto_span in = sotto_span_init(data + 1, size - 1);
    struct outcome whole = run(in, in.len, to_head);
    const size_t steps[] = {1, (size_t)data[size / 2] % 31 + 1};
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        struct outcome pieces = run(in, steps[i], to_head);
        must(pieces.err == whole.err && pieces.done == whole.done);
        must(pieces.reusable == whole.reusable);
        if (whole.err == SOTTO_OK) {
            must(pieces.used == whole.used);
            must(sotto_span_eq(sotto_buf_span(&pieces.text), sotto_buf_span(&whole.text)));
        }
        sotto_buf_free(&pieces.text);
    }
    sotto_buf_free(&whole.text);
    return 0;
}
