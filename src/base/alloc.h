/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_BASE_ALLOC_H
#define SOTTO_BASE_ALLOC_H

#include <stddef.h>

#include "base/compiler.h"

/*
 * The one allocator of the project.  Every block is wiped before it goes back to the heap, and a
 * block that has to move is copied and wiped, so whatever passes through it may be payload.  It
 * has the shape that libraries ask for (malloc, realloc, free) and is handed to each that takes
 * one.  Thread-safe.
 */

/** `size` bytes, not initialised; NULL when there are none.  A `size` of 0 gives a block too. */
void *sotto_alloc(size_t size);

/** `count` times `size` zeroed bytes; NULL on overflow or when there are none. */
void *sotto_calloc(size_t count, size_t size);

/** As realloc(3), but what is left behind is wiped.  NULL leaves the old block as it was. */
SOTTO_MUST_CHECK void *sotto_resize(void *block, size_t size);

/** Wipes the whole block and frees it; NULL is allowed. */
void sotto_free(void *block);

/** Overwrites `n` bytes with zeros; the compiler may not leave it out. */
void sotto_wipe(void *p, size_t n);

/**
 * For the start of a program: large blocks go back to the system as soon as they are freed, and
 * of what small ones leave at the end of a heap little stays.  As the C library is by itself, one
 * large block that was freed lets all later ones of its size share, and split up, the heaps.
 */
void sotto_alloc_return_large(void);

/**
 * Gives free memory inside the heaps back to the system, too.  A thread that allocates
 * meanwhile may have to wait: for a time when little is to do.
 */
void sotto_alloc_trim(void);

/**
 * For tests: lets the `countdown`-th allocation from now fail, once; 0 turns it off.
 * Returns how many allocations were made since the last call.
 */
size_t sotto_alloc_set_fault(size_t countdown);

#endif
