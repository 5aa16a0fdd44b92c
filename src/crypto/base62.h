/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_CRYPTO_BASE62_H
#define SOTTO_CRYPTO_BASE62_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/*
 * Names in base62, the symbols 0-9 A-Z a-z: ids and keys.  Nothing is NUL-terminated.
 */

/** Longest digest that sotto_base62_digest() takes. */
#define SOTTO_BASE62_DIGEST_MAX 64

/**
 * Fills `out` with `n` random symbols, each as likely as any other.
 *
 * @retval SOTTO_ECRYPTO  `out` is wiped
 */
SOTTO_MUST_CHECK enum sotto_err sotto_base62_random(char *out, size_t n);

/**
 * A name for a digest: the last `n` digits of the number that its bytes are, the highest first.
 * With `n` well below 1.34 digits a byte every symbol is as likely as any other.
 *
 * @param digest_len  at most SOTTO_BASE62_DIGEST_MAX
 */
void sotto_base62_digest(const uint8_t *digest, size_t digest_len, char *out, size_t n);

#endif
