/* SPDX-License-Identifier: Apache-2.0 */

#include "upstream/mirror_plan.h"

#include "base/alloc.h"

struct prompt {
    bool (*is_token)(sotto_span word);
    sotto_span tokens[SOTTO_MIRROR_TOKENS_MAX]; /* each once, in the order of the prompt */
    size_t token_count;
    int64_t words;
    yyjson_mut_val *last_user, *last; /* messages */
};

/* --- words ----------------------------------------------------------------------------------- */

static bool is_space(uint8_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

sotto_span sotto_mirror_word(sotto_span text)
{
    size_t end = 0;
    while (end < text.len && is_space(text.base[end])) {
        end++;
    }
    while (end < text.len && !is_space(text.base[end])) {
        end++;
    }
    return sotto_span_init(text.base, end);
}

int64_t sotto_mirror_words(sotto_span text)
{
    int64_t count = 0;
    while (text.len != 0) {
        text = sotto_span_skip(text, sotto_mirror_word(text).len);
        count++;
    }
    return count;
}

/* --- the prompt ------------------------------------------------------------------------------ */

static bool is_alnum(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static void note_token(struct prompt *prompt, sotto_span word)
{
    if (prompt->token_count == SOTTO_MIRROR_TOKENS_MAX || !prompt->is_token(word)) {
        return;
    }
    for (size_t i = 0; i < prompt->token_count; i++) {
        if (sotto_span_eq(prompt->tokens[i], word)) {
            return;
        }
    }
    prompt->tokens[prompt->token_count++] = word;
}

static void read_text(struct prompt *prompt, sotto_span text)
{
    prompt->words += sotto_mirror_words(text);
    for (size_t i = 0; prompt->is_token != NULL && i < text.len; i++) {
        size_t start = i;
        while (i < text.len && is_alnum(text.base[i])) {
            i++;
        }
        if (i != start) {
            note_token(prompt, sotto_span_sub(text, start, i));
        }
    }
}

static void read_content(struct prompt *prompt, yyjson_mut_val *content)
{
    if (yyjson_mut_is_str(content)) {
        read_text(prompt, sotto_json_text(content));
        return;
    }
    yyjson_mut_arr_iter iter = yyjson_mut_arr_iter_with(content);
    yyjson_mut_val *part;
    while ((part = yyjson_mut_arr_iter_next(&iter)) != NULL) {
        read_text(prompt, sotto_json_text(sotto_json_get(part, "text")));
    }
}

static void read_prompt(struct prompt *prompt, yyjson_mut_val *root)
{
    yyjson_mut_arr_iter iter = yyjson_mut_arr_iter_with(sotto_json_get(root, "messages"));
    yyjson_mut_val *message;
    while ((message = yyjson_mut_arr_iter_next(&iter)) != NULL) {
        read_content(prompt, sotto_json_get(message, "content"));
        prompt->last = message;
        if (sotto_json_is(sotto_json_get(message, "role"), "user")) {
            prompt->last_user = message;
        }
    }
}

/* --- plain text ------------------------------------------------------------------------------ */

/* A part of the prompt, cut behind a word where it is long. */
static enum sotto_err echo(sotto_span text, struct sotto_buf *out)
{
    size_t len = text.len;
    if (len > SOTTO_MIRROR_ECHO_MAX) {
        len = SOTTO_MIRROR_ECHO_MAX;
        while (len != 0 && !is_space(text.base[len])) {
            len--;
        }
    }
    return sotto_buf_append(out, sotto_span_sub(text, 0, len));
}

static enum sotto_err echo_content(yyjson_mut_val *content, struct sotto_buf *out)
{
    enum sotto_err err = SOTTO_OK;
    bool first = true;
    if (yyjson_mut_is_str(content)) {
        return echo(sotto_json_text(content), out);
    }
    yyjson_mut_arr_iter iter = yyjson_mut_arr_iter_with(content);
    yyjson_mut_val *part;
    while (err == SOTTO_OK && (part = yyjson_mut_arr_iter_next(&iter)) != NULL) {
        sotto_span text = sotto_json_text(sotto_json_get(part, "text"));
        if (text.len != 0 && !first) {
            err = sotto_buf_push(out, ' ');
        }
        if (err == SOTTO_OK && text.len != 0) {
            err = echo(text, out);
            first = false;
        }
    }
    return err;
}

static enum sotto_err name_tokens(const struct prompt *prompt, struct sotto_buf *out)
{
    enum sotto_err err = SOTTO_OK;
    if (prompt->token_count == 0) {
        return sotto_buf_append(out, SOTTO_LIT(" There was nothing in it to replace."));
    }
    err = sotto_buf_append(out, SOTTO_LIT(" I have taken note of"));
    for (size_t i = 0; i < prompt->token_count && err == SOTTO_OK; i++) {
        const char *join = i == 0 ? " " : i + 1 == prompt->token_count ? " and " : ", ";
        err = sotto_buf_printf(out, "%s%.*s", join, SOTTO_FMT(prompt->tokens[i]));
    }
    return err == SOTTO_OK ? sotto_buf_push(out, '.') : err;
}

static enum sotto_err say_text(const struct prompt *prompt, struct sotto_buf *out)
{
    bool tool = sotto_json_is(sotto_json_get(prompt->last, "role"), "tool");
    yyjson_mut_val *message = tool || prompt->last_user == NULL ? prompt->last : prompt->last_user;
    enum sotto_err err =
        sotto_buf_append(out, tool ? SOTTO_LIT("The tool answered: ") : SOTTO_LIT("You wrote: "));
    if (err == SOTTO_OK) {
        err = echo_content(sotto_json_get(message, "content"), out);
    }
    return err == SOTTO_OK ? name_tokens(prompt, out) : err;
}

/* --- JSON ------------------------------------------------------------------------------------ */

static yyjson_mut_val *token_list(const struct prompt *prompt, yyjson_mut_doc *doc)
{
    yyjson_mut_val *list = yyjson_mut_arr(doc);
    for (size_t i = 0; i < prompt->token_count; i++) {
        if (!yyjson_mut_arr_append(list, sotto_json_str(doc, prompt->tokens[i]))) {
            return NULL;
        }
    }
    return list;
}

/* A value for property number `i` of this schema: tokens where it takes text. */
static yyjson_mut_val *value_for(const struct prompt *prompt, yyjson_mut_doc *doc,
                                 yyjson_mut_val *schema, size_t i)
{
    yyjson_mut_val *type = sotto_json_get(schema, "type");
    yyjson_mut_val *first = yyjson_mut_arr_get_first(sotto_json_get(schema, "enum"));
    if (first != NULL) {
        return yyjson_mut_val_mut_copy(doc, first);
    }
    if (sotto_json_is(type, "integer") || sotto_json_is(type, "number")) {
        return yyjson_mut_int(doc, 0);
    }
    if (sotto_json_is(type, "boolean")) {
        return yyjson_mut_false(doc);
    }
    if (sotto_json_is(type, "array")) {
        return token_list(prompt, doc);
    }
    if (sotto_json_is(type, "object")) {
        return yyjson_mut_obj(doc);
    }
    return sotto_json_str(doc, prompt->token_count != 0 ? prompt->tokens[i % prompt->token_count]
                                                        : SOTTO_LIT("mirror"));
}

/* An object for a JSON Schema: each property with a value; without any, the list of tokens. */
static yyjson_mut_val *object_for(const struct prompt *prompt, yyjson_mut_doc *doc,
                                  yyjson_mut_val *schema)
{
    yyjson_mut_val *made = yyjson_mut_obj(doc), *key;
    yyjson_mut_val *properties = sotto_json_get(schema, "properties");
    if (yyjson_mut_obj_size(properties) == 0) {
        return sotto_json_put(doc, made, "tokens", token_list(prompt, doc)) == SOTTO_OK ? made
                                                                                        : NULL;
    }
    yyjson_mut_obj_iter iter = yyjson_mut_obj_iter_with(properties);
    for (size_t i = 0; (key = yyjson_mut_obj_iter_next(&iter)) != NULL; i++) {
        yyjson_mut_val *value = value_for(prompt, doc, yyjson_mut_obj_iter_get_val(key), i);
        if (!yyjson_mut_obj_add(made, sotto_json_str(doc, sotto_json_text(key)), value)) {
            return NULL;
        }
    }
    return made;
}

static enum sotto_err say_object(const struct prompt *prompt, yyjson_mut_val *schema,
                                 struct sotto_buf *out)
{
    yyjson_mut_doc *doc = sotto_json_new();
    yyjson_mut_val *made = doc != NULL ? object_for(prompt, doc, schema) : NULL;
    enum sotto_err err = made != NULL ? sotto_json_write(made, out) : SOTTO_ENOMEM;
    sotto_json_free(doc);
    return err;
}

/* --- choices --------------------------------------------------------------------------------- */

/* The function that is to be called; NULL: none. */
static yyjson_mut_val *function_to_call(const struct prompt *prompt, yyjson_mut_val *root)
{
    yyjson_mut_val *choice = sotto_json_get(root, "tool_choice");
    yyjson_mut_val *named = sotto_json_get(sotto_json_get(choice, "function"), "name");
    if (sotto_json_is(choice, "none") ||
        sotto_json_is(sotto_json_get(prompt->last, "role"), "tool")) {
        return NULL;
    }
    yyjson_mut_arr_iter iter = yyjson_mut_arr_iter_with(sotto_json_get(root, "tools"));
    yyjson_mut_val *tool;
    while ((tool = yyjson_mut_arr_iter_next(&iter)) != NULL) {
        yyjson_mut_val *function = sotto_json_get(tool, "function");
        yyjson_mut_val *name = sotto_json_get(function, "name");
        if (yyjson_mut_is_str(name) &&
            (named == NULL || sotto_span_eq(sotto_json_text(named), sotto_json_text(name)))) {
            return function;
        }
    }
    return NULL;
}

/* Cuts at the first place where a stop string begins. */
static void cut_at_stop(yyjson_mut_val *stop, struct sotto_buf *text)
{
    size_t end = text->len;
    bool one = yyjson_mut_is_str(stop);
    yyjson_mut_arr_iter iter = yyjson_mut_arr_iter_with(stop);
    yyjson_mut_val *word;
    while ((word = one ? stop : yyjson_mut_arr_iter_next(&iter)) != NULL) {
        sotto_span wanted = sotto_json_text(word);
        const uint8_t *at =
            wanted.len != 0 && end != 0 ? memmem(text->base, end, wanted.base, wanted.len) : NULL;
        end = at != NULL ? (size_t)(at - text->base) : end;
        if (one) {
            break;
        }
    }
    sotto_buf_truncate(text, end);
}

/* Cuts behind as many words; false: there are no more. */
static bool cut_at_limit(yyjson_mut_val *root, struct sotto_buf *text)
{
    int64_t limit;
    size_t end = 0;
    if (sotto_json_int(sotto_json_get(root, "max_completion_tokens"), &limit) != SOTTO_OK &&
        sotto_json_int(sotto_json_get(root, "max_tokens"), &limit) != SOTTO_OK) {
        return false;
    }
    for (sotto_span rest = sotto_buf_span(text); limit > 0 && rest.len != 0; limit--) {
        size_t word = sotto_mirror_word(rest).len;
        rest = sotto_span_skip(rest, word);
        end += word;
    }
    bool cut = end < text->len;
    sotto_buf_truncate(text, end);
    return cut;
}

static enum sotto_err plan_choice(const struct prompt *prompt, yyjson_mut_val *root, size_t number,
                                  size_t count, struct sotto_mirror_choice *choice)
{
    yyjson_mut_val *function = function_to_call(prompt, root);
    yyjson_mut_val *format = sotto_json_get(root, "response_format");
    yyjson_mut_val *type = sotto_json_get(format, "type");
    enum sotto_err err;
    if (function != NULL) {
        choice->finish = "tool_calls";
        err = sotto_buf_append(&choice->tool, sotto_json_text(sotto_json_get(function, "name")));
        return err == SOTTO_OK
                   ? say_object(prompt, sotto_json_get(function, "parameters"), &choice->text)
                   : err;
    }
    if (sotto_json_is(type, "json_object") || sotto_json_is(type, "json_schema")) {
        yyjson_mut_val *schema = sotto_json_get(sotto_json_get(format, "json_schema"), "schema");
        err = say_object(prompt, schema, &choice->text);
    } else {
        err = say_text(prompt, &choice->text);
        if (err == SOTTO_OK && count > 1) {
            err = sotto_buf_printf(&choice->text, " This is choice %zu of %zu.", number + 1, count);
        }
    }
    cut_at_stop(sotto_json_get(root, "stop"), &choice->text);
    choice->finish = cut_at_limit(root, &choice->text) ? "length" : "stop";
    return err;
}

enum sotto_err sotto_mirror_plan(const struct sotto_call *call, bool (*is_token)(sotto_span word),
                                 struct sotto_mirror_plan *plan)
{
    yyjson_mut_val *root = yyjson_mut_doc_get_root(call->doc);
    struct prompt prompt = {.is_token = is_token};
    int64_t top = 0;
    enum sotto_err err = SOTTO_OK;
    read_prompt(&prompt, root);
    bool has_top = sotto_json_int(sotto_json_get(root, "top_logprobs"), &top) == SOTTO_OK;
    *plan = (struct sotto_mirror_plan){
        .choices = sotto_calloc((size_t)call->choices, sizeof(*plan->choices)),
        .prompt_words = prompt.words,
        .logprobs = yyjson_mut_get_bool(sotto_json_get(root, "logprobs")),
        .top_logprobs = has_top && top > 0,
    };
    if (plan->choices == NULL) {
        return SOTTO_ENOMEM;
    }
    for (size_t i = 0; i < (size_t)call->choices && err == SOTTO_OK; i++) {
        struct sotto_mirror_choice *choice = &plan->choices[plan->count++];
        sotto_buf_init(&choice->tool, SOTTO_BUF_UNBOUNDED);
        sotto_buf_init(&choice->text, SOTTO_BUF_UNBOUNDED);
        err = plan_choice(&prompt, root, i, (size_t)call->choices, choice);
        plan->answer_words += sotto_mirror_words(sotto_buf_span(&choice->text));
    }
    return err;
}

void sotto_mirror_plan_free(struct sotto_mirror_plan *plan)
{
    for (size_t i = 0; i < plan->count; i++) {
        sotto_buf_free(&plan->choices[i].tool);
        sotto_buf_free(&plan->choices[i].text);
    }
    sotto_free(plan->choices);
    *plan = (struct sotto_mirror_plan){0};
}
