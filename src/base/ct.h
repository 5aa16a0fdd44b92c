/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_BASE_CT_H
#define SOTTO_BASE_CT_H

#include <stdbool.h>
#include <stddef.h>

/** Whether `n` bytes are equal, in a time that depends on `n` alone. */
bool sotto_ct_equal(const void *a, const void *b, size_t n);

#endif
