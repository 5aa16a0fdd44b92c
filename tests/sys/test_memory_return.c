/* SPDX-License-Identifier: Apache-2.0 */

#include "sys/memory_return.h"

#include "base/alloc.h"
#include "sys/process.h"
#include "tap/tap.h"

#define LITTLE (SOTTO_MEMORY_RETURN_CPU_US - 1)
#define MUCH   SOTTO_MEMORY_RETURN_CPU_US

static void test_when(void)
{
    struct sotto_memory_return m = {0};
    OK(!sotto_memory_return_is_due(&m, LITTLE), "next to nothing was done");
    OK(!sotto_memory_return_is_due(&m, MUCH), "much is being done");
    m.asked_us = MUCH;
    OK(sotto_memory_return_is_due(&m, MUCH + LITTLE), "much was done, and little now");
    OK(!sotto_memory_return_is_due(&m, MUCH + MUCH), "it goes on");
    m.returned_us = MUCH;
    OK(!sotto_memory_return_is_due(&m, MUCH + LITTLE), "nothing since it was given back");
    m.asked_us = MUCH + LITTLE;
    OK(sotto_memory_return_is_due(&m, MUCH + LITTLE + 1), "little by little is much");
}

/* As long as it takes until the process has used so much time. */
static void use_cpu(int64_t us)
{
    int64_t end = sotto_process_cpu_us() + us;
    while (sotto_process_cpu_us() < end) {
        sotto_free(sotto_alloc(1000));
    }
}

static void test_ticks(void)
{
    struct sotto_memory_return m = {0};
    use_cpu(MUCH);
    sotto_memory_return_tick(&m);
    OK(m.asked_us >= MUCH && m.returned_us == 0, "not while there is much to do");
    m.asked_us = sotto_process_cpu_us();
    sotto_memory_return_tick(&m);
    OK(m.returned_us >= MUCH && m.returned_us == m.asked_us, "behind it");
    int64_t returned_us = m.returned_us;
    sotto_memory_return_tick(&m);
    OK(m.returned_us == returned_us, "once");
}

int main(void)
{
    test_when();
    test_ticks();
    return done_testing();
}
