/* SPDX-License-Identifier: Apache-2.0 */

#include "detect/names/names.h"

#include "base/alloc.h"
#include "tap/tap.h"

#define ENOUGH 500 /* the built-in threshold */

static void describe(sotto_span text, const struct sotto_findings *list, char *out, size_t cap)
{
    size_t n = 0;
    out[0] = '\0';
    for (size_t i = 0; i < list->count && n < cap; i++) {
        const struct sotto_finding *f = &list->items[i];
        if (f->score >= ENOUGH) {
            n += (size_t)snprintf(out + n, cap - n, "%s%s:%.*s", n == 0 ? "" : "|",
                                  sotto_label_name((enum sotto_label)f->label),
                                  SOTTO_FMT(sotto_span_sub(text, f->start, f->end)));
        }
    }
}

static const struct {
    const char *in, *want;
} names_cases[] = {
#include "golden.h"
};

static void test_golden(void)
{
    struct sotto_names *names;
    if (sotto_names_new(&names) != SOTTO_OK) {
        abort();
    }
    for (size_t i = 0; i < SOTTO_COUNT(names_cases); i++) {
        sotto_span text = sotto_span_str(names_cases[i].in);
        struct sotto_findings out = {0};
        char got[512];
        sotto_names_begin(names);
        IS_INT(sotto_names_scan(names, text, 0, text.len, &out), SOTTO_OK, "text %zu", i);
        describe(text, &out, got, sizeof(got));
        IS_TEXT(got, strlen(got), names_cases[i].want, "names in text %zu: %.*s", i,
                (int)strcspn(names_cases[i].in, "\n"), names_cases[i].in);
        sotto_findings_free(&out);
    }
    sotto_names_free(names);
}

static void test_failed_allocation(void)
{
    struct sotto_names *names = NULL;
    (void)sotto_alloc_set_fault(1);
    IS_INT(sotto_names_new(&names), SOTTO_ENOMEM, "no memory");
    (void)sotto_alloc_set_fault(0);
    OK(names == NULL, "gives nothing");
}

int main(void)
{
    test_golden();
    test_failed_allocation();
    return done_testing();
}
