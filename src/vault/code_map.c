/* SPDX-License-Identifier: Apache-2.0 */

#include "vault/code_map.h"

#include <assert.h>

#include "base/alloc.h"

/* Enough for the beginnings of seven codes. */
#define CODE_MAP_MIN 128

/* The finisher of SplitMix64 (Steele, Lea, Flood 2014): every bit of the key reaches every bit. */
static uint64_t mix(uint64_t x)
{
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9U;
    x = (x ^ x >> 27) * 0x94d049bb133111ebU;
    return x ^ x >> 31;
}

/* The place of the key, or the free one where it belongs. */
static size_t place(const struct code_map *map, uint64_t key)
{
    size_t at = (size_t)mix(key ^ map->seed) & (map->cap - 1);
    while (map->keys[at] != 0 && map->keys[at] != key) {
        at = (at + 1) & (map->cap - 1);
    }
    return at;
}

enum sotto_err code_map_reserve(struct code_map *map, size_t n)
{
    size_t cap = map->cap != 0 ? map->cap : CODE_MAP_MIN;
    while (cap / 2 < map->count + n) {
        cap *= 2;
    }
    if (cap == map->cap) {
        return SOTTO_OK;
    }
    struct code_map grown = {.seed = map->seed, .cap = cap};
    grown.keys = sotto_calloc(cap, sizeof(*grown.keys));
    grown.values = sotto_calloc(cap, sizeof(*grown.values));
    if (grown.keys == NULL || grown.values == NULL) {
        code_map_free(&grown);
        return SOTTO_ENOMEM;
    }
    for (size_t i = 0; i < map->cap; i++) {
        if (map->keys[i] != 0) {
            code_map_put(&grown, map->keys[i], map->values[i]);
        }
    }
    code_map_free(map);
    *map = grown;
    return SOTTO_OK;
}

void code_map_put(struct code_map *map, uint64_t key, uint32_t value)
{
    assert(key != 0 && map->count < map->cap / 2 + 1);
    size_t at = place(map, key);
    if (map->keys[at] == 0) {
        map->keys[at] = key;
        map->values[at] = value;
        map->count++;
    }
}

bool code_map_get(const struct code_map *map, uint64_t key, uint32_t *value)
{
    if (map->count == 0) {
        return false;
    }
    size_t at = place(map, key);
    if (map->keys[at] == 0) {
        return false;
    }
    if (value != NULL) {
        *value = map->values[at];
    }
    return true;
}

void code_map_free(struct code_map *map)
{
    sotto_free(map->keys);
    sotto_free(map->values);
    *map = (struct code_map){.seed = map->seed};
}
