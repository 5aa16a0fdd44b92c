/* SPDX-License-Identifier: Apache-2.0 */

#include "asking.h"

#include "base/alloc.h"

static const struct sotto_dialect *const anonymize = &sotto_dialect_anonymize;

#define POST "POST /v1/ai/completions\r\n"
#define HEADERS                                                                                    \
    "Api-token: api_token\r\nX-Requested-With: XMLHttpRequest\r\nAccept: application/json\r\n"     \
    "Content-Type: application/json\r\n"
#define HI "\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]"

/* Document 003, "BODY raw" and the "Example request" (%s: the role, which differs). */
#define DOCUMENT_REQUEST(role)                                                                     \
    "{\n\"model\": \"gpt-4-1106-preview\",\n\"messages\": [\n{\n\"role\": \"" role                 \
    "\",\n\"content\": \"content\"\n}\n],\n\"temperature\": null,\n\"top_p\": null,\n"             \
    "\"max_tokens\": null,\n\"random_seed\": null,\n\"safe_prompt\": null,\n\"anonymize\": "       \
    "true\n}"

/* Document 003, "200 - Success", without white space. */
static const char document_response[] =
    "{\"id\":\"1df8f5af-c96d-42ba-938a-3f5c4f62e633\",\"object\":\"chat.completion\","
    "\"created\":1705942239,\"model\":\"gpt-3.5-turbo-1106\",\"choices\":[{\"finish_reason\":"
    "\"stop\",\"index\":0,\"message\":{\"content\":\"Hello! How can I assist you today?\","
    "\"role\":\"assistant\"}}],\"usage\":{\"completion_tokens\":9,\"prompt_tokens\":8,"
    "\"total_tokens\":17}}";

static void test_the_documents_requests(void)
{
    static const char *const bodies[] = {DOCUMENT_REQUEST("assistant"), DOCUMENT_REQUEST("user")};
    static const char *const wants[] = {
        "{\"model\":\"gpt-4-1106-preview\",\"messages\":[{\"role\":\"assistant\",\"content\":"
        "\"content\"}],\"temperature\":0.7,\"top_p\":1}",
        "{\"model\":\"gpt-4-1106-preview\",\"messages\":[{\"role\":\"user\",\"content\":"
        "\"content\"}],\"temperature\":0.7,\"top_p\":1}",
    };
    for (size_t i = 0; i < 2; i++) {
        struct asking a;
        ask(&a, anonymize, POST HEADERS, bodies[i]);
        IS_INT(a.err, SOTTO_OK, "the document's request %zu is read", i);
        IS_SPAN(anonymize->key(&a.head), "api_token", "its key");
        IS_SPAN(a.call.model, "gpt-4-1106-preview", "its model");
        OK(a.call.anonymize && !a.call.stream, "anonymized and whole");
        IS_DOC(a.call.doc, wants[i], "with the document's defaults");
        asked(&a);
    }
    OK(anonymize->id_prefix == NULL, "ids are UUIDs");
}

static void test_the_documents_answer(void)
{
    struct asking a;
    struct sotto_answer_facts facts = {SOTTO_LIT("1df8f5af-c96d-42ba-938a-3f5c4f62e633"), 1};
    ask(&a, anonymize, POST HEADERS, DOCUMENT_REQUEST("user"));
    IS_STR(written(anonymize, &a.call, &facts,
                   "{\"id\":\"chatcmpl-1\",\"object\":\"chat.completion\",\"created\":1705942239,"
                   "\"model\":\"gpt-3.5-turbo-1106\",\"system_fingerprint\":\"fp\",\"choices\":[{"
                   "\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"Hello! How can I "
                   "assist you today?\",\"refusal\":null},\"logprobs\":null,\"finish_reason\":"
                   "\"stop\"}],\"usage\":{\"prompt_tokens\":8,\"completion_tokens\":9,"
                   "\"total_tokens\":17,\"prompt_tokens_details\":{\"cached_tokens\":0}}}"),
           document_response, "the document's response, byte for byte");
    IS_STR(
        written(anonymize, &a.call, &facts, "{\"choices\":[{\"message\":{\"content\":null}}]}"),
        "{\"id\":\"1df8f5af-c96d-42ba-938a-3f5c4f62e633\",\"object\":\"chat.completion\","
        "\"created\":1,\"model\":\"gpt-4-1106-preview\",\"choices\":[{\"finish_reason\":\"stop\","
        "\"index\":0,\"message\":{\"content\":\"\",\"role\":\"assistant\"}}],\"usage\":{"
        "\"completion_tokens\":0,\"prompt_tokens\":0,\"total_tokens\":0}}",
        "all fields are there whatever the upstream leaves out");
    asked(&a);
}

static void test_fields(void)
{
    static const struct {
        const char *name, *body, *want;
        bool anonymize, stream;
    } cases[] = {
        {"everything",
         "{\"model\":\"m\"," HI ",\"temperature\":0,\"top_p\":0.50,\"max_tokens\":0,"
         "\"random_seed\":-3,\"safe_prompt\":true,\"anonymize\":false,\"stream\":true}",
         "{\"model\":\"m\"," HI ",\"temperature\":0,\"top_p\":0.50,\"max_tokens\":0,\"seed\":-3,"
         "\"safe_prompt\":true,\"stream\":true,\"stream_options\":{\"include_usage\":true}}",
         false, true},
        {"anonymize turns the stream off", "{\"model\":\"m\"," HI ",\"stream\":true}",
         "{\"model\":\"m\"," HI ",\"temperature\":0.7,\"top_p\":1}", true, false},
        {"null anonymize is true", "{\"model\":\"m\"," HI ",\"stream\":true,\"anonymize\":null}",
         "{\"model\":\"m\"," HI ",\"temperature\":0.7,\"top_p\":1}", true, false},
        {"no stream", "{\"model\":\"m\"," HI ",\"stream\":null,\"anonymize\":false}",
         "{\"model\":\"m\"," HI ",\"temperature\":0.7,\"top_p\":1}", false, false},
        {"fields that are not validated do not go on",
         "{\"model\":\"m\",\"n\":4,\"messages\":[{\"role\":\"user\",\"content\":\"hi\",\"x\":1}]}",
         "{\"model\":\"m\"," HI ",\"temperature\":0.7,\"top_p\":1}", true, false},
    };
    for (size_t i = 0; i < SOTTO_COUNT(cases); i++) {
        struct asking a;
        ask(&a, anonymize, POST HEADERS, cases[i].body);
        IS_INT(a.err, SOTTO_OK, "%s", cases[i].name);
        IS_DOC(a.call.doc, cases[i].want, "%s: what the upstream is asked", cases[i].name);
        OK(a.call.anonymize == cases[i].anonymize, "%s: anonymize", cases[i].name);
        OK(a.call.stream == cases[i].stream, "%s: stream", cases[i].name);
        asked(&a);
    }
}

#define ERRORS(errors) "{\"message\":\"Validation error\",\"errors\":{" errors "}}"

static void test_validation(void)
{
    static const struct {
        const char *body, *want;
    } cases[] = {
        /* Document 003, "400 - Bad Request", without white space. */
        {"{" HI "}", ERRORS("\"model\":[\"The model field is required.\"]")},
        {"{}", ERRORS("\"model\":[\"The model field is required.\"],"
                      "\"messages\":[\"The messages field is required.\"]")},
        {"{\"model\":\"\",\"messages\":[]}", ERRORS("\"model\":[\"The model field is required.\"],"
                                                    "\"messages\":[\"The messages field is "
                                                    "required.\"]")},
        {"{\"model\":4,\"messages\":\"hi\"}",
         ERRORS("\"model\":[\"The model field must be a string.\"],"
                "\"messages\":[\"The messages field must be an array.\"]")},
        {"{\"model\":\"m\",\"messages\":[\"a\",{\"role\":\"robot\",\"content\":\"x\"},"
         "{\"role\":\"user\"},{\"content\":7},{\"role\":\"user\",\"content\":\"fine\"}]}",
         ERRORS("\"messages.0\":[\"The messages.0 field must be an array.\"],"
                "\"messages.1.role\":[\"The selected messages.1.role is invalid.\"],"
                "\"messages.2.content\":[\"The messages.2.content field is required.\"],"
                "\"messages.3.role\":[\"The messages.3.role field is required.\"],"
                "\"messages.3.content\":[\"The messages.3.content field must be a string.\"]")},
        {"{\"model\":\"m\"," HI ",\"temperature\":1.1,\"top_p\":-0.5,\"max_tokens\":-1}",
         ERRORS("\"temperature\":[\"The temperature field must be between 0 and 1.\"],"
                "\"top_p\":[\"The top p field must be between 0 and 1.\"],"
                "\"max_tokens\":[\"The max tokens field must be at least 0.\"]")},
        {"{\"model\":\"m\"," HI ",\"temperature\":\"hot\",\"top_p\":[],\"max_tokens\":1.5,"
         "\"random_seed\":\"x\",\"safe_prompt\":\"yes\",\"anonymize\":2,\"stream\":{}}",
         ERRORS("\"temperature\":[\"The temperature field must be a number.\"],"
                "\"top_p\":[\"The top p field must be a number.\"],"
                "\"max_tokens\":[\"The max tokens field must be an integer.\"],"
                "\"random_seed\":[\"The random seed field must be an integer.\"],"
                "\"safe_prompt\":[\"The safe prompt field must be true or false.\"],"
                "\"anonymize\":[\"The anonymize field must be true or false.\"],"
                "\"stream\":[\"The stream field must be true or false.\"]")},
        {"{\"model\":\"m\",", ERRORS("\"body\":[\"We could not parse the JSON body of your "
                                     "request: unexpected end of data at line 1, column 14 (byte "
                                     "13).\"]")},
    };
    for (size_t i = 0; i < SOTTO_COUNT(cases); i++) {
        struct asking a;
        int status;
        ask(&a, anonymize, POST HEADERS, cases[i].body);
        IS_INT(a.err, SOTTO_EINVAL, "%s is refused", cases[i].body);
        IS_STR(refusal(anonymize, SOTTO_REFUSE_PROBLEM, &a.problem, NULL, false, &status),
               cases[i].want, "with all that is wrong");
        IS_INT(status, 400, "and 400");
        asked(&a);
    }
}

static void test_thousands_of_errors(void)
{
    struct sotto_buf body;
    struct asking a;
    enum sotto_err err;
    int status;
    sotto_buf_init(&body, SOTTO_BUF_UNBOUNDED);
    err = sotto_buf_append(&body, SOTTO_LIT("{\"model\":\"m\",\"messages\":[0"));
    for (int i = 0; i < 4999 && err == SOTTO_OK; i++) {
        err = sotto_buf_append(&body, SOTTO_LIT(",0"));
    }
    err = err == SOTTO_OK ? sotto_buf_append(&body, SOTTO_LIT("]}\0")) : err;
    IS_INT(err, SOTTO_OK, "a large request");
    ask(&a, anonymize, POST HEADERS, (const char *)body.base);
    IS_INT(a.err, SOTTO_EINVAL, "is refused");
    struct sotto_buf out;
    sotto_buf_init(&out, SOTTO_BUF_UNBOUNDED);
    IS_INT(anonymize->write_error(SOTTO_REFUSE_PROBLEM, &a.problem, NULL, NULL, &out, &status),
           SOTTO_OK, "and answered");
    yyjson_mut_doc *doc = NULL;
    IS_INT(sotto_json_read(sotto_buf_span(&out), 8, &doc, NULL), SOTTO_OK, "with JSON");
    IS_SIZE(yyjson_mut_obj_size(sotto_json_get(yyjson_mut_doc_get_root(doc), "errors")), 5000,
            "that names every message");
    sotto_json_free(doc);
    sotto_buf_free(&out);
    sotto_buf_free(&body);
    asked(&a);
}

static void test_refusals(void)
{
    struct sotto_problem problem;
    int status;
    IS_STR(refusal(anonymize, SOTTO_REFUSE_KEY, NULL, NULL, false, &status),
           "{\"error\":\"Unauthenticated\"}", "401 as the document prints it");
    IS_INT(status, 401, "401");
    IS_STR(refusal(anonymize, SOTTO_REFUSE_QUOTA, NULL, NULL, false, &status),
           "{\"error\":\"Subscription amount limit has been reached\"}",
           "403 as the document prints it");
    IS_INT(status, 403, "403");
    refusal(anonymize, SOTTO_REFUSE_RATE, NULL, NULL, false, &status);
    IS_INT(status, 429, "429");
    sotto_problem_set(&problem, 404, "invalid_request_error", "model_not_found", "model", "x");
    IS_STR(refusal(anonymize, SOTTO_REFUSE_PROBLEM, &problem, NULL, false, &status),
           ERRORS("\"model\":[\"The selected model is invalid.\"]"), "an unknown model");
    IS_INT(status, 400, "400");
    sotto_problem_invalid(&problem, "anonymize", "The anonymize field must be true.");
    IS_STR(refusal(anonymize, SOTTO_REFUSE_PROBLEM, &problem, NULL, false, &status),
           ERRORS("\"anonymize\":[\"The anonymize field must be true.\"]"), "a policy's refusal");
    sotto_problem_set(&problem, 502, "server_error", NULL, NULL, "No upstream.");
    IS_STR(refusal(anonymize, SOTTO_REFUSE_PROBLEM, &problem, NULL, false, &status),
           "{\"error\":\"No upstream.\"}", "no upstream");
    IS_INT(status, 502, "502");
    sotto_problem_set(&problem, 422, "x", NULL, NULL, "x");
    IS_STR(refusal(anonymize, SOTTO_REFUSE_PROBLEM, &problem, "{\"error\":{\"message\":\"m\"}}",
                   false, &status),
           "{\"error\":\"m\"}", "an upstream's words");
    IS_INT(status, 422, "and its status");
    IS_STR(refusal(anonymize, SOTTO_REFUSE_PROBLEM, &problem, NULL, true, &status),
           "data: {\"error\":\"x\"}\n\n", "in a stream");
}

static void test_models(void)
{
    struct asking a;
    struct sotto_answer_facts facts = {{NULL, 0}, 1};
    ask(&a, anonymize, "GET /v1/ai/models\r\n" HEADERS, "");
    IS_INT(a.err, SOTTO_OK, "the list is asked for");
    IS_INT(a.call.kind, SOTTO_CALL_MODELS, "as such");
    /* Document 003, "Get supported models list", its first entry. */
    IS_STR(written(
               anonymize, &a.call, &facts,
               "{\"object\":\"list\",\"data\":[{\"id\":\"gpt-4-1106-preview\",\"object\":\"model\","
               "\"created\":1699999999,\"owned_by\":\"OpenAI\",\"x\":1}]}"),
           "{\"object\":\"list\",\"data\":[{\"id\":\"gpt-4-1106-preview\",\"object\":\"model\","
           "\"created\":0,\"owned_by\":\"OpenAI\"}]}",
           "as the document prints it");
    IS_STR(written(anonymize, &a.call, &facts, "{\"data\":[]}"),
           "{\"object\":\"list\",\"data\":[]}", "no models are a list too");
    asked(&a);
}

static void test_events(void)
{
    struct asking a;
    struct sotto_answer_facts facts = {SOTTO_LIT("u"), 9};
    ask(&a, anonymize, POST HEADERS,
        "{\"model\":\"m\"," HI ",\"anonymize\":false,\"stream\":true}");
    IS_STR(
        event(anonymize, &a.call, &facts,
              "{\"id\":\"x\",\"created\":3,\"model\":\"r\",\"choices\":[{\"index\":0,\"delta\":{"
              "\"role\":\"assistant\",\"content\":\"a\",\"refusal\":null},\"finish_reason\":null}"
              "]}"),
        "data: {\"id\":\"u\",\"object\":\"chat.completion.chunk\",\"created\":3,\"model\":\"r\","
        "\"choices\":[{\"finish_reason\":null,\"index\":0,\"delta\":{\"content\":\"a\",\"role\":"
        "\"assistant\"}}]}\n\n",
        "a piece of text");
    IS_STR(event(anonymize, &a.call, &facts,
                 "{\"choices\":[],\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":2,"
                 "\"total_tokens\":3}}"),
           "data: {\"id\":\"u\",\"object\":\"chat.completion.chunk\",\"created\":9,\"model\":\"m\","
           "\"choices\":[],\"usage\":{\"completion_tokens\":2,\"prompt_tokens\":1,\"total_tokens\":"
           "3}}\n\n",
           "usage");
    asked(&a);
}

static void test_every_allocation_failure(void)
{
    static const char *const bodies[] = {
        "{\"model\":\"m\"," HI ",\"anonymize\":false,\"stream\":true,\"safe_prompt\":true}",
        "{\"model\":4,\"messages\":[3]}",
    };
    for (size_t i = 0; i < SOTTO_COUNT(bodies); i++) {
        struct asking a;
        sotto_alloc_set_fault(SIZE_MAX);
        ask(&a, anonymize, POST HEADERS, bodies[i]);
        size_t total = sotto_alloc_set_fault(0);
        asked(&a);
        for (size_t n = 1; n <= total; n++) {
            sotto_alloc_set_fault(n);
            ask(&a, anonymize, POST HEADERS, bodies[i]);
            sotto_alloc_set_fault(0);
            IS_INT(a.err, SOTTO_ENOMEM, "body %zu without allocation %zu of %zu", i, n, total);
            asked(&a);
        }
    }
}

int main(void)
{
    test_the_documents_requests();
    test_the_documents_answer();
    test_fields();
    test_validation();
    test_thousands_of_errors();
    test_refusals();
    test_models();
    test_events();
    test_every_allocation_failure();
    return done_testing();
}
