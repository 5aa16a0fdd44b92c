/* SPDX-License-Identifier: Apache-2.0 */

#include "text/utf8.h"

#include "tap/tap.h"

static void test_validation(void)
{
    static const struct {
        const char *name, *in;
        int bad_at; /* -1: valid */
    } cases[] = {
        {"empty", "", -1},
        {"ascii of two words of the machine", "0123456789abcdefg", -1},
        {"two, three and four bytes", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x99\x82", -1},
        {"highest code point", "\xf4\x8f\xbf\xbf", -1},
        {"above the highest", "\xf4\x90\x80\x80", 0},
        {"overlong slash", "a\xc0\xaf", 1},
        {"overlong in three bytes", "\xe0\x9f\xbf", 0},
        {"overlong in four bytes", "\xf0\x8f\xbf\xbf", 0},
        {"surrogate", "ab\xed\xa0\x80", 2},
        {"below the surrogates", "\xed\x9f\xbf", -1},
        {"lone continuation", "12345678\x80", 8},
        {"cut short", "abcdefgh\xe2\x82", 8},
        {"cut short inside", "\xf0\x9f\x99x", 0},
        {"never a byte", "\xff", 0},
    };
    for (size_t i = 0; i < SOTTO_COUNT(cases); i++) {
        size_t bad_at = 99;
        bool valid = sotto_utf8_valid(sotto_span_str(cases[i].in), &bad_at);
        IS_INT(valid, cases[i].bad_at < 0, "%s", cases[i].name);
        IS_SIZE(bad_at, cases[i].bad_at < 0 ? 99 : (size_t)cases[i].bad_at, "%s: where",
                cases[i].name);
    }
}

static void test_every_code_point_goes_around(void)
{
    size_t wrong = 0;
    for (uint32_t c = 0; c <= 0x10ffff; c++) {
        uint8_t bytes[4];
        if (c >= 0xd800 && c <= 0xdfff) {
            continue;
        }
        sotto_span text = sotto_span_init(bytes, sotto_utf8_put(c, bytes));
        size_t forward = 0, backward = text.len;
        wrong += !sotto_utf8_valid(text, NULL) || sotto_utf8_next(text, &forward) != c ||
                 forward != text.len || sotto_utf8_before(text, &backward) != c || backward != 0 ||
                 sotto_utf8_count(text) != 1;
    }
    IS_SIZE(wrong, 0, "every code point decodes to itself in both directions");
}

static void test_classes(void)
{
    static const struct {
        uint32_t c;
        unsigned classes;
        const char *name;
    } cases[] = {
        {'A', SOTTO_CHAR_LETTER | SOTTO_CHAR_UPPER, "A"},
        {'z', SOTTO_CHAR_LETTER | SOTTO_CHAR_LOWER, "z"},
        {'0', SOTTO_CHAR_DIGIT, "0"},
        {0x7f, 0, "DEL"},
        {' ', SOTTO_CHAR_SPACE, "space"},
        {0xa0, SOTTO_CHAR_SPACE, "no-break space"},
        {0xc4, SOTTO_CHAR_LETTER | SOTTO_CHAR_UPPER, "A with diaeresis"},
        {0x301, SOTTO_CHAR_MARK, "combining acute"},
        {0x200b, SOTTO_CHAR_HIDDEN, "zero-width space"},
        {0x202e, SOTTO_CHAR_HIDDEN, "right-to-left override"},
        {0xad, SOTTO_CHAR_HIDDEN, "soft hyphen"},
        {0xfe0f, SOTTO_CHAR_HIDDEN, "variation selector"},
        {0x2019, SOTTO_CHAR_PUNCT, "right single quote"},
        {0x4e2d, SOTTO_CHAR_LETTER, "an ideograph"},
        {0x661, SOTTO_CHAR_DIGIT, "an Arabic digit"},
        {0x1f642, SOTTO_CHAR_PUNCT, "an emoji"},
    };
    for (size_t i = 0; i < SOTTO_COUNT(cases); i++) {
        IS_INT(sotto_char_classes(cases[i].c), cases[i].classes, "classes of %s", cases[i].name);
    }
}

static void test_offsets(void)
{
    sotto_span text = SOTTO_LIT("a\xc3\xa9 \xf0\x9f\x99\x82 abcdefghijkl \xe2\x82\xac.");
    struct sotto_utf8_cursor up = {.text = text}, any = {.text = text};
    size_t wrong = 0, chars = 0;
    for (size_t at = 0; at <= text.len; at++) {
        if (!sotto_utf8_boundary(text, at)) {
            continue;
        }
        wrong += sotto_utf8_chars_at(&up, at) != chars;
        wrong += sotto_utf8_chars_at(&any, at) != sotto_utf8_count(sotto_span_sub(text, 0, at));
        wrong += sotto_utf8_chars_at(&any, 0) != 0;
        chars++;
    }
    IS_SIZE(wrong, 0, "offsets are counted, ascending or not");
}

static void test_hostile_bytes_stay_inside(void)
{
    uint8_t bytes[3];
    size_t wrong = 0;
    for (unsigned v = 0; v < 1U << 16; v++) {
        bytes[0] = (uint8_t)(v >> 8);
        bytes[1] = (uint8_t)v;
        bytes[2] = 'x';
        sotto_span text = sotto_span_init(bytes, 3);
        size_t at = 0, steps = 0;
        while (at < text.len && steps <= 3) {
            (void)sotto_utf8_next(text, &at);
            steps++;
        }
        wrong += at != 3;
        for (steps = 0; at > 0 && steps <= 3; steps++) {
            (void)sotto_utf8_before(text, &at);
        }
        wrong += at != 0;
    }
    IS_SIZE(wrong, 0, "walking invalid bytes ends at the end in both directions");
}

int main(void)
{
    test_validation();
    test_every_code_point_goes_around();
    test_classes();
    test_offsets();
    test_hostile_bytes_stay_inside();
    return done_testing();
}
