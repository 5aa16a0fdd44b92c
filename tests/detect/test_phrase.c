/* SPDX-License-Identifier: Apache-2.0 */

#include "detect/phrase.h"

#include "base/alloc.h"
#include "tap/tap.h"

struct seen {
    sotto_span text;
    char out[256];
    size_t len;
};

static enum sotto_err note(void *ctx, size_t start, size_t end, uint32_t id)
{
    struct seen *seen = ctx;
    seen->len += (size_t)snprintf(seen->out + seen->len, sizeof(seen->out) - seen->len, "%u:%.*s|",
                                  id, SOTTO_FMT(sotto_span_sub(seen->text, start, end)));
    return SOTTO_OK;
}

static void test_cases(void)
{
    static const char *const phrases[] = {"Acme",    "New  York", "#beta",
                                          "O'Brien", "c++",       "Z\xc3\xbcrich"};
    static const struct {
        const char *in, *want;
    } cases[] = {
        {"", ""},
        {"acme ACME Acmes xAcme", "0:acme|0:ACME|"},
        {"in New York and NEW\n\tYORK, New Yorker", "1:New York|1:NEW\n\tYORK|"},
        {"#beta beta x#beta", "2:#beta|2:#beta|"},
        {"Mr. O'Brien, O'Briens", "3:O'Brien|"},
        {"C++ or c+", "4:C++|"},
        {"Z\xc3\x9cRICH Zurich", "5:Z\xc3\x9cRICH|"},
        {"Ac\xe2\x80\x8bme", "0:Ac\xe2\x80\x8bme|"},
    };
    struct sotto_phrases *set;
    IS_INT(sotto_phrases_new(&set), SOTTO_OK, "a set");
    OK(sotto_phrases_empty(set), "is empty at first");
    for (uint32_t i = 0; i < SOTTO_COUNT(phrases); i++) {
        IS_INT(sotto_phrases_add(set, sotto_span_str(phrases[i]), i), SOTTO_OK, "add '%s'",
               phrases[i]);
    }
    IS_INT(sotto_phrases_add(set, SOTTO_LIT(" *** "), 9), SOTTO_EINVAL, "no letter or digit");
    IS_INT(sotto_phrases_add(set, SOTTO_LIT("a\xff"), 9), SOTTO_EINVAL, "not UTF-8");
    for (size_t i = 0; i < SOTTO_COUNT(cases); i++) {
        struct seen seen = {.text = sotto_span_str(cases[i].in)};
        IS_INT(sotto_phrases_scan(set, seen.text, 0, seen.text.len, note, &seen), SOTTO_OK,
               "scan text %zu", i);
        IS_TEXT(seen.out, seen.len, cases[i].want, "found in text %zu", i);
    }
    sotto_phrases_free(set);
}

static void test_failed_allocations(void)
{
    for (size_t n = 1; n <= 2; n++) {
        struct sotto_phrases *set;
        if (sotto_phrases_new(&set) != SOTTO_OK) {
            abort();
        }
        (void)sotto_alloc_set_fault(n);
        IS_INT(sotto_phrases_add(set, SOTTO_LIT("Acme"), 1), SOTTO_ENOMEM, "allocation %zu fails",
               n);
        (void)sotto_alloc_set_fault(0);
        OK(sotto_phrases_empty(set), "the set is as it was");
        sotto_phrases_free(set);
    }
}

int main(void)
{
    test_cases();
    test_failed_allocations();
    return done_testing();
}
