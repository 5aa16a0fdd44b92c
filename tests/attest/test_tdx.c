/* SPDX-License-Identifier: Apache-2.0 */

#include "attest/kind.h"

#include "vectors.h"

#define IN_2026 1770000000

/* Where the parts lie in the reports at hand. */
struct layout {
    const char *file;
    size_t signed_len; /* header and body */
};

static size_t u32_at(const struct sotto_buf *buf, size_t at)
{
    return attest_u32(buf->base + at);
}

static void test_file(const struct layout *layout)
{
    struct sotto_buf quote;
    struct sotto_claims claims;
    const char *why = NULL;
    sotto_buf_init(&quote, SOTTO_BUF_UNBOUNDED);
    if (!vector_append(layout->file, &quote)) {
        sotto_buf_free(&quote);
        SKIP(1, "a report is missing");
        return;
    }
    struct sotto_evidence_policy good =
        vector_policy(SOTTO_TEE_TDX, sotto_buf_span(&quote), IN_2026);
    good.allow_debug = false;
    enum sotto_err err =
        sotto_evidence_verify(SOTTO_TEE_TDX, sotto_buf_span(&quote), &good, &claims, &why);
    IS_INT(err, SOTTO_OK, "%s is genuine: %s", layout->file, why != NULL ? why : "yes");
    size_t sig = layout->signed_len + 4, qe = sig + 128 + 6, auth = qe + 384 + 64 + 2;
    size_t auth_len = attest_u16(quote.base + auth - 2);
    size_t end = sig + u32_at(&quote, layout->signed_len);
    IS_SIZE(vector_flips(SOTTO_TEE_TDX, &quote, 0, auth + auth_len, &good), 0,
            "%s: no byte before the certificates can be changed", layout->file);
    IS_SIZE(vector_cuts(SOTTO_TEE_TDX, &quote, end, &good), 0,
            "%s: no beginning passes for the whole", layout->file);
    good.report_data[0] ^= 1;
    err = sotto_evidence_verify(SOTTO_TEE_TDX, sotto_buf_span(&quote), &good, &claims, &why);
    IS_INT(err, SOTTO_EDENIED, "%s: other report data", layout->file);
    good.report_data[0] ^= 1;
    good.roots = sotto_evidence_roots;
    good.root_count = 1;
    err = sotto_evidence_verify(SOTTO_TEE_TDX, sotto_buf_span(&quote), &good, &claims, &why);
    IS_INT(err, SOTTO_EAUTH, "%s: another maker's root", layout->file);
    sotto_buf_free(&quote);
}

int main(void)
{
    static const struct layout layouts[] = {
        {"tdx4.dat", 48 + 584},
        {"tdx5.dat", 48 + 6 + 648},
        {"cos.dat", 48 + 584},
    };
    for (size_t i = 0; i < SOTTO_COUNT(layouts); i++) {
        test_file(&layouts[i]);
    }
    return done_testing();
}
