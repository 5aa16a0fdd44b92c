/* SPDX-License-Identifier: Apache-2.0 */

#include "attest/kind.h"

#include "base/alloc.h"
#include "vectors.h"

#define REPORT_BYTES 1184
#define SIGNED_BYTES 0x2a0
#define IN_2024      1720000000

static void put_u32(struct sotto_buf *out, size_t n)
{
    const uint8_t le[] = {(uint8_t)n, (uint8_t)(n >> 8), (uint8_t)(n >> 16), (uint8_t)(n >> 24)};
    OK(sotto_buf_append(out, sotto_span_init(le, sizeof(le))) == SOTTO_OK, "a number is written");
}

/* The report of a Milan machine, and the table that its host would lend: VCEK, then ASK and ARK. */
static bool make(struct sotto_buf *out, bool mixed)
{
    static const uint8_t vcek[2][16] = {{0x63, 0xda, 0x75, 0x8d, 0xe6, 0x64, 0x45, 0x64, 0xad, 0xc5,
                                         0xf4, 0xb9, 0x3b, 0xe8, 0xac, 0xcd},
                                        {0x8d, 0x75, 0xda, 0x63, 0x64, 0xe6, 0x64, 0x45, 0xad, 0xc5,
                                         0xf4, 0xb9, 0x3b, 0xe8, 0xac, 0xcd}};
    static const uint8_t ask[16] = {0x4a, 0xb7, 0xb3, 0x79, 0xbb, 0xac, 0x4f, 0xe4,
                                    0xa0, 0x2f, 0x05, 0xae, 0xf3, 0x27, 0xc7, 0x82};
    static const uint8_t end[24];
    struct sotto_buf leaf, others;
    sotto_buf_init(&leaf, SOTTO_BUF_UNBOUNDED);
    sotto_buf_init(&others, SOTTO_BUF_UNBOUNDED);
    bool there = vector_append("snp.bin", out) && vector_append("vcek", &leaf) &&
                 vector_append("milan", &others);
    if (there) {
        sotto_ignore(sotto_buf_append(out, sotto_span_init(ask, 16))); /* shown by what follows */
        put_u32(out, 72);
        put_u32(out, others.len);
        sotto_ignore(sotto_buf_append(out, sotto_span_init(vcek[mixed ? 1 : 0], 16)));
        put_u32(out, 72 + others.len);
        put_u32(out, leaf.len);
        sotto_ignore(sotto_buf_append(out, sotto_span_init(end, sizeof(end))));
        sotto_ignore(sotto_buf_append(out, sotto_buf_span(&others)));
        sotto_ignore(sotto_buf_append(out, sotto_buf_span(&leaf)));
    }
    sotto_buf_free(&leaf);
    sotto_buf_free(&others);
    return there;
}

static void expect(sotto_span evidence, const struct sotto_evidence_policy *policy,
                   enum sotto_err want, const char *what)
{
    struct sotto_claims claims, before;
    const char *why = NULL;
    memset(&claims, 0x5a, sizeof(claims));
    before = claims;
    enum sotto_err err = sotto_evidence_verify(SOTTO_TEE_SNP, evidence, policy, &claims, &why);
    IS_INT(err, want, "%s", what);
    if (want != SOTTO_OK) {
        OK(why != NULL, "%s: it is said why", what);
        OK(memcmp(&claims, &before, sizeof(claims)) == 0, "%s: nothing is claimed", what);
    }
}

static void test_policy(const struct sotto_buf *evidence)
{
    sotto_span all = sotto_buf_span(evidence);
    struct sotto_evidence_policy good = vector_policy(SOTTO_TEE_SNP, all, IN_2024), p;
    uint8_t measurement[2][SOTTO_MEASUREMENT_BYTES] = {{0}};
    expect(all, &good, SOTTO_OK, "a real report");
    p = good;
    p.allow_debug = false;
    expect(all, &p, SOTTO_EDENIED, "a guest that may be debugged");
    p = good;
    p.report_data[63] ^= 1;
    expect(all, &p, SOTTO_EDENIED, "other report data");
    p = good;
    p.now_s = 1600000000;
    expect(all, &p, SOTTO_EAUTH, "before the certificates are valid");
    p.now_s = INT64_C(4000000000);
    expect(all, &p, SOTTO_EAUTH, "when they are not any more");
    p = good;
    p.roots = sotto_evidence_roots + 1;
    p.root_count = 1;
    expect(all, &p, SOTTO_EAUTH, "the root of another generation");
    p.root_count = 0;
    expect(all, &p, SOTTO_EAUTH, "no root at all");
    p = good;
    p.tcb_min[7] = 0x45;
    expect(all, &p, SOTTO_EDENIED, "microcode that is too old");
    p.tcb_min[7] = 0x44;
    expect(all, &p, SOTTO_OK, "microcode that is just new enough");
    p.measurements = (const uint8_t(*)[SOTTO_MEASUREMENT_BYTES])measurement;
    p.measurement_count = 2;
    expect(all, &p, SOTTO_EDENIED, "a measurement that is not allowed");
    memcpy(measurement[1], evidence->base + 0x90, SOTTO_MEASUREMENT_BYTES);
    expect(all, &p, SOTTO_OK, "one that is");
}

/* The library survives some of its own allocations' failures; then the verdict must be the same. */
static void test_faults(sotto_span all, const struct sotto_evidence_policy *policy)
{
    size_t refused = 0, changed = 0;
    for (size_t n = 1;; n++) {
        struct sotto_claims claims, before;
        const char *why = NULL;
        memset(&claims, 0x5a, sizeof(claims));
        before = claims;
        sotto_alloc_set_fault(n);
        enum sotto_err err = sotto_evidence_verify(SOTTO_TEE_SNP, all, policy, &claims, &why);
        if (sotto_alloc_set_fault(0) < n) {
            IS_INT(err, SOTTO_OK, "without a failure it is believed");
            break;
        }
        refused += err != SOTTO_OK;
        changed += err != SOTTO_OK && memcmp(&claims, &before, sizeof(claims)) != 0;
    }
    OK(refused > 10, "allocations that fail are refusals: %zu", refused);
    IS_SIZE(changed, 0, "a refusal claims nothing");
}

int main(void)
{
    struct sotto_buf evidence;
    sotto_buf_init(&evidence, SOTTO_BUF_UNBOUNDED);
    if (!make(&evidence, false)) {
        sotto_buf_free(&evidence);
        SKIP_ALL("the folder of reports is missing");
    }
    test_policy(&evidence);
    struct sotto_evidence_policy good =
        vector_policy(SOTTO_TEE_SNP, sotto_buf_span(&evidence), IN_2024);
    IS_SIZE(vector_flips(SOTTO_TEE_SNP, &evidence, 0, SIGNED_BYTES + 144, &good), 0,
            "no byte of the report or its signature can be changed");
    size_t leaf = evidence.len - 1360;
    IS_SIZE(vector_flips(SOTTO_TEE_SNP, &evidence, leaf, evidence.len, &good), 0,
            "no byte of the chip's certificate can be changed");
    IS_SIZE(vector_cuts(SOTTO_TEE_SNP, &evidence, evidence.len, &good), 0,
            "no beginning passes for the whole");
    test_faults(sotto_buf_span(&evidence), &good);
    sotto_buf_truncate(&evidence, 0);
    OK(make(&evidence, true), "the same with a GUID in the other byte order");
    expect(sotto_buf_span(&evidence), &good, SOTTO_OK, "GUIDs of either byte order");
    sotto_buf_free(&evidence);
    return done_testing();
}
