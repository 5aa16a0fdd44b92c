/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Ethereum addresses: 0x and 40 hex digits, whose case is a checksum made with Keccak-256 (EIP-55).
 * An address in one case has no checksum and passes.
 */

#include "detect/validate/validate.h"

#define EIP55_DIGITS 40
#define EIP55_RATE   136 /* bytes that Keccak-256 takes in at once */

static uint64_t rotate(uint64_t x, unsigned n)
{
    return n == 0 ? x : x << n | x >> (64 - n);
}

static void keccak_rounds(uint64_t a[25])
{
    static const uint8_t turns[25] = {0,  1,  62, 28, 27, 36, 44, 6,  55, 20, 3,  10, 43,
                                      25, 39, 41, 45, 15, 21, 8,  18, 2,  61, 56, 14};
    uint8_t lfsr = 1;
    for (int round = 0; round < 24; round++) {
        uint64_t c[5], b[25];
        for (size_t x = 0; x < 5; x++) {
            c[x] = a[x] ^ a[x + 5] ^ a[x + 10] ^ a[x + 15] ^ a[x + 20];
        }
        for (size_t i = 0; i < 25; i++) {
            a[i] ^= c[(i + 4) % 5] ^ rotate(c[(i + 1) % 5], 1);
        }
        for (size_t x = 0; x < 5; x++) {
            for (size_t y = 0; y < 5; y++) {
                b[y + 5 * ((2 * x + 3 * y) % 5)] = rotate(a[x + 5 * y], turns[x + 5 * y]);
            }
        }
        for (size_t i = 0; i < 25; i++) {
            size_t row = i / 5 * 5;
            a[i] = b[i] ^ (~b[row + (i + 1) % 5] & b[row + (i + 2) % 5]);
        }
        for (unsigned j = 0; j < 7; j++) {
            if ((lfsr & 1) != 0) {
                a[0] ^= (uint64_t)1 << ((1U << j) - 1);
            }
            lfsr = (uint8_t)((unsigned)lfsr << 1 ^ ((lfsr & 0x80) != 0 ? 0x71U : 0U));
        }
    }
}

/* Keccak-256 (the padding before FIPS 202) of the 40 lower-case digits. */
static void keccak_address(const char *digits, uint8_t out[32])
{
    uint64_t state[25] = {0};
    uint8_t block[EIP55_RATE] = {0};
    memcpy(block, digits, EIP55_DIGITS);
    block[EIP55_DIGITS] = 0x01;
    block[EIP55_RATE - 1] |= 0x80;
    for (size_t i = 0; i < EIP55_RATE; i++) {
        state[i / 8] ^= (uint64_t)block[i] << (8 * (i % 8));
    }
    keccak_rounds(state);
    for (size_t i = 0; i < 32; i++) {
        out[i] = (uint8_t)(state[i / 8] >> (8 * (i % 8)));
    }
}

bool sotto_validate_eip55(const char *text, size_t len)
{
    char lower[EIP55_DIGITS];
    uint8_t hash[32];
    size_t uppers = 0, lowers = 0;
    if (len != EIP55_DIGITS + 2 || text[0] != '0' || text[1] != 'x') {
        return false;
    }
    text += 2;
    for (size_t i = 0; i < EIP55_DIGITS; i++) {
        bool upper = text[i] >= 'A' && text[i] <= 'F', low = text[i] >= 'a' && text[i] <= 'f';
        if (!upper && !low && !sotto_validate_digits(text + i, 1)) {
            return false;
        }
        uppers += upper ? 1 : 0;
        lowers += low ? 1 : 0;
        lower[i] = (char)(upper ? text[i] | 0x20 : text[i]);
    }
    if (uppers == 0 || lowers == 0) {
        return true;
    }
    keccak_address(lower, hash);
    for (size_t i = 0; i < EIP55_DIGITS; i++) {
        unsigned nibble = i % 2 == 0 ? hash[i / 2] >> 4U : hash[i / 2] & 15U;
        bool upper = text[i] >= 'A' && text[i] <= 'F', low = text[i] >= 'a';
        if ((nibble >= 8 && low) || (nibble < 8 && upper)) {
            return false;
        }
    }
    return true;
}
