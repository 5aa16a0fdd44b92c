/* SPDX-License-Identifier: Apache-2.0 */

#include "http/request.h"

#include "base/alloc.h"
#include "http/framing.h"
#include "http/message.h"
#include "http/target.h"

/* Empty lines that a client may send in front of a request (RFC 9112 2.2). */
#define REQUEST_EMPTY_LINES_MAX 4
/* A body of known length up to this size gets its memory at once; longer ones as they come. */
#define REQUEST_RESERVE_MAX ((size_t)256 << 10)
/* A block up to this size is kept between requests of a connection. */
#define REQUEST_KEEP_BYTES 2048
/* What the block adds to the bytes of a head: a space behind a colon that had none. */
#define REQUEST_BLOCK_EXTRA (2 * SOTTO_HTTP_FIELDS_MAX + 16)

enum request_state {
    REQUEST_HEAD,
    REQUEST_BODY,
    REQUEST_DONE,
    REQUEST_DEAD,
};

struct sotto_http_request {
    enum request_state state;
    int status;
    const char *reason;
    struct sotto_http_limits limits;
    struct sotto_collector head;
    struct sotto_buf block;
    struct sotto_framing framing;
    struct sotto_buf body;
    sotto_span whole; /* the body, where it lay in one piece of input */
    uint64_t length;  /* of the body, where it was announced */
    int empty_lines;
    int minor;
    bool seen; /* a byte of the request */
    bool keep_alive;
    bool expects_continue;
    bool is_head;
};

enum sotto_err sotto_http_request_new(const struct sotto_http_limits *limits,
                                      struct sotto_http_request **out)
{
    struct sotto_http_request *r = sotto_calloc(1, sizeof(*r));
    if (r == NULL) {
        return SOTTO_ENOMEM;
    }
    r->limits = *limits;
    r->reason = "";
    r->head.max = limits->head_bytes;
    sotto_buf_init(&r->head.held, limits->head_bytes);
    sotto_buf_init(&r->block, limits->head_bytes + REQUEST_BLOCK_EXTRA);
    sotto_buf_init(&r->body, limits->body_bytes);
    *out = r;
    return SOTTO_OK;
}

void sotto_http_request_free(struct sotto_http_request *r)
{
    if (r != NULL) {
        sotto_buf_free(&r->head.held);
        sotto_buf_free(&r->block);
        sotto_buf_free(&r->body);
        sotto_free(r);
    }
}

void sotto_http_request_next(struct sotto_http_request *r)
{
    sotto_collect_next(&r->head);
    if (r->block.cap > REQUEST_KEEP_BYTES) {
        sotto_buf_free(&r->block);
    } else {
        sotto_buf_truncate(&r->block, 0);
    }
    sotto_buf_free(&r->body);
    r->whole = sotto_span_init(NULL, 0);
    r->state = REQUEST_HEAD;
    r->status = 0;
    r->reason = "";
    r->empty_lines = 0;
    r->seen = r->keep_alive = r->expects_continue = r->is_head = false;
}

/* Every refusal passes here, so that a failed reader stays dead and wiped. */
static enum sotto_err refuse(struct sotto_http_request *r, int status, const char *reason)
{
    sotto_http_request_next(r);
    r->seen = true;
    r->state = REQUEST_DEAD;
    r->status = status;
    r->reason = reason;
    switch (status) {
    case 413:
    case 431:
        return SOTTO_ELIMIT;
    case 503:
        return SOTTO_ENOMEM;
    default:
        return SOTTO_EFORMAT;
    }
}

static enum sotto_err no_memory(struct sotto_http_request *r)
{
    return refuse(r, 503, "out of memory");
}

static enum sotto_err check_host(struct sotto_http_request *r, const struct sotto_http_head *head)
{
    size_t count = sotto_http_count(head, "host");
    if (count > 1) {
        return refuse(r, 400, "more than one Host field");
    }
    if (count == 0 && r->minor == 1) {
        return refuse(r, 400, "the Host field is missing");
    }
    if (!sotto_http_is_host(sotto_http_get(head, "host"))) {
        return refuse(r, 400, "the Host field is not valid");
    }
    return SOTTO_OK;
}

static enum sotto_err check_expect(struct sotto_http_request *r, const struct sotto_http_head *head)
{
    if (r->minor == 0 || sotto_http_count(head, "expect") == 0) {
        return SOTTO_OK; /* HTTP/1.0: to be ignored, RFC 9110 10.1.1 */
    }
    if (!sotto_span_ieq(sotto_http_get(head, "expect"), SOTTO_LIT("100-continue"))) {
        return refuse(r, 417, "only 100-continue can be expected");
    }
    r->expects_continue = !sotto_framing_done(&r->framing);
    return SOTTO_OK;
}

static enum sotto_err begin_body(struct sotto_http_request *r, const struct sotto_http_head *head)
{
    struct sotto_message_framing framing;
    if (sotto_message_framing(head, r->minor, &framing) != SOTTO_OK) {
        return refuse(r, 400, "the length of the body is not clear");
    }
    if (framing.length > r->limits.body_bytes) {
        return refuse(r, 413, "the body is too large");
    }
    sotto_span coding = sotto_http_get(head, "content-encoding");
    if (sotto_http_count(head, "content-encoding") > 1 ||
        (coding.base != NULL && !sotto_span_ieq(coding, SOTTO_LIT("identity")))) {
        return refuse(r, 415, "a Content-Encoding is not supported in requests");
    }
    r->framing = framing.chunked ? sotto_framing_chunked() : sotto_framing_length(framing.length);
    r->length = framing.length;
    r->state = REQUEST_BODY;
    return SOTTO_OK;
}

static enum sotto_err write_block(struct sotto_http_request *r, const struct sotto_http_head *head)
{
    enum sotto_err err;
    if ((err = sotto_buf_append(&r->block, head->method)) != SOTTO_OK ||
        (err = sotto_buf_append(&r->block, SOTTO_LIT(" "))) != SOTTO_OK ||
        (err = sotto_buf_append(&r->block, head->target)) != SOTTO_OK ||
        (err = sotto_buf_append(&r->block, SOTTO_LIT("\r\n"))) != SOTTO_OK) {
        return err;
    }
    return sotto_message_fields(head, &r->block);
}

static enum sotto_err read_head(struct sotto_http_request *r, sotto_span raw)
{
    struct sotto_http_head head;
    enum sotto_err err = sotto_message_read(raw, true, &head, &r->minor);
    if (err == SOTTO_ELIMIT) {
        return refuse(r, 431, "too many header fields");
    }
    if (err != SOTTO_OK) {
        return refuse(r, 400, "the request is not valid HTTP/1.1");
    }
    if (!sotto_http_normalise_target(&head)) {
        return refuse(r, 400, "the request target is not valid");
    }
    if ((err = check_host(r, &head)) != SOTTO_OK || (err = begin_body(r, &head)) != SOTTO_OK ||
        (err = check_expect(r, &head)) != SOTTO_OK) {
        return err;
    }
    r->keep_alive = sotto_message_keep_alive(&head, r->minor);
    r->is_head = sotto_span_eq(head.method, SOTTO_LIT("HEAD"));
    return write_block(r, &head) == SOTTO_OK ? SOTTO_OK : no_memory(r);
}

static enum sotto_err feed_head(struct sotto_http_request *r, sotto_span in, size_t *used,
                                enum sotto_http_event *event)
{
    sotto_span raw;
    enum sotto_err err = sotto_collect(&r->head, in, used, &raw);
    if (err == SOTTO_EFORMAT) {
        return refuse(r, 400, "a line of the head is not valid");
    }
    if (err == SOTTO_ELIMIT) {
        return refuse(r, 431, "the header fields are too large");
    }
    if (err != SOTTO_OK) {
        return no_memory(r);
    }
    r->seen = r->seen || *used != 0;
    if (raw.len == 0) {
        return SOTTO_OK;
    }
    if (raw.len == 2) { /* an empty line in front of the request */
        sotto_collect_next(&r->head);
        if (++r->empty_lines > REQUEST_EMPTY_LINES_MAX) {
            return refuse(r, 400, "empty lines in place of a request");
        }
        return SOTTO_OK;
    }
    if ((err = read_head(r, raw)) == SOTTO_OK) {
        sotto_collect_next(&r->head);
        *event = SOTTO_HTTP_HEAD;
    }
    return err;
}

static enum sotto_err take_piece(struct sotto_http_request *r, sotto_span piece)
{
    if (piece.len == r->length && r->body.len == 0) {
        r->whole = piece; /* nothing to copy: it came in one piece */
        return SOTTO_OK;
    }
    if (r->body.len == 0 && r->length != 0 && r->length <= REQUEST_RESERVE_MAX &&
        sotto_buf_reserve(&r->body, (size_t)r->length) != SOTTO_OK) {
        return no_memory(r);
    }
    enum sotto_err err = sotto_buf_append(&r->body, piece);
    if (err == SOTTO_ELIMIT) {
        return refuse(r, 413, "the body is too large");
    }
    return err == SOTTO_OK ? SOTTO_OK : no_memory(r);
}

static enum sotto_err feed_body(struct sotto_http_request *r, sotto_span in, size_t *used,
                                enum sotto_http_event *event)
{
    *used = 0;
    while (!sotto_framing_done(&r->framing) && *used < in.len) {
        size_t n;
        sotto_span piece;
        enum sotto_err err =
            sotto_framing_next(&r->framing, sotto_span_skip(in, *used), &n, &piece);
        *used += n;
        if (err != SOTTO_OK) {
            return refuse(r, 400, "the chunked body is not valid");
        }
        if (piece.len != 0 && (err = take_piece(r, piece)) != SOTTO_OK) {
            return err;
        }
    }
    if (sotto_framing_done(&r->framing)) {
        r->state = REQUEST_DONE;
        *event = SOTTO_HTTP_DONE;
    }
    return SOTTO_OK;
}

enum sotto_err sotto_http_request_feed(struct sotto_http_request *r, sotto_span in, size_t *used,
                                       enum sotto_http_event *event)
{
    enum sotto_err err = SOTTO_OK;
    size_t total = 0, n = 0;

    *event = SOTTO_HTTP_MORE;
    while (err == SOTTO_OK && r->state == REQUEST_HEAD && *event == SOTTO_HTTP_MORE &&
           total < in.len) {
        err = feed_head(r, sotto_span_skip(in, total), &n, event);
        total += err == SOTTO_OK ? n : 0;
    }
    if (err == SOTTO_OK && *event == SOTTO_HTTP_MORE) {
        switch (r->state) {
        case REQUEST_HEAD:
            break;
        case REQUEST_BODY:
            err = feed_body(r, in.len != 0 ? sotto_span_skip(in, total) : in, &n, event);
            total += n;
            break;
        case REQUEST_DONE:
        case REQUEST_DEAD:
            err = SOTTO_ESTATE;
            break;
        }
    }
    *used = total;
    return err;
}

int sotto_http_request_status(const struct sotto_http_request *r)
{
    return r->status;
}

const char *sotto_http_request_reason(const struct sotto_http_request *r)
{
    return r->reason;
}

bool sotto_http_request_idle(const struct sotto_http_request *r)
{
    return !r->seen;
}

bool sotto_http_request_in_body(const struct sotto_http_request *r)
{
    return r->state == REQUEST_BODY;
}

sotto_span sotto_http_request_head(const struct sotto_http_request *r)
{
    return sotto_buf_span(&r->block);
}

sotto_span sotto_http_request_body(const struct sotto_http_request *r)
{
    return r->whole.len != 0 ? r->whole : sotto_buf_span(&r->body);
}

bool sotto_http_request_expects_continue(const struct sotto_http_request *r)
{
    return r->expects_continue;
}

bool sotto_http_request_keep_alive(const struct sotto_http_request *r)
{
    return r->keep_alive;
}

bool sotto_http_request_is_11(const struct sotto_http_request *r)
{
    return r->minor == 1;
}

bool sotto_http_request_is_head(const struct sotto_http_request *r)
{
    return r->is_head;
}
