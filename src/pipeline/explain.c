/* SPDX-License-Identifier: Apache-2.0 */

#include "pipeline/explain.h"

#include "base/alloc.h"
#include "text/utf8.h"

struct sotto_explain {
    yyjson_mut_doc *doc;
    yyjson_mut_val *findings;
};

enum sotto_err sotto_explain_new(struct sotto_explain **out)
{
    struct sotto_explain *e = sotto_calloc(1, sizeof(*e));
    if (e == NULL) {
        return SOTTO_ENOMEM;
    }
    e->doc = sotto_json_new();
    yyjson_mut_val *root = e->doc != NULL ? yyjson_mut_obj(e->doc) : NULL;
    if (root == NULL || (e->findings = yyjson_mut_arr(e->doc)) == NULL) {
        sotto_explain_free(e);
        return SOTTO_ENOMEM;
    }
    yyjson_mut_doc_set_root(e->doc, root);
    *out = e;
    return SOTTO_OK;
}

void sotto_explain_free(struct sotto_explain *e)
{
    if (e != NULL) {
        sotto_json_free(e->doc);
        sotto_free(e);
    }
}

static bool add_place(yyjson_mut_doc *doc, yyjson_mut_val *item, const struct sotto_slot *slot,
                      const struct sotto_finding *f)
{
    sotto_span text = sotto_slot_text(slot);
    uint64_t start = sotto_utf8_count(sotto_span_sub(text, 0, f->start));
    uint64_t end = start + sotto_utf8_count(sotto_span_sub(text, f->start, f->end));
    bool in_message = slot->message != SOTTO_SLOT_NO_MESSAGE;
    yyjson_mut_val *message =
        in_message ? yyjson_mut_uint(doc, slot->message) : yyjson_mut_null(doc);

    return yyjson_mut_obj_add_val(doc, item, "message", message) &&
           yyjson_mut_obj_add_str(doc, item, "field", slot->field) &&
           yyjson_mut_obj_add_uint(doc, item, "start", start) &&
           yyjson_mut_obj_add_uint(doc, item, "end", end);
}

static bool add_kind(yyjson_mut_doc *doc, yyjson_mut_val *item,
                     const struct sotto_detector *detector, const struct sotto_finding *f,
                     sotto_span token)
{
    const char *finer = sotto_detect_finer(detector, f);
    yyjson_mut_val *type = finer != NULL ? yyjson_mut_strcpy(doc, finer) : yyjson_mut_null(doc);
    yyjson_mut_val *code = token.len != 0 ? sotto_json_str(doc, token) : yyjson_mut_null(doc);

    return yyjson_mut_obj_add_str(doc, item, "label",
                                  sotto_label_name((enum sotto_label)f->label)) &&
           yyjson_mut_obj_add_val(doc, item, "type", type) &&
           yyjson_mut_obj_add_real(doc, item, "score", f->score / (double)SOTTO_SCORE_MAX) &&
           yyjson_mut_obj_add_strcpy(doc, item, "rule", sotto_detect_rule(detector, f)) &&
           yyjson_mut_obj_add_val(doc, item, "token", code);
}

enum sotto_err sotto_explain_add(struct sotto_explain *e, const struct sotto_slot *slot,
                                 const struct sotto_detector *detector,
                                 const struct sotto_finding *finding, sotto_span token)
{
    yyjson_mut_val *item = yyjson_mut_obj(e->doc);
    return item != NULL && add_place(e->doc, item, slot, finding) &&
                   add_kind(e->doc, item, detector, finding, token) &&
                   yyjson_mut_arr_append(e->findings, item)
               ? SOTTO_OK
               : SOTTO_ENOMEM;
}

enum sotto_err sotto_explain_sent(struct sotto_explain *e, const struct sotto_call *call)
{
    yyjson_mut_val *root = yyjson_mut_doc_get_root(call->doc);
    yyjson_mut_val *sent =
        sotto_json_get(root, call->kind == SOTTO_CALL_EMBEDDINGS ? "input" : "messages");
    yyjson_mut_val *copy =
        sent != NULL ? yyjson_mut_val_mut_copy(e->doc, sent) : yyjson_mut_null(e->doc);
    yyjson_mut_val *out = yyjson_mut_doc_get_root(e->doc);
    return yyjson_mut_obj_add_val(e->doc, out, "sent", copy) &&
                   yyjson_mut_obj_add_val(e->doc, out, "findings", e->findings)
               ? SOTTO_OK
               : SOTTO_ENOMEM;
}

yyjson_mut_doc *sotto_explain_take(struct sotto_explain *e)
{
    yyjson_mut_doc *doc = e->doc;
    e->doc = NULL;
    return doc;
}
