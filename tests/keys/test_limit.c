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

static enum sotto_limit_verdict ask(struct sotto_usage *usage, uint64_t minute, uint64_t month,
                                    int64_t now_ms, struct sotto_limit_state *state)
{
    struct sotto_reservation reservation;
    enum sotto_limit_verdict verdict =
        sotto_limit_reserve(usage, minute, month, now_ms, &reservation, state);
    sotto_limit_settle(&reservation, true);
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
        IS_INT(state.remaining, 4 - i, "and so many remain");
        IS_INT(state.limit, 5, "of five");
        IS_INT(state.retry_after_s, i == 4 ? 57 : 0, "the next one may come");
    }
    IS_INT(state.reset_ms, 61000, "all is free when the last has left the window");
    IS_INT(ask(usage, 5, 0, NOW + 4500, &state), SOTTO_LIMIT_MINUTE, "the sixth is refused");
    IS_INT(state.remaining, 0, "none remains");
    IS_INT(state.retry_after_s, 57, "the first leaves the window in 56.5 s");
    IS_INT(ask(usage, 5, 0, NOW + 60999, &state), SOTTO_LIMIT_MINUTE, "just before that");
    IS_INT(state.retry_after_s, 1, "a second is the shortest wait");
    IS_INT(ask(usage, 5, 0, NOW + 61000, &state), SOTTO_LIMIT_OK, "then one is admitted");
    IS_INT(ask(usage, 5, 0, NOW + 61000, &state), SOTTO_LIMIT_MINUTE, "and not two");
    IS_INT(ask(usage, 5, 0, NOW + 62000, &state), SOTTO_LIMIT_OK, "a second later another");
    IS_INT(ask(usage, 5, 0, NOW + 500000, &state), SOTTO_LIMIT_OK, "after a pause all are free");
    IS_INT(state.remaining, 4, "but this one");
    IS_INT(state.reset_ms, 61000, "for a minute");
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
    OK(state.limit == 0 && state.remaining == 0 && state.reset_ms == 0 && state.retry_after_s == 0,
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
    const int64_t next = 1796083200000LL; /* 2026-12-01 */
    const int32_t month = sotto_limit_month(NOW);
    sotto_usage_load(usage, month, 7);
    sotto_usage_load(usage, month - 1, 1000);
    IS_INT(sotto_usage_requests(usage, month), 7, "what earlier processes used counts");
    IS_INT(ask(usage, 0, 10, NOW, &state), SOTTO_LIMIT_OK, "the eighth of ten");
    IS_INT(sotto_limit_reserve(usage, 0, 10, NOW, &held, &state), SOTTO_LIMIT_OK, "the ninth");
    IS_INT(ask(usage, 0, 10, NOW, &state), SOTTO_LIMIT_OK, "the tenth");
    IS_INT(ask(usage, 0, 10, NOW, &state), SOTTO_LIMIT_MONTH, "the quota is spent");
    IS_INT(state.retry_after_s, (next - NOW) / 1000, "until the month ends");
    IS_INT(ask(usage, 5, 10, NOW, &state), SOTTO_LIMIT_MONTH, "whatever the minute says");
    sotto_limit_settle(&held, false);
    OK(held.usage == NULL, "a reservation ends once");
    sotto_limit_settle(&held, false);
    IS_INT(sotto_usage_requests(usage, month), 9, "what was not sent is given back, once");
    IS_INT(ask(usage, 0, 10, NOW, &state), SOTTO_LIMIT_OK, "and may be used again");
    IS_INT(ask(usage, 0, 10, next - 1, &state), SOTTO_LIMIT_MONTH, "the last millisecond");
    IS_INT(state.retry_after_s, 1, "a second is the shortest wait");
    IS_INT(ask(usage, 0, 10, next, &state), SOTTO_LIMIT_OK, "a new month starts anew");
    IS_INT(sotto_usage_requests(usage, month + 1), 1, "from nothing");
    IS_INT(sotto_usage_requests(usage, month), 0, "the old one is over");
    sotto_limits_free(limits);
}

/* --- saving ---------------------------------------------------------------------------------- */

struct saved {
    int calls;
    int64_t sum[2]; /* of the month before, of this one */
    enum sotto_err err;
};

static enum sotto_err save(void *ctx, sotto_span id, int32_t month, int64_t requests)
{
    struct saved *saved = ctx;
    (void)id;
    saved->calls++;
    if (saved->err == SOTTO_OK) {
        saved->sum[month - sotto_limit_month(NOW)] += requests;
    }
    return saved->err;
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

    sotto_ignore((enum sotto_err)sotto_limit_reserve(usage, 0, 0, NOW, &held, NULL));
    sotto_ignore((enum sotto_err)sotto_limit_reserve(usage, 0, 0, NOW, &over, NULL));
    IS_INT(sotto_limits_save(limits, save, &saved), SOTTO_OK, "reserved ones are told");
    IS_INT(saved.sum[0], 4, "as used");
    sotto_limit_settle(&held, false);
    IS_INT(sotto_limits_save(limits, save, &saved), SOTTO_OK, "given back");
    IS_INT(saved.sum[0], 3, "they are taken off");

    ask(usage, 0, 0, NOW, NULL);
    const int64_t next = 1796083200000LL;
    ask(usage, 0, 0, next, NULL);
    sotto_limit_settle(&over, false);
    IS_INT(sotto_limits_save(limits, save, &saved), SOTTO_OK, "over the end of a month");
    IS_INT(saved.sum[0], 3, "each month gets its own, with what came back late");
    IS_INT(saved.sum[1], 1, "and the new one its first");

    sotto_limits_unsave(limits, SOTTO_LIT(ID), sotto_limit_month(next), 1);
    IS_INT(sotto_limits_save(limits, save, &saved), SOTTO_OK, "what a store could not keep");
    IS_INT(saved.sum[1], 2, "is told again");
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
        if (sotto_limit_reserve(usage, shared->month ? 0 : LIMIT, shared->month ? LIMIT : 0,
                                NOW + i % 59000, &reservation, NULL) == SOTTO_LIMIT_OK) {
            bool sent = !shared->month || i % 3 != 0;
            atomic_fetch_add(&shared->admitted, sent ? 1 : 0);
            sotto_limit_settle(&reservation, sent);
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
    IS_INT(sotto_usage_requests(usage, sotto_limit_month(NOW)), LIMIT, "and it is booked");
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
    test_saving();
    test_threads(false);
    test_threads(true);
    test_many_keys();
    return done_testing();
}
