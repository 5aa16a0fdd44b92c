/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_SYS_SIGNALS_H
#define SOTTO_SYS_SIGNALS_H

#include "base/err.h"

/**
 * Blocks SIGTERM, SIGINT and SIGHUP for this thread and those it starts from now on, ignores
 * SIGPIPE, and opens a descriptor that becomes readable when one of the three arrives (for
 * net/loop.h).  Call it in the main thread before any other thread is started.
 *
 * @param[out] fd  set only on SOTTO_OK; the caller closes it
 * @retval SOTTO_EIO
 */
SOTTO_MUST_CHECK enum sotto_err sotto_signals_open(int *fd);

/** What a signal asks for. */
enum sotto_signal {
    SOTTO_SIGNAL_NONE,
    SOTTO_SIGNAL_STOP,   /* SIGTERM, SIGINT */
    SOTTO_SIGNAL_RELOAD, /* SIGHUP */
};

/** The next signal that arrived.  Does not block. */
enum sotto_signal sotto_signals_next(int fd);

/** Ignores SIGPIPE: a write to a closed socket is an error, not the end of the program. */
void sotto_signals_ignore_pipe(void);

#endif
