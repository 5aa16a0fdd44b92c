/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_PIPELINE_LOGPROBS_H
#define SOTTO_PIPELINE_LOGPROBS_H

/*
 * The list `content` or `refusal` of a choice's `logprobs`: one entry for each of the model's own
 * tokens, whose texts, one behind the other, are the text of the choice.  Entries that spell a
 * token that is restored become one, with the text that stands there after restoring, its bytes,
 * the summed logprob and no alternatives.  In a stream an entry is withheld as long as its text
 * is.  For the files of this folder.
 */

#include "vault/vault.h"
#include "json/json.h"

/** Most entries withheld. */
#define LOGPROBS_MAX_HELD 4096

struct logprobs;

/** @param vault  borrowed; must outlive the object  @retval SOTTO_ENOMEM */
SOTTO_MUST_CHECK enum sotto_err logprobs_new(const struct sotto_vault *vault,
                                             struct logprobs **out);

/** Wipes and frees; NULL is allowed. */
void logprobs_free(struct logprobs *l);

/**
 * Takes the entries out of `list`, an array of `doc`, and puts those in that are free; `ends`:
 * all of them, as the text ends.
 *
 * @retval SOTTO_ELIMIT  more than LOGPROBS_MAX_HELD are to be withheld
 * @retval SOTTO_ENOMEM  the document must not be used any more, nor the object
 */
SOTTO_MUST_CHECK enum sotto_err logprobs_feed(struct logprobs *l, yyjson_mut_doc *doc,
                                              yyjson_mut_val *list, bool ends);

/** Whether any entry is withheld. */
bool logprobs_holds(const struct logprobs *l);

#endif
