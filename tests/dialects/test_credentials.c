/* SPDX-License-Identifier: Apache-2.0 */

#include "dialects/credentials.h"

#include "asking.h"

static void test_where_keys_stand(void)
{
    static const struct {
        const char *name, *head, *own;
        enum sotto_err err;
        const char *want;
    } cases[] = {
        {"no key", "GET /\r\n", "api-token", SOTTO_OK, ""},
        {"bearer", "GET /\r\nAuthorization: Bearer ql_a\r\n", NULL, SOTTO_OK, "ql_a"},
        {"bearer in capitals", "GET /\r\nAUTHORIZATION: BEARER ql_a\r\n", NULL, SOTTO_OK, "ql_a"},
        {"two spaces", "GET /\r\nAuthorization: Bearer  ql_a\r\n", NULL, SOTTO_OK, "ql_a"},
        {"another scheme", "GET /\r\nAuthorization: Basic ql_a\r\n", NULL, SOTTO_OK, ""},
        {"a scheme alone", "GET /\r\nAuthorization: Bearer\r\n", NULL, SOTTO_OK, ""},
        {"x-api-key", "GET /\r\nX-API-Key: ql_b\r\n", NULL, SOTTO_OK, "ql_b"},
        {"api-key", "GET /\r\napi-key: ql_c\r\n", NULL, SOTTO_OK, "ql_c"},
        {"the dialect's own", "GET /\r\nApi-token: ql_d\r\n", "api-token", SOTTO_OK, "ql_d"},
        {"another dialect's", "GET /\r\nApi-token: ql_d\r\n", NULL, SOTTO_OK, ""},
        {"an empty one", "GET /\r\nApi-token: \r\nx-api-key: ql_d\r\n", "api-token", SOTTO_OK,
         "ql_d"},
        {"two that agree", "GET /\r\nAuthorization: Bearer k\r\nx-api-key: k\r\n", NULL, SOTTO_OK,
         "k"},
        {"one twice", "GET /\r\nx-api-key: k\r\nx-api-key: k\r\n", NULL, SOTTO_OK, "k"},
        {"two that differ", "GET /\r\nAuthorization: Bearer k\r\nx-api-key: l\r\n", NULL,
         SOTTO_EAUTH, ""},
        {"two of different length", "GET /\r\nAuthorization: Bearer k\r\napi-key: kk\r\n", NULL,
         SOTTO_EAUTH, ""},
        {"three, the last differs", "GET /\r\nx-api-key: k\r\napi-key: k\r\napi-token: l\r\n",
         "api-token", SOTTO_EAUTH, ""},
    };
    for (size_t i = 0; i < SOTTO_COUNT(cases); i++) {
        struct sotto_http_head head;
        char block[512];
        sotto_span key = {NULL, 0};
        snprintf(block, sizeof(block), "%s\r\n", cases[i].head);
        IS_INT(sotto_http_head_index(sotto_span_str(block), true, &head), SOTTO_OK, "%s: a head",
               cases[i].name);
        IS_INT(sotto_credentials(&head, cases[i].own, &key), cases[i].err, "%s", cases[i].name);
        IS_SPAN(key, cases[i].want, "%s: the key", cases[i].name);
    }
}

static void test_keys_of_dialects(void)
{
    static const struct {
        const char *name;
        const struct sotto_dialect *dialect;
        const char *head, *want;
    } cases[] = {
        {"openai", &sotto_dialect_openai, CHAT "Authorization: Bearer k\r\n", "k"},
        {"openai, two that differ", &sotto_dialect_openai,
         CHAT "Authorization: Bearer k\r\napi-key: l\r\n", ""},
        {"phi_header", &sotto_dialect_phi_header, CHAT "x-compliantchatgpt-key: k\r\n", "k"},
        {"phi_header without its own", &sotto_dialect_phi_header,
         CHAT "x-openai-key: s\r\nAuthorization: Bearer k\r\n", ""},
        {"phi_header, two that differ", &sotto_dialect_phi_header,
         CHAT "x-compliantchatgpt-key: k\r\nAuthorization: Bearer l\r\n", ""},
        {"anonymize", &sotto_dialect_anonymize, "GET /v1/ai/models\r\nApi-token: k\r\n", "k"},
        {"anonymize with a bearer", &sotto_dialect_anonymize,
         "GET /v1/ai/models\r\nAuthorization: Bearer k\r\n", "k"},
        {"anonymize, two that differ", &sotto_dialect_anonymize,
         "GET /v1/ai/models\r\nApi-token: l\r\nAuthorization: Bearer k\r\n", ""},
    };
    for (size_t i = 0; i < SOTTO_COUNT(cases); i++) {
        struct sotto_http_head head;
        char block[512];
        snprintf(block, sizeof(block), "%s\r\n", cases[i].head);
        IS_INT(sotto_http_head_index(sotto_span_str(block), true, &head), SOTTO_OK, "%s: a head",
               cases[i].name);
        IS_SPAN(cases[i].dialect->key(&head), cases[i].want, "%s", cases[i].name);
    }
}

int main(void)
{
    test_where_keys_stand();
    test_keys_of_dialects();
    return done_testing();
}
