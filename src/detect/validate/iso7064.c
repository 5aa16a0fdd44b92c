/* SPDX-License-Identifier: Apache-2.0 */

/* ISO 7064 MOD 11,10 and MOD 11-2, and the numbers that use them. */

#include "detect/validate/validate.h"

bool sotto_validate_iso7064_11_10(const char *text, size_t len)
{
    unsigned product = 10;
    if (len < 2 || !sotto_validate_digits(text, len)) {
        return false;
    }
    for (size_t i = 0; i + 1 < len; i++) {
        unsigned sum = ((unsigned)(text[i] - '0') + product) % 10;
        product = (sum == 0 ? 10 : sum) * 2 % 11;
    }
    return (product + (unsigned)(text[len - 1] - '0')) % 10 == 1;
}

bool sotto_validate_iso7064_11_2(const char *text, size_t len)
{
    unsigned rest = 0;
    if (len < 2 || !sotto_validate_digits(text, len - 1)) {
        return false;
    }
    for (size_t i = 0; i + 1 < len; i++) {
        rest = (rest + (unsigned)(text[i] - '0')) * 2 % 11;
    }
    unsigned check = (12 - rest) % 11;
    return text[len - 1] == (check == 10 ? 'X' : (char)('0' + check));
}

bool sotto_validate_steuer_id(const char *text, size_t len)
{
    /* Of the first ten digits one stands there two or three times, the others at most once. */
    uint8_t counts[10] = {0};
    size_t twice = 0, thrice = 0;
    if (len != 11 || text[0] == '0' || !sotto_validate_iso7064_11_10(text, len)) {
        return false;
    }
    for (size_t i = 0; i < 10; i++) {
        counts[text[i] - '0']++;
    }
    for (size_t i = 0; i < 10; i++) {
        twice += counts[i] == 2 ? 1 : 0;
        thrice += counts[i] == 3 ? 1 : 0;
        if (counts[i] > 3) {
            return false;
        }
    }
    return twice + thrice == 1;
}

bool sotto_validate_cn_id(const char *text, size_t len)
{
    return len == 18 && sotto_validate_iso7064_11_2(text, len) &&
           sotto_validate_number(text + 6, 4) >= 1880 &&
           sotto_validate_number(text + 6, 4) < 2100 &&
           sotto_validate_day(sotto_validate_number(text + 12, 2),
                              sotto_validate_number(text + 10, 2));
}
