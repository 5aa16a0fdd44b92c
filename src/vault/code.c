/* SPDX-License-Identifier: Apache-2.0 */

#include "vault/code.h"

static const char code_symbols[] = "23456789BCDFGHJKLMNPQRSTVWXYZ";
_Static_assert(sizeof(code_symbols) - 1 == CODE_BASE, "one symbol for each residue");

#define OO CODE_OTHER
#define NN CODE_NONE
/* clang-format off */
const uint8_t code_values[256] = {
    OO, OO, OO, OO, OO, OO, OO, OO, OO, OO, OO, OO, OO, OO, OO, OO,
    OO, OO, OO, OO, OO, OO, OO, OO, OO, OO, OO, OO, OO, OO, OO, OO,
    OO, OO, OO, OO, OO, OO, OO, OO, OO, OO, OO, OO, OO, OO, OO, OO,
    NN, NN,  0,  1,  2,  3,  4,  5,  6,  7, OO, OO, OO, OO, OO, OO,
    OO, NN,  8,  9, 10, NN, 11, 12, 13, NN, 14, 15, 16, 17, 18, NN,
    19, 20, 21, 22, 23, NN, 24, 25, 26, 27, 28, OO, OO, OO, OO, OO,
    OO, NN,  8,  9, 10, NN, 11, 12, 13, NN, 14, 15, 16, 17, 18, NN,
    19, 20, 21, 22, 23, NN, 24, 25, 26, 27, 28, OO, OO, OO, OO, OO,
    OO, OO, OO, OO, OO, OO, OO, OO, OO, OO, OO, OO, OO, OO, OO, OO,
    OO, OO, OO, OO, OO, OO, OO, OO, OO, OO, OO, OO, OO, OO, OO, OO,
    OO, OO, OO, OO, OO, OO, OO, OO, OO, OO, OO, OO, OO, OO, OO, OO,
    OO, OO, OO, OO, OO, OO, OO, OO, OO, OO, OO, OO, OO, OO, OO, OO,
    OO, OO, OO, OO, OO, OO, OO, OO, OO, OO, OO, OO, OO, OO, OO, OO,
    OO, OO, OO, OO, OO, OO, OO, OO, OO, OO, OO, OO, OO, OO, OO, OO,
    OO, OO, OO, OO, OO, OO, OO, OO, OO, OO, OO, OO, OO, OO, OO, OO,
    OO, OO, OO, OO, OO, OO, OO, OO, OO, OO, OO, OO, OO, OO, OO, OO,
};
/* clang-format on */

/* Inverses modulo 29 of the weights, which are 1 to 9 from the first symbol on. */
static const uint8_t code_inverse[SOTTO_TOKEN_CODE_LEN] = {1, 15, 10, 22, 6, 5, 25, 11, 13};

char code_char(uint8_t symbol)
{
    return code_symbols[symbol];
}

uint64_t code_pack(const uint8_t *symbol, size_t count)
{
    uint64_t packed = 0;
    for (size_t i = 0; i < count; i++) {
        packed = packed << 5 | symbol[i];
    }
    return packed;
}

unsigned code_sum(const uint8_t symbol[SOTTO_TOKEN_CODE_LEN])
{
    unsigned sum = 0;
    for (unsigned i = 0; i < SOTTO_TOKEN_CODE_LEN; i++) {
        sum += (i + 1) * symbol[i];
    }
    return sum % CODE_BASE;
}

uint8_t code_solve(const uint8_t symbol[SOTTO_TOKEN_CODE_LEN], size_t at)
{
    unsigned rest = 0;
    for (unsigned i = 0; i < SOTTO_TOKEN_CODE_LEN; i++) {
        rest += i != at ? (i + 1) * symbol[i] : 0;
    }
    return (uint8_t)((CODE_BASE - rest % CODE_BASE) * code_inverse[at] % CODE_BASE);
}
