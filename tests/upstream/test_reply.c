/* SPDX-License-Identifier: Apache-2.0 */

#include "upstream/reply.h"

#include "providing.h"

static const struct sotto_provider *const openai = &sotto_provider_openai;

#define CHUNK "\"object\":\"chat.completion.chunk\""
#define END(index)                                                                                 \
    "{" CHUNK ",\"choices\":[{\"index\":" index ",\"delta\":{},\"finish_reason\":\"stop\"}]}"

static void test_how_streams_end(void)
{
    IS_STR(STREAM(openai, 1, END("0"), "[DONE]"), END("0") "\ndone", "[DONE]");
    IS_STR(STREAM(openai, 1, END("0"), "[DONE] "), END("0") "\ndone", "[DONE] and a space");
    IS_STR(STREAM(openai, 1, END("0")), END("0") "\ncompleted",
           "without [DONE], when its choice has finished");
    IS_STR(STREAM(openai, 2, END("0")), END("0") "\ncut", "one of two choices is not enough");
    IS_STR(STREAM(openai, 2, END("0"), END("0")), END("0") "\n" END("0") "\ncut",
           "nor is one of them twice");
    IS_STR(STREAM(openai, 2, END("1"), END("0")), END("1") "\n" END("0") "\ncompleted",
           "both, in any order, are");
    IS_STR(STREAM(openai, 1, "[DONE]"), "done", "the upstream's word counts");
    IS_STR(stream_text(openai, 1, (const char *const[]){NULL}), "cut", "nothing at all");
}

static void test_errors_in_streams(void)
{
    IS_STR(
        STREAM(openai, 1, "{\"error\":{\"message\":\"late\",\"type\":\"t\"}}"),
        "error 13 {\"error\":{\"message\":\"late\",\"type\":\"t\",\"param\":null,\"code\":null}}",
        "an error object");
    IS_STR(STREAM(openai, 1, "{\"error\":\"late\"}"),
           "error 13 {\"error\":{\"message\":\"late\",\"type\":\"server_error\",\"param\":null,"
           "\"code\":null}}",
           "an error as a string");
    IS_STR(STREAM(openai, 1, "error|{\"message\":\"late\"}"),
           "error 13 {\"error\":{\"message\":\"late\",\"type\":\"server_error\",\"param\":null,"
           "\"code\":null}}",
           "an event named error");
    static const char *const garbage[] = {
        "",
        "x",
        "[]",
        "5",
        "{\"choices\":5}",
        "{\"choices\":[5]}",
        "{\"choices\":[null]}",
        "{\"",
        "[DONE",
        "\"text\"",
    };
    for (size_t i = 0; i < SOTTO_COUNT(garbage); i++) {
        IS_STR(STREAM(openai, 1, garbage[i]),
               "error 13 {\"error\":{\"message\":\"The upstream sent an event that cannot be "
               "understood.\",\"type\":\"server_error\",\"param\":null,\"code\":"
               "\"upstream_invalid_response\"}}",
               "garbage: %s", garbage[i]);
    }
}

static void test_chunks_are_mended(void)
{
    IS_STR(STREAM(openai, 1, "{\"id\":\"a\",\"x\":1.0}"),
           "{\"id\":\"a\",\"x\":1.0,\"choices\":[]," CHUNK "}\ncut", "no choices");
    IS_STR(STREAM(openai, 1, "{" CHUNK ",\"choices\":[{\"delta\":null}]}"),
           "{" CHUNK ",\"choices\":[{\"delta\":{},\"index\":0}]}\ncut", "no delta and no index");
}

#define CALLS(text) "{" CHUNK ",\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[" text "]}}]}"

static void test_tool_calls_get_their_places(void)
{
    IS_STR(STREAM(openai, 1, CALLS("{\"index\":0,\"id\":\"a\",\"function\":{\"name\":\"f\"}}"),
                  CALLS("{\"index\":0,\"function\":{\"arguments\":\"{\"}}"),
                  CALLS("{\"index\":1,\"id\":\"b\",\"function\":{\"name\":\"g\"}}"),
                  CALLS("{\"index\":0,\"id\":\"a\",\"function\":{\"arguments\":\"}\"}}")),
           CALLS("{\"index\":0,\"id\":\"a\",\"function\":{\"name\":\"f\"}}") "\n" CALLS(
               "{\"index\""
               ":0,"
               "\"function"
               "\":{"
               "\"argument"
               "s\":\"{\"}"
               "}") "\n" CALLS("{\"index\":1,\"id\":"
                               "\"b\",\"function\":{"
                               "\"name\":\"g\"}}") "\n" CALLS("{\"index\":0,\"id\":\"a\","
                                                              "\"function\":{"
                                                              "\"arguments\":\"}\"}}") "\ncut",
           "what is right stays");
    IS_STR(
        STREAM(openai, 1, CALLS("{\"id\":\"a\",\"index\":0,\"function\":{\"arguments\":\"{}\"}}"),
               CALLS("{\"id\":\"b\",\"index\":0,\"function\":{\"arguments\":\"{}\"}}"),
               CALLS("{\"index\":0,\"function\":{\"arguments\":\" \"}}")),
        CALLS("{\"id\":\"a\",\"index\":0,\"function\":{\"arguments\":\"{}\"}}") "\n" CALLS(
            "{\"id\":\"b\",\"index\":1,\"function\":{\"arguments\":\"{}\"}}") "\n" CALLS("{\"index"
                                                                                         "\":1,"
                                                                                         "\"functio"
                                                                                         "n\":{"
                                                                                         "\"argumen"
                                                                                         "ts\":\" "
                                                                                         "\"}}") "\ncut",
        "calls that all say 0 are told apart by their ids");
    IS_STR(STREAM(openai, 1, CALLS("{\"id\":\"a\"},{\"id\":\"b\"}"), CALLS("{\"function\":{}}")),
           CALLS("{\"id\":\"a\",\"index\":0},{\"id\":\"b\",\"index\":1}") "\n" CALLS(
               "{\"function\":{},\"index\":1}") "\ncut",
           "calls without a place get one");
    IS_STR(STREAM(openai, 1, CALLS("{\"index\":3,\"id\":\"a\"}")),
           CALLS("{\"index\":0,\"id\":\"a\"}") "\ncut", "places begin with 0");
    IS_STR(STREAM(openai, 1,
                  CALLS("{\"index\":0,\"id\":null,\"type\":null,\"function\":{\"name\":null,"
                        "\"arguments\":\"x\"}}")),
           CALLS("{\"index\":0,\"function\":{\"arguments\":\"x\"}}") "\ncut", "nulls are left out");
}

static void test_too_many_tool_calls(void)
{
    static char text[130][256];
    const char *events[132];
    for (size_t i = 0; i < 130; i++) {
        snprintf(text[i], sizeof(text[i]), CALLS("{\"index\":%zu}"), i);
        events[i] = text[i];
    }
    events[130] = NULL;
    OK(strstr(stream_text(openai, 1, events), "error 13") != NULL, "a flood of calls is an error");
}

static enum sotto_err refuse_chunk(void *ctx, yyjson_mut_doc *chunk)
{
    (void)ctx;
    sotto_json_free(chunk);
    return SOTTO_ELIMIT;
}

static void test_the_receivers_error_comes_back(void)
{
    struct sotto_call call;
    struct sotto_provider_stream *stream = NULL;
    yyjson_mut_doc *error = NULL;
    bool done = false;
    call_with(&call, "{}");
    IS_INT(sotto_provider_mistral.stream_new(&call, &stream), SOTTO_OK, "a stream");
    IS_INT(sotto_provider_mistral.stream_event(
               stream, SOTTO_LIT(""),
               SOTTO_LIT("{\"choices\":[{\"index\":0,\"delta\":{}}],\"usage\":{\"a\":1}}"),
               refuse_chunk, NULL, &done, &error),
           SOTTO_ELIMIT, "whose receiver refuses");
    OK(error == NULL && !done, "has no error of the upstream");
    sotto_provider_mistral.stream_free(stream);
    sotto_provider_mistral.stream_free(NULL);
    sotto_call_free(&call);
}

int main(void)
{
    test_how_streams_end();
    test_errors_in_streams();
    test_chunks_are_mended();
    test_tool_calls_get_their_places();
    test_too_many_tool_calls();
    test_the_receivers_error_comes_back();
    return done_testing();
}
