/* SPDX-License-Identifier: Apache-2.0 */

/* National numbers whose check is a weighted sum of their digits. */

#include "detect/validate/validate.h"

static unsigned digit(const char *text, size_t i)
{
    return (unsigned)(text[i] - '0');
}

static bool born(const char *text, size_t day_at, size_t month_at)
{
    return sotto_validate_day(sotto_validate_number(text + day_at, 2),
                              sotto_validate_number(text + month_at, 2));
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

bool sotto_validate_ch_uid(const char *text, size_t len)
{
    static const uint8_t weights[] = {5, 4, 3, 2, 7, 6, 5, 4};
    if (len < 12 || memcmp(text, "CHE", 3) != 0 || !sotto_validate_digits(text + 3, 9) ||
        !(len == 12 || (len == 16 && memcmp(text + 12, "MWST", 4) == 0) ||
          (len == 15 && (memcmp(text + 12, "TVA", 3) == 0 || memcmp(text + 12, "IVA", 3) == 0)))) {
        return false;
    }
    unsigned check = (11 - sotto_validate_weigh(text + 3, weights, 8) % 11) % 11;
    return check != 10 && check == digit(text, 11);
}

bool sotto_validate_svnr(const char *text, size_t len)
{
    static const uint8_t weights[] = {3, 7, 9, 0, 5, 8, 4, 2, 1, 6};
    return len == 10 && sotto_validate_digits(text, len) && text[0] != '0' &&
           sotto_validate_weigh(text, weights, 10) % 11 == digit(text, 3) &&
           sotto_validate_number(text + 4, 2) <= 31 && sotto_validate_number(text + 6, 2) <= 13;
}

bool sotto_validate_rvnr(const char *text, size_t len)
{
    static const uint8_t weights[] = {2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2};
    if (len != 12 || !sotto_validate_digits(text, 8) || text[8] < 'A' || text[8] > 'Z' ||
        !sotto_validate_digits(text + 9, 3)) {
        return false;
    }
    unsigned letter = (unsigned)(text[8] - 'A') + 1, sum = 0;
    char digits[11];
    memcpy(digits, text, 8);
    digits[8] = (char)('0' + letter / 10);
    digits[9] = (char)('0' + letter % 10);
    digits[10] = text[9];
    char rest[] = {text[10], text[11]};
    for (size_t i = 0; i < 11; i++) {
        unsigned product = (unsigned)(digits[i] - '0') * weights[i];
        sum += product / 10 + product % 10;
    }
    unsigned last = (unsigned)(rest[0] - '0');
    sum += last;
    return sum % 10 == (unsigned)(rest[1] - '0') && sotto_validate_number(text + 2, 2) <= 81 &&
           sotto_validate_number(text + 4, 2) <= 12;
}

bool sotto_validate_aba(const char *text, size_t len)
{
    static const uint8_t weights[] = {3, 7, 1, 3, 7, 1, 3, 7, 1};
    if (len != 9 || !sotto_validate_digits(text, len)) {
        return false;
    }
    unsigned first = sotto_validate_number(text, 2);
    bool range =
        first <= 12 || (first >= 21 && first <= 32) || (first >= 61 && first <= 72) || first == 80;
    return range && sotto_validate_weigh(text, weights, 9) % 10 == 0 && !all_same(text, len);
}

bool sotto_validate_dea(const char *text, size_t len)
{
    if (len != 9 || text[0] < 'A' || text[0] > 'Z' ||
        !((text[1] >= 'A' && text[1] <= 'Z') || text[1] == '9') ||
        !sotto_validate_digits(text + 2, 7)) {
        return false;
    }
    unsigned odd = digit(text, 2) + digit(text, 4) + digit(text, 6);
    unsigned even = digit(text, 3) + digit(text, 5) + digit(text, 7);
    return (odd + 2 * even) % 10 == digit(text, 8);
}

bool sotto_validate_nhs(const char *text, size_t len)
{
    static const uint8_t weights[] = {10, 9, 8, 7, 6, 5, 4, 3, 2, 1};
    return len == 10 && sotto_validate_digits(text, len) && !all_same(text, len) &&
           sotto_validate_weigh(text, weights, 10) % 11 == 0;
}

bool sotto_validate_pt_nif(const char *text, size_t len)
{
    static const uint8_t weights[] = {9, 8, 7, 6, 5, 4, 3, 2};
    if (len != 9 || !sotto_validate_digits(text, len) || text[0] == '0' || text[0] == '4') {
        return false;
    }
    unsigned check = 11 - sotto_validate_weigh(text, weights, 8) % 11;
    return (check > 9 ? 0 : check) == digit(text, 8);
}

bool sotto_validate_bsn(const char *text, size_t len)
{
    static const uint8_t weights[] = {9, 8, 7, 6, 5, 4, 3, 2};
    char padded[9] = {'0'};
    if ((len != 9 && len != 8) || !sotto_validate_digits(text, len) || all_same(text, len)) {
        return false;
    }
    memcpy(padded + 9 - len, text, len);
    unsigned sum = sotto_validate_weigh(padded, weights, 8) + 11 - digit(padded, 8);
    return sum % 11 == 0;
}

bool sotto_validate_pesel(const char *text, size_t len)
{
    static const uint8_t weights[] = {1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1};
    return len == 11 && sotto_validate_digits(text, len) &&
           sotto_validate_weigh(text, weights, 11) % 10 == 0 &&
           sotto_validate_day(sotto_validate_number(text + 4, 2),
                              sotto_validate_number(text + 2, 2) % 20);
}

bool sotto_validate_fodselsnummer(const char *text, size_t len)
{
    static const uint8_t first[] = {3, 7, 6, 1, 8, 9, 4, 5, 2, 1};
    static const uint8_t second[] = {5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1};
    if (len != 11 || !sotto_validate_digits(text, len)) {
        return false;
    }
    unsigned day = sotto_validate_number(text, 2) % 40,
             month = sotto_validate_number(text + 2, 2) % 40;
    return sotto_validate_weigh(text, first, 10) % 11 == 0 &&
           sotto_validate_weigh(text, second, 11) % 11 == 0 && sotto_validate_day(day, month);
}

bool sotto_validate_cpr(const char *text, size_t len)
{
    static const uint8_t weights[] = {4, 3, 2, 7, 6, 5, 4, 3, 2, 1};
    return len == 10 && sotto_validate_digits(text, len) && born(text, 0, 2) &&
           sotto_validate_weigh(text, weights, 10) % 11 == 0;
}

bool sotto_validate_cnp(const char *text, size_t len)
{
    static const uint8_t weights[] = {2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9};
    if (len != 13 || !sotto_validate_digits(text, len) || text[0] == '0' || !born(text, 5, 3)) {
        return false;
    }
    unsigned check = sotto_validate_weigh(text, weights, 12) % 11;
    return (check == 10 ? 1 : check) == digit(text, 12);
}

bool sotto_validate_rodne_cislo(const char *text, size_t len)
{
    if ((len != 9 && len != 10) || !sotto_validate_digits(text, len)) {
        return false;
    }
    unsigned month = sotto_validate_number(text + 2, 2) % 50;
    if (!sotto_validate_day(sotto_validate_number(text + 4, 2), month > 20 ? month - 20 : month)) {
        return false;
    }
    if (len == 9) {
        return sotto_validate_number(text, 2) < 54;
    }
    uint64_t head = sotto_validate_number(text, 9);
    unsigned check = (unsigned)(head % 11);
    return (check == 10 ? 0 : check) == digit(text, 9);
}

bool sotto_validate_cpf(const char *text, size_t len)
{
    static const uint8_t first[] = {10, 9, 8, 7, 6, 5, 4, 3, 2};
    static const uint8_t second[] = {11, 10, 9, 8, 7, 6, 5, 4, 3, 2};
    if (len != 11 || !sotto_validate_digits(text, len) || all_same(text, len)) {
        return false;
    }
    unsigned a = sotto_validate_weigh(text, first, 9) * 10 % 11 % 10;
    unsigned b = sotto_validate_weigh(text, second, 10) * 10 % 11 % 10;
    return a == digit(text, 9) && b == digit(text, 10);
}

/* 7-3-1 over letters and digits; '<' counts 0. */
static unsigned sum731(const char *text, size_t len)
{
    static const uint8_t weights[] = {7, 3, 1};
    unsigned sum = 0;
    for (size_t i = 0; i < len; i++) {
        unsigned value = text[i] == '<'   ? 0
                         : text[i] >= 'A' ? (unsigned)(text[i] - 'A') + 10
                                          : (unsigned)(text[i] - '0');
        sum += value * weights[i % 3];
    }
    return sum;
}

static bool is_mrz(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        bool good = text[i] == '<' || (text[i] >= '0' && text[i] <= '9') ||
                    (text[i] >= 'A' && text[i] <= 'Z');
        if (!good) {
            return false;
        }
    }
    return true;
}

bool sotto_validate_mrz(const char *text, size_t len)
{
    return len >= 2 && is_mrz(text, len) && sotto_validate_digits(text + len - 1, 1) &&
           sum731(text, len - 1) % 10 == digit(text, len - 1);
}

bool sotto_validate_de_id_card(const char *text, size_t len)
{
    /* Serial of nine of the characters that are not mistaken for others, and its check digit. */
    if (len != 10) {
        return false;
    }
    for (size_t i = 0; i < 9; i++) {
        if (strchr("0123456789CFGHJKLMNPRTVWXYZ", text[i]) == NULL || text[i] == '\0') {
            return false;
        }
    }
    return strchr("CFGHJKLMNPRTVWXYZ", text[0]) != NULL && sotto_validate_mrz(text, len);
}

bool sotto_validate_vin(const char *text, size_t len)
{
    static const uint8_t weights[] = {8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2};
    static const char values[] = "0123456789.ABCDEFGH..JKLMN.P.R..STUVWXYZ";
    unsigned sum = 0;
    if (len != 17) {
        return false;
    }
    for (size_t i = 0; i < 17; i++) {
        const char *at = strchr(values, text[i]);
        if (text[i] == '.' || text[i] == '\0' || at == NULL) {
            return false;
        }
        sum += (unsigned)(at - values) % 10 * weights[i];
    }
    unsigned check = sum % 11;
    return text[8] == (check == 10 ? 'X' : (char)('0' + check));
}
