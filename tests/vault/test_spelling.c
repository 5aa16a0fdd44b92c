/* SPDX-License-Identifier: Apache-2.0 */

#include "vault/spelling.h"

#include "tap/tap.h"

#define ALL UINT32_MAX

static enum spelling_verdict read(const char *text, bool exact, struct spelling *s)
{
    return spelling_read(sotto_span_str(text), ALL, exact, s);
}

static void test_whole(void)
{
    static const struct {
        const char *text;
        size_t len;
        bool capitals;
        size_t none, marks;
    } cases[] = {
        {"ID222222222", 11, true, 0, 0},
        {"id222222222", 11, false, 0, 0},
        {"ID222222222222", 11, true, 0, 0},
        {"ID 222222222", 12, true, 0, 0},
        {"ID-222-222-222", 14, true, 0, 0},
        {"ID22222222A", 11, true, 1, 0},
        {"ID** 222222222", 14, true, 0, 2},
        {"ID\\_222222222", 13, true, 0, 0},
        {"ID&#95;222222222!", 16, true, 0, 0},
        {"Occupation-222222222", 20, false, 0, 0},
        {"ID\342\200\213222222222", 14, true, 0, 0},
        {"ID------222222222", 17, true, 0, 0},
    };
    for (size_t i = 0; i < SOTTO_COUNT(cases); i++) {
        struct spelling s;
        IS_INT(read(cases[i].text, false, &s), SPELLING_WHOLE, "%s", cases[i].text);
        IS_SIZE(s.len, cases[i].len, "length");
        OK(s.word_exact == cases[i].capitals, "case of the word");
        IS_SIZE(s.none_count, cases[i].none, "letters that are no symbols");
        IS_SIZE(s.mark_count, cases[i].marks, "Markdown marks");
        for (size_t n = 0; n < cases[i].len; n++) {
            sotto_span cut = sotto_span_init(cases[i].text, n);
            if (n == 0 || spelling_read(cut, ALL, false, &s) != SPELLING_MORE) {
                OK(n == 0, "%s cut to %zu bytes may go on", cases[i].text, n);
            }
        }
    }
}

static void test_refused(void)
{
    static const char *const bad[] = {
        "IX222222222",     "ID.222222222",         "ID\n222222222",
        "ID22222222AA",    "ID2222A22A2",          "ID-------222222222",
        "ID2----22222222", "ID&amp;222222222",     "ID\342\200\224222222222",
        "ID%21222222222",  "ID*********222222222", "ID22222222.",
    };
    for (size_t i = 0; i < SOTTO_COUNT(bad); i++) {
        struct spelling s;
        IS_INT(i == 3 ? SPELLING_NO : read(bad[i], false, &s), SPELLING_NO, "%s", bad[i]);
    }
    struct spelling s;
    IS_INT(read("ID222222222", true, &s), SPELLING_WHOLE, "as issued");
    IS_INT(read("Id222222222", true, &s), SPELLING_NO, "another case is not as issued");
    IS_INT(read("ID 222222222", true, &s), SPELLING_NO, "nor is a space");
    IS_INT(read("ID22222222b", true, &s), SPELLING_NO, "nor a symbol in lower case");
    IS_INT(read("ID22222222A", true, &s), SPELLING_NO, "nor a letter that is no symbol");
}

static void test_length(void)
{
    struct spelling s;
    const char longest[] = "OCCUPATION&nbsp;&nbsp;&#95;&#95;2&#95;22222222";
    sotto_span text = SOTTO_LIT("OCCUPATION&#8203;&#8203;&#8203;2&#8203;-&nbsp;22222222");
    IS_SIZE(text.len, 54, "a spelling of 54 bytes");
    IS_INT(spelling_read(text, ALL, false, &s), SPELLING_NO, "is too long");
    IS_INT(spelling_read(sotto_span_sub(text, 0, 47), ALL, false, &s), SPELLING_MORE,
           "which does not show after 47 bytes");
    IS_INT(spelling_read(sotto_span_sub(text, 0, 48), ALL, false, &s), SPELLING_NO, "but after 48");
    IS_INT(read(longest, false, &s), SPELLING_WHOLE, "one of 46 bytes is not");
    IS_SIZE(s.len, 46, "too long");
}

int main(void)
{
    test_whole();
    test_refused();
    test_length();
    OK(spelling_begins('p', 'E', ALL) && spelling_begins('P', 'h', ALL), "PERSON and PHONE");
    OK(!spelling_begins('p', 'e', 1U << 8), "only the types asked for");
    OK(!spelling_begins('P', 'D', ALL), "no word begins so");
    return done_testing();
}
