/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_DETECT_NER_HASH_INDEX_H
#define SOTTO_DETECT_NER_HASH_INDEX_H

#include <stdint.h>

/**
 * Where a hash stands in a list of `count` ascending ones; `count`: it does not.
 *
 * @param index  65537 numbers: how many hashes have upper 16 bits that are less
 */
static inline uint32_t sotto_ner_hash_find(const uint32_t *index, const uint32_t *hashes,
                                           uint32_t count, uint32_t hash)
{
    uint32_t low = index[hash >> 16], high = index[(hash >> 16) + 1];

    while (low < high) { /* a bucket holds a handful */
        uint32_t middle = low + (high - low) / 2;
        if (hashes[middle] < hash) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < count && hashes[low] == hash ? low : count;
}

#endif
