/* SPDX-License-Identifier: Apache-2.0 */

#include "keys/month.h"

#include "tap/tap.h"

static void test_text(void)
{
    static const struct {
        const char *text;
        int32_t month;
    } cases[] = {
        {"1970-01", 0},
        {"1970-12", 11},
        {"2026-11", 682},
        {"9999-12", 96359},
    };
    for (size_t i = 0; i < SOTTO_COUNT(cases); i++) {
        char text[SOTTO_MONTH_TEXT_BYTES];
        int32_t month = -1;
        IS_INT(sotto_month_parse(sotto_span_str(cases[i].text), &month), SOTTO_OK, "%s is read",
               cases[i].text);
        IS_INT(month, cases[i].month, "%s: the month", cases[i].text);
        sotto_month_text(month, text);
        IS_TEXT(text, strlen(text), cases[i].text, "%s: and written", cases[i].text);
    }
}

static void test_refused(void)
{
    static const char *const cases[] = {
        "",        "2026",    "2026-1",  "2026-111", "2026/11",  "2026-00",
        "2026-13", "1969-12", "+026-11", "2026-+1",  "2026- 1",  " 2026-1",
        "20x6-11", "2026-1x", "-026-11", "2026-11-", "2026-11 ",
    };
    for (size_t i = 0; i < SOTTO_COUNT(cases); i++) {
        int32_t month = -1;
        IS_INT(sotto_month_parse(sotto_span_str(cases[i]), &month), SOTTO_EFORMAT,
               "'%s' is no month", cases[i]);
        IS_INT(month, -1, "'%s': nothing comes out", cases[i]);
    }
}

static void test_rest(void)
{
    const int64_t next = 1796083200000LL; /* 2026-12-01 */
    IS_INT(sotto_month_rest_s(next - 1), 1, "what is left is rounded up");
    IS_INT(sotto_month_rest_s(next - 1000), 1, "a second is one");
    IS_INT(sotto_month_rest_s(next), 31 * 86400, "a month begins with all of it");
}

int main(void)
{
    test_text();
    test_refused();
    test_rest();
    return done_testing();
}
