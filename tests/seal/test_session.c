/* SPDX-License-Identifier: Apache-2.0 */

#include "seal/session.h"

#include <pthread.h>

#include "base/alloc.h"
#include "seal/profile.h"
#include "tap/tap.h"

#define NOW 1000

/* Profiles are told apart by where they stand; nothing of them is called here. */
static const struct sotto_seal_profile one, other;

static struct sotto_session session_of(const struct sotto_seal_profile *profile, const char *owner,
                                       unsigned number)
{
    struct sotto_session s = {.profile = profile, .expires_s = NOW + 3600};
    s.id.len = (size_t)snprintf((char *)s.id.bytes, sizeof(s.id.bytes), "id %u", number);
    snprintf(s.owner, sizeof(s.owner), "%s", owner);
    memset(s.secret, (int)(number & 0xff), sizeof(s.secret));
    return s;
}

static bool is_there(struct sotto_sessions *t, const struct sotto_session *s, int64_t now_s)
{
    struct sotto_session *found = sotto_sessions_find(t, s->profile, &s->id, now_s);
    bool there = found != NULL && memcmp(found->secret, s->secret, sizeof(s->secret)) == 0;
    sotto_session_unref(found);
    return there;
}

static void test_find(void)
{
    struct sotto_sessions *t;
    struct sotto_session a = session_of(&one, "ann", 1), b = session_of(&other, "ann", 1);
    IS_INT(sotto_sessions_new(&t), SOTTO_OK, "a table");
    IS_INT(sotto_sessions_put(t, &a, NOW), SOTTO_OK, "a session");
    OK(is_there(t, &a, NOW), "is found");
    OK(!is_there(t, &b, NOW), "but not by another profile");
    b.secret[0] ^= 1;
    IS_INT(sotto_sessions_put(t, &b, NOW), SOTTO_OK, "which may use the same id");
    a.secret[0] ^= 1;
    IS_INT(sotto_sessions_put(t, &a, NOW), SOTTO_EEXISTS, "an id that is taken is refused");
    OK(!is_there(t, &a, NOW), "and the secret under it stays as it was");
    a.secret[0] ^= 1;
    OK(is_there(t, &a, NOW + 3599), "it is there up to its last second");
    OK(!is_there(t, &a, NOW + 3600), "and then no longer");

    struct sotto_session none = a;
    none.id.len = 0;
    IS_INT(sotto_sessions_put(t, &none, NOW), SOTTO_EINVAL, "without an id there is no session");
    OK(!is_there(t, &none, NOW), "and none is found");
    none = session_of(&one, "ann", 2);
    IS_INT(sotto_sessions_put(t, &none, none.expires_s), SOTTO_EINVAL, "nor one that has expired");
    IS_SIZE(sotto_sessions_sweep(t, NOW), 2, "two are left");
    IS_SIZE(sotto_sessions_sweep(t, NOW + 3600), 0, "and none when their time is over");
    sotto_sessions_free(t);
    sotto_sessions_free(NULL);
}

static void test_outlives(void)
{
    struct sotto_sessions *t;
    struct sotto_session a = session_of(&one, "ann", 7);
    IS_INT(sotto_sessions_new(&t), SOTTO_OK, "a table");
    IS_INT(sotto_sessions_put(t, &a, NOW), SOTTO_OK, "a session");
    struct sotto_session *held = sotto_sessions_find(t, &one, &a.id, NOW);
    OK(held != NULL, "a request holds it");
    sotto_sessions_free(t);
    IS_MEM(held->secret, sizeof(held->secret), a.secret, sizeof(a.secret),
           "and can use it when the table is gone");
    OK(sotto_session_ref(held) == held, "it can be held twice");
    sotto_session_unref(held);
    sotto_session_unref(held);
    sotto_session_unref(NULL);
}

static void test_owners(void)
{
    struct sotto_sessions *t;
    struct sotto_session first = session_of(&one, "ann", 0), bob = session_of(&one, "bob", 900000);
    IS_INT(sotto_sessions_new(&t), SOTTO_OK, "a table");
    IS_INT(sotto_sessions_put(t, &bob, NOW), SOTTO_OK, "one of bob's");
    bool all = true;
    for (unsigned i = 0; i < SOTTO_SESSIONS_PER_OWNER_MAX; i++) {
        struct sotto_session s = session_of(&one, "ann", i);
        all = sotto_sessions_put(t, &s, NOW) == SOTTO_OK && all;
    }
    OK(all && is_there(t, &first, NOW), "as many as one owner may have");
    struct sotto_session more = session_of(&one, "ann", SOTTO_SESSIONS_PER_OWNER_MAX);
    IS_INT(sotto_sessions_put(t, &more, NOW), SOTTO_OK, "one more");
    OK(is_there(t, &more, NOW) && !is_there(t, &first, NOW), "takes the place of the oldest");
    OK(is_there(t, &bob, NOW), "of the same owner");

    sotto_sessions_drop_owner(t, SOTTO_LIT("ann"));
    IS_SIZE(sotto_sessions_sweep(t, NOW), 1, "an owner's sessions can be forgotten together");
    sotto_sessions_drop_owner(t, SOTTO_LIT("nobody"));
    sotto_sessions_drop_owner(t, SOTTO_LIT(""));
    OK(is_there(t, &bob, NOW), "without those of others");
    sotto_sessions_free(t);
}

static void test_full(void)
{
    struct sotto_sessions *t;
    char owner[32];
    bool all = true;
    IS_INT(sotto_sessions_new(&t), SOTTO_OK, "a table");
    for (unsigned i = 0; i < SOTTO_SESSIONS_MAX; i++) {
        snprintf(owner, sizeof(owner), "owner %u", i / 1000);
        struct sotto_session s = session_of(&one, owner, i);
        all = sotto_sessions_put(t, &s, NOW) == SOTTO_OK && all;
    }
    OK(all, "the table fills");
    struct sotto_session s = session_of(&one, "new", SOTTO_SESSIONS_MAX);
    IS_INT(sotto_sessions_put(t, &s, NOW), SOTTO_EQUOTA, "then somebody new is refused");
    s = session_of(&one, "owner 3", SOTTO_SESSIONS_MAX);
    IS_INT(sotto_sessions_put(t, &s, NOW), SOTTO_OK, "who is there replaces his own");
    IS_SIZE(sotto_sessions_sweep(t, NOW), SOTTO_SESSIONS_MAX, "and the table does not grow");
    sotto_sessions_free(t);
}

static void test_once(void)
{
    struct sotto_sessions *t;
    struct sotto_session a = session_of(&one, "ann", 1);
    IS_INT(sotto_sessions_new(&t), SOTTO_OK, "a table");
    IS_INT(sotto_sessions_put(t, &a, NOW), SOTTO_OK, "a session");
    struct sotto_session *held = sotto_sessions_find(t, &one, &a.id, NOW);
    bool fresh = true, again = true;
    for (uint64_t i = 0; i < SOTTO_SESSION_REQUESTS_MAX; i++) {
        sotto_span nonce = sotto_span_init(&i, sizeof(i));
        fresh = sotto_session_once(held, nonce) == SOTTO_OK && fresh;
        again = sotto_session_once(held, nonce) == SOTTO_EEXISTS && again;
    }
    OK(fresh, "as many requests as a session may have");
    OK(again, "each of them once");
    OK(is_there(t, &a, NOW), "the session is still there");
    IS_INT(sotto_session_once(held, SOTTO_LIT("one more")), SOTTO_EQUOTA, "one more is refused");
    OK(!is_there(t, &a, NOW), "and the session is gone");
    IS_INT(sotto_sessions_put(t, &a, NOW), SOTTO_OK, "its id is free again");
    sotto_session_unref(held);
    sotto_sessions_free(t);
}

/* Two threads present the same nonces; each nonce is good for one of them. */
static struct sotto_session *shared;

static void *present(void *won)
{
    size_t *count = won;
    for (uint32_t i = 0; i < 20000; i++) {
        *count += sotto_session_once(shared, sotto_span_init(&i, sizeof(i))) == SOTTO_OK;
    }
    return NULL;
}

static void test_threads(void)
{
    struct sotto_sessions *t;
    struct sotto_session a = session_of(&one, "ann", 1);
    size_t won[2] = {0};
    pthread_t threads[2];
    IS_INT(sotto_sessions_new(&t), SOTTO_OK, "a table");
    IS_INT(sotto_sessions_put(t, &a, NOW), SOTTO_OK, "a session");
    shared = sotto_sessions_find(t, &one, &a.id, NOW);
    for (size_t i = 0; i < 2; i++) {
        pthread_create(&threads[i], NULL, present, &won[i]);
    }
    for (size_t i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
    }
    IS_SIZE(won[0] + won[1], 20000, "of two threads with one nonce exactly one wins");
    sotto_session_unref(shared);
    sotto_sessions_free(t);
}

static enum sotto_err use_all(void)
{
    struct sotto_sessions *t = NULL;
    struct sotto_session a = session_of(&one, "ann", 1);
    enum sotto_err err = sotto_sessions_new(&t);
    if (err == SOTTO_OK) {
        err = sotto_sessions_put(t, &a, NOW);
    }
    struct sotto_session *held = err == SOTTO_OK ? sotto_sessions_find(t, &one, &a.id, NOW) : NULL;
    for (uint8_t i = 0; err == SOTTO_OK && i < 200; i++) {
        err = sotto_session_once(held, sotto_span_init(&i, 1));
    }
    sotto_session_unref(held);
    sotto_sessions_free(t);
    return err;
}

static void test_faults(void)
{
    IS_INT(use_all(), SOTTO_OK, "dry run");
    for (size_t n = 1;; n++) {
        sotto_alloc_set_fault(n);
        enum sotto_err err = use_all();
        if (sotto_alloc_set_fault(0) < n) {
            IS_INT(err, SOTTO_OK, "no more than %zu allocations", n - 1);
            break;
        }
        IS_INT(err, SOTTO_ENOMEM, "allocation %zu fails", n);
    }
}

static void test_key_id(void)
{
    char id[SOTTO_SESSION_KEY_ID_LEN + 1], again[sizeof(id)];
    IS_INT(sotto_session_key_id(SOTTO_LIT("a public key"), id), SOTTO_OK, "an id");
    IS_SIZE(strlen(id), SOTTO_SESSION_KEY_ID_LEN, "of 16 characters");
    OK(strncmp(id, "key_", 4) == 0, "that says what it is");
    IS_INT(sotto_session_key_id(SOTTO_LIT("a public key"), again), SOTTO_OK, "once more");
    OK(strcmp(id, again) == 0, "the same key has the same id");
    IS_INT(sotto_session_key_id(SOTTO_LIT("b public key"), again), SOTTO_OK, "another key");
    OK(strcmp(id, again) != 0, "has another one");
}

int main(void)
{
    test_find();
    test_outlives();
    test_owners();
    test_full();
    test_once();
    test_threads();
    test_faults();
    test_key_id();
    return done_testing();
}
