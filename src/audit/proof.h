/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_AUDIT_PROOF_H
#define SOTTO_AUDIT_PROOF_H

/*
 * Proofs that an entry stands in the log, as files (C2SP tlog-proof):
 *
 *   proof = "c2sp.org/tlog-proof@v1\n" "index " number "\n" *( base64(hash) "\n" ) "\n" checkpoint
 *
 * where the checkpoint is a signed note.
 */

#include "audit/note.h"

/** Longest proof that is read. */
#define SOTTO_PROOF_MAX_BYTES (SOTTO_NOTE_MAX_BYTES + (size_t)64 * (SOTTO_AUDIT_PATH_MAX + 1))

struct sotto_audit_proof {
    uint64_t index;
    struct sotto_audit_path path;
    sotto_span checkpoint; /* the signed note */
};

/** Appends a proof.  Errors of sotto_buf_append(). */
SOTTO_MUST_CHECK enum sotto_err sotto_audit_proof_write(const struct sotto_audit_proof *proof,
                                                        struct sotto_buf *out);

/**
 * Takes a proof apart; nothing is checked but its form.
 *
 * @param[out] out  its checkpoint is a view into `text`; unchanged on failure
 * @retval SOTTO_EFORMAT, SOTTO_ELIMIT, SOTTO_ENOMEM
 */
SOTTO_MUST_CHECK enum sotto_err sotto_audit_proof_read(sotto_span text,
                                                       struct sotto_audit_proof *out);

/** Who has to have signed. */
struct sotto_audit_trust {
    struct sotto_note_key log;
    const struct sotto_note_key *witnesses;
    size_t witness_count;
    size_t least; /* of the witnesses */
};

/**
 * Whether the proof leads from the leaf to a checkpoint that the log has signed, and witnesses.
 *
 * @param[out] size     leaves of the log
 * @param[out] cosigned witnesses that have signed; both unchanged on failure
 *
 * @retval SOTTO_EAUTH    another root, no signature of the log, one that is wrong, too few witnesses
 * @retval SOTTO_EFORMAT  the checkpoint is none
 * @retval SOTTO_ECRYPTO, SOTTO_ENOMEM
 */
SOTTO_MUST_CHECK enum sotto_err sotto_audit_proof_check(const struct sotto_audit_proof *proof,
                                                        const struct sotto_audit_hash *leaf,
                                                        const struct sotto_audit_trust *trust,
                                                        uint64_t *size, size_t *cosigned);

#endif
