/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_GATEWAY_ROOM_FLEET_H
#define SOTTO_GATEWAY_ROOM_FLEET_H

/*
 * What the room asks the store that the gateways of a fleet share (fleet/fleet.h).  A step that
 * needs an answer asks room_fleet_knows(); where that is false it returns SOTTO_ESTATE, the request
 * waits in ROOM_ASKING, and the step comes again when the answer is there.  Each question is asked
 * once for a request.  Where the store cannot be asked, the request is refused (503
 * store_unavailable).
 *
 * Without a fleet all of this is one look at a pointer.
 */

#include "fleet/fleet.h"

struct room_stream;

enum room_ask {
    ROOM_ASK_NOTHING,
    ROOM_ASK_SESSION, /* the session that a sealed request names, which this gateway does not know */
    ROOM_ASK_REQUEST, /* may this key make one request more? */
    ROOM_ASK_ONCE,    /* is a sealed request opened for the first time? */
    ROOM_ASK_NEED,    /* may it use what this request may need? */
    ROOM_ASK_SHARE,   /* a session was agreed on: let the others have it */
};

/** What a request has beside others in a fleet; zero-initialised: nothing asked. */
struct room_fleet {
    enum room_ask ask; /* the question that is next, or under way */
    unsigned answered; /* a bit for each that was answered */
    struct sotto_fleet_call call;
    struct sotto_fleet_share share;
    enum sotto_limit_verdict verdict; /* the latest one */
    struct sotto_limit_ask need;
    struct sotto_session *session; /* that is shared: a reference */
};

/** Whether this was answered, or there is nobody to ask; false: it is the next question. */
bool room_fleet_knows(struct room_stream *s, enum room_ask ask);

/** Asks the next question; the request goes on when it is answered, or is refused. */
void room_fleet_ask(struct room_stream *s);

/** Says what was used. */
void room_fleet_settle(struct room_stream *s, const struct sotto_use *used);

/** Gives back what the request holds of it. */
void room_fleet_free(struct room_stream *s);

#endif
