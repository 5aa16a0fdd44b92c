/* SPDX-License-Identifier: Apache-2.0 */

/*
 * OpenAI, and what speaks its API: vLLM, Ollama, llama-server and others.  The document goes out
 * as it is; fields that a server does not know it ignores or refuses itself.
 */

#include "upstream/failure.h"
#include "upstream/post.h"
#include "upstream/reply.h"
#include "upstream/table.h"

/* Whether it is OpenAI itself, which keeps answers unless told otherwise. */
static bool is_openai(const struct sotto_upstream *upstream)
{
    return sotto_span_ieq(upstream->host, SOTTO_LIT("api.openai.com")) ||
           sotto_span_ends(upstream->host, SOTTO_LIT(".api.openai.com"));
}

/* Nothing is to be stored, and without that there may be no metadata. */
static enum sotto_err forbid_storing(struct sotto_call *call)
{
    yyjson_mut_val *root = yyjson_mut_doc_get_root(call->doc);
    (void)yyjson_mut_obj_remove_key(root, "metadata");
    return sotto_json_put(call->doc, root, "store", yyjson_mut_false(call->doc));
}

static enum sotto_err request(const struct sotto_upstream *upstream, struct sotto_call *call,
                              sotto_span model, struct sotto_buf *out,
                              struct sotto_problem *problem)
{
    enum sotto_err err = sotto_post_model(call, model);
    if (err == SOTTO_OK && call->kind == SOTTO_CALL_CHAT) {
        err = sotto_post_safe_prompt(call);
    }
    if (err == SOTTO_OK && call->kind == SOTTO_CALL_CHAT && is_openai(upstream)) {
        err = forbid_storing(call);
    }
    return err == SOTTO_OK ? sotto_post_write_openai(upstream, call, out, problem) : err;
}

static enum sotto_err stream_new(const struct sotto_call *call, struct sotto_provider_stream **out)
{
    static const struct sotto_reply_ways ways = {NULL, false, false};
    return sotto_reply_stream_new(call, &ways, out);
}

const struct sotto_provider sotto_provider_openai = {
    .kind = "openai",
    .request = request,
    .models = sotto_post_models_openai,
    .answer = sotto_reply_answer,
    .error = sotto_failure_read,
    .stream_new = stream_new,
    .stream_event = sotto_reply_stream_event,
    .stream_end = sotto_reply_stream_end,
    .stream_free = sotto_reply_stream_free,
};
