/* SPDX-License-Identifier: Apache-2.0 */

#include <stdio.h>

#include "client/proxy_parts.h"
#include "http/write.h"
#include "json/json.h"

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
        proxy_job_refuse(job, 502, "upstream_error", "The gateway's answer was not understood.");
        return;
    }
    bool events = client_is_type(&head, "text/event-stream");
    job->sealed = job->pending != NULL && (events || job->pending->profile->is_sealed(&head));
    if (job->sealed && status == 200 && events != job->wants_stream) {
        /* Not every profile seals the word by which a stream is asked for. */
        proxy_job_refuse(job, 502, "seal_broken",
                         events ? "The gateway answers with a stream that was not asked for."
                                : "The gateway answers without the stream that was asked for.");
    } else if (job->sealed && events && status == 200) {
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
        job->ended ? SOTTO_EAUTH : job->pending->profile->event(job->pending, data, &last, &text);
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
        proxy_job_free(job);
        return false;
    }
    sotto_buf_truncate(&job->answer, 0);
    if (err != SOTTO_OK) {
        proxy_job_refuse(
            job, 502, "seal_broken",
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
        proxy_job_refuse(job, 502, "upstream_error", "The gateway's answer is too long.");
    }
}

static void end_stream(struct proxy_job *job)
{
    if (!job->ended) {
        proxy_job_refuse(job, 502, "stream_cut", "The gateway's answer was cut before its end.");
        return;
    }
    struct sotto_exchange *x = job->exchange;
    sotto_exchange_set_user(x, NULL);
    (void)sotto_exchange_write(x, SOTTO_LIT(""), true);
    proxy_job_free(job);
}

static void end_sealed(struct proxy_job *job)
{
    struct sotto_buf text, restored;
    sotto_buf_init(&text, SOTTO_BUF_UNBOUNDED);
    sotto_buf_init(&restored, SOTTO_BUF_UNBOUNDED);
    enum sotto_err err = job->pending->profile->whole(job->pending, job->status,
                                                      sotto_buf_span(&job->answer), &text);
    if (err == SOTTO_OK && job->veil != NULL) {
        err = sotto_veil_restore(job->veil, sotto_buf_span(&text), false, &restored);
    }
    if (err != SOTTO_OK) {
        proxy_job_refuse(job, 502, "seal_broken",
                         "The gateway's answer does not open: it was changed on its way.");
    } else {
        proxy_job_reply(job, job->status, sotto_buf_span(job->veil != NULL ? &restored : &text));
    }
    sotto_buf_free(&text);
    sotto_buf_free(&restored);
}

/* An answer in the clear: of the list of models, or an error, which proves nothing. */
static void end_clear(struct proxy_job *job)
{
    if (job->pending != NULL && !job->retried &&
        job->pending->profile->is_forgotten(job->status, sotto_buf_span(&job->answer))) {
        job->retried = true;
        sotto_link_drop(job->shared->link);
        proxy_job_send(job);
        return;
    }
    if (job->pending != NULL && job->status < 400) {
        proxy_job_refuse(job, 502, "seal_broken", "The answer to a sealed request is not sealed.");
        return;
    }
    proxy_job_reply(job, job->status, sotto_buf_span(&job->answer));
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
    proxy_job_refuse(job, error == SOTTO_FETCH_TIMEOUT ? 504 : 502, sotto_fetch_error_text(error),
                     why);
}

const struct sotto_fetch_handler proxy_answer_handler = {
    .on_head = on_head,
    .on_body = on_body,
    .on_end = on_end,
    .on_error = on_error,
};
