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
