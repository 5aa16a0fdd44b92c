/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_GATEWAY_DOOR_H
#define SOTTO_GATEWAY_DOOR_H

/*
 * The two narrow doors between the three rooms.
 *
 *   front  --OPEN, PAUSE, RESUME, CLOSE-->  vault  --FETCH, PAUSE, RESUME, CLOSE-->  back
 *   front  <--REPLY, CLOSE---------------   vault  <--CHUNK, CLOSE---------------   back
 *
 * front holds clients' sockets and never a sealing key; back holds providers' sockets and never
 * sees a real value; vault has no sockets.  What passes is one message: integers and bytes, no
 * pointers that outlive the call.  In one process a door is a function call; between processes the
 * same message is written to a ring.  Everything about one request bears its stream number, which
 * belongs to the request and not to a connection.
 */

#include "base/err.h"
#include "base/span.h"

enum sotto_door_kind {
    SOTTO_DOOR_OPEN,  /* front: a request; head = block of http/head.h, body = whole body,
                          arg = microseconds since its first byte, flags = listener */
    SOTTO_DOOR_FETCH, /* vault: a request for an upstream; head empty, body = the bytes to send,
                          arg = index of the upstream, flags = number of the setup it is of */
    SOTTO_DOOR_CHUNK, /* back: head (first time only) and a piece of the answer's body */
    SOTTO_DOOR_REPLY, /* vault: head (first time only; arg = status) and a piece of the body */
    SOTTO_DOOR_PAUSE, /* the receiver's buffer is full: send no more until RESUME */
    SOTTO_DOOR_RESUME,
    SOTTO_DOOR_CLOSE, /* nothing more about this stream in this direction and the other;
                          arg = enum sotto_err: why it ended early; to back, SOTTO_OK: all that
                          matters has come, let the rest run out */
    /* Between processes only, about no stream (0): */
    SOTTO_DOOR_SETUP, /* vault: what the room needs of the configuration; gateway/room_setup.h */
    SOTTO_DOOR_READY, /* front, back: arg = enum sotto_err; body = gateway/room_setup.h */
    SOTTO_DOOR_DRAIN, /* vault: accept nobody, end when all is answered */
};
#define SOTTO_DOOR_KINDS 10U

/** CHUNK, REPLY: the body is complete with this message. */
#define SOTTO_DOOR_LAST 1U
/** REPLY: length of the body is not known, send it as it comes. */
#define SOTTO_DOOR_STREAM 2U
/** OPEN: came over TLS.  */
#define SOTTO_DOOR_TLS 4U
/** OPEN: client and listener are on loopback. */
#define SOTTO_DOOR_LOOPBACK 8U
/** OPEN: on the admin listener. */
#define SOTTO_DOOR_ADMIN 16U

struct sotto_door_msg {
    enum sotto_door_kind kind;
    uint32_t flags;
    uint64_t stream; /* chosen by front: low half a small index that is used again, high half a
                        count that is not; never 0 */
    int64_t arg;
    sotto_span head; /* borrowed for the call */
    sotto_span body; /* borrowed for the call */
};

/** Takes a message.  Must not call back into the sender before it returns, except to send. */
typedef void sotto_door_fn(void *room, const struct sotto_door_msg *msg);

/** One end of a door: where to put messages for the other room. */
struct sotto_door {
    sotto_door_fn *put;
    void *room;
};

static inline void sotto_door_put(const struct sotto_door *door, const struct sotto_door_msg *msg)
{
    door->put(door->room, msg);
}

#endif
