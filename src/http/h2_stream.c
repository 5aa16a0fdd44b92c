/* SPDX-License-Identifier: Apache-2.0 */

#include "http/h2_session.h"

#include "base/alloc.h"
#include "base/decimal.h"

/* Most bytes of the lines and of the body of a refusal. */
#define H2_REFUSAL_BYTES SOTTO_HTTP_HEAD_MAX

void sotto_h2_stream_drop_body(struct sotto_h2_stream *s)
{
    s->h2->held -= s->body.len;
    sotto_buf_free(&s->body);
}

void sotto_h2_stream_free(struct sotto_h2_stream *s)
{
    struct sotto_h2_server *h2 = s->h2;
    if (s->prev != NULL) {
        s->prev->next = s->next;
    } else {
        h2->streams = s->next;
    }
    if (s->next != NULL) {
        s->next->prev = s->prev;
    }
    h2->stream_count--;
    h2->idle_us = h2->now_us;
    sotto_h2_stream_drop_body(s);
    sotto_h2_head_free(&s->head);
    sotto_buf_free(&s->block);
    sotto_buf_free(&s->out);
    sotto_free(s);
}

struct sotto_h2_stream *sotto_h2_stream_new(struct sotto_h2_server *h2, int32_t id)
{
    struct sotto_h2_stream *s = sotto_calloc(1, sizeof(*s));
    if (s == NULL) {
        return NULL;
    }
    s->h2 = h2;
    s->id = id;
    s->begun_us = h2->now_us;
    sotto_h2_head_init(&s->head, h2->limits.http.head_bytes);
    sotto_buf_init(&s->block, SOTTO_BUF_UNBOUNDED);
    sotto_buf_init(&s->body, h2->limits.http.body_bytes);
    sotto_buf_init(&s->out, h2->limits.out_bytes);
    s->next = h2->streams;
    if (s->next != NULL) {
        s->next->prev = s;
    }
    h2->streams = s;
    h2->stream_count++;
    return s;
}

void sotto_h2_stream_reset(struct sotto_h2_stream *s, uint32_t code)
{
    if (nghttp2_submit_rst_stream(s->h2->session, NGHTTP2_FLAG_NONE, s->id, code) != 0) {
        sotto_h2_give_up(s->h2, SOTTO_ENOMEM);
    }
}

/* --- sending ---------------------------------------------------------------------------------- */

size_t sotto_h2_stream_waiting(const struct sotto_h2_stream *s)
{
    return s->out.len - s->out_at;
}

/* How much of the answer goes into the next frame; the bytes are copied by sotto_h2_stream_send(). */
static ssize_t next_data(nghttp2_session *session, int32_t id, uint8_t *to, size_t most,
                         uint32_t *flags, nghttp2_data_source *source, void *ctx)
{
    struct sotto_h2_stream *s = source->ptr;
    size_t n = sotto_h2_stream_waiting(s);
    (void)session;
    (void)id;
    (void)to;
    (void)ctx;
    if (n == 0 && s->aborted) {
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE; /* RST_STREAM with INTERNAL_ERROR */
    }
    if (n == 0 && !s->ended) {
        return NGHTTP2_ERR_DEFERRED;
    }
    *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
    if (n <= most && s->ended && !s->aborted) {
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    }
    return (ssize_t)(n < most ? n : most);
}

int sotto_h2_stream_send(nghttp2_session *session, nghttp2_frame *frame, const uint8_t *head,
                         size_t n, nghttp2_data_source *source, void *ctx)
{
    struct sotto_h2_server *h2 = ctx;
    struct sotto_h2_stream *s = source->ptr;
    (void)session;
    (void)frame;
    if (h2->out->len >= SOTTO_H2_SEND_BYTES) {
        return NGHTTP2_ERR_WOULDBLOCK;
    }
    if (sotto_buf_append(h2->out, sotto_span_init(head, 9)) != SOTTO_OK ||
        sotto_buf_append(h2->out, sotto_span_init(s->out.base + s->out_at, n)) != SOTTO_OK) {
        return NGHTTP2_ERR_CALLBACK_FAILURE;
    }
    s->out_at += n;
    s->counted += n;
    s->taken = true;
    bool all = sotto_h2_stream_waiting(s) == 0;
    if (all) {
        sotto_buf_free(&s->out);
        s->out_at = 0;
        s->since_us = 0;
    }
    if (all || n >= SOTTO_H2_SLIVER_BYTES) {
        sotto_h2_earn(&h2->frames, SOTTO_H2_FRAMES_EARNED, SOTTO_H2_IDLE_FRAMES);
    }
    return 0;
}

/* --- answers ---------------------------------------------------------------------------------- */

void sotto_h2_stream_set_user(struct sotto_h2_stream *s, void *user)
{
    s->user = user;
}

void *sotto_h2_stream_user(const struct sotto_h2_stream *s)
{
    return s->user;
}

/* Submits the head of the answer; `with_body`: DATA follow. */
static bool submit_head(struct sotto_h2_stream *s, int status, sotto_span lines, int64_t length,
                        bool with_body)
{
    SOTTO_UNINIT struct sotto_h2_fields fields; /* 5 KiB, of which few are needed */
    char code[SOTTO_DECIMAL_MAX], digits[SOTTO_DECIMAL_MAX];
    const nghttp2_data_provider data = {.source.ptr = s, .read_callback = next_data};
    size_t code_len = sotto_decimal((uint64_t)status, 1, code);
    fields.count = 0;
    if (sotto_h2_add_field(&fields, SOTTO_LIT(":status"), sotto_span_init(code, code_len)) !=
            SOTTO_OK ||
        sotto_h2_add_lines(&fields, lines) != SOTTO_OK) {
        return false;
    }
    if (length >= 0) {
        size_t n = sotto_decimal((uint64_t)length, 1, digits);
        if (sotto_h2_add_field(&fields, SOTTO_LIT("content-length"), sotto_span_init(digits, n)) !=
            SOTTO_OK) {
            return false;
        }
    }
    s->begun = true;
    return nghttp2_submit_response(s->h2->session, s->id, fields.list, fields.count,
                                   with_body ? &data : NULL) == 0;
}

static bool has_no_body(const struct sotto_h2_stream *s, int status)
{
    return s->head.is_head || status == 204 || status == 304;
}

static bool enqueue(struct sotto_h2_stream *s, sotto_span piece)
{
    if (piece.len == 0) {
        return true;
    }
    if (s->out_at > s->out.len / 2) {
        sotto_buf_consume(&s->out, s->out_at);
        s->out_at = 0;
    }
    if (sotto_h2_stream_waiting(s) == 0) {
        s->since_us = s->h2->now_us;
        s->counted = 0;
    }
    return sotto_buf_append(&s->out, piece) == SOTTO_OK;
}

void sotto_h2_stream_reply(struct sotto_h2_stream *s, int status, sotto_span lines, sotto_span body)
{
    bool no_length = status == 204 || status == 304;
    bool with_body = !has_no_body(s, status) && body.len != 0;
    s->state = H2_STREAM_ANSWERED;
    s->ended = true;
    if ((with_body && !enqueue(s, body)) ||
        !submit_head(s, status, lines, no_length ? -1 : (int64_t)body.len, with_body)) {
        sotto_h2_stream_reset(s, NGHTTP2_INTERNAL_ERROR);
    }
}

bool sotto_h2_stream_begin(struct sotto_h2_stream *s, int status, sotto_span lines)
{
    s->bodiless = has_no_body(s, status);
    return submit_head(s, status, lines, -1, true);
}

bool sotto_h2_stream_write(struct sotto_h2_stream *s, sotto_span piece, bool last)
{
    if (!s->bodiless && !enqueue(s, piece)) {
        return false;
    }
    s->ended = last;
    if (last) {
        s->state = H2_STREAM_ANSWERED;
    }
    if (last || (piece.len != 0 && !s->bodiless)) {
        /* It is an error only where nothing was deferred. */
        sotto_ignore(nghttp2_session_resume_data(s->h2->session, s->id) == 0 ? SOTTO_OK
                                                                             : SOTTO_ESTATE);
    }
    return true;
}

void sotto_h2_stream_abort(struct sotto_h2_stream *s)
{
    s->state = H2_STREAM_ANSWERED;
    s->aborted = true;
    if (s->begun) {
        sotto_ignore(nghttp2_session_resume_data(s->h2->session, s->id) == 0
                         ? SOTTO_OK
                         : SOTTO_ESTATE); /* as above */
    } else {
        sotto_h2_stream_reset(s, NGHTTP2_INTERNAL_ERROR);
    }
}

/* The server's own answer to what is no request. */
void sotto_h2_stream_refuse(struct sotto_h2_stream *s, int status, const char *reason)
{
    struct sotto_h2_server *h2 = s->h2;
    struct sotto_buf lines, body;
    sotto_buf_init(&lines, H2_REFUSAL_BYTES);
    sotto_buf_init(&body, H2_REFUSAL_BYTES);
    sotto_h2_stream_drop_body(s);
    h2->handler->on_refused(h2->ctx, status, reason, &lines, &body);
    sotto_h2_stream_reply(s, status, sotto_buf_span(&lines), sotto_buf_span(&body));
    sotto_buf_free(&lines);
    sotto_buf_free(&body);
}
