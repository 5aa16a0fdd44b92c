/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Document 003.  Requests are checked as Laravel's validator does it, all fields at once:
 *
 *   {"message": "Validation error", "errors": {"model": ["The model field is required."]}}
 *
 * The answer has exactly the fields that the document prints, in its order.
 */

#include "dialects/body.h"
#include "dialects/credentials.h"
#include "dialects/event.h"
#include "dialects/laravel.h"
#include "dialects/table.h"

#define ANONYMIZE_ROUTE        "/v1/ai/completions"
#define ANONYMIZE_MODELS_ROUTE "/v1/ai/models"

static const char *const anonymize_roles[] = {"system", "user", "assistant", NULL};

static bool accepts(const struct sotto_http_head *head)
{
    sotto_span path = sotto_http_path(head);
    return sotto_span_starts(path, SOTTO_LIT("/v1/ai/")) ||
           sotto_span_eq(path, SOTTO_LIT("/v1/ai"));
}

static sotto_span key(const struct sotto_http_head *head)
{
    sotto_span found;
    return sotto_credentials(head, "api-token", &found) == SOTTO_OK ? found
                                                                    : sotto_span_init(NULL, 0);
}

/* --- reading --------------------------------------------------------------------------------- */

static enum sotto_err check_message(struct sotto_laravel *check, yyjson_mut_val *message, size_t i)
{
    char name[64];
    enum sotto_err err;
    sotto_laravel_name(name, sizeof(name), "messages", i, NULL);
    if (!yyjson_mut_is_obj(message)) {
        return sotto_laravel_add(check, name, "The %s field must be an array.");
    }
    sotto_laravel_name(name, sizeof(name), "messages", i, "role");
    yyjson_mut_val *role = sotto_json_get(message, "role");
    if ((err = sotto_laravel_string(check, name, role)) != SOTTO_OK ||
        (err = sotto_laravel_in(check, name, role, anonymize_roles)) != SOTTO_OK) {
        return err;
    }
    sotto_laravel_name(name, sizeof(name), "messages", i, "content");
    return sotto_laravel_string(check, name, sotto_json_get(message, "content"));
}

static enum sotto_err check_messages(struct sotto_laravel *check, yyjson_mut_val *messages)
{
    if (messages == NULL || yyjson_mut_is_null(messages) || sotto_json_is(messages, "") ||
        (yyjson_mut_is_arr(messages) && yyjson_mut_arr_size(messages) == 0)) {
        return sotto_laravel_add(check, "messages", "The %s field is required.");
    }
    if (!yyjson_mut_is_arr(messages)) {
        return sotto_laravel_add(check, "messages", "The %s field must be an array.");
    }
    enum sotto_err err = SOTTO_OK;
    size_t i = 0;
    yyjson_mut_arr_iter iter = yyjson_mut_arr_iter_with(messages);
    yyjson_mut_val *message;
    while (err == SOTTO_OK && (message = yyjson_mut_arr_iter_next(&iter)) != NULL) {
        err = check_message(check, message, i++);
    }
    return err;
}

static enum sotto_err check_fields(struct sotto_laravel *check, yyjson_mut_val *root)
{
    enum sotto_err err;
    if ((err = sotto_laravel_string(check, "model", sotto_json_get(root, "model"))) != SOTTO_OK ||
        (err = check_messages(check, sotto_json_get(root, "messages"))) != SOTTO_OK ||
        (err = sotto_laravel_between(check, "temperature", sotto_json_get(root, "temperature"), 0,
                                     1)) != SOTTO_OK ||
        (err = sotto_laravel_between(check, "top_p", sotto_json_get(root, "top_p"), 0, 1)) !=
            SOTTO_OK ||
        (err = sotto_laravel_integer(check, "max_tokens", sotto_json_get(root, "max_tokens"), 0)) !=
            SOTTO_OK ||
        (err = sotto_laravel_integer(check, "random_seed", sotto_json_get(root, "random_seed"),
                                     INT64_MIN)) != SOTTO_OK ||
        (err = sotto_laravel_boolean(check, "safe_prompt", sotto_json_get(root, "safe_prompt"))) !=
            SOTTO_OK ||
        (err = sotto_laravel_boolean(check, "anonymize", sotto_json_get(root, "anonymize"))) !=
            SOTTO_OK) {
        return err;
    }
    return sotto_laravel_boolean(check, "stream", sotto_json_get(root, "stream"));
}

/* Runs the checks; where something is wrong it is rendered for write_error(). */
static enum sotto_err check_request(struct sotto_call *call, struct sotto_problem *problem)
{
    struct sotto_laravel check;
    sotto_laravel_init(&check);
    enum sotto_err err = check_fields(&check, yyjson_mut_doc_get_root(call->doc));
    if (err == SOTTO_OK && check.count != 0) {
        err = sotto_laravel_refuse(&check, call, problem);
    }
    sotto_laravel_free(&check);
    return err;
}

static bool truth(yyjson_mut_val *root, const char *name, bool otherwise)
{
    yyjson_mut_val *val = sotto_json_get(root, name);
    return yyjson_mut_is_bool(val) ? yyjson_mut_get_bool(val) : otherwise;
}

/* Moves a member that is not null into `to`; where it is, a default, and without one nothing. */
static enum sotto_err pass_on(yyjson_mut_doc *doc, yyjson_mut_val *to, const char *from,
                              const char *as, const char *otherwise)
{
    yyjson_mut_val *val = yyjson_mut_obj_remove_key(yyjson_mut_doc_get_root(doc), from);
    if (val != NULL && !yyjson_mut_is_null(val)) {
        return sotto_json_put(doc, to, as, val);
    }
    return otherwise != NULL ? sotto_json_put(doc, to, as, yyjson_mut_raw(doc, otherwise))
                             : SOTTO_OK;
}

/* A message as it goes on: the two fields that are validated. */
static enum sotto_err pass_messages(yyjson_mut_doc *doc, yyjson_mut_val *to)
{
    yyjson_mut_val *list = yyjson_mut_arr(doc), *message;
    yyjson_mut_arr_iter iter =
        yyjson_mut_arr_iter_with(sotto_json_get(yyjson_mut_doc_get_root(doc), "messages"));
    while ((message = yyjson_mut_arr_iter_next(&iter)) != NULL) {
        yyjson_mut_val *role = yyjson_mut_obj_remove_key(message, "role");
        yyjson_mut_val *content = yyjson_mut_obj_remove_key(message, "content");
        yyjson_mut_val *kept = yyjson_mut_obj(doc);
        if (kept == NULL || sotto_json_put(doc, kept, "role", role) != SOTTO_OK ||
            sotto_json_put(doc, kept, "content", content) != SOTTO_OK ||
            !yyjson_mut_arr_append(list, kept)) {
            return SOTTO_ENOMEM;
        }
    }
    return sotto_json_put(doc, to, "messages", list);
}

/*
 * Turns the checked document into OpenAI's request.  As in a Laravel controller, only validated
 * fields go on.  `safe_prompt` stays: providers know what to make of it.
 */
static enum sotto_err to_openai(struct sotto_call *call)
{
    yyjson_mut_doc *doc = call->doc;
    yyjson_mut_val *root = yyjson_mut_doc_get_root(doc), *made = yyjson_mut_obj(doc);
    enum sotto_err err;
    call->anonymize = truth(root, "anonymize", true);
    call->stream = truth(root, "stream", false) && !call->anonymize;
    call->include_usage = call->stream;
    bool safe_prompt = truth(root, "safe_prompt", false);
    if ((err = sotto_arena_copy(&call->arena, sotto_json_text(sotto_json_get(root, "model")),
                                &call->model)) != SOTTO_OK ||
        (err = pass_on(doc, made, "model", "model", NULL)) != SOTTO_OK ||
        (err = pass_messages(doc, made)) != SOTTO_OK ||
        (err = pass_on(doc, made, "temperature", "temperature", "0.7")) != SOTTO_OK ||
        (err = pass_on(doc, made, "top_p", "top_p", "1")) != SOTTO_OK ||
        (err = pass_on(doc, made, "max_tokens", "max_tokens", NULL)) != SOTTO_OK ||
        (err = pass_on(doc, made, "random_seed", "seed", NULL)) != SOTTO_OK) {
        return err;
    }
    if (safe_prompt) {
        err = sotto_json_put(doc, made, "safe_prompt", yyjson_mut_true(doc));
    }
    if (err == SOTTO_OK && call->stream) {
        yyjson_mut_val *options = yyjson_mut_obj(doc);
        err = sotto_json_put(doc, made, "stream", yyjson_mut_true(doc));
        if (err == SOTTO_OK &&
            (err = sotto_json_put(doc, made, "stream_options", options)) == SOTTO_OK) {
            err = sotto_json_put(doc, options, "include_usage", yyjson_mut_true(doc));
        }
    }
    yyjson_mut_doc_set_root(doc, made);
    return err;
}

static enum sotto_err read_request(const struct sotto_http_head *head, sotto_span body,
                                   size_t max_depth, struct sotto_call *call,
                                   struct sotto_problem *problem)
{
    sotto_span path = sotto_http_path(head);
    bool models = sotto_span_eq(path, SOTTO_LIT(ANONYMIZE_MODELS_ROUTE));
    if (!models && !sotto_span_eq(path, SOTTO_LIT(ANONYMIZE_ROUTE))) {
        return sotto_body_no_route(false, problem);
    }
    if (!sotto_span_eq(head->method, models ? SOTTO_LIT("GET") : SOTTO_LIT("POST"))) {
        return sotto_body_no_route(true, problem);
    }
    enum sotto_err err = sotto_body_headers(head, call);
    if (models || err != SOTTO_OK) {
        call->kind = models ? SOTTO_CALL_MODELS : SOTTO_CALL_CHAT;
        return err;
    }
    if ((err = sotto_body_read(head, body, max_depth, call, problem)) != SOTTO_OK ||
        (err = check_request(call, problem)) != SOTTO_OK) {
        return err;
    }
    return to_openai(call);
}

/* --- writing --------------------------------------------------------------------------------- */

static yyjson_mut_val *text_or(yyjson_mut_doc *doc, yyjson_mut_val *val, sotto_span otherwise)
{
    return sotto_json_str(doc, yyjson_mut_is_str(val) ? sotto_json_text(val) : otherwise);
}

static yyjson_mut_val *number_or(yyjson_mut_doc *doc, yyjson_mut_val *val, int64_t otherwise)
{
    int64_t number;
    return yyjson_mut_sint(doc, sotto_json_int(val, &number) == SOTTO_OK ? number : otherwise);
}

/* id, object, created, model: how answers and chunks begin. */
static yyjson_mut_val *begin_answer(const struct sotto_call *call,
                                    const struct sotto_answer_facts *facts, yyjson_mut_doc *doc,
                                    const char *object)
{
    yyjson_mut_val *from = yyjson_mut_doc_get_root(doc), *to = yyjson_mut_obj(doc);
    yyjson_mut_val *id = facts->id.len != 0
                             ? sotto_json_str(doc, facts->id)
                             : text_or(doc, sotto_json_get(from, "id"), SOTTO_LIT(""));
    if (to == NULL || sotto_json_put(doc, to, "id", id) != SOTTO_OK ||
        !yyjson_mut_obj_add_str(doc, to, "object", object) ||
        sotto_json_put(doc, to, "created",
                       number_or(doc, sotto_json_get(from, "created"), facts->created_s)) !=
            SOTTO_OK ||
        sotto_json_put(doc, to, "model",
                       text_or(doc, sotto_json_get(from, "model"), call->model)) != SOTTO_OK) {
        return NULL;
    }
    return to;
}

static yyjson_mut_val *usage_of(yyjson_mut_doc *doc, yyjson_mut_val *from)
{
    static const char *const names[] = {"completion_tokens", "prompt_tokens", "total_tokens"};
    yyjson_mut_val *usage = yyjson_mut_obj(doc);
    for (size_t i = 0; i < SOTTO_COUNT(names); i++) {
        if (sotto_json_put(doc, usage, names[i],
                           number_or(doc, sotto_json_get(from, names[i]), 0)) != SOTTO_OK) {
            return NULL;
        }
    }
    return usage;
}

static yyjson_mut_val *choice_of(yyjson_mut_doc *doc, yyjson_mut_val *from, size_t place)
{
    yyjson_mut_val *choice = yyjson_mut_obj(doc), *message = yyjson_mut_obj(doc);
    yyjson_mut_val *said = sotto_json_get(from, "message");
    if (choice == NULL || message == NULL ||
        sotto_json_put(doc, choice, "finish_reason",
                       text_or(doc, sotto_json_get(from, "finish_reason"), SOTTO_LIT("stop"))) !=
            SOTTO_OK ||
        sotto_json_put(doc, choice, "index",
                       number_or(doc, sotto_json_get(from, "index"), (int64_t)place)) != SOTTO_OK ||
        sotto_json_put(doc, choice, "message", message) != SOTTO_OK ||
        sotto_json_put(doc, message, "content",
                       text_or(doc, sotto_json_get(said, "content"), SOTTO_LIT(""))) != SOTTO_OK ||
        sotto_json_put(doc, message, "role",
                       text_or(doc, sotto_json_get(said, "role"), SOTTO_LIT("assistant"))) !=
            SOTTO_OK) {
        return NULL;
    }
    return choice;
}

static yyjson_mut_val *choices_of(yyjson_mut_doc *doc, yyjson_mut_val *from,
                                  yyjson_mut_val *(*one)(yyjson_mut_doc *, yyjson_mut_val *,
                                                         size_t))
{
    yyjson_mut_val *list = yyjson_mut_arr(doc), *choice;
    yyjson_mut_arr_iter iter = yyjson_mut_arr_iter_with(from);
    for (size_t i = 0; list != NULL && (choice = yyjson_mut_arr_iter_next(&iter)) != NULL; i++) {
        if (!yyjson_mut_arr_append(list, one(doc, choice, i))) {
            return NULL;
        }
    }
    return list;
}

static enum sotto_err write_models(yyjson_mut_doc *doc, struct sotto_buf *body)
{
    yyjson_mut_val *list = yyjson_mut_arr(doc), *to = yyjson_mut_obj(doc), *model;
    yyjson_mut_arr_iter iter =
        yyjson_mut_arr_iter_with(sotto_json_get(yyjson_mut_doc_get_root(doc), "data"));
    while ((model = yyjson_mut_arr_iter_next(&iter)) != NULL) {
        yyjson_mut_val *one = yyjson_mut_obj(doc);
        if (one == NULL ||
            sotto_json_put(doc, one, "id",
                           text_or(doc, sotto_json_get(model, "id"), SOTTO_LIT(""))) != SOTTO_OK ||
            !yyjson_mut_obj_add_str(doc, one, "object", "model") ||
            !yyjson_mut_obj_add_int(doc, one, "created", 0) ||
            sotto_json_put(doc, one, "owned_by",
                           text_or(doc, sotto_json_get(model, "owned_by"), SOTTO_LIT(""))) !=
                SOTTO_OK ||
            !yyjson_mut_arr_append(list, one)) {
            return SOTTO_ENOMEM;
        }
    }
    if (to == NULL || !yyjson_mut_obj_add_str(doc, to, "object", "list") ||
        sotto_json_put(doc, to, "data", list) != SOTTO_OK) {
        return SOTTO_ENOMEM;
    }
    return sotto_json_write(to, body);
}

static enum sotto_err write_answer(const struct sotto_call *call,
                                   const struct sotto_answer_facts *facts, yyjson_mut_doc *answer,
                                   struct sotto_buf *body)
{
    yyjson_mut_val *from = yyjson_mut_doc_get_root(answer);
    if (call->kind == SOTTO_CALL_MODELS) {
        return write_models(answer, body);
    }
    yyjson_mut_val *to = begin_answer(call, facts, answer, "chat.completion");
    if (to == NULL ||
        sotto_json_put(answer, to, "choices",
                       choices_of(answer, sotto_json_get(from, "choices"), choice_of)) !=
            SOTTO_OK ||
        sotto_json_put(answer, to, "usage", usage_of(answer, sotto_json_get(from, "usage"))) !=
            SOTTO_OK) {
        return SOTTO_ENOMEM;
    }
    return sotto_json_write(to, body);
}

static yyjson_mut_val *chunk_choice_of(yyjson_mut_doc *doc, yyjson_mut_val *from, size_t place)
{
    yyjson_mut_val *choice = yyjson_mut_obj(doc), *delta = yyjson_mut_obj(doc);
    yyjson_mut_val *said = sotto_json_get(from, "delta");
    yyjson_mut_val *reason = sotto_json_get(from, "finish_reason");
    yyjson_mut_val *content = sotto_json_get(said, "content"), *role = sotto_json_get(said, "role");
    if (choice == NULL || delta == NULL ||
        sotto_json_put(doc, choice, "finish_reason",
                       yyjson_mut_is_str(reason) ? sotto_json_str(doc, sotto_json_text(reason))
                                                 : yyjson_mut_null(doc)) != SOTTO_OK ||
        sotto_json_put(doc, choice, "index",
                       number_or(doc, sotto_json_get(from, "index"), (int64_t)place)) != SOTTO_OK ||
        sotto_json_put(doc, choice, "delta", delta) != SOTTO_OK ||
        (yyjson_mut_is_str(content) &&
         sotto_json_put(doc, delta, "content", sotto_json_str(doc, sotto_json_text(content))) !=
             SOTTO_OK) ||
        (yyjson_mut_is_str(role) &&
         sotto_json_put(doc, delta, "role", sotto_json_str(doc, sotto_json_text(role))) !=
             SOTTO_OK)) {
        return NULL;
    }
    return choice;
}

/* The usage chunk goes out as well: the document has no way to ask for it. */
static enum sotto_err write_event(const struct sotto_call *call,
                                  const struct sotto_answer_facts *facts, yyjson_mut_doc *chunk,
                                  struct sotto_buf *body)
{
    yyjson_mut_val *from = yyjson_mut_doc_get_root(chunk);
    yyjson_mut_val *usage = sotto_json_get(from, "usage");
    yyjson_mut_val *to = begin_answer(call, facts, chunk, "chat.completion.chunk");
    if (to == NULL ||
        sotto_json_put(chunk, to, "choices",
                       choices_of(chunk, sotto_json_get(from, "choices"), chunk_choice_of)) !=
            SOTTO_OK ||
        (yyjson_mut_is_obj(usage) &&
         sotto_json_put(chunk, to, "usage", usage_of(chunk, usage)) != SOTTO_OK)) {
        return SOTTO_ENOMEM;
    }
    return sotto_event_write(to, call->ndjson, body);
}

static enum sotto_err write_done(const struct sotto_call *call, struct sotto_buf *body)
{
    return sotto_event_done(call->ndjson, body);
}

/* --- errors ---------------------------------------------------------------------------------- */

static enum sotto_err write_words(sotto_span text, const struct sotto_call *stream,
                                  struct sotto_buf *body)
{
    yyjson_mut_doc *doc = sotto_json_new();
    yyjson_mut_val *obj = yyjson_mut_obj(doc);
    enum sotto_err err = SOTTO_ENOMEM;
    if (obj != NULL && sotto_json_put(doc, obj, "error", sotto_json_str(doc, text)) == SOTTO_OK) {
        err = stream != NULL ? sotto_event_write(obj, stream->ndjson, body)
                             : sotto_json_write(obj, body);
    }
    sotto_json_free(doc);
    return err;
}

/* A 400 that names a field, or a model that is not served. */
static enum sotto_err write_field(const struct sotto_problem *problem, struct sotto_buf *body)
{
    bool model = problem->code != NULL &&
                 sotto_span_eq(sotto_span_str(problem->code), SOTTO_LIT("model_not_found"));
    const char *field = model ? "model" : problem->param;
    if (field[0] == '\0') {
        field = "body";
    }
    return sotto_laravel_write(field, model ? "The selected model is invalid." : problem->message,
                               body);
}

static enum sotto_err write_problem(const struct sotto_problem *problem,
                                    const struct sotto_call *stream, struct sotto_buf *body,
                                    int *status)
{
    bool model = problem->code != NULL &&
                 sotto_span_eq(sotto_span_str(problem->code), SOTTO_LIT("model_not_found"));
    *status = model || problem->status == 0 ? 400 : problem->status;
    if (stream != NULL) {
        return write_words(sotto_span_str(problem->message), stream, body);
    }
    if (problem->details.len != 0) {
        return sotto_buf_append(body, problem->details);
    }
    return *status == 400 ? write_field(problem, body)
                          : write_words(sotto_span_str(problem->message), NULL, body);
}

static enum sotto_err write_error(enum sotto_refusal refusal, const struct sotto_problem *problem,
                                  const yyjson_mut_doc *upstream, const struct sotto_call *stream,
                                  struct sotto_buf *body, int *status)
{
    static const struct sotto_problem unknown = {.status = 500, .message = "Server Error"};
    switch (refusal) {
    case SOTTO_REFUSE_KEY:
        *status = 401;
        return write_words(SOTTO_LIT("Unauthenticated"), stream, body);
    case SOTTO_REFUSE_QUOTA:
        *status = 403;
        return write_words(SOTTO_LIT("Subscription amount limit has been reached"), stream, body);
    case SOTTO_REFUSE_RATE:
        *status = 429;
        return write_words(SOTTO_LIT("Too Many Attempts."), stream, body);
    case SOTTO_REFUSE_PROBLEM:
        break;
    }
    sotto_span said =
        upstream != NULL
            ? sotto_json_text(sotto_json_get(sotto_json_get(upstream->root, "error"), "message"))
            : sotto_span_init(NULL, 0);
    if (said.len != 0) {
        *status = problem != NULL && problem->status != 0 ? problem->status : 502;
        return write_words(said, stream, body);
    }
    return write_problem(problem != NULL ? problem : &unknown, stream, body, status);
}

const struct sotto_dialect sotto_dialect_anonymize = {
    .name = "anonymize",
    .accepts = accepts,
    .key = key,
    .read = read_request,
    .write = write_answer,
    .write_event = write_event,
    .write_done = write_done,
    .write_error = write_error,
    .stream_type = "text/event-stream; charset=utf-8",
    .id_prefix = NULL,
    .extras = false,
};
