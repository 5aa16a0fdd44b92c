/* SPDX-License-Identifier: Apache-2.0 */

#include "detect/window.h"

#include "tap/tap.h"
#include "text/utf8.h"

/* Checks all windows of a text; returns how many there are. */
static size_t check(const char *name, sotto_span text)
{
    size_t at = 0, count = 0, wrong = 0;
    while (at < text.len) {
        size_t end = sotto_window_end(text, at);
        wrong += end <= at || end > text.len || end - at > SOTTO_WINDOW_MAX ||
                 !sotto_utf8_boundary(text, end);
        at = end;
        count++;
    }
    IS_SIZE(wrong, 0, "%s: windows are bounded and cut no character", name);
    return count;
}

int main(void)
{
    static uint8_t text[40000];

    memset(text, 'a', sizeof(text));
    IS_SIZE(check("empty", sotto_span_init(text, 0)), 0, "no window");
    IS_SIZE(check("short", sotto_span_init(text, 100)), 1, "one window");
    IS_SIZE(check("exact", sotto_span_init(text, SOTTO_WINDOW_BYTES)), 1, "one window");
    check("without a space", sotto_span_init(text, sizeof(text)));

    memset(text, ' ', sizeof(text));
    check("only spaces", sotto_span_init(text, sizeof(text)));

    for (size_t i = 0; i + 3 <= sizeof(text); i += 3) {
        memcpy(text + i, "\xe2\x82\xac", 3);
    }
    check("characters of three bytes", sotto_span_init(text, sizeof(text) / 3 * 3));

    memset(text, 'a', sizeof(text));
    text[SOTTO_WINDOW_BYTES + 100] = ' ';
    text[SOTTO_WINDOW_BYTES + 300] = '\n';
    IS_SIZE(sotto_window_end(sotto_span_init(text, sizeof(text)), 0), SOTTO_WINDOW_BYTES + 301,
            "the end of a line is the better place to cut");
    text[SOTTO_WINDOW_BYTES + 300] = 'a';
    IS_SIZE(sotto_window_end(sotto_span_init(text, sizeof(text)), 0), SOTTO_WINDOW_BYTES + 101,
            "then white space");
    return done_testing();
}
