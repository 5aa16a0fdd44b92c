/* SPDX-License-Identifier: Apache-2.0 */

#include <stdio.h>

#include "store/audit_state.h"
#include "sys/files.h"

/* Name of the file for a witness: its name may hold what no file name may. */
static enum sotto_err witness_path(const struct sotto_audit_log *log,
                                   const struct sotto_note_key *witness, char *out)
{
    char name[64];
    snprintf(name, sizeof(name), "witnessed/%02x%02x%02x%02x", witness->id[0], witness->id[1],
             witness->id[2], witness->id[3]);
    return audit_path(log->folder, name, out);
}

static enum sotto_err keep_cosigned(struct sotto_audit_log *log, const struct sotto_note *note,
                                    sotto_span own, const struct sotto_note_key *witness,
                                    sotto_span line)
{
    char path[AUDIT_PATH_BYTES];
    struct sotto_buf text;
    sotto_buf_init(&text, SOTTO_NOTE_MAX_BYTES);
    enum sotto_err err = sotto_buf_append(&text, note->text);
    if (err == SOTTO_OK) {
        err = sotto_buf_push(&text, '\n');
    }
    if (err == SOTTO_OK) {
        err = sotto_buf_append(&text, own);
    }
    if (err == SOTTO_OK) {
        err = sotto_buf_append(&text, line);
    }
    if (err == SOTTO_OK) {
        err = witness_path(log, witness, path);
    }
    if (err == SOTTO_OK) {
        err = sotto_file_write(path, sotto_buf_span(&text));
    }
    sotto_buf_free(&text);
    return err;
}

/* Adds the line to the present checkpoint where it is that one. */
static enum sotto_err show_cosigned(struct sotto_audit_log *log, const struct sotto_note *note,
                                    sotto_span line)
{
    char path[AUDIT_PATH_BYTES];
    struct sotto_buf text;
    struct sotto_note now;
    sotto_buf_init(&text, SOTTO_NOTE_MAX_BYTES);
    enum sotto_err err = audit_path(log->public_folder, "checkpoint", path);
    if (err == SOTTO_OK) {
        err = sotto_file_read(path, SOTTO_NOTE_MAX_BYTES, &text);
    }
    if (err == SOTTO_OK) {
        err = sotto_note_parse(sotto_buf_span(&text), &now);
    }
    if (err == SOTTO_OK && sotto_span_eq(now.text, note->text) &&
        memmem(now.signatures.base, now.signatures.len, line.base, line.len) == NULL) {
        err = sotto_buf_append(&text, line);
        if (err == SOTTO_OK) {
            err = sotto_file_write(path, sotto_buf_span(&text));
        }
    }
    sotto_buf_free(&text);
    return err;
}

/* Whether the first `size` entries give this root. */
static enum sotto_err had_root(struct sotto_audit_log *log, const struct sotto_checkpoint *c)
{
    struct sotto_audit_hash root;
    const struct sotto_audit_tiles tiles = {log->public_folder, audit_tile_read};
    if (c->size > log->tree.size) {
        return SOTTO_EAUTH;
    }
    enum sotto_err err = sotto_audit_root_at(&tiles, c->size, log->tree.size, &root);
    return err != SOTTO_OK ? err
           : sotto_span_eq(sotto_span_init(root.bytes, sizeof(root.bytes)),
                           sotto_span_init(c->root.bytes, sizeof(c->root.bytes)))
               ? SOTTO_OK
               : SOTTO_EAUTH;
}

static enum sotto_err take_lines(struct sotto_audit_log *log, const struct sotto_note *note,
                                 sotto_span own)
{
    enum sotto_err err = SOTTO_ENOTFOUND;
    for (size_t i = 0; i < log->witness_count; i++) {
        sotto_span line;
        enum sotto_err one = sotto_note_verify(note, &log->witnesses[i], &line);
        if (one == SOTTO_ENOTFOUND) {
            continue;
        }
        err = one;
        if (err == SOTTO_OK) {
            err = keep_cosigned(log, note, own, &log->witnesses[i], line);
        }
        if (err == SOTTO_OK) {
            err = show_cosigned(log, note, line);
        }
        if (err != SOTTO_OK) {
            break;
        }
    }
    return err;
}

enum sotto_err sotto_audit_cosign(struct sotto_audit_log *log, sotto_span bytes)
{
    struct sotto_note note;
    struct sotto_checkpoint c;
    sotto_span own = {0};
    enum sotto_err err = sotto_note_parse(bytes, &note);
    if (err == SOTTO_OK) {
        err = sotto_checkpoint_parse(note.text, &c);
    }
    if (err == SOTTO_OK) {
        err = sotto_note_verify(&note, &log->key, &own);
    }
    if (err != SOTTO_OK) {
        return err;
    }
    if (log->fleet != NULL) { /* the checkpoint may be one of another gateway */
        bool more = false;
        err = sotto_audit_catch_up(log, &more);
        if (err == SOTTO_OK) {
            err = sotto_audit_publish(log, NULL);
        }
    }
    if (err != SOTTO_OK) {
        return err;
    }
    pthread_mutex_lock(&log->publishing);
    err = had_root(log, &c);
    if (err == SOTTO_OK) {
        err = take_lines(log, &note, own);
    }
    pthread_mutex_unlock(&log->publishing);
    return err;
}
