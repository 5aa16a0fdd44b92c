/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_DIALECTS_EVENT_H
#define SOTTO_DIALECTS_EVENT_H

#include "base/buf.h"
#include "json/json.h"

/**
 * Appends `val` as one event of a stream: "data: {...}\n\n", or the bare line "{...}\n".
 *
 * @retval SOTTO_ELIMIT, SOTTO_ENOMEM  `out` unchanged
 */
SOTTO_MUST_CHECK enum sotto_err sotto_event_write(const yyjson_mut_val *val, bool ndjson,
                                                  struct sotto_buf *out);

/** Appends "data: [DONE]\n\n"; nothing where events are bare lines. */
SOTTO_MUST_CHECK enum sotto_err sotto_event_done(bool ndjson, struct sotto_buf *out);

#endif
