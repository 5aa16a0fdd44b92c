/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_CHAT_ESTIMATE_H
#define SOTTO_CHAT_ESTIMATE_H

/*
 * How many tokens a text comes to where nobody has counted them: one for each four bytes, which
 * is what tokenizers of hosted models come to for English, and more than most come to for other
 * languages in UTF-8.  It reserves quotas, and stands in, marked as an estimate, where a provider
 * sent no usage.
 */

#include "json/json.h"

/** Bytes of text that one token stands for. */
#define SOTTO_ESTIMATE_BYTES 4

/** An image, a sound or a file counts as so many bytes, whatever its size: 1000 tokens. */
#define SOTTO_ESTIMATE_BLOB_BYTES 4000

/** Highest number of tokens that is believed of one request. */
#define SOTTO_ESTIMATE_MAX 1000000000

/** Tokens of a text of so many bytes, rounded up. */
uint64_t sotto_estimate_tokens(uint64_t bytes);

/** Bytes of all strings under a value, names of members left out; NULL has none. */
uint64_t sotto_estimate_bytes(yyjson_mut_val *value);

#endif
