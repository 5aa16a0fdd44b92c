/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_TESTS_CRYPTO_HEX_H
#define SOTTO_TESTS_CRYPTO_HEX_H

#include "base/span.h"

/** Room for the longest vector. */
#define HEX_MAX 256

struct hex {
    uint8_t bytes[HEX_MAX];
    size_t len;
};

static inline uint8_t hex_digit(char c)
{
    return (uint8_t)(c <= '9' ? c - '0' : c - 'a' + 10);
}

/** Known-answer vectors are lower-case hexadecimal literals. */
static inline struct hex hex_of(const char *text)
{
    struct hex out = {{0}, 0};
    for (; text[0] != '\0' && text[1] != '\0' && out.len < HEX_MAX; text += 2) {
        out.bytes[out.len++] = (uint8_t)(hex_digit(text[0]) << 4 | hex_digit(text[1]));
    }
    return out;
}

static inline sotto_span hex_span(const struct hex *hex)
{
    return sotto_span_init(hex->bytes, hex->len);
}

#endif
