/* SPDX-License-Identifier: Apache-2.0 */

#include "keys/limit.h"

#include <pthread.h>

#include "base/alloc.h"
#include "keys/key.h"

/* The window of a minute in steps of a second.  Requests of the present second and of the 60 before
 * it count: any 60 seconds lie within these 61 steps. */
#define LIMIT_STEPS 61

#define LIMIT_STEP_MS 1000

/* Keys in the first table of a set; it doubles. */
#define LIMIT_FIRST_ROOM 64

struct sotto_usage {
    char id[SOTTO_KEY_ID_LEN];
    pthread_mutex_t lock;        /* guards all below; held for a few dozen additions at most */
    int64_t latest_step;         /* the latest second seen, since 1970 */
    uint32_t steps[LIMIT_STEPS]; /* requests of a second, at second modulo LIMIT_STEPS */
    uint64_t in_window;          /* their sum */
    int32_t month;
    uint64_t month_requests;
    int64_t unsaved;           /* of `month`, not told to the store yet */
    int32_t unsaved_old_month; /* what a month that is over left untold */
    int64_t unsaved_old;
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

/* --- months ---------------------------------------------------------------------------------- */

/* Days since 1970 to months since January 1970, by the civil calendar: eras of 400 years that
 * begin in March, so that the leap day is the last of its year. */
int32_t sotto_limit_month(int64_t now_ms)
{
    const int64_t day_ms = 86400000;
    int64_t days = now_ms / day_ms - (now_ms % day_ms < 0 ? 1 : 0) + 719468; /* since 0000-03-01 */
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t day = days - era * 146097;
    int64_t year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
    int64_t day_of_year = day - (365 * year + year / 4 - year / 100);
    int64_t month = (5 * day_of_year + 2) / 153; /* 0: March */
    return (int32_t)((year + era * 400 - 1970) * 12 + month + 2);
}

/* How long until the month of `now_ms` ends, in seconds, rounded up. */
static uint32_t month_rest_s(int64_t now_ms)
{
    int32_t month = sotto_limit_month(now_ms);
    int64_t low = now_ms, high = now_ms + 32LL * 86400000;
    while (high - low > 1) { /* the first millisecond of the next month */
        int64_t middle = low + (high - low) / 2;
        if (sotto_limit_month(middle) > month) {
            high = middle;
        } else {
            low = middle;
        }
    }
    return (uint32_t)((high - now_ms + 999) / 1000);
}

/* --- one key --------------------------------------------------------------------------------- */

/* Moves the window to the second of `now_ms`; a time that went back changes nothing. */
static void advance_window(struct sotto_usage *usage, int64_t now_ms)
{
    int64_t step = now_ms / LIMIT_STEP_MS;
    if (step - usage->latest_step >= LIMIT_STEPS) {
        memset(usage->steps, 0, sizeof(usage->steps));
        usage->in_window = 0;
        usage->latest_step = step;
    }
    while (usage->latest_step < step) {
        uint32_t *oldest = &usage->steps[(uint64_t)++usage->latest_step % LIMIT_STEPS];
        usage->in_window -= *oldest;
        *oldest = 0;
    }
}

/* A new month starts from nothing; what the old one left untold is kept for the store. */
static void advance_month(struct sotto_usage *usage, int32_t month)
{
    if (month <= usage->month) {
        return;
    }
    if (usage->unsaved != 0) {
        usage->unsaved_old_month = usage->month;
        usage->unsaved_old = usage->unsaved;
    }
    usage->month = month;
    usage->month_requests = 0;
    usage->unsaved = 0;
}

/* Milliseconds until `count` of the requests in the window have left it. */
static uint32_t until_free_ms(const struct sotto_usage *usage, uint64_t count, int64_t now_ms)
{
    uint64_t freed = 0;
    for (int64_t i = LIMIT_STEPS - 1; i >= 0; i--) {
        int64_t step = usage->latest_step - i;
        freed += step >= 0 ? usage->steps[(uint64_t)step % LIMIT_STEPS] : 0;
        if (freed >= count) {
            int64_t wait = (step + LIMIT_STEPS) * LIMIT_STEP_MS - now_ms;
            return wait > 0 ? (uint32_t)wait : 0;
        }
    }
    return 0;
}

static void describe(const struct sotto_usage *usage, uint64_t per_minute, int64_t now_ms,
                     enum sotto_limit_verdict verdict, struct sotto_limit_state *state)
{
    *state = (struct sotto_limit_state){.limit = per_minute};
    if (per_minute != 0) {
        uint64_t used = usage->in_window;
        state->remaining = used < per_minute ? per_minute - used : 0;
        state->reset_ms = used != 0 ? until_free_ms(usage, used, now_ms) : 0;
        if (used >= per_minute) {
            uint32_t wait_ms = until_free_ms(usage, used - per_minute + 1, now_ms);
            state->retry_after_s = (wait_ms + 999) / 1000;
        }
    }
    if (verdict == SOTTO_LIMIT_MONTH) {
        state->retry_after_s = month_rest_s(now_ms);
    }
}

enum sotto_limit_verdict sotto_limit_reserve(struct sotto_usage *usage, uint64_t per_minute,
                                             uint64_t per_month, int64_t now_ms,
                                             struct sotto_reservation *reservation,
                                             struct sotto_limit_state *state)
{
    enum sotto_limit_verdict verdict = SOTTO_LIMIT_OK;
    *reservation = (struct sotto_reservation){0};
    now_ms = now_ms > 0 ? now_ms : 0;

    pthread_mutex_lock(&usage->lock);
    advance_window(usage, now_ms);
    advance_month(usage, sotto_limit_month(now_ms));
    if (per_month != 0 && usage->month_requests >= per_month) {
        verdict = SOTTO_LIMIT_MONTH;
    } else if (per_minute != 0 && usage->in_window >= per_minute) {
        verdict = SOTTO_LIMIT_MINUTE;
    } else {
        usage->steps[(uint64_t)usage->latest_step % LIMIT_STEPS]++;
        usage->in_window++;
        usage->month_requests++;
        usage->unsaved++;
        *reservation = (struct sotto_reservation){usage, usage->month};
    }
    if (state != NULL) {
        describe(usage, per_minute, now_ms, verdict, state);
    }
    pthread_mutex_unlock(&usage->lock);
    return verdict;
}

void sotto_limit_settle(struct sotto_reservation *reservation, bool sent)
{
    struct sotto_usage *usage = reservation->usage;
    if (usage != NULL && !sent) {
        pthread_mutex_lock(&usage->lock);
        if (reservation->month == usage->month) {
            usage->month_requests -= usage->month_requests != 0 ? 1 : 0;
            usage->unsaved--;
        } else if (reservation->month == usage->unsaved_old_month) {
            usage->unsaved_old--;
        }
        pthread_mutex_unlock(&usage->lock);
    }
    *reservation = (struct sotto_reservation){0};
}

void sotto_usage_load(struct sotto_usage *usage, int32_t month, uint64_t requests)
{
    pthread_mutex_lock(&usage->lock);
    advance_month(usage, month);
    if (month == usage->month) {
        usage->month_requests += requests;
    }
    pthread_mutex_unlock(&usage->lock);
}

uint64_t sotto_usage_requests(struct sotto_usage *usage, int32_t month)
{
    pthread_mutex_lock(&usage->lock);
    uint64_t requests = month == usage->month ? usage->month_requests : 0;
    pthread_mutex_unlock(&usage->lock);
    return requests;
}

/* --- saving ---------------------------------------------------------------------------------- */

/* Puts back what could not be saved; its month may have ended meanwhile, or before. */
static void put_back(struct sotto_usage *usage, int32_t month, int64_t part)
{
    pthread_mutex_lock(&usage->lock);
    if (month == usage->month) {
        usage->unsaved += part;
    } else {
        usage->unsaved_old = (usage->unsaved_old_month == month ? usage->unsaved_old : 0) + part;
        usage->unsaved_old_month = month;
    }
    pthread_mutex_unlock(&usage->lock);
}

/* Tells what is untold of one month. */
static enum sotto_err save_part(struct sotto_usage *usage, bool old, sotto_usage_save *save,
                                void *ctx)
{
    int64_t *unsaved = old ? &usage->unsaved_old : &usage->unsaved;
    pthread_mutex_lock(&usage->lock);
    int64_t part = *unsaved;
    int32_t month = old ? usage->unsaved_old_month : usage->month;
    *unsaved = 0;
    pthread_mutex_unlock(&usage->lock);
    if (part == 0) {
        return SOTTO_OK;
    }
    enum sotto_err err = save(ctx, sotto_span_init(usage->id, sizeof(usage->id)), month, part);
    if (err != SOTTO_OK) {
        put_back(usage, month, part);
    }
    return err;
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
        enum sotto_err old = save_part(usage, true, save, ctx);
        enum sotto_err err = save_part(usage, false, save, ctx);
        first = first != SOTTO_OK ? first : old != SOTTO_OK ? old : err;
    }
    return first;
}

void sotto_limits_unsave(struct sotto_limits *limits, sotto_span id, int32_t month,
                         int64_t requests)
{
    struct sotto_usage *usage = NULL;
    /* It was told of a key that has counters: they are there, and nothing is allocated. */
    if (sotto_limits_usage(limits, id, &usage) == SOTTO_OK) {
        put_back(usage, month, requests);
    }
}
