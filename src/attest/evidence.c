/* SPDX-License-Identifier: Apache-2.0 */

#include "attest/evidence.h"

#include "attest/kind.h"
#include "base/ct.h"

/* By enum sotto_tee. */
static const struct attest_kind *const attest_kinds[] = {NULL, &attest_snp, &attest_tdx};

/*
 * SHA-256 of the public keys in the makers' root certificates: AMD's ARKs (AMD publication 57230,
 * KDS) for Milan, for Genoa, whose root Bergamo and Siena share, and for Turin; Intel's SGX root CA.
 * tests/attest/test_roots.c has AMD's certificates.
 */
const struct sotto_chain_root sotto_evidence_roots[] = {
    {{0x9f, 0x05, 0x6b, 0xee, 0x44, 0x37, 0x7e, 0x29, 0x30, 0x8c, 0xb5,
      0xff, 0xa8, 0x95, 0xbd, 0xfb, 0x62, 0xd1, 0x88, 0x81, 0xfa, 0x6b,
      0xed, 0x8d, 0x6f, 0x07, 0x5b, 0x02, 0x04, 0x08, 0x9c, 0xb9}},
    {{0x42, 0x9a, 0x69, 0xc9, 0x42, 0x2a, 0xa2, 0x58, 0xee, 0x4d, 0x8d,
      0xb5, 0xfc, 0xda, 0x9c, 0x64, 0x70, 0xef, 0x15, 0xf8, 0xcd, 0x5a,
      0x9c, 0xeb, 0xd6, 0xcb, 0xc7, 0xd9, 0x0b, 0x86, 0x38, 0x31}},
    {{0x4f, 0x12, 0x54, 0x10, 0x56, 0x3a, 0x2a, 0xb9, 0xa5, 0x03, 0x56,
      0xf9, 0x24, 0x3f, 0x6f, 0xe0, 0xb6, 0xf7, 0x3d, 0xe9, 0x86, 0x03,
      0xf5, 0x3f, 0x90, 0x33, 0x9c, 0x70, 0xe9, 0xd7, 0xad, 0x08}},
    {{0xa0, 0xaf, 0x03, 0x12, 0x89, 0xf5, 0xd5, 0xd4, 0x13, 0x2f, 0x91,
      0x86, 0x06, 0x8a, 0x7f, 0xc1, 0x36, 0x28, 0x63, 0x3b, 0xa2, 0x35,
      0x77, 0x74, 0x72, 0xe2, 0x9b, 0x6b, 0x6c, 0x67, 0xa4, 0x9e}},
};
const size_t sotto_evidence_root_count = SOTTO_COUNT(sotto_evidence_roots);

static const struct attest_kind *kind_of(enum sotto_tee tee)
{
    return (size_t)tee < SOTTO_COUNT(attest_kinds) ? attest_kinds[tee] : NULL;
}

const char *sotto_tee_name(enum sotto_tee tee)
{
    const struct attest_kind *kind = kind_of(tee);
    return kind != NULL ? kind->name : "none";
}

enum sotto_err sotto_evidence_read(enum sotto_tee tee, sotto_span evidence,
                                   struct sotto_claims *claims)
{
    const struct attest_kind *kind = kind_of(tee);
    struct sotto_claims read = {.tee = tee};
    if (kind == NULL || evidence.len > SOTTO_EVIDENCE_MAX) {
        return SOTTO_EFORMAT;
    }
    enum sotto_err err = kind->read(evidence, &read);
    if (err == SOTTO_OK) {
        *claims = read;
    }
    return err;
}

static bool is_measured(const struct sotto_evidence_policy *policy,
                        const struct sotto_claims *claims)
{
    bool found = policy->measurement_count == 0;
    for (size_t i = 0; i < policy->measurement_count; i++) {
        found |=
            memcmp(policy->measurements[i], claims->measurement, sizeof(claims->measurement)) == 0;
    }
    return found;
}

static bool is_recent(const struct sotto_evidence_policy *policy, const struct sotto_claims *claims)
{
    for (size_t i = 0; i < sizeof(claims->tcb); i++) {
        if (claims->tcb[i] < policy->tcb_min[i]) {
            return false;
        }
    }
    return true;
}

static enum sotto_err judge(const struct sotto_evidence_policy *policy,
                            const struct sotto_claims *claims, const char **why)
{
    if (!sotto_ct_equal(policy->report_data, claims->report_data, sizeof(claims->report_data))) {
        return attest_fail(why, "the report vouches for other keys", SOTTO_EDENIED);
    }
    if (claims->debug && !policy->allow_debug) {
        return attest_fail(why, "the host may debug the guest", SOTTO_EDENIED);
    }
    if (!is_measured(policy, claims)) {
        return attest_fail(why, "the measurement is not among those allowed", SOTTO_EDENIED);
    }
    if (!is_recent(policy, claims)) {
        return attest_fail(why, "the firmware is older than allowed", SOTTO_EDENIED);
    }
    return SOTTO_OK;
}

enum sotto_err sotto_evidence_verify(enum sotto_tee tee, sotto_span evidence,
                                     const struct sotto_evidence_policy *policy,
                                     struct sotto_claims *claims, const char **why)
{
    struct sotto_claims read;
    struct attest_trust trust = {
        .roots = policy->roots, .root_count = policy->root_count, .now_s = policy->now_s};
    if (trust.roots == NULL) {
        trust.roots = sotto_evidence_roots;
        trust.root_count = sotto_evidence_root_count;
    }
    enum sotto_err err = sotto_evidence_read(tee, evidence, &read);
    const struct attest_kind *kind = kind_of(tee);
    if (err != SOTTO_OK || kind == NULL) {
        return attest_fail(why, "the evidence cannot be read", SOTTO_EFORMAT);
    }
    if ((err = kind->prove(evidence, &trust, why)) != SOTTO_OK ||
        (err = judge(policy, &read, why)) != SOTTO_OK) {
        return err;
    }
    *claims = read;
    return SOTTO_OK;
}
