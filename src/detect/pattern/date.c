/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Dates: numeric ("03/14/2021", "14.3.21", ISO 8601), textual in five languages ("May 3rd, 2021",
 * "3. Mai", "1er mai 2021", "3 de mayo de 2021"), parts of them ("May 2021", "3rd of May") and
 * bare years.  A month or a weekday alone is a word, not a date; a time alone is none either.
 */

#include "detect/pattern/recognizers.h"

#define DATE_DOUBTFUL 450 /* "1.2.10" may be a version, too */

struct day_parts {
    unsigned value[3];
    size_t len[3]; /* digits of each */
    size_t end;
};

static struct verdict date_verdict(struct scan *s, size_t start, size_t end, enum sotto_rule rule,
                                   int score)
{
    struct context ctx;
    context_read(s, start, end, &ctx);
    bool birth = context_any(&ctx, CTX_DOB);
    if (context_in(&ctx.behind, CTX_DATE) || birth) {
        score += 100;
    }
    return (struct verdict){SOTTO_LABEL_DATE, birth ? SOTTO_FINER_DATE_OF_BIRTH : SOTTO_FINER_NONE,
                            rule, score > 980 ? 980 : score};
}

static bool is_year(unsigned y, size_t len)
{
    return len == 4 ? y >= 1500 && y < 2200 : len == 2;
}

static bool day_month(unsigned d, unsigned m)
{
    return d >= 1 && d <= 31 && m >= 1 && m <= 12;
}

/* "T14:30:00.000Z" behind an ISO date; the end of the date otherwise. */
static size_t iso_time_end(const struct scan *s, size_t at)
{
    uint8_t sign = scan_byte_at(s, at);
    if ((sign != 'T' && sign != 't') || !is_digit(scan_byte_at(s, at + 1))) {
        return at;
    }
    size_t i = at + 1;
    while (i - at < 32 && i < s->text.len &&
           (is_digit(s->text.base[i]) || is_one_of(s->text.base[i], ":.+-"))) {
        i++;
    }
    if (scan_byte_at(s, i) == 'Z' || scan_byte_at(s, i) == 'z') {
        return i + 1;
    }
    return is_digit(s->text.base[i - 1]) ? i : i - 1;
}

/* Value of the leading digits of group `i`; `len` is how many there are. */
static unsigned group_number(const struct cluster *c, size_t i, size_t *len)
{
    const struct group *g = &c->groups[i];
    unsigned value = 0;
    size_t n = 0;
    while (n < g->len && n < 6 && is_digit((uint8_t)c->norm[g->at + n])) {
        value = value * 10 + (unsigned)(c->norm[g->at + n++] - '0');
    }
    *len = n;
    return value;
}

/* The score of three numbers with the same sign between them as a date; 0: none. */
static int score_parts(const struct day_parts *p, char sign, bool spaced)
{
    const unsigned *v = p->value;
    const size_t *n = p->len;
    if (n[0] == 4 && is_year(v[0], 4) && n[1] <= 2 && n[2] <= 2 && day_month(v[2], v[1])) {
        return sign == '-' || (n[1] == 2 && n[2] == 2) ? 900 : 700;
    }
    if (n[0] > 2 || n[1] > 2 || !is_year(v[2], n[2])) {
        return 0;
    }
    if (!day_month(v[0], v[1]) && !(sign != '.' && day_month(v[1], v[0]))) {
        return 0;
    }
    if (n[2] == 4) {
        return 900;
    }
    if (sign == '/') {
        return 800;
    }
    if (sign == '.' && !spaced) {
        return n[0] == 2 && n[1] == 2 ? 700 : DATE_DOUBTFUL;
    }
    return n[0] == 2 && n[1] == 2 ? 650 : 0;
}

static bool is_among(const char *word, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(word, list[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* Days of the week that are other words without their full stop: "Do. 10.09." */
static bool is_short_weekday(const struct token *t)
{
    static const char *const days[] = {"mo", "di", "mi", "do", "fr", "sa", "so"};
    return token_has(t, ROLE_WEEKDAY) || is_among(t->folded, days, SOTTO_COUNT(days));
}

/* Whether the word before a partial date makes it one: "on 3/14", "am 24.12.", "since 03/2021". */
static bool has_day_cue(struct scan *s, size_t at)
{
    static const char *const cues[] = {"on",    "am",   "vom", "bis",   "den", "zum",  "since",
                                       "until", "le",   "du",  "el",    "il",  "from", "to",
                                       "dal",   "al",   "del", "dated", "by",  "au",   "date",
                                       "of",    "seit", "ab",  "dem",   "des"};
    struct token t;
    size_t gap = at;
    while (gap > 0 && at - gap < 3 &&
           (s->text.base[gap - 1] == ' ' || s->text.base[gap - 1] == '(' ||
            s->text.base[gap - 1] == ',')) {
        gap--;
    }
    bool short_word = gap > 0 && s->text.base[gap - 1] == '.';
    if (gap == at || !scan_word_before(s, short_word ? gap - 1 : gap, &t)) {
        return false;
    }
    if (short_word) {
        return is_short_weekday(&t);
    }
    if (token_has(&t, ROLE_WEEKDAY) ||
        (t.word != NULL &&
         (context_in(&t.word->context, CTX_DATE) || context_in(&t.word->context, CTX_DOB)))) {
        return true;
    }
    return is_among(t.folded, cues, SOTTO_COUNT(cues));
}

/* Three numbers. */
static bool full_numeric(struct scan *s, const struct cluster *c)
{
    struct day_parts p;
    if (c->count < 3 || c->groups[1].gap != c->groups[2].gap ||
        !is_one_of((uint8_t)c->groups[1].gap, "./-") || c->groups[1].gap == '\0') {
        return false;
    }
    for (size_t i = 0; i < 3; i++) {
        p.value[i] = group_number(c, i, &p.len[i]);
        if (p.len[i] == 0 || (i < 2 && p.len[i] != c->groups[i].len)) {
            return false;
        }
    }
    char sign = c->groups[1].gap;
    int score = score_parts(&p, sign, c->groups[1].spaced || c->groups[2].spaced);
    if (score == DATE_DOUBTFUL && has_day_cue(s, c->start)) {
        score = 700;
    }
    size_t end = c->groups[2].end;
    if (p.len[2] != c->groups[2].len) {
        /* letters behind the day: only the 'T' of ISO 8601 */
        size_t day_end = c->groups[2].start + p.len[2];
        end = iso_time_end(s, day_end);
        score = end > day_end ? score : 0;
    }
    uint8_t next = scan_byte_at(s, end);
    if (score == 0 || !scan_right_free(s, end) ||
        ((next == '.' || next == '-' || next == '/') && is_alnum(scan_byte_at(s, end + 1)))) {
        return false;
    }
    scan_add(s, c->start, end, date_verdict(s, c->start, end, SOTTO_RULE_DATE_NUMERIC, score));
    return true;
}

/*
 * A day that heads a note ("05.02. FD:", "12/11 AM :") or stands in brackets ("(13/03)"), both parts
 * of two digits.  With a stroke it must not be a share of something: "10/12" may be.
 */
static bool heads_note(const struct scan *s, const struct cluster *c, const unsigned value[2])
{
    size_t end = c->groups[1].end;
    bool dotted = c->groups[1].gap == '.';
    uint8_t next = scan_byte_at(s, dotted ? end + 1 : end);
    bool padded =
        s->text.base[c->groups[0].start] == '0' || s->text.base[c->groups[1].start] == '0';
    if (c->groups[0].len != 2 || c->groups[1].len != 2 || !day_month(value[0], value[1]) ||
        (dotted ? scan_byte_at(s, end) != '.' : !padded && value[0] <= value[1])) {
        return false;
    }
    if (c->start == 0 || c->before == '\n') {
        return next == ' ' || next == ':';
    }
    return c->before == '(' && next == ')';
}

/*
 * Two numbers: "03/2021", "2021-03", "on 3/14", "24.12.".
 */
static bool part_numeric(struct scan *s, const struct cluster *c)
{
    if (c->count < 2 || c->groups[1].spaced || !is_one_of((uint8_t)c->groups[1].gap, "./-")) {
        return false;
    }
    size_t len[2];
    unsigned v[2] = {group_number(c, 0, &len[0]), group_number(c, 1, &len[1])};
    char sign = c->groups[1].gap;
    size_t end = c->groups[1].end;
    uint8_t next = scan_byte_at(s, end);
    if (len[0] != c->groups[0].len || len[1] != c->groups[1].len || !scan_right_free(s, end) ||
        ((next == '-' || next == '/' || next == ',' || next == '.') &&
         is_digit(scan_byte_at(s, end + 1)))) {
        return false;
    }
    int score = 0;
    if (sign != '.' && len[0] <= 2 && v[0] >= 1 && v[0] <= 12 && len[1] == 4 && v[1] >= 1900 &&
        v[1] < 2100) {
        score = 750;
    } else if (sign == '-' && len[0] == 4 && v[0] >= 1900 && v[0] < 2100 && len[1] == 2 &&
               v[1] >= 1 && v[1] <= 12) {
        score = 600;
    } else if (len[0] <= 2 && len[1] <= 2 && sign != '-' &&
               (day_month(v[0], v[1]) || (sign == '/' && day_month(v[1], v[0]))) &&
               (has_day_cue(s, c->start) || heads_note(s, c, v))) {
        score = sign == '.' && next != '.' ? 480 : 620;
    }
    if (score == 0) {
        return false;
    }
    scan_add(s, c->start, end, date_verdict(s, c->start, end, SOTTO_RULE_DATE_PARTIAL, score));
    return true;
}

/* Behind "st", "nd", "rd", "th", "er", "º", "." right after a day; the same offset if none. */
static size_t ordinal_end(struct scan *s, size_t at, bool *found)
{
    static const char *const tails[] = {"st", "nd", "rd", "th", "er", "e", "ter", "ten", "o", "re"};
    struct token t;
    *found = false;
    uint8_t b = scan_byte_at(s, at);
    if (b == '.') {
        return at + 1;
    }
    if (b == 0xc2 && (scan_byte_at(s, at + 1) == 0xba || scan_byte_at(s, at + 1) == 0xb0)) {
        *found = true;
        return at + 2;
    }
    if (!is_alpha(b) || !scan_word(s, at, &t)) {
        return at;
    }
    for (size_t i = 0; i < SOTTO_COUNT(tails); i++) {
        if (strcmp(t.folded, tails[i]) == 0) {
            *found = true;
            return t.end;
        }
    }
    return at;
}

/* A year of four digits (two behind an apostrophe) with what may stand before it; 0: none. */
static size_t year_end(struct scan *s, size_t at, bool two_digits)
{
    static const char *const links[] = {"de", "del", "of", "dell", "l", "d", "im", "in"};
    size_t i = scan_skip_spaces(s, at);
    if (scan_byte_at(s, i) == ',' || scan_byte_at(s, i) == '.' || scan_byte_at(s, i) == '-' ||
        scan_byte_at(s, i) == '/') {
        i = scan_skip_spaces(s, i + 1);
    }
    struct token t;
    for (int n = 0; n < 2 && scan_word(s, i, &t); n++) {
        bool link = false;
        for (size_t k = 0; k < SOTTO_COUNT(links); k++) {
            link = link || strcmp(t.folded, links[k]) == 0;
        }
        if (!link) {
            return 0;
        }
        i = t.end;
        i += scan_byte_at(s, i) == '\'' ? 1 : 0;
        i = scan_skip_spaces(s, i);
    }
    unsigned value;
    if (scan_byte_at(s, i) == '\'') {
        size_t end = scan_number(s, i + 1, 2, &value);
        return end == i + 3 ? end : 0;
    }
    size_t end = scan_number(s, i, 4, &value);
    if (end == i + 4 && value >= 1500 && value < 2200) {
        return end;
    }
    return two_digits && end == i + 2 ? end : 0;
}

/* Start of "Monday, " before `start`, or `start`. */
static size_t weekday_start(struct scan *s, size_t start)
{
    size_t at = start;
    while (at > 0 && start - at < 3 &&
           (s->text.base[at - 1] == ' ' || s->text.base[at - 1] == ',')) {
        at--;
    }
    if (scan_byte_before(s, at) == '.') {
        at--;
    }
    struct token t;
    if (at < start && scan_word_before(s, at, &t) && token_has(&t, ROLE_WEEKDAY) &&
        scan_left_free(s, t.start)) {
        return t.start;
    }
    return start;
}

static void add_textual(struct scan *s, size_t start, size_t end, bool full)
{
    size_t first = weekday_start(s, start);
    scan_add(s, first, end,
             date_verdict(s, first, end, full ? SOTTO_RULE_DATE_TEXTUAL : SOTTO_RULE_DATE_PARTIAL,
                          full ? 930 : 780));
}

/* The month behind a day, with what may stand between; `direct` when nothing does. */
static bool month_behind(struct scan *s, size_t at, struct token *month)
{
    static const char *const links[] = {"of", "de", "di", "d", "du"};
    size_t i = scan_skip_spaces(s, at);
    uint8_t b = scan_byte_at(s, i);
    if ((b == '-' || b == '/' || b == '.') && i == at) {
        i++;
    }
    if (!scan_word(s, i, month)) {
        return false;
    }
    for (size_t k = 0; k < SOTTO_COUNT(links); k++) {
        if (strcmp(month->folded, links[k]) == 0) {
            i = month->end;
            i += scan_byte_at(s, i) == '\'' ? 1 : 0;
            if (!scan_word(s, scan_skip_spaces(s, i), month)) {
                return false;
            }
            break;
        }
    }
    return token_has(month, ROLE_MONTH);
}

/* "3 May 2021", "3rd of May", "13 et 16 décembre 1996", "5-7 May". */
static bool day_first(struct scan *s, const struct cluster *c)
{
    size_t len, at;
    unsigned day = group_number(c, 0, &len);
    if (len > 2 || len == 0 || day < 1 || day > 31) {
        return false;
    }
    bool ordinal;
    at = ordinal_end(s, c->start + len, &ordinal);
    struct token month;
    bool found = month_behind(s, at, &month);
    if (!found) {
        /* a second day: "5-7 May", "13 et 16 décembre" */
        static const char *const links[] = {"et", "y",   "e",  "und", "and",
                                            "to", "bis", "au", "al",  "a"};
        size_t i = scan_skip_spaces(s, at);
        struct token t;
        bool link = false;
        if (scan_byte_at(s, i) == '-' || scan_byte_at(s, i) == '/') {
            i = scan_skip_spaces(s, i + 1);
            link = true;
        } else if (scan_byte_at(s, i) == 0xe2 && scan_byte_at(s, i + 1) == 0x80 &&
                   (scan_byte_at(s, i + 2) == 0x93 || scan_byte_at(s, i + 2) == 0x94)) {
            i = scan_skip_spaces(s, i + 3);
            link = true;
        } else if (scan_word(s, i, &t)) {
            for (size_t k = 0; k < SOTTO_COUNT(links); k++) {
                link = link || strcmp(t.folded, links[k]) == 0;
            }
            i = scan_skip_spaces(s, t.end);
        }
        size_t digits = 0;
        while (link && digits < 3 && is_digit(scan_byte_at(s, i + digits))) {
            digits++;
        }
        bool other;
        if (digits < 1 || digits > 2) {
            return false;
        }
        found = month_behind(s, ordinal_end(s, i + digits, &other), &month);
    }
    if (!found || !scan_right_free(s, month.end)) {
        /* "15Mar2021" */
        if (!found || !is_digit(scan_byte_at(s, month.end))) {
            return false;
        }
    }
    size_t end = month.end;
    end += scan_byte_at(s, end) == '.' && month.letters <= 5 && is_digit(scan_byte_at(s, end + 2))
               ? 1
               : 0;
    bool tight = scan_byte_at(s, month.end) == '-' || scan_byte_at(s, month.end) == '/';
    size_t year = year_end(s, end, tight);
    /* "may 3" and "3 mars" are dates; "10 sec" is not: "sept", "dec" need nothing, "set" a year */
    bool risky = month.upper == 0 && month.letters <= 3 && !ordinal && month.letters > 0;
    if (year == 0 && risky && strcmp(month.folded, "mai") != 0 &&
        strcmp(month.folded, "jan") != 0) {
        return false;
    }
    add_textual(s, c->start, year != 0 ? year : month.end, year != 0);
    return true;
}

bool recognize_date(struct scan *s, const struct cluster *c)
{
    if (c->joined || !is_digit((uint8_t)c->norm[0]) || c->before == '$') {
        return false;
    }
    return full_numeric(s, c) || day_first(s, c) || part_numeric(s, c);
}

/* Whether a word names an operation or a disease, behind which records put a bare year. */
static bool is_past_illness(const struct token *t)
{
    static const char *const words[] = {"op",     "tep",     "stent", "ptca", "pci", "cabg", "acvb",
                                        "sectio", "apoplex", "pth",   "ptg",  "avc", "idm",  "tia"};
    static const char *const ends[] = {"tomie",    "plastik", "plastie", "infarkt",   "infarctus",
                                       "karzinom", "fraktur", "embolie", "thrombose", "itis"};
    size_t len = strlen(t->folded);
    for (size_t i = 0; i < SOTTO_COUNT(ends); i++) {
        size_t tail = strlen(ends[i]);
        if (len > tail && strcmp(t->folded + len - tail, ends[i]) == 0) {
            return true;
        }
    }
    return is_among(t->folded, words, SOTTO_COUNT(words));
}

void recognize_year(struct scan *s, const struct cluster *c)
{
    size_t len;
    unsigned year = group_number(c, 0, &len);
    uint8_t next = scan_byte_at(s, c->groups[0].end);
    if (len != 4 || c->groups[0].len != 4 || c->joined || year < 1900 || year > 2049 ||
        next == '/' || next == '-' || next == '_' || next == '%' || next == 0xc2 ||
        (next == '.' && is_alnum(scan_byte_at(s, c->groups[0].end + 1))) ||
        (next == ',' && is_digit(scan_byte_at(s, c->groups[0].end + 1))) || c->before == '$' ||
        c->before == '#' || c->before == '+') {
        return;
    }
    struct token t;
    bool cue = false;
    size_t at = c->start;
    if (c->before == ' ' && scan_word_before(s, at - 1, &t)) {
        cue = token_has(&t, ROLE_YEAR_CUE | ROLE_MONTH) || is_past_illness(&t) ||
              (t.word != NULL &&
               (context_in(&t.word->context, CTX_DATE) || context_in(&t.word->context, CTX_DOB)));
    } else if (c->before == '(' && (next == ')' || next == ',')) {
        cue = true;
    }
    struct token unit;
    if (scan_next_word(s, c->groups[0].end, &unit) && token_has(&unit, ROLE_MEASURE)) {
        return;
    }
    scan_add(s, at, c->groups[0].end,
             (struct verdict){SOTTO_LABEL_DATE, SOTTO_FINER_YEAR, SOTTO_RULE_DATE_YEAR,
                              cue ? 600 : 350});
}

/* "May 3rd, 2021", "May 3", "March of 2021", "Mar-2021". */
void recognize_month(struct scan *s, const struct token *month)
{
    if (!scan_left_free(s, month->start) || !scan_right_free(s, month->end)) {
        return;
    }
    size_t at = month->end;
    at += scan_byte_at(s, at) == '.' && month->letters <= 5 ? 1 : 0;
    size_t year = year_end(s, at, false);
    uint8_t before = scan_byte_before(s, month->start);
    bool hangs = (before == '-' || before == '/' || before == '.') && month->start >= 2 &&
                 is_alnum(s->text.base[month->start - 2]);
    if (hangs) {
        return;
    }
    if (year != 0) {
        add_textual(s, month->start, year, true);
        return;
    }
    struct token the;
    size_t i = scan_skip_spaces(s, at);
    if (scan_byte_at(s, i) == '-' && i == at) {
        i++;
    }
    if (scan_word(s, i, &the) && strcmp(the.folded, "the") == 0) {
        i = scan_skip_spaces(s, the.end);
    }
    size_t digits = 0;
    while (digits < 3 && is_digit(scan_byte_at(s, i + digits))) {
        digits++;
    }
    unsigned day = digits == 1 ? (unsigned)(s->text.base[i] - '0')
                   : digits == 2
                       ? (unsigned)((s->text.base[i] - '0') * 10 + s->text.base[i + 1] - '0')
                       : 0;
    bool ordinal;
    size_t end = ordinal_end(s, i + digits, &ordinal);
    if (day < 1 || day > 31 || !scan_right_free(s, ordinal ? end : i + digits)) {
        return;
    }
    end = ordinal ? end : i + digits;
    uint8_t next = scan_byte_at(s, end);
    if (!ordinal && (next == '.' || next == ':' || next == '%') &&
        is_digit(scan_byte_at(s, end + 1))) {
        return; /* "May 3.5" */
    }
    if (next == '-' && is_digit(scan_byte_at(s, end + 1))) { /* "March 3-5" */
        unsigned last;
        size_t range = scan_number(s, end + 1, 2, &last);
        end = range != 0 && last <= 31 ? range : end;
    }
    year = year_end(s, end, false);
    bool risky = month->upper == 0 && month->letters <= 5 && !ordinal && year == 0;
    if (!risky) {
        add_textual(s, month->start, year != 0 ? year : end, year != 0);
    }
}
