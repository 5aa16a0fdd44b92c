/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_CRYPTO_AEAD_H
#define SOTTO_CRYPTO_AEAD_H

/*
 * AES-256-GCM (NIST SP 800-38D) with a prepared key and a nonce of the caller, who never gives
 * the same one twice under a key.  A prepared key serves one thread at a time.
 */

#include "base/buf.h"

#define SOTTO_AEAD_KEY_BYTES   32
#define SOTTO_AEAD_NONCE_BYTES 12
#define SOTTO_AEAD_TAG_BYTES   16

/** Longest text, and longest additional data, of one call. */
#define SOTTO_AEAD_MAX_BYTES ((size_t)1 << 30)

struct sotto_aead;

/**
 * @param key       borrowed for the call
 * @param[out] out  set only on SOTTO_OK; freed with sotto_aead_free()
 *
 * @retval SOTTO_ENOMEM, SOTTO_ECRYPTO
 */
SOTTO_MUST_CHECK enum sotto_err sotto_aead_new(const uint8_t key[SOTTO_AEAD_KEY_BYTES],
                                               struct sotto_aead **out);

/** Wipes and frees; NULL is allowed. */
void sotto_aead_free(struct sotto_aead *aead);

/**
 * Appends `plain` encrypted and the tag.
 *
 * @param plain  not part of `out`
 *
 * @retval SOTTO_ELIMIT   over SOTTO_AEAD_MAX_BYTES, or `out` is full; `out` unchanged
 * @retval SOTTO_ENOMEM, SOTTO_ECRYPTO  `out` unchanged
 */
SOTTO_MUST_CHECK enum sotto_err sotto_aead_seal(struct sotto_aead *aead,
                                                const uint8_t nonce[SOTTO_AEAD_NONCE_BYTES],
                                                sotto_span aad, sotto_span plain,
                                                struct sotto_buf *out);

/**
 * Checks the tag at the end of `sealed` and appends what was sealed.
 *
 * @param sealed  not part of `out`
 *
 * @retval SOTTO_EAUTH    shorter than a tag, or key, nonce, data or text are not those of the
 *                        sealing; `out` unchanged
 * @retval SOTTO_ELIMIT, SOTTO_ENOMEM, SOTTO_ECRYPTO  `out` unchanged
 */
SOTTO_MUST_CHECK enum sotto_err sotto_aead_open(struct sotto_aead *aead,
                                                const uint8_t nonce[SOTTO_AEAD_NONCE_BYTES],
                                                sotto_span aad, sotto_span sealed,
                                                struct sotto_buf *out);

#endif
