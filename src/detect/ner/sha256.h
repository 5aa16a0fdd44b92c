/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_DETECT_NER_SHA256_H
#define SOTTO_DETECT_NER_SHA256_H

#include "base/span.h"

/**
 * SHA-256 (FIPS 180-4) of public bytes: the checksum of a model file.  It is here because detection
 * does not know the cryptographic library, and it is no place for secrets.
 */
void sotto_ner_sha256(sotto_span in, uint8_t out[32]);

#endif
