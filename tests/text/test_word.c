/* SPDX-License-Identifier: Apache-2.0 */

#include "text/word.h"

#include "tap/tap.h"
#include "text/utf8.h"

static void test_words(void)
{
    static const struct {
        const char *in, *want;
    } cases[] = {
        {"", ""},
        {"...", ""},
        {"Hello, world 42!", "Hello|world|42|"},
        {"O'Brien's Anne-Marie", "O'Brien's|Anne-Marie|"},
        {"'quoted' -x- a--b", "quoted|x|a|b|"},
        {"Jose\xcc\x81 \xd0\xaf", "Jose\xcc\x81|\xd0\xaf|"},
        {"An\xe2\x80\x8bna", "An\xe2\x80\x8bna|"},
        {"Anna\xe2\x80\x8b ", "Anna|"},
        {"a_b", "a|b|"},
    };
    for (size_t i = 0; i < SOTTO_COUNT(cases); i++) {
        char got[256];
        size_t n = 0, at = 0;
        sotto_span text = sotto_span_str(cases[i].in), word;
        while ((word = sotto_word_next(text, &at)).len != 0) {
            memcpy(got + n, word.base, word.len);
            n += word.len;
            got[n++] = '|';
        }
        IS_TEXT(got, n, cases[i].want, "words of '%s'", cases[i].in);
        IS_SIZE(at, text.len, "the end is reached");
    }
}

static void test_edges(void)
{
    sotto_span text = SOTTO_LIT("ab, c\xc3\xa9 An\xe2\x80\x8bna.");
    OK(sotto_word_edge(text, 0) && !sotto_word_edge(text, 1) && sotto_word_edge(text, 2),
       "edges of a word");
    OK(!sotto_word_edge(text, 5) && sotto_word_edge(text, 7), "an accented letter is a letter");
    OK(!sotto_word_edge(text, 10) && !sotto_word_edge(text, 13),
       "a hidden character does not end a word");
    OK(sotto_word_edge(text, text.len), "the end is an edge");
    IS_SIZE(sotto_word_run_start(text, 14), 8, "start across a hidden character");
    IS_SIZE(sotto_word_run_end(text, 9), 15, "end across a hidden character");
    IS_SIZE(sotto_word_run_end(text, 3), 3, "no word here");
    IS_SIZE(sotto_word_end(SOTTO_LIT("Anne-Marie's."), 1), 12, "end across hyphen and apostrophe");
}

int main(void)
{
    test_words();
    test_edges();
    return done_testing();
}
