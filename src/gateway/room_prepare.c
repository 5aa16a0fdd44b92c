/* SPDX-License-Identifier: Apache-2.0 */

#include <stdio.h>

#include "gateway/room_log.h"
#include "gateway/room_presidio.h"
#include "gateway/room_stream.h"
#include "http/trace.h"
#include "policy/violation.h"
#include "sys/clock.h"

static bool is_post(const struct room_stream *s)
{
    return s->call.kind == SOTTO_CALL_CHAT || s->call.kind == SOTTO_CALL_EMBEDDINGS;
}

static enum sotto_err deny(struct room_stream *s, const char *param, const char *what)
{
    sotto_problem_set(&s->problem, 403, "invalid_request_error", "permission_denied", param,
                      "This API key may not use this %s.", what);
    return SOTTO_EDENIED;
}

/* The least strict mode of this request: the key's, else the configuration's. */
static const struct sotto_mode *least_mode(const struct room_stream *s)
{
    const struct sotto_mode *mode = NULL;
    if (s->key->key.mode.len != 0) {
        mode = sotto_modes_find(s->setup->config->privacy.modes, s->key->key.mode);
        return mode; /* NULL: a mode that the configuration no longer has; nothing passes */
    }
    return s->setup->mode;
}

/* What a dialect or the caller asks for, if it is at least as strict as `least`. */
static enum sotto_err ask_mode(struct room_stream *s, const struct sotto_mode *least)
{
    const char *fixed = s->dialect->fixed_mode;
    sotto_span asked = fixed != NULL ? sotto_span_str(fixed) : s->call.mode;
    s->mode = least;
    if (asked.len == 0) {
        return SOTTO_OK;
    }
    const struct sotto_mode *mode = sotto_modes_find(s->setup->config->privacy.modes, asked);
    if (mode == NULL) {
        sotto_problem_invalid(&s->problem, "compliance_mode",
                              "compliance_mode must be standard, hipaa, gdpr, sox or a mode of "
                              "the gateway's configuration.");
        return SOTTO_EINVAL;
    }
    if (sotto_mode_covers(mode, least)) {
        s->mode = mode;
        return SOTTO_OK;
    }
    /* NOLINTNEXTLINE(readability-suspicious-call-argument): the other way round on purpose */
    if (fixed != NULL && sotto_mode_covers(least, mode)) {
        return SOTTO_OK;
    }
    sotto_problem_invalid(&s->problem, "compliance_mode",
                          "compliance_mode is weaker than the mode of this API key, which is %.*s.",
                          SOTTO_FMT(sotto_mode_name(least)));
    return SOTTO_EINVAL;
}

static enum sotto_err decide_mode(struct room_stream *s)
{
    const struct sotto_mode *least = least_mode(s);
    if (least == NULL) {
        sotto_problem_set(&s->problem, 503, "server_error", "mode_unknown", NULL,
                          "The mode of this API key is not in the gateway's configuration.");
        return SOTTO_EINVAL;
    }
    enum sotto_err err = ask_mode(s, least);
    if (err != SOTTO_OK) {
        return err;
    }
    s->record.mode = sotto_mode_name(s->mode);
    return sotto_key_may(&s->key->key, SOTTO_SCOPE_MODE, sotto_mode_name(s->mode))
               ? SOTTO_OK
               : deny(s, "compliance_mode", "compliance mode");
}

static enum sotto_err unknown_model(struct room_stream *s)
{
    sotto_problem_set(&s->problem, 404, "invalid_request_error", "model_not_found", "model",
                      "No upstream of this gateway serves this model. GET /v1/models lists "
                      "those that are served.");
    return SOTTO_ENOTFOUND;
}

/* A caller who brings a provider's key brings OpenAI's: it must not go anywhere else. */
static const struct sotto_setup_upstream *
upstream_for_own_key(const struct room_stream *s, const struct sotto_setup_upstream *routed)
{
    if (routed->provider == NULL || sotto_span_eq(routed->wire.kind, SOTTO_LIT("openai"))) {
        return routed;
    }
    for (size_t i = 0; i < s->setup->config->upstream_count; i++) {
        if (sotto_span_eq(s->setup->upstreams[i].wire.kind, SOTTO_LIT("openai"))) {
            return &s->setup->upstreams[i];
        }
    }
    return NULL;
}

/* The sentences of all violations become the message; the first one's code, the code. */
static void add_violation(void *ctx, const struct sotto_violation *violation)
{
    struct sotto_problem *problem = ctx;
    size_t len = strlen(problem->message);
    snprintf(problem->message + len, sizeof(problem->message) - len, "%s%s", len != 0 ? " " : "",
             violation->sentence);
    problem->code = problem->code != NULL ? problem->code : violation->code;
}

static enum sotto_err judge(struct room_stream *s, const struct sotto_policy_facts *facts,
                            int status, const char *param)
{
    struct sotto_problem problem;
    sotto_problem_set(&problem, status, "invalid_request_error", NULL, param, "%s", "");
    if (sotto_policy_violations(facts, add_violation, &problem) == 0) {
        return SOTTO_OK;
    }
    s->refusal = SOTTO_REFUSE_PROBLEM;
    s->problem = problem;
    return SOTTO_EDENIED;
}

/* Whether the mode lets this upstream have anything at all. */
static enum sotto_err check_provider(struct room_stream *s)
{
    const struct sotto_config_upstream *up = s->upstream->config;
    const struct sotto_policy_facts facts = {
        .mode = s->mode,
        .require_agreements = s->setup->config->policy.require_agreements,
        .has_upstream = true,
        .trusted = up->trusted || s->upstream->provider == NULL,
        .upstream = up->name,
        .region = up->region,
        .agreements = {up->agreements.items, up->agreements.count},
    };
    return judge(s, &facts, 403, "model");
}

static enum sotto_err decide_upstream(struct room_stream *s)
{
    const struct sotto_config_model *route = sotto_config_route(s->setup->config, s->call.model);
    if (!sotto_key_may(&s->key->key, SOTTO_SCOPE_MODEL, s->call.model)) {
        return deny(s, "model", "model");
    }
    if (route == NULL) {
        return unknown_model(s);
    }
    s->route = route;
    s->upstream = &s->setup->upstreams[route->upstream];
    s->upstream_model = route->as.len != 0 ? route->as : s->call.model;
    if (s->call.upstream_key.len != 0) {
        s->upstream = upstream_for_own_key(s, s->upstream);
        if (s->upstream == NULL) {
            return unknown_model(s);
        }
    }
    s->record.upstream = s->upstream->wire.name;
    enum sotto_err err = check_provider(s);
    if (err != SOTTO_OK) {
        return err;
    }
    s->record.provider = s->upstream->wire.kind;
    s->record.model = route->name;
    s->record.operation = s->call.kind == SOTTO_CALL_EMBEDDINGS ? "embeddings" : "chat";
    if (s->call.model.len <= SOTTO_RECORD_MODEL_MAX) {
        memcpy(s->record.asked_model, s->call.model.base, s->call.model.len);
    }
    return SOTTO_OK;
}

/* x-sotto-style, where the key leaves it open; else the key's, else the configuration's. */
static enum sotto_err decide_style(struct room_stream *s, const struct sotto_http_head *head,
                                   enum sotto_style *style)
{
    sotto_span asked = sotto_http_get(head, "x-sotto-style"), fixed = s->key->key.style;
    *style = s->setup->style;
    if (fixed.len != 0 && !sotto_style_parse(fixed, style)) {
        sotto_problem_set(&s->problem, 503, "server_error", "style_unknown", NULL,
                          "The token style of this API key is not one of this gateway.");
        return SOTTO_EINVAL;
    }
    if (asked.len == 0 || sotto_span_eq(asked, fixed)) {
        return SOTTO_OK;
    }
    if (fixed.len != 0) {
        sotto_problem_invalid(&s->problem, "x-sotto-style",
                              "x-sotto-style is not the style of this API key, which is %.*s.",
                              SOTTO_FMT(fixed));
        return SOTTO_EINVAL;
    }
    if (!sotto_style_parse(asked, style)) {
        sotto_problem_invalid(&s->problem, "x-sotto-style",
                              "x-sotto-style is not a token style of this gateway.");
        return SOTTO_EINVAL;
    }
    return SOTTO_OK;
}

/* Text goes out as it is to an upstream of our own, or where the caller may ask for that. */
static enum sotto_err begin_masking(struct room_stream *s, const struct sotto_http_head *head)
{
    if (s->upstream->wire.trusted) {
        return SOTTO_OK;
    }
    if (s->seal.exchange != NULL && !s->key->key.anonymize &&
        sotto_span_eq(sotto_mode_name(s->mode), SOTTO_LIT("standard"))) {
        return SOTTO_OK; /* the key says so; a stricter mode counts for more */
    }
    if (!s->call.anonymize) {
        if (sotto_span_eq(sotto_mode_name(s->mode), SOTTO_LIT("standard"))) {
            return SOTTO_OK;
        }
        sotto_problem_set(&s->problem, 400, "invalid_request_error", "anonymize_required",
                          "anonymize", "The anonymize field must be true in the mode %.*s.",
                          SOTTO_FMT(sotto_mode_name(s->mode)));
        return SOTTO_EINVAL;
    }
    s->masking_options = (struct sotto_masking_options){
        .detector = s->setup->detector,
        .mode = s->mode,
        .keys = &s->tenant,
        .pass_user = s->setup->config->privacy.user_passes,
        .max_depth = s->setup->config->limits.depth,
        .cache = s->setup->cache,
        .now_ms = sotto_clock_ms(),
    };
    enum sotto_err err = decide_style(s, head, &s->masking_options.style);
    if (err != SOTTO_OK) {
        return err;
    }
    return sotto_masking_new(&s->call, &s->masking_options, s->job, &s->masking, &s->problem);
}

/* The trace goes on at the provider; what only means something to the caller's own systems does so
 * at an upstream of our own. */
static enum sotto_err take_trace(struct room_stream *s, const struct sotto_http_head *head)
{
    sotto_span parent = sotto_http_get(head, "traceparent");
    sotto_span state = sotto_http_get(head, "tracestate");
    if (!sotto_trace_parent_valid(parent, NULL)) {
        return SOTTO_OK;
    }
    enum sotto_err err = sotto_arena_copy(&s->call.arena, parent, &s->call.trace_parent);
    if (err == SOTTO_OK && sotto_trace_state_valid(state)) {
        err = sotto_arena_copy(&s->call.arena, state, &s->call.trace_state);
    }
    return err;
}

/* Opens the request and reads what was sealed. */
static enum sotto_err read_sealed(struct room_stream *s, const struct sotto_http_head *head,
                                  sotto_span body)
{
    enum sotto_err err = room_seal_open(s, head, body);
    if (err == SOTTO_OK && !room_fleet_knows(s, ROOM_ASK_ONCE)) {
        return SOTTO_ESTATE;
    }
    if (err == SOTTO_OK) {
        err = s->dialect->read(head, sotto_buf_span(&s->seal.plain), s->setup->config->limits.depth,
                               &s->call, &s->problem);
    }
    sotto_buf_free(&s->seal.plain);
    return err == SOTTO_OK ? room_seal_check(s) : err;
}

/* Reads a request, and decides its mode and where it goes. */
static enum sotto_err read_request(struct room_stream *s, const struct sotto_http_head *head,
                                   sotto_span body)
{
    bool sealed = s->seal.profile != NULL;
    enum sotto_err err = sealed ? read_sealed(s, head, body)
                                : s->dialect->read(head, body, s->setup->config->limits.depth,
                                                   &s->call, &s->problem);
    if (err != SOTTO_OK || !is_post(s)) {
        return err;
    }
    sotto_span explain = sotto_http_get(head, "x-sotto-explain");
    bool extras = sealed ? s->seal.profile->extras : s->dialect->extras;
    s->call.explain = extras && sotto_span_eq(explain, SOTTO_LIT("1"));
    s->record.stream = s->call.stream;
    err = take_trace(s, head);
    if (err != SOTTO_OK) {
        return err;
    }
    err = decide_mode(s);
    if (err == SOTTO_OK) {
        err = decide_upstream(s);
    }
    return err;
}

enum sotto_err room_read(struct room_stream *s, const struct sotto_http_head *head, sotto_span body)
{
    s->refusal = SOTTO_REFUSE_PROBLEM;
    if (s->dialect == &room_presidio_face) {
        return room_presidio_read(s, head, body);
    }
    if (s->of_log) {
        return room_log_read(s, head, body);
    }
    enum sotto_err err = s->read ? SOTTO_OK : read_request(s, head, body);
    s->read = err == SOTTO_OK;
    if (err != SOTTO_OK || !is_post(s)) {
        return err;
    }
    err = room_reserve(s);
    if (err == SOTTO_OK) {
        s->refusal = SOTTO_REFUSE_PROBLEM;
        err = begin_masking(s, head);
    }
    return err;
}

bool room_has_text(const struct room_stream *s)
{
    return s->masking != NULL || s->presidio != NULL;
}

/* What the mode blocks was found: all of it is told, and nothing is sent. */
static enum sotto_err refuse_blocked(struct room_stream *s)
{
    s->record.counts = *sotto_masking_counts(s->masking);
    const struct sotto_policy_facts facts = {.mode = s->mode, .blocked = s->record.counts.blocked};
    return judge(s, &facts, 400, "messages");
}

enum sotto_err room_mask(struct room_stream *s, size_t budget, bool *done)
{
    if (s->presidio != NULL) {
        return sotto_presidio_step(s->presidio, budget, done);
    }
    enum sotto_err err = sotto_masking_step(s->masking, budget, done);
    if (err == SOTTO_EDENIED) {
        return refuse_blocked(s);
    }
    if (err != SOTTO_OK || !*done) {
        return err;
    }
    s->record.counts = *sotto_masking_counts(s->masking);
    sotto_span user = sotto_masking_user(s->masking);
    if (user.len != 0) {
        memcpy(s->record.user, user.base, user.len);
    }
    s->explanation = sotto_masking_take_explanation(s->masking);
    if (s->record.counts.replaced_total != 0) {
        s->vault = sotto_masking_take_vault(s->masking);
    }
    sotto_masking_free(s->masking);
    s->masking = NULL;
    s->record.masked_us = sotto_clock_us();
    return SOTTO_OK;
}

enum sotto_err room_build(struct room_stream *s)
{
    if (s->presidio != NULL || s->of_log || !is_post(s) || s->upstream->provider == NULL) {
        return SOTTO_OK;
    }
    struct sotto_upstream upstream = s->upstream->wire;
    if (s->call.upstream_key.len != 0) {
        upstream.key = s->call.upstream_key;
    }
    s->refusal = SOTTO_REFUSE_PROBLEM;
    return s->upstream->provider->request(&upstream, &s->call, s->upstream_model, &s->request,
                                          &s->problem);
}
