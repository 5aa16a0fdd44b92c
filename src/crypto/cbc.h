/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_CRYPTO_CBC_H
#define SOTTO_CRYPTO_CBC_H

/*
 * AES in CBC mode (NIST SP 800-38A) with PKCS #7 padding (RFC 5652, 6.3): for the wire form of
 * others that demands it.  It does not show that a text was changed; crypto/aead.h does.
 *
 *   sealed = iv(16) ciphertext
 */

#include "base/buf.h"

#define SOTTO_CBC_IV_BYTES 16

/** Whether a key of `len` bytes is one of AES: 16, 24 or 32. */
bool sotto_cbc_key_valid(size_t len);

/**
 * Appends `plain` encrypted under a fresh random iv.
 *
 * @retval SOTTO_EINVAL   the key has no length of AES
 * @retval SOTTO_ELIMIT, SOTTO_ENOMEM, SOTTO_ECRYPTO  `out` unchanged, as for the other
 */
SOTTO_MUST_CHECK enum sotto_err sotto_cbc_encrypt(sotto_span key, sotto_span plain,
                                                  struct sotto_buf *out);

/**
 * Appends what was encrypted.
 *
 * @retval SOTTO_EFORMAT  not whole blocks, or the padding is wrong
 * @retval SOTTO_EINVAL   the key has no length of AES
 * @retval SOTTO_ELIMIT, SOTTO_ENOMEM, SOTTO_ECRYPTO  `out` unchanged, as for the others
 */
SOTTO_MUST_CHECK enum sotto_err sotto_cbc_decrypt(sotto_span key, sotto_span sealed,
                                                  struct sotto_buf *out);

#endif
