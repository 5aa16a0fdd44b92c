/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_GATEWAY_ROOMS_H
#define SOTTO_GATEWAY_ROOMS_H

/*
 * Front and back as processes, seen from the vault: starting them, telling them what they need of
 * the configuration, noticing their end.  gateway/room_process.h is the other side.
 */

#include "gateway/doorway.h"
#include "gateway/room_setup.h"

struct sotto_rooms;

struct sotto_rooms_options {
    size_t workers;
    bool required; /* a room without a whole sandbox does not start */
    bool json;     /* the form of the log */
};

/**
 * Starts both processes, before this one closes itself off or has other threads.
 *
 * @param[out] out  set only on SOTTO_OK; freed with sotto_rooms_free()
 * @retval SOTTO_EIO  no process or socket could be made  @retval SOTTO_ENOMEM
 */
SOTTO_MUST_CHECK enum sotto_err sotto_rooms_start(const struct sotto_rooms_options *options,
                                                  struct sotto_rooms **out);

/** The vault's ends of the doors of a worker, and of the admin's; taken over by the caller. */
int sotto_rooms_take_front(struct sotto_rooms *rooms, size_t worker);
int sotto_rooms_take_back(struct sotto_rooms *rooms, size_t worker);
int sotto_rooms_take_admin(struct sotto_rooms *rooms);

/** What has to go on when a room is gone; in the loop's thread, at most once a room. */
typedef void sotto_rooms_lost_fn(void *ctx, const char *room);

/**
 * Lets the front listen and waits until both are ready; runs the loop meanwhile.
 *
 * @param[out] front_ready  on failure it says what could not be opened
 * @param[out] back_ready   of the back
 * @retval SOTTO_EINVAL, SOTTO_EEXISTS, SOTTO_EDENIED, ...  as sotto_server_listen() and
 *         sotto_tls_server_new()
 * @retval SOTTO_ECLOSED  a room ended instead
 */
SOTTO_MUST_CHECK enum sotto_err sotto_rooms_open(struct sotto_rooms *rooms, struct sotto_loop *loop,
                                                 const struct sotto_front_setup *front,
                                                 sotto_rooms_lost_fn *lost, void *ctx,
                                                 struct sotto_room_ready *front_ready,
                                                 struct sotto_room_ready *back_ready);

/** New limits, and the certificate again. */
void sotto_rooms_reload(struct sotto_rooms *rooms, const struct sotto_front_setup *front);

/** The front accepts nobody from now on and ends when all is answered. */
void sotto_rooms_drain(struct sotto_rooms *rooms);

/** Closes the doors, so that the processes end, and waits for that; NULL is allowed. */
void sotto_rooms_free(struct sotto_rooms *rooms);

#endif
