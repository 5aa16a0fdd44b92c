/* SPDX-License-Identifier: Apache-2.0 */

#include "asking.h"

#include "base/alloc.h"

static const struct sotto_dialect *const openai = &sotto_dialect_openai;

/* Document 000, "Request Examples", cURL: the body as it is printed. */
static const char document_request[] =
    "{\n"
    "    \"model\": \"gpt-4\",\n"
    "    \"messages\": [\n"
    "      {\n"
    "        \"role\": \"system\",\n"
    "        \"content\": \"You are a helpful medical assistant.\"\n"
    "      },\n"
    "      {\n"
    "        \"role\": \"user\", \n"
    "        \"content\": \"Analyze this patient data for potential risks...\"\n"
    "      }\n"
    "    ],\n"
    "    \"encryption\": \"kyber512\",\n"
    "    \"temperature\": 0.7,\n"
    "    \"max_tokens\": 1000,\n"
    "    \"compliance_mode\": \"hipaa\"\n"
    "  }";

/* Document 000, "Response", without white space. */
#define DOCUMENT_RESPONSE(id)                                                                      \
    "{\"id\":\"" id "\",\"object\":\"chat.completion\",\"created\":1677652288,"                    \
    "\"model\":\"gpt-4\",\"usage\":{\"prompt_tokens\":56,\"completion_tokens\":31,"                \
    "\"total_tokens\":87},\"choices\":[{\"message\":{\"role\":\"assistant\","                      \
    "\"content\":\"Based on the encrypted analysis...\"},\"finish_reason\":\"stop\","              \
    "\"index\":0}],\"encryption\":{\"algorithm\":\"kyber512\",\"overhead_ms\":47,"                 \
    "\"key_id\":\"key_abc123\"},\"compliance\":{\"mode\":\"hipaa-aligned\","                       \
    "\"audit_id\":\"audit_def456\",\"retention_policy\":\"immediate_deletion\"}}"

static void test_the_documents_request(void)
{
    struct asking a;
    ask(&a, openai,
        CHAT "Authorization: Bearer ql_your_api_key\r\nContent-Type: application/json\r\n",
        document_request);
    IS_INT(a.err, SOTTO_OK, "the document's request is read");
    IS_INT(a.call.kind, SOTTO_CALL_CHAT, "as a chat");
    IS_SPAN(openai->key(&a.head), "ql_your_api_key", "with its key");
    IS_SPAN(a.call.model, "gpt-4", "its model");
    IS_SPAN(a.call.encryption, "kyber512", "its encryption");
    IS_SPAN(a.call.mode, "hipaa", "its mode");
    OK(a.call.anonymize && !a.call.stream, "anonymized and whole");
    IS_DOC(
        a.call.doc,
        "{\"model\":\"gpt-4\",\"messages\":[{\"role\":\"system\",\"content\":\"You are a helpful "
        "medical assistant.\"},{\"role\":\"user\",\"content\":\"Analyze this patient data for "
        "potential risks...\"}],\"temperature\":0.7,\"max_tokens\":1000}",
        "the upstream sees neither of the document's own fields");
    asked(&a);
}

static void test_the_documents_answer(void)
{
    struct asking a;
    ask(&a, openai, CHAT JSON_TYPE, document_request);
    struct sotto_answer_facts facts = {SOTTO_LIT("qmchatcmpl-7QyqpwdfhqwajicIEznoc6Q47XAyW"), 1};
    IS_STR(written(openai, &a.call, &facts, DOCUMENT_RESPONSE("chatcmpl-1")),
           DOCUMENT_RESPONSE("qmchatcmpl-7QyqpwdfhqwajicIEznoc6Q47XAyW"),
           "the document's response, byte for byte");
    asked(&a);
}

static void test_encryption_words(void)
{
    static const char *const words[] = {"kyber512", "rsa4096", "auto", "x-wing"};
    for (size_t i = 0; i < SOTTO_COUNT(words); i++) {
        struct asking a;
        char body[256];
        snprintf(body, sizeof(body),
                 "{\"model\":\"m\",\"encryption\":\"%s\",\"compliance_mode\":\"of my own\","
                 "\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}",
                 words[i]);
        ask(&a, openai, CHAT JSON_TYPE, body);
        IS_INT(a.err, SOTTO_OK, "%s is known", words[i]);
        IS_SPAN(a.call.encryption, words[i], "%s is kept", words[i]);
        IS_SPAN(a.call.mode, "of my own", "modes are looked up by others");
        asked(&a);
    }
}

static void test_answers_are_edited_not_rebuilt(void)
{
    struct asking a;
    ask(&a, openai, CHAT JSON_TYPE,
        "{\"model\":\"asked\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}");
    struct sotto_answer_facts facts = {SOTTO_LIT("qmchatcmpl-x"), 1234};
    IS_STR(
        written(openai, &a.call, &facts,
                "{\"x\":1.50,\"choices\":[],\"model\":\"real\",\"created\":null}"),
        "{\"x\":1.50,\"choices\":[],\"model\":\"asked\",\"created\":1234,\"id\":\"qmchatcmpl-x\"}",
        "unknown fields and order stay; id, date and the model's name are ours");
    facts.id = sotto_span_init(NULL, 0);
    IS_STR(written(openai, &a.call, &facts, "{\"id\":\"theirs\",\"created\":7,\"model\":\"m\"}"),
           "{\"id\":\"theirs\",\"created\":7,\"model\":\"asked\"}",
           "without an id of ours, theirs");
    asked(&a);
}

static void test_events(void)
{
    struct asking a;
    struct sotto_answer_facts facts = {SOTTO_LIT("qm-1"), 5};
    ask(&a, openai, CHAT JSON_TYPE,
        "{\"model\":\"m\",\"stream\":true,\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}");
    IS_STR(event(openai, &a.call, &facts,
                 "{\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"created\":3,\"model\":\"r\","
                 "\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"}}],\"usage\":null,"
                 "\"obfuscation\":\"xx\"}"),
           "data: {\"id\":\"qm-1\",\"object\":\"chat.completion.chunk\",\"created\":3,"
           "\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"}}]}\n\n",
           "an event without usage and padding");
    IS_STR(event(openai, &a.call, &facts, "{\"choices\":[],\"usage\":{\"total_tokens\":1}}"), "",
           "a usage chunk that was not asked for is left out");
    a.call.include_usage = true;
    IS_STR(event(openai, &a.call, &facts,
                 "{\"id\":\"c\",\"created\":3,\"model\":\"r\",\"choices\":[],"
                 "\"usage\":{\"total_tokens\":1}}"),
           "data: {\"id\":\"qm-1\",\"created\":3,\"model\":\"m\",\"choices\":[],"
           "\"usage\":{\"total_tokens\":1}}\n\n",
           "one that was asked for is not");
    a.call.ndjson = true;
    IS_STR(event(openai, &a.call, &facts, "{\"id\":\"c\",\"created\":3,\"model\":\"r\"}"),
           "{\"id\":\"qm-1\",\"created\":3,\"model\":\"m\"}\n", "a bare line");
    struct sotto_buf out;
    sotto_buf_init(&out, 1000);
    IS_INT(openai->write_done(&a.call, &out), SOTTO_OK, "the end of lines");
    IS_SIZE(out.len, 0, "is nothing");
    a.call.ndjson = false;
    IS_INT(openai->write_done(&a.call, &out), SOTTO_OK, "the end of events");
    IS_TEXT(out.base, out.len, "data: [DONE]\n\n", "is [DONE]");
    sotto_buf_truncate(&out, 0);
    a.call.ndjson = true;
    int status = 0;
    IS_INT(openai->write_error(SOTTO_REFUSE_RATE, NULL, NULL, &a.call, &out, &status), SOTTO_OK,
           "an error among bare lines");
    OK(out.base[0] == '{' && out.base[out.len - 1] == '\n' && out.base[out.len - 2] == '}',
       "is one of them");
    sotto_buf_free(&out);
    asked(&a);
}

static void test_embeddings(void)
{
    static const struct {
        const char *input, *param, *code; /* NULL: accepted */
    } cases[] = {
        {"\"text\"", NULL, NULL},
        {"[\"a\",\"b\"]", NULL, NULL},
        {"[1,2,3]", "input", "content_not_protected"},
        {"[[1,2],[3]]", "input", "content_not_protected"},
        {"[\"a\",5]", "input", "content_not_protected"},
        {"[\"a\",null]", "input[1]", "invalid_type"},
        {"[]", "input", "empty_array"},
        {"{}", "input", "invalid_type"},
        {"null", "input", "invalid_type"},
    };
    for (size_t i = 0; i < SOTTO_COUNT(cases); i++) {
        struct asking a;
        char body[256];
        snprintf(body, sizeof(body),
                 "{\"model\":\"e\",\"input\":%s,\"encryption\":\"auto\",\"dimensions\":8}",
                 cases[i].input);
        ask(&a, openai, "POST /v1/embeddings\r\n" JSON_TYPE, body);
        IS_INT(a.err, cases[i].param == NULL ? SOTTO_OK : SOTTO_EINVAL, "input %s", cases[i].input);
        if (cases[i].param != NULL) {
            IS_STR(a.problem.param, cases[i].param, "input %s: param", cases[i].input);
            IS_STR(a.problem.code, cases[i].code, "input %s: code", cases[i].input);
        } else {
            IS_INT(a.call.kind, SOTTO_CALL_EMBEDDINGS, "kind");
            IS_SPAN(a.call.model, "e", "model");
            OK(sotto_json_get(yyjson_mut_doc_get_root(a.call.doc), "encryption") == NULL,
               "encryption is taken out");
        }
        asked(&a);
    }
    struct asking a;
    ask(&a, openai, "POST /v1/embeddings\r\n" JSON_TYPE, "{\"model\":\"e\"}");
    IS_STR(a.problem.param, "input", "input is required");
    asked(&a);
    ask(&a, openai, "POST /v1/embeddings\r\n" JSON_TYPE, "{\"input\":\"x\"}");
    IS_STR(a.problem.param, "model", "model is required");
    asked(&a);
    ask(&a, openai, "POST /v1/embeddings\r\n" JSON_TYPE,
        "{\"model\":\"e\",\"input\":\"x\",\"dimensions\":0}");
    IS_STR(a.problem.code, "integer_below_min_value", "dimensions are counted from one");
    asked(&a);
    ask(&a, openai, "POST /v1/embeddings\r\n" JSON_TYPE, "{\"model\":\"e\",\"input\":\"x\"}");
    struct sotto_answer_facts facts = {SOTTO_LIT("qm-1"), 5};
    IS_STR(written(openai, &a.call, &facts, "{\"object\":\"list\",\"data\":[],\"model\":\"r\"}"),
           "{\"object\":\"list\",\"data\":[],\"model\":\"e\"}", "an answer has no id");
    asked(&a);
}

static void test_models(void)
{
    static const struct {
        const char *head, *model;
        enum sotto_call_kind kind;
    } cases[] = {
        {"GET /v1/models\r\n", "", SOTTO_CALL_MODELS},
        {"GET /v1/models?limit=2\r\n", "", SOTTO_CALL_MODELS},
        {"GET /v1/models/gpt-4\r\n", "gpt-4", SOTTO_CALL_MODEL},
        {"GET /v1/models/org%2Fmodel%20x?y\r\n", "org/model x", SOTTO_CALL_MODEL},
        {"GET /v1/models/org/model\r\n", "org/model", SOTTO_CALL_MODEL},
        {"GET /v1/models/100%\r\n", "100%", SOTTO_CALL_MODEL},
        {"GET /v1/models/a%4\r\n", "a%4", SOTTO_CALL_MODEL},
        {"GET /v1/models/a%4g%41\r\n", "a%4gA", SOTTO_CALL_MODEL},
    };
    for (size_t i = 0; i < SOTTO_COUNT(cases); i++) {
        struct asking a;
        ask(&a, openai, cases[i].head, "");
        IS_INT(a.err, SOTTO_OK, "case %zu", i);
        IS_INT(a.call.kind, cases[i].kind, "case %zu: kind", i);
        IS_SPAN(a.call.model, cases[i].model, "case %zu: model", i);
        struct sotto_answer_facts facts = {SOTTO_LIT("qm-1"), 5};
        IS_STR(written(openai, &a.call, &facts, "{\"object\":\"list\",\"data\":[]}"),
               "{\"object\":\"list\",\"data\":[]}", "case %zu: written as it is", i);
        asked(&a);
    }
}

static void test_refusals(void)
{
    struct sotto_problem problem;
    int status;
    IS_STR(refusal(openai, SOTTO_REFUSE_KEY, NULL, NULL, false, &status),
           "{\"error\":{\"message\":\"Incorrect API key provided.\",\"type\":"
           "\"invalid_request_error\",\"param\":null,\"code\":\"invalid_api_key\"}}",
           "a wrong key");
    IS_INT(status, 401, "is 401");
    IS_STR(refusal(openai, SOTTO_REFUSE_QUOTA, NULL, NULL, false, &status),
           "{\"error\":{\"message\":\"You exceeded your current quota, please check your plan.\","
           "\"type\":\"insufficient_quota\",\"param\":null,\"code\":\"insufficient_quota\"}}",
           "a spent quota");
    IS_INT(status, 429, "is 429");
    IS_STR(refusal(openai, SOTTO_REFUSE_RATE, NULL, NULL, false, &status),
           "{\"error\":{\"message\":\"Rate limit reached. Please try again later.\",\"type\":"
           "\"rate_limit_error\",\"param\":null,\"code\":\"rate_limit_exceeded\"}}",
           "too many requests");
    IS_INT(status, 429, "are 429");
    sotto_problem_set(&problem, 404, "invalid_request_error", "model_not_found", "model",
                      "No \"such\" model.");
    IS_STR(refusal(openai, SOTTO_REFUSE_PROBLEM, &problem, NULL, false, &status),
           "{\"error\":{\"message\":\"No \\\"such\\\" model.\",\"type\":\"invalid_request_error\","
           "\"param\":\"model\",\"code\":\"model_not_found\"}}",
           "a problem");
    IS_INT(status, 404, "has its status");
    sotto_problem_set(&problem, 429, "rate_limit_error", NULL, NULL, "Wait.");
    IS_STR(refusal(openai, SOTTO_REFUSE_RATE, &problem, NULL, true, &status),
           "data: {\"error\":{\"message\":\"Wait.\",\"type\":\"rate_limit_error\",\"param\":null,"
           "\"code\":null}}\n\n",
           "in a stream, in the words of the problem");
    sotto_problem_set(&problem, 418, "x", NULL, NULL, "Theirs counts.");
    IS_STR(refusal(openai, SOTTO_REFUSE_PROBLEM, &problem,
                   "{\"error\":{\"message\":\"m\",\"x\":1}}", false, &status),
           "{\"error\":{\"message\":\"m\",\"x\":1}}", "an upstream's error is kept");
    IS_INT(status, 418, "with its status");
    IS_STR(refusal(openai, SOTTO_REFUSE_PROBLEM, NULL, NULL, false, &status),
           "{\"error\":{\"message\":\"The server had an error while processing your request.\","
           "\"type\":\"server_error\",\"param\":null,\"code\":null}}",
           "without any words");
    IS_INT(status, 500, "it is 500");
}

static void test_every_allocation_failure(void)
{
    static const char body[] =
        "{\"model\":\"m\",\"stream\":true,\"store\":true,\"encryption\":\"auto\","
        "\"compliance_mode\":\"gdpr\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}";
    static const char head[] = CHAT "x-sotto-conversation: c\r\n" JSON_TYPE;
    struct asking a;
    sotto_alloc_set_fault(SIZE_MAX);
    ask(&a, openai, head, body);
    size_t total = sotto_alloc_set_fault(0);
    IS_INT(a.err, SOTTO_OK, "dry run");
    asked(&a);
    for (size_t n = 1; n <= total; n++) {
        sotto_alloc_set_fault(n);
        ask(&a, openai, head, body);
        sotto_alloc_set_fault(0);
        IS_INT(a.err, SOTTO_ENOMEM, "reading without allocation %zu of %zu", n, total);
        asked(&a);
    }
    struct sotto_problem problem;
    sotto_problem_invalid(&problem, "p", "text");
    for (size_t n = 1;; n++) {
        struct sotto_buf out;
        int status = 0;
        sotto_buf_init(&out, 1000);
        sotto_alloc_set_fault(n);
        enum sotto_err err =
            openai->write_error(SOTTO_REFUSE_PROBLEM, &problem, NULL, &a.call, &out, &status);
        sotto_alloc_set_fault(0);
        OK(err == SOTTO_OK || (err == SOTTO_ENOMEM && out.len == 0),
           "an error without allocation %zu", n);
        sotto_buf_free(&out);
        if (err == SOTTO_OK) {
            break;
        }
    }
}

int main(void)
{
    test_the_documents_request();
    test_the_documents_answer();
    test_encryption_words();
    test_answers_are_edited_not_rebuilt();
    test_events();
    test_embeddings();
    test_models();
    test_refusals();
    test_every_allocation_failure();
    return done_testing();
}
