/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Reports of confidential machines.  Oracle: what is read is in the input at the place where the
 * makers' documents have it, and nothing that was made up is believed.
 */

#include <stdlib.h>
#include <string.h>

#include "attest/evidence.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
    if (!ok) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sotto_claims claims;
    struct sotto_evidence_policy policy = {.now_s = 1770000000, .allow_debug = true};
    const char *why = NULL;
    sotto_span in = sotto_span_init(data, size);
    if (sotto_evidence_read(SOTTO_TEE_SNP, in, &claims) == SOTTO_OK) {
        must(memcmp(claims.report_data, data + 0x50, sizeof(claims.report_data)) == 0);
        memcpy(policy.report_data, claims.report_data, sizeof(policy.report_data));
        must(sotto_evidence_verify(SOTTO_TEE_SNP, in, &policy, &claims, &why) != SOTTO_OK);
        must(why != NULL);
    }
    if (sotto_evidence_read(SOTTO_TEE_TDX, in, &claims) == SOTTO_OK) {
        size_t body = data[0] == 5 ? 54 : 48;
        must(memcmp(claims.report_data, data + body + 520, sizeof(claims.report_data)) == 0);
        memcpy(policy.report_data, claims.report_data, sizeof(policy.report_data));
        must(sotto_evidence_verify(SOTTO_TEE_TDX, in, &policy, &claims, &why) != SOTTO_OK);
        must(why != NULL);
    }
    return 0;
}
