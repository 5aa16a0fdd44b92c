/* SPDX-License-Identifier: Apache-2.0 */

#include "detect/merge.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "detect/whole.h"
#include "text/utf8.h"
#include "text/word.h"

/*
 * Each place of the text goes to the strongest finding that covers it: one sweep over the starts
 * and ends with a heap of what is open, so the cost is n log n whatever overlaps.  Neighbouring
 * pieces of one label grow together; a piece that lost a part is trimmed to whole words.
 */

/* A longer finding explains more: so much per byte, for so many bytes. */
#define MERGE_LENGTH_WEIGHT 4
#define MERGE_LENGTH_MAX    40

/* What has a form is named more surely by the recognizers, which check it, than by the tagger. */
#define MERGE_FORM_MALUS 300

/* A known value outranks what is found in its place, what the configuration says outranks all. */
#define MERGE_KNOWN_BONUS 2000
#define MERGE_LIST_BONUS  10000

struct merge_heap {
    const struct sotto_finding *items;
    size_t *open; /* indexes into items, strongest first */
    size_t count;
};

struct merge_piece {
    struct sotto_finding finding;
    unsigned strength;
    bool cut_start, cut_end; /* the edge is not the finding's own */
};

static bool is_form(enum sotto_label label)
{
    static const unsigned forms = 1U << SOTTO_LABEL_DATE | 1U << SOTTO_LABEL_AGE |
                                  1U << SOTTO_LABEL_PHONE | 1U << SOTTO_LABEL_EMAIL |
                                  1U << SOTTO_LABEL_URL | 1U << SOTTO_LABEL_ID |
                                  1U << SOTTO_LABEL_SECRET;
    return (forms >> label & 1) != 0;
}

static unsigned strength(const struct sotto_finding *f)
{
    size_t len = f->end - f->start;
    unsigned malus = f->layer == SOTTO_LAYER_TAGGER && is_form((enum sotto_label)f->label)
                         ? MERGE_FORM_MALUS
                         : 0;
    return f->score - (f->score < malus ? f->score : malus) +
           MERGE_LENGTH_WEIGHT * (unsigned)(len < MERGE_LENGTH_MAX ? len : MERGE_LENGTH_MAX) +
           (f->layer == SOTTO_LAYER_LIST    ? MERGE_LIST_BONUS
            : f->layer == SOTTO_LAYER_KNOWN ? MERGE_KNOWN_BONUS
                                            : 0);
}

/* A total order on all that can differ, so that the order of the input does not matter. */
static bool stronger(const struct sotto_finding *a, const struct sotto_finding *b)
{
    unsigned sa = strength(a), sb = strength(b);
    if (sa != sb) {
        return sa > sb;
    }
    if (a->layer != b->layer) {
        return a->layer > b->layer;
    }
    if (a->end - a->start != b->end - b->start) {
        return a->end - a->start > b->end - b->start;
    }
    if (a->start != b->start) {
        return a->start < b->start;
    }
    if (a->label != b->label) {
        return a->label < b->label;
    }
    return a->finer != b->finer ? a->finer > b->finer : a->rule > b->rule;
}

static int by_start(const void *va, const void *vb)
{
    const struct sotto_finding *a = va, *b = vb;
    if (a->start != b->start) {
        return a->start < b->start ? -1 : 1;
    }
    return stronger(a, b) ? -1 : stronger(b, a) ? 1 : 0;
}

static bool heap_above(const struct merge_heap *heap, size_t i, size_t j)
{
    return stronger(&heap->items[heap->open[i]], &heap->items[heap->open[j]]);
}

static void heap_swap(struct merge_heap *heap, size_t i, size_t j)
{
    size_t t = heap->open[i];
    heap->open[i] = heap->open[j];
    heap->open[j] = t;
}

static void heap_push(struct merge_heap *heap, size_t item)
{
    size_t i = heap->count++;
    heap->open[i] = item;
    while (i > 0 && heap_above(heap, i, (i - 1) / 2)) {
        heap_swap(heap, i, (i - 1) / 2);
        i = (i - 1) / 2;
    }
}

static void heap_pop(struct merge_heap *heap)
{
    size_t i = 0;
    heap->open[0] = heap->open[--heap->count];
    for (;;) {
        size_t best = i, left = 2 * i + 1, right = left + 1;
        if (left < heap->count && heap_above(heap, left, best)) {
            best = left;
        }
        if (right < heap->count && heap_above(heap, right, best)) {
            best = right;
        }
        if (best == i) {
            return;
        }
        heap_swap(heap, i, best);
        i = best;
    }
}

/* Takes non-word characters off the edges that are not the finding's own; false: nothing left. */
static bool trim(sotto_span text, struct merge_piece *piece)
{
    struct sotto_finding *f = &piece->finding;
    size_t start = f->start, end = f->end;
    while (piece->cut_start && start < end && !sotto_word_char_at(text, start)) {
        (void)sotto_utf8_next(text, &start);
    }
    while (piece->cut_end && end > start && !sotto_word_char_before(text, end)) {
        (void)sotto_utf8_before(text, &end);
    }
    f->start = (uint32_t)start;
    f->end = (uint32_t)end;
    return start < end;
}

static void emit(sotto_span text, struct merge_piece *piece, struct sotto_findings *out)
{
    if (piece->finding.end != 0 && trim(text, piece)) {
        out->items[out->count++] = piece->finding;
    }
    piece->finding.end = 0;
}

/* Adds the stretch [start, end) of `winner` to the piece at hand, or ends that and begins anew. */
static void extend(sotto_span text, struct merge_piece *piece, const struct sotto_finding *winner,
                   uint32_t start, uint32_t end, struct sotto_findings *out)
{
    unsigned rank = strength(winner);
    bool cut_end = end != winner->end;
    struct sotto_finding *f = &piece->finding;
    if (f->end == start && f->end != 0 && f->label == winner->label) {
        uint32_t first = f->start;
        if (rank > piece->strength) {
            *f = *winner;
            f->start = first;
            piece->strength = rank;
        }
        f->end = end;
        piece->cut_end = cut_end;
        return;
    }
    emit(text, piece, out);
    *piece = (struct merge_piece){.finding = *winner,
                                  .strength = rank,
                                  .cut_start = start != winner->start,
                                  .cut_end = cut_end};
    f->start = start;
    f->end = end;
}

/* Writes at most two pieces for each finding: one begins at each start and one at each end. */
static void sweep(sotto_span text, const struct sotto_findings *in, struct merge_heap *heap,
                  struct sotto_findings *out)
{
    struct merge_piece piece = {0};
    size_t next = 0;
    uint32_t at = 0;
    while (next < in->count || heap->count != 0) {
        if (heap->count == 0) {
            at = in->items[next].start;
        }
        while (next < in->count && in->items[next].start <= at) {
            heap_push(heap, next++);
        }
        while (heap->count != 0 && in->items[heap->open[0]].end <= at) {
            heap_pop(heap);
        }
        if (heap->count == 0) {
            continue;
        }
        const struct sotto_finding *winner = &in->items[heap->open[0]];
        uint32_t end = winner->end;
        if (next < in->count && in->items[next].start < end) {
            end = in->items[next].start;
        }
        extend(text, &piece, winner, at, end, out);
        at = end;
    }
    emit(text, &piece, out);
}

/* The tagger knows no exact types: it takes that of another layer for the very same stretch, so
 * that a country it is sure of is still known to be one.  The list is sorted by start. */
static void lend_exact_types(struct sotto_findings *list)
{
    for (size_t first = 0, next; first < list->count; first = next) {
        for (next = first + 1;
             next < list->count && list->items[next].start == list->items[first].start; next++) {
        }
        for (size_t i = first; i < next; i++) {
            struct sotto_finding *f = &list->items[i];
            for (size_t k = first; k < next && f->layer == SOTTO_LAYER_TAGGER && f->finer == 0;
                 k++) {
                const struct sotto_finding *other = &list->items[k];
                f->finer = other->end == f->end && other->label == f->label ? other->finer : 0;
            }
        }
    }
}

enum sotto_err sotto_merge(sotto_span text, struct sotto_findings *list)
{
    struct sotto_findings out = {0};
    struct merge_heap heap = {.items = list->items};
    if (list->count == 0) {
        return SOTTO_OK;
    }
    heap.open = sotto_calloc(list->count, sizeof(*heap.open));
    out.items = sotto_calloc(list->count, 2 * sizeof(*out.items));
    if (heap.open == NULL || out.items == NULL) {
        sotto_free(heap.open);
        sotto_free(out.items);
        return SOTTO_ENOMEM;
    }
    out.cap = 2 * list->count;
    qsort(list->items, list->count, sizeof(*list->items), by_start);
    lend_exact_types(list);
    sweep(text, list, &heap, &out);

    sotto_free(heap.open);
    sotto_findings_free(list);
    *list = out;
    return SOTTO_OK;
}

/* Whether values of this label are known ones once they are found; see detect/known.h. */
static bool is_value(const struct sotto_finding *f)
{
    static const unsigned values = 1U << SOTTO_LABEL_PERSON | 1U << SOTTO_LABEL_ADDRESS |
                                   1U << SOTTO_LABEL_PHONE | 1U << SOTTO_LABEL_EMAIL |
                                   1U << SOTTO_LABEL_ID | 1U << SOTTO_LABEL_SECRET;
    return (values >> f->label & 1) != 0;
}

enum sotto_err sotto_merge_known(sotto_span text, const struct sotto_finding *found, size_t count,
                                 struct sotto_findings *list)
{
    size_t kept = 0, at = 0;
    for (size_t i = 0; i < list->count; i++) {
        struct sotto_finding known = list->items[i];
        while (at < count && found[at].end < known.end) {
            at++;
        }
        if (at == count || found[at].start > known.start || !is_value(&found[at])) {
            list->items[kept++] = known;
        }
    }
    list->count = kept;
    enum sotto_err err = SOTTO_OK;
    for (size_t i = 0; kept != 0 && i < count && err == SOTTO_OK; i++) {
        err = sotto_findings_add(list, found[i]);
    }
    err = err == SOTTO_OK ? sotto_merge(text, list) : err;
    if (err == SOTTO_OK) {
        sotto_whole_names(text, list);
    }
    return err;
}
