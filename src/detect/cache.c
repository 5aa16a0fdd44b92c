/* SPDX-License-Identifier: Apache-2.0 */

#include "detect/cache.h"

#include <pthread.h>

#include "base/alloc.h"
#include "base/compiler.h"

/* Parts with a lock each, chosen by the first byte of a name. */
#define CACHE_PARTS 16

/* Places of a part's table; names are uniform, so chains are as long as entries are many. */
#define CACHE_PLACES 1024

/* Most entries that one sweep takes from one part. */
#define CACHE_SWEEP 256

struct cache_entry {
    struct cache_entry *chain;         /* next in the same place */
    struct cache_entry *older, *newer; /* by last use */
    int64_t used_ms;
    struct sotto_cache_name name;
    size_t count;
    struct sotto_finding items[];
};

struct cache_part {
    pthread_mutex_t lock;
    struct cache_entry **places; /* made with the first entry */
    struct cache_entry *oldest, *newest;
    size_t bytes;
};

struct sotto_cache {
    size_t part_bytes; /* limit of each part */
    struct cache_part parts[CACHE_PARTS];
};

static size_t size_of(size_t count)
{
    return sizeof(struct cache_entry) + count * sizeof(struct sotto_finding);
}

static struct cache_part *part_of(struct sotto_cache *cache, const struct sotto_cache_name *name)
{
    return &cache->parts[name->mac[0] % CACHE_PARTS];
}

static struct cache_entry **place_of(const struct cache_part *part,
                                     const struct sotto_cache_name *name)
{
    size_t place = ((size_t)name->mac[1] << 8 | name->mac[2]) % CACHE_PLACES;
    return &part->places[place];
}

/* Names are MACs under a secret key: comparing them tells nobody anything. */
static bool same_name(const struct sotto_cache_name *a, const struct sotto_cache_name *b)
{
    return sotto_span_eq(sotto_span_init(a->mac, sizeof(a->mac)),
                         sotto_span_init(b->mac, sizeof(b->mac)));
}

static struct cache_entry *find(const struct cache_part *part, const struct sotto_cache_name *name)
{
    struct cache_entry *entry = part->places != NULL ? *place_of(part, name) : NULL;
    while (entry != NULL && !same_name(&entry->name, name)) {
        entry = entry->chain;
    }
    return entry;
}

static void unlink_use(struct cache_part *part, const struct cache_entry *entry)
{
    *(entry->older != NULL ? &entry->older->newer : &part->oldest) = entry->newer;
    *(entry->newer != NULL ? &entry->newer->older : &part->newest) = entry->older;
}

static void link_newest(struct cache_part *part, struct cache_entry *entry, int64_t now_ms)
{
    entry->used_ms = now_ms;
    entry->older = part->newest;
    entry->newer = NULL;
    *(part->newest != NULL ? &part->newest->newer : &part->oldest) = entry;
    part->newest = entry;
}

static void drop(struct cache_part *part, struct cache_entry *entry)
{
    struct cache_entry **link = place_of(part, &entry->name);
    while (*link != entry) {
        link = &(*link)->chain;
    }
    *link = entry->chain;
    unlink_use(part, entry);
    part->bytes -= size_of(entry->count);
    sotto_free(entry);
}

static bool is_old(const struct cache_entry *entry, int64_t now_ms)
{
    return now_ms - entry->used_ms >= SOTTO_CACHE_KEEP_MS;
}

enum sotto_err sotto_cache_new(size_t max_bytes, struct sotto_cache **out)
{
    struct sotto_cache *cache = sotto_calloc(1, sizeof(*cache));
    if (cache == NULL) {
        return SOTTO_ENOMEM;
    }
    cache->part_bytes = max_bytes / CACHE_PARTS;
    for (size_t i = 0; i < CACHE_PARTS; i++) {
        pthread_mutex_init(&cache->parts[i].lock, NULL);
    }
    *out = cache;
    return SOTTO_OK;
}

void sotto_cache_free(struct sotto_cache *cache)
{
    if (cache == NULL) {
        return;
    }
    for (size_t i = 0; i < CACHE_PARTS; i++) {
        struct cache_part *part = &cache->parts[i];
        while (part->oldest != NULL) {
            drop(part, part->oldest);
        }
        sotto_free(part->places);
        pthread_mutex_destroy(&part->lock);
    }
    sotto_free(cache);
}

enum sotto_err sotto_cache_name(struct sotto_hmac *tenant, sotto_span context, sotto_span text,
                                struct sotto_cache_name *out)
{
    uint8_t length[8]; /* of the context: where the text begins is part of its name */
    for (size_t i = 0; i < sizeof(length); i++) {
        length[i] = (uint8_t)((uint64_t)context.len >> (8 * i));
    }
    const sotto_span parts[] = {sotto_span_init(length, sizeof(length)), context, text};
    return sotto_hmac_parts(tenant, parts, SOTTO_COUNT(parts), out->mac);
}

enum sotto_err sotto_cache_get(struct sotto_cache *cache, const struct sotto_cache_name *name,
                               int64_t now_ms, struct sotto_findings *out, bool *known)
{
    struct cache_part *part = part_of(cache, name);
    enum sotto_err err = SOTTO_OK;
    size_t mark = out->count;
    *known = false;
    pthread_mutex_lock(&part->lock);
    struct cache_entry *entry = find(part, name);
    if (entry != NULL && is_old(entry, now_ms)) {
        drop(part, entry);
        entry = NULL;
    }
    for (size_t i = 0; entry != NULL && i < entry->count && err == SOTTO_OK; i++) {
        err = sotto_findings_add(out, entry->items[i]);
    }
    if (entry != NULL && err == SOTTO_OK) {
        unlink_use(part, entry);
        link_newest(part, entry, now_ms);
        *known = true;
    }
    pthread_mutex_unlock(&part->lock);
    if (err != SOTTO_OK) {
        out->count = mark;
    }
    return err;
}

/* Under the lock; the entry is complete but for its links. */
static bool enter(const struct sotto_cache *cache, struct cache_part *part,
                  struct cache_entry *entry, int64_t now_ms)
{
    size_t size = size_of(entry->count);
    if (part->places == NULL) {
        part->places = sotto_calloc(CACHE_PLACES, sizeof(struct cache_entry *));
    }
    if (part->places == NULL || find(part, &entry->name) != NULL) {
        return false;
    }
    while (part->oldest != NULL && part->bytes + size > cache->part_bytes) {
        drop(part, part->oldest);
    }
    struct cache_entry **place = place_of(part, &entry->name);
    entry->chain = *place;
    *place = entry;
    link_newest(part, entry, now_ms);
    part->bytes += size;
    return true;
}

void sotto_cache_put(struct sotto_cache *cache, const struct sotto_cache_name *name, int64_t now_ms,
                     const struct sotto_findings *found)
{
    struct cache_part *part = part_of(cache, name);
    if (found->count > cache->part_bytes / sizeof(*found->items) ||
        size_of(found->count) > cache->part_bytes / 4) {
        return; /* one text is not to drive out all others */
    }
    struct cache_entry *entry = sotto_calloc(1, size_of(found->count));
    if (entry == NULL) {
        return;
    }
    entry->name = *name;
    entry->count = found->count;
    if (found->count != 0) {
        memcpy(entry->items, found->items, found->count * sizeof(*found->items));
    }
    pthread_mutex_lock(&part->lock);
    bool entered = enter(cache, part, entry, now_ms);
    pthread_mutex_unlock(&part->lock);
    if (!entered) {
        sotto_free(entry);
    }
}

void sotto_cache_sweep(struct sotto_cache *cache, int64_t now_ms)
{
    for (size_t i = 0; i < CACHE_PARTS; i++) {
        struct cache_part *part = &cache->parts[i];
        pthread_mutex_lock(&part->lock);
        for (size_t n = 0; n < CACHE_SWEEP && part->oldest != NULL && is_old(part->oldest, now_ms);
             n++) {
            drop(part, part->oldest);
        }
        pthread_mutex_unlock(&part->lock);
    }
}

size_t sotto_cache_bytes(struct sotto_cache *cache)
{
    size_t bytes = 0;
    for (size_t i = 0; i < CACHE_PARTS; i++) {
        pthread_mutex_lock(&cache->parts[i].lock);
        bytes += cache->parts[i].bytes;
        pthread_mutex_unlock(&cache->parts[i].lock);
    }
    return bytes;
}
