/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_CLIENT_VEIL_H
#define SOTTO_CLIENT_VEIL_H

/*
 * Personal data stays on this machine: tokens take its place before a request is sealed, and the
 * values come back into the answer.  The same detection, tokens and restoring as in the gateway.
 * Tokens are stable as long as the veil lives.  One thread.
 */

#include "base/buf.h"
#include "json/json.h"

struct sotto_veil;
struct sotto_veil_answer;

/**
 * @param[out] out  set only on SOTTO_OK; freed with sotto_veil_free()
 * @retval SOTTO_ENOTFOUND  there is no such mode
 * @retval SOTTO_ENOMEM, SOTTO_ECRYPTO
 */
SOTTO_MUST_CHECK enum sotto_err sotto_veil_new(sotto_span mode, struct sotto_veil **out);

/** Wipes and frees; NULL is allowed. */
void sotto_veil_free(struct sotto_veil *veil);

/**
 * Masks a request for chat completions or embeddings in place.
 *
 * @param doc       on failure it must not be sent
 * @param[out] out  restores the answer; set only on SOTTO_OK, freed with sotto_veil_answer_free()
 *
 * @retval SOTTO_EINVAL  the request holds what the mode does not let out, or is too large
 * @retval SOTTO_ELIMIT, SOTTO_ENOMEM, SOTTO_ECRYPTO
 */
SOTTO_MUST_CHECK enum sotto_err sotto_veil_request(struct sotto_veil *veil, yyjson_mut_doc *doc,
                                                   struct sotto_veil_answer **out);

/** Wipes and frees; NULL is allowed. */
void sotto_veil_answer_free(struct sotto_veil_answer *answer);

/**
 * Appends the restored form of a JSON text: a whole answer, an error, or one chunk of a stream.
 *
 * @param chunk       it is a chunk: text may come later, and nothing may be appended
 *
 * @retval SOTTO_EFORMAT  not JSON
 * @retval SOTTO_ELIMIT, SOTTO_ENOMEM  `out` unchanged
 */
SOTTO_MUST_CHECK enum sotto_err sotto_veil_restore(struct sotto_veil_answer *answer,
                                                   sotto_span text, bool chunk,
                                                   struct sotto_buf *out);

#endif
