/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_GATEWAY_ROOM_PROCESS_H
#define SOTTO_GATEWAY_ROOM_PROCESS_H

/*
 * Front or back as a process of its own.  The vault starts it (gateway/rooms.h): the same program
 * with an empty environment and these descriptors, so that nothing of the vault's memory is in it:
 *
 *   3            the vault's main thread: SETUP (to front), DRAIN; READY
 *   4 ... 3 + N  the door to each of the vault's N workers
 *   4 + N        front: the door to the vault's admin
 *
 * It has as many threads as the vault has workers.  It ends when the vault does, when a drain is
 * complete, or when somebody writes what the rules of a door forbid.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"

#define SOTTO_ROOM_CONTROL_FD 3
#define SOTTO_ROOM_DOORS_FD   4

/** Most workers of a gateway in separate processes. */
#define SOTTO_ROOM_WORKERS_MAX 256

/**
 * Runs the room; called after sotto_harden().
 *
 * @param required  without a whole sandbox the room says so in READY and ends
 * @return an exit status: 0, the gateway ended; 1, something went wrong
 */
SOTTO_MUST_CHECK int sotto_front_process(size_t workers, bool required);

/** Where the certificates are that upstreams are checked against, beside the system's; or NULL. */
struct sotto_back_trust {
    const char *file, *folder;
};
SOTTO_MUST_CHECK int sotto_back_process(size_t workers, bool required,
                                        const struct sotto_back_trust *trust);

#endif
