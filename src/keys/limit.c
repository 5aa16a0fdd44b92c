/* SPDX-License-Identifier: Apache-2.0 */

#include "keys/limit.h"

#include <pthread.h>

#include "base/alloc.h"
#include "keys/books.h"
#include "keys/key.h"
#include "keys/window.h"

/* Keys in the first table of a set; it doubles. */
#define LIMIT_FIRST_ROOM 64

struct sotto_usage {
    char id[SOTTO_KEY_ID_LEN];
    pthread_mutex_t lock; /* guards all below; held for a few dozen additions at most */
    struct sotto_window requests, tokens;
    struct sotto_books books;
};

struct sotto_limits {
    pthread_mutex_t lock; /* guards the table, not the counters */
    struct sotto_usage **items;
    size_t count;
    size_t cap;
};

enum sotto_err sotto_limits_new(struct sotto_limits **out)
{
    struct sotto_limits *limits = sotto_calloc(1, sizeof(*limits));
    if (limits == NULL) {
        return SOTTO_ENOMEM;
    }
    if (pthread_mutex_init(&limits->lock, NULL) != 0) {
        sotto_free(limits);
        return SOTTO_ENOMEM;
    }
    *out = limits;
    return SOTTO_OK;
}

void sotto_limits_free(struct sotto_limits *limits)
{
    if (limits == NULL) {
        return;
    }
    for (size_t i = 0; i < limits->count; i++) {
        pthread_mutex_destroy(&limits->items[i]->lock);
        sotto_free(limits->items[i]);
    }
    pthread_mutex_destroy(&limits->lock);
    sotto_free(limits->items);
    sotto_free(limits);
}

/* --- finding a key's counters ---------------------------------------------------------------- */

/* Where an id is, or would stand, in the sorted table. */
static size_t position(const struct sotto_limits *limits, sotto_span id)
{
    size_t low = 0, high = limits->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (sotto_key_id_compare(limits->items[middle]->id, id.base) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static enum sotto_err make_room(struct sotto_limits *limits)
{
    if (limits->count < limits->cap) {
        return SOTTO_OK;
    }
    size_t cap = limits->cap != 0 ? limits->cap * 2 : LIMIT_FIRST_ROOM;
    struct sotto_usage **items = sotto_resize(limits->items, cap * sizeof(struct sotto_usage *));
    if (items == NULL) {
        return SOTTO_ENOMEM;
    }
    limits->items = items;
    limits->cap = cap;
    return SOTTO_OK;
}

static enum sotto_err insert(struct sotto_limits *limits, size_t at, sotto_span id,
                             struct sotto_usage **out)
{
    struct sotto_usage *usage = NULL;
    enum sotto_err err = make_room(limits);
    if (err == SOTTO_OK && (usage = sotto_calloc(1, sizeof(*usage))) == NULL) {
        err = SOTTO_ENOMEM;
    }
    if (err == SOTTO_OK && pthread_mutex_init(&usage->lock, NULL) != 0) {
        sotto_free(usage);
        err = SOTTO_ENOMEM;
    }
    if (err != SOTTO_OK) {
        return err;
    }
    memcpy(usage->id, id.base, SOTTO_KEY_ID_LEN);
    memmove(&limits->items[at + 1], &limits->items[at],
            (limits->count - at) * sizeof(struct sotto_usage *));
    limits->items[at] = usage;
    limits->count++;
    *out = usage;
    return SOTTO_OK;
}

enum sotto_err sotto_limits_usage(struct sotto_limits *limits, sotto_span id,
                                  struct sotto_usage **out)
{
    enum sotto_err err = SOTTO_OK;
    if (id.len != SOTTO_KEY_ID_LEN) {
        return SOTTO_EINVAL;
    }
    pthread_mutex_lock(&limits->lock);
    size_t at = position(limits, id);
    if (at < limits->count && sotto_key_id_compare(limits->items[at]->id, id.base) == 0) {
        *out = limits->items[at];
    } else {
        err = insert(limits, at, id, out);
    }
    pthread_mutex_unlock(&limits->lock);
    return err;
}

/* --- what was used ----------------------------------------------------------------------------- */

void sotto_use_add(struct sotto_use *to, const struct sotto_use *used)
{
    to->requests += used->requests;
    to->prompt_tokens += used->prompt_tokens;
    to->completion_tokens += used->completion_tokens;
    to->estimated_tokens += used->estimated_tokens;
    to->cost_nano += used->cost_nano;
}

static uint64_t tokens_of(const struct sotto_use *used)
{
    int64_t tokens = used->prompt_tokens + used->completion_tokens;
    return tokens > 0 ? (uint64_t)tokens : 0;
}

static uint64_t positive(int64_t n)
{
    return n > 0 ? (uint64_t)n : 0;
}

/* --- one key --------------------------------------------------------------------------------- */

/* What is left of a limit; without one, more than anybody asks for. */
static uint64_t left_of(uint64_t limit, uint64_t used)
{
    if (limit == 0) {
        return UINT64_MAX;
    }
    return used < limit ? limit - used : 0;
}

static uint64_t lesser(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static void describe_side(const struct sotto_window *window, uint64_t limit, int64_t now_ms,
                          struct sotto_limit_side *side)
{
    *side = (struct sotto_limit_side){.limit = limit};
    if (limit != 0) {
        side->remaining = left_of(limit, window->sum);
        side->reset_ms = sotto_window_wait_ms(window, window->sum, now_ms);
    }
}

/* Milliseconds until `amount` fits below the limit. */
static uint32_t wait_ms(const struct sotto_window *window, uint64_t limit, uint64_t amount,
                        int64_t now_ms)
{
    uint64_t left = left_of(limit, window->sum);
    if (amount <= left) {
        return 0;
    }
    /* Above the limit there may be more in the window than the limit has. */
    uint64_t over = window->sum > limit ? window->sum - limit : 0;
    return sotto_window_wait_ms(window, over + amount - left, now_ms);
}

static void describe(const struct sotto_usage *usage, const struct sotto_key_quota *quota,
                     uint64_t tokens, int64_t now_ms, enum sotto_limit_verdict verdict,
                     struct sotto_limit_state *state)
{
    uint32_t wait = 0;
    describe_side(&usage->requests, quota->requests_per_minute, now_ms, &state->requests);
    describe_side(&usage->tokens, quota->tokens_per_minute, now_ms, &state->tokens);
    switch (verdict) {
    case SOTTO_LIMIT_OK:
    case SOTTO_LIMIT_MINUTE:
        wait = wait_ms(&usage->requests, quota->requests_per_minute, 1, now_ms);
        break;
    case SOTTO_LIMIT_TOKENS:
        wait = wait_ms(&usage->tokens, quota->tokens_per_minute, tokens, now_ms);
        break;
    case SOTTO_LIMIT_HELD: /* a request ends when it ends: soon */
        wait = 1000;
        break;
    case SOTTO_LIMIT_TOO_LARGE:
    case SOTTO_LIMIT_MONTH:
        break;
    }
    state->retry_after_s =
        verdict == SOTTO_LIMIT_MONTH ? sotto_month_rest_s(now_ms) : (wait + 999) / 1000;
}

/* Returns the book of the present month, valid until another one is opened. */
static const struct sotto_book *advance(struct sotto_usage *usage, int64_t now_ms)
{
    sotto_window_advance(&usage->requests, now_ms);
    sotto_window_advance(&usage->tokens, now_ms);
    return sotto_books_open(&usage->books, sotto_limit_month(now_ms));
}

static enum sotto_limit_verdict judge_request(const struct sotto_usage *usage,
                                              const struct sotto_use *booked,
                                              const struct sotto_key_quota *quota)
{
    if (left_of(quota->monthly_requests, positive(booked->requests)) == 0 ||
        left_of(quota->monthly_tokens, tokens_of(booked)) == 0 ||
        left_of(quota->monthly_cost_nano, positive(booked->cost_nano)) == 0) {
        return SOTTO_LIMIT_MONTH;
    }
    if (left_of(quota->requests_per_minute, usage->requests.sum) == 0) {
        return SOTTO_LIMIT_MINUTE;
    }
    return left_of(quota->tokens_per_minute, usage->tokens.sum) == 0 ? SOTTO_LIMIT_TOKENS
                                                                     : SOTTO_LIMIT_OK;
}

enum sotto_limit_verdict sotto_limit_reserve(struct sotto_usage *usage,
                                             const struct sotto_key_quota *quota, int64_t now_ms,
                                             struct sotto_reservation *reservation,
                                             struct sotto_limit_state *state)
{
    static const struct sotto_use one = {.requests = 1};
    *reservation = (struct sotto_reservation){0};
    now_ms = now_ms > 0 ? now_ms : 0;

    pthread_mutex_lock(&usage->lock);
    const struct sotto_book *book = advance(usage, now_ms);
    enum sotto_limit_verdict verdict = judge_request(usage, &book->booked, quota);
    if (verdict == SOTTO_LIMIT_OK) {
        sotto_window_add(&usage->requests, 1);
        reservation->usage = usage;
        reservation->month = book->month;
        sotto_books_add(&usage->books, book->month, &one);
        reservation->request_step = usage->requests.latest_step;
    }
    if (state != NULL) {
        describe(usage, quota, 1, now_ms, verdict, state);
    }
    pthread_mutex_unlock(&usage->lock);
    return verdict;
}

static enum sotto_limit_verdict judge_need(const struct sotto_usage *usage,
                                           const struct sotto_book *book,
                                           const struct sotto_key_quota *quota,
                                           const struct sotto_limit_ask *ask)
{
    uint64_t tokens = tokens_of(&book->booked), cost = positive(book->booked.cost_nano);
    if (left_of(quota->monthly_tokens, tokens) < ask->tokens ||
        left_of(quota->monthly_cost_nano, cost) < ask->cost_nano) {
        return SOTTO_LIMIT_MONTH;
    }
    if (left_of(quota->tokens_per_minute, 0) < ask->tokens) {
        return SOTTO_LIMIT_TOO_LARGE;
    }
    if (left_of(quota->monthly_tokens, tokens + book->held_tokens) < ask->tokens ||
        left_of(quota->monthly_cost_nano, cost + book->held_cost) < ask->cost_nano) {
        return SOTTO_LIMIT_HELD;
    }
    return left_of(quota->tokens_per_minute, usage->tokens.sum) < ask->tokens ? SOTTO_LIMIT_TOKENS
                                                                              : SOTTO_LIMIT_OK;
}

/* Reserves what was asked for, and of the spare part what is there. */
static void hold(struct sotto_usage *usage, const struct sotto_book *book,
                 const struct sotto_key_quota *quota, const struct sotto_limit_ask *ask,
                 struct sotto_reservation *reservation)
{
    uint64_t tokens =
        lesser(left_of(quota->tokens_per_minute, usage->tokens.sum),
               left_of(quota->monthly_tokens, tokens_of(&book->booked) + book->held_tokens));
    uint64_t cost =
        left_of(quota->monthly_cost_nano, positive(book->booked.cost_nano) + book->held_cost);
    reservation->tokens = ask->tokens + lesser(ask->spare_tokens, tokens - ask->tokens);
    reservation->cost_nano = ask->cost_nano + lesser(ask->spare_cost_nano, cost - ask->cost_nano);
    reservation->token_step = usage->tokens.latest_step;
    sotto_window_add(&usage->tokens, reservation->tokens);
    struct sotto_book *own = sotto_books_find(&usage->books, reservation->month);
    if (own != NULL) {
        own->held_tokens += reservation->tokens;
        own->held_cost += reservation->cost_nano;
    }
}

/* Takes what was reserved out of the counters again. */
static void release(struct sotto_usage *usage, const struct sotto_reservation *reservation)
{
    struct sotto_book *book = sotto_books_find(&usage->books, reservation->month);
    sotto_window_take(&usage->tokens, reservation->token_step, reservation->tokens);
    if (book != NULL) {
        book->held_tokens -= lesser(reservation->tokens, book->held_tokens);
        book->held_cost -= lesser(reservation->cost_nano, book->held_cost);
    }
}

enum sotto_limit_verdict sotto_limit_extend(struct sotto_reservation *reservation,
                                            const struct sotto_key_quota *quota,
                                            const struct sotto_limit_ask *ask, int64_t now_ms,
                                            struct sotto_limit_state *state)
{
    static const struct sotto_use none = {.requests = -1};
    struct sotto_usage *usage = reservation->usage;
    now_ms = now_ms > 0 ? now_ms : 0;

    pthread_mutex_lock(&usage->lock);
    const struct sotto_book *book = advance(usage, now_ms);
    enum sotto_limit_verdict verdict = judge_need(usage, book, quota, ask);
    if (verdict == SOTTO_LIMIT_OK) {
        hold(usage, book, quota, ask, reservation);
    } else {
        sotto_window_take(&usage->requests, reservation->request_step, 1);
        sotto_books_add(&usage->books, reservation->month, &none);
        *reservation = (struct sotto_reservation){0};
    }
    if (state != NULL) {
        describe(usage, quota, ask->tokens, now_ms, verdict, state);
    }
    pthread_mutex_unlock(&usage->lock);
    return verdict;
}

void sotto_limit_settle(struct sotto_reservation *reservation, const struct sotto_use *used,
                        int64_t now_ms)
{
    struct sotto_usage *usage = reservation->usage;
    if (usage == NULL) {
        return;
    }
    uint64_t tokens = tokens_of(used);
    struct sotto_use rest = *used;
    rest.requests -= 1; /* booked when it was reserved */

    pthread_mutex_lock(&usage->lock);
    (void)advance(usage, now_ms > 0 ? now_ms : 0);
    release(usage, reservation);
    sotto_books_add(&usage->books, reservation->month, &rest);
    /* What was reserved counts from then, what it needed beyond that from now. */
    uint64_t foreseen = lesser(tokens, reservation->tokens);
    sotto_window_put(&usage->tokens, reservation->token_step, foreseen);
    sotto_window_add(&usage->tokens, tokens - foreseen);
    pthread_mutex_unlock(&usage->lock);
    *reservation = (struct sotto_reservation){0};
}

void sotto_usage_load(struct sotto_usage *usage, int32_t month, const struct sotto_use *used)
{
    pthread_mutex_lock(&usage->lock);
    struct sotto_book *book = sotto_books_open(&usage->books, month);
    book->booked = *used;
    sotto_use_add(&book->booked, &book->unsaved);
    pthread_mutex_unlock(&usage->lock);
}

struct sotto_use sotto_usage_get(struct sotto_usage *usage, int32_t month)
{
    pthread_mutex_lock(&usage->lock);
    const struct sotto_book *book = sotto_books_find(&usage->books, month);
    struct sotto_use used = book != NULL ? book->booked : (struct sotto_use){0};
    pthread_mutex_unlock(&usage->lock);
    return used;
}

/* --- saving ---------------------------------------------------------------------------------- */

/* Tells what is untold of one key; what comes meanwhile is told the next time. */
static enum sotto_err save_key(struct sotto_usage *usage, sotto_usage_save *save, void *ctx)
{
    enum sotto_err first = SOTTO_OK;
    struct sotto_books untold;
    int32_t month = 0;
    struct sotto_use part;

    pthread_mutex_lock(&usage->lock);
    untold = usage->books;
    while (sotto_books_take_unsaved(&usage->books, &month, &part)) {
    }
    pthread_mutex_unlock(&usage->lock);

    while (sotto_books_take_unsaved(&untold, &month, &part)) {
        enum sotto_err err = save(ctx, sotto_span_init(usage->id, sizeof(usage->id)), month, &part);
        if (err != SOTTO_OK) {
            pthread_mutex_lock(&usage->lock);
            sotto_books_put_unsaved(&usage->books, month, &part);
            pthread_mutex_unlock(&usage->lock);
            first = first != SOTTO_OK ? first : err;
        }
    }
    return first;
}

static struct sotto_usage *usage_at(struct sotto_limits *limits, size_t i)
{
    pthread_mutex_lock(&limits->lock);
    struct sotto_usage *usage = i < limits->count ? limits->items[i] : NULL;
    pthread_mutex_unlock(&limits->lock);
    return usage;
}

/* A key that is added meanwhile moves others up: one is then asked twice, none is left out. */
enum sotto_err sotto_limits_save(struct sotto_limits *limits, sotto_usage_save *save, void *ctx)
{
    enum sotto_err first = SOTTO_OK;
    struct sotto_usage *usage;
    for (size_t i = 0; (usage = usage_at(limits, i)) != NULL; i++) {
        enum sotto_err err = save_key(usage, save, ctx);
        first = first != SOTTO_OK ? first : err;
    }
    return first;
}
