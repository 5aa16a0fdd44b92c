/* SPDX-License-Identifier: Apache-2.0 */

#include "http/response.h"

#include "base/alloc.h"
#include "base/decimal.h"
#include "http/framing.h"
#include "http/message.h"

/* Interim responses in front of one answer; more is an attempt to keep us busy. */
#define RESPONSE_INTERIM_MAX 16
#define RESPONSE_BLOCK_EXTRA (2 * SOTTO_HTTP_FIELDS_MAX + 16)

/* What every head starts with: something else is refused at its first byte, not at a time limit. */
static const char RESPONSE_PREFIX[] = "HTTP/1.";

enum response_state {
    RESPONSE_HEAD,
    RESPONSE_EMPTY, /* the head was handed out and there is no body */
    RESPONSE_BODY,
    RESPONSE_DONE,
    RESPONSE_DEAD,
};

struct sotto_http_response {
    enum response_state state;
    struct sotto_collector head;
    struct sotto_buf block;
    struct sotto_framing framing;
    size_t head_bytes; /* limit */
    int status;
    int interim_count;
    size_t prefix_len; /* how much of RESPONSE_PREFIX has been seen */
    bool to_head;
    bool seen;
    bool keep_alive;
};

enum sotto_err sotto_http_response_new(size_t head_bytes, struct sotto_http_response **out)
{
    struct sotto_http_response *r = sotto_calloc(1, sizeof(*r));
    if (r == NULL) {
        return SOTTO_ENOMEM;
    }
    r->head_bytes = head_bytes;
    sotto_buf_init(&r->head.held, head_bytes);
    sotto_buf_init(&r->block, head_bytes + RESPONSE_BLOCK_EXTRA);
    sotto_http_response_next(r, false);
    *out = r;
    return SOTTO_OK;
}

void sotto_http_response_free(struct sotto_http_response *r)
{
    if (r != NULL) {
        sotto_buf_free(&r->head.held);
        sotto_buf_free(&r->block);
        sotto_free(r);
    }
}

void sotto_http_response_next(struct sotto_http_response *r, bool to_head)
{
    sotto_collect_next(&r->head);
    sotto_buf_free(&r->block);
    r->head.max = r->head_bytes;
    r->state = RESPONSE_HEAD;
    r->status = r->interim_count = 0;
    r->prefix_len = 0;
    r->to_head = to_head;
    r->seen = r->keep_alive = false;
}

/* RFC 9112 6.3, in its order. */
static enum sotto_err begin_body(struct sotto_http_response *r, const struct sotto_http_head *head,
                                 int minor)
{
    struct sotto_message_framing framing;
    enum sotto_err err = sotto_message_framing(head, minor, &framing);
    if (err != SOTTO_OK) {
        return err;
    }
    r->keep_alive = sotto_message_keep_alive(head, minor);
    if (r->to_head || head->status == 204 || head->status == 304) {
        r->framing = sotto_framing_length(0);
    } else if (framing.chunked) {
        r->framing = sotto_framing_chunked();
    } else if (framing.has_length) {
        r->framing = sotto_framing_length(framing.length);
    } else {
        r->framing = sotto_framing_until_close();
        r->keep_alive = false;
    }
    r->state = sotto_framing_done(&r->framing) ? RESPONSE_EMPTY : RESPONSE_BODY;
    return SOTTO_OK;
}

static enum sotto_err write_block(struct sotto_http_response *r, const struct sotto_http_head *head)
{
    char line[SOTTO_DECIMAL_MAX];
    size_t len = sotto_decimal((unsigned)head->status, 3, line);
    enum sotto_err err = sotto_buf_append(&r->block, sotto_span_init(line, len));
    if (err == SOTTO_OK) {
        err = sotto_buf_append(&r->block, SOTTO_LIT("\r\n"));
    }
    return err == SOTTO_OK ? sotto_message_fields(head, &r->block) : err;
}

/* An interim response is dropped; what it used of the limit is not given back. */
static enum sotto_err skip_interim(struct sotto_http_response *r, int status, size_t len)
{
    if (status == 101 || ++r->interim_count > RESPONSE_INTERIM_MAX) {
        return SOTTO_EFORMAT; /* 101: nobody asked for another protocol */
    }
    r->head.max -= len;
    return SOTTO_OK;
}

static enum sotto_err read_head(struct sotto_http_response *r, sotto_span raw,
                                enum sotto_http_event *event)
{
    struct sotto_http_head head;
    int minor;
    enum sotto_err err = sotto_message_read(raw, false, &head, &minor);
    if (err != SOTTO_OK) {
        return err;
    }
    if (head.status < 100) {
        return SOTTO_EFORMAT;
    }
    if (head.status < 200) {
        return skip_interim(r, head.status, raw.len);
    }
    if ((err = begin_body(r, &head, minor)) == SOTTO_OK &&
        (err = write_block(r, &head)) == SOTTO_OK) {
        r->status = head.status;
        *event = SOTTO_HTTP_HEAD;
    }
    return err;
}

/* Looks at the bytes that the limit still allows, so that a long piece fails as its bytes would. */
static bool check_prefix(struct sotto_http_response *r, sotto_span in)
{
    static const size_t len = sizeof(RESPONSE_PREFIX) - 1;
    size_t room = r->head.max - r->head.held.len;
    size_t most = in.len < room ? in.len : room;
    for (size_t i = 0; i < most && r->prefix_len < len; i++) {
        if (in.base[i] != (uint8_t)RESPONSE_PREFIX[r->prefix_len++]) {
            return false;
        }
    }
    return true;
}

static enum sotto_err feed_head(struct sotto_http_response *r, sotto_span in, size_t *used,
                                enum sotto_http_event *event)
{
    enum sotto_err err = SOTTO_OK;
    while (err == SOTTO_OK && *event == SOTTO_HTTP_MORE && *used < in.len) {
        sotto_span rest = sotto_span_skip(in, *used);
        sotto_span raw;
        size_t n = 0;
        r->seen = true;
        err = check_prefix(r, rest) ? sotto_collect(&r->head, rest, &n, &raw) : SOTTO_EFORMAT;
        if (err == SOTTO_OK) {
            *used += n;
            if (raw.len != 0) {
                err = read_head(r, raw, event);
                r->prefix_len = 0;
                sotto_collect_next(&r->head);
            }
        }
    }
    return err;
}

static enum sotto_err feed_body(struct sotto_http_response *r, sotto_span in, size_t *used,
                                enum sotto_http_event *event, sotto_span *piece)
{
    enum sotto_err err = sotto_framing_next(&r->framing, in, used, piece);
    if (err == SOTTO_ELIMIT) {
        err = SOTTO_EFORMAT; /* absurd framing, not a matter of configured limits */
    }
    if (err == SOTTO_OK && piece->len != 0) {
        *event = SOTTO_HTTP_BODY;
    } else if (err == SOTTO_OK && sotto_framing_done(&r->framing)) {
        r->state = RESPONSE_DONE;
        *event = SOTTO_HTTP_DONE;
    }
    return err;
}

enum sotto_err sotto_http_response_feed(struct sotto_http_response *r, sotto_span in, size_t *used,
                                        enum sotto_http_event *event, sotto_span *piece)
{
    enum sotto_err err = SOTTO_OK;

    *used = 0;
    *event = SOTTO_HTTP_MORE;
    *piece = sotto_span_init(NULL, 0);
    switch (r->state) {
    case RESPONSE_HEAD:
        err = feed_head(r, in, used, event);
        break;
    case RESPONSE_EMPTY:
        r->state = RESPONSE_DONE;
        *event = SOTTO_HTTP_DONE;
        break;
    case RESPONSE_BODY:
        err = feed_body(r, in, used, event, piece);
        break;
    case RESPONSE_DONE:
    case RESPONSE_DEAD:
        return SOTTO_ESTATE;
    }
    if (err != SOTTO_OK) {
        sotto_http_response_next(r, r->to_head);
        r->state = RESPONSE_DEAD;
        r->seen = true;
        *event = SOTTO_HTTP_MORE;
        *piece = sotto_span_init(NULL, 0);
    }
    return err;
}

enum sotto_err sotto_http_response_eof(struct sotto_http_response *r)
{
    if (r->state == RESPONSE_BODY && r->framing.state == FRAMING_CLOSE) {
        r->state = RESPONSE_DONE;
    }
    return r->state == RESPONSE_DONE ? SOTTO_OK : SOTTO_ECLOSED;
}

bool sotto_http_response_idle(const struct sotto_http_response *r)
{
    return !r->seen;
}

int sotto_http_response_status(const struct sotto_http_response *r)
{
    return r->status;
}

sotto_span sotto_http_response_head(const struct sotto_http_response *r)
{
    return sotto_buf_span(&r->block);
}

bool sotto_http_response_reusable(const struct sotto_http_response *r)
{
    return r->state == RESPONSE_DONE && r->keep_alive;
}
