/* SPDX-License-Identifier: Apache-2.0 */

#include "sys/memory_return.h"

#include "base/alloc.h"
#include "sys/process.h"

bool sotto_memory_return_is_due(const struct sotto_memory_return *m, int64_t cpu_us)
{
    return cpu_us - m->asked_us < SOTTO_MEMORY_RETURN_CPU_US &&
           cpu_us - m->returned_us >= SOTTO_MEMORY_RETURN_CPU_US;
}

void sotto_memory_return_tick(struct sotto_memory_return *m)
{
    int64_t cpu_us = sotto_process_cpu_us();
    if (sotto_memory_return_is_due(m, cpu_us)) {
        sotto_alloc_trim();
        cpu_us = sotto_process_cpu_us(); /* without what this took, or it would be due for ever */
        m->returned_us = cpu_us;
    }
    m->asked_us = cpu_us;
}
