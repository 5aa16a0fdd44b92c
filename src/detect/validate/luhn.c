/* SPDX-License-Identifier: Apache-2.0 */

/* Luhn's check (ISO/IEC 7812-1 annex B) and the numbers that are nothing but it. */

#include "detect/validate/validate.h"

static unsigned luhn_sum(const char *text, size_t len)
{
    unsigned sum = 0;
    for (size_t i = 0; i < len; i++) {
        unsigned d = (unsigned)(text[len - 1 - i] - '0');
        if (i % 2 == 1) {
            d = d * 2 > 9 ? d * 2 - 9 : d * 2;
        }
        sum += d;
    }
    return sum;
}

static bool all_same(const char *text, size_t len)
{
    for (size_t i = 1; i < len; i++) {
        if (text[i] != text[0]) {
            return false;
        }
    }
    return true;
}

bool sotto_validate_luhn(const char *text, size_t len)
{
    return len > 1 && sotto_validate_digits(text, len) && luhn_sum(text, len) % 10 == 0;
}

/* First digits of the schemes (ISO/IEC 7812-1 issuer identification numbers). */
static bool is_issuer(const char *text, size_t len)
{
    unsigned two = sotto_validate_number(text, 2), four = sotto_validate_number(text, 4);
    switch (text[0]) {
    case '4':
        return len == 13 || len == 16 || len == 19;
    case '5':
        return two >= 51 && two <= 55 ? len == 16 : two == 50 || two >= 56;
    case '2':
        return four >= 2221 && four <= 2720 && len == 16;
    case '3':
        return (two == 34 || two == 37) ? len == 15
               : two == 36 || two == 38 || two == 39 || two == 30
                   ? len == 14 || len == 16 || len == 19
                   : two == 35 && len >= 16;
    case '6':
        return len >= 16;
    default:
        return false;
    }
}

bool sotto_validate_card(const char *text, size_t len)
{
    return len >= 13 && len <= 19 && sotto_validate_luhn(text, len) && !all_same(text, len) &&
           is_issuer(text, len);
}

bool sotto_validate_imei(const char *text, size_t len)
{
    return len == 15 && sotto_validate_luhn(text, len) && !all_same(text, len);
}

bool sotto_validate_siren(const char *text, size_t len)
{
    return len == 9 && sotto_validate_luhn(text, len) && !all_same(text, len);
}

bool sotto_validate_siret(const char *text, size_t len)
{
    return len == 14 && sotto_validate_luhn(text, 9) && sotto_validate_luhn(text, len) &&
           !all_same(text, len);
}

bool sotto_validate_partita_iva(const char *text, size_t len)
{
    return len == 11 && sotto_validate_luhn(text, len) && !all_same(text, len);
}

bool sotto_validate_npi(const char *text, size_t len)
{
    /* The check covers the prefix 80840, which adds 24. */
    return len == 10 && sotto_validate_digits(text, len) && (text[0] == '1' || text[0] == '2') &&
           (luhn_sum(text, len) + 24) % 10 == 0;
}

bool sotto_validate_za_id(const char *text, size_t len)
{
    return len == 13 && sotto_validate_luhn(text, len) &&
           sotto_validate_day(sotto_validate_number(text + 4, 2),
                              sotto_validate_number(text + 2, 2)) &&
           (text[10] == '0' || text[10] == '1');
}

bool sotto_validate_amka(const char *text, size_t len)
{
    return len == 11 && sotto_validate_luhn(text, len) &&
           sotto_validate_day(sotto_validate_number(text, 2), sotto_validate_number(text + 2, 2));
}

bool sotto_validate_personnummer(const char *text, size_t len)
{
    if (len == 12) { /* with the century, which the check leaves out */
        text += 2;
        len -= 2;
    }
    if (len != 10 || !sotto_validate_luhn(text, len)) {
        return false;
    }
    unsigned day = sotto_validate_number(text + 4, 2);
    return sotto_validate_day(day > 60 ? day - 60 : day, sotto_validate_number(text + 2, 2));
}

bool sotto_validate_isin(const char *text, size_t len)
{
    char digits[24];
    size_t n = 0;
    if (len != 12 || text[0] < 'A' || text[0] > 'Z' || text[1] < 'A' || text[1] > 'Z' ||
        !sotto_validate_digits(text + 11, 1)) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        bool letter = text[i] >= 'A' && text[i] <= 'Z';
        if (!letter && !sotto_validate_digits(text + i, 1)) {
            return false;
        }
        unsigned value = letter ? (unsigned)(text[i] - 'A') + 10 : (unsigned)(text[i] - '0');
        if (letter) {
            digits[n++] = (char)('0' + value / 10);
        }
        digits[n++] = (char)('0' + value % 10);
    }
    return luhn_sum(digits, n) % 10 == 0;
}

bool sotto_validate_kvnr(const char *text, size_t len)
{
    /* The letter counts as two digits; weights 1 2 from the left. */
    if (len != 10 || text[0] < 'A' || text[0] > 'Z' || !sotto_validate_digits(text + 1, 9)) {
        return false;
    }
    unsigned letter = (unsigned)(text[0] - 'A') + 1, sum = 0;
    uint8_t digit[10] = {(uint8_t)(letter / 10), (uint8_t)(letter % 10)};
    for (size_t i = 0; i < 8; i++) {
        digit[i + 2] = (uint8_t)(text[i + 1] - '0');
    }
    for (size_t i = 0; i < 10; i++) {
        unsigned d = digit[i] * (i % 2 == 0 ? 1U : 2U);
        sum += d > 9 ? d - 9 : d;
    }
    return sum % 10 == (unsigned)(text[9] - '0');
}
