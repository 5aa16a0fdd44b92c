/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_STORE_AUDIT_STATE_H
#define SOTTO_STORE_AUDIT_STATE_H

/*
 * What the files of the writer share: audit_open.c, audit_append.c, audit_publish.c,
 * audit_look.c, and the sequencers.  Two locks; whoever takes both takes `publishing` first.
 */

#include <pthread.h>

#include "audit/journal.h"
#include "store/audit_log.h"
#include "store/audit_records.h"
#include "store/audit_sequence.h"
#include "store/audit_subjects.h"

/** Hashes of entries that wait to be published, so that each is made once. */
struct audit_leaves {
    uint64_t first; /* index of the entry of the first one */
    struct sotto_buf hashes;
};

/** What the journal's sequencer has. */
struct audit_journal_file {
    struct sotto_disk_file file;
    uint64_t bytes;
    bool unsynced; /* it has what was not synced (not strict) */
};

struct audit_fleet_state;

struct sotto_audit_log {
    const struct audit_sequencer *sequencer;
    const struct sotto_audit_options *options; /* while it is opened */
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
    struct audit_journal_file journal;
    struct audit_fleet_state *fleet; /* of its sequencer; else NULL */
    uint64_t next;                   /* index of the next entry */
    struct audit_subjects *subjects;
    struct sotto_buf pending;       /* whole frames that are committed and not published */
    struct audit_leaves leaves;     /* of `pending`, but for what the journal held at the start */
    struct sotto_buf frame, sealed; /* in the making */
    uint32_t frame_slots;           /* in `frame` */
    bool broken; /* what is committed is not known: nothing is, until the log is opened again */
};

/** Reads the signing key; `seed` may be NULL.  On failure `why` has a sentence. */
SOTTO_MUST_CHECK enum sotto_err audit_key_read(const char *folder, struct sotto_note_key *key,
                                               uint8_t *seed, char *why);

/** Makes a signing key. */
SOTTO_MUST_CHECK enum sotto_err audit_key_create(const char *path, sotto_span origin);

/** Writes the file of a signing key; one that is there stays.  @retval SOTTO_EEXISTS */
SOTTO_MUST_CHECK enum sotto_err audit_key_write(const char *path, sotto_span origin,
                                                const uint8_t *seed);

/** The key that belongs to a seed.  @retval SOTTO_EINVAL, SOTTO_ECRYPTO */
SOTTO_MUST_CHECK enum sotto_err audit_key_of(sotto_span origin, const uint8_t *seed,
                                             struct sotto_note_key *out);

/** Whether the log's key has this name.  @retval SOTTO_EFORMAT  `why` says that it has another */
SOTTO_MUST_CHECK enum sotto_err audit_origin_check(const struct sotto_audit_log *log,
                                                   sotto_span origin, char *why);

/** Signs and writes the checkpoint of a tree, durable. */
SOTTO_MUST_CHECK enum sotto_err audit_checkpoint_write(struct sotto_audit_log *log,
                                                       const struct sotto_audit_tree *tree);

/** With both locks: publishes everything, after which the sequencer need not keep it. */
SOTTO_MUST_CHECK enum sotto_err audit_settle(struct sotto_audit_log *log);

/** Writes the sentence "FOLDER: WHAT (ERROR)".  @return `err` */
enum sotto_err audit_fail(char *why, enum sotto_err err, const char *folder, const char *what);

#endif
