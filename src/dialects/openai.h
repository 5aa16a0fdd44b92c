/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_DIALECTS_OPENAI_H
#define SOTTO_DIALECTS_OPENAI_H

/* What the OpenAI dialect shares with those whose requests are OpenAI's in another wrapping. */

#include "dialects/dialect.h"

/**
 * Checks `call->doc`, an object, as a request for chat completions or embeddings and fills the call
 * from it.  Errors as for `read` of struct sotto_dialect.
 */
SOTTO_MUST_CHECK enum sotto_err sotto_openai_read_chat(struct sotto_call *call,
                                                       struct sotto_problem *problem);
SOTTO_MUST_CHECK enum sotto_err sotto_openai_read_embeddings(struct sotto_call *call,
                                                             struct sotto_problem *problem);

/** Puts the model as the client named it, and the answer's own id and date, into an answer. */
SOTTO_MUST_CHECK enum sotto_err sotto_openai_put_facts(const struct sotto_call *call,
                                                       const struct sotto_answer_facts *facts,
                                                       yyjson_mut_doc *doc);

/** Fills an empty document with {"error":{"message","type","param","code"}}.  @retval SOTTO_ENOMEM */
SOTTO_MUST_CHECK enum sotto_err sotto_openai_build_error(yyjson_mut_doc *doc,
                                                         const struct sotto_problem *problem);

#endif
