/* SPDX-License-Identifier: Apache-2.0 */

#include "policy/mode.h"

#include "base/alloc.h"
#include "tap/tap.h"

static const struct sotto_mode *find(const struct sotto_modes *modes, const char *name)
{
    return sotto_modes_find(modes, sotto_span_str(name));
}

static bool tokenizes(const struct sotto_modes *modes, const char *name, enum sotto_label label,
                      const char *finer, const char *text)
{
    return sotto_mode_action(find(modes, name), label, finer, sotto_span_str(text)) ==
           SOTTO_ACTION_TOKENIZE;
}

/* One line a label: the four built-in modes in the order standard, hipaa, gdpr, sox. */
static void test_table(const struct sotto_modes *modes)
{
    static const struct {
        enum sotto_label label;
        const char *finer, *text, *want; /* "T" or "-" */
    } rows[] = {
        {SOTTO_LABEL_PERSON, NULL, "Anna Keller", "TTTT"},
        {SOTTO_LABEL_ADDRESS, NULL, "Seeweg 4", "TTTT"},
        {SOTTO_LABEL_PHONE, NULL, "+41 44 668 18 00", "TTTT"},
        {SOTTO_LABEL_EMAIL, NULL, "a@example.org", "TTTT"},
        {SOTTO_LABEL_ID, "IBAN", "CH93 0076 2011 6238 5295 7", "TTTT"},
        {SOTTO_LABEL_ID, NULL, "8841", "TTTT"},
        {SOTTO_LABEL_SECRET, "JWT", "eyJ", "TTTT"},
        {SOTTO_LABEL_URL, "PERSONAL_URL", "https://example.org/~anna", "TTTT"},
        {SOTTO_LABEL_URL, NULL, "https://example.org/", "-TT-"},
        {SOTTO_LABEL_ORG, NULL, "Kantonsspital Aarau", "-TTT"},
        {SOTTO_LABEL_LOCATION, "CITY", "Aarau", "-TT-"},
        {SOTTO_LABEL_LOCATION, NULL, "Aarau", "-TT-"},
        {SOTTO_LABEL_LOCATION, "STATE", "Texas", "--T-"},
        {SOTTO_LABEL_LOCATION, "COUNTRY", "France", "----"},
        {SOTTO_LABEL_DATE, NULL, "3 May 2024", "-TT-"},
        {SOTTO_LABEL_DATE, "DATE_OF_BIRTH", "03.05.1984", "-TT-"},
        {SOTTO_LABEL_DATE, "YEAR", "2024", "----"},
        {SOTTO_LABEL_DATE, NULL, "2024", "----"},
        {SOTTO_LABEL_DATE, NULL, "3024", "-TT-"},
        {SOTTO_LABEL_DATE, NULL, "May 2024", "-TT-"},
        {SOTTO_LABEL_AGE, NULL, "89 years old", "--T-"},
        {SOTTO_LABEL_AGE, NULL, "90 years old", "-TT-"},
        {SOTTO_LABEL_AGE, "AGE_OVER_89", "ninety", "-TT-"},
        {SOTTO_LABEL_AGE, NULL, "ninety-one", "-TT-"},
        {SOTTO_LABEL_AGE, NULL, "between 70 and 118", "-TT-"},
        {SOTTO_LABEL_AGE, NULL, "4294967297 years", "-TT-"},
        {SOTTO_LABEL_AGE, NULL, "", "-TT-"},
        {SOTTO_LABEL_OCCUPATION, NULL, "nurse", "--T-"},
        {SOTTO_LABEL_NRP, NULL, "Catholic", "--T-"},
    };
    static const char *const names[] = {"standard", "hipaa", "gdpr", "sox"};
    for (size_t i = 0; i < SOTTO_COUNT(rows); i++) {
        for (size_t m = 0; m < SOTTO_COUNT(names); m++) {
            bool got = tokenizes(modes, names[m], rows[i].label, rows[i].finer, rows[i].text);
            IS_INT(got, rows[i].want[m] == 'T', "%s %s %s", names[m],
                   sotto_label_name(rows[i].label), rows[i].text);
        }
    }
}

static void test_names(const struct sotto_modes *modes)
{
    sotto_span answer = sotto_mode_answer_name(find(modes, "standard"));
    IS_TEXT(answer.base, answer.len, "standard", "standard answers with its name");
    answer = sotto_mode_answer_name(find(modes, "hipaa"));
    IS_TEXT(answer.base, answer.len, "hipaa-aligned", "hipaa answers that it is aligned");
    OK(find(modes, "HIPAA") == NULL, "names are compared with case");
    OK(find(modes, "") == NULL, "the empty name is no mode");
    IS_SIZE(sotto_modes_count(modes), 4, "there are four built-in modes");
    OK(sotto_modes_at(modes, 0) == find(modes, "standard"), "standard is the first");
    OK(sotto_mode_content_passes(find(modes, "standard")), "images pass in standard");
    OK(!sotto_mode_content_passes(find(modes, "hipaa")) &&
           !sotto_mode_content_passes(find(modes, "gdpr")) &&
           !sotto_mode_content_passes(find(modes, "sox")),
       "images are refused in the others");
}

static void test_strictness(const struct sotto_modes *modes)
{
    /* row covers column: standard, hipaa, gdpr, sox */
    static const char *const names[] = {"standard", "hipaa", "gdpr", "sox"};
    static const char *const covers[] = {"y---", "yy-y", "yyyy", "y--y"};
    for (size_t i = 0; i < 4; i++) {
        for (size_t j = 0; j < 4; j++) {
            IS_INT(sotto_mode_covers(find(modes, names[i]), find(modes, names[j])),
                   covers[i][j] == 'y', "%s is %sat least as strict as %s", names[i],
                   covers[i][j] == 'y' ? "" : "not ", names[j]);
        }
    }
}

static void test_own_modes(void)
{
    static const sotto_span clinic_tokenize[] = {SOTTO_LIT_INIT("OCCUPATION"),
                                                 SOTTO_LIT_INIT("STATE")};
    static const sotto_span clinic_pass[] = {SOTTO_LIT_INIT("CITY")};
    static const sotto_span ward_tokenize[] = {SOTTO_LIT_INIT("AGE"), SOTTO_LIT_INIT("BED")};
    static const sotto_span loose_pass[] = {SOTTO_LIT_INIT("DATE"), SOTTO_LIT_INIT("URL")};
    static const sotto_span loose_tokenize[] = {SOTTO_LIT_INIT("PERSONAL_URL"),
                                                SOTTO_LIT_INIT("IBAN")};
    const struct sotto_mode_def defs[] = {
        /* defined before its parent */
        {.name = SOTTO_LIT("ward"),
         .inherits = SOTTO_LIT("clinic"),
         .tokenize = ward_tokenize,
         .tokenize_count = 2},
        {.name = SOTTO_LIT("clinic"),
         .inherits = SOTTO_LIT("hipaa"),
         .tokenize = clinic_tokenize,
         .tokenize_count = 2,
         .pass = clinic_pass,
         .pass_count = 1},
        {.name = SOTTO_LIT("loose"),
         .inherits = SOTTO_LIT("hipaa"),
         .tokenize = loose_tokenize,
         .tokenize_count = 2,
         .pass = loose_pass,
         .pass_count = 2},
    };
    const struct sotto_finer_word words[] = {{SOTTO_LIT("BED"), SOTTO_LABEL_ORG}};
    struct sotto_modes *modes = NULL;
    IS_INT(sotto_modes_new(defs, 3, words, 1, &modes, NULL), SOTTO_OK, "modes of one's own");
    IS_SIZE(sotto_modes_count(modes), 7, "are added to the built-in ones");
    sotto_span answer = sotto_mode_answer_name(find(modes, "clinic"));
    IS_TEXT(answer.base, answer.len, "clinic-aligned", "they answer by their name");

    OK(tokenizes(modes, "clinic", SOTTO_LABEL_OCCUPATION, NULL, "nurse"), "a label is added");
    OK(tokenizes(modes, "clinic", SOTTO_LABEL_LOCATION, "STATE", "Texas"), "a type is added");
    OK(!tokenizes(modes, "clinic", SOTTO_LABEL_LOCATION, "CITY", "Aarau"), "a type passes");
    OK(!tokenizes(modes, "clinic", SOTTO_LABEL_LOCATION, "COUNTRY", "France"), "one is inherited");
    OK(!tokenizes(modes, "clinic", SOTTO_LABEL_AGE, NULL, "40 years"), "ages are inherited");
    OK(tokenizes(modes, "ward", SOTTO_LABEL_AGE, NULL, "40 years"),
       "a label moves with all its exact types");
    OK(tokenizes(modes, "ward", SOTTO_LABEL_OCCUPATION, NULL, "nurse"), "of the grandparent too");
    OK(!tokenizes(modes, "loose", SOTTO_LABEL_DATE, NULL, "3 May 2024"), "a label passes");
    OK(!tokenizes(modes, "loose", SOTTO_LABEL_URL, NULL, "https://example.org"), "and another");
    OK(tokenizes(modes, "loose", SOTTO_LABEL_URL, "PERSONAL_URL", "https://example.org/~a"),
       "but not its exact type that stays");

    OK(sotto_mode_covers(find(modes, "ward"), find(modes, "clinic")), "ward is stricter");
    OK(!sotto_mode_covers(find(modes, "clinic"), find(modes, "ward")), "than clinic");
    OK(!sotto_mode_covers(find(modes, "clinic"), find(modes, "hipaa")),
       "a mode that passes more than its parent does not cover it");
    OK(sotto_mode_covers(find(modes, "gdpr"), find(modes, "clinic")), "gdpr covers clinic");
    OK(!sotto_mode_content_passes(find(modes, "ward")), "the rule for images is inherited");
    sotto_modes_free(modes);
}

static void test_stricter_and_coarser(void)
{
    static const sotto_span block[] = {SOTTO_LIT_INIT("CREDIT_CARD"), SOTTO_LIT_INIT("SECRET")};
    static const sotto_span generalise[] = {SOTTO_LIT_INIT("AGE"), SOTTO_LIT_INIT("DATE"),
                                            SOTTO_LIT_INIT("POSTCODE")};
    static const sotto_span tokenize[] = {SOTTO_LIT_INIT("JWT")};
    static const sotto_span agreements[] = {SOTTO_LIT_INIT("baa"), SOTTO_LIT_INIT("dpa")};
    static const sotto_span regions[] = {SOTTO_LIT_INIT("ch")};
    const struct sotto_mode_def defs[] = {
        {.name = SOTTO_LIT("bank"),
         .inherits = SOTTO_LIT("hipaa"),
         .block = block,
         .block_count = 2,
         .generalise = generalise,
         .generalise_count = 3,
         .tokenize = tokenize,
         .tokenize_count = 1,
         .agreements = agreements,
         .agreement_count = 2,
         .regions = regions,
         .region_count = 1,
         .content = SOTTO_LIT("pass")},
        {.name = SOTTO_LIT("branch"), .inherits = SOTTO_LIT("bank")},
    };
    static const struct {
        enum sotto_label label;
        const char *finer;
        enum sotto_action want;
    } rows[] = {
        {SOTTO_LABEL_ID, "CREDIT_CARD", SOTTO_ACTION_BLOCK},
        {SOTTO_LABEL_ID, "IBAN", SOTTO_ACTION_TOKENIZE},
        {SOTTO_LABEL_SECRET, "PASSWORD", SOTTO_ACTION_BLOCK},
        {SOTTO_LABEL_SECRET, "JWT", SOTTO_ACTION_TOKENIZE},
        {SOTTO_LABEL_DATE, NULL, SOTTO_ACTION_GENERALISE},
        {SOTTO_LABEL_AGE, NULL, SOTTO_ACTION_GENERALISE},
        {SOTTO_LABEL_ADDRESS, "POSTCODE", SOTTO_ACTION_GENERALISE},
        {SOTTO_LABEL_ADDRESS, NULL, SOTTO_ACTION_TOKENIZE},
        {SOTTO_LABEL_OCCUPATION, NULL, SOTTO_ACTION_PASS},
    };
    struct sotto_modes *modes = NULL;
    IS_INT(sotto_modes_new(defs, 2, NULL, 0, &modes, NULL), SOTTO_OK, "modes with all actions");
    for (size_t i = 0; i < SOTTO_COUNT(rows); i++) {
        for (int m = 0; m < 2; m++) {
            IS_INT(sotto_mode_action(find(modes, m == 0 ? "bank" : "branch"), rows[i].label,
                                     rows[i].finer, SOTTO_LIT("x 7")),
                   rows[i].want, "row %zu of %s", i, m == 0 ? "bank" : "its child");
        }
    }
    const struct sotto_mode *branch = find(modes, "branch"), *hipaa = find(modes, "hipaa");
    OK(sotto_mode_content_passes(branch), "content is decided");
    OK(!sotto_mode_covers(branch, hipaa), "generalising is less strict than tokenizing");
    OK(sotto_mode_covers(branch, find(modes, "bank")), "a mode covers its like");
    IS_SIZE(sotto_mode_agreements(branch, false).count, 2, "its own agreements always count");
    IS_SIZE(sotto_mode_agreements(hipaa, false).count, 0, "built-in ones do not");
    IS_SIZE(sotto_mode_agreements(hipaa, true).count, 1, "but where they are required");
    IS_SIZE(sotto_mode_regions(branch).count, 1, "regions are inherited");
    IS_SIZE(sotto_mode_regions(hipaa).count, 0, "hipaa has none");
    const struct sotto_mode *gdpr = find(modes, "gdpr");
    OK(sotto_mode_is_special(gdpr, SOTTO_LABEL_NRP, NULL) &&
           sotto_mode_is_special(gdpr, SOTTO_LABEL_ID, "MRN"),
       "gdpr flags special categories");
    OK(!sotto_mode_is_special(gdpr, SOTTO_LABEL_PERSON, "") &&
           !sotto_mode_is_special(gdpr, SOTTO_LABEL_ID, "IBAN") &&
           !sotto_mode_is_special(hipaa, SOTTO_LABEL_NRP, NULL) &&
           !sotto_mode_is_special(hipaa, SOTTO_LABEL_ID, "MRN"),
       "and nothing else is flagged");
    sotto_modes_free(modes);
}

struct bad {
    const char *name, *inherits, *tokenize, *pass;
    const char *field, *sentence;
    const char *block, *generalise, *content;
};

static void test_bad(const struct bad *bad)
{
    sotto_span tokenize = sotto_span_str(bad->tokenize), pass = sotto_span_str(bad->pass);
    sotto_span block = sotto_span_str(bad->block), generalise = sotto_span_str(bad->generalise);
    const struct sotto_mode_def defs[] = {
        {.name = SOTTO_LIT("first"), .inherits = SOTTO_LIT("gdpr")},
        {.name = sotto_span_str(bad->name),
         .inherits = sotto_span_str(bad->inherits),
         .tokenize = &tokenize,
         .tokenize_count = bad->tokenize != NULL ? 1 : 0,
         .pass = &pass,
         .pass_count = bad->pass != NULL ? 1 : 0,
         .block = &block,
         .block_count = bad->block != NULL ? 1 : 0,
         .generalise = &generalise,
         .generalise_count = bad->generalise != NULL ? 1 : 0,
         .content = sotto_span_str(bad->content)},
    };
    struct sotto_modes *modes = NULL;
    struct sotto_mode_error wrong = {0};
    IS_INT(sotto_modes_new(defs, 2, NULL, 0, &modes, &wrong), SOTTO_EINVAL, "%s is refused",
           bad->sentence);
    OK(modes == NULL, "nothing comes out");
    IS_SIZE(wrong.def, 1, "the definition is named");
    IS_TEXT(wrong.field, wrong.field != NULL ? strlen(wrong.field) : 0,
            bad->field != NULL ? bad->field : "", "the field is named");
    IS_TEXT(wrong.sentence, strlen(wrong.sentence), bad->sentence, "the sentence");
}

static void test_bad_modes(void)
{
#define NAME_SENTENCE                                                                              \
    "the name must be 1 to 48 lower-case letters, digits and hyphens, beginning with a letter"
    static const struct bad list[] = {
        {"", "gdpr", NULL, NULL, NULL, NAME_SENTENCE, NULL, NULL, NULL},
        {"9x", "gdpr", NULL, NULL, NULL, NAME_SENTENCE, NULL, NULL, NULL},
        {"Clinic", "gdpr", NULL, NULL, NULL, NAME_SENTENCE, NULL, NULL, NULL},
        {"a234567890123456789012345678901234567890123456789", "gdpr", NULL, NULL, NULL,
         NAME_SENTENCE, NULL, NULL, NULL},
        {"hipaa", "gdpr", NULL, NULL, NULL, "the name is that of a built-in mode", NULL, NULL,
         NULL},
        {"first", "gdpr", NULL, NULL, NULL, "the name is taken", NULL, NULL, NULL},
        {"x", "nothing", NULL, NULL, "inherits", "must be the name of a mode", NULL, NULL, NULL},
        {"x", "x", NULL, NULL, "inherits", "must not lead back to the mode itself", NULL, NULL,
         NULL},
        {"x", "gdpr", "PERSN", NULL, "tokenize", "must be a label or an exact type, not 'PERSN'",
         NULL, NULL, NULL},
        {"x", "gdpr", NULL, "person", "pass", "must be a label or an exact type, not 'person'",
         NULL, NULL, NULL},
        {"x", "gdpr", "DATE", "DATE", "pass", "must not stand in tokenize as well", NULL, NULL,
         NULL},
        {"x", "gdpr", NULL, "PERSON", "pass", "would let PERSON pass, which standard tokenizes",
         NULL, NULL, NULL},
        {"x", "gdpr", NULL, "URL", "pass", "would let PERSONAL_URL pass, which standard tokenizes",
         NULL, NULL, NULL},
        {"x", "gdpr", NULL, "IBAN", "pass", "would let IBAN pass, which standard tokenizes", NULL,
         NULL, NULL},
        {"x", "sox", NULL, "PERSONAL_URL", "pass",
         "would let PERSONAL_URL pass, which standard tokenizes", NULL, NULL, NULL},
        {"x", "gdpr", "ID", NULL, "block", "must not stand in tokenize as well", "ID", NULL, NULL},
        {"x", "gdpr", NULL, "DATE", "pass", "must not stand in generalise as well", NULL, "DATE",
         NULL},
        {"x", "gdpr", NULL, NULL, "block", "must be a label or an exact type, not 'IBN'", "IBN",
         NULL, NULL},
        {"x", "gdpr", NULL, NULL, "generalise",
         "must be DATE, DATE_OF_BIRTH, AGE, AGE_OVER_89 or POSTCODE: there is no rule for others",
         NULL, "PERSON", NULL},
        {"x", "gdpr", NULL, NULL, "content", "must be pass or refuse", NULL, NULL, "maybe"},
    };
    for (size_t i = 0; i < SOTTO_COUNT(list); i++) {
        test_bad(&list[i]);
    }
}

static void test_every_allocation_failure(void)
{
    static const sotto_span tokenize[] = {SOTTO_LIT_INIT("OCCUPATION"), SOTTO_LIT_INIT("STATE")};
    const struct sotto_mode_def def = {.name = SOTTO_LIT("clinic"),
                                       .inherits = SOTTO_LIT("hipaa"),
                                       .tokenize = tokenize,
                                       .tokenize_count = 2,
                                       .agreements = tokenize,
                                       .agreement_count = 2,
                                       .regions = tokenize,
                                       .region_count = 1};
    enum sotto_err err = SOTTO_ENOMEM;
    int n = 0;
    while (err == SOTTO_ENOMEM) {
        struct sotto_modes *modes = NULL;
        sotto_alloc_set_fault((size_t)++n);
        err = sotto_modes_new(&def, 1, NULL, 0, &modes, NULL);
        sotto_alloc_set_fault(0);
        OK((err == SOTTO_OK) == (modes != NULL), "allocation %d fails: nothing comes out", n);
        sotto_modes_free(modes);
    }
    OK(err == SOTTO_OK && n > 2, "without a fault the set is made");
}

int main(void)
{
    struct sotto_modes *modes = NULL;
    if (!OK(sotto_modes_new(NULL, 0, NULL, 0, &modes, NULL) == SOTTO_OK, "the built-in modes")) {
        return done_testing();
    }
    test_table(modes);
    test_names(modes);
    test_strictness(modes);
    sotto_modes_free(modes);
    sotto_modes_free(NULL);
    test_own_modes();
    test_stricter_and_coarser();
    test_bad_modes();
    test_every_allocation_failure();
    return done_testing();
}
