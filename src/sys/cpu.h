/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_SYS_CPU_H
#define SOTTO_SYS_CPU_H

#include <stddef.h>

#include "base/err.h"

/** How many processors this process may run on (its affinity mask); at least 1. */
size_t sotto_cpu_count(void);

/**
 * Binds the calling thread to the `index`-th of them.
 * @retval SOTTO_EINVAL  there is no such processor
 * @retval SOTTO_EIO     the kernel refused
 */
SOTTO_MUST_CHECK enum sotto_err sotto_cpu_bind(size_t index);

#endif
