/* SPDX-License-Identifier: Apache-2.0 */

/*
 * National and other identifiers of a fixed form.  A form is a string: '9' a digit, '?' a letter,
 * '*' either, capital letters and digits other than 9 themselves, ' ' a place where a separator may
 * stand.  What a match is worth depends on three things: whether the check passes, whether the
 * separators stand where people write them, and whether a word nearby names the identifier.  A
 * check that one number in ten passes by chance (Luhn, BSN, NHS) needs one of the other two.
 */

#include "detect/pattern/recognizers.h"
#include "detect/validate/validate.h"

struct shape {
    const char *form;
    sotto_validate_fn *check; /* NULL: the form is all there is */
    enum sotto_finer finer;
    enum context_kind kind, kind2; /* words that name it */
    int16_t named;                 /* passes, a word names it */
    int16_t parted;                /* passes, with its separators */
    int16_t bare;                  /* passes, nothing else */
    int16_t failed;                /* fails, a word names it directly */
};

#define FINER(name) SOTTO_FINER_##name
#define CHECK(name) sotto_validate_##name

/* clang-format off */
static const struct shape shapes[] = {
    /* Switzerland */
    {"756 9999 9999 99", CHECK(ahv), FINER(CH_AHV), CTX_AHV, CTX_SVNR, 990, 980, 920, 880},
    {"CHE 999 999 999", CHECK(ch_uid), FINER(CH_UID), CTX_UID, CTX_VAT, 980, 950, 900, 800},
    {"CHE 999 999 999 MWST", CHECK(ch_uid), FINER(CH_UID), CTX_UID, CTX_VAT, 985, 985, 960, 0},
    {"CHE 999 999 999 TVA", CHECK(ch_uid), FINER(CH_UID), CTX_UID, CTX_VAT, 985, 985, 960, 0},
    {"CHE 999 999 999 IVA", CHECK(ch_uid), FINER(CH_UID), CTX_UID, CTX_VAT, 985, 985, 960, 0},
    {"80756 99999 99999 99999", NULL, FINER(CH_VEKA), CTX_VEKA, CTX_HEALTH_PLAN, 970, 880, 850, 0},
    {"807560 99999 999999999", NULL, FINER(CH_VEKA), CTX_VEKA, CTX_HEALTH_PLAN, 970, 880, 850, 0},
    {"99 99999 99999 99999 99999 99999", CHECK(mod10_recursive), FINER(CH_QR_REFERENCE), CTX_QR, CTX_CASE, 960, 920, 850, 800},
    {"7601 999 999 999", CHECK(gln), FINER(CH_GLN), CTX_GLN, CTX_LICENSE, 930, 650, 600, 700},
    {"? 9999 99", NULL, FINER(CH_ZSR), CTX_ZSR, CTX_ZSR, 900, 0, 0, 0},
    /* Germany, Austria */
    {"99 999 999 999", CHECK(steuer_id), FINER(DE_STEUER_ID), CTX_STEUER, CTX_TAX, 970, 750, 420, 850},
    {"99 999999 ? 999", CHECK(rvnr), FINER(DE_RVNR), CTX_RVNR, CTX_NATIONAL, 970, 930, 880, 850},
    {"? 999 999 999", CHECK(kvnr), FINER(DE_KVNR), CTX_KVNR, CTX_HEALTH_PLAN, 970, 850, 780, 850},
    {"** 9 9*** *** *", CHECK(de_id_card), FINER(DE_ID_CARD), CTX_ID_CARD, CTX_NATIONAL, 950, 0, 0, 0},
    {"********* 9", CHECK(de_id_card), FINER(DE_ID_CARD), CTX_ID_CARD, CTX_NATIONAL, 950, 450, 450, 800},
    {"9999 999999", CHECK(svnr), FINER(AT_SVNR), CTX_SVNR, CTX_AHV, 960, 750, 450, 850},
    {"9999 99 99 99", CHECK(svnr), FINER(AT_SVNR), CTX_SVNR, CTX_AHV, 960, 800, 450, 850},
    /* France, Italy, Spain, Portugal, Belgium */
    {"9 99 99 99 999 999 99", CHECK(nir), FINER(FR_NIR), CTX_NIR, CTX_HEALTH_PLAN, 990, 970, 930, 880},
    {"9 99 99 2A 999 999 99", CHECK(nir), FINER(FR_NIR), CTX_NIR, CTX_HEALTH_PLAN, 990, 970, 950, 880},
    {"9 99 99 2B 999 999 99", CHECK(nir), FINER(FR_NIR), CTX_NIR, CTX_HEALTH_PLAN, 990, 970, 950, 880},
    {"999 999 999", CHECK(siren), FINER(FR_SIREN), CTX_SIREN, CTX_VAT, 900, 400, 300, 750},
    {"999 999 999 99999", CHECK(siret), FINER(FR_SIRET), CTX_SIREN, CTX_VAT, 950, 880, 700, 800},
    {"??? ??? **?** ?***?", CHECK(codice_fiscale), FINER(IT_CODICE_FISCALE), CTX_CF, CTX_TAX, 990, 980, 970, 880},
    {"99999999999", CHECK(partita_iva), FINER(IT_PARTITA_IVA), CTX_PIVA, CTX_VAT, 930, 0, 330, 780},
    {"99 999 999 ?", CHECK(dni), FINER(ES_DNI), CTX_DNI, CTX_NATIONAL, 970, 900, 850, 850},
    {"99999999 ?", CHECK(dni), FINER(ES_DNI), CTX_DNI, CTX_NATIONAL, 970, 920, 850, 850},
    {"? 9999999 ?", CHECK(dni), FINER(ES_NIE), CTX_DNI, CTX_NATIONAL, 970, 930, 880, 850},
    {"99 99999999 99", CHECK(es_nass), FINER(ES_NASS), CTX_NASS, CTX_HEALTH_PLAN, 970, 880, 480, 850},
    {"999 999 999", CHECK(pt_nif), FINER(PT_NIF), CTX_NIF, CTX_VAT, 900, 380, 300, 780},
    {"99 99 99 999 99", CHECK(be_national), FINER(BE_NATIONAL), CTX_BE, CTX_NATIONAL, 970, 930, 550, 850},
    /* Netherlands, north, east */
    {"9999 99 999", CHECK(bsn), FINER(NL_BSN), CTX_BSN, CTX_NATIONAL, 940, 550, 300, 830},
    {"999999999", CHECK(bsn), FINER(NL_BSN), CTX_BSN, CTX_NATIONAL, 940, 0, 300, 830},
    {"99999999999", CHECK(pesel), FINER(PL_PESEL), CTX_PESEL, CTX_NATIONAL, 960, 0, 460, 850},
    {"999999 9999", CHECK(personnummer), FINER(SE_PERSONNUMMER), CTX_SE, CTX_NATIONAL, 950, 800, 350, 830},
    {"99999999 9999", CHECK(personnummer), FINER(SE_PERSONNUMMER), CTX_SE, CTX_NATIONAL, 950, 850, 480, 830},
    {"999999 999*", CHECK(hetu), FINER(FI_HETU), CTX_FI, CTX_NATIONAL, 960, 920, 300, 830},
    {"999999?999*", CHECK(hetu), FINER(FI_HETU), CTX_FI, CTX_NATIONAL, 960, 920, 900, 830},
    {"999999 99999", CHECK(fodselsnummer), FINER(NO_FNR), CTX_NO, CTX_NATIONAL, 960, 920, 700, 830},
    {"999999 9999", CHECK(cpr), FINER(DK_CPR), CTX_DK, CTX_NATIONAL, 940, 780, 300, 880},
    {"9999999 ?", CHECK(pps), FINER(IE_PPS), CTX_PPS, CTX_TAX, 960, 600, 600, 850},
    {"9999999 ??", CHECK(pps), FINER(IE_PPS), CTX_PPS, CTX_TAX, 960, 700, 700, 850},
    {"9 999999 999999", CHECK(cnp), FINER(RO_CNP), CTX_CNP, CTX_NATIONAL, 970, 900, 700, 850},
    {"999999 9999", CHECK(rodne_cislo), FINER(CZ_RC), CTX_RC, CTX_NATIONAL, 950, 750, 300, 850},
    {"999999 999", CHECK(rodne_cislo), FINER(CZ_RC), CTX_RC, CTX_NATIONAL, 900, 0, 0, 0},
    {"999999 99999", CHECK(amka), FINER(GR_AMKA), CTX_AMKA, CTX_NATIONAL, 950, 500, 420, 850},
    /* Britain */
    {"999 999 9999", CHECK(nhs), FINER(UK_NHS), CTX_NHS, CTX_HEALTH_PLAN, 970, 790, 420, 850},
    {"?? 99 99 99 ?", CHECK(nino), FINER(UK_NINO), CTX_NINO, CTX_NATIONAL, 970, 930, 850, 800},
    /* America */
    {"999 99 9999", CHECK(ssn), FINER(US_SSN), CTX_SSN, CTX_TAX, 970, 860, 330, 850},
    {"999 99 9999", CHECK(itin), FINER(US_ITIN), CTX_ITIN, CTX_TAX, 960, 880, 350, 850},
    {"99 9999999", CHECK(ein), FINER(US_EIN), CTX_EIN, CTX_TAX, 940, 520, 250, 820},
    {"9999999999", CHECK(npi), FINER(US_NPI), CTX_NPI, CTX_LICENSE, 950, 0, 380, 830},
    {"?? 9999999", CHECK(dea), FINER(US_DEA), CTX_DEA, CTX_LICENSE, 960, 650, 620, 830},
    {"?9 9999999", CHECK(dea), FINER(US_DEA), CTX_DEA, CTX_LICENSE, 960, 0, 0, 0},
    {"9?** ?*9 ??99", CHECK(mbi), FINER(US_MBI), CTX_MBI, CTX_HEALTH_PLAN, 970, 900, 820, 0},
    {"9999 9999 9", CHECK(aba), FINER(BANK_ROUTING), CTX_ROUTING, CTX_BANK, 950, 700, 360, 830},
    {"999 999 999 99", CHECK(cpf), FINER(BR_CPF), CTX_CPF, CTX_TAX, 970, 930, 480, 850},
    /* Asia, Africa */
    {"9999 9999 9999", CHECK(aadhaar), FINER(IN_AADHAAR), CTX_AADHAAR, CTX_NATIONAL, 970, 820, 420, 850},
    {"999999 99999999 999*", CHECK(cn_id), FINER(CN_ID), CTX_CN, CTX_NATIONAL, 980, 950, 930, 850},
    {"999999 9999 999", CHECK(za_id), FINER(ZA_ID), CTX_ZA, CTX_NATIONAL, 960, 800, 600, 850},
    /* things and companies */
    {"*****************", CHECK(vin), FINER(VIN), CTX_VIN, CTX_PLATE, 980, 0, 850, 850},
    {"99 999999 999999 9", CHECK(imei), FINER(IMEI), CTX_IMEI, CTX_DEVICE, 970, 880, 550, 850},
    {"??*********9", CHECK(isin), FINER(ISIN), CTX_ISIN, CTX_ISIN, 700, 0, 450, 0},
    {"******************99", CHECK(lei), FINER(LEI), CTX_LEI, CTX_LEI, 750, 0, 480, 0},
    {"HR? 9999", NULL, FINER(DE_HANDELSREGISTER), CTX_HRB, CTX_HRB, 900, 900, 450, 0},
    {"HR? 99999", NULL, FINER(DE_HANDELSREGISTER), CTX_HRB, CTX_HRB, 900, 900, 450, 0},
    {"HR? 999999", NULL, FINER(DE_HANDELSREGISTER), CTX_HRB, CTX_HRB, 900, 900, 450, 0},
};

/* VAT numbers of the European Union: country and length; sotto_validate_vat() knows the forms. */
static const struct shape shape_vat = {NULL, sotto_validate_vat, FINER(EU_VAT), CTX_VAT, CTX_TAX, 930, 700, 700, 0};
/* clang-format on */

#undef FINER
#undef CHECK

static bool char_fits(char form, char c)
{
    switch (form) {
    case '9':
        return is_digit((uint8_t)c);
    case '?':
        return is_upper((uint8_t)c);
    case '*':
        return is_alnum((uint8_t)c);
    default:
        return form == c;
    }
}

/* Number of characters of a form. */
static size_t form_len(const char *form)
{
    size_t len = 0;
    for (; *form != '\0'; form++) {
        len += *form != ' ' ? 1 : 0;
    }
    return len;
}

/* What each character of a form asks for, as bits. */
static void index_form(struct shapes_index *index, size_t n, const char *form)
{
    uint32_t bit = 1;
    index->digits[n] = index->letters[n] = index->starts[n] = 0;
    for (; *form != '\0'; form++) {
        if (*form == ' ') {
            index->starts[n] |= bit;
            continue;
        }
        index->digits[n] |= is_digit((uint8_t)*form) ? bit : 0;
        index->letters[n] |= is_upper((uint8_t)*form) || *form == '?' ? bit : 0;
        bit <<= 1;
    }
}

void shapes_index(struct shapes_index *index)
{
    _Static_assert(SOTTO_COUNT(shapes) <= SHAPES_MAX, "the index has room");
    size_t n = 0;
    for (size_t len = 0; len < SHAPES_LENGTHS; len++) {
        index->first[len] = (uint8_t)n;
        for (size_t i = 0; i < SOTTO_COUNT(shapes); i++) {
            if (form_len(shapes[i].form) == len) {
                index_form(index, n, shapes[i].form);
                index->order[n++] = (uint8_t)i;
            }
        }
    }
    index->first[SHAPES_LENGTHS] = (uint8_t)n;
}

/* Whether the form fits the cluster from its first group on. */
struct fit {
    size_t last; /* the last group */
    size_t len;  /* characters */
    bool parted; /* all its separators are there (and it has some) */
};

static bool fits(const struct cluster *c, const char *form, struct fit *out)
{
    size_t k = 0, i = 0, places = 0, signs = 0;
    for (const char *at = form; *at != '\0'; at++) {
        if (*at == ' ') {
            places++;
            if (i + 1 < c->count && c->groups[i + 1].at == k) {
                signs++;
                i++;
            }
            continue;
        }
        if (k >= c->norm_len || (i + 1 < c->count && c->groups[i + 1].at <= k) ||
            !char_fits(*at, c->norm[k])) {
            return false;
        }
        k++;
    }
    *out = (struct fit){.last = i, .len = k, .parted = places > 0 && signs == places};
    return c->groups[i].at + c->groups[i].len == k &&
           (signs == 0 || signs == places || signs + 1 == places);
}

/* Whether the separators are such as numbers have: no brackets, commas or colons. */
static bool plain_gaps(const struct cluster *c, size_t last)
{
    for (size_t i = 1; i <= last; i++) {
        char gap = c->groups[i].gap;
        if (gap != ' ' && gap != '-' && gap != '.' && gap != '/') {
            return false;
        }
    }
    return true;
}

static int judge(const struct shape *shape, bool valid, const struct fit *fit,
                 const struct context *ctx)
{
    bool named = context_any(ctx, shape->kind) || context_any(ctx, shape->kind2);
    bool direct = context_in(&ctx->near, shape->kind);
    if (!valid) {
        return direct ? shape->failed : 0;
    }
    if (named) {
        return shape->named;
    }
    int score = fit->parted ? shape->parted : shape->bare;
    if (context_any(ctx, CTX_NEGATIVE) && shape->check != sotto_validate_ahv) {
        score -= 300;
    }
    return score;
}

static bool try_shape(struct scan *s, const struct cluster *c, struct context *ctx,
                      const struct shape *shape, const struct fit *fit)
{
    if (!plain_gaps(c, fit->last) || !cluster_free_right(s, c, fit->last)) {
        return false;
    }
    bool valid = shape->check == NULL || shape->check(c->norm, fit->len);
    if (!valid && shape->failed == 0) {
        return false;
    }
    context_need(s, c, ctx);
    int score = judge(shape, valid, fit, ctx);
    if (score <= 0) {
        return false;
    }
    enum sotto_rule rule = !valid                 ? SOTTO_RULE_NUMBER_MISTYPED
                           : shape->check == NULL ? SOTTO_RULE_NUMBER_SHAPED
                                                  : SOTTO_RULE_NUMBER_CHECKED;
    scan_add(s, c->start, c->groups[fit->last].end,
             (struct verdict){SOTTO_LABEL_ID, shape->finer, rule, score});
    return score >= 500;
}

/* "DE 123456789", "ATU 12345678": country letters, perhaps a space, the rest. */
static bool try_vat(struct scan *s, const struct cluster *c, struct context *ctx)
{
    if (!is_upper((uint8_t)c->norm[0]) || !is_upper((uint8_t)c->norm[1])) {
        return false;
    }
    for (size_t last = 0; last < c->count && last < 5; last++) {
        size_t len = cluster_len(c, 0, last);
        if (len >= 8 && len <= 14 && sotto_validate_vat(c->norm, len)) {
            struct fit fit = {.last = last, .len = len, .parted = false};
            struct shape shape = shape_vat;
            shape.bare = last == 0 ? 560 : 450;
            return try_shape(s, c, ctx, &shape, &fit);
        }
    }
    return false;
}

bool recognize_shapes(struct scan *s, const struct cluster *c, struct context *ctx)
{
    bool found = false;
    if (c->joined || c->norm_len < 7) {
        return false;
    }
    uint32_t letters = 0, starts = 0;
    for (size_t i = 0; i < c->norm_len && i < SHAPES_LENGTHS; i++) {
        letters |= c->norm[i] >= 'A' ? (uint32_t)1 << i : 0;
    }
    for (size_t i = 0; i < c->count; i++) {
        size_t len = (size_t)c->groups[i].at + c->groups[i].len;
        if (len >= SHAPES_LENGTHS) {
            break;
        }
        starts |= i > 0 ? (uint32_t)1 << c->groups[i].at : 0;
        for (size_t k = s->shapes->first[len]; k < s->shapes->first[len + 1]; k++) {
            struct fit fit;
            const struct shape *shape = &shapes[s->shapes->order[k]];
            if ((letters & s->shapes->digits[k]) == 0 && (~letters & s->shapes->letters[k]) == 0 &&
                (starts & ~s->shapes->starts[k]) == 0 && fits(c, shape->form, &fit)) {
                found = try_shape(s, c, ctx, shape, &fit) || found;
            }
        }
    }
    return try_vat(s, c, ctx) || found;
}
