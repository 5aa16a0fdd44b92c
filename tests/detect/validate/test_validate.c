/* SPDX-License-Identifier: Apache-2.0 */

/* Each check on published numbers, and on the same with any one character changed. */

#include "detect/validate/validate.h"

#include "tap/tap.h"

struct vector {
    const char *check;
    const char *value;
    unsigned slips; /* of all changes of one digit, how many may pass unnoticed, in percent */
    bool fixed;     /* has a length of its own */
};

static const struct vector vectors[] = {
    {"luhn", "4111111111111111", 0, false},
    {"luhn", "79927398713", 0, false},
    {"card", "4111111111111111", 0, true},
    {"card", "378282246310005", 0, true},
    {"card", "5555555555554444", 0, true},
    {"iban", "CH9300762011623852957", 0, true},
    {"iban", "DE89370400440532013000", 0, true},
    {"iban", "FR1420041010050500013M02606", 0, true},
    {"iban", "IT60X0542811101000000123456", 0, true},
    {"iban", "AT611904300234573201", 0, true},
    {"iban", "GB82WEST12345698765432", 0, true},
    {"iban", "NL91ABNA0417164300", 0, true},
    {"iban", "BE68539007547034", 0, true},
    {"iban", "ES9121000418450200051332", 0, true},
    {"iban", "DE02370400440532013014", 0, true},
    {"mod97", "5493001KJTIIGC8Y1R12", 0, false},
    {"lei", "5493001KJTIIGC8Y1R12", 0, true},
    {"ean13", "4006381333931", 0, true},
    {"gtin14", "00844588003288", 0, true},
    {"verhoeff", "2363", 0, false},
    {"iso7064_mod11_10", "86095742719", 0, false},
    {"iso7064_mod11_2", "11010519491231002X", 0, false},
    {"mod10_recursive", "210000000003139471430009017", 0, false},
    {"bic", "UBSWCHZH80A", 100, true},
    {"us_aba", "021000021", 0, true},
    {"isin", "US0378331005", 0, true},
    {"isin", "CH0012032048", 0, true},
    {"base58check", "1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2", 0, true},
    {"base58check", "3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy", 0, true},
    {"bech32", "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq", 0, true},
    {"bech32", "bc1p5cyxnuxmeuwuvkwfem96lqzszd02n6xdcjrs20cac6yqjjwudpxqkedrcr", 0, true},
    {"eip55", "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", 0, true},
    {"eip55", "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359", 0, true},
    {"ch_ahv", "7569217076985", 0, true},
    {"ch_ahv", "7561234567897", 0, true},
    {"ch_uid", "CHE116281710", 0, true},
    {"ch_uid", "CHE116281710MWST", 0, true},
    {"gln", "7601000000002", 0, true},
    {"de_steuer_id", "36574261809", 0, true},
    {"de_steuer_id", "86095742719", 0, true},
    {"de_rvnr", "15070649C103", 10, true},
    {"de_kvnr", "A123456780", 0, true},
    {"de_id_card", "T220001293", 10, true},
    {"at_svnr", "1237010180", 10, true},
    {"fr_nir", "295109912611193", 0, true},
    {"fr_nir", "253072B07300470", 0, true},
    {"fr_siren", "732829320", 0, true},
    {"fr_siret", "73282932000074", 0, true},
    {"it_codice_fiscale", "RSSMRA85T10A562S", 0, true},
    {"it_partita_iva", "00743110157", 0, true},
    {"es_dni", "12345678Z", 0, true},
    {"es_dni", "X1234567L", 0, true},
    {"pt_nif", "501964843", 0, true},
    {"be_national", "85073003328", 0, true},
    {"nl_bsn", "111222333", 0, true},
    {"pl_pesel", "44051401458", 0, true},
    {"se_personnummer", "8112289874", 0, true},
    {"fi_hetu", "131052308T", 0, true},
    {"no_fnr", "15108695088", 0, true},
    {"dk_cpr", "2110625629", 0, true},
    {"ie_pps", "1234567T", 0, true},
    {"ie_pps", "1234567FA", 0, true},
    {"ro_cnp", "1630615123457", 10, true},
    {"cz_rc", "7103192745", 10, true},
    {"gr_amka", "01013099997", 0, true},
    {"uk_nhs", "9434765919", 0, true},
    {"uk_nino", "AB123456C", 100, true},
    {"eu_vat", "DE136695976", 0, true},
    {"eu_vat", "FR40303265045", 0, true},
    {"eu_vat", "IT00743110157", 0, true},
    {"eu_vat", "ATU13585627", 0, true},
    {"eu_vat", "BE0403019261", 0, true},
    {"us_ssn", "123456789", 100, true},
    {"us_itin", "912701234", 100, true},
    {"us_ein", "123456789", 100, true},
    {"us_npi", "1234567893", 0, true},
    {"us_dea", "AB1234563", 20, true},
    {"us_mbi", "1EG4TE5MK73", 100, true},
    {"in_aadhaar", "234123412346", 0, true},
    {"cn_id", "11010519491231002X", 0, true},
    {"br_cpf", "11144477735", 0, true},
    {"za_id", "8001015009087", 0, true},
    {"vin", "1M8GDM9AXKP042788", 10, true},
    {"imei", "490154203237518", 0, true},
    {"mrz", "L898902C36", 10, false},
    {"mrz", "7408122", 0, false},
};

/* Counts the digits that can be changed without the check noticing. */
static void test_vector(const struct vector *v)
{
    sotto_validate_fn *check = sotto_validate_find(sotto_span_str(v->check));
    if (!OK(check != NULL, "%s is a check", v->check)) {
        return;
    }
    size_t len = strlen(v->value), tried = 0, slipped = 0;
    OK(check(v->value, len), "%s accepts %s", v->check, v->value);
    for (size_t i = 0; i < len; i++) {
        char changed[128];
        memcpy(changed, v->value, len);
        for (char d = '0'; changed[i] >= '0' && changed[i] <= '9' && d <= '9'; d++) {
            if (d == v->value[i]) {
                continue;
            }
            char kept = changed[i];
            changed[i] = d;
            tried++;
            slipped += check(changed, len) ? 1 : 0;
            changed[i] = kept;
        }
    }
    if (!OK(slipped * 100 <= v->slips * tried, "%s notices a wrong digit of %s", v->check,
            v->value)) {
        printf("#   %zu of %zu slipped through\n", slipped, tried);
    }
    if (v->fixed) {
        OK(!check(v->value, len - 1), "%s refuses %s without its end", v->check, v->value);
    }
    OK(!check("", 0), "%s refuses nothing at all", v->check);
}

static void test_values(void)
{
    sotto_validate_fn *iban = sotto_validate_find(SOTTO_LIT("iban"));
    OK(sotto_validate_value(iban, SOTTO_LIT("ch93 0076 2011 6238 5295 7")),
       "separators and case do not matter");
    OK(!sotto_validate_value(iban, SOTTO_LIT("ch93 0076 2011 6238 5295 8")), "the digits do");
    static const char *const never[] = {"DE99370400440532013014", "DE01370400440532013032",
                                        "DE00370400440532013050"};
    for (size_t i = 0; i < SOTTO_COUNT(never); i++) {
        OK(!sotto_validate_value(iban, sotto_span_str(never[i])),
           "%.4s: leaves the right rest, but check digits run from 02 to 98", never[i]);
    }
    OK(sotto_validate_find(SOTTO_LIT("luhn ")) == NULL, "there is no check of another name");
    sotto_validate_fn *github = sotto_validate_find(SOTTO_LIT("github_token"));
    OK(!github("ghp_abcdefghijklmnopqrstuvwxyz0123456789", 40), "a made-up token is refused");
    OK(sotto_validate_value(sotto_validate_find(SOTTO_LIT("ch_ahv")),
                            SOTTO_LIT("756.9217.0769.85")),
       "a number with dots is checked");
}

int main(void)
{
    for (size_t i = 0; i < SOTTO_COUNT(vectors); i++) {
        test_vector(&vectors[i]);
    }
    test_values();
    return done_testing();
}
