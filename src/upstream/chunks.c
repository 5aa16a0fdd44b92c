/* SPDX-License-Identifier: Apache-2.0 */

#include "upstream/chunks.h"

/* Whether it is a list of objects, or `optional` and not there. */
static bool is_list(yyjson_mut_val *list, bool optional)
{
    yyjson_mut_arr_iter iter = yyjson_mut_arr_iter_with(list);
    yyjson_mut_val *element;
    while ((element = yyjson_mut_arr_iter_next(&iter)) != NULL) {
        if (!yyjson_mut_is_obj(element)) {
            return false;
        }
    }
    return yyjson_mut_is_arr(list) || (optional && (list == NULL || yyjson_mut_is_null(list)));
}

static bool is_understood(yyjson_mut_val *choices)
{
    if (!is_list(choices, false) || yyjson_mut_arr_size(choices) == 0) {
        return false;
    }
    yyjson_mut_arr_iter iter = yyjson_mut_arr_iter_with(choices);
    yyjson_mut_val *choice;
    while ((choice = yyjson_mut_arr_iter_next(&iter)) != NULL) {
        yyjson_mut_val *message = sotto_json_get(choice, "message");
        if (!yyjson_mut_is_obj(message) || !is_list(sotto_json_get(message, "tool_calls"), true)) {
            return false;
        }
    }
    return true;
}

/* Whole answers tell calls apart by their order, chunks by `index`. */
static enum sotto_err place_calls(yyjson_mut_doc *doc, yyjson_mut_val *message)
{
    yyjson_mut_arr_iter iter = yyjson_mut_arr_iter_with(sotto_json_get(message, "tool_calls"));
    yyjson_mut_val *call;
    enum sotto_err err = SOTTO_OK;
    for (int64_t i = 0; err == SOTTO_OK && (call = yyjson_mut_arr_iter_next(&iter)) != NULL; i++) {
        err = sotto_json_put_int(doc, call, "index", i);
    }
    return err;
}

/* A copy of `head` with this list of choices, a copy as well; `usage` may be NULL. */
static enum sotto_err emit_chunk(const yyjson_mut_val *head, yyjson_mut_val *choice,
                                 yyjson_mut_val *usage, sotto_provider_emit *emit, void *ctx)
{
    yyjson_mut_doc *doc = sotto_json_new();
    yyjson_mut_val *root = yyjson_mut_val_mut_copy(doc, sotto_json_readable(head));
    yyjson_mut_val *list = yyjson_mut_arr(doc);
    enum sotto_err err = SOTTO_OK;
    if (choice != NULL && !yyjson_mut_arr_append(list, yyjson_mut_val_mut_copy(doc, choice))) {
        err = SOTTO_ENOMEM;
    }
    if (err == SOTTO_OK) {
        err = sotto_json_put(doc, root, "choices", list);
    }
    if (err == SOTTO_OK && usage != NULL) {
        err = sotto_json_put(doc, root, "usage", yyjson_mut_val_mut_copy(doc, usage));
    }
    if (err != SOTTO_OK) {
        sotto_json_free(doc);
        return err;
    }
    yyjson_mut_doc_set_root(doc, root);
    return emit(ctx, doc);
}

/* What a choice says: {"index", "delta", "logprobs", "finish_reason": null}. */
static enum sotto_err emit_text(yyjson_mut_doc *doc, const yyjson_mut_val *head,
                                yyjson_mut_val *choice, int64_t index, sotto_provider_emit *emit,
                                void *ctx)
{
    yyjson_mut_val *said = yyjson_mut_obj(doc);
    yyjson_mut_val *message = yyjson_mut_obj_remove_key(choice, "message");
    yyjson_mut_val *logprobs = yyjson_mut_obj_remove_key(choice, "logprobs");
    enum sotto_err err;
    if ((err = place_calls(doc, message)) != SOTTO_OK ||
        (err = sotto_json_put_int(doc, said, "index", index)) != SOTTO_OK ||
        (err = sotto_json_put(doc, said, "delta", message)) != SOTTO_OK ||
        (logprobs != NULL && (err = sotto_json_put(doc, said, "logprobs", logprobs)) != SOTTO_OK) ||
        (err = sotto_json_put(doc, said, "finish_reason", yyjson_mut_null(doc))) != SOTTO_OK) {
        return err;
    }
    return emit_chunk(head, said, NULL, emit, ctx);
}

static enum sotto_err emit_choice(yyjson_mut_doc *doc, const yyjson_mut_val *head,
                                  yyjson_mut_val *choice, int64_t position,
                                  sotto_provider_emit *emit, void *ctx)
{
    int64_t index = position;
    enum sotto_err err;
    if (sotto_json_int(sotto_json_get(choice, "index"), &index) != SOTTO_OK &&
        (err = sotto_json_put_int(doc, choice, "index", index)) != SOTTO_OK) {
        return err;
    }
    if ((err = emit_text(doc, head, choice, index, emit, ctx)) != SOTTO_OK ||
        (err = sotto_json_put(doc, choice, "delta", yyjson_mut_obj(doc))) != SOTTO_OK) {
        return err;
    }
    return emit_chunk(head, choice, NULL, emit, ctx);
}

enum sotto_err sotto_chunks_emit(yyjson_mut_doc *answer, sotto_provider_emit *emit, void *ctx)
{
    yyjson_mut_val *head = yyjson_mut_doc_get_root(answer);
    if (!is_understood(sotto_json_get(head, "choices"))) {
        return SOTTO_EUPSTREAM;
    }
    enum sotto_err err =
        sotto_json_put_text(answer, head, "object", SOTTO_LIT("chat.completion.chunk"));
    yyjson_mut_val *choices = yyjson_mut_obj_remove_key(head, "choices");
    yyjson_mut_val *usage = yyjson_mut_obj_remove_key(head, "usage");
    yyjson_mut_arr_iter iter = yyjson_mut_arr_iter_with(choices);
    yyjson_mut_val *choice;
    for (int64_t i = 0; err == SOTTO_OK && (choice = yyjson_mut_arr_iter_next(&iter)) != NULL;
         i++) {
        err = emit_choice(answer, head, choice, i, emit, ctx);
    }
    return err == SOTTO_OK && yyjson_mut_is_obj(usage) ? emit_chunk(head, NULL, usage, emit, ctx)
                                                       : err;
}
