/* SPDX-License-Identifier: Apache-2.0 */

#include "providing.h"

static const struct sotto_provider *const mistral = &sotto_provider_mistral;

#define HI "\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]"

static void test_fields(void)
{
    IS_STR(translated(mistral,
                      "{\"model\":\"m\"," HI ",\"max_completion_tokens\":5,\"seed\":7,"
                      "\"tool_choice\":\"required\",\"safe_prompt\":true,\"stream\":true,"
                      "\"stream_options\":{\"include_usage\":true},\"user\":\"u\",\"store\":false,"
                      "\"logprobs\":true,\"temperature\":0.30,\"stop\":[\"a\"],\"n\":2,"
                      "\"metadata\":{},\"top_k\":1,\"logit_bias\":{}}"),
           "{\"model\":\"theirs\"," HI ",\"tool_choice\":\"any\",\"safe_prompt\":true,"
           "\"stream\":true,\"temperature\":0.30,\"stop\":[\"a\"],\"n\":2,\"max_tokens\":5,"
           "\"random_seed\":7}",
           "only what Mistral knows, under its names");
    IS_STR(translated(mistral,
                      "{\"model\":\"m\"," HI ",\"max_tokens\":1,\"max_completion_tokens\":2,"
                      "\"tool_choice\":{\"type\":\"function\",\"function\":{\"name\":\"f\"}}}"),
           "{\"model\":\"theirs\"," HI ",\"max_tokens\":2,\"tool_choice\":{\"type\":\"function\","
           "\"function\":{\"name\":\"f\"}}}",
           "the newer limit wins; a named function stays");
}

static void test_messages(void)
{
    IS_STR(
        translated(
            mistral,
            "{\"model\":\"m\",\"messages\":["
            "{\"role\":\"developer\",\"content\":\"d\",\"name\":\"n\"},"
            "{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"t\"}],\"name\":\"n\"},"
            "{\"role\":\"assistant\",\"content\":null,\"refusal\":null,\"tool_calls\":["
            "{\"id\":\"call_abc\",\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":"
            "\"{}\"}},{\"id\":\"Ab3dEf6hI\",\"type\":\"function\",\"function\":{\"name\":\"g\","
            "\"arguments\":\"{}\"}}]},"
            "{\"role\":\"tool\",\"tool_call_id\":\"call_abc\",\"name\":\"f\",\"content\":\"r\"},"
            "{\"role\":\"tool\",\"tool_call_id\":\"Ab3dEf6hI\",\"content\":\"r\"}]}"),
        "{\"model\":\"theirs\",\"messages\":["
        "{\"role\":\"system\",\"content\":\"d\"},"
        "{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"t\"}]},"
        "{\"role\":\"assistant\",\"content\":null,\"tool_calls\":["
        "{\"id\":\"NOe245jVw\",\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":"
        "\"{}\"}},{\"id\":\"Ab3dEf6hI\",\"type\":\"function\",\"function\":{\"name\":\"g\","
        "\"arguments\":\"{}\"}}]},"
        "{\"role\":\"tool\",\"tool_call_id\":\"NOe245jVw\",\"name\":\"f\",\"content\":\"r\"},"
        "{\"role\":\"tool\",\"tool_call_id\":\"Ab3dEf6hI\",\"content\":\"r\"}]}",
        "roles, names and ids; an id and its mention stay one");
}

static void test_what_it_cannot_do(void)
{
    OK(strstr(translated(mistral, "{\"model\":\"m\",\"messages\":[{\"role\":\"function\","
                                  "\"name\":\"f\",\"content\":\"x\"}]}"),
              "error 4: messages") != NULL,
       "results of old functions");
    OK(strstr(translated(mistral, "{\"model\":\"m\"," HI ",\"functions\":[]}"),
              "error 4: functions") != NULL,
       "old functions");
}

static void test_embeddings(void)
{
    struct sotto_call call;
    call_with(&call, "{\"model\":\"m\",\"input\":[\"x\"],\"dimensions\":9,\"user\":\"u\","
                     "\"encoding_format\":\"float\"}");
    call.kind = SOTTO_CALL_EMBEDDINGS;
    IS_STR(body_of(request_text(mistral, &plain_upstream, &call)),
           "{\"model\":\"theirs\",\"input\":[\"x\"],\"encoding_format\":\"float\","
           "\"output_dimension\":9}",
           "embeddings under their names");
    sotto_call_free(&call);
}

static void test_answers(void)
{
    IS_STR(answered(mistral,
                    "{\"id\":\"c\",\"object\":\"chat.completion\",\"choices\":[{\"index\":0,"
                    "\"message\":{\"role\":\"assistant\",\"tool_calls\":null,\"content\":["
                    "{\"type\":\"thinking\",\"thinking\":[{\"type\":\"text\",\"text\":\"hm \"},"
                    "{\"type\":\"text\",\"text\":\"so\"}]},{\"type\":\"text\",\"text\":\"yes\"}]},"
                    "\"finish_reason\":\"model_length\"}],\"usage\":{\"total_tokens\":3}}"),
           "{\"id\":\"c\",\"object\":\"chat.completion\",\"choices\":[{\"index\":0,\"message\":{"
           "\"role\":\"assistant\",\"content\":\"yes\",\"reasoning_content\":\"hm so\"},"
           "\"finish_reason\":\"length\"}],\"usage\":{\"total_tokens\":3}}",
           "thoughts and lengths");
    IS_STR(
        answered(mistral,
                 "{\"choices\":[{\"message\":{\"content\":\"\",\"tool_calls\":[{\"id\":\"a\","
                 "\"function\":{\"name\":\"f\",\"arguments\":{\"x\":1}}}]},\"finish_reason\":"
                 "\"tool_calls\"}]}"),
        "{\"choices\":[{\"message\":{\"content\":\"\",\"tool_calls\":[{\"id\":\"a\",\"function\":{"
        "\"name\":\"f\",\"arguments\":\"{\\\"x\\\":1}\"},\"type\":\"function\"}]},"
        "\"finish_reason\":\"tool_calls\"}]}",
        "arguments as an object");
    IS_STR(answered(mistral, "{\"choices\":[{\"message\":{},\"finish_reason\":\"error\"}]}"),
           "error 13, status 502", "an answer that failed");
}

static void test_streams(void)
{
    IS_STR(
        STREAM(mistral, 1,
               "{\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"model\":\"m\",\"choices\":[{"
               "\"index\":0,\"delta\":{\"content\":[{\"type\":\"thinking\",\"thinking\":[{\"type\":"
               "\"text\",\"text\":\"hm\"}]}]},\"finish_reason\":null}]}",
               "{\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"model\":\"m\",\"choices\":[{"
               "\"index\":0,\"delta\":{\"content\":\"\"},\"finish_reason\":\"stop\"}],\"usage\":{"
               "\"total_tokens\":3}}",
               "[DONE]"),
        "{\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"model\":\"m\",\"choices\":[{"
        "\"index\":0,\"delta\":{\"content\":\"\",\"reasoning_content\":\"hm\"},\"finish_reason\":"
        "null}]}\n"
        "{\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"model\":\"m\",\"choices\":[{"
        "\"index\":0,\"delta\":{\"content\":\"\"},\"finish_reason\":\"stop\"}]}\n"
        "{\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"model\":\"m\",\"choices\":[],"
        "\"usage\":{\"total_tokens\":3}}\n"
        "done",
        "usage becomes a chunk of its own");
    OK(strncmp(STREAM(mistral, 1, "{\"choices\":[{\"delta\":{},\"finish_reason\":\"error\"}]}"),
               "error 13", 8) == 0,
       "a choice that failed ends the stream");
}

static void test_every_allocation_failure(void)
{
    static const char *const events[] = {
        "{\"choices\":[{\"delta\":{\"content\":[{\"text\":\"a\"}],\"tool_calls\":[{\"id\":\"a\","
        "\"function\":{\"name\":\"f\",\"arguments\":{}}}]},\"finish_reason\":\"stop\"}],"
        "\"usage\":{\"a\":1}}",
        NULL};
    fail_allocations(mistral,
                     "{\"model\":\"m\",\"messages\":[{\"role\":\"developer\",\"content\":\"x\"},"
                     "{\"role\":\"tool\",\"tool_call_id\":\"a\",\"content\":\"\"}],\"seed\":1,"
                     "\"tool_choice\":\"required\"}",
                     "{\"choices\":[{\"message\":{\"content\":[{\"text\":\"a\"},{\"thinking\":"
                     "\"b\"}]},\"finish_reason\":\"model_length\"}]}",
                     events);
}

int main(void)
{
    test_fields();
    test_messages();
    test_what_it_cannot_do();
    test_embeddings();
    test_answers();
    test_streams();
    test_every_allocation_failure();
    return done_testing();
}
