/* SPDX-License-Identifier: Apache-2.0 */

/*
 * HTTP requests.  Oracles: whatever way the bytes are cut, the same requests come out or the same
 * refusal; what is accepted is read in the same way by llhttp alone, in its strict mode; a block
 * can be indexed and says the same again.
 */

#include <llhttp.h>
#include <stdlib.h>

#include "base/buf.h"
#include "http/head.h"
#include "http/request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct outcome {
    struct sotto_buf text;
    struct sotto_buf bodies;
    int status;
    size_t messages;
    size_t used;     /* bytes so far */
    size_t complete; /* bytes of complete messages */
};

static void must(bool ok)
{
    if (!ok) {
        abort();
    }
}

static void note(struct outcome *o, const struct sotto_http_request *r)
{
    struct sotto_http_head head;
    sotto_span block = sotto_http_request_head(r), body = sotto_http_request_body(r);
    must(sotto_http_head_index(block, true, &head) == SOTTO_OK);
    must(sotto_http_count(&head, "content-length") + sotto_http_count(&head, "transfer-encoding") <=
         1);
    must(sotto_buf_append(&o->text, block) == SOTTO_OK);
    must(sotto_buf_append(&o->text, body) == SOTTO_OK);
    must(sotto_buf_append(&o->bodies, body) == SOTTO_OK);
    must(sotto_buf_push(&o->text, '|') == SOTTO_OK);
    o->messages++;
}

static bool feed(struct sotto_http_request *r, sotto_span in, struct outcome *o)
{
    for (;;) {
        size_t used;
        enum sotto_http_event event;
        if (sotto_http_request_feed(r, in, &used, &event) != SOTTO_OK) {
            o->status = sotto_http_request_status(r);
            must(o->status >= 400);
            return false;
        }
        in = sotto_span_skip(in, used);
        o->used += used;
        if (event == SOTTO_HTTP_DONE) {
            note(o, r);
            o->complete = o->used;
            if (!sotto_http_request_keep_alive(r)) {
                return false; /* as a server, which closes */
            }
            sotto_http_request_next(r);
        }
        if (event == SOTTO_HTTP_MORE || (event == SOTTO_HTTP_DONE && in.len == 0)) {
            return true;
        }
    }
}

static struct outcome run(sotto_span in, size_t step)
{
    static const struct sotto_http_limits limits = {.head_bytes = 2048, .body_bytes = 4096};
    struct outcome o = {.status = 0};
    struct sotto_http_request *r;
    sotto_buf_init(&o.text, SOTTO_BUF_UNBOUNDED);
    sotto_buf_init(&o.bodies, SOTTO_BUF_UNBOUNDED);
    must(sotto_http_request_new(&limits, &r) == SOTTO_OK);
    for (size_t at = 0; at < in.len; at += step) {
        size_t end = in.len - at < step ? in.len : at + step;
        if (!feed(r, sotto_span_sub(in, at, end), &o)) {
            break;
        }
    }
    sotto_http_request_free(r);
    return o;
}

struct second_opinion {
    llhttp_t parser;
    struct sotto_buf bodies;
    size_t messages;
};

static int on_body(llhttp_t *parser, const char *at, size_t len)
{
    struct second_opinion *s = (struct second_opinion *)(void *)parser;
    must(sotto_buf_append(&s->bodies, sotto_span_init(at, len)) == SOTTO_OK);
    return 0;
}

static int on_complete(llhttp_t *parser)
{
    ((struct second_opinion *)(void *)parser)->messages++;
    return 0;
}

/* What we accept, llhttp accepts, and sees the same bodies. */
static void compare(sotto_span in, const struct outcome *ours)
{
    static const llhttp_settings_t settings = {.on_body = on_body,
                                               .on_message_complete = on_complete};
    struct second_opinion s = {.messages = 0};
    sotto_buf_init(&s.bodies, SOTTO_BUF_UNBOUNDED);
    llhttp_init(&s.parser, HTTP_REQUEST, &settings);
    llhttp_errno_t result = llhttp_execute(&s.parser, (const char *)in.base, in.len);
    if (result == HPE_OK) {
        must(s.messages == ours->messages);
        must(sotto_span_eq(sotto_buf_span(&s.bodies), sotto_buf_span(&ours->bodies)));
    } else {
        must(result == HPE_PAUSED_UPGRADE); /* it stops at an Upgrade, which we ignore */
    }
    sotto_buf_free(&s.bodies);
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
        must(pieces.status == whole.status);
        must(sotto_span_eq(sotto_buf_span(&pieces.text), sotto_buf_span(&whole.text)));
        sotto_buf_free(&pieces.text);
        sotto_buf_free(&pieces.bodies);
    }
    compare(sotto_span_sub(in, 0, whole.complete), &whole);
    sotto_buf_free(&whole.text);
    sotto_buf_free(&whole.bodies);
    return 0;
}
