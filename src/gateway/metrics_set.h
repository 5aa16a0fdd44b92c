/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_GATEWAY_METRICS_SET_H
#define SOTTO_GATEWAY_METRICS_SET_H

/* What metrics.c fills and metrics_print.c shows; for these two files alone. */

#include <pthread.h>

#include "base/arena.h"
#include "gateway/metrics.h"

#define METRICS_BUCKETS_MAX 20
#define METRICS_DIALECTS    8
#define METRICS_OUTCOMES    5
#define METRICS_CLASSES     3 /* 2xx, 4xx, 5xx */

/** Stages of a request, in order; each has a histogram of its duration. */
enum metrics_stage {
    METRICS_RECEIVE, /* first byte of the request to its last */
    METRICS_PROTECT, /* until it is masked and written for the upstream */
    METRICS_WAIT,    /* until the upstream's answer begins */
    METRICS_ANSWER,  /* until the answer has gone out */
    METRICS_OWN,     /* of all of it, what the gateway itself took */
    METRICS_TOTAL,
    METRICS_STAGES,
};

/** Upper bounds of buckets, lowest first, in microseconds or tokens. */
struct metrics_scale {
    uint64_t bounds[METRICS_BUCKETS_MAX];
    size_t count;
    bool seconds;
};

extern const struct metrics_scale metrics_stage_scale, metrics_token_scale, metrics_duration_scale,
    metrics_first_scale, metrics_per_token_scale;

struct metrics_histogram {
    uint64_t buckets[METRICS_BUCKETS_MAX + 1]; /* the last one: above all bounds */
    uint64_t count;
    uint64_t sum;
};

/** Requests of one operation to one model of one upstream. */
struct metrics_series {
    const char *operation; /* static */
    sotto_span provider, upstream, model;
    struct metrics_histogram input, output; /* tokens that a provider counted */
    struct metrics_histogram good, failed;  /* durations */
    struct metrics_histogram first;         /* time to the first token */
    struct metrics_histogram per_token;     /* time for each token after it */
    uint64_t counted[2], estimated[2];      /* tokens of input and output */
    uint64_t cost_nano;
};

struct metrics_code {
    const char *code; /* static */
    uint64_t count;
};

struct sotto_metrics {
    pthread_mutex_t lock; /* guards all below */
    struct sotto_arena arena;
    uint64_t begun, ended;
    const char *dialects[METRICS_DIALECTS]; /* names, as they were first seen */
    uint64_t requests[METRICS_DIALECTS][METRICS_OUTCOMES][METRICS_CLASSES];
    struct metrics_code codes[SOTTO_METRICS_CODES_MAX];
    uint64_t found[SOTTO_LABEL_COUNT], replaced[SOTTO_LABEL_COUNT];
    struct metrics_histogram stages[METRICS_STAGES];
    struct metrics_series **series;
    size_t series_count, series_cap;
};

/** Adds one set to another; where there is no memory, series are left out.  Both are locked. */
void metrics_add(struct sotto_metrics *to, const struct sotto_metrics *from);

#endif
