/* SPDX-License-Identifier: Apache-2.0 */

#include "chat/slots.h"

#include "base/alloc.h"

/* What surrounds a value, and so which of its members are text. */
enum slots_ctx {
    SLOTS_REQUEST,    /* the document of chat completions */
    SLOTS_EMBEDDINGS, /* the document of embeddings */
    SLOTS_MESSAGE,
    SLOTS_PART,
    SLOTS_FILE,
    SLOTS_TOOL_CALL,
    SLOTS_CALLED,   /* `function` of a tool call */
    SLOTS_CUSTOM,   /* `custom` of a tool call */
    SLOTS_TOOL,     /* an element of `tools` */
    SLOTS_FUNCTION, /* its `function` */
    SLOTS_FORMAT,   /* response_format and its json_schema */
    SLOTS_SCHEMA,   /* a JSON Schema */
    SLOTS_PROPERTIES,
    SLOTS_ANY,      /* every string is text */
    SLOTS_EMBEDDED, /* inside JSON in a string: keys and long numbers as well */
};

enum slots_act {
    SLOTS_SKIP,    /* structural */
    SLOTS_TEXT,    /* a string is a slot; anything deeper is SLOTS_ANY */
    SLOTS_OPEN,    /* a string that may hold JSON */
    SLOTS_ENTER,   /* object, or array of such objects, with the context `next` */
    SLOTS_USER_ID, /* identifier of the end user */
    SLOTS_IMAGE,
    SLOTS_AUDIO,
    SLOTS_BINARY, /* a file */
};

struct slots_rule {
    enum slots_ctx ctx;
    enum slots_act act;
    enum slots_ctx next;
    const char *key;
};

/* Members not named here are text wherever they hold strings. */
static const struct slots_rule rules[] = {
    {SLOTS_REQUEST, SLOTS_SKIP, SLOTS_ANY, "model"},
    {SLOTS_REQUEST, SLOTS_ENTER, SLOTS_MESSAGE, "messages"},
    {SLOTS_REQUEST, SLOTS_ENTER, SLOTS_TOOL, "tools"},
    {SLOTS_REQUEST, SLOTS_ENTER, SLOTS_FUNCTION, "functions"},
    {SLOTS_REQUEST, SLOTS_ENTER, SLOTS_FORMAT, "response_format"},
    {SLOTS_REQUEST, SLOTS_SKIP, SLOTS_ANY, "tool_choice"},
    {SLOTS_REQUEST, SLOTS_SKIP, SLOTS_ANY, "function_call"},
    {SLOTS_REQUEST, SLOTS_SKIP, SLOTS_ANY, "modalities"},
    {SLOTS_REQUEST, SLOTS_SKIP, SLOTS_ANY, "audio"},
    {SLOTS_REQUEST, SLOTS_SKIP, SLOTS_ANY, "service_tier"},
    {SLOTS_REQUEST, SLOTS_SKIP, SLOTS_ANY, "reasoning_effort"},
    {SLOTS_REQUEST, SLOTS_SKIP, SLOTS_ANY, "verbosity"},
    {SLOTS_REQUEST, SLOTS_SKIP, SLOTS_ANY, "stream_options"},
    {SLOTS_REQUEST, SLOTS_USER_ID, SLOTS_ANY, "user"},
    {SLOTS_REQUEST, SLOTS_USER_ID, SLOTS_ANY, "safety_identifier"},
    {SLOTS_EMBEDDINGS, SLOTS_SKIP, SLOTS_ANY, "model"},
    {SLOTS_EMBEDDINGS, SLOTS_SKIP, SLOTS_ANY, "encoding_format"},
    {SLOTS_EMBEDDINGS, SLOTS_USER_ID, SLOTS_ANY, "user"},
    {SLOTS_MESSAGE, SLOTS_SKIP, SLOTS_ANY, "role"},
    {SLOTS_MESSAGE, SLOTS_SKIP, SLOTS_ANY, "tool_call_id"},
    {SLOTS_MESSAGE, SLOTS_SKIP, SLOTS_ANY, "audio"},
    {SLOTS_MESSAGE, SLOTS_ENTER, SLOTS_PART, "content"},
    {SLOTS_MESSAGE, SLOTS_ENTER, SLOTS_TOOL_CALL, "tool_calls"},
    {SLOTS_MESSAGE, SLOTS_ENTER, SLOTS_CALLED, "function_call"},
    {SLOTS_PART, SLOTS_SKIP, SLOTS_ANY, "type"},
    {SLOTS_PART, SLOTS_SKIP, SLOTS_ANY, "cache_control"},
    {SLOTS_PART, SLOTS_IMAGE, SLOTS_ANY, "image_url"},
    {SLOTS_PART, SLOTS_IMAGE, SLOTS_ANY, "image"},
    {SLOTS_PART, SLOTS_IMAGE, SLOTS_ANY, "video_url"},
    {SLOTS_PART, SLOTS_AUDIO, SLOTS_ANY, "input_audio"},
    {SLOTS_PART, SLOTS_AUDIO, SLOTS_ANY, "audio_url"},
    {SLOTS_PART, SLOTS_BINARY, SLOTS_FILE, "file"},
    {SLOTS_FILE, SLOTS_SKIP, SLOTS_ANY, "file_id"},
    {SLOTS_FILE, SLOTS_SKIP, SLOTS_ANY, "file_data"},
    {SLOTS_TOOL_CALL, SLOTS_SKIP, SLOTS_ANY, "id"},
    {SLOTS_TOOL_CALL, SLOTS_SKIP, SLOTS_ANY, "type"},
    {SLOTS_TOOL_CALL, SLOTS_ENTER, SLOTS_CALLED, "function"},
    {SLOTS_TOOL_CALL, SLOTS_ENTER, SLOTS_CUSTOM, "custom"},
    {SLOTS_CALLED, SLOTS_SKIP, SLOTS_ANY, "name"},
    {SLOTS_CALLED, SLOTS_OPEN, SLOTS_ANY, "arguments"},
    {SLOTS_CUSTOM, SLOTS_SKIP, SLOTS_ANY, "name"},
    {SLOTS_CUSTOM, SLOTS_OPEN, SLOTS_ANY, "input"},
    {SLOTS_TOOL, SLOTS_SKIP, SLOTS_ANY, "type"},
    {SLOTS_TOOL, SLOTS_ENTER, SLOTS_FUNCTION, "function"},
    {SLOTS_TOOL, SLOTS_ENTER, SLOTS_FUNCTION, "custom"},
    {SLOTS_FUNCTION, SLOTS_SKIP, SLOTS_ANY, "name"},
    {SLOTS_FUNCTION, SLOTS_ENTER, SLOTS_SCHEMA, "parameters"},
    {SLOTS_FORMAT, SLOTS_SKIP, SLOTS_ANY, "type"},
    {SLOTS_FORMAT, SLOTS_SKIP, SLOTS_ANY, "name"},
    {SLOTS_FORMAT, SLOTS_ENTER, SLOTS_FORMAT, "json_schema"},
    {SLOTS_FORMAT, SLOTS_ENTER, SLOTS_SCHEMA, "schema"},
    {SLOTS_SCHEMA, SLOTS_SKIP, SLOTS_ANY, "type"},
    {SLOTS_SCHEMA, SLOTS_SKIP, SLOTS_ANY, "format"},
    {SLOTS_SCHEMA, SLOTS_SKIP, SLOTS_ANY, "pattern"},
    {SLOTS_SCHEMA, SLOTS_SKIP, SLOTS_ANY, "required"},
    {SLOTS_SCHEMA, SLOTS_SKIP, SLOTS_ANY, "$ref"},
    {SLOTS_SCHEMA, SLOTS_SKIP, SLOTS_ANY, "$id"},
    {SLOTS_SCHEMA, SLOTS_SKIP, SLOTS_ANY, "$schema"},
    {SLOTS_SCHEMA, SLOTS_ENTER, SLOTS_PROPERTIES, "properties"},
    {SLOTS_SCHEMA, SLOTS_ENTER, SLOTS_PROPERTIES, "patternProperties"},
    {SLOTS_SCHEMA, SLOTS_ENTER, SLOTS_PROPERTIES, "$defs"},
    {SLOTS_SCHEMA, SLOTS_ENTER, SLOTS_PROPERTIES, "definitions"},
    {SLOTS_SCHEMA, SLOTS_ENTER, SLOTS_SCHEMA, "items"},
    {SLOTS_SCHEMA, SLOTS_ENTER, SLOTS_SCHEMA, "prefixItems"},
    {SLOTS_SCHEMA, SLOTS_ENTER, SLOTS_SCHEMA, "additionalProperties"},
    {SLOTS_SCHEMA, SLOTS_ENTER, SLOTS_SCHEMA, "anyOf"},
    {SLOTS_SCHEMA, SLOTS_ENTER, SLOTS_SCHEMA, "oneOf"},
    {SLOTS_SCHEMA, SLOTS_ENTER, SLOTS_SCHEMA, "allOf"},
    {SLOTS_SCHEMA, SLOTS_ENTER, SLOTS_SCHEMA, "not"},
};

/* State of one walk; the place is kept here so that a slot costs no path. */
struct slots_walk {
    struct sotto_slots *out;
    uint32_t home;
    size_t max_depth;
    uint32_t message;
    bool from_user;
    bool tool_result; /* text of a message whose role is tool or function */
    const char *field;
};

static enum sotto_err walk(struct slots_walk *w, yyjson_mut_val *val, enum slots_ctx ctx,
                           sotto_span context);

static const struct slots_rule *find_rule(enum slots_ctx ctx, const yyjson_mut_val *key)
{
    for (size_t i = 0; i < SOTTO_COUNT(rules); i++) {
        if (rules[i].ctx == ctx && sotto_json_is(key, rules[i].key)) {
            return &rules[i];
        }
    }
    return NULL;
}

/* Doubles an array of slots or embedded documents. */
static enum sotto_err grow(void **items, size_t *cap, size_t size)
{
    size_t more = *cap != 0 ? *cap * 2 : 32;
    void *moved = sotto_resize(*items, more * size);
    if (moved == NULL) {
        return SOTTO_ENOMEM;
    }
    *items = moved;
    *cap = more;
    return SOTTO_OK;
}

static enum sotto_err add_slot(struct slots_walk *w, yyjson_mut_val *val, enum sotto_slot_kind kind,
                               sotto_span context)
{
    struct sotto_slots *s = w->out;
    if (s->count >= SOTTO_SLOTS_MAX) {
        return SOTTO_ELIMIT;
    }
    if (s->count == s->cap) {
        void *items = s->items;
        enum sotto_err err = grow(&items, &s->cap, sizeof(*s->items));
        if (err != SOTTO_OK) {
            return err;
        }
        s->items = items;
    }
    s->items[s->count++] = (struct sotto_slot){
        .val = val,
        .context = context,
        .field = w->field,
        .message = w->message,
        .home = w->home,
        .kind = (uint8_t)kind,
        .from_user = w->from_user,
    };
    return SOTTO_OK;
}

static bool is_long_number(const yyjson_mut_val *val)
{
    sotto_span text = sotto_json_text(val);
    size_t digits = 0;
    for (size_t i = 0; i < text.len; i++) {
        digits += text.base[i] >= '0' && text.base[i] <= '9';
    }
    return digits >= SOTTO_SLOTS_NUMBER_DIGITS;
}

static bool may_be_json(sotto_span text)
{
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.base[i];
        if (c != ' ' && c != '\t' && c != '\n' && c != '\r') {
            return c == '{' || c == '[';
        }
    }
    return false;
}

/* Opens JSON in a string; what is no JSON is plain text. */
/* NOLINTNEXTLINE(misc-no-recursion): the depth of what was read is bounded */
static enum sotto_err open_string(struct slots_walk *w, yyjson_mut_val *val, sotto_span context)
{
    yyjson_mut_doc *doc = NULL;
    enum sotto_err err = SOTTO_EFORMAT;
    if (may_be_json(sotto_json_text(val))) {
        err = sotto_json_read(sotto_json_text(val), w->max_depth, &doc, NULL);
    }
    if (err == SOTTO_EFORMAT) {
        return add_slot(w, val, SOTTO_SLOT_TEXT, context);
    }
    if (err != SOTTO_OK) {
        return err;
    }

    struct sotto_slots *s = w->out;
    if (s->embedded_count == s->embedded_cap) {
        void *items = s->embedded;
        err = grow(&items, &s->embedded_cap, sizeof(*s->embedded));
        if (err != SOTTO_OK) {
            sotto_json_free(doc);
            return err;
        }
        s->embedded = items;
    }
    s->embedded[s->embedded_count++] =
        (struct sotto_embedded){.doc = doc, .val = val, .home = w->home}; /* transferred */

    uint32_t outer = w->home;
    w->home = (uint32_t)s->embedded_count;
    err = walk(w, yyjson_mut_doc_get_root(doc), SLOTS_EMBEDDED, sotto_span_init(NULL, 0));
    w->home = outer;
    return err;
}

static void mark_unprotected(struct slots_walk *w, enum sotto_unprotected bit)
{
    if (w->out->unprotected == 0) {
        w->out->unprotected_message = w->message;
    }
    w->out->unprotected |= bit;
}

/* Remembers the field of the message or the request that we are in, for errors and explanations. */
static void note_field(struct slots_walk *w, enum slots_ctx ctx, const char *field)
{
    if (ctx == SLOTS_REQUEST || ctx == SLOTS_MESSAGE || ctx == SLOTS_EMBEDDINGS) {
        w->field = field;
    }
}

/* NOLINTNEXTLINE(misc-no-recursion): the depth of what was read is bounded */
static enum sotto_err walk_member(struct slots_walk *w, enum slots_ctx ctx,
                                  const struct slots_rule *rule, yyjson_mut_val *val,
                                  sotto_span context)
{
    enum slots_act act = rule != NULL ? rule->act : SLOTS_TEXT;
    note_field(w, ctx, rule != NULL ? rule->key : "other");
    switch (act) {
    case SLOTS_SKIP:
        return SOTTO_OK;
    case SLOTS_USER_ID:
        return yyjson_mut_is_str(val) ? add_slot(w, val, SOTTO_SLOT_USER, context) : SOTTO_OK;
    case SLOTS_OPEN:
        return yyjson_mut_is_str(val) ? open_string(w, val, context)
                                      : walk(w, val, SLOTS_EMBEDDED, context);
    case SLOTS_IMAGE:
        mark_unprotected(w, SOTTO_UNPROTECTED_IMAGE);
        return SOTTO_OK;
    case SLOTS_AUDIO:
        mark_unprotected(w, SOTTO_UNPROTECTED_AUDIO);
        return SOTTO_OK;
    case SLOTS_BINARY:
        mark_unprotected(w, SOTTO_UNPROTECTED_FILE);
        return walk(w, val, rule->next, context);
    case SLOTS_ENTER:
        return walk(w, val, rule->next, context);
    case SLOTS_TEXT:
        return ctx == SLOTS_PART && w->tool_result && yyjson_mut_is_str(val)
                   ? open_string(w, val, context)
                   : walk(w, val, SLOTS_ANY, context);
    }
    return SOTTO_OK;
}

static enum slots_ctx inner_ctx(enum slots_ctx ctx)
{
    return ctx == SLOTS_PROPERTIES ? SLOTS_SCHEMA : ctx;
}

static void enter_message(struct slots_walk *w, yyjson_mut_val *message, uint32_t index)
{
    yyjson_mut_val *role = sotto_json_get(message, "role");
    w->message = index;
    w->from_user = sotto_json_is(role, "user");
    w->tool_result = sotto_json_is(role, "tool") || sotto_json_is(role, "function");
}

/* NOLINTNEXTLINE(misc-no-recursion): the depth of what was read is bounded */
static enum sotto_err walk_object(struct slots_walk *w, yyjson_mut_val *obj, enum slots_ctx ctx)
{
    size_t i, n;
    yyjson_mut_val *key, *val;
    yyjson_mut_obj_foreach(obj, i, n, key, val)
    {
        enum sotto_err err = SOTTO_OK;
        if (ctx == SLOTS_EMBEDDED) {
            err = add_slot(w, key, SOTTO_SLOT_KEY, sotto_span_init(NULL, 0));
            if (err == SOTTO_OK) {
                err = walk(w, val, SLOTS_EMBEDDED, sotto_json_text(key));
            }
        } else if (ctx == SLOTS_ANY || ctx == SLOTS_PROPERTIES) {
            err = walk(w, val, inner_ctx(ctx), sotto_json_text(key));
        } else {
            err = walk_member(w, ctx, find_rule(ctx, key), val, sotto_span_init(NULL, 0));
        }
        if (err != SOTTO_OK) {
            return err;
        }
    }
    return SOTTO_OK;
}

/* NOLINTNEXTLINE(misc-no-recursion): the depth of what was read is bounded */
static enum sotto_err walk_array(struct slots_walk *w, yyjson_mut_val *arr, enum slots_ctx ctx,
                                 sotto_span context)
{
    size_t i, n;
    yyjson_mut_val *val;
    yyjson_mut_arr_foreach(arr, i, n, val)
    {
        if (ctx == SLOTS_MESSAGE) {
            enter_message(w, val, (uint32_t)i);
        }
        enum sotto_err err = walk(w, val, ctx, context);
        if (err != SOTTO_OK) {
            return err;
        }
    }
    if (ctx == SLOTS_MESSAGE) {
        w->message = SOTTO_SLOT_NO_MESSAGE;
        w->from_user = w->tool_result = false;
    }
    return SOTTO_OK;
}

/* The depth of the document is bounded by its reader, so the recursion is. */
/* NOLINTNEXTLINE(misc-no-recursion): the depth of what was read is bounded */
static enum sotto_err walk(struct slots_walk *w, yyjson_mut_val *val, enum slots_ctx ctx,
                           sotto_span context)
{
    if (yyjson_mut_is_obj(val)) {
        return walk_object(w, val, ctx);
    }
    if (yyjson_mut_is_arr(val)) {
        return walk_array(w, val, ctx, context);
    }
    if (yyjson_mut_is_str(val)) {
        return ctx == SLOTS_PART && w->tool_result ? open_string(w, val, context)
                                                   : add_slot(w, val, SOTTO_SLOT_TEXT, context);
    }
    if (ctx == SLOTS_EMBEDDED && yyjson_mut_is_raw(val) && is_long_number(val)) {
        return add_slot(w, val, SOTTO_SLOT_NUMBER, context);
    }
    return SOTTO_OK;
}

enum sotto_err sotto_slots_collect(yyjson_mut_doc *doc, enum sotto_call_kind kind, size_t max_depth,
                                   struct sotto_slots *out)
{
    struct slots_walk w = {
        .out = out,
        .max_depth = max_depth,
        .message = SOTTO_SLOT_NO_MESSAGE,
        .field = "",
    };
    out->doc = doc;
    out->unprotected_message = SOTTO_SLOT_NO_MESSAGE;
    return walk(&w, yyjson_mut_doc_get_root(doc),
                kind == SOTTO_CALL_EMBEDDINGS ? SLOTS_EMBEDDINGS : SLOTS_REQUEST,
                sotto_span_init(NULL, 0));
}

/* The document that `home` of a slot names; what holds it counts as changed from now on. */
static yyjson_mut_doc *home_doc(struct sotto_slots *slots, uint32_t home)
{
    if (home == 0) {
        return slots->doc;
    }
    slots->embedded[home - 1].changed = true;
    return slots->embedded[home - 1].doc;
}

enum sotto_err sotto_slots_set(struct sotto_slots *slots, size_t i, sotto_span text)
{
    struct sotto_slot *slot = &slots->items[i];
    return sotto_json_set_text(home_doc(slots, slot->home), slot->val, text);
}

/* An embedded document stands behind the one that holds it, so going backwards visits it first. */
enum sotto_err sotto_slots_finish(struct sotto_slots *slots)
{
    struct sotto_buf text;
    enum sotto_err err = SOTTO_OK;
    sotto_buf_init(&text, SOTTO_BUF_UNBOUNDED);
    for (size_t i = slots->embedded_count; i-- > 0 && err == SOTTO_OK;) {
        struct sotto_embedded *e = &slots->embedded[i];
        if (!e->changed) {
            continue;
        }
        sotto_buf_truncate(&text, 0);
        err = sotto_json_write(yyjson_mut_doc_get_root(e->doc), &text);
        if (err == SOTTO_OK) {
            err = sotto_json_set_text(home_doc(slots, e->home), e->val, sotto_buf_span(&text));
        }
    }
    sotto_buf_free(&text);
    return err;
}

void sotto_slots_free(struct sotto_slots *slots)
{
    for (size_t i = 0; i < slots->embedded_count; i++) {
        sotto_json_free(slots->embedded[i].doc);
    }
    sotto_free(slots->embedded);
    sotto_free(slots->items);
    *slots = (struct sotto_slots){0};
}
