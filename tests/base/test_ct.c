/* SPDX-License-Identifier: Apache-2.0 */

#include "base/ct.h"

#include "tap/tap.h"

int main(void)
{
    char a[32], b[32];
    memset(a, 7, sizeof(a));
    memset(b, 7, sizeof(b));
    OK(sotto_ct_equal(a, b, sizeof(a)), "equal");
    OK(sotto_ct_equal(a, b, 0), "nothing equals nothing");
    bool all = true;
    for (size_t i = 0; i < sizeof(a) * 8; i++) {
        b[i / 8] = (char)(b[i / 8] ^ (1 << (i % 8)));
        all = all && !sotto_ct_equal(a, b, sizeof(a));
        b[i / 8] = a[i / 8];
    }
    OK(all, "every single bit matters");
    return done_testing();
}
