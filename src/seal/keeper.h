/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_SEAL_KEEPER_H
#define SOTTO_SEAL_KEEPER_H

/*
 * Keeps what waits in memory for an upstream sealed: AES-256-GCM under a key that was encapsulated
 * to the gateway's own key pair of a suite (seal/keyring.h).  One encapsulation for each pair and
 * thread; a request costs two passes over what it keeps.
 *
 * The thread has the key while the pair is in use and while something is kept under it, and wipes
 * it then.  So this protects a later image of the memory, not the living process.
 *
 * A keeper and what it keeps belong to one thread.
 */

#include "crypto/aead.h"
#include "seal/keyring.h"

struct sotto_keeper;
struct keeper_key;

/** Something kept; zero-initialised: nothing. */
struct sotto_kept {
    struct keeper_key *key; /* NULL: nothing */
    uint8_t nonce[SOTTO_AEAD_NONCE_BYTES];
    struct sotto_buf sealed;
};

/**
 * @param ring      borrowed; outlives the keeper
 * @param[out] out  freed with sotto_keeper_free()
 * @retval SOTTO_ENOMEM
 */
SOTTO_MUST_CHECK enum sotto_err sotto_keeper_new(struct sotto_keyring *ring,
                                                 struct sotto_keeper **out);

/** Wipes and frees; NULL is allowed.  What is kept can still be opened. */
void sotto_keeper_free(struct sotto_keeper *keeper);

/** Wipes the keys of pairs that were replaced; to be called every second. */
void sotto_keeper_sweep(struct sotto_keeper *keeper);

/**
 * Seals the content of `plain`, which is empty and without memory afterwards.
 *
 * @param kept  nothing before; on SOTTO_OK freed with sotto_kept_free(); unchanged on failure, as is
 *              `plain`
 *
 * @retval SOTTO_ENOTFOUND  the ring has no pair of this suite yet
 * @retval SOTTO_ENOMEM, SOTTO_ELIMIT, SOTTO_ECRYPTO
 */
SOTTO_MUST_CHECK enum sotto_err sotto_keeper_seal(struct sotto_keeper *keeper,
                                                  const struct sotto_suite *suite,
                                                  struct sotto_buf *plain, struct sotto_kept *kept);

/**
 * Appends what was kept; once or more.
 *
 * @retval SOTTO_EAUTH  the memory was changed
 * @retval SOTTO_ENOMEM, SOTTO_ELIMIT, SOTTO_ECRYPTO  `plain` unchanged in all cases
 */
SOTTO_MUST_CHECK enum sotto_err sotto_kept_open(const struct sotto_kept *kept,
                                                struct sotto_buf *plain);

/** Id of the pair, NUL-terminated, as long as something is kept. */
const char *sotto_kept_key_id(const struct sotto_kept *kept);

/** Wipes and frees; nothing is kept then.  Nothing is allowed. */
void sotto_kept_free(struct sotto_kept *kept);

#endif
