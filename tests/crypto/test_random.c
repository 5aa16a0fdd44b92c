/* SPDX-License-Identifier: Apache-2.0 */

#include "crypto/random.h"

#include <stdint.h>

#include "tap/tap.h"

int main(void)
{
    uint8_t a[64] = {0}, b[64] = {0}, zero[64] = {0};

    IS_INT(sotto_crypto_random(a, sizeof(a)), SOTTO_OK, "there is randomness");
    IS_INT(sotto_crypto_random(b, sizeof(b)), SOTTO_OK, "and more of it");
    OK(memcmp(a, b, sizeof(a)) != 0, "two draws differ");
    OK(memcmp(a, zero, sizeof(a)) != 0, "a draw is not all zeros");
    IS_INT(sotto_crypto_random(a, 0), SOTTO_OK, "nothing may be asked for");

    sotto_crypto_random_set_fault(2);
    IS_INT(sotto_crypto_random(a, sizeof(a)), SOTTO_OK, "the first call before the fault");
    IS_INT(sotto_crypto_random(a, sizeof(a)), SOTTO_ECRYPTO, "the second fails");
    IS_MEM(a, sizeof(a), zero, sizeof(zero), "what failed left zeros");
    IS_INT(sotto_crypto_random(a, sizeof(a)), SOTTO_OK, "the third succeeds");
    IS_SIZE(sotto_crypto_random_set_fault(0), 3, "calls are counted");
    return done_testing();
}
