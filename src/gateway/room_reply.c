/* SPDX-License-Identifier: Apache-2.0 */

#include <stdio.h>

#include "base/decimal.h"
#include "chat/slots.h"
#include "gateway/room_presidio.h"
#include "gateway/room_stream.h"
#include "http/write.h"
#include "sys/clock.h"

static bool is_private(const struct room_stream *s)
{
    return s->dialect != &room_presidio_face && s->seal.route == NULL && !s->of_log &&
           (s->call.kind == SOTTO_CALL_CHAT || s->call.kind == SOTTO_CALL_EMBEDDINGS);
}

static enum sotto_err write_text(struct sotto_buf *lines, const char *name, const char *value)
{
    return sotto_http_write_field(lines, name, sotto_span_str(value));
}

/* One limit; durations as OpenAI writes them: "120ms", "8.640s". */
static enum sotto_err write_side(struct sotto_buf *lines, const char *what,
                                 const struct sotto_limit_side *side)
{
    char name[48], reset[32];
    if (side->limit == 0) {
        return SOTTO_OK;
    }
    if (side->reset_ms < 1000) {
        snprintf(reset, sizeof(reset), "%ums", side->reset_ms);
    } else {
        snprintf(reset, sizeof(reset), "%u.%03us", side->reset_ms / 1000, side->reset_ms % 1000);
    }
    snprintf(name, sizeof(name), "x-ratelimit-limit-%s", what);
    enum sotto_err err = sotto_http_write_number(lines, name, side->limit);
    if (err == SOTTO_OK) {
        snprintf(name, sizeof(name), "x-ratelimit-remaining-%s", what);
        err = sotto_http_write_number(lines, name, side->remaining);
    }
    snprintf(name, sizeof(name), "x-ratelimit-reset-%s", what);
    return err == SOTTO_OK ? write_text(lines, name, reset) : err;
}

static enum sotto_err write_limit(struct sotto_buf *lines, const struct sotto_limit_state *limit)
{
    enum sotto_err err = write_side(lines, "requests", &limit->requests);
    return err == SOTTO_OK ? write_side(lines, "tokens", &limit->tokens) : err;
}

static enum sotto_err write_unprotected(struct sotto_buf *lines, unsigned bits)
{
    char list[24];
    if (bits == 0) {
        return SOTTO_OK;
    }
    snprintf(list, sizeof(list), "%s%s%s", (bits & SOTTO_UNPROTECTED_IMAGE) != 0 ? ",image" : "",
             (bits & SOTTO_UNPROTECTED_AUDIO) != 0 ? ",audio" : "",
             (bits & SOTTO_UNPROTECTED_FILE) != 0 ? ",file" : "");
    return write_text(lines, "x-sotto-unprotected", list + 1);
}

/* What the gateway did, for answers to private requests. */
static enum sotto_err write_private(struct sotto_buf *lines, struct room_stream *s)
{
    char overhead[SOTTO_DECIMAL_POINT_BYTES];
    if (!is_private(s)) {
        return SOTTO_OK;
    }
    room_book_time(s);
    sotto_decimal_point((uint64_t)s->record.own_us, 3, overhead);
    enum sotto_err err =
        sotto_http_write_number(lines, "x-sotto-entities", s->record.counts.replaced_total);
    if (err == SOTTO_OK) {
        err = write_text(lines, "x-sotto-overhead-ms", overhead);
    }
    return err == SOTTO_OK ? write_unprotected(lines, s->record.counts.unprotected) : err;
}

static enum sotto_err write_problem(struct sotto_buf *lines, const struct room_stream *s,
                                    int status)
{
    enum sotto_err err = SOTTO_OK;
    if (status == 401) {
        err = write_text(lines, "WWW-Authenticate", "Bearer");
    }
    if (err == SOTTO_OK && s->problem.retry_after_s > 0) {
        err = sotto_http_write_number(lines, "Retry-After", (uint64_t)s->problem.retry_after_s);
    }
    if (err == SOTTO_OK && s->problem.should_retry != 0) {
        err = write_text(lines, "x-should-retry", s->problem.should_retry > 0 ? "true" : "false");
    }
    return err;
}

static enum sotto_err write_lines(struct room_stream *s, int status, const char *type,
                                  uint32_t flags)
{
    struct sotto_buf *lines = &s->room->lines;
    sotto_buf_truncate(lines, 0);
    enum sotto_err err = type != NULL ? write_text(lines, "Content-Type", type) : SOTTO_OK;
    if (err == SOTTO_OK) {
        err = write_text(lines, "x-request-id", s->record.request_id);
    }
    if (err == SOTTO_OK && s->key != NULL && !s->unaudited) {
        err = sotto_buf_append(lines, SOTTO_LIT("x-sotto-audit-id: audit_"));
        if (err == SOTTO_OK) {
            err = sotto_buf_append(
                lines, sotto_span_init(sotto_record_id(&s->record), SOTTO_AUDIT_ID_SYMBOLS));
        }
        if (err == SOTTO_OK) {
            err = sotto_buf_append(lines, SOTTO_LIT("\r\n"));
        }
    }
    if (err == SOTTO_OK && (flags & SOTTO_DOOR_STREAM) != 0) {
        err = sotto_buf_append(lines, SOTTO_LIT("Cache-Control: no-cache\r\n"
                                                "X-Accel-Buffering: no\r\n"));
    }
    if (err == SOTTO_OK) {
        err = write_private(lines, s);
    }
    if (err == SOTTO_OK) {
        err = write_limit(lines, &s->limit);
    }
    if (err == SOTTO_OK) {
        err = write_problem(lines, s, status);
    }
    return err == SOTTO_OK ? sotto_buf_append(lines, sotto_buf_span(&s->pass)) : err;
}

/* Without memory for an answer the client sees its connection close. */
static void give_up(struct room_stream *s)
{
    struct sotto_door_msg msg = {.kind = SOTTO_DOOR_CLOSE, .stream = s->id, .arg = SOTTO_ENOMEM};
    sotto_door_put(&s->room->options.front, &msg);
    room_finish(s, SOTTO_OUTCOME_FAILED);
}

void room_reply(struct room_stream *s, int status, const char *type, sotto_span body,
                uint32_t flags)
{
    if (write_lines(s, status, type, flags) != SOTTO_OK) {
        sotto_buf_truncate(&s->room->lines, 0);
        give_up(s);
        return;
    }
    struct sotto_door_msg msg = {
        .kind = SOTTO_DOOR_REPLY,
        .flags = flags,
        .stream = s->id,
        .arg = status,
        .head = sotto_buf_span(&s->room->lines),
        .body = body,
    };
    s->record.status = status;
    s->record.answer_bytes += (int64_t)body.len;
    s->head_sent = true;
    s->last_sent_ms = sotto_clock_ms();
    if (!room_audit_hold(s, &msg)) {
        sotto_door_put(&s->room->options.front, &msg);
    }
    sotto_buf_truncate(&s->room->lines, 0); /* a provider's lines are part of its answer */
}

/* What went out is not to go out again with what comes next. */
static void forget_sent(struct room_stream *s, sotto_span body)
{
    if (body.base == s->out.base) {
        sotto_buf_truncate(&s->out, 0);
    }
}

static const char *stream_type(const struct room_stream *s)
{
    if (s->call.ndjson) {
        return "application/x-ndjson";
    }
    return s->seal.profile != NULL ? s->seal.profile->stream_type : s->dialect->stream_type;
}

void room_reply_more(struct room_stream *s, sotto_span body, uint32_t flags)
{
    if (!s->head_sent) {
        room_reply(s, 200, stream_type(s), body, flags | SOTTO_DOOR_STREAM);
        forget_sent(s, body);
        return;
    }
    if (body.len == 0 && (flags & SOTTO_DOOR_LAST) == 0) {
        return;
    }
    struct sotto_door_msg msg = {
        .kind = SOTTO_DOOR_REPLY,
        .flags = flags | SOTTO_DOOR_STREAM,
        .stream = s->id,
        .body = body,
    };
    s->record.answer_bytes += (int64_t)body.len;
    s->last_sent_ms = sotto_clock_ms();
    if (!room_audit_hold(s, &msg)) {
        sotto_door_put(&s->room->options.front, &msg);
    }
    forget_sent(s, body);
}

void room_reply_idle(struct room_stream *s)
{
    sotto_buf_truncate(&s->out, 0);
    enum sotto_err err = SOTTO_OK;
    if (s->seal.exchange != NULL) {
        err = s->seal.profile->idle(s->seal.exchange, &s->out);
    } else if (!s->call.ndjson) { /* bare lines have no comments: their head is all there is */
        err = sotto_buf_append(&s->out, SOTTO_LIT(": keepalive\n\n"));
    }
    if (err == SOTTO_OK) {
        room_reply_more(s, sotto_buf_span(&s->out), 0);
    }
}

/* What the client is told where nothing more exact is known. */
static void default_problem(struct room_stream *s, enum sotto_err err)
{
    if (s->problem.status != 0) {
        return;
    }
    s->refusal = SOTTO_REFUSE_PROBLEM;
    switch (err) {
    case SOTTO_ENOMEM:
    case SOTTO_ECRYPTO:
    case SOTTO_EIO:
    case SOTTO_ESTATE:
        sotto_problem_set(&s->problem, 503, "server_error", "protection_unavailable", NULL,
                          "The request could not be protected (%s) and was not sent.",
                          sotto_err_text(err));
        return;
    case SOTTO_OK:
    case SOTTO_ELIMIT:
    case SOTTO_EFORMAT:
    case SOTTO_EINVAL:
    case SOTTO_EAUTH:
    case SOTTO_EDENIED:
    case SOTTO_ENOTFOUND:
    case SOTTO_EEXISTS:
    case SOTTO_EQUOTA:
    case SOTTO_EUPSTREAM:
    case SOTTO_ECLOSED:
    case SOTTO_ETIMEOUT:
        sotto_problem_set(&s->problem, sotto_err_http_status(err),
                          sotto_err_http_status(err) < 500 ? "invalid_request_error"
                                                           : "server_error",
                          NULL, NULL, "The request was refused: %s.", sotto_err_text(err));
        return;
    }
}

/* Writes and sends an error; false: not even that was possible, and the request is finished. */
static bool send_error(struct room_stream *s, const yyjson_mut_doc *upstream_error)
{
    int status = s->problem.status;
    const char *type = "application/json";
    /* Sealed events are numbered: what was written goes out before the error. */
    bool begun = s->seal.exchange != NULL && s->state == ROOM_STREAMING && s->out.len != 0;
    bool in_stream = s->head_sent || begun;
    enum sotto_err err;
    if (!begun) {
        sotto_buf_truncate(&s->out, 0);
    }
    if (s->seal.profile != NULL) {
        err = room_seal_error(s, upstream_error, in_stream, &type);
    } else {
        err = s->dialect->write_error(s->refusal, &s->problem, upstream_error,
                                      in_stream ? &s->call : NULL, &s->out, &status);
    }
    s->record.code = s->problem.code;
    if (err != SOTTO_OK) {
        give_up(s);
        return false;
    }
    if (in_stream) {
        room_reply_more(s, sotto_buf_span(&s->out), SOTTO_DOOR_LAST);
    } else {
        room_reply(s, status, type, sotto_buf_span(&s->out), SOTTO_DOOR_LAST);
    }
    return true;
}

void room_fail(struct room_stream *s, enum sotto_outcome outcome,
               const yyjson_mut_doc *upstream_error)
{
    if (send_error(s, upstream_error)) {
        room_finish(s, outcome);
    }
}

void room_fail_unheld(struct room_stream *s)
{
    (void)send_error(s, NULL); /* it ends in either case */
}

void room_refuse(struct room_stream *s, enum sotto_err err)
{
    default_problem(s, err);
    room_fail(s, s->problem.status < 500 ? SOTTO_OUTCOME_REFUSED : SOTTO_OUTCOME_FAILED, NULL);
}
