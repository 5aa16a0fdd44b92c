/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_AUDIT_SUBJECT_H
#define SOTTO_AUDIT_SUBJECT_H

/*
 * Slots of subjects: who a record is about, and the keys of that subject's records, wrapped.
 *
 *   slot 176 bytes = state(1) name_len(1) name(80) nonce(12) wrapped(80) zero(2)
 *   wrapped = AES-256-GCM(wrapping key, nonce, number(8) name, 64 key bytes)
 *
 * A subject is the id of a key, or that and the hash of the caller's `user` ("ID/HASH"), or "-",
 * the gateway itself.  Keys of subjects are random and cannot be derived from anything: erasing a
 * subject overwrites its slot and wraps all others under a new key, so that neither an old block
 * nor an old copy of the slots opens again.
 */

#include "audit/entry.h"
#include "crypto/aead.h"

#define SOTTO_AUDIT_SUBJECT_MAX 80
#define SOTTO_AUDIT_SLOT_BYTES  176

enum sotto_audit_slot_state {
    SOTTO_AUDIT_SLOT_LIVE = 1,
    SOTTO_AUDIT_SLOT_ERASED = 2,
};

/** Whether this may be a subject's name: [0-9A-Za-z/_.-], not too long. */
bool sotto_audit_subject_valid(sotto_span name);

/**
 * Writes a slot.  @param wrap  prepared wrapping key; each slot gets a random nonce
 * @retval SOTTO_EINVAL  the name is not valid;  @retval SOTTO_ENOMEM, SOTTO_ECRYPTO  `slot` wiped
 */
SOTTO_MUST_CHECK enum sotto_err sotto_audit_slot_write(struct sotto_aead *wrap, uint64_t number,
                                                       sotto_span name,
                                                       const uint8_t key[SOTTO_AUDIT_KEY_BYTES],
                                                       uint8_t slot[SOTTO_AUDIT_SLOT_BYTES]);

/** What an erased subject leaves: its state and nothing else. */
void sotto_audit_slot_erase(uint8_t slot[SOTTO_AUDIT_SLOT_BYTES]);

/**
 * Reads a slot.
 *
 * @param[out] name  a view into `slot`;  @param[out] key  wiped by the caller
 *
 * @retval SOTTO_ENOTFOUND  erased
 * @retval SOTTO_EAUTH      another wrapping key, another number, or damaged
 * @retval SOTTO_EFORMAT    no slot
 * @retval SOTTO_ENOMEM, SOTTO_ECRYPTO
 */
SOTTO_MUST_CHECK enum sotto_err sotto_audit_slot_read(struct sotto_aead *wrap, uint64_t number,
                                                      const uint8_t slot[SOTTO_AUDIT_SLOT_BYTES],
                                                      sotto_span *name,
                                                      uint8_t key[SOTTO_AUDIT_KEY_BYTES]);

#endif
