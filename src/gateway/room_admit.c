/* SPDX-License-Identifier: Apache-2.0 */

#include <stdio.h>

#include "base/alloc.h"
#include "dialects/table.h"
#include "gateway/room_presidio.h"
#include "gateway/room_stream.h"
#include "sys/clock.h"

/* When to come again while keys cannot be checked. */
#define ADMIT_RETRY_S 2

/* Who may call a route. */
enum admit_who {
    ADMIT_KEYS,   /* whoever has a key */
    ADMIT_MODELS, /* the same, and everybody under `models.public` */
    ADMIT_LOG,    /* administrators, and everybody under `audit.public` */
    ADMIT_VKEY,   /* whoever has a key, and everybody under `audit.public` */
    ADMIT_ADMINS,
};

/* What may be called, by whatever dialect. */
struct admit_route {
    const char *path; /* a trailing slash: anything below */
    const char *methods;
    enum admit_who who;
    bool of_log; /* gateway/room_log.h serves it */
};

static const struct admit_route routes[] = {
    {"/v1/chat/completions", "POST", ADMIT_KEYS, false},
    {"/v1/embeddings", "POST", ADMIT_KEYS, false},
    {"/v1/models", "GET", ADMIT_MODELS, false},
    {"/v1/models/", "GET", ADMIT_MODELS, false},
    {"/v1/ai/completions", "POST", ADMIT_KEYS, false},
    {"/v1/ai/models", "GET", ADMIT_KEYS, false},
    {"/v1/audit/", "GET", ADMIT_KEYS, true},
    {"/log/cosignatures", "POST", ADMIT_ADMINS, true},
    {"/log/vkey", "GET", ADMIT_VKEY, true},
    {"/log/", "GET", ADMIT_LOG, true},
    {"/", "GET", ADMIT_KEYS, false}, /* the front answers it: see gateway/pages.h */
};

static const struct admit_route *find_route(sotto_span path)
{
    for (size_t i = 0; i < SOTTO_COUNT(routes); i++) {
        sotto_span want = sotto_span_str(routes[i].path);
        bool below = want.len > 1 && sotto_span_ends(want, SOTTO_LIT("/"));
        if (below ? sotto_span_starts(path, want) && path.len > want.len
                  : sotto_span_eq(path, want)) {
            return &routes[i];
        }
    }
    return NULL;
}

/* What somebody meant who asked for a path that is none, as far as one can tell. */
static const char *route_hint(sotto_span path)
{
    static const char *const of_admin[] = {"/livez", "/readyz", "/metrics", "/health", "/admin/"};
    static const char *const without_v1[] = {"/chat/completions", "/embeddings", "/models"};
    for (size_t i = 0; i < SOTTO_COUNT(of_admin); i++) {
        if (sotto_span_starts(path, sotto_span_str(of_admin[i]))) {
            return "Health, metrics and administration are on the admin listener "
                   "(127.0.0.1:8485 unless configured).";
        }
    }
    for (size_t i = 0; i < SOTTO_COUNT(without_v1); i++) {
        if (sotto_span_starts(path, sotto_span_str(without_v1[i]))) {
            return "The base URL ends in /v1: http://HOST:PORT/v1.";
        }
    }
    if (sotto_span_starts(path, SOTTO_LIT("/v1/v1/"))) {
        return "The client adds /v1 itself: leave it out of the base URL.";
    }
    return "Chat completions are POST /v1/chat/completions, models GET /v1/models.";
}

/* The route of a profile in the words of this file. */
static const struct admit_route *seal_route(const struct sotto_seal_route *of)
{
    static const struct admit_route post = {.methods = "POST"}, get = {.methods = "GET"};
    return strcmp(of->method, "POST") == 0 ? &post : &get;
}

static enum sotto_err check_route(struct room_stream *s, const struct sotto_http_head *head,
                                  const struct admit_route **route)
{
    static const struct admit_route presidio = {.path = "/presidio/"};
    if (s->dialect == &room_presidio_face) {
        *route = &presidio;
        return room_presidio_route(s, head);
    }
    *route = s->seal.route != NULL ? seal_route(s->seal.route) : find_route(sotto_http_path(head));
    s->refusal = SOTTO_REFUSE_PROBLEM;
    if (*route == NULL) {
        bool sealing = sotto_seal_is_privatemode(head);
        sotto_problem_set(&s->problem, sealing ? 501 : 404, "invalid_request_error", "unknown_url",
                          NULL, "There is no such route. %s", route_hint(sotto_http_path(head)));
        enum sotto_err err =
            sealing ? sotto_buf_append(&s->pass, SOTTO_LIT(SOTTO_PRIVATEMODE_CLEAR)) : SOTTO_OK;
        return err == SOTTO_OK ? SOTTO_EINVAL : err;
    }
    if (!sotto_span_eq(head->method, sotto_span_str((*route)->methods))) {
        sotto_problem_set(&s->problem, 405, "invalid_request_error", "method_not_allowed", NULL,
                          "This route takes %s.", (*route)->methods);
        sotto_ignore(sotto_buf_printf(&s->pass, "Allow: %s\r\n", (*route)->methods)); /* a hint */
        return SOTTO_EINVAL;
    }
    s->of_log = (*route)->of_log;
    return SOTTO_OK;
}

/* The newest keys as far as this thread has them; SOTTO_ESTATE: there are newer ones on disk. */
static enum sotto_err newest_keys(struct room_stream *s)
{
    struct sotto_room *room = s->room;
    const struct sotto_room_host *host = &room->options.host;
    const struct sotto_key_table *table = sotto_key_slot_get(room->options.keys, &room->table);
    if (!host->keys_trusted(host->ctx)) {
        s->refusal = SOTTO_REFUSE_PROBLEM;
        sotto_problem_set(&s->problem, 503, "server_error", "keys_unavailable", NULL,
                          "API keys cannot be checked at the moment. Try again in %d s.",
                          ADMIT_RETRY_S);
        s->problem.retry_after_s = ADMIT_RETRY_S;
        s->problem.should_retry = 1;
        return SOTTO_EIO;
    }
    if (sotto_key_table_generation(table) < host->key_generation(host->ctx)) {
        return SOTTO_ESTATE;
    }
    sotto_key_table_unref(s->table); /* of an earlier try */
    s->table = sotto_key_table_ref(room->table);
    return SOTTO_OK;
}

/* What was wrong with a key; says nothing of its text but what form it has. */
static const char *key_hint(sotto_span text)
{
    if (text.len == 0) {
        return "No API key was given, or several that differ. Send a gateway key (ql_...) as "
               "`Authorization: Bearer`.";
    }
    if (!sotto_span_starts(text, SOTTO_LIT("ql_"))) {
        return "This is not a key of a gateway: those begin with ql_. A provider's key belongs "
               "into the gateway's environment, not into the client. `sotto keys create` makes a "
               "gateway key.";
    }
    return "The API key is not one of this gateway, or it has expired or was revoked. `sotto keys "
           "list` shows those that are valid, `sotto keys create` makes another one.";
}

/* A secret that an authenticated client exchanged speaks for his key, as long as that one works. */
static enum sotto_err verify_owner(struct room_stream *s)
{
    const struct sotto_key_row *row = sotto_key_table_find(s->table, room_seal_owner(s));
    if (row == NULL || !sotto_key_works(&row->key, sotto_wall_s())) {
        return room_seal_refuse(s);
    }
    s->key = row;
    return SOTTO_OK;
}

static enum sotto_err verify_key(struct room_stream *s, sotto_span text)
{
    bool sealed = s->seal.profile != NULL && s->seal.route == NULL;
    s->seal.keyed = text.len != 0;
    if (sealed && text.len == 0) {
        return verify_owner(s);
    }
    s->refusal = SOTTO_REFUSE_KEY;
    enum sotto_err err = sotto_key_table_verify(s->table, text, sotto_wall_s(), &s->key);
    if (err == SOTTO_EAUTH) {
        sotto_problem_set(&s->problem, 401, "invalid_request_error", "invalid_api_key", NULL, "%s",
                          key_hint(text));
    }
    return err;
}

static bool may_lack_key(const struct room_stream *s, const struct sotto_http_head *head,
                         const struct admit_route *route)
{
    if (s->dialect == &room_presidio_face) {
        return room_presidio_is_local(s, head);
    }
    if (s->seal.route != NULL) {
        return !s->seal.route->needs_key;
    }
    return (route->who == ADMIT_MODELS && s->setup->config->models_public) ||
           ((route->who == ADMIT_LOG || route->who == ADMIT_VKEY) && s->setup->config->audit.open);
}

static bool may_call(const struct room_stream *s, const struct admit_route *route)
{
    if (route->who == ADMIT_KEYS || route->who == ADMIT_MODELS || route->who == ADMIT_VKEY) {
        return true;
    }
    return sotto_key_is_admin(&s->key->key) ||
           (route->who == ADMIT_LOG && s->setup->config->audit.open);
}

static enum sotto_err check_key(struct room_stream *s, const struct sotto_http_head *head,
                                const struct admit_route *route)
{
    bool presidio = s->dialect == &room_presidio_face;
    char basic[SOTTO_KEY_TEXT_LEN];
    sotto_span text = presidio ? room_presidio_key(head, basic) : s->dialect->key(head);
    if (text.len == 0 && may_lack_key(s, head, route)) {
        return SOTTO_OK;
    }
    enum sotto_err err = newest_keys(s);
    if (err == SOTTO_OK) {
        err = verify_key(s, text);
    }
    sotto_wipe(basic, sizeof(basic));
    if (err != SOTTO_OK) {
        return err;
    }
    memcpy(s->record.key_id, s->key->key.id, SOTTO_KEY_ID_LEN);
    s->refusal = SOTTO_REFUSE_PROBLEM;
    if (!room_audit_ready(s)) {
        return SOTTO_EIO;
    }
    if (!sotto_key_may(&s->key->key, SOTTO_SCOPE_DIALECT, sotto_span_str(s->dialect->name))) {
        sotto_problem_set(&s->problem, 403, "invalid_request_error", "permission_denied", NULL,
                          "This API key may not use the %s interface.", s->dialect->name);
        return SOTTO_EDENIED;
    }
    if (!may_call(s, route)) {
        sotto_problem_set(&s->problem, 403, "invalid_request_error", "permission_denied", NULL,
                          "This route needs an API key with the scope admin.");
        return SOTTO_EDENIED;
    }
    return sotto_tenants_keys(s->room->tenants, s->key->key.tenant, &s->tenant);
}

/* Why a limit refuses, in the words of OpenAI's errors. */
static enum sotto_err refuse_limit(struct room_stream *s, enum sotto_limit_verdict verdict)
{
    const struct sotto_key_quota *quota = &s->key->key.quota;
    unsigned wait_s = s->limit.retry_after_s;
    s->refusal = SOTTO_REFUSE_RATE;
    switch (verdict) {
    case SOTTO_LIMIT_OK:
        return SOTTO_OK;
    case SOTTO_LIMIT_MINUTE:
        sotto_problem_set(&s->problem, 429, "requests", "rate_limit_exceeded", NULL,
                          "Rate limit reached: %llu requests a minute. Try again in %u s.",
                          (unsigned long long)quota->requests_per_minute, wait_s);
        break;
    case SOTTO_LIMIT_TOKENS:
        sotto_problem_set(&s->problem, 429, "tokens", "rate_limit_exceeded", NULL,
                          "Rate limit reached: %llu tokens a minute. Try again in %u s.",
                          (unsigned long long)quota->tokens_per_minute, wait_s);
        break;
    case SOTTO_LIMIT_HELD:
        sotto_problem_set(&s->problem, 429, "tokens", "rate_limit_exceeded", NULL,
                          "What is left of the monthly quota is reserved by requests that run. "
                          "Try again in %u s.",
                          wait_s);
        break;
    case SOTTO_LIMIT_TOO_LARGE:
        sotto_problem_set(&s->problem, 429, "tokens", "rate_limit_exceeded", NULL,
                          "The request is too large: its text and max_tokens come to more than "
                          "the %llu tokens a minute of this API key.",
                          (unsigned long long)quota->tokens_per_minute);
        s->problem.should_retry = -1;
        return SOTTO_EQUOTA;
    case SOTTO_LIMIT_MONTH:
        s->refusal = SOTTO_REFUSE_QUOTA;
        sotto_problem_set(&s->problem, 429, "insufficient_quota", "insufficient_quota", NULL,
                          "The monthly quota of this API key is used up.");
        s->problem.should_retry = -1;
        return SOTTO_EQUOTA;
    }
    s->problem.retry_after_s = (int)wait_s;
    s->problem.should_retry = 1;
    return SOTTO_EQUOTA;
}

enum sotto_err room_take(struct room_stream *s)
{
    if (s->room->options.fleet != NULL) {
        return room_fleet_knows(s, ROOM_ASK_REQUEST) ? refuse_limit(s, s->fleet.verdict)
                                                     : SOTTO_ESTATE;
    }
    return refuse_limit(s, sotto_limit_reserve(s->key->usage, &s->key->key.quota, sotto_wall_ms(),
                                               &s->reservation, &s->limit));
}

enum sotto_err room_reserve(struct room_stream *s)
{
    struct sotto_limit_ask ask;
    if (s->room->options.fleet != NULL) {
        if (room_fleet_knows(s, ROOM_ASK_NEED)) {
            return refuse_limit(s, s->fleet.verdict);
        }
        room_foresee(s, &s->fleet.need);
        return SOTTO_ESTATE;
    }
    room_foresee(s, &ask);
    return refuse_limit(s, sotto_limit_extend(&s->reservation, &s->key->key.quota, &ask,
                                              sotto_wall_ms(), &s->limit));
}

enum sotto_err room_admit(struct room_stream *s, const struct sotto_http_head *head,
                          sotto_span body)
{
    const struct admit_route *route;
    s->dialect = room_presidio_accepts(head) ? &room_presidio_face : sotto_dialect_of(head);
    enum sotto_err err = SOTTO_OK;
    if (s->dialect == &sotto_dialect_openai) {
        err = room_seal_find(s, head, body);
    }
    s->record.dialect = s->dialect->name;
    if (err == SOTTO_OK) {
        err = check_route(s, head, &route);
    }
    return err == SOTTO_OK ? check_key(s, head, route) : err;
}
