/* SPDX-License-Identifier: Apache-2.0 */

#include "upstream/post.h"

#include "providing.h"

#define BODY "{\"model\":\"theirs\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}"

static void test_the_whole_request(void)
{
    struct sotto_call call;
    call_with(&call, "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}");
    IS_STR(request_text(&sotto_provider_openai, &plain_upstream, &call),
           "POST /v1/chat/completions HTTP/1.1\r\n"
           "Host: api.example\r\n"
           "User-Agent: sotto/" SOTTO_VERSION "\r\n"
           "Accept: application/json\r\n"
           "Accept-Encoding: identity\r\n"
           "Content-Type: application/json\r\n"
           "Content-Length: 62\r\n"
           "Authorization: Bearer sk-1\r\n"
           "\r\n" BODY,
           "every line is ours");
    sotto_call_free(&call);
}

static void test_hosts_and_keys(void)
{
    static const struct {
        const char *host;
        uint16_t port;
        bool tls;
        const char *line;
    } cases[] = {
        {"h.example", 443, true, "\r\nHost: h.example\r\n"},
        {"h.example", 80, false, "\r\nHost: h.example\r\n"},
        {"h.example", 80, true, "\r\nHost: h.example:80\r\n"},
        {"127.0.0.1", 8000, false, "\r\nHost: 127.0.0.1:8000\r\n"},
        {"::1", 8000, false, "\r\nHost: [::1]:8000\r\n"},
        {"[::1]", 80, false, "\r\nHost: [::1]\r\n"},
    };
    for (size_t i = 0; i < SOTTO_COUNT(cases); i++) {
        struct sotto_call call;
        struct sotto_upstream upstream = plain_upstream;
        upstream.host = sotto_span_str(cases[i].host);
        upstream.port = cases[i].port;
        upstream.tls = cases[i].tls;
        upstream.key = sotto_span_init(NULL, 0);
        upstream.base_path = sotto_span_init(NULL, 0);
        call_with(&call, "{\"model\":\"m\",\"stream\":true}");
        const char *text = request_text(&sotto_provider_openai, &upstream, &call);
        OK(strstr(text, cases[i].line) != NULL, "%s", cases[i].line + 2);
        OK(strstr(text, "Authorization") == NULL, "without a key no line for it");
        OK(strstr(text, "POST /chat/completions HTTP/1.1\r\n") == text, "an empty base path");
        OK(strstr(text, "\r\nAccept: text/event-stream\r\n") != NULL, "a stream is asked for");
        sotto_call_free(&call);
    }
}

static void test_what_could_end_a_line_is_refused(void)
{
    struct sotto_call call;
    struct sotto_upstream upstream = plain_upstream;
    upstream.key = SOTTO_LIT("sk\r\nx-evil: 1");
    call_with(&call, "{\"model\":\"m\"}");
    const char *text = request_text(&sotto_provider_openai, &upstream, &call);
    OK(strncmp(text, "error ", 6) == 0, "a key with a line break: %s", text);
    sotto_call_free(&call);
}

/* A GET of the models in `text`; "" where it is refused. */
static void models_text(const struct sotto_provider *provider,
                        const struct sotto_upstream *upstream, char text[1024])
{
    struct sotto_buf out;
    sotto_buf_init(&out, 1023);
    enum sotto_err err = provider->models(upstream, &out);
    OK((err == SOTTO_OK) == (out.len != 0), "all of it or nothing");
    snprintf(text, 1024, "%.*s", SOTTO_FMT(sotto_buf_span(&out)));
    sotto_buf_free(&out);
}

static void test_models(void)
{
    char text[1024];
    struct sotto_upstream upstream = plain_upstream;
    models_text(&sotto_provider_openai, &upstream, text);
    IS_STR(text,
           "GET /v1/models HTTP/1.1\r\n"
           "Host: api.example\r\n"
           "User-Agent: sotto/" SOTTO_VERSION "\r\n"
           "Accept: application/json\r\n"
           "Accept-Encoding: identity\r\n"
           "Authorization: Bearer sk-1\r\n"
           "\r\n",
           "the list is asked for with the key and without a body");
    upstream.base_path = sotto_span_init(NULL, 0);
    models_text(&sotto_provider_anthropic, &upstream, text);
    OK(strstr(text, "GET /v1/models?limit=1000 HTTP/1.1\r\n") == text, "anthropic: a page of all");
    OK(strstr(text, "\r\nx-api-key: sk-1\r\n") != NULL, "anthropic: its own line for the key");
    upstream.key = SOTTO_LIT("sk\r\nx-evil: 1");
    models_text(&sotto_provider_anthropic, &upstream, text);
    IS_STR(text, "", "a key with a line break");
    models_text(&sotto_provider_openai, &upstream, text);
    IS_STR(text, "", "likewise");
    OK(sotto_provider_azure.models == NULL, "deployments cannot be listed with a key");
}

static void test_safe_prompt(void)
{
    static const char want[] =
        "{\"model\":\"theirs\",\"messages\":[{\"role\":\"system\",\"content\":\"Always assist with "
        "care, respect, and truth. Respond with utmost utility yet securely. Avoid harmful, "
        "unethical, prejudiced, or negative content. Ensure replies promote fairness and "
        "positivity.\"},{\"role\":\"user\",\"content\":\"hi\"}]}";
    IS_STR(translated(&sotto_provider_openai,
                      "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}],"
                      "\"safe_prompt\":true}"),
           want, "it is a system message where the provider does not know it");
    IS_STR(translated(&sotto_provider_openai,
                      "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}],"
                      "\"safe_prompt\":false}"),
           BODY, "turned off it is nothing");
}

int main(void)
{
    test_the_whole_request();
    test_hosts_and_keys();
    test_what_could_end_a_line_is_refused();
    test_models();
    test_safe_prompt();
    return done_testing();
}
