/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_SYS_NOTIFY_H
#define SOTTO_SYS_NOTIFY_H

/*
 * Tells a service manager how the process fares: systemd's protocol, sd_notify(3).  The socket is
 * opened once, before sandboxes close; without NOTIFY_SOCKET all of this does nothing.
 */

#include "base/err.h"

/**
 * Opens the socket that `path` names: a path, or '@' and a name in the abstract namespace.
 *
 * @param path  of NOTIFY_SOCKET; NULL or empty: there is no manager
 * @retval SOTTO_EIO  it cannot be opened; messages go nowhere
 */
SOTTO_MUST_CHECK enum sotto_err sotto_notify_open(const char *path);

/** Requests are served. */
void sotto_notify_ready(void);

/** The configuration is being read again; sotto_notify_ready() ends it. */
void sotto_notify_reloading(void);

/** The process ends by itself. */
void sotto_notify_stopping(void);

/** Closes the socket. */
void sotto_notify_close(void);

#endif
