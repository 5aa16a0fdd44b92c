/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_HTTP_SSE_H
#define SOTTO_HTTP_SSE_H

/*
 * Reader of server-sent events (WHATWG HTML, "9.2.6 Interpreting an event stream").  Lines end in
 * CR, LF or CRLF; input may be split anywhere.  Comments, `id` and `retry` are skipped.  An event
 * without `data` is no event.
 *
 * When an event with one data line lies wholly in the input, its spans point into the input and
 * nothing is copied; otherwise they point into a wiped buffer of the reader.
 */

#include "base/buf.h"

/** Longest event, in bytes of its lines. */
#define SOTTO_SSE_EVENT_MAX ((size_t)16 << 20)

struct sotto_sse_event {
    sotto_span name; /* of `event:`; empty: none ("message") */
    sotto_span data; /* lines of `data:` joined with LF */
};

/** State of one stream.  The fields are private. */
struct sotto_sse {
    struct sotto_buf held; /* bytes of the event that came in earlier pieces */
    struct sotto_buf data; /* joined lines of an event with several */
    size_t max;
    bool skip_lf; /* the last byte was a CR */
    bool in_line; /* the last byte did not end a line */
    bool begun;   /* a byte order mark can no longer come */
    bool clear;   /* `held` belongs to the event handed out last */
    bool dead;
};

/** An empty reader for events of at most `max` bytes.  Allocates nothing. */
void sotto_sse_init(struct sotto_sse *sse, size_t max);

/** Wipes and frees what the reader holds. */
void sotto_sse_free(struct sotto_sse *sse);

/**
 * Reads up to the end of the next event.  Call until *got is false: then all of `in` is consumed.
 *
 * @param[in,out] in  the input, advanced past what was read
 * @param[out] event  set when *got; valid until the next call and as long as the input
 *
 * @retval SOTTO_ELIMIT  an event is longer than the limit
 * @retval SOTTO_ENOMEM
 * @retval SOTTO_ESTATE  an earlier call failed
 */
SOTTO_MUST_CHECK enum sotto_err sotto_sse_next(struct sotto_sse *sse, sotto_span *in,
                                               struct sotto_sse_event *event, bool *got);

/**
 * The stream ended.  Where the last event lacks only its empty line, it is handed out (servers
 * that close behind "data: [DONE]\n"); an unfinished line is dropped.  Then the reader is empty.
 *
 * @param[out] event  set when *got; valid until the next call
 */
SOTTO_MUST_CHECK enum sotto_err sotto_sse_end(struct sotto_sse *sse, struct sotto_sse_event *event,
                                              bool *got);

#endif
