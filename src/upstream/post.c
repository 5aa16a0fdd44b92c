/* SPDX-License-Identifier: Apache-2.0 */

#include "upstream/post.h"

#include <string.h>

#include "base/decimal.h"
#include "http/write.h"

/* A head is hardly longer, so that most requests are written into one block. */
#define POST_HEAD_BYTES 640

/* What `safe_prompt` puts in front, by Mistral's documentation ("Guardrailing"). */
#define POST_SAFE_PROMPT                                                                           \
    "Always assist with care, respect, and truth. Respond with utmost utility yet securely. "      \
    "Avoid harmful, unethical, prejudiced, or negative content. Ensure replies promote fairness "  \
    "and positivity."

/* The authority as a Host line has it (RFC 9112 3.2): without a port that the scheme implies. */
static enum sotto_err write_host(const struct sotto_upstream *upstream, struct sotto_buf *out)
{
    char text[300], *end = text;
    sotto_span host = upstream->host;
    bool bare_v6 = host.len != 0 && host.base[0] != '[' && memchr(host.base, ':', host.len) != NULL;
    bool implied = upstream->port == (upstream->tls ? 443 : 80);
    if (!bare_v6 && implied) {
        return sotto_http_write_field(out, "Host", host);
    }
    if (host.len == 0 || host.len > sizeof(text) - 3 - SOTTO_DECIMAL_MAX) {
        return SOTTO_EINVAL;
    }
    if (bare_v6) {
        *end++ = '[';
    }
    memcpy(end, host.base, host.len);
    end += host.len;
    if (bare_v6) {
        *end++ = ']';
    }
    if (!implied) {
        *end++ = ':';
        end += sotto_decimal(upstream->port, 1, end);
    }
    return sotto_http_write_field(out, "Host", sotto_span_init(text, (size_t)(end - text)));
}

/* What the two kinds of request have in common. */
static enum sotto_err write_begin(const struct sotto_upstream *upstream, const char *method,
                                  sotto_span target, sotto_span accept, struct sotto_buf *out)
{
    enum sotto_err err;
    if ((err = sotto_http_write_request_line(out, method, target)) != SOTTO_OK ||
        (err = write_host(upstream, out)) != SOTTO_OK ||
        (err = sotto_http_write_field(out, "User-Agent", SOTTO_LIT("sotto/" SOTTO_VERSION))) !=
            SOTTO_OK ||
        (err = sotto_http_write_field(out, "Accept", accept)) != SOTTO_OK) {
        return err;
    }
    return sotto_http_write_field(out, "Accept-Encoding", SOTTO_LIT("identity"));
}

static enum sotto_err write_end(const struct sotto_post_field *fields, struct sotto_buf *out)
{
    for (; fields->name != NULL; fields++) {
        enum sotto_err err = SOTTO_OK;
        if (fields->value.len != 0) {
            err = sotto_http_write_field(out, fields->name, fields->value);
        }
        if (err != SOTTO_OK) {
            return err;
        }
    }
    return sotto_http_write_head_end(out);
}

/* W3C Trace Context.  Its state is of the caller's making: it leaves the house no more than text. */
static enum sotto_err write_trace(const struct sotto_upstream *upstream,
                                  const struct sotto_call *call, struct sotto_buf *out)
{
    enum sotto_err err = SOTTO_OK;
    if (call->trace_parent.len != 0) {
        err = sotto_http_write_field(out, "traceparent", call->trace_parent);
    }
    if (err == SOTTO_OK && call->trace_state.len != 0 && upstream->trusted) {
        err = sotto_http_write_field(out, "tracestate", call->trace_state);
    }
    return err;
}

static enum sotto_err write_head(const struct sotto_upstream *upstream,
                                 const struct sotto_call *call, sotto_span target,
                                 const struct sotto_post_field *fields, size_t body_len,
                                 struct sotto_buf *out)
{
    enum sotto_err err;
    sotto_span accept =
        call->stream ? SOTTO_LIT("text/event-stream") : SOTTO_LIT("application/json");
    if ((err = write_begin(upstream, "POST", target, accept, out)) != SOTTO_OK ||
        (err = sotto_http_write_field(out, "Content-Type", SOTTO_LIT("application/json"))) !=
            SOTTO_OK ||
        (err = sotto_http_write_number(out, "Content-Length", body_len)) != SOTTO_OK ||
        (err = write_trace(upstream, call, out)) != SOTTO_OK) {
        return err;
    }
    return write_end(fields, out);
}

enum sotto_err sotto_post_write_get(const struct sotto_upstream *upstream, sotto_span target,
                                    const struct sotto_post_field *fields, struct sotto_buf *out)
{
    size_t mark = out->len;
    enum sotto_err err = write_begin(upstream, "GET", target, SOTTO_LIT("application/json"), out);
    if (err == SOTTO_OK) {
        err = write_end(fields, out);
    }
    if (err != SOTTO_OK) {
        sotto_buf_truncate(out, mark);
    }
    return err;
}

enum sotto_err sotto_post_write(const struct sotto_upstream *upstream,
                                const struct sotto_call *call, sotto_span target,
                                const struct sotto_post_field *fields, struct sotto_buf *out,
                                struct sotto_problem *problem)
{
    struct sotto_buf body;
    size_t mark = out->len;
    enum sotto_err err;
    sotto_buf_init(&body, SOTTO_BUF_UNBOUNDED);
    if ((err = sotto_json_write(yyjson_mut_doc_get_root(call->doc), &body)) == SOTTO_OK &&
        (err = sotto_buf_reserve(out, body.len + POST_HEAD_BYTES)) == SOTTO_OK &&
        (err = write_head(upstream, call, target, fields, body.len, out)) == SOTTO_OK) {
        err = sotto_buf_append(out, sotto_buf_span(&body));
    }
    sotto_buf_free(&body);
    if (err != SOTTO_OK) {
        sotto_buf_truncate(out, mark);
    }
    if (err == SOTTO_EINVAL) {
        sotto_problem_set(problem, 502, "server_error", "upstream_misconfigured", NULL,
                          "The request for the upstream cannot be written: a character of its "
                          "address or key cannot stand in a header.");
    }
    return err;
}

/* The target, and behind it the value of Authorization. */
static enum sotto_err openai_lines(const struct sotto_upstream *upstream, sotto_span operation,
                                   struct sotto_buf *lines, size_t *target_len)
{
    enum sotto_err err;
    if ((err = sotto_buf_append(lines, upstream->base_path)) != SOTTO_OK ||
        (err = sotto_buf_append(lines, operation)) != SOTTO_OK) {
        return err;
    }
    *target_len = lines->len;
    if (upstream->key.len == 0) {
        return SOTTO_OK;
    }
    err = sotto_buf_append(lines, SOTTO_LIT("Bearer "));
    return err == SOTTO_OK ? sotto_buf_append(lines, upstream->key) : err;
}

enum sotto_err sotto_post_write_openai(const struct sotto_upstream *upstream,
                                       const struct sotto_call *call, struct sotto_buf *out,
                                       struct sotto_problem *problem)
{
    sotto_span operation = call->kind == SOTTO_CALL_EMBEDDINGS ? SOTTO_LIT("/embeddings")
                                                               : SOTTO_LIT("/chat/completions");
    struct sotto_buf lines;
    size_t target_len = 0;
    sotto_buf_init(&lines, SOTTO_BUF_UNBOUNDED);
    enum sotto_err err = openai_lines(upstream, operation, &lines, &target_len);
    if (err == SOTTO_OK) {
        const struct sotto_post_field fields[] = {
            {"Authorization", sotto_span_skip(sotto_buf_span(&lines), target_len)},
            {NULL, {NULL, 0}},
        };
        err =
            sotto_post_write(upstream, call, sotto_span_sub(sotto_buf_span(&lines), 0, target_len),
                             fields, out, problem);
    }
    sotto_buf_free(&lines);
    return err;
}

enum sotto_err sotto_post_models_openai(const struct sotto_upstream *upstream,
                                        struct sotto_buf *out)
{
    struct sotto_buf lines;
    size_t target_len = 0;
    sotto_buf_init(&lines, SOTTO_BUF_UNBOUNDED);
    enum sotto_err err = openai_lines(upstream, SOTTO_LIT("/models"), &lines, &target_len);
    if (err == SOTTO_OK) {
        const struct sotto_post_field fields[] = {
            {"Authorization", sotto_span_skip(sotto_buf_span(&lines), target_len)},
            {NULL, {NULL, 0}},
        };
        err = sotto_post_write_get(upstream, sotto_span_sub(sotto_buf_span(&lines), 0, target_len),
                                   fields, out);
    }
    sotto_buf_free(&lines);
    return err;
}

enum sotto_err sotto_post_model(struct sotto_call *call, sotto_span model)
{
    return sotto_json_put_text(call->doc, yyjson_mut_doc_get_root(call->doc), "model", model);
}

enum sotto_err sotto_post_safe_prompt(struct sotto_call *call)
{
    yyjson_mut_doc *doc = call->doc;
    yyjson_mut_val *root = yyjson_mut_doc_get_root(doc);
    yyjson_mut_val *wanted = yyjson_mut_obj_remove_key(root, "safe_prompt");
    if (!yyjson_mut_get_bool(wanted)) {
        return SOTTO_OK;
    }
    yyjson_mut_val *message = yyjson_mut_obj(doc);
    if (message == NULL || !yyjson_mut_obj_add_str(doc, message, "role", "system") ||
        !yyjson_mut_obj_add_str(doc, message, "content", POST_SAFE_PROMPT) ||
        !yyjson_mut_arr_prepend(sotto_json_get(root, "messages"), message)) {
        return SOTTO_ENOMEM;
    }
    return SOTTO_OK;
}
