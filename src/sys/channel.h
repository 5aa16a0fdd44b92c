/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_SYS_CHANNEL_H
#define SOTTO_SYS_CHANNEL_H

/*
 * A pair of connected descriptors between two processes of ours, non-blocking and closed on exec.
 * Read and written with read(2) and write(2), which a room without sockets may call
 * (sys/sandbox.h); SIGPIPE has to be ignored.
 */

#include <stddef.h>

#include "base/err.h"

/** @param[out] one  set only on SOTTO_OK, as the other is  @retval SOTTO_EIO */
SOTTO_MUST_CHECK enum sotto_err sotto_channel_open(int *one, int *other);

/** Closes; -1 is allowed. */
void sotto_channel_close(int fd);

/**
 * Reads what there is, at most `cap` bytes.
 *
 * @param[out] n  0: nothing has come yet; set only on SOTTO_OK
 * @retval SOTTO_ECLOSED  the other side is gone
 */
SOTTO_MUST_CHECK enum sotto_err sotto_channel_read(int fd, void *to, size_t cap, size_t *n);

/** Writes what fits.  @param[out] n  as above  @retval SOTTO_ECLOSED */
SOTTO_MUST_CHECK enum sotto_err sotto_channel_write(int fd, const void *from, size_t len,
                                                    size_t *n);

#endif
