/* SPDX-License-Identifier: Apache-2.0 */

#include "attest/evidence.h"

#include "tap/tap.h"

int main(void)
{
    struct sotto_claims claims = {.tee = SOTTO_TEE_TDX};
    struct sotto_evidence_policy policy = {0};
    const char *why = NULL;
    uint8_t zeros[2048] = {0};
    sotto_span some = sotto_span_init(zeros, sizeof(zeros));
    OK(strcmp(sotto_tee_name(SOTTO_TEE_NONE), "none") == 0, "no hardware has a name");
    OK(strcmp(sotto_tee_name(SOTTO_TEE_SNP), "sev-snp") == 0, "AMD's has one");
    OK(strcmp(sotto_tee_name(SOTTO_TEE_TDX), "tdx") == 0, "Intel's has one");
    OK(strcmp(sotto_tee_name((enum sotto_tee)7), "none") == 0, "an unknown kind is none");
    for (int tee = 0; tee < 4; tee++) {
        IS_INT(sotto_evidence_read((enum sotto_tee)tee, some, &claims), SOTTO_EFORMAT,
               "zeros are no evidence of kind %d", tee);
        IS_INT(sotto_evidence_read((enum sotto_tee)tee, SOTTO_LIT(""), &claims), SOTTO_EFORMAT,
               "nothing is no evidence of kind %d", tee);
        IS_INT(sotto_evidence_verify((enum sotto_tee)tee, some, &policy, &claims, &why),
               SOTTO_EFORMAT, "nor can it be verified");
    }
    OK(claims.tee == SOTTO_TEE_TDX, "claims stay as they were");
    OK(why != NULL, "it is said why");
    return done_testing();
}
