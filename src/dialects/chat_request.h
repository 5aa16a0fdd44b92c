/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_DIALECTS_CHAT_REQUEST_H
#define SOTTO_DIALECTS_CHAT_REQUEST_H

/*
 * The rules of OpenAI's chat-completions request (openai-openapi 3.1, CreateChatCompletionRequest)
 * for dialects that speak it.  Types and ranges of known fields are checked; fields nobody knew
 * when this was written pass, since the upstream may know them.
 */

#include "chat/call.h"
#include "chat/problem.h"

/** developer, system, user, assistant, tool, function; ends with NULL. */
extern const char *const sotto_chat_request_roles[];

/**
 * Checks `call->doc`, an object, and takes members that are null out.
 *
 * @param roles  those that messages may have; ends with NULL
 * @retval SOTTO_EINVAL  `problem` names the first wrong field
 */
SOTTO_MUST_CHECK enum sotto_err sotto_chat_request_check(struct sotto_call *call,
                                                         const char *const *roles,
                                                         struct sotto_problem *problem);

/**
 * Fills the call from a checked document (model, stream, usage, choices) and makes the document
 * ask for what the gateway needs: usage in streams, `store` off.
 *
 * @retval SOTTO_ENOMEM
 */
SOTTO_MUST_CHECK enum sotto_err sotto_chat_request_settle(struct sotto_call *call);

#endif
