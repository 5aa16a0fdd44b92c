/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_GATEWAY_ADMIN_H
#define SOTTO_GATEWAY_ADMIN_H

/*
 * The admin listener: health for whoever watches the process.
 *
 *   GET /livez   200 while the process runs
 *   GET /readyz  200 when requests are served, 503 before and while it drains
 *
 * It runs in a thread of its own and so answers under full load.
 */

#include "net/server.h"

struct sotto_admin;

/** @param[out] out  set only on SOTTO_OK; freed with sotto_admin_free().  @retval SOTTO_ENOMEM */
SOTTO_MUST_CHECK enum sotto_err sotto_admin_new(struct sotto_loop *loop, struct sotto_admin **out);

/** Arguments and errors as sotto_server_listen(). */
SOTTO_MUST_CHECK enum sotto_err sotto_admin_listen(struct sotto_admin *admin, const char *address,
                                                   uint16_t port, uint16_t *bound_port);

/** What /readyz says; 200 or 503. */
void sotto_admin_set_ready(struct sotto_admin *admin, bool ready);

/** Closes and frees; NULL is allowed. */
void sotto_admin_free(struct sotto_admin *admin);

#endif
