/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Azure OpenAI: OpenAI's API under other paths and with the key in `api-key`, or, where it is a
 * token of Microsoft Entra ID, in `Authorization`.
 *
 *   with an api-version   BASE/openai/deployments/MODEL/chat/completions?api-version=VERSION
 *   without               BASE/openai/v1/chat/completions
 *
 * The model's name is that of the deployment.  In streams the first chunk says what the prompt
 * filter found and has no choices; with asynchronous filters choices come without a delta.
 */

#include "upstream/failure.h"
#include "upstream/post.h"
#include "upstream/reply.h"
#include "upstream/table.h"

static bool is_unreserved(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

/* Percent-encoding of RFC 3986 2.1. */
static enum sotto_err append_segment(struct sotto_buf *out, sotto_span text)
{
    enum sotto_err err = SOTTO_OK;
    for (size_t i = 0; i < text.len && err == SOTTO_OK; i++) {
        err = is_unreserved(text.base[i]) ? sotto_buf_push(out, text.base[i])
                                          : sotto_buf_printf(out, "%%%02X", text.base[i]);
    }
    return err;
}

static enum sotto_err append_target(const struct sotto_upstream *upstream, const char *operation,
                                    sotto_span model, struct sotto_buf *out)
{
    sotto_span base = upstream->base_path;
    enum sotto_err err;
    /* The endpoint may be configured with or without what all paths begin with. */
    if (sotto_span_ends(base, SOTTO_LIT("/openai/v1"))) {
        base.len -= sizeof("/openai/v1") - 1;
    } else if (sotto_span_ends(base, SOTTO_LIT("/openai"))) {
        base.len -= sizeof("/openai") - 1;
    }
    if (upstream->api_version.len == 0) {
        return sotto_buf_printf(out, "%.*s/openai/v1/%s", SOTTO_FMT(base), operation);
    }
    if ((err = sotto_buf_printf(out, "%.*s/openai/deployments/", SOTTO_FMT(base))) != SOTTO_OK ||
        (err = append_segment(out, model)) != SOTTO_OK ||
        (err = sotto_buf_printf(out, "/%s?api-version=", operation)) != SOTTO_OK) {
        return err;
    }
    return append_segment(out, upstream->api_version);
}

/* A token of Microsoft Entra ID is a JWT, which begins with an encoded `{"`; keys do not. */
static bool is_entra_token(sotto_span key)
{
    return sotto_span_starts(key, SOTTO_LIT("eyJ"));
}

static enum sotto_err request(const struct sotto_upstream *upstream, struct sotto_call *call,
                              sotto_span model, struct sotto_buf *out,
                              struct sotto_problem *problem)
{
    bool chat = call->kind == SOTTO_CALL_CHAT;
    yyjson_mut_val *root = yyjson_mut_doc_get_root(call->doc);
    struct sotto_buf target;
    struct sotto_buf bearer;

    /* `store` is off, and metadata is only allowed with it; dated versions know neither. */
    (void)yyjson_mut_obj_remove_key(root, "metadata");
    if (upstream->api_version.len != 0) {
        (void)yyjson_mut_obj_remove_key(root, "store");
    }
    sotto_buf_init(&target, SOTTO_BUF_UNBOUNDED);
    sotto_buf_init(&bearer, SOTTO_BUF_UNBOUNDED);
    enum sotto_err err = sotto_post_model(call, model);
    if (err == SOTTO_OK && chat) {
        err = sotto_post_safe_prompt(call);
    }
    if (err == SOTTO_OK) {
        err = append_target(upstream, chat ? "chat/completions" : "embeddings", model, &target);
    }
    if (err == SOTTO_OK && is_entra_token(upstream->key)) {
        err = sotto_buf_printf(&bearer, "Bearer %.*s", SOTTO_FMT(upstream->key));
    }
    if (err == SOTTO_OK) {
        const struct sotto_post_field fields[] = {
            {"Authorization", sotto_buf_span(&bearer)},
            {"api-key", bearer.len == 0 ? upstream->key : sotto_span_init(NULL, 0)},
            {NULL, {NULL, 0}},
        };
        err = sotto_post_write(upstream, call, sotto_buf_span(&target), fields, out, problem);
    }
    sotto_buf_free(&target);
    sotto_buf_free(&bearer);
    return err;
}

static enum sotto_err stream_new(const struct sotto_call *call, struct sotto_provider_stream **out)
{
    static const struct sotto_reply_ways ways = {NULL, true, false};
    return sotto_reply_stream_new(call, &ways, out);
}

const struct sotto_provider sotto_provider_azure = {
    .kind = "azure",
    .request = request,
    .answer = sotto_reply_answer,
    .error = sotto_failure_read,
    .stream_new = stream_new,
    .stream_event = sotto_reply_stream_event,
    .stream_end = sotto_reply_stream_end,
    .stream_free = sotto_reply_stream_free,
};
