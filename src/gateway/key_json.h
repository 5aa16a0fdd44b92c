/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_GATEWAY_KEY_JSON_H
#define SOTTO_GATEWAY_KEY_JSON_H

/* API keys and what they used as JSON, for `sotto keys --json` and the admin API. */

#include "base/buf.h"
#include "chat/problem.h"
#include "keys/key.h"
#include "keys/limit.h"
#include "json/json.h"

/** Longest life and grace of a key: a hundred years, so that sums fit everywhere. */
#define SOTTO_KEY_TIME_MAX_S (36500LL * 86400)

/** Highest quota of requests and tokens. */
#define SOTTO_KEY_QUOTA_MAX 1000000000000ULL

/** Highest quota of money, in thousand-millionths. */
#define SOTTO_KEY_COST_MAX_NANO (1000000000ULL * 1000000000ULL)

/** Appends a key as an object; never its hashes.  @retval SOTTO_ENOMEM, SOTTO_ELIMIT */
SOTTO_MUST_CHECK enum sotto_err sotto_key_json_write(const struct sotto_key *key,
                                                     struct sotto_buf *out);

/**
 * Appends what a key used in a month as the members of an object, without its braces: `key`,
 * `requests`, `prompt_tokens`, `completion_tokens`, `estimated_tokens`, `cost`.
 *
 * @param id  SOTTO_KEY_ID_LEN bytes
 * @retval SOTTO_ENOMEM, SOTTO_ELIMIT
 */
SOTTO_MUST_CHECK enum sotto_err sotto_key_json_use(sotto_span id, const struct sotto_use *used,
                                                   struct sotto_buf *out);

/**
 * Reads what a key is to be able to do: an object with any of `name`, `tenant`, `scopes`, `mode`,
 * `style`, `expires` ("30d"), `anonymize`, `requests_per_minute`, `tokens_per_minute`,
 * `monthly_requests`, `monthly_tokens`, `monthly_cost`.
 *
 * @param root          of a document that outlives `key`
 * @param now_s         seconds since 1970
 * @param[out] key      set only on SOTTO_OK; spans point into the document
 * @param[out] problem  on SOTTO_EINVAL which field is wrong, and why
 * @retval SOTTO_EINVAL
 */
SOTTO_MUST_CHECK enum sotto_err sotto_key_json_read(yyjson_mut_val *root, int64_t now_s,
                                                    struct sotto_key *key,
                                                    struct sotto_problem *problem);

#endif
