/* SPDX-License-Identifier: Apache-2.0 */

#include "text/canon.h"

#include "base/alloc.h"
#include "tap/tap.h"
#include "text/utf8.h"

static const struct {
    const char *name, *in, *want;
} canon_cases[] = {
    {"empty", "", ""},
    {"only space", " \t\r\n", ""},
    {"ascii", "  John \t\n  DOE ", "john doe"},
    {"NFD becomes NFC", "Jose\xcc\x81", "jos\xc3\xa9"},
    {"NFC stays", "JOS\xc3\x89", "jos\xc3\xa9"},
    {"full folding",
     "Stra\xc3\x9f"
     "e",
     "strasse"},
    {"zero-width inside", "An\xe2\x80\x8bna", "anna"},
    {"bidi controls",
     "\xe2\x80\xae"
     "Anna\xe2\x80\xac",
     "anna"},
    {"no-break space",
     "Anna\xc2\xa0\xc2\xa0"
     "Bo",
     "anna bo"},
    {"marks in either order", "a\xcc\xa3\xcc\x81", "\xe1\xba\xa1\xcc\x81"},
    {"marks in the other order", "a\xcc\x81\xcc\xa3", "\xe1\xba\xa1\xcc\x81"},
    {"Hangul", "\xe1\x84\x80\xe1\x85\xa1", "\xea\xb0\x80"},
};

static void test_cases(void)
{
    for (size_t i = 0; i < SOTTO_COUNT(canon_cases); i++) {
        struct sotto_buf out, again;
        sotto_buf_init(&out, 4096);
        sotto_buf_init(&again, 4096);
        IS_INT(sotto_canon(sotto_span_str(canon_cases[i].in), &out), SOTTO_OK, "%s",
               canon_cases[i].name);
        IS_TEXT(out.base, out.len, canon_cases[i].want, "%s: text", canon_cases[i].name);
        IS_INT(sotto_canon(sotto_buf_span(&out), &again), SOTTO_OK, "%s: again",
               canon_cases[i].name);
        IS_MEM(again.base, again.len, out.base, out.len, "%s: canonical form is its own",
               canon_cases[i].name);
        sotto_buf_free(&out);
        sotto_buf_free(&again);
    }
}

static void test_every_code_point(void)
{
    size_t wrong = 0;
    struct sotto_buf once, twice;
    sotto_buf_init(&once, 4096);
    sotto_buf_init(&twice, 4096);
    for (uint32_t c = 0; c <= 0x10ffff; c++) {
        uint8_t bytes[4];
        if (c >= 0xd800 && c <= 0xdfff) {
            continue;
        }
        sotto_buf_truncate(&once, 0);
        sotto_buf_truncate(&twice, 0);
        wrong += sotto_canon(sotto_span_init(bytes, sotto_utf8_put(c, bytes)), &once) != SOTTO_OK ||
                 sotto_canon(sotto_buf_span(&once), &twice) != SOTTO_OK ||
                 !sotto_span_eq(sotto_buf_span(&once), sotto_buf_span(&twice));
    }
    IS_SIZE(wrong, 0, "the canonical form of every character is its own canonical form");
    sotto_buf_free(&once);
    sotto_buf_free(&twice);
}

static void test_failures(void)
{
    struct sotto_buf out;
    sotto_buf_init(&out, 8);
    IS_INT(sotto_buf_append(&out, SOTTO_LIT("old")), SOTTO_OK, "something to keep");
    IS_INT(sotto_canon(SOTTO_LIT("a\xff"), &out), SOTTO_EFORMAT, "invalid UTF-8 is refused");
    IS_INT(sotto_canon(SOTTO_LIT("much too long"), &out), SOTTO_ELIMIT, "the ceiling holds");
    IS_INT(sotto_canon(SOTTO_LIT("m\xc3\xbc"
                                 "ch too long"),
                       &out),
           SOTTO_ELIMIT, "the ceiling holds beyond ASCII");
    IS_TEXT(out.base, out.len, "old", "nothing is appended on failure");
    sotto_buf_free(&out);

    sotto_span in = SOTTO_LIT("Jos\xc3\xa9 \xe2\x80\x8b Mar\xc3\xad");
    (void)sotto_alloc_set_fault(0);
    sotto_buf_init(&out, 4096);
    IS_INT(sotto_canon(in, &out), SOTTO_OK, "dry run");
    sotto_buf_free(&out);
    size_t total = sotto_alloc_set_fault(0);
    for (size_t n = 1; n <= total; n++) {
        sotto_buf_init(&out, 4096);
        (void)sotto_alloc_set_fault(n);
        IS_INT(sotto_canon(in, &out), SOTTO_ENOMEM, "allocation %zu of %zu fails", n, total);
        IS_SIZE(out.len, 0, "nothing is appended");
        sotto_buf_free(&out);
    }
    (void)sotto_alloc_set_fault(0);
}

static void test_many_marks(void)
{
    static uint8_t text[1 + 4 * 20000];
    struct sotto_buf out;
    text[0] = 'a';
    for (size_t i = 0; i < 20000; i++) {
        memcpy(text + 1 + 4 * i, "\xcc\x81\xcc\xa3", 4);
    }
    sotto_buf_init(&out, sizeof(text) * 2);
    IS_INT(sotto_canon(sotto_span_init(text, sizeof(text)), &out), SOTTO_OK,
           "40,000 marks on one letter");
    OK(out.len > 3 && memcmp(out.base, "\xe1\xba\xa1", 3) == 0, "are put in order");
    sotto_buf_free(&out);
}

int main(void)
{
    test_cases();
    test_every_code_point();
    test_failures();
    test_many_marks();
    return done_testing();
}
