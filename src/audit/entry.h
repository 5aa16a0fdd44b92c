/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_AUDIT_ENTRY_H
#define SOTTO_AUDIT_ENTRY_H

/*
 * An entry of the log, and the record that it commits to.
 *
 *   entry      = 0x01 id commitment                     55 bytes; what the leaf hashes
 *   id         = 22 symbols of base62, random
 *   commitment = HMAC-SHA-256(opening, record)
 *   opening    = HMAC-SHA-256(commit key of the subject, id)
 *   sealed     = AES-256-GCM(seal key of the subject, first 12 bytes of the leaf's hash,
 *                            entry, record)
 *
 * The entry tells nobody anything: without the opening the commitment is a random number, and the
 * opening cannot be made without the subject's key.  Who is given record and opening can check that
 * they belong to the entry.  When the subject's two keys are destroyed, record and openings are
 * gone for good, and the entry and all proofs stay as they were (docs/audit-log.md, "Erasing").
 *
 * The nonce is a hash over id and commitment, so it comes again only where record and id do.
 */

#include "audit/tree.h"
#include "base/buf.h"

#define SOTTO_AUDIT_ID_SYMBOLS    22
#define SOTTO_AUDIT_ENTRY_BYTES   (1 + SOTTO_AUDIT_ID_SYMBOLS + 32)
#define SOTTO_AUDIT_OPENING_BYTES 32
#define SOTTO_AUDIT_KEY_BYTES     64 /* commit key, seal key */
/** Longest record. */
#define SOTTO_AUDIT_RECORD_MAX 4096
#define SOTTO_AUDIT_SEALED_MAX (SOTTO_AUDIT_RECORD_MAX + 16)

/** The id within an entry. */
static inline sotto_span sotto_audit_entry_id(const uint8_t entry[SOTTO_AUDIT_ENTRY_BYTES])
{
    return sotto_span_init(entry + 1, SOTTO_AUDIT_ID_SYMBOLS);
}

/** Whether these are an entry of this version. */
bool sotto_audit_entry_valid(sotto_span entry);

/** A subject's keys, prepared.  Serves one thread at a time. */
struct sotto_audit_sealer;

/** @param key  borrowed for the call.  @retval SOTTO_ENOMEM, SOTTO_ECRYPTO */
SOTTO_MUST_CHECK enum sotto_err sotto_audit_sealer_new(const uint8_t key[SOTTO_AUDIT_KEY_BYTES],
                                                       struct sotto_audit_sealer **out);

/** Wipes and frees; NULL is allowed. */
void sotto_audit_sealer_free(struct sotto_audit_sealer *sealer);

/** What opens the commitment of the entry with this id.  @retval SOTTO_ECRYPTO  `out` wiped */
SOTTO_MUST_CHECK enum sotto_err sotto_audit_opening(struct sotto_audit_sealer *sealer,
                                                    sotto_span id,
                                                    uint8_t out[SOTTO_AUDIT_OPENING_BYTES]);

/**
 * Makes entry, leaf and sealed record.
 *
 * @param id          SOTTO_AUDIT_ID_SYMBOLS symbols
 * @param record      at most SOTTO_AUDIT_RECORD_MAX bytes
 * @param[out] sealed appended
 *
 * @retval SOTTO_ELIMIT, SOTTO_EINVAL, SOTTO_ENOMEM, SOTTO_ECRYPTO  `sealed` unchanged
 */
SOTTO_MUST_CHECK enum sotto_err sotto_audit_commit(struct sotto_audit_sealer *sealer, sotto_span id,
                                                   sotto_span record,
                                                   uint8_t entry[SOTTO_AUDIT_ENTRY_BYTES],
                                                   struct sotto_audit_hash *leaf,
                                                   struct sotto_buf *sealed);

/**
 * Opens a sealed record and checks that the entry commits to it.
 *
 * @param[out] record  appended
 * @retval SOTTO_EAUTH  another key, another entry, or damaged; `record` unchanged
 * @retval SOTTO_ELIMIT, SOTTO_ENOMEM, SOTTO_ECRYPTO
 */
SOTTO_MUST_CHECK enum sotto_err sotto_audit_reveal(struct sotto_audit_sealer *sealer,
                                                   const uint8_t entry[SOTTO_AUDIT_ENTRY_BYTES],
                                                   sotto_span sealed, struct sotto_buf *record);

/**
 * Whether the entry commits to the record, for whoever has the opening.
 *
 * @retval SOTTO_EAUTH  it does not
 * @retval SOTTO_ENOMEM, SOTTO_ECRYPTO
 */
SOTTO_MUST_CHECK enum sotto_err
sotto_audit_opening_check(const uint8_t entry[SOTTO_AUDIT_ENTRY_BYTES],
                          const uint8_t opening[SOTTO_AUDIT_OPENING_BYTES], sotto_span record);

#endif
