/* SPDX-License-Identifier: Apache-2.0 */

#include "vault/code.h"

#include "tap/tap.h"

static const char symbols[] = "23456789BCDFGHJKLMNPQRSTVWXYZ";

static void test_symbols(void)
{
    size_t none = 0, other = 0;
    for (uint8_t i = 0; i < CODE_BASE; i++) {
        uint8_t c = (uint8_t)symbols[i];
        uint8_t small = c >= 'A' ? (uint8_t)(c | 0x20) : c;
        OK(code_symbol(c) == i && code_symbol(small) == i, "'%c' is %u in either case", c, i);
        OK(code_char(i) == symbols[i], "and %u is '%c'", i, c);
    }
    for (unsigned c = 0; c < 256; c++) {
        none += code_symbol((uint8_t)c) == CODE_NONE ? 1 : 0;
        other += code_symbol((uint8_t)c) == CODE_OTHER ? 1 : 0;
    }
    IS_SIZE(none, 12, "0, 1 and the vowels are no symbols");
    IS_SIZE(other, 256 - 62, "and the rest are no letters or digits");
}

static void test_check(void)
{
    uint8_t code[SOTTO_TOKEN_CODE_LEN] = {2, 14, 20, 5, 26, 16, 0, 8, 0};
    code[8] = code_solve(code, 8);
    IS_INT(code_sum(code), 0, "the check symbol makes the sum zero");
    bool all = true, solved = true;
    for (size_t i = 0; i < SOTTO_TOKEN_CODE_LEN; i++) {
        uint8_t right = code[i];
        for (uint8_t wrong = 0; wrong < CODE_BASE; wrong++) {
            code[i] = wrong;
            all = all && (code_sum(code) == 0) == (wrong == right);
            solved = solved && code_solve(code, i) == right;
        }
        code[i] = right;
    }
    OK(all, "every wrong symbol shows");
    OK(solved, "and at its place only the right one fits");
    for (size_t i = 0; i + 1 < SOTTO_TOKEN_CODE_LEN; i++) {
        uint8_t a = code[i];
        code[i] = code[i + 1];
        code[i + 1] = a;
        OK(code[i] == code[i + 1] || code_sum(code) != 0, "a swap at %zu shows", i);
        code[i + 1] = code[i];
        code[i] = a;
    }
}

int main(void)
{
    test_symbols();
    test_check();
    static const uint8_t three[] = {1, 2, 31};
    IS_INT(code_pack(three, 3), 1 << 10 | 2 << 5 | 31, "five bits a symbol, the first highest");
    OK(code_key(0, 1, 0) != 0, "a key is never zero");
    return done_testing();
}
