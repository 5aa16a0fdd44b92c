/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_HTTP_TRACE_H
#define SOTTO_HTTP_TRACE_H

/* W3C Trace Context, level 1: the header fields `traceparent` and `tracestate`. */

#include "base/span.h"

/** Longest `tracestate` that is passed on (section 3.3.1.5 asks for at least this much). */
#define SOTTO_TRACE_STATE_MAX 512

/** Longest `traceparent` that is passed on; those of version 00 have 55 bytes. */
#define SOTTO_TRACE_PARENT_MAX 128

/** Length of a trace id. */
#define SOTTO_TRACE_ID_LEN 32

/**
 * Whether `value` is a `traceparent` (section 3.2): `VERSION-TRACE_ID-PARENT_ID-FLAGS` in
 * lower-case hexadecimal, ids not all zero, version not ff; a later version may have more behind
 * it.
 *
 * @param[out] trace_id  a view into `value`; set only when it is one; may be NULL
 */
bool sotto_trace_parent_valid(sotto_span value, sotto_span *trace_id);

/** Whether `value` may be passed on as a `tracestate`: printable ASCII, not too long, not empty. */
bool sotto_trace_state_valid(sotto_span value);

#endif
