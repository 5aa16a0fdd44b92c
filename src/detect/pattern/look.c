/* SPDX-License-Identifier: Apache-2.0 */

/* The tools of scan.h that look around a place in the text. */

#include "base/err.h"
#include "detect/pattern/scan.h"

#define LOOK_HIDDEN_MAX 8 /* hidden characters that are skipped at a boundary */
#define LOOK_SPACES_MAX 4

void scan_add(struct scan *s, size_t start, size_t end, struct verdict v)
{
    if (s->err != SOTTO_OK || start >= end) {
        return;
    }
    int score = v.score < 0 ? 0 : v.score > SOTTO_SCORE_MAX ? SOTTO_SCORE_MAX : v.score;
    struct sotto_finding f = {.start = (uint32_t)start,
                              .end = (uint32_t)end,
                              .score = (uint16_t)score,
                              .finer = (uint16_t)v.finer,
                              .rule = (uint16_t)v.rule,
                              .label = (uint8_t)v.label,
                              .layer = SOTTO_LAYER_RECOGNIZER};
    s->err = sotto_findings_add(&s->raw, f);
}

bool scan_left_free(const struct scan *s, size_t at)
{
    for (int i = 0; at > 0 && i < LOOK_HIDDEN_MAX; i++) {
        uint8_t b = s->text.base[at - 1];
        if (b < 0x80) {
            return !is_alnum(b);
        }
        unsigned classes = sotto_char_classes(sotto_utf8_before(s->text, &at));
        if ((classes & SOTTO_CHAR_HIDDEN) == 0) {
            return (classes & SOTTO_CHAR_WORD) == 0;
        }
    }
    return true;
}

bool scan_right_free(const struct scan *s, size_t at)
{
    for (int i = 0; at < s->text.len && i < LOOK_HIDDEN_MAX; i++) {
        uint8_t b = s->text.base[at];
        if (b < 0x80) {
            return !is_alnum(b);
        }
        unsigned classes = sotto_char_classes(sotto_utf8_next(s->text, &at));
        if ((classes & SOTTO_CHAR_HIDDEN) == 0) {
            return (classes & SOTTO_CHAR_WORD) == 0;
        }
    }
    return true;
}

size_t scan_skip_spaces(const struct scan *s, size_t at)
{
    for (int i = 0; at < s->text.len && i < LOOK_SPACES_MAX; i++) {
        size_t next = at;
        uint32_t c = sotto_utf8_next(s->text, &next);
        bool blank = c == ' ' || c == '\t' ||
                     (c >= 0x80 && (sotto_char_classes(c) & SOTTO_CHAR_SPACE) != 0 && c != 0x85 &&
                      c != 0x2028 && c != 0x2029);
        if (!blank) {
            break;
        }
        at = next;
    }
    return at;
}

/* Adds one character to a word; `folded` is 0 for what is not kept. */
static void token_push(struct token *t, uint32_t c, uint32_t folded)
{
    if (t->letters < sizeof(t->folded) - 1) {
        t->folded[t->letters] = folded < 0x80 ? (char)folded : '?';
    }
    t->letters++;
    bool upper = c < 0x80 ? is_upper(c) : (sotto_char_classes(c) & SOTTO_CHAR_UPPER) != 0;
    t->upper += upper ? 1 : 0;
}

/* Whether the character belongs to a word; hidden ones and marks do, and add nothing. */
static bool word_char(uint32_t c, bool *silent)
{
    *silent = false;
    if (c < 0x80) {
        return is_alpha(c);
    }
    unsigned classes = sotto_char_classes(c);
    *silent = (classes & (SOTTO_CHAR_HIDDEN | SOTTO_CHAR_MARK)) != 0;
    return (classes & (SOTTO_CHAR_LETTER | SOTTO_CHAR_HIDDEN | SOTTO_CHAR_MARK)) != 0;
}

bool scan_word(struct scan *s, size_t at, struct token *out)
{
    uint64_t hash = 0;
    *out = (struct token){.start = at, .end = at};
    while (at < s->text.len && out->letters <= SCAN_WORD_MAX) {
        bool silent;
        uint32_t c = sotto_utf8_next(s->text, &at);
        s->steps++;
        if (!word_char(c, &silent)) {
            break;
        }
        out->end = at;
        if (!silent) {
            uint32_t folded = sotto_fold(c);
            hash = words_step(hash, folded);
            token_push(out, c, folded);
        }
    }
    out->folded[out->letters < sizeof(out->folded) ? out->letters : sizeof(out->folded) - 1] = '\0';
    out->word =
        out->letters > 0 && out->letters <= SCAN_WORD_MAX ? words_find(s->words, hash) : NULL;
    return out->letters > 0;
}

/* Moves back over the letters of a word; stops where lower case changes to upper ("patientId"). */
static size_t word_start(struct scan *s, size_t at)
{
    size_t letters = 0;
    bool was_upper = false;
    while (at > 0 && letters <= SCAN_WORD_MAX) {
        bool silent;
        size_t before = at;
        uint32_t c = sotto_utf8_before(s->text, &before);
        s->steps++;
        if (!word_char(c, &silent) || (letters > 0 && was_upper && is_lower(c))) {
            break;
        }
        letters += silent ? 0 : 1;
        was_upper = silent ? was_upper : is_upper(c);
        at = before;
    }
    return at;
}

bool scan_word_before(struct scan *s, size_t at, struct token *out)
{
    size_t start = word_start(s, at);
    if (start == at || !scan_word(s, start, out)) {
        return false;
    }
    if (out->end > at) {
        /* Cannot be longer, but for a word of more than SCAN_WORD_MAX letters. */
        out->end = at;
        out->word = NULL;
    }
    return out->letters > 0;
}

bool scan_next_word(struct scan *s, size_t at, struct token *out)
{
    at = scan_skip_spaces(s, at);
    return at < s->text.len && scan_word(s, at, out);
}

size_t scan_number(struct scan *s, size_t at, unsigned most, unsigned *value)
{
    unsigned n = 0;
    size_t start = at;
    while (at < s->text.len && at - start < most && is_digit(s->text.base[at])) {
        n = n * 10 + (unsigned)(s->text.base[at++] - '0');
        s->steps++;
    }
    if (at == start || !scan_right_free(s, at)) {
        return 0;
    }
    *value = n;
    return at;
}
