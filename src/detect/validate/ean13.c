/* SPDX-License-Identifier: Apache-2.0 */

/* The check digit of GS1 (weights 1 and 3): EAN-13, GTIN-14, the Swiss AHV number,
   GLN. */

#include "detect/validate/validate.h"

bool sotto_validate_ean13(const char *text, size_t len)
{
    static const uint8_t weights[] = {1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1};
    return len == 13 && sotto_validate_digits(text, len) &&
           sotto_validate_weigh(text, weights, len) % 10 == 0;
}

bool sotto_validate_gtin14(const char *text, size_t len)
{
    static const uint8_t weights[] = {3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1};
    return len == 14 && sotto_validate_digits(text, len) &&
           sotto_validate_weigh(text, weights, len) % 10 == 0;
}

bool sotto_validate_ahv(const char *text, size_t len)
{
    return len == 13 && memcmp(text, "756", 3) == 0 && sotto_validate_ean13(text, len);
}

bool sotto_validate_gln(const char *text, size_t len)
{
    return len == 13 && memcmp(text, "760", 3) == 0 && sotto_validate_ean13(text, len);
}
