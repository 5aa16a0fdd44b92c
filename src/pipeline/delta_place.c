/* SPDX-License-Identifier: Apache-2.0 */

#include "pipeline/delta_place.h"

/*
 * Where a text stands in a delta, as bytes that can be compared and that the place can be made
 * from again:  path = *step,  step = kind len(4, native) bytes
 *
 *   KEY    member with this name
 *   INDEX  element whose `index` is this number
 *   PART   element of this `type`; deltas bring such elements one behind the other
 */
enum delta_step {
    DELTA_KEY,
    DELTA_INDEX,
    DELTA_PART,
};

static enum sotto_err push_step(struct sotto_buf *path, enum delta_step step, sotto_span name)
{
    uint32_t len = (uint32_t)name.len;
    enum sotto_err err = sotto_buf_push(path, (uint8_t)step);
    if (err == SOTTO_OK) {
        err = sotto_buf_append(path, sotto_span_init(&len, sizeof(len)));
    }
    return err == SOTTO_OK ? sotto_buf_append(path, name) : err;
}

/* Takes the first step off a path. */
static sotto_span take_step(sotto_span *path, enum delta_step *step)
{
    uint32_t len;
    *step = (enum delta_step)path->base[0];
    memcpy(&len, path->base + 1, sizeof(len));
    sotto_span name = sotto_span_sub(*path, 1 + sizeof(len), 1 + sizeof(len) + len);
    *path = sotto_span_skip(*path, 1 + sizeof(len) + len);
    return name;
}

enum sotto_err delta_place_key(struct sotto_buf *place, sotto_span name)
{
    return push_step(place, DELTA_KEY, name);
}

enum sotto_err delta_place_element(struct sotto_buf *place, yyjson_mut_val *element,
                                   size_t position)
{
    int64_t index = (int64_t)position;
    yyjson_mut_val *type = sotto_json_get(element, "type");
    bool indexed = sotto_json_int(sotto_json_get(element, "index"), &index) == SOTTO_OK;
    if (!indexed && yyjson_mut_is_str(type)) {
        return push_step(place, DELTA_PART, sotto_json_text(type));
    }
    return push_step(place, DELTA_INDEX, sotto_span_init(&index, sizeof(index)));
}

static yyjson_mut_val *find_element(yyjson_mut_val *list, enum delta_step step, sotto_span name)
{
    size_t i, n;
    yyjson_mut_val *element;
    yyjson_mut_arr_foreach(list, i, n, element)
    {
        int64_t index = (int64_t)i, wanted;
        yyjson_mut_val *type = sotto_json_get(element, "type");
        bool indexed = sotto_json_int(sotto_json_get(element, "index"), &index) == SOTTO_OK;
        if (step == DELTA_PART) {
            if (!indexed && sotto_span_eq(sotto_json_text(type), name)) {
                return element;
            }
        } else {
            memcpy(&wanted, name.base, sizeof(wanted));
            if (index == wanted && (indexed || !yyjson_mut_is_str(type))) {
                return element;
            }
        }
    }
    return NULL;
}

static yyjson_mut_val *find_member(yyjson_mut_val *obj, sotto_span name)
{
    return yyjson_mut_obj_getn(obj, name.len != 0 ? (const char *)name.base : "", name.len);
}

/* A new element: with its `index` or `type`, so that clients put it where it belongs. */
static yyjson_mut_val *make_element(yyjson_mut_doc *doc, enum delta_step step, sotto_span name)
{
    int64_t index;
    yyjson_mut_val *element = yyjson_mut_obj(doc);
    yyjson_mut_val *mark;
    if (step == DELTA_PART) {
        mark = sotto_json_str(doc, name);
    } else {
        memcpy(&index, name.base, sizeof(index));
        mark = yyjson_mut_sint(doc, index);
    }
    const char *key = step == DELTA_PART ? "type" : "index";
    return sotto_json_put(doc, element, key, mark) == SOTTO_OK ? element : NULL;
}

/* Replaces a member's value, or adds it. */
static bool put_member(yyjson_mut_doc *doc, yyjson_mut_val *obj, sotto_span name,
                       yyjson_mut_val *val)
{
    yyjson_mut_val *key = sotto_json_str(doc, name);
    return key != NULL && val != NULL && yyjson_mut_obj_put(obj, key, val);
}

/* A string where parts are wanted becomes a part of its own, behind the others. */
static bool wrap_string(yyjson_mut_doc *doc, yyjson_mut_val *list, yyjson_mut_val *old)
{
    if (!yyjson_mut_is_str(old) || sotto_json_text(old).len == 0) {
        return true;
    }
    yyjson_mut_val *part = make_element(doc, DELTA_PART, SOTTO_LIT("text"));
    yyjson_mut_val *text = sotto_json_str(doc, sotto_json_text(old));
    return part != NULL && sotto_json_put(doc, part, "text", text) == SOTTO_OK &&
           yyjson_mut_arr_append(list, part);
}

/*
 * The value at one step below `at`, made where it is missing: an object before a KEY, an array
 * before other steps, a string at the end of the path.
 */
static yyjson_mut_val *make_step(yyjson_mut_doc *doc, yyjson_mut_val *at, enum delta_step step,
                                 sotto_span name, sotto_span rest)
{
    enum delta_step next = DELTA_KEY;
    sotto_span peek = rest;
    if (rest.len != 0) {
        take_step(&peek, &next);
    }
    if (step != DELTA_KEY) {
        yyjson_mut_val *element = find_element(at, step, name);
        if (element == NULL) {
            element = make_element(doc, step, name);
            if (element == NULL || !yyjson_mut_arr_prepend(at, element)) {
                return NULL;
            }
        }
        return element;
    }
    yyjson_mut_val *val = find_member(at, name);
    if (rest.len == 0 ? yyjson_mut_is_str(val)
                      : (next == DELTA_KEY ? yyjson_mut_is_obj(val) : yyjson_mut_is_arr(val))) {
        return val;
    }
    yyjson_mut_val *made = rest.len == 0       ? sotto_json_str(doc, SOTTO_LIT(""))
                           : next == DELTA_KEY ? yyjson_mut_obj(doc)
                                               : yyjson_mut_arr(doc);
    if (made != NULL && rest.len != 0 && next != DELTA_KEY && !wrap_string(doc, made, val)) {
        return NULL;
    }
    return put_member(doc, at, name, made) ? made : NULL;
}

enum sotto_err delta_place_add(yyjson_mut_doc *doc, yyjson_mut_val *delta, sotto_span place,
                               sotto_span text)
{
    yyjson_mut_val *at = delta;
    while (place.len != 0) {
        enum delta_step step;
        sotto_span name = take_step(&place, &step);
        at = make_step(doc, at, step, name, place);
        if (at == NULL) {
            return SOTTO_ENOMEM;
        }
    }
    struct sotto_buf joined;
    sotto_buf_init(&joined, SOTTO_BUF_UNBOUNDED);
    enum sotto_err err = sotto_buf_append(&joined, sotto_json_text(at));
    if (err == SOTTO_OK && (err = sotto_buf_append(&joined, text)) == SOTTO_OK) {
        err = sotto_json_set_text(doc, at, sotto_buf_span(&joined));
    }
    sotto_buf_free(&joined);
    return err;
}
