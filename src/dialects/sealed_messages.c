/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Sealed requests, in whatever profile (seal/profile.h): once opened they are OpenAI's, and their
 * answers go through the exchange that opened them.
 */

#include "dialects/sealed_messages.h"

#include <stdio.h>

#include "dialects/body.h"
#include "dialects/credentials.h"
#include "dialects/openai.h"
#include "dialects/table.h"

static bool accepts(const struct sotto_http_head *head)
{
    (void)head;
    return false;
}

/* Keys that differ are no key, but not the absence of one: the sealing must not stand in for it. */
static sotto_span key(const struct sotto_http_head *head)
{
    sotto_span found;
    return sotto_credentials(head, NULL, &found) == SOTTO_OK ? found : SOTTO_LIT("?");
}

/* --- reading --------------------------------------------------------------------------------- */

static enum sotto_err refuse_image(size_t message, struct sotto_problem *problem)
{
    char param[64];
    snprintf(param, sizeof(param), "messages[%zu].content", message);
    sotto_problem_set(problem, 400, "invalid_request_error", "unsupported_content", param,
                      "image_url is not supported in this profile.");
    return SOTTO_EINVAL;
}

static enum sotto_err check_images(const struct sotto_call *call, struct sotto_problem *problem)
{
    yyjson_mut_val *messages = sotto_json_get(yyjson_mut_doc_get_root(call->doc), "messages");
    size_t i, n, j, m;
    yyjson_mut_val *message, *part;
    yyjson_mut_arr_foreach(messages, i, n, message)
    {
        yyjson_mut_val *content = sotto_json_get(message, "content");
        yyjson_mut_arr_foreach(content, j, m, part)
        {
            if (sotto_json_is(sotto_json_get(part, "type"), "image_url")) {
                return refuse_image(i, problem);
            }
        }
    }
    return SOTTO_OK;
}

static enum sotto_err read_chat(struct sotto_call *call, struct sotto_problem *problem)
{
    const struct sotto_seal_profile *profile = call->exchange->profile;
    /* A client's salt for a cache of prompts that no upstream here shares with others. */
    (void)yyjson_mut_obj_remove_key(yyjson_mut_doc_get_root(call->doc), "cache_salt");
    enum sotto_err err = sotto_openai_read_chat(call, problem);
    if (err == SOTTO_OK && profile->no_images) {
        err = check_images(call, problem);
    }
    call->include_usage = call->include_usage || (call->stream && profile->tells_usage);
    return err;
}

static enum sotto_err read_request(const struct sotto_http_head *head, sotto_span body,
                                   size_t max_depth, struct sotto_call *call,
                                   struct sotto_problem *problem)
{
    bool embeddings = sotto_span_eq(sotto_http_path(head), SOTTO_LIT("/v1/embeddings"));
    enum sotto_err err = sotto_body_headers(head, call);
    call->ndjson = call->exchange->lines;
    if (err == SOTTO_OK) {
        err = sotto_body_parse(body, max_depth, call, problem);
    }
    if (err == SOTTO_OK) {
        err = embeddings ? sotto_openai_read_embeddings(call, problem) : read_chat(call, problem);
    }
    return err;
}

/* --- writing --------------------------------------------------------------------------------- */

static enum sotto_err write_answer(const struct sotto_call *call,
                                   const struct sotto_answer_facts *facts, yyjson_mut_doc *answer,
                                   struct sotto_buf *body)
{
    struct sotto_seal_exchange *x = call->exchange;
    enum sotto_err err = sotto_openai_put_facts(call, facts, answer);
    return err == SOTTO_OK ? x->profile->answer(x, 200, answer, body) : err;
}

static enum sotto_err write_event(const struct sotto_call *call,
                                  const struct sotto_answer_facts *facts, yyjson_mut_doc *chunk,
                                  struct sotto_buf *body)
{
    struct sotto_seal_exchange *x = call->exchange;
    enum sotto_err err = sotto_openai_put_facts(call, facts, chunk);
    return err == SOTTO_OK ? x->profile->event(x, chunk, body) : err;
}

static enum sotto_err write_done(const struct sotto_call *call, struct sotto_buf *body)
{
    return call->exchange->profile->end(call->exchange, body);
}

/* A document with the error that the client is told. */
static enum sotto_err make_error(const struct sotto_problem *problem,
                                 const yyjson_mut_doc *upstream, yyjson_mut_doc **out)
{
    yyjson_mut_doc *doc = sotto_json_new();
    enum sotto_err err = doc != NULL ? SOTTO_OK : SOTTO_ENOMEM;
    if (err == SOTTO_OK && upstream == NULL) {
        err = sotto_openai_build_error(doc, problem);
    } else if (err == SOTTO_OK) {
        yyjson_mut_val *root = yyjson_mut_val_mut_copy(doc, sotto_json_readable(upstream->root));
        yyjson_mut_doc_set_root(doc, root);
        err = root != NULL ? SOTTO_OK : SOTTO_ENOMEM;
    }
    if (err != SOTTO_OK) {
        sotto_json_free(doc);
        return err;
    }
    *out = doc;
    return SOTTO_OK;
}

enum sotto_err sotto_sealed_write_error(struct sotto_seal_exchange *x,
                                        const struct sotto_problem *problem,
                                        const yyjson_mut_doc *upstream, bool in_stream,
                                        struct sotto_buf *body)
{
    yyjson_mut_doc *doc = NULL;
    enum sotto_err err = make_error(problem, upstream, &doc);
    if (err == SOTTO_OK) {
        err = in_stream ? x->profile->fail(x, doc, body)
                        : x->profile->answer(x, problem->status, doc, body);
    }
    sotto_json_free(doc);
    return err;
}

/* A request without an exchange is refused by its profile; this is what is left. */
static enum sotto_err write_error(enum sotto_refusal refusal, const struct sotto_problem *problem,
                                  const yyjson_mut_doc *upstream, const struct sotto_call *stream,
                                  struct sotto_buf *body, int *status)
{
    return sotto_dialect_openai.write_error(refusal, problem, upstream, stream, body, status);
}

const struct sotto_dialect sotto_dialect_sealed_messages = {
    .name = "sealed_messages",
    .accepts = accepts,
    .key = key,
    .read = read_request,
    .write = write_answer,
    .write_event = write_event,
    .write_done = write_done,
    .write_error = write_error,
    .stream_type = "text/event-stream",
    .id_prefix = "chatcmpl-",
    .extras = true,
};
