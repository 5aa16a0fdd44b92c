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

#define BLOCKS      ((size_t)32 << 10)
#define BLOCK_BYTES 1000

/* Takes many small blocks and frees all but the last, which keeps the heap's end where it is. */
static void *use_memory(void)
{
    static void *blocks[BLOCKS];
    for (size_t i = 0; i < BLOCKS; i++) {
        blocks[i] = sotto_calloc(1, BLOCK_BYTES);
    }
    for (size_t i = 0; i + 1 < BLOCKS; i++) {
        sotto_free(blocks[i]);
    }
    return blocks[BLOCKS - 1];
}

static int64_t held(void)
{
    struct sotto_process p;
    sotto_process_read(&p);
    return p.memory_bytes;
}

static void test_memory(void)
{
#if defined(__SANITIZE_ADDRESS__)
    SKIP(2, "sanitizers have a heap of their own");
#else
    struct sotto_memory_return m = {0};
    for (int round = 0; round < 2; round++) {
        void *last = use_memory();
        use_cpu(MUCH);
        m.asked_us = sotto_process_cpu_us();
        int64_t before = held();
        sotto_memory_return_tick(&m);
        OK(before - held() > (int64_t)(BLOCKS * BLOCK_BYTES * 9 / 10), "memory is smaller by it");
        sotto_free(last);
    }
#endif
}

int main(void)
{
    test_when();
    test_ticks();
    test_memory();
    return done_testing();
}
