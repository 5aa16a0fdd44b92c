/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_DIALECTS_SEALED_MESSAGES_H
#define SOTTO_DIALECTS_SEALED_MESSAGES_H

#include "dialects/dialect.h"
#include "seal/profile.h"

/**
 * Appends an error about a request that was opened, sealed.
 *
 * @param upstream   the upstream's error object, restored, or NULL: `problem` speaks
 * @param in_stream  as the end of a stream; else as a whole answer with the problem's status
 *
 * @retval SOTTO_ENOMEM, SOTTO_ELIMIT, SOTTO_ECRYPTO, SOTTO_ESTATE  `body` unchanged
 */
SOTTO_MUST_CHECK enum sotto_err sotto_sealed_write_error(struct sotto_seal_exchange *x,
                                                         const struct sotto_problem *problem,
                                                         const yyjson_mut_doc *upstream,
                                                         bool in_stream, struct sotto_buf *body);

#endif
