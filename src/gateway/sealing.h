/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_GATEWAY_SEALING_H
#define SOTTO_GATEWAY_SEALING_H

/*
 * What the gateway lends to the profiles of sealed conversations (seal/profile.h): the sessions,
 * and the keys with which it signs.  Made at the start, shared by all threads.
 */

#include "config/config.h"
#include "gateway/side.h"
#include "seal/profile.h"
#include "store/store.h"

struct sotto_sealing;

/**
 * @param folder    the state folder, NUL-terminated
 * @param master    the master secret; borrowed for the call
 * @param config    borrowed for the call
 * @param[out] out  set only on SOTTO_OK; freed with sotto_sealing_free()
 * @param[out] why  on failure a sentence, or empty
 *
 * @retval SOTTO_EDENIED, SOTTO_EFORMAT, SOTTO_EINVAL, SOTTO_EIO, SOTTO_ENOMEM, SOTTO_ECRYPTO
 */
SOTTO_MUST_CHECK enum sotto_err sotto_sealing_new(const char *folder, sotto_span master,
                                                  const struct sotto_config *config,
                                                  struct sotto_sealing **out,
                                                  char why[SOTTO_STORE_WHY_BYTES]);

/** Wipes and frees; NULL is allowed. */
void sotto_sealing_free(struct sotto_sealing *sealing);

/** As long as `sealing`. */
const struct sotto_seal_host *sotto_sealing_host(const struct sotto_sealing *sealing);

/** Gives up what is being made; before the side thread is freed. */
void sotto_sealing_stop(struct sotto_sealing *sealing);

/**
 * To be called every few seconds, by one thread: has the side thread forget what has expired and
 * renew key pairs that are due.
 */
void sotto_sealing_tick(struct sotto_sealing *sealing, struct sotto_side *side);

#endif
