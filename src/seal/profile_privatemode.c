/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Profile `privatemode`: the protocol of Privatemode's clients from v1.35 on, chat completions and
 * embeddings.  docs/wire/privatemode.md has the format.
 */

#include "seal/profile_privatemode.h"

#include <stdio.h>

#include "base/alloc.h"
#include "seal/peek.h"
#include "seal/pieces.h"
#include "seal/privatemode.h"

/* The reader of Privatemode's proxy takes lines of less than 64 KiB. */
#define PRIVATEMODE_LINE_MAX ((size_t)65000)

/* --- requests ---------------------------------------------------------------------------------- */

static bool is_embeddings(const struct sotto_http_head *head)
{
    return sotto_span_eq(sotto_http_path(head), SOTTO_LIT("/v1/embeddings"));
}

bool sotto_seal_is_privatemode(const struct sotto_http_head *head)
{
    return sotto_http_count(head, "privatemode-secret-id") != 0 ||
           sotto_http_count(head, "privatemode-version") != 0;
}

static bool accepts(const struct sotto_http_head *head, sotto_span body)
{
    (void)body;
    return sotto_span_eq(head->method, SOTTO_LIT("POST")) &&
           (is_embeddings(head) ||
            sotto_span_eq(sotto_http_path(head), SOTTO_LIT("/v1/chat/completions"))) &&
           sotto_seal_is_privatemode(head);
}

enum sotto_err privatemode_id(sotto_span text, struct sotto_session_id *id)
{
    if (text.len != SOTTO_FIELD_ID_LEN) {
        return SOTTO_EFORMAT;
    }
    id->len = text.len;
    memcpy(id->bytes, text.base, text.len);
    return SOTTO_OK;
}

static enum sotto_err find(const struct sotto_http_head *head, sotto_span body,
                           struct sotto_session_id *id)
{
    sotto_span text = sotto_http_get(head, "privatemode-secret-id");
    if (text.base == NULL && sotto_peek_text(body, &text)) {
        text = sotto_field_id(text);
    }
    return privatemode_id(text, id);
}

void privatemode_close(struct sotto_seal_exchange *exchange)
{
    struct privatemode_exchange *x = (struct privatemode_exchange *)exchange;
    sotto_field_cipher_free(x->cipher);
    sotto_buf_free(&x->scratch);
}

static enum sotto_err exchange_new(const struct sotto_seal_profile *profile,
                                   struct sotto_session *session, struct privatemode_exchange **out)
{
    struct privatemode_exchange *x = sotto_calloc(1, sizeof(*x));
    if (x == NULL) {
        return SOTTO_ENOMEM;
    }
    x->base.profile = profile;
    sotto_buf_init(&x->scratch, SOTTO_BUF_UNBOUNDED);
    enum sotto_err err = sotto_field_cipher_new(
        session->secret, sotto_span_init(session->id.bytes, session->id.len), &x->cipher);
    if (err != SOTTO_OK) {
        sotto_free(x);
        return err;
    }
    x->base.session = sotto_session_ref(session);
    *out = x;
    return SOTTO_OK;
}

enum sotto_err privatemode_open(const struct sotto_seal_profile *profile,
                                struct sotto_session *session, sotto_span body, size_t max_depth,
                                sotto_members_rule *request_rule, sotto_members_rule *sealed,
                                sotto_members_write *write, struct privatemode_exchange **out,
                                struct sotto_buf *plain)
{
    struct privatemode_exchange *x = NULL;
    yyjson_mut_doc *doc = NULL;
    size_t mark = plain->len;
    enum sotto_err err = sotto_json_read(body, max_depth, &doc, NULL);
    if (err == SOTTO_EFORMAT) {
        return SOTTO_EAUTH;
    }
    if (err == SOTTO_OK) {
        err = exchange_new(profile, session, &x);
    }
    if (err == SOTTO_OK) {
        err = sotto_members_open(x->cipher, yyjson_mut_doc_get_root(doc), request_rule, write, NULL,
                                 plain);
    }
    sotto_json_free(doc);
    if (err == SOTTO_OK) {
        err = sotto_session_once(
            session, sotto_span_init(sotto_field_nonce(x->cipher), SOTTO_FIELD_NONCE_BYTES));
        err = err == SOTTO_EEXISTS ? SOTTO_EAUTH : err;
    }
    if (err != SOTTO_OK) {
        sotto_buf_truncate(plain, mark);
        sotto_seal_exchange_free(x != NULL ? &x->base : NULL);
        return err;
    }
    x->base.nonce = sotto_span_init(sotto_field_nonce(x->cipher), SOTTO_FIELD_NONCE_BYTES);
    x->answer_rule = sealed;
    *out = x;
    return SOTTO_OK;
}

/* A policy for certificates of GPUs binds nobody here, but one that was changed is refused. */
static enum sotto_err check_policy(const struct sotto_http_head *head,
                                   const struct sotto_session *session)
{
    sotto_span policy = sotto_http_get(head, "privatemode-nvidia-ocsp-policy");
    sotto_span mac = sotto_http_get(head, "privatemode-nvidia-ocsp-policy-mac");
    if (policy.base == NULL && mac.base == NULL) {
        return SOTTO_OK;
    }
    return sotto_field_check_mac(session->secret, policy, mac);
}

static enum sotto_err open_request(struct sotto_session *session,
                                   const struct sotto_http_head *head, sotto_span body,
                                   size_t max_depth, struct sotto_seal_exchange **out,
                                   struct sotto_buf *plain)
{
    struct privatemode_exchange *x = NULL;
    enum sotto_err err = check_policy(head, session);
    if (err == SOTTO_OK) {
        err = privatemode_open(&sotto_seal_profile_privatemode, session, body, max_depth,
                               is_embeddings(head) ? sotto_privatemode_embeddings_rule
                                                   : sotto_privatemode_chat_rule,
                               sotto_privatemode_answer_rule, NULL, &x, plain);
    }
    if (err == SOTTO_OK) {
        *out = &x->base;
    }
    return err;
}

/* --- answers ----------------------------------------------------------------------------------- */

enum sotto_err privatemode_seal(struct privatemode_exchange *x, const yyjson_mut_doc *doc,
                                struct sotto_buf *out)
{
    return sotto_members_seal(x->cipher, sotto_json_readable(doc->root), x->answer_rule,
                              &x->scratch, out);
}

static enum sotto_err answer(struct sotto_seal_exchange *exchange, int status, yyjson_mut_doc *doc,
                             struct sotto_buf *out)
{
    (void)status;
    return privatemode_seal((struct privatemode_exchange *)exchange, doc, out);
}

/* One piece of a stream, if it fits into a line. */
struct privatemode_line {
    struct privatemode_exchange *x;
    struct sotto_buf *out;
};

static enum sotto_err write_line(void *ctx, yyjson_mut_doc *doc)
{
    struct privatemode_line *line = ctx;
    size_t mark = line->out->len;
    enum sotto_err err = sotto_buf_append(line->out, SOTTO_LIT("data: "));
    if (err == SOTTO_OK) {
        err = privatemode_seal(line->x, doc, line->out);
    }
    if (err == SOTTO_OK && line->out->len - mark > PRIVATEMODE_LINE_MAX) {
        err = SOTTO_ELIMIT;
    }
    return err == SOTTO_OK ? sotto_buf_append(line->out, SOTTO_LIT("\n\n")) : err;
}

/* Whether the sealed form of a chunk fits into a line for certain. */
static enum sotto_err fits(struct privatemode_exchange *x, const yyjson_mut_doc *doc, bool *out)
{
    sotto_buf_truncate(&x->scratch, 0);
    enum sotto_err err = sotto_json_write(doc->root, &x->scratch);
    size_t members = yyjson_mut_obj_size(doc->root);
    *out = x->scratch.len * 2 + members * SOTTO_FIELD_LEN(0) < PRIVATEMODE_LINE_MAX;
    sotto_buf_truncate(&x->scratch, 0);
    return err;
}

static enum sotto_err event(struct sotto_seal_exchange *exchange, yyjson_mut_doc *chunk,
                            struct sotto_buf *out)
{
    struct privatemode_line line = {(struct privatemode_exchange *)exchange, out};
    size_t mark = out->len;
    bool small = true, cut = true;
    enum sotto_err err = fits(line.x, chunk, &small);
    while (err == SOTTO_OK && !small && cut) {
        err = sotto_pieces_cut(chunk, write_line, &line, &cut);
        if (err == SOTTO_OK) {
            err = fits(line.x, chunk, &small);
        }
    }
    if (err == SOTTO_OK) {
        err = write_line(&line, chunk);
    }
    if (err != SOTTO_OK) {
        sotto_buf_truncate(out, mark);
    }
    return err;
}

static enum sotto_err end(struct sotto_seal_exchange *exchange, struct sotto_buf *out)
{
    (void)exchange;
    return sotto_buf_append(out, SOTTO_LIT("data: [DONE]\n\n"));
}

static enum sotto_err fail(struct sotto_seal_exchange *exchange, yyjson_mut_doc *error,
                           struct sotto_buf *out)
{
    return event(exchange, error, out);
}

/* Clients feed every line to a JSON decoder: there is nothing that could be said. */
static enum sotto_err idle(struct sotto_seal_exchange *exchange, struct sotto_buf *out)
{
    (void)exchange;
    (void)out;
    return SOTTO_OK;
}

/* --- refusals ---------------------------------------------------------------------------------- */

/*
 * Clients exchange a new secret and try once more when they read "no secret for ID"; that serves
 * every reason, so that there is one sentence for all of them.
 */
static void refusal(const struct sotto_session_id *id, bool session, bool keyed,
                    struct sotto_seal_error *error)
{
    (void)id;
    (void)session;
    *error = (struct sotto_seal_error){
        .status = keyed ? 500 : 401,
        .type = "",
        .code = keyed ? NULL : "invalid_api_key",
    };
    snprintf(error->message, sizeof(error->message), "%s",
             keyed ? "no secret for ID that opens this request: exchange a new secret"
                   : "no API key, and no secret for ID that opens this request");
}

static bool wants_events(const struct sotto_http_head *head)
{
    return sotto_span_ieq(sotto_http_get(head, "accept"), SOTTO_LIT("text/event-stream"));
}

enum sotto_err privatemode_write_error(const struct sotto_seal_error *error, struct sotto_buf *body)
{
    enum sotto_err err = sotto_buf_append(body, SOTTO_LIT("{\"error\":{\"message\":"));
    if (err == SOTTO_OK) {
        err = sotto_json_quote(sotto_span_str(error->message), true, body);
    }
    if (err == SOTTO_OK) {
        err = sotto_buf_printf(body, ",\"type\":\"%s\",\"param\":null,\"code\":",
                               error->type != NULL ? error->type : "");
    }
    if (err == SOTTO_OK) {
        err = error->code != NULL ? sotto_buf_printf(body, "\"%s\"}}", error->code)
                                  : sotto_buf_append(body, SOTTO_LIT("null}}"));
    }
    return err;
}

static enum sotto_err refuse(const struct sotto_http_head *head,
                             const struct sotto_seal_error *error, struct sotto_buf *fields,
                             struct sotto_buf *body)
{
    size_t fields_mark = fields->len, body_mark = body->len;
    bool events = wants_events(head);
    enum sotto_err err = sotto_buf_printf(fields, "Content-Type: %s\r\n" SOTTO_PRIVATEMODE_CLEAR,
                                          events ? "text/event-stream" : "application/json");
    if (err == SOTTO_OK && events) {
        err = sotto_buf_append(body, SOTTO_LIT("event: error\n\ndata: "));
    }
    if (err == SOTTO_OK) {
        err = privatemode_write_error(error, body);
    }
    if (err == SOTTO_OK && events) {
        err = sotto_buf_append(body, SOTTO_LIT("\n\n"));
    }
    if (err != SOTTO_OK) {
        sotto_buf_truncate(fields, fields_mark);
        sotto_buf_truncate(body, body_mark);
    }
    return err;
}

const struct sotto_seal_profile sotto_seal_profile_privatemode = {
    .name = "privatemode",
    .routes = sotto_privatemode_routes,
    .route_count = SOTTO_COUNT(sotto_privatemode_routes),
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
    .stream_type = "text/event-stream",
    .answer_fields = "",
    .extras = true,
    .tells_usage = true,
};
