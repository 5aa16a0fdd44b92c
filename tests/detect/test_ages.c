/* SPDX-License-Identifier: Apache-2.0 */

#include "detect/ages.h"

#include "base/alloc.h"
#include "detect/finer.h"
#include "tap/tap.h"

/* Findings of `marked`, whose [persons] and {places} are without their brackets in `text`. */
static size_t read_marks(const char *marked, char *text, struct sotto_findings *list)
{
    size_t n = 0;
    for (const char *c = marked; *c != '\0'; c++) {
        if (*c == '[' || *c == '{') {
            struct sotto_finding f = {.start = (uint32_t)n};
            f.label = *c == '[' ? SOTTO_LABEL_PERSON : SOTTO_LABEL_LOCATION;
            if (sotto_findings_add(list, f) != SOTTO_OK) {
                abort();
            }
        } else if (*c == ']' || *c == '}') {
            list->items[list->count - 1].end = (uint32_t)n;
        } else {
            text[n++] = *c;
        }
    }
    return n;
}

/* The ages found, with commas between; they stand behind the other findings, in their order. */
static void check(const char *marked, const char *want)
{
    char text[128], got[128];
    struct sotto_findings list = {0};
    size_t n = read_marks(marked, text, &list), count = list.count, at = 0;

    IS_INT(sotto_ages_behind_names(sotto_span_init(text, n), &list), SOTTO_OK, "%s", marked);
    for (size_t i = 0; i < list.count; i++) {
        const struct sotto_finding *f = &list.items[i];
        OK(i <= count || f->start >= list.items[i - 1].end, "age %zu is behind the one before", i);
        if (f->label == SOTTO_LABEL_AGE) {
            at += (size_t)snprintf(got + at, sizeof(got) - at, "%s%.*s", at == 0 ? "" : ",",
                                   (int)(f->end - f->start), text + f->start);
        }
    }
    IS_TEXT(got, at, want, "ages in %s", marked);
    sotto_findings_free(&list);
}

static void test_ages(void)
{
    check("", "");
    check("[Anna Petersen] (34) and [Tom Baker] (72) of {Leeds}", "34,72");
    check("[Anna Petersen], 34, was arrested", "34");
    check("([Anna Petersen], 34)", "34");
    check("[Anna Petersen], 34", "34");
    check("[Anna Petersen], 34.", "34");
    check("[Anna Petersen], 34\r\n", "34");
    check("[Anna Petersen] (102, widow)", "102");
}

static void test_no_ages(void)
{
    check("[Petersen] (34)", "");
    check("{New York} (34)", "");
    check("[Anna Petersen] (1934)", "");
    check("[Anna Petersen] (34.5)", "");
    check("[Anna Petersen], 34.5", "");
    check("[Anna Petersen] (34", "");
    check("[Anna Petersen] (04)", "");
    check("[Anna Petersen] (7)", "");
    check("[Anna Petersen] (130)", "");
    check("[Anna Petersen], 34 Mill Lane", "");
    check("[Anna Petersen] 34, was", "");
    check("[Anna Petersen], ", "");
    check("[Anna Petersen],", "");
    check("[Anna Petersen], {34}, was", "");
}

static void test_finer(void)
{
    struct sotto_findings list = {0};
    char text[64];
    size_t n = read_marks("[Ann Bell] (89) [Tom Bell] (90)", text, &list);

    IS_INT(sotto_ages_behind_names(sotto_span_init(text, n), &list), SOTTO_OK, "two ages");
    IS_INT(list.count, 4, "both found");
    IS_INT(list.items[2].finer, SOTTO_FINER_NONE, "89 may stay in the mode for health data");
    IS_INT(list.items[3].finer, SOTTO_FINER_AGE_OVER_89, "90 may not");
    sotto_findings_free(&list);
}

static void test_failed_allocation(void)
{
    struct sotto_findings list = {0};
    char text[256];
    size_t n = read_marks("[Ann A] [Ann B] [Ann C] [Ann D] [Ann E] [Ann F] [Ann G] [Ann H] [Ann I] "
                          "[Ann J] [Ann K] [Ann L] [Ann M] [Ann N] [Ann O] [Ann P] (34)",
                          text, &list);
    size_t count = list.count;
    bool refused = false;

    list.cap = list.count; /* a list that is full */
    (void)sotto_alloc_set_fault(1);
    refused = sotto_ages_behind_names(sotto_span_init(text, n), &list) == SOTTO_ENOMEM;
    (void)sotto_alloc_set_fault(0);
    OK(refused, "no memory for another finding");
    IS_INT(list.count, count, "the findings are as they were");
    sotto_findings_free(&list);
}

int main(void)
{
    test_ages();
    test_no_ages();
    test_finer();
    test_failed_allocation();
    return done_testing();
}
