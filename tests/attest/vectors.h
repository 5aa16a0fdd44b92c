/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_TESTS_ATTEST_VECTORS_H
#define SOTTO_TESTS_ATTEST_VECTORS_H

/* Reports of real machines, from vectors/attestation in the folder that SOTTO_DATA names. */

#include <stdio.h>
#include <stdlib.h>

#include "attest/evidence.h"
#include "base/buf.h"
#include "tap/tap.h"

/* Appends a file; false: it is not there. */
static inline bool vector_append(const char *name, struct sotto_buf *out)
{
    char path[512];
    uint8_t piece[4096];
    const char *data = getenv("SOTTO_DATA");
    if (data == NULL) {
        return false;
    }
    snprintf(path, sizeof(path), "%s/vectors/attestation/%s", data, name);
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return false;
    }
    size_t n;
    while ((n = fread(piece, 1, sizeof(piece), file)) != 0) {
        sotto_ignore(sotto_buf_append(out, sotto_span_init(piece, n))); /* a test fails then */
    }
    fclose(file);
    return true;
}

/* A policy that accepts what `evidence` says at a time when its certificates were valid. */
static inline struct sotto_evidence_policy vector_policy(enum sotto_tee tee, sotto_span evidence,
                                                         int64_t now_s)
{
    struct sotto_evidence_policy policy = {.now_s = now_s, .allow_debug = true};
    struct sotto_claims claims = {0};
    OK(sotto_evidence_read(tee, evidence, &claims) == SOTTO_OK, "the report can be read");
    memcpy(policy.report_data, claims.report_data, sizeof(policy.report_data));
    return policy;
}

/* Flips a bit of each byte in [from, to); the number of changes that were believed. */
static inline size_t vector_flips(enum sotto_tee tee, struct sotto_buf *evidence, size_t from,
                                  size_t to, const struct sotto_evidence_policy *policy)
{
    size_t believed = 0;
    for (size_t i = from; i < to; i++) {
        struct sotto_evidence_policy asked = *policy;
        struct sotto_claims claims;
        const char *why = NULL;
        evidence->base[i] ^= (uint8_t)(1U << i % 8);
        if (sotto_evidence_read(tee, sotto_buf_span(evidence), &claims) == SOTTO_OK) {
            /* so that nothing but the proof can object */
            memcpy(asked.report_data, claims.report_data, sizeof(asked.report_data));
        }
        believed +=
            sotto_evidence_verify(tee, sotto_buf_span(evidence), &asked, &claims, &why) == SOTTO_OK;
        evidence->base[i] ^= (uint8_t)(1U << i % 8);
    }
    return believed;
}

/* How many beginnings of the evidence are taken for the whole. */
static inline size_t vector_cuts(enum sotto_tee tee, const struct sotto_buf *evidence, size_t len,
                                 const struct sotto_evidence_policy *policy)
{
    size_t believed = 0;
    for (size_t n = 0; n < len; n++) {
        struct sotto_claims claims;
        const char *why = NULL;
        uint8_t *copy = malloc(n + 1); /* for the sanitizer: nothing behind it is there */
        memcpy(copy, evidence->base, n);
        believed +=
            sotto_evidence_verify(tee, sotto_span_init(copy, n), policy, &claims, &why) == SOTTO_OK;
        free(copy);
    }
    return believed;
}

#endif
