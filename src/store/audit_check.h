/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_STORE_AUDIT_CHECK_H
#define SOTTO_STORE_AUDIT_CHECK_H

/*
 * Checks the public files of a log (C2SP tlog-tiles): the checkpoint's signature, every entry
 * against its leaf, every tile against those below it, and the root against the checkpoint.
 */

#include "store/audit_folder.h"

/** What was found; the first trouble ends the check. */
struct sotto_audit_report {
    uint64_t size; /* as the checkpoint says */
    struct sotto_audit_hash root;
    size_t witness_count; /* witnesses whose cosignatures are valid */
    char why[SOTTO_STORE_WHY_BYTES];
};

struct sotto_audit_check_options {
    const char *log;                        /* the folder with `checkpoint` and `tile` */
    const struct sotto_note_key *key;       /* of the log */
    const struct sotto_note_key *witnesses; /* may be NULL */
    size_t witness_count;
    void (*progress)(void *ctx, uint64_t done, uint64_t of); /* may be NULL */
    void *ctx;
};

/**
 * Checks everything.
 *
 * @retval SOTTO_EAUTH      `report->why` says which entry or file is not what was signed
 * @retval SOTTO_ENOTFOUND  there is no checkpoint
 * @retval SOTTO_EIO, SOTTO_EDENIED, SOTTO_ENOMEM, SOTTO_ECRYPTO  likewise
 */
SOTTO_MUST_CHECK enum sotto_err sotto_audit_check(const struct sotto_audit_check_options *options,
                                                  struct sotto_audit_report *report);

/**
 * Checks that the log still has the beginning that a cosigned checkpoint speaks of.
 *
 * @param note    the checkpoint as a signed note
 * @param report  of a check that passed; `why` is set on failure
 *
 * @retval SOTTO_EAUTH      the log is shorter, or begins otherwise
 * @retval SOTTO_ENOTFOUND  no witness signed it, or it is of another log: it says nothing
 * @retval SOTTO_EIO, SOTTO_EFORMAT, SOTTO_ENOMEM, SOTTO_ECRYPTO
 */
SOTTO_MUST_CHECK enum sotto_err
sotto_audit_check_cosigned(const struct sotto_audit_check_options *options, sotto_span note,
                           struct sotto_audit_report *report);

#endif
