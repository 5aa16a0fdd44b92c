/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_VAULT_CODE_H
#define SOTTO_VAULT_CODE_H

/*
 * Codes of tokens as numbers, for the files of this folder.  A symbol is a number below 29; a
 * packed code holds five bits a symbol, the first symbol highest.
 */

#include "vault/token.h"

/** Number of symbols, a prime. */
#define CODE_BASE 29

/** A letter or digit that is no symbol. */
#define CODE_NONE 31

/** No letter or digit at all. */
#define CODE_OTHER 255

/** For code_symbol(). */
extern const uint8_t code_values[256];

/** The symbol that `c` is, upper case or lower, CODE_NONE or CODE_OTHER. */
static inline uint8_t code_symbol(uint8_t c)
{
    return code_values[c];
}

/** The character of a symbol. */
char code_char(uint8_t symbol);

/** Five bits a symbol. */
uint64_t code_pack(const uint8_t *symbol, size_t count);

/** The weighted sum modulo 29 that the check symbol makes zero; all symbols below 29. */
unsigned code_sum(const uint8_t symbol[SOTTO_TOKEN_CODE_LEN]);

/**
 * The one symbol that, standing at `at`, makes the sum zero; what stands there does not matter,
 * the others are below 29.
 */
uint8_t code_solve(const uint8_t symbol[SOTTO_TOKEN_CODE_LEN], size_t at);

/** A key for struct code_map: the first `count` (1 to 9) symbols, packed, behind a type word. */
static inline uint64_t code_key(unsigned type, size_t count, uint64_t packed)
{
    return (uint64_t)(type + 1) << 52 | (uint64_t)count << 48 | packed;
}

#endif
