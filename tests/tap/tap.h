/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_TESTS_TAP_H
#define SOTTO_TESTS_TAP_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"

/*
 * Test Anything Protocol producer.  One program holds the tests of one source file;
 * scripts/run-tests sums them up.  A failed check prints both values, so a log line is enough to
 * start.  main() ends with `return done_testing();`, which prints the plan: a program that dies
 * before is a failure.
 *
 *     OK(cond, "a sentence that says what holds")
 *     IS_INT(got, want, "...")      any integers and bools that fit long long
 *     IS_SIZE(got, want, "...")     size_t
 *     IS_TEXT(got, len, want, "...") bytes against a C string
 *     IS_MEM(got, len, want, want_len, "...") bytes against bytes, shown in hex
 *     SKIP(n, "why")                n checks that cannot run here
 *     SKIP_ALL("why")               at the start of main(): none can
 */
static int tap_count;
static int tap_failed;

SOTTO_PRINTF(4, 5)
static inline bool tap_ok(bool pass, const char *file, int line, const char *fmt, ...)
{
    va_list ap;
    printf("%s %d - ", pass ? "ok" : "not ok", ++tap_count);
    va_start(ap, fmt);
    vprintf(fmt, ap);
    va_end(ap);
    putchar('\n');
    if (!pass) {
        tap_failed++;
        printf("#   at %s:%d\n", file, line);
        fflush(stdout);
    }
    return pass;
}

#define OK(cond, ...) tap_ok((cond), __FILE__, __LINE__, __VA_ARGS__)

#define IS_INT(got, want, ...)                                                                     \
    do {                                                                                           \
        long long got_ = (long long)(got), want_ = (long long)(want);                              \
        if (!OK(got_ == want_, __VA_ARGS__)) {                                                     \
            printf("#   got %lld, want %lld\n", got_, want_);                                      \
        }                                                                                          \
    } while (0)

#define IS_SIZE(got, want, ...)                                                                    \
    do {                                                                                           \
        size_t got_ = (got), want_ = (want);                                                       \
        if (!OK(got_ == want_, __VA_ARGS__)) {                                                     \
            printf("#   got %zu, want %zu\n", got_, want_);                                        \
        }                                                                                          \
    } while (0)

#define IS_TEXT(got, got_len, want, ...)                                                           \
    do {                                                                                           \
        const void *text_ = (got);                                                                 \
        const char *want_ = (want);                                                                \
        size_t got_len_ = (got_len);                                                               \
        if (!OK(got_len_ == strlen(want_) &&                                                       \
                    (got_len_ == 0 || memcmp(text_, want_, got_len_) == 0),                        \
                __VA_ARGS__)) {                                                                    \
            printf("#   got  '%.*s'\n#   want '%s'\n", (int)got_len_,                              \
                   text_ ? (const char *)text_ : "", want_);                                       \
        }                                                                                          \
    } while (0)

static inline void tap_hex(const char *label, const void *data, size_t len)
{
    const unsigned char *byte = data;
    printf("#   %s %zu:", label, len);
    for (size_t i = 0; i < len && i < 256; i++) {
        printf(" %02x", (unsigned)byte[i]);
    }
    printf("%s\n", len > 256 ? " ..." : "");
}

#define IS_MEM(got, got_len, want, want_len, ...)                                                  \
    do {                                                                                           \
        const void *mem_ = (got), *want_ = (want);                                                 \
        size_t got_len_ = (got_len), want_len_ = (want_len);                                       \
        if (!OK(got_len_ == want_len_ && (got_len_ == 0 || memcmp(mem_, want_, got_len_) == 0),    \
                __VA_ARGS__)) {                                                                    \
            tap_hex("got ", mem_, got_len_);                                                       \
            tap_hex("want", want_, want_len_);                                                     \
        }                                                                                          \
    } while (0)

static inline void tap_skip(int n, const char *why)
{
    while (n-- > 0) {
        printf("ok %d # SKIP %s\n", ++tap_count, why);
    }
}

#define SKIP(n, why) tap_skip((n), (why))

#define SKIP_ALL(why)                                                                              \
    do {                                                                                           \
        printf("1..0 # SKIP %s\n", (why));                                                         \
        exit(0);                                                                                   \
    } while (0)

static inline int done_testing(void)
{
    printf("1..%d\n", tap_count);
    return tap_failed == 0 ? 0 : 1;
}

#endif
