/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_STORE_AUDIT_FLEET_H
#define SOTTO_STORE_AUDIT_FLEET_H

/*
 * What the files about a fleet's audit log share.
 *
 *   wrap(32) chain(32) seal(32) = HKDF-SHA-256(master secret, info "sotto fleet audit v1")
 *   code of a frame  = HMAC-SHA-256(chain, code of the frame before, frame)
 *   code before all  = the log's public key
 *   sealed           = nonce(12) AES-256-GCM(seal, nonce, origin, seed of the signing key)
 *
 * Slots are wrapped under `wrap`.  Whoever can write to the database and has not the master secret
 * can take the log away, and can neither change, add, reorder nor leave out a frame unseen.
 */

#include "store/audit_state.h"
#include "store/postgres_audit.h"

#define AUDIT_FLEET_KEY_BYTES 32

struct audit_fleet_keys {
    uint8_t wrap[AUDIT_FLEET_KEY_BYTES];
    uint8_t chain[AUDIT_FLEET_KEY_BYTES];
    uint8_t seal[AUDIT_FLEET_KEY_BYTES];
};

/** What the sequencer of a fleet has. */
struct audit_fleet_state {
    struct postgres_audit *db;
    struct sotto_hmac *chain;
    uint8_t code[SOTTO_HMAC_BYTES]; /* of the frame before `next` */
    uint64_t erasures;              /* taken over */
    struct sotto_buf slots;         /* new in this turn, from number `first_slot` on */
    uint64_t first_slot;
    uint64_t checked;              /* entries of the tree that frames were compared with */
    struct sotto_audit_hash *tile; /* while it is opened: the level-0 tile `tile_n` */
    uint64_t tile_n;
    char why[SOTTO_STORE_WHY_BYTES]; /* "": no contradiction was found */
};

/** The keys of a fleet's log.  @param[out] out  wiped by the caller, and on failure */
SOTTO_MUST_CHECK enum sotto_err audit_fleet_keys(const uint8_t *master,
                                                 struct audit_fleet_keys *out);

/** As the `open_keys` of a sequencer: connects, begins the log where it is not begun, makes `fleet`
 *  of the log. */
SOTTO_MUST_CHECK enum sotto_err audit_fleet_open_keys(struct sotto_audit_log *log,
                                                      sotto_span origin, char *why);

/**
 * Takes over slots until there are `count`.
 *
 * @param[out] at       number of the slot that is missing or damaged, on SOTTO_EAUTH
 * @retval SOTTO_EAUTH  one is
 * @retval others as postgres_run()
 */
SOTTO_MUST_CHECK enum sotto_err audit_fleet_slots(struct postgres_audit *db,
                                                  struct audit_subjects *subjects, uint64_t count,
                                                  uint64_t *at);

/**
 * The subjects of a log for a reader: from its folder, or of a fleet's from the database.
 *
 * @param[out] why  on failure a sentence
 * @retval SOTTO_ESTATE  they lie in a database, and `fleet` is NULL
 */
SOTTO_MUST_CHECK enum sotto_err audit_subjects_reach(const char *folder,
                                                     const struct sotto_audit_fleet *fleet,
                                                     struct audit_subjects **out,
                                                     char why[SOTTO_STORE_WHY_BYTES]);

#endif
