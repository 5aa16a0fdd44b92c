/* SPDX-License-Identifier: Apache-2.0 */

#include "text/word.h"

#include "text/utf8.h"

#define WORD_INNER (SOTTO_CHAR_WORD | SOTTO_CHAR_HIDDEN)

static unsigned classes_at(sotto_span text, size_t at)
{
    return at < text.len ? sotto_char_classes(sotto_utf8_next(text, &at)) : 0;
}

/* Hidden characters belong to a word only between two word characters. */
bool sotto_word_char_at(sotto_span text, size_t at)
{
    unsigned classes = 0;
    while (at < text.len) {
        classes = sotto_char_classes(sotto_utf8_next(text, &at));
        if ((classes & SOTTO_CHAR_HIDDEN) == 0) {
            break;
        }
    }
    return (classes & SOTTO_CHAR_WORD) != 0;
}

bool sotto_word_char_before(sotto_span text, size_t at)
{
    unsigned classes = 0;
    while (at > 0) {
        classes = sotto_char_classes(sotto_utf8_before(text, &at));
        if ((classes & SOTTO_CHAR_HIDDEN) == 0) {
            break;
        }
    }
    return (classes & SOTTO_CHAR_WORD) != 0;
}

bool sotto_word_edge(sotto_span text, size_t at)
{
    return at == 0 || at >= text.len || !sotto_word_char_before(text, at) ||
           !sotto_word_char_at(text, at);
}

size_t sotto_word_run_start(sotto_span text, size_t at)
{
    size_t start = at;
    while (at > 0) {
        unsigned classes = sotto_char_classes(sotto_utf8_before(text, &at));
        if ((classes & WORD_INNER) == 0) {
            break;
        }
        start = (classes & SOTTO_CHAR_WORD) != 0 ? at : start;
    }
    return start;
}

size_t sotto_word_run_end(sotto_span text, size_t at)
{
    size_t end = at;
    while (at < text.len) {
        unsigned classes = sotto_char_classes(sotto_utf8_next(text, &at));
        if ((classes & WORD_INNER) == 0) {
            break;
        }
        end = (classes & SOTTO_CHAR_WORD) != 0 ? at : end;
    }
    return end;
}

static bool is_joiner(uint32_t c)
{
    return c == '\'' || c == '-' || c == 0x2019 || c == 0x2010 || c == 0x2011 || c == 0x2bc;
}

size_t sotto_word_end(sotto_span text, size_t at)
{
    for (;;) {
        size_t end = sotto_word_run_end(text, at);
        size_t behind = end;
        if (end == at || end >= text.len || !is_joiner(sotto_utf8_next(text, &behind)) ||
            (classes_at(text, behind) & SOTTO_CHAR_WORD) == 0) {
            return end;
        }
        at = behind;
    }
}

sotto_span sotto_word_next(sotto_span text, size_t *at)
{
    while (*at < text.len) {
        size_t start = *at;
        unsigned classes = sotto_char_classes(sotto_utf8_next(text, at));
        if ((classes & SOTTO_CHAR_WORD) != 0) {
            *at = sotto_word_end(text, start);
            return sotto_span_sub(text, start, *at);
        }
    }
    return sotto_span_init(text.base, 0);
}
