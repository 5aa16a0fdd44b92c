/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_TESTS_LIBRARY_WORDS_H
#define SOTTO_TESTS_LIBRARY_WORDS_H

#include "tap/tap.h"

/** Two strings are the same; either is evaluated once. */
#define IS_STR(got, want, ...)                                                                     \
    do {                                                                                           \
        const char *str_got = (got);                                                               \
        IS_TEXT(str_got, strlen(str_got), (want), __VA_ARGS__);                                    \
    } while (0)

#endif
