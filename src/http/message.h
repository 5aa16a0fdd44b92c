/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_HTTP_MESSAGE_H
#define SOTTO_HTTP_MESSAGE_H

/*
 * What request.c and response.c share: collecting a head, and reading the collected head with
 * llhttp.  Used inside http/ only.
 */

#include "base/buf.h"
#include "http/head.h"
#include "http/lines.h"

/** Collects the bytes of a head over pieces of input. */
struct sotto_collector {
    struct sotto_lines lines;
    struct sotto_buf held; /* what came in earlier pieces */
    size_t max;            /* most bytes of the head */
    bool clear;            /* `held` has been handed out */
};

/**
 * Takes bytes up to the end of the head.
 *
 * @param[out] used  consumed bytes; set on SOTTO_OK
 * @param[out] raw   the whole head with its empty line, in `in` or in the collector, until the
 *                   next call; empty: not complete
 *
 * @retval SOTTO_EFORMAT, SOTTO_ENOMEM
 * @retval SOTTO_ELIMIT  longer than `max`
 */
SOTTO_MUST_CHECK enum sotto_err sotto_collect(struct sotto_collector *c, sotto_span in,
                                              size_t *used, sotto_span *raw);

/** Wipes what is held; keeps a small buffer for the next head. */
void sotto_collect_next(struct sotto_collector *c);

/**
 * Reads a whole head with llhttp in strict mode.
 *
 * @param raw          from sotto_collect()
 * @param[out] head    spans point into `raw`; unspecified on failure
 * @param[out] minor   of HTTP/1.minor: 0 or 1
 *
 * @retval SOTTO_EFORMAT  llhttp or one of our own checks refuses it
 * @retval SOTTO_ELIMIT   more than SOTTO_HTTP_FIELDS_MAX fields
 */
SOTTO_MUST_CHECK enum sotto_err sotto_message_read(sotto_span raw, bool request,
                                                   struct sotto_http_head *head, int *minor);

/** What the framing fields of a message say. */
struct sotto_message_framing {
    bool chunked;
    bool has_length;
    uint64_t length;
};

/**
 * Reads Content-Length and Transfer-Encoding.
 * @retval SOTTO_EFORMAT  ambiguous, or not exactly what we know; see http/request.h
 */
SOTTO_MUST_CHECK enum sotto_err sotto_message_framing(const struct sotto_http_head *head, int minor,
                                                      struct sotto_message_framing *out);

/** Whether the connection persists behind the message (RFC 9112 9.3). */
bool sotto_message_keep_alive(const struct sotto_http_head *head, int minor);

/** Appends "name: value\r\n" for each field and the empty line. */
SOTTO_MUST_CHECK enum sotto_err sotto_message_fields(const struct sotto_http_head *head,
                                                     struct sotto_buf *block);

#endif
