/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_FLEET_WRAP_H
#define SOTTO_FLEET_WRAP_H

/*
 * A sealing session as it lies in a store that others may read: AES-256-GCM under the fleet's key,
 *
 *   wrapped = version(1) nonce(12) ciphertext tag(16)
 *   key     = HKDF-SHA-256(master secret, info "sotto fleet sessions v1")
 *   AAD     = "sotto fleet session v1" 0x00 place, the place being the name of the store's entry,
 *             which holds profile and id: an entry that somebody moves does not open
 *   inside  = secret(32) expires(8) forward_secret(1), then owner, algorithm and key id, each with
 *             a byte of length before it
 *
 * Whoever has the master secret opens it; with another master secret no session opens, and clients
 * agree on new ones.  Nonces are random: good for 2^32 sessions under one master secret.
 */

#include "crypto/aead.h"
#include "seal/session.h"

#define SOTTO_WRAP_BYTES_MAX 512

/** @param[out] out  wiped on failure.  @retval SOTTO_ENOMEM, SOTTO_ECRYPTO */
SOTTO_MUST_CHECK enum sotto_err sotto_wrap_key(sotto_span master,
                                               uint8_t out[SOTTO_AEAD_KEY_BYTES]);

/** Appends the wrapped session.  @retval SOTTO_ENOMEM, SOTTO_ELIMIT, SOTTO_ECRYPTO  unchanged */
SOTTO_MUST_CHECK enum sotto_err sotto_wrap(struct sotto_aead *aead, sotto_span place,
                                           const struct sotto_session *session,
                                           struct sotto_buf *out);

/**
 * @param[out] session  all but profile and id, which stay as they are; the caller wipes it;
 *                      unchanged on failure
 * @retval SOTTO_EAUTH    wrapped under another key, for another place, or changed
 * @retval SOTTO_EFORMAT  of a later version
 * @retval SOTTO_ENOMEM, SOTTO_ECRYPTO
 */
SOTTO_MUST_CHECK enum sotto_err sotto_unwrap(struct sotto_aead *aead, sotto_span place,
                                             sotto_span wrapped, struct sotto_session *session);

#endif
