/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_SEAL_KEYRING_H
#define SOTTO_SEAL_KEYRING_H

/*
 * The gateway's own key pairs, one of each suite, which live in memory only and are renewed and
 * destroyed by a side thread: KEM pairs every minute, RSA pairs every hour.  A pair that was
 * replaced is still found for one more of its lives, since clients may have fetched its public key;
 * one that nobody publishes (an ephemeral suite's) is destroyed at once.
 *
 * Thread-safe.  Time is an argument.
 */

#include <stdatomic.h>

#include "seal/session.h"
#include "seal/suite.h"

struct sotto_keyring;

/** Immutable and counted: destroyed when it was replaced and nobody uses it any longer. */
struct sotto_gateway_pair {
    const struct sotto_suite *suite;
    struct sotto_kem_pair *pair;
    char key_id[SOTTO_SESSION_KEY_ID_LEN + 1];
    int64_t made_s;
    atomic_uint refs;
};

/** Without pairs.  @param[out] out  freed with sotto_keyring_free().  @retval SOTTO_ENOMEM */
SOTTO_MUST_CHECK enum sotto_err sotto_keyring_new(struct sotto_keyring **out);

/** Wipes and frees; NULL is allowed.  References stay valid. */
void sotto_keyring_free(struct sotto_keyring *ring);

/** From now on no pair is made; one that is being made is given up.  Any thread. */
void sotto_keyring_stop(struct sotto_keyring *ring);

/** Whether the pair of a suite is missing or has been used for its life. */
bool sotto_keyring_is_due(struct sotto_keyring *ring, const struct sotto_suite *suite,
                          int64_t now_s);

/**
 * Makes a pair and puts it in the place of the old one.  RSA takes a second or more: in a side
 * thread only, and by one thread at a time.
 *
 * @retval SOTTO_ECLOSED  sotto_keyring_stop() was called
 * @retval SOTTO_ENOMEM, SOTTO_ECRYPTO  the old pair stays
 */
SOTTO_MUST_CHECK enum sotto_err sotto_keyring_renew(struct sotto_keyring *ring,
                                                    const struct sotto_suite *suite, int64_t now_s);

/** Destroys replaced pairs whose time is over; to be called now and then. */
void sotto_keyring_sweep(struct sotto_keyring *ring, int64_t now_s);

/** Changes whenever the pair of a suite does; 0: there is none yet.  One load. */
uint64_t sotto_keyring_serial(const struct sotto_keyring *ring, const struct sotto_suite *suite);

/** The pair of a suite, a reference given back with sotto_gateway_pair_unref(); NULL: none yet. */
struct sotto_gateway_pair *sotto_keyring_current(struct sotto_keyring *ring,
                                                 const struct sotto_suite *suite);

/** The pair with this id, current or replaced, as a reference; NULL: there is none. */
struct sotto_gateway_pair *sotto_keyring_find(struct sotto_keyring *ring,
                                              const struct sotto_suite *suite, sotto_span key_id,
                                              int64_t now_s);

/** One reference less; the last one wipes the private key.  NULL is allowed.  Any thread. */
void sotto_gateway_pair_unref(struct sotto_gateway_pair *pair);

#endif
