/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_VAULT_CODE_MAP_H
#define SOTTO_VAULT_CODE_MAP_H

#include "base/err.h"
#include "base/span.h"

/**
 * Map from 64-bit keys, which are never 0, to small numbers.  `seed` is secret, as the keys may
 * come from a stranger's text.  All zero but the seed is empty and valid.
 */
struct code_map {
    uint64_t seed;
    uint64_t *keys; /* 0: free; `cap`, a power of two, of them */
    uint32_t *values;
    size_t cap;
    size_t count;
};

/** Makes room for `n` more keys.  @retval SOTTO_ENOMEM  map unchanged */
SOTTO_MUST_CHECK enum sotto_err code_map_reserve(struct code_map *map, size_t n);

/** Adds a key, or leaves the value of one that is there; room must have been made. */
void code_map_put(struct code_map *map, uint64_t key, uint32_t value);

/** Whether the key is there; `value` may be NULL and is unchanged when it is not. */
bool code_map_get(const struct code_map *map, uint64_t key, uint32_t *value);

/** Wipes and frees; the map is empty afterwards. */
void code_map_free(struct code_map *map);

#endif
