/* SPDX-License-Identifier: Apache-2.0 */

#include "gateway/room_stream.h"
#include "sys/clock.h"

/* A wildcard serves models whose names nobody can list. */
static bool is_listed(const struct room_stream *s, const struct sotto_config_model *model)
{
    return !sotto_span_ends(model->name, SOTTO_LIT("*")) &&
           (s->key == NULL || sotto_key_may(&s->key->key, SOTTO_SCOPE_MODEL, model->name));
}

static yyjson_mut_val *model_object(yyjson_mut_doc *doc, sotto_span name, sotto_span owner)
{
    yyjson_mut_val *obj = yyjson_mut_obj(doc);
    bool ok = obj != NULL && yyjson_mut_obj_add_val(doc, obj, "id", sotto_json_str(doc, name)) &&
              yyjson_mut_obj_add_str(doc, obj, "object", "model") &&
              yyjson_mut_obj_add_int(doc, obj, "created", 0) &&
              yyjson_mut_obj_add_val(doc, obj, "owned_by", sotto_json_str(doc, owner));
    return ok ? obj : NULL;
}

static sotto_span owner_of(const struct room_stream *s, const struct sotto_config_model *model)
{
    return s->setup->upstreams[model->upstream].wire.name;
}

static enum sotto_err list_models(struct room_stream *s, yyjson_mut_doc *doc)
{
    const struct sotto_config *c = s->setup->config;
    yyjson_mut_val *root = yyjson_mut_obj(doc), *data = yyjson_mut_arr(doc);
    if (root == NULL || data == NULL || !yyjson_mut_obj_add_str(doc, root, "object", "list") ||
        !yyjson_mut_obj_add_val(doc, root, "data", data)) {
        return SOTTO_ENOMEM;
    }
    for (size_t i = 0; i < c->model_count; i++) {
        if (is_listed(s, &c->models[i]) &&
            !yyjson_mut_arr_append(
                data, model_object(doc, c->models[i].name, owner_of(s, &c->models[i])))) {
            return SOTTO_ENOMEM;
        }
    }
    yyjson_mut_doc_set_root(doc, root);
    return SOTTO_OK;
}

/* One model: also one that only a wildcard serves, since it can be called. */
static enum sotto_err show_model(struct room_stream *s, yyjson_mut_doc *doc)
{
    const struct sotto_config_model *model = sotto_config_route(s->setup->config, s->call.model);
    if (model == NULL ||
        (s->key != NULL && !sotto_key_may(&s->key->key, SOTTO_SCOPE_MODEL, s->call.model))) {
        s->refusal = SOTTO_REFUSE_PROBLEM;
        sotto_problem_set(&s->problem, 404, "invalid_request_error", "model_not_found", "model",
                          "No upstream of this gateway serves this model.");
        return SOTTO_ENOTFOUND;
    }
    yyjson_mut_val *root = model_object(doc, s->call.model, owner_of(s, model));
    yyjson_mut_doc_set_root(doc, root);
    return root != NULL ? SOTTO_OK : SOTTO_ENOMEM;
}

void room_models(struct room_stream *s)
{
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
