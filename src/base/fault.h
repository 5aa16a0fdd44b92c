/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_BASE_FAULT_H
#define SOTTO_BASE_FAULT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

/**
 * Lets the n-th call of something fail, once: for tests.  Off in normal operation, so that a call
 * reads one shared flag and writes nothing.  Zero-initialised is off.  Thread-safe.
 */
struct sotto_fault {
    atomic_bool armed;
    atomic_size_t seen;
    atomic_size_t at;
};

/** Whether this call is the one that fails. */
static inline bool sotto_fault_hits(struct sotto_fault *fault)
{
    return atomic_load_explicit(&fault->armed, memory_order_relaxed) &&
           atomic_fetch_add(&fault->seen, 1) + 1 == atomic_load(&fault->at);
}

/** Lets the `countdown`-th call from now fail; 0: none.  Returns how many there were since then. */
static inline size_t sotto_fault_set(struct sotto_fault *fault, size_t countdown)
{
    size_t seen = atomic_exchange(&fault->seen, 0);
    atomic_store(&fault->at, countdown);
    atomic_store(&fault->armed, countdown != 0);
    return seen;
}

#endif
