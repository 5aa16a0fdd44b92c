/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_DETECT_NER_REPORT_H
#define SOTTO_DETECT_NER_REPORT_H

/*
 * From entities, which are rows of tokens, to findings, which are stretches of text: without breaks and
 * signs at their ends, with the initials before a name; and hints where a word may be something.
 */

#include "base/span.h"
#include "detect/finding.h"
#include "detect/ner/decode.h"
#include "detect/ner/place.h"

/** Tokens that were decoded together; borrowed. */
struct sotto_ner_path_tokens {
    sotto_span text;
    const struct sotto_ner_place *places;
    const int32_t *logits; /* SOTTO_NER_HEAD a token, leans included */
};

/**
 * Appends what `n` entities are, in order, and the hints between them and up to token `end`.
 *
 * @retval SOTTO_ENOMEM  from `list`
 */
SOTTO_MUST_CHECK enum sotto_err sotto_ner_report(const struct sotto_ner_path_tokens *tokens,
                                                 const struct sotto_ner_entity *entities, size_t n,
                                                 size_t end, struct sotto_findings *list);

#endif
