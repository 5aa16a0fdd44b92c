/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_KEYS_LIMIT_H
#define SOTTO_KEYS_LIMIT_H

/*
 * The one place where limits are checked: reserved before a request goes on, settled when its end
 * is known.
 *
 * Requests per minute: in no 60 seconds are more admitted than the limit, whatever the number of
 * threads.  (The window slides in steps of a second and keeps a second more than needed.)  A
 * refused request does not count.  Requests per month: calendar months in UTC; only what was sent
 * to a provider counts.  A limit of 0 is none.
 *
 * Counters are kept by key id, apart from the keys: they survive a new table of keys.  All
 * functions may be called from any thread.  Time is an argument; where it goes back (threads read
 * their clocks at different moments) the latest time seen counts.
 */

#include "base/err.h"
#include "base/span.h"

struct sotto_limits;
struct sotto_usage;

enum sotto_limit_verdict {
    SOTTO_LIMIT_OK,
    SOTTO_LIMIT_MINUTE, /* too many at once: 429 rate_limit_exceeded, Retry-After */
    SOTTO_LIMIT_MONTH,  /* the quota is spent: 429 insufficient_quota, x-should-retry: false */
};

/** For the headers `x-ratelimit-limit-requests` and its companions, and `Retry-After`. */
struct sotto_limit_state {
    uint64_t limit;     /* requests per minute; 0: no limit, send no headers */
    uint64_t remaining; /* how many more would be admitted now */
    uint32_t reset_ms;  /* until all of the limit is free again */
    uint32_t
        retry_after_s; /* until one more would be admitted, rounded up; SOTTO_LIMIT_MONTH: until
                               the month ends; 0: now */
};

/** What was taken and may have to be given back. */
struct sotto_reservation {
    struct sotto_usage *usage; /* NULL: nothing */
    int32_t month;
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
 * @param per_minute       limit of the key; 0: none
 * @param per_month        the same
 * @param now_ms           milliseconds since 1970
 * @param[out] reservation for sotto_limit_settle(); empty when not admitted
 * @param[out] state       may be NULL
 */
SOTTO_MUST_CHECK enum sotto_limit_verdict sotto_limit_reserve(struct sotto_usage *usage,
                                                              uint64_t per_minute,
                                                              uint64_t per_month, int64_t now_ms,
                                                              struct sotto_reservation *reservation,
                                                              struct sotto_limit_state *state);

/**
 * Ends a reservation; an empty one is allowed.  The reservation is empty afterwards.
 *
 * @param sent  whether the request went to a provider; if not, the month gets it back
 */
void sotto_limit_settle(struct sotto_reservation *reservation, bool sent);

/** Month of a time: months since January 1970, in UTC. */
int32_t sotto_limit_month(int64_t now_ms);

/**
 * Sets what was used in a month before this process began; adds to what was counted since.  An
 * older month is ignored.
 */
void sotto_usage_load(struct sotto_usage *usage, int32_t month, uint64_t requests);

/** Requests used in a month, those of earlier processes included. */
uint64_t sotto_usage_requests(struct sotto_usage *usage, int32_t month);

/** Told of what was used since it was last told; `requests` may be negative (given back). */
typedef enum sotto_err sotto_usage_save(void *ctx, sotto_span id, int32_t month, int64_t requests);

/**
 * Calls `save` for each key with use that is not saved yet.  What `save` fails for is kept for the
 * next time; what it took and then could not keep goes back with sotto_limits_unsave().  One
 * thread at a time.
 *
 * @return  the first error of `save`; the others are still called
 */
SOTTO_MUST_CHECK enum sotto_err sotto_limits_save(struct sotto_limits *limits,
                                                  sotto_usage_save *save, void *ctx);

/** Says that `requests` of a month, told to `save` before, are not saved after all. */
void sotto_limits_unsave(struct sotto_limits *limits, sotto_span id, int32_t month,
                         int64_t requests);

#endif
