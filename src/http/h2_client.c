/* SPDX-License-Identifier: Apache-2.0 */

#include "http/h2_client.h"

#include <stdatomic.h>

#include "base/alloc.h"
#include "http/h2_exchange.h"

/* RFC 9113 4.1. */
#define CLIENT_FRAME_HEAD 9

static struct sotto_h2_request *find(const struct sotto_h2_client *h2, int32_t id)
{
    return nghttp2_session_get_stream_user_data(h2->session, id);
}

/* Ends the connection with GOAWAY; returns what nghttp2's callbacks have to. */
static int give_up(struct sotto_h2_client *h2, enum sotto_err err)
{
    uint32_t code = err == SOTTO_ELIMIT ? NGHTTP2_ENHANCE_YOUR_CALM : NGHTTP2_INTERNAL_ERROR;
    if (h2->failed == SOTTO_OK) {
        h2->failed = err;
        /* Without memory for a GOAWAY the connection just closes. */
        sotto_ignore(nghttp2_session_terminate_session(h2->session, code) == 0 ? SOTTO_OK
                                                                               : SOTTO_ENOMEM);
    }
    return NGHTTP2_ERR_CALLBACK_FAILURE;
}

static int spend_frame(struct sotto_h2_client *h2)
{
    return sotto_h2_spend(&h2->frames, h2->now_us, SOTTO_H2_IDLE_FRAMES, SOTTO_H2_IDLE_FRAMES_S)
               ? 0
               : give_up(h2, SOTTO_ELIMIT);
}

/* --- frames ----------------------------------------------------------------------------------- */

static int on_begin_frame(nghttp2_session *session, const nghttp2_frame_hd *hd, void *ctx)
{
    struct sotto_h2_client *h2 = ctx;
    (void)session;
    h2->ignored -= (int64_t)hd->length + CLIENT_FRAME_HEAD;
    if (hd->type != NGHTTP2_CONTINUATION) {
        h2->continuations = 0;
    } else if (++h2->continuations > SOTTO_H2_CONTINUATIONS_MAX) {
        return give_up(h2, SOTTO_ELIMIT);
    }
    bool useful = hd->type == NGHTTP2_DATA && hd->length != 0 && find(h2, hd->stream_id) != NULL;
    return useful ? 0 : spend_frame(h2);
}

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *ctx)
{
    struct sotto_h2_request *r = find(ctx, frame->hd.stream_id);
    (void)session;
    if (r != NULL) {
        r->begun = true;
    }
    return 0;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags,
                     void *ctx)
{
    struct sotto_h2_request *r = find(ctx, frame->hd.stream_id);
    (void)session;
    (void)flags;
    if (r != NULL) {
        sotto_h2_request_field(r, sotto_span_init(name, name_len),
                               sotto_span_init(value, value_len));
    }
    return 0;
}

/* nghttp2 would pass over a field with characters that are not allowed. */
static int on_invalid_header(nghttp2_session *session, const nghttp2_frame *frame,
                             const uint8_t *name, size_t name_len, const uint8_t *value,
                             size_t value_len, uint8_t flags, void *ctx)
{
    (void)name;
    (void)name_len;
    (void)value;
    (void)value_len;
    (void)flags;
    if (nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, frame->hd.stream_id,
                                  NGHTTP2_PROTOCOL_ERROR) != 0) {
        return give_up(ctx, SOTTO_ENOMEM);
    }
    return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *data,
                   size_t n, void *ctx)
{
    struct sotto_h2_client *h2 = ctx;
    struct sotto_h2_request *r = find(h2, id);
    (void)flags;
    /* Nobody waits for the windows of a request that is over. */
    int result = r != NULL ? nghttp2_session_consume_connection(session, n)
                           : nghttp2_session_consume(session, id, n);
    if (result != 0) {
        return give_up(h2, SOTTO_ENOMEM);
    }
    if (r != NULL) {
        sotto_h2_request_data(r, sotto_span_init(data, n));
    }
    return 0;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *ctx)
{
    struct sotto_h2_client *h2 = ctx;
    struct sotto_h2_request *r = find(h2, frame->hd.stream_id);
    (void)session;
    h2->introduced = h2->introduced || frame->hd.type == NGHTTP2_SETTINGS;
    if (r == NULL) {
        return 0;
    }
    if (frame->hd.type == NGHTTP2_HEADERS) {
        sotto_h2_request_head_end(r);
    } else if (frame->hd.type == NGHTTP2_RST_STREAM) {
        r->was_reset = true;
    }
    if ((frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA) &&
        (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0 && r->failed == SOTTO_OK) {
        r->complete = true;
        sotto_h2_request_mark(r);
    }
    return 0;
}

static int on_frame_sent(nghttp2_session *session, const nghttp2_frame *frame, void *ctx)
{
    struct sotto_h2_client *h2 = ctx;
    (void)session;
    if (frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA) {
        sotto_h2_earn(&h2->frames, SOTTO_H2_FRAMES_EARNED, SOTTO_H2_IDLE_FRAMES);
    }
    if (frame->hd.type == NGHTTP2_HEADERS) {
        struct sotto_h2_request *r = find(h2, frame->hd.stream_id);
        if (r != NULL) {
            r->sent_head = true;
            sotto_h2_request_mark(r);
        }
    }
    /* nghttp2 ends a connection that broke the rules by itself, and tells nobody else. */
    if (frame->hd.type == NGHTTP2_GOAWAY && frame->goaway.error_code != NGHTTP2_NO_ERROR &&
        h2->failed == SOTTO_OK) {
        h2->failed = SOTTO_EFORMAT;
    }
    return 0;
}

/* Also for requests that were never sent, and those that a GOAWAY says were not begun. */
static int on_stream_close(nghttp2_session *session, int32_t id, uint32_t code, void *ctx)
{
    struct sotto_h2_client *h2 = ctx;
    struct sotto_h2_request *r = find(h2, id);
    (void)session;
    if (r == NULL) {
        return 0;
    }
    sotto_h2_request_close(r);
    if (code == NGHTTP2_REFUSED_STREAM && !r->begun) {
        h2->refused = true;
        sotto_h2_request_fail(r, SOTTO_EUPSTREAM);
    } else {
        sotto_h2_request_fail(r, r->was_reset ? SOTTO_ECLOSED : SOTTO_EFORMAT);
    }
    return 0;
}

/* --- the connection --------------------------------------------------------------------------- */

static enum sotto_err new_session(struct sotto_h2_client *h2)
{
    struct sotto_h2_setup setup;
    enum sotto_err err = sotto_h2_setup_new(&setup);
    if (err != SOTTO_OK) {
        return err;
    }
    nghttp2_session_callbacks_set_on_begin_frame_callback(setup.callbacks, on_begin_frame);
    nghttp2_session_callbacks_set_on_begin_headers_callback(setup.callbacks, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(setup.callbacks, on_header);
    nghttp2_session_callbacks_set_on_invalid_header_callback(setup.callbacks, on_invalid_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(setup.callbacks, on_data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(setup.callbacks, on_frame);
    nghttp2_session_callbacks_set_on_frame_send_callback(setup.callbacks, on_frame_sent);
    nghttp2_session_callbacks_set_on_stream_close_callback(setup.callbacks, on_stream_close);
    nghttp2_option_set_peer_max_concurrent_streams(setup.option, SOTTO_H2_STREAMS_ASSUMED);
    if (nghttp2_session_client_new3(&h2->session, setup.callbacks, h2, setup.option,
                                    sotto_h2_memory()) != 0) {
        err = SOTTO_ENOMEM;
    }
    sotto_h2_setup_free(&setup);
    return err;
}

static enum sotto_err submit_settings(struct sotto_h2_client *h2)
{
    size_t head = h2->head_bytes;
    const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_HEADER_TABLE_SIZE, 0},
        {NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
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

enum sotto_err sotto_h2_client_new(size_t head_bytes, int64_t now_us, struct sotto_h2_client **out)
{
    struct sotto_h2_client *h2 = sotto_calloc(1, sizeof(*h2));
    enum sotto_err err = SOTTO_ENOMEM;
    if (h2 == NULL) {
        return err;
    }
    h2->head_bytes = head_bytes;
    h2->now_us = now_us;
    h2->frames = (struct sotto_h2_allowance){SOTTO_H2_IDLE_FRAMES, now_us};
    if ((err = new_session(h2)) != SOTTO_OK || (err = submit_settings(h2)) != SOTTO_OK) {
        sotto_h2_client_free(h2);
        return err;
    }
    *out = h2;
    return SOTTO_OK;
}

/*
 * Without memory for the queue of DATA nghttp2 (1.52 at least) frees what it has still linked to the
 * stream, and frees it again with the session.  Such a session is kept for good.
 */
static void keep(struct sotto_h2_client *h2)
{
    static _Atomic(struct sotto_h2_client *) kept;
    h2->next_kept = atomic_load(&kept);
    while (!atomic_compare_exchange_weak(&kept, &h2->next_kept, h2)) {
    }
}

void sotto_h2_client_free(struct sotto_h2_client *h2)
{
    if (h2 == NULL) {
        return;
    }
    sotto_h2_client_end(h2, SOTTO_ECLOSED);
    for (struct sotto_h2_request *r = h2->first, *next; r != NULL; r = next) {
        next = r->next;
        r->prev = r->next = NULL;
        r->h2 = NULL;
    }
    if (h2->starved) {
        keep(h2);
        return;
    }
    nghttp2_session_del(h2->session);
    sotto_free(h2);
}

void sotto_h2_client_end(struct sotto_h2_client *h2, enum sotto_err err)
{
    if (h2->failed == SOTTO_OK) {
        h2->failed = err;
    }
    for (struct sotto_h2_request *r = h2->first, *next; r != NULL; r = next) {
        next = r->next; /* marking moves it to the front */
        if (r->id != 0) {
            /* Nothing of it is looked for again. */
            sotto_ignore(nghttp2_session_set_stream_user_data(h2->session, r->id, NULL) == 0
                             ? SOTTO_OK
                             : SOTTO_ESTATE);
            sotto_h2_request_close(r);
        }
        sotto_h2_request_fail(r, err);
    }
}

enum sotto_err sotto_h2_client_feed(struct sotto_h2_client *h2, sotto_span in, int64_t now_us)
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
    h2->ignored += (int64_t)in.len; /* less the frames that on_begin_frame() was told of */
    if (h2->failed == SOTTO_OK && h2->ignored > SOTTO_H2_IGNORED_BYTES) {
        give_up(h2, SOTTO_ELIMIT);
    }
    if (h2->failed != SOTTO_OK) {
        sotto_h2_client_end(h2, h2->failed);
    }
    return h2->failed;
}

enum sotto_err sotto_h2_client_send(struct sotto_h2_client *h2, struct sotto_buf *out)
{
    bool sound = h2->failed == SOTTO_OK;
    enum sotto_err err = sotto_h2_take_output(h2->session, out);
    h2->starved = h2->starved || err == SOTTO_ENOMEM;
    if (err == SOTTO_OK && sound && h2->failed != SOTTO_OK) {
        err = h2->failed;
        sotto_h2_client_end(h2, err);
    }
    return err;
}

static size_t peer_streams(const struct sotto_h2_client *h2)
{
    uint32_t n =
        nghttp2_session_get_remote_settings(h2->session, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);
    return n < SOTTO_H2_STREAMS_MAX ? n : SOTTO_H2_STREAMS_MAX;
}

size_t sotto_h2_client_room(const struct sotto_h2_client *h2)
{
    size_t most = peer_streams(h2);
    return sotto_h2_client_is_ending(h2) || h2->count >= most ? 0 : most - h2->count;
}

size_t sotto_h2_client_streams(const struct sotto_h2_client *h2)
{
    size_t most = peer_streams(h2);
    return !h2->introduced ? 0 : most != 0 ? most : 1;
}

bool sotto_h2_client_is_ending(const struct sotto_h2_client *h2)
{
    return h2->failed != SOTTO_OK || h2->refused ||
           nghttp2_session_check_request_allowed(h2->session) == 0;
}

enum sotto_err sotto_h2_client_ping(struct sotto_h2_client *h2)
{
    return nghttp2_submit_ping(h2->session, NGHTTP2_FLAG_NONE, NULL) == 0 ? SOTTO_OK : SOTTO_ENOMEM;
}

void sotto_h2_client_leave(struct sotto_h2_client *h2)
{
    /* Without memory for it the connection just closes. */
    sotto_ignore(nghttp2_session_terminate_session(h2->session, NGHTTP2_NO_ERROR) == 0
                     ? SOTTO_OK
                     : SOTTO_ENOMEM);
}
