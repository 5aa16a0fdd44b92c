/* SPDX-License-Identifier: Apache-2.0 */

#include "upstream/chunks.h"

#include "providing.h"

/* The chunks of an answer, a line each; then the error, where there is one. */
static const char *chunks_of(const char *answer)
{
    static struct streamed s;
    yyjson_mut_doc *doc = must_read(answer);
    s.len = 0;
    s.text[0] = '\0';
    enum sotto_err err = sotto_chunks_emit(doc, keep_chunk, &s);
    if (err != SOTTO_OK) {
        snprintf(s.text + s.len, sizeof(s.text) - s.len, "error %d", (int)err);
    }
    sotto_json_free(doc);
    return s.text;
}

static void test_text_its_end_and_usage(void)
{
    static const char answer[] =
        "{\"id\":\"a\",\"object\":\"chat.completion\",\"x\":1.0,\"choices\":[{\"index\":0,"
        "\"message\":{\"role\":\"assistant\",\"content\":\"Hi\"},\"logprobs\":{\"content\":[]},"
        "\"finish_reason\":\"stop\",\"stop_reason\":7}],\"usage\":{\"total_tokens\":3}}";
    static const char want[] =
        "{\"id\":\"a\",\"object\":\"chat.completion.chunk\",\"x\":1.0,\"choices\":[{\"index\":0,"
        "\"delta\":{\"role\":\"assistant\",\"content\":\"Hi\"},\"logprobs\":{\"content\":[]},"
        "\"finish_reason\":null}]}\n"
        "{\"id\":\"a\",\"object\":\"chat.completion.chunk\",\"x\":1.0,\"choices\":[{\"index\":0,"
        "\"finish_reason\":\"stop\",\"stop_reason\":7,\"delta\":{}}]}\n"
        "{\"id\":\"a\",\"object\":\"chat.completion.chunk\",\"x\":1.0,\"choices\":[],"
        "\"usage\":{\"total_tokens\":3}}\n";
    IS_STR(chunks_of(answer), want, "what was said, why it ended, what it took");
}

static void test_several_choices(void)
{
    static const char answer[] =
        "{\"choices\":[{\"index\":1,\"message\":{\"content\":\"b\"},\"finish_reason\":\"stop\"},"
        "{\"message\":{\"content\":\"a\"},\"finish_reason\":\"length\"}],\"usage\":null}";
    static const char want[] =
        "{\"object\":\"chat.completion.chunk\",\"choices\":[{\"index\":1,\"delta\":{\"content\":"
        "\"b\"},\"finish_reason\":null}]}\n"
        "{\"object\":\"chat.completion.chunk\",\"choices\":[{\"index\":1,\"finish_reason\":"
        "\"stop\",\"delta\":{}}]}\n"
        "{\"object\":\"chat.completion.chunk\",\"choices\":[{\"index\":1,\"delta\":{\"content\":"
        "\"a\"},\"finish_reason\":null}]}\n"
        "{\"object\":\"chat.completion.chunk\",\"choices\":[{\"finish_reason\":\"length\","
        "\"index\":1,\"delta\":{}}]}\n";
    IS_STR(chunks_of(answer), want,
           "each has chunks of its own, and the index it had or its place");
}

static void test_tool_calls(void)
{
    static const char answer[] =
        "{\"choices\":[{\"index\":0,\"message\":{\"tool_calls\":[{\"id\":\"a\"},{\"id\":\"b\","
        "\"index\":0}]},\"finish_reason\":\"tool_calls\"}]}";
    static const char want[] =
        "{\"object\":\"chat.completion.chunk\",\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":"
        "[{\"id\":\"a\",\"index\":0},{\"id\":\"b\",\"index\":1}]},\"finish_reason\":null}]}\n"
        "{\"object\":\"chat.completion.chunk\",\"choices\":[{\"index\":0,\"finish_reason\":"
        "\"tool_calls\",\"delta\":{}}]}\n";
    IS_STR(chunks_of(answer), want, "calls get their places");
}

static void test_what_is_not_understood(void)
{
    static const char *const answers[] = {
        "[]",
        "{}",
        "{\"choices\":5}",
        "{\"choices\":[]}",
        "{\"choices\":[5]}",
        "{\"choices\":[{}]}",
        "{\"choices\":[{\"message\":\"x\"}]}",
        "{\"choices\":[{\"message\":{\"tool_calls\":{}}}]}",
        "{\"choices\":[{\"message\":{\"content\":\"said\"}},{\"message\":null}]}",
        "{\"choices\":[{\"message\":{\"content\":\"said\"}},{\"message\":{\"tool_calls\":[5]}}]}",
    };
    for (size_t i = 0; i < SOTTO_COUNT(answers); i++) {
        IS_STR(chunks_of(answers[i]), "error 13", "nothing comes out of %s", answers[i]);
    }
}

static enum sotto_err refuse_chunk(void *ctx, yyjson_mut_doc *chunk)
{
    int *count = ctx;
    sotto_json_free(chunk);
    return ++*count == 2 ? SOTTO_ELIMIT : SOTTO_OK;
}

static void test_the_receivers_error_comes_back(void)
{
    int count = 0;
    yyjson_mut_doc *doc = must_read("{\"choices\":[{\"message\":{}},{\"message\":{}}]}");
    IS_INT(sotto_chunks_emit(doc, refuse_chunk, &count), SOTTO_ELIMIT, "its error comes back");
    IS_INT(count, 2, "and it is asked no more");
    sotto_json_free(doc);
}

static void test_every_allocation_may_fail(void)
{
    enum sotto_err err = SOTTO_ENOMEM;
    for (size_t n = 1; err != SOTTO_OK; n++) {
        yyjson_mut_doc *doc = must_read("{\"choices\":[{\"message\":{\"tool_calls\":[{}]},"
                                        "\"finish_reason\":\"stop\"}],\"usage\":{\"a\":1}}");
        sotto_alloc_set_fault(n);
        err = sotto_chunks_emit(doc, drop_chunk, NULL);
        sotto_alloc_set_fault(0);
        OK(err == SOTTO_OK || err == SOTTO_ENOMEM, "without allocation %zu", n);
        sotto_json_free(doc);
    }
}

int main(void)
{
    test_text_its_end_and_usage();
    test_several_choices();
    test_tool_calls();
    test_what_is_not_understood();
    test_the_receivers_error_comes_back();
    test_every_allocation_may_fail();
    return done_testing();
}
