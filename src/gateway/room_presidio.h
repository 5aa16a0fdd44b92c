/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_GATEWAY_ROOM_PRESIDIO_H
#define SOTTO_GATEWAY_ROOM_PRESIDIO_H

/*
 * Presidio's REST API as a service of the vault room: routes, who may call, and the way through
 * the room's states.  What is answered is decided in src/presidio/.  For the files room*.c alone.
 */

#include "gateway/room_stream.h"
#include "keys/key.h"

/** Name, place of the key and form of errors, as a dialect has them; reads and writes nothing. */
extern const struct sotto_dialect room_presidio_face;

/** Whether the request is for one of the routes below /presidio. */
bool room_presidio_accepts(const struct sotto_http_head *head);

/** Finds the route.  @retval SOTTO_EINVAL  `s->problem` says that there is none */
SOTTO_MUST_CHECK enum sotto_err room_presidio_route(struct room_stream *s,
                                                    const struct sotto_http_head *head);

/**
 * The key: where the other dialects have it, or the user of HTTP Basic (RFC 7617), so that it fits
 * into a URL.
 *
 * @param store  where a key from Basic is written; the caller wipes it
 * @return       empty: there is none, or several that differ
 */
sotto_span room_presidio_key(const struct sotto_http_head *head, char store[SOTTO_KEY_TEXT_LEN]);

/**
 * Whether the request needs no key: listener and client have loopback addresses, `Host` names
 * one, no proxy forwarded it and it brings no credentials that could be wrong.
 */
bool room_presidio_is_local(const struct room_stream *s, const struct sotto_http_head *head);

/** Whether the request is to be served by a worker whatever its size. */
bool room_presidio_is_heavy(const struct room_stream *s, sotto_span body);

/** Reads the request; uses the stream alone, in any thread.  Errors as room_admit(). */
SOTTO_MUST_CHECK enum sotto_err
room_presidio_read(struct room_stream *s, const struct sotto_http_head *head, sotto_span body);

/** Sends the answer and finishes. */
void room_presidio(struct room_stream *s);

#endif
