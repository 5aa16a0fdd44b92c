/* SPDX-License-Identifier: Apache-2.0 */

#include "presidio/anonymize.h"

#include "base/alloc.h"
#include "presidio/place.h"
#include "text/utf8.h"

/* What became of a place. */
struct anonymize_item {
    size_t at, len;      /* its text, in `made` */
    size_t end_byte;     /* of the original text, where the text goes on */
    sotto_span operator; /* name */
    int64_t start, end;  /* in the new text, code points */
};

struct anonymizing {
    sotto_span text;
    struct presidio_places places;
    struct anonymize_item *items; /* one for each place */
    struct sotto_buf made;
    struct sotto_buf whole; /* the new text */
};

/* From the last place to the first, as Presidio does: an error is that of the last one. */
static enum sotto_err operate(struct anonymizing *a, yyjson_mut_val *config,
                              enum presidio_direction direction, struct presidio_answer *answer)
{
    enum sotto_err err = SOTTO_OK;
    size_t free_before = a->text.len;
    for (size_t i = a->places.count; i-- > 0 && err == SOTTO_OK;) {
        const struct presidio_place *p = &a->places.items[i];
        struct anonymize_item *item = &a->items[i];
        if ((uint64_t)p->start > a->places.text_chars || (uint64_t)p->end > a->places.text_chars) {
            return presidio_refuse(answer, 422,
                                   "Invalid analyzer result, start: %lld and end: %lld, while text "
                                   "length is only %zu.",
                                   (long long)p->start, (long long)p->end, a->places.text_chars);
        }
        item->at = a->made.len;
        err = presidio_operate(config, direction, p->type,
                               sotto_span_sub(a->text, p->start_byte, p->end_byte), &a->made,
                               &item->operator, answer);
        item->len = a->made.len - item->at;
        item->end_byte = p->end_byte < free_before ? p->end_byte : free_before;
        free_before = p->start_byte;
    }
    return err;
}

static sotto_span made_text(const struct anonymizing *a, const struct anonymize_item *item)
{
    return sotto_span_sub(sotto_buf_span(&a->made), item->at, item->at + item->len);
}

static enum sotto_err assemble(struct anonymizing *a)
{
    enum sotto_err err = SOTTO_OK;
    size_t copied = 0;
    int64_t chars = 0;
    for (size_t i = 0; i < a->places.count && err == SOTTO_OK; i++) {
        struct anonymize_item *item = &a->items[i];
        sotto_span between = sotto_span_sub(a->text, copied, a->places.items[i].start_byte);
        err = sotto_buf_append(&a->whole, between);
        if (err == SOTTO_OK) {
            err = sotto_buf_append(&a->whole, made_text(a, item));
        }
        item->start = chars + (int64_t)sotto_utf8_count(between);
        item->end = item->start + (int64_t)sotto_utf8_count(made_text(a, item));
        chars = item->end;
        copied = item->end_byte;
    }
    return err == SOTTO_OK ? sotto_buf_append(&a->whole, sotto_span_skip(a->text, copied)) : err;
}

static enum sotto_err write_item(const struct anonymizing *a, size_t i, struct sotto_buf *out)
{
    const struct anonymize_item *item = &a->items[i];
    const struct presidio_place *place = &a->places.items[i];
    enum sotto_err err = sotto_buf_printf(out, "{\"start\": %lld, \"end\": %lld, \"entity_type\": ",
                                          (long long)item->start, (long long)item->end);
    if (err != SOTTO_OK || (err = sotto_json_quote(place->type, true, out)) != SOTTO_OK ||
        (err = sotto_buf_append(out, SOTTO_LIT(", \"text\": "))) != SOTTO_OK ||
        (err = sotto_json_quote(made_text(a, item), true, out)) != SOTTO_OK ||
        (err = sotto_buf_append(out, SOTTO_LIT(", \"operator\": "))) != SOTTO_OK ||
        (err = sotto_json_quote(item->operator, true, out)) != SOTTO_OK ||
        (err = sotto_buf_append(out, SOTTO_LIT(", \"score\": "))) != SOTTO_OK ||
        (err = sotto_json_write(place->score, out)) != SOTTO_OK) {
        return err;
    }
    return sotto_buf_push(out, '}');
}

static enum sotto_err write_answer(const struct anonymizing *a, struct presidio_answer *answer)
{
    struct sotto_buf *out = &answer->body;
    enum sotto_err err = sotto_buf_append(out, SOTTO_LIT("{\"text\": "));
    if (err == SOTTO_OK) {
        err = sotto_json_quote(sotto_buf_span(&a->whole), true, out);
    }
    if (err == SOTTO_OK) {
        err = sotto_buf_append(out, SOTTO_LIT(", \"items\": ["));
    }
    for (size_t i = a->places.count; i-- > 0 && err == SOTTO_OK;) {
        err = write_item(a, i, out);
        if (err == SOTTO_OK && i != 0) {
            err = sotto_buf_append(out, SOTTO_LIT(", "));
        }
    }
    answer->status = 200;
    answer->type = "application/json";
    return err == SOTTO_OK ? sotto_buf_append(out, SOTTO_LIT("]}")) : err;
}

/* The text; what is no string fails in Presidio when it is measured, after all else was read. */
static enum sotto_err read_text(yyjson_mut_val *root, sotto_span *text,
                                struct presidio_answer *answer)
{
    const yyjson_mut_val *val = sotto_json_get(root, "text");
    *text = sotto_json_text(val);
    return val == NULL || presidio_kind_of(val) == PRESIDIO_STR ? SOTTO_OK
                                                                : presidio_refuse_internal(answer);
}

/* Operators first and places then when anonymizing, the other way round when going back. */
static enum sotto_err read_request(struct anonymizing *a, yyjson_mut_val *root,
                                   enum presidio_direction direction, yyjson_mut_val *config,
                                   struct presidio_answer *answer)
{
    bool forward = direction == PRESIDIO_ANONYMIZE;
    yyjson_mut_val *list =
        sotto_json_get(root, forward ? "analyzer_results" : "anonymizer_results");
    sotto_span text = sotto_json_text(sotto_json_get(root, "text"));
    enum sotto_err err = forward ? presidio_operators_check(config, direction, answer) : SOTTO_OK;
    if (err == SOTTO_OK && forward && presidio_kind_of(list) == PRESIDIO_NONE) {
        return presidio_refuse(answer, 422, "Invalid input, request must contain analyzer results");
    }
    if (err == SOTTO_OK && (forward || !presidio_is_falsy(list))) {
        err = presidio_places_read(list, forward, text, &a->places, answer);
    }
    if (err == SOTTO_OK && !forward) {
        err = presidio_operators_check(config, direction, answer);
    }
    return err == SOTTO_OK ? read_text(root, &a->text, answer) : err;
}

enum sotto_err presidio_anonymize(yyjson_mut_val *root, enum presidio_direction direction,
                                  struct presidio_answer *answer)
{
    struct anonymizing a = {0};
    bool forward = direction == PRESIDIO_ANONYMIZE;
    if (presidio_is_falsy(root)) {
        return presidio_refuse(answer, 400, "Invalid request json");
    }
    if (presidio_kind_of(root) != PRESIDIO_DICT) {
        return presidio_refuse_internal(answer);
    }
    sotto_buf_init(&a.made, SOTTO_BUF_UNBOUNDED);
    sotto_buf_init(&a.whole, SOTTO_BUF_UNBOUNDED);
    yyjson_mut_val *config = sotto_json_get(root, forward ? "anonymizers" : "deanonymizers");
    enum sotto_err err = read_request(&a, root, direction, config, answer);
    if (err == SOTTO_OK) {
        if (forward) {
            presidio_places_settle(&a.places, a.text);
        } else {
            presidio_places_sort(&a.places);
        }
        a.items = sotto_calloc(a.places.count + 1, sizeof(*a.items));
        err = a.items == NULL ? SOTTO_ENOMEM : operate(&a, config, direction, answer);
    }
    if (err == SOTTO_OK) {
        err = assemble(&a);
    }
    if (err == SOTTO_OK) {
        err = write_answer(&a, answer);
    }
    presidio_places_free(&a.places);
    sotto_buf_free(&a.made);
    sotto_buf_free(&a.whole);
    sotto_free(a.items);
    return err;
}
