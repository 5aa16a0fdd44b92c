/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_SEAL_SESSION_H
#define SOTTO_SEAL_SESSION_H

/*
 * The secrets that clients share with this gateway, by the ids under which requests name them, and
 * what was opened under each: a request that was seen before is refused for as long as its secret
 * lives.  In memory only, bounded, wiped.
 *
 * The table is thread-safe.  A session is counted: it outlives its place in the table for the
 * requests that are under way.  Time is an argument.
 */

#include "base/buf.h"

/** Length of a secret. */
#define SOTTO_SESSION_SECRET_BYTES 32

/** Longest id on the wire (privatemode: 44 characters of base64). */
#define SOTTO_SESSION_ID_MAX 64

/** Longest owner: the id of an API key. */
#define SOTTO_SESSION_OWNER_MAX 32

/** Length of "key_" and 12 symbols of base62. */
#define SOTTO_SESSION_KEY_ID_LEN 16

/** Most requests of one session.  Then it is gone and the client exchanges a new secret. */
#define SOTTO_SESSION_REQUESTS_MAX 65536

/** Most sessions, of one owner and of all.  One more takes the place of that owner's oldest. */
#define SOTTO_SESSIONS_PER_OWNER_MAX 1024
#define SOTTO_SESSIONS_MAX           65536

struct sotto_seal_profile;
struct sotto_sessions;

struct sotto_session_id {
    size_t len; /* 0: none */
    uint8_t bytes[SOTTO_SESSION_ID_MAX];
};

/** Immutable but for what it has seen. */
struct sotto_session {
    const struct sotto_seal_profile *profile;
    struct sotto_session_id id;
    uint8_t secret[SOTTO_SESSION_SECRET_BYTES];
    char owner[SOTTO_SESSION_OWNER_MAX + 1];   /* id of the API key that exchanged it */
    const char *algorithm;                     /* static: "x-wing", "kyber512", "rsa4096" */
    bool forward_secret;                       /* nothing long-lived can recover the secret */
    char key_id[SOTTO_SESSION_KEY_ID_LEN + 1]; /* the public key that the secret was sealed to */
    int64_t expires_s;                         /* seconds since 1970; from then on it is unknown */
};

/**
 * @param[out] out  set only on SOTTO_OK; freed with sotto_sessions_free()
 * @retval SOTTO_ENOMEM, SOTTO_ECRYPTO
 */
SOTTO_MUST_CHECK enum sotto_err sotto_sessions_new(struct sotto_sessions **out);

/** Forgets all sessions, wipes and frees; NULL is allowed.  References stay valid. */
void sotto_sessions_free(struct sotto_sessions *sessions);

/**
 * Adds a copy of `session`.
 *
 * @param now_s  what has expired by then may go
 *
 * @retval SOTTO_EEXISTS  the profile has a session with this id, which stays as it is
 * @retval SOTTO_EINVAL   it expires by `now_s`, or has no id
 * @retval SOTTO_EQUOTA   SOTTO_SESSIONS_MAX, and none is the owner's
 * @retval SOTTO_ENOMEM
 */
SOTTO_MUST_CHECK enum sotto_err sotto_sessions_put(struct sotto_sessions *sessions,
                                                   const struct sotto_session *session,
                                                   int64_t now_s);

/**
 * The session of a profile with this id, as a reference that is given back with
 * sotto_session_unref(); NULL: there is none, or it has expired.
 */
struct sotto_session *sotto_sessions_find(struct sotto_sessions *sessions,
                                          const struct sotto_seal_profile *profile,
                                          const struct sotto_session_id *id, int64_t now_s);

/** Forgets what has expired; to be called now and then.  Returns how many are left. */
size_t sotto_sessions_sweep(struct sotto_sessions *sessions, int64_t now_s);

/** Forgets the session of a profile with this id, where there is one. */
void sotto_sessions_drop(struct sotto_sessions *sessions, const struct sotto_seal_profile *profile,
                         const struct sotto_session_id *id);

/** Forgets the sessions of an owner whose API key is no longer valid. */
void sotto_sessions_drop_owner(struct sotto_sessions *sessions, sotto_span owner);

/** One reference more, one less; the last one wipes.  NULL is allowed.  Any thread. */
struct sotto_session *sotto_session_ref(struct sotto_session *session);
void sotto_session_unref(struct sotto_session *session);

/**
 * Notes that the request with this nonce was opened.  To be called when all of it has passed its
 * checks and before anything is done with it.  Any thread: of two that ask, one gets SOTTO_OK.
 *
 * @retval SOTTO_EEXISTS  it was opened before
 * @retval SOTTO_EQUOTA   SOTTO_SESSION_REQUESTS_MAX; sotto_sessions_find() no longer gives it
 * @retval SOTTO_ENOMEM   the request must not be answered
 */
SOTTO_MUST_CHECK enum sotto_err sotto_session_once(struct sotto_session *session, sotto_span nonce);

/**
 * Writes the id of a public key: "key_" and 12 symbols of base62 of its SHA-256, and a NUL.
 *
 * @retval SOTTO_ECRYPTO  `out` is wiped
 */
SOTTO_MUST_CHECK enum sotto_err sotto_session_key_id(sotto_span public_key,
                                                     char out[SOTTO_SESSION_KEY_ID_LEN + 1]);

#endif
