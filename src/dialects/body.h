/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_DIALECTS_BODY_H
#define SOTTO_DIALECTS_BODY_H

/* What all dialects do alike with a request's head and body before they look at fields. */

#include "chat/call.h"
#include "chat/problem.h"
#include "http/head.h"

/**
 * Reads the body, which must be one JSON object of the right content type, into `call->doc`.
 *
 * @retval SOTTO_EINVAL  `problem` says why, with line and column for JSON
 * @retval SOTTO_ENOMEM
 */
SOTTO_MUST_CHECK enum sotto_err sotto_body_read(const struct sotto_http_head *head, sotto_span body,
                                                size_t max_depth, struct sotto_call *call,
                                                struct sotto_problem *problem);

/** The same for a body whose type is known: one JSON object. */
SOTTO_MUST_CHECK enum sotto_err sotto_body_parse(sotto_span body, size_t max_depth,
                                                 struct sotto_call *call,
                                                 struct sotto_problem *problem);

/** Takes x-sotto-conversation, x-sotto-explain and Accept into `call`.  @retval SOTTO_ENOMEM */
SOTTO_MUST_CHECK enum sotto_err sotto_body_headers(const struct sotto_http_head *head,
                                                   struct sotto_call *call);

/**
 * Takes the string member `key` out of the document into `out`, a copy in the call's arena; empty
 * where there is none or it is null.
 *
 * @retval SOTTO_EINVAL  it is no string; `problem` names it
 * @retval SOTTO_ENOMEM
 */
SOTTO_MUST_CHECK enum sotto_err sotto_body_take(struct sotto_call *call, const char *key,
                                                sotto_span *out, struct sotto_problem *problem);

/** Fills a 404 (no such path) or, where `method_only`, a 405; returns SOTTO_EINVAL. */
SOTTO_MUST_CHECK enum sotto_err sotto_body_no_route(bool method_only,
                                                    struct sotto_problem *problem);

#endif
