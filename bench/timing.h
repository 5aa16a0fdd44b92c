/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_BENCH_TIMING_H
#define SOTTO_BENCH_TIMING_H

/* Processor time of an operation: median and spread (first to last tenth) of the rounds. */

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/err.h"

#define BENCH_ROUNDS_MAX 31
#define BENCH_OPERATIONS 300

static inline void must(enum sotto_err err)
{
    if (err != SOTTO_OK) {
        fprintf(stderr, "bench: %s\n", sotto_err_text(err));
        exit(1); /* NOLINT(concurrency-mt-unsafe): there is one thread */
    }
}

static inline double now_ns(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
    return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}

static inline int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/** @param prepare  makes what the operations of a round use up; not measured; may be NULL */
static inline void measure(const char *name, void (*prepare)(void), void (*run)(void),
                           size_t rounds)
{
    double times[BENCH_ROUNDS_MAX];
    for (size_t i = 0; i < rounds; i++) {
        if (prepare != NULL) {
            prepare();
        }
        double begun = now_ns();
        for (int j = 0; j < BENCH_OPERATIONS; j++) {
            run();
        }
        times[i] = (now_ns() - begun) / BENCH_OPERATIONS;
    }
    qsort(times, rounds, sizeof(times[0]), ascending);
    printf("%-36s %8.0f ns  (%.0f to %.0f)\n", name, times[rounds / 2], times[rounds / 10],
           times[rounds - 1 - rounds / 10]);
}

#endif
