/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Document 001: OpenAI's request with two keys in headers, the gateway's in x-compliantchatgpt-key
 * and the caller's own provider key in x-openai-key; an answer of nothing but its content.
 *
 *   request   OpenAI's; roles system, user, assistant; model gpt-3.5-turbo, temperature 0.7, n 1
 *   answer    {"content": "..."}, with n > 1 {"content": ["...", ...]}
 *   event     {"content": "..."}, with n > 1 {"content": "...", "index": 1}
 *   error     {"error": "...", "description": "..."} with 400, 401, 429 or 500
 */

#include "dialects/body.h"
#include "dialects/chat_request.h"
#include "dialects/credentials.h"
#include "dialects/event.h"
#include "dialects/table.h"

#define PHI_KEY_HEADER      "x-compliantchatgpt-key"
#define PHI_PROVIDER_HEADER "x-openai-key"

static const char *const phi_roles[] = {"system", "user", "assistant", NULL};

static bool accepts(const struct sotto_http_head *head)
{
    return sotto_span_eq(sotto_http_path(head), SOTTO_LIT("/v1/chat/completions")) &&
           (sotto_http_count(head, PHI_KEY_HEADER) != 0 ||
            sotto_http_count(head, PHI_PROVIDER_HEADER) != 0);
}

/* The header is required; keys elsewhere do not take its place but must not contradict it. */
static sotto_span key(const struct sotto_http_head *head)
{
    sotto_span found = sotto_span_init(NULL, 0);
    if (sotto_http_get(head, PHI_KEY_HEADER).len == 0 ||
        sotto_credentials(head, PHI_KEY_HEADER, &found) != SOTTO_OK) {
        return sotto_span_init(NULL, 0);
    }
    return found;
}

/* --- reading --------------------------------------------------------------------------------- */

/* Sets a member that is missing or null. */
static enum sotto_err put_default(yyjson_mut_doc *doc, const char *name, yyjson_mut_val *val)
{
    yyjson_mut_val *root = yyjson_mut_doc_get_root(doc);
    yyjson_mut_val *old = sotto_json_get(root, name);
    return old == NULL || yyjson_mut_is_null(old) ? sotto_json_put(doc, root, name, val) : SOTTO_OK;
}

static enum sotto_err put_defaults(yyjson_mut_doc *doc)
{
    enum sotto_err err;
    if ((err = put_default(doc, "model", sotto_json_str(doc, SOTTO_LIT("gpt-3.5-turbo")))) !=
            SOTTO_OK ||
        (err = put_default(doc, "temperature", yyjson_mut_raw(doc, "0.7"))) != SOTTO_OK) {
        return err;
    }
    return put_default(doc, "n", yyjson_mut_raw(doc, "1"));
}

static enum sotto_err take_provider_key(const struct sotto_http_head *head, struct sotto_call *call,
                                        struct sotto_problem *problem)
{
    sotto_span own = sotto_http_get(head, PHI_PROVIDER_HEADER);
    if (own.len == 0) {
        sotto_problem_set(problem, 400, "invalid_request_error", "missing_provider_key", NULL,
                          "The header " PHI_PROVIDER_HEADER
                          " with your OpenAI API key is missing.");
        return SOTTO_EINVAL;
    }
    if (sotto_http_count(head, PHI_PROVIDER_HEADER) != 1) {
        sotto_problem_set(problem, 400, "invalid_request_error", "missing_provider_key", NULL,
                          "The header " PHI_PROVIDER_HEADER " stands more than once.");
        return SOTTO_EINVAL;
    }
    return sotto_arena_copy(&call->arena, own, &call->upstream_key);
}

/* The gateway's words mean nothing here: the mode is fixed and there is no sealing. */
static void drop_own_fields(yyjson_mut_val *root)
{
    (void)yyjson_mut_obj_remove_key(root, "encryption");
    (void)yyjson_mut_obj_remove_key(root, "compliance_mode");
}

static enum sotto_err read_request(const struct sotto_http_head *head, sotto_span body,
                                   size_t max_depth, struct sotto_call *call,
                                   struct sotto_problem *problem)
{
    enum sotto_err err;
    if (!sotto_span_eq(head->method, SOTTO_LIT("POST"))) {
        return sotto_body_no_route(true, problem);
    }
    if ((err = sotto_body_headers(head, call)) != SOTTO_OK ||
        (err = take_provider_key(head, call, problem)) != SOTTO_OK ||
        (err = sotto_body_read(head, body, max_depth, call, problem)) != SOTTO_OK ||
        (err = put_defaults(call->doc)) != SOTTO_OK) {
        return err;
    }
    drop_own_fields(yyjson_mut_doc_get_root(call->doc));
    err = sotto_chat_request_check(call, phi_roles, problem);
    return err == SOTTO_OK ? sotto_chat_request_settle(call) : err;
}

/* --- writing --------------------------------------------------------------------------------- */

/* The text of a message or delta; a refusal is an answer too.  NULL: there is none. */
static yyjson_mut_val *text_of(yyjson_mut_val *message)
{
    yyjson_mut_val *content = sotto_json_get(message, "content");
    if (!yyjson_mut_is_str(content)) {
        content = sotto_json_get(message, "refusal");
    }
    return yyjson_mut_is_str(content) ? content : NULL;
}

static yyjson_mut_val *copy_text(yyjson_mut_doc *doc, yyjson_mut_val *text)
{
    return sotto_json_str(doc, sotto_json_text(text));
}

/* The contents of all choices, each at the place that its index says. */
static yyjson_mut_val *contents(yyjson_mut_doc *doc, yyjson_mut_val *choices, int count)
{
    yyjson_mut_val *list = yyjson_mut_arr(doc);
    for (int64_t wanted = 0; list != NULL && wanted < count; wanted++) {
        yyjson_mut_val *text = NULL, *choice;
        yyjson_mut_arr_iter iter = yyjson_mut_arr_iter_with(choices);
        while ((choice = yyjson_mut_arr_iter_next(&iter)) != NULL) {
            int64_t index = -1;
            if (sotto_json_int(sotto_json_get(choice, "index"), &index) == SOTTO_OK &&
                index == wanted) {
                text = text_of(sotto_json_get(choice, "message"));
            }
        }
        if (!yyjson_mut_arr_append(list, copy_text(doc, text))) {
            return NULL;
        }
    }
    return list;
}

/* {"content": content} and, where it is not negative, the index. */
static yyjson_mut_val *content_object(yyjson_mut_doc *doc, yyjson_mut_val *content, int64_t index)
{
    yyjson_mut_val *obj = yyjson_mut_obj(doc);
    if (obj == NULL || sotto_json_put(doc, obj, "content", content) != SOTTO_OK ||
        (index >= 0 &&
         sotto_json_put(doc, obj, "index", yyjson_mut_sint(doc, index)) != SOTTO_OK)) {
        return NULL;
    }
    return obj;
}

static enum sotto_err write_answer(const struct sotto_call *call,
                                   const struct sotto_answer_facts *facts, yyjson_mut_doc *answer,
                                   struct sotto_buf *body)
{
    (void)facts;
    yyjson_mut_val *choices = sotto_json_get(yyjson_mut_doc_get_root(answer), "choices");
    yyjson_mut_val *content =
        call->choices > 1
            ? contents(answer, choices, call->choices)
            : copy_text(answer,
                        text_of(sotto_json_get(yyjson_mut_arr_get_first(choices), "message")));
    yyjson_mut_val *obj = content_object(answer, content, -1);
    return obj != NULL ? sotto_json_write(obj, body) : SOTTO_ENOMEM;
}

static enum sotto_err write_event(const struct sotto_call *call,
                                  const struct sotto_answer_facts *facts, yyjson_mut_doc *chunk,
                                  struct sotto_buf *body)
{
    (void)facts;
    size_t mark = body->len;
    enum sotto_err err = SOTTO_OK;
    yyjson_mut_arr_iter iter =
        yyjson_mut_arr_iter_with(sotto_json_get(yyjson_mut_doc_get_root(chunk), "choices"));
    yyjson_mut_val *choice;
    while (err == SOTTO_OK && (choice = yyjson_mut_arr_iter_next(&iter)) != NULL) {
        yyjson_mut_val *text = text_of(sotto_json_get(choice, "delta"));
        int64_t index = -1;
        if (text == NULL || sotto_json_text(text).len == 0) {
            continue;
        }
        if (call->choices > 1 &&
            sotto_json_int(sotto_json_get(choice, "index"), &index) != SOTTO_OK) {
            index = 0;
        }
        yyjson_mut_val *obj = content_object(chunk, copy_text(chunk, text), index);
        err = obj != NULL ? sotto_event_write(obj, call->ndjson, body) : SOTTO_ENOMEM;
    }
    if (err != SOTTO_OK) {
        sotto_buf_truncate(body, mark);
    }
    return err;
}

static enum sotto_err write_done(const struct sotto_call *call, struct sotto_buf *body)
{
    return sotto_event_done(call->ndjson, body);
}

/* --- errors ---------------------------------------------------------------------------------- */

/* The document knows four codes: what a caller can mend is 400, what not is 500. */
static int status_of(enum sotto_refusal refusal, const struct sotto_problem *problem,
                     bool from_upstream)
{
    int status = problem != NULL && problem->status != 0 ? problem->status : 500;
    switch (refusal) {
    case SOTTO_REFUSE_KEY:
        return 401;
    case SOTTO_REFUSE_QUOTA:
    case SOTTO_REFUSE_RATE:
        return 429;
    case SOTTO_REFUSE_PROBLEM:
        break;
    }
    if (status == 429) {
        return 429;
    }
    /* The provider refused the caller's own key. */
    if (problem != NULL && problem->code != NULL &&
        sotto_span_eq(sotto_span_str(problem->code), SOTTO_LIT("upstream_auth_failed"))) {
        return 400;
    }
    if (!from_upstream && (status == 401 || status == 403)) {
        return 401;
    }
    return status >= 400 && status < 500 ? 400 : 500;
}

static const char *word_of(int status)
{
    switch (status) {
    case 400:
        return "Invalid request body or missing/invalid OpenAI API key.";
    case 401:
        return "Missing or invalid CompliantChatGPT API key.";
    case 429:
        return "Quota limit exceeded.";
    default:
        return "Server error";
    }
}

static enum sotto_err write_error(enum sotto_refusal refusal, const struct sotto_problem *problem,
                                  const yyjson_mut_doc *upstream, const struct sotto_call *stream,
                                  struct sotto_buf *body, int *status)
{
    *status = status_of(refusal, problem, upstream != NULL);
    const char *word = word_of(*status);
    sotto_span description =
        sotto_span_str(problem != NULL && problem->message[0] != '\0' ? problem->message : word);
    if (upstream != NULL) {
        sotto_span said =
            sotto_json_text(sotto_json_get(sotto_json_get(upstream->root, "error"), "message"));
        description = said.len != 0 ? said : description;
    }
    yyjson_mut_doc *doc = sotto_json_new();
    yyjson_mut_val *obj = yyjson_mut_obj(doc);
    enum sotto_err err = SOTTO_ENOMEM;
    if (obj != NULL && yyjson_mut_obj_add_str(doc, obj, "error", word) &&
        sotto_json_put(doc, obj, "description", sotto_json_str(doc, description)) == SOTTO_OK) {
        err = stream != NULL ? sotto_event_write(obj, stream->ndjson, body)
                             : sotto_json_write(obj, body);
    }
    sotto_json_free(doc);
    return err;
}

const struct sotto_dialect sotto_dialect_phi_header = {
    .name = "phi_header",
    .accepts = accepts,
    .key = key,
    .read = read_request,
    .write = write_answer,
    .write_event = write_event,
    .write_done = write_done,
    .write_error = write_error,
    .stream_type = "text/event-stream; charset=utf-8",
    .id_prefix = "",
    .fixed_mode = "hipaa",
    .extras = false,
};
