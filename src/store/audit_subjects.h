/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_STORE_AUDIT_SUBJECTS_H
#define SOTTO_STORE_AUDIT_SUBJECTS_H

/*
 * The subjects of an audit log and their keys: the file `subjects`, a head and one slot each, and
 * the file `wrap` with the key they are wrapped under; of a fleet's log slots in its database.
 *
 *   head(32) = "SSUB" version(4) zero(16) id(8) of the wrapping key
 *
 * A new subject is in the journal before it is in this file.  Not thread-safe.
 */

#include "audit/subject.h"
#include "store/audit_folder.h"

/** Most subjects of a log. */
#define AUDIT_SUBJECTS_MAX ((size_t)1 << 24)
/** Bytes of a wrapping key. */
#define AUDIT_SUBJECTS_WRAP_BYTES SOTTO_AEAD_KEY_BYTES

struct audit_subjects;

/**
 * Opens the subjects of a log.
 *
 * @param writes    makes the files where they are missing
 * @param[out] out  set only on SOTTO_OK; closed with audit_subjects_close()
 * @param[out] why  on failure a sentence
 *
 * @retval SOTTO_EFORMAT  a file is damaged
 * @retval SOTTO_ENOTFOUND, SOTTO_EDENIED, SOTTO_EIO, SOTTO_ENOMEM, SOTTO_ECRYPTO
 */
SOTTO_MUST_CHECK enum sotto_err audit_subjects_open(const char *folder, bool writes,
                                                    struct audit_subjects **out,
                                                    char why[SOTTO_STORE_WHY_BYTES]);

/**
 * Subjects whose slots lie elsewhere: no file is read or written.  They are taken over with
 * audit_subjects_adopt(), and audit_subjects_store() has nothing to do.
 *
 * @param wrap  the key that they are wrapped under, AUDIT_SUBJECTS_WRAP_BYTES; borrowed
 */
SOTTO_MUST_CHECK enum sotto_err audit_subjects_lent(const uint8_t *wrap,
                                                    struct audit_subjects **out);

/** Wipes and closes; NULL is allowed. */
void audit_subjects_close(struct audit_subjects *s);

/** How many there are, erased ones included. */
uint64_t audit_subjects_count(const struct audit_subjects *s);

/** How many slots the file had when it was opened, readable or not. */
uint64_t audit_subjects_listed(const struct audit_subjects *s);

/** The number of a live subject.  @retval SOTTO_ENOTFOUND */
SOTTO_MUST_CHECK enum sotto_err audit_subjects_find(const struct audit_subjects *s, sotto_span name,
                                                    uint64_t *number);

/** Makes a subject with keys of its own; its slot is for the journal. */
SOTTO_MUST_CHECK enum sotto_err audit_subjects_add(struct audit_subjects *s, sotto_span name,
                                                   uint64_t *number,
                                                   uint8_t slot[SOTTO_AUDIT_SLOT_BYTES]);

/** Takes back the subjects from `count` on, whose slots did not become durable. */
void audit_subjects_drop(struct audit_subjects *s, uint64_t count);

/** Takes a slot from the journal; one that is known already is left alone. */
SOTTO_MUST_CHECK enum sotto_err audit_subjects_adopt(struct audit_subjects *s, uint64_t number,
                                                     const uint8_t slot[SOTTO_AUDIT_SLOT_BYTES]);

/**
 * The prepared keys of a subject, lent until the next call.
 *
 * @retval SOTTO_ENOTFOUND  it was erased, or there is none
 */
SOTTO_MUST_CHECK enum sotto_err audit_subjects_sealer(struct audit_subjects *s, uint64_t number,
                                                      struct sotto_audit_sealer **out);

/** Writes what the file lacks, durable. */
SOTTO_MUST_CHECK enum sotto_err audit_subjects_store(struct audit_subjects *s);

/**
 * Destroys the keys of a subject: the file is written anew under a new wrapping key, the old key
 * is overwritten.  All slots must be stored, and no other file may hold slots.
 */
SOTTO_MUST_CHECK enum sotto_err audit_subjects_erase(struct audit_subjects *s, uint64_t number);

/** Forgets the keys of a subject that was erased where its slot lies. */
void audit_subjects_forget(struct audit_subjects *s, uint64_t number);

#endif
