/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_SEAL_SIGNER_H
#define SOTTO_SEAL_SIGNER_H

#include "crypto/ed25519.h"

/**
 * The gateway's identity in the profile `native`: an Ed25519 key that signs sessions.  Derived from
 * the master secret, so that it survives restarts, gateways of a fleet share it, and nothing more
 * has to be kept secret.  Clients pin its public half.
 */
struct sotto_signer {
    uint8_t seed[SOTTO_ED25519_SEED_BYTES];
    uint8_t public_key[SOTTO_ED25519_PUBLIC_BYTES];
};

/**
 * @param master    the master secret; borrowed for the call
 * @param[out] out  wiped on failure; the owner wipes it at the end
 * @retval SOTTO_ENOMEM, SOTTO_ECRYPTO
 */
SOTTO_MUST_CHECK enum sotto_err sotto_signer_derive(sotto_span master, struct sotto_signer *out);

#endif
