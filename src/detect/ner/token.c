/* SPDX-License-Identifier: Apache-2.0 */

#include "detect/ner/token.h"

#include "detect/ner/fold.h"
#include "text/utf8.h"

enum token_class {
    TOKEN_LETTER,
    TOKEN_DIGIT,
    TOKEN_PUNCT,
    TOKEN_SPACE,
    TOKEN_BREAK,
    TOKEN_HIDDEN,
};

/* Seeds of the hashes; part of the model's definition. */
enum token_seed {
    TOKEN_SEED_WORD = 1,
    TOKEN_SEED_NUMBER,
    TOKEN_SEED_PUNCT,
    TOKEN_SEED_BREAK,
    TOKEN_SEED_GRAM3,
    TOKEN_SEED_GRAM4,
};

/* First rows of the kinds in the shape table; words come first. */
#define TOKEN_SHAPE_NUMBER 168U
#define TOKEN_SHAPE_PUNCT  200U
#define TOKEN_SHAPE_BREAK  206U

static bool in(uint32_t c, uint32_t low, uint32_t high)
{
    return c - low <= high - low;
}

static enum token_class class_of_ascii(uint32_t c)
{
    if (in(c | 0x20, 'a', 'z')) {
        return TOKEN_LETTER;
    }
    if (in(c, '0', '9')) {
        return TOKEN_DIGIT;
    }
    if (c == ' ' || c == '\t' || c == '\r') {
        return TOKEN_SPACE;
    }
    return in(c, 0x0a, 0x0c) ? TOKEN_BREAK : TOKEN_PUNCT;
}

static bool is_hidden(uint32_t c)
{
    return c == 0xad || in(c, 0x300, 0x36f) || c == 0x61c || c == 0x180e || in(c, 0x200b, 0x200f) ||
           in(c, 0x202a, 0x202e) || in(c, 0x2060, 0x206f) || in(c, 0xfe00, 0xfe0f) || c == 0xfeff;
}

static bool is_wide_space(uint32_t c)
{
    return c == 0xa0 || c == 0x1680 || in(c, 0x2000, 0x200a) || c == 0x202f || c == 0x205f ||
           c == 0x3000;
}

static bool is_wide_punct(uint32_t c)
{
    static const struct {
        uint32_t low, high;
    } ranges[] = {
        {0x80, 0x84},       {0x86, 0x9f},     {0xa1, 0xa9},     {0xab, 0xac},     {0xae, 0xb4},
        {0xb6, 0xb9},       {0xbb, 0xbf},     {0xd7, 0xd7},     {0xf7, 0xf7},     {0x2010, 0x2027},
        {0x2030, 0x205e},   {0x20a0, 0x20cf}, {0x2100, 0x2bff}, {0x3001, 0x303f}, {0xe000, 0xf8ff},
        {0xfe10, 0xfe6f},   {0xff01, 0xff0f}, {0xff1a, 0xff20}, {0xff3b, 0xff40}, {0xff5b, 0xff65},
        {0x1f000, 0x1faff},
    };

    for (size_t i = 0; i < SOTTO_COUNT(ranges); i++) {
        if (in(c, ranges[i].low, ranges[i].high)) {
            return true;
        }
    }
    return false;
}

static enum token_class class_of_wide(uint32_t c)
{
    if (in(c, 0xc0, 0x24f)) { /* most letters beyond ASCII */
        return c == 0xd7 || c == 0xf7 ? TOKEN_PUNCT : TOKEN_LETTER;
    }
    if (is_hidden(c)) {
        return TOKEN_HIDDEN;
    }
    if (is_wide_space(c)) {
        return TOKEN_SPACE;
    }
    if (c == 0x85 || in(c, 0x2028, 0x2029)) {
        return TOKEN_BREAK;
    }
    if (in(c, 0xff10, 0xff19)) {
        return TOKEN_DIGIT;
    }
    return is_wide_punct(c) ? TOKEN_PUNCT : TOKEN_LETTER;
}

static enum token_class class_of(uint32_t c)
{
    return c < 0x80 ? class_of_ascii(c) : class_of_wide(c);
}

static uint32_t fold_entry(uint16_t entry, bool *upper)
{
    *upper = (entry & SOTTO_NER_UPPER) != 0;
    return entry & (SOTTO_NER_UPPER - 1);
}

static uint32_t fold(uint32_t c, bool *upper)
{
    if (c < 0x80) {
        *upper = c < 0x60;
        return c | 0x20;
    }
    if (in(c, 0xc0, 0x24f)) {
        return fold_entry(sotto_ner_fold_latin[c - 0xc0], upper);
    }
    if (in(c, 0x370, 0x52f)) {
        return fold_entry(sotto_ner_fold_greek[c - 0x370], upper);
    }
    if (in(c, 0x1e00, 0x1eff)) {
        return fold_entry(sotto_ner_fold_extended[c - 0x1e00], upper);
    }
    *upper = in(c, 0xff21, 0xff3a);
    if (*upper) {
        return c - 0xff21 + 'a';
    }
    return in(c, 0xff41, 0xff5a) ? c - 0xff41 + 'a' : c;
}

static uint32_t fold_punct(uint32_t c)
{
    if (in(c, 0x2018, 0x201b) || c == 0x60 || c == 0xb4 || c == 0x2032) {
        return '\'';
    }
    if (in(c, 0x201c, 0x201f) || c == 0xab || c == 0xbb || c == 0x2033) {
        return '"';
    }
    if (in(c, 0x2010, 0x2015) || c == 0x2212) {
        return '-';
    }
    return c == 0x2026 ? '.' : c;
}

static uint32_t fold_digit(uint32_t c)
{
    return c < 0x80 ? c : c - 0xff10 + '0';
}

static uint32_t hash_points(uint32_t seed, const uint32_t *points, size_t count)
{
    uint32_t h = SOTTO_NER_HASH_BASIS ^ seed;
    for (size_t i = 0; i < count; i++) {
        h = (h ^ points[i]) * SOTTO_NER_HASH_PRIME;
    }
    return sotto_ner_mix(h);
}

/* What is gathered while a word is read. */
struct token_word {
    uint32_t framed[SOTTO_NER_TOKEN_MAX + 2]; /* '<', folded letters, '>' */
    size_t letters;
    size_t uppers;
    bool first_upper;
    bool plain; /* ASCII only */
};

static unsigned case_class(const struct token_word *w)
{
    if (w->uppers == 0) {
        return 0; /* lower */
    }
    if (w->letters == 1) {
        return 3; /* single capital */
    }
    if (w->uppers == w->letters) {
        return 2; /* UPPER */
    }
    if (!w->first_upper) {
        return 5; /* mIxed */
    }
    return w->uppers == 1 ? 1 : 4; /* Title or MiXed */
}

static unsigned length_bucket(size_t n)
{
    static const uint8_t upto[] = {1, 2, 3, 5, 8, 12};
    unsigned bucket = 0;

    while (bucket < SOTTO_COUNT(upto) && n > upto[bucket]) {
        bucket++;
    }
    return bucket;
}

static void word_features(struct token_word *w, bool space, struct sotto_ner_token *out)
{
    out->hash = hash_points(TOKEN_SEED_WORD, w->framed + 1, w->letters);
    out->shape =
        (uint8_t)(((case_class(w) * 7 + length_bucket(w->letters)) * 2 + !w->plain) * 2 + space);

    size_t n = w->letters < SOTTO_NER_FOLD_MAX ? w->letters : SOTTO_NER_FOLD_MAX;
    w->framed[0] = '<';
    w->framed[n + 1] = '>';
    unsigned count = 0;
    for (size_t i = 0; i < n; i++) {
        out->grams[count++] = hash_points(TOKEN_SEED_GRAM3, w->framed + i, 3);
    }
    for (size_t i = 0; i + 1 < n; i++) {
        out->grams[count++] = hash_points(TOKEN_SEED_GRAM4, w->framed + i, 4);
    }
    out->gram_count = (uint8_t)count;
}

static void read_word(struct sotto_ner_cursor *cur, struct sotto_ner_token *out)
{
    struct token_word w = {.plain = true};

    for (size_t points = 0; points < SOTTO_NER_TOKEN_MAX && cur->at < cur->text.len; points++) {
        size_t next = cur->at;
        uint32_t c = sotto_utf8_next(cur->text, &next);
        enum token_class class = class_of(c);
        if (class != TOKEN_LETTER && class != TOKEN_HIDDEN) {
            break;
        }
        cur->at = next;
        w.plain = w.plain && c < 0x80;
        if (class == TOKEN_LETTER) {
            bool upper;
            w.framed[++w.letters] = fold(c, &upper);
            w.uppers += upper;
            w.first_upper = w.letters == 1 ? upper : w.first_upper;
        }
    }
    word_features(&w, cur->space, out);
}

static void read_number(struct sotto_ner_cursor *cur, struct sotto_ner_token *out)
{
    uint32_t digits[SOTTO_NER_TOKEN_MAX] = {0};
    size_t n = 0;

    for (size_t points = 0; points < SOTTO_NER_TOKEN_MAX && cur->at < cur->text.len; points++) {
        size_t next = cur->at;
        uint32_t c = sotto_utf8_next(cur->text, &next);
        enum token_class class = class_of(c);
        if (class != TOKEN_DIGIT && class != TOKEN_HIDDEN) {
            break;
        }
        cur->at = next;
        if (class == TOKEN_DIGIT) {
            digits[n++] = fold_digit(c);
        }
    }
    /* Long numbers are told apart by their length alone. */
    uint32_t length = n < 8 ? (uint32_t)n : 8;
    out->hash = n <= 4 ? hash_points(TOKEN_SEED_NUMBER, digits, n)
                       : hash_points(TOKEN_SEED_NUMBER, &length, 1);
    out->shape =
        (uint8_t)(TOKEN_SHAPE_NUMBER + ((length - 1) * 2 + (digits[0] == '0')) * 2 + cur->space);
}

static void read_punct(struct sotto_ner_cursor *cur, uint32_t sign, struct sotto_ner_token *out)
{
    size_t n = 0;

    while (n < SOTTO_NER_TOKEN_MAX && cur->at < cur->text.len) {
        size_t next = cur->at;
        if (sotto_utf8_next(cur->text, &next) != sign) {
            break;
        }
        cur->at = next;
        n++;
    }
    uint32_t folded = fold_punct(sign);
    out->hash = hash_points(TOKEN_SEED_PUNCT, &folded, 1);
    out->shape = (uint8_t)(TOKEN_SHAPE_PUNCT + 2 * ((n < 3 ? n : 3) - 1) + cur->space);
}

/* White space and invisible code points up to the next token; returns how many line breaks. */
static uint32_t skip_gap(struct sotto_ner_cursor *cur)
{
    uint32_t breaks = 0;

    while (cur->at < cur->text.len) {
        size_t next = cur->at;
        enum token_class class = class_of(sotto_utf8_next(cur->text, &next));
        if (class == TOKEN_BREAK) {
            breaks++;
        } else if (class == TOKEN_SPACE) {
            cur->space = true;
        } else if (class != TOKEN_HIDDEN) {
            break;
        }
        cur->at = next;
    }
    cur->space = cur->space || breaks != 0;
    return breaks;
}

bool sotto_ner_next(struct sotto_ner_cursor *cur, struct sotto_ner_token *out)
{
    size_t start = cur->at;
    uint32_t breaks = skip_gap(cur);

    out->gram_count = 0;
    if (breaks != 0) {
        uint32_t many = breaks > 1;
        out->start = (uint32_t)start;
        out->end = (uint32_t)cur->at;
        out->kind = SOTTO_NER_BREAK;
        out->sign = '\n';
        out->hash = hash_points(TOKEN_SEED_BREAK, &many, 1);
        out->shape = (uint8_t)(TOKEN_SHAPE_BREAK + many);
        return true;
    }
    if (cur->at >= cur->text.len) {
        return false;
    }
    out->start = (uint32_t)cur->at;
    out->sign = cur->text.base[cur->at];
    size_t peek = cur->at;
    uint32_t c = sotto_utf8_next(cur->text, &peek);
    enum token_class class = class_of(c);
    if (class == TOKEN_LETTER) {
        out->kind = SOTTO_NER_WORD;
        read_word(cur, out);
    } else if (class == TOKEN_DIGIT) {
        out->kind = SOTTO_NER_NUMBER;
        read_number(cur, out);
    } else {
        out->kind = SOTTO_NER_PUNCT;
        read_punct(cur, c, out);
    }
    cur->space = false;
    out->end = (uint32_t)cur->at;
    return true;
}

size_t sotto_ner_points(sotto_span bytes, uint8_t kind, uint32_t points[SOTTO_NER_TOKEN_MAX])
{
    size_t n = 0;

    for (size_t at = 0; at < bytes.len && n < SOTTO_NER_TOKEN_MAX;) {
        uint32_t c = sotto_utf8_next(bytes, &at);
        enum token_class class = class_of(c);
        bool upper;
        if (kind == SOTTO_NER_PUNCT) {
            points[n++] = c;
            break;
        }
        if (kind == SOTTO_NER_WORD && class == TOKEN_LETTER) {
            points[n++] = fold(c, &upper);
        } else if (kind == SOTTO_NER_NUMBER && class == TOKEN_DIGIT) {
            points[n++] = fold_digit(c);
        }
    }
    return n;
}
