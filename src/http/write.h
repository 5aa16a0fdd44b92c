/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_HTTP_WRITE_H
#define SOTTO_HTTP_WRITE_H

/*
 * Writers of HTTP/1.1 messages.  Nothing that was received is passed on as it came: every head is
 * written here, and a name or value that could end a line is refused.  All functions append to
 * `out`, which is unchanged on failure.
 *
 * @retval SOTTO_EINVAL                a control character, or a name that is no token
 * @retval SOTTO_ENOMEM, SOTTO_ELIMIT  from `out`
 */

#include "base/buf.h"

/** Longest frame in front of a chunk: 16 hexadecimal digits, CR, LF. */
#define SOTTO_HTTP_CHUNK_HEAD_MAX 18

/** "HTTP/1.1 200 OK\r\n"; an unknown status has an empty phrase. */
SOTTO_MUST_CHECK enum sotto_err sotto_http_write_status(struct sotto_buf *out, int status);

/** "POST /v1/x HTTP/1.1\r\n". */
SOTTO_MUST_CHECK enum sotto_err
sotto_http_write_request_line(struct sotto_buf *out, const char *method, sotto_span target);

/** "Name: value\r\n". */
SOTTO_MUST_CHECK enum sotto_err sotto_http_write_field(struct sotto_buf *out, const char *name,
                                                       sotto_span value);

/** "Name: 42\r\n". */
SOTTO_MUST_CHECK enum sotto_err sotto_http_write_number(struct sotto_buf *out, const char *name,
                                                        uint64_t value);

/** The empty line that ends a head. */
SOTTO_MUST_CHECK enum sotto_err sotto_http_write_head_end(struct sotto_buf *out);

/** Writes "1a2b\r\n" for a chunk of `len` bytes into `to`; returns its length. */
size_t sotto_http_chunk_head(uint8_t to[SOTTO_HTTP_CHUNK_HEAD_MAX], size_t len);

/** Whether `lines` is nothing but complete "Name: value\r\n" lines with legal characters. */
bool sotto_http_lines_are_fields(sotto_span lines);

/** The phrase of a status code, "Not Found"; "" for an unknown one. */
const char *sotto_http_phrase(int status);

#endif
