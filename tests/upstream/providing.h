/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_TESTS_UPSTREAM_PROVIDING_H
#define SOTTO_TESTS_UPSTREAM_PROVIDING_H

/* Requests, answers and streams of a provider, as texts. */

#include <stdlib.h>

#include "base/alloc.h"
#include "tap/tap.h"
#include "upstream/table.h"

static const struct sotto_upstream plain_upstream = {
    .name = {(const uint8_t *)"up", 2},
    .host = {(const uint8_t *)"api.example", 11},
    .port = 443,
    .tls = true,
    .base_path = {(const uint8_t *)"/v1", 3},
    .key = {(const uint8_t *)"sk-1", 4},
};

static inline yyjson_mut_doc *must_read(const char *text)
{
    yyjson_mut_doc *doc = NULL;
    struct sotto_json_error error;
    if (sotto_json_read(sotto_span_str(text), 128, &doc, &error) != SOTTO_OK) {
        printf("Bail out! %s in %s\n", error.what, text);
        exit(1);
    }
    return doc;
}

/** A chat call with this document. */
static inline void call_with(struct sotto_call *call, const char *body)
{
    int64_t choices = 1;
    sotto_call_init(call);
    call->doc = must_read(body);
    yyjson_mut_val *root = yyjson_mut_doc_get_root(call->doc);
    call->model = SOTTO_LIT("asked");
    call->stream = yyjson_mut_get_bool(sotto_json_get(root, "stream"));
    if (sotto_json_int(sotto_json_get(root, "n"), &choices) == SOTTO_OK) {
        call->choices = (int)choices;
    }
}

/** The request that a provider writes, in a static buffer; or "error N: message". */
static inline const char *request_text(const struct sotto_provider *provider,
                                       const struct sotto_upstream *upstream,
                                       struct sotto_call *call)
{
    static char text[65536];
    struct sotto_problem problem = {0};
    struct sotto_buf out;
    sotto_buf_init(&out, sizeof(text) - 1);
    enum sotto_err err = provider->request(upstream, call, SOTTO_LIT("theirs"), &out, &problem);
    if (err == SOTTO_OK) {
        snprintf(text, sizeof(text), "%.*s", SOTTO_FMT(sotto_buf_span(&out)));
    } else {
        snprintf(text, sizeof(text), "error %d: %s: %s", (int)err, problem.param, problem.message);
    }
    sotto_buf_free(&out);
    return text;
}

/** The body of such a request. */
static inline const char *body_of(const char *request)
{
    const char *end = strstr(request, "\r\n\r\n");
    return end != NULL ? end + 4 : request;
}

/** The body that a provider makes of a chat. */
static inline const char *translated(const struct sotto_provider *provider, const char *body)
{
    struct sotto_call call;
    call_with(&call, body);
    const char *text = body_of(request_text(provider, &plain_upstream, &call));
    sotto_call_free(&call);
    return text;
}

static inline const char *doc_text(const yyjson_mut_doc *doc)
{
    static char text[65536];
    struct sotto_buf out;
    sotto_buf_init(&out, sizeof(text) - 1);
    text[0] = '\0';
    if (doc != NULL && sotto_json_write(doc->root, &out) == SOTTO_OK) {
        snprintf(text, sizeof(text), "%.*s", SOTTO_FMT(sotto_buf_span(&out)));
    }
    sotto_buf_free(&out);
    return text;
}

/** What a provider makes of an answer. */
static inline const char *answered(const struct sotto_provider *provider, const char *body)
{
    struct sotto_call call;
    struct sotto_problem problem = {0};
    yyjson_mut_doc *doc = NULL;
    static char failed[64];
    call_with(&call, "{\"model\":\"m\"}");
    enum sotto_err err = provider->answer(&call, sotto_span_str(body), &doc, &problem);
    sotto_call_free(&call);
    if (err != SOTTO_OK) {
        snprintf(failed, sizeof(failed), "error %d, status %d", (int)err, problem.status);
        return failed;
    }
    const char *text = doc_text(doc);
    sotto_json_free(doc);
    return text;
}

static inline const char *error_text(const struct sotto_provider *provider, int status,
                                     const char *body)
{
    yyjson_mut_doc *doc = NULL;
    if (provider->error(status, sotto_span_str(body), &doc) != SOTTO_OK) {
        return "no memory";
    }
    const char *text = doc_text(doc);
    sotto_json_free(doc);
    return text;
}

/** What came out of a stream: a line for each chunk, then how it ended. */
struct streamed {
    char text[65536];
    size_t len;
};

static inline enum sotto_err keep_chunk(void *ctx, yyjson_mut_doc *chunk)
{
    struct streamed *s = ctx;
    int n = snprintf(s->text + s->len, sizeof(s->text) - s->len, "%s\n", doc_text(chunk));
    s->len += n > 0 ? (size_t)n : 0;
    sotto_json_free(chunk);
    return SOTTO_OK;
}

/**
 * Feeds events to a provider.  Each is data, or "name|data"; ends with NULL.  Then the connection
 * ends, unless the provider said that it is done.
 */
static inline const char *stream_text(const struct sotto_provider *provider, int choices,
                                      const char *const *events)
{
    static struct streamed s;
    struct sotto_call call;
    struct sotto_provider_stream *stream = NULL;
    yyjson_mut_doc *error = NULL;
    bool done = false;
    s.len = 0;
    s.text[0] = '\0';
    call_with(&call, "{\"stream\":true}");
    call.choices = choices;
    enum sotto_err err = provider->stream_new(&call, &stream);
    for (size_t i = 0; events[i] != NULL && err == SOTTO_OK && !done; i++) {
        const char *bar = strchr(events[i], '|');
        bool named = bar != NULL && events[i][0] != '{';
        sotto_span name = named ? sotto_span_init(events[i], (size_t)(bar - events[i]))
                                : sotto_span_init(NULL, 0);
        sotto_span data = sotto_span_str(named ? bar + 1 : events[i]);
        err = provider->stream_event(stream, name, data, keep_chunk, &s, &done, &error);
    }
    const char *how = done ? "done" : NULL;
    if (err == SOTTO_OK && !done) {
        err = provider->stream_end(stream, keep_chunk, &s, &done);
        how = done ? "completed" : "cut";
    }
    if (err != SOTTO_OK) {
        snprintf(s.text + s.len, sizeof(s.text) - s.len, "error %d %s", (int)err, doc_text(error));
    } else {
        snprintf(s.text + s.len, sizeof(s.text) - s.len, "%s", how);
    }
    sotto_json_free(error);
    provider->stream_free(stream);
    sotto_call_free(&call);
    return s.text;
}

#define STREAM(provider, choices, ...)                                                             \
    stream_text(provider, choices, (const char *const[]){__VA_ARGS__, NULL})

#define IS_STR(got, want, ...)                                                                     \
    do {                                                                                           \
        const char *str_ = (got);                                                                  \
        IS_TEXT(str_, str_ != NULL ? strlen(str_) : 0, want, __VA_ARGS__);                         \
    } while (0)

static inline enum sotto_err drop_chunk(void *ctx, yyjson_mut_doc *chunk)
{
    (void)ctx;
    sotto_json_free(chunk);
    return SOTTO_OK;
}

/** Feeds events, which are to be understood, with one allocation failing. */
static inline enum sotto_err stream_with_fault(const struct sotto_provider *provider,
                                               const char *const *events, size_t fault)
{
    struct sotto_call call;
    struct sotto_provider_stream *stream = NULL;
    yyjson_mut_doc *error = NULL;
    bool done = false;
    call_with(&call, "{}");
    sotto_alloc_set_fault(fault);
    enum sotto_err err = provider->stream_new(&call, &stream);
    for (size_t i = 0; err == SOTTO_OK && events[i] != NULL; i++) {
        const char *bar = strchr(events[i], '|');
        bool named = bar != NULL && events[i][0] != '{';
        err = provider->stream_event(stream, SOTTO_LIT(""),
                                     sotto_span_str(named ? bar + 1 : events[i]), drop_chunk, NULL,
                                     &done, &error);
    }
    sotto_alloc_set_fault(0);
    OK(error == NULL, "no error of the upstream");
    provider->stream_free(stream);
    sotto_call_free(&call);
    return err;
}

/** Fails each allocation of `provider`'s request, answer and stream once. */
static inline void fail_allocations(const struct sotto_provider *provider, const char *body,
                                    const char *answer, const char *const *events)
{
    for (size_t n = 1, failed = 1; failed != 0; n++) {
        struct sotto_call call;
        struct sotto_problem problem;
        struct sotto_buf out;
        call_with(&call, body);
        sotto_buf_init(&out, SOTTO_BUF_UNBOUNDED);
        sotto_alloc_set_fault(n);
        enum sotto_err err =
            provider->request(&plain_upstream, &call, SOTTO_LIT("theirs"), &out, &problem);
        sotto_alloc_set_fault(0);
        OK(err == SOTTO_OK || (err == SOTTO_ENOMEM && out.len == 0),
           "a request without allocation %zu", n);
        failed = err != SOTTO_OK;
        sotto_buf_free(&out);
        sotto_call_free(&call);
    }
    for (size_t n = 1, failed = 1; failed != 0; n++) {
        struct sotto_call call;
        struct sotto_problem problem;
        yyjson_mut_doc *doc = NULL;
        call_with(&call, "{}");
        sotto_alloc_set_fault(n);
        enum sotto_err err = provider->answer(&call, sotto_span_str(answer), &doc, &problem);
        sotto_alloc_set_fault(0);
        OK(err == SOTTO_OK || (err == SOTTO_ENOMEM && doc == NULL),
           "an answer without allocation %zu", n);
        failed = err != SOTTO_OK;
        sotto_json_free(doc);
        sotto_call_free(&call);
    }
    for (size_t n = 1;; n++) {
        enum sotto_err err = stream_with_fault(provider, events, n);
        OK(err == SOTTO_OK || err == SOTTO_ENOMEM, "a stream without allocation %zu", n);
        if (err == SOTTO_OK) {
            break;
        }
    }
}

#endif
