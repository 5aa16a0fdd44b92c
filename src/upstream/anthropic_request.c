/* SPDX-License-Identifier: Apache-2.0 */

#include "upstream/anthropic_request.h"

#include <stdio.h>

#include "upstream/post.h"
#include "upstream/reply.h"
#include "upstream/tool_id.h"

/* A translation that is under way. */
struct translation {
    yyjson_mut_doc *doc;
    yyjson_mut_val *from; /* OpenAI's request */
    yyjson_mut_val *to;   /* Anthropic's */
    yyjson_mut_val *messages;
    yyjson_mut_val *content; /* of the newest message */
    const char *role;        /* of the newest message; NULL: none yet */
    struct sotto_buf system;
    size_t message_index; /* for problems */
    struct sotto_problem *problem;
};

static enum sotto_err unsupported(struct translation *t, const char *what)
{
    char param[64];
    (void)snprintf(param, sizeof(param), "messages[%zu]", t->message_index);
    sotto_problem_invalid(t->problem, param, "The upstream of this model does not support %s.",
                          what);
    return SOTTO_EINVAL;
}

/* {"type": type}, to be filled. */
static yyjson_mut_val *new_block(yyjson_mut_doc *doc, const char *type)
{
    yyjson_mut_val *block = yyjson_mut_obj(doc);
    return block != NULL && yyjson_mut_obj_add_str(doc, block, "type", type) ? block : NULL;
}

/* --- system ---------------------------------------------------------------------------------- */

static enum sotto_err add_system_text(struct translation *t, sotto_span text)
{
    enum sotto_err err = SOTTO_OK;
    if (text.len != 0 && t->system.len != 0) {
        err = sotto_buf_append(&t->system, SOTTO_LIT("\n\n"));
    }
    return err == SOTTO_OK ? sotto_buf_append(&t->system, text) : err;
}

/* The text of a content, which is a string or a list of parts. */
static enum sotto_err add_system(struct translation *t, yyjson_mut_val *content)
{
    enum sotto_err err = SOTTO_OK;
    if (yyjson_mut_is_str(content)) {
        return add_system_text(t, sotto_json_text(content));
    }
    yyjson_mut_arr_iter iter = yyjson_mut_arr_iter_with(content);
    yyjson_mut_val *part;
    while (err == SOTTO_OK && (part = yyjson_mut_arr_iter_next(&iter)) != NULL) {
        err = sotto_json_is(sotto_json_get(part, "type"), "text")
                  ? add_system_text(t, sotto_json_text(sotto_json_get(part, "text")))
                  : unsupported(t, "anything but text in a system message");
    }
    return err;
}

/* --- messages -------------------------------------------------------------------------------- */

/* The list of blocks to which a message of this role adds. */
static enum sotto_err open_message(struct translation *t, const char *role)
{
    yyjson_mut_doc *doc = t->doc;
    if (t->role == role) {
        return SOTTO_OK;
    }
    yyjson_mut_val *message = yyjson_mut_obj(doc);
    t->content = yyjson_mut_arr(doc);
    if (message == NULL || !yyjson_mut_obj_add_str(doc, message, "role", role) ||
        sotto_json_put(doc, message, "content", t->content) != SOTTO_OK ||
        !yyjson_mut_arr_append(t->messages, message)) {
        return SOTTO_ENOMEM;
    }
    t->role = role;
    return SOTTO_OK;
}

static enum sotto_err add_block(struct translation *t, yyjson_mut_val *block)
{
    return yyjson_mut_arr_append(t->content, block) ? SOTTO_OK : SOTTO_ENOMEM;
}

/* An empty text is no block to Anthropic. */
static enum sotto_err add_text(struct translation *t, sotto_span text)
{
    if (text.len == 0) {
        return SOTTO_OK;
    }
    yyjson_mut_val *block = new_block(t->doc, "text");
    if (sotto_json_put_text(t->doc, block, "text", text) != SOTTO_OK) {
        return SOTTO_ENOMEM;
    }
    return add_block(t, block);
}

/* Splits "data:TYPE;base64,DATA" (RFC 2397). */
static bool split_data_url(sotto_span url, sotto_span *type, sotto_span *data)
{
    static const char marker[] = ";base64,";
    if (!sotto_span_starts(url, SOTTO_LIT("data:"))) {
        return false;
    }
    sotto_span rest = sotto_span_skip(url, sizeof("data:") - 1);
    /* The type is short; what follows may be megabytes. */
    size_t head = rest.len < 200 ? rest.len : 200;
    const uint8_t *at = head != 0 ? memmem(rest.base, head, marker, sizeof(marker) - 1) : NULL;
    if (at == NULL) {
        return false;
    }
    *type = sotto_span_sub(rest, 0, (size_t)(at - rest.base));
    *data = sotto_span_skip(rest, type->len + sizeof(marker) - 1);
    return true;
}

/* A block of an image or a document with its source. */
static enum sotto_err add_source(struct translation *t, const char *kind, sotto_span url)
{
    yyjson_mut_doc *doc = t->doc;
    sotto_span type, data;
    bool inside = split_data_url(url, &type, &data);
    if (!inside && !sotto_span_starts(url, SOTTO_LIT("https://")) &&
        !sotto_span_starts(url, SOTTO_LIT("http://"))) {
        return unsupported(t, "a URL of this kind");
    }
    yyjson_mut_val *block = new_block(doc, kind);
    yyjson_mut_val *source = new_block(doc, inside ? "base64" : "url");
    enum sotto_err err = inside ? sotto_json_put_text(doc, source, "media_type", type)
                                : sotto_json_put_text(doc, source, "url", url);
    if (err == SOTTO_OK && inside) {
        err = sotto_json_put_text(doc, source, "data", data);
    }
    if (err == SOTTO_OK) {
        err = sotto_json_put(doc, block, "source", source);
    }
    return err == SOTTO_OK ? add_block(t, block) : err;
}

static enum sotto_err add_part(struct translation *t, yyjson_mut_val *part)
{
    yyjson_mut_val *type = sotto_json_get(part, "type");
    if (sotto_json_is(type, "text")) {
        return add_text(t, sotto_json_text(sotto_json_get(part, "text")));
    }
    if (sotto_json_is(type, "refusal")) {
        return add_text(t, sotto_json_text(sotto_json_get(part, "refusal")));
    }
    if (sotto_json_is(type, "image_url")) {
        yyjson_mut_val *url = sotto_json_get(sotto_json_get(part, "image_url"), "url");
        return add_source(t, "image", sotto_json_text(url));
    }
    yyjson_mut_val *data = sotto_json_get(sotto_json_get(part, "file"), "file_data");
    if (sotto_json_is(type, "file") && yyjson_mut_is_str(data)) {
        return add_source(t, "document", sotto_json_text(data));
    }
    return unsupported(t, "content of this type");
}

static enum sotto_err add_content(struct translation *t, yyjson_mut_val *content)
{
    enum sotto_err err = SOTTO_OK;
    if (yyjson_mut_is_str(content)) {
        return add_text(t, sotto_json_text(content));
    }
    yyjson_mut_arr_iter iter = yyjson_mut_arr_iter_with(content);
    yyjson_mut_val *part;
    while (err == SOTTO_OK && (part = yyjson_mut_arr_iter_next(&iter)) != NULL) {
        err = add_part(t, part);
    }
    return err;
}

/* ^[a-zA-Z0-9_-]+$, of at most 64. */
static bool takes_id(sotto_span id)
{
    for (size_t i = 0; i < id.len; i++) {
        uint8_t c = id.base[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
              c == '_' || c == '-')) {
            return false;
        }
    }
    return id.len != 0 && id.len <= 64;
}

/* The arguments as the object that they spell; what spells none goes into an object as it is. */
static yyjson_mut_val *input_of(yyjson_mut_doc *doc, sotto_span arguments)
{
    yyjson_mut_doc *parsed = NULL;
    enum sotto_err err = sotto_json_read(arguments, SOTTO_REPLY_DEPTH, &parsed, NULL);
    if (err == SOTTO_ENOMEM) {
        return NULL;
    }
    yyjson_mut_val *input;
    if (yyjson_mut_is_obj(yyjson_mut_doc_get_root(parsed))) {
        input = yyjson_mut_val_mut_copy(doc, yyjson_mut_doc_get_root(parsed));
    } else {
        input = yyjson_mut_obj(doc);
        if (arguments.len != 0 &&
            sotto_json_put_text(doc, input, "arguments", arguments) != SOTTO_OK) {
            input = NULL;
        }
    }
    sotto_json_free(parsed);
    return input;
}

static enum sotto_err add_tool_use(struct translation *t, yyjson_mut_val *one)
{
    yyjson_mut_doc *doc = t->doc;
    yyjson_mut_val *function = sotto_json_get(one, "function");
    if (function == NULL) {
        return unsupported(t, "tool calls other than of functions");
    }
    yyjson_mut_val *block = new_block(doc, "tool_use");
    sotto_span arguments = sotto_json_text(sotto_json_get(function, "arguments"));
    enum sotto_err err;
    if ((err = sotto_json_put_text(doc, block, "id", sotto_json_text(sotto_json_get(one, "id")))) !=
            SOTTO_OK ||
        (err = sotto_tool_id_map(doc, block, "id", takes_id)) != SOTTO_OK ||
        (err = sotto_json_put_text(
             doc, block, "name", sotto_json_text(sotto_json_get(function, "name")))) != SOTTO_OK ||
        (err = sotto_json_put(doc, block, "input", input_of(doc, arguments))) != SOTTO_OK) {
        return err;
    }
    return add_block(t, block);
}

static enum sotto_err add_tool_result(struct translation *t, yyjson_mut_val *message)
{
    yyjson_mut_doc *doc = t->doc;
    yyjson_mut_val *outer = t->content;
    yyjson_mut_val *block = new_block(doc, "tool_result"), *inner = yyjson_mut_arr(doc);
    sotto_span id = sotto_json_text(sotto_json_get(message, "tool_call_id"));
    enum sotto_err err;
    if ((err = sotto_json_put_text(doc, block, "tool_use_id", id)) != SOTTO_OK ||
        (err = sotto_tool_id_map(doc, block, "tool_use_id", takes_id)) != SOTTO_OK ||
        (err = sotto_json_put(doc, block, "content", inner)) != SOTTO_OK) {
        return err;
    }
    t->content = inner;
    err = add_content(t, sotto_json_get(message, "content"));
    t->content = outer;
    return err == SOTTO_OK ? add_block(t, block) : err;
}

static enum sotto_err add_assistant(struct translation *t, yyjson_mut_val *message)
{
    enum sotto_err err = add_content(t, sotto_json_get(message, "content"));
    if (err == SOTTO_OK) {
        err = add_text(t, sotto_json_text(sotto_json_get(message, "refusal")));
    }
    yyjson_mut_arr_iter iter = yyjson_mut_arr_iter_with(sotto_json_get(message, "tool_calls"));
    yyjson_mut_val *one;
    while (err == SOTTO_OK && (one = yyjson_mut_arr_iter_next(&iter)) != NULL) {
        err = add_tool_use(t, one);
    }
    return err;
}

static enum sotto_err add_message(struct translation *t, yyjson_mut_val *message)
{
    static const char user[] = "user", assistant[] = "assistant";
    yyjson_mut_val *role = sotto_json_get(message, "role");
    if (sotto_json_get(message, "function_call") != NULL || sotto_json_is(role, "function")) {
        return unsupported(t, "function calls of the old form; use tools");
    }
    if (sotto_json_is(role, "system") || sotto_json_is(role, "developer")) {
        return add_system(t, sotto_json_get(message, "content"));
    }
    bool speaks = sotto_json_is(role, "assistant");
    enum sotto_err err = open_message(t, speaks ? assistant : user);
    if (err != SOTTO_OK) {
        return err;
    }
    if (speaks) {
        return add_assistant(t, message);
    }
    return sotto_json_is(role, "tool") ? add_tool_result(t, message)
                                       : add_content(t, sotto_json_get(message, "content"));
}

static enum sotto_err add_messages(struct translation *t)
{
    yyjson_mut_arr_iter iter = yyjson_mut_arr_iter_with(sotto_json_get(t->from, "messages"));
    yyjson_mut_val *message;
    enum sotto_err err = SOTTO_OK;
    while (err == SOTTO_OK && (message = yyjson_mut_arr_iter_next(&iter)) != NULL) {
        err = add_message(t, message);
        t->message_index++;
    }
    return err == SOTTO_OK ? sotto_json_put(t->doc, t->to, "messages", t->messages) : err;
}

/* --- settings -------------------------------------------------------------------------------- */

static enum sotto_err add_format(struct translation *t)
{
    yyjson_mut_val *format = sotto_json_get(t->from, "response_format");
    yyjson_mut_val *type = sotto_json_get(format, "type");
    if (sotto_json_is(type, "json_object")) {
        return add_system_text(t, SOTTO_LIT("Respond with one JSON object and nothing else."));
    }
    if (!sotto_json_is(type, "json_schema")) {
        return SOTTO_OK;
    }
    yyjson_mut_val *schema = sotto_json_get(sotto_json_get(format, "json_schema"), "schema");
    enum sotto_err err = add_system_text(
        t, SOTTO_LIT("Respond with one JSON value that conforms to this JSON Schema and nothing "
                     "else:\n"));
    return err == SOTTO_OK && schema != NULL ? sotto_json_write(schema, &t->system) : err;
}

static enum sotto_err add_max_tokens(struct translation *t)
{
    int64_t limit;
    if (sotto_json_int(sotto_json_get(t->from, "max_completion_tokens"), &limit) != SOTTO_OK &&
        sotto_json_int(sotto_json_get(t->from, "max_tokens"), &limit) != SOTTO_OK) {
        limit = SOTTO_ANTHROPIC_MAX_TOKENS;
    }
    return sotto_json_put_int(t->doc, t->to, "max_tokens", limit);
}

static enum sotto_err add_stop(struct translation *t)
{
    yyjson_mut_val *stop = sotto_json_get(t->from, "stop");
    yyjson_mut_val *list = yyjson_mut_arr(t->doc), *word;
    bool one = yyjson_mut_is_str(stop);
    yyjson_mut_arr_iter iter = yyjson_mut_arr_iter_with(stop);
    while ((word = one ? stop : yyjson_mut_arr_iter_next(&iter)) != NULL) {
        sotto_span text = sotto_json_text(word);
        if (text.len != 0 && !yyjson_mut_arr_append(list, sotto_json_str(t->doc, text))) {
            return SOTTO_ENOMEM;
        }
        if (one) {
            break;
        }
    }
    return yyjson_mut_arr_size(list) != 0 ? sotto_json_put(t->doc, t->to, "stop_sequences", list)
                                          : SOTTO_OK;
}

static enum sotto_err copy_field(struct translation *t, const char *from, yyjson_mut_val *to,
                                 const char *as)
{
    yyjson_mut_val *val = sotto_json_get(t->from, from);
    return val != NULL ? sotto_json_put(t->doc, to, as, yyjson_mut_val_mut_copy(t->doc, val))
                       : SOTTO_OK;
}

static enum sotto_err add_sampling(struct translation *t)
{
    double temperature;
    enum sotto_err err;
    if ((err = copy_field(t, "temperature", t->to, "temperature")) != SOTTO_OK ||
        (err = copy_field(t, "top_p", t->to, "top_p")) != SOTTO_OK ||
        (err = copy_field(t, "top_k", t->to, "top_k")) != SOTTO_OK ||
        (err = copy_field(t, "thinking", t->to, "thinking")) != SOTTO_OK) {
        return err;
    }
    if (sotto_json_double(sotto_json_get(t->to, "temperature"), &temperature) == SOTTO_OK &&
        temperature > 1) {
        err = sotto_json_put_int(t->doc, t->to, "temperature", 1);
    }
    yyjson_mut_val *user = sotto_json_get(t->from, "user");
    if (err == SOTTO_OK && yyjson_mut_is_str(user)) {
        yyjson_mut_val *metadata = yyjson_mut_obj(t->doc);
        err = sotto_json_put(t->doc, t->to, "metadata", metadata);
        if (err == SOTTO_OK) {
            err = sotto_json_put_text(t->doc, metadata, "user_id", sotto_json_text(user));
        }
    }
    return err;
}

/* --- tools ----------------------------------------------------------------------------------- */

static enum sotto_err add_tool(struct translation *t, yyjson_mut_val *list, yyjson_mut_val *tool)
{
    yyjson_mut_doc *doc = t->doc;
    yyjson_mut_val *function = sotto_json_get(tool, "function");
    yyjson_mut_val *description = sotto_json_get(function, "description");
    yyjson_mut_val *parameters = sotto_json_get(function, "parameters");
    yyjson_mut_val *made = yyjson_mut_obj(doc);
    enum sotto_err err;
    if (function == NULL) {
        sotto_problem_invalid(t->problem, "tools",
                              "The upstream of this model does not support tools other than "
                              "functions.");
        return SOTTO_EINVAL;
    }
    err = sotto_json_put_text(doc, made, "name", sotto_json_text(sotto_json_get(function, "name")));
    if (err == SOTTO_OK && yyjson_mut_is_str(description)) {
        err = sotto_json_put_text(doc, made, "description", sotto_json_text(description));
    }
    if (err == SOTTO_OK) {
        err = sotto_json_put(doc, made, "input_schema",
                             parameters != NULL ? yyjson_mut_val_mut_copy(doc, parameters)
                                                : new_block(doc, "object"));
    }
    return err == SOTTO_OK && !yyjson_mut_arr_append(list, made) ? SOTTO_ENOMEM : err;
}

static enum sotto_err add_tool_choice(struct translation *t)
{
    yyjson_mut_val *choice = sotto_json_get(t->from, "tool_choice");
    yyjson_mut_val *name = sotto_json_get(sotto_json_get(choice, "function"), "name");
    bool alone = yyjson_mut_is_false(sotto_json_get(t->from, "parallel_tool_calls"));
    const char *type = yyjson_mut_is_str(name)             ? "tool"
                       : sotto_json_is(choice, "required") ? "any"
                       : sotto_json_is(choice, "none")     ? "none"
                                                           : "auto";
    if (choice == NULL && !alone) {
        return SOTTO_OK;
    }
    yyjson_mut_val *made = new_block(t->doc, type);
    enum sotto_err err = sotto_json_put(t->doc, t->to, "tool_choice", made);
    if (err == SOTTO_OK && yyjson_mut_is_str(name)) {
        err = sotto_json_put_text(t->doc, made, "name", sotto_json_text(name));
    }
    if (err == SOTTO_OK && alone && !sotto_json_is(choice, "none")) {
        err = sotto_json_put(t->doc, made, "disable_parallel_tool_use", yyjson_mut_true(t->doc));
    }
    return err;
}

static enum sotto_err add_tools(struct translation *t)
{
    yyjson_mut_val *tools = sotto_json_get(t->from, "tools"), *tool;
    enum sotto_err err = SOTTO_OK;
    if (yyjson_mut_arr_size(tools) == 0) {
        return SOTTO_OK;
    }
    yyjson_mut_val *list = yyjson_mut_arr(t->doc);
    err = sotto_json_put(t->doc, t->to, "tools", list);
    yyjson_mut_arr_iter iter = yyjson_mut_arr_iter_with(tools);
    while (err == SOTTO_OK && (tool = yyjson_mut_arr_iter_next(&iter)) != NULL) {
        err = add_tool(t, list, tool);
    }
    return err == SOTTO_OK ? add_tool_choice(t) : err;
}

/* --- whole ----------------------------------------------------------------------------------- */

static enum sotto_err refuse_early(const struct sotto_call *call, yyjson_mut_val *from,
                                   struct sotto_problem *problem)
{
    if (call->choices > 1) {
        sotto_problem_invalid(problem, "n",
                              "The upstream of this model gives one choice only: 'n' must be 1.");
        return SOTTO_EINVAL;
    }
    if (sotto_json_get(from, "functions") != NULL) {
        sotto_problem_invalid(problem, "functions",
                              "The upstream of this model does not know 'functions'; use 'tools'.");
        return SOTTO_EINVAL;
    }
    return SOTTO_OK;
}

static enum sotto_err translate(struct translation *t, const struct sotto_call *call,
                                sotto_span model)
{
    enum sotto_err err;
    if (t->to == NULL || t->messages == NULL) {
        return SOTTO_ENOMEM;
    }
    if ((err = sotto_json_put_text(t->doc, t->to, "model", model)) != SOTTO_OK ||
        (err = add_max_tokens(t)) != SOTTO_OK || (err = add_messages(t)) != SOTTO_OK ||
        (err = add_format(t)) != SOTTO_OK) {
        return err;
    }
    if (t->system.len != 0) {
        err = sotto_json_put_text(t->doc, t->to, "system", sotto_buf_span(&t->system));
    }
    if (err == SOTTO_OK && call->stream) {
        err = sotto_json_put(t->doc, t->to, "stream", yyjson_mut_true(t->doc));
    }
    if (err != SOTTO_OK || (err = add_sampling(t)) != SOTTO_OK || (err = add_stop(t)) != SOTTO_OK) {
        return err;
    }
    return add_tools(t);
}

enum sotto_err sotto_anthropic_request(struct sotto_call *call, sotto_span model,
                                       struct sotto_problem *problem)
{
    yyjson_mut_val *from = yyjson_mut_doc_get_root(call->doc);
    enum sotto_err err = refuse_early(call, from, problem);
    if (err == SOTTO_OK) {
        err = sotto_post_safe_prompt(call);
    }
    if (err != SOTTO_OK) {
        return err;
    }
    struct translation t = {
        .doc = call->doc,
        .from = from,
        .to = yyjson_mut_obj(call->doc),
        .messages = yyjson_mut_arr(call->doc),
        .problem = problem,
    };
    sotto_buf_init(&t.system, SOTTO_BUF_UNBOUNDED);
    err = translate(&t, call, model);
    sotto_buf_free(&t.system);
    if (err == SOTTO_OK) {
        yyjson_mut_doc_set_root(call->doc, t.to);
    }
    return err;
}
