/* SPDX-License-Identifier: Apache-2.0 */

#include <inttypes.h>
#include <stdio.h>

#include "audit/proof.h"
#include "base/alloc.h"
#include "store/audit_fleet.h"
#include "sys/files.h"

void sotto_audit_entry_free(struct sotto_audit_entry *entry)
{
    sotto_buf_free(&entry->record);
    sotto_buf_free(&entry->proof);
    sotto_wipe(entry, sizeof(*entry));
}

/* What the files say, apart from the subject's keys. */
static enum sotto_err look_up(const char *folder, const char *log, sotto_span id,
                              struct sotto_audit_entry *out, uint64_t *slot,
                              struct sotto_buf *sealed)
{
    char path[AUDIT_PATH_BYTES];
    struct sotto_buf text;
    struct sotto_note note;
    struct sotto_checkpoint c;
    struct sotto_audit_proof proof;
    const struct sotto_audit_tiles tiles = {(void *)(uintptr_t)log, audit_tile_read};
    struct audit_bundle *bundle = sotto_calloc(1, sizeof(*bundle));
    sotto_buf_init(&text, SOTTO_NOTE_MAX_BYTES);
    enum sotto_err err = bundle != NULL ? audit_path(log, "checkpoint", path) : SOTTO_ENOMEM;
    if (err == SOTTO_OK) {
        err = sotto_file_read(path, SOTTO_NOTE_MAX_BYTES, &text);
    }
    if (err == SOTTO_OK) {
        err = sotto_note_parse(sotto_buf_span(&text), &note);
    }
    if (err == SOTTO_OK) {
        err = sotto_checkpoint_parse(note.text, &c);
    }
    if (err == SOTTO_OK) {
        err = audit_ids_find(folder, log, c.size, id, &out->index);
    }
    if (err == SOTTO_OK) {
        uint64_t n = out->index / SOTTO_AUDIT_TILE_WIDTH;
        err = audit_bundle_read(log, n, sotto_audit_width(c.size, 0, n), bundle);
    }
    if (err == SOTTO_OK) {
        memcpy(out->entry, bundle->entries[out->index % SOTTO_AUDIT_TILE_WIDTH],
               SOTTO_AUDIT_ENTRY_BYTES);
        err = sotto_audit_inclusion(&tiles, out->index, c.size, &proof.path);
    }
    if (err == SOTTO_OK) {
        proof.index = out->index;
        proof.checkpoint = sotto_buf_span(&text);
        err = sotto_audit_proof_write(&proof, &out->proof);
    }
    if (err == SOTTO_OK) {
        err = audit_record_read(folder, out->index, slot, sealed);
        err = err == SOTTO_ENOTFOUND ? SOTTO_EIO : err;
    }
    sotto_buf_free(&text);
    sotto_free(bundle);
    return err;
}

static enum sotto_err reveal(struct audit_subjects *subjects, uint64_t slot, sotto_span sealed,
                             struct sotto_audit_entry *out)
{
    struct sotto_audit_sealer *sealer = NULL;
    enum sotto_err err = audit_subjects_sealer(subjects, slot, &sealer);
    if (err == SOTTO_ENOTFOUND) {
        out->erased = slot < audit_subjects_count(subjects);
        return out->erased ? SOTTO_OK : SOTTO_EAUTH;
    }
    if (err == SOTTO_OK) {
        err = sotto_audit_reveal(sealer, out->entry, sealed, &out->record);
    }
    if (err == SOTTO_OK) {
        err = sotto_audit_opening(sealer, sotto_audit_entry_id(out->entry), out->opening);
    }
    return err;
}

static void entry_init(struct sotto_audit_entry *out)
{
    *out = (struct sotto_audit_entry){0};
    sotto_buf_init(&out->record, SOTTO_AUDIT_RECORD_MAX);
    sotto_buf_init(&out->proof, 2 * SOTTO_NOTE_MAX_BYTES);
}

/* With `appending` held. */
static bool is_waiting(const struct sotto_audit_log *log, sotto_span id)
{
    return (log->pending.len != 0 &&
            memmem(log->pending.base, log->pending.len, id.base, id.len) != NULL);
}

/* In a fleet another gateway may have made the entry, or erased its subject. */
static enum sotto_err catch_up_for(struct sotto_audit_log *log, sotto_span id, bool *waits,
                                   bool *more)
{
    pthread_mutex_lock(&log->appending);
    enum sotto_err err = log->sequencer->catch_up(log, more);
    *waits = is_waiting(log, id);
    pthread_mutex_unlock(&log->appending);
    return err;
}

enum sotto_err sotto_audit_find(struct sotto_audit_log *log, sotto_span id,
                                struct sotto_audit_entry *out)
{
    struct sotto_buf sealed;
    uint64_t slot = 0;
    if (id.len != SOTTO_AUDIT_ID_SYMBOLS) {
        return SOTTO_ENOTFOUND;
    }
    entry_init(out);
    sotto_buf_init(&sealed, SOTTO_AUDIT_SEALED_MAX);
    bool waits = false, more = false;
    enum sotto_err err = catch_up_for(log, id, &waits, &more);
    /* What is being published now is found in neither place, so the publisher is waited for. */
    pthread_mutex_lock(&log->publishing);
    if (err == SOTTO_OK) {
        err = waits ? SOTTO_ESTATE
                    : look_up(log->folder, log->public_folder, id, out, &slot, &sealed);
    }
    if (err == SOTTO_ENOTFOUND &&
        (more || (log->taken.len != 0 &&
                  memmem(log->taken.base, log->taken.len, id.base, id.len) != NULL))) {
        err = SOTTO_ESTATE;
    }
    pthread_mutex_unlock(&log->publishing);
    if (err == SOTTO_OK) {
        pthread_mutex_lock(&log->appending);
        err = reveal(log->subjects, slot, sotto_buf_span(&sealed), out);
        pthread_mutex_unlock(&log->appending);
    }
    if (err != SOTTO_OK) {
        sotto_audit_entry_free(out);
    }
    sotto_buf_free(&sealed);
    return err;
}

enum sotto_err sotto_audit_look(const char *folder, const struct sotto_audit_fleet *fleet,
                                sotto_span id, struct sotto_audit_entry *out,
                                char why[SOTTO_STORE_WHY_BYTES])
{
    char log[AUDIT_PATH_BYTES];
    struct sotto_buf sealed;
    struct audit_subjects *subjects = NULL;
    uint64_t slot = 0;
    if (id.len != SOTTO_AUDIT_ID_SYMBOLS) {
        snprintf(why, SOTTO_STORE_WHY_BYTES, "no such entry");
        return SOTTO_ENOTFOUND;
    }
    entry_init(out);
    sotto_buf_init(&sealed, SOTTO_AUDIT_SEALED_MAX);
    enum sotto_err err = audit_path(folder, "log", log);
    if (err == SOTTO_OK) {
        err = look_up(folder, log, id, out, &slot, &sealed);
    }
    if (err != SOTTO_OK) {
        snprintf(why, SOTTO_STORE_WHY_BYTES, "%.300s: the entry is %s", folder,
                 err == SOTTO_ENOTFOUND ? "not there, or not under a checkpoint yet: try again in "
                                          "a second"
                                        : sotto_err_text(err));
    } else {
        err = audit_subjects_reach(folder, fleet, &subjects, why);
        if (err == SOTTO_OK) {
            err = reveal(subjects, slot, sotto_buf_span(&sealed), out);
            snprintf(why, SOTTO_STORE_WHY_BYTES,
                     "%.300s: the record of entry %" PRIu64 " does not belong to it (%s)", folder,
                     out->index, sotto_err_text(err));
        }
    }
    if (err != SOTTO_OK) {
        sotto_audit_entry_free(out);
    }
    audit_subjects_close(subjects);
    sotto_buf_free(&sealed);
    return err;
}

/* One bundle's records. */
static enum sotto_err check_bundle(const char *folder, struct audit_subjects *subjects,
                                   const struct audit_bundle *bundle, uint64_t first,
                                   uint64_t *erased, uint64_t *at)
{
    enum sotto_err err = SOTTO_OK;
    for (unsigned i = 0; i < bundle->width && err == SOTTO_OK; i++) {
        struct sotto_audit_entry one;
        struct sotto_buf sealed;
        uint64_t slot = 0;
        entry_init(&one);
        sotto_buf_init(&sealed, SOTTO_AUDIT_SEALED_MAX);
        *at = first + i;
        memcpy(one.entry, bundle->entries[i], SOTTO_AUDIT_ENTRY_BYTES);
        err = audit_record_read(folder, first + i, &slot, &sealed);
        if (err == SOTTO_OK) {
            err = reveal(subjects, slot, sotto_buf_span(&sealed), &one);
        }
        *erased += one.erased;
        sotto_buf_free(&sealed);
        sotto_audit_entry_free(&one);
    }
    return err;
}

enum sotto_err sotto_audit_check_records(const char *folder, const struct sotto_audit_fleet *fleet,
                                         uint64_t size, uint64_t *erased,
                                         char why[SOTTO_STORE_WHY_BYTES])
{
    char log[AUDIT_PATH_BYTES];
    struct audit_subjects *subjects = NULL;
    uint64_t at = 0;
    *erased = 0;
    enum sotto_err err = audit_subjects_reach(folder, fleet, &subjects, why);
    if (err != SOTTO_OK) {
        return err;
    }
    struct audit_bundle *bundle = sotto_calloc(1, sizeof(*bundle));
    err = bundle != NULL ? audit_path(folder, "log", log) : SOTTO_ENOMEM;
    for (uint64_t n = 0; n * SOTTO_AUDIT_TILE_WIDTH < size && err == SOTTO_OK; n++) {
        err = audit_bundle_read(log, n, sotto_audit_width(size, 0, n), bundle);
        if (err == SOTTO_OK) {
            err = check_bundle(folder, subjects, bundle, n * SOTTO_AUDIT_TILE_WIDTH, erased, &at);
        }
    }
    if (err != SOTTO_OK) {
        snprintf(why, SOTTO_STORE_WHY_BYTES,
                 "%.300s: the record of entry %" PRIu64 " does not belong to it (%s)", folder, at,
                 sotto_err_text(err));
        err = err == SOTTO_EFORMAT || err == SOTTO_ENOTFOUND ? SOTTO_EAUTH : err;
    }
    audit_subjects_close(subjects);
    sotto_free(bundle);
    return err;
}
