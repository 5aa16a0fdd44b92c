/* SPDX-License-Identifier: Apache-2.0 */

/* The tools of scan.h that look around a place in the text. */

#include "base/err.h"
#include "detect/pattern/block.h"
#include "detect/pattern/scan.h"

#define LOOK_HIDDEN_MAX 8 /* hidden characters that are skipped at a boundary */
#define LOOK_SPACES_MAX 4
#define LOOK_WORD_BYTES (4 * SCAN_WORD_MAX)

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

static unsigned classes_of(const struct scan *s, uint32_t c)
{
    return c < WORDS_LATIN ? s->words->classes[c] : sotto_char_classes(c);
}

/* Whether the character belongs to a word; hidden ones and marks do, and add nothing. */
static bool word_char(const struct scan *s, uint32_t c, bool *silent)
{
    unsigned classes = classes_of(s, c);
    *silent = (classes & (SOTTO_CHAR_HIDDEN | SOTTO_CHAR_MARK)) != 0;
    return (classes & (SOTTO_CHAR_LETTER | SOTTO_CHAR_HIDDEN | SOTTO_CHAR_MARK)) != 0;
}

/* Reads letters beyond ASCII, or behind such; the plain ones before are read already. */
static void word_wide(struct scan *s, size_t at, struct token *out)
{
    size_t start = at;
    while (at < s->text.len && out->letters <= SCAN_WORD_MAX && at - start < LOOK_WORD_BYTES) {
        bool silent;
        uint32_t c = sotto_utf8_next(s->text, &at);
        s->steps++;
        if (!word_char(s, c, &silent)) {
            break;
        }
        out->end = at;
        if (silent) {
            continue;
        }
        uint32_t folded = c < WORDS_LATIN ? s->words->fold[c] : sotto_fold(c);
        out->upper += (classes_of(s, c) & SOTTO_CHAR_UPPER) != 0 ? 1 : 0;
        out->folded[out->letters++] = (char)(folded < 0x80 ? folded : '?');
    }
}

/* Any word, character by character. */
static void word_slow(struct scan *s, size_t at, struct token *out)
{
    memset(out->folded, 0, sizeof(out->folded));
    size_t n = 0, upper = 0;
    while (at < s->text.len && n <= SCAN_WORD_MAX && is_alpha(s->text.base[at])) {
        uint8_t b = s->text.base[at++];
        out->folded[n++] = (char)(b | 0x20);
        upper += (b & 0x20) == 0 ? 1 : 0;
    }
    s->steps += n;
    out->end = at;
    out->letters = n;
    out->upper = upper;
    if (at < s->text.len && s->text.base[at] >= 0x80) {
        word_wide(s, at, out);
    }
    if (out->letters > 0 && out->letters <= SCAN_WORD_MAX) {
        out->hash = words_hash(out->folded, out->letters);
        out->word = words_find(s->words, out->hash);
    }
}

static size_t count_bits(uint64_t bits)
{
    size_t n = 0;
    for (; bits != 0; bits &= bits - 1) {
        n++;
    }
    return n;
}

static bool read_word(struct scan *s, size_t at, struct token *out)
{
    out->start = at;
    out->hash = 0;
    out->word = NULL;
    if (at + 16 >= s->text.len) {
        word_slow(s, at, out);
        return out->letters > 0;
    }
    uint64_t upper;
    unsigned n = block_letters(s->text.base + at, out->folded, &upper);
    if (n == 16 || s->text.base[at + n] >= 0x80) {
        word_slow(s, at, out);
        return out->letters > 0;
    }
    s->steps += n;
    out->end = at + n;
    out->letters = n;
    out->upper = count_bits(upper);
    if (n > 0) {
        uint64_t piece[2];
        memcpy(piece, out->folded, sizeof(piece));
        out->hash = words_mix(piece[0], piece[1]);
        out->word = words_find(s->words, out->hash);
    }
    return n > 0;
}

bool scan_word(struct scan *s, size_t at, struct token *out)
{
    struct token *memo = &s->memo[at % 2];
    if (memo->start != at || memo->letters == 0) {
        uint8_t b = scan_byte_at(s, at);
        if (b < 0x80 && !is_alpha(b)) {
            out->start = out->end = at;
            out->letters = out->upper = 0;
            out->word = NULL;
            out->folded[0] = '\0';
            return false;
        }
        read_word(s, at, memo);
    }
    *out = *memo;
    return out->letters > 0;
}

/* Moves back over the letters of a word; stops where lower case changes to upper ("patientId"). */
static size_t word_start(struct scan *s, size_t at)
{
    size_t letters = 0;
    bool was_upper = false;
    size_t end = at;
    while (at > 0 && letters <= SCAN_WORD_MAX && end - at < LOOK_WORD_BYTES) {
        uint8_t b = s->text.base[at - 1];
        bool silent = false;
        size_t before = at - 1;
        uint32_t c = b;
        if (b >= 0x80) {
            before = at;
            c = sotto_utf8_before(s->text, &before);
        }
        if (!(b < 0x80 ? is_alpha(b) : word_char(s, c, &silent)) || (was_upper && is_lower(c))) {
            break;
        }
        letters += silent ? 0 : 1;
        was_upper = silent ? was_upper : is_upper(c);
        at = before;
    }
    s->steps += letters;
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
