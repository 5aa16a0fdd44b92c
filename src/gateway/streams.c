/* SPDX-License-Identifier: Apache-2.0 */

#include "gateway/streams.h"

#include <string.h>

#include "base/alloc.h"

#define STREAMS_MIN_CAP 64

static enum sotto_err grow(struct sotto_streams *t, size_t need)
{
    size_t cap = t->cap > STREAMS_MIN_CAP ? t->cap : STREAMS_MIN_CAP;
    while (cap < need) {
        cap *= 2;
    }
    struct sotto_streams_entry *entries = sotto_resize(t->entries, cap * sizeof(*entries));
    if (entries == NULL) {
        return SOTTO_ENOMEM;
    }
    memset(entries + t->cap, 0, (cap - t->cap) * sizeof(*entries));
    t->entries = entries;
    t->cap = cap;
    return SOTTO_OK;
}

static struct sotto_streams_entry *entry_of(const struct sotto_streams *t, uint64_t id)
{
    size_t index = (uint32_t)id;
    return index < t->cap && id != 0 && t->entries[index].id == id ? &t->entries[index] : NULL;
}

void sotto_streams_free(struct sotto_streams *t)
{
    sotto_free(t->entries);
    *t = (struct sotto_streams){0};
}

enum sotto_err sotto_streams_make(struct sotto_streams *t, void *item, uint64_t *id)
{
    if (t->first_free == 0) {
        size_t old = t->cap;
        enum sotto_err err = grow(t, old + 1);
        if (err != SOTTO_OK) {
            return err;
        }
        for (size_t i = t->cap; i-- > old;) {
            t->entries[i].next_free = t->first_free;
            t->first_free = (uint32_t)i + 1;
        }
    }
    uint32_t index = t->first_free - 1;
    struct sotto_streams_entry *e = &t->entries[index];
    t->first_free = e->next_free;
    e->turns++;
    e->turns += e->turns == 0;
    e->id = (uint64_t)e->turns << 32 | index;
    e->item = item;
    t->count++;
    *id = e->id;
    return SOTTO_OK;
}

enum sotto_err sotto_streams_put(struct sotto_streams *t, uint64_t id, void *item)
{
    size_t index = (uint32_t)id;
    if (index >= t->cap) {
        enum sotto_err err = grow(t, index + 1);
        if (err != SOTTO_OK) {
            return err;
        }
    }
    if (t->entries[index].id != 0) {
        return SOTTO_EEXISTS;
    }
    t->entries[index].id = id;
    t->entries[index].item = item;
    t->count++;
    return SOTTO_OK;
}

void *sotto_streams_find(const struct sotto_streams *t, uint64_t id)
{
    const struct sotto_streams_entry *e = entry_of(t, id);
    return e != NULL ? e->item : NULL;
}

void sotto_streams_drop(struct sotto_streams *t, uint64_t id)
{
    struct sotto_streams_entry *e = entry_of(t, id);
    if (e != NULL) {
        e->id = 0;
        e->item = NULL;
        e->next_free = t->first_free;
        t->first_free = (uint32_t)id + 1;
        t->count--;
    }
}
