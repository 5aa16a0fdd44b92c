/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_BASE_DECIMAL_H
#define SOTTO_BASE_DECIMAL_H

/*
 * Numbers as decimal digits, for lines that are written with each request: a tenth of what
 * printf() costs.
 */

#include <stddef.h>
#include <stdint.h>

/** Digits of the largest number. */
#define SOTTO_DECIMAL_MAX 20

/**
 * Writes the digits of `number`, at least `width` of them (zeros before; at most
 * SOTTO_DECIMAL_MAX).
 *
 * @param[out] out  not NUL-terminated
 * @return          number of digits
 */
static inline size_t sotto_decimal(uint64_t number, size_t width, char out[SOTTO_DECIMAL_MAX])
{
    char digits[SOTTO_DECIMAL_MAX];
    size_t len = 0;
    do {
        digits[len++] = (char)('0' + number % 10);
        number /= 10;
    } while (number != 0 || len < width);
    for (size_t i = 0; i < len; i++) {
        out[i] = digits[len - 1 - i];
    }
    return len;
}

#endif
