/* SPDX-License-Identifier: Apache-2.0 */

#include "asking.h"

#include "base/alloc.h"

static const struct sotto_dialect *const phi = &sotto_dialect_phi_header;

#define KEYS "x-compliantchatgpt-key: ql_key\r\nx-openai-key: sk-own\r\n"
#define HI   "\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]"

/* Document 001, "Example Request": what json.dumps() makes of its data. */
static const char document_request[] =
    "{\"model\": \"gpt-4o-2024-05-13\", \"messages\": [{\"role\": \"system\", \"content\": \"You "
    "are a helpful medical assistant.\"}, {\"role\": \"user\", \"content\": \"Patient John Doe has "
    "complained about recurring headaches for the past two weeks. \"}]}";

/* Document 001, "Example Response", without white space. */
static const char document_response[] =
    "{\"content\":\"Thank you for letting me know. Have they seen a doctor or received any "
    "treatment for their headaches?\"}";

static void test_the_documents_request(void)
{
    struct asking a;
    ask(&a, phi, CHAT KEYS "Content-Type: application/json\r\n", document_request);
    IS_INT(a.err, SOTTO_OK, "the document's request is read");
    IS_SPAN(phi->key(&a.head), "ql_key", "the gateway's key");
    IS_SPAN(a.call.upstream_key, "sk-own", "the caller's own key");
    IS_SPAN(a.call.model, "gpt-4o-2024-05-13", "the model");
    IS_DOC(a.call.doc,
           "{\"model\":\"gpt-4o-2024-05-13\",\"messages\":[{\"role\":\"system\",\"content\":\"You "
           "are a helpful medical assistant.\"},{\"role\":\"user\",\"content\":\"Patient John Doe "
           "has complained about recurring headaches for the past two weeks. "
           "\"}],\"temperature\":0.7,\"n\":1}",
           "with the document's defaults");
    IS_STR(phi->fixed_mode, "hipaa", "the mode is fixed");
    OK(!phi->extras, "answers bear nothing else");
    asked(&a);
}

static void test_the_documents_answer(void)
{
    struct asking a;
    struct sotto_answer_facts facts = {{NULL, 0}, 1};
    ask(&a, phi, CHAT KEYS JSON_TYPE, document_request);
    IS_STR(
        written(phi, &a.call, &facts,
                "{\"id\":\"c\",\"object\":\"chat.completion\",\"created\":1,\"model\":\"gpt-4o\","
                "\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":"
                "\"Thank you for letting me know. Have they seen a doctor or received any "
                "treatment for their headaches?\",\"refusal\":null},\"finish_reason\":\"stop\"}],"
                "\"usage\":{\"total_tokens\":3}}"),
        document_response, "the document's response, byte for byte");
    asked(&a);
}

static void test_defaults(void)
{
    struct asking a;
    ask(&a, phi, CHAT KEYS JSON_TYPE, "{" HI "}");
    IS_INT(a.err, SOTTO_OK, "only messages are needed");
    IS_DOC(a.call.doc, "{" HI ",\"model\":\"gpt-3.5-turbo\",\"temperature\":0.7,\"n\":1}",
           "the defaults");
    IS_SPAN(a.call.model, "gpt-3.5-turbo", "the model's name");
    asked(&a);
    ask(&a, phi, CHAT KEYS JSON_TYPE,
        "{\"model\":null,\"temperature\":null,\"n\":null,\"max_tokens\":null," HI
        ",\"encryption\":7,\"compliance_mode\":\"sox\",\"top_p\":0.5}");
    IS_INT(a.err, SOTTO_OK, "null is the default");
    IS_DOC(a.call.doc,
           "{\"model\":\"gpt-3.5-turbo\",\"temperature\":0.7,\"n\":1," HI ",\"top_p\":0.5}",
           "the gateway's words are dropped, other fields pass");
    OK(a.call.mode.len == 0, "no mode is taken from the body");
    asked(&a);
}

static void test_bad_requests(void)
{
    static const struct {
        const char *head, *body, *param;
    } cases[] = {
        {CHAT "x-compliantchatgpt-key: k\r\n" JSON_TYPE, "{" HI "}", ""},
        {CHAT "x-compliantchatgpt-key: k\r\nx-openai-key: \r\n" JSON_TYPE, "{" HI "}", ""},
        {CHAT KEYS "x-openai-key: other\r\n" JSON_TYPE, "{" HI "}", ""},
        {CHAT KEYS "Content-Type: text/plain\r\n", "{" HI "}", ""},
        {CHAT KEYS JSON_TYPE, "{", ""},
        {CHAT KEYS JSON_TYPE, "{}", "messages"},
        {CHAT KEYS JSON_TYPE, "{\"messages\":[{\"role\":\"tool\",\"content\":\"x\"}]}",
         "messages[0].role"},
        {CHAT KEYS JSON_TYPE, "{\"messages\":[{\"role\":\"user\"}]}", "messages[0].content"},
        {CHAT KEYS JSON_TYPE, "{\"model\":1," HI "}", "model"},
        {CHAT KEYS JSON_TYPE, "{\"temperature\":2.5," HI "}", "temperature"},
        {CHAT KEYS JSON_TYPE, "{\"n\":0," HI "}", "n"},
        {CHAT KEYS JSON_TYPE, "{\"max_tokens\":\"many\"," HI "}", "max_tokens"},
    };
    for (size_t i = 0; i < SOTTO_COUNT(cases); i++) {
        struct asking a;
        int status;
        ask(&a, phi, cases[i].head, cases[i].body);
        IS_INT(a.err, SOTTO_EINVAL, "case %zu is refused", i);
        IS_STR(a.problem.param, cases[i].param, "case %zu: param", i);
        const char *text = refusal(phi, SOTTO_REFUSE_PROBLEM, &a.problem, NULL, false, &status);
        IS_INT(status, 400, "case %zu: status", i);
        OK(strstr(text, "{\"error\":\"Invalid request body or missing/invalid OpenAI API key.\","
                        "\"description\":\"") == text,
           "case %zu: %s", i, text);
        asked(&a);
    }
}

static void test_statuses(void)
{
    static const struct {
        const char *name;
        enum sotto_refusal why;
        int status;
        const char *code, *upstream;
        int want;
    } cases[] = {
        {"the gateway's key", SOTTO_REFUSE_KEY, 0, NULL, NULL, 401},
        {"a quota", SOTTO_REFUSE_QUOTA, 0, NULL, NULL, 429},
        {"a rate", SOTTO_REFUSE_RATE, 0, NULL, NULL, 429},
        {"an unknown model", SOTTO_REFUSE_PROBLEM, 404, "model_not_found", NULL, 400},
        {"a body too large", SOTTO_REFUSE_PROBLEM, 413, NULL, NULL, 400},
        {"a key outside its scope", SOTTO_REFUSE_PROBLEM, 403, "permission_denied", NULL, 401},
        {"the caller's key refused", SOTTO_REFUSE_PROBLEM, 400, "upstream_auth_failed", NULL, 400},
        {"a key refused by status", SOTTO_REFUSE_PROBLEM, 401, NULL, "{\"error\":{}}", 400},
        {"an upstream's limit", SOTTO_REFUSE_PROBLEM, 429, NULL, "{\"error\":{}}", 429},
        {"an upstream's refusal", SOTTO_REFUSE_PROBLEM, 422, NULL, "{\"error\":{}}", 400},
        {"an upstream's failure", SOTTO_REFUSE_PROBLEM, 503, NULL, "{\"error\":{}}", 500},
        {"no upstream", SOTTO_REFUSE_PROBLEM, 502, NULL, NULL, 500},
        {"no time", SOTTO_REFUSE_PROBLEM, 504, NULL, NULL, 500},
        {"no protection", SOTTO_REFUSE_PROBLEM, 503, NULL, NULL, 500},
    };
    for (size_t i = 0; i < SOTTO_COUNT(cases); i++) {
        struct sotto_problem problem;
        int status;
        sotto_problem_set(&problem, cases[i].status, "t", cases[i].code, NULL, "words");
        refusal(phi, cases[i].why, &problem, cases[i].upstream, false, &status);
        IS_INT(status, cases[i].want, "%s", cases[i].name);
    }
}

static void test_error_bodies(void)
{
    struct sotto_problem problem;
    int status;
    IS_STR(refusal(phi, SOTTO_REFUSE_KEY, NULL, NULL, false, &status),
           "{\"error\":\"Missing or invalid CompliantChatGPT API key.\",\"description\":\"Missing "
           "or invalid CompliantChatGPT API key.\"}",
           "without words of a problem");
    sotto_problem_set(&problem, 500, "t", NULL, NULL, "ours");
    IS_STR(refusal(phi, SOTTO_REFUSE_PROBLEM, &problem, "{\"error\":{\"message\":\"theirs\"}}",
                   false, &status),
           "{\"error\":\"Server error\",\"description\":\"theirs\"}", "an upstream's words");
    IS_STR(refusal(phi, SOTTO_REFUSE_PROBLEM, &problem, NULL, true, &status),
           "data: {\"error\":\"Server error\",\"description\":\"ours\"}\n\n", "in a stream");
}

static void test_several_choices(void)
{
    struct asking a;
    struct sotto_answer_facts facts = {{NULL, 0}, 1};
    ask(&a, phi, CHAT KEYS JSON_TYPE, "{\"n\":3,\"stream\":true," HI "}");
    IS_INT(a.call.choices, 3, "three are asked for");
    IS_STR(written(phi, &a.call, &facts,
                   "{\"choices\":[{\"index\":1,\"message\":{\"content\":\"b\"}},"
                   "{\"index\":0,\"message\":{\"content\":\"a\"}},"
                   "{\"index\":2,\"message\":{\"content\":null,\"refusal\":\"no\"}}]}"),
           "{\"content\":[\"a\",\"b\",\"no\"]}", "contents stand in the order of their index");
    IS_STR(written(phi, &a.call, &facts, "{\"choices\":[]}"), "{\"content\":[\"\",\"\",\"\"]}",
           "what is missing is empty");
    IS_STR(event(phi, &a.call, &facts,
                 "{\"choices\":[{\"index\":2,\"delta\":{\"content\":\"x\"}},"
                 "{\"index\":0,\"delta\":{\"content\":\"y\"}}]}"),
           "data: {\"content\":\"x\",\"index\":2}\n\ndata: {\"content\":\"y\",\"index\":0}\n\n",
           "events say whose they are");
    asked(&a);
}

static void test_events(void)
{
    struct asking a;
    struct sotto_answer_facts facts = {{NULL, 0}, 1};
    ask(&a, phi, CHAT KEYS JSON_TYPE, "{\"stream\":true," HI "}");
    OK(a.call.stream && !a.call.include_usage, "a stream is asked for");
    IS_STR(
        event(phi, &a.call, &facts,
              "{\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}]}"),
        "", "a role alone is nothing");
    IS_STR(event(phi, &a.call, &facts,
                 "{\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a \\\"b\\\"\"}}]}"),
           "data: {\"content\":\"a \\\"b\\\"\"}\n\n", "a piece of text is an event");
    IS_STR(event(phi, &a.call, &facts,
                 "{\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}"),
           "", "an end is nothing");
    IS_STR(event(phi, &a.call, &facts, "{\"choices\":[],\"usage\":{}}"), "", "usage is nothing");
    struct sotto_buf out;
    sotto_buf_init(&out, 100);
    IS_INT(phi->write_done(&a.call, &out), SOTTO_OK, "the end");
    IS_TEXT(out.base, out.len, "data: [DONE]\n\n", "is [DONE]");
    sotto_buf_free(&out);
    asked(&a);
}

static void test_every_allocation_failure(void)
{
    struct asking a;
    sotto_alloc_set_fault(SIZE_MAX);
    ask(&a, phi, CHAT KEYS JSON_TYPE, "{\"stream\":true," HI "}");
    size_t total = sotto_alloc_set_fault(0);
    asked(&a);
    for (size_t n = 1; n <= total; n++) {
        sotto_alloc_set_fault(n);
        ask(&a, phi, CHAT KEYS JSON_TYPE, "{\"stream\":true," HI "}");
        sotto_alloc_set_fault(0);
        IS_INT(a.err, SOTTO_ENOMEM, "reading without allocation %zu of %zu", n, total);
        asked(&a);
    }
}

int main(void)
{
    test_the_documents_request();
    test_the_documents_answer();
    test_defaults();
    test_bad_requests();
    test_statuses();
    test_error_bodies();
    test_several_choices();
    test_events();
    test_every_allocation_failure();
    return done_testing();
}
