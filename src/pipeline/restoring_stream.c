/* SPDX-License-Identifier: Apache-2.0 */

#include "base/alloc.h"
#include "base/compiler.h"
#include "pipeline/delta_place.h"
#include "pipeline/restoring_state.h"

/* Most texts of one stream, over all choices, fields and tool calls. */
#define RESTORING_MAX_STRANDS 4096

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
    return err == SOTTO_OK ? restoring_set(r, val) : err;
}

/* What a structural member says that a client does not know yet. */
static void note_structural(struct sotto_restoring *r, struct restoring_choice *choice,
                            const yyjson_mut_val *key, yyjson_mut_val *val)
{
    if (ANSWER_NAMED(key, "role")) {
        r->news = r->news || !choice->role_seen;
        choice->role_seen = true;
    } else if (!ANSWER_NAMED(key, "type")) {
        r->news = r->news || sotto_json_text(val).len != 0;
    }
}

static enum sotto_err delta_value(struct sotto_restoring *r, struct restoring_choice *choice,
                                  enum answer_place place, yyjson_mut_val *key,
                                  yyjson_mut_val *val);

/* NOLINTNEXTLINE(misc-no-recursion): the reader bounds the depth */
static enum sotto_err delta_array(struct sotto_restoring *r, struct restoring_choice *choice,
                                  enum answer_place place, yyjson_mut_val *key,
                                  yyjson_mut_val *list)
{
    size_t i, n, mark = r->path.len;
    yyjson_mut_val *element;
    enum sotto_err err = SOTTO_OK;
    yyjson_mut_arr_foreach(list, i, n, element)
    {
        if (err == SOTTO_OK && yyjson_mut_is_obj(element)) {
            err = delta_place_element(&r->path, element, i);
            if (err == SOTTO_OK) {
                err = delta_value(r, choice, place, key, element);
            }
            sotto_buf_truncate(&r->path, mark);
        } else if (err == SOTTO_OK) { /* strings one by one are not pieces of one text */
            r->news = true;
            err = restoring_value(r, place, key, element);
        }
    }
    return err;
}

/* NOLINTNEXTLINE(misc-no-recursion): the reader bounds the depth */
static enum sotto_err delta_object(struct sotto_restoring *r, struct restoring_choice *choice,
                                   enum answer_place place, yyjson_mut_val *obj)
{
    size_t i, n, mark = r->path.len;
    yyjson_mut_val *name, *val;
    enum sotto_err err = SOTTO_OK;
    yyjson_mut_obj_foreach(obj, i, n, name, val)
    {
        if (err != SOTTO_OK) {
            break;
        }
        if (answer_is_structural(place, name) && !yyjson_mut_is_ctn(val)) {
            if (!ANSWER_NAMED(name, "index")) {
                note_structural(r, choice, name, val);
            }
            continue;
        }
        err = delta_place_key(&r->path, sotto_json_text(name));
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
                                  enum answer_place place, yyjson_mut_val *key, yyjson_mut_val *val)
{
    if (yyjson_mut_is_str(val)) {
        return delta_string(r, choice, answer_kind(place, key), val);
    }
    if (ANSWER_NAMED(key, "annotations") && yyjson_mut_is_arr(val)) {
        r->news = r->news || yyjson_mut_arr_size(val) != 0;
        return restoring_value(r, place, key, val);
    }
    if (yyjson_mut_is_arr(val)) {
        return delta_array(r, choice, place, key, val);
    }
    if (yyjson_mut_is_obj(val)) {
        return delta_object(r, choice, answer_place_within(place, key), val);
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
            err = delta_place_add(r->doc, delta, sotto_span_init(s->path, s->path_len),
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
    if (delta_place_key(&r->path, SOTTO_LIT("content")) != SOTTO_OK) {
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
    enum sotto_err err = delta_object(r, state, ANSWER_ANY, delta);
    if (err == SOTTO_OK && annotations != NULL) {
        restoring_shift(content_strand(r, state), annotations);
    }
    return err;
}

static bool is_delta_or_logprobs(const yyjson_mut_val *name)
{
    return ANSWER_NAMED(name, "delta") || ANSWER_NAMED(name, "logprobs");
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
            err = restoring_value(r, ANSWER_ANY, name, val);
            r->news = r->news || (yyjson_mut_is_ctn(val) && unsafe_yyjson_get_len(val) != 0);
        }
    }
    bool ends = yyjson_mut_is_str(finish);
    if (err == SOTTO_OK && ends) {
        r->news = true;
        err = flush(r, state, choice);
        restoring_free_strands(r, state);
    }
    return err == SOTTO_OK ? restoring_logprobs(r, choice, state->logprobs, ends) : err;
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
            (err = restoring_logprobs(r, choice, state->logprobs, true)) != SOTTO_OK ||
            (err = sotto_json_put(r->doc, choice, "finish_reason", yyjson_mut_null(r->doc))) !=
                SOTTO_OK) {
            return err;
        }
        restoring_free_strands(r, state);
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
        if (ANSWER_NAMED(name, "choices") && yyjson_mut_is_arr(val)) {
            err = chunk_choices(r, root, val);
        } else {
            r->news = r->news || (yyjson_mut_is_ctn(val) && unsafe_yyjson_get_len(val) != 0);
            err = restoring_value(r, ANSWER_ANY, name, val);
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
