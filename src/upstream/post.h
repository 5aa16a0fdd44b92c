/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_UPSTREAM_POST_H
#define SOTTO_UPSTREAM_POST_H

/* The HTTP request to an upstream: every line is written here, none comes from the client. */

#include "upstream/provider.h"

/** A header line of a provider. */
struct sotto_post_field {
    const char *name;
    sotto_span value; /* empty: the line is left out */
};

/**
 * Appends a POST of the document.
 *
 * @param target   path and query
 * @param fields   the provider's own lines; ends with a NULL name
 * @retval SOTTO_EINVAL  a control character in a line; `problem` says so
 * @retval SOTTO_ENOMEM, SOTTO_ELIMIT  from `out`, which is unchanged in all cases
 */
SOTTO_MUST_CHECK enum sotto_err sotto_post_write(const struct sotto_upstream *upstream,
                                                 const struct sotto_call *call, sotto_span target,
                                                 const struct sotto_post_field *fields,
                                                 struct sotto_buf *out,
                                                 struct sotto_problem *problem);

/**
 * As sotto_post_write() to "BASE/chat/completions" or "BASE/embeddings", with
 * "Authorization: Bearer KEY", as OpenAI and what is like it want it.
 */
SOTTO_MUST_CHECK enum sotto_err sotto_post_write_openai(const struct sotto_upstream *upstream,
                                                        const struct sotto_call *call,
                                                        struct sotto_buf *out,
                                                        struct sotto_problem *problem);

/**
 * Appends a GET, with the provider's own lines as for sotto_post_write().
 *
 * @retval SOTTO_EINVAL, SOTTO_ENOMEM, SOTTO_ELIMIT  `out` unchanged
 */
SOTTO_MUST_CHECK enum sotto_err sotto_post_write_get(const struct sotto_upstream *upstream,
                                                     sotto_span target,
                                                     const struct sotto_post_field *fields,
                                                     struct sotto_buf *out);

/** A GET of "BASE/models" with "Authorization: Bearer KEY".  Errors as sotto_post_write_get(). */
SOTTO_MUST_CHECK enum sotto_err sotto_post_models_openai(const struct sotto_upstream *upstream,
                                                         struct sotto_buf *out);

/** Names the model as the upstream does.  @retval SOTTO_ENOMEM */
SOTTO_MUST_CHECK enum sotto_err sotto_post_model(struct sotto_call *call, sotto_span model);

/**
 * Turns `safe_prompt`, a switch of Mistral's, into the system message that it stands for, in
 * front of all others.
 *
 * @retval SOTTO_ENOMEM
 */
SOTTO_MUST_CHECK enum sotto_err sotto_post_safe_prompt(struct sotto_call *call);

#endif
