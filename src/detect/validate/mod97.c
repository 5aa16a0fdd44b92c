/* SPDX-License-Identifier: Apache-2.0 */

/* ISO 7064 MOD 97-10 and what is built on it: IBAN (ISO 13616), LEI (ISO 17442), NIR, Belgium. */

#include "detect/validate/validate.h"

static bool add_mod97(unsigned *rest, const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (text[i] >= '0' && text[i] <= '9') {
            *rest = (*rest * 10 + (unsigned)(text[i] - '0')) % 97;
        } else if (text[i] >= 'A' && text[i] <= 'Z') {
            *rest = (*rest * 100 + (unsigned)(text[i] - 'A') + 10) % 97;
        } else {
            return false;
        }
    }
    return true;
}

bool sotto_validate_mod97(const char *text, size_t len)
{
    unsigned rest = 0;
    return len > 2 && add_mod97(&rest, text, len) && rest == 1;
}

bool sotto_validate_iban(const char *text, size_t len)
{
    /* Country and length, from the SWIFT IBAN registry. */
    static const char table[] =
        "AD24AE23AL28AT20AZ28BA20BE16BG22BH22BI27BR29BY28CH21CR22CY28CZ24DE22DJ27DK18DO28EE20EG29"
        "ES24FI18FK18FO18FR27GB22GE22GI23GL18GR27GT28HN28HR21HU28IE22IL23IQ23IS26IT27JO30KW30KZ20"
        "LB28LC32LI21LT20LU20LV21LY25MC27MD24ME22MK19MN20MR27MT31MU30NI28NL18NO15OM23PK24PL28PS29"
        "PT25QA29RO24RS22RU33SA24SC31SD18SE24SI19SK24SM27SO23ST25SV28TL23TN24TR26UA29VA22VG24XK20"
        "YE30";
    unsigned rest = 0;
    if (len < 15 || len > 34 || !sotto_validate_digits(text + 2, 2)) {
        return false;
    }
    unsigned check = sotto_validate_number(text + 2, 2);
    if (check < 2 || check > 98) { /* 98 - (0 ... 96): the others are congruent, but not issued */
        return false;
    }
    for (size_t i = 0; i + 4 < sizeof(table); i += 4) {
        if (memcmp(table + i, text, 2) == 0) {
            return len == sotto_validate_number(table + i + 2, 2) &&
                   add_mod97(&rest, text + 4, len - 4) && add_mod97(&rest, text, 4) && rest == 1;
        }
    }
    return false;
}

bool sotto_validate_lei(const char *text, size_t len)
{
    return len == 20 && sotto_validate_digits(text + 18, 2) && sotto_validate_mod97(text, len);
}

/* 97 - (number mod 97) against the two digits behind it. */
static bool key97(uint64_t number, const char *key)
{
    return 97 - number % 97 == sotto_validate_number(key, 2);
}

static uint64_t long_number(const char *text, size_t len)
{
    uint64_t value = 0;
    for (size_t i = 0; i < len; i++) {
        value = value * 10 + (uint64_t)(text[i] - '0');
    }
    return value;
}

bool sotto_validate_nir(const char *text, size_t len)
{
    char digits[13];
    if (len != 15 || text[0] < '1' || text[0] > '8') {
        return false;
    }
    memcpy(digits, text, sizeof(digits));
    if (text[5] == '2' && (text[6] == 'A' || text[6] == 'B')) { /* Corsica: 2A is 19, 2B is 18 */
        digits[5] = '1';
        digits[6] = text[6] == 'A' ? '9' : '8';
    }
    return sotto_validate_digits(digits, sizeof(digits)) && sotto_validate_digits(text + 13, 2) &&
           key97(long_number(digits, sizeof(digits)), text + 13);
}

bool sotto_validate_be_national(const char *text, size_t len)
{
    if (len != 11 || !sotto_validate_digits(text, len)) {
        return false;
    }
    unsigned month = sotto_validate_number(text + 2, 2) % 20;
    uint64_t number = long_number(text, 9);
    return month <= 12 && sotto_validate_number(text + 4, 2) <= 31 &&
           (key97(number, text + 9) || key97(number + 2000000000U, text + 9));
}

bool sotto_validate_es_nass(const char *text, size_t len)
{
    if (len != 12 || !sotto_validate_digits(text, len)) {
        return false;
    }
    uint64_t province = long_number(text, 2), serial = long_number(text + 2, 8);
    uint64_t number =
        serial < 10000000 ? serial + province * 10000000 : province * 100000000 + serial;
    return number % 97 == long_number(text + 10, 2);
}
