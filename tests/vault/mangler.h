/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_TESTS_VAULT_MANGLER_H
#define SOTTO_TESTS_VAULT_MANGLER_H

/*
 * Writes a token as models were seen to write placeholders.  tests/e2e/mangler.py has the same
 * forms under the same names.
 */

#include "base/buf.h"

/** What is promised of a form. */
enum mangle_promise {
    MANGLE_RESTORES, /* the value comes back, with what surrounds the token */
    MANGLE_STAYS,    /* never restored: comes out as it went in */
};

struct mangle_form {
    const char *name;
    enum mangle_promise promise;
    /*
     * The text, with marks for what varies: $W type word, $w in lower case, $T with one capital,
     * $C code, $c in lower case, $1 to $9 a symbol of the code, $X the code with one wrong symbol,
     * $Y with two, $Z with a letter that is no symbol, $S with two neighbours swapped, $N the code
     * of a token that was not issued, $V the value.
     */
    const char *text;
    const char *want; /* NULL: the text as it is */
};

extern const struct mangle_form mangle_forms[];
extern const size_t mangle_form_count;

/** Chance that is the same in every run. */
static inline uint32_t mangle_random(uint32_t *seed)
{
    *seed = *seed * 1664525U + 1013904223U;
    return *seed >> 8;
}

/**
 * Appends `token` in the given form, and what a restorer is to make of it.
 *
 * @param token   a well-formed token, which stands for `value`
 */
void mangle(const struct mangle_form *form, sotto_span token, sotto_span value, uint32_t *seed,
            struct sotto_buf *text, struct sotto_buf *want);

#endif
