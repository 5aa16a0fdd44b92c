/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_SEAL_NATIVE_H
#define SOTTO_SEAL_NATIVE_H

/*
 * The bytes of the profile `native`, as both sides compute them: docs/wire/native.md.  What a
 * session was agreed on (the transcript), its keys, and records: pieces of text that are sealed one
 * by one, each bound to its place.
 */

#include "crypto/aead.h"
#include "crypto/ed25519.h"
#include "crypto/hash.h"
#include "seal/suite.h"

#define SOTTO_NATIVE_VERSION 1

#define SOTTO_NATIVE_SESSION_BYTES 16 /* id of a session */
#define SOTTO_NATIVE_NONCE_BYTES   16 /* of a request, and of an answer */
#define SOTTO_NATIVE_RANDOM_BYTES  32
#define SOTTO_NATIVE_SECRET_BYTES  32
#define SOTTO_NATIVE_MODEL_MAX     256

/** Version, session, nonce and length of the model's name, before the name. */
#define SOTTO_NATIVE_REQUEST_HEAD (1 + SOTTO_NATIVE_SESSION_BYTES + SOTTO_NATIVE_NONCE_BYTES + 2)

/** Version and nonce of an answer. */
#define SOTTO_NATIVE_ANSWER_HEAD (1 + SOTTO_NATIVE_NONCE_BYTES)

/** Longest method and path to which requests are bound. */
#define SOTTO_NATIVE_METHOD_MAX 16
#define SOTTO_NATIVE_PATH_MAX   256

/* --- sessions ---------------------------------------------------------------------------------- */

/** What both sides know when they have agreed; all spans are borrowed. */
struct sotto_native_terms {
    const struct sotto_suite *suite;
    sotto_span public_key; /* ephemeral suites: the client's; else the gateway's published one */
    sotto_span ciphertext; /* made by the other side */
    uint8_t random[SOTTO_NATIVE_RANDOM_BYTES]; /* the gateway's */
    uint32_t lifetime_s;
    uint8_t signing_key[SOTTO_ED25519_PUBLIC_BYTES]; /* the gateway's */
    sotto_span tee; /* "none", "sev-snp", ...: what the gateway claims to run in */
};

/**
 * Hash of the terms, which names, signs and keys the session.
 *
 * @retval SOTTO_EINVAL  `tee` is longer than 255 bytes
 * @retval SOTTO_ECRYPTO  `out` is wiped in both cases
 */
SOTTO_MUST_CHECK enum sotto_err sotto_native_transcript(const struct sotto_native_terms *terms,
                                                        uint8_t out[SOTTO_SHA256_BYTES]);

/** What the gateway signs. */
#define SOTTO_NATIVE_SIGNED_BYTES (24 + SOTTO_SHA256_BYTES)
void sotto_native_signed(const uint8_t transcript[SOTTO_SHA256_BYTES],
                         uint8_t out[SOTTO_NATIVE_SIGNED_BYTES]);

/** `info` and `context` of HPKE in ephemeral suites. */
#define SOTTO_NATIVE_HPKE_INFO    "sotto-native-1"
#define SOTTO_NATIVE_HPKE_CONTEXT "session"

/**
 * The session's secret.
 *
 * @param shared  what the suite's exchange gave; borrowed
 * @retval SOTTO_ENOMEM, SOTTO_ECRYPTO  `out` is wiped
 */
SOTTO_MUST_CHECK enum sotto_err sotto_native_secret(const uint8_t shared[SOTTO_KEM_SECRET_BYTES],
                                                    const uint8_t transcript[SOTTO_SHA256_BYTES],
                                                    uint8_t out[SOTTO_NATIVE_SECRET_BYTES]);

/**
 * The first half of the report data of attestation evidence; the second one is the client's nonce.
 *
 * @retval SOTTO_ECRYPTO  `out` is wiped
 */
SOTTO_MUST_CHECK enum sotto_err
sotto_native_evidence_binding(const uint8_t signing_key[SOTTO_ED25519_PUBLIC_BYTES],
                              uint8_t out[SOTTO_SHA256_BYTES]);

/* --- records ----------------------------------------------------------------------------------- */

/** Where a request goes; all spans are borrowed for the call. */
struct sotto_native_place {
    sotto_span method;
    sotto_span path; /* without a query */
    sotto_span model;
};

/** One direction of one request: key, place and the number of the next record. */
struct sotto_native_channel;

/**
 * The channel of a request's body.
 *
 * @param[out] out  set only on SOTTO_OK; freed with sotto_native_channel_free()
 * @retval SOTTO_EINVAL  method, path or model are over their limits
 * @retval SOTTO_ENOMEM, SOTTO_ECRYPTO
 */
SOTTO_MUST_CHECK enum sotto_err sotto_native_request_channel(
    const uint8_t secret[SOTTO_NATIVE_SECRET_BYTES], const uint8_t nonce[SOTTO_NATIVE_NONCE_BYTES],
    const struct sotto_native_place *place, struct sotto_native_channel **out);

/** The channel of the answer to the request with `nonce`.  Arguments and errors as above. */
SOTTO_MUST_CHECK enum sotto_err sotto_native_answer_channel(
    const uint8_t secret[SOTTO_NATIVE_SECRET_BYTES], const uint8_t nonce[SOTTO_NATIVE_NONCE_BYTES],
    const uint8_t answer_nonce[SOTTO_NATIVE_NONCE_BYTES], int status,
    const struct sotto_native_place *place, struct sotto_native_channel **out);

/** Wipes and frees; NULL is allowed. */
void sotto_native_channel_free(struct sotto_native_channel *channel);

/**
 * A buffer in which the text of the next record is written: it holds room for what stands before
 * the text, and is emptied when the record is sealed.
 *
 * @retval SOTTO_ENOMEM
 */
SOTTO_MUST_CHECK enum sotto_err sotto_native_begin(struct sotto_native_channel *channel,
                                                   struct sotto_buf **text);

/**
 * Appends the record with the text that was written since sotto_native_begin(): a byte that says
 * whether it is the last one, and the sealed text, padded.
 *
 * @retval SOTTO_ESTATE  the last record was sealed before
 * @retval SOTTO_ELIMIT, SOTTO_ENOMEM, SOTTO_ECRYPTO  `out` unchanged; the channel is of no more use
 */
SOTTO_MUST_CHECK enum sotto_err sotto_native_seal(struct sotto_native_channel *channel, bool last,
                                                  struct sotto_buf *out);

/**
 * Opens the next record and appends its text.
 *
 * @param[out] last  set on SOTTO_OK
 * @retval SOTTO_EAUTH   not the record that belongs here
 * @retval SOTTO_ESTATE  the last one was opened before, or one was refused
 * @retval SOTTO_ELIMIT, SOTTO_ENOMEM, SOTTO_ECRYPTO  `out` unchanged in all cases
 */
SOTTO_MUST_CHECK enum sotto_err sotto_native_open(struct sotto_native_channel *channel,
                                                  sotto_span record, bool *last,
                                                  struct sotto_buf *out);

/**
 * The text inside a padded one.  Its time depends on nothing that stands behind the length.
 *
 * @param[out] text  a part of `padded`; set only on SOTTO_OK
 * @retval SOTTO_EAUTH  the length does not fit
 */
SOTTO_MUST_CHECK enum sotto_err sotto_native_unpad(sotto_span padded, sotto_span *text);

/** Length to which a text of `n` bytes is padded, its length field included. */
size_t sotto_native_padded(size_t n);

#endif
