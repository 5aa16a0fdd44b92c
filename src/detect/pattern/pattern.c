/* SPDX-License-Identifier: Apache-2.0 */

#include "detect/pattern/pattern.h"

#include "base/alloc.h"
#include "detect/pattern/recognizers.h"

/*
 * The pass.  Runs of letters and digits are read once, with a hash of what they say; at the end of
 * each a few tests tell whether a recognizer has to look.  A finding begins at most PATTERN_LEAD
 * bytes before the place that calls for it (the local part of an address before its '@') and at
 * most PATTERN_LAG behind it (a value behind its label), so a window is scanned with that much on
 * both sides, and the findings of a window do not depend on where it was cut.
 */

#define PATTERN_LEAD    192
#define PATTERN_LAG     (SOTTO_PATTERN_REACH + 128)
#define PATTERN_RUN_MAX 64 /* characters of a run that are hashed and looked at */

_Static_assert(SCAN_WORD_MAX < PATTERN_RUN_MAX, "words are runs");

struct sotto_patterns {
    struct words words;
};

struct sotto_patterns_scratch {
    struct sotto_findings raw;
    size_t steps;
};

/* clang-format off */
#define P SCAN_PUNCT
#define L SCAN_LETTER
#define D SCAN_DIGIT
#define H SCAN_HIGH
#define S SCAN_SPACE
#define N SCAN_NEWLINE
#define A SCAN_AT
const uint8_t scan_class[256] = {
    P, P, P, P, P, P, P, P, P, S, N, S, S, N, P, P, P, P, P, P, P, P, P, P, P, P, P, P, P, P, P, P,
    S, P, P, P, P, P, P, P, P, P, P, P, P, P, P, P, D, D, D, D, D, D, D, D, D, D, P, P, P, P, P, P,
    A, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, P, P, P, P, P,
    P, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, P, P, P, P, P,
    H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H,
    H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H,
    H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H,
    H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H,
};
#undef P
#undef L
#undef D
#undef H
#undef S
#undef N
#undef A
/* clang-format on */

/* A run of letters, digits and marks. */
struct run {
    size_t start;
    size_t end;
    uint64_t hash; /* of the letters, while there is no digit */
    uint32_t len;  /* characters; more than PATTERN_RUN_MAX: the end is not known */
    uint32_t digits;
    bool wide; /* has characters beyond ASCII */
};

/* Reads a character beyond ASCII into the run; false when it does not belong. */
static bool run_wide(struct scan *s, struct run *run, size_t *at)
{
    size_t next = *at;
    uint32_t c = sotto_utf8_next(s->text, &next);
    unsigned classes = sotto_char_classes(c);
    if ((classes & (SOTTO_CHAR_WORD | SOTTO_CHAR_HIDDEN)) == 0) {
        return false;
    }
    run->wide = true;
    *at = next;
    if ((classes & SOTTO_CHAR_HIDDEN) != 0) {
        return true;
    }
    run->end = next;
    if ((classes & SOTTO_CHAR_DIGIT) != 0) {
        run->digits++;
        run->len++;
    } else if ((classes & SOTTO_CHAR_LETTER) != 0) {
        run->hash = words_step(run->hash, sotto_fold(c));
        run->len++;
    }
    return true;
}

static struct run read_run(struct scan *s, size_t at)
{
    struct run run = {.start = at, .end = at};
    const uint8_t *base = s->text.base;
    while (at < s->text.len && run.len <= PATTERN_RUN_MAX) {
        uint8_t kind = scan_class[base[at]];
        if (kind == SCAN_LETTER) {
            run.hash = words_step(run.hash, base[at] | 0x20U);
        } else if (kind == SCAN_DIGIT) {
            run.digits++;
        } else if (kind == SCAN_HIGH) {
            if (!run_wide(s, &run, &at)) {
                break;
            }
            continue;
        } else {
            break;
        }
        run.len++;
        run.end = ++at;
    }
    s->steps += at - run.start;
    return run;
}

/* Behind a run of which the beginning was looked at; stops at `to`. */
static size_t skip_run(struct scan *s, size_t at, size_t to)
{
    size_t from = at;
    while (at < to) {
        size_t next = at;
        uint32_t c = sotto_utf8_next(s->text, &next);
        if ((sotto_char_classes(c) & (SOTTO_CHAR_WORD | SOTTO_CHAR_HIDDEN)) == 0) {
            break;
        }
        at = next;
    }
    s->steps += at - from;
    return at;
}

#define PATTERN_ROLES                                                                              \
    (ROLE_MONTH | ROLE_STREET_FIRST | ROLE_BOX | ROLE_SECRET | ROLE_SECRET_HEAD | ROLE_TENS |      \
     ROLE_USER | ROLE_CODE)

static void ask_by_word(struct scan *s, const struct run *run, const struct word *word)
{
    struct token t;
    if ((word->roles & PATTERN_ROLES) == 0 || !scan_word(s, run->start, &t) || t.word != word) {
        return;
    }
    if ((word->roles & ROLE_MONTH) != 0) {
        recognize_month(s, &t);
    }
    if ((word->roles & ROLE_STREET_FIRST) != 0) {
        recognize_street(s, &t);
    }
    if ((word->roles & ROLE_BOX) != 0) {
        recognize_box(s, &t);
    }
    if ((word->roles & ROLE_SECRET) != 0) {
        recognize_secret_label(s, &t);
    }
    if ((word->roles & ROLE_SECRET_HEAD) != 0) {
        recognize_secret_head(s, t.start);
    }
    if ((word->roles & ROLE_TENS) != 0) {
        recognize_age_words(s, &t);
    }
    if ((word->roles & ROLE_USER) != 0) {
        recognize_user(s, &t);
    }
    if ((word->roles & ROLE_CODE) != 0) {
        recognize_pem(s, &t);
    }
}

/* A short code before a number: "MX-456789", "HRB 12345", "DE 123". */
static bool is_code(const struct scan *s, const struct run *run)
{
    uint8_t next = scan_byte_at(s, run->end);
    if (run->len > 6 || run->wide || run->digits > 0) {
        return false;
    }
    if (next == ' ') {
        return is_upper(s->text.base[run->end - 1]) && is_digit(scan_byte_at(s, run->end + 1));
    }
    return (next == '-' || next == '.' || next == '/') && is_alnum(scan_byte_at(s, run->end + 1));
}

static void ask(struct scan *s, const struct run *run)
{
    uint8_t next = scan_byte_at(s, run->end);
    uint8_t behind = scan_byte_at(s, run->end + 1);
    if (run->digits > 0 || is_code(s, run)) {
        recognize_number(s, run->start);
    }
    if (run->digits == 0 && run->len <= SCAN_WORD_MAX) {
        const struct word *word = words_find(s->words, run->hash);
        if (word != NULL) {
            ask_by_word(s, run, word);
        }
    }
    if (run->len >= 16) {
        recognize_long(s, run->start, run->end);
    }
    if (next == '.' && scan_class[behind] != SCAN_SPACE && scan_class[behind] != SCAN_NEWLINE) {
        recognize_host(s, run->start);
    }
    if (next == ':' && behind == '/' && scan_byte_at(s, run->end + 2) == '/') {
        recognize_url(s, run->end);
    }
    if ((next == ':' || next == '-' || next == '.') && run->len <= 8 && !run->wide) {
        recognize_hex(s, run->start, run->end);
    }
}

static void pass(struct scan *s, size_t from, size_t to)
{
    const uint8_t *base = s->text.base;
    size_t at = from;
    if (from > 0 && !scan_left_free(s, from)) {
        at = skip_run(s, from, to); /* its beginning belongs to another window */
    }
    while (at < to) {
        uint8_t kind = scan_class[base[at]];
        if ((kind & (SCAN_LETTER | SCAN_DIGIT | SCAN_HIGH)) == 0) {
            if (kind == SCAN_AT) {
                recognize_email(s, at);
            }
            at++;
            continue;
        }
        struct run run = read_run(s, at);
        if (run.len == 0) { /* punctuation beyond ASCII */
            size_t next = at;
            sotto_utf8_next(s->text, &next);
            at = next > run.end ? next : run.end;
            continue;
        }
        ask(s, &run);
        at = run.len > PATTERN_RUN_MAX ? skip_run(s, run.end, to) : run.end;
    }
}

/* Sorts by start, longer ones first; nearly sorted already, displaced by a bounded distance. */
static bool comes_before(const struct sotto_finding *a, const struct sotto_finding *b)
{
    if (a->start != b->start) {
        return a->start < b->start;
    }
    if (a->end != b->end) {
        return a->end > b->end;
    }
    return a->score > b->score;
}

static void sort(struct sotto_findings *list)
{
    for (size_t i = 1; i < list->count; i++) {
        struct sotto_finding moved = list->items[i];
        size_t k = i;
        while (k > 0 && comes_before(&moved, &list->items[k - 1])) {
            list->items[k] = list->items[k - 1];
            k--;
        }
        list->items[k] = moved;
    }
}

/* Whether finding number `i` of the sorted list lies inside one that is at least as certain. */
static bool is_covered(const struct sotto_findings *list, size_t i)
{
    const struct sotto_finding *f = &list->items[i];
    for (size_t k = i; k-- > 0 && f->start - list->items[k].start < SOTTO_PATTERN_REACH;) {
        const struct sotto_finding *g = &list->items[k];
        if (g->end >= f->end && g->score >= f->score) {
            return true;
        }
    }
    return false;
}

static enum sotto_err settle(struct sotto_findings *raw, size_t start, size_t end,
                             struct sotto_findings *out)
{
    sort(raw);
    size_t mark = out->count;
    for (size_t i = 0; i < raw->count; i++) {
        const struct sotto_finding *f = &raw->items[i];
        if (f->start < start || f->start >= end || is_covered(raw, i)) {
            continue;
        }
        enum sotto_err err = sotto_findings_add(out, *f);
        if (err != SOTTO_OK) {
            out->count = mark;
            return err;
        }
    }
    return SOTTO_OK;
}

enum sotto_err sotto_patterns_new(struct sotto_patterns **out)
{
    struct sotto_patterns *patterns = sotto_alloc(sizeof(*patterns));
    if (patterns == NULL) {
        return SOTTO_ENOMEM;
    }
    words_build(&patterns->words);
    *out = patterns;
    return SOTTO_OK;
}

void sotto_patterns_free(struct sotto_patterns *patterns)
{
    sotto_free(patterns);
}

enum sotto_err sotto_patterns_scratch_new(struct sotto_patterns_scratch **out)
{
    struct sotto_patterns_scratch *scratch = sotto_calloc(1, sizeof(*scratch));
    if (scratch == NULL) {
        return SOTTO_ENOMEM;
    }
    *out = scratch;
    return SOTTO_OK;
}

void sotto_patterns_scratch_free(struct sotto_patterns_scratch *scratch)
{
    if (scratch != NULL) {
        sotto_findings_free(&scratch->raw);
        sotto_free(scratch);
    }
}

enum sotto_err sotto_patterns_scan(const struct sotto_patterns *patterns,
                                   struct sotto_patterns_scratch *scratch, sotto_span text,
                                   size_t start, size_t end, struct sotto_findings *out)
{
    struct scan s = {.words = &patterns->words, .text = text, .raw = scratch->raw};
    sotto_findings_clear(&s.raw);
    size_t from = start > PATTERN_LAG ? start - PATTERN_LAG : 0;
    size_t to = text.len - end > PATTERN_LEAD ? end + PATTERN_LEAD : text.len;
    while (!sotto_utf8_boundary(text, from)) {
        from++;
    }
    while (!sotto_utf8_boundary(text, to)) {
        to++;
    }
    if (start < end) {
        pass(&s, from, to);
    }
    enum sotto_err err = s.err == SOTTO_OK ? settle(&s.raw, start, end, out) : s.err;
    scratch->raw = s.raw;
    scratch->steps = s.steps;
    return err;
}

size_t sotto_patterns_steps(const struct sotto_patterns_scratch *scratch)
{
    return scratch->steps;
}
