/* SPDX-License-Identifier: Apache-2.0 */

/*
 * VAT numbers of the European Union (Council Directive 2006/112/EC, article 215), with their
 * country code: form of each country, check digit where it is one of those known here.
 */

#include "detect/validate/validate.h"

struct vat_form {
    const char *form;         /* '9' digit, '?' letter, '*' either; others themselves */
    sotto_validate_fn *check; /* of what follows the country code; NULL: the form alone */
};

static bool fits(const char *form, const char *text, size_t len)
{
    if (strlen(form) != len) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        bool digit = text[i] >= '0' && text[i] <= '9';
        bool letter = text[i] >= 'A' && text[i] <= 'Z';
        bool good = form[i] == '9'   ? digit
                    : form[i] == '?' ? letter
                    : form[i] == '*' ? digit || letter
                                     : form[i] == text[i];
        if (!good) {
            return false;
        }
    }
    return true;
}

static bool check_be(const char *text, size_t len)
{
    return len == 10 &&
           97 - sotto_validate_number(text, 8) % 97 == sotto_validate_number(text + 8, 2);
}

static bool check_fr(const char *text, size_t len)
{
    if (len != 11 || !sotto_validate_siren(text + 2, 9)) {
        return false;
    }
    if (!sotto_validate_digits(text, 2)) {
        return true;
    }
    return (12 + 3 * (sotto_validate_number(text + 2, 9) % 97)) % 97 ==
           sotto_validate_number(text, 2);
}

static bool check_at(const char *text, size_t len)
{
    unsigned sum = 4;
    for (size_t i = 1; i < len - 1; i++) {
        unsigned d = (unsigned)(text[i] - '0') * (i % 2 == 0 ? 2U : 1U);
        sum += d / 10 + d % 10;
    }
    return (10 - sum % 10) % 10 == (unsigned)(text[len - 1] - '0');
}

static bool check_lu(const char *text, size_t len)
{
    return len == 8 && sotto_validate_number(text, 6) % 89 == sotto_validate_number(text + 6, 2);
}

bool sotto_validate_vat(const char *text, size_t len)
{
    static const struct vat_form forms[] = {
        {"ATU99999999", check_at},
        {"BE0999999999", check_be},
        {"BE1999999999", check_be},
        {"BG999999999", NULL},
        {"BG9999999999", NULL},
        {"CY99999999?", NULL},
        {"CZ99999999", NULL},
        {"CZ999999999", NULL},
        {"CZ9999999999", NULL},
        {"DE999999999", sotto_validate_iso7064_11_10},
        {"DK99999999", NULL},
        {"EE999999999", NULL},
        {"EL999999999", NULL},
        {"ES*9999999*", NULL},
        {"FI99999999", NULL},
        {"FR**999999999", check_fr},
        {"HR99999999999", sotto_validate_iso7064_11_10},
        {"HU99999999", NULL},
        {"IE9999999?", sotto_validate_pps},
        {"IE9999999??", sotto_validate_pps},
        {"IT99999999999", sotto_validate_partita_iva},
        {"LT999999999", NULL},
        {"LT999999999999", NULL},
        {"LU99999999", check_lu},
        {"LV99999999999", NULL},
        {"MT99999999", NULL},
        {"NL999999999B99", NULL},
        {"PL9999999999", NULL},
        {"PT999999999", sotto_validate_pt_nif},
        {"RO99999999", NULL},
        {"SE999999999901", NULL},
        {"SI99999999", NULL},
        {"SK9999999999", NULL},
    };
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        if (fits(forms[i].form, text, len)) {
            return forms[i].check == NULL || forms[i].check(text + 2, len - 2);
        }
    }
    return false;
}
