/* SPDX-License-Identifier: Apache-2.0 */

#include "detect/pattern/pattern.h"

#include "base/alloc.h"
#include "detect/pattern/recognizers.h"

/*
 * The pass is in pass.c.  Runs of letters and digits are read once, with a hash of what they say; at the end of
 * each a few tests tell whether a recognizer has to look.  A finding begins at most PATTERN_LEAD
 * bytes before the place that calls for it (the local part of an address before its '@') and at
 * most PATTERN_LAG behind it (a value behind its label), so a window is scanned with that much on
 * both sides, and the findings of a window do not depend on where it was cut.
 */

#define PATTERN_LEAD 160
#define PATTERN_LAG  (SOTTO_PATTERN_REACH + 96)

struct sotto_patterns {
    struct words words;
    struct shapes_index shapes;
};

struct sotto_patterns_scratch {
    struct sotto_findings raw;
    size_t steps;
};

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
    shapes_index(&patterns->shapes);
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
    struct scan s = {
        .words = &patterns->words, .shapes = &patterns->shapes, .text = text, .raw = scratch->raw};
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
        pattern_pass(&s, from, to);
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
