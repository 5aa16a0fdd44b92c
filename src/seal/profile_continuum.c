/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Profile `continuum-2024`: only `messages` or `message` (and whatever else came sealed) is opened,
 * only `choices` is sealed.  docs/wire/continuum-2024.md has the format.
 */

#include <stdio.h>

#include "http/accept.h"
#include "seal/peek.h"
#include "seal/profile_privatemode.h"

#define CONTINUUM_DEPTH 128

static bool request_rule(sotto_span key, const yyjson_mut_val *value)
{
    return sotto_span_eq(key, SOTTO_LIT("messages")) || sotto_span_eq(key, SOTTO_LIT("message")) ||
           (yyjson_mut_is_str(sotto_json_readable(value)) &&
            sotto_field_is_sealed(sotto_json_text(value)));
}

static bool answer_rule(sotto_span key, const yyjson_mut_val *value)
{
    (void)value;
    return sotto_span_eq(key, SOTTO_LIT("choices")) || sotto_span_eq(key, SOTTO_LIT("error"));
}

static bool accepts(const struct sotto_http_head *head, sotto_span body)
{
    sotto_span text;
    return sotto_span_eq(head->method, SOTTO_LIT("POST")) &&
           sotto_span_eq(sotto_http_path(head), SOTTO_LIT("/v1/chat/completions")) &&
           sotto_peek_text(body, &text);
}

static enum sotto_err find(const struct sotto_http_head *head, sotto_span body,
                           struct sotto_session_id *id)
{
    sotto_span text = sotto_span_init(NULL, 0);
    (void)head;
    return sotto_peek_text(body, &text) ? privatemode_id(sotto_field_id(text), id) : SOTTO_EFORMAT;
}

/* --- `message` --------------------------------------------------------------------------------- */

/* {"role":"user","content":TEXT} */
static enum sotto_err write_user(sotto_span text, struct sotto_buf *out)
{
    enum sotto_err err = sotto_buf_append(out, SOTTO_LIT("{\"role\":\"user\",\"content\":"));
    if (err == SOTTO_OK) {
        err = sotto_json_quote(text, true, out);
    }
    return err == SOTTO_OK ? sotto_buf_push(out, '}') : err;
}

/* Messages, one message, or a prompt: as JSON or as it is. */
static enum sotto_err write_message(sotto_span text, struct sotto_buf *out)
{
    yyjson_mut_doc *doc = NULL;
    enum sotto_err err = sotto_json_read(text, CONTINUUM_DEPTH, &doc, NULL);
    if (err != SOTTO_OK && err != SOTTO_EFORMAT) {
        return err;
    }
    yyjson_mut_val *root = yyjson_mut_doc_get_root(doc);
    bool list = yyjson_mut_is_arr(root), one = yyjson_mut_is_obj(root);
    err = list ? SOTTO_OK : sotto_buf_push(out, '[');
    if (err == SOTTO_OK && (list || one)) {
        err = sotto_buf_append(out, text);
    } else if (err == SOTTO_OK) {
        err = write_user(yyjson_mut_is_str(root) ? sotto_json_text(root) : text, out);
    }
    if (err == SOTTO_OK && !list) {
        err = sotto_buf_push(out, ']');
    }
    sotto_json_free(doc);
    return err;
}

static enum sotto_err write_opened(void *ctx, sotto_span key, sotto_span text, bool *done,
                                   struct sotto_buf *out)
{
    (void)ctx;
    *done = sotto_span_eq(key, SOTTO_LIT("message"));
    if (!*done) {
        return SOTTO_OK;
    }
    enum sotto_err err = sotto_buf_append(out, SOTTO_LIT("\"messages\":"));
    return err == SOTTO_OK ? write_message(text, out) : err;
}

static enum sotto_err open_request(struct sotto_session *session,
                                   const struct sotto_http_head *head, sotto_span body,
                                   size_t max_depth, struct sotto_seal_exchange **out,
                                   struct sotto_buf *plain)
{
    struct privatemode_exchange *x = NULL;
    enum sotto_err err = privatemode_open(&sotto_seal_profile_continuum, session, body, max_depth,
                                          request_rule, answer_rule, write_opened, &x, plain);
    if (err == SOTTO_OK) {
        x->base.lines = sotto_http_accepts(head, SOTTO_LIT("application/x-ndjson"));
        *out = &x->base;
    }
    return err;
}

/* --- answers ----------------------------------------------------------------------------------- */

/* What is neither sealed nor one of these stays here: nothing that came of the text goes out plain. */
static void keep_known(yyjson_mut_val *root)
{
    static const char *const known[] = {
        "id", "object", "created", "model", "system_fingerprint", "usage", "service_tier",
    };
    yyjson_mut_obj_iter iter = yyjson_mut_obj_iter_with(root);
    yyjson_mut_val *key;
    while ((key = yyjson_mut_obj_iter_next(&iter)) != NULL) {
        bool keep = answer_rule(sotto_json_text(key), NULL);
        for (size_t i = 0; i < SOTTO_COUNT(known) && !keep; i++) {
            keep = sotto_json_is(key, known[i]);
        }
        if (!keep) {
            (void)yyjson_mut_obj_iter_remove(&iter);
        }
    }
}

static enum sotto_err answer(struct sotto_seal_exchange *exchange, int status, yyjson_mut_doc *doc,
                             struct sotto_buf *out)
{
    (void)status;
    keep_known(yyjson_mut_doc_get_root(doc));
    return privatemode_seal((struct privatemode_exchange *)exchange, doc, out);
}

static enum sotto_err event(struct sotto_seal_exchange *exchange, yyjson_mut_doc *chunk,
                            struct sotto_buf *out)
{
    size_t mark = out->len;
    enum sotto_err err = SOTTO_OK;
    if (!exchange->lines) {
        err = sotto_buf_append(out, SOTTO_LIT("data: "));
    }
    if (err == SOTTO_OK) {
        err = answer(exchange, 200, chunk, out);
    }
    if (err == SOTTO_OK) {
        err = sotto_buf_append(out, exchange->lines ? SOTTO_LIT("\n") : SOTTO_LIT("\n\n"));
    }
    if (err != SOTTO_OK) {
        sotto_buf_truncate(out, mark);
    }
    return err;
}

static enum sotto_err end(struct sotto_seal_exchange *exchange, struct sotto_buf *out)
{
    return exchange->lines ? SOTTO_OK : sotto_buf_append(out, SOTTO_LIT("data: [DONE]\n\n"));
}

static enum sotto_err fail(struct sotto_seal_exchange *exchange, yyjson_mut_doc *error,
                           struct sotto_buf *out)
{
    return event(exchange, error, out);
}

static enum sotto_err idle(struct sotto_seal_exchange *exchange, struct sotto_buf *out)
{
    (void)exchange;
    (void)out;
    return SOTTO_OK;
}

static void refusal(const struct sotto_session_id *id, bool session, bool keyed,
                    struct sotto_seal_error *error)
{
    (void)id;
    (void)session;
    *error = (struct sotto_seal_error){
        .status = keyed ? 400 : 401,
        .type = "invalid_request_error",
        .code = keyed ? "not_sealed" : "invalid_api_key",
    };
    snprintf(error->message, sizeof(error->message), "%s",
             keyed ? "A string in place of messages must be a sealed message; there is no secret "
                     "for ID that opens this one."
                   : "No API key, and no secret for ID that opens this request.");
}

static enum sotto_err refuse(const struct sotto_http_head *head,
                             const struct sotto_seal_error *error, struct sotto_buf *fields,
                             struct sotto_buf *body)
{
    size_t fields_mark = fields->len, body_mark = body->len;
    (void)head;
    enum sotto_err err = sotto_buf_append(fields, SOTTO_LIT("Content-Type: application/json\r\n"));
    if (err == SOTTO_OK) {
        err = privatemode_write_error(error, body);
    }
    if (err != SOTTO_OK) {
        sotto_buf_truncate(fields, fields_mark);
        sotto_buf_truncate(body, body_mark);
    }
    return err;
}

const struct sotto_seal_profile sotto_seal_profile_continuum = {
    .name = "continuum-2024",
    .accepts = accepts,
    .find = find,
    .open = open_request,
    .answer = answer,
    .event = event,
    .end = end,
    .fail = fail,
    .idle = idle,
    .close = privatemode_close,
    .refusal = refusal,
    .refuse = refuse,
    .answer_type = "application/json",
    .stream_type = "text/event-stream; charset=utf-8",
    .answer_fields = "",
    .no_images = true,
    .sessions_of = &sotto_seal_profile_privatemode,
};
