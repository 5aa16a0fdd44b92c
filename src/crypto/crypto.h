/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_CRYPTO_CRYPTO_H
#define SOTTO_CRYPTO_CRYPTO_H

#include "base/err.h"

/**
 * Hands the wiping allocator to OpenSSL and fetches the algorithms that this folder uses.  To be
 * called before anything else uses OpenSSL; every function of this folder calls it as well.
 * Idempotent and thread-safe.  A failure may be final: OpenSSL does not repeat its own start.
 *
 * @retval SOTTO_ECRYPTO  OpenSSL has allocated memory before, or lacks an algorithm
 */
SOTTO_MUST_CHECK enum sotto_err sotto_crypto_init(void);

#endif
