/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_SYS_PROCESS_H
#define SOTTO_SYS_PROCESS_H

#include <stdint.h>

/** What this process takes; what the system does not tell is -1. */
struct sotto_process {
    int64_t cpu_us;       /* user and system */
    int64_t memory_bytes; /* resident */
    int64_t descriptors;  /* open */
};

/** CPU time of all threads, user and system, in microseconds; -1: the system does not tell. */
int64_t sotto_process_cpu_us(void);

/** Asks the system; reads a few files under /proc. */
void sotto_process_read(struct sotto_process *out);

#endif
