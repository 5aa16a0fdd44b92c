/* SPDX-License-Identifier: Apache-2.0 */

#include "dialects/body.h"

#include "asking.h"

#define HI "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}"

static void test_content_types(void)
{
    static const struct {
        const char *head;
        int status; /* 0: accepted */
        const char *code;
    } cases[] = {
        {CHAT, 0, NULL},
        {CHAT "content-type: application/json\r\n", 0, NULL},
        {CHAT "Content-Type: Application/JSON; charset=utf-8\r\n", 0, NULL},
        {CHAT "content-type: application/vnd.api+json\r\n", 0, NULL},
        {CHAT "content-type: text/plain\r\n", 400, "unsupported_content_type"},
        {CHAT "content-type: application/x-www-form-urlencoded\r\n", 400,
         "unsupported_content_type"},
        {CHAT "content-type: application/jsonp\r\n", 400, "unsupported_content_type"},
        {CHAT "content-type: +json\r\n", 400, "unsupported_content_type"},
        {CHAT "content-encoding: identity\r\n", 0, NULL},
        {CHAT "content-encoding: gzip\r\n", 415, "unsupported_content_encoding"},
    };
    for (size_t i = 0; i < SOTTO_COUNT(cases); i++) {
        struct asking a;
        ask(&a, &sotto_dialect_openai, cases[i].head, HI);
        IS_INT(a.err, cases[i].status == 0 ? SOTTO_OK : SOTTO_EINVAL, "case %zu", i);
        IS_INT(a.problem.status, cases[i].status, "case %zu: status", i);
        if (cases[i].code != NULL) {
            IS_STR(a.problem.code, cases[i].code, "case %zu: code", i);
        }
        asked(&a);
    }
}

static void test_broken_json_is_located(void)
{
    static const struct {
        const char *body, *message;
    } cases[] = {
        {"", "We could not parse the JSON body of your request: it is empty at line 1, column 1 "
             "(byte 0)."},
        {"{\n \"model\": \"m\",\n \"n\": 01}",
         "We could not parse the JSON body of your request: number with leading zero is not "
         "allowed at line 3, column 7 (byte 23)."},
        {"{\"a\":1,\"a\":2}",
         "We could not parse the JSON body of your request: a key stands twice in an object at "
         "line 1, column 8 (byte 7)."},
        {"[]", "The JSON body of your request must be an object."},
        {"\"text\"", "The JSON body of your request must be an object."},
    };
    for (size_t i = 0; i < SOTTO_COUNT(cases); i++) {
        struct asking a;
        ask(&a, &sotto_dialect_openai, CHAT JSON_TYPE, cases[i].body);
        IS_INT(a.err, SOTTO_EINVAL, "case %zu is refused", i);
        IS_INT(a.problem.status, 400, "case %zu: status", i);
        IS_STR(a.problem.message, cases[i].message, "case %zu: message", i);
        asked(&a);
    }
}

static void test_gateway_headers(void)
{
    struct asking a;
    ask(&a, &sotto_dialect_openai,
        CHAT "x-sotto-conversation: case 17\r\nx-sotto-explain: 1\r\n"
             "accept: text/html;q=0.5, Application/X-NDJSON ;q=1\r\n",
        HI);
    IS_INT(a.err, SOTTO_OK, "headers of the gateway");
    IS_SPAN(a.call.conversation, "case 17", "the conversation");
    OK(a.call.explain, "an explanation is wanted");
    OK(a.call.ndjson, "events are bare lines");
    asked(&a);

    ask(&a, &sotto_dialect_openai, CHAT "x-sotto-explain: yes\r\naccept: application/json\r\n", HI);
    IS_INT(a.err, SOTTO_OK, "other headers");
    OK(a.call.conversation.len == 0 && !a.call.explain && !a.call.ndjson, "nothing is wanted");
    asked(&a);
}

static void test_routes(void)
{
    static const struct {
        const char *head;
        const struct sotto_dialect *dialect;
        int status;
    } cases[] = {
        {"POST /v1/completions\r\n", &sotto_dialect_openai, 404},
        {"POST /v1/models/\r\n", &sotto_dialect_openai, 404},
        {"GET /v1/chat/completions\r\n", &sotto_dialect_openai, 405},
        {"POST /v1/models\r\n", &sotto_dialect_openai, 405},
        {"DELETE /v1/models/m\r\n", &sotto_dialect_openai, 405},
        {"GET /v1/chat/completions\r\nx-openai-key: s\r\n", &sotto_dialect_phi_header, 405},
        {"GET /v1/ai/other\r\n", &sotto_dialect_anonymize, 404},
        {"GET /v1/ai/completions\r\n", &sotto_dialect_anonymize, 405},
        {"POST /v1/ai/models\r\n", &sotto_dialect_anonymize, 405},
    };
    for (size_t i = 0; i < SOTTO_COUNT(cases); i++) {
        struct asking a;
        ask(&a, cases[i].dialect, cases[i].head, "");
        IS_INT(a.err, SOTTO_EINVAL, "route %zu is refused", i);
        IS_INT(a.problem.status, cases[i].status, "route %zu: status", i);
        asked(&a);
    }
}

int main(void)
{
    test_content_types();
    test_broken_json_is_located();
    test_gateway_headers();
    test_routes();
    return done_testing();
}
