/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_UPSTREAM_MIRROR_H
#define SOTTO_UPSTREAM_MIRROR_H

/*
 * A stand-in for a provider that needs no network: it answers a masked request with a text made
 * from it, "You wrote: ..." and a second sentence that uses the tokens found in it, so that one
 * sees what a provider would have seen and that tokens come back.  It honours `n`, `stop`,
 * `max_tokens` (a word counts as a token), `tools` (calls the first one with the tokens as
 * arguments), `tool_choice`, `response_format` and `logprobs`, and answers embeddings with unit
 * vectors that depend on the input alone.  It says what it is: system_fingerprint "sotto-mirror".
 *
 * The same request gets the same answer; no I/O, no clock, no chance.
 */

#include "chat/call.h"

struct sotto_mirror_options {
    /** Whether a run of ASCII letters and digits is a token; NULL: none is. */
    bool (*is_token)(sotto_span word);
    sotto_span id;     /* of the answer; borrowed for the call */
    int64_t created_s; /* seconds since 1970 */
};

/**
 * A whole answer to a chat or embeddings call.
 *
 * @param[out] answer  set only on SOTTO_OK, owned by the caller
 *
 * @retval SOTTO_ENOMEM, SOTTO_ELIMIT
 */
SOTTO_MUST_CHECK enum sotto_err sotto_mirror_answer(const struct sotto_call *call,
                                                    const struct sotto_mirror_options *options,
                                                    yyjson_mut_doc **answer);

struct sotto_mirror_stream;

/**
 * Starts an answer in chunks to a chat call.
 *
 * @param[out] out  set only on SOTTO_OK; freed with sotto_mirror_stream_free(); keeps nothing of
 *                  the call
 *
 * @retval SOTTO_ENOMEM, SOTTO_ELIMIT
 */
SOTTO_MUST_CHECK enum sotto_err sotto_mirror_stream_new(const struct sotto_call *call,
                                                        const struct sotto_mirror_options *options,
                                                        struct sotto_mirror_stream **out);

/**
 * The next chunk, a chat.completion.chunk document; the last one reports usage.
 *
 * @param[out] chunk  owned by the caller; NULL: the answer is complete; set only on SOTTO_OK
 *
 * @retval SOTTO_ENOMEM
 */
SOTTO_MUST_CHECK enum sotto_err sotto_mirror_stream_next(struct sotto_mirror_stream *stream,
                                                         yyjson_mut_doc **chunk);

/** Wipes and frees; NULL is allowed. */
void sotto_mirror_stream_free(struct sotto_mirror_stream *stream);

#endif
