/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Mistral: OpenAI's API with other names for some fields.  Fields that it does not know it
 * refuses with 422, so only those it knows go out.
 *
 *   max_completion_tokens -> max_tokens      seed -> random_seed
 *   role developer -> system                 tool_choice "required" -> "any"
 *   ids of tool calls: nine letters and digits
 *
 * Back: content in pieces ("thinking" among them) becomes one string, finish_reason
 * "model_length" becomes "length", and usage, which comes unasked with the last choice, a chunk of
 * its own.
 */

#include "upstream/failure.h"
#include "upstream/post.h"
#include "upstream/reply.h"
#include "upstream/table.h"
#include "upstream/tool_id.h"

static const char *const chat_fields[] = {
    "model",      "messages",         "temperature",
    "top_p",      "max_tokens",       "stream",
    "stop",       "random_seed",      "response_format",
    "tools",      "tool_choice",      "parallel_tool_calls",
    "n",          "presence_penalty", "frequency_penalty",
    "prediction", "prompt_mode",      "safe_prompt",
    NULL,
};

static const char *const embeddings_fields[] = {
    "model", "input", "encoding_format", "output_dimension", "output_dtype", NULL,
};

static const char *const message_fields[] = {
    "role", "content", "tool_calls", "tool_call_id", "name", "prefix", NULL,
};

/* --- request --------------------------------------------------------------------------------- */

static bool is_listed(yyjson_mut_val *key, const char *const *list)
{
    for (size_t i = 0; list[i] != NULL; i++) {
        if (sotto_json_is(key, list[i])) {
            return true;
        }
    }
    return false;
}

static void keep_listed(yyjson_mut_val *obj, const char *const *list)
{
    yyjson_mut_obj_iter iter = yyjson_mut_obj_iter_with(obj);
    yyjson_mut_val *key;
    while ((key = yyjson_mut_obj_iter_next(&iter)) != NULL) {
        if (!is_listed(key, list)) {
            (void)yyjson_mut_obj_iter_remove(&iter);
        }
    }
}

/* Gives a member another name, where it is; it replaces one that has the name already. */
static enum sotto_err rename_field(yyjson_mut_doc *doc, yyjson_mut_val *obj, const char *from,
                                   const char *to)
{
    yyjson_mut_val *val = yyjson_mut_obj_remove_key(obj, from);
    return val != NULL ? sotto_json_put(doc, obj, to, val) : SOTTO_OK;
}

static bool takes_id(sotto_span id)
{
    for (size_t i = 0; i < id.len; i++) {
        uint8_t c = id.base[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))) {
            return false;
        }
    }
    return id.len == 9;
}

static enum sotto_err map_message(yyjson_mut_doc *doc, yyjson_mut_val *message)
{
    yyjson_mut_val *role = sotto_json_get(message, "role");
    enum sotto_err err = SOTTO_OK;
    if (!sotto_json_is(role, "tool")) {
        (void)yyjson_mut_obj_remove_key(message, "name");
    }
    keep_listed(message, message_fields);
    if (sotto_json_is(role, "developer")) {
        err = sotto_json_put_text(doc, message, "role", SOTTO_LIT("system"));
    }
    if (err == SOTTO_OK) {
        err = sotto_tool_id_map(doc, message, "tool_call_id", takes_id);
    }
    yyjson_mut_arr_iter iter = yyjson_mut_arr_iter_with(sotto_json_get(message, "tool_calls"));
    yyjson_mut_val *one;
    while (err == SOTTO_OK && (one = yyjson_mut_arr_iter_next(&iter)) != NULL) {
        err = sotto_tool_id_map(doc, one, "id", takes_id);
    }
    return err;
}

static enum sotto_err map_messages(yyjson_mut_doc *doc, yyjson_mut_val *root,
                                   struct sotto_problem *problem)
{
    yyjson_mut_arr_iter iter = yyjson_mut_arr_iter_with(sotto_json_get(root, "messages"));
    yyjson_mut_val *message;
    enum sotto_err err = SOTTO_OK;
    for (size_t i = 0; err == SOTTO_OK && (message = yyjson_mut_arr_iter_next(&iter)) != NULL;
         i++) {
        if (sotto_json_is(sotto_json_get(message, "role"), "function") ||
            sotto_json_get(message, "function_call") != NULL) {
            sotto_problem_invalid(problem, "messages",
                                  "The upstream of this model does not know function calls of the "
                                  "old form (messages[%zu]); use tools.",
                                  i);
            return SOTTO_EINVAL;
        }
        err = map_message(doc, message);
    }
    return err;
}

static enum sotto_err map_chat(struct sotto_call *call, struct sotto_problem *problem)
{
    yyjson_mut_doc *doc = call->doc;
    yyjson_mut_val *root = yyjson_mut_doc_get_root(doc);
    enum sotto_err err;
    if (sotto_json_get(root, "functions") != NULL) {
        sotto_problem_invalid(problem, "functions",
                              "The upstream of this model does not know 'functions'; use 'tools'.");
        return SOTTO_EINVAL;
    }
    if ((err = map_messages(doc, root, problem)) != SOTTO_OK ||
        (err = rename_field(doc, root, "max_completion_tokens", "max_tokens")) != SOTTO_OK ||
        (err = rename_field(doc, root, "seed", "random_seed")) != SOTTO_OK) {
        return err;
    }
    if (sotto_json_is(sotto_json_get(root, "tool_choice"), "required")) {
        err = sotto_json_put_text(doc, root, "tool_choice", SOTTO_LIT("any"));
    }
    keep_listed(root, chat_fields);
    return err;
}

static enum sotto_err map_embeddings(struct sotto_call *call)
{
    yyjson_mut_val *root = yyjson_mut_doc_get_root(call->doc);
    enum sotto_err err = rename_field(call->doc, root, "dimensions", "output_dimension");
    keep_listed(root, embeddings_fields);
    return err;
}

static enum sotto_err request(const struct sotto_upstream *upstream, struct sotto_call *call,
                              sotto_span model, struct sotto_buf *out,
                              struct sotto_problem *problem)
{
    enum sotto_err err = sotto_post_model(call, model);
    if (err == SOTTO_OK) {
        err = call->kind == SOTTO_CALL_CHAT ? map_chat(call, problem) : map_embeddings(call);
    }
    return err == SOTTO_OK ? sotto_post_write_openai(upstream, call, out, problem) : err;
}

/* --- answer ---------------------------------------------------------------------------------- */

/* Appends the texts of pieces of the wanted kind; a thought is itself a list of pieces. */
/* NOLINTNEXTLINE(misc-no-recursion): once, from a list of pieces into its thoughts */
static enum sotto_err join_pieces(yyjson_mut_val *pieces, bool thoughts, struct sotto_buf *out)
{
    yyjson_mut_arr_iter iter = yyjson_mut_arr_iter_with(pieces);
    yyjson_mut_val *piece;
    enum sotto_err err = SOTTO_OK;
    while (err == SOTTO_OK && (piece = yyjson_mut_arr_iter_next(&iter)) != NULL) {
        yyjson_mut_val *thinking = sotto_json_get(piece, "thinking");
        if (thoughts && yyjson_mut_is_arr(thinking)) {
            err = join_pieces(thinking, false, out);
        } else if (thoughts && thinking != NULL) {
            err = sotto_buf_append(out, sotto_json_text(thinking));
        } else if (!thoughts && yyjson_mut_is_str(sotto_json_get(piece, "text"))) {
            err = sotto_buf_append(out, sotto_json_text(sotto_json_get(piece, "text")));
        }
    }
    return err;
}

static enum sotto_err join_content(yyjson_mut_doc *doc, yyjson_mut_val *part)
{
    yyjson_mut_val *content = sotto_json_get(part, "content");
    struct sotto_buf text, thought;
    enum sotto_err err;
    if (!yyjson_mut_is_arr(content)) {
        return SOTTO_OK;
    }
    sotto_buf_init(&text, SOTTO_BUF_UNBOUNDED);
    sotto_buf_init(&thought, SOTTO_BUF_UNBOUNDED);
    if ((err = join_pieces(content, false, &text)) == SOTTO_OK &&
        (err = join_pieces(content, true, &thought)) == SOTTO_OK &&
        (err = sotto_json_put_text(doc, part, "content", sotto_buf_span(&text))) == SOTTO_OK &&
        thought.len != 0) {
        err = sotto_json_put_text(doc, part, "reasoning_content", sotto_buf_span(&thought));
    }
    sotto_buf_free(&text);
    sotto_buf_free(&thought);
    return err;
}

/* Arguments may come as an object; clients count on a string. */
static enum sotto_err edit_call(yyjson_mut_doc *doc, yyjson_mut_val *one)
{
    yyjson_mut_val *function = sotto_json_get(one, "function");
    yyjson_mut_val *arguments = sotto_json_get(function, "arguments");
    enum sotto_err err = SOTTO_OK;
    if (yyjson_mut_is_ctn(arguments)) {
        struct sotto_buf text;
        sotto_buf_init(&text, SOTTO_BUF_UNBOUNDED);
        err = sotto_json_write(arguments, &text);
        if (err == SOTTO_OK) {
            err = sotto_json_put_text(doc, function, "arguments", sotto_buf_span(&text));
        }
        sotto_buf_free(&text);
    }
    /* Only where a call begins: clients add up what fragments bring. */
    bool begins = yyjson_mut_is_str(sotto_json_get(function, "name"));
    if (err == SOTTO_OK && begins && !yyjson_mut_is_str(sotto_json_get(one, "type"))) {
        err = sotto_json_put_text(doc, one, "type", SOTTO_LIT("function"));
    }
    return err;
}

static enum sotto_err edit(yyjson_mut_doc *doc, yyjson_mut_val *choice, const char *part_name)
{
    yyjson_mut_val *part = sotto_json_get(choice, part_name);
    yyjson_mut_val *reason = sotto_json_get(choice, "finish_reason");
    yyjson_mut_val *calls = sotto_json_get(part, "tool_calls"), *one;
    enum sotto_err err = join_content(doc, part);
    if (sotto_json_is(reason, "error")) {
        return SOTTO_EUPSTREAM;
    }
    if (err == SOTTO_OK && sotto_json_is(reason, "model_length")) {
        err = sotto_json_put_text(doc, choice, "finish_reason", SOTTO_LIT("length"));
    }
    if (yyjson_mut_is_null(calls)) {
        (void)yyjson_mut_obj_remove_key(part, "tool_calls");
    }
    yyjson_mut_arr_iter iter = yyjson_mut_arr_iter_with(calls);
    while (err == SOTTO_OK && (one = yyjson_mut_arr_iter_next(&iter)) != NULL) {
        err = edit_call(doc, one);
    }
    return err;
}

static enum sotto_err answer(const struct sotto_call *call, sotto_span body, yyjson_mut_doc **out,
                             struct sotto_problem *problem)
{
    yyjson_mut_doc *doc = NULL;
    enum sotto_err err = sotto_reply_answer(call, body, &doc, problem);
    yyjson_mut_arr_iter iter =
        yyjson_mut_arr_iter_with(sotto_json_get(yyjson_mut_doc_get_root(doc), "choices"));
    yyjson_mut_val *choice;
    while (err == SOTTO_OK && (choice = yyjson_mut_arr_iter_next(&iter)) != NULL) {
        err = edit(doc, choice, "message");
        if (err == SOTTO_EUPSTREAM) {
            err = sotto_reply_garbage(problem);
        }
    }
    if (err != SOTTO_OK) {
        sotto_json_free(doc);
        return err;
    }
    *out = doc;
    return SOTTO_OK;
}

static enum sotto_err stream_new(const struct sotto_call *call, struct sotto_provider_stream **out)
{
    static const struct sotto_reply_ways ways = {edit, false, true};
    return sotto_reply_stream_new(call, &ways, out);
}

const struct sotto_provider sotto_provider_mistral = {
    .kind = "mistral",
    .request = request,
    .models = sotto_post_models_openai,
    .answer = answer,
    .error = sotto_failure_read,
    .stream_new = stream_new,
    .stream_event = sotto_reply_stream_event,
    .stream_end = sotto_reply_stream_end,
    .stream_free = sotto_reply_stream_free,
};
