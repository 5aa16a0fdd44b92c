/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_UPSTREAM_REPLY_H
#define SOTTO_UPSTREAM_REPLY_H

/* Answers of upstreams that are shaped as OpenAI's are, or nearly so: whole ones and streams. */

#include "upstream/provider.h"

/** Greatest nesting of JSON in an answer. */
#define SOTTO_REPLY_DEPTH 128

/** Fills a 502 about an answer that is none and returns SOTTO_EUPSTREAM. */
SOTTO_MUST_CHECK enum sotto_err sotto_reply_garbage(struct sotto_problem *problem);

/**
 * Reads a whole answer: an object with `choices`, or with `data` for embeddings.  Otherwise as
 * `answer` of struct sotto_provider.
 */
SOTTO_MUST_CHECK enum sotto_err sotto_reply_answer(const struct sotto_call *call, sotto_span body,
                                                   yyjson_mut_doc **answer,
                                                   struct sotto_problem *problem);

/**
 * What a provider does to each choice (a message or a delta inside it) to make it OpenAI's.
 *
 * @param part  "message" or "delta"
 * @retval SOTTO_EUPSTREAM  the choice says that the answer failed
 * @retval SOTTO_ENOMEM
 */
typedef enum sotto_err sotto_reply_edit(yyjson_mut_doc *doc, yyjson_mut_val *choice,
                                        const char *part);

/** How the streams of a provider differ from OpenAI's. */
struct sotto_reply_ways {
    sotto_reply_edit *edit;  /* NULL: nothing to do */
    bool drops_empty_chunks; /* chunks without choices and usage say nothing */
    bool splits_usage;       /* usage comes in a chunk with choices: make it one of its own */
};

/** As `stream_new` of struct sotto_provider.  @param ways  static */
SOTTO_MUST_CHECK enum sotto_err sotto_reply_stream_new(const struct sotto_call *call,
                                                       const struct sotto_reply_ways *ways,
                                                       struct sotto_provider_stream **out);

/** As `stream_event`, `stream_end` and `stream_free` of struct sotto_provider. */
SOTTO_MUST_CHECK enum sotto_err sotto_reply_stream_event(struct sotto_provider_stream *stream,
                                                         sotto_span event, sotto_span data,
                                                         sotto_provider_emit *emit, void *ctx,
                                                         bool *done, yyjson_mut_doc **error);
SOTTO_MUST_CHECK enum sotto_err sotto_reply_stream_end(struct sotto_provider_stream *stream,
                                                       sotto_provider_emit *emit, void *ctx,
                                                       bool *done);
void sotto_reply_stream_free(struct sotto_provider_stream *stream);

#endif
