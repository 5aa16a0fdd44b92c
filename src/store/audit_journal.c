/* SPDX-License-Identifier: Apache-2.0 */

#include <inttypes.h>
#include <stdio.h>

#include "store/audit_state.h"
#include "sys/files.h"

/* Longest journal that is read. */
#define OPEN_JOURNAL_MAX ((size_t)1 << 30)

static enum sotto_err open_keys(struct sotto_audit_log *log, sotto_span origin, char *why)
{
    char path[AUDIT_PATH_BYTES];
    if (audit_is_replica(log->folder)) {
        snprintf(why, SOTTO_STORE_WHY_BYTES,
                 "%.300s: this is one gateway's copy of a fleet's audit log: give audit.sequencer: "
                 "postgres and stores.postgres, or use another state folder",
                 log->folder);
        return SOTTO_ESTATE;
    }
    enum sotto_err err = audit_path(log->folder, "key", path);
    if (err == SOTTO_OK && !sotto_file_exists(path)) {
        err = sotto_file_exists(log->public_folder) ? SOTTO_ENOTFOUND
                                                    : audit_key_create(path, origin);
    }
    if (err != SOTTO_OK) {
        return audit_fail(why, err, path, "the audit log's key is missing or cannot be made");
    }
    err = audit_key_read(log->folder, &log->key, log->seed, why);
    if (err == SOTTO_OK) {
        err = audit_origin_check(log, origin, why);
    }
    return err == SOTTO_OK ? audit_subjects_open(log->folder, true, &log->subjects, why) : err;
}

/* --- opening ----------------------------------------------------------------------------------- */

/* One whole frame: subjects that the file lacks, and entries that the tree lacks. */
static enum sotto_err replay_frame(struct sotto_audit_log *log, struct sotto_journal_frame frame,
                                   sotto_span bytes)
{
    struct sotto_journal_item item;
    uint64_t end = frame.first + frame.count;
    enum sotto_err err = SOTTO_OK;
    while (frame.slots != 0 && err == SOTTO_OK) {
        err = sotto_journal_take_slot(&frame, &item);
        if (err == SOTTO_OK) {
            err = audit_subjects_adopt(log->subjects, item.slot, item.bytes.base);
        }
    }
    while (err == SOTTO_OK && (err = sotto_journal_take_entry(&frame, &item)) == SOTTO_OK) {
    }
    if (err == SOTTO_ENOTFOUND) {
        err = SOTTO_OK;
    }
    if (err == SOTTO_OK && end > log->next) {
        err = sotto_buf_append(&log->pending, bytes);
        log->next = end;
    }
    return err;
}

/* What does not begin with a whole frame is the rest of an append that did not end, unless a whole
 * one comes behind it. */
static enum sotto_err cut_torn(struct sotto_audit_log *log, sotto_span rest,
                               struct sotto_audit_found_state *found, char *why)
{
    if (sotto_journal_any(rest)) {
        snprintf(why, SOTTO_STORE_WHY_BYTES,
                 "%.300s/journal: is damaged behind entry %" PRIu64
                 ": entries that were committed are missing",
                 log->folder, log->next - (log->next != 0));
        return SOTTO_EAUTH;
    }
    enum sotto_err err = sotto_disk_cut(&log->journal.file, log->journal.bytes);
    if (err == SOTTO_OK) {
        err = sotto_disk_sync(&log->journal.file);
    }
    found->torn_bytes = rest.len;
    return err == SOTTO_OK ? err
                           : audit_fail(why, err, log->folder, "the journal cannot be mended");
}

static enum sotto_err replay(struct sotto_audit_log *log, sotto_span all,
                             struct sotto_audit_found_state *found, char *why)
{
    sotto_span rest = all;
    struct sotto_journal_frame frame;
    enum sotto_err err = SOTTO_OK;
    log->next = log->tree.size;
    for (;;) {
        const uint8_t *from = rest.base;
        err = sotto_journal_next(&rest, &frame);
        if (err != SOTTO_OK) {
            break;
        }
        if (frame.first > log->next) {
            snprintf(why, SOTTO_STORE_WHY_BYTES,
                     "%.250s: the log was cut: entries %" PRIu64 " to %" PRIu64
                     " are missing, which the journal goes on from",
                     log->folder, log->next, frame.first - 1);
            return SOTTO_EAUTH;
        }
        err = replay_frame(log, frame,
                           sotto_span_init(from, all.len - rest.len - log->journal.bytes));
        if (err != SOTTO_OK) {
            return audit_fail(why, err == SOTTO_EFORMAT ? SOTTO_EAUTH : err, log->folder,
                              "the journal cannot be read");
        }
        log->journal.bytes = all.len - rest.len;
    }
    if (err == SOTTO_EFORMAT) {
        return cut_torn(log, rest, found, why);
    }
    return err == SOTTO_ENOTFOUND ? SOTTO_OK
                                  : audit_fail(why, err, log->folder, "the journal cannot be read");
}

static enum sotto_err open_journal(struct sotto_audit_log *log,
                                   struct sotto_audit_found_state *found, char *why)
{
    char path[AUDIT_PATH_BYTES];
    struct sotto_buf bytes;
    sotto_buf_init(&bytes, OPEN_JOURNAL_MAX);
    enum sotto_err err = audit_path(log->folder, "journal", path);
    if (err == SOTTO_OK) {
        err = sotto_disk_open(path, SOTTO_DISK_CREATE, &log->journal.file);
    }
    if (err == SOTTO_OK) {
        err = sotto_file_read(path, OPEN_JOURNAL_MAX, &bytes);
    }
    if (err != SOTTO_OK) {
        sotto_buf_free(&bytes);
        return audit_fail(why, err, log->folder, "the journal cannot be opened");
    }
    err = replay(log, sotto_buf_span(&bytes), found, why);
    sotto_buf_free(&bytes);
    if (err == SOTTO_OK &&
        audit_subjects_count(log->subjects) < audit_subjects_listed(log->subjects)) {
        snprintf(why, SOTTO_STORE_WHY_BYTES, "%.300s/subjects: slot %" PRIu64 " is damaged",
                 log->folder, audit_subjects_count(log->subjects));
        err = SOTTO_EAUTH;
    }
    found->recovered = log->next - log->tree.size;
    found->entries = log->next;
    return err;
}

/* --- committing -------------------------------------------------------------------------------- */

static enum sotto_err catch_up(struct sotto_audit_log *log, bool *more)
{
    (void)log;
    *more = false;
    return SOTTO_OK;
}

static enum sotto_err take_turn(struct sotto_audit_log *log)
{
    (void)log; /* nobody else has the folder's lock */
    return SOTTO_OK;
}

static void give_up(struct sotto_audit_log *log)
{
    (void)log; /* nothing was written yet */
}

static enum sotto_err add_slot(struct sotto_audit_log *log, uint64_t number,
                               const uint8_t slot[SOTTO_AUDIT_SLOT_BYTES])
{
    enum sotto_err err = sotto_journal_slot(number, slot, &log->frame);
    log->frame_slots += err == SOTTO_OK;
    return err;
}

static enum sotto_err sync(struct sotto_audit_log *log)
{
    enum sotto_err err = log->broken ? SOTTO_EIO : SOTTO_OK;
    if (err == SOTTO_OK && log->journal.unsynced) {
        err = sotto_disk_sync(&log->journal.file);
        log->broken = err != SOTTO_OK;
        log->journal.unsynced = false;
    }
    return err;
}

static enum sotto_err commit(struct sotto_audit_log *log, size_t count)
{
    (void)count;
    enum sotto_err err =
        sotto_disk_write(&log->journal.file, log->journal.bytes, sotto_buf_span(&log->frame));
    if (err != SOTTO_OK) {
        /* What was written of it must not stand before the next frame. */
        log->broken = sotto_disk_cut(&log->journal.file, log->journal.bytes) != SOTTO_OK;
        return SOTTO_EIO;
    }
    log->journal.unsynced = true;
    err = log->strict ? sync(log) : SOTTO_OK;
    log->journal.bytes += err == SOTTO_OK ? log->frame.len : 0;
    return err;
}

static bool is_full(const struct sotto_audit_log *log)
{
    return log->journal.bytes > SOTTO_AUDIT_JOURNAL_KEEP;
}

static enum sotto_err settled(struct sotto_audit_log *log)
{
    enum sotto_err err = SOTTO_OK;
    if (log->journal.bytes != 0) {
        err = sotto_disk_cut(&log->journal.file, 0);
        if (err == SOTTO_OK) {
            err = sotto_disk_sync(&log->journal.file);
        }
        log->broken = log->broken || err != SOTTO_OK;
        log->journal.bytes = 0;
    }
    return err;
}

static enum sotto_err erase(struct sotto_audit_log *log, sotto_span subject, uint64_t *slot)
{
    enum sotto_err err = audit_subjects_find(log->subjects, subject, slot);
    if (err == SOTTO_OK) {
        err = audit_settle(log); /* the journal holds slots under the old wrapping key */
    }
    if (err == SOTTO_OK) {
        err = audit_subjects_erase(log->subjects, *slot);
        log->broken = log->broken || err != SOTTO_OK; /* memory and disk may differ */
    }
    return err;
}

static void close_journal(struct sotto_audit_log *log)
{
    sotto_disk_close(&log->journal.file);
}

const struct audit_sequencer audit_journal = {
    .open_keys = open_keys,
    .open = open_journal,
    .close = close_journal,
    .catch_up = catch_up,
    .take_turn = take_turn,
    .add_slot = add_slot,
    .commit = commit,
    .give_up = give_up,
    .sync = sync,
    .is_full = is_full,
    .settled = settled,
    .erase = erase,
};
