/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_HTTP_RESPONSE_H
#define SOTTO_HTTP_RESPONSE_H

/*
 * Incremental reader of an upstream's HTTP/1.x responses (RFC 9112), resumable at every byte, as
 * strict as http/request.h.  Interim responses (1xx) are skipped.  The body is handed out in
 * pieces that point into the input: nothing of it is kept here.
 */

#include "http/request.h"

struct sotto_http_response;

/**
 * @param head_bytes  most bytes of a head, interim ones included
 * @param[out] out    set only on SOTTO_OK; freed with sotto_http_response_free()
 * @retval SOTTO_ENOMEM
 */
SOTTO_MUST_CHECK enum sotto_err sotto_http_response_new(size_t head_bytes,
                                                        struct sotto_http_response **out);

/** Wipes and frees; NULL is allowed. */
void sotto_http_response_free(struct sotto_http_response *r);

/** Gets ready for the answer to the next request; `to_head`: it was HEAD. */
void sotto_http_response_next(struct sotto_http_response *r, bool to_head);

/**
 * Feeds bytes.  Returns after each event; SOTTO_HTTP_MORE when all of `in` is consumed.  After
 * SOTTO_HTTP_HEAD and SOTTO_HTTP_BODY call again, also with nothing left.
 *
 * @param in          borrowed for the call
 * @param[out] used   how many bytes were consumed; set always
 * @param[out] event  set always (SOTTO_HTTP_MORE on failure)
 * @param[out] piece  on SOTTO_HTTP_BODY: part of `in`, never empty; else empty
 *
 * @retval SOTTO_EFORMAT  no HTTP, or ambiguous HTTP
 * @retval SOTTO_ELIMIT   head or number of fields over the limit
 * @retval SOTTO_ENOMEM
 * @retval SOTTO_ESTATE   an earlier call failed, or the message is complete
 */
SOTTO_MUST_CHECK enum sotto_err sotto_http_response_feed(struct sotto_http_response *r,
                                                         sotto_span in, size_t *used,
                                                         enum sotto_http_event *event,
                                                         sotto_span *piece);

/**
 * The connection ended.  SOTTO_OK: the message is complete by that (no length was given).
 * @retval SOTTO_ECLOSED  it was cut off, or did not begin
 */
SOTTO_MUST_CHECK enum sotto_err sotto_http_response_eof(struct sotto_http_response *r);

/** Whether no byte of the answer has been seen. */
bool sotto_http_response_idle(const struct sotto_http_response *r);

/** From SOTTO_HTTP_HEAD on: the status code, 200 to 999. */
int sotto_http_response_status(const struct sotto_http_response *r);

/** From SOTTO_HTTP_HEAD on: the block "status\r\nname: value\r\n...\r\n".  Valid until _next(). */
sotto_span sotto_http_response_head(const struct sotto_http_response *r);

/** From SOTTO_HTTP_DONE on: whether the connection may carry another request. */
bool sotto_http_response_reusable(const struct sotto_http_response *r);

#endif
