/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_PIPELINE_EXPLAIN_H
#define SOTTO_PIPELINE_EXPLAIN_H

/*
 * The explanation that a caller may ask for (`x-sotto-explain: 1`):
 *
 *   {"sent": the messages (or the input) as the provider got them,
 *    "findings": [{"message": index or null, "field": "content", "start": n, "end": n,
 *                  "label": "ID", "type": "US_SSN" or null, "score": 0.99, "rule": "us_ssn",
 *                  "token": "ID..." or null}]}
 *
 * Offsets are Unicode code points into the text of the slot as the caller sent it; `token` null
 * means that the mode let the finding pass.
 */

#include "chat/call.h"
#include "chat/slots.h"
#include "detect/detect.h"

struct sotto_explain;

/** @retval SOTTO_ENOMEM */
SOTTO_MUST_CHECK enum sotto_err sotto_explain_new(struct sotto_explain **out);

/** Wipes and frees; NULL is allowed. */
void sotto_explain_free(struct sotto_explain *explain);

/** Adds one finding; the slot's text is still the caller's.  @retval SOTTO_ENOMEM */
SOTTO_MUST_CHECK enum sotto_err sotto_explain_add(struct sotto_explain *explain,
                                                  const struct sotto_slot *slot,
                                                  const struct sotto_detector *detector,
                                                  const struct sotto_finding *finding,
                                                  sotto_span token);

/** Takes a copy of the masked texts.  @retval SOTTO_ENOMEM */
SOTTO_MUST_CHECK enum sotto_err sotto_explain_sent(struct sotto_explain *explain,
                                                   const struct sotto_call *call);

/** Hands the document over to the caller; once. */
yyjson_mut_doc *sotto_explain_take(struct sotto_explain *explain);

#endif
