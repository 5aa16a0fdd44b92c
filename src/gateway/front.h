/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_GATEWAY_FRONT_H
#define SOTTO_GATEWAY_FRONT_H

/*
 * The front room: clients' connections of one thread.  It turns whole HTTP requests into OPEN
 * messages and REPLY messages into HTTP; it knows no keys, no dialects and no JSON.
 */

#include "gateway/door.h"
#include "net/server.h"

struct sotto_front;

/**
 * @param loop      borrowed

 * @param[out] out  freed with sotto_front_free()
 * @retval SOTTO_ENOMEM
 */
SOTTO_MUST_CHECK enum sotto_err sotto_front_new(struct sotto_loop *loop,
                                                const struct sotto_server_limits *limits,
                                                struct sotto_front **out);

/** Says where messages for the vault go; before the first request. */
void sotto_front_connect(struct sotto_front *front, struct sotto_door to_vault);

/** Closes all connections; NULL is allowed. */
void sotto_front_free(struct sotto_front *front);

/** The front's end of the door; `ctx` is a struct sotto_front. */
void sotto_front_from_vault(void *ctx, const struct sotto_door_msg *msg);

/** The server, for listening and draining. */
struct sotto_server *sotto_front_server(struct sotto_front *front);

/** Called once when a drain is complete. */
void sotto_front_on_drained(struct sotto_front *front, void (*fn)(void *ctx), void *ctx);

#endif
