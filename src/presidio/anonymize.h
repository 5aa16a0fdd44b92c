/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_PRESIDIO_ANONYMIZE_H
#define SOTTO_PRESIDIO_ANONYMIZE_H

/*
 * Presidio's anonymizer service: /anonymize takes {"text", "analyzer_results", "anonymizers"},
 * /deanonymize {"text", "anonymizer_results", "deanonymizers"}; both answer
 *
 *   {"text": "...", "items": [{"start", "end", "entity_type", "text", "operator", "score"}]}
 *
 * with the last item first and offsets in code points.
 */

#include "presidio/operator.h"

/**
 * Makes the answer to a request.
 *
 * @param root  the body, a JSON value of any kind
 *
 * @retval SOTTO_OK      `answer` is 200
 * @retval SOTTO_EINVAL  refused; `answer` says why
 * @retval SOTTO_ENOMEM, SOTTO_ECRYPTO
 */
SOTTO_MUST_CHECK enum sotto_err presidio_anonymize(yyjson_mut_val *root,
                                                   enum presidio_direction direction,
                                                   struct presidio_answer *answer);

#endif
