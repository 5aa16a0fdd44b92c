/* SPDX-License-Identifier: Apache-2.0 */

#include "text/inert.h"

#include <string.h>

#include "tap/tap.h"
#include "text/utf8.h"

/* What a text shows; at most 255 bytes. */
static size_t show(sotto_span text, char out[256])
{
    struct sotto_inert inert = {{0}, 0};
    size_t n = 0;
    for (size_t i = 0; i < text.len; i++) {
        n += sotto_inert_put(&inert, text.base[i], out + n);
    }
    return n;
}

static void test_texts(void)
{
    static const struct {
        sotto_span text;
        const char *want;
    } cases[] = {
        {SOTTO_LIT_INIT(""), ""},
        {SOTTO_LIT_INIT("two lines\nand a\ttab ~"), "two lines\nand a\ttab ~"},
        {SOTTO_LIT_INIT("Z\xc3\xbcrich \xe2\x82\xac \xf0\x9f\x99\x82"),
         "Z\xc3\xbcrich \xe2\x82\xac \xf0\x9f\x99\x82"},
        {SOTTO_LIT_INIT("\x1b[31mred\x1b]0;title\x07"), "^[[31mred^[]0;title^G"},
        {SOTTO_LIT_INIT("a\0b\x7f\x08"), "a^@b^?^H"},
        {SOTTO_LIT_INIT("over\rwritten"), "over^Mwritten"},
        {SOTTO_LIT_INIT("line\r\nline\r\r\n"), "line\r\nline^M\r\n"},
        {SOTTO_LIT_INIT("\xc2\x9b"
                        "31m \xc2\x80 \xc2\x9f \xc2\xa0"),
         "<U+009B>31m <U+0080> <U+009F> \xc2\xa0"},
        {SOTTO_LIT_INIT("\x9b"
                        "31m \xff \xc0\x80"),
         "<9B>31m <FF> <C0><80>"},
        {SOTTO_LIT_INIT("\xe2\x82 \xe2\x82\x1b[m \xf0\x9f\r\n"),
         "<E2><82> <E2><82>^[[m <F0><9F>\r\n"},
        {SOTTO_LIT_INIT("\xe0\x80\x80 \xed\xa0\x80 \xf4\x90\x80\x80"),
         "<E0><80><80> <ED><A0><80> <F4><90><80><80>"},
        {SOTTO_LIT_INIT("the end\r"), "the end"},
        {SOTTO_LIT_INIT("the end\xe2\x82"), "the end"},
    };
    for (size_t i = 0; i < SOTTO_COUNT(cases); i++) {
        char out[256];
        size_t n = show(cases[i].text, out);
        IS_TEXT(out, n, cases[i].want, "text %zu is shown so", i);
    }
}

/* Whatever bytes come: nothing that a terminal obeys comes out, and never too much at once. */
static void test_all_triples(void)
{
    static const uint8_t bytes[] = {0x00, 0x07, 0x0a, 0x0d, 0x1b, 0x41, 0x7f, 0x80, 0x9b,
                                    0x9f, 0xa0, 0xc2, 0xc3, 0xe2, 0xed, 0xf0, 0xf4, 0xff};
    const size_t count = SOTTO_COUNT(bytes);
    size_t bad = 0;
    for (size_t i = 0; i < count * count * count * count; i++) {
        struct sotto_inert inert = {{0}, 0};
        char out[256];
        size_t n = 0;
        for (size_t at = 0, left = i; at < 5; at++, left /= count) {
            size_t more = sotto_inert_put(&inert, at < 4 ? bytes[left % count] : 'x', out + n);
            bad += more > SOTTO_INERT_BYTES;
            n += more;
        }
        sotto_span shown = sotto_span_init(out, n);
        bad += !sotto_utf8_valid(shown, NULL) || out[n - 1] != 'x';
        for (size_t at = 0; bad == 0 && at < n;) {
            size_t was = at;
            uint32_t c = sotto_utf8_next(shown, &at);
            bad += (c < 0x20 && c != '\n' && !(c == '\r' && shown.base[was + 1] == '\n')) ||
                   (c >= 0x7f && c <= 0x9f);
        }
    }
    IS_SIZE(bad, 0, "no four bytes bring out what a terminal obeys");
}

int main(void)
{
    test_texts();
    test_all_triples();
    return done_testing();
}
