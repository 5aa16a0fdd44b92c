/* SPDX-License-Identifier: Apache-2.0 */

#include "base/alloc.h"
#include "gateway/room_stream.h"
#include "gateway/trail.h"

bool room_audit_ready(struct room_stream *s)
{
    if (sotto_trail_healthy(s->room->options.trail)) {
        return true;
    }
    s->unaudited = true;
    s->refusal = SOTTO_REFUSE_PROBLEM;
    sotto_problem_set(&s->problem, 503, "server_error", "audit_unavailable", NULL,
                      "The audit log cannot be written, so no request is served. The gateway's "
                      "log says why.");
    return false;
}

/* --- holding the end of an answer back --------------------------------------------------------- */

bool room_audit_hold(struct room_stream *s, const struct sotto_door_msg *msg)
{
    if ((msg->flags & SOTTO_DOOR_LAST) == 0 || s->key == NULL || s->unaudited ||
        !sotto_trail_strict(s->room->options.trail)) {
        return false;
    }
    s->held = true;
    s->held_flags = msg->flags;
    s->held_status = msg->arg;
    if (sotto_buf_append(&s->held_head, msg->head) != SOTTO_OK) {
        s->held_flags = 0; /* nothing that could be sent: the commit ends in a closed connection */
    } else if (msg->body.base == s->out.base) {
        struct sotto_buf swap = s->held_body;
        s->held_body = s->out;
        s->out = swap;
    } else if (sotto_buf_append(&s->held_body, msg->body) != SOTTO_OK) {
        s->held_flags = 0;
    }
    return true;
}

static void close_front(struct room_stream *s)
{
    struct sotto_door_msg msg = {.kind = SOTTO_DOOR_CLOSE, .stream = s->id, .arg = SOTTO_ENOMEM};
    sotto_door_put(&s->room->options.front, &msg);
}

static void release(struct room_stream *s)
{
    if (s->held_flags == 0) {
        close_front(s);
        return;
    }
    struct sotto_door_msg msg = {
        .kind = SOTTO_DOOR_REPLY,
        .flags = s->held_flags,
        .stream = s->id,
        .arg = s->held_status,
        .head = sotto_buf_span(&s->held_head),
        .body = sotto_buf_span(&s->held_body),
    };
    sotto_door_put(&s->room->options.front, &msg);
}

/* There is no entry: what was held back must not go out as an answer. */
static void refuse(struct room_stream *s)
{
    s->unaudited = true;
    if (s->held_head.len != 0) { /* its head was held back, too */
        s->head_sent = false;
    }
    sotto_problem_set(&s->problem, 503, "server_error", "audit_unavailable", NULL,
                      "The request could not be entered into the audit log, so its answer is "
                      "withheld.");
    s->refusal = SOTTO_REFUSE_PROBLEM;
    room_fail_unheld(s);
    s->record.outcome = SOTTO_OUTCOME_FAILED;
}

void room_audit_release(struct room_stream *s, enum sotto_err err)
{
    if (s->held && err == SOTTO_OK) {
        release(s);
    } else if (s->held) {
        refuse(s);
    }
    s->held = false;
}

/* --- the entry --------------------------------------------------------------------------------- */

static void committed(struct sotto_trail_ticket *ticket)
{
    struct room_stream *s = ticket->ctx;
    enum sotto_err err = ticket->result;
    sotto_trail_ticket_free(ticket);
    room_committed(s, err);
}

static struct sotto_trail_ticket *make_ticket(const struct room_stream *s)
{
    struct sotto_trail_ticket *ticket = sotto_trail_ticket_new();
    if (ticket == NULL) {
        return NULL;
    }
    memcpy(ticket->id, sotto_record_id(&s->record), SOTTO_AUDIT_ID_SYMBOLS);
    sotto_record_subject(&s->record, ticket->subject);
    if (sotto_record_audit(&s->record, ticket->subject, &ticket->record) != SOTTO_OK) {
        sotto_trail_ticket_free(ticket);
        return NULL;
    }
    return ticket;
}

bool room_audit(struct room_stream *s)
{
    struct sotto_trail *trail = s->room->options.trail;
    if (s->key == NULL) {
        sotto_trail_count(trail);
        return false;
    }
    if (s->unaudited) {
        sotto_trail_lost(trail);
        return false;
    }
    struct sotto_trail_ticket *ticket = make_ticket(s);
    if (ticket == NULL) {
        sotto_trail_lost(trail);
        room_audit_release(s, SOTTO_ENOMEM);
        return false;
    }
    if (!s->held) { /* nothing is held back: the client is gone, or entries come in batches */
        sotto_trail_put(trail, ticket);
        return false;
    }
    ticket->done = committed;
    ticket->ctx = s;
    s->room->options.host.commit(s->room->options.host.ctx, ticket);
    return true;
}
