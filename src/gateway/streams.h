/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_GATEWAY_STREAMS_H
#define SOTTO_GATEWAY_STREAMS_H

/*
 * Table from stream numbers (gateway/door.h) to what a room knows of the stream.  The front makes
 * the numbers; the other rooms keep their own table under the same numbers.  A lookup is one
 * index and one comparison.  Not thread-safe.
 */

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct sotto_streams_entry {
    uint64_t id; /* 0: free */
    void *item;
    uint32_t next_free; /* index + 1 of the next free entry; only where numbers are made */
    uint32_t turns;     /* how often this index was given out */
};

/** Zero-initialised is empty and valid. */
struct sotto_streams {
    struct sotto_streams_entry *entries;
    size_t cap;
    size_t count;
    uint32_t first_free; /* index + 1 */
};

/** Frees the table, not the items. */
void sotto_streams_free(struct sotto_streams *t);

/** Makes a number for `item`.  @retval SOTTO_ENOMEM */
SOTTO_MUST_CHECK enum sotto_err sotto_streams_make(struct sotto_streams *t, void *item,
                                                   uint64_t *id);

/** Takes in a number that another room made.  @retval SOTTO_ENOMEM  @retval SOTTO_EEXISTS */
SOTTO_MUST_CHECK enum sotto_err sotto_streams_put(struct sotto_streams *t, uint64_t id, void *item);

/** The item of a number; NULL: none. */
void *sotto_streams_find(const struct sotto_streams *t, uint64_t id);

/** Forgets a number; unknown ones are allowed. */
void sotto_streams_drop(struct sotto_streams *t, uint64_t id);

#endif
