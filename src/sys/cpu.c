/* SPDX-License-Identifier: Apache-2.0 */

#include "sys/cpu.h"

#include <sched.h>

size_t sotto_cpu_count(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof(set), &set) != 0) {
        return 1; /* more processors than the mask holds: serve on one rather than not at all */
    }
    int count = CPU_COUNT(&set);
    return count > 0 ? (size_t)count : 1;
}

enum sotto_err sotto_cpu_bind(size_t index)
{
    cpu_set_t allowed, one;
    if (sched_getaffinity(0, sizeof(allowed), &allowed) != 0) {
        return SOTTO_EIO;
    }
    for (size_t cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (CPU_ISSET(cpu, &allowed) && index-- == 0) {
            CPU_ZERO(&one);
            CPU_SET(cpu, &one);
            return sched_setaffinity(0, sizeof(one), &one) == 0 ? SOTTO_OK : SOTTO_EIO;
        }
    }
    return SOTTO_EINVAL;
}
