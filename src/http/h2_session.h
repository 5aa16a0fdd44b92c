/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_HTTP_H2_SESSION_H
#define SOTTO_HTTP_H2_SESSION_H

/*
 * The inside of http/h2_server.h: h2_server.c has the connection (frames, allowances, time
 * limits), h2_stream.c its streams and their answers.  Used inside those two only.
 */

#include "http/h2.h"
#include "http/h2_head.h"
#include "http/h2_server.h"

enum sotto_h2_stream_state {
    H2_STREAM_HEAD,
    H2_STREAM_BODY,
    H2_STREAM_RUNNING,  /* the caller has it */
    H2_STREAM_ANSWERED, /* over for the caller; what waits is still sent */
};

struct sotto_h2_stream {
    struct sotto_h2_stream *prev, *next;
    struct sotto_h2_server *h2;
    void *user;
    int32_t id;
    enum sotto_h2_stream_state state;
    struct sotto_h2_head head;
    struct sotto_buf block;
    struct sotto_buf body;
    struct sotto_buf out; /* not yet sent, from out_at on */
    size_t out_at;
    size_t counted;   /* of the body in this window; of the answer since since_us */
    int64_t begun_us; /* first byte */
    int64_t since_us; /* when that count began; 0: nothing is waited for */
    bool complete;    /* the request is */
    bool bodiless;    /* HEAD, 204, 304: the body is not sent */
    bool begun;       /* the head of the answer has been submitted */
    bool ended;       /* the answer is complete in `out` */
    bool aborted;
    bool taken; /* some of what waited was sent in this round */
};

struct sotto_h2_server {
    nghttp2_session *session;
    const struct sotto_h2_server_handler *handler;
    void *ctx;
    struct sotto_h2_server_limits limits;
    struct sotto_h2_stream *streams;
    size_t stream_count;
    size_t held;           /* bytes of bodies */
    struct sotto_buf *out; /* while sending */
    int64_t now_us;
    int64_t settings_us; /* sent and not yet acknowledged; 0: they are */
    int64_t head_us;     /* a head has begun; 0: none */
    int continuations;   /* of that head */
    int64_t idle_us;     /* no stream since */
    int64_t notice_us;   /* a client was told to begin no more streams */
    struct sotto_h2_allowance frames, resets;
    bool draining; /* GOAWAY with the last stream has been submitted, or soon will be */
    enum sotto_err failed;
};

/* --- h2_server.c ------------------------------------------------------------------------------ */

/** Ends the connection with GOAWAY; returns what nghttp2's callbacks have to. */
int sotto_h2_give_up(struct sotto_h2_server *h2, enum sotto_err err);

/* --- h2_stream.c ------------------------------------------------------------------------------ */

/** NULL: no memory. */
struct sotto_h2_stream *sotto_h2_stream_new(struct sotto_h2_server *h2, int32_t id);
void sotto_h2_stream_free(struct sotto_h2_stream *s);

/** Wipes what has come of the body. */
void sotto_h2_stream_drop_body(struct sotto_h2_stream *s);

/** RST_STREAM; `code` is one of nghttp2's. */
void sotto_h2_stream_reset(struct sotto_h2_stream *s, uint32_t code);

/** The server's own answer to what is no request. */
void sotto_h2_stream_refuse(struct sotto_h2_stream *s, int status, const char *reason);

/** nghttp2's callback that sends the bytes of a DATA frame. */
int sotto_h2_stream_send(nghttp2_session *session, nghttp2_frame *frame, const uint8_t *head,
                         size_t n, nghttp2_data_source *source, void *ctx);

#endif
