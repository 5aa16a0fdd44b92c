/* SPDX-License-Identifier: Apache-2.0 */

#include "crypto/base62.h"
#include "store/audit_state.h"
#include "sys/clock.h"

/* Numbers of the items' subjects; new ones get a slot. */
static enum sotto_err number_subjects(struct sotto_audit_log *log,
                                      const struct sotto_audit_item *items, size_t count,
                                      uint64_t *numbers)
{
    enum sotto_err err = SOTTO_OK;
    for (size_t i = 0; i < count && err == SOTTO_OK; i++) {
        uint8_t slot[SOTTO_AUDIT_SLOT_BYTES];
        err = audit_subjects_find(log->subjects, items[i].subject, &numbers[i]);
        if (err == SOTTO_ENOTFOUND) {
            err = audit_subjects_add(log->subjects, items[i].subject, &numbers[i], slot);
            if (err == SOTTO_OK) {
                err = log->sequencer->add_slot(log, numbers[i], slot);
            }
        }
    }
    return err;
}

/* The leaves' hashes go to the end of `leaves`. */
static enum sotto_err make_frame(struct sotto_audit_log *log, const struct sotto_audit_item *items,
                                 size_t count)
{
    uint64_t numbers[SOTTO_AUDIT_BATCH_MAX];
    log->frame_slots = 0;
    sotto_buf_truncate(&log->frame, 0);
    enum sotto_err err = sotto_journal_begin(log->next, &log->frame);
    if (err == SOTTO_OK) {
        err = number_subjects(log, items, count, numbers);
    }
    for (size_t i = 0; i < count && err == SOTTO_OK; i++) {
        uint8_t entry[SOTTO_AUDIT_ENTRY_BYTES];
        struct sotto_audit_hash leaf;
        struct sotto_audit_sealer *sealer = NULL;
        sotto_buf_truncate(&log->sealed, 0);
        err = audit_subjects_sealer(log->subjects, numbers[i], &sealer);
        if (err == SOTTO_OK) {
            err = sotto_audit_commit(sealer, sotto_span_init(items[i].id, SOTTO_AUDIT_ID_SYMBOLS),
                                     items[i].record, entry, &leaf, &log->sealed);
        }
        if (err == SOTTO_OK) {
            err = sotto_journal_entry(entry, numbers[i], sotto_buf_span(&log->sealed), &log->frame);
        }
        if (err == SOTTO_OK) {
            err = sotto_buf_append(&log->leaves.hashes, sotto_span_init(leaf.bytes, sizeof(leaf)));
        }
    }
    return err == SOTTO_OK ? sotto_journal_end(0, log->frame_slots, (uint32_t)count, &log->frame)
                           : err;
}

/* In a turn, which it ends. */
static enum sotto_err commit_items(struct sotto_audit_log *log,
                                   const struct sotto_audit_item *items, size_t count)
{
    uint64_t known = audit_subjects_count(log->subjects);
    size_t leaves = log->leaves.hashes.len;
    log->leaves.first = leaves != 0 ? log->leaves.first : log->next;
    enum sotto_err err = make_frame(log, items, count);
    if (err == SOTTO_OK) {
        err = sotto_buf_reserve(&log->pending, log->frame.len);
    }
    if (err == SOTTO_OK) {
        err = log->sequencer->commit(log, count);
    } else {
        log->sequencer->give_up(log);
    }
    if (err == SOTTO_OK) {
        err = sotto_buf_append(&log->pending, sotto_buf_span(&log->frame));
    }
    if (err == SOTTO_OK) {
        log->next += count;
    } else {
        audit_subjects_drop(log->subjects, known);
        sotto_buf_truncate(&log->leaves.hashes, leaves);
    }
    return err;
}

enum sotto_err sotto_audit_append(struct sotto_audit_log *log, const struct sotto_audit_item *items,
                                  size_t count)
{
    pthread_mutex_lock(&log->appending);
    enum sotto_err err = log->broken                                   ? SOTTO_EIO
                         : log->pending.len >= SOTTO_AUDIT_PENDING_MAX ? SOTTO_ELIMIT
                         : count > SOTTO_AUDIT_BATCH_MAX               ? SOTTO_EINVAL
                                                                       : SOTTO_OK;
    if (err == SOTTO_OK) {
        err = log->sequencer->take_turn(log);
    }
    if (err == SOTTO_OK) {
        err = commit_items(log, items, count);
    }
    pthread_mutex_unlock(&log->appending);
    return err;
}

enum sotto_err sotto_audit_erase(struct sotto_audit_log *log, sotto_span subject, uint64_t *slot)
{
    if (sotto_span_eq(subject, SOTTO_LIT(SOTTO_AUDIT_SELF))) {
        return SOTTO_EDENIED;
    }
    uint64_t number = 0;
    pthread_mutex_lock(&log->publishing);
    pthread_mutex_lock(&log->appending);
    enum sotto_err err = log->sequencer->erase(log, subject, &number);
    if (err == SOTTO_OK) {
        *slot = number;
    }
    pthread_mutex_unlock(&log->appending);
    pthread_mutex_unlock(&log->publishing);
    return err;
}

enum sotto_err sotto_audit_receipt(struct sotto_audit_log *log, uint64_t slot, int64_t wall_ms)
{
    char id[SOTTO_AUDIT_ID_SYMBOLS], when[SOTTO_WALL_TEXT_BYTES];
    struct sotto_buf text;
    struct sotto_audit_record record = sotto_audit_record_none();
    sotto_buf_init(&text, SOTTO_AUDIT_RECORD_MAX);
    sotto_wall_text(wall_ms, when);
    enum sotto_err err = sotto_base62_random(id, sizeof(id));
    record.id = sotto_span_init(id, sizeof(id));
    record.kind = "erasure";
    record.time = when;
    record.subject = SOTTO_LIT(SOTTO_AUDIT_SELF);
    record.slot = (int64_t)slot;
    if (err == SOTTO_OK) {
        err = sotto_audit_record_write(&record, &text);
    }
    if (err == SOTTO_OK) {
        const struct sotto_audit_item item = {id, record.subject, sotto_buf_span(&text)};
        err = sotto_audit_append(log, &item, 1);
    }
    sotto_buf_free(&text);
    return err;
}
