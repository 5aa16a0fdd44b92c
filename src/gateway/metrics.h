/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_GATEWAY_METRICS_H
#define SOTTO_GATEWAY_METRICS_H

/*
 * Counters and histograms of what the gateway does, in Prometheus' text format 0.0.4.
 *
 * Each thread that serves has a set of its own and fills it from the record of each request; one
 * that shows them adds the sets up.  What concerns models bears the names and buckets of
 * OpenTelemetry's semantic conventions for generative AI, written as Prometheus writes them
 * (`gen_ai.client.token.usage` is `gen_ai_client_token_usage`).
 *
 * Labels are names of the configuration and words of this program, never what a client or a
 * provider said; there is an upper bound to their number.  A set may be filled by one thread and
 * read by another.
 */

#include "base/buf.h"
#include "gateway/record.h"

/** Most combinations of operation, upstream and model; what comes after counts as "other". */
#define SOTTO_METRICS_SERIES_MAX 1000

/** Most different codes of refusals; they are words of this program. */
#define SOTTO_METRICS_CODES_MAX 64

struct sotto_metrics;

/** @param[out] out  set only on SOTTO_OK; freed with sotto_metrics_free().  @retval SOTTO_ENOMEM */
SOTTO_MUST_CHECK enum sotto_err sotto_metrics_new(struct sotto_metrics **out);

/** Frees; NULL is allowed. */
void sotto_metrics_free(struct sotto_metrics *metrics);

/** A request has come. */
void sotto_metrics_begin(struct sotto_metrics *metrics);

/** Its record is complete. */
void sotto_metrics_end(struct sotto_metrics *metrics, const struct sotto_record *record);

/** A store that gateways of a fleet share. */
struct sotto_metrics_store {
    const char *name; /* a word of this program; NULL: there is no such store */
    bool ready;       /* requests that need it are served */
};

/** What the process as a whole has to say. */
struct sotto_metrics_facts {
    const char *version;
    bool ready;
    struct sotto_metrics_store keys_store, limits_store;
    int64_t started_s;    /* since 1970 */
    uint64_t keys;        /* in the table, revoked ones included */
    uint64_t reloads;     /* of the configuration, that were taken */
    uint64_t refused;     /* reloads that were not */
    uint64_t unsaved;     /* times that use could not be written to the store */
    int64_t cpu_us;       /* of the process */
    int64_t memory_bytes; /* resident */
    int64_t descriptors;  /* open */
};

/**
 * Appends everything.
 *
 * @param all  sets, which are added up; borrowed for the call
 * @retval SOTTO_ENOMEM, SOTTO_ELIMIT  `out` unchanged
 */
SOTTO_MUST_CHECK enum sotto_err sotto_metrics_print(struct sotto_metrics *const *all, size_t count,
                                                    const struct sotto_metrics_facts *facts,
                                                    struct sotto_buf *out);

#endif
