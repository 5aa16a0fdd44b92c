/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_STORE_AUDIT_LOG_H
#define SOTTO_STORE_AUDIT_LOG_H

/*
 * The audit log on disk.  One process writes it; others may read it at the same time.
 *
 *   append   entries into the journal: one write, one sync for all of them
 *   publish  what is in the journal into records, tiles and a signed checkpoint
 *
 * The gateways of a fleet have one log: a table in PostgreSQL stands in the place of the journal,
 * and the folder of each is a copy, signed with the key that they share.
 *
 * Each is called from one thread, and they may be two.  Order on disk: the journal before an
 * append returns; subjects, records and tiles before the checkpoint that covers them; the journal
 * is cut only when a checkpoint covers all of it.  Whatever happens in between, opening finds a
 * checkpoint whose tree is whole and a journal that goes on from there.
 *
 * docs/audit-log.md describes the files and docs/wire/audit.md their formats.
 */

#include "audit/record.h"
#include "store/audit_check.h"

/** Most entries in one append. */
#define SOTTO_AUDIT_BATCH_MAX 256
/** Most bytes that wait to be published; an append beyond fails with SOTTO_ELIMIT. */
#define SOTTO_AUDIT_PENDING_MAX ((size_t)256 << 20)
/** A journal longer than this is cut at the next chance. */
#define SOTTO_AUDIT_JOURNAL_KEEP ((uint64_t)4 << 20)
/** Name of the subject whose records are about the gateway itself; it cannot be erased. */
#define SOTTO_AUDIT_SELF "-"

struct sotto_audit_log;

/** The database in which the gateways of a fleet have one log. */
struct sotto_audit_fleet {
    sotto_span postgres;   /* URL; its schema is made when keys are opened (store/store.h) */
    const uint8_t *master; /* the fleet's master secret, SOTTO_MASTER_BYTES */
};

struct sotto_audit_options {
    const char *folder;                     /* of the audit log; made where it is missing */
    sotto_span origin;                      /* its name in checkpoints */
    const struct sotto_note_key *witnesses; /* whose cosignatures count; may be NULL */
    size_t witness_count;
    bool strict; /* an append is durable when it returns; that of a fleet always is */
    /** NULL: this process alone writes the log, with a journal in the folder.  Borrowed for the
     *  call, as is all of this. */
    const struct sotto_audit_fleet *fleet;
};

/** What was found when a log was opened. */
struct sotto_audit_found_state {
    uint64_t entries;    /* in the log, those of the journal included */
    uint64_t recovered;  /* of them in the journal alone */
    uint64_t torn_bytes; /* of an append that did not end, cut off */
};

/**
 * Opens a log for writing: checks all of it, cuts off what an interrupted append left, and
 * publishes what the journal has.
 *
 * @param[out] out   set only on SOTTO_OK; closed with sotto_audit_close()
 * @param[out] why   on failure a sentence that names file and entry
 *
 * @retval SOTTO_EEXISTS  another process writes it
 * @retval SOTTO_EAUTH    it was tampered with, cut or rolled back; or folder and database of a fleet
 *                        contradict each other
 * @retval SOTTO_ESTATE   the folder is that of a fleet, or of no fleet, and should not be
 * @retval SOTTO_EFORMAT  it belongs to another origin, or a file is damaged
 * @retval SOTTO_EINVAL   the origin cannot be a name
 * @retval SOTTO_EIO, SOTTO_EDENIED, SOTTO_ENOMEM, SOTTO_ECRYPTO
 */
SOTTO_MUST_CHECK enum sotto_err sotto_audit_open(const struct sotto_audit_options *options,
                                                 struct sotto_audit_log **out,
                                                 struct sotto_audit_found_state *found,
                                                 char why[SOTTO_STORE_WHY_BYTES]);

/** Publishes what is left, as far as that goes, and closes; NULL is allowed. */
void sotto_audit_close(struct sotto_audit_log *log);

/** The log's public key; valid until it is closed. */
const struct sotto_note_key *sotto_audit_key(const struct sotto_audit_log *log);

/** Folder of the public files; valid until the log is closed. */
const char *sotto_audit_public_folder(const struct sotto_audit_log *log);

/**
 * Takes over what other gateways of a fleet committed; without a fleet there is nothing to do.
 *
 * @param[out] more  publish, and call again
 *
 * @retval SOTTO_EAUTH  the database contradicts what was taken over before: nothing is committed
 *                      until the log is opened again; the reason is logged
 * @retval SOTTO_EIO    the database cannot be reached, or was found to contradict earlier
 * @retval SOTTO_ENOMEM, SOTTO_ECRYPTO
 */
SOTTO_MUST_CHECK enum sotto_err sotto_audit_catch_up(struct sotto_audit_log *log, bool *more);

/** What one append commits; borrowed for the call. */
struct sotto_audit_item {
    const char *id; /* SOTTO_AUDIT_ID_SYMBOLS symbols */
    sotto_span subject;
    sotto_span record;
};

/**
 * Commits entries, in order; all of them or none.
 *
 * @param count  at most SOTTO_AUDIT_BATCH_MAX
 *
 * @retval SOTTO_ELIMIT   too much waits to be published
 * @retval SOTTO_EIO      not written (a full disk): a later one may succeed; or the sync failed:
 *                        none will until the log is opened again
 * @retval SOTTO_EINVAL, SOTTO_ENOMEM, SOTTO_ECRYPTO
 */
SOTTO_MUST_CHECK enum sotto_err
sotto_audit_append(struct sotto_audit_log *log, const struct sotto_audit_item *items, size_t count);

/**
 * Brings all that was appended under a checkpoint.
 *
 * @param[out] entries  how many came under it; may be NULL
 * @retval SOTTO_EIO, SOTTO_ENOMEM, SOTTO_ECRYPTO  the checkpoint is as before; may be tried again
 */
SOTTO_MUST_CHECK enum sotto_err sotto_audit_publish(struct sotto_audit_log *log, uint64_t *entries);

/**
 * Destroys the keys of a subject; its records can never be read again.
 *
 * @retval SOTTO_ENOTFOUND  no such subject
 * @retval SOTTO_EDENIED    the gateway's own
 * @retval SOTTO_EIO, SOTTO_ENOMEM, SOTTO_ECRYPTO
 */
SOTTO_MUST_CHECK enum sotto_err sotto_audit_erase(struct sotto_audit_log *log, sotto_span subject,
                                                  uint64_t *slot);

/** Appends the entry that says that a subject was erased, by its slot alone. */
SOTTO_MUST_CHECK enum sotto_err sotto_audit_receipt(struct sotto_audit_log *log, uint64_t slot,
                                                    int64_t wall_ms);

/**
 * Takes a checkpoint that a witness cosigned and keeps it in `witnessed`.
 *
 * @retval SOTTO_ENOTFOUND  not of this log, or no known witness signed it
 * @retval SOTTO_EAUTH      a signature is wrong, or this log never had such a checkpoint
 * @retval SOTTO_EFORMAT    no signed note
 * @retval SOTTO_EIO, SOTTO_ENOMEM, SOTTO_ECRYPTO
 */
SOTTO_MUST_CHECK enum sotto_err sotto_audit_cosign(struct sotto_audit_log *log, sotto_span note);

/** An entry that was looked up. */
struct sotto_audit_entry {
    uint64_t index;
    uint8_t entry[SOTTO_AUDIT_ENTRY_BYTES];
    bool erased;             /* the keys of its subject are destroyed: there is no record */
    struct sotto_buf record; /* as it was committed to */
    uint8_t opening[SOTTO_AUDIT_OPENING_BYTES];
    struct sotto_buf proof; /* C2SP tlog-proof */
};

/** Wipes and frees what is in it. */
void sotto_audit_entry_free(struct sotto_audit_entry *entry);

/**
 * Looks an entry up; from any thread.
 *
 * @param id        SOTTO_AUDIT_ID_SYMBOLS symbols
 * @param[out] out  freed with sotto_audit_entry_free() on SOTTO_OK
 *
 * @retval SOTTO_ESTATE     committed, and not under a checkpoint yet
 * @retval SOTTO_ENOTFOUND  no such entry
 * @retval SOTTO_EAUTH      the record does not belong to the entry: the files were tampered with
 * @retval SOTTO_EIO, SOTTO_EFORMAT, SOTTO_ENOMEM, SOTTO_ECRYPTO
 */
SOTTO_MUST_CHECK enum sotto_err sotto_audit_find(struct sotto_audit_log *log, sotto_span id,
                                                 struct sotto_audit_entry *out);

/**
 * The same from the files alone, beside whoever writes them; SOTTO_ENOTFOUND also for what is not
 * under a checkpoint yet.
 *
 * @param fleet     where the keys of a fleet's subjects lie; NULL: in the folder
 * @param[out] why  on failure a sentence
 * @retval SOTTO_ESTATE  they lie in a database, and `fleet` is NULL
 */
SOTTO_MUST_CHECK enum sotto_err sotto_audit_look(const char *folder,
                                                 const struct sotto_audit_fleet *fleet,
                                                 sotto_span id, struct sotto_audit_entry *out,
                                                 char why[SOTTO_STORE_WHY_BYTES]);

/**
 * Copies the public files, beside whoever writes them: the checkpoint and the tiles it speaks of.
 *
 * @param to         a folder; made
 * @param[out] size  entries
 * @param[out] why   on failure a sentence
 */
SOTTO_MUST_CHECK enum sotto_err sotto_audit_export(const char *folder, const char *to,
                                                   uint64_t *size, char why[SOTTO_STORE_WHY_BYTES]);

/** The log's public key, from the files.  Errors as sotto_audit_look(). */
SOTTO_MUST_CHECK enum sotto_err sotto_audit_key_read(const char *folder, struct sotto_note_key *out,
                                                     char why[SOTTO_STORE_WHY_BYTES]);

/**
 * Checks each record of a log of `size` entries against its entry; erased ones are counted.
 *
 * @param[out] erased  how many there are
 * @param[out] why     on failure a sentence that names the entry
 * @retval SOTTO_EAUTH  one does not belong to its entry
 * @retval others as sotto_audit_look()
 */
SOTTO_MUST_CHECK enum sotto_err sotto_audit_check_records(const char *folder,
                                                          const struct sotto_audit_fleet *fleet,
                                                          uint64_t size, uint64_t *erased,
                                                          char why[SOTTO_STORE_WHY_BYTES]);

/**
 * Checks that the database of a fleet has the entries of a folder of `size` entries, in their order,
 * and behind them nothing but what the fleet committed.
 *
 * @param folder        a gateway's copy of the fleet's log
 * @param key           of the log
 * @param[out] entries  how many the database has
 * @param[out] why      on failure a sentence that names the first entry that differs or is missing
 * @retval SOTTO_EAUTH  one does
 * @retval others as sotto_audit_look()
 */
SOTTO_MUST_CHECK enum sotto_err sotto_audit_check_database(const char *folder,
                                                           const struct sotto_audit_fleet *fleet,
                                                           const struct sotto_note_key *key,
                                                           uint64_t size, uint64_t *entries,
                                                           char why[SOTTO_STORE_WHY_BYTES]);

#endif
