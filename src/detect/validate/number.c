/* SPDX-License-Identifier: Apache-2.0 */

/* What the checks share, and their names. */

#include "detect/validate/validate.h"

#define NUMBER_VALUE_MAX 128

bool sotto_validate_digits(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (text[i] < '0' || text[i] > '9') {
            return false;
        }
    }
    return len > 0;
}

unsigned sotto_validate_weigh(const char *text, const uint8_t *weights, size_t count)
{
    unsigned sum = 0;
    for (size_t i = 0; i < count; i++) {
        unsigned value =
            text[i] >= 'A' ? (unsigned)(text[i] - 'A') + 10 : (unsigned)(text[i] - '0');
        sum += value * weights[i];
    }
    return sum;
}

unsigned sotto_validate_number(const char *text, size_t len)
{
    unsigned value = 0;
    for (size_t i = 0; i < len; i++) {
        value = value * 10 + (unsigned)(text[i] - '0');
    }
    return value;
}

bool sotto_validate_day(unsigned day, unsigned month)
{
    static const uint8_t days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return month >= 1 && month <= 12 && day >= 1 && day <= days[month - 1];
}

sotto_validate_fn *sotto_validate_find(sotto_span name)
{
    static const struct {
        const char *name;
        sotto_validate_fn *check;
    } table[] = {
        {"luhn", sotto_validate_luhn},
        {"mod97", sotto_validate_mod97},
        {"ean13", sotto_validate_ean13},
        {"gtin14", sotto_validate_gtin14},
        {"verhoeff", sotto_validate_verhoeff},
        {"iso7064_mod11_10", sotto_validate_iso7064_11_10},
        {"iso7064_mod11_2", sotto_validate_iso7064_11_2},
        {"iso7064_mod97_10", sotto_validate_mod97},
        {"mod10_recursive", sotto_validate_mod10_recursive},
        {"card", sotto_validate_card},
        {"iban", sotto_validate_iban},
        {"bic", sotto_validate_bic},
        {"us_aba", sotto_validate_aba},
        {"isin", sotto_validate_isin},
        {"lei", sotto_validate_lei},
        {"base58check", sotto_validate_base58check},
        {"bech32", sotto_validate_bech32},
        {"eip55", sotto_validate_eip55},
        {"ch_ahv", sotto_validate_ahv},
        {"ch_uid", sotto_validate_ch_uid},
        {"gln", sotto_validate_gln},
        {"de_steuer_id", sotto_validate_steuer_id},
        {"de_rvnr", sotto_validate_rvnr},
        {"de_kvnr", sotto_validate_kvnr},
        {"de_id_card", sotto_validate_de_id_card},
        {"at_svnr", sotto_validate_svnr},
        {"fr_nir", sotto_validate_nir},
        {"fr_siren", sotto_validate_siren},
        {"fr_siret", sotto_validate_siret},
        {"it_codice_fiscale", sotto_validate_codice_fiscale},
        {"it_partita_iva", sotto_validate_partita_iva},
        {"es_dni", sotto_validate_dni},
        {"es_nass", sotto_validate_es_nass},
        {"pt_nif", sotto_validate_pt_nif},
        {"be_national", sotto_validate_be_national},
        {"nl_bsn", sotto_validate_bsn},
        {"pl_pesel", sotto_validate_pesel},
        {"se_personnummer", sotto_validate_personnummer},
        {"fi_hetu", sotto_validate_hetu},
        {"no_fnr", sotto_validate_fodselsnummer},
        {"dk_cpr", sotto_validate_cpr},
        {"ie_pps", sotto_validate_pps},
        {"ro_cnp", sotto_validate_cnp},
        {"cz_rc", sotto_validate_rodne_cislo},
        {"gr_amka", sotto_validate_amka},
        {"uk_nhs", sotto_validate_nhs},
        {"uk_nino", sotto_validate_nino},
        {"eu_vat", sotto_validate_vat},
        {"us_ssn", sotto_validate_ssn},
        {"us_itin", sotto_validate_itin},
        {"us_ein", sotto_validate_ein},
        {"us_npi", sotto_validate_npi},
        {"us_dea", sotto_validate_dea},
        {"us_mbi", sotto_validate_mbi},
        {"in_aadhaar", sotto_validate_aadhaar},
        {"cn_id", sotto_validate_cn_id},
        {"br_cpf", sotto_validate_cpf},
        {"za_id", sotto_validate_za_id},
        {"vin", sotto_validate_vin},
        {"imei", sotto_validate_imei},
        {"mrz", sotto_validate_mrz},
        {"github_token", sotto_validate_github_token},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        if (sotto_span_eq(name, sotto_span_str(table[i].name))) {
            return table[i].check;
        }
    }
    return NULL;
}

bool sotto_validate_value(sotto_validate_fn *check, sotto_span value)
{
    char compact[NUMBER_VALUE_MAX], as_is[NUMBER_VALUE_MAX];
    size_t len = 0;
    for (size_t i = 0; i < value.len; i++) {
        uint8_t b = value.base[i];
        bool lower = b >= 'a' && b <= 'z';
        if (lower || (b >= 'A' && b <= 'Z') || (b >= '0' && b <= '9') || b == '<' || b == '_') {
            if (len == NUMBER_VALUE_MAX) {
                return false;
            }
            as_is[len] = (char)b;
            compact[len++] = (char)(lower ? b - 0x20 : b);
        }
    }
    return check(compact, len) || check(as_is, len);
}
