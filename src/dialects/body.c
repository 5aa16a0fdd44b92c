/* SPDX-License-Identifier: Apache-2.0 */

#include "dialects/body.h"

#include "dialects/field.h"
#include "http/accept.h"

static bool is_json_type(sotto_span value)
{
    sotto_span type = sotto_http_next_element(&value);
    static const size_t json = sizeof("+json") - 1;
    return sotto_span_ieq(type, SOTTO_LIT("application/json")) ||
           (type.len > json &&
            sotto_span_ieq(sotto_span_skip(type, type.len - json), SOTTO_LIT("+json")));
}

static enum sotto_err check_types(const struct sotto_http_head *head, struct sotto_problem *problem)
{
    sotto_span coding = sotto_http_get(head, "content-encoding");
    if (coding.len != 0 && !sotto_span_ieq(coding, SOTTO_LIT("identity"))) {
        sotto_problem_set(problem, 415, "invalid_request_error", "unsupported_content_encoding",
                          NULL, "Request bodies with a Content-Encoding are not supported.");
        return SOTTO_EINVAL;
    }
    /* Without the header: JSON is all that this could be. */
    sotto_span type = sotto_http_get(head, "content-type");
    if (type.len != 0 && !is_json_type(type)) {
        sotto_problem_set(problem, 400, "invalid_request_error", "unsupported_content_type", NULL,
                          "Unsupported content type. This API method only accepts "
                          "'application/json' requests. Please try again with a supported content "
                          "type.");
        return SOTTO_EINVAL;
    }
    return SOTTO_OK;
}

enum sotto_err sotto_body_parse(sotto_span body, size_t max_depth, struct sotto_call *call,
                                struct sotto_problem *problem)
{
    struct sotto_json_error found = {0};
    enum sotto_err err = sotto_json_read(body, max_depth, &call->doc, &found);
    if (err == SOTTO_EFORMAT) {
        sotto_problem_set(problem, 400, "invalid_request_error", "invalid_json", NULL,
                          "We could not parse the JSON body of your request: %s at line %zu, "
                          "column %zu (byte %zu).",
                          found.what, found.line, found.column, found.position);
        return SOTTO_EINVAL;
    }
    if (err == SOTTO_OK && !yyjson_mut_is_obj(yyjson_mut_doc_get_root(call->doc))) {
        sotto_problem_set(problem, 400, "invalid_request_error", "invalid_type", NULL,
                          "The JSON body of your request must be an object.");
        return SOTTO_EINVAL;
    }
    return err;
}

enum sotto_err sotto_body_read(const struct sotto_http_head *head, sotto_span body,
                               size_t max_depth, struct sotto_call *call,
                               struct sotto_problem *problem)
{
    enum sotto_err err = check_types(head, problem);
    return err == SOTTO_OK ? sotto_body_parse(body, max_depth, call, problem) : err;
}

enum sotto_err sotto_body_headers(const struct sotto_http_head *head, struct sotto_call *call)
{
    call->explain = sotto_span_eq(sotto_http_get(head, "x-sotto-explain"), SOTTO_LIT("1"));
    call->ndjson = sotto_http_accepts(head, SOTTO_LIT("application/x-ndjson"));
    return sotto_arena_copy(&call->arena, sotto_http_get(head, "x-sotto-conversation"),
                            &call->conversation);
}

enum sotto_err sotto_body_take(struct sotto_call *call, const char *key, sotto_span *out,
                               struct sotto_problem *problem)
{
    yyjson_mut_val *root = yyjson_mut_doc_get_root(call->doc);
    yyjson_mut_val *val = sotto_json_get(root, key);
    if (val == NULL) {
        return SOTTO_OK;
    }
    if (!yyjson_mut_is_str(val) && !yyjson_mut_is_null(val)) {
        const struct sotto_field field = {.key = key};
        return sotto_field_wrong_type(&field, "a string", val, problem);
    }
    enum sotto_err err = sotto_arena_copy(&call->arena, sotto_json_text(val), out);
    if (err == SOTTO_OK) {
        (void)yyjson_mut_obj_remove_key(root, key);
    }
    return err;
}

enum sotto_err sotto_body_no_route(bool method_only, struct sotto_problem *problem)
{
    if (method_only) {
        sotto_problem_set(problem, 405, "invalid_request_error", "method_not_allowed", NULL,
                          "This method is not supported at this URL.");
    } else {
        sotto_problem_set(problem, 404, "invalid_request_error", "unknown_url", NULL,
                          "Unknown request URL. Please check the URL for typos.");
    }
    return SOTTO_EINVAL;
}
