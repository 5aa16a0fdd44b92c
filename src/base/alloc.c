/* SPDX-License-Identifier: Apache-2.0 */

#include "base/alloc.h"

#include <malloc.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Off in normal operation, so that the hot path reads one shared flag and writes nothing. */
static atomic_bool fault_armed;
static atomic_size_t fault_seen;
static atomic_size_t fault_at;

static bool fault_hits(void)
{
    if (!atomic_load_explicit(&fault_armed, memory_order_relaxed)) {
        return false;
    }
    return atomic_fetch_add(&fault_seen, 1) + 1 == atomic_load(&fault_at);
}

size_t sotto_alloc_set_fault(size_t countdown)
{
    size_t seen = atomic_exchange(&fault_seen, 0);
    atomic_store(&fault_at, countdown);
    atomic_store(&fault_armed, countdown != 0);
    return seen;
}

void sotto_wipe(void *p, size_t n)
{
    if (p != NULL) {
        explicit_bzero(p, n);
    }
}

void *sotto_alloc(size_t size)
{
    return fault_hits() ? NULL : malloc(size != 0 ? size : 1);
}

void *sotto_calloc(size_t count, size_t size)
{
    if (size != 0 && count > SIZE_MAX / size) {
        return NULL;
    }
    void *block = sotto_alloc(count * size);
    return block != NULL ? memset(block, 0, count * size) : NULL;
}

void *sotto_resize(void *block, size_t size)
{
    if (block == NULL) {
        return sotto_alloc(size);
    }
    size_t old = malloc_usable_size(block);
    if (size <= old && size >= old / 2) {
        return block;
    }
    void *moved = sotto_alloc(size);
    if (moved != NULL) {
        memcpy(moved, block, old < size ? old : size);
        sotto_free(block);
    }
    return moved;
}

/* The usable size may exceed what was asked for; libraries may have used that much. */
void sotto_free(void *block)
{
    if (block != NULL) {
        explicit_bzero(block, malloc_usable_size(block));
        free(block);
    }
}
