/* SPDX-License-Identifier: Apache-2.0 */

#include "policy/mode.h"

#include "base/alloc.h"
#include "policy/mode_row.h"

#define LABEL(suffix) (1U << SOTTO_LABEL_##suffix)

/* What every mode covers. */
#define MODE_STANDARD                                                                              \
    (LABEL(PERSON) | LABEL(ADDRESS) | LABEL(PHONE) | LABEL(EMAIL) | LABEL(ID) | LABEL(SECRET))

/* --- the table of modes ---------------------------------------------------------------------- */

static const struct mode_exception standard_exceptions[] = {
    {SOTTO_LIT_INIT("PERSONAL_URL"), LABEL(URL), SOTTO_ACTION_TOKENIZE},
};

/* 45 CFR 164.514(b)(2)(i): (B) states may stay, (C) years and ages up to 89. */
static const struct mode_exception hipaa_exceptions[] = {
    {SOTTO_LIT_INIT("AGE_OVER_89"), LABEL(AGE), SOTTO_ACTION_TOKENIZE},
    {SOTTO_LIT_INIT("YEAR"), LABEL(DATE), SOTTO_ACTION_PASS},
    {SOTTO_LIT_INIT("STATE"), LABEL(LOCATION), SOTTO_ACTION_PASS},
    {SOTTO_LIT_INIT("COUNTRY"), LABEL(LOCATION), SOTTO_ACTION_PASS},
};

static const struct mode_exception gdpr_exceptions[] = {
    {SOTTO_LIT_INIT("YEAR"), LABEL(DATE), SOTTO_ACTION_PASS},
    {SOTTO_LIT_INIT("COUNTRY"), LABEL(LOCATION), SOTTO_ACTION_PASS},
};

/* With whom a business-associate agreement (45 CFR 164.504(e)) or one on processing (GDPR, article
 * 28) has to be signed. */
static const sotto_span hipaa_agreements[] = {SOTTO_LIT_INIT("baa")};
static const sotto_span gdpr_agreements[] = {SOTTO_LIT_INIT("dpa")};

const struct sotto_mode mode_builtin[] = {
    {
        .name = SOTTO_LIT_INIT("standard"),
        .answer_name = SOTTO_LIT_INIT("standard"),
        .tokenized = MODE_STANDARD,
        .content_passes = true,
        .exceptions = standard_exceptions,
        .exception_count = SOTTO_COUNT(standard_exceptions),
    },
    {
        .name = SOTTO_LIT_INIT("hipaa"),
        .answer_name = SOTTO_LIT_INIT("hipaa-aligned"),
        .tokenized = MODE_ALL_LABELS & ~(LABEL(AGE) | LABEL(OCCUPATION) | LABEL(NRP)),
        .exceptions = hipaa_exceptions,
        .exception_count = SOTTO_COUNT(hipaa_exceptions),
        .agreements = {hipaa_agreements, SOTTO_COUNT(hipaa_agreements)},
    },
    {
        .name = SOTTO_LIT_INIT("gdpr"),
        .answer_name = SOTTO_LIT_INIT("gdpr-aligned"),
        .tokenized = MODE_ALL_LABELS,
        .exceptions = gdpr_exceptions,
        .exception_count = SOTTO_COUNT(gdpr_exceptions),
        .agreements = {gdpr_agreements, SOTTO_COUNT(gdpr_agreements)},
        .special = true,
    },
    {
        .name = SOTTO_LIT_INIT("sox"),
        .answer_name = SOTTO_LIT_INIT("sox-aligned"),
        .tokenized = MODE_STANDARD | LABEL(ORG),
        .exceptions = standard_exceptions,
        .exception_count = SOTTO_COUNT(standard_exceptions),
    },
};

const size_t mode_builtin_count = SOTTO_COUNT(mode_builtin);

/* --- asking a mode --------------------------------------------------------------------------- */

static const struct mode_exception *find_exception(const struct sotto_mode *mode,
                                                   enum sotto_label label, sotto_span finer)
{
    for (size_t i = 0; i < mode->exception_count; i++) {
        if ((mode->exceptions[i].labels >> label & 1U) != 0 &&
            sotto_span_eq(mode->exceptions[i].finer, finer)) {
            return &mode->exceptions[i];
        }
    }
    return NULL;
}

static enum sotto_action action_of(const struct sotto_mode *mode, enum sotto_label label,
                                   sotto_span finer)
{
    const struct mode_exception *exception = find_exception(mode, label, finer);
    if (exception != NULL) {
        return exception->action;
    }
    if ((mode->blocked >> label & 1U) != 0) {
        return SOTTO_ACTION_BLOCK;
    }
    if ((mode->generalised >> label & 1U) != 0) {
        return SOTTO_ACTION_GENERALISE;
    }
    return (mode->tokenized >> label & 1U) != 0 ? SOTTO_ACTION_TOKENIZE : SOTTO_ACTION_PASS;
}

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

/* Four digits of a year that people write about. */
static bool is_bare_year(sotto_span text)
{
    return text.len == 4 && (text.base[0] == '1' || text.base[0] == '2') &&
           is_digit(text.base[1]) && is_digit(text.base[2]) && is_digit(text.base[3]);
}

/* Whether there is a number in the text and none is above 89.  Ages in words are not read. */
static bool is_age_to_89(sotto_span text)
{
    bool any = false;
    for (size_t i = 0; i < text.len; i++) {
        unsigned number = 0;
        size_t start = i;
        while (i < text.len && is_digit(text.base[i])) {
            number = number > 89 ? number : number * 10 + (unsigned)(text.base[i] - '0');
            i++;
        }
        if (number > 89) {
            return false;
        }
        any = any || i > start;
    }
    return any;
}

/* The exact type, where the text tells and detection did not. */
static sotto_span exact_type(enum sotto_label label, const char *finer, sotto_span text)
{
    if (label == SOTTO_LABEL_DATE && is_bare_year(text)) {
        return SOTTO_LIT("YEAR");
    }
    if (label == SOTTO_LABEL_AGE && !is_age_to_89(text)) {
        return SOTTO_LIT("AGE_OVER_89");
    }
    return sotto_span_str(finer);
}

enum sotto_action sotto_mode_action(const struct sotto_mode *mode, enum sotto_label label,
                                    const char *finer, sotto_span text)
{
    const struct mode_exception *exception = find_exception(mode, label, sotto_span_str(finer));
    if (exception != NULL) {
        return exception->action;
    }
    return action_of(mode, label, exact_type(label, finer, text));
}

struct sotto_mode_words sotto_mode_agreements(const struct sotto_mode *mode, bool require)
{
    return require || mode->agreements_count ? mode->agreements
                                             : (struct sotto_mode_words){NULL, 0};
}

struct sotto_mode_words sotto_mode_regions(const struct sotto_mode *mode)
{
    return mode->regions;
}

bool sotto_mode_is_special(const struct sotto_mode *mode, enum sotto_label label, const char *finer)
{
    /* Issued to patients, insured or not, for care alone: not those that also pay or identify. */
    static const char *const health[] = {"MRN",     "HEALTH_PLAN", "US_MBI", "UK_NHS",
                                         "DE_KVNR", "CH_VEKA",     "GR_AMKA"};
    if (!mode->special) {
        return false;
    }
    for (size_t i = 0; finer != NULL && i < SOTTO_COUNT(health); i++) {
        if (strcmp(finer, health[i]) == 0) {
            return true;
        }
    }
    return label == SOTTO_LABEL_NRP;
}

bool sotto_mode_content_passes(const struct sotto_mode *mode)
{
    return mode->content_passes;
}

sotto_span sotto_mode_name(const struct sotto_mode *mode)
{
    return mode->name;
}

sotto_span sotto_mode_answer_name(const struct sotto_mode *mode)
{
    return mode->answer_name;
}

/* Whether `mode` does to every finding with this exact type what `least` does, or what is stricter;
 * if not, `label` is set to one where it is not.  For a `floor` it is enough that none passes. */
static bool covers_type(const struct sotto_mode *mode, const struct sotto_mode *least, bool floor,
                        sotto_span finer, enum sotto_label *label)
{
    for (unsigned i = 0; i < SOTTO_LABEL_COUNT; i++) {
        *label = (enum sotto_label)i;
        enum sotto_action got = action_of(mode, *label, finer);
        if (got < action_of(least, *label, finer) && !(floor && got != SOTTO_ACTION_PASS)) {
            return false;
        }
    }
    return true;
}

bool mode_covers_findings(const struct sotto_mode *mode, const struct sotto_mode *least, bool floor,
                          sotto_span *finer, enum sotto_label *label)
{
    *finer = sotto_span_init(NULL, 0);
    if (!covers_type(mode, least, floor, *finer, label)) {
        return false;
    }
    for (size_t i = 0; i < mode->exception_count + least->exception_count; i++) {
        *finer = i < mode->exception_count ? mode->exceptions[i].finer
                                           : least->exceptions[i - mode->exception_count].finer;
        if (!covers_type(mode, least, floor, *finer, label)) {
            return false;
        }
    }
    return true;
}

bool sotto_mode_covers(const struct sotto_mode *mode, const struct sotto_mode *least)
{
    sotto_span finer;
    enum sotto_label label;
    return mode_covers_findings(mode, least, false, &finer, &label) &&
           (least->content_passes || !mode->content_passes);
}

/* --- sets ---------------------------------------------------------------------------------------- */

void sotto_modes_free(struct sotto_modes *modes)
{
    if (modes != NULL) {
        sotto_arena_free(&modes->arena);
        sotto_free(modes);
    }
}

const struct sotto_mode *sotto_modes_find(const struct sotto_modes *modes, sotto_span name)
{
    for (size_t i = 0; i < modes->count; i++) {
        if (sotto_span_eq(modes->items[i].name, name)) {
            return &modes->items[i];
        }
    }
    return NULL;
}

size_t sotto_modes_count(const struct sotto_modes *modes)
{
    return modes->count;
}

const struct sotto_mode *sotto_modes_at(const struct sotto_modes *modes, size_t i)
{
    return &modes->items[i];
}
