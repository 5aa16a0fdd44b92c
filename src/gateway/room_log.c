/* SPDX-License-Identifier: Apache-2.0 */

#include "gateway/room_log.h"

#include <stdio.h>

#include "audit/record.h"
#include "crypto/base64.h"
#include "gateway/trail.h"
#include "http/write.h"
#include "sys/files.h"

#define LOG_FOLDER SOTTO_LIT("/log/")
#define LOG_KEY    SOTTO_LIT("/log/vkey")
#define LOG_RECORD SOTTO_LIT("/v1/audit/")

/* Longest file of the public folder: a full bundle. */
#define LOG_FILE_MAX ((size_t)64 << 10)

static enum sotto_err refuse(struct room_stream *s, int status, const char *code, const char *what)
{
    sotto_problem_set(&s->problem, status, status < 500 ? "invalid_request_error" : "server_error",
                      code, NULL, "%s", what);
    return SOTTO_EINVAL;
}

static enum sotto_err unreadable(struct room_stream *s)
{
    return refuse(s, 503, "audit_unreadable",
                  "The audit log cannot be read; `sotto audit verify` "
                  "says what is wrong with it.");
}

static enum sotto_err answer(struct room_stream *s, int status, const char *type)
{
    s->log_status = status;
    s->log_type = type;
    return SOTTO_OK;
}

/* --- one entry --------------------------------------------------------------------------------- */

static enum sotto_err no_entry(struct room_stream *s)
{
    return refuse(s, 404, "audit_not_found",
                  "There is no such audit entry, or it is not about a request of this API key.");
}

/* Whoever made the request, or an administrator.  Of an erased record nobody knows any more who
 * that was: its id, which nobody can guess, has to be enough. */
static bool may_see(const struct room_stream *s, const struct sotto_audit_entry *e)
{
    char key[SOTTO_KEY_ID_LEN + 1];
    if (e->erased || sotto_key_is_admin(&s->key->key)) {
        return true;
    }
    return sotto_audit_record_text(sotto_buf_span(&e->record), "key", key, sizeof(key)) ==
               SOTTO_OK &&
           sotto_span_eq(sotto_span_str(key), sotto_span_init(s->key->key.id, SOTTO_KEY_ID_LEN));
}

static enum sotto_err write_base64(struct sotto_buf *out, const char *name, const uint8_t *bytes,
                                   size_t n)
{
    enum sotto_err err = sotto_buf_printf(out, ",\"%s\":\"", name);
    if (err == SOTTO_OK) {
        err = sotto_base64_write(sotto_span_init(bytes, n), out);
    }
    return err == SOTTO_OK ? sotto_buf_push(out, '"') : err;
}

/* The record stands there as the bytes that were committed to. */
static enum sotto_err write_entry(struct sotto_buf *out, const struct sotto_audit_entry *e)
{
    enum sotto_err err = sotto_buf_append(out, e->erased ? SOTTO_LIT("{\"erased\":true")
                                                         : SOTTO_LIT("{\"record\":"));
    if (err == SOTTO_OK && !e->erased) {
        err = sotto_buf_append(out, sotto_buf_span(&e->record));
    }
    if (err == SOTTO_OK) {
        err = sotto_buf_append(out, SOTTO_LIT(",\"proof\":"));
    }
    if (err == SOTTO_OK) {
        err = sotto_json_quote(sotto_buf_span(&e->proof), true, out);
    }
    if (err == SOTTO_OK) {
        err = write_base64(out, "entry", e->entry, sizeof(e->entry));
    }
    if (err == SOTTO_OK && !e->erased) {
        err = write_base64(out, "opening", e->opening, sizeof(e->opening));
    }
    return err == SOTTO_OK ? sotto_buf_push(out, '}') : err;
}

static enum sotto_err read_entry(struct room_stream *s, sotto_span name)
{
    struct sotto_audit_entry e;
    struct sotto_trail *trail = s->room->options.trail;
    if (!sotto_span_starts(name, SOTTO_LIT("audit_"))) {
        return no_entry(s);
    }
    sotto_trail_settle(trail);
    enum sotto_err err = sotto_audit_find(sotto_trail_log(trail), sotto_span_skip(name, 6), &e);
    if (err == SOTTO_ESTATE) {
        sotto_ignore(sotto_http_write_number(&s->pass, "Retry-After", 1)); /* a hint */
        err = sotto_buf_append(&s->out, SOTTO_LIT("{\"status\":\"pending\"}"));
        return err == SOTTO_OK ? answer(s, 202, "application/json") : err;
    }
    if (err == SOTTO_ENOTFOUND) {
        return no_entry(s);
    }
    if (err == SOTTO_ENOMEM) {
        return err;
    }
    if (err != SOTTO_OK) {
        return unreadable(s);
    }
    if (may_see(s, &e)) {
        err = write_entry(&s->out, &e);
        if (err == SOTTO_OK) {
            err = answer(s, e.erased ? 410 : 200, "application/json");
        }
    } else {
        err = no_entry(s);
    }
    sotto_audit_entry_free(&e);
    return err;
}

/* --- files ------------------------------------------------------------------------------------- */

static enum sotto_err read_public(struct room_stream *s, sotto_span name)
{
    char path[8192];
    unsigned level, width;
    uint64_t n;
    bool checkpoint = sotto_span_eq(name, SOTTO_LIT("checkpoint"));
    /* Only names that a tile can have reach the file system. */
    if (!checkpoint && sotto_audit_tile_parse(name, &level, &n, &width) != SOTTO_OK) {
        return refuse(s, 404, "not_found", "There is no such file in the log.");
    }
    snprintf(path, sizeof(path), "%s/%.*s",
             sotto_audit_public_folder(sotto_trail_log(s->room->options.trail)), SOTTO_FMT(name));
    enum sotto_err err = sotto_file_read(path, LOG_FILE_MAX, &s->out);
    if (err == SOTTO_ENOTFOUND) {
        return refuse(s, 404, "not_found", "There is no such file in the log.");
    }
    if (err != SOTTO_OK) {
        return err == SOTTO_ENOMEM ? err : unreadable(s);
    }
    err = sotto_buf_append(&s->pass, checkpoint ? SOTTO_LIT("Cache-Control: no-store\r\n")
                                                : SOTTO_LIT("Cache-Control: max-age=604800, "
                                                            "immutable\r\n"));
    return err == SOTTO_OK
               ? answer(s, 200,
                        checkpoint ? "text/plain; charset=utf-8" : "application/octet-stream")
               : err;
}

/* As `sotto audit vkey` prints it. */
static enum sotto_err write_vkey(struct room_stream *s)
{
    enum sotto_err err =
        sotto_note_key_write(sotto_audit_key(sotto_trail_log(s->room->options.trail)), &s->out);
    if (err == SOTTO_OK) {
        err = sotto_buf_push(&s->out, '\n');
    }
    if (err == SOTTO_OK) {
        err = sotto_buf_append(&s->pass, SOTTO_LIT("Cache-Control: no-store\r\n"));
    }
    return err == SOTTO_OK ? answer(s, 200, "text/plain; charset=utf-8") : err;
}

static enum sotto_err take_cosignature(struct room_stream *s, sotto_span body)
{
    enum sotto_err err = sotto_audit_cosign(sotto_trail_log(s->room->options.trail), body);
    if (err == SOTTO_OK) {
        err = sotto_buf_append(&s->out, SOTTO_LIT("taken\n"));
        return err == SOTTO_OK ? answer(s, 200, "text/plain; charset=utf-8") : err;
    }
    if (err == SOTTO_EFORMAT || err == SOTTO_ELIMIT) {
        return refuse(s, 400, "invalid_note", "The body is no signed checkpoint.");
    }
    if (err == SOTTO_ENOTFOUND) {
        return refuse(s, 403, "unknown_witness",
                      "The checkpoint is not of this log, or none of audit.witnesses signed it.");
    }
    if (err == SOTTO_EAUTH) {
        return refuse(s, 422, "invalid_cosignature",
                      "A signature is wrong, or this log never had this checkpoint.");
    }
    return err == SOTTO_ENOMEM ? err : unreadable(s);
}

enum sotto_err room_log_read(struct room_stream *s, const struct sotto_http_head *head,
                             sotto_span body)
{
    sotto_span path = sotto_http_path(head);
    sotto_buf_truncate(&s->out, 0);
    if (sotto_span_eq(head->method, SOTTO_LIT("POST"))) {
        return take_cosignature(s, body);
    }
    if (sotto_span_eq(path, LOG_KEY)) {
        return write_vkey(s);
    }
    return sotto_span_starts(path, LOG_RECORD)
               ? read_entry(s, sotto_span_skip(path, LOG_RECORD.len))
               : read_public(s, sotto_span_skip(path, LOG_FOLDER.len));
}

void room_log(struct room_stream *s)
{
    room_reply(s, s->log_status, s->log_type, sotto_buf_span(&s->out), SOTTO_DOOR_LAST);
    room_finish(s, SOTTO_OUTCOME_ANSWERED);
}
