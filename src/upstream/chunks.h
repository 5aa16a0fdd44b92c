/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_UPSTREAM_CHUNKS_H
#define SOTTO_UPSTREAM_CHUNKS_H

/*
 * A whole answer as the chunks of a stream, for a provider that was asked for a stream and
 * answered whole.  Each choice says in a first chunk all it has to say (`message` becomes `delta`,
 * tool calls get their places, log probabilities stay beside it) and in a second one why it ended;
 * what nobody here knows stands in that one.  Usage, where there is any, is the last chunk.
 * Top-level members are in each chunk as the provider wrote them.
 */

#include "upstream/provider.h"

/**
 * Emits the chunks of `answer`, an OpenAI-shaped answer to a chat call, which is used up: the
 * caller frees it and has no other use for it.
 *
 * @retval SOTTO_EUPSTREAM  a choice, a message or a tool call is no object, or there is no choice;
 *                          nothing was emitted
 * @retval SOTTO_ENOMEM
 * @retval others           from `emit`; nothing more is emitted
 */
SOTTO_MUST_CHECK enum sotto_err sotto_chunks_emit(yyjson_mut_doc *answer, sotto_provider_emit *emit,
                                                  void *ctx);

#endif
