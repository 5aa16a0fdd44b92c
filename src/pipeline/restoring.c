/* SPDX-License-Identifier: Apache-2.0 */

#include "pipeline/restoring.h"

#include "base/alloc.h"
#include "base/compiler.h"
#include "pipeline/logprobs.h"
#include "pipeline/strand.h"

/* Most texts of one stream, over all choices, fields and tool calls. */
#define RESTORING_MAX_STRANDS 4096

/*
 * Where a text stands in a delta, as bytes that can be compared and that the place can be made
 * from again:  path = *step,  step = kind len(4, native) bytes
 *
 *   KEY    member with this name
 *   INDEX  element whose `index` is this number
 *   PART   element of this `type`; deltas bring such elements one behind the other
 */
enum restoring_step {
    RESTORING_KEY,
    RESTORING_INDEX,
    RESTORING_PART,
};

/* What the walk is inside of, and so what its strings are. */
enum restoring_place {
    RESTORING_ANY,
    RESTORING_CALLED,      /* `function` of a tool call, `function_call`: `arguments` is JSON */
    RESTORING_CUSTOM,      /* `custom` of a tool call */
    RESTORING_AUDIO,       /* `data` is sound */
    RESTORING_ANNOTATIONS, /* each comes whole, also in streams */
};

/* One text of a stream. */
struct restoring_strand {
    struct restoring_strand *next;
    struct strand *strand;
    size_t path_len;
    uint8_t path[];
};

/* The two lists of `logprobs` that spell a text. */
enum restoring_list {
    RESTORING_CONTENT,
    RESTORING_REFUSAL,
    RESTORING_LISTS,
};
static const char *const restoring_lists[RESTORING_LISTS] = {"content", "refusal"};

struct restoring_choice {
    struct restoring_choice *next;
    int64_t index;
    bool role_seen;
    struct restoring_strand *strands;
    struct logprobs *logprobs[RESTORING_LISTS];
};

struct sotto_restoring {
    const struct sotto_vault *vault;
    yyjson_mut_doc *doc; /* of the call at hand */
    struct restoring_choice *choices;
    size_t strand_count;
    struct sotto_buf text; /* of one string after restoring */
    struct sotto_buf path; /* of the walk at hand */
    int64_t created;       /* of the first chunk; 0: not known */

    bool news;     /* the chunk at hand says something */
    bool withheld; /* a text of it was withheld as a whole */
};

/* --- strings --------------------------------------------------------------------------------- */

/* A comparison of lengths settles nearly all; the walk asks for each member of each chunk. */
#define NAMED(key, name) is_named(key, name, sizeof(name) - 1)

static bool is_named(const yyjson_mut_val *key, const char *name, size_t len)
{
    sotto_span text = sotto_json_text(key);
    return text.len == len && memcmp(text.base, name, len) == 0;
}

/* Names of members that are never text. */
static bool is_structural(enum restoring_place place, const yyjson_mut_val *key)
{
    if (NAMED(key, "id") || NAMED(key, "object") || NAMED(key, "model") || NAMED(key, "created") ||
        NAMED(key, "finish_reason") || NAMED(key, "index") || NAMED(key, "role") ||
        NAMED(key, "type") || NAMED(key, "tool_call_id") || NAMED(key, "service_tier") ||
        NAMED(key, "system_fingerprint") || NAMED(key, "embedding") || NAMED(key, "b64_json")) {
        return true;
    }
    switch (place) {
    case RESTORING_CALLED:
    case RESTORING_CUSTOM:
        return NAMED(key, "name");
    case RESTORING_AUDIO:
        return NAMED(key, "data");
    case RESTORING_ANY:
    case RESTORING_ANNOTATIONS:
        return false;
    }
    return false;
}

static enum restoring_place place_of(enum restoring_place place, const yyjson_mut_val *key)
{
    if (NAMED(key, "function") || NAMED(key, "function_call")) {
        return RESTORING_CALLED;
    }
    if (NAMED(key, "custom")) {
        return RESTORING_CUSTOM;
    }
    if (NAMED(key, "audio")) {
        return RESTORING_AUDIO;
    }
    if (NAMED(key, "annotations")) {
        return RESTORING_ANNOTATIONS;
    }
    return place == RESTORING_ANNOTATIONS ? place : RESTORING_ANY;
}

static enum strand_kind kind_of(enum restoring_place place, const yyjson_mut_val *key)
{
    return place == RESTORING_CALLED && NAMED(key, "arguments") ? STRAND_JSON : STRAND_TEXT;
}

/* Puts r->text in place of a string, where it differs. */
static enum sotto_err set_string(struct sotto_restoring *r, yyjson_mut_val *val)
{
    sotto_span text = sotto_buf_span(&r->text);
    if (sotto_span_eq(text, sotto_json_text(val))) {
        return SOTTO_OK;
    }
    return sotto_json_set_text(r->doc, val, text);
}

/* Restores a string that is complete. */
static enum sotto_err whole_string(struct sotto_restoring *r, enum strand_kind kind,
                                   yyjson_mut_val *val, struct strand **kept)
{
    struct strand *strand = NULL;
    enum sotto_err err = strand_new(r->vault, kind, &strand);
    sotto_buf_truncate(&r->text, 0);
    if (err == SOTTO_OK) {
        err = strand_feed(strand, sotto_json_text(val), true, &r->text);
    }
    if (err == SOTTO_OK) {
        err = set_string(r, val);
    }
    if (err == SOTTO_OK && kept != NULL) {
        *kept = strand; /* transferred */
        strand = NULL;
    }
    strand_free(strand);
    return err;
}

/* Restores all strings of a value that is complete. */
/* NOLINTNEXTLINE(misc-no-recursion): the reader bounds the depth */
static enum sotto_err whole_value(struct sotto_restoring *r, enum restoring_place place,
                                  yyjson_mut_val *key, yyjson_mut_val *val)
{
    size_t i, n;
    yyjson_mut_val *name, *inner;
    enum sotto_err err = SOTTO_OK;
    if (yyjson_mut_is_str(val)) {
        return is_structural(place, key) ? SOTTO_OK
                                         : whole_string(r, kind_of(place, key), val, NULL);
    }
    if (yyjson_mut_is_arr(val)) {
        yyjson_mut_arr_foreach(val, i, n, inner)
        {
            if (err == SOTTO_OK) {
                err = whole_value(r, place, key, inner);
            }
        }
    } else if (yyjson_mut_is_obj(val)) {
        enum restoring_place within = place_of(place, key);
        yyjson_mut_obj_foreach(val, i, n, name, inner)
        {
            if (err == SOTTO_OK) {
                err = whole_value(r, within, name, inner);
            }
        }
    }
    return err;
}

/* --- offsets of citations -------------------------------------------------------------------- */

static void shift_offset(const struct strand *content, yyjson_mut_val *val, bool end)
{
    int64_t chars;
    if (sotto_json_int(val, &chars) == SOTTO_OK && chars >= 0) {
        yyjson_mut_set_uint(val, strand_place(content, (size_t)chars, end));
    }
}

/* Moves the offsets of annotations, in code points, to where the text stands after restoring. */
static void shift_annotations(const struct strand *content, yyjson_mut_val *annotations)
{
    size_t i, n;
    yyjson_mut_val *annotation;
    if (content == NULL) {
        return;
    }
    yyjson_mut_arr_foreach(annotations, i, n, annotation)
    {
        yyjson_mut_val *citation = sotto_json_get(annotation, "url_citation");
        citation = citation != NULL ? citation : annotation;
        shift_offset(content, sotto_json_get(citation, "start_index"), false);
        shift_offset(content, sotto_json_get(citation, "end_index"), true);
    }
}

/* --- logprobs -------------------------------------------------------------------------------- */

/* The list as an array, made where it is missing and `make` says so; NULL: there is none. */
static yyjson_mut_val *logprobs_array(struct sotto_restoring *r, yyjson_mut_val *choice,
                                      const char *name, bool make, enum sotto_err *err)
{
    yyjson_mut_val *logprobs = sotto_json_get(choice, "logprobs");
    yyjson_mut_val *list = sotto_json_get(logprobs, name);
    *err = SOTTO_OK;
    if (yyjson_mut_is_arr(list) || !make) {
        return yyjson_mut_is_arr(list) ? list : NULL;
    }
    if (!yyjson_mut_is_obj(logprobs)) {
        logprobs = yyjson_mut_obj(r->doc);
        *err = sotto_json_put(r->doc, choice, "logprobs", logprobs);
    }
    if (*err == SOTTO_OK) {
        list = yyjson_mut_arr(r->doc);
        *err = sotto_json_put(r->doc, logprobs, name, list);
    }
    return *err == SOTTO_OK ? list : NULL;
}

/* The lists of one choice; `state` has what is withheld of them. */
static enum sotto_err restore_logprobs(struct sotto_restoring *r, yyjson_mut_val *choice,
                                       struct logprobs *state[RESTORING_LISTS], bool ends)
{
    for (size_t i = 0; i < RESTORING_LISTS; i++) {
        enum sotto_err err;
        bool holds = state[i] != NULL && logprobs_holds(state[i]);
        yyjson_mut_val *list = logprobs_array(r, choice, restoring_lists[i], ends && holds, &err);
        if (err == SOTTO_OK && list != NULL && state[i] == NULL) {
            err = logprobs_new(r->vault, &state[i]);
        }
        if (err == SOTTO_OK && list != NULL) {
            err = logprobs_feed(state[i], r->doc, list, ends);
            r->news = r->news || yyjson_mut_arr_size(list) != 0;
        }
        if (ends) {
            logprobs_free(state[i]);
            state[i] = NULL;
        }
        if (err != SOTTO_OK) {
            return err;
        }
    }
    return SOTTO_OK;
}

/* --- whole answers --------------------------------------------------------------------------- */

static enum sotto_err whole_message(struct sotto_restoring *r, yyjson_mut_val *message)
{
    size_t i, n;
    yyjson_mut_val *name, *val, *annotations = NULL;
    struct strand *content = NULL;
    enum sotto_err err = SOTTO_OK;
    yyjson_mut_obj_foreach(message, i, n, name, val)
    {
        if (err != SOTTO_OK) {
            break;
        }
        if (content == NULL && yyjson_mut_is_str(val) && NAMED(name, "content")) {
            err = whole_string(r, STRAND_TEXT, val, &content);
        } else {
            err = whole_value(r, RESTORING_ANY, name, val);
        }
        annotations = NAMED(name, "annotations") ? val : annotations;
    }
    if (err == SOTTO_OK) {
        shift_annotations(content, annotations);
    }
    strand_free(content);
    return err;
}

static enum sotto_err whole_choice(struct sotto_restoring *r, yyjson_mut_val *choice)
{
    size_t i, n;
    yyjson_mut_val *name, *val;
    struct logprobs *state[RESTORING_LISTS] = {NULL, NULL};
    enum sotto_err err = SOTTO_OK;
    yyjson_mut_obj_foreach(choice, i, n, name, val)
    {
        if (err != SOTTO_OK || NAMED(name, "logprobs")) {
            continue;
        }
        if (NAMED(name, "message") && yyjson_mut_is_obj(val)) {
            err = whole_message(r, val);
        } else {
            err = whole_value(r, RESTORING_ANY, name, val);
        }
    }
    return err == SOTTO_OK ? restore_logprobs(r, choice, state, true) : err;
}

enum sotto_err sotto_restoring_whole(struct sotto_restoring *r, yyjson_mut_doc *doc)
{
    size_t i, n, k, m;
    yyjson_mut_val *root = yyjson_mut_doc_get_root(doc), *name, *val, *choice;
    enum sotto_err err = SOTTO_OK;
    if (sotto_vault_count(r->vault) == 0) {
        return SOTTO_OK;
    }
    r->doc = doc;
    if (!yyjson_mut_is_obj(root)) {
        return whole_value(r, RESTORING_ANY, NULL, root);
    }
    yyjson_mut_obj_foreach(root, i, n, name, val)
    {
        if (NAMED(name, "choices") && yyjson_mut_is_arr(val)) {
            yyjson_mut_arr_foreach(val, k, m, choice)
            {
                err = err == SOTTO_OK ? whole_choice(r, choice) : err;
            }
        } else if (err == SOTTO_OK) {
            err = whole_value(r, RESTORING_ANY, name, val);
        }
    }
    return err;
}

/* --- places in deltas ------------------------------------------------------------------------ */

static enum sotto_err push_step(struct sotto_buf *path, enum restoring_step step, sotto_span name)
{
    uint32_t len = (uint32_t)name.len;
    enum sotto_err err = sotto_buf_push(path, (uint8_t)step);
    if (err == SOTTO_OK) {
        err = sotto_buf_append(path, sotto_span_init(&len, sizeof(len)));
    }
    return err == SOTTO_OK ? sotto_buf_append(path, name) : err;
}

/* Takes the first step off a path. */
static sotto_span take_step(sotto_span *path, enum restoring_step *step)
{
    uint32_t len;
    *step = (enum restoring_step)path->base[0];
    memcpy(&len, path->base + 1, sizeof(len));
    sotto_span name = sotto_span_sub(*path, 1 + sizeof(len), 1 + sizeof(len) + len);
    *path = sotto_span_skip(*path, 1 + sizeof(len) + len);
    return name;
}

/* The step to an element: by its `index`, else by its `type`, else by where it stands. */
static enum sotto_err push_element(struct sotto_buf *path, yyjson_mut_val *element, size_t position)
{
    int64_t index = (int64_t)position;
    yyjson_mut_val *type = sotto_json_get(element, "type");
    bool indexed = sotto_json_int(sotto_json_get(element, "index"), &index) == SOTTO_OK;
    if (!indexed && yyjson_mut_is_str(type)) {
        return push_step(path, RESTORING_PART, sotto_json_text(type));
    }
    return push_step(path, RESTORING_INDEX, sotto_span_init(&index, sizeof(index)));
}

static yyjson_mut_val *find_element(yyjson_mut_val *list, enum restoring_step step, sotto_span name)
{
    size_t i, n;
    yyjson_mut_val *element;
    yyjson_mut_arr_foreach(list, i, n, element)
    {
        int64_t index = (int64_t)i, wanted;
        yyjson_mut_val *type = sotto_json_get(element, "type");
        bool indexed = sotto_json_int(sotto_json_get(element, "index"), &index) == SOTTO_OK;
        if (step == RESTORING_PART) {
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
static yyjson_mut_val *make_element(yyjson_mut_doc *doc, enum restoring_step step, sotto_span name)
{
    int64_t index;
    yyjson_mut_val *element = yyjson_mut_obj(doc);
    yyjson_mut_val *mark;
    if (step == RESTORING_PART) {
        mark = sotto_json_str(doc, name);
    } else {
        memcpy(&index, name.base, sizeof(index));
        mark = yyjson_mut_sint(doc, index);
    }
    const char *key = step == RESTORING_PART ? "type" : "index";
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
    yyjson_mut_val *part = make_element(doc, RESTORING_PART, SOTTO_LIT("text"));
    yyjson_mut_val *text = sotto_json_str(doc, sotto_json_text(old));
    return part != NULL && sotto_json_put(doc, part, "text", text) == SOTTO_OK &&
           yyjson_mut_arr_append(list, part);
}

/*
 * The value at one step below `at`, made where it is missing: an object before a KEY, an array
 * before other steps, a string at the end of the path.
 */
static yyjson_mut_val *make_step(yyjson_mut_doc *doc, yyjson_mut_val *at, enum restoring_step step,
                                 sotto_span name, sotto_span rest)
{
    enum restoring_step next = RESTORING_KEY;
    sotto_span peek = rest;
    if (rest.len != 0) {
        take_step(&peek, &next);
    }
    if (step != RESTORING_KEY) {
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
                      : (next == RESTORING_KEY ? yyjson_mut_is_obj(val) : yyjson_mut_is_arr(val))) {
        return val;
    }
    yyjson_mut_val *made = rest.len == 0           ? sotto_json_str(doc, SOTTO_LIT(""))
                           : next == RESTORING_KEY ? yyjson_mut_obj(doc)
                                                   : yyjson_mut_arr(doc);
    if (made != NULL && rest.len != 0 && next != RESTORING_KEY && !wrap_string(doc, made, val)) {
        return NULL;
    }
    return put_member(doc, at, name, made) ? made : NULL;
}

/* Appends `text` to the string at a path of a delta. */
static enum sotto_err add_at(yyjson_mut_doc *doc, yyjson_mut_val *delta, sotto_span path,
                             sotto_span text)
{
    yyjson_mut_val *at = delta;
    while (path.len != 0) {
        enum restoring_step step;
        sotto_span name = take_step(&path, &step);
        at = make_step(doc, at, step, name, path);
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

/* --- streams --------------------------------------------------------------------------------- */

static enum sotto_err find_choice(struct sotto_restoring *r, int64_t index,
                                  struct restoring_choice **out)
{
    struct restoring_choice **at = &r->choices;
    for (; *at != NULL; at = &(*at)->next) {
        if ((*at)->index == index) {
            *out = *at;
            return SOTTO_OK;
        }
    }
    if (r->strand_count == RESTORING_MAX_STRANDS) {
        return SOTTO_ELIMIT;
    }
    struct restoring_choice *choice = sotto_calloc(1, sizeof(*choice));
    if (choice == NULL) {
        return SOTTO_ENOMEM;
    }
    r->strand_count++;
    choice->index = index;
    *at = *out = choice;
    return SOTTO_OK;
}

static struct restoring_strand *look_up(const struct restoring_choice *choice, sotto_span path)
{
    struct restoring_strand *s = choice->strands;
    while (s != NULL && !sotto_span_eq(sotto_span_init(s->path, s->path_len), path)) {
        s = s->next;
    }
    return s;
}

/* The strand at r->path. */
static enum sotto_err find_strand(struct sotto_restoring *r, struct restoring_choice *choice,
                                  enum strand_kind kind, struct restoring_strand **out)
{
    sotto_span path = sotto_buf_span(&r->path);
    *out = look_up(choice, path);
    if (*out != NULL) {
        return SOTTO_OK;
    }
    if (r->strand_count == RESTORING_MAX_STRANDS) {
        return SOTTO_ELIMIT;
    }
    struct restoring_strand *s = sotto_calloc(1, sizeof(*s) + path.len);
    if (s == NULL) {
        return SOTTO_ENOMEM;
    }
    enum sotto_err err = strand_new(r->vault, kind, &s->strand);
    if (err != SOTTO_OK) {
        sotto_free(s);
        return err;
    }
    memcpy(s->path, path.base, path.len);
    s->path_len = path.len;
    s->next = choice->strands;
    choice->strands = s;
    r->strand_count++;
    *out = s;
    return SOTTO_OK;
}

static void free_strands(struct sotto_restoring *r, struct restoring_choice *choice)
{
    while (choice->strands != NULL) {
        struct restoring_strand *s = choice->strands;
        choice->strands = s->next;
        strand_free(s->strand);
        sotto_free(s);
        r->strand_count--;
    }
}

static enum sotto_err delta_string(struct sotto_restoring *r, struct restoring_choice *choice,
                                   enum strand_kind kind, yyjson_mut_val *val)
{
    struct restoring_strand *s;
    sotto_span text = sotto_json_text(val);
    if (text.len == 0) {
        return SOTTO_OK;
    }
    enum sotto_err err = find_strand(r, choice, kind, &s);
    if (err != SOTTO_OK) {
        return err;
    }
    sotto_buf_truncate(&r->text, 0);
    err = strand_feed(s->strand, text, false, &r->text);
    r->news = r->news || r->text.len != 0;
    r->withheld = r->withheld || r->text.len == 0;
    return err == SOTTO_OK ? set_string(r, val) : err;
}

/* What a structural member says that a client does not know yet. */
static void note_structural(struct sotto_restoring *r, struct restoring_choice *choice,
                            const yyjson_mut_val *key, yyjson_mut_val *val)
{
    if (NAMED(key, "role")) {
        r->news = r->news || !choice->role_seen;
        choice->role_seen = true;
    } else if (!NAMED(key, "type")) {
        r->news = r->news || sotto_json_text(val).len != 0;
    }
}

static enum sotto_err delta_value(struct sotto_restoring *r, struct restoring_choice *choice,
                                  enum restoring_place place, yyjson_mut_val *key,
                                  yyjson_mut_val *val);

/* NOLINTNEXTLINE(misc-no-recursion): the reader bounds the depth */
static enum sotto_err delta_array(struct sotto_restoring *r, struct restoring_choice *choice,
                                  enum restoring_place place, yyjson_mut_val *key,
                                  yyjson_mut_val *list)
{
    size_t i, n, mark = r->path.len;
    yyjson_mut_val *element;
    enum sotto_err err = SOTTO_OK;
    yyjson_mut_arr_foreach(list, i, n, element)
    {
        if (err == SOTTO_OK && yyjson_mut_is_obj(element)) {
            err = push_element(&r->path, element, i);
            if (err == SOTTO_OK) {
                err = delta_value(r, choice, place, key, element);
            }
            sotto_buf_truncate(&r->path, mark);
        } else if (err == SOTTO_OK) { /* strings one by one are not pieces of one text */
            r->news = true;
            err = whole_value(r, place, key, element);
        }
    }
    return err;
}

/* NOLINTNEXTLINE(misc-no-recursion): the reader bounds the depth */
static enum sotto_err delta_object(struct sotto_restoring *r, struct restoring_choice *choice,
                                   enum restoring_place place, yyjson_mut_val *obj)
{
    size_t i, n, mark = r->path.len;
    yyjson_mut_val *name, *val;
    enum sotto_err err = SOTTO_OK;
    yyjson_mut_obj_foreach(obj, i, n, name, val)
    {
        if (err != SOTTO_OK) {
            break;
        }
        if (is_structural(place, name) && !yyjson_mut_is_ctn(val)) {
            if (!NAMED(name, "index")) {
                note_structural(r, choice, name, val);
            }
            continue;
        }
        err = push_step(&r->path, RESTORING_KEY, sotto_json_text(name));
        if (err == SOTTO_OK) {
            err = delta_value(r, choice, place, name, val);
        }
        sotto_buf_truncate(&r->path, mark);
    }
    return err;
}

/* Restores what a delta adds. */
/* NOLINTNEXTLINE(misc-no-recursion): the reader bounds the depth */
static enum sotto_err delta_value(struct sotto_restoring *r, struct restoring_choice *choice,
                                  enum restoring_place place, yyjson_mut_val *key,
                                  yyjson_mut_val *val)
{
    if (yyjson_mut_is_str(val)) {
        return delta_string(r, choice, kind_of(place, key), val);
    }
    if (NAMED(key, "annotations") && yyjson_mut_is_arr(val)) {
        r->news = r->news || yyjson_mut_arr_size(val) != 0;
        return whole_value(r, place, key, val);
    }
    if (yyjson_mut_is_arr(val)) {
        return delta_array(r, choice, place, key, val);
    }
    if (yyjson_mut_is_obj(val)) {
        return delta_object(r, choice, place_of(place, key), val);
    }
    r->news = r->news || !yyjson_mut_is_null(val);
    return SOTTO_OK;
}

/* Whether anything is withheld for a choice. */
static bool choice_holds(const struct restoring_choice *choice)
{
    for (const struct restoring_strand *s = choice->strands; s != NULL; s = s->next) {
        if (strand_holds(s->strand)) {
            return true;
        }
    }
    for (size_t i = 0; i < RESTORING_LISTS; i++) {
        if (choice->logprobs[i] != NULL && logprobs_holds(choice->logprobs[i])) {
            return true;
        }
    }
    return false;
}

/* Ends all texts of a choice; what was withheld goes into its delta. */
static enum sotto_err flush(struct sotto_restoring *r, struct restoring_choice *state,
                            yyjson_mut_val *choice)
{
    yyjson_mut_val *delta = sotto_json_get(choice, "delta");
    enum sotto_err err = SOTTO_OK;
    for (struct restoring_strand *s = state->strands; s != NULL && err == SOTTO_OK; s = s->next) {
        sotto_buf_truncate(&r->text, 0);
        err = strand_feed(s->strand, sotto_span_init(NULL, 0), true, &r->text);
        if (err != SOTTO_OK || r->text.len == 0) {
            continue;
        }
        if (!yyjson_mut_is_obj(delta)) {
            delta = yyjson_mut_obj(r->doc);
            err = sotto_json_put(r->doc, choice, "delta", delta);
        }
        if (err == SOTTO_OK) {
            err = add_at(r->doc, delta, sotto_span_init(s->path, s->path_len),
                         sotto_buf_span(&r->text));
        }
        r->news = true;
    }
    return err;
}

/* The strand of a choice's `content`, for the offsets of citations. */
static const struct strand *content_strand(struct sotto_restoring *r,
                                           const struct restoring_choice *choice)
{
    sotto_buf_truncate(&r->path, 0);
    if (push_step(&r->path, RESTORING_KEY, SOTTO_LIT("content")) != SOTTO_OK) {
        return NULL;
    }
    const struct restoring_strand *s = look_up(choice, sotto_buf_span(&r->path));
    return s != NULL ? s->strand : NULL;
}

static enum sotto_err chunk_delta(struct sotto_restoring *r, struct restoring_choice *state,
                                  yyjson_mut_val *delta)
{
    yyjson_mut_val *annotations = sotto_json_get(delta, "annotations");
    sotto_buf_truncate(&r->path, 0);
    enum sotto_err err = delta_object(r, state, RESTORING_ANY, delta);
    if (err == SOTTO_OK && annotations != NULL) {
        shift_annotations(content_strand(r, state), annotations);
    }
    return err;
}

static bool is_delta_or_logprobs(const yyjson_mut_val *name)
{
    return NAMED(name, "delta") || NAMED(name, "logprobs");
}

static enum sotto_err chunk_choice(struct sotto_restoring *r, yyjson_mut_val *choice,
                                   size_t position)
{
    size_t i, n;
    int64_t index = (int64_t)position;
    yyjson_mut_val *name, *val, *delta = sotto_json_get(choice, "delta");
    yyjson_mut_val *finish = sotto_json_get(choice, "finish_reason");
    struct restoring_choice *state = NULL;
    sotto_ignore(sotto_json_int(sotto_json_get(choice, "index"), &index)); /* else its position */
    enum sotto_err err = find_choice(r, index, &state);
    if (err == SOTTO_OK && yyjson_mut_is_obj(delta)) {
        err = chunk_delta(r, state, delta);
    }
    yyjson_mut_obj_foreach(choice, i, n, name, val)
    {
        if (err == SOTTO_OK && !is_delta_or_logprobs(name)) {
            err = whole_value(r, RESTORING_ANY, name, val);
            r->news = r->news || (yyjson_mut_is_ctn(val) && unsafe_yyjson_get_len(val) != 0);
        }
    }
    bool ends = yyjson_mut_is_str(finish);
    if (err == SOTTO_OK && ends) {
        r->news = true;
        err = flush(r, state, choice);
        free_strands(r, state);
    }
    return err == SOTTO_OK ? restore_logprobs(r, choice, state->logprobs, ends) : err;
}

/* Adds a choice for each that has something withheld. */
static enum sotto_err flush_all(struct sotto_restoring *r, yyjson_mut_val *choices)
{
    enum sotto_err err = SOTTO_OK;
    for (struct restoring_choice *state = r->choices; state != NULL && err == SOTTO_OK;
         state = state->next) {
        if (!choice_holds(state)) {
            continue;
        }
        yyjson_mut_val *choice = yyjson_mut_obj(r->doc);
        yyjson_mut_val *index = yyjson_mut_sint(r->doc, state->index);
        if ((err = sotto_json_put(r->doc, choice, "index", index)) != SOTTO_OK ||
            (err = sotto_json_put(r->doc, choice, "delta", yyjson_mut_obj(r->doc))) != SOTTO_OK ||
            (err = flush(r, state, choice)) != SOTTO_OK ||
            (err = restore_logprobs(r, choice, state->logprobs, true)) != SOTTO_OK ||
            (err = sotto_json_put(r->doc, choice, "finish_reason", yyjson_mut_null(r->doc))) !=
                SOTTO_OK) {
            return err;
        }
        free_strands(r, state);
        err = yyjson_mut_arr_append(choices, choice) ? SOTTO_OK : SOTTO_ENOMEM;
    }
    return err;
}

/* Copies the members that all chunks of a stream share. */
static enum sotto_err copy_head(yyjson_mut_val *from, yyjson_mut_doc *doc, yyjson_mut_val *to)
{
    static const char *const names[] = {"id",    "object",       "created",
                                        "model", "service_tier", "system_fingerprint"};
    for (size_t i = 0; i < SOTTO_COUNT(names); i++) {
        yyjson_mut_val *val = sotto_json_get(from, names[i]);
        if (val != NULL &&
            sotto_json_put(doc, to, names[i], yyjson_mut_val_mut_copy(doc, val)) != SOTTO_OK) {
            return SOTTO_ENOMEM;
        }
    }
    return SOTTO_OK;
}

/* What makes a chunk where there is none to copy from; id and model are the dialect's to add. */
static enum sotto_err make_head(const struct sotto_restoring *r, yyjson_mut_doc *doc,
                                yyjson_mut_val *to)
{
    enum sotto_err err =
        sotto_json_put(doc, to, "object", yyjson_mut_str(doc, "chat.completion.chunk"));
    if (err == SOTTO_OK && r->created != 0) {
        err = sotto_json_put(doc, to, "created", yyjson_mut_sint(doc, r->created));
    }
    return err;
}

static enum sotto_err chunk_choices(struct sotto_restoring *r, yyjson_mut_val *root,
                                    yyjson_mut_val *choices)
{
    size_t i, n;
    yyjson_mut_val *choice;
    enum sotto_err err = SOTTO_OK;
    yyjson_mut_arr_foreach(choices, i, n, choice)
    {
        if (err == SOTTO_OK) {
            err = chunk_choice(r, choice, i);
        }
    }
    /* Whatever came after the usage would make clients forget it. */
    if (err == SOTTO_OK && n == 0 && yyjson_mut_is_obj(sotto_json_get(root, "usage"))) {
        err = flush_all(r, choices);
    }
    return err;
}

enum sotto_err sotto_restoring_chunk(struct sotto_restoring *r, yyjson_mut_doc *doc, bool *empty)
{
    size_t i, n;
    yyjson_mut_val *root = yyjson_mut_doc_get_root(doc), *name, *val;
    enum sotto_err err = SOTTO_OK;
    *empty = false;
    if (sotto_vault_count(r->vault) == 0) {
        return SOTTO_OK;
    }
    if (!yyjson_mut_is_obj(root)) {
        return sotto_restoring_whole(r, doc);
    }
    r->doc = doc;
    r->news = r->withheld = false;
    if (r->created == 0) {
        sotto_ignore(sotto_json_int(sotto_json_get(root, "created"), &r->created)); /* or none */
    }
    yyjson_mut_obj_foreach(root, i, n, name, val)
    {
        if (err != SOTTO_OK) {
            break;
        }
        if (NAMED(name, "choices") && yyjson_mut_is_arr(val)) {
            err = chunk_choices(r, root, val);
        } else {
            r->news = r->news || (yyjson_mut_is_ctn(val) && unsafe_yyjson_get_len(val) != 0);
            err = whole_value(r, RESTORING_ANY, name, val);
        }
    }
    *empty = err == SOTTO_OK && r->withheld && !r->news;
    return err;
}

enum sotto_err sotto_restoring_end(struct sotto_restoring *r, const yyjson_mut_doc *template,
                                   yyjson_mut_doc *doc, bool *any)
{
    yyjson_mut_val *from = template != NULL ? template->root : NULL;
    bool holds = false;
    *any = false;
    for (const struct restoring_choice *c = r->choices; c != NULL; c = c->next) {
        holds = holds || choice_holds(c);
    }
    if (!holds) {
        return SOTTO_OK;
    }
    r->doc = doc;
    yyjson_mut_val *root = yyjson_mut_obj(doc), *choices = yyjson_mut_arr(doc);
    enum sotto_err err = root != NULL && choices != NULL ? SOTTO_OK : SOTTO_ENOMEM;
    if (err == SOTTO_OK) {
        err = from != NULL ? copy_head(from, doc, root) : make_head(r, doc, root);
    }
    if (err != SOTTO_OK || (err = sotto_json_put(doc, root, "choices", choices)) != SOTTO_OK ||
        (err = flush_all(r, choices)) != SOTTO_OK) {
        return err;
    }
    if (yyjson_mut_arr_size(choices) != 0) {
        yyjson_mut_doc_set_root(doc, root);
        *any = true;
    }
    return SOTTO_OK;
}

enum sotto_err sotto_restoring_new(const struct sotto_vault *vault, struct sotto_restoring **out)
{
    struct sotto_restoring *r = sotto_calloc(1, sizeof(*r));
    if (r == NULL) {
        return SOTTO_ENOMEM;
    }
    r->vault = vault;
    sotto_buf_init(&r->text, SOTTO_BUF_UNBOUNDED);
    sotto_buf_init(&r->path, SOTTO_BUF_UNBOUNDED);
    *out = r;
    return SOTTO_OK;
}

void sotto_restoring_free(struct sotto_restoring *r)
{
    if (r == NULL) {
        return;
    }
    while (r->choices != NULL) {
        struct restoring_choice *choice = r->choices;
        r->choices = choice->next;
        free_strands(r, choice);
        for (size_t i = 0; i < RESTORING_LISTS; i++) {
            logprobs_free(choice->logprobs[i]);
        }
        sotto_free(choice);
    }
    sotto_buf_free(&r->text);
    sotto_buf_free(&r->path);
    sotto_free(r);
}
