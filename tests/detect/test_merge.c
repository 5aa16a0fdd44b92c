/* SPDX-License-Identifier: Apache-2.0 */

#include "detect/merge.h"

#include "base/alloc.h"
#include "tap/tap.h"

static struct sotto_finding finding(uint32_t start, uint32_t end, unsigned score,
                                    enum sotto_label label)
{
    return (struct sotto_finding){.start = start,
                                  .end = end,
                                  .score = (uint16_t)score,
                                  .label = (uint8_t)label,
                                  .layer = SOTTO_LAYER_RECOGNIZER};
}

static void add(struct sotto_findings *list, struct sotto_finding f)
{
    if (sotto_findings_add(list, f) != SOTTO_OK) {
        abort();
    }
}

/* "0-4 PERSON,6-8 DATE" */
static void describe(const struct sotto_findings *list, char *out, size_t cap)
{
    size_t n = 0;
    out[0] = '\0';
    for (size_t i = 0; i < list->count && n < cap; i++) {
        const struct sotto_finding *f = &list->items[i];
        n += (size_t)snprintf(out + n, cap - n, "%s%u-%u %s", i == 0 ? "" : ",", f->start, f->end,
                              sotto_label_name((enum sotto_label)f->label));
    }
}

static void test_cases(void)
{
    static const char text[] = "John Smith Street 12, 8000 Bern";
    static const struct {
        const char *name;
        struct {
            uint32_t start, end;
            unsigned score;
            enum sotto_label label;
        } in[3];
        const char *want;
    } cases[] = {
        {"nothing", {{0}}, ""},
        {"one", {{0, 4, 600, SOTTO_LABEL_PERSON}}, "0-4 PERSON"},
        {"apart, in the wrong order",
         {{11, 17, 600, SOTTO_LABEL_ADDRESS}, {0, 4, 600, SOTTO_LABEL_PERSON}},
         "0-4 PERSON,11-17 ADDRESS"},
        {"the same twice",
         {{0, 4, 600, SOTTO_LABEL_PERSON}, {0, 4, 700, SOTTO_LABEL_PERSON}},
         "0-4 PERSON"},
        {"one label grows together",
         {{0, 10, 600, SOTTO_LABEL_PERSON}, {5, 17, 700, SOTTO_LABEL_PERSON}},
         "0-17 PERSON"},
        {"the longer one wins with like scores",
         {{0, 31, 700, SOTTO_LABEL_ADDRESS}, {27, 31, 700, SOTTO_LABEL_LOCATION}},
         "0-31 ADDRESS"},
        {"the surer one wins and the rest is kept",
         {{0, 17, 500, SOTTO_LABEL_ADDRESS}, {0, 10, 900, SOTTO_LABEL_PERSON}},
         "0-10 PERSON,11-17 ADDRESS"},
        {"a rest on both sides",
         {{0, 20, 500, SOTTO_LABEL_ADDRESS}, {5, 10, 990, SOTTO_LABEL_PERSON}},
         "0-4 ADDRESS,5-10 PERSON,11-20 ADDRESS"},
        {"a rest without a word is dropped",
         {{0, 22, 500, SOTTO_LABEL_ADDRESS}, {0, 20, 990, SOTTO_LABEL_PERSON}},
         "0-20 PERSON"},
        {"a cut word stays covered",
         {{0, 17, 500, SOTTO_LABEL_ADDRESS}, {0, 7, 990, SOTTO_LABEL_ID}},
         "0-7 ID,7-17 ADDRESS"},
    };
    for (size_t i = 0; i < SOTTO_COUNT(cases); i++) {
        for (int reverse = 0; reverse < 2; reverse++) {
            struct sotto_findings list = {0};
            char got[256];
            for (size_t k = 0; k < 3; k++) {
                size_t at = reverse != 0 ? 2 - k : k;
                if (cases[i].in[at].end != 0) {
                    add(&list, finding(cases[i].in[at].start, cases[i].in[at].end,
                                       cases[i].in[at].score, cases[i].in[at].label));
                }
            }
            IS_INT(sotto_merge(sotto_span_str(text), &list), SOTTO_OK, "%s", cases[i].name);
            describe(&list, got, sizeof(got));
            IS_TEXT(got, strlen(got), cases[i].want, "%s: findings", cases[i].name);
            sotto_findings_free(&list);
        }
    }
}

/* Marks the letters and digits that the findings cover. */
static void cover(const struct sotto_findings *list, const char *text, char *map)
{
    for (size_t i = 0; i < list->count; i++) {
        for (uint32_t at = list->items[i].start; at < list->items[i].end; at++) {
            map[at] = text[at] != ' ';
        }
    }
}

static void test_exact_types(void)
{
    struct sotto_findings list = {0};
    struct sotto_finding tagged = finding(12, 23, 999, SOTTO_LABEL_LOCATION);
    struct sotto_finding named = finding(12, 23, 700, SOTTO_LABEL_LOCATION);
    tagged.layer = SOTTO_LAYER_TAGGER;
    named.layer = SOTTO_LAYER_NAMES;
    named.finer = 7;
    add(&list, tagged);
    add(&list, named);
    OK(sotto_merge(SOTTO_LIT("They are in Switzerland."), &list) == SOTTO_OK && list.count == 1 &&
           list.items[0].score == 999 && list.items[0].finer == 7,
       "what the tagger is surest of keeps the exact type that a list knows");
    sotto_findings_clear(&list);
    named.end = 18;
    add(&list, tagged);
    add(&list, named);
    OK(sotto_merge(SOTTO_LIT("They are in Switzerland."), &list) == SOTTO_OK && list.count == 1 &&
           list.items[0].finer == 0,
       "but not that of a part of it");
    sotto_findings_free(&list);
}

static void test_nothing_is_uncovered(void)
{
    static const char text[] = "aa bbb c dddd ee f gg hhh ii jjjjj kk l mmm nn ooo p qq rrr";
    size_t len = sizeof(text) - 1, wrong = 0;
    unsigned seed = 1;
    for (int round = 0; round < 3000; round++) {
        struct sotto_findings list = {0};
        char before[sizeof(text)] = {0}, after[sizeof(text)] = {0};
        for (int k = 0; k < 12; k++) {
            seed = seed * 1103515245U + 12345U;
            uint32_t start = (seed >> 8) % (uint32_t)len;
            uint32_t end = start + 1 + (seed >> 20) % 13;
            add(&list, finding(start, end < len ? end : (uint32_t)len, 300 + (seed >> 5) % 700,
                               (enum sotto_label)((seed >> 3) % SOTTO_LABEL_COUNT)));
        }
        cover(&list, text, before);
        wrong += sotto_merge(sotto_span_init(text, len), &list) != SOTTO_OK;
        cover(&list, text, after);
        wrong += memcmp(before, after, len) != 0;
        for (size_t i = 0; i < list.count; i++) {
            wrong += list.items[i].end <= list.items[i].start ||
                     (i > 0 && list.items[i].start < list.items[i - 1].end);
        }
        sotto_findings_free(&list);
    }
    IS_SIZE(wrong, 0, "what was covered stays covered, sorted and without overlaps");
}

static void test_known_values(void)
{
    static const char text[] = "Thornbury Ltd, thornbury, t.thornbury@example.org";
    static const struct {
        const char *name;
        uint32_t start, end; /* of the finding */
        enum sotto_label label;
        const char *want;
    } cases[] = {
        {"a known name is no town", 15, 24, SOTTO_LABEL_LOCATION, "15-24 PERSON"},
        {"it stands alone where nothing was found", 0, 13, SOTTO_LABEL_ORG,
         "0-13 ORG,15-24 PERSON"},
        {"it says nothing new inside a longer name", 10, 24, SOTTO_LABEL_PERSON, ""},
        {"and inside a place it takes its part", 10, 24, SOTTO_LABEL_LOCATION,
         "10-13 LOCATION,15-24 PERSON"},
    };
    for (size_t i = 0; i < SOTTO_COUNT(cases); i++) {
        struct sotto_finding found = finding(cases[i].start, cases[i].end, 1000, cases[i].label);
        struct sotto_finding known = finding(15, 24, 500, SOTTO_LABEL_PERSON);
        struct sotto_findings list = {0};
        char got[256];
        known.layer = SOTTO_LAYER_KNOWN;
        add(&list, known);
        IS_INT(sotto_merge_known(sotto_span_str(text), &found, 1, &list), SOTTO_OK, "%s",
               cases[i].name);
        describe(&list, got, sizeof(got));
        IS_TEXT(got, strlen(got), cases[i].want, "%s: the findings", cases[i].name);
        sotto_findings_free(&list);
    }
}

/* Known are the words of a name, not its particles. */
static void test_known_parts(void)
{
    struct sotto_findings list = {0};
    struct sotto_finding known = finding(16, 20, 500, SOTTO_LABEL_PERSON);
    char got[64];
    known.layer = SOTTO_LAYER_KNOWN;
    add(&list, known);
    IS_INT(sotto_merge_known(SOTTO_LIT("so declared Dos Reis"), NULL, 0, &list), SOTTO_OK,
           "a known word behind a particle");
    describe(&list, got, sizeof(got));
    IS_TEXT(got, strlen(got), "12-20 PERSON", "makes a whole name");
    sotto_findings_free(&list);
}

/* The tagger is sure that there is something; what it is the recognizers know. */
static void test_forms(void)
{
    struct sotto_findings list = {0};
    struct sotto_finding tagged = finding(0, 11, 1000, SOTTO_LABEL_DATE);
    struct sotto_finding known = finding(0, 11, 800, SOTTO_LABEL_ID);
    char got[64];
    tagged.layer = SOTTO_LAYER_TAGGER;
    add(&list, tagged);
    add(&list, known);
    IS_INT(sotto_merge(SOTTO_LIT("536-22-8726"), &list), SOTTO_OK, "a number with two labels");
    describe(&list, got, sizeof(got));
    IS_TEXT(got, strlen(got), "0-11 ID", "bears that of the recognizer");
    sotto_findings_free(&list);
}

static void test_failed_allocations(void)
{
    for (size_t n = 1; n <= 2; n++) {
        struct sotto_findings list = {0};
        add(&list, finding(5, 10, 600, SOTTO_LABEL_PERSON));
        add(&list, finding(0, 4, 600, SOTTO_LABEL_PERSON));
        (void)sotto_alloc_set_fault(n);
        IS_INT(sotto_merge(SOTTO_LIT("John Smith"), &list), SOTTO_ENOMEM, "allocation %zu fails",
               n);
        (void)sotto_alloc_set_fault(0);
        OK(list.count == 2 && list.items[0].start == 5, "the list is as it was");
        sotto_findings_free(&list);
    }
}

int main(void)
{
    test_cases();
    test_exact_types();
    test_nothing_is_uncovered();
    test_known_values();
    test_known_parts();
    test_forms();
    test_failed_allocations();
    return done_testing();
}
