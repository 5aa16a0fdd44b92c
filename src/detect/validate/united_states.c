/* SPDX-License-Identifier: Apache-2.0 */

/* Numbers of the United States that have ranges instead of check digits. */

#include "detect/validate/validate.h"

bool sotto_validate_ssn(const char *text, size_t len)
{
    if (len != 9 || !sotto_validate_digits(text, len)) {
        return false;
    }
    unsigned area = sotto_validate_number(text, 3);
    return area != 0 && area != 666 && area < 900 && sotto_validate_number(text + 3, 2) != 0 &&
           sotto_validate_number(text + 5, 4) != 0;
}

bool sotto_validate_itin(const char *text, size_t len)
{
    if (len != 9 || !sotto_validate_digits(text, len) || text[0] != '9') {
        return false;
    }
    unsigned group = sotto_validate_number(text + 3, 2);
    return (group >= 50 && group <= 65) || (group >= 70 && group <= 88) ||
           (group >= 90 && group <= 92) || (group >= 94 && group <= 99);
}

bool sotto_validate_ein(const char *text, size_t len)
{
    /* Prefixes that the Internal Revenue Service has not assigned. */
    static const char barred[] = "0007080917181928293949697078798996";
    if (len != 9 || !sotto_validate_digits(text, len)) {
        return false;
    }
    for (size_t i = 0; i + 1 < sizeof(barred); i += 2) {
        if (memcmp(text, barred + i, 2) == 0) {
            return false;
        }
    }
    return true;
}
