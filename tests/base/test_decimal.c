/* SPDX-License-Identifier: Apache-2.0 */

#include "base/decimal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tap/tap.h"

static void check(uint64_t number, size_t width, const char *want)
{
    char out[SOTTO_DECIMAL_MAX + 1];
    memset(out, '#', sizeof(out));
    size_t len = sotto_decimal(number, width, out);
    IS_TEXT(out, len, want, "%s", want);
    OK(out[len] == '#', "nothing is written behind %s", want);
}

static void check_point(uint64_t number, size_t places, const char *want)
{
    char out[SOTTO_DECIMAL_POINT_BYTES];
    sotto_decimal_point(number, places, out);
    IS_TEXT(out, strlen(out), want, "%s", want);
}

int main(void)
{
    check_point(0, 3, "0.000");
    check_point(110, 3, "0.110");
    check_point(12345, 3, "12.345");
    check_point(1000000, 6, "1.000000");
    check_point(UINT64_MAX, 19, "1.8446744073709551615");
    check(0, 1, "0");
    check(0, 3, "000");
    check(7, 3, "007");
    check(999, 3, "999");
    check(1000, 3, "1000");
    check(UINT64_MAX, 1, "18446744073709551615");
    check(1, SOTTO_DECIMAL_MAX, "00000000000000000001");
    for (uint64_t n = 1, power = 0; power < 20; power++, n *= 10) {
        char want[32];
        snprintf(want, sizeof(want), "%" PRIu64, n - 1);
        check(n - 1, 1, want);
    }
    return done_testing();
}
