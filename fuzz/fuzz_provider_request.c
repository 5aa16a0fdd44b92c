/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A chat request that the openai dialect accepts, written for each provider: the request has a
 * head that is ours, a Content-Length that is right and a body in JSON; or it is refused with 400.
 * The mirror answers it, whole and in chunks.
 */

#include <stdlib.h>

#include "dialects/table.h"
#include "upstream/mirror.h"
#include "upstream/table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char head_block[] = "POST /v1/chat/completions\r\n\r\n";

static const struct sotto_provider *const providers[] = {
    &sotto_provider_openai,
    &sotto_provider_azure,
    &sotto_provider_mistral,
    &sotto_provider_anthropic,
};

static void require(bool true_always)
{
    if (!true_always) {
        abort();
    }
}

static bool read_call(sotto_span body, struct sotto_call *call)
{
    struct sotto_http_head head;
    struct sotto_problem problem;
    require(sotto_http_head_index(sotto_span_str(head_block), true, &head) == SOTTO_OK);
    sotto_call_init(call);
    return sotto_dialect_openai.read(&head, body, 64, call, &problem) == SOTTO_OK;
}

static void check_request(sotto_span text)
{
    static const char length_name[] = "\r\nContent-Length: ";
    const uint8_t *end = memmem(text.base, text.len, "\r\n\r\n", 4);
    require(end != NULL);
    sotto_span body = sotto_span_skip(text, (size_t)(end - text.base) + 4);
    const uint8_t *length = memmem(text.base, text.len, length_name, sizeof(length_name) - 1);
    require(length != NULL && length < end);
    require(strtoul((const char *)length + sizeof(length_name) - 1, NULL, 10) == body.len);
    yyjson_mut_doc *doc = NULL;
    require(sotto_json_read(body, 200, &doc, NULL) == SOTTO_OK);
    require(sotto_json_is(sotto_json_get(yyjson_mut_doc_get_root(doc), "model"), "theirs"));
    sotto_json_free(doc);
}

static void write_for(const struct sotto_provider *provider, sotto_span body)
{
    static const struct sotto_upstream upstream = {
        .host = {(const uint8_t *)"h", 1}, .port = 80, .base_path = {(const uint8_t *)"/v1", 3}};
    struct sotto_call call;
    struct sotto_problem problem = {0};
    struct sotto_buf out;
    sotto_buf_init(&out, SOTTO_BUF_UNBOUNDED);
    if (read_call(body, &call)) {
        enum sotto_err err =
            provider->request(&upstream, &call, SOTTO_LIT("theirs"), &out, &problem);
        require(err == SOTTO_OK || (err == SOTTO_EINVAL && problem.status == 400));
        if (err == SOTTO_OK) {
            check_request(sotto_buf_span(&out));
        }
    }
    sotto_buf_free(&out);
    sotto_call_free(&call);
}

static bool is_token(sotto_span word)
{
    return word.len == 4;
}

static void mirror(sotto_span body)
{
    static const struct sotto_mirror_options options = {.is_token = is_token, .created_s = 1};
    struct sotto_call call;
    struct sotto_mirror_stream *stream = NULL;
    yyjson_mut_doc *doc = NULL;
    if (read_call(body, &call)) {
        require(sotto_mirror_answer(&call, &options, &doc) == SOTTO_OK);
        sotto_json_free(doc);
        require(sotto_mirror_stream_new(&call, &options, &stream) == SOTTO_OK);
        do {
            require(sotto_mirror_stream_next(stream, &doc) == SOTTO_OK);
            sotto_json_free(doc);
        } while (doc != NULL);
        sotto_mirror_stream_free(stream);
    }
    sotto_call_free(&call);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    sotto_span body = sotto_span_init(data, size);
    for (size_t i = 0; i < SOTTO_COUNT(providers); i++) {
        write_for(providers[i], body);
    }
    mirror(body);
    return 0;
}
