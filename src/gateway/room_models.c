/* SPDX-License-Identifier: Apache-2.0 */

#include "gateway/room_catalog.h"
#include "sys/clock.h"

static bool is_pattern(const struct sotto_config_model *model)
{
    return sotto_span_ends(model->name, SOTTO_LIT("*"));
}

static bool may_call(const struct room_stream *s, sotto_span name)
{
    return s->key == NULL || sotto_key_may(&s->key->key, SOTTO_SCOPE_MODEL, name);
}

static bool add_tasks(yyjson_mut_doc *doc, yyjson_mut_val *obj,
                      const struct sotto_config_list *tasks)
{
    yyjson_mut_val *list = yyjson_mut_arr(doc);
    bool ok = list != NULL;
    for (size_t i = 0; ok && i < tasks->count; i++) {
        ok = yyjson_mut_arr_append(list, sotto_json_str(doc, tasks->items[i]));
    }
    return ok && yyjson_mut_obj_add_val(doc, obj, "tasks", list);
}

static yyjson_mut_val *model_object(yyjson_mut_doc *doc, sotto_span name, sotto_span owner,
                                    const struct sotto_config_list *tasks)
{
    yyjson_mut_val *obj = yyjson_mut_obj(doc);
    bool ok = obj != NULL && yyjson_mut_obj_add_val(doc, obj, "id", sotto_json_str(doc, name)) &&
              yyjson_mut_obj_add_str(doc, obj, "object", "model") &&
              yyjson_mut_obj_add_int(doc, obj, "created", 0) &&
              yyjson_mut_obj_add_val(doc, obj, "owned_by", sotto_json_str(doc, owner)) &&
              (tasks->count == 0 || add_tasks(doc, obj, tasks));
    return ok ? obj : NULL;
}

static sotto_span owner_of(const struct room_stream *s, const struct sotto_config_model *model)
{
    return s->setup->upstreams[model->upstream].wire.name;
}

static enum sotto_err add_model(struct room_stream *s, yyjson_mut_doc *doc, yyjson_mut_val *data,
                                const struct sotto_config_model *model, sotto_span name)
{
    if (!may_call(s, name)) {
        return SOTTO_OK;
    }
    yyjson_mut_val *obj = model_object(doc, name, owner_of(s, model), &model->tasks);
    return yyjson_mut_arr_append(data, obj) ? SOTTO_OK : SOTTO_ENOMEM;
}

/* A name comes from outside: what could not be sent back as one is left out. */
static bool is_name(sotto_span name)
{
    for (size_t i = 0; i < name.len; i++) {
        if (name.base[i] < 0x20 || name.base[i] == 0x7f) {
            return false;
        }
    }
    return name.len != 0 && name.len <= ROOM_CATALOG_NAME_BYTES;
}

/* The names behind a pattern: the mirror's own one, or what the upstream lists and this pattern,
 * and no better one, would send there. */
static enum sotto_err add_pattern(struct room_stream *s, yyjson_mut_doc *doc, yyjson_mut_val *data,
                                  const struct sotto_config_model *model)
{
    const struct sotto_config *c = s->setup->config;
    enum sotto_err err = SOTTO_OK;
    if (s->setup->upstreams[model->upstream].provider == NULL) {
        bool own = sotto_config_route(c, SOTTO_LIT("mirror")) == model;
        return own ? add_model(s, doc, data, model, SOTTO_LIT("mirror")) : SOTTO_OK;
    }
    yyjson_mut_arr_iter iter = yyjson_mut_arr_iter_with(room_catalog_names(s, model->upstream));
    yyjson_mut_val *item;
    while (err == SOTTO_OK && (item = yyjson_mut_arr_iter_next(&iter)) != NULL) {
        yyjson_mut_val *id = sotto_json_get(item, "id");
        sotto_span name = sotto_json_text(id);
        if (yyjson_mut_is_str(id) && is_name(name) && sotto_config_route(c, name) == model) {
            err = add_model(s, doc, data, model, name);
        }
    }
    return err;
}

static enum sotto_err list_models(struct room_stream *s, yyjson_mut_doc *doc)
{
    const struct sotto_config *c = s->setup->config;
    enum sotto_err err = SOTTO_OK;
    yyjson_mut_val *root = yyjson_mut_obj(doc), *data = yyjson_mut_arr(doc);
    if (root == NULL || data == NULL || !yyjson_mut_obj_add_str(doc, root, "object", "list") ||
        !yyjson_mut_obj_add_val(doc, root, "data", data)) {
        return SOTTO_ENOMEM;
    }
    for (size_t i = 0; i < c->model_count && err == SOTTO_OK; i++) {
        const struct sotto_config_model *model = &c->models[i];
        err = is_pattern(model) ? add_pattern(s, doc, data, model)
                                : add_model(s, doc, data, model, model->name);
    }
    yyjson_mut_doc_set_root(doc, root);
    return err;
}

/* One model: also one that only a wildcard serves, since it can be called. */
static enum sotto_err show_model(struct room_stream *s, yyjson_mut_doc *doc)
{
    const struct sotto_config_model *model = sotto_config_route(s->setup->config, s->call.model);
    if (model == NULL || !may_call(s, s->call.model)) {
        s->refusal = SOTTO_REFUSE_PROBLEM;
        sotto_problem_set(&s->problem, 404, "invalid_request_error", "model_not_found", "model",
                          "No upstream of this gateway serves this model.");
        return SOTTO_ENOTFOUND;
    }
    yyjson_mut_val *root = model_object(doc, s->call.model, owner_of(s, model), &model->tasks);
    yyjson_mut_doc_set_root(doc, root);
    return root != NULL ? SOTTO_OK : SOTTO_ENOMEM;
}

void room_models(struct room_stream *s)
{
    if (s->call.kind == SOTTO_CALL_MODELS && room_catalog_ask(s)) {
        return; /* comes here again when the upstream has answered */
    }
    yyjson_mut_doc *doc = sotto_json_new();
    enum sotto_err err = doc == NULL ? SOTTO_ENOMEM : SOTTO_OK;
    if (err == SOTTO_OK) {
        err = s->call.kind == SOTTO_CALL_MODELS ? list_models(s, doc) : show_model(s, doc);
    }
    if (err == SOTTO_OK) {
        err = s->dialect->write(&s->call, &s->facts, doc, &s->out);
    }
    sotto_json_free(doc);
    if (err != SOTTO_OK) {
        room_refuse(s, err);
        return;
    }
    room_reply(s, 200, "application/json", sotto_buf_span(&s->out), SOTTO_DOOR_LAST);
    room_finish(s, SOTTO_OUTCOME_ANSWERED);
}
