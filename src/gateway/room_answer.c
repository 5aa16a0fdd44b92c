/* SPDX-License-Identifier: Apache-2.0 */

#include <stdio.h>

#include "crypto/base62.h"
#include "crypto/random.h"
#include "gateway/room_mirror.h"
#include "gateway/room_stream.h"
#include "http/accept.h"
#include "http/write.h"
#include "sys/clock.h"
#include "upstream/chunks.h"

/* Header fields of an upstream that mean something to its client. */
static const char *const passed_fields[] = {
    "Retry-After",
    "retry-after-ms",
    "x-should-retry",
    "openai-processing-ms",
    "x-ratelimit-limit-requests",
    "x-ratelimit-remaining-requests",
    "x-ratelimit-reset-requests",
    "x-ratelimit-limit-tokens",
    "x-ratelimit-remaining-tokens",
    "x-ratelimit-reset-tokens",
};

/* RFC 9562, version 4. */
static enum sotto_err make_uuid(char out[64])
{
    uint8_t r[16];
    enum sotto_err err = sotto_crypto_random(r, sizeof(r));
    r[6] = (uint8_t)((r[6] & 0x0f) | 0x40);
    r[8] = (uint8_t)((r[8] & 0x3f) | 0x80);
    snprintf(out, 64, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", r[0],
             r[1], r[2], r[3], r[4], r[5], r[6], r[7], r[8], r[9], r[10], r[11], r[12], r[13],
             r[14], r[15]);
    return err;
}

/* Length of what stands behind "qmchatcmpl-". */
#define ANSWER_ID_SYMBOLS 29

static enum sotto_err make_facts(struct room_stream *s)
{
    const char *prefix = s->dialect->id_prefix;
    s->facts.created_s = sotto_wall_s();
    if (prefix != NULL && prefix[0] == '\0') {
        return SOTTO_OK;
    }
    enum sotto_err err;
    if (prefix == NULL) {
        err = make_uuid(s->answer_id);
        s->facts.id = sotto_span_str(s->answer_id);
    } else {
        size_t len = strlen(prefix);
        memcpy(s->answer_id, prefix, len);
        err = sotto_base62_random(s->answer_id + len, ANSWER_ID_SYMBOLS);
        s->facts.id = sotto_span_init(s->answer_id, len + ANSWER_ID_SYMBOLS);
    }
    return err;
}

void room_dispatch(struct room_stream *s)
{
    if (room_keep_waits(s)) {
        s->state = ROOM_UNKEPT;
        room_list_add(&s->room->unkept, s);
        return;
    }
    enum sotto_err err = make_facts(s);
    if (err == SOTTO_OK && s->vault != NULL) {
        err = sotto_restoring_new(s->vault, &s->restoring);
    }
    if (err == SOTTO_OK && s->upstream->provider != NULL && s->call.stream) {
        err = s->upstream->provider->stream_new(&s->call, &s->reader);
    }
    if (err == SOTTO_OK) {
        err = room_keep(s);
    }
    if (err != SOTTO_OK) {
        room_refuse(s, err);
        return;
    }
    s->state = ROOM_WAITING;
    s->sent = true;
    s->record.fetched_us = sotto_clock_us();
    if (s->upstream->provider == NULL) {
        room_mirror(s);
        return;
    }
    if (s->call.stream) {
        s->last_sent_ms = sotto_clock_ms();
        room_list_add(&s->room->silent, s);
    }
    struct sotto_door_msg msg = {
        .kind = SOTTO_DOOR_FETCH,
        .flags = s->setup->number,
        .stream = s->id,
        .arg = s->upstream - s->setup->upstreams,
        .body = sotto_buf_span(&s->request),
    };
    sotto_door_put(&s->room->options.back, &msg);
    sotto_buf_free(&s->request);
    sotto_json_free(s->call.doc); /* its memory held the values; the answer needs none of it */
    s->call.doc = NULL;
}

static void problem(struct room_stream *s, int status, const char *code, const char *text)
{
    s->refusal = SOTTO_REFUSE_PROBLEM;
    sotto_problem_set(&s->problem, status, "upstream_error", code, NULL, "%s", text);
}

/* The upstream is of no more use to this request: SOTTO_OK lets it end by itself, so that its
 * connection can be used again; anything else breaks it off. */
static void close_back(struct room_stream *s, enum sotto_err why)
{
    struct sotto_door_msg msg = {.kind = SOTTO_DOOR_CLOSE, .stream = s->id, .arg = why};
    if (s->upstream->provider != NULL) {
        sotto_door_put(&s->room->options.back, &msg);
    }
}

static void fail_upstream(struct room_stream *s, enum sotto_err err)
{
    if (s->problem.status == 0) {
        if (err == SOTTO_EUPSTREAM || err == SOTTO_EFORMAT) {
            problem(s, 502, "upstream_invalid_response",
                    "The upstream's answer was not understood.");
        } else if (err == SOTTO_ELIMIT) {
            problem(s, 502, "upstream_invalid_response",
                    "The upstream's answer is larger than the gateway's limit.");
        } else {
            problem(s, 503, "restoring_failed", "The answer could not be restored.");
        }
    }
    close_back(s, SOTTO_ECLOSED);
    room_fail(s, SOTTO_OUTCOME_UPSTREAM, NULL);
}

/* --- events ------------------------------------------------------------------------------------ */

/* What document 000 prints as `compliance`. */
static enum sotto_err add_compliance(struct room_stream *s, yyjson_mut_doc *doc)
{
    static const char aligned[] = "-aligned", audit[] = "audit_";
    char mode[SOTTO_MODE_NAME_MAX + sizeof(aligned)], id[sizeof(audit) + SOTTO_AUDIT_ID_SYMBOLS];
    bool welcome = s->seal.exchange != NULL ? s->seal.profile->extras : s->dialect->extras;
    if (!welcome || s->call.kind != SOTTO_CALL_CHAT || s->complied) {
        return SOTTO_OK;
    }
    s->complied = true;
    sotto_span name = sotto_mode_name(s->mode);
    size_t mode_len = name.len < SOTTO_MODE_NAME_MAX ? name.len : SOTTO_MODE_NAME_MAX;
    memcpy(mode, name.base, mode_len);
    if (!sotto_span_eq(name, SOTTO_LIT("standard"))) {
        memcpy(mode + mode_len, aligned, sizeof(aligned) - 1);
        mode_len += sizeof(aligned) - 1;
    }
    memcpy(id, audit, sizeof(audit) - 1);
    memcpy(id + sizeof(audit) - 1, sotto_record_id(&s->record), SOTTO_AUDIT_ID_SYMBOLS);
    yyjson_mut_val *obj = yyjson_mut_obj(doc);
    enum sotto_err err = sotto_json_put_text(doc, obj, "mode", sotto_span_init(mode, mode_len));
    if (err == SOTTO_OK) {
        err = sotto_json_put_text(doc, obj, "audit_id",
                                  sotto_span_init(id, sizeof(audit) - 1 + SOTTO_AUDIT_ID_SYMBOLS));
    }
    if (err == SOTTO_OK) {
        err = sotto_json_put_text(doc, obj, "retention_policy", SOTTO_LIT("immediate_deletion"));
    }
    return err == SOTTO_OK ? sotto_json_put(doc, yyjson_mut_doc_get_root(doc), "compliance", obj)
                           : err;
}

/* Adds what the gateway itself has to say: top-level members beside the upstream's. */
static enum sotto_err add_extras(struct room_stream *s, yyjson_mut_doc *doc, bool last)
{
    enum sotto_err err = SOTTO_OK;
    if (last) {
        err = s->seal.exchange != NULL ? room_seal_extra(s, doc) : room_keep_extra(s, doc);
    }
    if (err == SOTTO_OK && last) {
        err = add_compliance(s, doc);
    }
    if (err != SOTTO_OK || s->explanation == NULL || s->explained) {
        return err;
    }
    s->explained = true;
    yyjson_mut_val *copy = yyjson_mut_val_mut_copy(doc, yyjson_mut_doc_get_root(s->explanation));
    return copy != NULL ? sotto_json_put(doc, yyjson_mut_doc_get_root(doc), "sotto", copy)
                        : SOTTO_ENOMEM;
}

/* One event in the dialect's form; sealing is timed. */
static enum sotto_err write_event(struct room_stream *s, yyjson_mut_doc *chunk)
{
    int64_t begun = s->seal.exchange != NULL ? sotto_clock_us() : 0;
    enum sotto_err err = s->dialect->write_event(&s->call, &s->facts, chunk, &s->out);
    s->seal.took_us += s->seal.exchange != NULL ? sotto_clock_us() - begun : 0;
    return err;
}

static void count_finished(struct room_stream *s, yyjson_mut_val *choices)
{
    size_t i, n;
    yyjson_mut_val *choice;
    yyjson_mut_arr_foreach(choices, i, n, choice)
    {
        s->finished_choices += yyjson_mut_is_str(sotto_json_get(choice, "finish_reason"));
    }
}

/* Usage is always asked for; it goes to the client only if he asked.  True: nothing is left. */
static bool strip_usage(struct room_stream *s, yyjson_mut_val *root, bool no_choices)
{
    yyjson_mut_val *usage = sotto_json_get(root, "usage");
    bool told = yyjson_mut_is_obj(usage);
    if (told) {
        room_note_usage(s, usage);
    }
    if (s->call.include_usage) {
        return false;
    }
    yyjson_mut_obj_remove_key(root, "usage");
    return told && no_choices;
}

static enum sotto_err pass_chunk(struct room_stream *s, yyjson_mut_doc *chunk)
{
    yyjson_mut_val *root = yyjson_mut_doc_get_root(chunk);
    yyjson_mut_val *choices = sotto_json_get(root, "choices");
    bool no_choices = yyjson_mut_arr_size(choices) == 0, empty = false;

    if (strip_usage(s, root, no_choices)) {
        return SOTTO_OK;
    }
    enum sotto_err err = room_recall(s);
    yyjson_mut_obj_remove_key(root, "obfuscation"); /* its length no longer fits the text */
    count_finished(s, choices);
    room_note_text(s, choices);
    if (err == SOTTO_OK && s->restoring != NULL) {
        err = sotto_restoring_chunk(s->restoring, chunk, &empty);
    }
    bool last = s->call.include_usage ? no_choices && s->finished_choices > 0
                                      : s->finished_choices >= s->call.choices;
    bool tells = s->explanation != NULL && !s->explained; /* first: it is known already */
    if (err == SOTTO_OK && (last || tells)) {
        err = add_extras(s, chunk, last);
    }
    if (err == SOTTO_OK && (!empty || last || tells)) {
        err = write_event(s, chunk);
    }
    return err;
}

/* As the provider's emit function: takes the chunk over. */
enum sotto_err room_emit(void *ctx, yyjson_mut_doc *chunk)
{
    enum sotto_err err = pass_chunk(ctx, chunk);
    sotto_json_free(chunk);
    return err;
}

/* Writes what is still withheld when no more events come. */
static enum sotto_err write_rest(struct room_stream *s)
{
    bool any = false;
    if (s->restoring == NULL) {
        return SOTTO_OK;
    }
    yyjson_mut_doc *rest = sotto_json_new();
    enum sotto_err err = rest != NULL ? room_recall(s) : SOTTO_ENOMEM;
    if (err == SOTTO_OK) {
        err = sotto_restoring_end(s->restoring, NULL, rest, &any);
    }
    if (err == SOTTO_OK && any) {
        err = write_event(s, rest);
    }
    sotto_json_free(rest);
    return err;
}

/* Sends what the events of this call came to, and what ends the stream. */
void room_stream_done(struct room_stream *s)
{
    enum sotto_err err = write_rest(s);
    if (err == SOTTO_OK) {
        err = s->dialect->write_done(&s->call, &s->out);
    }
    if (err != SOTTO_OK) {
        fail_upstream(s, err);
        return;
    }
    room_reply_more(s, sotto_buf_span(&s->out), SOTTO_DOOR_LAST);
    room_finish(s, SOTTO_OUTCOME_ANSWERED);
}

/* An error of the upstream in the middle of its stream. */
static void fail_in_stream(struct room_stream *s, yyjson_mut_doc *error)
{
    if (s->head_sent) {
        sotto_ignore(write_rest(s)); /* the error that follows says that text is missing */
    }
    if (s->out.len != 0) {
        room_reply_more(s, sotto_buf_span(&s->out), 0);
    }
    if (error != NULL && s->restoring != NULL &&
        (room_recall(s) != SOTTO_OK || sotto_restoring_whole(s->restoring, error) != SOTTO_OK)) {
        sotto_json_free(error);
        error = NULL;
    }
    problem(s, 502, "upstream_error", "The upstream ended its answer with an error.");
    close_back(s, SOTTO_ECLOSED);
    room_fail(s, SOTTO_OUTCOME_UPSTREAM, error);
    sotto_json_free(error);
}

/* Reads events; true: the stream goes on. */
static bool read_events(struct room_stream *s, sotto_span body)
{
    struct sotto_sse_event event;
    bool got = true, done = false;
    yyjson_mut_doc *error = NULL;
    enum sotto_err err = SOTTO_OK;

    while (err == SOTTO_OK && !done) {
        err = sotto_sse_next(&s->sse, &body, &event, &got);
        if (err != SOTTO_OK || !got) {
            break;
        }
        err = s->upstream->provider->stream_event(s->reader, event.name, event.data, room_emit, s,
                                                  &done, &error);
    }
    if (err == SOTTO_EUPSTREAM) {
        fail_in_stream(s, error);
    } else if (err != SOTTO_OK) {
        sotto_json_free(error);
        fail_upstream(s, err);
    } else if (done) {
        close_back(s, SOTTO_OK);
        room_stream_done(s);
    }
    return err == SOTTO_OK && !done;
}

/* The body ended without the provider's word that it is complete. */
static void end_events(struct room_stream *s)
{
    struct sotto_sse_event event;
    bool got = false, done = false;
    yyjson_mut_doc *error = NULL;

    enum sotto_err err = sotto_sse_end(&s->sse, &event, &got);
    if (err == SOTTO_OK && got) {
        err = s->upstream->provider->stream_event(s->reader, event.name, event.data, room_emit, s,
                                                  &done, &error);
    }
    if (err == SOTTO_EUPSTREAM) {
        fail_in_stream(s, error);
        return;
    }
    sotto_json_free(error);
    if (err == SOTTO_OK && !done) {
        err = s->upstream->provider->stream_end(s->reader, room_emit, s, &done);
    }
    if (err != SOTTO_OK) {
        fail_upstream(s, err);
    } else if (done) {
        room_stream_done(s);
    } else {
        fail_in_stream(s, NULL);
    }
}

/* --- whole answers ----------------------------------------------------------------------------- */

void room_whole(struct room_stream *s, yyjson_mut_doc *answer)
{
    yyjson_mut_val *root = yyjson_mut_doc_get_root(answer);
    room_note_usage(s, sotto_json_get(root, "usage"));
    room_note_text(s, sotto_json_get(root, "choices"));
    enum sotto_err err = room_recall(s);
    if (err == SOTTO_OK && s->restoring != NULL) {
        err = sotto_restoring_whole(s->restoring, answer);
    }
    if (err == SOTTO_OK) {
        err = add_extras(s, answer, true);
    }
    sotto_buf_truncate(&s->out, 0);
    if (err == SOTTO_OK) {
        err = s->dialect->write(&s->call, &s->facts, answer, &s->out);
    }
    if (err != SOTTO_OK) {
        fail_upstream(s, err);
        return;
    }
    const char *type = s->seal.profile != NULL ? s->seal.profile->answer_type : "application/json";
    room_reply(s, 200, type, sotto_buf_span(&s->out), SOTTO_DOOR_LAST);
    room_finish(s, SOTTO_OUTCOME_ANSWERED);
}

static void end_whole(struct room_stream *s)
{
    yyjson_mut_doc *answer = NULL;
    s->problem.status = 0;
    enum sotto_err err =
        s->upstream->provider->answer(&s->call, sotto_buf_span(&s->answer), &answer, &s->problem);
    if (err == SOTTO_OK && s->call.stream) {
        /* The client asked for a stream and can read nothing else. */
        s->state = ROOM_STREAMING;
        sotto_buf_truncate(&s->out, 0);
        err = sotto_chunks_emit(answer, room_emit, s);
    }
    if (err != SOTTO_OK) {
        fail_upstream(s, err);
    } else if (s->call.stream) {
        room_stream_done(s);
    } else {
        room_whole(s, answer);
    }
    sotto_json_free(answer);
}

/* --- errors of the upstream -------------------------------------------------------------------- */

/* The provider refuses a key: ours is nobody's business, the caller's own is his. */
static bool is_key_refused(struct room_stream *s)
{
    if (s->upstream_status != 401 && s->upstream_status != 403) {
        return false;
    }
    if (s->call.upstream_key.len != 0) {
        problem(s, 400, "upstream_auth_failed", "The provider refused the key of the request.");
    } else {
        problem(s, 502, "upstream_auth_failed",
                "The upstream refused the gateway's key: its operator has to look at it.");
    }
    return true;
}

static void end_error(struct room_stream *s)
{
    yyjson_mut_doc *error = NULL;
    if (is_key_refused(s)) {
        sotto_buf_truncate(&s->pass, 0);
        room_fail(s, SOTTO_OUTCOME_UPSTREAM, NULL);
        return;
    }
    enum sotto_err err =
        s->upstream->provider->error(s->upstream_status, sotto_buf_span(&s->answer), &error);
    if (err == SOTTO_OK) {
        err = room_recall(s);
    }
    if (err == SOTTO_OK && s->restoring != NULL) {
        err = sotto_restoring_whole(s->restoring, error);
    }
    problem(s, s->upstream_status, "upstream_error", "The upstream answered with an error.");
    room_fail(s, SOTTO_OUTCOME_UPSTREAM, err == SOTTO_OK ? error : NULL);
    sotto_json_free(error);
}

/* --- pieces ------------------------------------------------------------------------------------ */

static enum sotto_err keep_fields(struct room_stream *s, const struct sotto_http_head *head)
{
    for (size_t i = 0; i < SOTTO_COUNT(passed_fields); i++) {
        sotto_span value = sotto_http_get(head, passed_fields[i]);
        bool ours =
            (s->limit.requests.limit != 0 && strstr(passed_fields[i], "-requests") != NULL) ||
            (s->limit.tokens.limit != 0 && strstr(passed_fields[i], "-tokens") != NULL);
        if (value.base == NULL || ours) {
            continue;
        }
        enum sotto_err err = sotto_http_write_field(&s->pass, passed_fields[i], value);
        if (err == SOTTO_ENOMEM) {
            return err; /* a value that is no header value is simply not passed on */
        }
    }
    return SOTTO_OK;
}

static bool is_type(const struct sotto_http_head *head, sotto_span want)
{
    sotto_span value = sotto_http_get(head, "content-type");
    return sotto_span_ieq(sotto_http_next_element(&value), want);
}

static enum sotto_err read_head(struct room_stream *s, sotto_span block)
{
    SOTTO_UNINIT struct sotto_http_head head;
    enum sotto_err err = sotto_http_head_index(block, false, &head);
    if (err == SOTTO_OK) {
        err = keep_fields(s, &head);
    }
    if (err != SOTTO_OK) {
        return err;
    }
    s->upstream_status = head.status;
    s->record.answered_us = sotto_clock_us();
    if (head.status < 200 || head.status > 299) {
        s->state = ROOM_FAILING;
        s->answer.max = ROOM_ERROR_BODY_MAX;
        return head.status >= 400 && head.status <= 599 ? SOTTO_OK : SOTTO_EUPSTREAM;
    }
    /* Servers that cannot stream, or not this, answer whole. */
    if (!s->call.stream || is_type(&head, SOTTO_LIT("application/json"))) {
        s->state = ROOM_WHOLE;
        return SOTTO_OK;
    }
    s->state = ROOM_STREAMING;
    return is_type(&head, SOTTO_LIT("text/event-stream")) ? SOTTO_OK : SOTTO_EUPSTREAM;
}

/* An over-long error is cut: what is kept need not be JSON then, and is replaced by our words. */
static enum sotto_err collect(struct room_stream *s, sotto_span body)
{
    if (s->state == ROOM_FAILING && body.len > s->answer.max - s->answer.len) {
        body.len = s->answer.max - s->answer.len;
    }
    return sotto_buf_append(&s->answer, body);
}

static void take_events(struct room_stream *s, sotto_span body, bool last)
{
    sotto_buf_truncate(&s->out, 0);
    if (!read_events(s, body)) {
        return;
    }
    if (last) {
        end_events(s);
    } else {
        room_reply_more(s, sotto_buf_span(&s->out), 0);
    }
}

void room_answer(struct room_stream *s, const struct sotto_door_msg *msg)
{
    bool last = (msg->flags & SOTTO_DOOR_LAST) != 0;
    enum sotto_err err = SOTTO_OK;
    if ((msg->head.len != 0) != (s->state == ROOM_WAITING)) {
        err = SOTTO_EFORMAT; /* a head comes once, and first */
    } else if (msg->head.len != 0) {
        err = read_head(s, msg->head);
    }
    if (err == SOTTO_OK && s->state != ROOM_STREAMING) {
        err = collect(s, msg->body);
    }
    if (err != SOTTO_OK) {
        fail_upstream(s, err);
    } else if (s->state == ROOM_STREAMING) {
        take_events(s, msg->body, last);
    } else if (last && s->state == ROOM_WHOLE) {
        end_whole(s);
    } else if (last && s->state == ROOM_FAILING) {
        end_error(s);
    }
}

void room_answer_cut(struct room_stream *s, enum sotto_err why)
{
    s->problem.status = 0;
    if (why == SOTTO_ETIMEOUT) {
        s->waited_in_vain = s->state == ROOM_WAITING;
        problem(s, 504, "upstream_timeout", "The upstream did not answer in time.");
    } else if (why == SOTTO_EFORMAT) {
        problem(s, 502, "upstream_invalid_response", "The upstream's answer is not HTTP.");
    } else if (why == SOTTO_EQUOTA) {
        problem(s, 503, "upstream_busy", "All connections to the upstream are in use.");
    } else if (s->state == ROOM_WAITING) {
        problem(s, 502, "upstream_unreachable",
                why == SOTTO_ECRYPTO ? "The upstream's TLS certificate was not accepted."
                                     : "The upstream could not be reached.");
    } else {
        problem(s, 502, "upstream_closed", "The upstream closed in the middle of its answer.");
    }
    if (s->state == ROOM_STREAMING && why == SOTTO_ECLOSED) {
        sotto_buf_truncate(&s->out, 0);
        end_events(s);
        return;
    }
    room_fail(s, SOTTO_OUTCOME_UPSTREAM, NULL);
}
