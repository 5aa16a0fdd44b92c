/* SPDX-License-Identifier: Apache-2.0 */

#include "client/link.h"

#include <stdio.h>

#include "base/alloc.h"
#include "client/profile.h"
#include "http/write.h"
#include "sys/clock.h"

/* Longest answer of those that begin a session. */
#define LINK_ANSWER_MAX ((size_t)256 << 10)

/* A session is renewed after this part of its life. */
#define LINK_RENEW_NUMERATOR   3
#define LINK_RENEW_DENOMINATOR 4

struct sotto_link {
    struct sotto_link_options options;
    struct client_agreement *agreement; /* NULL: none is under way */
    struct sotto_fetch *fetch;
    int status;                     /* of the answer that comes */
    struct sotto_buf answer;        /* as far as it has come */
    struct client_session *session; /* NULL: there is none */
    int64_t renew_ms;
    struct sotto_link_wish *first; /* in their order */
    char gateway[300];             /* "host:port" */
};

enum sotto_err sotto_link_new(const struct sotto_link_options *options, struct sotto_link **out)
{
    struct sotto_link *link = sotto_calloc(1, sizeof(*link));
    if (link == NULL) {
        return SOTTO_ENOMEM;
    }
    link->options = *options;
    sotto_buf_init(&link->answer, LINK_ANSWER_MAX);
    snprintf(link->gateway, sizeof(link->gateway), "%.*s:%u", SOTTO_FMT(options->origin.host),
             (unsigned)options->origin.port);
    *out = link;
    return SOTTO_OK;
}

void sotto_link_free(struct sotto_link *link)
{
    if (link == NULL) {
        return;
    }
    if (link->fetch != NULL) {
        sotto_fetch_cancel(link->fetch);
    }
    link->options.profile->agreement_free(link->agreement);
    link->options.profile->session_free(link->session);
    sotto_buf_free(&link->answer);
    sotto_free(link);
}

/* --- wishes ----------------------------------------------------------------------------------- */

static void add_wish(struct sotto_link *link, struct sotto_link_wish *wish)
{
    struct sotto_link_wish *last = link->first;
    while (last != NULL && last->next != NULL) {
        last = last->next;
    }
    wish->prev = last;
    wish->next = NULL;
    wish->waits = true;
    *(last != NULL ? &last->next : &link->first) = wish;
}

void sotto_link_forget(struct sotto_link *link, struct sotto_link_wish *wish)
{
    if (!wish->waits) {
        return;
    }
    wish->waits = false;
    *(wish->prev != NULL ? &wish->prev->next : &link->first) = wish->next;
    if (wish->next != NULL) {
        wish->next->prev = wish->prev;
    }
}

static void tell_all(struct sotto_link *link, const char *why)
{
    struct sotto_link_wish *wish;
    while ((wish = link->first) != NULL) {
        sotto_link_forget(link, wish);
        wish->fn(wish->ctx, link->session, why);
    }
}

static void end_try(struct sotto_link *link)
{
    link->options.profile->agreement_free(link->agreement);
    link->agreement = NULL;
    sotto_buf_free(&link->answer);
    link->fetch = NULL;
}

/* Tells those who wait the sentence that is in `agreement`. */
static void fail(struct sotto_link *link)
{
    char why[SOTTO_LINK_WHY_BYTES];
    memcpy(why, link->agreement->why, sizeof(why));
    end_try(link);
    tell_all(link, why);
}

/* --- asking ----------------------------------------------------------------------------------- */

static void on_head(void *ctx, struct sotto_fetch *fetch, int status, sotto_span head);
static void on_body(void *ctx, struct sotto_fetch *fetch, sotto_span piece);
static void on_end(void *ctx, struct sotto_fetch *fetch);
static void on_error(void *ctx, struct sotto_fetch *fetch, enum sotto_fetch_error error,
                     const char *reason);

static const struct sotto_fetch_handler handler = {
    .on_head = on_head,
    .on_body = on_body,
    .on_end = on_end,
    .on_error = on_error,
};

enum sotto_err sotto_link_write_key(const struct sotto_link_options *options, struct sotto_buf *out)
{
    char bearer[256];
    int len = snprintf(bearer, sizeof(bearer), "Bearer %.*s", SOTTO_FMT(options->api_key));
    enum sotto_err err = len > 0 && (size_t)len < sizeof(bearer)
                             ? sotto_http_write_field(out, "Authorization", sotto_span_str(bearer))
                             : SOTTO_EINVAL;
    sotto_wipe(bearer, sizeof(bearer));
    return err;
}

static enum sotto_err write_request(const struct sotto_link *link, const struct client_ask *ask,
                                    struct sotto_buf *out)
{
    bool sends = ask->body.len != 0;
    enum sotto_err err =
        sotto_http_write_request_line(out, ask->method, sotto_span_str(ask->target));
    if (err == SOTTO_OK) {
        err = sotto_http_write_field(out, "Host", sotto_span_str(link->gateway));
    }
    if (err == SOTTO_OK && sends) {
        err = sotto_link_write_key(&link->options, out);
    }
    if (err == SOTTO_OK && sends) {
        err = sotto_http_write_field(out, "Content-Type", SOTTO_LIT("application/json"));
    }
    if (err == SOTTO_OK && sends) {
        err = sotto_http_write_number(out, "Content-Length", ask->body.len);
    }
    if (err == SOTTO_OK) {
        err = sotto_http_write_head_end(out);
    }
    return err == SOTTO_OK ? sotto_buf_append(out, sotto_buf_span(&ask->body)) : err;
}

static bool send_ask(struct sotto_link *link, const struct client_ask *ask)
{
    struct sotto_buf request;
    sotto_buf_init(&request, SOTTO_BUF_UNBOUNDED);
    enum sotto_err err = write_request(link, ask, &request);
    link->status = 0;
    sotto_buf_truncate(&link->answer, 0);
    if (err == SOTTO_OK) {
        err = sotto_fetch_start(link->options.pool, &link->options.origin, sotto_buf_span(&request),
                                &handler, link, &link->fetch);
    }
    sotto_buf_free(&request);
    return err == SOTTO_OK || client_fail(link->agreement, "The gateway at %s cannot be asked: %s.",
                                          link->gateway, sotto_err_text(err));
}

static void begin(struct sotto_link *link)
{
    struct client_ask ask = {.method = "GET"};
    if (link->options.profile->agreement_new(&link->agreement) != SOTTO_OK) {
        tell_all(link, "There is no memory.");
        return;
    }
    sotto_buf_init(&ask.body, LINK_ANSWER_MAX);
    link->agreement->options = &link->options;
    link->agreement->gateway = link->gateway;
    bool asked = link->options.profile->begin(link->agreement, &ask) && send_ask(link, &ask);
    sotto_buf_free(&ask.body);
    if (!asked) {
        fail(link);
    }
}

void sotto_link_want(struct sotto_link *link, struct sotto_link_wish *wish, sotto_link_fn *fn,
                     void *ctx)
{
    wish->fn = fn;
    wish->ctx = ctx;
    if (link->session != NULL && sotto_clock_ms() < link->renew_ms) {
        fn(ctx, link->session, NULL);
        return;
    }
    add_wish(link, wish);
    if (link->agreement == NULL) {
        sotto_link_drop(link);
        begin(link);
    }
}

void sotto_link_drop(struct sotto_link *link)
{
    link->options.profile->session_free(link->session);
    link->session = NULL;
}

/* --- answers ---------------------------------------------------------------------------------- */

static void on_head(void *ctx, struct sotto_fetch *fetch, int status, sotto_span head)
{
    struct sotto_link *link = ctx;
    (void)fetch;
    (void)head;
    link->status = status;
}

static void on_body(void *ctx, struct sotto_fetch *fetch, sotto_span piece)
{
    struct sotto_link *link = ctx;
    if (sotto_buf_append(&link->answer, piece) != SOTTO_OK) {
        sotto_fetch_cancel(fetch);
        (void)client_fail(link->agreement, "The gateway at %s answers with more than it should.",
                          link->gateway);
        fail(link);
    }
}

static void on_error(void *ctx, struct sotto_fetch *fetch, enum sotto_fetch_error error,
                     const char *reason)
{
    struct sotto_link *link = ctx;
    (void)fetch;
    (void)error;
    (void)client_fail(link->agreement, "The gateway at %s cannot be reached: %s.", link->gateway,
                      reason);
    fail(link);
}

static void on_end(void *ctx, struct sotto_fetch *fetch)
{
    struct sotto_link *link = ctx;
    struct client_ask ask = {.method = "GET"};
    struct client_session *session = NULL;
    (void)fetch;
    link->fetch = NULL;
    sotto_buf_init(&ask.body, LINK_ANSWER_MAX);
    bool good = link->options.profile->take(link->agreement, link->status,
                                            sotto_buf_span(&link->answer), &ask, &session) &&
                (session != NULL || send_ask(link, &ask));
    sotto_buf_free(&ask.body);
    if (!good) {
        fail(link);
    } else if (session != NULL) {
        end_try(link);
        link->session = session;
        link->renew_ms = sotto_clock_ms() + (int64_t)session->lifetime_s * 1000 *
                                                LINK_RENEW_NUMERATOR / LINK_RENEW_DENOMINATOR;
        tell_all(link, NULL);
    }
}
