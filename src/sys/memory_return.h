/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_SYS_MEMORY_RETURN_H
#define SOTTO_SYS_MEMORY_RETURN_H

/*
 * When a process gives free memory inside its heaps back to the system.  What a thousand streams
 * took is else held by the heaps that they left.  Threads that allocate meanwhile have to wait, so
 * it is done when the process has little to do; and one that did next to nothing has nothing to
 * give.
 */

#include <stdbool.h>
#include <stdint.h>

/** How often a process asks. */
#define SOTTO_MEMORY_RETURN_MS 5000

/** Less CPU time between two questions is little to do; less in all is next to nothing. */
#define SOTTO_MEMORY_RETURN_CPU_US 50000

/** Zeroed at the start of a process; of one thread. */
struct sotto_memory_return {
    int64_t asked_us;    /* CPU time of the process when it asked last */
    int64_t returned_us; /* ... when memory was given back last */
};

/** Whether it is time.  @param cpu_us  CPU time of the process so far, from all threads */
bool sotto_memory_return_is_due(const struct sotto_memory_return *memory, int64_t cpu_us);

/** Gives back if it is time.  Not on a thread that serves chats. */
void sotto_memory_return_tick(struct sotto_memory_return *memory);

#endif
