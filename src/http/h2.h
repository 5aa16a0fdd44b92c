/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_HTTP_H2_H
#define SOTTO_HTTP_H2_H

/*
 * What both sides of HTTP/2 (RFC 9113) share: how nghttp2 is set up, and which fields may be
 * compressed.  nghttp2's memory is ours (base/alloc.h), so it is wiped.  There is no dynamic table
 * in either direction (SETTINGS_HEADER_TABLE_SIZE 0): what one request carried cannot be guessed
 * from the size of another, and no field outlives its message.  What is not known to be harmless
 * is sent as never to be indexed (RFC 7541 7.1.3), also by those who pass it on.
 */

#include <nghttp2/nghttp2.h>

#include "base/buf.h"
#include "http/head.h"

/** Most streams of a connection at a time. */
#define SOTTO_H2_STREAMS_MAX 128
/** What the other side may send of a stream's body, and of all, before it hears that it may go on. */
#define SOTTO_H2_STREAM_WINDOW     (256 << 10)
#define SOTTO_H2_CONNECTION_WINDOW (4 << 20)
/** Most CONTINUATION frames of one header block; SETTINGS in one frame. */
#define SOTTO_H2_CONTINUATIONS_MAX 8
#define SOTTO_H2_SETTINGS_MAX      16
/** Most answers to PING and SETTINGS that wait to be sent. */
#define SOTTO_H2_ACKS_MAX 100
/** Frames that bring nothing: as many at once, and as many more each second. */
#define SOTTO_H2_IDLE_FRAMES   2000
#define SOTTO_H2_IDLE_FRAMES_S 200
/** Each frame of a message of our own allows for as many more. */
#define SOTTO_H2_FRAMES_EARNED 4
/** Most bytes that are made ready to be sent at a time. */
#define SOTTO_H2_SEND_BYTES ((size_t)64 << 10)
/** Fields of a message that we send: those of http/head.h and our own in front of them. */
#define SOTTO_H2_FIELDS_MAX (SOTTO_HTTP_FIELDS_MAX + 8)

/** A list of fields to be sent; the spans they were made of must outlive it. */
struct sotto_h2_fields {
    nghttp2_nv list[SOTTO_H2_FIELDS_MAX];
    size_t count;
};

/** Adds a field.  @retval SOTTO_ELIMIT  too many */
SOTTO_MUST_CHECK enum sotto_err sotto_h2_add_field(struct sotto_h2_fields *fields, sotto_span name,
                                                   sotto_span value);

/**
 * Adds each of "Name: value\r\n" lines, but those that belong to a connection of HTTP/1.1 (RFC 9113
 * 8.2.2) and Host.
 * @retval SOTTO_EFORMAT  not such lines
 * @retval SOTTO_ELIMIT   too many
 */
SOTTO_MUST_CHECK enum sotto_err sotto_h2_add_lines(struct sotto_h2_fields *fields,
                                                   sotto_span lines);

/** What the other side may do so often and no more; time fills it again. */
struct sotto_h2_allowance {
    int64_t left;
    int64_t filled_us;
};

/** Adds to an allowance, up to `most`. */
void sotto_h2_earn(struct sotto_h2_allowance *a, int64_t n, int64_t most);

/** Takes one, once the time since the last call has added its `per_s`.  False: it is used up. */
bool sotto_h2_spend(struct sotto_h2_allowance *a, int64_t now_us, int64_t most, int64_t per_s);

/** A session's callbacks and options, with what both sides have in common filled in. */
struct sotto_h2_setup {
    nghttp2_session_callbacks *callbacks;
    nghttp2_option *option;
};

/** @retval SOTTO_ENOMEM  nothing is held */
SOTTO_MUST_CHECK enum sotto_err sotto_h2_setup_new(struct sotto_h2_setup *setup);
void sotto_h2_setup_free(struct sotto_h2_setup *setup);

/** Our allocator in nghttp2's form. */
nghttp2_mem *sotto_h2_memory(void);

/**
 * Appends what nghttp2 has to send, until `out` holds SOTTO_H2_SEND_BYTES or there is no more.
 * @retval SOTTO_ENOMEM, SOTTO_ELIMIT
 */
SOTTO_MUST_CHECK enum sotto_err sotto_h2_take_output(nghttp2_session *session,
                                                     struct sotto_buf *out);

#endif
