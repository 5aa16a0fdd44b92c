/* SPDX-License-Identifier: Apache-2.0 */

#include "keys/limit.h"

#include <pthread.h>
#include <stdatomic.h>

#include "base/alloc.h"
#include "tap/tap.h"

#define ID "aB3dE6gH9jK2"

/* 2026-11-22T15:00:00Z */
#define NOW 1795359600000LL

static struct sotto_limits *new_limits(struct sotto_usage **usage)
{
    struct sotto_limits *limits = NULL;
    if (sotto_limits_new(&limits) != SOTTO_OK ||
        sotto_limits_usage(limits, SOTTO_LIT(ID), usage) != SOTTO_OK) {
        abort();
    }
    return limits;
}

static const struct sotto_use sent = {.requests = 1};
static const struct sotto_use unsent = {0};
static const struct sotto_key_quota unlimited;

static int64_t requests_of(struct sotto_usage *usage, int32_t month)
{
    return sotto_usage_get(usage, month).requests;
}

static enum sotto_limit_verdict ask(struct sotto_usage *usage, uint64_t minute, uint64_t month,
                                    int64_t now_ms, struct sotto_limit_state *state)
{
    const struct sotto_key_quota quota = {.requests_per_minute = minute, .monthly_requests = month};
    struct sotto_reservation reservation;
    enum sotto_limit_verdict verdict =
        sotto_limit_reserve(usage, &quota, now_ms, &reservation, state);
    sotto_limit_settle(&reservation, &sent, now_ms);
    return verdict;
}

static void test_minute(void)
{
    struct sotto_usage *usage = NULL;
    struct sotto_limits *limits = new_limits(&usage);
    struct sotto_limit_state state;
    for (unsigned i = 0; i < 5; i++) {
        IS_INT(ask(usage, 5, 0, NOW + i * 1000LL, &state), SOTTO_LIMIT_OK, "request %u of 5",
               i + 1);
        IS_INT(state.requests.remaining, 4 - i, "and so many remain");
        IS_INT(state.requests.limit, 5, "of five");
        IS_INT(state.retry_after_s, i == 4 ? 57 : 0, "the next one may come");
    }
    IS_INT(state.requests.reset_ms, 61000, "all is free when the last has left the window");
    IS_INT(ask(usage, 5, 0, NOW + 4500, &state), SOTTO_LIMIT_MINUTE, "the sixth is refused");
    IS_INT(state.requests.remaining, 0, "none remains");
    IS_INT(state.retry_after_s, 57, "the first leaves the window in 56.5 s");
    IS_INT(ask(usage, 5, 0, NOW + 60999, &state), SOTTO_LIMIT_MINUTE, "just before that");
    IS_INT(state.retry_after_s, 1, "a second is the shortest wait");
    IS_INT(ask(usage, 5, 0, NOW + 61000, &state), SOTTO_LIMIT_OK, "then one is admitted");
    IS_INT(ask(usage, 5, 0, NOW + 61000, &state), SOTTO_LIMIT_MINUTE, "and not two");
    IS_INT(ask(usage, 5, 0, NOW + 62000, &state), SOTTO_LIMIT_OK, "a second later another");
    IS_INT(ask(usage, 5, 0, NOW + 500000, &state), SOTTO_LIMIT_OK, "after a pause all are free");
    IS_INT(state.requests.remaining, 4, "but this one");
    IS_INT(state.requests.reset_ms, 61000, "for a minute");
    sotto_limits_free(limits);
}

static void test_no_limit(void)
{
    struct sotto_usage *usage = NULL;
    struct sotto_limits *limits = new_limits(&usage);
    struct sotto_limit_state state;
    bool all = true;
    for (unsigned i = 0; i < 10000; i++) {
        all = all && ask(usage, 0, 0, NOW, &state) == SOTTO_LIMIT_OK;
    }
    OK(all, "without limits all are admitted");
    OK(state.requests.limit == 0 && state.requests.remaining == 0 && state.requests.reset_ms == 0 &&
           state.retry_after_s == 0,
       "and there is nothing to say");
    IS_INT(ask(usage, 100, 0, NOW + 1000, &state), SOTTO_LIMIT_MINUTE,
           "a limit that comes later counts what was");
    sotto_limits_free(limits);
    sotto_limits_free(NULL);
}

/* In no 60 seconds more than the limit, wherever they begin: random arrivals, checked by hand. */
static void test_every_window(void)
{
    enum {
        LIMIT = 20,
        COUNT = 5000
    };
    static int64_t admitted[COUNT];
    struct sotto_usage *usage = NULL;
    struct sotto_limits *limits = new_limits(&usage);
    size_t count = 0;
    int64_t now = NOW;
    uint32_t seed = 1;
    for (int i = 0; i < COUNT; i++) {
        seed = seed * 1103515245 + 12345;
        now += seed >> 16 & 0x7ff;
        if (ask(usage, LIMIT, 0, now, NULL) == SOTTO_LIMIT_OK) {
            admitted[count++] = now;
        }
    }
    bool never_more = true;
    for (size_t i = LIMIT; i < count; i++) {
        never_more = never_more && admitted[i] - admitted[i - LIMIT] >= 60000;
    }
    OK(never_more, "no minute has more than %d", LIMIT);
    int64_t minutes = (now - NOW) / 61000;
    OK((int64_t)count >= minutes * LIMIT - LIMIT, "and the limit is used: %zu in %lld minutes",
       count, (long long)minutes);
    sotto_limits_free(limits);
}

static void test_clock_back(void)
{
    struct sotto_usage *usage = NULL;
    struct sotto_limits *limits = new_limits(&usage);
    struct sotto_limit_state state;
    IS_INT(ask(usage, 2, 0, NOW, &state), SOTTO_LIMIT_OK, "a request");
    IS_INT(ask(usage, 2, 0, NOW - 3600000, &state), SOTTO_LIMIT_OK, "an hour earlier another");
    IS_INT(ask(usage, 2, 0, NOW - 7200000, &state), SOTTO_LIMIT_MINUTE,
           "a clock that goes back frees nothing");
    IS_INT(ask(usage, 2, 0, -5, &state), SOTTO_LIMIT_MINUTE, "nor one before 1970");
    IS_INT(ask(usage, 2, 0, NOW + 61000, &state), SOTTO_LIMIT_OK, "time does");
    sotto_limits_free(limits);
}

static void test_months(void)
{
    static const struct {
        int64_t time_s;
        int32_t month;
    } cases[] = {
        {0, 0},
        {2678399, 0},
        {2678400, 1},
        {951782399, 361},
        {951868799, 361} /* 2000-02-29 */,
        {951868800, 362},
        {1795359600, 682} /* 2026-11 */,
        {4107542399, 1561} /* 2100-02-28 */,
        {4107542400, 1562},
        {-1, -1},
        {1735689599, 659},
        {1735689600, 660},
    };
    for (size_t i = 0; i < SOTTO_COUNT(cases); i++) {
        IS_INT(sotto_limit_month(cases[i].time_s * 1000), cases[i].month, "month of %lld",
               (long long)cases[i].time_s);
    }
}

static void test_month(void)
{
    struct sotto_usage *usage = NULL;
    struct sotto_limits *limits = new_limits(&usage);
    struct sotto_limit_state state;
    struct sotto_reservation held;
    const struct sotto_key_quota ten = {.monthly_requests = 10};
    const int64_t next = 1796083200000LL; /* 2026-12-01 */
    const int32_t month = sotto_limit_month(NOW);
    const struct sotto_use seven = {.requests = 7}, many = {.requests = 1000};
    sotto_usage_load(usage, month, &seven);
    sotto_usage_load(usage, month - 1, &many);
    IS_INT(requests_of(usage, month), 7, "what earlier processes used counts");
    IS_INT(ask(usage, 0, 10, NOW, &state), SOTTO_LIMIT_OK, "the eighth of ten");
    IS_INT(sotto_limit_reserve(usage, &ten, NOW, &held, &state), SOTTO_LIMIT_OK, "the ninth");
    IS_INT(ask(usage, 0, 10, NOW, &state), SOTTO_LIMIT_OK, "the tenth");
    IS_INT(ask(usage, 0, 10, NOW, &state), SOTTO_LIMIT_MONTH, "the quota is spent");
    IS_INT(state.retry_after_s, (next - NOW) / 1000, "until the month ends");
    IS_INT(ask(usage, 5, 10, NOW, &state), SOTTO_LIMIT_MONTH, "whatever the minute says");
    sotto_limit_settle(&held, &unsent, NOW);
    OK(held.usage == NULL, "a reservation ends once");
    sotto_limit_settle(&held, &unsent, NOW);
    IS_INT(requests_of(usage, month), 9, "what was not sent is given back, once");
    IS_INT(ask(usage, 0, 10, NOW, &state), SOTTO_LIMIT_OK, "and may be used again");
    IS_INT(ask(usage, 0, 10, next - 1, &state), SOTTO_LIMIT_MONTH, "the last millisecond");
    IS_INT(state.retry_after_s, 1, "a second is the shortest wait");
    IS_INT(ask(usage, 0, 10, next, &state), SOTTO_LIMIT_OK, "a new month starts anew");
    IS_INT(requests_of(usage, month + 1), 1, "from nothing");
    IS_INT(requests_of(usage, month), 10, "the old one is kept");
    IS_INT(ask(usage, 0, 10, next - 1, &state), SOTTO_LIMIT_MONTH,
           "a clock set back finds it spent");
    IS_INT(requests_of(usage, month - 1), 1000, "as it does one before");
    IS_INT(ask(usage, 0, 10, NOW - 31LL * 86400000, &state), SOTTO_LIMIT_MONTH,
           "which is spent, too");
    IS_INT(ask(usage, 0, 10, next, &state), SOTTO_LIMIT_OK, "set forward, the new one goes on");
    IS_INT(requests_of(usage, month + 1), 2, "where it was");
    sotto_limits_free(limits);
}

/* --- tokens and money ------------------------------------------------------------------------ */

static enum sotto_limit_verdict extend(struct sotto_usage *usage,
                                       const struct sotto_key_quota *quota,
                                       const struct sotto_limit_ask *need, int64_t now_ms,
                                       struct sotto_reservation *held,
                                       struct sotto_limit_state *state)
{
    enum sotto_limit_verdict verdict = sotto_limit_reserve(usage, quota, now_ms, held, state);
    return verdict != SOTTO_LIMIT_OK ? verdict
                                     : sotto_limit_extend(held, quota, need, now_ms, state);
}

static void test_token_minute(void)
{
    struct sotto_usage *usage = NULL;
    struct sotto_limits *limits = new_limits(&usage);
    const struct sotto_key_quota quota = {.tokens_per_minute = 1000, .requests_per_minute = 100};
    const struct sotto_limit_ask six = {.tokens = 600}, five = {.tokens = 500, .spare_tokens = 900};
    const struct sotto_limit_ask huge = {.tokens = 1001};
    const struct sotto_use used = {.requests = 1, .prompt_tokens = 100, .completion_tokens = 150};
    struct sotto_limit_state state;
    struct sotto_reservation a, b;
    IS_INT(extend(usage, &quota, &six, NOW, &a, &state), SOTTO_LIMIT_OK, "600 of 1000 tokens");
    IS_INT(state.tokens.remaining, 400, "400 remain");
    IS_INT(extend(usage, &quota, &five, NOW, &b, &state), SOTTO_LIMIT_TOKENS,
           "500 more do not fit");
    IS_INT(state.retry_after_s, 61, "before the first have left the window");
    IS_INT(state.requests.remaining, 99, "and the request was not counted");
    IS_INT(requests_of(usage, sotto_limit_month(NOW)), 1, "in the month neither");
    IS_INT(extend(usage, &quota, &huge, NOW, &b, &state), SOTTO_LIMIT_TOO_LARGE,
           "more than the limit never fits");
    sotto_limit_settle(&a, &used, NOW + 2000);
    IS_INT(extend(usage, &quota, &five, NOW + 3000, &b, &state), SOTTO_LIMIT_OK,
           "what was not needed is free again");
    IS_INT(state.tokens.remaining, 0, "the spare part takes what is left and no more");
    IS_INT(b.tokens, 750, "of the limit");
    const struct sotto_use more = {.requests = 1, .completion_tokens = 2000};
    sotto_limit_settle(&b, &more, NOW + 30000);
    IS_INT(sotto_limit_reserve(usage, &quota, NOW + 62000, &a, &state), SOTTO_LIMIT_TOKENS,
           "what was needed beyond the reservation counts");
    IS_INT(state.retry_after_s, 29, "from its end");
    IS_INT(sotto_limit_reserve(usage, &quota, NOW + 91000, &a, &state), SOTTO_LIMIT_OK,
           "until then");
    IS_INT(state.tokens.remaining, 1000, "all is free");
    sotto_limit_settle(&a, &unsent, NOW + 91000);
    sotto_limits_free(limits);
}

static void test_token_month(void)
{
    struct sotto_usage *usage = NULL;
    struct sotto_limits *limits = new_limits(&usage);
    const struct sotto_key_quota quota = {.monthly_tokens = 1000, .monthly_cost_nano = 5000};
    const struct sotto_limit_ask six = {.tokens = 600, .cost_nano = 1000};
    const struct sotto_limit_ask dear = {.tokens = 1, .cost_nano = 4500};
    const struct sotto_use used = {
        .requests = 1, .prompt_tokens = 300, .completion_tokens = 200, .cost_nano = 700};
    struct sotto_limit_state state;
    struct sotto_reservation a, b;
    IS_INT(extend(usage, &quota, &six, NOW, &a, &state), SOTTO_LIMIT_OK, "600 of 1000 in a month");
    IS_INT(extend(usage, &quota, &six, NOW, &b, &state), SOTTO_LIMIT_HELD,
           "the rest is reserved by a request that runs");
    IS_INT(state.retry_after_s, 1, "it may be tried again soon");
    sotto_limit_settle(&a, &used, NOW);
    IS_INT(extend(usage, &quota, &six, NOW, &b, &state), SOTTO_LIMIT_MONTH, "500 are booked");
    IS_INT(extend(usage, &quota, &dear, NOW, &b, &state), SOTTO_LIMIT_MONTH,
           "money is a limit too");
    const struct sotto_use booked = sotto_usage_get(usage, sotto_limit_month(NOW));
    IS_INT(booked.requests, 1, "one request");
    IS_INT(booked.prompt_tokens + booked.completion_tokens, 500, "its tokens");
    IS_INT(booked.cost_nano, 700, "its money");
    const struct sotto_use over = {.requests = 1, .prompt_tokens = 600, .estimated_tokens = 600};
    sotto_usage_load(usage, sotto_limit_month(NOW), &over);
    IS_INT(sotto_limit_reserve(usage, &quota, NOW, &a, &state), SOTTO_LIMIT_MONTH,
           "a spent quota is refused before anything is read");
    sotto_limits_free(limits);
}

/* Any mix of requests, in any order of their ends: what each used is booked once, nothing stays
 * reserved, and neither limit is passed by more than what was not foreseen. */
static void test_random_mix(void)
{
    enum {
        OPEN = 40,
        ROUNDS = 60000
    };
    static struct sotto_reservation open[OPEN];
    struct sotto_usage *usage = NULL;
    struct sotto_limits *limits = new_limits(&usage);
    const struct sotto_key_quota quota = {.tokens_per_minute = 50000, .requests_per_minute = 500};
    struct sotto_use want = {0};
    int64_t now = NOW;
    uint32_t seed = 7;
    memset(open, 0, sizeof(open));
    for (int i = 0; i < ROUNDS; i++) {
        seed = seed * 1103515245 + 12345;
        struct sotto_reservation *r = &open[(seed >> 8) % OPEN];
        uint32_t dice = seed >> 16 & 0x3ff;
        now += dice % 50;
        if (r->usage == NULL) {
            const struct sotto_limit_ask need = {.tokens = dice + 1, .spare_tokens = dice * 2};
            sotto_ignore((enum sotto_err)extend(usage, &quota, &need, now, r, NULL));
            continue;
        }
        bool goes = dice % 5 != 0; /* else: cancelled before it was sent */
        struct sotto_use used = {.requests = goes ? 1 : 0,
                                 .prompt_tokens = goes ? dice : 0,
                                 .completion_tokens = goes ? dice % 77 : 0,
                                 .estimated_tokens = goes && dice % 3 == 0 ? dice : 0,
                                 .cost_nano = goes ? dice * 3 : 0};
        sotto_limit_settle(r, &used, now);
        sotto_limit_settle(r, &used, now); /* the second time it is empty */
        want.requests += used.requests;
        want.prompt_tokens += used.prompt_tokens;
        want.completion_tokens += used.completion_tokens;
        want.estimated_tokens += used.estimated_tokens;
        want.cost_nano += used.cost_nano;
    }
    for (size_t i = 0; i < OPEN; i++) {
        sotto_limit_settle(&open[i], &unsent, now);
    }
    const struct sotto_use got = sotto_usage_get(usage, sotto_limit_month(NOW));
    OK(got.requests == want.requests && want.requests > 1000, "every request that went out: %lld",
       (long long)got.requests);
    OK(got.prompt_tokens == want.prompt_tokens && got.completion_tokens == want.completion_tokens &&
           got.estimated_tokens == want.estimated_tokens && got.cost_nano == want.cost_nano,
       "every figure is booked once");
    struct sotto_limit_state state;
    struct sotto_reservation last;
    IS_INT(sotto_limit_reserve(usage, &quota, now + 61000, &last, &state), SOTTO_LIMIT_OK,
           "a minute later");
    IS_INT(state.tokens.remaining, 50000, "nothing is reserved any more");
    sotto_limits_free(limits);
}

/* --- saving ---------------------------------------------------------------------------------- */

struct saved {
    int calls;
    int64_t sum[5]; /* by month, from that of NOW on */
    enum sotto_err err;
};

static enum sotto_err save(void *ctx, sotto_span id, int32_t month, const struct sotto_use *used)
{
    struct saved *saved = ctx;
    (void)id;
    saved->calls++;
    if (saved->err == SOTTO_OK) {
        saved->sum[month - sotto_limit_month(NOW)] += used->requests;
    }
    return saved->err;
}

/* Months that end one behind the other before the store is told: a clock that jumps. */
static void test_months_untold(void)
{
    struct sotto_usage *usage = NULL;
    struct sotto_limits *limits = new_limits(&usage);
    const struct sotto_key_quota quota = {0};
    const int64_t month_ms = 31LL * 86400000;
    struct saved saved = {.err = SOTTO_OK};
    struct sotto_reservation held;
    struct sotto_limit_state state;
    IS_INT(sotto_limit_reserve(usage, &quota, NOW, &held, &state), SOTTO_LIMIT_OK, "one that runs");
    for (int64_t i = 0; i < 3; i++) {
        IS_INT(ask(usage, 0, 0, NOW + i * month_ms, &state), SOTTO_LIMIT_OK, "month %d", (int)i);
    }
    sotto_limit_settle(&held, &sent, NOW + 2 * month_ms);
    IS_INT(ask(usage, 0, 0, NOW, &state), SOTTO_LIMIT_OK, "the clock is set back");
    IS_INT(sotto_limits_save(limits, save, &saved), SOTTO_OK, "the store is told");
    IS_INT(saved.sum[0] + saved.sum[1] + saved.sum[2], 5, "of each request, once");
    IS_INT(saved.sum[0], 3, "those under the clock of this month in this month");
    IS_INT(saved.sum[1], 1, "the others in the one");
    IS_INT(saved.sum[2], 1, "to which it was set");

    IS_INT(ask(usage, 0, 0, NOW + 2 * month_ms, &state), SOTTO_LIMIT_OK, "one more");
    saved.err = SOTTO_EIO;
    IS_INT(ask(usage, 0, 0, NOW + 3 * month_ms, &state), SOTTO_LIMIT_OK, "a month later another");
    IS_INT(sotto_limits_save(limits, save, &saved), SOTTO_EIO, "the store fails");
    IS_INT(ask(usage, 0, 0, NOW + 4 * month_ms, &state), SOTTO_LIMIT_OK, "and another");
    saved = (struct saved){.err = SOTTO_OK};
    IS_INT(sotto_limits_save(limits, save, &saved), SOTTO_OK, "then it works");
    IS_INT(saved.sum[2] + saved.sum[3] + saved.sum[4], 3, "none was forgotten");
    sotto_limits_free(limits);
}

static void test_saving(void)
{
    struct sotto_usage *usage = NULL;
    struct sotto_limits *limits = new_limits(&usage);
    struct saved saved = {0};
    struct sotto_reservation held, over;
    IS_INT(sotto_limits_save(limits, save, &saved), SOTTO_OK, "nothing was used");
    IS_INT(saved.calls, 0, "nothing is told");
    ask(usage, 0, 0, NOW, NULL);
    ask(usage, 0, 0, NOW, NULL);
    saved.err = SOTTO_EIO;
    IS_INT(sotto_limits_save(limits, save, &saved), SOTTO_EIO, "the store may fail");
    saved.err = SOTTO_OK;
    IS_INT(sotto_limits_save(limits, save, &saved), SOTTO_OK, "then it is told again");
    IS_INT(saved.sum[0], 2, "two requests");
    IS_INT(sotto_limits_save(limits, save, &saved), SOTTO_OK, "and no more");
    IS_INT(saved.calls, 2, "once each");

    sotto_ignore((enum sotto_err)sotto_limit_reserve(usage, &unlimited, NOW, &held, NULL));
    sotto_ignore((enum sotto_err)sotto_limit_reserve(usage, &unlimited, NOW, &over, NULL));
    IS_INT(sotto_limits_save(limits, save, &saved), SOTTO_OK, "reserved ones are told");
    IS_INT(saved.sum[0], 4, "as used");
    sotto_limit_settle(&held, &unsent, NOW);
    IS_INT(sotto_limits_save(limits, save, &saved), SOTTO_OK, "given back");
    IS_INT(saved.sum[0], 3, "they are taken off");

    ask(usage, 0, 0, NOW, NULL);
    const int64_t next = 1796083200000LL;
    ask(usage, 0, 0, next, NULL);
    sotto_limit_settle(&over, &unsent, next);
    IS_INT(sotto_limits_save(limits, save, &saved), SOTTO_OK, "over the end of a month");
    IS_INT(saved.sum[0], 3, "each month gets its own, with what came back late");
    IS_INT(saved.sum[1], 1, "and the new one its first");

    ask(usage, 0, 0, next, NULL);
    const struct sotto_use stored = {.requests = 10};
    sotto_usage_load(usage, sotto_limit_month(next), &stored);
    IS_INT(requests_of(usage, sotto_limit_month(next)), 11,
           "what a store has counts, and what it was not told");
    sotto_limits_free(limits);
}

/* --- threads --------------------------------------------------------------------------------- */

enum {
    THREADS = 8,
    ASKS = 20000,
    LIMIT = 12345
};

struct shared {
    struct sotto_limits *limits;
    atomic_int admitted;
    bool month;
};

static void *hammer(void *arg)
{
    struct shared *shared = arg;
    struct sotto_usage *usage = NULL;
    if (sotto_limits_usage(shared->limits, SOTTO_LIT(ID), &usage) != SOTTO_OK) {
        return NULL;
    }
    for (int i = 0; i < ASKS; i++) {
        struct sotto_reservation reservation;
        const struct sotto_key_quota quota = {
            .requests_per_minute = shared->month ? 0 : LIMIT,
            .monthly_requests = shared->month ? LIMIT : 0,
        };
        int64_t now = NOW + i % 59000;
        if (sotto_limit_reserve(usage, &quota, now, &reservation, NULL) == SOTTO_LIMIT_OK) {
            bool goes = !shared->month || i % 3 != 0;
            atomic_fetch_add(&shared->admitted, goes ? 1 : 0);
            sotto_limit_settle(&reservation, goes ? &sent : &unsent, now);
        }
    }
    return NULL;
}

static void test_threads(bool month)
{
    pthread_t threads[THREADS];
    struct shared shared = {.month = month};
    struct sotto_usage *usage = NULL;
    shared.limits = new_limits(&usage);
    for (int i = 0; i < THREADS; i++) {
        if (pthread_create(&threads[i], NULL, hammer, &shared) != 0) {
            abort();
        }
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    IS_INT(atomic_load(&shared.admitted), LIMIT,
           "%d threads together get exactly the limit of a %s", THREADS,
           month ? "month" : "minute");
    IS_INT(requests_of(usage, sotto_limit_month(NOW)), LIMIT, "and it is booked");
    sotto_limits_free(shared.limits);
}

static void test_many_keys(void)
{
    struct sotto_limits *limits = NULL;
    struct sotto_usage *first[1000];
    bool same = true;
    if (sotto_limits_new(&limits) != SOTTO_OK) {
        abort();
    }
    for (int round = 0; round < 2; round++) {
        for (unsigned i = 0; i < SOTTO_COUNT(first); i++) {
            char id[13];
            struct sotto_usage *usage = NULL;
            snprintf(id, sizeof(id), "%012u", i * 7919 % 1000);
            same = sotto_limits_usage(limits, sotto_span_init(id, 12), &usage) == SOTTO_OK && same;
            same = same && (round == 0 || usage == first[i]);
            first[i] = usage;
        }
    }
    OK(same, "a thousand keys keep their counters");
    struct sotto_usage *usage = NULL;
    IS_INT(sotto_limits_usage(limits, SOTTO_LIT("short"), &usage), SOTTO_EINVAL,
           "no id, no counter");
    sotto_limits_free(limits);

    for (size_t fault = 1; fault <= 3; fault++) {
        limits = NULL;
        usage = NULL;
        sotto_alloc_set_fault(fault);
        enum sotto_err err = sotto_limits_new(&limits);
        if (err == SOTTO_OK) {
            err = sotto_limits_usage(limits, SOTTO_LIT(ID), &usage);
        }
        sotto_alloc_set_fault(0);
        OK(err == SOTTO_ENOMEM && usage == NULL, "allocation %zu fails", fault);
        sotto_limits_free(limits);
    }
}

int main(void)
{
    test_minute();
    test_no_limit();
    test_every_window();
    test_clock_back();
    test_months();
    test_month();
    test_token_minute();
    test_token_month();
    test_random_mix();
    test_saving();
    test_months_untold();
    test_threads(false);
    test_threads(true);
    test_many_keys();
    return done_testing();
}
