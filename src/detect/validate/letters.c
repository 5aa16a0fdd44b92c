/* SPDX-License-Identifier: Apache-2.0 */

/* Numbers whose check is a letter, and the Italian fiscal code, which is mostly letters. */

#include "detect/validate/validate.h"

static bool is_letter(char c)
{
    return c >= 'A' && c <= 'Z';
}

bool sotto_validate_dni(const char *text, size_t len)
{
    static const char letters[] = "TRWAGMYFPDXBNJZSQVHLCKE";
    if (len != 9 || !sotto_validate_digits(text + 1, 7)) {
        return false;
    }
    unsigned first;
    if (text[0] >= 'X' && text[0] <= 'Z') {
        first = (unsigned)(text[0] - 'X');
    } else if (text[0] >= '0' && text[0] <= '9') {
        first = (unsigned)(text[0] - '0');
    } else {
        return false;
    }
    return text[8] == letters[(first * 10000000 + sotto_validate_number(text + 1, 7)) % 23];
}

bool sotto_validate_pps(const char *text, size_t len)
{
    static const uint8_t weights[] = {8, 7, 6, 5, 4, 3, 2};
    if ((len != 8 && len != 9) || !sotto_validate_digits(text, 7)) {
        return false;
    }
    unsigned sum = sotto_validate_weigh(text, weights, 7);
    if (len == 9) {
        if (!((text[8] >= 'A' && text[8] <= 'I') || text[8] == 'W')) {
            return false;
        }
        sum += text[8] == 'W' ? 0 : ((unsigned)(text[8] - 'A') + 1) * 9;
    }
    return text[7] == (sum % 23 == 0 ? 'W' : (char)('A' + sum % 23 - 1));
}

bool sotto_validate_hetu(const char *text, size_t len)
{
    /* Without the sign of the century, which is a separator: ten characters. */
    static const char checks[] = "0123456789ABCDEFHJKLMNPRSTUVWXY";
    if (len == 11 && strchr("ABCDEFUVWXY", text[6]) != NULL && text[6] != '\0') {
        char compact[10];
        memcpy(compact, text, 6);
        memcpy(compact + 6, text + 7, 4);
        return sotto_validate_hetu(compact, sizeof(compact));
    }
    if (len != 10 || !sotto_validate_digits(text, 9) ||
        !sotto_validate_day(sotto_validate_number(text, 2), sotto_validate_number(text + 2, 2))) {
        return false;
    }
    return text[9] == checks[sotto_validate_number(text, 9) % 31];
}

bool sotto_validate_nino(const char *text, size_t len)
{
    if (len != 9 || !is_letter(text[0]) || !is_letter(text[1]) ||
        !sotto_validate_digits(text + 2, 6) || text[8] < 'A' || text[8] > 'D') {
        return false;
    }
    static const char barred[] = "BGGBNKKNTNNTZZ";
    for (size_t i = 0; i + 1 < sizeof(barred); i += 2) {
        if (memcmp(text, barred + i, 2) == 0) {
            return false;
        }
    }
    return strchr("DFIQUV", text[0]) == NULL && strchr("DFIQUVO", text[1]) == NULL;
}

static unsigned fiscal_odd(char c)
{
    static const uint8_t odd[] = {1,  0,  5, 7, 9, 13, 15, 17, 19, 21, 2,  4,  18,
                                  20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23};
    return odd[is_letter(c) ? c - 'A' : c - '0'];
}

/* Whether position `i` must hold a digit (or a letter that stands for one, after a clash). */
static bool fiscal_shape(const char *text)
{
    static const char shape[] = "AAAAAA99A99A999A";
    for (size_t i = 0; i < 16; i++) {
        bool digit = text[i] >= '0' && text[i] <= '9';
        if (shape[i] == '9' ? !(digit || (text[i] != '\0' && strchr("LMNPQRSTUV", text[i]) != NULL))
                            : !is_letter(text[i])) {
            return false;
        }
    }
    return strchr("ABCDEHLMPRST", text[8]) != NULL;
}

bool sotto_validate_codice_fiscale(const char *text, size_t len)
{
    unsigned sum = 0;
    if (len != 16 || !fiscal_shape(text)) {
        return false;
    }
    for (size_t i = 0; i < 15; i++) {
        sum += i % 2 == 0           ? fiscal_odd(text[i])
               : is_letter(text[i]) ? (unsigned)(text[i] - 'A')
                                    : (unsigned)(text[i] - '0');
    }
    return text[15] == (char)('A' + sum % 26);
}

bool sotto_validate_mbi(const char *text, size_t len)
{
    /* Centers for Medicare & Medicaid Services: no S, L, O, I, B, Z. */
    static const char shape[] = "1AN9AN9AA99";
    if (len != 11 || text[0] == '0') {
        return false;
    }
    for (size_t i = 0; i < 11; i++) {
        bool digit = text[i] >= '0' && text[i] <= '9';
        bool letter = is_letter(text[i]) && strchr("SLOIBZ", text[i]) == NULL;
        bool good = shape[i] == 'A' ? letter : shape[i] == 'N' ? letter || digit : digit;
        if (!good) {
            return false;
        }
    }
    return true;
}
