/* SPDX-License-Identifier: Apache-2.0 */

#include "seal/suite.h"

/* ML-KEM-512 alone is NIST's category 1; RSA falls to the first large quantum computer. */
const struct sotto_suite sotto_suites[SOTTO_SUITE_COUNT] = {
    {"x-wing", "ML-KEM-768 + X25519 (X-Wing, HPKE KEM 0x647a)", &sotto_kem_xwing, 3, 60, true},
    {"kyber512", "ML-KEM-512 (FIPS 203, HPKE KEM 0x0040)", &sotto_kem_mlkem512, 2, 60, true},
    {"rsa4096", "RSA-4096 (RSAES-OAEP, SHA-256)", &sotto_kem_rsa4096, 1, 3600, false},
};

const struct sotto_suite *sotto_suite_find(sotto_span word)
{
    if (sotto_span_eq(word, SOTTO_LIT("auto"))) {
        return &sotto_suites[0];
    }
    for (size_t i = 0; i < SOTTO_SUITE_COUNT; i++) {
        if (sotto_span_eq(word, sotto_span_str(sotto_suites[i].name))) {
            return &sotto_suites[i];
        }
    }
    return NULL;
}
