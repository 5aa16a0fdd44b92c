/* SPDX-License-Identifier: Apache-2.0 */

#include "base/ct.h"

#include <stdint.h>

bool sotto_ct_equal(const void *a, const void *b, size_t n)
{
    const volatile uint8_t *x = a, *y = b;
    uint8_t diff = 0;
    for (size_t i = 0; i < n; i++) {
        diff |= (uint8_t)(x[i] ^ y[i]);
    }
    return diff == 0;
}
