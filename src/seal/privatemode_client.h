/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_SEAL_PRIVATEMODE_CLIENT_H
#define SOTTO_SEAL_PRIVATEMODE_CLIENT_H

/*
 * The client's side of the profile `privatemode` (docs/wire/privatemode.md): bytes in, bytes out.
 *
 *   sotto_privatemode_hello()    a fresh key pair, and the body of POST /privatemode/v1/secret
 *   sotto_privatemode_agreed()   its answer becomes a secret, if a leaf of the mesh signed it
 *   sotto_privatemode_request()  the body of a sealed request, and what opens its answer
 *   sotto_privatemode_whole(), sotto_privatemode_event()
 *
 * Stricter than the format asks for: a field of the request that comes back as one of the answer, a
 * status that does not go with the body, and a stream in which a choice was begun and not finished
 * are refused.
 *
 * An object belongs to one thread at a time.
 */

#include "seal/privatemode.h"

struct sotto_privatemode_hello;
struct sotto_privatemode_client;
struct sotto_privatemode_pending;

/** For how long the gateway keeps a secret if its configuration does not say otherwise; in
 * seconds. */
#define SOTTO_PRIVATEMODE_LIFE_S 3600

/** Choices of a stream that are told from each other: what `n` allows. */
#define SOTTO_PRIVATEMODE_CHOICES_MAX 128

/**
 * Begins an exchange.
 *
 * @param body      gets the JSON text to be sent
 * @param[out] out  set only on SOTTO_OK; freed with sotto_privatemode_hello_free()
 *
 * @retval SOTTO_ENOMEM, SOTTO_ELIMIT, SOTTO_ECRYPTO  `body` unchanged
 */
SOTTO_MUST_CHECK enum sotto_err sotto_privatemode_hello(struct sotto_buf *body,
                                                        struct sotto_privatemode_hello **out);

/** Wipes and frees; NULL is allowed. */
void sotto_privatemode_hello_free(struct sotto_privatemode_hello *hello);

/**
 * Takes the gateway's answer.
 *
 * @param mesh_ca   in PEM, one certificate, that the caller trusts
 * @param now_s     seconds since 1970
 * @param[out] out  set only on SOTTO_OK; freed with sotto_privatemode_client_free()
 *
 * @retval SOTTO_EAUTH    the answer is not signed by a leaf of that authority, or not to this hello
 * @retval SOTTO_EFORMAT  it is not such an answer, or the authority is none
 * @retval SOTTO_ENOMEM, SOTTO_ECRYPTO
 */
SOTTO_MUST_CHECK enum sotto_err
sotto_privatemode_agreed(const struct sotto_privatemode_hello *hello, sotto_span answer,
                         sotto_span mesh_ca, int64_t now_s, struct sotto_privatemode_client **out);

/** Wipes and frees; NULL is allowed.  Pending requests stay valid. */
void sotto_privatemode_client_free(struct sotto_privatemode_client *client);

/** The secret's id, SOTTO_FIELD_ID_LEN symbols; as long as the client. */
sotto_span sotto_privatemode_client_id(const struct sotto_privatemode_client *client);

/**
 * Seals a request's body.  Chat completions get a `cache_salt` where they have none.
 *
 * @param embeddings  it is a request for embeddings, else for chat completions
 * @param text        a JSON object
 * @param body        gets the JSON text to be sent
 * @param[out] out    set only on SOTTO_OK; freed with sotto_privatemode_pending_free()
 *
 * @retval SOTTO_EFORMAT  not a JSON object
 * @retval SOTTO_EINVAL   more than SOTTO_MEMBERS_MAX members
 * @retval SOTTO_ENOMEM, SOTTO_ELIMIT, SOTTO_ECRYPTO  in each case `body` unchanged
 */
SOTTO_MUST_CHECK enum sotto_err
sotto_privatemode_request(const struct sotto_privatemode_client *client, bool embeddings,
                          sotto_span text, struct sotto_buf *body,
                          struct sotto_privatemode_pending **out);

/** Wipes and frees; NULL is allowed. */
void sotto_privatemode_pending_free(struct sotto_privatemode_pending *pending);

/**
 * Opens a whole answer and appends its text.
 *
 * @param status  of the HTTP response
 * @retval SOTTO_EAUTH   not the answer to this request; `text` unchanged
 * @retval SOTTO_ESTATE  an answer was opened, or refused, before
 * @retval SOTTO_ENOMEM, SOTTO_ELIMIT, SOTTO_ECRYPTO
 */
SOTTO_MUST_CHECK enum sotto_err sotto_privatemode_whole(struct sotto_privatemode_pending *pending,
                                                        int status, sotto_span body,
                                                        struct sotto_buf *text);

/**
 * Opens the next event of a stream and appends its text, which is empty for its regular end.  A
 * stream that ends before *last was true was cut.  Of what is inside, the choices alone are read;
 * that the rest is JSON is left to whoever reads the text.
 *
 * @param data  what stands behind "data: "
 * @retval as sotto_privatemode_whole()
 */
SOTTO_MUST_CHECK enum sotto_err sotto_privatemode_event(struct sotto_privatemode_pending *pending,
                                                        sotto_span data, bool *last,
                                                        struct sotto_buf *text);

/** Whether an answer in the clear says that the gateway does not know the secret (any more). */
bool sotto_privatemode_is_forgotten(int status, sotto_span body);

#endif
