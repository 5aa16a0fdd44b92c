/* SPDX-License-Identifier: Apache-2.0 */

#include "client/proxy_job.h"

#include <stdio.h>

#include "base/alloc.h"
#include "client/proxy_parts.h"
#include "http/write.h"
#include "json/json.h"

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
    sotto_buf_init(&job->target, SOTTO_CLIENT_TARGET_MAX);
    sotto_buf_init(&job->model, SOTTO_CLIENT_MODEL_MAX);
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

void proxy_job_free(struct proxy_job *job)
{
    *(job->prev != NULL ? &job->prev->next : &job->shared->first) = job->next;
    if (job->next != NULL) {
        job->next->prev = job->prev;
    }
    sotto_link_forget(job->shared->link, &job->wish);
    if (job->fetch != NULL) {
        sotto_fetch_cancel(job->fetch);
    }
    job->shared->options.profile->pending_free(job->pending);
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
        proxy_job_free(job);
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
        proxy_job_free(shared->first);
    }
}

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
                             sotto_buf_span(request), &proxy_answer_handler, job, &job->fetch);
}

static enum sotto_err seal(struct proxy_job *job, struct client_session *session)
{
    const struct sotto_link_options *options = &job->shared->options;
    const struct client_request sealed = {.target = sotto_buf_span(&job->target),
                                          .model = sotto_buf_span(&job->model),
                                          .text = sotto_buf_span(&job->text),
                                          .embeddings = job->embeddings};
    struct sotto_buf request, fields, body;
    sotto_buf_init(&request, SOTTO_BUF_UNBOUNDED);
    sotto_buf_init(&fields, SOTTO_BUF_UNBOUNDED);
    sotto_buf_init(&body, SOTTO_BUF_UNBOUNDED);
    options->profile->pending_free(job->pending);
    job->pending = NULL;
    enum sotto_err err =
        options->profile->seal(session, options, &sealed, &fields, &body, &job->pending);
    if (err == SOTTO_OK && (err = write_head(job, "POST", &request)) == SOTTO_OK &&
        (err = sotto_buf_append(&request, sotto_buf_span(&fields))) == SOTTO_OK &&
        (err = sotto_http_write_number(&request, "Content-Length", body.len)) == SOTTO_OK &&
        (err = sotto_http_write_head_end(&request)) == SOTTO_OK &&
        (err = sotto_buf_append(&request, sotto_buf_span(&body))) == SOTTO_OK) {
        err = start(job, &request);
    }
    sotto_buf_free(&request);
    sotto_buf_free(&fields);
    sotto_buf_free(&body);
    return err;
}

static void on_session(void *ctx, struct client_session *session, const char *why)
{
    struct proxy_job *job = ctx;
    if (session == NULL) {
        proxy_job_refuse(job, 502, "gateway_not_trusted_or_reached", why);
        return;
    }
    enum sotto_err err = seal(job, session);
    if (err != SOTTO_OK) {
        proxy_job_refuse(job, 503, "not_sealed",
                         "The request could not be sealed, and was not sent.");
    }
}

void proxy_job_send(struct proxy_job *job)
{
    sotto_link_want(job->shared->link, &job->wish, on_session, job);
}

/* The list of models bears no text of anybody. */
static void send_models(struct proxy_job *job)
{
    struct sotto_buf request;
    sotto_buf_init(&request, SOTTO_BUF_UNBOUNDED);
    enum sotto_err err = write_head(job, "GET", &request);
    if (err == SOTTO_OK) {
        err = sotto_link_write_key(&job->shared->options, &request);
    }
    if (err == SOTTO_OK && (err = sotto_http_write_head_end(&request)) == SOTTO_OK) {
        err = start(job, &request);
    }
    sotto_buf_free(&request);
    if (err != SOTTO_OK) {
        proxy_job_refuse(job, 503, "not_sent", "The request could not be sent.");
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
    job->wants_stream = !job->embeddings && yyjson_mut_is_true(sotto_json_get(root, "stream"));
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
        proxy_job_send(job);
    } else if (err == SOTTO_EFORMAT || err == SOTTO_ELIMIT) {
        proxy_job_refuse(job, 400, NULL, "The body must be JSON and name its model.");
    } else if (err == SOTTO_EINVAL) {
        proxy_job_refuse(job, 400, "content_not_protected",
                         "The request holds content that cannot be anonymized.");
    } else {
        proxy_job_refuse(job, 503, "not_sealed",
                         "The request could not be sealed, and was not sent.");
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
    return named && (!has_body || client_is_type(head, "application/json"));
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
    job->embeddings = sotto_span_eq(path, SOTTO_LIT("/v1/embeddings"));
    bool chat = job->embeddings || sotto_span_eq(path, SOTTO_LIT("/v1/chat/completions"));
    bool models = sotto_span_eq(path, SOTTO_LIT("/v1/models")) ||
                  sotto_span_starts(path, SOTTO_LIT("/v1/models/"));
    if (!chat && !models) {
        proxy_job_refuse(job, 404, "unknown_url",
                         "The proxy serves POST /v1/chat/completions, POST /v1/embeddings and GET "
                         "/v1/models: what cannot be sealed is not sent.");
    } else if (!sotto_span_eq(head.method, chat ? SOTTO_LIT("POST") : SOTTO_LIT("GET"))) {
        proxy_job_refuse(job, 405, "method_not_allowed",
                         chat ? "This route takes POST." : "This route takes GET.");
    } else if (!is_local(&head, chat)) {
        proxy_job_refuse(
            job, 421, "not_local",
            "The proxy serves this machine only: Host must be localhost or 127.0.0.1, and the "
            "content type of what is sent application/json.");
    } else if (sotto_buf_append(&job->target, shared->options.base_path) != SOTTO_OK ||
               sotto_buf_append(&job->target, sotto_span_skip(path, 3)) != SOTTO_OK) {
        proxy_job_refuse(job, 400, NULL, "The path is too long.");
    } else if (chat) {
        take_chat(job, body);
    } else {
        send_models(job);
    }
}
