/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_BASE_ARENA_H
#define SOTTO_BASE_ARENA_H

#include "base/err.h"
#include "base/span.h"

struct arena_block;

/**
 * Memory of one request: many small pieces, freed and wiped together.  Pieces never move.
 * Zero-initialised is empty and valid.  Not thread-safe.
 */
struct sotto_arena {
    struct arena_block *newest;
    size_t total_bytes;
};

/** `size` bytes aligned for any type, not initialised; NULL when there are none. */
void *sotto_arena_alloc(struct sotto_arena *arena, size_t size);

/** As sotto_arena_alloc(), zeroed; NULL also when count * size overflows. */
void *sotto_arena_calloc(struct sotto_arena *arena, size_t count, size_t size);

/**
 * Copies `src` into the arena.
 *
 * @param[out] out  the copy, set only on SOTTO_OK; valid until sotto_arena_free()
 *
 * @retval SOTTO_ENOMEM
 */
SOTTO_MUST_CHECK enum sotto_err sotto_arena_copy(struct sotto_arena *arena, sotto_span src,
                                                 sotto_span *out);

/** Wipes and releases everything; the arena is empty afterwards and may be used again. */
void sotto_arena_free(struct sotto_arena *arena);

#endif
