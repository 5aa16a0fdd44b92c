/* SPDX-License-Identifier: Apache-2.0 */

#include "presidio/place.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "text/utf8.h"

/* --- reading ----------------------------------------------------------------------------------- */

static enum sotto_err read_offset(yyjson_mut_val *item, const char *name, int64_t *out,
                                  struct presidio_answer *answer)
{
    const yyjson_mut_val *val = sotto_json_get(item, name);
    enum presidio_kind kind = presidio_kind_of(val);
    if (kind == PRESIDIO_NONE) {
        return presidio_refuse(answer, 422, "Invalid input, result must contain %s", name);
    }
    if (kind == PRESIDIO_INT || kind == PRESIDIO_BOOL) {
        *out = presidio_int(val);
        return SOTTO_OK;
    }
    if (presidio_is_falsy(val)) {
        return presidio_refuse_internal(answer);
    }
    if (kind == PRESIDIO_STR || kind == PRESIDIO_LIST) {
        return presidio_refuse(answer, 422,
                               "Invalid parameter value for %s. Expecting 'number', but got '%s'.",
                               name, kind == PRESIDIO_STR ? "string" : "array");
    }
    return presidio_refuse(answer, 422, "Invalid parameter value for '%s'.", name);
}

static enum sotto_err read_place(yyjson_mut_val *item, bool with_score, struct presidio_place *out,
                                 struct presidio_answer *answer)
{
    static const yyjson_mut_val null = {.tag = YYJSON_TYPE_NULL};
    enum sotto_err err;
    if (presidio_kind_of(item) != PRESIDIO_DICT) {
        return presidio_refuse_internal(answer);
    }
    if ((err = read_offset(item, "start", &out->start, answer)) != SOTTO_OK ||
        (err = read_offset(item, "end", &out->end, answer)) != SOTTO_OK) {
        return err;
    }
    const yyjson_mut_val *type = sotto_json_get(item, "entity_type");
    if (presidio_is_falsy(type)) {
        return presidio_refuse(answer, 422, "Invalid input, result must contain entity_type");
    }
    if (presidio_kind_of(type) != PRESIDIO_STR) {
        return presidio_refuse_internal(answer);
    }
    out->type = sotto_json_text(type);
    if (out->start < 0 || out->end < 0) {
        return presidio_refuse(answer, 422, "Invalid input, result start and end must be positive");
    }
    if (out->start > out->end) {
        return presidio_refuse(answer, 422,
                               "Invalid input, start index '%lld' must be smaller than end index "
                               "'%lld'",
                               (long long)out->start, (long long)out->end);
    }
    out->score = sotto_json_get(item, "score");
    if (presidio_kind_of(out->score) == PRESIDIO_NONE) {
        out->score = &null;
        return with_score ? presidio_refuse(answer, 422,
                                            "Invalid input, analyzer result must contain score")
                          : SOTTO_OK;
    }
    if (sotto_json_double(out->score, &out->score_value) != SOTTO_OK) {
        return presidio_refuse_internal(answer);
    }
    return SOTTO_OK;
}

/* An offset whose place in bytes is asked for. */
struct place_offset {
    int64_t chars;
    size_t *byte;
};

static int by_chars(const void *va, const void *vb)
{
    const struct place_offset *a = va, *b = vb;
    return a->chars < b->chars ? -1 : a->chars > b->chars;
}

/* One pass over the text for all offsets. */
static enum sotto_err find_bytes(struct presidio_places *places, sotto_span text)
{
    struct place_offset *offset = sotto_calloc(places->count + 1, 2 * sizeof(*offset));
    if (offset == NULL) {
        return SOTTO_ENOMEM;
    }
    size_t count = 0;
    for (size_t i = 0; i < places->count; i++) {
        struct presidio_place *p = &places->items[i];
        offset[count++] = (struct place_offset){p->start, &p->start_byte};
        offset[count++] = (struct place_offset){p->end, &p->end_byte};
    }
    qsort(offset, count, sizeof(*offset), by_chars);
    size_t at = 0;
    int64_t chars = 0;
    for (size_t i = 0; i < count; i++) {
        for (; chars < offset[i].chars && at < text.len; chars++) {
            (void)sotto_utf8_next(text, &at);
        }
        *offset[i].byte = at;
    }
    sotto_free(offset);
    return SOTTO_OK;
}

enum sotto_err presidio_places_read(yyjson_mut_val *list, bool with_score, sotto_span text,
                                    struct presidio_places *places, struct presidio_answer *answer)
{
    enum presidio_kind kind = presidio_kind_of(list);
    bool iterable = kind == PRESIDIO_LIST || kind == PRESIDIO_STR || kind == PRESIDIO_DICT;
    places->text_chars = sotto_utf8_count(text);
    if (iterable && presidio_is_falsy(list)) {
        return SOTTO_OK;
    }
    if (kind != PRESIDIO_LIST) {
        return presidio_refuse_internal(answer);
    }
    places->items = sotto_calloc(yyjson_mut_arr_size(list), sizeof(*places->items));
    if (places->items == NULL) {
        return SOTTO_ENOMEM;
    }
    enum sotto_err err = SOTTO_OK;
    size_t i, max;
    yyjson_mut_val *item;
    yyjson_mut_arr_foreach(list, i, max, item)
    {
        places->items[i].position = i;
        err = read_place(item, with_score, &places->items[i], answer);
        if (err != SOTTO_OK) {
            return err;
        }
        places->count++;
    }
    return find_bytes(places, text);
}

void presidio_places_free(struct presidio_places *places)
{
    sotto_free(places->items);
    *places = (struct presidio_places){0};
}

/* --- places that touch ------------------------------------------------------------------------- */

static int compare(int64_t a, int64_t b)
{
    return a < b ? -1 : a > b;
}

static int by_position(const void *va, const void *vb)
{
    const struct presidio_place *a = va, *b = vb;
    return a->position < b->position ? -1 : a->position > b->position;
}

static int by_start_end(const void *va, const void *vb)
{
    const struct presidio_place *a = va, *b = vb;
    int order = compare(a->start, b->start);
    order = order != 0 ? order : compare(a->end, b->end);
    return order != 0 ? order : by_position(va, vb);
}

static int by_start_longest(const void *va, const void *vb)
{
    const struct presidio_place *a = va, *b = vb;
    int order = compare(a->start, b->start);
    order = order != 0 ? order : compare(b->end, a->end);
    return order != 0 ? order : by_position(va, vb);
}

static int by_start(const void *va, const void *vb)
{
    const struct presidio_place *a = va, *b = vb;
    int order = compare(a->start, b->start);
    return order != 0 ? order : by_position(vb, va);
}

static int by_type(const void *va, const void *vb)
{
    const struct presidio_place *a = va, *b = vb;
    size_t len = a->type.len < b->type.len ? a->type.len : b->type.len;
    int order = memcmp(a->type.base, b->type.base, len); /* mistake-ok: names of types are public */
    if (order == 0 && a->type.len != b->type.len) {
        order = a->type.len < b->type.len ? -1 : 1;
    }
    return order != 0 ? order : by_start_end(va, vb);
}

static void sort(struct presidio_places *places, int (*order)(const void *, const void *))
{
    if (places->count > 1) {
        qsort(places->items, places->count, sizeof(*places->items), order);
    }
}

static void number(struct presidio_places *places)
{
    for (size_t i = 0; i < places->count; i++) {
        places->items[i].position = i;
    }
}

static bool intersect(const struct presidio_place *a, const struct presidio_place *b)
{
    int64_t end = a->end < b->end ? a->end : b->end;
    int64_t start = a->start > b->start ? a->start : b->start;
    return end > start;
}

/* Rule 1.  A union stands where the last of its parts stood in the list. */
static void merge_same(struct presidio_places *places)
{
    size_t kept = 0;
    sort(places, by_start_end);
    number(places);
    sort(places, by_type);
    for (size_t i = 0; i < places->count; i++) {
        const struct presidio_place *next = &places->items[i];
        struct presidio_place *last = kept != 0 ? &places->items[kept - 1] : NULL;
        if (last == NULL || !sotto_span_eq(last->type, next->type) || !intersect(last, next)) {
            places->items[kept++] = *next;
            continue;
        }
        if (next->end > last->end) {
            last->end = next->end;
            last->end_byte = next->end_byte;
        }
        if (next->score_value > last->score_value) {
            last->score = next->score;
            last->score_value = next->score_value;
        }
        last->position = next->position > last->position ? next->position : last->position;
    }
    places->count = kept;
    sort(places, by_position);
    number(places);
}

/* Whether `b`, which stands later in the list, takes the place of the equal `a`. */
static bool replaces(const struct presidio_place *a, const struct presidio_place *b)
{
    return b->score_value >= a->score_value;
}

/* Rule 2. */
static void drop_contained(struct presidio_places *places)
{
    size_t kept = 0;
    int64_t reach = -1;
    sort(places, by_start_longest);
    for (size_t i = 0; i < places->count; i++) {
        const struct presidio_place *next = &places->items[i];
        struct presidio_place *last = kept != 0 ? &places->items[kept - 1] : NULL;
        if (last != NULL && last->start == next->start && last->end == next->end) {
            if (replaces(last, next)) {
                *last = *next;
            }
        } else if (next->end > reach) {
            reach = next->end;
            places->items[kept++] = *next;
        }
    }
    places->count = kept;
    sort(places, by_position);
}

/* What Python's "^( )+$" takes: spaces, and a line feed behind them. */
static bool is_gap(sotto_span text, size_t start, size_t end)
{
    if (end > start && text.base[end - 1] == '\n') {
        end--;
    }
    for (size_t i = start; i < end; i++) {
        if (text.base[i] != ' ') {
            return false;
        }
    }
    return end > start;
}

/* Rule 3. */
static void join_over_spaces(struct presidio_places *places, sotto_span text)
{
    size_t kept = 0;
    for (size_t i = 0; i < places->count; i++) {
        struct presidio_place next = places->items[i];
        if (kept != 0) {
            const struct presidio_place *last = &places->items[kept - 1];
            if (sotto_span_eq(last->type, next.type) &&
                is_gap(text, last->end_byte, next.start_byte)) {
                next.start = last->start;
                next.start_byte = last->start_byte;
                kept--;
            }
        }
        places->items[kept++] = next;
    }
    places->count = kept;
}

void presidio_places_settle(struct presidio_places *places, sotto_span text)
{
    merge_same(places);
    drop_contained(places);
    join_over_spaces(places, text);
    number(places);
    sort(places, by_start_end);
}

void presidio_places_sort(struct presidio_places *places)
{
    sort(places, by_start);
}
