/* SPDX-License-Identifier: Apache-2.0 */

#include "upstream/failure.h"

#include <stdio.h>

#include "upstream/reply.h"

static const char *type_of(int status)
{
    switch (status) {
    case 401:
        return "authentication_error";
    case 403:
        return "permission_error";
    case 429:
        return "rate_limit_error";
    default:
        return status >= 400 && status < 500 ? "invalid_request_error" : "server_error";
    }
}

/* The value as a text: a string as it is, anything else as JSON. */
static yyjson_mut_val *as_text(yyjson_mut_doc *doc, yyjson_mut_val *val)
{
    if (yyjson_mut_is_str(val)) {
        return sotto_json_str(doc, sotto_json_text(val));
    }
    struct sotto_buf text;
    yyjson_mut_val *made = NULL;
    sotto_buf_init(&text, SOTTO_BUF_UNBOUNDED);
    if (sotto_json_write(val, &text) == SOTTO_OK) {
        made = sotto_json_str(doc, sotto_buf_span(&text));
    }
    sotto_buf_free(&text);
    return made;
}

/* Puts `key` of `from` into `to`, or null where there is none. */
static enum sotto_err put_or_null(yyjson_mut_doc *doc, yyjson_mut_val *to, yyjson_mut_val *from,
                                  const char *key)
{
    yyjson_mut_val *val = sotto_json_get(from, key);
    return sotto_json_put(doc, to, key,
                          val != NULL ? yyjson_mut_val_mut_copy(doc, val) : yyjson_mut_null(doc));
}

/* Fills `error` up to the four members that clients count on. */
static enum sotto_err complete(yyjson_mut_doc *doc, yyjson_mut_val *error, int status)
{
    yyjson_mut_val *message = sotto_json_get(error, "message");
    enum sotto_err err = SOTTO_OK;
    if (!yyjson_mut_is_str(message)) {
        char text[64];
        (void)snprintf(text, sizeof(text), "The upstream answered with status %d.", status);
        err = sotto_json_put(doc, error, "message",
                             message != NULL && !yyjson_mut_is_null(message)
                                 ? as_text(doc, message)
                                 : sotto_json_str(doc, sotto_span_str(text)));
    }
    if (err == SOTTO_OK && !yyjson_mut_is_str(sotto_json_get(error, "type"))) {
        err = sotto_json_put_text(doc, error, "type", sotto_span_str(type_of(status)));
    }
    if (err == SOTTO_OK && sotto_json_get(error, "param") == NULL) {
        err = sotto_json_put(doc, error, "param", yyjson_mut_null(doc));
    }
    if (err == SOTTO_OK && sotto_json_get(error, "code") == NULL) {
        err = sotto_json_put(doc, error, "code", yyjson_mut_null(doc));
    }
    return err;
}

/* An error object of a flat one: {"message": ..., "type": ..., "param": ..., "code": ...}. */
static enum sotto_err flat_error(yyjson_mut_doc *doc, yyjson_mut_val *error, yyjson_mut_val *root)
{
    static const char *const words[] = {"message", "detail", "error"};
    enum sotto_err err = sotto_json_put(doc, error, "message", yyjson_mut_null(doc));
    for (size_t i = 0; i < SOTTO_COUNT(words) && err == SOTTO_OK; i++) {
        yyjson_mut_val *said = sotto_json_get(root, words[i]);
        if (said != NULL && !yyjson_mut_is_null(said)) {
            err = sotto_json_put(doc, error, "message", as_text(doc, said));
            break;
        }
    }
    if (err != SOTTO_OK || (err = put_or_null(doc, error, root, "type")) != SOTTO_OK ||
        (err = put_or_null(doc, error, root, "param")) != SOTTO_OK) {
        return err;
    }
    return put_or_null(doc, error, root, "code");
}

enum sotto_err sotto_failure_of(int status, yyjson_mut_doc *doc)
{
    yyjson_mut_val *root = yyjson_mut_doc_get_root(doc), *made = yyjson_mut_obj(doc);
    yyjson_mut_val *error = yyjson_mut_is_obj(sotto_json_get(root, "error"))
                                ? yyjson_mut_obj_remove_key(root, "error")
                                : NULL;
    enum sotto_err err = SOTTO_OK;
    if (error == NULL) {
        error = yyjson_mut_obj(doc);
        err = error != NULL ? flat_error(doc, error, root) : SOTTO_ENOMEM;
    }
    if (err != SOTTO_OK || made == NULL || complete(doc, error, status) != SOTTO_OK) {
        return SOTTO_ENOMEM;
    }
    yyjson_mut_doc_set_root(doc, made);
    return sotto_json_put(doc, made, "error", error);
}

enum sotto_err sotto_failure_new(const char *type, const char *code, const char *message,
                                 yyjson_mut_doc **error)
{
    yyjson_mut_doc *doc = sotto_json_new();
    yyjson_mut_val *root = yyjson_mut_obj(doc), *inner = yyjson_mut_obj(doc);
    if (root == NULL || inner == NULL || !yyjson_mut_obj_add_str(doc, inner, "message", message) ||
        !yyjson_mut_obj_add_str(doc, inner, "type", type) ||
        !yyjson_mut_obj_add_null(doc, inner, "param") ||
        !yyjson_mut_obj_add_val(doc, inner, "code",
                                code != NULL ? yyjson_mut_str(doc, code) : yyjson_mut_null(doc)) ||
        !yyjson_mut_obj_add_val(doc, root, "error", inner)) {
        sotto_json_free(doc);
        return SOTTO_ENOMEM;
    }
    yyjson_mut_doc_set_root(doc, root);
    *error = doc;
    return SOTTO_OK;
}

enum sotto_err sotto_failure_read(int status, sotto_span body, yyjson_mut_doc **error)
{
    yyjson_mut_doc *doc = NULL;
    enum sotto_err err = sotto_json_read(body, SOTTO_REPLY_DEPTH, &doc, NULL);
    if (err == SOTTO_EFORMAT) {
        doc = sotto_json_new();
        err = doc != NULL ? SOTTO_OK : SOTTO_ENOMEM;
    }
    if (err == SOTTO_OK) {
        err = sotto_failure_of(status, doc);
    }
    if (err != SOTTO_OK) {
        sotto_json_free(doc);
        return err;
    }
    *error = doc;
    return SOTTO_OK;
}

bool sotto_failure_is(yyjson_mut_val *root)
{
    yyjson_mut_val *error = sotto_json_get(root, "error");
    return (error != NULL && !yyjson_mut_is_null(error) && !yyjson_mut_is_false(error)) ||
           sotto_json_is(sotto_json_get(root, "object"), "error");
}
