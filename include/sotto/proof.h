/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_PROOF_H
#define SOTTO_PROOF_H

/*
 * Checks what a gateway answers to GET /v1/audit/{id}, without believing the gateway: that the record
 * belongs to the entry, that the entry stands in the log (RFC 6962), and that the log's own key and
 * witnesses have signed it (C2SP tlog-proof, tlog-checkpoint, tlog-cosignature).  docs/audit-log.md
 * says what an entry is.
 */

#include <stdint.h>

#include <sotto/sotto.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Who is believed.  Strings are borrowed for the call. */
struct sotto_proof_trust {
    size_t size;     /* sizeof(struct sotto_proof_trust) */
    const char *log; /* the log's key, "name+id+key", as `sotto audit vkey` prints it */
    const char *const *witnesses; /* keys of witnesses; ends with NULL; may be NULL */
    size_t least_witnesses;       /* how many of them must have cosigned */
};

/** What was proved.  Later versions may append members: `size` says how many the caller knows. */
struct sotto_proof_place {
    size_t size;      /* sizeof(struct sotto_proof_place), set by the caller */
    uint64_t index;   /* number of the entry in the log, from 0 */
    uint64_t entries; /* how many the log had when this was signed */
    size_t witnesses; /* how many of those that were asked for have cosigned */
};

/**
 * Whether an entry stands in the log.
 *
 * @param entry  the bytes of the entry
 * @param proof  the text of the proof
 * @param place  what was proved; unchanged on failure; may be NULL
 *
 * Returns SOTTO_STATUS_REFUSED (it does not, the log's key has not signed that, a witness's signature
 * is wrong, or there are too few of them), SOTTO_STATUS_FORMAT (no proof), SOTTO_STATUS_OPTION (no
 * keys), SOTTO_STATUS_MEMORY, SOTTO_STATUS_CRYPTO.
 */
SOTTO_API_CHECKED enum sotto_status sotto_proof_entry(const struct sotto_proof_trust *trust,
                                                      const unsigned char *entry, size_t entry_len,
                                                      const char *proof, size_t proof_len,
                                                      struct sotto_proof_place *place);

/**
 * Whether an entry is the one of a record.
 *
 * @param opening  32 bytes that open the entry's commitment
 * @param record   the JSON text, byte for byte
 *
 * Returns SOTTO_STATUS_REFUSED, SOTTO_STATUS_MEMORY, SOTTO_STATUS_CRYPTO.
 */
SOTTO_API_CHECKED enum sotto_status sotto_proof_record(const unsigned char *entry, size_t entry_len,
                                                       const unsigned char *opening,
                                                       const char *record, size_t record_len);

/**
 * Both, of the whole body of GET /v1/audit/{id}, and that it is the entry of that id.
 *
 * @param id          "audit_..." as the answer of the request named it
 * @param answer      the body that came
 * @param record      the record that was proved, with a NUL behind it; freed with sotto_text_free();
 *                    NULL where the record was erased: then the entry alone was proved
 * @param record_len  may be NULL
 * @param place       may be NULL
 *
 * Returns as sotto_proof_entry(); SOTTO_STATUS_REFUSED also for the entry of another id.
 */
SOTTO_API_CHECKED enum sotto_status
sotto_proof_answer(const struct sotto_proof_trust *trust, const char *id, const char *answer,
                   size_t len, char **record, size_t *record_len, struct sotto_proof_place *place);

#ifdef __cplusplus
}
#endif

#endif
