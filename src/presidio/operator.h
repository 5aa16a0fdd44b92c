/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_PRESIDIO_OPERATOR_H
#define SOTTO_PRESIDIO_OPERATOR_H

/*
 * Presidio's operators: what becomes of a stretch of text.
 *
 *   anonymize    replace redact hash mask encrypt keep; custom is refused, as it is a function
 *   deanonymize  decrypt deanonymize_keep
 *
 * A new operator is one row of a table.  For the files of this folder.
 */

#include "presidio/answer.h"

enum presidio_direction {
    PRESIDIO_ANONYMIZE,
    PRESIDIO_DEANONYMIZE,
};

/** Names of the operators in one direction; ends with NULL. */
extern const char *const presidio_operator_names[2][9];

/**
 * Checks {"TYPE": {"type": "mask", ...}}: what Presidio checks before it looks at the text.
 *
 * @param config  a JSON value of any kind; NULL: not there
 *
 * @retval SOTTO_EINVAL  refused; `answer` says why
 * @retval SOTTO_ENOMEM
 */
SOTTO_MUST_CHECK enum sotto_err presidio_operators_check(yyjson_mut_val *config,
                                                         enum presidio_direction direction,
                                                         struct presidio_answer *answer);

/**
 * Applies the operator for `type` and appends what stands for `text`.
 *
 * @param config     as it was checked
 * @param[out] name  the operator's name, static or borrowed from `config`
 *
 * @retval SOTTO_EINVAL  refused; `answer` says why
 * @retval SOTTO_ENOMEM, SOTTO_ECRYPTO
 */
SOTTO_MUST_CHECK enum sotto_err presidio_operate(yyjson_mut_val *config,
                                                 enum presidio_direction direction, sotto_span type,
                                                 sotto_span text, struct sotto_buf *out,
                                                 sotto_span *name, struct presidio_answer *answer);

#endif
