/* SPDX-License-Identifier: Apache-2.0 */

#include <inttypes.h>
#include <stdio.h>

#include "base/alloc.h"
#include "store/audit_state.h"
#include "sys/files.h"

const struct sotto_note_key *sotto_audit_key(const struct sotto_audit_log *log)
{
    return &log->key;
}

const char *sotto_audit_public_folder(const struct sotto_audit_log *log)
{
    return log->public_folder;
}

enum sotto_err audit_fail(char *why, enum sotto_err err, const char *folder, const char *what)
{
    snprintf(why, SOTTO_STORE_WHY_BYTES, "%.300s: %s (%s)", folder, what, sotto_err_text(err));
    return err;
}

static enum sotto_err take_lock(struct sotto_audit_log *log, char *why)
{
    char path[AUDIT_PATH_BYTES];
    enum sotto_err err = audit_path(log->folder, "lock", path);
    if (err == SOTTO_OK) {
        err = sotto_disk_open(path, SOTTO_DISK_CREATE, &log->lock);
    }
    if (err != SOTTO_OK) {
        return audit_fail(why, err, log->folder, "the audit log cannot be written");
    }
    err = sotto_disk_lock(&log->lock);
    return err == SOTTO_OK ? err
                           : audit_fail(why, err, log->folder,
                                        "another process writes this audit log: stop it, or use "
                                        "another state folder");
}

enum sotto_err audit_origin_check(const struct sotto_audit_log *log, sotto_span origin, char *why)
{
    if (sotto_span_eq(origin, sotto_span_str(log->key.name))) {
        return SOTTO_OK;
    }
    snprintf(why, SOTTO_STORE_WHY_BYTES,
             "%.200s: this audit log is %.80s and audit.origin is %.*s: change it back, or "
             "begin a new log elsewhere",
             log->folder, log->key.name, (int)(origin.len < 80 ? origin.len : 80),
             (const char *)origin.base);
    return SOTTO_EFORMAT;
}

static enum sotto_err open_keys(struct sotto_audit_log *log, sotto_span origin, char *why)
{
    if (!sotto_note_name_valid(origin)) {
        return audit_fail(why, SOTTO_EINVAL, log->folder,
                          "audit.origin must have no spaces and no plus signs");
    }
    return log->sequencer->open_keys(log, origin, why);
}

/* The first start: an empty log has a checkpoint, too, so that a missing one is always a loss. */
static enum sotto_err begin_log(struct sotto_audit_log *log, char *why)
{
    char path[AUDIT_PATH_BYTES], tiles[AUDIT_PATH_BYTES], records[AUDIT_PATH_BYTES];
    enum sotto_err err = audit_path(log->public_folder, "checkpoint", path);
    if (err == SOTTO_OK) {
        err = audit_path(log->public_folder, "tile", tiles);
    }
    if (err == SOTTO_OK) {
        err = audit_path(log->folder, "records", records);
    }
    if (err != SOTTO_OK || sotto_file_exists(path)) {
        return err;
    }
    if (sotto_file_exists(tiles) || sotto_file_exists(records)) {
        return audit_fail(why, SOTTO_EAUTH, log->public_folder, "the checkpoint is missing");
    }
    err = sotto_folder_make(log->public_folder);
    if (err == SOTTO_OK) {
        err = audit_checkpoint_write(log, &log->tree);
    }
    return err == SOTTO_OK ? err : audit_fail(why, err, path, "cannot be written");
}

static enum sotto_err open_tree(struct sotto_audit_log *log, struct sotto_audit_report *report,
                                char *why)
{
    const struct sotto_audit_check_options check = {
        .log = log->public_folder,
        .key = &log->key,
        .witnesses = log->witnesses,
        .witness_count = log->witness_count,
    };
    const struct sotto_audit_tiles tiles = {log->public_folder, audit_tile_read};
    enum sotto_err err = sotto_audit_check(&check, report);
    if (err != SOTTO_OK) {
        snprintf(why, SOTTO_STORE_WHY_BYTES, "%s", report->why);
        return err;
    }
    err = sotto_audit_tree_load(&log->tree, report->size, &tiles);
    if (err != SOTTO_OK) {
        return audit_fail(why, err, log->public_folder, "the tree cannot be read");
    }
    err = audit_records_open(&log->records, log->folder, report->size);
    if (err != SOTTO_OK) {
        snprintf(why, SOTTO_STORE_WHY_BYTES,
                 "%.300s/records: the record of entry %" PRIu64 " is missing (%s)", log->folder,
                 report->size - (report->size != 0), sotto_err_text(err));
        err = err == SOTTO_EFORMAT ? SOTTO_EAUTH : err;
    }
    return err;
}

/* --- witnesses --------------------------------------------------------------------------------- */

struct open_witnessed {
    struct sotto_audit_log *log;
    struct sotto_audit_report *report;
    const char *folder;
};

static enum sotto_err check_witnessed(void *ctx, const char *name)
{
    struct open_witnessed *w = ctx;
    char path[AUDIT_PATH_BYTES];
    struct sotto_buf note;
    const struct sotto_audit_check_options check = {
        .log = w->log->public_folder,
        .key = &w->log->key,
        .witnesses = w->log->witnesses,
        .witness_count = w->log->witness_count,
    };
    sotto_buf_init(&note, SOTTO_NOTE_MAX_BYTES);
    enum sotto_err err = audit_path(w->folder, name, path);
    if (err == SOTTO_OK) {
        err = sotto_file_read(path, SOTTO_NOTE_MAX_BYTES, &note);
    }
    if (err == SOTTO_OK) {
        err = sotto_audit_check_cosigned(&check, sotto_buf_span(&note), w->report);
    }
    if (err == SOTTO_ENOTFOUND || err == SOTTO_EFORMAT) {
        err = SOTTO_OK; /* says nothing about this log: a witness that is not configured any more */
    }
    sotto_buf_free(&note);
    return err;
}

static enum sotto_err open_witnessed(struct sotto_audit_log *log, struct sotto_audit_report *report,
                                     char *why)
{
    char folder[AUDIT_PATH_BYTES];
    enum sotto_err err = audit_path(log->folder, "witnessed", folder);
    if (err == SOTTO_OK) {
        err = sotto_folder_make(folder);
    }
    if (err == SOTTO_OK) {
        struct open_witnessed w = {log, report, folder};
        err = sotto_folder_each(folder, check_witnessed, &w);
    }
    if (err != SOTTO_OK) {
        if (report->why[0] != '\0') {
            snprintf(why, SOTTO_STORE_WHY_BYTES, "%s", report->why);
        } else {
            err = audit_fail(why, err, folder, "cannot be read");
        }
    }
    return err;
}

/* --- the whole --------------------------------------------------------------------------------- */

static enum sotto_err make_log(const struct sotto_audit_options *o, struct sotto_audit_log **out)
{
    struct sotto_audit_log *log = sotto_calloc(1, sizeof(*log));
    if (log == NULL) {
        return SOTTO_ENOMEM;
    }
    log->lock.fd = log->journal.file.fd = -1;
    log->sequencer = o->fleet != NULL ? &audit_fleet : &audit_journal;
    log->options = o;
    pthread_mutex_init(&log->publishing, NULL);
    pthread_mutex_init(&log->appending, NULL);
    log->strict = o->strict;
    sotto_buf_init(&log->pending, SOTTO_BUF_UNBOUNDED);
    sotto_buf_init(&log->taken, SOTTO_BUF_UNBOUNDED);
    sotto_buf_init(&log->leaves.hashes, SOTTO_BUF_UNBOUNDED);
    sotto_buf_init(&log->taken_leaves.hashes, SOTTO_BUF_UNBOUNDED);
    sotto_buf_init(&log->frame, SOTTO_BUF_UNBOUNDED);
    sotto_buf_init(&log->sealed, SOTTO_AUDIT_SEALED_MAX);
    snprintf(log->folder, sizeof(log->folder), "%s", o->folder);
    enum sotto_err err = strlen(o->folder) < sizeof(log->folder)
                             ? audit_path(o->folder, "log", log->public_folder)
                             : SOTTO_EINVAL;
    if (err == SOTTO_OK && o->witness_count != 0) {
        log->witnesses = sotto_calloc(o->witness_count, sizeof(*log->witnesses));
        err = log->witnesses != NULL ? SOTTO_OK : SOTTO_ENOMEM;
    }
    if (err == SOTTO_OK) {
        for (size_t i = 0; i < o->witness_count; i++) {
            log->witnesses[i] = o->witnesses[i];
        }
        log->witness_count = o->witness_count;
    }
    *out = log;
    return err;
}

static void free_log(struct sotto_audit_log *log)
{
    audit_subjects_close(log->subjects);
    audit_records_close(&log->records);
    log->sequencer->close(log);
    sotto_disk_close(&log->lock);
    sotto_buf_free(&log->pending);
    sotto_buf_free(&log->taken);
    sotto_buf_free(&log->leaves.hashes);
    sotto_buf_free(&log->taken_leaves.hashes);
    sotto_buf_free(&log->frame);
    sotto_buf_free(&log->sealed);
    pthread_mutex_destroy(&log->publishing);
    pthread_mutex_destroy(&log->appending);
    sotto_free(log->witnesses);
    sotto_free(log);
}

enum sotto_err sotto_audit_open(const struct sotto_audit_options *options,
                                struct sotto_audit_log **out, struct sotto_audit_found_state *found,
                                char why[SOTTO_STORE_WHY_BYTES])
{
    struct sotto_audit_log *log = NULL;
    struct sotto_audit_report report;
    *found = (struct sotto_audit_found_state){0};
    enum sotto_err err = make_log(options, &log);
    if (err == SOTTO_OK) {
        err = sotto_folder_make(log->folder);
    }
    if (err != SOTTO_OK) {
        audit_fail(why, err, options->folder, "the audit log's folder cannot be made");
    }
    if (err == SOTTO_OK) {
        err = take_lock(log, why);
    }
    if (err == SOTTO_OK) {
        err = open_keys(log, options->origin, why);
    }
    if (err == SOTTO_OK) {
        err = begin_log(log, why);
    }
    if (err == SOTTO_OK) {
        err = open_tree(log, &report, why);
    }
    if (err == SOTTO_OK) {
        err = open_witnessed(log, &report, why);
    }
    if (err == SOTTO_OK) {
        err = log->sequencer->open(log, found, why);
    }
    if (err == SOTTO_OK) {
        err = audit_settle(log);
        if (err != SOTTO_OK) {
            audit_fail(why, err, log->folder, "what was committed cannot be published");
        }
    }
    if (err != SOTTO_OK) {
        if (log != NULL) {
            free_log(log);
        }
        return err;
    }
    log->options = NULL; /* the caller's */
    *out = log;
    return SOTTO_OK;
}

enum sotto_err sotto_audit_catch_up(struct sotto_audit_log *log, bool *more)
{
    pthread_mutex_lock(&log->appending);
    enum sotto_err err = log->sequencer->catch_up(log, more);
    pthread_mutex_unlock(&log->appending);
    return err;
}

void sotto_audit_close(struct sotto_audit_log *log)
{
    if (log == NULL) {
        return;
    }
    sotto_ignore(audit_settle(log)); /* what is left stays in the journal */
    free_log(log);
}
