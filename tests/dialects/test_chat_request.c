/* SPDX-License-Identifier: Apache-2.0 */

#include "dialects/chat_request.h"

#include "asking.h"

#define WITH(fields)                                                                               \
    "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]," fields "}"
#define MESSAGE(message)                                                                           \
    "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}," message "]}"

struct wrong {
    const char *body, *param, *code, *message;
};

static const struct wrong wrongs[] = {
    {"{}", "model", "missing_required_parameter", "Missing required parameter: 'model'."},
    {"{\"model\":4,\"messages\":[]}", "model", "invalid_type",
     "Invalid type for 'model': expected a string, but got an integer instead."},
    {"{\"model\":\"m\"}", "messages", "missing_required_parameter",
     "Missing required parameter: 'messages'."},
    {"{\"model\":\"m\",\"messages\":{}}", "messages", "invalid_type",
     "Invalid type for 'messages': expected an array of objects, but got an object instead."},
    {"{\"model\":\"m\",\"messages\":null}", "messages", "invalid_type", NULL},
    {"{\"model\":\"m\",\"messages\":[]}", "messages", "empty_array",
     "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty "
     "array instead."},
    {MESSAGE("\"hi\""), "messages[1]", "invalid_type",
     "Invalid type for 'messages[1]': expected an object, but got a string instead."},
    {MESSAGE("{\"content\":\"x\"}"), "messages[1].role", "missing_required_parameter", NULL},
    {MESSAGE("{\"role\":1,\"content\":\"x\"}"), "messages[1].role", "invalid_type", NULL},
    {MESSAGE("{\"role\":\"robot\",\"content\":\"x\"}"), "messages[1].role", "invalid_value",
     "Invalid value for 'messages[1].role'. Supported values are: 'developer', 'system', 'user', "
     "'assistant', 'tool' and 'function'."},
    {MESSAGE("{\"role\":\"user\"}"), "messages[1].content", "missing_required_parameter", NULL},
    {MESSAGE("{\"role\":\"user\",\"content\":null}"), "messages[1].content", "invalid_type", NULL},
    {MESSAGE("{\"role\":\"user\",\"content\":7}"), "messages[1].content", "invalid_type",
     "Invalid type for 'messages[1].content': expected one of a string or array of objects, but "
     "got an integer instead."},
    {MESSAGE("{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"a\"},7]}"),
     "messages[1].content[1]", "invalid_type", NULL},
    {MESSAGE("{\"role\":\"user\",\"content\":[{\"text\":\"a\"}]}"), "messages[1].content[0].type",
     "missing_required_parameter", NULL},
    {MESSAGE("{\"role\":\"user\",\"content\":[{\"type\":\"text\"}]}"),
     "messages[1].content[0].text", "missing_required_parameter", NULL},
    {MESSAGE("{\"role\":\"user\",\"content\":[{\"type\":\"image_url\",\"image_url\":\"u\"}]}"),
     "messages[1].content[0].image_url", "invalid_type", NULL},
    {MESSAGE("{\"role\":\"user\",\"content\":[{\"type\":\"image_url\",\"image_url\":{}}]}"),
     "messages[1].content[0].image_url.url", "missing_required_parameter", NULL},
    {MESSAGE("{\"role\":\"user\",\"content\":\"x\",\"name\":[]}"), "messages[1].name",
     "invalid_type",
     "Invalid type for 'messages[1].name': expected a string, but got an array instead."},
    {MESSAGE("{\"role\":\"assistant\",\"tool_calls\":{}}"), "messages[1].tool_calls",
     "invalid_type", NULL},
    {MESSAGE("{\"role\":\"assistant\",\"tool_calls\":[{\"function\":{}}]}"),
     "messages[1].tool_calls[0].function.name", "missing_required_parameter", NULL},
    {MESSAGE("{\"role\":\"assistant\",\"tool_calls\":[{\"id\":\"a\",\"function\":{\"name\":\"f\","
             "\"arguments\":{}}}]}"),
     "messages[1].tool_calls[0].function.arguments", "invalid_type", NULL},
    {WITH("\"temperature\":2.1"), "temperature", "decimal_above_max_value",
     "Invalid 'temperature': decimal above maximum value. Expected a value <= 2."},
    {WITH("\"temperature\":-0.1"), "temperature", "decimal_below_min_value", NULL},
    {WITH("\"temperature\":\"1\""), "temperature", "invalid_type",
     "Invalid type for 'temperature': expected a decimal, but got a string instead."},
    {WITH("\"temperature\":1e999"), "temperature", "invalid_type", NULL},
    {WITH("\"top_p\":1.01"), "top_p", "decimal_above_max_value", NULL},
    {WITH("\"n\":0"), "n", "integer_below_min_value",
     "Invalid 'n': integer below minimum value. Expected a value >= 1."},
    {WITH("\"n\":129"), "n", "integer_above_max_value", NULL},
    {WITH("\"n\":1.5"), "n", "invalid_type",
     "Invalid type for 'n': expected an integer, but got a decimal instead."},
    {WITH("\"n\":99999999999999999999"), "n", "invalid_type", NULL},
    {WITH("\"max_tokens\":-1"), "max_tokens", "integer_below_min_value", NULL},
    {WITH("\"max_completion_tokens\":true"), "max_completion_tokens", "invalid_type",
     "Invalid type for 'max_completion_tokens': expected an integer, but got a boolean instead."},
    {WITH("\"stop\":[\"a\",1]"), "stop", "invalid_type", NULL},
    {WITH("\"stop\":1"), "stop", "invalid_type",
     "Invalid type for 'stop': expected one of a string or array of strings, but got an integer "
     "instead."},
    {WITH("\"presence_penalty\":-2.5"), "presence_penalty", "decimal_below_min_value", NULL},
    {WITH("\"frequency_penalty\":3"), "frequency_penalty", "decimal_above_max_value", NULL},
    {WITH("\"logprobs\":1"), "logprobs", "invalid_type", NULL},
    {WITH("\"top_logprobs\":21"), "top_logprobs", "integer_above_max_value", NULL},
    {WITH("\"stream\":\"true\""), "stream", "invalid_type", NULL},
    {WITH("\"stream\":true,\"stream_options\":{\"include_usage\":1}"),
     "stream_options.include_usage", "invalid_type", NULL},
    {WITH("\"tools\":{}"), "tools", "invalid_type", NULL},
    {WITH("\"tools\":[3]"), "tools[0]", "invalid_type", NULL},
    {WITH("\"tools\":[{\"type\":\"function\",\"function\":{\"description\":\"d\"}}]"),
     "tools[0].function.name", "missing_required_parameter", NULL},
    {WITH("\"tool_choice\":3"), "tool_choice", "invalid_type", NULL},
    {WITH("\"response_format\":\"json\""), "response_format", "invalid_type", NULL},
    {WITH("\"response_format\":{}"), "response_format.type", "missing_required_parameter", NULL},
    {WITH("\"seed\":0.5"), "seed", "invalid_type", NULL},
    {WITH("\"user\":5"), "user", "invalid_type", NULL},
    {WITH("\"metadata\":\"x\""), "metadata", "invalid_type", NULL},
    {WITH("\"encryption\":\"none\""), "encryption", "invalid_value",
     "Invalid value for 'encryption'. Supported values are: 'kyber512', 'rsa4096', 'auto' and "
     "'x-wing'."},
    {WITH("\"encryption\":1"), "encryption", "invalid_type", NULL},
    {WITH("\"compliance_mode\":[]"), "compliance_mode", "invalid_type", NULL},
};

static void test_wrong_fields_are_named(void)
{
    for (size_t i = 0; i < SOTTO_COUNT(wrongs); i++) {
        const struct wrong *w = &wrongs[i];
        struct asking a;
        ask(&a, &sotto_dialect_openai, CHAT JSON_TYPE, w->body);
        IS_INT(a.err, SOTTO_EINVAL, "%s is refused", w->body);
        IS_INT(a.problem.status, 400, "with 400");
        IS_STR(a.problem.type, "invalid_request_error", "as an invalid request");
        IS_STR(a.problem.param, w->param, "because of %s", w->param);
        IS_STR(a.problem.code, w->code, "with the code %s", w->code);
        if (w->message != NULL) {
            IS_STR(a.problem.message, w->message, "in these words");
        }
        asked(&a);
    }
}

static void test_what_is_allowed_passes(void)
{
    static const char *const bodies[] = {
        WITH("\"temperature\":0"),
        WITH("\"temperature\":2.0"),
        WITH("\"n\":128"),
        WITH("\"n\":1.0"),
        WITH("\"max_tokens\":0"),
        WITH("\"stop\":[]"),
        WITH("\"stop\":\"x\""),
        WITH("\"top_logprobs\":20,\"logprobs\":true"),
        WITH("\"seed\":-9007199254740991"),
        WITH("\"tool_choice\":{\"type\":\"function\",\"function\":{\"name\":\"f\"}}"),
        WITH("\"tools\":[{\"type\":\"custom\",\"custom\":{\"name\":\"c\"}}]"),
        WITH("\"response_format\":{\"type\":\"grammar\"}"),
        WITH("\"top_k\":40,\"chat_template_kwargs\":{\"a\":[1,null]}"),
        MESSAGE("{\"role\":\"assistant\"}"),
        MESSAGE("{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[{\"id\":\"a\","
                "\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}}]}"),
        MESSAGE("{\"role\":\"tool\",\"content\":\"x\",\"tool_call_id\":\"a\"}"),
        MESSAGE("{\"role\":\"function\",\"name\":\"f\",\"content\":null}"),
        MESSAGE("{\"role\":\"developer\",\"content\":[]}"),
        MESSAGE("{\"role\":\"user\",\"content\":[{\"type\":\"video\",\"video\":1}]}"),
    };
    for (size_t i = 0; i < SOTTO_COUNT(bodies); i++) {
        struct asking a;
        ask(&a, &sotto_dialect_openai, CHAT JSON_TYPE, bodies[i]);
        IS_INT(a.err, SOTTO_OK, "%s passes%s%s", bodies[i], a.err ? ": " : "", a.problem.message);
        IS_DOC(a.call.doc, bodies[i], "and stays as it is");
        asked(&a);
    }
}

static void test_null_is_absent(void)
{
    struct asking a;
    ask(&a, &sotto_dialect_openai, CHAT JSON_TYPE,
        WITH("\"temperature\":null,\"n\":null,\"stop\":null,\"stream\":null,\"tools\":null,"
             "\"stream_options\":null,\"encryption\":null,\"compliance_mode\":null,\"user\":null,"
             "\"max_tokens\":null,\"response_format\":null,\"tool_choice\":null,\"other\":null"));
    IS_INT(a.err, SOTTO_OK, "null is allowed");
    IS_DOC(a.call.doc, WITH("\"other\":null"), "and left out where it is known");
    IS_INT(a.call.choices, 1, "one choice");
    OK(!a.call.stream && a.call.encryption.len == 0 && a.call.mode.len == 0, "defaults");
    asked(&a);
}

static void test_usage_is_always_asked_for(void)
{
    static const struct {
        const char *body, *want;
        bool stream, include_usage;
    } cases[] = {
        {WITH("\"stream\":true"),
         WITH("\"stream\":true,\"stream_options\":{\"include_usage\":true}"), true, false},
        {WITH("\"stream\":true,\"stream_options\":{\"include_usage\":false,\"x\":1}"),
         WITH("\"stream\":true,\"stream_options\":{\"include_usage\":true,\"x\":1}"), true, false},
        {WITH("\"stream\":true,\"stream_options\":{\"include_usage\":true}"),
         WITH("\"stream\":true,\"stream_options\":{\"include_usage\":true}"), true, true},
        {WITH("\"stream\":true,\"stream_options\":{\"include_usage\":null}"),
         WITH("\"stream\":true,\"stream_options\":{\"include_usage\":true}"), true, false},
        {WITH("\"stream\":false,\"stream_options\":{\"include_usage\":true}"),
         WITH("\"stream\":false"), false, false},
    };
    for (size_t i = 0; i < SOTTO_COUNT(cases); i++) {
        struct asking a;
        ask(&a, &sotto_dialect_openai, CHAT JSON_TYPE, cases[i].body);
        IS_INT(a.err, SOTTO_OK, "case %zu", i);
        IS_DOC(a.call.doc, cases[i].want, "case %zu: what the upstream is asked", i);
        OK(a.call.stream == cases[i].stream, "case %zu: stream", i);
        OK(a.call.include_usage == cases[i].include_usage, "case %zu: the client's wish", i);
        asked(&a);
    }
}

static void test_nothing_is_stored(void)
{
    struct asking a;
    ask(&a, &sotto_dialect_openai, CHAT JSON_TYPE, WITH("\"store\":true"));
    IS_INT(a.err, SOTTO_OK, "store may be asked for");
    IS_DOC(a.call.doc, WITH("\"store\":false"), "and is turned off");
    asked(&a);
}

int main(void)
{
    test_wrong_fields_are_named();
    test_what_is_allowed_passes();
    test_null_is_absent();
    test_usage_is_always_asked_for();
    test_nothing_is_stored();
    return done_testing();
}
