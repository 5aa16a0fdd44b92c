/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What an upstream sends, garbage included.  The first byte chooses the provider; the rest is a
 * stream, an event a line, and also a whole answer, which is made a stream, and an error.  Every
 * chunk that comes out is a chat.completion.chunk whose choices have an index and a delta and whose
 * tool calls have places; an error is an object with a message; nothing comes out of a stream that
 * was refused.
 */

#include <stdlib.h>

#include "upstream/chunks.h"
#include "upstream/table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

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

static void check_error(yyjson_mut_doc *doc)
{
    yyjson_mut_val *error = sotto_json_get(yyjson_mut_doc_get_root(doc), "error");
    require(yyjson_mut_is_str(sotto_json_get(error, "message")));
    require(yyjson_mut_is_str(sotto_json_get(error, "type")));
    require(sotto_json_get(error, "param") != NULL && sotto_json_get(error, "code") != NULL);
}

static void check_calls(yyjson_mut_val *delta)
{
    yyjson_mut_arr_iter iter = yyjson_mut_arr_iter_with(sotto_json_get(delta, "tool_calls"));
    yyjson_mut_val *call;
    while ((call = yyjson_mut_arr_iter_next(&iter)) != NULL) {
        int64_t index = -1;
        require(sotto_json_int(sotto_json_get(call, "index"), &index) == SOTTO_OK && index >= 0);
    }
}

static enum sotto_err check_chunk(void *ctx, yyjson_mut_doc *chunk)
{
    size_t *count = ctx;
    yyjson_mut_val *root = yyjson_mut_doc_get_root(chunk);
    yyjson_mut_val *choices = sotto_json_get(root, "choices"), *choice;
    int64_t index;
    require(sotto_json_is(sotto_json_get(root, "object"), "chat.completion.chunk"));
    require(yyjson_mut_is_arr(choices));
    yyjson_mut_arr_iter iter = yyjson_mut_arr_iter_with(choices);
    while ((choice = yyjson_mut_arr_iter_next(&iter)) != NULL) {
        require(sotto_json_int(sotto_json_get(choice, "index"), &index) == SOTTO_OK);
        require(yyjson_mut_is_obj(sotto_json_get(choice, "delta")));
        check_calls(sotto_json_get(choice, "delta"));
    }
    sotto_json_free(chunk);
    *count += 1;
    return SOTTO_OK;
}

static void feed_stream(const struct sotto_provider *provider, const struct sotto_call *call,
                        sotto_span text)
{
    struct sotto_provider_stream *stream = NULL;
    yyjson_mut_doc *error = NULL;
    size_t count = 0;
    bool done = false;
    enum sotto_err err = provider->stream_new(call, &stream);
    require(err == SOTTO_OK);
    while (err == SOTTO_OK && !done && text.len != 0) {
        const uint8_t *end = memchr(text.base, '\n', text.len);
        sotto_span line =
            sotto_span_sub(text, 0, end != NULL ? (size_t)(end - text.base) : text.len);
        text = sotto_span_skip(text, line.len + (end != NULL ? 1 : 0));
        sotto_span name =
            sotto_span_starts(line, SOTTO_LIT("!")) ? SOTTO_LIT("error") : SOTTO_LIT("");
        line = sotto_span_skip(line, name.len != 0 ? 1 : 0);
        err = provider->stream_event(stream, name, line, check_chunk, &count, &done, &error);
        require(err == SOTTO_OK || err == SOTTO_EUPSTREAM);
        require((err == SOTTO_EUPSTREAM) == (error != NULL));
    }
    if (error != NULL) {
        check_error(error);
        sotto_json_free(error);
    } else if (!done) {
        require(provider->stream_end(stream, check_chunk, &count, &done) == SOTTO_OK);
        require(!done || count != 0);
    }
    provider->stream_free(stream);
}

static void feed_whole(const struct sotto_provider *provider, const struct sotto_call *call,
                       sotto_span text)
{
    struct sotto_problem problem = {0};
    yyjson_mut_doc *doc = NULL;
    enum sotto_err err = provider->answer(call, text, &doc, &problem);
    size_t count = 0;
    if (err == SOTTO_OK) {
        require(yyjson_mut_is_arr(sotto_json_get(yyjson_mut_doc_get_root(doc), "choices")));
        err = sotto_chunks_emit(doc, check_chunk, &count);
        require(err == SOTTO_OK ? count >= 2 : err == SOTTO_EUPSTREAM && count == 0);
    } else {
        require(err == SOTTO_EUPSTREAM && doc == NULL && problem.status == 502);
    }
    sotto_json_free(doc);
    doc = NULL;
    require(provider->error(500, text, &doc) == SOTTO_OK);
    check_error(doc);
    sotto_json_free(doc);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sotto_call call;
    if (size == 0) {
        return 0;
    }
    const struct sotto_provider *provider = providers[data[0] % SOTTO_COUNT(providers)];
    sotto_span text = sotto_span_init(data + 1, size - 1);
    sotto_call_init(&call);
    call.choices = 1 + (data[0] >> 6);
    feed_stream(provider, &call, text);
    feed_whole(provider, &call, text);
    sotto_call_free(&call);
    return 0;
}
