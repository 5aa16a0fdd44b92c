/* SPDX-License-Identifier: Apache-2.0 */

#include "providing.h"

static const struct sotto_provider *const azure = &sotto_provider_azure;

#define HI "\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]"

static void test_paths(void)
{
    static const struct {
        const char *base, *version, *line;
    } cases[] = {
        {"", "", "POST /openai/v1/chat/completions HTTP/1.1\r\n"},
        {"/openai", "", "POST /openai/v1/chat/completions HTTP/1.1\r\n"},
        {"/openai/v1", "", "POST /openai/v1/chat/completions HTTP/1.1\r\n"},
        {"/proxy/openai/v1", "", "POST /proxy/openai/v1/chat/completions HTTP/1.1\r\n"},
        {"", "2024-10-21",
         "POST /openai/deployments/theirs/chat/completions?api-version=2024-10-21 HTTP/1.1\r\n"},
        {"/openai", "2024-10-21",
         "POST /openai/deployments/theirs/chat/completions?api-version=2024-10-21 HTTP/1.1\r\n"},
    };
    for (size_t i = 0; i < SOTTO_COUNT(cases); i++) {
        struct sotto_call call;
        struct sotto_upstream upstream = plain_upstream;
        upstream.base_path = sotto_span_str(cases[i].base);
        upstream.api_version = sotto_span_str(cases[i].version);
        call_with(&call, "{\"model\":\"m\"," HI ",\"store\":false,\"metadata\":{}}");
        const char *text = request_text(azure, &upstream, &call);
        OK(strstr(text, cases[i].line) == text, "%s", cases[i].line);
        OK(strstr(text, "\r\napi-key: sk-1\r\n") != NULL, "the key in its own header");
        OK(strstr(text, "Authorization") == NULL, "and in no other");
        IS_STR(body_of(text),
               cases[i].version[0] != '\0' ? "{\"model\":\"theirs\"," HI "}"
                                           : "{\"model\":\"theirs\"," HI ",\"store\":false}",
               "nothing is stored");
        sotto_call_free(&call);
    }
}

static void test_deployments_are_escaped(void)
{
    struct sotto_call call;
    struct sotto_problem problem;
    struct sotto_buf out;
    struct sotto_upstream upstream = plain_upstream;
    upstream.base_path = sotto_span_init(NULL, 0);
    upstream.api_version = SOTTO_LIT("v 1&");
    call_with(&call, "{\"model\":\"m\"," HI "}");
    sotto_buf_init(&out, 4096);
    IS_INT(azure->request(&upstream, &call, SOTTO_LIT("a/b ?#\xc3\xa9"), &out, &problem), SOTTO_OK,
           "a name with signs");
    static const char line[] = "POST /openai/deployments/a%2Fb%20%3F%23%C3%A9/chat/completions?"
                               "api-version=v%201%26 HTTP/1.1\r\n";
    OK(sotto_span_starts(sotto_buf_span(&out), SOTTO_LIT(line)), "is escaped");
    sotto_buf_free(&out);
    sotto_call_free(&call);
}

static void test_entra_tokens(void)
{
    struct sotto_call call;
    struct sotto_upstream upstream = plain_upstream;
    upstream.key = SOTTO_LIT("eyJ0.abc.def");
    call_with(&call, "{\"model\":\"m\"," HI "}");
    const char *text = request_text(azure, &upstream, &call);
    OK(strstr(text, "\r\nAuthorization: Bearer eyJ0.abc.def\r\n") != NULL, "a token is a bearer's");
    OK(strstr(text, "api-key") == NULL, "and no key");
    sotto_call_free(&call);
}

static void test_embeddings(void)
{
    struct sotto_call call;
    struct sotto_upstream upstream = plain_upstream;
    upstream.base_path = sotto_span_init(NULL, 0);
    call_with(&call, "{\"model\":\"m\",\"input\":\"x\"}");
    call.kind = SOTTO_CALL_EMBEDDINGS;
    const char *text = request_text(azure, &upstream, &call);
    OK(strstr(text, "POST /openai/v1/embeddings HTTP/1.1\r\n") == text, "embeddings");
    sotto_call_free(&call);
}

static void test_streams(void)
{
    IS_STR(
        STREAM(azure, 1,
               "{\"choices\":[],\"created\":0,\"id\":\"\",\"model\":\"\",\"object\":\"\","
               "\"prompt_filter_results\":[{\"prompt_index\":0}]}",
               "{\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"choices\":[{\"index\":0,"
               "\"delta\":{\"content\":\"a\"},\"finish_reason\":null}]}",
               "{\"id\":\"\",\"object\":\"\",\"choices\":[{\"index\":0,\"finish_reason\":null,"
               "\"content_filter_results\":{}}]}",
               "{\"object\":\"chat.completion.chunk\",\"choices\":[],\"usage\":{\"a\":1}}",
               "[DONE]"),
        "{\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"choices\":[{\"index\":0,\"delta\":{"
        "\"content\":\"a\"},\"finish_reason\":null}]}\n"
        "{\"id\":\"\",\"object\":\"chat.completion.chunk\",\"choices\":[{\"index\":0,"
        "\"finish_reason\":null,\"content_filter_results\":{},\"delta\":{}}]}\n"
        "{\"object\":\"chat.completion.chunk\",\"choices\":[],\"usage\":{\"a\":1}}\n"
        "done",
        "the first chunk says nothing; choices without a delta get one");
}

int main(void)
{
    test_paths();
    test_deployments_are_escaped();
    test_entra_tokens();
    test_embeddings();
    test_streams();
    return done_testing();
}
