/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_STORE_AUDIT_STATE_H
#define SOTTO_STORE_AUDIT_STATE_H

/*
 * What the files of the writer share: audit_open.c, audit_append.c, audit_publish.c and
 * audit_look.c.  Two locks; whoever takes both takes `publishing` first.
 */

#include <pthread.h>

#include "audit/journal.h"
#include "store/audit_log.h"
#include "store/audit_records.h"
#include "store/audit_subjects.h"

/** Hashes of entries that wait to be published, so that each is made once. */
struct audit_leaves {
    uint64_t first; /* index of the entry of the first one */
    struct sotto_buf hashes;
};

struct sotto_audit_log {
    char folder[AUDIT_FOLDER_MAX];
    char public_folder[AUDIT_PATH_BYTES];
    bool strict;
    struct sotto_disk_file lock;
    struct sotto_note_key key;
    uint8_t seed[SOTTO_ED25519_SEED_BYTES];
    struct sotto_note_key *witnesses;
    size_t witness_count;

    pthread_mutex_t publishing; /* taken before `appending` */
    struct sotto_audit_tree tree;
    struct audit_records records;
    struct sotto_buf taken; /* frames in the hands of the publisher */
    struct audit_leaves taken_leaves;

    pthread_mutex_t appending; /* all below */
    struct sotto_disk_file journal;
    uint64_t journal_bytes;
    uint64_t next; /* index of the next entry */
    struct audit_subjects *subjects;
    struct sotto_buf pending;   /* whole frames that are in the journal and not published */
    struct audit_leaves leaves; /* of `pending`, but for what the journal held at the start */
    struct sotto_buf frame, sealed;
    bool broken;   /* a sync failed: what the journal holds is not known */
    bool unsynced; /* the journal has what was not synced (not strict) */
};

/** Reads the signing key; `seed` may be NULL.  On failure `why` has a sentence. */
SOTTO_MUST_CHECK enum sotto_err audit_key_read(const char *folder, struct sotto_note_key *key,
                                               uint8_t *seed, char *why);

/** Makes a signing key. */
SOTTO_MUST_CHECK enum sotto_err audit_key_create(const char *path, sotto_span origin);

/** Signs and writes the checkpoint of a tree, durable. */
SOTTO_MUST_CHECK enum sotto_err audit_checkpoint_write(struct sotto_audit_log *log,
                                                       const struct sotto_audit_tree *tree);

/** With both locks: publishes everything and empties the journal. */
SOTTO_MUST_CHECK enum sotto_err audit_settle(struct sotto_audit_log *log);

/** With `appending`: makes durable what was written and not synced. */
SOTTO_MUST_CHECK enum sotto_err audit_sync_journal(struct sotto_audit_log *log);

#endif
