/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_PIPELINE_RESTORING_H
#define SOTTO_PIPELINE_RESTORING_H

/*
 * Restores the answer of an upstream, a chat.completion document whole or chat.completion.chunk
 * documents as they stream.  Every string of the answer that is not structural is restored:
 * content, refusal, reasoning fields, tool call arguments (JSON in a string, restored inside its
 * own escaping), annotations, and fields nobody knew when this was written.  `logprobs` entries
 * that spell a token become one entry with the value and the summed logprob; offsets of
 * `url_citation` point into the restored text.
 *
 * In a stream there is one restorer for each (choice, field, tool call).  What is withheld for a
 * choice comes out in the chunk that brings its `finish_reason`, before it.  A stream and a whole
 * answer restore to the same text.
 *
 * One object serves one answer.  Not thread-safe.
 */

#include "base/arena.h"
#include "vault/vault.h"
#include "json/json.h"

struct sotto_restoring;

/**
 * @param vault     borrowed; must outlive the object and issue no token meanwhile
 * @param[out] out  set only on SOTTO_OK; freed with sotto_restoring_free()
 *
 * @retval SOTTO_ENOMEM
 */
SOTTO_MUST_CHECK enum sotto_err sotto_restoring_new(const struct sotto_vault *vault,
                                                    struct sotto_restoring **out);

/** Wipes and frees; NULL is allowed. */
void sotto_restoring_free(struct sotto_restoring *r);

/**
 * Restores a whole document in place: an answer, an embeddings answer or an error object.
 *
 * @retval SOTTO_ENOMEM, SOTTO_ELIMIT  the document must not be used any more
 */
SOTTO_MUST_CHECK enum sotto_err sotto_restoring_whole(struct sotto_restoring *r,
                                                      yyjson_mut_doc *doc);

/**
 * Restores one chunk in place.  Text may move to a later chunk; a chunk is never made longer than
 * what was withheld before and itself.
 *
 * @param[out] empty  whether the chunk now says nothing new and may be left out
 *
 * @retval SOTTO_ENOMEM, SOTTO_ELIMIT  the stream must be ended with an error
 */
SOTTO_MUST_CHECK enum sotto_err sotto_restoring_chunk(struct sotto_restoring *r,
                                                      yyjson_mut_doc *doc, bool *empty);

/**
 * What is still withheld when the stream ends without a `finish_reason`: fills `doc` (an empty
 * document, `template` is the last chunk seen by the caller or NULL) with one last chunk.
 *
 * @param[out] any  whether there was something; false leaves `doc` without a root
 */
SOTTO_MUST_CHECK enum sotto_err sotto_restoring_end(struct sotto_restoring *r,
                                                    const yyjson_mut_doc *template,
                                                    yyjson_mut_doc *doc, bool *any);

#endif
