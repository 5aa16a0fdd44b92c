/* SPDX-License-Identifier: Apache-2.0 */

#include "seal/session.h"

#include <pthread.h>
#include <stdatomic.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "crypto/base62.h"
#include "crypto/hash.h"
#include "crypto/random.h"

#define SESSION_BUCKETS       4096
#define SESSION_OWNER_BUCKETS 1024

/* Buckets that a sweep looks at before others get the lock. */
#define SESSION_SWEEP_BUCKETS 64

#define SESSION_SEEN_FIRST 64

struct session_owner {
    struct session_owner *next; /* in its bucket */
    size_t count;
    struct session_entry *oldest, *newest;
    char name[SOTTO_SESSION_OWNER_MAX + 1];
};

struct session_entry {
    struct sotto_session session; /* first: what callers hold points here */
    atomic_uint refs;
    atomic_bool spent;
    struct session_entry *next; /* in its bucket; under the table's lock, as are the next three */
    struct session_owner *owner;
    struct session_entry *older, *newer; /* of the same owner */

    /* Keyed hashes of the nonces that were opened.  Two nonces of one session that share a hash
     * (at most one in 2^32 sessions that are used up) cost their client a second try. */
    pthread_mutex_t lock;
    uint8_t hash_key[SOTTO_HASH_KEY_BYTES];
    uint64_t *seen; /* open addressing; 0: free */
    size_t seen_count, seen_cap;
};

struct sotto_sessions {
    pthread_mutex_t lock;
    uint8_t hash_key[SOTTO_HASH_KEY_BYTES];
    size_t count;
    struct session_entry *buckets[SESSION_BUCKETS];
    struct session_owner *owners[SESSION_OWNER_BUCKETS];
};

/* --- one session ------------------------------------------------------------------------------- */

static struct session_entry *entry_of(struct sotto_session *session)
{
    return (struct session_entry *)session;
}

struct sotto_session *sotto_session_ref(struct sotto_session *session)
{
    if (session != NULL) {
        atomic_fetch_add_explicit(&entry_of(session)->refs, 1, memory_order_relaxed);
    }
    return session;
}

void sotto_session_unref(struct sotto_session *session)
{
    if (session == NULL) {
        return;
    }
    struct session_entry *e = entry_of(session);
    if (atomic_fetch_sub_explicit(&e->refs, 1, memory_order_acq_rel) == 1) {
        pthread_mutex_destroy(&e->lock);
        sotto_free(e->seen);
        sotto_free(e);
    }
}

/* Where `hash` stands, or the free place where it belongs. */
static uint64_t *seen_place(uint64_t *seen, size_t cap, uint64_t hash)
{
    size_t at = (size_t)hash & (cap - 1);
    while (seen[at] != 0 && seen[at] != hash) {
        at = (at + 1) & (cap - 1);
    }
    return &seen[at];
}

/* At most half of the places are taken. */
static enum sotto_err seen_grow(struct session_entry *e)
{
    size_t cap = e->seen_cap != 0 ? e->seen_cap * 2 : SESSION_SEEN_FIRST;
    uint64_t *seen = sotto_calloc(cap, sizeof(*seen));
    if (seen == NULL) {
        return SOTTO_ENOMEM;
    }
    for (size_t i = 0; i < e->seen_cap; i++) {
        if (e->seen[i] != 0) {
            *seen_place(seen, cap, e->seen[i]) = e->seen[i];
        }
    }
    sotto_free(e->seen);
    e->seen = seen;
    e->seen_cap = cap;
    return SOTTO_OK;
}

static enum sotto_err note_nonce(struct session_entry *e, uint64_t hash)
{
    if (e->seen_cap != 0 && *seen_place(e->seen, e->seen_cap, hash) == hash) {
        return SOTTO_EEXISTS;
    }
    if (e->seen_count == SOTTO_SESSION_REQUESTS_MAX) {
        atomic_store(&e->spent, true);
        return SOTTO_EQUOTA;
    }
    if (e->seen_count * 2 >= e->seen_cap) {
        enum sotto_err err = seen_grow(e);
        if (err != SOTTO_OK) {
            return err;
        }
    }
    *seen_place(e->seen, e->seen_cap, hash) = hash;
    e->seen_count++;
    return SOTTO_OK;
}

enum sotto_err sotto_session_once(struct sotto_session *session, sotto_span nonce)
{
    struct session_entry *e = entry_of(session);
    uint64_t hash = sotto_hash64(e->hash_key, nonce);
    pthread_mutex_lock(&e->lock);
    enum sotto_err err = note_nonce(e, hash != 0 ? hash : 1);
    pthread_mutex_unlock(&e->lock);
    return err;
}

static enum sotto_err entry_new(const struct sotto_session *session, struct session_entry **out)
{
    struct session_entry *e = sotto_calloc(1, sizeof(*e));
    if (e == NULL) {
        return SOTTO_ENOMEM;
    }
    if (sotto_crypto_random(e->hash_key, sizeof(e->hash_key)) != SOTTO_OK ||
        pthread_mutex_init(&e->lock, NULL) != 0) {
        sotto_free(e);
        return SOTTO_ECRYPTO;
    }
    e->session = *session;
    atomic_init(&e->refs, 1);
    *out = e;
    return SOTTO_OK;
}

/* --- the table --------------------------------------------------------------------------------- */

static struct session_entry **bucket_of(struct sotto_sessions *t, const struct sotto_session_id *id)
{
    uint64_t hash = sotto_hash64(t->hash_key, sotto_span_init(id->bytes, id->len));
    return &t->buckets[hash % SESSION_BUCKETS];
}

static struct session_owner **owner_bucket(struct sotto_sessions *t, const char *name)
{
    return &t->owners[sotto_hash64(t->hash_key, sotto_span_str(name)) % SESSION_OWNER_BUCKETS];
}

static struct session_owner *find_owner(struct sotto_sessions *t, const char *name)
{
    struct session_owner *o = *owner_bucket(t, name);
    while (o != NULL && !sotto_span_eq(sotto_span_str(o->name), sotto_span_str(name))) {
        o = o->next;
    }
    return o;
}

static struct session_owner *make_owner(struct sotto_sessions *t, const char *name)
{
    struct session_owner *o = find_owner(t, name);
    if (o == NULL && (o = sotto_calloc(1, sizeof(*o))) != NULL) {
        struct session_owner **bucket = owner_bucket(t, name);
        memcpy(o->name, name, strlen(name));
        o->next = *bucket;
        *bucket = o;
    }
    return o;
}

/* Owners without sessions are not kept. */
static void drop_owner_if_idle(struct sotto_sessions *t, struct session_owner *o)
{
    if (o->count != 0) {
        return;
    }
    struct session_owner **at = owner_bucket(t, o->name);
    while (*at != o) {
        at = &(*at)->next;
    }
    *at = o->next;
    sotto_free(o);
}

static void link_to_owner(struct session_entry *e, struct session_owner *o)
{
    e->owner = o;
    e->older = o->newest;
    if (o->newest != NULL) {
        o->newest->newer = e;
    } else {
        o->oldest = e;
    }
    o->newest = e;
    o->count++;
}

static void unlink_from_owner(struct session_entry *e)
{
    struct session_owner *o = e->owner;
    if (e->older != NULL) {
        e->older->newer = e->newer;
    } else {
        o->oldest = e->newer;
    }
    if (e->newer != NULL) {
        e->newer->older = e->older;
    } else {
        o->newest = e->older;
    }
    o->count--;
}

/* Takes out the entry that `at` points to; the owner's name stays. */
static void take_out(struct sotto_sessions *t, struct session_entry **at)
{
    struct session_entry *e = *at;
    *at = e->next;
    unlink_from_owner(e);
    t->count--;
    sotto_session_unref(&e->session);
}

static void drop_entry(struct sotto_sessions *t, const struct session_entry *e)
{
    struct session_entry **at = bucket_of(t, &e->session.id);
    while (*at != e) {
        at = &(*at)->next;
    }
    take_out(t, at);
}

static bool is_over(const struct session_entry *e, int64_t now_s)
{
    return e->session.expires_s <= now_s || atomic_load(&e->spent);
}

static void sweep_bucket(struct sotto_sessions *t, struct session_entry **bucket, int64_t now_s)
{
    for (struct session_entry **at = bucket; *at != NULL;) {
        struct session_owner *o = (*at)->owner;
        if (is_over(*at, now_s)) {
            take_out(t, at);
            drop_owner_if_idle(t, o);
        } else {
            at = &(*at)->next;
        }
    }
}

static bool is_named(const struct session_entry *e, const struct sotto_seal_profile *profile,
                     const struct sotto_session_id *id)
{
    const struct sotto_session_id *own = &e->session.id;
    return e->session.profile == profile && sotto_span_eq(sotto_span_init(own->bytes, own->len),
                                                          sotto_span_init(id->bytes, id->len));
}

static struct session_entry *find_entry(struct session_entry *first,
                                        const struct sotto_seal_profile *profile,
                                        const struct sotto_session_id *id)
{
    struct session_entry *e = first;
    while (e != NULL && !is_named(e, profile, id)) {
        e = e->next;
    }
    return e;
}

static enum sotto_err put(struct sotto_sessions *t, struct session_entry *e, int64_t now_s)
{
    struct session_entry **bucket = bucket_of(t, &e->session.id);
    sweep_bucket(t, bucket, now_s);
    if (find_entry(*bucket, e->session.profile, &e->session.id) != NULL) {
        return SOTTO_EEXISTS;
    }
    struct session_owner *o = make_owner(t, e->session.owner);
    if (o == NULL) {
        return SOTTO_ENOMEM;
    }
    if (o->count == SOTTO_SESSIONS_PER_OWNER_MAX ||
        (t->count == SOTTO_SESSIONS_MAX && o->count != 0)) {
        drop_entry(t, o->oldest);
    }
    if (t->count == SOTTO_SESSIONS_MAX) {
        drop_owner_if_idle(t, o);
        return SOTTO_EQUOTA;
    }
    e->next = *bucket;
    *bucket = e;
    link_to_owner(e, o);
    t->count++;
    return SOTTO_OK;
}

enum sotto_err sotto_sessions_put(struct sotto_sessions *t, const struct sotto_session *session,
                                  int64_t now_s)
{
    struct session_entry *e;
    if (session->id.len == 0 || session->id.len > SOTTO_SESSION_ID_MAX ||
        session->expires_s <= now_s) {
        return SOTTO_EINVAL;
    }
    enum sotto_err err = entry_new(session, &e);
    if (err != SOTTO_OK) {
        return err;
    }
    pthread_mutex_lock(&t->lock);
    err = put(t, e, now_s);
    pthread_mutex_unlock(&t->lock);
    if (err != SOTTO_OK) {
        sotto_session_unref(&e->session);
    }
    return err;
}

struct sotto_session *sotto_sessions_find(struct sotto_sessions *t,
                                          const struct sotto_seal_profile *profile,
                                          const struct sotto_session_id *id, int64_t now_s)
{
    struct sotto_session *found = NULL;
    if (id->len == 0 || id->len > SOTTO_SESSION_ID_MAX) {
        return NULL;
    }
    pthread_mutex_lock(&t->lock);
    struct session_entry *e = find_entry(*bucket_of(t, id), profile, id);
    if (e != NULL && !is_over(e, now_s)) {
        found = sotto_session_ref(&e->session);
    }
    pthread_mutex_unlock(&t->lock);
    return found;
}

size_t sotto_sessions_sweep(struct sotto_sessions *t, int64_t now_s)
{
    size_t left = 0;
    for (size_t i = 0; i < SESSION_BUCKETS; i += SESSION_SWEEP_BUCKETS) {
        pthread_mutex_lock(&t->lock);
        for (size_t j = i; j < i + SESSION_SWEEP_BUCKETS; j++) {
            sweep_bucket(t, &t->buckets[j], now_s);
        }
        left = t->count;
        pthread_mutex_unlock(&t->lock);
    }
    return left;
}

void sotto_sessions_drop(struct sotto_sessions *t, const struct sotto_seal_profile *profile,
                         const struct sotto_session_id *id)
{
    pthread_mutex_lock(&t->lock);
    struct session_entry *e = find_entry(*bucket_of(t, id), profile, id);
    if (e != NULL) {
        struct session_owner *o = e->owner;
        drop_entry(t, e);
        drop_owner_if_idle(t, o);
    }
    pthread_mutex_unlock(&t->lock);
}

void sotto_sessions_drop_owner(struct sotto_sessions *t, sotto_span owner)
{
    char name[SOTTO_SESSION_OWNER_MAX + 1] = {0};
    if (owner.len == 0 || owner.len > SOTTO_SESSION_OWNER_MAX) {
        return;
    }
    memcpy(name, owner.base, owner.len);
    pthread_mutex_lock(&t->lock);
    struct session_owner *o = find_owner(t, name);
    if (o != NULL) {
        while (o->oldest != NULL) {
            drop_entry(t, o->oldest);
        }
        drop_owner_if_idle(t, o);
    }
    pthread_mutex_unlock(&t->lock);
}

enum sotto_err sotto_sessions_new(struct sotto_sessions **out)
{
    struct sotto_sessions *t = sotto_calloc(1, sizeof(*t));
    if (t == NULL) {
        return SOTTO_ENOMEM;
    }
    if (sotto_crypto_random(t->hash_key, sizeof(t->hash_key)) != SOTTO_OK ||
        pthread_mutex_init(&t->lock, NULL) != 0) {
        sotto_free(t);
        return SOTTO_ECRYPTO;
    }
    *out = t;
    return SOTTO_OK;
}

void sotto_sessions_free(struct sotto_sessions *t)
{
    if (t == NULL) {
        return;
    }
    (void)sotto_sessions_sweep(t, INT64_MAX);
    pthread_mutex_destroy(&t->lock);
    sotto_free(t);
}

enum sotto_err sotto_session_key_id(sotto_span public_key, char out[SOTTO_SESSION_KEY_ID_LEN + 1])
{
    uint8_t digest[SOTTO_SHA256_BYTES];
    static const char prefix[] = "key_";
    enum sotto_err err = sotto_sha256(public_key, digest);
    memset(out, 0, SOTTO_SESSION_KEY_ID_LEN + 1);
    if (err == SOTTO_OK) {
        memcpy(out, prefix, sizeof(prefix) - 1);
        sotto_base62_digest(digest, sizeof(digest), out + sizeof(prefix) - 1,
                            SOTTO_SESSION_KEY_ID_LEN - (sizeof(prefix) - 1));
    }
    return err;
}
