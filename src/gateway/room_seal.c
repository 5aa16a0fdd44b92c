/* SPDX-License-Identifier: Apache-2.0 */

#include <stdio.h>

#include "base/decimal.h"
#include "dialects/sealed_messages.h"
#include "dialects/table.h"
#include "gateway/room_stream.h"
#include "sys/clock.h"

void room_seal_free(struct room_stream *s)
{
    struct room_seal *seal = &s->seal;
    sotto_seal_exchange_free(seal->exchange);
    sotto_session_unref(seal->session);
    sotto_buf_free(&seal->plain);
    sotto_buf_free(&seal->head);
    sotto_buf_free(&seal->reply.fields);
    sotto_buf_free(&seal->reply.body);
    s->call.exchange = NULL;
    *seal = (struct room_seal){0};
}

/* --- finding ----------------------------------------------------------------------------------- */

const struct sotto_seal_profile *room_seal_keeper(const struct room_stream *s)
{
    const struct sotto_seal_profile *profile = s->seal.profile;
    return profile->sessions_of != NULL ? profile->sessions_of : profile;
}

static enum sotto_err find_session(struct room_stream *s, const struct sotto_http_head *head,
                                   sotto_span body)
{
    struct room_seal *seal = &s->seal;
    if (seal->profile->find(head, body, &seal->id) != SOTTO_OK) {
        seal->id.len = 0;
        return SOTTO_OK;
    }
    seal->session = sotto_sessions_find(s->room->options.seal->sessions, room_seal_keeper(s),
                                        &seal->id, sotto_wall_s());
    return seal->session != NULL || room_fleet_knows(s, ROOM_ASK_SESSION) ? SOTTO_OK : SOTTO_ESTATE;
}

/* What of the head decides in which form an error is written. */
static enum sotto_err keep_head(struct room_stream *s, const struct sotto_http_head *head)
{
    struct sotto_buf *out = &s->seal.head;
    enum sotto_err err =
        sotto_buf_printf(out, "%.*s %.*s\r\n", SOTTO_FMT(head->method), SOTTO_FMT(head->target));
    sotto_span accept = sotto_http_get(head, "accept");
    if (err == SOTTO_OK && accept.len != 0) {
        err = sotto_buf_printf(out, "accept: %.*s\r\n", SOTTO_FMT(accept));
    }
    return err == SOTTO_OK ? sotto_buf_append(out, SOTTO_LIT("\r\n")) : err;
}

enum sotto_err room_seal_find(struct room_stream *s, const struct sotto_http_head *head,
                              sotto_span body)
{
    room_seal_free(s); /* a request that waited for the newest keys comes again */
    struct room_seal *seal = &s->seal;
    seal->route = sotto_seal_profile_route(sotto_http_path(head), &seal->profile);
    if (seal->route == NULL) {
        seal->profile = sotto_seal_profile_of(head, body);
    }
    if (seal->profile == NULL) {
        return SOTTO_OK;
    }
    sotto_buf_init(&seal->head, SOTTO_BUF_UNBOUNDED);
    sotto_buf_init(&seal->reply.fields, SOTTO_BUF_UNBOUNDED);
    sotto_buf_init(&seal->reply.body, SOTTO_BUF_UNBOUNDED);
    sotto_buf_init(&seal->plain, SOTTO_BUF_UNBOUNDED);
    s->dialect = &sotto_dialect_sealed_messages;
    enum sotto_err err = keep_head(s, head);
    return err == SOTTO_OK && seal->route == NULL ? find_session(s, head, body) : err;
}

sotto_span room_seal_owner(const struct room_stream *s)
{
    return s->seal.session != NULL ? sotto_span_str(s->seal.session->owner)
                                   : sotto_span_init(NULL, 0);
}

enum sotto_err room_seal_refuse(struct room_stream *s)
{
    struct sotto_seal_error error;
    s->seal.profile->refusal(&s->seal.id, s->seal.session != NULL, s->seal.keyed, &error);
    s->refusal = SOTTO_REFUSE_PROBLEM;
    sotto_problem_set(&s->problem, error.status, error.type, error.code, NULL, "%s", error.message);
    return SOTTO_EAUTH;
}

/* --- opening ----------------------------------------------------------------------------------- */

enum sotto_err room_seal_open(struct room_stream *s, const struct sotto_http_head *head,
                              sotto_span body)
{
    struct room_seal *seal = &s->seal;
    int64_t begun = sotto_clock_us();
    if (seal->exchange != NULL) {
        return SOTTO_OK;
    }
    if (seal->session == NULL) {
        return room_seal_refuse(s);
    }
    enum sotto_err err = seal->profile->open(
        seal->session, head, body, s->setup->config->limits.depth, &seal->exchange, &seal->plain);
    if (err == SOTTO_EAUTH || err == SOTTO_EQUOTA) {
        return room_seal_refuse(s);
    }
    if (err == SOTTO_OK) {
        s->call.exchange = seal->exchange;
        err = sotto_buf_append(&s->pass, sotto_span_str(seal->profile->answer_fields));
        if (err != SOTTO_OK) {
            room_seal_unopen(s);
        }
    }
    seal->took_us += sotto_clock_us() - begun;
    return err;
}

/* What was asked for in the sealed text counts: its session must not be weaker than that. */
static enum sotto_err check_suite(struct room_stream *s)
{
    const char *has = s->seal.session->algorithm;
    const struct sotto_suite *asked = sotto_suite_find(s->call.encryption);
    const struct sotto_suite *suite = sotto_suite_find(sotto_span_str(has));
    if (asked == NULL || (suite != NULL && suite->strength >= asked->strength)) {
        return SOTTO_OK;
    }
    s->refusal = SOTTO_REFUSE_PROBLEM;
    sotto_problem_set(
        &s->problem, 400, "invalid_request_error", "encryption_too_weak", "encryption",
        "This session is sealed with %s, which is weaker than %s. Begin one with that "
        "suite.",
        has, asked->name);
    return SOTTO_EINVAL;
}

void room_seal_unopen(struct room_stream *s)
{
    sotto_seal_exchange_free(s->seal.exchange);
    s->seal.exchange = NULL;
    s->call.exchange = NULL;
    sotto_buf_free(&s->seal.plain);
    sotto_buf_truncate(&s->pass, 0);
}

enum sotto_err room_seal_check(struct room_stream *s)
{
    struct room_seal *seal = &s->seal;
    if (seal->exchange->model.len == 0 || sotto_span_eq(seal->exchange->model, s->call.model)) {
        return check_suite(s);
    }
    /* Who has no secret must not learn that the seals were whole. */
    room_seal_unopen(s);
    return room_seal_refuse(s);
}

/* --- answering --------------------------------------------------------------------------------- */

static enum sotto_err refuse_plain(struct room_stream *s, const char **type)
{
    SOTTO_UNINIT struct sotto_http_head head;
    struct sotto_seal_error error = {
        .status = s->problem.status,
        .type = s->problem.type,
        .code = s->problem.code,
    };
    snprintf(error.message, sizeof(error.message), "%s", s->problem.message);
    enum sotto_err err = sotto_http_head_index(sotto_buf_span(&s->seal.head), true, &head);
    if (err == SOTTO_OK) {
        err = s->seal.profile->refuse(&head, &error, &s->pass, &s->out);
    }
    *type = NULL;
    return err;
}

enum sotto_err room_seal_error(struct room_stream *s, const yyjson_mut_doc *upstream,
                               bool in_stream, const char **type)
{
    if (s->seal.exchange == NULL) {
        return refuse_plain(s, type);
    }
    *type = s->seal.profile->answer_type;
    return sotto_sealed_write_error(s->seal.exchange, &s->problem, upstream, in_stream, &s->out);
}

enum sotto_err room_seal_extra(struct room_stream *s, yyjson_mut_doc *doc)
{
    char took[SOTTO_DECIMAL_POINT_BYTES];
    if (s->seal.exchange == NULL || !s->seal.profile->extras || s->seal.told) {
        return SOTTO_OK;
    }
    s->seal.told = true;
    const struct sotto_session *session = s->seal.session;
    yyjson_mut_val *object = yyjson_mut_obj(doc);
    sotto_decimal_point((uint64_t)s->seal.took_us, 3, took);
    enum sotto_err err =
        sotto_json_put_text(doc, object, "algorithm", sotto_span_str(session->algorithm));
    if (err == SOTTO_OK) {
        err = sotto_json_put(doc, object, "overhead_ms", yyjson_mut_rawcpy(doc, took));
    }
    if (err == SOTTO_OK) {
        err = sotto_json_put_text(doc, object, "key_id", sotto_span_str(session->key_id));
    }
    if (err == SOTTO_OK) {
        err = sotto_json_put_text(doc, object, "scope", SOTTO_LIT("end_to_end"));
    }
    return err == SOTTO_OK ? sotto_json_put(doc, yyjson_mut_doc_get_root(doc), "encryption", object)
                           : err;
}

/* --- routes of profiles ------------------------------------------------------------------------ */

enum sotto_err room_seal_answer(struct room_stream *s, const struct sotto_http_head *head,
                                sotto_span body)
{
    const struct sotto_seal_asked asked = {
        .head = head,
        .body = body,
        .owner = s->key != NULL ? sotto_span_init(s->key->key.id, SOTTO_KEY_ID_LEN)
                                : sotto_span_init(NULL, 0),
        .now_s = sotto_wall_s(),
    };
    return s->seal.route->answer(s->room->options.seal, &asked, &s->seal.reply);
}

void room_seal_send(struct room_stream *s)
{
    struct sotto_seal_reply *reply = &s->seal.reply;
    enum sotto_err err = sotto_buf_append(&s->pass, sotto_buf_span(&reply->fields));
    if (err != SOTTO_OK) {
        room_refuse(s, err);
        return;
    }
    room_reply(s, reply->status, reply->type, sotto_buf_span(&reply->body), SOTTO_DOOR_LAST);
    room_finish(s, reply->status < 400 ? SOTTO_OUTCOME_ANSWERED : SOTTO_OUTCOME_REFUSED);
}
