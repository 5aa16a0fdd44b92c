/* SPDX-License-Identifier: Apache-2.0 */

#include "providing.h"

static const struct sotto_provider *const openai = &sotto_provider_openai;

#define HI "\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]"

static void test_fields_pass(void)
{
    IS_STR(translated(openai, "{\"model\":\"m\"," HI ",\"temperature\":0.70,\"top_k\":4,"
                              "\"metadata\":{\"a\":\"b\"},\"store\":false}"),
           "{\"model\":\"theirs\"," HI ",\"temperature\":0.70,\"top_k\":4,"
           "\"metadata\":{\"a\":\"b\"},\"store\":false}",
           "all but the model's name stays");
}

static void test_openai_itself_stores_nothing(void)
{
    static const char *const hosts[] = {"api.openai.com", "eu.api.openai.com", "API.OpenAI.com"};
    for (size_t i = 0; i < SOTTO_COUNT(hosts); i++) {
        struct sotto_call call;
        struct sotto_upstream upstream = plain_upstream;
        upstream.host = sotto_span_str(hosts[i]);
        call_with(&call, "{\"model\":\"m\"," HI ",\"metadata\":{\"a\":\"b\"}}");
        IS_STR(body_of(request_text(openai, &upstream, &call)),
               "{\"model\":\"theirs\"," HI ",\"store\":false}", "%s", hosts[i]);
        sotto_call_free(&call);
    }
}

static void test_embeddings(void)
{
    struct sotto_call call;
    call_with(&call, "{\"model\":\"m\",\"input\":\"hi\"}");
    call.kind = SOTTO_CALL_EMBEDDINGS;
    const char *text = request_text(openai, &plain_upstream, &call);
    OK(strstr(text, "POST /v1/embeddings HTTP/1.1\r\n") == text, "their path");
    IS_STR(body_of(text), "{\"model\":\"theirs\",\"input\":\"hi\"}", "their body");
    struct sotto_problem problem;
    yyjson_mut_doc *doc = NULL;
    IS_INT(openai->answer(&call, SOTTO_LIT("{\"object\":\"list\",\"data\":[]}"), &doc, &problem),
           SOTTO_OK, "their answer has data");
    sotto_json_free(doc);
    doc = NULL;
    IS_INT(openai->answer(&call, SOTTO_LIT("{\"choices\":[]}"), &doc, &problem), SOTTO_EUPSTREAM,
           "and not choices");
    sotto_call_free(&call);
}

static void test_answers(void)
{
    static const char answer[] = "{\"id\":\"c\",\"choices\":[{\"index\":0,\"message\":{\"content\":"
                                 "\"x\",\"reasoning\":\"r\"}}"
                                 "],\"timings\":{\"a\":1.50}}";
    IS_STR(answered(openai, answer), answer, "an answer stays as it is");
    static const char *const garbage[] = {
        "",
        "x",
        "[]",
        "{}",
        "{\"choices\":{}}",
        "{\"choices\":[],\"error\":\"late\"}",
        "{\"error\":{\"message\":\"x\"}}",
        "{\"choices\":[",
        "{\"object\":\"error\",\"choices\":[]}",
    };
    for (size_t i = 0; i < SOTTO_COUNT(garbage); i++) {
        IS_STR(answered(openai, garbage[i]), "error 13, status 502", "garbage: %s", garbage[i]);
    }
}

static void test_every_allocation_failure(void)
{
    static const char *const events[] = {
        "{\"choices\":[{\"delta\":{\"tool_calls\":[{\"id\":\"a\",\"function\":{\"name\":\"f\","
        "\"arguments\":\"{}\"}}]}}]}",
        "{\"id\":\"a\",\"choices\":null}", "[DONE]", NULL};
    fail_allocations(openai, "{\"model\":\"m\"," HI ",\"safe_prompt\":true}", "{\"choices\":[]}",
                     events);
}

int main(void)
{
    IS_INT(SOTTO_EUPSTREAM, 13, "the number that texts below name");
    OK(sotto_provider_by_kind(SOTTO_LIT("openai")) == openai, "found by its kind");
    OK(sotto_provider_by_kind(SOTTO_LIT("azure")) == &sotto_provider_azure, "as is azure");
    OK(sotto_provider_by_kind(SOTTO_LIT("mistral")) == &sotto_provider_mistral, "and mistral");
    OK(sotto_provider_by_kind(SOTTO_LIT("anthropic")) == &sotto_provider_anthropic,
       "and anthropic");
    OK(sotto_provider_by_kind(SOTTO_LIT("other")) == NULL, "and nothing else");
    test_fields_pass();
    test_openai_itself_stores_nothing();
    test_embeddings();
    test_answers();
    test_every_allocation_failure();
    return done_testing();
}
