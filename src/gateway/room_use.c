/* SPDX-License-Identifier: Apache-2.0 */

#include "chat/estimate.h"
#include "gateway/room_stream.h"
#include "sys/clock.h"

/*
 * What a request uses.  Before it goes out, its quotas reserve an estimate of its text and what it
 * states as the length of its answer.  At its end, whichever that is, the provider's count is
 * booked; where none came, an estimate that is marked as one.
 */

/* Tokens reserved for an answer whose length the request does not limit, for each choice. */
#define USE_SPARE_TOKENS 1024

/* A first event may hold no more text than this: {"role":"assistant"}. */
#define USE_ROLE_BYTES 9

/* Money for tokens at a price for a million, rounded up.  The limits of both keep it in range. */
static uint64_t cost_of(uint64_t tokens, uint64_t price_nano)
{
    const uint64_t million = 1000000;
    return tokens / million * price_nano + (tokens % million * price_nano + million - 1) / million;
}

static bool is_ours_to_pay(const struct room_stream *s)
{
    return s->call.upstream_key.len == 0;
}

static uint64_t input_cost(const struct room_stream *s, uint64_t tokens)
{
    return is_ours_to_pay(s) ? cost_of(tokens, s->route->input_price_nano) : 0;
}

static uint64_t output_cost(const struct room_stream *s, uint64_t tokens)
{
    return is_ours_to_pay(s) ? cost_of(tokens, s->route->output_price_nano) : 0;
}

static uint64_t lesser(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* The most tokens that the request lets each choice have; false: it does not say. */
static bool stated_length(const struct room_stream *s, uint64_t *out)
{
    static const char *const names[] = {"max_completion_tokens", "max_tokens"};
    yyjson_mut_val *root = yyjson_mut_doc_get_root(s->call.doc);
    for (size_t i = 0; i < SOTTO_COUNT(names); i++) {
        int64_t n = 0;
        if (sotto_json_int(sotto_json_get(root, names[i]), &n) == SOTTO_OK && n >= 0) {
            *out = lesser((uint64_t)n, SOTTO_ESTIMATE_MAX);
            return true;
        }
    }
    return false;
}

void room_foresee(struct room_stream *s, struct sotto_limit_ask *ask)
{
    uint64_t stated = 0, choices = s->call.choices > 0 ? (uint64_t)s->call.choices : 1;
    *ask = (struct sotto_limit_ask){0};
    s->prompt_estimate =
        sotto_estimate_tokens(sotto_estimate_bytes(yyjson_mut_doc_get_root(s->call.doc)));
    ask->tokens = s->prompt_estimate;
    ask->cost_nano = input_cost(s, s->prompt_estimate);
    if (s->call.kind == SOTTO_CALL_EMBEDDINGS) {
        return;
    }
    if (stated_length(s, &stated)) {
        stated = lesser(stated * choices, SOTTO_ESTIMATE_MAX);
        ask->tokens += stated;
        ask->cost_nano += output_cost(s, stated);
    } else {
        ask->spare_tokens = USE_SPARE_TOKENS * choices;
        ask->spare_cost_nano = output_cost(s, ask->spare_tokens);
    }
}

/* A count that no provider can mean is none. */
static void note_count(yyjson_mut_val *usage, const char *name, int64_t *out)
{
    int64_t n = 0;
    if (sotto_json_int(sotto_json_get(usage, name), &n) == SOTTO_OK && n >= 0 &&
        n <= SOTTO_ESTIMATE_MAX) {
        *out = n;
    }
}

void room_note_usage(struct room_stream *s, yyjson_mut_val *usage)
{
    note_count(usage, "prompt_tokens", &s->record.prompt_tokens);
    note_count(usage, "completion_tokens", &s->record.completion_tokens);
}

void room_note_text(struct room_stream *s, yyjson_mut_val *choices)
{
    static const char *const parts[] = {"delta", "message", "text"};
    size_t i, n;
    uint64_t before = s->answer_text_bytes;
    yyjson_mut_val *choice;
    yyjson_mut_arr_foreach(choices, i, n, choice)
    {
        for (size_t j = 0; j < SOTTO_COUNT(parts); j++) {
            s->answer_text_bytes += sotto_estimate_bytes(sotto_json_get(choice, parts[j]));
        }
    }
    if (s->call.stream && s->answer_text_bytes > before && s->answer_text_bytes > USE_ROLE_BYTES) {
        s->record.last_token_us = s->turn_us;
        s->record.first_token_us =
            s->record.first_token_us != 0 ? s->record.first_token_us : s->turn_us;
    }
}

/* What the provider's stream has told so far, where it ended before its chunk of usage. */
static void ask_reader(struct room_stream *s)
{
    struct sotto_record *r = &s->record;
    if (s->reader != NULL && s->upstream->provider->stream_usage != NULL && r->prompt_tokens < 0 &&
        r->completion_tokens < 0) {
        s->upstream->provider->stream_usage(s->reader, &r->prompt_tokens, &r->completion_tokens);
    }
}

/* Fills in what the provider did not count. */
static void estimate(struct room_stream *s)
{
    struct sotto_record *r = &s->record;
    if (r->prompt_tokens < 0) {
        r->prompt_tokens = (int64_t)s->prompt_estimate;
        r->estimated_tokens += r->prompt_tokens;
    }
    if (r->completion_tokens < 0) {
        r->completion_tokens = (int64_t)sotto_estimate_tokens(s->answer_text_bytes);
        r->estimated_tokens += r->completion_tokens;
    }
}

/* Whether the provider worked on it: it began to answer, or was waited for in vain. */
static bool was_worked_on(const struct room_stream *s)
{
    return (s->upstream_status >= 200 && s->upstream_status <= 299) || s->waited_in_vain;
}

void room_settle(struct room_stream *s)
{
    struct sotto_record *r = &s->record;
    struct sotto_use used = {.requests = s->sent ? 1 : 0};
    ask_reader(s);
    if (s->route != NULL &&
        (r->prompt_tokens >= 0 || r->completion_tokens >= 0 || was_worked_on(s))) {
        estimate(s);
        used.prompt_tokens = r->prompt_tokens;
        used.completion_tokens = r->completion_tokens;
        used.estimated_tokens = r->estimated_tokens;
        used.cost_nano = (int64_t)(input_cost(s, (uint64_t)used.prompt_tokens) +
                                   output_cost(s, (uint64_t)used.completion_tokens));
        r->cost_nano = used.cost_nano;
    }
    sotto_limit_settle(&s->reservation, &used, sotto_wall_ms());
    room_fleet_settle(s, &used);
}
