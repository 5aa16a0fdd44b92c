/* SPDX-License-Identifier: Apache-2.0 */

#include "client/proxy_job.h"

#include <stdio.h>

#include "base/alloc.h"
#include "http/head.h"
#include "http/sse.h"
#include "http/write.h"
#include "json/json.h"

/* Nesting of JSON in requests. */
#define JOB_DEPTH_MAX 128

/* Longest whole answer, and longest event of a stream, sealed. */
#define JOB_ANSWER_MAX ((size_t)64 << 20)
#define JOB_EVENT_MAX  ((size_t)32 << 20)

#define JOB_SEALED_TYPE "application/vnd.sotto.sealed"

struct proxy_job {
    struct proxy_shared *shared;
    struct proxy_job *prev, *next;
    struct sotto_exchange *exchange;
    struct sotto_link_wish wish;
    struct sotto_fetch *fetch;
    struct sotto_native_pending *pending; /* NULL: the request was not sealed (models) */
    struct sotto_veil_answer *veil;       /* NULL: nothing to restore */
    struct sotto_buf text;                /* the plain request, until its answer begins */
    struct sotto_buf target;
    struct sotto_buf model;
    struct sotto_buf lines;  /* header lines of the answer */
    struct sotto_buf answer; /* as far as it has come; events that were opened */
    struct sotto_sse sse;
    int status;
    bool sealed;    /* the answer is */
    bool streaming; /* it goes to the client as it comes */
    bool ended;     /* its last record was there */
    bool retried;
};

/* Of the gateway's answer, what the client gets to see. */
static const char *const job_passed[] = {
    "x-request-id",
    "x-sotto-audit-id",
    "x-sotto-entities",
    "x-sotto-unprotected",
    "x-sotto-overhead-ms",
    "retry-after",
    "x-should-retry",
    "x-ratelimit-limit-requests",
    "x-ratelimit-remaining-requests",
    "x-ratelimit-reset-requests",
    "x-ratelimit-limit-tokens",
    "x-ratelimit-remaining-tokens",
    "x-ratelimit-reset-tokens",
};

static void send_sealed(struct proxy_job *job);

/* --- life ------------------------------------------------------------------------------------- */

static struct proxy_job *job_new(struct proxy_shared *shared, struct sotto_exchange *x)
{
    struct proxy_job *job = sotto_calloc(1, sizeof(*job));
    if (job == NULL) {
        return NULL;
    }
    job->shared = shared;
    job->exchange = x;
    sotto_buf_init(&job->text, SOTTO_BUF_UNBOUNDED);
    sotto_buf_init(&job->target, SOTTO_NATIVE_PATH_MAX);
    sotto_buf_init(&job->model, SOTTO_NATIVE_MODEL_MAX);
    sotto_buf_init(&job->lines, SOTTO_BUF_UNBOUNDED);
    sotto_buf_init(&job->answer, JOB_ANSWER_MAX);
    sotto_sse_init(&job->sse, JOB_EVENT_MAX);
    job->next = shared->first;
    if (job->next != NULL) {
        job->next->prev = job;
    }
    shared->first = job;
    sotto_exchange_set_user(x, job);
    return job;
}

/* Frees everything; the exchange is over or somebody else's. */
static void job_free(struct proxy_job *job)
{
    *(job->prev != NULL ? &job->prev->next : &job->shared->first) = job->next;
    if (job->next != NULL) {
        job->next->prev = job->prev;
    }
    sotto_link_forget(job->shared->link, &job->wish);
    if (job->fetch != NULL) {
        sotto_fetch_cancel(job->fetch);
    }
    sotto_native_pending_free(job->pending);
    sotto_veil_answer_free(job->veil);
    sotto_buf_free(&job->text);
    sotto_buf_free(&job->target);
    sotto_buf_free(&job->model);
    sotto_buf_free(&job->lines);
    sotto_buf_free(&job->answer);
    sotto_sse_free(&job->sse);
    sotto_free(job);
}

void proxy_job_gone(struct proxy_job *job)
{
    if (job != NULL) {
        job_free(job);
    }
}

void proxy_job_flow(struct proxy_job *job, bool full)
{
    if (job != NULL && job->fetch != NULL && full) {
        sotto_fetch_pause(job->fetch);
    } else if (job != NULL && job->fetch != NULL) {
        sotto_fetch_resume(job->fetch);
    }
}

void proxy_jobs_free(struct proxy_shared *shared)
{
    while (shared->first != NULL) {
        job_free(shared->first);
    }
}

/* --- answering -------------------------------------------------------------------------------- */

enum sotto_err proxy_write_error(const char *type, const char *code, const char *message,
                                 struct sotto_buf *out)
{
    size_t mark = out->len;
    enum sotto_err err = sotto_buf_append(out, SOTTO_LIT("{\"error\":{\"message\":"));
    if (err == SOTTO_OK) {
        err = sotto_json_quote(sotto_span_str(message), true, out);
    }
    if (err == SOTTO_OK) {
        err = sotto_buf_printf(out, ",\"type\":\"%s\",\"param\":null,\"code\":%s%s%s}}", type,
                               code != NULL ? "\"" : "", code != NULL ? code : "null",
                               code != NULL ? "\"" : "");
    }
    if (err != SOTTO_OK) {
        sotto_buf_truncate(out, mark);
    }
    return err;
}

/* Ends the job with a whole answer. */
static void reply(struct proxy_job *job, int status, sotto_span body)
{
    struct sotto_exchange *x = job->exchange;
    if (sotto_http_write_field(&job->lines, "Content-Type", SOTTO_LIT("application/json")) !=
        SOTTO_OK) {
        sotto_exchange_set_user(x, NULL);
        sotto_exchange_abort(x);
        job_free(job);
        return;
    }
    sotto_exchange_set_user(x, NULL);
    sotto_exchange_reply(x, status, sotto_buf_span(&job->lines), body);
    job_free(job);
}

/* Ends the job with an error: whole, or in the stream that has begun. */
static void refuse(struct proxy_job *job, int status, const char *code, const char *message)
{
    struct sotto_buf body;
    sotto_buf_init(&body, SOTTO_BUF_UNBOUNDED);
    enum sotto_err err = job->streaming ? sotto_buf_append(&body, SOTTO_LIT("data: ")) : SOTTO_OK;
    if (err == SOTTO_OK) {
        err = proxy_write_error(status < 500 ? "invalid_request_error" : "server_error", code,
                                message, &body);
    }
    if (err == SOTTO_OK && job->streaming) {
        err = sotto_buf_append(&body, SOTTO_LIT("\n\n"));
    }
    if (job->streaming || err != SOTTO_OK) {
        struct sotto_exchange *x = job->exchange;
        sotto_exchange_set_user(x, NULL);
        if (err != SOTTO_OK || !job->streaming) {
            sotto_exchange_abort(x);
        } else {
            (void)sotto_exchange_write(x, sotto_buf_span(&body), true);
        }
        job_free(job);
    } else {
        reply(job, status, sotto_buf_span(&body));
    }
    sotto_buf_free(&body);
}

/* --- the gateway's answer --------------------------------------------------------------------- */

static bool is_type(const struct sotto_http_head *head, const char *want)
{
    sotto_span type = sotto_http_get(head, "content-type");
    const uint8_t *end = type.len != 0 ? memchr(type.base, ';', type.len) : NULL;
    if (end != NULL) {
        type.len = (size_t)(end - type.base);
    }
    while (type.len != 0 && type.base[type.len - 1] == ' ') {
        type.len--;
    }
    return sotto_span_ieq(type, sotto_span_str(want));
}

static enum sotto_err keep_lines(struct proxy_job *job, const struct sotto_http_head *head)
{
    enum sotto_err err = SOTTO_OK;
    sotto_buf_truncate(&job->lines, 0);
    for (size_t i = 0; i < SOTTO_COUNT(job_passed) && err == SOTTO_OK; i++) {
        sotto_span value = sotto_http_get(head, job_passed[i]);
        if (value.base != NULL) {
            err = sotto_http_write_field(&job->lines, job_passed[i], value);
        }
    }
    return err;
}

static void begin_stream(struct proxy_job *job)
{
    static const char lines[] = "Content-Type: text/event-stream; charset=utf-8\r\n"
                                "Cache-Control: no-cache\r\nX-Accel-Buffering: no\r\n";
    if (sotto_buf_append(&job->lines, SOTTO_LIT(lines)) == SOTTO_OK) {
        job->streaming = true;
        sotto_exchange_stream(job->exchange, 200, sotto_buf_span(&job->lines));
    }
}

static void on_head(void *ctx, struct sotto_fetch *fetch, int status, sotto_span block)
{
    struct proxy_job *job = ctx;
    struct sotto_http_head head;
    (void)fetch;
    job->status = status;
    if (sotto_http_head_index(block, false, &head) != SOTTO_OK ||
        keep_lines(job, &head) != SOTTO_OK) {
        refuse(job, 502, "upstream_error", "The gateway's answer was not understood.");
        return;
    }
    bool events = is_type(&head, "text/event-stream");
    job->sealed = job->pending != NULL && (events || is_type(&head, JOB_SEALED_TYPE));
    if (job->sealed && events && status == 200) {
        begin_stream(job);
    }
}

/* Appends what the client gets of one event. */
static enum sotto_err open_event(struct proxy_job *job, sotto_span data, struct sotto_buf *out)
{
    struct sotto_buf text;
    bool last = false;
    sotto_buf_init(&text, SOTTO_BUF_UNBOUNDED);
    enum sotto_err err =
        job->ended ? SOTTO_EAUTH : sotto_native_event(job->pending, data, &last, &text);
    job->ended |= last;
    size_t mark = out->len;
    if (err == SOTTO_OK && text.len == 0 && last) {
        err = sotto_buf_append(out, SOTTO_LIT("data: [DONE]\n\n"));
    } else if (err == SOTTO_OK && text.len == 0) {
        err = sotto_buf_append(out, SOTTO_LIT(": keepalive\n\n"));
    } else if (err == SOTTO_OK) {
        err = sotto_buf_append(out, SOTTO_LIT("data: "));
        size_t start = out->len;
        if (err == SOTTO_OK) {
            err = job->veil != NULL
                      ? sotto_veil_restore(job->veil, sotto_buf_span(&text), !last, out)
                      : sotto_buf_append(out, sotto_buf_span(&text));
        }
        if (err == SOTTO_OK && out->len == start) {
            sotto_buf_truncate(out, mark); /* the chunk says nothing yet */
        } else if (err == SOTTO_OK) {
            err = sotto_buf_append(out, SOTTO_LIT("\n\n"));
        }
    }
    sotto_buf_free(&text);
    return err;
}

/* Opens the events of a piece; true: the job goes on. */
static bool open_events(struct proxy_job *job, sotto_span piece)
{
    struct sotto_sse_event event;
    bool got = true;
    enum sotto_err err = SOTTO_OK;
    sotto_buf_truncate(&job->answer, 0);
    while (err == SOTTO_OK && got) {
        err = sotto_sse_next(&job->sse, &piece, &event, &got);
        if (err == SOTTO_OK && got) {
            err = open_event(job, event.data, &job->answer);
        }
    }
    if (job->answer.len != 0 &&
        !sotto_exchange_write(job->exchange, sotto_buf_span(&job->answer), false)) {
        job_free(job);
        return false;
    }
    sotto_buf_truncate(&job->answer, 0);
    if (err != SOTTO_OK) {
        refuse(job, 502, "seal_broken",
               "An event of the gateway's answer does not open: it was changed on its way.");
        return false;
    }
    return true;
}

static void on_body(void *ctx, struct sotto_fetch *fetch, sotto_span piece)
{
    struct proxy_job *job = ctx;
    (void)fetch;
    if (job->streaming) {
        (void)open_events(job, piece);
    } else if (sotto_buf_append(&job->answer, piece) != SOTTO_OK) {
        refuse(job, 502, "upstream_error", "The gateway's answer is too long.");
    }
}

static void end_stream(struct proxy_job *job)
{
    if (!job->ended) {
        refuse(job, 502, "stream_cut", "The gateway's answer was cut before its end.");
        return;
    }
    struct sotto_exchange *x = job->exchange;
    sotto_exchange_set_user(x, NULL);
    (void)sotto_exchange_write(x, SOTTO_LIT(""), true);
    job_free(job);
}

static void end_sealed(struct proxy_job *job)
{
    struct sotto_buf text, restored;
    sotto_buf_init(&text, SOTTO_BUF_UNBOUNDED);
    sotto_buf_init(&restored, SOTTO_BUF_UNBOUNDED);
    enum sotto_err err =
        sotto_native_whole(job->pending, job->status, sotto_buf_span(&job->answer), &text);
    if (err == SOTTO_OK && job->veil != NULL) {
        err = sotto_veil_restore(job->veil, sotto_buf_span(&text), false, &restored);
    }
    if (err != SOTTO_OK) {
        refuse(job, 502, "seal_broken",
               "The gateway's answer does not open: it was changed on its way.");
    } else {
        reply(job, job->status, sotto_buf_span(job->veil != NULL ? &restored : &text));
    }
    sotto_buf_free(&text);
    sotto_buf_free(&restored);
}

/* Whether the gateway did not open the request. */
static bool is_refusal(const struct proxy_job *job)
{
    struct sotto_json_error where;
    yyjson_mut_doc *doc = NULL;
    if ((job->status != 400 && job->status != 401) ||
        sotto_json_read(sotto_buf_span(&job->answer), JOB_DEPTH_MAX, &doc, &where) != SOTTO_OK) {
        return false;
    }
    yyjson_mut_val *error = sotto_json_get(yyjson_mut_doc_get_root(doc), "error");
    bool refused = sotto_json_is(sotto_json_get(error, "code"), "seal_refused");
    sotto_json_free(doc);
    return refused;
}

/* An answer in the clear: of the list of models, or an error, which proves nothing. */
static void end_clear(struct proxy_job *job)
{
    if (job->pending != NULL && !job->retried && is_refusal(job)) {
        job->retried = true;
        sotto_link_drop(job->shared->link);
        send_sealed(job);
        return;
    }
    if (job->pending != NULL && job->status < 400) {
        refuse(job, 502, "seal_broken", "The answer to a sealed request is not sealed.");
        return;
    }
    reply(job, job->status, sotto_buf_span(&job->answer));
}

static void on_end(void *ctx, struct sotto_fetch *fetch)
{
    struct proxy_job *job = ctx;
    (void)fetch;
    job->fetch = NULL;
    if (job->streaming) {
        end_stream(job);
    } else if (job->sealed) {
        end_sealed(job);
    } else {
        end_clear(job);
    }
}

static void on_error(void *ctx, struct sotto_fetch *fetch, enum sotto_fetch_error error,
                     const char *reason)
{
    struct proxy_job *job = ctx;
    char why[200];
    (void)fetch;
    job->fetch = NULL;
    snprintf(why, sizeof(why), "The gateway's answer did not come: %s.", reason);
    refuse(job, error == SOTTO_FETCH_TIMEOUT ? 504 : 502, sotto_fetch_error_text(error), why);
}

static const struct sotto_fetch_handler handler = {
    .on_head = on_head,
    .on_body = on_body,
    .on_end = on_end,
    .on_error = on_error,
};

/* --- sending ---------------------------------------------------------------------------------- */

static enum sotto_err write_head(const struct proxy_job *job, const char *method,
                                 struct sotto_buf *out)
{
    const struct sotto_link_options *o = &job->shared->options;
    char host[300];
    snprintf(host, sizeof(host), "%.*s:%u", SOTTO_FMT(o->origin.host), (unsigned)o->origin.port);
    enum sotto_err err = sotto_http_write_request_line(out, method, sotto_buf_span(&job->target));
    if (err == SOTTO_OK) {
        err = sotto_http_write_field(out, "Host", sotto_span_str(host));
    }
    return err == SOTTO_OK
               ? sotto_http_write_field(out, "User-Agent", SOTTO_LIT("sotto/" SOTTO_VERSION))
               : err;
}

static enum sotto_err start(struct proxy_job *job, const struct sotto_buf *request)
{
    sotto_buf_truncate(&job->answer, 0);
    return sotto_fetch_start(job->shared->options.pool, &job->shared->options.origin,
                             sotto_buf_span(request), &handler, job, &job->fetch);
}

static enum sotto_err seal(struct proxy_job *job, struct sotto_native_client *client)
{
    const struct sotto_native_place place = {.method = SOTTO_LIT("POST"),
                                             .path = sotto_buf_span(&job->target),
                                             .model = sotto_buf_span(&job->model)};
    struct sotto_buf request, body;
    sotto_buf_init(&request, SOTTO_BUF_UNBOUNDED);
    sotto_buf_init(&body, SOTTO_BUF_UNBOUNDED);
    sotto_native_pending_free(job->pending);
    job->pending = NULL;
    enum sotto_err err =
        sotto_native_request(client, &place, sotto_buf_span(&job->text), &body, &job->pending);
    if (err == SOTTO_OK && (err = write_head(job, "POST", &request)) == SOTTO_OK &&
        (err = sotto_http_write_field(&request, "Content-Type", SOTTO_LIT(JOB_SEALED_TYPE))) ==
            SOTTO_OK &&
        (err = sotto_http_write_number(&request, "Content-Length", body.len)) == SOTTO_OK &&
        (err = sotto_http_write_head_end(&request)) == SOTTO_OK &&
        (err = sotto_buf_append(&request, sotto_buf_span(&body))) == SOTTO_OK) {
        err = start(job, &request);
    }
    sotto_buf_free(&request);
    sotto_buf_free(&body);
    return err;
}

static void on_session(void *ctx, struct sotto_native_client *client, const char *why)
{
    struct proxy_job *job = ctx;
    if (client == NULL) {
        refuse(job, 502, "gateway_not_trusted_or_reached", why);
        return;
    }
    enum sotto_err err = seal(job, client);
    if (err != SOTTO_OK) {
        refuse(job, 503, "not_sealed", "The request could not be sealed, and was not sent.");
    }
}

static void send_sealed(struct proxy_job *job)
{
    sotto_link_want(job->shared->link, &job->wish, on_session, job);
}

/* The list of models bears no text of anybody. */
static void send_models(struct proxy_job *job)
{
    struct sotto_buf request;
    char bearer[256];
    sotto_buf_init(&request, SOTTO_BUF_UNBOUNDED);
    int len =
        snprintf(bearer, sizeof(bearer), "Bearer %.*s", SOTTO_FMT(job->shared->options.api_key));
    enum sotto_err err = write_head(job, "GET", &request);
    if (err == SOTTO_OK && len > 0 && (size_t)len < sizeof(bearer)) {
        err = sotto_http_write_field(&request, "Authorization", sotto_span_str(bearer));
    }
    if (err == SOTTO_OK && (err = sotto_http_write_head_end(&request)) == SOTTO_OK) {
        err = start(job, &request);
    }
    sotto_wipe(bearer, sizeof(bearer));
    sotto_buf_free(&request);
    if (err != SOTTO_OK) {
        refuse(job, 503, "not_sent", "The request could not be sent.");
    }
}

/* --- the client's request --------------------------------------------------------------------- */

/* Takes model and text from the body; masks it where that is asked for. */
static enum sotto_err read_body(struct proxy_job *job, sotto_span body)
{
    struct sotto_json_error where;
    yyjson_mut_doc *doc = NULL;
    enum sotto_err err = sotto_json_read(body, JOB_DEPTH_MAX, &doc, &where);
    if (err != SOTTO_OK) {
        return err == SOTTO_ENOMEM ? err : SOTTO_EFORMAT;
    }
    yyjson_mut_val *root = yyjson_mut_doc_get_root(doc);
    yyjson_mut_val *model = sotto_json_get(root, "model");
    err = yyjson_mut_is_str(model) ? sotto_buf_append(&job->model, sotto_json_text(model))
                                   : SOTTO_EFORMAT;
    if (err == SOTTO_OK) {
        /* The session says how it is sealed; the word would ask for another suite. */
        (void)yyjson_mut_obj_remove_key(root, "encryption");
        err = job->shared->veil != NULL ? sotto_veil_request(job->shared->veil, doc, &job->veil)
                                        : SOTTO_OK;
    }
    if (err == SOTTO_OK) {
        err = sotto_json_write(root, &job->text);
    }
    sotto_json_free(doc);
    return err;
}

static void take_chat(struct proxy_job *job, sotto_span body)
{
    enum sotto_err err = read_body(job, body);
    if (err == SOTTO_OK) {
        send_sealed(job);
    } else if (err == SOTTO_EFORMAT || err == SOTTO_ELIMIT) {
        refuse(job, 400, NULL, "The body must be JSON and name its model.");
    } else if (err == SOTTO_EINVAL) {
        refuse(job, 400, "content_not_protected",
               "The request holds content that cannot be anonymized.");
    } else {
        refuse(job, 503, "not_sealed", "The request could not be sealed, and was not sent.");
    }
}

/* Pages of the web can make a browser ask 127.0.0.1: they name another host, or cannot name the
 * content type. */
static bool is_local(const struct sotto_http_head *head, bool has_body)
{
    static const char *const names[] = {"localhost", "127.0.0.1", "[::1]"};
    sotto_span host = sotto_http_get(head, "host");
    bool named = false;
    for (size_t i = 0; i < SOTTO_COUNT(names); i++) {
        size_t len = strlen(names[i]);
        named |= host.len >= len && (host.len == len || host.base[len] == ':') &&
                 sotto_span_ieq(sotto_span_init(host.base, len), sotto_span_str(names[i]));
    }
    return named && (!has_body || is_type(head, "application/json"));
}

void proxy_job_begin(struct proxy_shared *shared, struct sotto_exchange *x, sotto_span block,
                     sotto_span body)
{
    struct sotto_http_head head;
    struct proxy_job *job = job_new(shared, x);
    if (job == NULL || sotto_http_head_index(block, true, &head) != SOTTO_OK) {
        proxy_job_gone(job);
        sotto_exchange_set_user(x, NULL);
        sotto_exchange_abort(x);
        return;
    }
    sotto_span path = sotto_http_path(&head);
    bool chat = sotto_span_eq(path, SOTTO_LIT("/v1/chat/completions")) ||
                sotto_span_eq(path, SOTTO_LIT("/v1/embeddings"));
    bool models = sotto_span_eq(path, SOTTO_LIT("/v1/models")) ||
                  sotto_span_starts(path, SOTTO_LIT("/v1/models/"));
    if (!chat && !models) {
        refuse(job, 404, "unknown_url",
               "The proxy serves POST /v1/chat/completions, POST /v1/embeddings and GET "
               "/v1/models: what cannot be sealed is not sent.");
    } else if (!sotto_span_eq(head.method, chat ? SOTTO_LIT("POST") : SOTTO_LIT("GET"))) {
        refuse(job, 405, "method_not_allowed",
               chat ? "This route takes POST." : "This route takes GET.");
    } else if (!is_local(&head, chat)) {
        refuse(job, 421, "not_local",
               "The proxy serves this machine only: Host must be localhost or 127.0.0.1, and the "
               "content type of what is sent application/json.");
    } else if (sotto_buf_append(&job->target, shared->options.base_path) != SOTTO_OK ||
               sotto_buf_append(&job->target, sotto_span_skip(path, 3)) != SOTTO_OK) {
        refuse(job, 400, NULL, "The path is too long.");
    } else if (chat) {
        take_chat(job, body);
    } else {
        send_models(job);
    }
}
