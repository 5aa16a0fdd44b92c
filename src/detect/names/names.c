/* SPDX-License-Identifier: Apache-2.0 */

#include "detect/names/names.h"

#include "base/alloc.h"
#include "detect/finer.h"
#include "detect/names/cue.h"
#include "detect/names/doubt.h"
#include "detect/names/lexicon.h"
#include "detect/names/people.h"
#include "detect/names/token.h"
#include "detect/names/trade.h"
#include "detect/rule.h"
#include "detect/window.h"
#include "text/utf8.h"

/*
 * Points say how much speaks for a reading; NAMES_ENOUGH make a finding of score 500, each one
 * more or less NAMES_STEP.  Their sizes were chosen on labelled texts (docs/detection.md).
 */
#define NAMES_ENOUGH 50
#define NAMES_STEP   8

/* Longest name, and longest name of a place, in words. */
#define NAMES_WORDS_MAX 6
#define NAMES_PLACE_MAX 4

/* Behind a title or in a field so many words belong to a name whatever they mean elsewhere. */
#define NAMES_SURE_MAX 4

/* Findings with fewer points are not worth a place in the list. */
#define NAMES_FLOOR 25

#define NAMES_BYTES  (SOTTO_WINDOW_MAX + 2 * SOTTO_NAMES_REACH + 8)
#define NAMES_TOKENS NAMES_TOKENS_FOR(NAMES_BYTES)

struct sotto_names {
    size_t taken;              /* the text before this is part of a finding */
    int language;              /* enum sotto_lexicon_language; -1: guessed */
    struct names_tokens words; /* of the window scanned last */
    struct names_cache cache;
    struct names_token token[NAMES_TOKENS];
};

/* One scan of a window. */
struct names_scan {
    struct names_tokens t;
    size_t first;     /* first word of the window itself */
    size_t limit;     /* first word behind the window */
    size_t last_name; /* word behind the last person found; 0: none */
    struct sotto_findings *out;
};

/* A person's name as words [first, last]. */
struct names_person {
    size_t first, last;
    int points;
};

static bool has(uint32_t flags, uint32_t wanted)
{
    return (flags & wanted) != 0;
}

static bool is_name_flag(uint32_t flags)
{
    return has(flags, SOTTO_LEXICON_ANY_FIRST | SOTTO_LEXICON_ANY_LAST);
}

/* "NYU Langone": capitals that begin a name. */
static bool leads_name(const struct names_scan *s, const struct names_token *token)
{
    size_t next = (size_t)(token - s->t.item) + 1;
    return token->chars == 3 && next < s->t.count && s->t.item[next].shape == TOKEN_CAP &&
           sotto_names_joined(&s->t, next) && !has(token->flags, SOTTO_LEXICON_NEVER);
}

/* Whether a word is written like a name.  In a stretch all in lower case the lists decide. */
static bool is_capital(const struct names_scan *s, const struct names_token *token)
{
    if (token->glued) {
        return false;
    }
    if (token->shape == TOKEN_CAP || token->shape == TOKEN_INITIAL) {
        return true;
    }
    if (token->shape == TOKEN_CAPS) {
        return token->chars > 3 || is_name_flag(token->flags) ||
               has(token->flags, SOTTO_LEXICON_ANY_PLACE) || leads_name(s, token);
    }
    return s->t.lower && token->shape == TOKEN_LOWER && token->chars > 2 &&
           has(token->flags, (uint32_t)SOTTO_LEXICON_FIRST | SOTTO_LEXICON_LAST |
                                 SOTTO_LEXICON_FIRST_RARE | SOTTO_LEXICON_CITY |
                                 SOTTO_LEXICON_COUNTRY | SOTTO_LEXICON_STATE) &&
           !has(token->flags,
                (uint32_t)SOTTO_LEXICON_WORD | SOTTO_LEXICON_CALENDAR | SOTTO_LEXICON_NEVER);
}

static bool is_particle(const struct names_token *token)
{
    return token->shape == TOKEN_LOWER && has(token->flags, SOTTO_LEXICON_PARTICLE);
}

/* A capitalised word that no name contains. */
static bool ends_name(const struct names_token *token)
{
    return has(token->flags, (uint32_t)SOTTO_LEXICON_COUNTRY | SOTTO_LEXICON_ORG_HEAD |
                                 SOTTO_LEXICON_LEGAL | SOTTO_LEXICON_NEVER) &&
           !has(token->flags, (uint32_t)SOTTO_LEXICON_FIRST | SOTTO_LEXICON_LAST);
}

/* Words that say what somebody is: "Vater", "King". */
#define NAMES_RELATION ((uint32_t)SOTTO_LEXICON_FAMILY | SOTTO_LEXICON_PATIENT | SOTTO_LEXICON_ROLE)

/* Flags of words that are often no names. */
#define NAMES_DOUBTFUL                                                                             \
    ((uint32_t)SOTTO_LEXICON_WORD | SOTTO_LEXICON_NOUN | SOTTO_LEXICON_CALENDAR |                  \
     SOTTO_LEXICON_NEVER | SOTTO_LEXICON_EPONYM_NAME | SOTTO_LEXICON_NRP |                         \
     SOTTO_LEXICON_ANY_CITY | (uint32_t)SOTTO_LEXICON_COUNTRY | SOTTO_LEXICON_STATE |              \
     NAMES_RELATION)

/* What the lists say for a word as the first one of a name. */
static int list_points(const struct names_scan *s, uint32_t f)
{
    if (has(f, SOTTO_LEXICON_FIRST)) {
        return 50;
    }
    if (has(f, SOTTO_LEXICON_FIRST_RARE)) {
        return 36;
    }
    if (has(f, SOTTO_LEXICON_LAST)) {
        return 34;
    }
    return has(f, SOTTO_LEXICON_LAST_RARE) ? 24 : s->t.german ? 4 : 12;
}

/* What the lists say against it. */
static int doubt_points(const struct names_scan *s, size_t i)
{
    uint32_t f = s->t.item[i].flags;
    bool mild = s->t.german || has(f, SOTTO_LEXICON_LAST);
    int points = 0;
    if (has(f, SOTTO_LEXICON_WORD)) {
        points += sotto_names_begins(&s->t, i) ? 40 : mild ? 14 : 22;
    }
    if (has(f, SOTTO_LEXICON_ANY_PLACE)) {
        points += !has(f, SOTTO_LEXICON_FIRST) ? 14 : has(f, SOTTO_LEXICON_CITY_RARE) ? 0 : 4;
    }
    points += has(f, SOTTO_LEXICON_NOUN) ? 25 : 0;
    points += has(f, SOTTO_LEXICON_CALENDAR | SOTTO_LEXICON_NEVER) ? 25 : 0;
    points += has(f, SOTTO_LEXICON_EPONYM_NAME) ? 12 : 0;
    points += has(f, SOTTO_LEXICON_NRP) ? 40 : 0;
    points += has(f, NAMES_RELATION) && !has(f, SOTTO_LEXICON_FIRST) ? 20 : 0;
    return points;
}

/* What a word says as the first word of a name. */
static int first_points(const struct names_scan *s, size_t i)
{
    const struct names_token *token = &s->t.item[i];
    if (token->shape == TOKEN_INITIAL) {
        return token->dot ? 12 : -20; /* "O Aosta", "A Kaplan" */
    }
    int points = list_points(s, token->flags) - doubt_points(s, i);
    if (token->shape == TOKEN_LOWER && !s->t.lower) {
        points -= 12;
    }
    if (token->shape == TOKEN_CAPS && token->chars <= 4) {
        points -= 14;
    }
    if (token->shape == TOKEN_CAP && points < 50 && is_name_flag(token->flags) &&
        !has(token->flags, NAMES_DOUBTFUL) && !sotto_names_begins(&s->t, i)) {
        points += 16;
    }
    return points;
}

/* Whether word `i` is surely a first name; then a capitalised word behind it is the last name. */
static bool is_given(const struct names_scan *s, size_t i)
{
    const struct names_token *token = &s->t.item[i];
    return !s->t.german && token->shape == TOKEN_CAP && has(token->flags, SOTTO_LEXICON_FIRST) &&
           !has(token->flags, NAMES_DOUBTFUL) && s->t.item[i + 1].shape == TOKEN_CAP;
}

/* What a further word adds. */
static int further_points(const struct names_scan *s, size_t i)
{
    const struct names_token *token = &s->t.item[i];
    uint32_t f = token->flags;
    int points = s->t.german ? 8 : 16;
    if (token->shape == TOKEN_INITIAL) {
        return 14;
    }
    if (has(f, SOTTO_LEXICON_LAST)) {
        points = 30;
    } else if (has(f, SOTTO_LEXICON_LAST_RARE)) {
        points = 25;
    } else if (has(f, SOTTO_LEXICON_ANY_FIRST)) {
        points = 20;
    }
    if (has(f, SOTTO_LEXICON_LAST) && is_given(s, i - 1)) {
        return points; /* "Elaine May" */
    }
    if (has(f, SOTTO_LEXICON_WORD | SOTTO_LEXICON_NOUN)) {
        points -= is_name_flag(f) ? 14 : is_given(s, i - 1) ? 16 : 34;
    }
    if (has(f, SOTTO_LEXICON_CALENDAR)) {
        points -= 30;
    }
    if (!is_name_flag(f) && has(f, SOTTO_LEXICON_ANY_PLACE)) {
        points -= 6;
    }
    return points;
}

/* Whether an organisation's word follows a possessive: "St. Mary's Hospital". */
static bool is_head_of(const struct names_scan *s, size_t i)
{
    return s->t.item[i].shape == TOKEN_CAP && has(s->t.item[i].flags, SOTTO_LEXICON_ORG_HEAD);
}

/* Whether a particle joins what is before it to a name that begins with word `first`.  German has
 * articles and prepositions among them, which join nouns as well. */
static bool links(const struct names_scan *s, size_t first, size_t i, bool further)
{
    const struct names_token *token = &s->t.item[i];
    if (!is_particle(token)) {
        return false;
    }
    if (further || !s->t.german) {
        return true;
    }
    bool german_article = (token->languages >> SOTTO_LEXICON_DE & 1) != 0 &&
                          memcmp(s->t.text.base + token->start, "von", 3) != 0;
    return !german_article && is_name_flag(s->t.item[first].flags);
}

/* The end of the capitalised words, particles and initials that begin with word `i`. */
static size_t run_end(const struct names_scan *s, size_t i)
{
    const struct names_tokens *t = &s->t;
    size_t end = i + 1;
    while (end < t->count && end - i < NAMES_WORDS_MAX && sotto_names_joined(t, end) &&
           (!t->item[end - 1].possessive || is_head_of(s, end))) {
        size_t next = end;
        while (next < t->count && next - end < 3 && links(s, i, next, next > end) &&
               sotto_names_joined(t, next)) {
            next++;
        }
        if (next >= t->count || !sotto_names_joined(t, next) || !is_capital(s, &t->item[next])) {
            break;
        }
        end = next + 1;
    }
    return end;
}

/* How many points words [first, last] have as a name, apart from what stands around them. */
static int name_points(const struct names_scan *s, size_t first, size_t last)
{
    while (first < last && is_particle(&s->t.item[first])) {
        first++;
    }
    int points = first_points(s, first), full = 0;
    bool after_particle = false;
    for (size_t i = first + 1; i <= last; i++) {
        if (is_particle(&s->t.item[i])) {
            after_particle = true;
            continue;
        }
        int more = further_points(s, i);
        points += after_particle && more < 20 ? 20 : more;
        full += s->t.item[i].shape != TOKEN_INITIAL;
        after_particle = false;
    }
    uint32_t f = s->t.item[first].flags;
    if (full != 0 && has(f, SOTTO_LEXICON_ANY_FIRST)) {
        points += 12;
    }
    if (full == 1 && s->t.german && !is_name_flag(f) && !has(f, NAMES_DOUBTFUL) &&
        has(s->t.item[last].flags, SOTTO_LEXICON_ANY_LAST) &&
        !has(s->t.item[last].flags, NAMES_DOUBTFUL)) {
        points += 16;
    }
    if (full == 1 && !s->t.german && s->t.item[first].shape == TOKEN_CAP && !is_name_flag(f) &&
        !has(f, NAMES_DOUBTFUL) && has(s->t.item[last].flags, SOTTO_LEXICON_FIRST) &&
        !has(s->t.item[last].flags, NAMES_DOUBTFUL)) {
        points += 20; /* "Bacheler Janet" */
    }
    if (full != 0 && s->t.item[first].shape == TOKEN_INITIAL) {
        points += 22;
    }
    return points;
}

/* The longest stretch from word `first` on that may be a name; `end` is the run's. */
static size_t name_last(const struct names_scan *s, size_t first, size_t end, bool sure)
{
    size_t last = first;
    for (size_t i = first + 1; i < end; i++) {
        const struct names_token *token = &s->t.item[i];
        if (is_particle(token)) {
            continue;
        }
        if (ends_name(token) || (has(token->flags, SOTTO_LEXICON_TITLE) && token->chars > 2 &&
                                 !is_name_flag(token->flags))) {
            break;
        }
        bool taken = sure && i - first < NAMES_SURE_MAX && token->shape != TOKEN_INITIAL &&
                     !has(token->flags, SOTTO_LEXICON_FIELD | SOTTO_LEXICON_PLACE_FIELD);
        if (further_points(s, i) < 0 && !taken) {
            break;
        }
        last = i;
    }
    return last;
}

static uint16_t score_of(int points)
{
    int score = 500 + (points - NAMES_ENOUGH) * NAMES_STEP;
    return (uint16_t)(score < 0 ? 0 : score > 990 ? 990 : score);
}

static enum sotto_err add(struct names_scan *s, size_t first, size_t last, int points,
                          enum sotto_label label, enum sotto_finer finer, enum sotto_rule rule)
{
    const struct names_token *a = &s->t.item[first], *b = &s->t.item[last];
    if (points < NAMES_FLOOR) {
        return SOTTO_OK;
    }
    return sotto_findings_add(s->out, (struct sotto_finding){.start = a->start,
                                                             .end = b->end,
                                                             .score = score_of(points),
                                                             .finer = (uint16_t)finer,
                                                             .rule = (uint16_t)rule,
                                                             .label = (uint8_t)label,
                                                             .layer = SOTTO_LAYER_NAMES});
}

/* The longest known place that begins with word `i`; its last word in *last. */
static uint32_t place_at(const struct names_scan *s, size_t i, size_t *last)
{
    const struct names_tokens *t = &s->t;
    uint32_t flags = t->item[i].flags & SOTTO_LEXICON_ANY_PLACE;
    *last = i;
    if (!has(t->item[i].flags, SOTTO_LEXICON_PHRASE)) {
        return flags;
    }
    for (size_t n = 1; n < NAMES_PLACE_MAX && i + n < t->count; n++) {
        unsigned gap = t->item[i + n].gap & ~(unsigned)(TOKEN_SPACE | TOKEN_DOT | TOKEN_DASH);
        uint32_t more = gap == 0 ? sotto_names_phrase(t, i, i + n) : 0;
        if (gap != 0) {
            break;
        }
        if (has(more, SOTTO_LEXICON_ANY_PLACE)) {
            flags = more & SOTTO_LEXICON_ANY_PLACE;
            *last = i + n;
        }
    }
    return flags;
}

/* ", TX" or ", Texas" behind a word. */
static bool state_behind(const struct names_tokens *t, size_t i)
{
    static const char codes[] = "AL AK AZ AR CA CO CT DE FL GA HI ID IL IN IA KS KY LA ME MD MA MI "
                                "MN MS MO MT NE NV NH NJ NM NY NC ND OH OK OR PA RI SC SD TN TX UT "
                                "VT VA WA WV WI WY DC ON QC BC AB ";
    if (i + 1 >= t->count || (t->item[i + 1].gap & ~(unsigned)(TOKEN_COMMA | TOKEN_SPACE)) != 0 ||
        (t->item[i + 1].gap & TOKEN_COMMA) == 0) {
        return false;
    }
    const struct names_token *next = &t->item[i + 1];
    if (has(next->flags, (uint32_t)SOTTO_LEXICON_STATE | SOTTO_LEXICON_COUNTRY)) {
        return next->shape == TOKEN_CAP;
    }
    for (const char *code = codes; next->shape == TOKEN_CAPS && next->chars == 2 && *code != '\0';
         code += 3) {
        if (memcmp(code, t->text.base + next->start, 2) == 0) {
            return true;
        }
    }
    return false;
}

/* "CONTACT US": a short word in capitals behind another one. */
static bool is_shouted(const struct names_scan *s, size_t i)
{
    return i > 0 && s->t.item[i].shape == TOKEN_CAPS && s->t.item[i].chars < 4 &&
           s->t.item[i - 1].shape == TOKEN_CAPS && sotto_names_joined(&s->t, i);
}

static int place_points(const struct names_scan *s, size_t first, size_t last, uint32_t flags,
                        struct names_cue cue)
{
    uint32_t f = s->t.item[first].flags;
    int points = 0;
    bool eponym;
    (void)sotto_names_cue_behind(&s->t, last, &eponym);
    if (eponym) {
        return 0;
    }
    if (has(flags, SOTTO_LEXICON_COUNTRY)) {
        points = 75;
    } else if (has(flags, SOTTO_LEXICON_STATE)) {
        points = 70;
    } else if (has(flags, SOTTO_LEXICON_CITY)) {
        points = 58;
    } else if (has(flags, SOTTO_LEXICON_CITY_RARE)) {
        points = 30;
    }
    if (first == last) {
        points -= has(f, SOTTO_LEXICON_WORD) ? 25 : 0;
        points -= has(f, SOTTO_LEXICON_NOUN) ? 15 : 0;
        points -= has(f, SOTTO_LEXICON_NEVER | SOTTO_LEXICON_EPONYM_NAME) ? 30 : 0;
        points -= is_shouted(s, first) ? 20 : 0;
        points -= has(f, SOTTO_LEXICON_FIRST) ? 20 : has(f, SOTTO_LEXICON_LAST) ? 8 : 0;
    }
    if (state_behind(&s->t, last)) {
        points = (points > 30 ? points : 30) + 35;
    }
    return points + cue.place;
}

/* A town that gave a state its name is a town: a state may pass where a town may not. */
static enum sotto_finer place_finer(uint32_t flags)
{
    if (has(flags, SOTTO_LEXICON_COUNTRY)) {
        return SOTTO_FINER_COUNTRY;
    }
    if (has(flags, SOTTO_LEXICON_STATE) && !has(flags, SOTTO_LEXICON_CITY)) {
        return SOTTO_FINER_STATE;
    }
    return has(flags, SOTTO_LEXICON_ANY_CITY) ? SOTTO_FINER_CITY : SOTTO_FINER_NONE;
}

/* The last word of the organisation that the run [first, end) is, or `first` - 1 when it is none;
 * a legal form may stand behind a comma. */
static size_t organisation(const struct names_scan *s, size_t first, size_t end, int *points)
{
    const struct names_tokens *t = &s->t;
    size_t found = first - 1, names = 0;
    bool head = false;
    for (size_t i = first; i < end; i++) {
        uint32_t f = t->item[i].flags;
        names += t->item[i].shape == TOKEN_CAP || t->item[i].shape == TOKEN_CAPS;
        if (has(f, SOTTO_LEXICON_ORG_HEAD) && t->item[i].shape != TOKEN_LOWER) {
            head = true;
        }
        if (i > first && has(f, SOTTO_LEXICON_LEGAL) && t->item[i].shape != TOKEN_LOWER) {
            *points = 85;
            return i;
        }
    }
    if (end < t->count && has(t->item[end].flags, SOTTO_LEXICON_LEGAL) &&
        t->item[end].shape != TOKEN_LOWER &&
        (t->item[end].gap & ~(unsigned)(TOKEN_SPACE | TOKEN_COMMA)) == 0) {
        *points = 85;
        return end;
    }
    if (head && names > 1) {
        *points = 62;
        return end - 1;
    }
    return found;
}

/* "Smith, John" in forms and at the start of lines: the last word, or `first` when it is none. */
static size_t reversed_last(const struct names_scan *s, size_t first, size_t end, bool field)
{
    const struct names_tokens *t = &s->t;
    if (end >= t->count || end - first > 2 || (!field && !sotto_names_begins(t, first)) ||
        (t->item[end].gap & ~(unsigned)(TOKEN_SPACE | TOKEN_COMMA)) != 0 ||
        (t->item[end].gap & TOKEN_COMMA) == 0 || !is_capital(s, &t->item[end])) {
        return first;
    }
    bool given = has(t->item[end].flags, SOTTO_LEXICON_ANY_FIRST) ||
                 (t->item[end].shape == TOKEN_INITIAL && t->item[end].dot);
    bool family = has(t->item[first].flags, SOTTO_LEXICON_ANY_LAST) || field;
    if (!given || !family || (!field && has(t->item[first].flags, SOTTO_LEXICON_WORD))) {
        return first;
    }
    size_t last = end;
    if (last + 1 < t->count && t->item[last + 1].shape == TOKEN_INITIAL &&
        sotto_names_joined(t, last + 1)) {
        last++;
    }
    return last;
}

/* Takes "Jr.", "III" behind a name into it. */
static size_t with_suffix(const struct names_tokens *t, size_t last)
{
    if (last + 1 < t->count && has(t->item[last + 1].flags, SOTTO_LEXICON_SUFFIX) &&
        t->item[last + 1].shape != TOKEN_LOWER && t->item[last + 1].shape != TOKEN_INITIAL &&
        (t->item[last + 1].gap & ~(unsigned)(TOKEN_SPACE | TOKEN_COMMA)) == 0) {
        return last + 1;
    }
    return last;
}

/* Reads a person from word `first` of a run that ends before `end`. */
static struct names_person person_at(const struct names_scan *s, size_t first, size_t end,
                                     struct names_cue cue)
{
    const struct names_tokens *t = &s->t;
    struct names_person p = {.first = first, .last = name_last(s, first, end, cue.person >= 45)};
    size_t reversed = reversed_last(s, first, end, cue.field);
    if (reversed != first) {
        p.last = reversed;
        p.points = 60 + cue.person;
        return p;
    }
    p.points = name_points(s, first, p.last) + cue.person;
    bool eponym_behind;
    int behind = sotto_names_cue_behind(t, p.last, &eponym_behind);
    bool lone_initial = p.last == first && t->item[first].shape == TOKEN_INITIAL;
    if (eponym_behind || (lone_initial && (!t->item[first].dot || cue.person < 45))) {
        p.points = 0;
        return p;
    }
    if (sotto_names_begins(t, first) && p.last + 1 < t->count &&
        (t->item[p.last + 1].gap & TOKEN_COMMA) != 0) {
        behind += 6; /* "Anna, can you" */
    }
    size_t last = with_suffix(t, p.last);
    p.points += behind + (last != p.last && p.last > first ? 15 : 0);
    p.last = last;
    bool eponym = has(t->item[first].flags, SOTTO_LEXICON_EPONYM_NAME) && p.last == first;
    if ((eponym && cue.person < 35) || cue.eponym) {
        p.points = 0;
    }
    return p;
}

/* "Anna and Bob": the word behind a name and a conjunction. */
static bool follows_name(const struct names_scan *s, size_t i)
{
    if (s->last_name == 0 || i == 0) {
        return false;
    }
    if (s->last_name == i) {
        return (s->t.item[i].gap & TOKEN_COMMA) != 0 && (s->t.item[i].gap & TOKEN_LINE) == 0;
    }
    return s->last_name + 1 == i && s->t.item[i - 1].shape == TOKEN_LOWER &&
           s->t.item[i - 1].chars <= 3 && sotto_names_joined(&s->t, i);
}

/* Skips titles, roles and the like at the head of a run: they are cues of what follows. */
static bool is_head(const struct names_scan *s, size_t i, size_t end)
{
    uint32_t f = s->t.item[i].flags;
    for (size_t k = i + 1; k < end; k++) {
        if (has(s->t.item[k].flags, SOTTO_LEXICON_ORG_HEAD) && !has(f, SOTTO_LEXICON_TITLE)) {
            return false; /* "General Hospital" */
        }
    }
    return i + 1 < end &&
           has(f, (uint32_t)SOTTO_LEXICON_TITLE | SOTTO_LEXICON_ROLE | SOTTO_LEXICON_PATIENT |
                      SOTTO_LEXICON_FAMILY | SOTTO_LEXICON_GREETING) &&
           !has(f, SOTTO_LEXICON_FIRST);
}

/* Whether the run [i, end) behind "admitted to" or "at" names an institution. */
static bool is_site(const struct names_scan *s, size_t i, size_t end, uint32_t place,
                    struct names_cue cue, int person_points)
{
    size_t unusual = 0;
    for (size_t k = i; k < end; k++) {
        uint32_t f = s->t.item[k].flags;
        unusual +=
            !has(f, (uint32_t)SOTTO_LEXICON_WORD | SOTTO_LEXICON_CALENDAR | SOTTO_LEXICON_NEVER);
    }
    if (cue.site == 0 || (place != 0 && end - i == 1)) {
        return false;
    }
    if (cue.site > 1) {
        return person_points < 80 && (unusual != 0 || end - i > 1);
    }
    return person_points < 60 && unusual != 0 && end - i > 1 && !s->t.lower;
}

/* Judges the words [i, end) of a run from word `i` on; *next: the word to go on with. */
static enum sotto_err judge(struct names_scan *s, size_t i, size_t end, size_t *next)
{
    struct names_cue cue = sotto_names_cue_before(&s->t, i);
    int org_points = 0;
    size_t place_last, org_last = organisation(s, i, end, &org_points);
    uint32_t place = place_at(s, i, &place_last);
    *next = i + 1;
    if (org_last + 1 > i + 1 && (place == 0 || place_last + 1 < end)) {
        *next = org_last + 1;
        return add(s, i, org_last, org_points, SOTTO_LABEL_ORG, SOTTO_FINER_NONE,
                   SOTTO_RULE_ORG_CUE);
    }
    if (follows_name(s, i)) {
        cue.person = cue.person > 14 ? cue.person : 14;
    }
    struct names_person person = person_at(s, i, end, cue);
    int points = 0;
    if (is_site(s, i, end, place, cue, person.points)) {
        *next = end;
        return add(s, i, end - 1, 58, SOTTO_LABEL_ORG, SOTTO_FINER_NONE, SOTTO_RULE_ORG_CUE);
    }
    if (place != 0) {
        points = place_points(s, i, place_last, place, cue);
    } else if (cue.place >= 45 && !has(s->t.item[i].flags, SOTTO_LEXICON_WORD) && !s->t.german) {
        points = cue.place + 8;
    }
    if (points >= person.points && points >= NAMES_ENOUGH - 15) {
        bool code =
            state_behind(&s->t, place_last) && s->t.item[place_last + 1].shape == TOKEN_CAPS;
        place_last += code; /* "Denver, CO" */
        *next = place_last + 1;
        return add(s, i, place_last, points, SOTTO_LABEL_LOCATION, place_finer(place),
                   cue.place != 0 ? SOTTO_RULE_PLACE_CUE : SOTTO_RULE_PLACE_LIST);
    }
    if (person.points >= NAMES_ENOUGH) {
        s->last_name = person.last + 1;
        *next = person.last + 1;
    }
    return add(s, i, person.last, person.points, SOTTO_LABEL_PERSON, SOTTO_FINER_NONE,
               cue.person != 0 ? SOTTO_RULE_NAME_CUE : SOTTO_RULE_NAME_LIST);
}

/* Behind a title or a field, particles may begin a name: "Frau von der Leyen". */
static bool begins_with_particle(const struct names_scan *s, size_t i)
{
    if (i == 0 || !is_particle(&s->t.item[i]) || !sotto_names_joined(&s->t, i)) {
        return false;
    }
    const struct names_token *last = &s->t.item[i - 1];
    return has(last->flags, SOTTO_LEXICON_TITLE) && last->shape != TOKEN_LOWER;
}

/* "The", "Die", "However" at the start of a sentence, before the name proper. */
static bool is_opening(const struct names_scan *s, size_t i, size_t end)
{
    uint32_t f = s->t.item[i].flags;
    if (i + 1 >= end || is_name_flag(f) || s->t.item[i].shape == TOKEN_INITIAL ||
        has(f, SOTTO_LEXICON_ANY_PLACE | (uint32_t)SOTTO_LEXICON_ORG_HEAD)) {
        return false;
    }
    if (has(f, SOTTO_LEXICON_WORD | SOTTO_LEXICON_NOUN) && sotto_names_begins(&s->t, i)) {
        return true;
    }
    return (s->t.german || has(f, SOTTO_LEXICON_WORD)) && s->t.item[i].chars > 2 &&
           has(s->t.item[i + 1].flags, SOTTO_LEXICON_ANY_FIRST);
}

static enum sotto_err scan_run(struct names_scan *s, size_t *i)
{
    size_t end = run_end(s, *i), at = *i;
    enum sotto_err err = SOTTO_OK;
    while (at < end && err == SOTTO_OK) {
        bool skip = is_particle(&s->t.item[at]) && !begins_with_particle(s, at);
        if (skip || is_head(s, at, end) || is_opening(s, at, end)) {
            at++;
            continue;
        }
        err = judge(s, at, end, &at);
    }
    *i = at > end ? at : end;
    return err;
}

static enum sotto_err scan_words(struct names_scan *s)
{
    enum sotto_err err = SOTTO_OK;
    size_t i = s->first;
    while (i < s->limit && err == SOTTO_OK) {
        if (begins_with_particle(s, i) && run_end(s, i) > i + 1) {
            size_t next;
            err = judge(s, i, run_end(s, i), &next);
            i = next;
        } else if (is_capital(s, &s->t.item[i])) {
            err = scan_run(s, &i);
        } else {
            i++;
        }
    }
    return err;
}

enum sotto_err sotto_names_new(struct sotto_names **out)
{
    struct sotto_names *names = sotto_calloc(1, sizeof(*names));
    if (names == NULL) {
        return SOTTO_ENOMEM;
    }
    names->language = -1;
    *out = names;
    return SOTTO_OK;
}

void sotto_names_free(struct sotto_names *names)
{
    sotto_free(names);
}

void sotto_names_begin(struct sotto_names *names)
{
    names->taken = 0;
    names->language = -1;
    names->words = (struct names_tokens){0};
    names->cache = (struct names_cache){0}; /* nothing of the last text stays */
}

void sotto_names_language(struct sotto_names *names, sotto_span code)
{
    static const char *const known[] = {[SOTTO_LEXICON_EN] = "en",
                                        [SOTTO_LEXICON_DE] = "de",
                                        [SOTTO_LEXICON_FR] = "fr",
                                        [SOTTO_LEXICON_ES] = "es",
                                        [SOTTO_LEXICON_IT] = "it"};
    names->language = -1;
    for (size_t i = 0; i < SOTTO_COUNT(known); i++) {
        if (sotto_span_eq(code, sotto_span_str(known[i]))) {
            names->language = (int)i;
        }
    }
}

/* The nearest place at or before `at` where no word is cut, at most `reach` bytes away. */
static size_t step_back(sotto_span text, size_t at, size_t reach)
{
    size_t floor = at > reach ? at - reach : 0;
    while (floor > 0 && floor < at &&
           (sotto_char_ascii[text.base[floor - 1] & 0x7f] & SOTTO_CHAR_SPACE) == 0) {
        floor++;
    }
    while (!sotto_utf8_boundary(text, floor)) {
        floor++;
    }
    return floor;
}

enum sotto_err sotto_names_scan(struct sotto_names *names, sotto_span text, size_t start,
                                size_t end, struct sotto_findings *out)
{
    struct names_scan s = {.t = {.item = names->token}, .out = out};
    size_t from = step_back(text, start, SOTTO_NAMES_REACH);
    size_t to = text.len - end > SOTTO_NAMES_REACH ? end + SOTTO_NAMES_REACH : text.len;
    size_t mark = out->count;
    while (!sotto_utf8_boundary(text, to)) {
        to++;
    }
    sotto_names_tokenize(text, from, to, names->language, &names->cache, &s.t);
    names->words = s.t;
    size_t floor = start > names->taken ? start : names->taken;
    while (s.first < s.t.count && s.t.item[s.first].start < floor) {
        s.first++;
    }
    for (s.limit = s.first; s.limit < s.t.count && s.t.item[s.limit].start < end; s.limit++) {
    }
    enum sotto_err err = scan_words(&s);
    size_t taken = out->count > mark ? out->items[out->count - 1].end : names->taken;
    if (err == SOTTO_OK) {
        err = sotto_names_people(&s.t, s.first, s.limit, out);
    }
    if (err == SOTTO_OK) {
        err = sotto_names_trades(&s.t, s.first, s.limit, out);
    }
    if (err != SOTTO_OK) {
        out->count = mark;
    } else {
        names->taken = taken;
    }
    return err;
}

unsigned sotto_names_doubt(const struct sotto_names *names, size_t start, size_t end)
{
    return sotto_names_doubt_of(&names->words, start, end);
}

bool sotto_names_are_foreign(const struct sotto_names *names)
{
    return names->words.language > SOTTO_LEXICON_EN;
}
