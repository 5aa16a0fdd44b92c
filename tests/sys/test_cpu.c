/* SPDX-License-Identifier: Apache-2.0 */

#include "sys/cpu.h"

#include "tap/tap.h"

int main(void)
{
    size_t count = sotto_cpu_count();
    OK(count >= 1, "there is a processor");
    return done_testing();
}
