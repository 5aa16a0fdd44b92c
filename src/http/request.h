/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_HTTP_REQUEST_H
#define SOTTO_HTTP_REQUEST_H

/*
 * Incremental reader of HTTP/1.0 and HTTP/1.1 requests (RFC 9112), resumable at every byte.  The
 * head goes through our own line scanner and through llhttp in its strict mode, and both have to
 * agree; bodies are framed by http/framing.h.  What two readers could understand differently is
 * refused, so that nothing can be smuggled past: a bare CR or LF anywhere, white space before a
 * colon or at the start of a line, two Content-Length, Content-Length beside Transfer-Encoding, a
 * Transfer-Encoding other than exactly "chunked", control characters, no or two Host.
 *
 * The body is buffered whole, wiped when it leaves.  One reader serves one connection, one request
 * after the other (sotto_http_request_next()).  It does no I/O and reads no clock.
 */

#include "base/err.h"
#include "base/span.h"

/** Default limits: bytes of a head, bytes of a body. */
#define SOTTO_HTTP_HEAD_MAX (64u << 10)
#define SOTTO_HTTP_BODY_MAX (32u << 20)

struct sotto_http_limits {
    size_t head_bytes; /* request or status line and fields, line ends included */
    size_t body_bytes; /* after removal of the chunked framing */
};

enum sotto_http_event {
    SOTTO_HTTP_MORE, /* everything was consumed, the message is not complete */
    SOTTO_HTTP_HEAD, /* the head is complete: its block may be read; feed on */
    SOTTO_HTTP_BODY, /* responses only: a piece of the body */
    SOTTO_HTTP_DONE, /* the message is complete; what follows belongs to the next one */
};

struct sotto_http_request;

/**
 * @param[out] out  set only on SOTTO_OK; freed with sotto_http_request_free()
 * @retval SOTTO_ENOMEM
 */
SOTTO_MUST_CHECK enum sotto_err sotto_http_request_new(const struct sotto_http_limits *limits,
                                                       struct sotto_http_request **out);

/** Wipes and frees; NULL is allowed. */
void sotto_http_request_free(struct sotto_http_request *r);

/**
 * Feeds bytes.  Returns after each event; SOTTO_HTTP_MORE when all of `in` is consumed.  After
 * SOTTO_HTTP_HEAD call again, also with nothing left: a request without a body is then done.
 *
 * @param in          borrowed until sotto_http_request_next(): the body may point into it
 * @param[out] used   how many bytes were consumed; set always
 * @param[out] event  what happened; set always (SOTTO_HTTP_MORE on failure)
 *
 * @retval SOTTO_EFORMAT, SOTTO_ELIMIT  refused: answer with sotto_http_request_status() and close
 * @retval SOTTO_ENOMEM                 likewise (503)
 * @retval SOTTO_ESTATE                 an earlier call failed, or the message is complete
 */
SOTTO_MUST_CHECK enum sotto_err sotto_http_request_feed(struct sotto_http_request *r, sotto_span in,
                                                        size_t *used, enum sotto_http_event *event);

/** Forgets the message: wipes and releases head and body, ready for the next request. */
void sotto_http_request_next(struct sotto_http_request *r);

/** The status to refuse with after a failure: 400, 413, 415, 417, 431, 503; 0: no failure. */
int sotto_http_request_status(const struct sotto_http_request *r);

/** Static text that says what was wrong after a failure; "" without one. */
const char *sotto_http_request_reason(const struct sotto_http_request *r);

/** Whether no byte of a request has been seen since it was new or since _next(). */
bool sotto_http_request_idle(const struct sotto_http_request *r);

/** Whether the head is complete and the body is not. */
bool sotto_http_request_in_body(const struct sotto_http_request *r);

/**
 * From SOTTO_HTTP_HEAD on: the block that http/head.h describes, in our own spelling (method,
 * origin-form target; "name: value" without white space around it).  Valid until _next().
 */
sotto_span sotto_http_request_head(const struct sotto_http_request *r);

/** From SOTTO_HTTP_DONE on: the whole body.  Valid until _next(), and as long as the input. */
sotto_span sotto_http_request_body(const struct sotto_http_request *r);

/** From SOTTO_HTTP_HEAD on: the client waits for "100 Continue" before it sends the body. */
bool sotto_http_request_expects_continue(const struct sotto_http_request *r);

/** From SOTTO_HTTP_HEAD on: whether the connection stays open after the answer. */
bool sotto_http_request_keep_alive(const struct sotto_http_request *r);

/** From SOTTO_HTTP_HEAD on: HTTP/1.1 (else 1.0: no chunked answer). */
bool sotto_http_request_is_11(const struct sotto_http_request *r);

/** From SOTTO_HTTP_HEAD on: the method is HEAD, the answer has no body. */
bool sotto_http_request_is_head(const struct sotto_http_request *r);

#endif
