/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Ages of people, found from the number: "94 years old", "94-year-old", "aged 94", "94 y/o",
 * "94 ans", "94 Jahre alt", "di 94 anni", "6 months old".  A number of years without a sign that
 * somebody is that old ("5 years of experience", "il y a 3 ans") is a duration.
 */

#include "detect/pattern/recognizers.h"

#define AGE_MAX       125
#define AGE_SAFE_LAST 89 /* 45 CFR 164.514(b)(2)(i)(C) */

static void add_age(struct scan *s, size_t start, size_t end, unsigned years, int score)
{
    scan_add(s, start, end,
             (struct verdict){SOTTO_LABEL_AGE,
                              years > AGE_SAFE_LAST ? SOTTO_FINER_AGE_OVER_89 : SOTTO_FINER_NONE,
                              SOTTO_RULE_AGE, score});
}

/* What stands before the number. */
struct age_before {
    size_t lead; /* start of "aged", or 0 */
    bool aged;   /* "aged", "edad:", "Alter" */
    bool person; /* somebody is named nearby: "patient de", "Frau," */
    bool span;   /* "il y a", "since", "for": a duration */
};

static struct age_before look_before(struct scan *s, size_t start)
{
    static const char *const spans[] = {
        "a",    "for",  "depuis", "pendant", "durant", "dans",  "hace",  "durante", "seit",
        "fa",   "da",   "per",    "vor",     "nach",   "uber",  "after", "over",    "past",
        "last", "pour", "tous",   "tra",     "every",  "cada",  "ogni",  "within",  "desde",
        "in",   "alle", "next",   "sur",     "nach",   "apres", "entre", "mehr",    "about"};
    struct age_before out = {0};
    size_t at = start;
    for (int words = 0; words < 4 && at > 0 && start - at < 48; words++) {
        while (at > 0 && (s->text.base[at - 1] == ' ' || s->text.base[at - 1] == ':' ||
                          s->text.base[at - 1] == ',' || s->text.base[at - 1] == '(' ||
                          s->text.base[at - 1] == '=' || s->text.base[at - 1] == '"' ||
                          s->text.base[at - 1] == '\'' || s->text.base[at - 1] == '-')) {
            at--;
        }
        struct token t;
        if (!scan_word_before(s, at, &t)) {
            break;
        }
        if (token_has(&t, ROLE_AGED) && words < 3) {
            out.aged = true;
            out.lead =
                words == 0 && strncmp(t.folded, "age", 3) == 0 && t.letters > 3 ? t.start : 0;
            break;
        }
        out.person = out.person || (token_has(&t, ROLE_PERSON) && t.letters > 1);
        for (size_t i = 0; words == 0 && i < SOTTO_COUNT(spans); i++) {
            out.span = out.span || strcmp(t.folded, spans[i]) == 0;
        }
        at = t.start;
    }
    return out;
}

/* Behind spaces and hyphens. */
static size_t skip_joint(const struct scan *s, size_t at)
{
    size_t i = scan_skip_spaces(s, at);
    if (scan_byte_at(s, i) == '-' || scan_byte_at(s, i) == '/') {
        i++;
    } else if (scan_byte_at(s, i) == 0xe2 && scan_byte_at(s, i + 1) == 0x80 &&
               scan_byte_at(s, i + 2) >= 0x90 && scan_byte_at(s, i + 2) <= 0x93) {
        i += 3;
    }
    return scan_skip_spaces(s, i);
}

/* Behind "y/o", "y.o.", "yo"; 0 when it is not there. */
static size_t yo_end(const struct scan *s, size_t at)
{
    static const char *const forms[] = {"y/o", "y.o.", "y.o", "yo", "yrs/o", "Y/O", "YO", "y o"};
    if (at >= s->text.len || (s->text.base[at] | 0x20) != 'y') {
        return 0;
    }
    for (size_t i = 0; i < SOTTO_COUNT(forms); i++) {
        size_t n = strlen(forms[i]);
        if (s->text.len - at >= n && memcmp(s->text.base + at, forms[i], n) == 0 &&
            scan_right_free(s, at + n)) {
            return at + n;
        }
    }
    return 0;
}

/* "old", "alt", "of age", "d'âge" behind the unit; 0 when it is not there. */
static size_t old_end(struct scan *s, size_t at)
{
    struct token t;
    size_t i = skip_joint(s, at);
    if (!scan_word(s, i, &t)) {
        return 0;
    }
    if (strcmp(t.folded, "of") == 0 || strcmp(t.folded, "d") == 0 || strcmp(t.folded, "di") == 0 ||
        strcmp(t.folded, "de") == 0) {
        i = t.end + (scan_byte_at(s, t.end) == '\'' ? 1U : 0U);
        struct token age;
        if (!scan_word(s, scan_skip_spaces(s, i), &age)) {
            return 0;
        }
        bool is = strncmp(age.folded, "age", 3) == 0 || strncmp(age.folded, "eta", 3) == 0 ||
                  strncmp(age.folded, "edad", 4) == 0;
        return is ? age.end : 0;
    }
    return token_has(&t, ROLE_OLD) ? t.end : 0;
}

/* A unit whose word alone says that somebody is that old: "jähriger". */
static bool is_telling(const struct token *t)
{
    return strncmp(t->folded, "jahrig", 6) == 0 || strncmp(t->folded, "jaehrig", 7) == 0 ||
           strncmp(t->folded, "monatig", 7) == 0;
}

static bool is_romance(const struct token *t)
{
    return strcmp(t->folded, "ans") == 0 || strcmp(t->folded, "anni") == 0 ||
           strcmp(t->folded, "anos") == 0;
}

/* Whether somebody is named right behind the age: "34 years, female". */
static bool person_behind(struct scan *s, size_t at)
{
    struct token t;
    size_t i = scan_skip_spaces(s, at);
    i += scan_byte_at(s, i) == ',' || scan_byte_at(s, i) == '/' ? 1 : 0;
    return scan_next_word(s, i, &t) && token_has(&t, ROLE_PERSON);
}

/* A number with a unit; `unit` is the word behind it. */
static bool with_unit(struct scan *s, size_t start, unsigned value, const struct token *unit)
{
    bool years = token_has(unit, ROLE_YEARS);
    if (!years && !token_has(unit, ROLE_MONTHS)) {
        return false;
    }
    size_t unit_end =
        unit->end + (scan_byte_at(s, unit->end) == '.' && unit->letters <= 3 ? 1U : 0U);
    size_t old = old_end(s, unit_end);
    struct age_before before = look_before(s, start);
    size_t first = before.lead != 0 ? before.lead : start;
    unsigned in_years = years ? value : 0;
    if (old != 0 || is_telling(unit)) {
        add_age(s, first, old != 0 ? old : unit->end, in_years, 950);
        return true;
    }
    if (unit->letters == 1 && !before.aged && !before.person && !person_behind(s, unit->end)) {
        return false;
    }
    if (before.aged) {
        add_age(s, first, unit->end, in_years, 930);
        return true;
    }
    bool somebody = (before.person && !before.span) || person_behind(s, unit->end);
    if (somebody && (years || before.person)) {
        add_age(s, start, unit->end, in_years, 820);
        return true;
    }
    if (years && is_romance(unit) && !before.span && value >= 1) {
        add_age(s, start, unit->end, in_years, value >= 12 ? 620 : 450);
        return true;
    }
    return false;
}

/* "65F with chest pain". */
static bool with_sex(struct scan *s, const struct cluster *c, unsigned value)
{
    static const char *const next[] = {"with",  "w",         "presenting",  "presents", "who",
                                       "s",     "p",         "c",           "h",        "hx",
                                       "pmh",   "admitted",  "complaining", "and",      "here",
                                       "found", "presented", "pt",          "patient",  "in"};
    size_t end = c->groups[0].end;
    uint8_t sex = s->text.base[end - 1];
    struct token t;
    if (c->groups[0].len != c->groups[0].digits + 1 || (sex != 'M' && sex != 'F') || value < 1) {
        return false;
    }
    int score = value >= 10 ? 450 : 300;
    size_t i = end + (scan_byte_at(s, end) == ',' ? 1U : 0U);
    if (scan_next_word(s, i, &t)) {
        for (size_t k = 0; k < SOTTO_COUNT(next); k++) {
            score = strcmp(t.folded, next[k]) == 0 ? 720 : score;
        }
    }
    add_age(s, c->start, end, value, score);
    return score >= 500;
}

/* "aged 94", "Edad: 94", "age 94". */
static bool bare_age(struct scan *s, const struct cluster *c, unsigned value)
{
    size_t end = c->groups[0].end;
    uint8_t next = scan_byte_at(s, end);
    if (c->groups[0].len != c->groups[0].digits || next == '%' || next == '/' || next == '-' ||
        ((next == '.' || next == ',') && is_digit(scan_byte_at(s, end + 1)))) {
        return false;
    }
    struct token t;
    size_t at = c->start;
    while (at > 0 && c->start - at < 4 && is_one_of(s->text.base[at - 1], " :=\"'\t")) {
        at--;
    }
    if (at == c->start || !scan_word_before(s, at, &t)) {
        return false;
    }
    size_t first = c->start;
    if (strcmp(t.folded, "de") == 0 || strcmp(t.folded, "di") == 0 ||
        strcmp(t.folded, "von") == 0 || strcmp(t.folded, "of") == 0 ||
        strcmp(t.folded, "is") == 0) {
        struct token lead;
        size_t gap = t.start;
        while (gap > 0 && t.start - gap < 3 && s->text.base[gap - 1] == ' ') {
            gap--;
        }
        if (!scan_word_before(s, gap, &lead)) {
            return false;
        }
        t = lead;
    }
    if (!token_has(&t, ROLE_AGED) || strncmp(t.folded, "turn", 4) == 0) {
        return false;
    }
    bool verb = t.letters > 3 && strncmp(t.folded, "age", 3) == 0 && t.folded[3] != 's';
    first = verb ? t.start : first;
    add_age(s, first, end, value, 880);
    return true;
}

bool recognize_age(struct scan *s, const struct cluster *c)
{
    unsigned value = 0;
    size_t digits = 0;
    while (digits < c->groups[0].len && digits < 4 && is_digit((uint8_t)c->norm[digits])) {
        value = value * 10 + (unsigned)(c->norm[digits++] - '0');
    }
    if (digits == 0 || digits > 3 || value > AGE_MAX || c->joined || c->before == '$' ||
        c->before == '+') {
        return false;
    }
    size_t at = c->start + digits; /* full-width digits end elsewhere: then nothing matches */
    size_t i = skip_joint(s, at);
    size_t yo = yo_end(s, i);
    if (yo != 0) {
        add_age(s, c->start, yo, value, 930);
        return true;
    }
    struct token unit;
    if (scan_byte_at(s, i) < 0x80 && is_alpha(scan_byte_at(s, i)) && scan_word(s, i, &unit) &&
        unit.end > i && scan_right_free(s, unit.end) && with_unit(s, c->start, value, &unit)) {
        return true;
    }
    return with_sex(s, c, value) || bare_age(s, c, value);
}

/* "ninety-four years old". */
void recognize_age_words(struct scan *s, const struct token *tens)
{
    unsigned value = tens->word->value;
    size_t at = tens->end;
    struct token t;
    size_t i = skip_joint(s, at);
    if (!scan_left_free(s, tens->start) || !scan_word(s, i, &t)) {
        return;
    }
    if (token_has(&t, ROLE_ONES) && t.word->value < 10) {
        value += t.word->value;
        at = t.end;
        if (!scan_word(s, skip_joint(s, at), &t)) {
            return;
        }
    }
    size_t old = token_has(&t, ROLE_YEARS) ? old_end(s, t.end) : 0;
    if (old != 0) {
        add_age(s, tens->start, old, value, 930);
    }
}
