/* SPDX-License-Identifier: Apache-2.0 */

#include "http/lines.h"

#include "tap/tap.h"

/* Where the end was found, 0: not found, -1: refused; the same at every split. */
static int scan(sotto_span in, size_t split, size_t *count)
{
    struct sotto_lines lines = {0};
    size_t first = 0, second = 0;
    if (sotto_lines_scan(&lines, sotto_span_sub(in, 0, split), &first) != SOTTO_OK) {
        return -1;
    }
    if (lines.state != LINES_DONE) {
        if (first != split) {
            return -2; /* all has to be used */
        }
        if (sotto_lines_scan(&lines, sotto_span_skip(in, split), &second) != SOTTO_OK) {
            return -1;
        }
    }
    *count = lines.count;
    return lines.state == LINES_DONE ? (int)(first + second) : 0;
}

static void check(sotto_span in, int want, size_t want_count)
{
    size_t wrong = 0;
    for (size_t split = 0; split <= in.len; split++) {
        size_t count = want_count;
        wrong += scan(in, split, &count) == want && count == want_count ? 0 : 1;
    }
    static int number;
    IS_SIZE(wrong, 0, "input %d at every split", ++number);
}

int main(void)
{
    check(SOTTO_LIT("a: b\r\n\r\n"), 8, 1);
    check(SOTTO_LIT("a: b\r\nc: d\r\n\r\nmore\n\n"), 14, 2);
    check(SOTTO_LIT("\r\nmore"), 2, 0);
    check(SOTTO_LIT("a: b\r\nc"), 0, 1);
    check(SOTTO_LIT("a\tb\xff\r\n\r\n"), 8, 1);
    static const char *const bad[] = {
        "a\nb\r\n\r\n",
        "a\rb\r\n\r\n",
        "a\r\n\n",
        "a\r\n\rb",
        "\na\r\n\r\n",
        "a\r\n b\r\n\r\n",
        "a\r\n\tb\r\n",
        " a\r\n\r\n",
        "a\x01\r\n\r\n",
        "a\x7f\r\n\r\n",
        "a\r\r\n\r\n",
        "a\r\n\x01\r\n",
        ("\x7f"
         "a\r\n\r\n"),
    };
    for (size_t i = 0; i < SOTTO_COUNT(bad); i++) {
        check(sotto_span_str(bad[i]), -1, 0);
    }
    check(SOTTO_LIT("a\0b\r\n\r\n"), -1, 0);
    OK(sotto_is_token_byte('a') && sotto_is_token_byte('Z') && sotto_is_token_byte('9') &&
           sotto_is_token_byte('-') && sotto_is_token_byte('~'),
       "letters, digits and some signs make tokens");
    OK(!sotto_is_token_byte(' ') && !sotto_is_token_byte(':') && !sotto_is_token_byte('\0') &&
           !sotto_is_token_byte(0x80) && !sotto_is_token_byte('(') && !sotto_is_token_byte('"'),
       "others do not");
    return done_testing();
}
