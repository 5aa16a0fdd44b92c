/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Identifiers of no particular form behind a word that names them: "MRN: 483-22-91",
 * "Aktenzeichen 12 O 345/21", "N° de dossier : AB-1234", "NHC 2569870".
 */

#include "detect/pattern/recognizers.h"

#define LABELLED_MAX 40

struct label_kind {
    enum context_kind kind;
    enum sotto_finer finer;
    int16_t score;
    uint8_t digits; /* fewest digits of a value */
    bool spaces;    /* groups of digits may be apart */
};

static const struct label_kind *find_kind(enum context_kind kind)
{
    static const struct label_kind table[] = {
        {CTX_MRN, SOTTO_FINER_MRN, 900, 3, true},
        {CTX_HEALTH_PLAN, SOTTO_FINER_HEALTH_PLAN, 850, 4, true},
        {CTX_POLICY, SOTTO_FINER_POLICY_NUMBER, 850, 4, true},
        {CTX_ACCOUNT, SOTTO_FINER_ACCOUNT_NUMBER, 820, 4, true},
        {CTX_BANK, SOTTO_FINER_BANK_ACCOUNT, 880, 5, true},
        {CTX_ROUTING, SOTTO_FINER_BANK_ROUTING, 850, 6, true},
        {CTX_CARD, SOTTO_FINER_CREDIT_CARD, 700, 12, true},
        {CTX_CVV, SOTTO_FINER_CARD_SECURITY_CODE, 850, 3, false},
        {CTX_CASE, SOTTO_FINER_CASE_NUMBER, 720, 3, true},
        {CTX_LICENSE, SOTTO_FINER_LICENSE_NUMBER, 820, 4, true},
        {CTX_DRIVER, SOTTO_FINER_DRIVER_LICENSE, 880, 4, true},
        {CTX_PASSPORT, SOTTO_FINER_PASSPORT, 880, 5, true},
        {CTX_NATIONAL, SOTTO_FINER_NATIONAL_ID, 860, 5, true},
        {CTX_TAX, SOTTO_FINER_TAX_ID, 850, 6, true},
        {CTX_PLATE, SOTTO_FINER_LICENSE_PLATE, 850, 1, true},
        {CTX_VIN, SOTTO_FINER_VIN, 850, 4, false},
        {CTX_IMEI, SOTTO_FINER_IMEI, 850, 8, true},
        {CTX_DEVICE, SOTTO_FINER_DEVICE_SERIAL, 780, 3, false},
        {CTX_EMPLOYEE, SOTTO_FINER_EMPLOYEE_ID, 820, 3, false},
        {CTX_CUSTOMER, SOTTO_FINER_CUSTOMER_ID, 800, 3, true},
        {CTX_PIN, SOTTO_FINER_PIN, 750, 4, false},
        {CTX_SSN, SOTTO_FINER_US_SSN, 850, 4, true},
        {CTX_ITIN, SOTTO_FINER_US_ITIN, 850, 6, true},
        {CTX_EIN, SOTTO_FINER_US_EIN, 820, 7, true},
        {CTX_NPI, SOTTO_FINER_US_NPI, 820, 6, false},
        {CTX_DEA, SOTTO_FINER_US_DEA, 820, 5, false},
        {CTX_MBI, SOTTO_FINER_US_MBI, 850, 4, true},
        {CTX_NHS, SOTTO_FINER_UK_NHS, 850, 6, true},
        {CTX_NINO, SOTTO_FINER_UK_NINO, 820, 5, true},
        {CTX_AHV, SOTTO_FINER_CH_AHV, 850, 6, true},
        {CTX_UID, SOTTO_FINER_CH_UID, 700, 6, true},
        {CTX_VEKA, SOTTO_FINER_CH_VEKA, 850, 8, true},
        {CTX_GLN, SOTTO_FINER_CH_GLN, 700, 8, true},
        {CTX_ZSR, SOTTO_FINER_CH_ZSR, 850, 4, true},
        {CTX_QR, SOTTO_FINER_CH_QR_REFERENCE, 750, 6, true},
        {CTX_STEUER, SOTTO_FINER_DE_STEUER_ID, 850, 6, true},
        {CTX_RVNR, SOTTO_FINER_DE_RVNR, 850, 6, true},
        {CTX_KVNR, SOTTO_FINER_DE_KVNR, 850, 6, true},
        {CTX_HRB, SOTTO_FINER_DE_HANDELSREGISTER, 850, 3, true},
        {CTX_ID_CARD, SOTTO_FINER_DE_ID_CARD, 850, 4, true},
        {CTX_SVNR, SOTTO_FINER_AT_SVNR, 850, 6, true},
        {CTX_NIR, SOTTO_FINER_FR_NIR, 850, 6, true},
        {CTX_SIREN, SOTTO_FINER_FR_SIREN, 800, 6, true},
        {CTX_CF, SOTTO_FINER_IT_CODICE_FISCALE, 850, 4, false},
        {CTX_PIVA, SOTTO_FINER_IT_PARTITA_IVA, 800, 6, false},
        {CTX_DNI, SOTTO_FINER_ES_DNI, 850, 5, true},
        {CTX_NASS, SOTTO_FINER_ES_NASS, 880, 6, true},
        {CTX_NIF, SOTTO_FINER_PT_NIF, 820, 6, true},
        {CTX_BE, SOTTO_FINER_BE_NATIONAL, 850, 6, true},
        {CTX_BSN, SOTTO_FINER_NL_BSN, 850, 6, true},
        {CTX_PESEL, SOTTO_FINER_PL_PESEL, 850, 6, true},
        {CTX_SE, SOTTO_FINER_SE_PERSONNUMMER, 850, 6, true},
        {CTX_FI, SOTTO_FINER_FI_HETU, 850, 6, true},
        {CTX_NO, SOTTO_FINER_NO_FNR, 850, 6, true},
        {CTX_DK, SOTTO_FINER_DK_CPR, 850, 6, true},
        {CTX_PPS, SOTTO_FINER_IE_PPS, 850, 6, true},
        {CTX_CNP, SOTTO_FINER_RO_CNP, 850, 6, true},
        {CTX_RC, SOTTO_FINER_CZ_RC, 800, 6, true},
        {CTX_AMKA, SOTTO_FINER_GR_AMKA, 850, 6, true},
        {CTX_AADHAAR, SOTTO_FINER_IN_AADHAAR, 850, 6, true},
        {CTX_CN, SOTTO_FINER_CN_ID, 850, 6, true},
        {CTX_CPF, SOTTO_FINER_BR_CPF, 850, 6, true},
        {CTX_ZA, SOTTO_FINER_ZA_ID, 850, 6, true},
        {CTX_VAT, SOTTO_FINER_EU_VAT, 800, 6, true},
        {CTX_ID, SOTTO_FINER_NONE, 620, 4, false},
    };
    for (size_t i = 0; i < SOTTO_COUNT(table); i++) {
        if (table[i].kind == kind) {
            return &table[i];
        }
    }
    return NULL;
}

/* End of the value: letters, digits and single signs in one piece. */
static size_t value_end(struct scan *s, size_t start, size_t *digits, size_t *letters)
{
    size_t at = start, end = start;
    *digits = *letters = 0;
    while (at < s->text.len && at - start < LABELLED_MAX) {
        uint8_t b = s->text.base[at];
        s->steps++;
        if (is_alnum(b)) {
            *digits += is_digit(b) ? 1 : 0;
            *letters += is_alpha(b) ? 1 : 0;
            end = ++at;
        } else if ((b == '-' || b == '/' || b == '.' || b == '_' || b == ':') && at == end &&
                   is_alnum(scan_byte_at(s, at + 1))) {
            at++;
        } else {
            break;
        }
    }
    return scan_right_free(s, end) ? end : 0;
}

/* Further groups of digits behind spaces, as in "28 28 20943". */
static size_t spaced_end(struct scan *s, size_t end, size_t *digits)
{
    for (int groups = 0; groups < 6; groups++) {
        size_t i = end;
        if (scan_byte_at(s, i) != ' ' || !is_digit(scan_byte_at(s, i + 1))) {
            break;
        }
        size_t n = 0;
        while (n < 12 && is_digit(scan_byte_at(s, i + 1 + n))) {
            n++;
        }
        uint8_t next = scan_byte_at(s, i + 1 + n);
        struct token t;
        bool unit = scan_next_word(s, i + 1 + n, &t) &&
                    token_has(&t, ROLE_MEASURE | ROLE_MONTHS | ROLE_YEARS | ROLE_MONTH);
        if (unit || n < 1 || next == '/' || next == '%' || next == ':' ||
            !scan_right_free(s, i + 1 + n)) {
            break;
        }
        *digits += n;
        end = i + 1 + n;
    }
    return end;
}

static bool is_weak_label(enum context_kind kind)
{
    return kind == CTX_ID || kind == CTX_CASE || kind == CTX_ACCOUNT || kind == CTX_DEVICE ||
           kind == CTX_TAX || kind == CTX_PIN || kind == CTX_CUSTOMER || kind == CTX_EMPLOYEE ||
           kind == CTX_LICENSE || kind == CTX_POLICY || kind == CTX_HEALTH_PLAN ||
           kind == CTX_PLATE || kind == CTX_MRN || kind == CTX_PASSPORT || kind == CTX_UID ||
           kind == CTX_VAT || kind == CTX_NATIONAL || kind == CTX_CARD || kind == CTX_BANK;
}

/* The start, with a '#' that belongs to it left out. */
bool recognize_labelled(struct scan *s, const struct cluster *c, struct context *ctx)
{
    const struct label_kind *kind = find_kind(ctx->label);
    size_t digits, letters;
    if (kind == NULL || (c->joined && c->before != ':' && c->before != '=') ||
        (ctx->roles_after & ROLE_MEASURE) != 0) {
        return false;
    }
    size_t end = value_end(s, c->start, &digits, &letters);
    if (end == 0) {
        return false;
    }
    if (kind->spaces) {
        end = spaced_end(s, end, &digits);
    }
    size_t enough = kind->digits;
    enough -= letters > 0 && enough > 3 ? 2 : 0;
    if (digits < enough) {
        return false;
    }
    /* A word that is often used otherwise ("case", "chart") wants a sign of a number. */
    int score = kind->score;
    bool sure = ctx->sign || ctx->numbered || digits >= 6;
    if (is_weak_label(kind->kind) && !sure) {
        score = digits >= 5 || letters > 0 ? score - 150 : 420;
    }
    if (context_any(ctx, CTX_NEGATIVE) && !ctx->sign) {
        score -= 200;
    }
    scan_add(s, c->start, end,
             (struct verdict){SOTTO_LABEL_ID, kind->finer, SOTTO_RULE_LABELLED, score});
    return true;
}
