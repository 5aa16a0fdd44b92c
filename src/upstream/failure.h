/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_UPSTREAM_FAILURE_H
#define SOTTO_UPSTREAM_FAILURE_H

/*
 * Errors of upstreams as OpenAI error objects, {"error":{"message","type","param","code"}}.
 * Shapes that are understood:
 *
 *   {"error": {...}}                                  OpenAI, Azure, Anthropic, llama-server
 *   {"error": "text"}                                 Ollama
 *   {"object": "error", "message": ..., "type": ...}  Mistral, vLLM
 *   {"detail": ...}, {"message": ...}                 FastAPI, API gateways
 */

#include "json/json.h"

/**
 * Reads the body of an error; what cannot be read becomes an error with a text of ours, which
 * holds nothing of the body.
 *
 * @param[out] error  set only on SOTTO_OK, owned by the caller
 * @retval SOTTO_ENOMEM
 */
SOTTO_MUST_CHECK enum sotto_err sotto_failure_read(int status, sotto_span body,
                                                   yyjson_mut_doc **error);

/**
 * Makes an error of a document that was read from an upstream: its root becomes the error object.
 *
 * @param status  chooses the type where the upstream gave none
 * @retval SOTTO_ENOMEM
 */
SOTTO_MUST_CHECK enum sotto_err sotto_failure_of(int status, yyjson_mut_doc *doc);

/** An error with a text of ours.  @param[out] error  set only on SOTTO_OK.  @retval SOTTO_ENOMEM */
SOTTO_MUST_CHECK enum sotto_err sotto_failure_new(const char *type, const char *code,
                                                  const char *message, yyjson_mut_doc **error);

/** Whether a document of status 200, or an event of a stream, is an error all the same. */
bool sotto_failure_is(yyjson_mut_val *root);

#endif
