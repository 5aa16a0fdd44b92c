/* SPDX-License-Identifier: Apache-2.0 */

#include "dialects/chat_request.h"

#include "dialects/field.h"

const char *const sotto_chat_request_roles[] = {
    "developer", "system", "user", "assistant", "tool", "function", NULL,
};

static const struct sotto_field_rule request_rules[] = {
    {SOTTO_FIELD_KEY("temperature"), SOTTO_FIELD_NUMBER, 0, 2},
    {SOTTO_FIELD_KEY("top_p"), SOTTO_FIELD_NUMBER, 0, 1},
    {SOTTO_FIELD_KEY("n"), SOTTO_FIELD_INTEGER, 1, 128},
    {SOTTO_FIELD_KEY("max_tokens"), SOTTO_FIELD_INTEGER, 0, INT64_MAX},
    {SOTTO_FIELD_KEY("max_completion_tokens"), SOTTO_FIELD_INTEGER, 0, INT64_MAX},
    {SOTTO_FIELD_KEY("stop"), SOTTO_FIELD_STRING_OR_STRINGS, 0, 0},
    {SOTTO_FIELD_KEY("presence_penalty"), SOTTO_FIELD_NUMBER, -2, 2},
    {SOTTO_FIELD_KEY("frequency_penalty"), SOTTO_FIELD_NUMBER, -2, 2},
    {SOTTO_FIELD_KEY("logprobs"), SOTTO_FIELD_BOOLEAN, 0, 0},
    {SOTTO_FIELD_KEY("top_logprobs"), SOTTO_FIELD_INTEGER, 0, 20},
    {SOTTO_FIELD_KEY("logit_bias"), SOTTO_FIELD_OBJECT, 0, 0},
    {SOTTO_FIELD_KEY("stream"), SOTTO_FIELD_BOOLEAN, 0, 0},
    {SOTTO_FIELD_KEY("stream_options"), SOTTO_FIELD_OBJECT, 0, 0},
    {SOTTO_FIELD_KEY("tools"), SOTTO_FIELD_ARRAY, 0, 0},
    {SOTTO_FIELD_KEY("tool_choice"), SOTTO_FIELD_STRING_OR_OBJECT, 0, 0},
    {SOTTO_FIELD_KEY("parallel_tool_calls"), SOTTO_FIELD_BOOLEAN, 0, 0},
    {SOTTO_FIELD_KEY("functions"), SOTTO_FIELD_ARRAY, 0, 0},
    {SOTTO_FIELD_KEY("function_call"), SOTTO_FIELD_STRING_OR_OBJECT, 0, 0},
    {SOTTO_FIELD_KEY("response_format"), SOTTO_FIELD_OBJECT, 0, 0},
    {SOTTO_FIELD_KEY("seed"), SOTTO_FIELD_INTEGER, INT64_MIN, INT64_MAX},
    {SOTTO_FIELD_KEY("user"), SOTTO_FIELD_STRING, 0, 0},
    {SOTTO_FIELD_KEY("safety_identifier"), SOTTO_FIELD_STRING, 0, 0},
    {SOTTO_FIELD_KEY("prompt_cache_key"), SOTTO_FIELD_STRING, 0, 0},
    {SOTTO_FIELD_KEY("metadata"), SOTTO_FIELD_OBJECT, 0, 0},
    {SOTTO_FIELD_KEY("modalities"), SOTTO_FIELD_ARRAY, 0, 0},
    {SOTTO_FIELD_KEY("audio"), SOTTO_FIELD_OBJECT, 0, 0},
    {SOTTO_FIELD_KEY("prediction"), SOTTO_FIELD_OBJECT, 0, 0},
    {SOTTO_FIELD_KEY("reasoning_effort"), SOTTO_FIELD_STRING, 0, 0},
    {SOTTO_FIELD_KEY("verbosity"), SOTTO_FIELD_STRING, 0, 0},
    {SOTTO_FIELD_KEY("service_tier"), SOTTO_FIELD_STRING, 0, 0},
    {SOTTO_FIELD_KEY("web_search_options"), SOTTO_FIELD_OBJECT, 0, 0},
    {SOTTO_FIELD_KEY("store"), SOTTO_FIELD_BOOLEAN, 0, 0},
};

static const struct sotto_field_rule stream_rules[] = {
    {SOTTO_FIELD_KEY("include_usage"), SOTTO_FIELD_BOOLEAN, 0, 0},
    {SOTTO_FIELD_KEY("include_obfuscation"), SOTTO_FIELD_BOOLEAN, 0, 0},
};

static const struct sotto_field_rule message_rules[] = {
    {SOTTO_FIELD_KEY("name"), SOTTO_FIELD_STRING, 0, 0},
    {SOTTO_FIELD_KEY("tool_call_id"), SOTTO_FIELD_STRING, 0, 0},
    {SOTTO_FIELD_KEY("refusal"), SOTTO_FIELD_STRING, 0, 0},
    {SOTTO_FIELD_KEY("tool_calls"), SOTTO_FIELD_ARRAY, 0, 0},
    {SOTTO_FIELD_KEY("function_call"), SOTTO_FIELD_OBJECT, 0, 0},
};

static const struct sotto_field_rule call_rules[] = {
    {SOTTO_FIELD_KEY("id"), SOTTO_FIELD_STRING, 0, 0},
    {SOTTO_FIELD_KEY("type"), SOTTO_FIELD_STRING, 0, 0},
    {SOTTO_FIELD_KEY("function"), SOTTO_FIELD_OBJECT, 0, 0},
};

static const struct sotto_field_rule function_rules[] = {
    {SOTTO_FIELD_KEY("name"), SOTTO_FIELD_STRING, 0, 0},
    {SOTTO_FIELD_KEY("arguments"), SOTTO_FIELD_STRING, 0, 0},
    {SOTTO_FIELD_KEY("description"), SOTTO_FIELD_STRING, 0, 0},
    {SOTTO_FIELD_KEY("parameters"), SOTTO_FIELD_OBJECT, 0, 0},
};

static bool absent(yyjson_mut_val *val)
{
    return val == NULL || yyjson_mut_is_null(val);
}

/* A member that must be there and be a string. */
static enum sotto_err need_string(yyjson_mut_val *obj, const char *key,
                                  const struct sotto_field *up, struct sotto_problem *problem)
{
    const struct sotto_field field = {.up = up, .key = key};
    yyjson_mut_val *val = sotto_json_get(obj, key);
    if (val == NULL) {
        return sotto_field_missing(&field, problem);
    }
    return yyjson_mut_is_str(val) ? SOTTO_OK
                                  : sotto_field_wrong_type(&field, "a string", val, problem);
}

static enum sotto_err check_part(yyjson_mut_val *part, const struct sotto_field *at,
                                 struct sotto_problem *problem)
{
    if (!yyjson_mut_is_obj(part)) {
        return sotto_field_wrong_type(at, "an object", part, problem);
    }
    enum sotto_err err = need_string(part, "type", at, problem);
    if (err != SOTTO_OK) {
        return err;
    }
    yyjson_mut_val *type = sotto_json_get(part, "type");
    if (sotto_json_is(type, "text")) {
        return need_string(part, "text", at, problem);
    }
    if (sotto_json_is(type, "refusal")) {
        return need_string(part, "refusal", at, problem);
    }
    if (sotto_json_is(type, "image_url")) {
        const struct sotto_field image_at = {.up = at, .key = "image_url"};
        yyjson_mut_val *image = sotto_json_get(part, "image_url");
        if (image == NULL) {
            return sotto_field_missing(&image_at, problem);
        }
        return yyjson_mut_is_obj(image)
                   ? need_string(image, "url", &image_at, problem)
                   : sotto_field_wrong_type(&image_at, "an object", image, problem);
    }
    return SOTTO_OK;
}

static enum sotto_err check_content(yyjson_mut_val *message, const struct sotto_field *up,
                                    struct sotto_problem *problem)
{
    const struct sotto_field field = {.up = up, .key = "content"};
    yyjson_mut_val *content = sotto_json_get(message, "content");
    yyjson_mut_val *role = sotto_json_get(message, "role");
    bool may_lack = sotto_json_is(role, "assistant") || sotto_json_is(role, "function");
    if (yyjson_mut_is_str(content) || (may_lack && absent(content))) {
        return SOTTO_OK;
    }
    if (content == NULL) {
        return sotto_field_missing(&field, problem);
    }
    if (!yyjson_mut_is_arr(content)) {
        return sotto_field_wrong_type(&field, "one of a string or array of objects", content,
                                      problem);
    }
    enum sotto_err err = SOTTO_OK;
    yyjson_mut_arr_iter iter = yyjson_mut_arr_iter_with(content);
    struct sotto_field at = {.up = &field};
    yyjson_mut_val *part;
    while (err == SOTTO_OK && (part = yyjson_mut_arr_iter_next(&iter)) != NULL) {
        err = check_part(part, &at, problem);
        at.index++;
    }
    return err;
}

static enum sotto_err check_function(yyjson_mut_val *holder, const struct sotto_field *up,
                                     struct sotto_problem *problem)
{
    const struct sotto_field field = {.up = up, .key = "function"};
    yyjson_mut_val *function = sotto_json_get(holder, "function");
    if (function == NULL) {
        return SOTTO_OK; /* custom tools, and types of tools that are yet to come */
    }
    enum sotto_err err =
        sotto_field_check(function, &field, function_rules, SOTTO_COUNT(function_rules), problem);
    return err == SOTTO_OK ? need_string(function, "name", &field, problem) : err;
}

/* Elements of `key` in `obj`, each an object with rules and a function; the array is optional. */
static enum sotto_err check_calls(yyjson_mut_val *obj, const char *key,
                                  const struct sotto_field *up, struct sotto_problem *problem)
{
    const struct sotto_field field = {.up = up, .key = key};
    struct sotto_field at = {.up = &field};
    yyjson_mut_arr_iter iter = yyjson_mut_arr_iter_with(sotto_json_get(obj, key));
    enum sotto_err err = SOTTO_OK;
    yyjson_mut_val *one;
    while (err == SOTTO_OK && (one = yyjson_mut_arr_iter_next(&iter)) != NULL) {
        if (!yyjson_mut_is_obj(one)) {
            return sotto_field_wrong_type(&at, "an object", one, problem);
        }
        err = sotto_field_check(one, &at, call_rules, SOTTO_COUNT(call_rules), problem);
        if (err == SOTTO_OK) {
            err = check_function(one, &at, problem);
        }
        at.index++;
    }
    return err;
}

static enum sotto_err check_message(yyjson_mut_val *message, const struct sotto_field *at,
                                    const char *const *roles, struct sotto_problem *problem)
{
    if (!yyjson_mut_is_obj(message)) {
        return sotto_field_wrong_type(at, "an object", message, problem);
    }
    enum sotto_err err = need_string(message, "role", at, problem);
    if (err == SOTTO_OK && !sotto_field_is_word(sotto_json_get(message, "role"), roles)) {
        const struct sotto_field field = {.up = at, .key = "role"};
        err = sotto_field_wrong_word(&field, roles, problem);
    }
    if (err == SOTTO_OK) {
        err = check_content(message, at, problem);
    }
    if (err == SOTTO_OK) {
        err = sotto_field_check(message, at, message_rules, SOTTO_COUNT(message_rules), problem);
    }
    return err == SOTTO_OK ? check_calls(message, "tool_calls", at, problem) : err;
}

static enum sotto_err check_messages(yyjson_mut_val *root, const char *const *roles,
                                     struct sotto_problem *problem)
{
    const struct sotto_field field = {.key = "messages"};
    struct sotto_field at = {.up = &field};
    yyjson_mut_val *messages = sotto_json_get(root, "messages");
    if (messages == NULL) {
        return sotto_field_missing(&field, problem);
    }
    if (!yyjson_mut_is_arr(messages)) {
        return sotto_field_wrong_type(&field, "an array of objects", messages, problem);
    }
    if (yyjson_mut_arr_size(messages) == 0) {
        return sotto_field_empty_array(&field, problem);
    }
    enum sotto_err err = SOTTO_OK;
    yyjson_mut_arr_iter iter = yyjson_mut_arr_iter_with(messages);
    yyjson_mut_val *message;
    while (err == SOTTO_OK && (message = yyjson_mut_arr_iter_next(&iter)) != NULL) {
        err = check_message(message, &at, roles, problem);
        at.index++;
    }
    return err;
}

static enum sotto_err check_response_format(yyjson_mut_val *root, struct sotto_problem *problem)
{
    const struct sotto_field field = {.key = "response_format"};
    yyjson_mut_val *format = sotto_json_get(root, "response_format");
    return format != NULL ? need_string(format, "type", &field, problem) : SOTTO_OK;
}

enum sotto_err sotto_chat_request_check(struct sotto_call *call, const char *const *roles,
                                        struct sotto_problem *problem)
{
    static const struct sotto_field stream_at = {.key = "stream_options"};
    yyjson_mut_val *root = yyjson_mut_doc_get_root(call->doc);
    enum sotto_err err;
    if ((err = need_string(root, "model", NULL, problem)) != SOTTO_OK ||
        (err = check_messages(root, roles, problem)) != SOTTO_OK ||
        (err = sotto_field_check(root, NULL, request_rules, SOTTO_COUNT(request_rules), problem)) !=
            SOTTO_OK ||
        (err = sotto_field_check(sotto_json_get(root, "stream_options"), &stream_at, stream_rules,
                                 SOTTO_COUNT(stream_rules), problem)) != SOTTO_OK ||
        (err = check_calls(root, "tools", NULL, problem)) != SOTTO_OK ||
        (err = check_response_format(root, problem)) != SOTTO_OK) {
        return err;
    }
    return SOTTO_OK;
}

/* Makes the upstream report usage; a stream's options are an error where there is no stream. */
static enum sotto_err settle_stream(struct sotto_call *call, yyjson_mut_val *root)
{
    yyjson_mut_val *options = sotto_json_get(root, "stream_options");
    call->stream = yyjson_mut_get_bool(sotto_json_get(root, "stream"));
    if (!call->stream) {
        (void)yyjson_mut_obj_remove_key(root, "stream_options");
        return SOTTO_OK;
    }
    call->include_usage = yyjson_mut_get_bool(sotto_json_get(options, "include_usage"));
    if (options == NULL) {
        options = yyjson_mut_obj(call->doc);
        if (sotto_json_put(call->doc, root, "stream_options", options) != SOTTO_OK) {
            return SOTTO_ENOMEM;
        }
    }
    return sotto_json_put(call->doc, options, "include_usage", yyjson_mut_true(call->doc));
}

enum sotto_err sotto_chat_request_settle(struct sotto_call *call)
{
    yyjson_mut_val *root = yyjson_mut_doc_get_root(call->doc);
    int64_t choices = 1;
    enum sotto_err err = sotto_arena_copy(
        &call->arena, sotto_json_text(sotto_json_get(root, "model")), &call->model);
    if (err == SOTTO_OK) {
        err = settle_stream(call, root);
    }
    if (err == SOTTO_OK && sotto_json_get(root, "store") != NULL) {
        err = sotto_json_put(call->doc, root, "store", yyjson_mut_false(call->doc));
    }
    if (sotto_json_int(sotto_json_get(root, "n"), &choices) == SOTTO_OK) {
        call->choices = (int)choices; /* checked: 1 to 128 */
    }
    return err;
}
