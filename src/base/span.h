/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_BASE_SPAN_H
#define SOTTO_BASE_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/**
 * Read-only view of bytes owned by someone else.  Two words, passed and returned by value.
 * `base` may be NULL only when `len` is 0.  Not NUL-terminated.
 */
typedef struct sotto_span {
    const uint8_t *base;
    size_t len;
} sotto_span;

/** Span of a string literal, without its NUL. */
#define SOTTO_LIT(s) ((sotto_span){(const uint8_t *)(s), sizeof(s) - 1})

/** The same as an initialiser of static data, where a compound literal is not constant. */
#define SOTTO_LIT_INIT(s)                                                                          \
    {                                                                                              \
        (const uint8_t *)(s), sizeof(s) - 1                                                        \
    }

/** The two arguments that a "%.*s" of printf takes; for tests and messages without payload. */
#define SOTTO_FMT(s) (int)(s).len, (const char *)((s).len != 0 ? (s).base : (const uint8_t *)"")

static inline sotto_span sotto_span_init(const void *base, size_t len)
{
    return (sotto_span){base, len};
}

/** Span of a NUL-terminated string; NULL gives the empty span. */
static inline sotto_span sotto_span_str(const char *s)
{
    return s != NULL ? sotto_span_init(s, strlen(s)) : sotto_span_init(NULL, 0);
}

/** Removes the first `n` bytes; `n` must not exceed `s.len`. */
static inline sotto_span sotto_span_skip(sotto_span s, size_t n)
{
    /* An empty span may have no base, and C17 has no NULL + 0 (6.5.6). */
    return (sotto_span){n != 0 ? s.base + n : s.base, s.len - n};
}

/** The bytes [start, end) of `s`; start <= end <= s.len. */
static inline sotto_span sotto_span_sub(sotto_span s, size_t start, size_t end)
{
    return (sotto_span){start != 0 ? s.base + start : s.base, end - start};
}

/** Byte equality.  Not for secrets: its time depends on the content (see base/ct.h). */
static inline bool sotto_span_eq(sotto_span a, sotto_span b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.base, b.base, a.len) == 0);
}

/** Equality with ASCII letters compared without case, as header names and schemes are. */
static inline bool sotto_span_ieq(sotto_span a, sotto_span b)
{
    if (a.len != b.len) {
        return false;
    }
    for (size_t i = 0; i < a.len; i++) {
        uint8_t x = a.base[i], y = b.base[i];
        x = x >= 'A' && x <= 'Z' ? (uint8_t)(x | 0x20) : x;
        y = y >= 'A' && y <= 'Z' ? (uint8_t)(y | 0x20) : y;
        if (x != y) {
            return false;
        }
    }
    return true;
}

static inline bool sotto_span_starts(sotto_span s, sotto_span prefix)
{
    return s.len >= prefix.len && sotto_span_eq(sotto_span_sub(s, 0, prefix.len), prefix);
}

static inline bool sotto_span_ends(sotto_span s, sotto_span suffix)
{
    return s.len >= suffix.len && sotto_span_eq(sotto_span_skip(s, s.len - suffix.len), suffix);
}

/** `s` without leading and trailing spaces and tabs (OWS of RFC 9110 5.6.3). */
static inline sotto_span sotto_span_trim(sotto_span s)
{
    while (s.len != 0 && (s.base[0] == ' ' || s.base[0] == '\t')) {
        s = sotto_span_skip(s, 1);
    }
    while (s.len != 0 && (s.base[s.len - 1] == ' ' || s.base[s.len - 1] == '\t')) {
        s.len--;
    }
    return s;
}

#endif
