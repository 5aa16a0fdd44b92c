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

/** Room for what sotto_decimal_point() writes. */
#define SOTTO_DECIMAL_POINT_BYTES (SOTTO_DECIMAL_MAX + 3)

/**
 * Writes `number` / 10^`places`, as "12.345" for 12345 and 3, with a NUL behind it.
 *
 * @param places  1 to SOTTO_DECIMAL_MAX - 1
 */
static inline void sotto_decimal_point(uint64_t number, size_t places,
                                       char out[SOTTO_DECIMAL_POINT_BYTES])
{
    size_t len = sotto_decimal(number, places + 1, out), whole = len - places;
    for (size_t i = len; i > whole; i--) {
        out[i] = out[i - 1];
    }
    out[whole] = '.';
    out[len + 1] = '\0';
}

#endif
