/* SPDX-License-Identifier: Apache-2.0 */

/* The profile `native` (docs/wire/native.md): the gateway's signing key, then a session. */

#include <stdio.h>

#include "base/alloc.h"
#include "client/profile.h"
#include "client/vouch.h"
#include "crypto/base64.h"
#include "crypto/random.h"
#include "http/write.h"
#include "seal/native_client.h"
#include "sys/clock.h"
#include "json/json.h"

#define NATIVE_DEPTH_MAX 8

/* Longest published key, and longest hello. */
#define NATIVE_HELLO_MAX ((size_t)256 << 10)

#define NATIVE_TYPE "application/vnd.sotto.sealed"

struct native_agreement {
    struct client_agreement base;
    uint8_t signing_key[SOTTO_ED25519_PUBLIC_BYTES];
    uint8_t nonce[SOTTO_VOUCH_NONCE_BYTES]; /* where evidence is asked for */
    enum sotto_tee tee;                     /* likewise: what vouched for the key */
    struct sotto_native_hello *hello;       /* NULL: the key is not believed yet */
};

struct native_session {
    struct client_session base;
    struct sotto_native_client *client;
};

struct native_pending {
    struct client_pending base;
    struct sotto_native_pending *pending;
};

static enum sotto_err agreement_new(struct client_agreement **out)
{
    struct native_agreement *a = sotto_calloc(1, sizeof(*a));
    if (a == NULL) {
        return SOTTO_ENOMEM;
    }
    *out = &a->base;
    return SOTTO_OK;
}

static void agreement_free(struct client_agreement *agreement)
{
    if (agreement != NULL) {
        struct native_agreement *a = SOTTO_CONTAINER(agreement, struct native_agreement, base);
        sotto_native_hello_free(a->hello);
        sotto_free(a);
    }
}

static void session_free(struct client_session *session)
{
    if (session != NULL) {
        struct native_session *s = SOTTO_CONTAINER(session, struct native_session, base);
        sotto_native_client_free(s->client);
        sotto_free(s);
    }
}

static void pending_free(struct client_pending *pending)
{
    if (pending != NULL) {
        struct native_pending *p = SOTTO_CONTAINER(pending, struct native_pending, base);
        sotto_native_pending_free(p->pending);
        sotto_free(p);
    }
}

/* --- the gateway's key ------------------------------------------------------------------------- */

static void write_target(const struct native_agreement *a, const char *route,
                         struct client_ask *ask)
{
    snprintf(ask->target, sizeof(ask->target), "%.*s%s", SOTTO_FMT(a->base.options->base_path),
             route);
}

/* With a fresh nonce where it must come with evidence. */
static bool begin(struct client_agreement *agreement, struct client_ask *ask)
{
    struct native_agreement *a = SOTTO_CONTAINER(agreement, struct native_agreement, base);
    static const char route[] = "/seal/keys?nonce=";
    char text[sizeof(route) + 2 * SOTTO_VOUCH_NONCE_BYTES] = "/seal/keys";
    if (a->base.options->evidence != NULL) {
        if (sotto_crypto_random(a->nonce, sizeof(a->nonce)) != SOTTO_OK) {
            return client_fail(agreement, "There are no random numbers.");
        }
        char *at = text + snprintf(text, sizeof(text), "%s", route);
        for (size_t i = 0; i < sizeof(a->nonce); i++) {
            snprintf(at + 2 * i, 3, "%02x", a->nonce[i]);
        }
    }
    ask->method = "GET";
    write_target(a, text, ask);
    return true;
}

/* Whether evidence vouches for the key. */
static bool check_evidence(struct native_agreement *a, yyjson_mut_val *attestation)
{
    const char *why = NULL;
    enum sotto_err err = sotto_vouch_check(a->base.options->evidence, attestation, a->signing_key,
                                           a->nonce, sotto_wall_s(), &a->tee, &why);
    return err == SOTTO_OK ||
           client_fail(&a->base, "No evidence vouches for the key of the gateway at %s: %s.",
                       a->base.gateway, why);
}

/* Whether the key is believed. */
static bool check_trust(struct native_agreement *a, yyjson_mut_val *root)
{
    static const struct client_credential key = {
        .member = SOTTO_KNOWN_SIGNING_KEY,
        .one = "signs with a key",
        .another = "signs with another key",
        .pinned = sotto_known_pinned,
    };
    return a->base.options->evidence != NULL
               ? check_evidence(a, sotto_json_get(root, "attestation"))
               : client_check_known(&a->base, &key, a->signing_key);
}

/* --- the session ------------------------------------------------------------------------------- */

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
static bool ask_session(struct native_agreement *a, yyjson_mut_val *root, struct client_ask *ask)
{
    struct sotto_buf published;
    const struct sotto_suite *suite = a->base.options->suite;
    sotto_buf_init(&published, NATIVE_HELLO_MAX);
    enum sotto_err err =
        sotto_base64_read(published_key(sotto_json_get(root, "suites"), suite), &published);
    if (err == SOTTO_OK) {
        err = sotto_native_hello(suite, sotto_buf_span(&published), &ask->body, &a->hello);
    }
    sotto_buf_free(&published);
    ask->method = "POST";
    write_target(a, "/seal/session", ask);
    return err == SOTTO_OK ||
           client_fail(&a->base, "No session can be begun with the gateway at %s: %s.",
                       a->base.gateway, sotto_err_text(err));
}

static bool take_keys(struct native_agreement *a, int status, sotto_span answer,
                      struct client_ask *ask)
{
    yyjson_mut_doc *doc = NULL;
    enum sotto_err err = sotto_json_read(answer, NATIVE_DEPTH_MAX, &doc, NULL);
    yyjson_mut_val *root = err == SOTTO_OK ? yyjson_mut_doc_get_root(doc) : NULL;
    yyjson_mut_val *key = sotto_json_get(root, "signing_key");
    bool good = status == 200 && yyjson_mut_is_str(key) &&
                sotto_base64_read_exact(sotto_json_text(key), a->signing_key,
                                        sizeof(a->signing_key)) == SOTTO_OK;
    if (!good) {
        good = client_fail(&a->base,
                           "What answers at %s is no Sotto gateway, or one that does not seal.",
                           a->base.gateway);
    } else {
        good = check_trust(a, root) && ask_session(a, root, ask);
    }
    sotto_json_free(doc);
    return good;
}

static enum sotto_err agree(struct native_agreement *a, sotto_span answer,
                            struct native_session *session)
{
    enum sotto_err err = sotto_native_agreed(a->hello, answer, a->signing_key, &session->client);
    if (err == SOTTO_OK) {
        session->base.lifetime_s = sotto_native_lifetime(session->client);
    }
    return err;
}

static bool take_session(struct native_agreement *a, int status, sotto_span answer,
                         struct client_session **out)
{
    if (client_is_key_refused(&a->base, status)) {
        return false;
    }
    struct native_session *session = sotto_calloc(1, sizeof(*session));
    enum sotto_err err = session == NULL ? SOTTO_ENOMEM
                         : status == 200 ? agree(a, answer, session)
                                         : SOTTO_EUPSTREAM;
    bool good = err == SOTTO_OK;
    if (!good) {
        good = client_fail(
            &a->base, "The gateway at %s does not agree on a session: %s.", a->base.gateway,
            err == SOTTO_EAUTH ? "its answer is not signed by its key" : sotto_err_text(err));
    } else if (a->base.options->evidence != NULL &&
               strcmp(sotto_native_tee(session->client), sotto_tee_name(a->tee)) != 0) {
        good = client_fail(
            &a->base, "The gateway at %s signs a session of another machine than its evidence.",
            a->base.gateway);
    }
    if (!good) {
        session_free(session != NULL ? &session->base : NULL);
        return false;
    }
    *out = &session->base;
    return true;
}

static bool take(struct client_agreement *agreement, int status, sotto_span answer,
                 struct client_ask *ask, struct client_session **out)
{
    struct native_agreement *a = SOTTO_CONTAINER(agreement, struct native_agreement, base);
    return a->hello == NULL ? take_keys(a, status, answer, ask)
                            : take_session(a, status, answer, out);
}

/* --- requests ---------------------------------------------------------------------------------- */

static enum sotto_err seal(struct client_session *session, const struct sotto_link_options *options,
                           const struct client_request *request, struct sotto_buf *fields,
                           struct sotto_buf *body, struct client_pending **out)
{
    const struct sotto_native_place place = {
        .method = SOTTO_LIT("POST"), .path = request->target, .model = request->model};
    struct native_pending *p = sotto_calloc(1, sizeof(*p));
    (void)options;
    if (p == NULL) {
        return SOTTO_ENOMEM;
    }
    p->base.profile = &sotto_client_profile_native;
    enum sotto_err err =
        sotto_native_request(SOTTO_CONTAINER(session, struct native_session, base)->client, &place,
                             request->text, body, &p->pending);
    if (err == SOTTO_OK) {
        err = sotto_http_write_field(fields, "Content-Type", SOTTO_LIT(NATIVE_TYPE));
    }
    if (err != SOTTO_OK) {
        pending_free(&p->base);
        return err;
    }
    *out = &p->base;
    return SOTTO_OK;
}

static bool is_sealed(const struct sotto_http_head *head)
{
    return client_is_type(head, NATIVE_TYPE);
}

static enum sotto_err whole(struct client_pending *pending, int status, sotto_span body,
                            struct sotto_buf *text)
{
    return sotto_native_whole(SOTTO_CONTAINER(pending, struct native_pending, base)->pending,
                              status, body, text);
}

static enum sotto_err event(struct client_pending *pending, sotto_span data, bool *last,
                            struct sotto_buf *text)
{
    return sotto_native_event(SOTTO_CONTAINER(pending, struct native_pending, base)->pending, data,
                              last, text);
}

static bool is_forgotten(int status, sotto_span body)
{
    yyjson_mut_doc *doc = NULL;
    if ((status != 400 && status != 401) ||
        sotto_json_read(body, NATIVE_DEPTH_MAX, &doc, NULL) != SOTTO_OK) {
        return false;
    }
    yyjson_mut_val *error = sotto_json_get(yyjson_mut_doc_get_root(doc), "error");
    bool refused = sotto_json_is(sotto_json_get(error, "code"), "seal_refused");
    sotto_json_free(doc);
    return refused;
}

const struct sotto_client_profile sotto_client_profile_native = {
    .name = "native",
    .known_file = "known_gateways",
    .suites = true,
    .agreement_new = agreement_new,
    .agreement_free = agreement_free,
    .session_free = session_free,
    .pending_free = pending_free,
    .begin = begin,
    .take = take,
    .seal = seal,
    .is_sealed = is_sealed,
    .whole = whole,
    .event = event,
    .is_forgotten = is_forgotten,
};
