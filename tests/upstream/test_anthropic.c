/* SPDX-License-Identifier: Apache-2.0 */

#include "providing.h"

static const struct sotto_provider *const anthropic = &sotto_provider_anthropic;

#define HI "\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]"
#define HI_BLOCKS                                                                                  \
    "\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"hi\"}]}]"
#define MAX "\"model\":\"theirs\",\"max_tokens\":4096,"

static void test_head(void)
{
    static const char *const bases[] = {"/v1", "", "/proxy"};
    static const char *const lines[] = {"POST /v1/messages HTTP/1.1\r\n",
                                        "POST /v1/messages HTTP/1.1\r\n",
                                        "POST /proxy/v1/messages HTTP/1.1\r\n"};
    for (size_t i = 0; i < 3; i++) {
        struct sotto_call call;
        struct sotto_upstream upstream = plain_upstream;
        upstream.base_path = sotto_span_str(bases[i]);
        call_with(&call, "{" HI "}");
        const char *text = request_text(anthropic, &upstream, &call);
        OK(strstr(text, lines[i]) == text, "%s", lines[i]);
        OK(strstr(text, "\r\nx-api-key: sk-1\r\nanthropic-version: 2023-06-01\r\n") != NULL,
           "key and version");
        OK(strstr(text, "Authorization") == NULL, "no other key");
        sotto_call_free(&call);
    }
}

static void test_settings(void)
{
    static const struct {
        const char *name, *in, *want;
    } cases[] = {
        {"the least", "{" HI "}", "{" MAX HI_BLOCKS "}"},
        {"sampling",
         "{" HI
         ",\"temperature\":1.5,\"top_p\":0.90,\"max_tokens\":7,\"stop\":\"x\",\"stream\":true,"
         "\"user\":\"u\",\"seed\":1,\"n\":1,\"presence_penalty\":1,\"logprobs\":true,\"store\":"
         "false,"
         "\"stream_options\":{\"include_usage\":true}}",
         "{\"model\":\"theirs\",\"max_tokens\":7," HI_BLOCKS
         ",\"stream\":true,\"temperature\":1,\"top_p\":0.90,\"metadata\":{\"user_id\":\"u\"},"
         "\"stop_sequences\":[\"x\"]}"},
        {"limits and stops",
         "{" HI ",\"temperature\":0.25,\"max_completion_tokens\":8,\"max_tokens\":7,"
         "\"stop\":[\"a\",\"\",\"b\"]}",
         "{\"model\":\"theirs\",\"max_tokens\":8," HI_BLOCKS
         ",\"temperature\":0.25,\"stop_sequences\":[\"a\",\"b\"]}"},
        {"system messages",
         "{\"messages\":[{\"role\":\"system\",\"content\":\"one\"},{\"role\":\"user\",\"content\":"
         "\"hi\"},{\"role\":\"developer\",\"content\":[{\"type\":\"text\",\"text\":\"two\"},{"
         "\"type\":"
         "\"text\",\"text\":\"three\"}]}],\"response_format\":{\"type\":\"json_object\"}}",
         "{" MAX HI_BLOCKS
         ",\"system\":\"one\\n\\ntwo\\n\\nthree\\n\\nRespond with one JSON object "
         "and nothing else.\"}"},
        {"a schema",
         "{" HI ",\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"n\","
         "\"schema\":{\"type\":\"object\"}}}}",
         "{" MAX HI_BLOCKS ",\"system\":\"Respond with one JSON value that conforms to this JSON "
         "Schema and nothing else:\\n{\\\"type\\\":\\\"object\\\"}\"}"},
        {"tools",
         "{" HI
         ",\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\",\"description\":\"d\","
         "\"strict\":true,\"parameters\":{\"type\":\"object\",\"properties\":{}}}},{\"type\":"
         "\"function\",\"function\":{\"name\":\"g\"}}],\"tool_choice\":\"auto\"}",
         "{" MAX HI_BLOCKS ",\"tools\":[{\"name\":\"f\",\"description\":\"d\",\"input_schema\":{"
         "\"type\":\"object\",\"properties\":{}}},{\"name\":\"g\",\"input_schema\":{\"type\":"
         "\"object\"}}],\"tool_choice\":{\"type\":\"auto\"}}"},
        {"a tool that must be called",
         "{" HI ",\"tools\":[{\"function\":{\"name\":\"g\"}}],\"tool_choice\":\"required\","
         "\"parallel_tool_calls\":false}",
         "{" MAX HI_BLOCKS ",\"tools\":[{\"name\":\"g\",\"input_schema\":{\"type\":\"object\"}}],"
         "\"tool_choice\":{\"type\":\"any\",\"disable_parallel_tool_use\":true}}"},
        {"a tool by name",
         "{" HI
         ",\"tools\":[{\"function\":{\"name\":\"g\"}}],\"tool_choice\":{\"type\":\"function\","
         "\"function\":{\"name\":\"g\"}}}",
         "{" MAX HI_BLOCKS ",\"tools\":[{\"name\":\"g\",\"input_schema\":{\"type\":\"object\"}}],"
         "\"tool_choice\":{\"type\":\"tool\",\"name\":\"g\"}}"},
        {"no tool", "{" HI ",\"tools\":[{\"function\":{\"name\":\"g\"}}],\"tool_choice\":\"none\"}",
         "{" MAX HI_BLOCKS ",\"tools\":[{\"name\":\"g\",\"input_schema\":{\"type\":\"object\"}}],"
         "\"tool_choice\":{\"type\":\"none\"}}"},
    };
    for (size_t i = 0; i < SOTTO_COUNT(cases); i++) {
        IS_STR(translated(anthropic, cases[i].in), cases[i].want, "%s", cases[i].name);
    }
}

static void test_messages(void)
{
    IS_STR(
        translated(
            anthropic,
            "{\"messages\":["
            "{\"role\":\"user\",\"content\":\"a\"},{\"role\":\"user\",\"content\":[{\"type\":"
            "\"text\",\"text\":\"b\"},{\"type\":\"text\",\"text\":\"\"},{\"type\":\"image_url\","
            "\"image_url\":{\"url\":\"data:image/png;base64,QUJD\"}},{\"type\":\"image_url\","
            "\"image_url\":{\"url\":\"https://h.example/i.png\"}},{\"type\":\"file\",\"file\":{"
            "\"file_data\":\"data:application/pdf;base64,QQ==\"}}]},"
            "{\"role\":\"assistant\",\"content\":\"c\",\"tool_calls\":[{\"id\":\"call_1\",\"type\":"
            "\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"{\\\"x\\\": "
            "1.0}\"}},{\"id\":"
            "\"b!d\",\"function\":{\"name\":\"g\",\"arguments\":\"\"}},{\"id\":\"c3\",\"function\":"
            "{"
            "\"name\":\"h\",\"arguments\":\"oops\"}}]},"
            "{\"role\":\"tool\",\"tool_call_id\":\"call_1\",\"content\":\"r\"},"
            "{\"role\":\"tool\",\"tool_call_id\":\"b!d\",\"content\":[{\"type\":\"text\",\"text\":"
            "\"s\"}]},"
            "{\"role\":\"user\",\"content\":\"e\"}]}"),
        "{" MAX "\"messages\":["
        "{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"a\"},{\"type\":\"text\","
        "\"text\":\"b\"},{\"type\":\"image\",\"source\":{\"type\":\"base64\",\"media_type\":"
        "\"image/"
        "png\",\"data\":\"QUJD\"}},{\"type\":\"image\",\"source\":{\"type\":\"url\",\"url\":"
        "\"https://h.example/i.png\"}},{\"type\":\"document\",\"source\":{\"type\":\"base64\","
        "\"media_type\":\"application/pdf\",\"data\":\"QQ==\"}}]},"
        "{\"role\":\"assistant\",\"content\":[{\"type\":\"text\",\"text\":\"c\"},{\"type\":"
        "\"tool_use\",\"id\":\"call_1\",\"name\":\"f\",\"input\":{\"x\":1.0}},{\"type\":\"tool_"
        "use\","
        "\"id\":\"kDprMA3D2\",\"name\":\"g\",\"input\":{}},{\"type\":\"tool_use\",\"id\":\"c3\","
        "\"name\":\"h\",\"input\":{\"arguments\":\"oops\"}}]},"
        "{\"role\":\"user\",\"content\":[{\"type\":\"tool_result\",\"tool_use_id\":\"call_1\","
        "\"content\":[{\"type\":\"text\",\"text\":\"r\"}]},{\"type\":\"tool_result\",\"tool_use_"
        "id\":"
        "\"kDprMA3D2\",\"content\":[{\"type\":\"text\",\"text\":\"s\"}]},{\"type\":\"text\","
        "\"text\":"
        "\"e\"}]}]}",
        "text, images, documents, calls and results; neighbours of one role are one message");
}

static void test_what_it_cannot_do(void)
{
    static const struct {
        const char *in, *want;
    } cases[] = {
        {"{" HI ",\"n\":2}", "error 4: n: "},
        {"{" HI ",\"functions\":[]}", "error 4: functions: "},
        {"{" HI ",\"tools\":[{\"type\":\"custom\",\"custom\":{}}]}", "error 4: tools: "},
        {"{\"messages\":[{\"role\":\"user\",\"content\":\"a\"},{\"role\":\"user\",\"content\":[{"
         "\"type\":\"input_audio\",\"input_audio\":{}}]}]}",
         "error 4: messages[1]: "},
        {"{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image_url\",\"image_url\":{"
         "\"url\":\"file:///etc/passwd\"}}]}]}",
         "error 4: messages[0]: "},
        {"{\"messages\":[{\"role\":\"system\",\"content\":[{\"type\":\"image_url\"}]}]}",
         "error 4: messages[0]: "},
        {"{\"messages\":[{\"role\":\"function\",\"name\":\"f\",\"content\":\"a\"}]}",
         "error 4: messages[0]: "},
    };
    for (size_t i = 0; i < SOTTO_COUNT(cases); i++) {
        const char *text = translated(anthropic, cases[i].in);
        OK(strncmp(text, cases[i].want, strlen(cases[i].want)) == 0, "%s", text);
    }
    struct sotto_call call;
    call_with(&call, "{\"input\":\"x\"}");
    call.kind = SOTTO_CALL_EMBEDDINGS;
    OK(strstr(request_text(anthropic, &plain_upstream, &call), "error 4: model") != NULL,
       "embeddings");
    sotto_call_free(&call);
}

static void test_answers(void)
{
    IS_STR(answered(
               anthropic,
               "{\"id\":\"msg_1\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"claude\","
               "\"content\":[{\"type\":\"thinking\",\"thinking\":\"hm\",\"signature\":\"s\"},{"
               "\"type\":\"text\",\"text\":\"Hello \"},{\"type\":\"text\",\"text\":\"you\"}],"
               "\"stop_reason\":\"end_turn\",\"stop_sequence\":null,\"usage\":{\"input_tokens\":10,"
               "\"cache_creation_input_tokens\":2,\"cache_read_input_tokens\":3,\"output_tokens\":"
               "5}}"),
           "{\"id\":\"msg_1\",\"object\":\"chat.completion\",\"model\":\"claude\",\"choices\":[{"
           "\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"Hello "
           "you\",\"refusal\":null,"
           "\"reasoning_content\":\"hm\"},\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_"
           "tokens\":15,"
           "\"completion_tokens\":5,\"total_tokens\":20,\"prompt_tokens_details\":{\"cached_"
           "tokens\":3}"
           "}}",
           "text and thoughts");
    IS_STR(
        answered(
            anthropic,
            "{\"id\":\"msg_1\",\"model\":\"claude\",\"content\":[{\"type\":\"tool_use\",\"id\":"
            "\"toolu_1\",\"name\":\"f\",\"input\":{\"a\":\"b\"}}],\"stop_reason\":\"tool_use\"}"),
        "{\"id\":\"msg_1\",\"object\":\"chat.completion\",\"model\":\"claude\",\"choices\":[{"
        "\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":null,\"refusal\":null,"
        "\"tool_calls\":[{\"id\":\"toolu_1\",\"type\":\"function\",\"function\":{\"name\":\"f\","
        "\"arguments\":\"{\\\"a\\\":\\\"b\\\"}\"}}]},\"finish_reason\":\"tool_calls\"}],\"usage\":{"
        "\"prompt_tokens\":0,\"completion_tokens\":0,\"total_tokens\":0,\"prompt_tokens_details\":{"
        "\"cached_tokens\":0}}}",
        "a call");
    static const char *const reasons[][2] = {
        {"end_turn", "\"finish_reason\":\"stop\""},
        {"stop_sequence", "\"finish_reason\":\"stop\""},
        {"pause_turn", "\"finish_reason\":\"stop\""},
        {"max_tokens", "\"finish_reason\":\"length\""},
        {"model_context_window_exceeded", "\"finish_reason\":\"length\""},
        {"refusal", "\"finish_reason\":\"content_filter\""},
    };
    for (size_t i = 0; i < SOTTO_COUNT(reasons); i++) {
        char body[128];
        snprintf(body, sizeof(body), "{\"content\":[],\"stop_reason\":\"%s\"}", reasons[i][0]);
        const char *text = answered(anthropic, body);
        OK(strstr(text, reasons[i][1]) != NULL, "%s: %s", reasons[i][0], text);
    }
    IS_STR(answered(anthropic, "{\"type\":\"error\",\"error\":{}}"), "error 13, status 502",
           "an error with status 200");
    IS_STR(answered(anthropic, "nothing"), "error 13, status 502", "no JSON");
}

#define HEAD                                                                                       \
    "{\"id\":\"msg_1\",\"object\":\"chat.completion.chunk\",\"model\":\"claude\",\"choices\":["
#define DELTA(delta) HEAD "{\"index\":0,\"delta\":{" delta "},\"finish_reason\":null}]}\n"
#define START                                                                                      \
    "message_start|{\"type\":\"message_start\",\"message\":{\"id\":\"msg_1\",\"model\":"           \
    "\"claude\","                                                                                  \
    "\"usage\":{\"input_tokens\":10,\"output_tokens\":1}}}"

static const char *const stream_events[] = {
    START,
    "content_block_start|{\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":"
    "\"text\",\"text\":\"\"}}",
    "ping|{\"type\":\"ping\"}",
    "content_block_delta|{\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":"
    "\"text_delta\",\"text\":\"Hello\"}}",
    "content_block_stop|{\"type\":\"content_block_stop\",\"index\":0}",
    "content_block_start|{\"type\":\"content_block_start\",\"index\":1,\"content_block\":{\"type\":"
    "\"tool_use\",\"id\":\"toolu_1\",\"name\":\"f\",\"input\":{}}}",
    "content_block_delta|{\"type\":\"content_block_delta\",\"index\":1,\"delta\":{\"type\":"
    "\"input_json_delta\",\"partial_json\":\"\"}}",
    "content_block_delta|{\"type\":\"content_block_delta\",\"index\":1,\"delta\":{\"type\":"
    "\"input_json_delta\",\"partial_json\":\"{\\\"a\\\":\"}}",
    "content_block_delta|{\"type\":\"content_block_delta\",\"index\":1,\"delta\":{\"type\":"
    "\"input_json_delta\",\"partial_json\":\"1}\"}}",
    "content_block_stop|{\"type\":\"content_block_stop\",\"index\":1}",
    "content_block_start|{\"type\":\"content_block_start\",\"index\":2,\"content_block\":{\"type\":"
    "\"tool_use\",\"id\":\"toolu_2\",\"name\":\"g\",\"input\":{}}}",
    "content_block_stop|{\"type\":\"content_block_stop\",\"index\":2}",
    "message_delta|{\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"tool_use\"},\"usage\":{"
    "\"output_tokens\":9}}",
    "message_stop|{\"type\":\"message_stop\"}",
    NULL,
};

static void test_streams(void)
{
    IS_STR(stream_text(anthropic, 1, stream_events),
           DELTA("\"role\":\"assistant\",\"content\":\"\"") DELTA("\"content\":\"Hello\"") DELTA(
               "\"tool_calls\":[{\"index\":0,\"id\":\"toolu_1\",\"type\":\"function\","
               "\"function\":{\"name\":\"f\",\"arguments\":\"\"}}]")
               DELTA("\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\"{\\\"a\\\":\"}}]")
                   DELTA("\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\"1}\"}}]")
                       DELTA("\"tool_calls\":[{\"index\":1,\"id\":\"toolu_2\",\"type\":"
                             "\"function\",\"function\":{\"name\":\"g\",\"arguments\":\"\"}}]")
                           DELTA("\"tool_calls\":[{\"index\":1,\"function\":{\"arguments\":"
                                 "\"{}\"}}]") HEAD
           "{\"index\":0,\"delta\":{},\"finish_reason\":\"tool_calls\"}]}\n" HEAD
           "],\"usage\":{\"prompt_tokens\":10,\"completion_tokens\":9,\"total_tokens\":19,"
           "\"prompt_tokens_details\":{\"cached_tokens\":0}}}\n"
           "done",
           "a whole stream");
    IS_STR(STREAM(anthropic, 1, START,
                  "{\"type\":\"content_block_delta\",\"delta\":{\"type\":\"thinking_delta\","
                  "\"thinking\":\"hm\"}}",
                  "{\"type\":\"content_block_delta\",\"delta\":{\"type\":\"signature_delta\","
                  "\"signature\":\"s\"}}",
                  "{\"type\":\"something_new\"}"),
           DELTA("\"role\":\"assistant\",\"content\":\"\"")
               DELTA("\"reasoning_content\":\"hm\"") "cut",
           "thoughts come through, what is new is skipped, an early end is a cut");
    const char *text =
        STREAM(anthropic, 1, START,
               "{\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"}}");
    OK(strstr(text, "\ncompleted") != NULL, "with its reason to stop it is complete: %s", text);
    IS_STR(
        STREAM(anthropic, 1,
               "error|{\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":"
               "\"Overloaded\"}}"),
        "error 13 {\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\",\"param\":"
        "null,\"code\":null}}",
        "an error");
    static const char *const garbage[] = {"", "[]", "{}", "[DONE]", "{\"type\":1}", "x"};
    for (size_t i = 0; i < SOTTO_COUNT(garbage); i++) {
        OK(strncmp(STREAM(anthropic, 1, garbage[i]), "error 13 {\"error\":", 18) == 0,
           "garbage: %s", garbage[i]);
    }
}

static void test_every_allocation_failure(void)
{
    fail_allocations(
        anthropic,
        "{\"messages\":[{\"role\":\"system\",\"content\":\"s\"},{\"role\":\"user\","
        "\"content\":\"u\"},{\"role\":\"assistant\",\"tool_calls\":[{\"id\":\"a\","
        "\"function\":{\"name\":\"f\",\"arguments\":\"{\\\"a\\\":1}\"}}]},{\"role\":\"tool\","
        "\"tool_call_id\":\"!\",\"content\":\"r\"}],\"stop\":\"x\",\"tools\":[{\"function\":{"
        "\"name\":\"f\"}}],\"tool_choice\":\"none\",\"user\":\"u\",\"temperature\":2}",
        "{\"content\":[{\"type\":\"text\",\"text\":\"a\"},{\"type\":\"tool_use\",\"id\":\"i\","
        "\"name\":\"n\",\"input\":{}}],\"stop_reason\":\"tool_use\"}",
        stream_events);
}

int main(void)
{
    test_head();
    test_settings();
    test_messages();
    test_what_it_cannot_do();
    test_answers();
    test_streams();
    test_every_allocation_failure();
    return done_testing();
}
