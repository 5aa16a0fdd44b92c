/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_HTTP_H2_CLIENT_H
#define SOTTO_HTTP_H2_CLIENT_H

/*
 * The client's side of one HTTP/2 connection (RFC 9113), bytes in and bytes out, over nghttp2: many
 * requests at a time, each with its answer.  There are no callbacks: feed what came, then ask which
 * requests something came for (sotto_h2_client_next()), and take it (sotto_h2_request_take()), as
 * from http/response.h and in the same form.  There is no push, no upgrade, no priority among
 * requests; trailers are dropped.
 *
 * Flow control holds each answer back by itself.  What came and was not taken lies in the request's
 * own buffer, SOTTO_H2_STREAM_WINDOW at most; the upstream hears that it may send more for the
 * stream once it was taken, and for the connection at once, so that no answer waits for another.
 *
 * What an upstream may cost is bounded by http/h2.h and the limits below.  Frames that bring nothing
 * (PING, SETTINGS, WINDOW_UPDATE, PRIORITY, RST_STREAM, HEADERS, CONTINUATION, DATA without data)
 * draw from an allowance that time and our own requests fill again; what comes for requests that are
 * over, from one that each request that is let go of adds to.  A connection that has used one up ends
 * with GOAWAY and ENHANCE_YOUR_CALM.
 *
 * No clock is read: times are arguments.  One thread.
 */

#include "base/buf.h"
#include "http/request.h"

/** Requests at a time until the upstream has said how many it takes (RFC 9113 6.5.2). */
#define SOTTO_H2_STREAMS_ASSUMED 100
/** Interim responses in front of one answer. */
#define SOTTO_H2_INTERIM_MAX 16
/** Bytes that may still come for a request that was let go of, and for none at all. */
#define SOTTO_H2_IGNORED_BYTES (512 << 10)

struct sotto_h2_client;
struct sotto_h2_request;

/**
 * @param head_bytes  most bytes of an answer's head, interim ones included
 * @param now_us      the time
 * @param[out] out    set only on SOTTO_OK; freed with sotto_h2_client_free()
 * @retval SOTTO_ENOMEM
 */
SOTTO_MUST_CHECK enum sotto_err sotto_h2_client_new(size_t head_bytes, int64_t now_us,
                                                    struct sotto_h2_client **out);

/** Ends all requests as sotto_h2_client_end() does and frees; NULL is allowed. */
void sotto_h2_client_free(struct sotto_h2_client *h2);

/**
 * Feeds what the upstream sent.  After a failure all requests that were not complete have ended in
 * it: send what there is to be sent, then close.
 *
 * @retval SOTTO_EFORMAT  no HTTP/2, or against its rules for a connection
 * @retval SOTTO_ELIMIT   an allowance or a limit is used up
 * @retval SOTTO_ENOMEM
 */
SOTTO_MUST_CHECK enum sotto_err sotto_h2_client_feed(struct sotto_h2_client *h2, sotto_span in,
                                                     int64_t now_us);

/**
 * Appends what is to be sent now, about SOTTO_H2_SEND_BYTES at most.  Nothing appended: there is
 * nothing.
 * @retval SOTTO_ENOMEM, SOTTO_ELIMIT
 */
SOTTO_MUST_CHECK enum sotto_err sotto_h2_client_send(struct sotto_h2_client *h2,
                                                     struct sotto_buf *out);

/** The user of a request for which something came or went since it was named last; NULL: none. */
void *sotto_h2_client_next(struct sotto_h2_client *h2);

/** How many more requests may be begun now; 0 also where the upstream or a failure ended that. */
size_t sotto_h2_client_room(const struct sotto_h2_client *h2);

/** Most requests at a time that the upstream takes, 1 at least; 0: it has not said yet. */
size_t sotto_h2_client_streams(const struct sotto_h2_client *h2);

/** No more requests are to be begun: the upstream said so, or has refused one. */
bool sotto_h2_client_is_ending(const struct sotto_h2_client *h2);

/** Asks for a sign of life.  @retval SOTTO_ENOMEM */
SOTTO_MUST_CHECK enum sotto_err sotto_h2_client_ping(struct sotto_h2_client *h2);

/** Says goodbye (GOAWAY), to be sent before closing in good order. */
void sotto_h2_client_leave(struct sotto_h2_client *h2);

/**
 * The connection is gone: requests whose answers are not complete end in `err` once what came of
 * them is taken, and nothing more is sent.
 */
void sotto_h2_client_end(struct sotto_h2_client *h2, enum sotto_err err);

/**
 * Begins a request; to be called only while there is room.
 *
 * @param request  of HTTP/1.1, head and body, complete, with Content-Length where it has a body;
 *                 borrowed until sotto_h2_request_sent() or the end of the request
 * @param user     what sotto_h2_client_next() names it by; not NULL
 * @param[out] out set only on SOTTO_OK; freed with sotto_h2_request_free()
 *
 * @retval SOTTO_EINVAL  no such request, or one with Transfer-Encoding
 * @retval SOTTO_ELIMIT  too many fields
 * @retval SOTTO_ESTATE  there is no room
 * @retval SOTTO_ENOMEM
 */
SOTTO_MUST_CHECK enum sotto_err sotto_h2_request_new(struct sotto_h2_client *h2, sotto_span request,
                                                     void *user, struct sotto_h2_request **out);

/**
 * Lets go of it; what is not complete is cancelled (RST_STREAM), the connection goes on.  NULL is
 * allowed.
 */
void sotto_h2_request_free(struct sotto_h2_request *r);

/**
 * What came, one event a call: SOTTO_HTTP_HEAD, SOTTO_HTTP_BODY as often as there is something,
 * SOTTO_HTTP_DONE; SOTTO_HTTP_MORE: nothing now.  The call says that the piece of the call before
 * was taken.
 *
 * @param[out] event  set always (SOTTO_HTTP_MORE on failure)
 * @param[out] piece  on SOTTO_HTTP_BODY: valid until the next call of a function of this request
 *
 * @retval SOTTO_EFORMAT    the answer is malformed (RFC 9113 8.1.1)
 * @retval SOTTO_ELIMIT     its head is too large
 * @retval SOTTO_EUPSTREAM  the upstream did not begin with it: it may be sent again elsewhere
 * @retval SOTTO_ECLOSED    the upstream reset it
 * @retval SOTTO_ENOMEM
 * @return also what sotto_h2_client_feed() or sotto_h2_client_end() ended it with
 */
SOTTO_MUST_CHECK enum sotto_err
sotto_h2_request_take(struct sotto_h2_request *r, enum sotto_http_event *event, sotto_span *piece);

/** From SOTTO_HTTP_HEAD on: as sotto_http_response_status() and sotto_http_response_head(). */
int sotto_h2_request_status(const struct sotto_h2_request *r);
sotto_span sotto_h2_request_head(const struct sotto_h2_request *r);

/** Whether nothing of an answer has come. */
bool sotto_h2_request_idle(const struct sotto_h2_request *r);

/** Bytes of the request's body that have been made ready to be sent; whether all of it was. */
size_t sotto_h2_request_progress(const struct sotto_h2_request *r);
bool sotto_h2_request_sent(const struct sotto_h2_request *r);

#endif
