/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_SEAL_H
#define SOTTO_SEAL_H

/*
 * The client's side of sealed conversations: the profile `native` (docs/wire/native.md).  Bytes in,
 * bytes out; whoever calls sends them.
 *
 *   hello     half a key exchange: the body of POST /v1/seal/session
 *   sealer    the session that the gateway's answer makes of it: seals requests
 *   opener    opens the answer to one of them, whole or event by event
 *
 * and the key encapsulation of the suite `kyber512`, for programs that have all the rest of a client.
 *
 * Secrets and texts are wiped before their memory goes back.  One thread at a time for each object.
 */

#include <stdint.h>

#include <sotto/sotto.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Length of a gateway's signing key (Ed25519). */
#define SOTTO_SIGNING_KEY_BYTES 32

/** Longest method, path without a query, and name of a model that a request is bound to. */
#define SOTTO_SEAL_METHOD_MAX 16
#define SOTTO_SEAL_PATH_MAX   256
#define SOTTO_SEAL_MODEL_MAX  256

/* --- hello ------------------------------------------------------------------------------------ */

struct sotto_hello;
struct sotto_sealer;

/**
 * Begins a session.
 *
 * @param suite          "x-wing", "kyber512", "rsa4096", or "auto", which is "x-wing"
 * @param published      of "rsa4096": the public key that GET /v1/seal/keys names, in DER; else NULL
 * @param body           the JSON text to be sent, with a NUL behind it; freed with sotto_text_free()
 * @param body_len       its length; may be NULL
 * @param out            freed with sotto_hello_free()
 *
 * Returns SOTTO_STATUS_OPTION (no such suite, or no acceptable published key), SOTTO_STATUS_MEMORY,
 * SOTTO_STATUS_CRYPTO.
 */
SOTTO_API_CHECKED enum sotto_status sotto_hello_new(const char *suite,
                                                    const unsigned char *published,
                                                    size_t published_len, char **body,
                                                    size_t *body_len, struct sotto_hello **out);

SOTTO_API void sotto_hello_free(struct sotto_hello *hello);

/**
 * Takes the gateway's answer.
 *
 * @param answer       the body that came
 * @param signing_key  SOTTO_SIGNING_KEY_BYTES bytes: the key that the caller believes to be the
 *                     gateway's, because it was told so or saw it before; never the answer's own
 * @param out          freed with sotto_sealer_free()
 *
 * Returns SOTTO_STATUS_REFUSED (not signed by that key, not an answer to this hello, or another
 * suite), SOTTO_STATUS_FORMAT, SOTTO_STATUS_MEMORY, SOTTO_STATUS_CRYPTO.
 */
SOTTO_API_CHECKED enum sotto_status sotto_hello_finish(struct sotto_hello *hello,
                                                       const char *answer, size_t len,
                                                       const unsigned char *signing_key,
                                                       struct sotto_sealer **out);

/* --- sealer ----------------------------------------------------------------------------------- */

struct sotto_opener;

/** The openers of its requests stay. */
SOTTO_API void sotto_sealer_free(struct sotto_sealer *sealer);

/** Seconds for which the session lives; a new one should begin after three quarters of them. */
SOTTO_API uint32_t sotto_sealer_lifetime(const struct sotto_sealer *sealer);

/** What the gateway says it runs in ("none", "sev-snp"), as it signed it; as long as the sealer. */
SOTTO_API const char *sotto_sealer_environment(const struct sotto_sealer *sealer);

/**
 * Seals a request.
 *
 * @param method    "POST"
 * @param path      "/v1/chat/completions", without a query
 * @param model     the member `model` of the text
 * @param text      the JSON body of the request
 * @param body      the bytes to be sent as application/vnd.sotto.sealed; freed with sotto_text_free()
 * @param body_len  their length: there may be zero bytes among them
 * @param out       freed with sotto_opener_free()
 *
 * Returns SOTTO_STATUS_OPTION (method, path or model are longer than above), SOTTO_STATUS_LIMIT,
 * SOTTO_STATUS_MEMORY, SOTTO_STATUS_CRYPTO.
 */
SOTTO_API_CHECKED enum sotto_status sotto_sealer_seal(struct sotto_sealer *sealer,
                                                      const char *method, const char *path,
                                                      const char *model, const char *text,
                                                      size_t len, char **body, size_t *body_len,
                                                      struct sotto_opener **out);

/* --- opener ----------------------------------------------------------------------------------- */

SOTTO_API void sotto_opener_free(struct sotto_opener *opener);

/**
 * Opens a whole answer.  An opener opens one answer: a second one, and whatever follows one that was
 * refused, gives SOTTO_STATUS_ENDED.
 *
 * @param http_status  of the answer: it is authenticated too
 * @param body         the bytes that came
 * @param text         with a NUL behind it; freed with sotto_text_free()
 * @param text_len     may be NULL
 *
 * Returns SOTTO_STATUS_REFUSED (not the answer to this request), SOTTO_STATUS_ENDED,
 * SOTTO_STATUS_LIMIT, SOTTO_STATUS_MEMORY, SOTTO_STATUS_CRYPTO.
 */
SOTTO_API_CHECKED enum sotto_status sotto_opener_answer(struct sotto_opener *opener,
                                                        int http_status, const char *body,
                                                        size_t len, char **text, size_t *text_len);

/**
 * Opens the next event of a stream.  A stream that ends before *last was 1 was cut, and is an error.
 *
 * @param data  what stands behind "data: "
 * @param text  what would stand there in the clear; empty: no event.  Freed with sotto_text_free()
 * @param last  1 or 0; set only on SOTTO_STATUS_OK
 *
 * Returns as sotto_opener_answer().
 */
SOTTO_API_CHECKED enum sotto_status sotto_opener_event(struct sotto_opener *opener,
                                                       const char *data, size_t len, char **text,
                                                       size_t *text_len, int *last);

/* --- ML-KEM-512 ------------------------------------------------------------------------------- */

/* FIPS 203; KEM 0x0040 of HPKE. */
#define SOTTO_MLKEM512_SEED_BYTES       64 /* d || z */
#define SOTTO_MLKEM512_PUBLIC_BYTES     800
#define SOTTO_MLKEM512_CIPHERTEXT_BYTES 768
#define SOTTO_MLKEM512_SECRET_BYTES     32

/** A key pair; immutable, shared by all threads. */
struct sotto_mlkem512;

/**
 * @param seed  SOTTO_MLKEM512_SEED_BYTES secret bytes; NULL: random ones
 * @param out   freed with sotto_mlkem512_free()
 *
 * Returns SOTTO_STATUS_MEMORY, SOTTO_STATUS_CRYPTO.
 */
SOTTO_API_CHECKED enum sotto_status sotto_mlkem512_new(const unsigned char *seed,
                                                       struct sotto_mlkem512 **out);

SOTTO_API void sotto_mlkem512_free(struct sotto_mlkem512 *pair);

/** The public key, SOTTO_MLKEM512_PUBLIC_BYTES bytes; as long as the pair. */
SOTTO_API const unsigned char *sotto_mlkem512_public(const struct sotto_mlkem512 *pair);

/**
 * Makes a secret and its ciphertext for whoever has the private key.
 *
 * @param public_key  SOTTO_MLKEM512_PUBLIC_BYTES bytes
 * @param ciphertext  room for SOTTO_MLKEM512_CIPHERTEXT_BYTES; wiped on failure, as is the secret
 * @param secret      room for SOTTO_MLKEM512_SECRET_BYTES
 *
 * Returns SOTTO_STATUS_OPTION (no valid public key: FIPS 203, 7.2), SOTTO_STATUS_MEMORY,
 * SOTTO_STATUS_CRYPTO.
 */
SOTTO_API_CHECKED enum sotto_status sotto_mlkem512_encapsulate(const unsigned char *public_key,
                                                               unsigned char *ciphertext,
                                                               unsigned char *secret);

/**
 * Opens a ciphertext.  Bytes that are none of this key's give a secret that nobody else has.
 *
 * @param ciphertext  SOTTO_MLKEM512_CIPHERTEXT_BYTES bytes
 * @param secret      room for SOTTO_MLKEM512_SECRET_BYTES; wiped on failure
 *
 * Returns SOTTO_STATUS_MEMORY, SOTTO_STATUS_CRYPTO.
 */
SOTTO_API_CHECKED enum sotto_status sotto_mlkem512_decapsulate(const struct sotto_mlkem512 *pair,
                                                               const unsigned char *ciphertext,
                                                               unsigned char *secret);

#ifdef __cplusplus
}
#endif

#endif
