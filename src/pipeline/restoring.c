/* SPDX-License-Identifier: Apache-2.0 */

#include "pipeline/restoring.h"

#include "base/alloc.h"
#include "pipeline/restoring_state.h"

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

void restoring_free_strands(struct sotto_restoring *r, struct restoring_choice *choice)
{
    while (choice->strands != NULL) {
        struct restoring_strand *s = choice->strands;
        choice->strands = s->next;
        strand_free(s->strand);
        sotto_free(s);
        r->strand_count--;
    }
}

void sotto_restoring_free(struct sotto_restoring *r)
{
    if (r == NULL) {
        return;
    }
    while (r->choices != NULL) {
        struct restoring_choice *choice = r->choices;
        r->choices = choice->next;
        restoring_free_strands(r, choice);
        for (size_t i = 0; i < RESTORING_LISTS; i++) {
            logprobs_free(choice->logprobs[i]);
        }
        sotto_free(choice);
    }
    sotto_buf_free(&r->text);
    sotto_buf_free(&r->path);
    sotto_free(r);
}

enum sotto_err restoring_set(struct sotto_restoring *r, yyjson_mut_val *val)
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
        err = restoring_set(r, val);
    }
    if (err == SOTTO_OK && kept != NULL) {
        *kept = strand; /* transferred */
        strand = NULL;
    }
    strand_free(strand);
    return err;
}

/* NOLINTNEXTLINE(misc-no-recursion): the reader bounds the depth */
enum sotto_err restoring_value(struct sotto_restoring *r, enum answer_place place,
                               yyjson_mut_val *key, yyjson_mut_val *val)
{
    size_t i, n;
    yyjson_mut_val *name, *inner;
    enum sotto_err err = SOTTO_OK;
    if (yyjson_mut_is_str(val)) {
        return answer_is_structural(place, key)
                   ? SOTTO_OK
                   : whole_string(r, answer_kind(place, key), val, NULL);
    }
    if (yyjson_mut_is_arr(val)) {
        yyjson_mut_arr_foreach(val, i, n, inner)
        {
            if (err == SOTTO_OK) {
                err = restoring_value(r, place, key, inner);
            }
        }
    } else if (yyjson_mut_is_obj(val)) {
        enum answer_place within = answer_place_within(place, key);
        yyjson_mut_obj_foreach(val, i, n, name, inner)
        {
            if (err == SOTTO_OK) {
                err = restoring_value(r, within, name, inner);
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

void restoring_shift(const struct strand *content, yyjson_mut_val *annotations)
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

static const char *const restoring_lists[RESTORING_LISTS] = {"content", "refusal"};

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

enum sotto_err restoring_logprobs(struct sotto_restoring *r, yyjson_mut_val *choice,
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
        if (content == NULL && yyjson_mut_is_str(val) && ANSWER_NAMED(name, "content")) {
            err = whole_string(r, STRAND_TEXT, val, &content);
        } else {
            err = restoring_value(r, ANSWER_ANY, name, val);
        }
        annotations = ANSWER_NAMED(name, "annotations") ? val : annotations;
    }
    if (err == SOTTO_OK) {
        restoring_shift(content, annotations);
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
        if (err != SOTTO_OK || ANSWER_NAMED(name, "logprobs")) {
            continue;
        }
        if (ANSWER_NAMED(name, "message") && yyjson_mut_is_obj(val)) {
            err = whole_message(r, val);
        } else {
            err = restoring_value(r, ANSWER_ANY, name, val);
        }
    }
    return err == SOTTO_OK ? restoring_logprobs(r, choice, state, true) : err;
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
        return restoring_value(r, ANSWER_ANY, NULL, root);
    }
    yyjson_mut_obj_foreach(root, i, n, name, val)
    {
        if (ANSWER_NAMED(name, "choices") && yyjson_mut_is_arr(val)) {
            yyjson_mut_arr_foreach(val, k, m, choice)
            {
                err = err == SOTTO_OK ? whole_choice(r, choice) : err;
            }
        } else if (err == SOTTO_OK) {
            err = restoring_value(r, ANSWER_ANY, name, val);
        }
    }
    return err;
}
