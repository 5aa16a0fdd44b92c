/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_CLIENT_VOUCH_H
#define SOTTO_CLIENT_VOUCH_H

/*
 * Whether a trusted execution environment vouches for what a gateway is known by, checked against a
 * policy: its signing key (the member `attestation` of GET /v1/seal/keys?nonce=...,
 * docs/wire/native.md) or its mesh CA (docs/wire/privatemode.md).
 */

#include "attest/evidence.h"
#include "crypto/ed25519.h"
#include "json/json.h"

#define SOTTO_VOUCH_NONCE_BYTES 32

/** Most measurements, and most roots beyond the makers' that are known. */
#define SOTTO_VOUCH_MEASUREMENTS_MAX 16
#define SOTTO_VOUCH_ROOTS_MAX        16

struct sotto_vouch_policy {
    uint8_t measurements[SOTTO_VOUCH_MEASUREMENTS_MAX][SOTTO_MEASUREMENT_BYTES];
    size_t measurement_count; /* 0: any */
    struct sotto_chain_root roots[SOTTO_VOUCH_ROOTS_MAX];
    size_t root_count; /* beyond the makers' */
};

/**
 * Adds what "HEX,HEX" lists: measurements of 48 bytes each in hexadecimal.
 *
 * @retval SOTTO_EFORMAT  one is none
 * @retval SOTTO_ELIMIT   too many
 */
SOTTO_MUST_CHECK enum sotto_err sotto_vouch_measurements(struct sotto_vouch_policy *policy,
                                                         sotto_span list);

/** The same for the SHA-256 of roots' public keys, of 32 bytes each. */
SOTTO_MUST_CHECK enum sotto_err sotto_vouch_roots(struct sotto_vouch_policy *policy,
                                                  sotto_span list);

/**
 * Checks the evidence.
 *
 * @param attestation  the member; NULL is allowed
 * @param nonce        that was asked with: the evidence must be newer than it
 * @param now_s        seconds since 1970
 * @param[out] tee     what the gateway runs in; set only on SOTTO_OK
 * @param[out] why     where it fails: one clause, static
 *
 * @retval SOTTO_EDENIED  there is none, or it is not what the policy asks for
 * @retval SOTTO_EAUTH, SOTTO_EFORMAT  it is not genuine, or no evidence at all
 * @retval SOTTO_ENOMEM, SOTTO_ECRYPTO, SOTTO_ELIMIT
 */
SOTTO_MUST_CHECK enum sotto_err
sotto_vouch_check(const struct sotto_vouch_policy *policy, yyjson_mut_val *attestation,
                  const uint8_t signing_key[SOTTO_ED25519_PUBLIC_BYTES],
                  const uint8_t nonce[SOTTO_VOUCH_NONCE_BYTES], int64_t now_s, enum sotto_tee *tee,
                  const char **why);

/**
 * Checks evidence for 64 bytes that the caller expects.
 *
 * @param object       has `tee`, and the evidence in base64 in member `name`; NULL is allowed
 * @param report_data  what it has to vouch for; must contain a nonce, or it may be old
 *
 * The rest is as for sotto_vouch_check().
 */
SOTTO_MUST_CHECK enum sotto_err
sotto_vouch_report(const struct sotto_vouch_policy *policy, yyjson_mut_val *object,
                   const char *name, const uint8_t report_data[SOTTO_REPORT_DATA_BYTES],
                   int64_t now_s, enum sotto_tee *tee, const char **why);

#endif
