/* SPDX-License-Identifier: Apache-2.0 */

#include "sys/cpu.h"

#include "tap/tap.h"

int main(void)
{
    size_t count = sotto_cpu_count();
    OK(count >= 1, "there is a processor");
    IS_INT(sotto_cpu_bind(count), SOTTO_EINVAL, "there is none behind the last");
    IS_INT(sotto_cpu_bind(count - 1), SOTTO_OK, "the thread is bound to the last");
    IS_SIZE(sotto_cpu_count(), 1, "and has only that one now");
    return done_testing();
}
