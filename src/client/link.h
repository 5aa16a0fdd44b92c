/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_CLIENT_LINK_H
#define SOTTO_CLIENT_LINK_H

/*
 * A client's link to a gateway: sessions of a sealing profile (client/profile.h), begun when they
 * are needed and renewed before they end.  Asks for what the gateway is known by, decides whether to
 * believe it, agrees on a session.  One loop, one thread.
 */

#include "client/vouch.h"
#include "net/client.h"
#include "seal/suite.h"

/** Longest sentence about what went wrong. */
#define SOTTO_LINK_WHY_BYTES 512

struct sotto_link;
struct sotto_client_profile;
struct client_session;

struct sotto_link_options {
    struct sotto_pool *pool;    /* borrowed */
    struct sotto_origin origin; /* spans borrowed */
    sotto_span base_path;       /* "/v1" */
    sotto_span api_key;
    const struct sotto_client_profile *profile;
    const struct sotto_suite *suite; /* profiles that have several */
    /* Which key is believed: one that evidence vouches for, else one of a file, else the first. */
    const struct sotto_vouch_policy *evidence; /* borrowed; NULL: none is asked for */
    const char *pinned_path;                   /* keys; NULL: `known_path` counts */
    const char *known_path;                    /* where those that were seen are kept */
};

/**
 * Told once for each sotto_link_want().
 *
 * @param session  for use inside the call; NULL: there is none
 * @param why      then: one sentence, free of payload; as long as the call
 */
typedef void sotto_link_fn(void *ctx, struct client_session *session, const char *why);

/** A wish; part of whoever has it. */
struct sotto_link_wish {
    struct sotto_link_wish *prev, *next;
    sotto_link_fn *fn;
    void *ctx;
    bool waits;
};

/** @retval SOTTO_ENOMEM */
SOTTO_MUST_CHECK enum sotto_err sotto_link_new(const struct sotto_link_options *options,
                                               struct sotto_link **out);

/** Wipes and frees; wishes that wait are forgotten.  NULL is allowed. */
void sotto_link_free(struct sotto_link *link);

/** Asks for a session: `fn` is called, at once where there is one. */
void sotto_link_want(struct sotto_link *link, struct sotto_link_wish *wish, sotto_link_fn *fn,
                     void *ctx);

/** Forgets a wish that may wait. */
void sotto_link_forget(struct sotto_link *link, struct sotto_link_wish *wish);

/** Appends the header line with the API key.  @retval SOTTO_EINVAL, SOTTO_ENOMEM, SOTTO_ELIMIT */
SOTTO_MUST_CHECK enum sotto_err sotto_link_write_key(const struct sotto_link_options *options,
                                                     struct sotto_buf *out);

/** The gateway does not know the session any more: the next wish begins another one. */
void sotto_link_drop(struct sotto_link *link);

#endif
