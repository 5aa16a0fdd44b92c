/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_SEAL_PRIVATEMODE_H
#define SOTTO_SEAL_PRIVATEMODE_H

/*
 * What both sides of the profile `privatemode` compute (docs/wire/privatemode.md): which members
 * are sealed, how a secret is named, what is signed, and what evidence vouches for.
 */

#include "crypto/hash.h"
#include "seal/members.h"

#define SOTTO_PRIVATEMODE_NONCE_BYTES  32
#define SOTTO_PRIVATEMODE_REPORT_BYTES 64

/** Sealed members of a request for chat completions, of one for embeddings, and of answers; all as
 * sotto_members_rule. */
bool sotto_privatemode_chat_rule(sotto_span key, const yyjson_mut_val *value);
bool sotto_privatemode_embeddings_rule(sotto_span key, const yyjson_mut_val *value);
bool sotto_privatemode_answer_rule(sotto_span key, const yyjson_mut_val *value);

/**
 * The name of the secret that is shared with a public key: its SHA-256 in base64.
 *
 * @retval SOTTO_ENOMEM, SOTTO_ECRYPTO  `id` undefined
 */
SOTTO_MUST_CHECK enum sotto_err sotto_privatemode_id(sotto_span public_key,
                                                     uint8_t id[SOTTO_FIELD_ID_LEN]);

/** What the gateway signs: SHA-256(PublicKey || EncapsulatedKey).  @retval SOTTO_ECRYPTO */
SOTTO_MUST_CHECK enum sotto_err sotto_privatemode_digest(sotto_span public_key,
                                                         sotto_span encapsulated,
                                                         uint8_t digest[SOTTO_SHA256_BYTES]);

/**
 * What evidence vouches for: SHA-256(nonce || transition || SHA-256(root CA) || SHA-256(mesh CA)),
 * then zeros.  The transition names the one manifest there ever was: SHA-256(SHA-256(manifest) ||
 * 32 zero bytes).
 *
 * @param root_ca  in PEM
 * @param mesh_ca  in PEM
 * @retval SOTTO_ECRYPTO
 */
SOTTO_MUST_CHECK enum sotto_err
sotto_privatemode_binding(sotto_span nonce, sotto_span manifest, sotto_span root_ca,
                          sotto_span mesh_ca, uint8_t out[SOTTO_PRIVATEMODE_REPORT_BYTES]);

#endif
