/* SPDX-License-Identifier: Apache-2.0 */

#include "base/alloc.h"

#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"

/* A block from this size on has pages of its own; more free memory at the end of a heap goes back. */
#define ALLOC_LARGE_BYTES (256 << 10)
#define ALLOC_SPARE_BYTES (1 << 20)

static struct sotto_fault fault;

void sotto_alloc_return_large(void)
{
    (void)mallopt(M_MMAP_THRESHOLD, ALLOC_LARGE_BYTES); /* it is a constant that is allowed */
    (void)mallopt(M_TRIM_THRESHOLD, ALLOC_SPARE_BYTES);
}

void sotto_alloc_trim(void)
{
    (void)malloc_trim(0);
}

size_t sotto_alloc_set_fault(size_t countdown)
{
    return sotto_fault_set(&fault, countdown);
}

void sotto_wipe(void *p, size_t n)
{
    if (p != NULL) {
        explicit_bzero(p, n);
    }
}

void *sotto_alloc(size_t size)
{
    /* No object is larger (C17 6.5.6); libraries ask for as much as broken input tells them to. */
    if (sotto_fault_hits(&fault) || size > PTRDIFF_MAX) {
        return NULL;
    }
    return malloc(size != 0 ? size : 1);
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
