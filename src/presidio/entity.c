/* SPDX-License-Identifier: Apache-2.0 */

#include "presidio/entity.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/compiler.h"
#include "detect/finer.h"
#include "json/json.h"

/* Exact types for which Presidio has a name.  Of several the first one of the request's language
 * counts, then the first one without a language; the others answer when they are asked for. */
static const struct {
    uint16_t finer;
    const char *language; /* NULL: any */
    const char *name;
} entity_rows[] = {
    {SOTTO_FINER_CREDIT_CARD, NULL, "CREDIT_CARD"},
    {SOTTO_FINER_IBAN, NULL, "IBAN_CODE"},
    {SOTTO_FINER_CRYPTO_ADDRESS, NULL, "CRYPTO"},
    {SOTTO_FINER_IP_ADDRESS, NULL, "IP_ADDRESS"},
    {SOTTO_FINER_MAC_ADDRESS, NULL, "MAC_ADDRESS"},
    {SOTTO_FINER_UUID, NULL, "UUID"},
    {SOTTO_FINER_US_DEA, NULL, "MEDICAL_LICENSE"},
    {SOTTO_FINER_US_SSN, NULL, "US_SSN"},
    {SOTTO_FINER_US_ITIN, NULL, "US_ITIN"},
    {SOTTO_FINER_US_NPI, NULL, "US_NPI"},
    {SOTTO_FINER_US_MBI, NULL, "US_MBI"},
    {SOTTO_FINER_BANK_ACCOUNT, NULL, "US_BANK_NUMBER"},
    {SOTTO_FINER_BANK_ROUTING, NULL, "ABA_ROUTING_NUMBER"},
    {SOTTO_FINER_DRIVER_LICENSE, "de", "DE_FUEHRERSCHEIN"},
    {SOTTO_FINER_DRIVER_LICENSE, "it", "IT_DRIVER_LICENSE"},
    {SOTTO_FINER_DRIVER_LICENSE, NULL, "US_DRIVER_LICENSE"},
    {SOTTO_FINER_DRIVER_LICENSE, NULL, "UK_DRIVING_LICENCE"},
    {SOTTO_FINER_PASSPORT, "de", "DE_PASSPORT"},
    {SOTTO_FINER_PASSPORT, "es", "ES_PASSPORT"},
    {SOTTO_FINER_PASSPORT, "it", "IT_PASSPORT"},
    {SOTTO_FINER_PASSPORT, NULL, "US_PASSPORT"},
    {SOTTO_FINER_PASSPORT, NULL, "UK_PASSPORT"},
    {SOTTO_FINER_PASSPORT, NULL, "IN_PASSPORT"},
    {SOTTO_FINER_LICENSE_PLATE, "de", "DE_KFZ"},
    {SOTTO_FINER_LICENSE_PLATE, NULL, "UK_VEHICLE_REGISTRATION"},
    {SOTTO_FINER_UK_NHS, NULL, "UK_NHS"},
    {SOTTO_FINER_UK_NINO, NULL, "UK_NINO"},
    {SOTTO_FINER_DE_STEUER_ID, NULL, "DE_TAX_ID"},
    {SOTTO_FINER_DE_RVNR, NULL, "DE_SOCIAL_SECURITY"},
    {SOTTO_FINER_DE_KVNR, NULL, "DE_HEALTH_INSURANCE"},
    {SOTTO_FINER_DE_HANDELSREGISTER, NULL, "DE_HANDELSREGISTER"},
    {SOTTO_FINER_DE_ID_CARD, NULL, "DE_ID_CARD"},
    {SOTTO_FINER_EU_VAT, "de", "DE_VAT_ID"},
    {SOTTO_FINER_EU_VAT, "it", "IT_VAT_CODE"},
    {SOTTO_FINER_IT_CODICE_FISCALE, NULL, "IT_FISCAL_CODE"},
    {SOTTO_FINER_IT_PARTITA_IVA, NULL, "IT_VAT_CODE"},
    {SOTTO_FINER_ES_DNI, NULL, "ES_NIF"},
    {SOTTO_FINER_ES_NIE, NULL, "ES_NIE"},
    {SOTTO_FINER_PL_PESEL, NULL, "PL_PESEL"},
    {SOTTO_FINER_SE_PERSONNUMMER, NULL, "SE_PERSONNUMMER"},
    {SOTTO_FINER_FI_HETU, NULL, "FI_PERSONAL_IDENTITY_CODE"},
    {SOTTO_FINER_IN_AADHAAR, NULL, "IN_AADHAAR"},
    {SOTTO_FINER_ZA_ID, NULL, "ZA_ID_NUMBER"},
};

/* Presidio's names for labels, in their order. */
static const char *const entity_labels[SOTTO_LABEL_COUNT] = {
    [SOTTO_LABEL_PERSON] = "PERSON",
    [SOTTO_LABEL_LOCATION] = "LOCATION",
    [SOTTO_LABEL_ADDRESS] = "LOCATION",
    [SOTTO_LABEL_ORG] = "ORGANIZATION",
    [SOTTO_LABEL_DATE] = "DATE_TIME",
    [SOTTO_LABEL_AGE] = "AGE",
    [SOTTO_LABEL_OCCUPATION] = "OCCUPATION",
    [SOTTO_LABEL_NRP] = "NRP",
    [SOTTO_LABEL_PHONE] = "PHONE_NUMBER",
    [SOTTO_LABEL_EMAIL] = "EMAIL_ADDRESS",
    [SOTTO_LABEL_URL] = "URL",
    [SOTTO_LABEL_ID] = "ID",
    [SOTTO_LABEL_SECRET] = "SECRET",
};

/* --- sets of words ----------------------------------------------------------------------------- */

static int by_bytes(const void *va, const void *vb)
{
    const sotto_span *a = va, *b = vb;
    size_t len = a->len < b->len ? a->len : b->len;
    int order = len != 0 ? memcmp(a->base, b->base, len) : 0; /* mistake-ok: nothing secret */
    return order != 0 ? order : a->len < b->len ? -1 : a->len > b->len;
}

enum sotto_err presidio_words_new(size_t count, struct presidio_words *out)
{
    out->items = sotto_calloc(count + 1, sizeof(*out->items));
    out->count = 0;
    return out->items != NULL ? SOTTO_OK : SOTTO_ENOMEM;
}

void presidio_words_sort(struct presidio_words *words)
{
    if (words->count > 1) {
        qsort(words->items, words->count, sizeof(*words->items), by_bytes);
    }
}

const sotto_span *presidio_words_find(const struct presidio_words *words, sotto_span word)
{
    return words->count != 0
               ? bsearch(&word, words->items, words->count, sizeof(*words->items), by_bytes)
               : NULL;
}

void presidio_words_free(struct presidio_words *words)
{
    sotto_free(words->items);
    *words = (struct presidio_words){0};
}

/* --- names ------------------------------------------------------------------------------------- */

bool presidio_language_known(sotto_span code)
{
    static const char *const known[] = {"en", "de", "fr", "es", "it"};
    for (size_t i = 0; i < SOTTO_COUNT(known); i++) {
        if (sotto_span_eq(code, sotto_span_str(known[i]))) {
            return true;
        }
    }
    return false;
}

static bool speaks(const char *row_language, sotto_span language)
{
    return row_language == NULL || sotto_span_eq(sotto_span_str(row_language), language);
}

static bool is_own_kind(unsigned label)
{
    return label == SOTTO_LABEL_ID || label == SOTTO_LABEL_SECRET;
}

/* Where everything is asked for. */
static sotto_span default_name(const struct sotto_finding *f, const char *finer,
                               sotto_span language)
{
    for (size_t i = 0; i < SOTTO_COUNT(entity_rows); i++) {
        if (entity_rows[i].finer == f->finer && f->finer != SOTTO_FINER_NONE &&
            speaks(entity_rows[i].language, language)) {
            return sotto_span_str(entity_rows[i].name);
        }
    }
    bool custom = f->finer >= SOTTO_FINER_COUNT;
    return sotto_span_str(
        finer != NULL && (custom || is_own_kind(f->label)) ? finer : entity_labels[f->label]);
}

/* The most exact name that is asked for. */
static sotto_span wanted_name(const struct sotto_finding *f, const char *finer,
                              const struct presidio_words *wanted)
{
    const sotto_span *found = NULL;
    for (size_t i = 0; i < SOTTO_COUNT(entity_rows) && found == NULL; i++) {
        if (entity_rows[i].finer == f->finer && f->finer != SOTTO_FINER_NONE) {
            found = presidio_words_find(wanted, sotto_span_str(entity_rows[i].name));
        }
    }
    if (found == NULL && finer != NULL) {
        found = presidio_words_find(wanted, sotto_span_str(finer));
    }
    if (found == NULL) {
        found = presidio_words_find(wanted, sotto_span_str(entity_labels[f->label]));
    }
    if (found == NULL) {
        found = presidio_words_find(wanted,
                                    sotto_span_str(sotto_label_name((enum sotto_label)f->label)));
    }
    return found != NULL ? *found : sotto_span_init(NULL, 0);
}

sotto_span presidio_entity(const struct sotto_detector *detector,
                           const struct sotto_finding *finding, sotto_span language,
                           const struct presidio_words *wanted)
{
    const char *finer = sotto_detect_finer(detector, finding);
    return wanted->count != 0 ? wanted_name(finding, finer, wanted)
                              : default_name(finding, finer, language);
}

/* The exact types of other labels than ID and SECRET: they are named by their labels. */
static bool is_part_of_label(unsigned finer)
{
    switch (finer) {
    case SOTTO_FINER_YEAR:
    case SOTTO_FINER_DATE_OF_BIRTH:
    case SOTTO_FINER_AGE_OVER_89:
    case SOTTO_FINER_COUNTRY:
    case SOTTO_FINER_STATE:
    case SOTTO_FINER_CITY:
    case SOTTO_FINER_POSTCODE:
    case SOTTO_FINER_PO_BOX:
    case SOTTO_FINER_PERSONAL_URL:
    case SOTTO_FINER_FAX:
        return true;
    default:
        return false;
    }
}

static bool has_row(unsigned finer)
{
    for (size_t i = 0; i < SOTTO_COUNT(entity_rows); i++) {
        if (entity_rows[i].finer == finer) {
            return true;
        }
    }
    return false;
}

/* The name of custom recognizer number `i`; NULL: there is none. */
static const char *custom_name(const struct sotto_detector *detector, size_t i)
{
    const struct sotto_finding f = {.finer = (uint16_t)(SOTTO_FINER_COUNT + i)};
    return i < UINT16_MAX - SOTTO_FINER_COUNT ? sotto_detect_finer(detector, &f) : NULL;
}

bool presidio_entity_any_known(const struct sotto_detector *detector,
                               const struct presidio_words *wanted)
{
    for (size_t i = 0; i < SOTTO_COUNT(entity_rows); i++) {
        if (presidio_words_find(wanted, sotto_span_str(entity_rows[i].name)) != NULL) {
            return true;
        }
    }
    for (unsigned i = 0; i < SOTTO_LABEL_COUNT; i++) {
        if (presidio_words_find(wanted, sotto_span_str(entity_labels[i])) != NULL ||
            presidio_words_find(wanted, sotto_span_str(sotto_label_name((enum sotto_label)i))) !=
                NULL) {
            return true;
        }
    }
    for (unsigned i = 1; i < SOTTO_FINER_COUNT; i++) {
        if (presidio_words_find(wanted, sotto_span_str(sotto_finer_name(i))) != NULL) {
            return true;
        }
    }
    const char *name;
    for (size_t i = 0; (name = custom_name(detector, i)) != NULL; i++) {
        if (presidio_words_find(wanted, sotto_span_str(name)) != NULL) {
            return true;
        }
    }
    return false;
}

/* --- the list ---------------------------------------------------------------------------------- */

/* There is room for all. */
static void add_name(struct presidio_words *names, const char *name)
{
    for (size_t i = 0; i < names->count; i++) {
        if (sotto_span_eq(names->items[i], sotto_span_str(name))) {
            return;
        }
    }
    names->items[names->count++] = sotto_span_str(name);
}

static void add_all(const struct sotto_detector *detector, sotto_span language, size_t customs,
                    struct presidio_words *names)
{
    for (unsigned i = 0; i < SOTTO_LABEL_COUNT; i++) {
        add_name(names, entity_labels[i]);
    }
    for (size_t i = 0; i < SOTTO_COUNT(entity_rows); i++) {
        if (language.len == 0 || speaks(entity_rows[i].language, language)) {
            add_name(names, entity_rows[i].name);
        }
    }
    for (unsigned i = 1; i < SOTTO_FINER_COUNT; i++) {
        if (!has_row(i) && !is_part_of_label(i)) {
            add_name(names, sotto_finer_name(i));
        }
    }
    for (size_t i = 0; i < customs; i++) {
        add_name(names, custom_name(detector, i));
    }
}

enum sotto_err presidio_entity_list(const struct sotto_detector *detector, sotto_span language,
                                    struct sotto_buf *out)
{
    struct presidio_words names;
    size_t customs = 0;
    while (custom_name(detector, customs) != NULL) {
        customs++;
    }
    enum sotto_err err = presidio_words_new(
        SOTTO_LABEL_COUNT + SOTTO_COUNT(entity_rows) + SOTTO_FINER_COUNT + customs, &names);
    if (err != SOTTO_OK) {
        return err;
    }
    add_all(detector, language, customs, &names);
    err = sotto_buf_push(out, '[');
    for (size_t i = 0; i < names.count && err == SOTTO_OK; i++) {
        err = i != 0 ? sotto_buf_push(out, ',') : SOTTO_OK;
        if (err == SOTTO_OK) {
            err = sotto_json_quote(names.items[i], true, out);
        }
    }
    presidio_words_free(&names);
    return err == SOTTO_OK ? sotto_buf_append(out, SOTTO_LIT("]\n")) : err;
}
