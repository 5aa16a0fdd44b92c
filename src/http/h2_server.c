/* SPDX-License-Identifier: Apache-2.0 */

#include "http/h2_server.h"

#include "base/alloc.h"
#include "http/h2_session.h"

/* How long a client that was told to begin no more streams may still have begun some before it
 * read that: a round trip and more. */
#define H2_NOTICE_MS 1000

/* --- allowances ------------------------------------------------------------------------------- */

int sotto_h2_give_up(struct sotto_h2_server *h2, enum sotto_err err)
{
    uint32_t code = err == SOTTO_ELIMIT     ? NGHTTP2_ENHANCE_YOUR_CALM
                    : err == SOTTO_ETIMEOUT ? NGHTTP2_SETTINGS_TIMEOUT
                                            : NGHTTP2_INTERNAL_ERROR;
    if (h2->failed == SOTTO_OK) {
        h2->failed = err;
        /* Without memory for a GOAWAY the connection just closes. */
        sotto_ignore(nghttp2_session_terminate_session(h2->session, code) == 0 ? SOTTO_OK
                                                                               : SOTTO_ENOMEM);
    }
    return h2->out != NULL ? 0 : NGHTTP2_ERR_CALLBACK_FAILURE; /* while sending: GOAWAY too */
}

static int spend_frame(struct sotto_h2_server *h2)
{
    return sotto_h2_spend(&h2->frames, h2->now_us, SOTTO_H2_IDLE_FRAMES, SOTTO_H2_IDLE_FRAMES_S)
               ? 0
               : sotto_h2_give_up(h2, SOTTO_ELIMIT);
}

static struct sotto_h2_stream *find(struct sotto_h2_server *h2, int32_t id)
{
    return nghttp2_session_get_stream_user_data(h2->session, id);
}

/* --- requests --------------------------------------------------------------------------------- */

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *ctx)
{
    struct sotto_h2_server *h2 = ctx;
    if (frame->headers.cat != NGHTTP2_HCAT_REQUEST) {
        return 0; /* trailers */
    }
    struct sotto_h2_stream *s = sotto_h2_stream_new(h2, frame->hd.stream_id);
    if (s == NULL || nghttp2_session_set_stream_user_data(session, frame->hd.stream_id, s) != 0) {
        return sotto_h2_give_up(h2, SOTTO_ENOMEM);
    }
    return 0;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags,
                     void *ctx)
{
    struct sotto_h2_server *h2 = ctx;
    struct sotto_h2_stream *s = find(h2, frame->hd.stream_id);
    (void)session;
    (void)flags;
    if (s == NULL || frame->headers.cat != NGHTTP2_HCAT_REQUEST) {
        return 0; /* trailers are dropped */
    }
    return sotto_h2_head_add(&s->head, sotto_span_init(name, name_len),
                             sotto_span_init(value, value_len)) == SOTTO_OK
               ? 0
               : sotto_h2_give_up(h2, SOTTO_ELIMIT);
}

/* nghttp2 would pass over a field with characters that are not allowed. */
static int on_invalid_header(nghttp2_session *session, const nghttp2_frame *frame,
                             const uint8_t *name, size_t name_len, const uint8_t *value,
                             size_t value_len, uint8_t flags, void *ctx)
{
    (void)session;
    (void)name;
    (void)name_len;
    (void)value;
    (void)value_len;
    (void)flags;
    if (nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, frame->hd.stream_id,
                                  NGHTTP2_PROTOCOL_ERROR) != 0) {
        return sotto_h2_give_up(ctx, SOTTO_ENOMEM);
    }
    return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
}

static void request_complete(struct sotto_h2_stream *s)
{
    struct sotto_h2_server *h2 = s->h2;
    s->complete = true;
    if (s->state != H2_STREAM_BODY) {
        return; /* refused before */
    }
    struct sotto_buf block = s->block, body = s->body;
    sotto_buf_init(&s->block, 0);
    sotto_buf_init(&s->body, 0);
    h2->held -= body.len;
    s->state = H2_STREAM_RUNNING;
    s->since_us = 0;
    h2->handler->on_request(h2->ctx, s, sotto_buf_span(&block), sotto_buf_span(&body), s->begun_us);
    sotto_buf_free(&block);
    sotto_buf_free(&body);
}

static int submit_continue(struct sotto_h2_stream *s)
{
    struct sotto_h2_fields fields = {.count = 0};
    if (sotto_h2_add_field(&fields, SOTTO_LIT(":status"), SOTTO_LIT("100")) != SOTTO_OK ||
        nghttp2_submit_headers(s->h2->session, NGHTTP2_FLAG_NONE, s->id, NULL, fields.list,
                               fields.count, NULL) != 0) {
        return sotto_h2_give_up(s->h2, SOTTO_ENOMEM);
    }
    return 0;
}

static int head_complete(struct sotto_h2_stream *s, bool has_body)
{
    enum sotto_err err = sotto_h2_head_request(&s->head, s->h2->limits.http.body_bytes, &s->block);
    bool expects = s->head.expects_continue && has_body;
    if (err != SOTTO_OK) {
        s->complete = !has_body;
        sotto_h2_stream_refuse(s, s->head.refused, s->head.reason);
        return 0;
    }
    bool is_head = s->head.is_head;
    sotto_h2_head_free(&s->head);
    s->head.is_head = is_head;
    s->state = H2_STREAM_BODY;
    s->since_us = s->h2->now_us;
    return expects ? submit_continue(s) : 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *data,
                   size_t n, void *ctx)
{
    struct sotto_h2_server *h2 = ctx;
    struct sotto_h2_stream *s = find(h2, id);
    (void)flags;
    if (nghttp2_session_consume(session, id, n) != 0) {
        return sotto_h2_give_up(h2, SOTTO_ENOMEM);
    }
    if (s == NULL || s->state != H2_STREAM_BODY) {
        return 0;
    }
    s->counted += n;
    if (h2->held + n > SOTTO_H2_HELD_BYTES) {
        sotto_h2_stream_refuse(s, 503, "too many large requests at once on one connection");
        return 0;
    }
    enum sotto_err err = sotto_buf_append(&s->body, sotto_span_init(data, n));
    if (err != SOTTO_OK) {
        sotto_h2_stream_refuse(s, err == SOTTO_ELIMIT ? 413 : 503,
                               err == SOTTO_ELIMIT ? "the body is too large" : "out of memory");
        return 0;
    }
    h2->held += n;
    return 0;
}

/* --- frames ----------------------------------------------------------------------------------- */

static int on_begin_frame(nghttp2_session *session, const nghttp2_frame_hd *hd, void *ctx)
{
    struct sotto_h2_server *h2 = ctx;
    (void)session;
    if (hd->type == NGHTTP2_HEADERS) {
        h2->head_us = h2->now_us;
        h2->continuations = 0;
    } else if (hd->type != NGHTTP2_CONTINUATION) {
        h2->head_us = 0;
    } else if (++h2->continuations > SOTTO_H2_CONTINUATIONS_MAX) {
        return sotto_h2_give_up(h2, SOTTO_ELIMIT);
    }
    return hd->type == NGHTTP2_DATA && hd->length != 0 ? 0 : spend_frame(h2);
}

/* The client has read that it shall begin no more streams: what it has begun by now is all. */
static void end_notice(struct sotto_h2_server *h2)
{
    h2->notice_us = 0;
    if (nghttp2_submit_goaway(h2->session, NGHTTP2_FLAG_NONE,
                              nghttp2_session_get_last_proc_stream_id(h2->session),
                              NGHTTP2_NO_ERROR, NULL, 0) != 0) {
        sotto_h2_give_up(h2, SOTTO_ENOMEM);
    }
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *ctx)
{
    struct sotto_h2_server *h2 = ctx;
    struct sotto_h2_stream *s;
    bool end = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    (void)session;
    switch (frame->hd.type) {
    case NGHTTP2_HEADERS:
        h2->head_us = 0;
        s = find(h2, frame->hd.stream_id);
        if (s != NULL && frame->headers.cat == NGHTTP2_HCAT_REQUEST) {
            int result = head_complete(s, !end);
            if (result != 0) {
                return result;
            }
        }
        break;
    case NGHTTP2_DATA:
        s = find(h2, frame->hd.stream_id);
        break;
    case NGHTTP2_SETTINGS:
        if ((frame->hd.flags & NGHTTP2_FLAG_ACK) != 0) {
            h2->settings_us = 0;
        }
        return 0;
    case NGHTTP2_PING:
        if ((frame->hd.flags & NGHTTP2_FLAG_ACK) != 0 && h2->notice_us != 0) {
            end_notice(h2);
        }
        return 0;
    default:
        return 0;
    }
    if (s != NULL && end) {
        request_complete(s);
    }
    return h2->failed == SOTTO_OK ? 0 : NGHTTP2_ERR_CALLBACK_FAILURE;
}

/* An answer that is complete before its request: the rest is not wanted (RFC 9113 8.1). */
static int on_frame_sent(nghttp2_session *session, const nghttp2_frame *frame, void *ctx)
{
    struct sotto_h2_server *h2 = ctx;
    (void)session;
    if (frame->hd.type == NGHTTP2_HEADERS) {
        sotto_h2_earn(&h2->frames, SOTTO_H2_FRAMES_EARNED, SOTTO_H2_IDLE_FRAMES);
    }
    if ((frame->hd.type == NGHTTP2_DATA || frame->hd.type == NGHTTP2_HEADERS) &&
        (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) {
        struct sotto_h2_stream *s = find(h2, frame->hd.stream_id);
        if (s != NULL && !s->complete) {
            sotto_h2_stream_reset(s, NGHTTP2_NO_ERROR);
        }
    }
    return 0;
}

static int on_stream_close(nghttp2_session *session, int32_t id, uint32_t code, void *ctx)
{
    struct sotto_h2_server *h2 = ctx;
    struct sotto_h2_stream *s = find(h2, id);
    (void)session;
    if (s == NULL) {
        return 0;
    }
    if (s->state == H2_STREAM_RUNNING) {
        s->state = H2_STREAM_ANSWERED; /* it is over before it is told */
        h2->handler->on_gone(h2->ctx, s);
    }
    bool fine = code == NGHTTP2_NO_ERROR || s->aborted;
    sotto_h2_stream_free(s);
    if (!fine && !sotto_h2_spend(&h2->resets, h2->now_us, SOTTO_H2_RESETS, SOTTO_H2_RESETS_S)) {
        return sotto_h2_give_up(h2, SOTTO_ELIMIT);
    }
    return 0;
}

/* --- the connection --------------------------------------------------------------------------- */

static enum sotto_err new_session(struct sotto_h2_server *h2)
{
    struct sotto_h2_setup setup;
    enum sotto_err err = sotto_h2_setup_new(&setup);
    if (err != SOTTO_OK) {
        return err;
    }
    nghttp2_session_callbacks_set_on_begin_headers_callback(setup.callbacks, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(setup.callbacks, on_header);
    nghttp2_session_callbacks_set_on_invalid_header_callback(setup.callbacks, on_invalid_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(setup.callbacks, on_data);
    nghttp2_session_callbacks_set_on_begin_frame_callback(setup.callbacks, on_begin_frame);
    nghttp2_session_callbacks_set_on_frame_recv_callback(setup.callbacks, on_frame);
    nghttp2_session_callbacks_set_on_frame_send_callback(setup.callbacks, on_frame_sent);
    nghttp2_session_callbacks_set_on_stream_close_callback(setup.callbacks, on_stream_close);
    nghttp2_session_callbacks_set_send_data_callback(setup.callbacks, sotto_h2_stream_send);
    /* Our own allowances come first and say why. */
    nghttp2_option_set_stream_reset_rate_limit(setup.option, 2 * SOTTO_H2_RESETS,
                                               2 * SOTTO_H2_RESETS_S);
    if (nghttp2_session_server_new3(&h2->session, setup.callbacks, h2, setup.option,
                                    sotto_h2_memory()) != 0) {
        err = SOTTO_ENOMEM;
    }
    sotto_h2_setup_free(&setup);
    return err;
}

static enum sotto_err submit_settings(struct sotto_h2_server *h2)
{
    size_t head = h2->limits.http.head_bytes;
    const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_HEADER_TABLE_SIZE, 0},
        {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, SOTTO_H2_STREAMS_MAX},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, SOTTO_H2_STREAM_WINDOW},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, head < UINT32_MAX ? (uint32_t)head : UINT32_MAX},
        {NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1},
    };
    if (nghttp2_submit_settings(h2->session, NGHTTP2_FLAG_NONE, settings, SOTTO_COUNT(settings)) !=
            0 ||
        nghttp2_session_set_local_window_size(h2->session, NGHTTP2_FLAG_NONE, 0,
                                              SOTTO_H2_CONNECTION_WINDOW) != 0) {
        return SOTTO_ENOMEM;
    }
    return SOTTO_OK;
}

enum sotto_err sotto_h2_server_new(const struct sotto_h2_server_limits *limits,
                                   const struct sotto_h2_server_handler *handler, void *ctx,
                                   int64_t now_us, struct sotto_h2_server **out)
{
    struct sotto_h2_server *h2 = sotto_calloc(1, sizeof(*h2));
    enum sotto_err err = SOTTO_ENOMEM;
    if (h2 == NULL) {
        return err;
    }
    h2->limits = *limits;
    h2->handler = handler;
    h2->ctx = ctx;
    h2->now_us = h2->settings_us = h2->idle_us = now_us;
    h2->frames = (struct sotto_h2_allowance){SOTTO_H2_IDLE_FRAMES, now_us};
    h2->resets = (struct sotto_h2_allowance){SOTTO_H2_RESETS, now_us};
    if ((err = new_session(h2)) != SOTTO_OK || (err = submit_settings(h2)) != SOTTO_OK) {
        sotto_h2_server_free(h2);
        return err;
    }
    *out = h2;
    return SOTTO_OK;
}

void sotto_h2_server_free(struct sotto_h2_server *h2)
{
    if (h2 == NULL) {
        return;
    }
    nghttp2_session_del(h2->session);
    while (h2->streams != NULL) {
        sotto_h2_stream_free(h2->streams);
    }
    sotto_free(h2);
}

enum sotto_err sotto_h2_server_feed(struct sotto_h2_server *h2, sotto_span in, int64_t now_us)
{
    h2->now_us = now_us;
    if (h2->failed != SOTTO_OK) {
        return h2->failed;
    }
    ssize_t n = nghttp2_session_mem_recv(h2->session, in.base, in.len);
    if (h2->failed == SOTTO_OK && n < 0) {
        h2->failed = n == NGHTTP2_ERR_NOMEM     ? SOTTO_ENOMEM
                     : n == NGHTTP2_ERR_FLOODED ? SOTTO_ELIMIT
                                                : SOTTO_EFORMAT;
    }
    return h2->failed;
}

static void tell_taken(struct sotto_h2_server *h2)
{
    for (struct sotto_h2_stream *s = h2->streams, *next; s != NULL; s = next) {
        next = s->next;
        if (s->taken && s->state == H2_STREAM_RUNNING) {
            s->taken = false;
            h2->handler->on_taken(h2->ctx, s);
        }
    }
}

enum sotto_err sotto_h2_server_send(struct sotto_h2_server *h2, struct sotto_buf *out,
                                    int64_t now_us)
{
    h2->now_us = now_us;
    h2->out = out;
    enum sotto_err err = sotto_h2_take_output(h2->session, out);
    h2->out = NULL;
    tell_taken(h2);
    return err;
}

void sotto_h2_server_drain(struct sotto_h2_server *h2)
{
    if (h2->draining) {
        return;
    }
    h2->draining = true;
    h2->notice_us = h2->now_us;
    if (nghttp2_submit_shutdown_notice(h2->session) != 0 ||
        nghttp2_submit_ping(h2->session, NGHTTP2_FLAG_NONE, NULL) != 0) {
        sotto_h2_give_up(h2, SOTTO_ENOMEM);
    }
}

/* --- time limits ------------------------------------------------------------------------------ */

/* Looks at one stream's count since since_us. */
static void tick_stream(struct sotto_h2_stream *s)
{
    struct sotto_h2_server *h2 = s->h2;
    int64_t age_ms = (h2->now_us - s->since_us) / 1000;
    if (s->since_us == 0) {
        return;
    }
    if (s->state == H2_STREAM_BODY) {
        if (age_ms < h2->limits.body_window_ms) {
            return;
        }
        if (s->counted < h2->limits.body_window_bytes) {
            sotto_h2_stream_refuse(s, 408, "the body came too slowly");
            return;
        }
    } else if (age_ms < h2->limits.send_ms) {
        return;
    } else if (s->counted < SOTTO_H2_SEND_LEAST) {
        s->since_us = 0;
        sotto_h2_stream_reset(s, NGHTTP2_CANCEL);
        return;
    }
    s->since_us = h2->now_us;
    s->counted = 0;
}

static bool is_over(const struct sotto_h2_server *h2, int64_t since_us, int64_t ms)
{
    return since_us != 0 && (h2->now_us - since_us) / 1000 >= ms;
}

enum sotto_err sotto_h2_server_tick(struct sotto_h2_server *h2, int64_t now_us)
{
    h2->now_us = now_us;
    if (is_over(h2, h2->settings_us, h2->limits.head_ms) ||
        is_over(h2, h2->head_us, h2->limits.head_ms)) {
        sotto_h2_give_up(h2, SOTTO_ETIMEOUT);
        return h2->failed;
    }
    for (struct sotto_h2_stream *s = h2->streams, *next; s != NULL; s = next) {
        next = s->next;
        tick_stream(s);
    }
    if (is_over(h2, h2->notice_us, H2_NOTICE_MS)) {
        end_notice(h2);
    }
    if (h2->stream_count == 0 && is_over(h2, h2->idle_us, h2->limits.keep_alive_ms)) {
        end_notice(h2);
        return SOTTO_ETIMEOUT;
    }
    return h2->failed;
}

bool sotto_h2_server_is_quiet(const struct sotto_h2_server *h2)
{
    return h2->stream_count == 0 && h2->settings_us == 0 && h2->head_us == 0 && h2->notice_us == 0;
}

bool sotto_h2_server_finished(const struct sotto_h2_server *h2)
{
    return h2->failed != SOTTO_OK || (nghttp2_session_want_read(h2->session) == 0 &&
                                      nghttp2_session_want_write(h2->session) == 0);
}
