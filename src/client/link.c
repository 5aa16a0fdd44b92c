/* SPDX-License-Identifier: Apache-2.0 */

#include "client/link.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/alloc.h"
#include "client/known.h"
#include "crypto/base64.h"
#include "crypto/random.h"
#include "http/write.h"
#include "sys/clock.h"
#include "json/json.h"

/* Longest answer of the two that begin a session, and its nesting. */
#define LINK_ANSWER_MAX ((size_t)256 << 10)
#define LINK_DEPTH_MAX  8

/* The first route, and the digits of a nonce behind it. */
#define LINK_KEYS_ROUTE "/seal/keys"
#define LINK_KEYS_BYTES (sizeof(LINK_KEYS_ROUTE "?nonce=") + 2 * SOTTO_VOUCH_NONCE_BYTES)

/* A session is renewed after this part of its life. */
#define LINK_RENEW_NUMERATOR   3
#define LINK_RENEW_DENOMINATOR 4

enum link_state {
    LINK_NONE,
    LINK_KEYS,    /* GET /seal/keys is under way */
    LINK_SESSION, /* POST /seal/session is under way */
    LINK_READY,
};

struct sotto_link {
    struct sotto_link_options options;
    enum link_state state;
    struct sotto_fetch *fetch;
    int status;              /* of the answer that comes */
    struct sotto_buf answer; /* as far as it has come */
    uint8_t signing_key[SOTTO_ED25519_PUBLIC_BYTES];
    uint8_t nonce[SOTTO_VOUCH_NONCE_BYTES]; /* where evidence is asked for */
    enum sotto_tee tee;                     /* likewise: what vouched for the key */
    struct sotto_native_hello *hello;
    struct sotto_native_client *client;
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
    sotto_native_hello_free(link->hello);
    sotto_native_client_free(link->client);
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
        wish->fn(wish->ctx, link->client, why);
    }
}

static void end_try(struct sotto_link *link)
{
    sotto_native_hello_free(link->hello);
    link->hello = NULL;
    sotto_buf_free(&link->answer);
    link->fetch = NULL;
}

SOTTO_PRINTF(2, 3) static void fail(struct sotto_link *link, const char *fmt, ...)
{
    char why[SOTTO_LINK_WHY_BYTES];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(why, sizeof(why), fmt, ap);
    va_end(ap);
    end_try(link);
    link->state = LINK_NONE;
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

static enum sotto_err write_request(const struct sotto_link *link, const char *method,
                                    const char *route, sotto_span body, struct sotto_buf *out)
{
    char target[SOTTO_NATIVE_PATH_MAX];
    char bearer[256];
    snprintf(target, sizeof(target), "%.*s%s", SOTTO_FMT(link->options.base_path), route);
    int len = snprintf(bearer, sizeof(bearer), "Bearer %.*s", SOTTO_FMT(link->options.api_key));
    enum sotto_err err = sotto_http_write_request_line(out, method, sotto_span_str(target));
    if (err == SOTTO_OK) {
        err = sotto_http_write_field(out, "Host", sotto_span_str(link->gateway));
    }
    if (err == SOTTO_OK && body.len != 0 && len > 0 && (size_t)len < sizeof(bearer)) {
        err = sotto_http_write_field(out, "Authorization", sotto_span_str(bearer));
    }
    if (err == SOTTO_OK && body.len != 0) {
        err = sotto_http_write_field(out, "Content-Type", SOTTO_LIT("application/json"));
    }
    if (err == SOTTO_OK && body.len != 0) {
        err = sotto_http_write_number(out, "Content-Length", body.len);
    }
    if (err == SOTTO_OK) {
        err = sotto_http_write_head_end(out);
    }
    sotto_wipe(bearer, sizeof(bearer));
    return err == SOTTO_OK ? sotto_buf_append(out, body) : err;
}

static void ask(struct sotto_link *link, enum link_state state, const char *method,
                const char *route, sotto_span body)
{
    struct sotto_buf request;
    sotto_buf_init(&request, SOTTO_BUF_UNBOUNDED);
    enum sotto_err err = write_request(link, method, route, body, &request);
    link->state = state;
    link->status = 0;
    sotto_buf_truncate(&link->answer, 0);
    if (err == SOTTO_OK) {
        err = sotto_fetch_start(link->options.pool, &link->options.origin, sotto_buf_span(&request),
                                &handler, link, &link->fetch);
    }
    sotto_buf_free(&request);
    if (err != SOTTO_OK) {
        fail(link, "The gateway at %s cannot be asked: %s.", link->gateway, sotto_err_text(err));
    }
}

/* Asks for the gateway's key; with a fresh nonce where it must come with evidence. */
static void ask_keys(struct sotto_link *link)
{
    char route[LINK_KEYS_BYTES] = LINK_KEYS_ROUTE;
    if (link->options.evidence != NULL) {
        if (sotto_crypto_random(link->nonce, sizeof(link->nonce)) != SOTTO_OK) {
            fail(link, "There are no random numbers.");
            return;
        }
        char *at = route + snprintf(route, sizeof(route), LINK_KEYS_ROUTE "?nonce=");
        for (size_t i = 0; i < sizeof(link->nonce); i++) {
            snprintf(at + 2 * i, 3, "%02x", link->nonce[i]);
        }
    }
    ask(link, LINK_KEYS, "GET", route, SOTTO_LIT(""));
}

void sotto_link_want(struct sotto_link *link, struct sotto_link_wish *wish, sotto_link_fn *fn,
                     void *ctx)
{
    wish->fn = fn;
    wish->ctx = ctx;
    if (link->state == LINK_READY && sotto_clock_ms() < link->renew_ms) {
        fn(ctx, link->client, NULL);
        return;
    }
    add_wish(link, wish);
    if (link->state == LINK_READY || link->state == LINK_NONE) {
        sotto_link_drop(link);
        ask_keys(link);
    }
}

void sotto_link_drop(struct sotto_link *link)
{
    if (link->state == LINK_READY) {
        sotto_native_client_free(link->client);
        link->client = NULL;
        link->state = LINK_NONE;
    }
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
        fail(link, "The gateway at %s answers with more than it should.", link->gateway);
    }
}

static void on_error(void *ctx, struct sotto_fetch *fetch, enum sotto_fetch_error error,
                     const char *reason)
{
    struct sotto_link *link = ctx;
    (void)fetch;
    (void)error;
    fail(link, "The gateway at %s cannot be reached: %s.", link->gateway, reason);
}

/* Whether evidence vouches for the key; says why not. */
static bool check_evidence(struct sotto_link *link, yyjson_mut_val *attestation)
{
    const char *why = NULL;
    enum sotto_err err = sotto_vouch_check(link->options.evidence, attestation, link->signing_key,
                                           link->nonce, sotto_wall_s(), &link->tee, &why);
    if (err != SOTTO_OK) {
        fail(link, "No evidence vouches for the key of the gateway at %s: %s.", link->gateway, why);
    }
    return err == SOTTO_OK;
}

/* Whether the key is believed; says why not. */
static bool check_trust(struct sotto_link *link, yyjson_mut_val *root)
{
    const struct sotto_link_options *o = &link->options;
    if (o->evidence != NULL) {
        return check_evidence(link, sotto_json_get(root, "attestation"));
    }
    enum sotto_err err = o->pinned_path != NULL
                             ? sotto_known_pinned(o->pinned_path, link->signing_key)
                             : sotto_known_first_use(o->known_path, sotto_span_str(link->gateway),
                                                     link->signing_key, sotto_wall_s());
    const char *path = o->pinned_path != NULL ? o->pinned_path : o->known_path;
    if (err == SOTTO_EDENIED && o->pinned_path != NULL) {
        fail(link, "The gateway at %s signs with a key that is not in %s.", link->gateway, path);
    } else if (err == SOTTO_EDENIED) {
        fail(link,
             "The gateway at %s signs with another key than before: it was set up anew, or "
             "somebody is in between. If you know why, remove its line from %s.",
             link->gateway, path);
    } else if (err != SOTTO_OK) {
        fail(link, "%s cannot be used: %s.", path, sotto_err_text(err));
    }
    return err == SOTTO_OK;
}

/* The published key of a suite that needs one; empty: none. */
static sotto_span published_key(yyjson_mut_val *suites, const struct sotto_suite *suite)
{
    size_t i, n;
    yyjson_mut_val *row;
    yyjson_mut_arr_foreach(suites, i, n, row)
    {
        yyjson_mut_val *key = sotto_json_get(row, "public_key");
        if (sotto_json_is(sotto_json_get(row, "suite"), suite->name) && yyjson_mut_is_str(key)) {
            return sotto_json_text(key);
        }
    }
    return SOTTO_LIT("");
}

/* From the keys to a hello. */
static enum sotto_err begin(struct sotto_link *link, yyjson_mut_val *root)
{
    struct sotto_buf published, body;
    sotto_buf_init(&published, LINK_ANSWER_MAX);
    sotto_buf_init(&body, LINK_ANSWER_MAX);
    const struct sotto_suite *suite = link->options.suite;
    enum sotto_err err =
        sotto_base64_read(published_key(sotto_json_get(root, "suites"), suite), &published);
    if (err == SOTTO_OK) {
        err = sotto_native_hello(suite, sotto_buf_span(&published), &body, &link->hello);
    }
    if (err == SOTTO_OK) {
        ask(link, LINK_SESSION, "POST", "/seal/session", sotto_buf_span(&body));
    }
    sotto_buf_free(&published);
    sotto_buf_free(&body);
    return err;
}

static void take_keys(struct sotto_link *link)
{
    struct sotto_json_error where;
    yyjson_mut_doc *doc = NULL;
    enum sotto_err err =
        sotto_json_read(sotto_buf_span(&link->answer), LINK_DEPTH_MAX, &doc, &where);
    yyjson_mut_val *root = err == SOTTO_OK ? yyjson_mut_doc_get_root(doc) : NULL;
    yyjson_mut_val *key = sotto_json_get(root, "signing_key");
    if (link->status != 200 || !yyjson_mut_is_str(key) ||
        sotto_base64_read_exact(sotto_json_text(key), link->signing_key,
                                sizeof(link->signing_key)) != SOTTO_OK) {
        fail(link, "What answers at %s is no Sotto gateway, or one that does not seal.",
             link->gateway);
    } else if (check_trust(link, root)) {
        err = begin(link, root);
        if (err != SOTTO_OK) {
            fail(link, "No session can be begun with the gateway at %s: %s.", link->gateway,
                 sotto_err_text(err));
        }
    }
    sotto_json_free(doc);
}

static void take_session(struct sotto_link *link)
{
    if (link->status == 401 || link->status == 403) {
        fail(link, "The gateway at %s refuses the key given with --key.", link->gateway);
        return;
    }
    enum sotto_err err = link->status == 200
                             ? sotto_native_agreed(link->hello, sotto_buf_span(&link->answer),
                                                   link->signing_key, &link->client)
                             : SOTTO_EUPSTREAM;
    if (err != SOTTO_OK) {
        fail(link, "The gateway at %s does not agree on a session: %s.", link->gateway,
             err == SOTTO_EAUTH ? "its answer is not signed by its key" : sotto_err_text(err));
        return;
    }
    if (link->options.evidence != NULL &&
        strcmp(sotto_native_tee(link->client), sotto_tee_name(link->tee)) != 0) {
        sotto_native_client_free(link->client);
        link->client = NULL;
        fail(link, "The gateway at %s signs a session of another machine than its evidence.",
             link->gateway);
        return;
    }
    end_try(link);
    link->state = LINK_READY;
    link->renew_ms = sotto_clock_ms() + (int64_t)sotto_native_lifetime(link->client) * 1000 *
                                            LINK_RENEW_NUMERATOR / LINK_RENEW_DENOMINATOR;
    tell_all(link, NULL);
}

static void on_end(void *ctx, struct sotto_fetch *fetch)
{
    struct sotto_link *link = ctx;
    (void)fetch;
    link->fetch = NULL;
    if (link->state == LINK_KEYS) {
        take_keys(link);
    } else {
        take_session(link);
    }
}
