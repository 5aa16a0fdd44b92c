/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_HTTP_H2_EXCHANGE_H
#define SOTTO_HTTP_H2_EXCHANGE_H

/*
 * The inside of http/h2_client.h: h2_client.c has the connection (frames, allowance), h2_request.c
 * its requests and their answers.  Used inside those two only.
 */

#include "http/h2.h"
#include "http/h2_client.h"
#include "http/h2_head.h"

struct sotto_h2_request {
    struct sotto_h2_request *prev, *next;
    struct sotto_h2_client *h2; /* NULL: the connection is gone */
    void *user;
    int32_t id;      /* 0: the stream is closed */
    sotto_span body; /* of the request */
    size_t sent;     /* of it */
    bool sent_head;  /* the request's */
    struct sotto_h2_head head;
    struct sotto_buf block; /* the head of the answer */
    struct sotto_buf in;    /* of its body: not yet taken, but for the first `given` bytes */
    size_t given;
    int status; /* 0: no final head yet */
    int interims;
    enum sotto_err failed;
    bool begun;     /* some of the answer came */
    bool told_head; /* SOTTO_HTTP_HEAD */
    bool complete;  /* the answer is, as far as it came: `in` has the rest */
    bool told_done;
    bool was_reset; /* by the upstream */
    bool ready;
};

struct sotto_h2_client {
    nghttp2_session *session;
    size_t head_bytes;
    struct sotto_h2_request *first, *last; /* those that are ready in front */
    size_t count;                          /* of requests whose stream is open */
    struct sotto_h2_allowance frames;
    int64_t now_us;
    int64_t ignored;   /* bytes of frames that nghttp2 passed over, less those that may be */
    int continuations; /* of the head that comes */
    bool refused;      /* a request was */
    bool introduced;   /* its first SETTINGS came */
    bool starved;      /* nghttp2 ran out of memory */
    struct sotto_h2_client *next_kept;
    enum sotto_err failed;
};

/** Something happened that its user is to be told. */
void sotto_h2_request_mark(struct sotto_h2_request *r);

/** It ends in `err`, unless it is complete or has failed before. */
void sotto_h2_request_fail(struct sotto_h2_request *r, enum sotto_err err);

/** Its stream is closed. */
void sotto_h2_request_close(struct sotto_h2_request *r);

/** The next field of a head of its answer.  A failure is of the request alone. */
void sotto_h2_request_field(struct sotto_h2_request *r, sotto_span name, sotto_span value);

/** All fields of a head are there. */
void sotto_h2_request_head_end(struct sotto_h2_request *r);

/** Some of the body of the answer. */
void sotto_h2_request_data(struct sotto_h2_request *r, sotto_span data);

/** nghttp2's callback that reads a request's body. */
ssize_t sotto_h2_request_read(nghttp2_session *session, int32_t id, uint8_t *to, size_t most,
                              uint32_t *flags, nghttp2_data_source *source, void *ctx);

#endif
