/* SPDX-License-Identifier: Apache-2.0 */

/* Verhoeff's check over the dihedral group D5 (J. Verhoeff, 1969), as India's Aadhaar uses it. */

#include "detect/validate/validate.h"

bool sotto_validate_verhoeff(const char *text, size_t len)
{
    static const uint8_t multiply[10][10] = {
        {0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, {1, 2, 3, 4, 0, 6, 7, 8, 9, 5},
        {2, 3, 4, 0, 1, 7, 8, 9, 5, 6}, {3, 4, 0, 1, 2, 8, 9, 5, 6, 7},
        {4, 0, 1, 2, 3, 9, 5, 6, 7, 8}, {5, 9, 8, 7, 6, 0, 4, 3, 2, 1},
        {6, 5, 9, 8, 7, 1, 0, 4, 3, 2}, {7, 6, 5, 9, 8, 2, 1, 0, 4, 3},
        {8, 7, 6, 5, 9, 3, 2, 1, 0, 4}, {9, 8, 7, 6, 5, 4, 3, 2, 1, 0}};
    static const uint8_t permute[8][10] = {
        {0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, {1, 5, 7, 6, 2, 8, 3, 0, 9, 4},
        {5, 8, 0, 3, 7, 9, 6, 1, 4, 2}, {8, 9, 1, 6, 0, 4, 3, 5, 2, 7},
        {9, 4, 5, 3, 1, 2, 6, 8, 7, 0}, {4, 2, 8, 6, 5, 7, 3, 9, 0, 1},
        {2, 7, 9, 3, 8, 0, 6, 4, 1, 5}, {7, 0, 4, 6, 9, 1, 3, 2, 5, 8}};
    if (len < 2 || !sotto_validate_digits(text, len)) {
        return false;
    }
    unsigned c = 0;
    for (size_t i = 0; i < len; i++) {
        c = multiply[c][permute[i % 8][text[len - 1 - i] - '0']];
    }
    return c == 0;
}

bool sotto_validate_aadhaar(const char *text, size_t len)
{
    return len == 12 && text[0] >= '2' && sotto_validate_verhoeff(text, len);
}
