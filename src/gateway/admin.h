/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_GATEWAY_ADMIN_H
#define SOTTO_GATEWAY_ADMIN_H

/*
 * The admin listener: health for whoever watches the process.
 *
 *   GET /metrics for Prometheus
 *   GET /livez   200 while the process runs
 *   GET /readyz  200 when requests are served, 503 before and while it drains
 *
 * It belongs to a thread of its own and so answers under full load.  Like the vault it has no
 * sockets: its requests come through a door, from a front that holds the admin listener.
 */

#include "base/buf.h"
#include "gateway/door.h"

struct sotto_admin;

struct sotto_admin_options {
    struct sotto_door front; /* gets the answers */
    /** Appends the metrics.  @retval SOTTO_ENOMEM, SOTTO_ELIMIT */
    enum sotto_err (*metrics)(void *ctx, struct sotto_buf *out);
    void *ctx;
};

/** @param[out] out  set only on SOTTO_OK; freed with sotto_admin_free().  @retval SOTTO_ENOMEM */
SOTTO_MUST_CHECK enum sotto_err sotto_admin_new(const struct sotto_admin_options *options,
                                                struct sotto_admin **out);

/** The end of the door that the front puts messages into; `ctx` is a struct sotto_admin. */
void sotto_admin_from_front(void *ctx, const struct sotto_door_msg *msg);

/** What /readyz says; 200 or 503. */
void sotto_admin_set_ready(struct sotto_admin *admin, bool ready);

/** NULL is allowed. */
void sotto_admin_free(struct sotto_admin *admin);

#endif
