/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_CRYPTO_HPKE_H
#define SOTTO_CRYPTO_HPKE_H

/*
 * HPKE (RFC 9180) in base mode with HKDF-SHA-256 and the export-only AEAD (0xffff), over the KEMs
 * that draft-ietf-hpke-pq adds.  One side sets up to a public key, the other opens with the pair;
 * both then export the same secrets.
 *
 * All functions are thread-safe.
 */

#include "crypto/kem.h"

#define SOTTO_HPKE_KDF_HKDF_SHA256  0x0001
#define SOTTO_HPKE_AEAD_EXPORT_ONLY 0xffff

/** Length of the secret from which others are exported (Nh). */
#define SOTTO_HPKE_EXPORTER_BYTES 32

/** Longest `info` and `context`. */
#define SOTTO_HPKE_INFO_MAX 4096

/**
 * The exporter secret of base mode's key schedule (RFC 9180, 5.1).
 *
 * @param aead_id  of the suite; SOTTO_HPKE_AEAD_EXPORT_ONLY but in known answers
 * @param[out] out wiped on failure; the caller wipes it
 *
 * @retval SOTTO_EINVAL  `info` is too long
 * @retval SOTTO_ENOMEM, SOTTO_ECRYPTO
 */
SOTTO_MUST_CHECK enum sotto_err sotto_hpke_schedule(uint16_t kem_id, uint16_t aead_id,
                                                    sotto_span shared_secret, sotto_span info,
                                                    uint8_t out[SOTTO_HPKE_EXPORTER_BYTES]);

/**
 * Context.Export (RFC 9180, 5.3).
 *
 * @param[out] out  `n` bytes, at most SOTTO_HKDF_MAX_BYTES; wiped on failure
 * @retval SOTTO_EINVAL  `context` or `n` is too long
 * @retval SOTTO_ENOMEM, SOTTO_ECRYPTO
 */
SOTTO_MUST_CHECK enum sotto_err sotto_hpke_export(uint16_t kem_id, uint16_t aead_id,
                                                  const uint8_t exporter[SOTTO_HPKE_EXPORTER_BYTES],
                                                  sotto_span context, uint8_t *out, size_t n);

/**
 * SetupBaseS and one export of 32 bytes.
 *
 * @param kem              one with an `hpke_id`
 * @param[out] ciphertext  `kem->ciphertext_len` bytes; wiped on failure, as is `out`
 *
 * @retval SOTTO_EINVAL  not an acceptable public key, or `info` or `context` is too long
 * @retval SOTTO_ENOMEM, SOTTO_ECRYPTO
 */
SOTTO_MUST_CHECK enum sotto_err sotto_hpke_send(const struct sotto_kem *kem, sotto_span public_key,
                                                sotto_span info, sotto_span context,
                                                uint8_t *ciphertext,
                                                uint8_t out[SOTTO_KEM_SECRET_BYTES]);

/**
 * SetupBaseR and the same export.
 *
 * @retval SOTTO_EAUTH   no ciphertext of this key
 * @retval SOTTO_EINVAL, SOTTO_ENOMEM, SOTTO_ECRYPTO  `out` is wiped
 */
SOTTO_MUST_CHECK enum sotto_err sotto_hpke_receive(const struct sotto_kem *kem,
                                                   const struct sotto_kem_pair *pair,
                                                   sotto_span ciphertext, sotto_span info,
                                                   sotto_span context,
                                                   uint8_t out[SOTTO_KEM_SECRET_BYTES]);

#endif
