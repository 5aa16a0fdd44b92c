/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_GATEWAY_WORKER_H
#define SOTTO_GATEWAY_WORKER_H

/*
 * One thread of the gateway: an event loop with its three rooms, or with the vault alone where the
 * others are processes.  worker.c alone decides whether a door is a function call or a socket.
 */

#include "fleet/fleet.h"
#include "gateway/metrics.h"
#include "gateway/setup.h"
#include "gateway/side.h"
#include "gateway/trail.h"
#include "keys/table.h"
#include "net/resolver.h"
#include "net/tls.h"
#include "seal/profile.h"

struct sotto_worker;

/** What all workers share; borrowed, outlives them. */
struct sotto_worker_shared {
    struct sotto_setup *setup; /* to begin with */
    struct sotto_key_slot *keys;
    struct sotto_resolver *resolver;
    struct sotto_tls_context *upstream_tls;
    struct sotto_side *side;  /* keys and use: short work */
    struct sotto_side *heavy; /* large requests */
    struct sotto_trail *trail;
    const uint8_t *master; /* SOTTO_MASTER_BYTES */
    const struct sotto_seal_host *seal;
    const struct sotto_fleet_options *fleet; /* NULL: alone */
    bool separate; /* front and back are other processes: no resolver, no TLS, but doors */
    uint64_t (*key_generation)(void *ctx);
    bool (*keys_trusted)(void *ctx); /* the keys in memory may be used still */
    void (*read_keys)(void *ctx);    /* in the side thread: puts the newest keys into the slot */
    void *ctx;
};

/**
 * @param front_door  where the rooms are separate: the vault's end of its door, taken over in any
 *                    case; else -1
 * @param back_door   the same of the back
 * @param[out] out  set only on SOTTO_OK
 * @retval SOTTO_ENOMEM, SOTTO_EIO, SOTTO_ECRYPTO
 */
SOTTO_MUST_CHECK enum sotto_err sotto_worker_new(const struct sotto_worker_shared *shared,
                                                 int front_door, int back_door,
                                                 struct sotto_worker **out);

/** What this worker counts; as long as the worker. */
struct sotto_metrics *sotto_worker_metrics(const struct sotto_worker *worker);

/** Whether the store that the fleet shares answers this thread, or there is none.  Any thread. */
bool sotto_worker_store_ready(const struct sotto_worker *worker);

/**
 * Listens, where the front is here; before the thread is started.  Arguments and errors as
 * sotto_server_listen().
 */
SOTTO_MUST_CHECK enum sotto_err sotto_worker_listen(struct sotto_worker *worker,
                                                    const char *address, uint16_t port,
                                                    struct sotto_tls_context *tls,
                                                    uint16_t *bound_port);

/** Starts the thread.  @retval SOTTO_EIO */
SOTTO_MUST_CHECK enum sotto_err sotto_worker_start(struct sotto_worker *worker);

/** From any thread: uses a new setup, a reference of which is taken over. */
void sotto_worker_use(struct sotto_worker *worker, struct sotto_setup *setup);

/**
 * From any thread: stops accepting and ends the thread when all requests are answered.  Where the
 * front is a process it has to be told, too: the thread ends when the front does.
 */
void sotto_worker_drain(struct sotto_worker *worker);

/** Ends the thread, at once if it still runs.  The side threads may be freed after that. */
void sotto_worker_join(struct sotto_worker *worker);

/** Whether the thread has ended; any thread. */
bool sotto_worker_ended(const struct sotto_worker *worker);

/** Joins and frees; NULL is allowed.  The side threads must have been freed before. */
void sotto_worker_free(struct sotto_worker *worker);

#endif
