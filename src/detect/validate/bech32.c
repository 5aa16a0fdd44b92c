/* SPDX-License-Identifier: Apache-2.0 */

/* Bech32 and Bech32m (BIP 173, BIP 350), the form of newer Bitcoin addresses. */

#include "detect/validate/validate.h"

#define BECH32_CONST  1U
#define BECH32M_CONST 0x2bc830a3U

static uint32_t step(uint32_t check, uint32_t value)
{
    static const uint32_t generator[] = {0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd,
                                         0x2a1462b3};
    uint32_t top = check >> 25;
    check = (check & 0x1ffffff) << 5 ^ value;
    for (unsigned i = 0; i < 5; i++) {
        check ^= (top >> i & 1) != 0 ? generator[i] : 0;
    }
    return check;
}

static bool check_lower(const char *text, size_t len)
{
    static const char alphabet[] = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
    size_t one = 0;
    for (size_t i = 0; i < len; i++) {
        one = text[i] == '1' ? i : one;
    }
    if (one == 0 || one + 7 > len || len > 90) {
        return false;
    }
    uint32_t check = 1;
    for (size_t i = 0; i < one; i++) {
        check = step(check, (uint32_t)text[i] >> 5);
    }
    check = step(check, 0);
    for (size_t i = 0; i < one; i++) {
        check = step(check, (uint32_t)text[i] & 31);
    }
    for (size_t i = one + 1; i < len; i++) {
        const char *at = text[i] != '\0' ? strchr(alphabet, text[i]) : NULL;
        if (at == NULL) {
            return false;
        }
        check = step(check, (uint32_t)(at - alphabet));
    }
    return check == BECH32_CONST || check == BECH32M_CONST;
}

bool sotto_validate_bech32(const char *text, size_t len)
{
    char lower[90];
    size_t uppers = 0, lowers = 0;
    if (len < 8 || len > sizeof(lower)) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        bool upper = text[i] >= 'A' && text[i] <= 'Z';
        uppers += upper ? 1 : 0;
        lowers += text[i] >= 'a' && text[i] <= 'z' ? 1 : 0;
        if (text[i] < '0' || text[i] > 'z') {
            return false;
        }
        lower[i] = (char)(upper ? text[i] | 0x20 : text[i]);
    }
    return (uppers == 0 || lowers == 0) && check_lower(lower, len);
}
