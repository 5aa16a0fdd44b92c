/* SPDX-License-Identifier: Apache-2.0 */

#include "detect/names/cue.h"

#include "detect/names/lexicon.h"
#include "text/fold.h"
#include "text/utf8.h"

#define CUE_PHRASE_MAX 4

static bool has(uint32_t flags, uint32_t wanted)
{
    return (flags & wanted) != 0;
}

/* "St.", "Mt.": abbreviations inside names of places. */
static bool is_saint(const struct names_tokens *t, const struct names_token *token)
{
    const uint8_t *base = t->text.base + token->start;
    return token->end - token->start == 2 && token->shape == TOKEN_CAP && base[1] == 't' &&
           (base[0] == 'S' || base[0] == 'M' || base[0] == 'F');
}

bool sotto_names_joined(const struct names_tokens *t, size_t i)
{
    unsigned gap = t->item[i].gap;
    if ((gap & TOKEN_DOT) != 0 && i > 0) {
        const struct names_token *last = &t->item[i - 1];
        if (last->shape == TOKEN_INITIAL || has(last->flags, SOTTO_LEXICON_TITLE) ||
            is_saint(t, last)) {
            gap &= ~(unsigned)TOKEN_DOT;
        }
    }
    return (gap & ~(unsigned)(TOKEN_SPACE | TOKEN_WIDE | TOKEN_ELISION)) == 0;
}

static uint64_t add_word(uint64_t hash, sotto_span word)
{
    for (size_t at = 0; at < word.len;) {
        uint32_t c = sotto_utf8_next(word, &at);
        if ((sotto_char_classes(c) & (SOTTO_CHAR_HIDDEN | SOTTO_CHAR_MARK)) == 0) {
            hash = sotto_lexicon_add(hash, sotto_fold(c));
        }
    }
    return hash;
}

uint32_t sotto_names_phrase(const struct names_tokens *t, size_t first, size_t last)
{
    uint64_t hash = SOTTO_LEXICON_EMPTY;
    for (size_t i = first; i <= last; i++) {
        hash = i == first ? hash : sotto_lexicon_add(hash, ' ');
        hash = add_word(hash, sotto_span_sub(t->text, t->item[i].start, t->item[i].end));
    }
    return (uint32_t)sotto_lexicon_find(hash);
}

/* The flags of word `i` and of all phrases that end with it; *words: the longest one's length. */
static uint32_t ending_with(const struct names_tokens *t, size_t i, size_t *words)
{
    uint32_t flags = t->item[i].flags;
    *words = 1;
    for (size_t k = 1; k < CUE_PHRASE_MAX && k <= i; k++) {
        if ((t->item[i - k + 1].gap & TOKEN_LINE) != 0) {
            break;
        }
        if (has(t->item[i - k].flags, SOTTO_LEXICON_PHRASE)) {
            uint32_t more = sotto_names_phrase(t, i - k, i);
            flags |= more;
            *words = more != 0 ? k + 1 : *words;
        }
    }
    return flags;
}

bool sotto_names_begins(const struct names_tokens *t, size_t i)
{
    unsigned gap = t->item[i].gap;
    if ((gap & (TOKEN_EDGE | TOKEN_LINE | TOKEN_STOP | TOKEN_COLON | TOKEN_OTHER)) != 0 || i == 0) {
        return true;
    }
    return (gap & TOKEN_DOT) != 0 && t->item[i - 1].shape != TOKEN_INITIAL &&
           !has(t->item[i - 1].flags, SOTTO_LEXICON_TITLE);
}

/* A title counts when it is written as one: with a capital, a full stop, or in full. */
static bool is_title(const struct names_token *token)
{
    return has(token->flags, SOTTO_LEXICON_TITLE) &&
           (token->shape != TOKEN_LOWER || token->dot || token->chars >= 4);
}

/* "Name: X", "From: X", "Nom   X"; the short ones only where a line begins with them. */
static int field_points(const struct names_tokens *t, size_t i, uint32_t flags)
{
    const struct names_token *last = &t->item[i - 1];
    unsigned gap = t->item[i].gap;
    bool colon = (gap & TOKEN_COLON) != 0 && (gap & (TOKEN_DOT | TOKEN_STOP)) == 0;
    if (!has(flags, SOTTO_LEXICON_FIELD)) {
        return 0;
    }
    if (last->chars <= 4 && !sotto_names_begins(t, i - 1) && last->chars != 3) {
        return 0;
    }
    if (colon) {
        return 45;
    }
    return (gap & TOKEN_WIDE) != 0 && sotto_names_begins(t, i - 1) && last->chars > 3 ? 30 : 0;
}

static int joined_points(const struct names_token *last, uint32_t flags, size_t words)
{
    int points = 0;
    if (is_title(last) || (words > 1 && has(flags, SOTTO_LEXICON_TITLE))) {
        return 60;
    }
    if (has(flags, SOTTO_LEXICON_SAYS)) {
        points = 35;
    }
    if (has(flags, SOTTO_LEXICON_GREETING) && points < 35) {
        points = 35;
    }
    if (has(flags, SOTTO_LEXICON_PATIENT) && points < 30) {
        points = 30;
    }
    if (has(flags, SOTTO_LEXICON_FAMILY) && points < 28) {
        points = 28;
    }
    if (has(flags, SOTTO_LEXICON_ROLE) && points < 30) {
        points = 30;
    }
    if (has(flags, SOTTO_LEXICON_VERB) && points < 8) {
        points = 8;
    }
    return points;
}

/* What stands before a comma or the end of a line. */
static int comma_points(unsigned gap, uint32_t flags)
{
    if ((gap & (TOKEN_LINE | TOKEN_COMMA)) != 0 && has(flags, SOTTO_LEXICON_CLOSING)) {
        return 42;
    }
    if ((gap & TOKEN_COMMA) == 0) {
        return 0;
    }
    return has(flags, SOTTO_LEXICON_FAMILY) ? 20 : has(flags, SOTTO_LEXICON_GREETING) ? 25 : 0;
}

struct names_cue sotto_names_cue_before(const struct names_tokens *t, size_t i)
{
    struct names_cue cue = {0};
    size_t words;
    if (i == 0) {
        return cue;
    }
    const struct names_token *last = &t->item[i - 1];
    unsigned gap = t->item[i].gap;
    uint32_t flags = ending_with(t, i - 1, &words);
    bool comma = (gap & ~(unsigned)(TOKEN_SPACE | TOKEN_LINE | TOKEN_COMMA | TOKEN_WIDE)) == 0;

    cue.person = field_points(t, i, flags);
    cue.field = cue.person != 0;
    if ((gap & TOKEN_COLON) != 0 && has(flags, SOTTO_LEXICON_PLACE_FIELD)) {
        cue.place = 50;
    }
    if (sotto_names_joined(t, i)) {
        int points = joined_points(last, flags, words);
        cue.person = points > cue.person ? points : cue.person;
        if (has(flags, SOTTO_LEXICON_PLACE_CUE)) {
            cue.place = words > 1 ? 45 : 25;
        }
        cue.site = !has(flags, SOTTO_LEXICON_SITE) ? 0 : words > 1 ? 2 : 1;
        cue.eponym = has(last->flags, SOTTO_LEXICON_EPONYM) ||
                     (i > 1 && has(last->flags, SOTTO_LEXICON_PARTICLE) &&
                      has(t->item[i - 2].flags, SOTTO_LEXICON_EPONYM));
    } else if (comma) {
        int points = comma_points(gap, flags);
        cue.person = points > cue.person ? points : cue.person;
    }
    return cue;
}

int sotto_names_cue_behind(const struct names_tokens *t, size_t i, bool *eponym)
{
    const struct names_token *name = &t->item[i];
    int points = name->possessive ? 5 : 0;
    *eponym = false;
    if (i + 1 >= t->count) {
        return points;
    }
    const struct names_token *next = &t->item[i + 1];
    unsigned gap = next->gap;
    if ((gap & ~(unsigned)(TOKEN_SPACE | TOKEN_DASH)) == 0) {
        if (has(next->flags, SOTTO_LEXICON_EPONYM)) {
            *eponym = true;
        }
        if (has(next->flags, SOTTO_LEXICON_VERB) && next->shape == TOKEN_LOWER) {
            points += 18;
        }
        if (next->shape == TOKEN_NUMBER && next->end - next->start == 4) {
            points -= 18; /* "Katona and Watson 1986" */
        }
        if (next->chars == 2 && i + 2 < t->count && t->item[i + 2].chars == 2 &&
            t->text.base[next->start] == 'e' && t->text.base[t->item[i + 2].start] == 'a') {
            *eponym = true; /* "et al." */
        }
    }
    if ((gap & TOKEN_ANGLE) != 0 && (gap & TOKEN_LINE) == 0) {
        points += 15;
    }
    if ((gap & (TOKEN_COMMA | TOKEN_OPEN)) != 0 && next->shape == TOKEN_NUMBER &&
        next->end - next->start <= 2) {
        points += 12; /* "Anna Meier, 34" */
    }
    return points;
}

static uint8_t low(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + ('a' - 'A')) : c;
}

bool sotto_names_is(const struct names_tokens *t, size_t i, const char *const *list, size_t count)
{
    const uint8_t *word = t->text.base + t->item[i].start;
    size_t len = t->item[i].end - t->item[i].start;
    for (size_t k = 0; k < count; k++) {
        size_t same = 0;
        while (same < len && low(word[same]) == (uint8_t)list[k][same]) {
            same++;
        }
        if (same == len && list[k][len] == '\0') {
            return true;
        }
    }
    return false;
}
