/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_UPSTREAM_ANTHROPIC_REQUEST_H
#define SOTTO_UPSTREAM_ANTHROPIC_REQUEST_H

/*
 * OpenAI's request as one of Anthropic's Messages API (version 2023-06-01).
 *
 *   system, developer messages     `system`, joined with empty lines
 *   text                           {"type":"text","text"}
 *   image_url                      {"type":"image","source":{base64 or url}}
 *   file with file_data            {"type":"document","source":{base64}}
 *   assistant's tool_calls         {"type":"tool_use","id","name","input"}
 *   role tool                      {"type":"tool_result","tool_use_id","content"} of the user
 *   tools, tool_choice             `tools` with `input_schema`, `tool_choice`
 *   max_completion_tokens, max_tokens  `max_tokens`, 4096 where neither is given
 *   stop, user                     `stop_sequences`, `metadata.user_id`
 *   temperature above 1            1
 *   response_format                an instruction at the end of `system`
 *
 * Neighbouring messages of one role become one.  What has no counterpart is left out (penalties,
 * seed, logprobs) or, where the answer would be another, refused: n > 1, audio, old functions.
 */

#include "chat/call.h"
#include "chat/problem.h"

/** Answers are cut at this many tokens where the client set no limit. */
#define SOTTO_ANTHROPIC_MAX_TOKENS 4096

/**
 * Replaces the root of the call's document.
 *
 * @param model  the upstream's name of the model
 * @retval SOTTO_EINVAL  `problem` says what cannot be said to Anthropic
 * @retval SOTTO_ENOMEM
 */
SOTTO_MUST_CHECK enum sotto_err sotto_anthropic_request(struct sotto_call *call, sotto_span model,
                                                        struct sotto_problem *problem);

#endif
