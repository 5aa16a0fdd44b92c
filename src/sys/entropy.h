/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_SYS_ENTROPY_H
#define SOTTO_SYS_ENTROPY_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/**
 * Fills `out` with `n` bytes of the kernel's generator (getrandom(2)).
 *
 * @retval SOTTO_EIO  the kernel has none to give; `out` is wiped
 */
SOTTO_MUST_CHECK enum sotto_err sotto_random(void *out, size_t n);

/**
 * Fills `out` with `n` digits of base62 (0-9 A-Z a-z), uniformly, and a NUL.
 *
 * @retval SOTTO_EIO  `out` is wiped
 */
SOTTO_MUST_CHECK enum sotto_err sotto_random_base62(char *out, size_t n);

#endif
