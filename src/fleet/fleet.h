/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_FLEET_FLEET_H
#define SOTTO_FLEET_FLEET_H

/*
 * What the gateways of a fleet share in a Valkey or Redis server: the limits of keys, the sealing
 * sessions and what was opened under each.  One object a thread, on its event loop.
 *
 * Limits are those of keys/limit.h, counted by the server (limits.lua): reserve, extend, settle.  A
 * settlement that finds no server is kept and told once when it is there again.  What a gateway
 * holds that dies lapses after `hold_ms`.  What a gateway knows of a month when the server does not
 * is told with the first request: a server that lost its memory does not give quotas anew.
 *
 * A session lies there wrapped (fleet/wrap.h), in one entry with the nonces that were opened under
 * it, named by the run of the server: one that comes back with older data has no sessions.  So
 * whatever is lost, no request is opened twice.
 *
 * Each question ends with one call of its function, within two waits.  SOTTO_ECLOSED,
 * SOTTO_ETIMEOUT, SOTTO_EIO, SOTTO_EDENIED, SOTTO_ELIMIT and SOTTO_ENOMEM all mean that the store
 * cannot be asked: the request must be refused.
 */

#include "crypto/aead.h"
#include "fleet/valkey.h"
#include "keys/limit.h"
#include "seal/profile.h"

/** Most settlements that wait for the server; one more takes the place of the oldest. */
#define SOTTO_FLEET_SETTLEMENTS_MAX 65536

/** Longest prefix of the names of entries. */
#define SOTTO_FLEET_PREFIX_MAX 64

/** Length of the name under which a gateway tells what it knows. */
#define SOTTO_FLEET_NAME_BYTES 17

struct sotto_fleet;

/** Made once, borrowed by each thread's object. */
struct sotto_fleet_options {
    struct sotto_valkey_options link;  /* without scripts and on_open */
    sotto_span prefix;                 /* of the names of all entries */
    int64_t hold_ms;                   /* until what a dead gateway holds lapses */
    char name[SOTTO_FLEET_NAME_BYTES]; /* of the folder or database in which use is kept */
    uint8_t key[SOTTO_AEAD_KEY_BYTES]; /* sotto_wrap_key() */
};

/** What was taken of a key's limits; zero-initialised: nothing. */
struct sotto_fleet_share {
    bool taken;
    char id[SOTTO_KEY_ID_LEN];
    uint64_t serial;
    int32_t month;
    int64_t request_step, token_step;
    uint64_t tokens, cost_nano;
};

struct sotto_fleet_call;
typedef void sotto_fleet_fn(struct sotto_fleet_call *call, enum sotto_err err);

/** A question under way, embedded in what it is about; stays until its function was called. */
struct sotto_fleet_call {
    struct sotto_valkey_call link; /* first */
    struct sotto_fleet *fleet;
    sotto_fleet_fn *fn;
    struct sotto_fleet_share *share;     /* of reserve and extend */
    const struct sotto_key_quota *quota; /* the same; borrowed until the end */
    struct sotto_sessions *sessions;     /* of find */
    const struct sotto_seal_profile *profile;
    struct sotto_session_id id;
    enum sotto_limit_verdict verdict; /* answer to reserve and extend */
    struct sotto_limit_state state;   /* the same */
};

/** Begins to connect.  @param[out] out  freed with sotto_fleet_free().  @retval SOTTO_ENOMEM */
SOTTO_MUST_CHECK enum sotto_err sotto_fleet_new(struct sotto_loop *loop,
                                                const struct sotto_fleet_options *options,
                                                struct sotto_fleet **out);

/** Ends all questions with SOTTO_ECLOSED; later ones are refused. */
void sotto_fleet_stop(struct sotto_fleet *fleet);

/** Stops, wipes and frees; NULL is allowed. */
void sotto_fleet_free(struct sotto_fleet *fleet);

/** The connection, for looking at. */
const struct sotto_valkey *sotto_fleet_store(const struct sotto_fleet *fleet);

/*
 * All of these: on SOTTO_OK `fn` is called later, never before they return; else it is not called.
 */

/**
 * Asks for one request.  `fn`: SOTTO_OK and the verdict; `share` is taken where that is OK.
 *
 * @param id     SOTTO_KEY_ID_LEN bytes
 * @param known  what this gateway knows to be used in `month`
 */
SOTTO_MUST_CHECK enum sotto_err
sotto_fleet_reserve(struct sotto_fleet *fleet, struct sotto_fleet_call *call, sotto_fleet_fn *fn,
                    sotto_span id, const struct sotto_key_quota *quota, int32_t month,
                    const struct sotto_use *known, struct sotto_fleet_share *share);

/** Asks for what the request may need.  `fn` as above; `share` is empty where it is refused. */
SOTTO_MUST_CHECK enum sotto_err
sotto_fleet_extend(struct sotto_fleet *fleet, struct sotto_fleet_call *call, sotto_fleet_fn *fn,
                   const struct sotto_key_quota *quota, const struct sotto_limit_ask *ask,
                   struct sotto_fleet_share *share);

/** Says what was used, without waiting; nothing taken is fine.  `share` is empty afterwards. */
void sotto_fleet_settle(struct sotto_fleet *fleet, struct sotto_fleet_share *share,
                        const struct sotto_use *used);

/** Shares a session.  `fn`: SOTTO_OK, or SOTTO_EEXISTS: the fleet has one with this id. */
SOTTO_MUST_CHECK enum sotto_err sotto_fleet_begin(struct sotto_fleet *fleet,
                                                  struct sotto_fleet_call *call, sotto_fleet_fn *fn,
                                                  const struct sotto_session *session,
                                                  int64_t life_s);

/** Looks for a session.  `fn`: SOTTO_OK: it is in `sessions` now; SOTTO_ENOTFOUND. */
SOTTO_MUST_CHECK enum sotto_err sotto_fleet_find(struct sotto_fleet *fleet,
                                                 struct sotto_fleet_call *call, sotto_fleet_fn *fn,
                                                 const struct sotto_seal_profile *profile,
                                                 const struct sotto_session_id *id,
                                                 struct sotto_sessions *sessions);

/**
 * Notes that a request was opened.  `fn`: SOTTO_OK: for the first time; SOTTO_EAUTH: the fleet
 * opened it before; SOTTO_ENOTFOUND: it has no such session any more.
 */
SOTTO_MUST_CHECK enum sotto_err sotto_fleet_once(struct sotto_fleet *fleet,
                                                 struct sotto_fleet_call *call, sotto_fleet_fn *fn,
                                                 const struct sotto_session *session,
                                                 sotto_span nonce);

#endif
