/* SPDX-License-Identifier: Apache-2.0 */

#include "base/arena.h"

#include <stdalign.h>

#include "base/alloc.h"

/* One block serves the metadata of a typical request. */
#define ARENA_BLOCK_SIZE 4096

struct arena_block {
    struct arena_block *older;
    size_t used;
    size_t cap;
    alignas(max_align_t) uint8_t bytes[];
};

static struct arena_block *add_block(struct sotto_arena *arena, size_t size)
{
    size_t cap = size > ARENA_BLOCK_SIZE ? size : ARENA_BLOCK_SIZE;
    if (cap > SIZE_MAX - sizeof(struct arena_block)) {
        return NULL;
    }
    struct arena_block *block = sotto_alloc(sizeof(*block) + cap);
    if (block != NULL) {
        block->older = arena->newest;
        block->used = 0;
        block->cap = cap;
        arena->newest = block;
        arena->total_bytes += cap;
    }
    return block;
}

void *sotto_arena_alloc(struct sotto_arena *arena, size_t size)
{
    const size_t align = alignof(max_align_t);
    if (size > SIZE_MAX - align) {
        return NULL;
    }
    size = (size + align - 1) / align * align;

    struct arena_block *block = arena->newest;
    if (block == NULL || size > block->cap - block->used) {
        block = add_block(arena, size);
    }
    if (block == NULL) {
        return NULL;
    }
    void *piece = block->bytes + block->used;
    block->used += size;
    return piece;
}

void *sotto_arena_calloc(struct sotto_arena *arena, size_t count, size_t size)
{
    if (size != 0 && count > SIZE_MAX / size) {
        return NULL;
    }
    void *piece = sotto_arena_alloc(arena, count * size);
    return piece != NULL ? memset(piece, 0, count * size) : NULL;
}

enum sotto_err sotto_arena_copy(struct sotto_arena *arena, sotto_span src, sotto_span *out)
{
    uint8_t *copy = sotto_arena_alloc(arena, src.len);
    if (copy == NULL) {
        return SOTTO_ENOMEM;
    }
    if (src.len != 0) {
        memcpy(copy, src.base, src.len);
    }
    *out = sotto_span_init(copy, src.len);
    return SOTTO_OK;
}

void sotto_arena_free(struct sotto_arena *arena)
{
    while (arena->newest != NULL) {
        struct arena_block *block = arena->newest;
        arena->newest = block->older;
        sotto_free(block);
    }
    arena->total_bytes = 0;
}
