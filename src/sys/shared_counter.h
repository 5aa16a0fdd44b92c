/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_SYS_SHARED_COUNTER_H
#define SOTTO_SYS_SHARED_COUNTER_H

/*
 * A number in a file of eight bytes that several processes map (MAP_SHARED).  Whoever changes
 * something that others cache bumps it; the others notice with one load from memory and no system
 * call, at once: this is how a revoked key is refused from the next request on.
 */

#include <stdint.h>

#include "base/err.h"

struct sotto_shared_counter;

/**
 * Opens the counter, making the file (mode 0600, value 0) where it is missing.
 *
 * @param[out] out  set only on SOTTO_OK; closed with sotto_shared_counter_close()
 * @retval SOTTO_ENOTFOUND, SOTTO_EDENIED, SOTTO_EIO, SOTTO_ENOMEM
 * @retval SOTTO_EFORMAT  the file is something else
 */
SOTTO_MUST_CHECK enum sotto_err sotto_shared_counter_open(const char *path,
                                                          struct sotto_shared_counter **out);

/** NULL is allowed. */
void sotto_shared_counter_close(struct sotto_shared_counter *c);

/** What it is now.  What was done before the bump that made it so is visible.  Thread-safe. */
uint64_t sotto_shared_counter_get(const struct sotto_shared_counter *c);

/** Adds 1.  Thread-safe. */
void sotto_shared_counter_bump(struct sotto_shared_counter *c);

#endif
