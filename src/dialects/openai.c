/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The OpenAI API, with the fields of document 000: `encryption` and `compliance_mode`.
 */

#include "dialects/openai.h"
#include "dialects/body.h"
#include "dialects/chat_request.h"
#include "dialects/credentials.h"
#include "dialects/event.h"
#include "dialects/field.h"
#include "dialects/table.h"

static const char *const encryption_words[] = {"kyber512", "rsa4096", "auto", "x-wing", NULL};

static const struct sotto_field_rule embeddings_rules[] = {
    {SOTTO_FIELD_KEY("dimensions"), SOTTO_FIELD_INTEGER, 1, INT64_MAX},
    {SOTTO_FIELD_KEY("encoding_format"), SOTTO_FIELD_STRING, 0, 0},
    {SOTTO_FIELD_KEY("user"), SOTTO_FIELD_STRING, 0, 0},
};

static bool accepts(const struct sotto_http_head *head)
{
    (void)head;
    return true;
}

static sotto_span key(const struct sotto_http_head *head)
{
    sotto_span found;
    return sotto_credentials(head, NULL, &found) == SOTTO_OK ? found : sotto_span_init(NULL, 0);
}

/* --- reading --------------------------------------------------------------------------------- */

/* What document 000 adds to a request. */
static enum sotto_err take_own_fields(struct sotto_call *call, struct sotto_problem *problem)
{
    static const struct sotto_field encryption_at = {.key = "encryption"};
    yyjson_mut_val *word = sotto_json_get(yyjson_mut_doc_get_root(call->doc), "encryption");
    if (yyjson_mut_is_str(word) && !sotto_field_is_word(word, encryption_words)) {
        return sotto_field_wrong_word(&encryption_at, encryption_words, problem);
    }
    enum sotto_err err = sotto_body_take(call, "encryption", &call->encryption, problem);
    return err == SOTTO_OK ? sotto_body_take(call, "compliance_mode", &call->mode, problem) : err;
}

enum sotto_err sotto_openai_read_chat(struct sotto_call *call, struct sotto_problem *problem)
{
    enum sotto_err err = take_own_fields(call, problem);
    if (err == SOTTO_OK) {
        err = sotto_chat_request_check(call, sotto_chat_request_roles, problem);
    }
    return err == SOTTO_OK ? sotto_chat_request_settle(call) : err;
}

/* Numbers are tokens of a vocabulary: text that cannot be looked at. */
static enum sotto_err check_input(yyjson_mut_val *input, struct sotto_problem *problem)
{
    static const struct sotto_field at = {.key = "input"};
    if (input == NULL) {
        return sotto_field_missing(&at, problem);
    }
    if (yyjson_mut_is_str(input)) {
        return SOTTO_OK;
    }
    if (!yyjson_mut_is_arr(input)) {
        return sotto_field_wrong_type(&at, "one of a string or array of strings", input, problem);
    }
    if (yyjson_mut_arr_size(input) == 0) {
        return sotto_field_empty_array(&at, problem);
    }
    struct sotto_field element_at = {.up = &at};
    yyjson_mut_arr_iter iter = yyjson_mut_arr_iter_with(input);
    yyjson_mut_val *element;
    while ((element = yyjson_mut_arr_iter_next(&iter)) != NULL) {
        if (sotto_json_is_num(element) || yyjson_mut_is_arr(element)) {
            sotto_problem_set(problem, 400, "invalid_request_error", "content_not_protected",
                              "input",
                              "Arrays of token ids in 'input' cannot be protected. Send text.");
            return SOTTO_EINVAL;
        }
        if (!yyjson_mut_is_str(element)) {
            return sotto_field_wrong_type(&element_at, "a string", element, problem);
        }
        element_at.index++;
    }
    return SOTTO_OK;
}

enum sotto_err sotto_openai_read_embeddings(struct sotto_call *call, struct sotto_problem *problem)
{
    static const struct sotto_field model_at = {.key = "model"};
    yyjson_mut_val *root = yyjson_mut_doc_get_root(call->doc);
    yyjson_mut_val *model = sotto_json_get(root, "model");
    call->kind = SOTTO_CALL_EMBEDDINGS;
    enum sotto_err err = take_own_fields(call, problem);
    if (err != SOTTO_OK) {
        return err;
    }
    if (model == NULL) {
        return sotto_field_missing(&model_at, problem);
    }
    if (!yyjson_mut_is_str(model)) {
        return sotto_field_wrong_type(&model_at, "a string", model, problem);
    }
    if ((err = check_input(sotto_json_get(root, "input"), problem)) != SOTTO_OK ||
        (err = sotto_field_check(root, NULL, embeddings_rules, SOTTO_COUNT(embeddings_rules),
                                 problem)) != SOTTO_OK) {
        return err;
    }
    return sotto_arena_copy(&call->arena, sotto_json_text(model), &call->model);
}

static int hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c |= 0x20U;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* A percent-encoded segment of a path (RFC 3986 2.1); what is not well-formed stays as it is. */
static enum sotto_err copy_decoded(struct sotto_arena *arena, sotto_span in, sotto_span *out)
{
    uint8_t *text = sotto_arena_alloc(arena, in.len + 1);
    size_t len = 0;
    if (text == NULL) {
        return SOTTO_ENOMEM;
    }
    for (size_t i = 0; i < in.len; i++) {
        int high = in.base[i] == '%' && i + 2 < in.len ? hex_digit(in.base[i + 1]) : -1;
        int low = high >= 0 ? hex_digit(in.base[i + 2]) : -1;
        text[len++] = low >= 0 ? (uint8_t)(high * 16 + low) : in.base[i];
        i += low >= 0 ? 2 : 0;
    }
    *out = sotto_span_init(text, len);
    return SOTTO_OK;
}

static enum sotto_err read_model(sotto_span path, struct sotto_call *call)
{
    call->kind = SOTTO_CALL_MODEL;
    return copy_decoded(&call->arena, sotto_span_skip(path, sizeof("/v1/models/") - 1),
                        &call->model);
}

static enum sotto_err read_request(const struct sotto_http_head *head, sotto_span body,
                                   size_t max_depth, struct sotto_call *call,
                                   struct sotto_problem *problem)
{
    sotto_span path = sotto_http_path(head);
    bool chat = sotto_span_eq(path, SOTTO_LIT("/v1/chat/completions"));
    bool embeddings = sotto_span_eq(path, SOTTO_LIT("/v1/embeddings"));
    bool models = sotto_span_eq(path, SOTTO_LIT("/v1/models"));
    bool model =
        sotto_span_starts(path, SOTTO_LIT("/v1/models/")) && path.len > sizeof("/v1/models/") - 1;
    sotto_span method = chat || embeddings ? SOTTO_LIT("POST") : SOTTO_LIT("GET");

    if (!chat && !embeddings && !models && !model) {
        return sotto_body_no_route(false, problem);
    }
    if (!sotto_span_eq(head->method, method)) {
        return sotto_body_no_route(true, problem);
    }
    enum sotto_err err = sotto_body_headers(head, call);
    if (err != SOTTO_OK) {
        return err;
    }
    if (models) {
        call->kind = SOTTO_CALL_MODELS;
        return SOTTO_OK;
    }
    if (model) {
        return read_model(path, call);
    }
    err = sotto_body_read(head, body, max_depth, call, problem);
    if (err != SOTTO_OK) {
        return err;
    }
    return chat ? sotto_openai_read_chat(call, problem)
                : sotto_openai_read_embeddings(call, problem);
}

/* --- writing --------------------------------------------------------------------------------- */

/* The name the client used, and the answer's own id and date where the upstream gave none. */
enum sotto_err sotto_openai_put_facts(const struct sotto_call *call,
                                      const struct sotto_answer_facts *facts, yyjson_mut_doc *doc)
{
    yyjson_mut_val *root = yyjson_mut_doc_get_root(doc);
    enum sotto_err err = SOTTO_OK;
    if (call->kind == SOTTO_CALL_CHAT && facts->id.len != 0) {
        err = sotto_json_put(doc, root, "id", sotto_json_str(doc, facts->id));
    }
    if (err == SOTTO_OK && call->kind == SOTTO_CALL_CHAT &&
        !sotto_json_is_num(sotto_json_get(root, "created"))) {
        err = sotto_json_put(doc, root, "created", yyjson_mut_sint(doc, facts->created_s));
    }
    if (err == SOTTO_OK && call->model.len != 0) {
        err = sotto_json_put(doc, root, "model", sotto_json_str(doc, call->model));
    }
    return err;
}

static enum sotto_err write_answer(const struct sotto_call *call,
                                   const struct sotto_answer_facts *facts, yyjson_mut_doc *answer,
                                   struct sotto_buf *body)
{
    enum sotto_err err = SOTTO_OK;
    if (call->kind == SOTTO_CALL_CHAT || call->kind == SOTTO_CALL_EMBEDDINGS) {
        err = sotto_openai_put_facts(call, facts, answer);
    }
    return err == SOTTO_OK ? sotto_json_write(yyjson_mut_doc_get_root(answer), body) : err;
}

/* Whether a chunk is there for the sake of its usage alone. */
static bool is_usage_chunk(yyjson_mut_val *root)
{
    return yyjson_mut_is_obj(sotto_json_get(root, "usage")) &&
           yyjson_mut_arr_size(sotto_json_get(root, "choices")) == 0;
}

static enum sotto_err write_event(const struct sotto_call *call,
                                  const struct sotto_answer_facts *facts, yyjson_mut_doc *chunk,
                                  struct sotto_buf *body)
{
    yyjson_mut_val *root = yyjson_mut_doc_get_root(chunk);
    if (!call->include_usage) {
        if (is_usage_chunk(root)) {
            return SOTTO_OK;
        }
        (void)yyjson_mut_obj_remove_key(root, "usage");
    }
    /* Padding against guesses from the size of chunks; restoring has changed their sizes. */
    (void)yyjson_mut_obj_remove_key(root, "obfuscation");
    enum sotto_err err = sotto_openai_put_facts(call, facts, chunk);
    return err == SOTTO_OK ? sotto_event_write(root, call->ndjson, body) : err;
}

static enum sotto_err write_done(const struct sotto_call *call, struct sotto_buf *body)
{
    return sotto_event_done(call->ndjson, body);
}

/* --- errors ---------------------------------------------------------------------------------- */

static const struct sotto_problem refusals[] = {
    [SOTTO_REFUSE_PROBLEM] = {.status = 500,
                              .type = "server_error",
                              .message = "The server had an error while processing your request."},
    [SOTTO_REFUSE_KEY] = {.status = 401,
                          .type = "invalid_request_error",
                          .code = "invalid_api_key",
                          .message = "Incorrect API key provided."},
    [SOTTO_REFUSE_QUOTA] = {.status = 429,
                            .type = "insufficient_quota",
                            .code = "insufficient_quota",
                            .message = "You exceeded your current quota, please check your plan."},
    [SOTTO_REFUSE_RATE] = {.status = 429,
                           .type = "rate_limit_error",
                           .code = "rate_limit_exceeded",
                           .message = "Rate limit reached. Please try again later."},
};

static yyjson_mut_val *text_or_null(yyjson_mut_doc *doc, const char *text)
{
    return text != NULL && text[0] != '\0' ? sotto_json_str(doc, sotto_span_str(text))
                                           : yyjson_mut_null(doc);
}

/* {"error":{"message","type","param","code"}}, all four of them always. */
enum sotto_err sotto_openai_build_error(yyjson_mut_doc *doc, const struct sotto_problem *problem)
{
    yyjson_mut_val *root = yyjson_mut_obj(doc), *error = yyjson_mut_obj(doc);
    enum sotto_err err;
    if (root == NULL || error == NULL ||
        (err = sotto_json_put(doc, error, "message", text_or_null(doc, problem->message))) !=
            SOTTO_OK ||
        (err = sotto_json_put(doc, error, "type", text_or_null(doc, problem->type))) != SOTTO_OK ||
        (err = sotto_json_put(doc, error, "param", text_or_null(doc, problem->param))) !=
            SOTTO_OK ||
        (err = sotto_json_put(doc, error, "code", text_or_null(doc, problem->code))) != SOTTO_OK ||
        (err = sotto_json_put(doc, root, "error", error)) != SOTTO_OK) {
        return SOTTO_ENOMEM;
    }
    yyjson_mut_doc_set_root(doc, root);
    return SOTTO_OK;
}

static enum sotto_err write_root(const yyjson_mut_val *root, const struct sotto_call *stream,
                                 struct sotto_buf *body)
{
    return stream != NULL ? sotto_event_write(root, stream->ndjson, body)
                          : sotto_json_write(root, body);
}

static enum sotto_err write_error(enum sotto_refusal refusal, const struct sotto_problem *problem,
                                  const yyjson_mut_doc *upstream, const struct sotto_call *stream,
                                  struct sotto_buf *body, int *status)
{
    const struct sotto_problem *speaks =
        problem != NULL && problem->message[0] != '\0' ? problem : &refusals[refusal];
    bool has_status = problem != NULL && problem->status != 0;
    *status =
        refusal == SOTTO_REFUSE_PROBLEM && has_status ? problem->status : refusals[refusal].status;
    if (upstream != NULL) {
        return write_root(upstream->root, stream, body);
    }
    yyjson_mut_doc *doc = sotto_json_new();
    enum sotto_err err = doc != NULL ? sotto_openai_build_error(doc, speaks) : SOTTO_ENOMEM;
    if (err == SOTTO_OK) {
        err = write_root(yyjson_mut_doc_get_root(doc), stream, body);
    }
    sotto_json_free(doc);
    return err;
}

const struct sotto_dialect sotto_dialect_openai = {
    .name = "openai",
    .accepts = accepts,
    .key = key,
    .read = read_request,
    .write = write_answer,
    .write_event = write_event,
    .write_done = write_done,
    .write_error = write_error,
    .stream_type = "text/event-stream; charset=utf-8",
    .id_prefix = "qmchatcmpl-",
    .extras = true,
};
