/* SPDX-License-Identifier: Apache-2.0 */

#include "upstream/failure.h"

#include "providing.h"

int main(void)
{
    static const struct {
        const char *name;
        int status;
        const char *body, *want;
    } cases[] = {
        {"OpenAI", 400,
         "{\"error\":{\"message\":\"Invalid 'messages': empty array.\",\"type\":"
         "\"invalid_request_error\",\"param\":\"messages\",\"code\":\"empty_array\"}}",
         "{\"error\":{\"message\":\"Invalid 'messages': empty array.\",\"type\":"
         "\"invalid_request_error\",\"param\":\"messages\",\"code\":\"empty_array\"}}"},
        {"Azure", 429,
         "{\"error\":{\"code\":\"429\",\"message\":\"Slow.\",\"innererror\":{\"a\":1}},\"x\":1}",
         "{\"error\":{\"code\":\"429\",\"message\":\"Slow.\",\"innererror\":{\"a\":1},\"type\":"
         "\"rate_limit_error\",\"param\":null}}"},
        {"llama-server", 401,
         "{\"error\":{\"code\":401,\"message\":\"Invalid API Key\",\"type\":"
         "\"authentication_error\"}}",
         "{\"error\":{\"code\":401,\"message\":\"Invalid API Key\",\"type\":"
         "\"authentication_error\",\"param\":null}}"},
        {"Ollama", 404, "{\"error\":\"model 'x' not found\"}",
         "{\"error\":{\"message\":\"model 'x' not found\",\"type\":\"invalid_request_error\","
         "\"param\":null,\"code\":null}}"},
        {"Mistral", 422,
         "{\"object\":\"error\",\"message\":{\"detail\":[{\"type\":\"extra_forbidden\",\"loc\":["
         "\"body\",\"x\"]}]},\"type\":\"invalid_request_error\",\"param\":null,\"code\":null}",
         "{\"error\":{\"message\":\"{\\\"detail\\\":[{\\\"type\\\":\\\"extra_forbidden\\\","
         "\\\"loc\\\":[\\\"body\\\",\\\"x\\\"]}]}\",\"type\":\"invalid_request_error\",\"param\":"
         "null,\"code\":null}}"},
        {"Anthropic", 529,
         "{\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}"
         "}",
         "{\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\",\"param\":null,"
         "\"code\":null}}"},
        {"FastAPI", 404, "{\"detail\":\"Not Found\"}",
         "{\"error\":{\"message\":\"Not Found\",\"type\":\"invalid_request_error\",\"param\":null,"
         "\"code\":null}}"},
        {"a gateway", 503, "{\"message\":\"no upstream\"}",
         "{\"error\":{\"message\":\"no upstream\",\"type\":\"server_error\",\"param\":null,"
         "\"code\":null}}"},
        {"a page of HTML", 502, "<html>secret</html>",
         "{\"error\":{\"message\":\"The upstream answered with status 502.\",\"type\":"
         "\"server_error\",\"param\":null,\"code\":null}}"},
        {"nothing", 500, "",
         "{\"error\":{\"message\":\"The upstream answered with status 500.\",\"type\":"
         "\"server_error\",\"param\":null,\"code\":null}}"},
        {"an array", 403, "[1]",
         "{\"error\":{\"message\":\"The upstream answered with status 403.\",\"type\":"
         "\"permission_error\",\"param\":null,\"code\":null}}"},
        {"an empty error", 400, "{\"error\":{}}",
         "{\"error\":{\"message\":\"The upstream answered with status 400.\",\"type\":"
         "\"invalid_request_error\",\"param\":null,\"code\":null}}"},
        {"an error that is null", 400, "{\"error\":null}",
         "{\"error\":{\"message\":\"The upstream answered with status 400.\",\"type\":"
         "\"invalid_request_error\",\"param\":null,\"code\":null}}"},
    };
    for (size_t i = 0; i < SOTTO_COUNT(cases); i++) {
        IS_STR(error_text(&sotto_provider_openai, cases[i].status, cases[i].body), cases[i].want,
               "%s", cases[i].name);
    }
    for (size_t i = 0; i < SOTTO_COUNT(cases); i++) {
        for (size_t n = 1;; n++) {
            yyjson_mut_doc *doc = NULL;
            sotto_alloc_set_fault(n);
            enum sotto_err err =
                sotto_failure_read(cases[i].status, sotto_span_str(cases[i].body), &doc);
            sotto_alloc_set_fault(0);
            OK(err == SOTTO_OK || (err == SOTTO_ENOMEM && doc == NULL), "%s without allocation %zu",
               cases[i].name, n);
            sotto_json_free(doc);
            if (err == SOTTO_OK) {
                break;
            }
        }
    }
    return done_testing();
}
