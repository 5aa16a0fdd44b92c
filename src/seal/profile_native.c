/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The profile `native` (docs/wire/native.md): the whole body is one sealed text, a whole answer
 * too; of a stream each event is.
 */

#include "seal/profile.h"

#include "base/alloc.h"
#include "crypto/base64.h"
#include "crypto/random.h"
#include "http/write.h"
#include "seal/native.h"
#include "seal/native_session.h"

static const char content_type[] = "application/vnd.sotto.sealed";

struct native_exchange {
    struct sotto_seal_exchange exchange; /* first */
    uint8_t nonce[SOTTO_NATIVE_NONCE_BYTES];
    struct sotto_native_channel *channel; /* of the answer; NULL: nothing was sent yet */
    bool whole;                           /* the answer was sent in one piece */
    struct sotto_buf record;              /* scratch */
    char method[16];
    char path[SOTTO_NATIVE_PATH_MAX];
    char model[SOTTO_NATIVE_MODEL_MAX];
    struct sotto_native_place place; /* points to these */
};

/* The parts of a request's body; spans into it. */
struct native_request {
    const uint8_t *session;
    const uint8_t *nonce;
    sotto_span model;
    sotto_span record;
};

static struct native_exchange *mine(struct sotto_seal_exchange *exchange)
{
    return (struct native_exchange *)exchange;
}

static bool accepts(const struct sotto_http_head *head, sotto_span body)
{
    sotto_span type = sotto_http_get(head, "content-type");
    size_t end = 0;
    (void)body;
    while (end < type.len && type.base[end] != ';') {
        end++;
    }
    return sotto_span_ieq(sotto_span_trim(sotto_span_sub(type, 0, end)),
                          sotto_span_init(content_type, sizeof(content_type) - 1));
}

static enum sotto_err parse(sotto_span body, struct native_request *out)
{
    if (body.len < SOTTO_NATIVE_REQUEST_HEAD || body.base[0] != SOTTO_NATIVE_VERSION) {
        return SOTTO_EFORMAT;
    }
    out->session = body.base + 1;
    out->nonce = out->session + SOTTO_NATIVE_SESSION_BYTES;
    const uint8_t *length = out->nonce + SOTTO_NATIVE_NONCE_BYTES;
    size_t model_len = (size_t)length[0] << 8 | length[1];
    sotto_span rest = sotto_span_skip(body, SOTTO_NATIVE_REQUEST_HEAD);
    if (model_len > SOTTO_NATIVE_MODEL_MAX || model_len > rest.len) {
        return SOTTO_EFORMAT;
    }
    out->model = sotto_span_sub(rest, 0, model_len);
    out->record = sotto_span_skip(rest, model_len);
    return SOTTO_OK;
}

static enum sotto_err find(const struct sotto_http_head *head, sotto_span body,
                           struct sotto_session_id *id)
{
    struct native_request request;
    (void)head;
    enum sotto_err err = parse(body, &request);
    if (err == SOTTO_OK) {
        id->len = SOTTO_NATIVE_SESSION_BYTES;
        memcpy(id->bytes, request.session, SOTTO_NATIVE_SESSION_BYTES);
    }
    return err;
}

/* --- opening ----------------------------------------------------------------------------------- */

static enum sotto_err keep_place(struct native_exchange *e, const struct sotto_http_head *head,
                                 sotto_span model)
{
    sotto_span path = sotto_http_path(head);
    if (head->method.len > sizeof(e->method) || path.len > sizeof(e->path) ||
        model.len > sizeof(e->model)) {
        return SOTTO_EAUTH;
    }
    memcpy(e->method, head->method.base, head->method.len);
    memcpy(e->path, path.base, path.len);
    if (model.len != 0) {
        memcpy(e->model, model.base, model.len);
    }
    e->place = (struct sotto_native_place){sotto_span_init(e->method, head->method.len),
                                           sotto_span_init(e->path, path.len),
                                           sotto_span_init(e->model, model.len)};
    e->exchange.model = e->place.model;
    return SOTTO_OK;
}

static enum sotto_err open_record(struct native_exchange *e, const struct sotto_session *session,
                                  sotto_span record, struct sotto_buf *plain)
{
    struct sotto_native_channel *channel = NULL;
    bool last = false;
    enum sotto_err err =
        sotto_native_request_channel(session->secret, e->nonce, &e->place, &channel);
    if (err == SOTTO_OK) {
        err = sotto_native_open(channel, record, &last, plain);
    }
    if (err == SOTTO_OK && !last) {
        err = SOTTO_EAUTH;
    }
    sotto_native_channel_free(channel);
    return err;
}

static enum sotto_err open_request(struct sotto_session *session,
                                   const struct sotto_http_head *head, sotto_span body,
                                   size_t max_depth, struct sotto_seal_exchange **out,
                                   struct sotto_buf *plain)
{
    struct native_request request;
    size_t mark = plain->len;
    (void)max_depth;
    if (parse(body, &request) != SOTTO_OK) {
        return SOTTO_EAUTH;
    }
    struct native_exchange *e = sotto_calloc(1, sizeof(*e));
    if (e == NULL) {
        return SOTTO_ENOMEM;
    }
    e->exchange.profile = &sotto_seal_profile_native;
    e->exchange.session = sotto_session_ref(session);
    sotto_buf_init(&e->record, SOTTO_BUF_UNBOUNDED);
    memcpy(e->nonce, request.nonce, sizeof(e->nonce));
    enum sotto_err err = keep_place(e, head, request.model);
    if (err == SOTTO_OK) {
        err = open_record(e, session, request.record, plain);
    }
    if (err == SOTTO_OK) {
        err = sotto_session_once(session, sotto_span_init(e->nonce, sizeof(e->nonce)));
        err = err == SOTTO_EEXISTS ? SOTTO_EAUTH : err;
    }
    if (err != SOTTO_OK) {
        sotto_buf_truncate(plain, mark);
        sotto_seal_exchange_free(&e->exchange);
        return err == SOTTO_EINVAL || err == SOTTO_ESTATE ? SOTTO_EAUTH : err;
    }
    e->exchange.nonce = sotto_span_init(e->nonce, sizeof(e->nonce));
    *out = &e->exchange;
    return SOTTO_OK;
}

/* --- answering --------------------------------------------------------------------------------- */

/* Makes the channel and appends the head of the answer. */
static enum sotto_err begin(struct native_exchange *e, int status, struct sotto_buf *out)
{
    uint8_t head[SOTTO_NATIVE_ANSWER_HEAD] = {SOTTO_NATIVE_VERSION};
    enum sotto_err err = sotto_crypto_random(head + 1, SOTTO_NATIVE_NONCE_BYTES);
    if (err == SOTTO_OK) {
        err = sotto_native_answer_channel(e->exchange.session->secret, e->nonce, head + 1, status,
                                          &e->place, &e->channel);
    }
    return err == SOTTO_OK ? sotto_buf_append(out, sotto_span_init(head, sizeof(head))) : err;
}

static enum sotto_err seal_json(struct native_exchange *e, const yyjson_mut_val *val, bool last,
                                struct sotto_buf *out)
{
    struct sotto_buf *text;
    enum sotto_err err = sotto_native_begin(e->channel, &text);
    if (err == SOTTO_OK && val != NULL) {
        err = sotto_json_write(val, text);
    }
    return err == SOTTO_OK ? sotto_native_seal(e->channel, last, out) : err;
}

static enum sotto_err answer(struct sotto_seal_exchange *exchange, int status, yyjson_mut_doc *doc,
                             struct sotto_buf *out)
{
    struct native_exchange *e = mine(exchange);
    size_t mark = out->len;
    if (e->channel != NULL) {
        return SOTTO_ESTATE;
    }
    enum sotto_err err = begin(e, status, out);
    if (err == SOTTO_OK) {
        err = seal_json(e, yyjson_mut_doc_get_root(doc), true, out);
    }
    if (err != SOTTO_OK) {
        sotto_buf_truncate(out, mark);
    }
    return err;
}

/* `e->record` as an event, and empty again. */
static enum sotto_err write_event(struct native_exchange *e, struct sotto_buf *out)
{
    enum sotto_err err = sotto_buf_append(out, SOTTO_LIT("data: "));
    if (err == SOTTO_OK) {
        err = sotto_base64_write(sotto_buf_span(&e->record), out);
    }
    if (err == SOTTO_OK) {
        err = sotto_buf_append(out, SOTTO_LIT("\n\n"));
    }
    sotto_buf_truncate(&e->record, 0);
    return err;
}

static enum sotto_err stream(struct sotto_seal_exchange *exchange, const yyjson_mut_val *val,
                             bool last, struct sotto_buf *out)
{
    struct native_exchange *e = mine(exchange);
    size_t mark = out->len;
    enum sotto_err err = SOTTO_OK;
    if (e->channel == NULL) {
        err = begin(e, 200, &e->record);
        if (err == SOTTO_OK) {
            err = write_event(e, out);
        }
    }
    if (err == SOTTO_OK) {
        err = seal_json(e, val, last, &e->record);
    }
    if (err == SOTTO_OK) {
        err = write_event(e, out);
    }
    if (err != SOTTO_OK) {
        sotto_buf_truncate(out, mark);
    }
    return err;
}

static enum sotto_err event(struct sotto_seal_exchange *exchange, yyjson_mut_doc *chunk,
                            struct sotto_buf *out)
{
    return stream(exchange, yyjson_mut_doc_get_root(chunk), false, out);
}

static enum sotto_err end(struct sotto_seal_exchange *exchange, struct sotto_buf *out)
{
    return stream(exchange, NULL, true, out);
}

static enum sotto_err fail(struct sotto_seal_exchange *exchange, yyjson_mut_doc *error,
                           struct sotto_buf *out)
{
    return stream(exchange, yyjson_mut_doc_get_root(error), true, out);
}

static enum sotto_err idle(struct sotto_seal_exchange *exchange, struct sotto_buf *out)
{
    return stream(exchange, NULL, false, out);
}

static void close_exchange(struct sotto_seal_exchange *exchange)
{
    struct native_exchange *e = mine(exchange);
    sotto_native_channel_free(e->channel);
    sotto_buf_free(&e->record);
}

/* --- errors ------------------------------------------------------------------------------------ */

static void refusal(const struct sotto_session_id *id, bool session, bool keyed,
                    struct sotto_seal_error *error)
{
    static const struct sotto_seal_error refused = {
        400, "invalid_request_error", "seal_refused",
        "The sealed request could not be opened. Begin a new session and seal it again."};
    (void)id;
    (void)session;
    *error = refused;
    error->status = keyed ? 400 : 401;
}

static enum sotto_err refuse(const struct sotto_http_head *head,
                             const struct sotto_seal_error *error, struct sotto_buf *fields,
                             struct sotto_buf *body)
{
    size_t mark = fields->len;
    (void)head;
    enum sotto_err err =
        sotto_http_write_field(fields, "Content-Type", SOTTO_LIT("application/json"));
    if (err == SOTTO_OK) {
        err = sotto_native_write_error(error, body);
    }
    if (err != SOTTO_OK) {
        sotto_buf_truncate(fields, mark);
    }
    return err;
}

static const struct sotto_seal_route routes[] = {
    {"GET", "/v1/seal/keys", false, sotto_native_keys},
    {"POST", "/v1/seal/session", true, sotto_native_begin_session},
};

const struct sotto_seal_profile sotto_seal_profile_native = {
    .name = "native",
    .routes = routes,
    .route_count = SOTTO_COUNT(routes),
    .accepts = accepts,
    .find = find,
    .open = open_request,
    .answer = answer,
    .event = event,
    .end = end,
    .fail = fail,
    .idle = idle,
    .close = close_exchange,
    .refusal = refusal,
    .refuse = refuse,
    .answer_type = content_type,
    .stream_type = "text/event-stream; charset=utf-8",
    .answer_fields = "",
    .extras = true,
};
