/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_HTTP_H2_HEAD_H
#define SOTTO_HTTP_H2_HEAD_H

/*
 * The head of an HTTP/2 message, field by field as nghttp2 decodes them, into the block of
 * http/head.h that HTTP/1.1 makes too: nobody behind it knows which version it was.  nghttp2 has
 * refused before what RFC 9113 8.2 and 8.3 forbid (names in upper case, fields of a connection,
 * pseudo fields that are missing, twice, unknown or behind others, two Content-Length); what
 * http/request.h refuses besides is refused here in the same words.  Used inside http/ only.
 */

#include "base/buf.h"
#include "http/request.h"

struct sotto_h2_head {
    struct sotto_buf method, target, authority;
    struct sotto_buf fields; /* "name: value\r\n" each */
    size_t count;            /* of fields */
    size_t bytes;            /* so far, as they would be in HTTP/1.1 */
    size_t most;
    uint64_t length; /* Content-Length, where there is one */
    bool response;   /* it is the head of one: only :status in front of the fields */
    int status;      /* responses */
    bool has_length;
    bool has_host;
    bool encoded; /* it has a Content-Encoding */
    bool expects_continue;
    bool is_head;
    int refused; /* a status, as sotto_http_request_status(); 0: fine so far */
    const char *reason;
};

/** Of a request.  @param most  bytes of a head */
void sotto_h2_head_init(struct sotto_h2_head *head, size_t most);

/** Of a response.  @param most  bytes of a head, interim ones included */
void sotto_h2_head_init_response(struct sotto_h2_head *head, size_t most);

/** Wipes and frees. */
void sotto_h2_head_free(struct sotto_h2_head *head);

/**
 * The next field.  What is wrong with it is kept until the end.
 * @retval SOTTO_ELIMIT  so far over the limit that nothing but the end of the connection helps
 */
SOTTO_MUST_CHECK enum sotto_err sotto_h2_head_add(struct sotto_h2_head *head, sotto_span name,
                                                  sotto_span value);

/**
 * All fields of a request are there.
 *
 * @param body_bytes  most bytes of a body
 * @param[out] block  appended, unchanged on failure
 * @retval SOTTO_EFORMAT  `refused` and `reason` say how to answer
 */
SOTTO_MUST_CHECK enum sotto_err sotto_h2_head_request(struct sotto_h2_head *head, size_t body_bytes,
                                                      struct sotto_buf *block);

/**
 * All fields of a response are there, an interim one (100 to 199) included: then the head is ready
 * for the next.
 *
 * @param[out] status  set on SOTTO_OK
 * @param[out] block   appended, unchanged on failure and for an interim response
 * @retval SOTTO_EFORMAT
 * @retval SOTTO_ELIMIT   over the limits
 * @retval SOTTO_ENOMEM
 */
SOTTO_MUST_CHECK enum sotto_err sotto_h2_head_response(struct sotto_h2_head *head, int *status,
                                                       struct sotto_buf *block);

#endif
