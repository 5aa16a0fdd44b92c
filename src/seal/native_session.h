/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_SEAL_NATIVE_SESSION_H
#define SOTTO_SEAL_NATIVE_SESSION_H

/*
 * The gateway's side of agreeing on a session: the routes of docs/wire/native.md.  A session lives as
 * long as the host says; its client should begin a new one after three quarters of that.
 */

#include "seal/profile.h"

/** GET /v1/seal/keys */
SOTTO_MUST_CHECK enum sotto_err sotto_native_keys(const struct sotto_seal_host *host,
                                                  const struct sotto_seal_asked *asked,
                                                  struct sotto_seal_reply *reply);

/** POST /v1/seal/session */
SOTTO_MUST_CHECK enum sotto_err sotto_native_begin_session(const struct sotto_seal_host *host,
                                                           const struct sotto_seal_asked *asked,
                                                           struct sotto_seal_reply *reply);

/** Appends `{"error":{...}}` as the OpenAI API has it.  @retval SOTTO_ENOMEM, SOTTO_ELIMIT */
SOTTO_MUST_CHECK enum sotto_err sotto_native_write_error(const struct sotto_seal_error *error,
                                                         struct sotto_buf *out);

#endif
