/* SPDX-License-Identifier: Apache-2.0 */

#include "detect/names/doubt.h"

#include "detect/finding.h"
#include "detect/names/cue.h"
#include "detect/names/lexicon.h"

/*
 * How much surer the layer that found it must be, in thousandths.  Fitted to labelled texts (a
 * logistic regression of right and wrong findings on the score and on what is named here) and
 * rounded; only what is wrong more than twice as often as right in the scores it takes away is here.
 */
#define DOUBT_LOWER        450 /* in lower case among capitals, in a language other than English */
#define DOUBT_LOWER_INSIDE 200
#define DOUBT_MORBUS       400 /* "M. Parkinson" in German */
#define DOUBT_EPONYM       500 /* "Barthel 75" */
#define DOUBT_LETTER       400 /* "m. w. N." */
#define DOUBT_WORD         400 /* an ordinary word alone, in a language other than English */
#define DOUBT_WORD_OR_NAME 250 /* one that is a last name too: "Fuchs" */
#define DOUBT_WORD_ENGLISH 150
#define DOUBT_NATION       300
#define DOUBT_NEVER        400 /* nothing but words that name no person: "Doliprane" */
#define DOUBT_NUMBERED     250 /* "4 Vesta" */
#define DOUBT_OF           200 /* "Legends of Dune" */
#define DOUBT_YEAR         400 /* "Ulysses (1922)" */

/* The words [first, last] of a finding. */
struct doubt_words {
    const struct names_tokens *t;
    size_t first, last;
};

static bool has(uint32_t flags, uint32_t wanted)
{
    return (flags & wanted) != 0;
}

static bool is_particle(const struct names_token *token)
{
    return token->shape == TOKEN_LOWER && has(token->flags, SOTTO_LEXICON_PARTICLE);
}

/* Finds the words of bytes [start, end); false: there are none. */
static bool find_words(struct doubt_words *w, size_t start, size_t end)
{
    size_t low = 0, high = w->t->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (w->t->item[middle].end <= start) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    w->first = low;
    while (low < w->t->count && w->t->item[low].start < end) {
        low++;
    }
    w->last = low - 1;
    return low > w->first;
}

static bool follows(const struct names_tokens *t, size_t first, uint32_t flag)
{
    return first > 0 && sotto_names_joined(t, first) && has(t->item[first - 1].flags, flag);
}

static bool follows_title(const struct names_tokens *t, size_t first)
{
    return follows(t, first, SOTTO_LEXICON_TITLE);
}

/* An ordinary word, the only one; behind a role a word that is a last name too is one: "Landrat Bär". */
static unsigned ordinary(const struct names_token *word, bool foreign, bool role)
{
    bool first = has(word->flags, SOTTO_LEXICON_ANY_FIRST);
    bool last = has(word->flags, SOTTO_LEXICON_ANY_LAST);

    if (!has(word->flags, (uint32_t)SOTTO_LEXICON_WORD | SOTTO_LEXICON_NOUN)) {
        return 0;
    }
    if (foreign && role && last) {
        return 0;
    }
    if (foreign) {
        return last && !first ? DOUBT_WORD_OR_NAME : DOUBT_WORD;
    }
    return first || last ? 0 : DOUBT_WORD_ENGLISH;
}

/* Nothing but titles, roles behind a title, and articles: "habil.", "Herrn Kollegen", "Monsieur le
 * Président".  A name that is a title, too, is one only where names have capitals and it has none. */
static bool is_title_alone(const struct doubt_words *w)
{
    bool capitals = w->t->language > SOTTO_LEXICON_EN && !w->t->lower;
    bool title = follows_title(w->t, w->first);

    for (size_t i = w->first; i <= w->last; i++) {
        const struct names_token *token = &w->t->item[i];
        bool listed = has(token->flags, SOTTO_LEXICON_ANY_FIRST | SOTTO_LEXICON_ANY_LAST);
        bool name = listed && !(capitals && token->shape == TOKEN_LOWER);
        uint32_t allowed = (uint32_t)SOTTO_LEXICON_TITLE | (capitals ? SOTTO_LEXICON_PARTICLE : 0) |
                           (title ? SOTTO_LEXICON_ROLE : 0);
        if (name || !has(token->flags, allowed)) {
            return false;
        }
        title |= has(token->flags, SOTTO_LEXICON_TITLE);
    }
    return true;
}

/* Morbus, shortened, before an eponym. */
static bool is_morbus(const struct doubt_words *w)
{
    const struct names_token *first = &w->t->item[w->first], *last = &w->t->item[w->last];
    return w->t->german && w->first + 1 == w->last && first->dot && first->chars == 1 &&
           w->t->text.base[first->start] == 'M' && has(last->flags, SOTTO_LEXICON_EPONYM_NAME);
}

/* What the words themselves say. */
static unsigned inside(const struct doubt_words *w)
{
    const struct names_tokens *t = w->t;
    bool foreign = t->language > SOTTO_LEXICON_EN, lower = true, nation = true, listed = false;
    bool lower_inside = false, letter = false, never = true;

    for (size_t i = w->first; i <= w->last; i++) {
        const struct names_token *token = &t->item[i];
        bool particle = is_particle(token);
        lower &= token->shape == TOKEN_LOWER;
        nation &= has(token->flags, SOTTO_LEXICON_NRP);
        listed |= has(token->flags, SOTTO_LEXICON_ANY_FIRST | SOTTO_LEXICON_ANY_LAST);
        never &= has(token->flags, SOTTO_LEXICON_NEVER);
        lower_inside |= token->shape == TOKEN_LOWER && !particle;
        letter |= token->shape == TOKEN_LOWER && token->chars == 1 && token->dot &&
                  t->text.base[token->start] != 'v'; /* "von" */
    }
    if (never && !listed) {
        return DOUBT_NEVER;
    }
    if (lower && foreign && !t->lower) {
        return DOUBT_LOWER;
    }
    unsigned doubt = w->first == w->last ? ordinary(&t->item[w->first], foreign,
                                                    follows(t, w->first, SOTTO_LEXICON_ROLE))
                                         : 0;
    doubt += is_morbus(w) ? DOUBT_MORBUS : 0;
    if (nation && !has(t->item[w->first].flags, SOTTO_LEXICON_ANY_FIRST)) {
        doubt += DOUBT_NATION;
    }
    if (letter && t->german) {
        doubt += DOUBT_LETTER;
    } else if (lower_inside && !lower && !(foreign && listed)) {
        doubt += DOUBT_LOWER_INSIDE;
    }
    return doubt;
}

/* "X of" before the name, where X has a capital. */
static bool follows_of(const struct names_tokens *t, size_t first)
{
    const struct names_token *last = &t->item[first - 1];
    return first > 1 && last->end - last->start == 2 && t->text.base[last->start] == 'o' &&
           t->text.base[last->start + 1] == 'f' && sotto_names_joined(t, first - 1) &&
           t->item[first - 2].shape == TOKEN_CAP && !sotto_names_begins(t, first - 2);
}

/* An eponym with a number, a grade or the thing named for it behind: "Garden III", "Redon-Drainage". */
static bool is_measured(const struct doubt_words *w)
{
    const struct names_tokens *t = w->t;
    if (!has(t->item[w->first].flags, SOTTO_LEXICON_EPONYM_NAME)) {
        return false;
    }
    size_t grade = w->first == w->last ? w->last + 1 : w->last;
    if (grade >= t->count || !sotto_names_joined(t, grade) || grade > w->first + 1) {
        return false;
    }
    const struct names_token *token = &t->item[grade];
    size_t digits = token->end - token->start;
    return (token->shape == TOKEN_NUMBER && digits <= 3) || has(token->flags, SOTTO_LEXICON_SUFFIX);
}

/* What stands beside them says. */
static unsigned outside(const struct doubt_words *w)
{
    const struct names_tokens *t = w->t;
    unsigned doubt = is_measured(w) ? DOUBT_EPONYM : 0;

    if (w->first > 0 && sotto_names_joined(t, w->first)) {
        const struct names_token *last = &t->item[w->first - 1];
        bool numbered = last->shape == TOKEN_NUMBER && last->end - last->start < 4;
        doubt += numbered ? DOUBT_NUMBERED : follows_of(t, w->first) ? DOUBT_OF : 0;
    }
    if (w->first == w->last && w->last + 1 < t->count) {
        const struct names_token *next = &t->item[w->last + 1];
        bool year = next->shape == TOKEN_NUMBER && next->end - next->start == 4;
        doubt += year && has(next->gap, TOKEN_OPEN) ? DOUBT_YEAR : 0;
    }
    return doubt;
}

unsigned sotto_names_doubt_of(const struct names_tokens *t, size_t start, size_t end)
{
    struct doubt_words w = {.t = t};
    if (!find_words(&w, start, end)) {
        return 0;
    }
    if (is_title_alone(&w)) {
        return SOTTO_SCORE_MAX;
    }
    if (follows_title(t, w.first)) {
        return 0;
    }
    unsigned doubt = inside(&w) + outside(&w);
    return doubt < SOTTO_SCORE_MAX ? doubt : SOTTO_SCORE_MAX;
}
