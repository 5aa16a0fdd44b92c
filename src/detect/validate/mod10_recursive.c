/* SPDX-License-Identifier: Apache-2.0 */

/* Modulo 10, recursive: the check digit of Swiss payment references (QR-bill, formerly ESR). */

#include "detect/validate/validate.h"

bool sotto_validate_mod10_recursive(const char *text, size_t len)
{
    static const uint8_t table[] = {0, 9, 4, 6, 8, 2, 7, 1, 3, 5};
    unsigned carry = 0;
    if (len < 2 || !sotto_validate_digits(text, len)) {
        return false;
    }
    for (size_t i = 0; i + 1 < len; i++) {
        carry = table[(carry + (unsigned)(text[i] - '0')) % 10];
    }
    return (10 - carry) % 10 == (unsigned)(text[len - 1] - '0');
}
