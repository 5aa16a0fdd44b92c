/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_KEYS_LIMIT_H
#define SOTTO_KEYS_LIMIT_H

/*
 * The one place where limits are checked: reserved before a request goes on, settled when its end
 * is known.
 *
 *   reserve   one request, before anything of it is read; refused where a quota is spent
 *   extend    the tokens and the money that it may need, when it was read
 *   settle    what it did use in the place of what was reserved; once, whatever its end
 *
 * Per minute: in no 60 seconds more is admitted than the limit, whatever the number of threads.
 * (The window slides in steps of a second and keeps a second more than needed.)  A refused request
 * does not count.  Tokens of a request that needed more than was reserved count from its end.
 *
 * Per month: calendar months in UTC; only what was sent to a provider counts.  What running
 * requests have reserved counts as used while they run.  A limit of 0 is none.
 *
 * Counters are kept by key id, apart from the keys: they survive a new table of keys.  All
 * functions may be called from any thread.  Time is an argument and may go back: threads read their
 * clocks at different moments, and a clock may be set.  The window of a minute then forgives nothing
 * (keys/window.h), and each month is found as it was left (keys/books.h).
 */

#include "base/err.h"
#include "base/span.h"
#include "keys/key.h"
#include "keys/month.h"

struct sotto_limits;
struct sotto_usage;

/** What was used; also a difference of two such, and then numbers may be negative. */
struct sotto_use {
    int64_t requests;
    int64_t prompt_tokens;
    int64_t completion_tokens;
    int64_t estimated_tokens; /* how many of both nobody counted: no usage came */
    int64_t cost_nano;        /* thousand-millionths of the currency of the prices */
};

/** Adds each figure. */
void sotto_use_add(struct sotto_use *to, const struct sotto_use *more);

enum sotto_limit_verdict {
    SOTTO_LIMIT_OK,
    SOTTO_LIMIT_MINUTE,    /* too many requests: 429 rate_limit_exceeded, Retry-After */
    SOTTO_LIMIT_TOKENS,    /* too many tokens in this minute: the same */
    SOTTO_LIMIT_TOO_LARGE, /* more tokens than a minute ever has: 429, x-should-retry: false */
    SOTTO_LIMIT_HELD,      /* running requests have reserved what is left of the month: as MINUTE */
    SOTTO_LIMIT_MONTH,     /* a quota is spent: 429 insufficient_quota, x-should-retry: false */
};

/** For the headers `x-ratelimit-limit-…` and their companions. */
struct sotto_limit_side {
    uint64_t limit;     /* per minute; 0: no limit, send no headers */
    uint64_t remaining; /* how many more would be admitted now */
    uint32_t reset_ms;  /* until all of the limit is free again */
};

struct sotto_limit_state {
    struct sotto_limit_side requests;
    struct sotto_limit_side tokens;
    /* Retry-After: until it would be admitted, rounded up; SOTTO_LIMIT_MONTH: until the month
     * ends; 0: now. */
    uint32_t retry_after_s;
};

/** What a request may need.  The spare part is reserved as far as it is there. */
struct sotto_limit_ask {
    uint64_t tokens;
    uint64_t spare_tokens;
    uint64_t cost_nano;
    uint64_t spare_cost_nano;
};

/** What was taken and may have to be given back. */
struct sotto_reservation {
    struct sotto_usage *usage; /* NULL: nothing */
    int32_t month;
    int64_t request_step; /* second in which the request was counted */
    int64_t token_step;   /* the same for the tokens */
    uint64_t tokens;
    uint64_t cost_nano;
};

/** An empty set of counters.  @retval SOTTO_ENOMEM */
SOTTO_MUST_CHECK enum sotto_err sotto_limits_new(struct sotto_limits **out);

/** Frees with all counters; NULL is allowed. */
void sotto_limits_free(struct sotto_limits *limits);

/**
 * The counters of a key, made when it has none yet; valid as long as the set.
 *
 * @param id  SOTTO_KEY_ID_LEN bytes
 * @retval SOTTO_ENOMEM
 */
SOTTO_MUST_CHECK enum sotto_err sotto_limits_usage(struct sotto_limits *limits, sotto_span id,
                                                   struct sotto_usage **out);

/**
 * Asks for one request and, if it is admitted, counts it.
 *
 * @param quota            limits of the key
 * @param now_ms           milliseconds since 1970
 * @param[out] reservation for the two calls below; empty when not admitted
 * @param[out] state       may be NULL
 */
SOTTO_MUST_CHECK enum sotto_limit_verdict
sotto_limit_reserve(struct sotto_usage *usage, const struct sotto_key_quota *quota, int64_t now_ms,
                    struct sotto_reservation *reservation, struct sotto_limit_state *state);

/**
 * Asks for what the request may need; once for a reservation.
 *
 * @param reservation  of a request that was admitted; empty when this is refused: then the request
 *                     was never counted
 * @param[out] state   may be NULL
 */
SOTTO_MUST_CHECK enum sotto_limit_verdict sotto_limit_extend(struct sotto_reservation *reservation,
                                                             const struct sotto_key_quota *quota,
                                                             const struct sotto_limit_ask *ask,
                                                             int64_t now_ms,
                                                             struct sotto_limit_state *state);

/**
 * Ends a reservation; an empty one is allowed.  The reservation is empty afterwards.
 *
 * @param used  what counts in the place of what was reserved; `requests` is 1 where the request
 *              went to a provider, else 0
 */
void sotto_limit_settle(struct sotto_reservation *reservation, const struct sotto_use *used,
                        int64_t now_ms);

/**
 * Sets what the store has of a month, by earlier processes and other gateways; what it was not told
 * yet is added.  To be read from the store when all that it was told is written.
 */
void sotto_usage_load(struct sotto_usage *usage, int32_t month, const struct sotto_use *used);

/**
 * What is known to be used in a month, by earlier processes too and without what is only reserved.
 * Of a month that is not kept nothing is known.
 */
struct sotto_use sotto_usage_get(struct sotto_usage *usage, int32_t month);

/** Told of what was used since it was last told. */
typedef enum sotto_err sotto_usage_save(void *ctx, sotto_span id, int32_t month,
                                        const struct sotto_use *used);

/**
 * Calls `save` for each key with use that is not saved yet.  What `save` fails for is kept for the
 * next time.  One thread at a time.
 *
 * @return  the first error of `save`; the others are still called
 */
SOTTO_MUST_CHECK enum sotto_err sotto_limits_save(struct sotto_limits *limits,
                                                  sotto_usage_save *save, void *ctx);

#endif
