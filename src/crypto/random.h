/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_CRYPTO_RANDOM_H
#define SOTTO_CRYPTO_RANDOM_H

#include <stddef.h>

#include "base/err.h"

/**
 * Fills `out` with `n` bytes of OpenSSL's generator (NIST SP 800-90A, seeded by the kernel, safe
 * across fork); for keys and nonces.  Thread-safe.
 *
 * @retval SOTTO_ECRYPTO  `out` is wiped; there is no weaker source to fall back to
 */
SOTTO_MUST_CHECK enum sotto_err sotto_crypto_random(void *out, size_t n);

/**
 * For tests: lets the `countdown`-th call from now fail, once; 0 turns it off.
 * Returns how many calls were counted since the last call.
 */
size_t sotto_crypto_random_set_fault(size_t countdown);

#endif
