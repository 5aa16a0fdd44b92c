/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_GATEWAY_BACK_H
#define SOTTO_GATEWAY_BACK_H

/*
 * The back room: connections to the upstreams of one thread.  It turns FETCH messages into HTTP
 * requests and their answers into CHUNK messages; it sees tokens only, and knows no JSON.
 */

#include "gateway/door.h"
#include "gateway/room_setup.h"
#include "net/client.h"

struct sotto_back;

/**
 * Loop, resolver and TLS context are borrowed.
 *
 * @param[out] out  freed with sotto_back_free()
 * @retval SOTTO_ENOMEM
 */
SOTTO_MUST_CHECK enum sotto_err sotto_back_new(struct sotto_loop *loop,
                                               struct sotto_resolver *resolver,
                                               struct sotto_tls_context *tls,
                                               struct sotto_back **out);

/** Says where messages for the vault go; before the first fetch. */
void sotto_back_connect(struct sotto_back *back, struct sotto_door to_vault);

/** Closes all connections; NULL is allowed. */
void sotto_back_free(struct sotto_back *back);

/**
 * These upstreams count from now on.  Those of the setup before stay for requests that began with
 * it, older ones as long as a fetch uses them.
 *
 * @param setup  taken over on SOTTO_OK
 * @retval SOTTO_ENOMEM  the old ones stay
 */
SOTTO_MUST_CHECK enum sotto_err sotto_back_use(struct sotto_back *back,
                                               struct sotto_back_setup *setup);

/** Stops all fetches from reading, or lets them go on where the vault has not paused them. */
void sotto_back_hold(struct sotto_back *back, bool held);

/** The back's end of the door; `ctx` is a struct sotto_back. */
void sotto_back_from_vault(void *ctx, const struct sotto_door_msg *msg);

#endif
