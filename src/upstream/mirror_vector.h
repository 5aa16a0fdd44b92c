/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_UPSTREAM_MIRROR_VECTOR_H
#define SOTTO_UPSTREAM_MIRROR_VECTOR_H

#include "upstream/mirror.h"

/** Length of a vector where the call does not say, and the greatest. */
#define SOTTO_MIRROR_VECTOR_LEN 256
#define SOTTO_MIRROR_VECTOR_MAX 4096

/**
 * Answers an embeddings call: for each input a vector of length one that counts its words by their
 * hashes, so that texts with common words are near each other.
 *
 * @param[out] answer  set only on SOTTO_OK, owned by the caller
 * @retval SOTTO_ENOMEM
 */
SOTTO_MUST_CHECK enum sotto_err sotto_mirror_vectors(const struct sotto_call *call,
                                                     yyjson_mut_doc **answer);

#endif
