/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_SYS_CPU_H
#define SOTTO_SYS_CPU_H

#include <stddef.h>

#include "base/err.h"

/** How many processors this process may run on (its affinity mask); at least 1. */
size_t sotto_cpu_count(void);

#endif
