/* SPDX-License-Identifier: Apache-2.0 */

/* The limits' side of fleet/fleet.h: what limits.lua is asked and answers. */

#include "base/alloc.h"
#include "fleet/fleet_state.h"
#include "sys/log.h"

/* Integers of an answer to reserve and extend. */
enum limits_answer {
    LIMITS_VERDICT,
    LIMITS_MS,
    LIMITS_MONTH,
    LIMITS_STEP,
    LIMITS_REQUESTS_LEFT,
    LIMITS_REQUESTS_RESET,
    LIMITS_TOKENS_LEFT,
    LIMITS_TOKENS_RESET,
    LIMITS_WAIT,
    LIMITS_TOKENS,
    LIMITS_COST,
    LIMITS_COUNT,
};

struct fleet_settlement {
    struct sotto_valkey_call call; /* first */
    struct sotto_fleet *fleet;
    struct fleet_settlement *next;
    uint64_t number;
    struct sotto_fleet_share share;
    struct sotto_use used;
    bool under_way;
    bool forgotten; /* no longer in the list: freed when its call ends */
};

/* --- asking ------------------------------------------------------------------------------------ */

static void add_names(struct fleet_words *w, const struct sotto_fleet *fleet, const char *id)
{
    sotto_span prefix = fleet->options->prefix;
    fleet_add_text(w, "%.*slimit:{%.*s}", SOTTO_FMT(prefix), SOTTO_KEY_ID_LEN, id);
    fleet_add_text(w, "%.*sheld:{%.*s}", SOTTO_FMT(prefix), SOTTO_KEY_ID_LEN, id);
}

static void add_quota(struct fleet_words *w, const struct sotto_key_quota *quota)
{
    fleet_add_number(w, quota->requests_per_minute);
    fleet_add_number(w, quota->tokens_per_minute);
    fleet_add_number(w, quota->monthly_requests);
    fleet_add_number(w, quota->monthly_tokens);
    fleet_add_number(w, quota->monthly_cost_nano);
}

static uint64_t positive(int64_t n)
{
    return n > 0 ? (uint64_t)n : 0;
}

static uint32_t as_ms(int64_t n)
{
    return n < 0 ? 0 : n > INT32_MAX ? INT32_MAX : (uint32_t)n;
}

/* The integers of an answer; false: it is none. */
static bool read_answer(const struct sotto_resp_reply *reply, int64_t out[LIMITS_COUNT])
{
    if (reply->value.kind != SOTTO_RESP_LIST || reply->count != LIMITS_COUNT) {
        return false;
    }
    for (size_t i = 0; i < LIMITS_COUNT; i++) {
        if (reply->items[i].kind != SOTTO_RESP_INT) {
            return false;
        }
        out[i] = reply->items[i].number;
    }
    return out[LIMITS_VERDICT] >= SOTTO_LIMIT_OK && out[LIMITS_VERDICT] <= SOTTO_LIMIT_MONTH;
}

/* Reads an answer and describes it in the call. */
static enum sotto_err take_answer(struct sotto_fleet_call *call, enum sotto_err err,
                                  const struct sotto_resp_reply *reply, int64_t n[LIMITS_COUNT])
{
    if (err != SOTTO_OK || !read_answer(reply, n)) {
        return err != SOTTO_OK ? err : SOTTO_EIO;
    }
    call->verdict = (enum sotto_limit_verdict)n[LIMITS_VERDICT];
    call->state = (struct sotto_limit_state){
        .requests = {call->quota->requests_per_minute, positive(n[LIMITS_REQUESTS_LEFT]),
                     as_ms(n[LIMITS_REQUESTS_RESET])},
        .tokens = {call->quota->tokens_per_minute, positive(n[LIMITS_TOKENS_LEFT]),
                   as_ms(n[LIMITS_TOKENS_RESET])},
        .retry_after_s = call->verdict == SOTTO_LIMIT_MONTH ? sotto_month_rest_s(n[LIMITS_MS])
                                                            : (as_ms(n[LIMITS_WAIT]) + 999) / 1000,
    };
    return SOTTO_OK;
}

static void reserved(struct sotto_valkey_call *link, enum sotto_err err,
                     const struct sotto_resp_reply *reply)
{
    struct sotto_fleet_call *call = (struct sotto_fleet_call *)link;
    int64_t n[LIMITS_COUNT];
    err = take_answer(call, err, reply, n);
    if (err == SOTTO_OK && call->verdict == SOTTO_LIMIT_OK) {
        call->share->taken = true;
        call->share->month = (int32_t)n[LIMITS_MONTH];
        call->share->request_step = n[LIMITS_STEP];
    }
    fleet_end(link, err);
}

enum sotto_err sotto_fleet_reserve(struct sotto_fleet *fleet, struct sotto_fleet_call *call,
                                   sotto_fleet_fn *fn, sotto_span id,
                                   const struct sotto_key_quota *quota, int32_t month,
                                   const struct sotto_use *known, struct sotto_fleet_share *share)
{
    struct fleet_words w = {.count = 0};
    *share = (struct sotto_fleet_share){.serial = ++fleet->serial};
    memcpy(share->id, id.base, sizeof(share->id));
    *call = (struct sotto_fleet_call){.fleet = fleet, .fn = fn, .share = share, .quota = quota};
    fleet_add_script(&w, FLEET_LIMITS, 2);
    add_names(&w, fleet, share->id);
    fleet_add(&w, SOTTO_LIT("reserve"));
    add_quota(&w, quota);
    fleet_add_text(&w, "%s", fleet->options->name);
    fleet_add_number(&w, positive(month));
    fleet_add_number(&w, positive(known->requests));
    fleet_add_number(&w, positive(known->prompt_tokens + known->completion_tokens));
    fleet_add_number(&w, positive(known->cost_nano));
    return fleet_send(fleet, &call->link, reserved, &w);
}

static void extended(struct sotto_valkey_call *link, enum sotto_err err,
                     const struct sotto_resp_reply *reply)
{
    struct sotto_fleet_call *call = (struct sotto_fleet_call *)link;
    int64_t n[LIMITS_COUNT];
    err = take_answer(call, err, reply, n);
    if (err == SOTTO_OK) {
        call->share->taken = call->verdict == SOTTO_LIMIT_OK;
        call->share->token_step = n[LIMITS_STEP];
        call->share->tokens = positive(n[LIMITS_TOKENS]);
        call->share->cost_nano = positive(n[LIMITS_COST]);
    }
    fleet_end(link, err);
}

enum sotto_err sotto_fleet_extend(struct sotto_fleet *fleet, struct sotto_fleet_call *call,
                                  sotto_fleet_fn *fn, const struct sotto_key_quota *quota,
                                  const struct sotto_limit_ask *ask,
                                  struct sotto_fleet_share *share)
{
    struct fleet_words w = {.count = 0};
    *call = (struct sotto_fleet_call){.fleet = fleet, .fn = fn, .share = share, .quota = quota};
    fleet_add_script(&w, FLEET_LIMITS, 2);
    add_names(&w, fleet, share->id);
    fleet_add(&w, SOTTO_LIT("extend"));
    add_quota(&w, quota);
    fleet_add_text(&w, "%s-%llu", fleet->thread, (unsigned long long)share->serial);
    fleet_add_number(&w, ask->tokens);
    fleet_add_number(&w, ask->spare_tokens);
    fleet_add_number(&w, ask->cost_nano);
    fleet_add_number(&w, ask->spare_cost_nano);
    fleet_add_number(&w, positive(fleet->options->hold_ms));
    fleet_add_number(&w, positive(share->month));
    fleet_add_number(&w, positive(share->request_step));
    return fleet_send(fleet, &call->link, extended, &w);
}

/* --- settling ---------------------------------------------------------------------------------- */

static void take_first(struct sotto_fleet *fleet)
{
    fleet->first = fleet->first->next;
    fleet->last = fleet->first != NULL ? fleet->last : NULL;
    fleet->settlements--;
}

/* Answers come in the order of the questions, so what was told is the oldest one. */
static void settled(struct sotto_valkey_call *link, enum sotto_err err,
                    const struct sotto_resp_reply *reply)
{
    struct fleet_settlement *s = (struct fleet_settlement *)link;
    (void)reply;
    s->under_way = false;
    if (s->forgotten) {
        sotto_free(s);
        return;
    }
    /* An error of the server's own would come again; what is lost with a connection is told anew. */
    if ((err == SOTTO_OK || err == SOTTO_EIO) && s == s->fleet->first) {
        take_first(s->fleet);
        sotto_free(s);
    }
}

static enum sotto_err tell(struct sotto_fleet *fleet, struct fleet_settlement *s)
{
    struct fleet_words w = {.count = 0};
    const struct sotto_fleet_share *share = &s->share;
    fleet_add_script(&w, FLEET_LIMITS, 3);
    add_names(&w, fleet, share->id);
    fleet_add_text(&w, "%.*ssettled:%s", SOTTO_FMT(fleet->options->prefix), fleet->thread);
    fleet_add(&w, SOTTO_LIT("settle"));
    fleet_add_number(&w, s->number);
    fleet_add_text(&w, "%s-%llu", fleet->thread, (unsigned long long)share->serial);
    fleet_add_number(&w, positive(share->month));
    fleet_add_number(&w, positive(share->token_step));
    fleet_add_number(&w, share->tokens);
    fleet_add_number(&w, share->cost_nano);
    fleet_add_number(&w, positive(s->used.requests));
    fleet_add_number(&w, positive(s->used.prompt_tokens + s->used.completion_tokens));
    fleet_add_number(&w, positive(s->used.cost_nano));
    enum sotto_err err = fleet_send(fleet, &s->call, settled, &w);
    s->under_way = err == SOTTO_OK;
    return err;
}

void fleet_tell_settlements(struct sotto_fleet *fleet)
{
    for (struct fleet_settlement *s = fleet->first; s != NULL; s = s->next) {
        if (!s->under_way && tell(fleet, s) != SOTTO_OK) {
            return; /* with the next connection */
        }
    }
}

static void forget(struct fleet_settlement *s)
{
    if (s->under_way) {
        s->forgotten = true;
    } else {
        sotto_free(s);
    }
}

void fleet_drop_settlements(struct sotto_fleet *fleet)
{
    if (fleet->first != NULL) {
        SOTTO_LOG(SOTTO_LOG_ERROR, "use_not_shared", SOTTO_LOG_INT("requests", fleet->settlements));
    }
    while (fleet->first != NULL) {
        struct fleet_settlement *s = fleet->first;
        take_first(fleet);
        forget(s);
    }
}

void sotto_fleet_settle(struct sotto_fleet *fleet, struct sotto_fleet_share *share,
                        const struct sotto_use *used)
{
    if (!share->taken) {
        return;
    }
    struct fleet_settlement *s = sotto_calloc(1, sizeof(*s));
    if (s == NULL) { /* what it holds lapses; what it used is in the gateway's own books */
        *share = (struct sotto_fleet_share){0};
        return;
    }
    if (fleet->settlements == SOTTO_FLEET_SETTLEMENTS_MAX) {
        struct fleet_settlement *oldest = fleet->first;
        take_first(fleet);
        forget(oldest);
    }
    s->fleet = fleet;
    s->number = ++fleet->settled_number;
    s->share = *share;
    s->used = *used;
    if (fleet->last != NULL) {
        fleet->last->next = s;
    } else {
        fleet->first = s;
    }
    fleet->last = s;
    fleet->settlements++;
    *share = (struct sotto_fleet_share){0};
    if (sotto_valkey_is_open(fleet->link)) {
        sotto_ignore(tell(fleet, s)); /* with the next connection */
    }
}
