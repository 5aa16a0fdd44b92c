/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_GATEWAY_ADMIN_H
#define SOTTO_GATEWAY_ADMIN_H

/*
 * The admin listener: health for whoever watches the process.
 *
 *   GET /metrics for Prometheus
 *   GET /livez   200 while the process runs
 *   /admin/v1/…  the admin API (gateway/admin_api.h)
 *   GET /readyz  200 when requests are served, 503 before, while it drains, and with the trouble
 *                in words while each request would be refused
 *
 * It belongs to a thread of its own and so answers under full load.  Like the vault it has no
 * sockets: its requests come through a door, from a front that holds the admin listener.
 */

#include "base/buf.h"
#include "gateway/admin_api.h"
#include "gateway/door.h"
#include "gateway/side.h"

struct sotto_admin;
/** A request to the API that waits for its answer. */
struct sotto_admin_job;

struct sotto_admin_options {
    struct sotto_door front; /* gets the answers */
    /** Appends the metrics.  @retval SOTTO_ENOMEM, SOTTO_ELIMIT */
    enum sotto_err (*metrics)(void *ctx, struct sotto_buf *out);
    /**
     * Begins to read the configuration again; sotto_admin_reloaded() is told what came of it.
     * @retval SOTTO_ENOMEM  it is not told
     */
    enum sotto_err (*reload)(void *ctx, struct sotto_admin_job *job);
    /** Why no request is served at present, as a line of static text; NULL: they are. */
    const char *(*trouble)(void *ctx);
    void *ctx;
    struct sotto_loop *loop; /* of this thread */
    struct sotto_side *side; /* where the API runs; freed before the admin is */
    struct sotto_admin_api api;
};

/** Most requests to the API that wait at once; beyond, 503. */
#define SOTTO_ADMIN_WAITING_MAX 64

/** @param[out] out  set only on SOTTO_OK; freed with sotto_admin_free().  @retval SOTTO_ENOMEM */
SOTTO_MUST_CHECK enum sotto_err sotto_admin_new(const struct sotto_admin_options *options,
                                                struct sotto_admin **out);

/** The end of the door that the front puts messages into; `ctx` is a struct sotto_admin. */
void sotto_admin_from_front(void *ctx, const struct sotto_door_msg *msg);

/** What /readyz says; 200 or 503. */
void sotto_admin_set_ready(struct sotto_admin *admin, bool ready);

/** Answers a request that asked for a reload, and frees it.  @param taken  whether it is valid */
void sotto_admin_reloaded(struct sotto_admin_job *job, bool taken);

/** From now on nothing is answered: what the side thread hands back is dropped.  NULL is allowed. */
void sotto_admin_disconnect(struct sotto_admin *admin);

/** After the loop of its options; NULL is allowed. */
void sotto_admin_free(struct sotto_admin *admin);

#endif
