/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_SEAL_NATIVE_CLIENT_H
#define SOTTO_SEAL_NATIVE_CLIENT_H

/*
 * The client's side of the profile `native` (docs/wire/native.md): bytes in, bytes out.
 *
 *   sotto_native_hello()     a suite, and the body of POST /v1/seal/session
 *   sotto_native_agreed()    its answer becomes a session, if the gateway's key has signed it
 *   sotto_native_request()   the body of a sealed request, and what opens its answer
 *   sotto_native_whole(), sotto_native_event()
 *
 * An object belongs to one thread at a time.
 */

#include "seal/native.h"

struct sotto_native_hello;
struct sotto_native_client;
struct sotto_native_pending;

/**
 * Begins a session.
 *
 * @param published  suites that are not ephemeral: the gateway's public key; else ignored
 * @param body       gets the JSON text to be sent
 * @param[out] out   set only on SOTTO_OK; freed with sotto_native_hello_free()
 *
 * @retval SOTTO_EINVAL  not an acceptable published key
 * @retval SOTTO_ENOMEM, SOTTO_ELIMIT, SOTTO_ECRYPTO
 */
SOTTO_MUST_CHECK enum sotto_err sotto_native_hello(const struct sotto_suite *suite,
                                                   sotto_span published, struct sotto_buf *body,
                                                   struct sotto_native_hello **out);

/** Wipes and frees; NULL is allowed. */
void sotto_native_hello_free(struct sotto_native_hello *hello);

/**
 * Takes the gateway's answer.
 *
 * @param pinned    the gateway's signing key, that the caller trusts
 * @param[out] out  set only on SOTTO_OK; freed with sotto_native_client_free()
 *
 * @retval SOTTO_EAUTH    the answer is not by that key, or not to this hello
 * @retval SOTTO_EFORMAT  it is not such an answer
 * @retval SOTTO_ENOMEM, SOTTO_ECRYPTO
 */
SOTTO_MUST_CHECK enum sotto_err
sotto_native_agreed(struct sotto_native_hello *hello, sotto_span answer,
                    const uint8_t pinned[SOTTO_ED25519_PUBLIC_BYTES],
                    struct sotto_native_client **out);

/** Wipes and frees; NULL is allowed.  Pending requests stay valid. */
void sotto_native_client_free(struct sotto_native_client *client);

/** Seconds for which the session lives, and what the gateway claims to run in ("none"). */
uint32_t sotto_native_lifetime(const struct sotto_native_client *client);
const char *sotto_native_tee(const struct sotto_native_client *client);

/**
 * Seals a request's body.
 *
 * @param place     what the request will say; its model is the one in `text`
 * @param body      gets the bytes to be sent as application/vnd.sotto.sealed
 * @param[out] out  set only on SOTTO_OK; freed with sotto_native_pending_free()
 *
 * @retval SOTTO_EINVAL  `place` does not fit
 * @retval SOTTO_ENOMEM, SOTTO_ELIMIT, SOTTO_ECRYPTO  `body` unchanged
 */
SOTTO_MUST_CHECK enum sotto_err sotto_native_request(struct sotto_native_client *client,
                                                     const struct sotto_native_place *place,
                                                     sotto_span text, struct sotto_buf *body,
                                                     struct sotto_native_pending **out);

/** Wipes and frees; NULL is allowed. */
void sotto_native_pending_free(struct sotto_native_pending *pending);

/**
 * Opens a whole answer and appends its text.
 *
 * @param status  of the HTTP response
 * @retval SOTTO_EAUTH  not the answer to this request
 * @retval SOTTO_ESTATE an answer was opened, or refused, before
 * @retval SOTTO_ENOMEM, SOTTO_ELIMIT, SOTTO_ECRYPTO
 */
SOTTO_MUST_CHECK enum sotto_err sotto_native_whole(struct sotto_native_pending *pending, int status,
                                                   sotto_span body, struct sotto_buf *text);

/**
 * Opens the next event of a stream and appends its text, which may be empty.  A stream that ends
 * before *last was true was cut.
 *
 * @param data  what stands behind "data: "
 * @retval as sotto_native_whole()
 */
SOTTO_MUST_CHECK enum sotto_err sotto_native_event(struct sotto_native_pending *pending,
                                                   sotto_span data, bool *last,
                                                   struct sotto_buf *text);

#endif
