/* SPDX-License-Identifier: Apache-2.0 */

#include "detect/known.h"

#include "base/alloc.h"
#include "tap/tap.h"

struct value {
    const char *text;
    enum sotto_label label;
};

static struct sotto_known *make(const struct value *values, size_t count)
{
    struct sotto_known *known;
    if (sotto_known_new(&known) != SOTTO_OK) {
        abort();
    }
    for (size_t i = 0; i < count && values[i].text != NULL; i++) {
        struct sotto_finding f = {.label = (uint8_t)values[i].label, .score = 700};
        if (sotto_known_add(known, sotto_span_str(values[i].text), &f) != SOTTO_OK) {
            abort();
        }
    }
    return known;
}

/* "PERSON:Jane Doe|..." */
static void describe(const struct sotto_findings *list, sotto_span text, char *out, size_t cap)
{
    size_t n = 0;
    out[0] = '\0';
    for (size_t i = 0; i < list->count && n < cap; i++) {
        const struct sotto_finding *f = &list->items[i];
        sotto_span value = sotto_span_sub(text, f->start, f->end);
        n += (size_t)snprintf(out + n, cap - n, "%s%s:%.*s", i == 0 ? "" : "|",
                              sotto_label_name((enum sotto_label)f->label), SOTTO_FMT(value));
    }
}

static const struct {
    const char *name;
    struct value values[3];
    const char *text, *want;
} cases[] = {
    {"no values", {{0}}, "Jane Doe", ""},
    {"a full name", {{"Jane Doe", SOTTO_LABEL_PERSON}}, "ask Jane Doe.", "PERSON:Jane Doe"},
    {"its parts",
     {{"Jane Doe", SOTTO_LABEL_PERSON}},
     "Jane called. Mrs. Doe left.",
     "PERSON:Jane|PERSON:Doe"},
    {"a short part in lower case is a word",
     {{"Jane Doe", SOTTO_LABEL_PERSON}},
     "a doe and jane",
     ""},
    {"other case and spacing",
     {{"Jane Doe", SOTTO_LABEL_PERSON}},
     "JANE  DOE, jane.doe, jane_doe",
     "PERSON:JANE  DOE|PERSON:jane.doe|PERSON:jane_doe"},
    {"inside a word",
     {{"John Doe", SOTTO_LABEL_PERSON}},
     "user JohnDoe1984 and xjohndoe",
     "PERSON:JohnDoe1984|PERSON:xjohndoe"},
    {"a common word counts in the full name only",
     {{"Will Smith", SOTTO_LABEL_PERSON}},
     "Will you? Will Smith will. Smith",
     "PERSON:Will Smith|PERSON:Smith"},
    {"a common word alone is no value",
     {{"Will", SOTTO_LABEL_PERSON}, {"Mark", SOTTO_LABEL_PERSON}},
     "Will it? Mark my words",
     ""},
    {"a full name of ordinary words is capitalised and no part of a word",
     {{"Mark An", SOTTO_LABEL_PERSON}},
     "mark an item, markante, Mark An, MARK AN",
     "PERSON:Mark An|PERSON:MARK AN"},
    {"a name of two letters counts as it is written",
     {{"Xu", SOTTO_LABEL_PERSON}},
     "5 xu, XU tube, Xu",
     "PERSON:Xu"},
    {"a surname is no part of another word",
     {{"Anna Martin", SOTTO_LABEL_PERSON}},
     "Martinique, Martins, MartinX",
     "PERSON:Martins|PERSON:MartinX"},
    {"particles and initials do not stand alone",
     {{"J. van der Meulen", SOTTO_LABEL_PERSON}},
     "van der J. Meulen",
     "PERSON:Meulen"},
    {"the longest wins",
     {{"Anna Meier", SOTTO_LABEL_PERSON}, {"Anna Meier Lang", SOTTO_LABEL_PERSON}},
     "Anna Meier Lang",
     "PERSON:Anna Meier Lang"},
    {"secrets byte for byte",
     {{"aB3xYz9Q", SOTTO_LABEL_SECRET}},
     "aB3xYz9Q ab3xyz9q (aB3xYz9Q)",
     "SECRET:aB3xYz9Q|SECRET:aB3xYz9Q"},
    {"a phone number without its separators",
     {{"555-123-4567", SOTTO_LABEL_PHONE}},
     "5551234567 or 555 123 4567",
     "PHONE:5551234567|PHONE:555 123 4567"},
    {"an e-mail address in another case",
     {{"jane@example.org", SOTTO_LABEL_EMAIL}},
     "JANE@Example.org",
     "EMAIL:JANE@Example.org"},
    {"other labels are not looked for",
     {{"Berlin", SOTTO_LABEL_LOCATION}, {"12 May 1970", SOTTO_LABEL_DATE}},
     "Berlin 12 May 1970",
     ""},
    {"diacritics and hidden characters",
     {{"Jos\xc3\xa9 Garc\xc3\xad"
       "a",
       SOTTO_LABEL_PERSON}},
     "Jose\xcc\x81 Gar\xe2\x80\x8b"
     "cia",
     "PERSON:Jose\xcc\x81 Gar\xe2\x80\x8b"
     "cia"},
    {"an ID that holds a name",
     {{"Jane Doe", SOTTO_LABEL_PERSON}, {"JD-4711", SOTTO_LABEL_ID}},
     "JD-4711 Jane Doe",
     "ID:JD-4711|PERSON:Jane Doe"},
};

static void test_cases(void)
{
    for (size_t i = 0; i < SOTTO_COUNT(cases); i++) {
        struct sotto_known *known = make(cases[i].values, 3);
        struct sotto_findings out = {0};
        sotto_span text = sotto_span_str(cases[i].text);
        char got[256];
        IS_INT(sotto_known_scan(known, text, &out), SOTTO_OK, "%s", cases[i].name);
        describe(&out, text, got, sizeof(got));
        IS_TEXT(got, strlen(got), cases[i].want, "%s: findings", cases[i].name);
        sotto_findings_free(&out);
        sotto_known_free(known);
    }
}

static void test_adding_after_a_scan(void)
{
    static const struct value first = {"Jane Doe", SOTTO_LABEL_PERSON};
    struct sotto_known *known = make(&first, 1);
    struct sotto_findings out = {0};
    struct sotto_finding f = {.label = SOTTO_LABEL_PERSON, .score = 700};
    sotto_span text = SOTTO_LIT("Jane Doe met Peter Miller");
    IS_INT(sotto_known_scan(known, text, &out), SOTTO_OK, "a first scan");
    IS_SIZE(out.count, 1, "finds one");
    IS_INT(sotto_known_add(known, SOTTO_LIT("Peter Miller"), &f), SOTTO_OK, "one more value");
    sotto_findings_clear(&out);
    IS_INT(sotto_known_scan(known, text, &out), SOTTO_OK, "a second scan");
    IS_SIZE(out.count, 2, "finds both");
    sotto_findings_free(&out);
    sotto_known_free(known);
}

static void test_many_values(void)
{
    struct sotto_known *known = make(NULL, 0);
    struct sotto_findings out = {0};
    struct sotto_finding f = {.label = SOTTO_LABEL_ID, .score = 700};
    char value[32];
    bool ok = true;
    for (int i = 0; i < 20000; i++) {
        size_t n = (size_t)snprintf(value, sizeof(value), "X%05d-%c", i, 'A' + i % 26);
        ok = ok && sotto_known_add(known, sotto_span_init(value, n), &f) == SOTTO_OK;
    }
    OK(ok, "20,000 values are added");
    IS_INT(sotto_known_scan(known, SOTTO_LIT("X00000-A X19999-F X20000-G x00001-B"), &out),
           SOTTO_OK, "and looked for");
    IS_SIZE(out.count, 2, "those that are there are found");
    sotto_findings_free(&out);
    sotto_known_free(known);
}

static void test_failed_allocations(void)
{
    static const struct value values[] = {{"Jane Doe", SOTTO_LABEL_PERSON}};
    struct sotto_finding f = {.label = SOTTO_LABEL_ID, .score = 700};
    char value[3000];
    memset(value, '7', sizeof(value));
    for (size_t n = 1; n <= 3; n++) {
        struct sotto_known *known = make(values, 1);
        struct sotto_findings out = {0};
        (void)sotto_alloc_set_fault(n);
        IS_INT(sotto_known_add(known, sotto_span_init(value, sizeof(value)), &f), SOTTO_ENOMEM,
               "adding: allocation %zu fails", n);
        (void)sotto_alloc_set_fault(0);
        IS_INT(sotto_known_scan(known, SOTTO_LIT("Jane Doe"), &out), SOTTO_OK, "the set works");
        IS_SIZE(out.count, 1, "and has what it had");
        sotto_findings_free(&out);
        sotto_known_free(known);
    }
    for (size_t n = 1; n <= 2; n++) {
        struct sotto_known *known = make(values, 1);
        struct sotto_findings out = {0};
        (void)sotto_alloc_set_fault(n);
        IS_INT(sotto_known_scan(known, SOTTO_LIT("Jane Doe"), &out), SOTTO_ENOMEM,
               "scanning: allocation %zu fails", n);
        (void)sotto_alloc_set_fault(0);
        IS_SIZE(out.count, 0, "nothing is appended");
        sotto_findings_free(&out);
        sotto_known_free(known);
    }
}

int main(void)
{
    test_cases();
    test_adding_after_a_scan();
    test_many_values();
    test_failed_allocations();
    return done_testing();
}
