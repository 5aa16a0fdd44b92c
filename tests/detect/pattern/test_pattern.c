/* SPDX-License-Identifier: Apache-2.0 */

/* The scan as a whole: windows, failing allocations, order, hostile bytes. */

#include "base/alloc.h"
#include "marked.h"

/* One of everything, close together, in several scripts. */
static const char mixed[] =
    "Patient J\xc3\xbcrg, aged 94 (MRN: ST-998877), seen on 03/14/2021 and on May 3rd, 2021.\n"
    "Write to anna.k@example.org or call +41 (0)44 668 18 00, SSN 123-45-6789; AHV "
    "756.9217.0769.85 IBAN CH93 0076 2011 6238 5295 7\xe2\x80\x94"
    "card 4111 1111 1111 1111.\n"
    "Lives at 12 Main Street, Apt 4B, Springfield, IL 62704, before Bahnhofstrasse 12, 8001 "
    "Z\xc3\xbcrich; https://example.org/users/42?x=1 192.168.17.24 00:1A:2B:3C:4D:5E\n"
    "password=hunter2 userKey = 'a8f5f167f44f4964' ghp_abcdefghijklmnopqrstuvwxyz0123456789\n"
    "\xe6\x82\xa3\xe8\x80\x85 94\xe2\x80\x8b-year-old, 2001:db8:85a3::8a2e:370:7334, 12 rue de la "
    "Paix, 75002 Paris, Calle Mayor 5, 3\xc2\xba B, "
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3OD.abc_\n"
    "-----BEGIN PRIVATE KEY-----\nMIIEow+/=\n-----END PRIVATE KEY-----\nP.O. Box 123, since 2009 "
    "(01)00844588003288(10)A213B1(21)7654321";

struct fixture {
    struct sotto_patterns *patterns;
    struct sotto_patterns_scratch *scratch;
};

static void scan_windows(const struct fixture *f, sotto_span text, size_t first, size_t step,
                         struct sotto_findings *out)
{
    size_t start = 0, end = first;
    while (start < text.len) {
        end = end < text.len ? end : text.len;
        if (sotto_patterns_scan(f->patterns, f->scratch, text, start, end, out) != SOTTO_OK) {
            abort();
        }
        start = end;
        end += step;
    }
}

static bool same(const struct sotto_findings *a, const struct sotto_findings *b)
{
    return a->count == b->count &&
           (a->count == 0 || memcmp(a->items, b->items, a->count * sizeof(a->items[0])) == 0);
}

static void test_windows(const struct fixture *f)
{
    sotto_span text = sotto_span_init(mixed, sizeof(mixed) - 1);
    struct sotto_findings whole = {0}, parts = {0};
    scan_windows(f, text, text.len, text.len, &whole);
    OK(whole.count > 20, "the mixed text has findings: %zu", whole.count);
    bool all = true;
    for (size_t split = 1; split < text.len; split++) {
        sotto_findings_clear(&parts);
        scan_windows(f, text, split, text.len, &parts);
        if (!same(&whole, &parts)) {
            printf("# differs with a cut at %zu: %zu and %zu\n", split, whole.count, parts.count);
            all = false;
        }
    }
    OK(all, "two windows find what one finds, cut anywhere");
    for (size_t step = 1; step < 100; step = step * 2 + 1) {
        sotto_findings_clear(&parts);
        scan_windows(f, text, step, step, &parts);
        OK(same(&whole, &parts), "windows of %zu bytes find the same", step);
    }
    sotto_findings_free(&whole);
    sotto_findings_free(&parts);
}

static void test_order(const struct fixture *f)
{
    sotto_span text = sotto_span_init(mixed, sizeof(mixed) - 1);
    struct sotto_findings found = {0};
    scan_windows(f, text, text.len, text.len, &found);
    bool sorted = true, inside = true;
    for (size_t i = 0; i < found.count; i++) {
        const struct sotto_finding *x = &found.items[i];
        sorted = sorted && (i == 0 || found.items[i - 1].start <= x->start);
        inside = inside && x->start < x->end && x->end <= text.len &&
                 (text.base[x->start] & 0xc0) != 0x80 &&
                 (x->end == text.len || (text.base[x->end] & 0xc0) != 0x80) &&
                 x->score <= SOTTO_SCORE_MAX && x->rule != 0;
    }
    OK(sorted, "findings come in the order of their starts");
    OK(inside, "findings lie in the text, on whole characters, with a rule");
    sotto_findings_free(&found);
}

static void test_faults(void)
{
    sotto_span text = sotto_span_init(mixed, sizeof(mixed) - 1);
    for (size_t n = 1; n < 40; n++) {
        struct sotto_patterns *patterns = NULL;
        struct sotto_patterns_scratch *scratch = NULL;
        struct sotto_findings found = {0};
        sotto_alloc_set_fault(n);
        enum sotto_err err = sotto_patterns_new(&patterns);
        err = err == SOTTO_OK ? sotto_patterns_scratch_new(&scratch) : err;
        err = err == SOTTO_OK ? sotto_patterns_scan(patterns, scratch, text, 0, text.len, &found)
                              : err;
        bool hit = err != SOTTO_OK;
        OK(!hit || (err == SOTTO_ENOMEM && found.count == 0), "allocation %zu fails cleanly", n);
        sotto_alloc_set_fault(0);
        sotto_findings_free(&found);
        sotto_patterns_scratch_free(scratch);
        sotto_patterns_free(patterns);
        if (!hit) {
            return;
        }
    }
    OK(false, "the scan gets through with enough memory");
}

static void test_empty(const struct fixture *f)
{
    struct sotto_findings found = {0};
    IS_INT(sotto_patterns_scan(f->patterns, f->scratch, SOTTO_LIT(""), 0, 0, &found), SOTTO_OK,
           "an empty text has no findings");
    IS_SIZE(found.count, 0, "none");
    sotto_patterns_free(NULL);
    sotto_patterns_scratch_free(NULL);
    OK(sotto_finer_name(SOTTO_FINER_NONE) == NULL, "no exact type has no name");
    OK(sotto_rule_name(SOTTO_RULE_COUNT) == NULL, "what is no rule has no name");
}

/* Bytes that are not UTF-8 are refused elsewhere; here they must only do no harm. */
static void test_garbage(const struct fixture *f)
{
    uint8_t bytes[512];
    uint32_t state = 1;
    bool fine = true;
    for (int round = 0; round < 400; round++) {
        for (size_t i = 0; i < sizeof(bytes); i++) {
            state = state * 1664525 + 1013904223;
            uint8_t b = (uint8_t)(state >> 24);
            bytes[i] = round % 2 == 0 ? b : (uint8_t)("0123456789@.:/-+ ()aeMRNx"[b % 25]);
        }
        struct sotto_findings found = {0};
        fine = fine &&
               sotto_patterns_scan(f->patterns, f->scratch, sotto_span_init(bytes, sizeof(bytes)),
                                   0, sizeof(bytes), &found) == SOTTO_OK;
        for (size_t i = 0; i < found.count; i++) {
            fine = fine && found.items[i].end <= sizeof(bytes);
        }
        sotto_findings_free(&found);
    }
    OK(fine, "random bytes are scanned without harm");
}

int main(void)
{
    struct fixture f;
    if (sotto_patterns_new(&f.patterns) != SOTTO_OK ||
        sotto_patterns_scratch_new(&f.scratch) != SOTTO_OK) {
        abort();
    }
    test_windows(&f);
    test_order(&f);
    test_empty(&f);
    test_garbage(&f);
    sotto_patterns_scratch_free(f.scratch);
    sotto_patterns_free(f.patterns);
    test_faults();
    return done_testing();
}
