/* SPDX-License-Identifier: Apache-2.0 */

#include "upstream/mirror.h"

#include <math.h>

#include "providing.h"
#include "upstream/mirror_plan.h"
#include "upstream/mirror_vector.h"

static bool is_token(sotto_span word)
{
    return word.len == 9 && sotto_span_starts(word, SOTTO_LIT("TOKEN"));
}

static const struct sotto_mirror_options options = {
    .is_token = is_token,
    .id = {(const uint8_t *)"mirror-1", 8},
    .created_s = 17,
};

static yyjson_mut_doc *mirrored(const char *body)
{
    struct sotto_call call;
    yyjson_mut_doc *doc = NULL;
    call_with(&call, body);
    if (sotto_json_get(yyjson_mut_doc_get_root(call.doc), "input") != NULL) {
        call.kind = SOTTO_CALL_EMBEDDINGS;
    }
    IS_INT(sotto_mirror_answer(&call, &options, &doc), SOTTO_OK, "an answer");
    sotto_call_free(&call);
    return doc;
}

static const char *whole(const char *body)
{
    yyjson_mut_doc *doc = mirrored(body);
    const char *text = doc_text(doc);
    sotto_json_free(doc);
    return text;
}

/* The content and the finish_reason of choice `i`. */
static const char *said(const char *body, size_t i)
{
    static char text[4096];
    yyjson_mut_doc *doc = mirrored(body);
    yyjson_mut_val *choice =
        yyjson_mut_arr_get(sotto_json_get(yyjson_mut_doc_get_root(doc), "choices"), i);
    sotto_span content =
        sotto_json_text(sotto_json_get(sotto_json_get(choice, "message"), "content"));
    sotto_span finish = sotto_json_text(sotto_json_get(choice, "finish_reason"));
    snprintf(text, sizeof(text), "%.*s|%.*s", SOTTO_FMT(content), SOTTO_FMT(finish));
    sotto_json_free(doc);
    return text;
}

#define USER(text) "\"messages\":[{\"role\":\"user\",\"content\":\"" text "\"}]"

static void test_a_whole_answer(void)
{
    IS_STR(
        whole("{" USER("Write to TOKEN1234.") "}"),
        "{\"id\":\"mirror-1\",\"object\":\"chat.completion\",\"created\":17,\"model\":\"asked\","
        "\"system_fingerprint\":\"sotto-mirror\",\"choices\":[{\"index\":0,\"message\":{\"role\":"
        "\"assistant\",\"content\":\"You wrote: Write to TOKEN1234. I have taken note of "
        "TOKEN1234.\",\"refusal\":null},\"logprobs\":null,\"finish_reason\":\"stop\"}],\"usage\":{"
        "\"prompt_tokens\":3,\"completion_tokens\":11,\"total_tokens\":14}}",
        "word by word");
}

static void test_what_it_says(void)
{
    static const struct {
        const char *name, *body, *want;
    } cases[] = {
        {"no token", "{" USER("Hi.") "}",
         "You wrote: Hi. There was nothing in it to replace.|stop"},
        {"tokens once each, of all messages",
         "{\"messages\":[{\"role\":\"system\",\"content\":\"TOKENaaaa,TOKENbbbb\"},{\"role\":"
         "\"user\","
         "\"content\":[{\"type\":\"text\",\"text\":\"TOKENaaaa\"},{\"type\":\"image_url\"},{"
         "\"type\":"
         "\"text\",\"text\":\"TOKENcccc and xTOKENdddd\"}]}]}",
         "You wrote: TOKENaaaa TOKENcccc and xTOKENdddd I have taken note of TOKENaaaa, TOKENbbbb "
         "and TOKENcccc.|stop"},
        {"the last message of the user",
         "{\"messages\":[{\"role\":\"user\",\"content\":\"one\"},{\"role\":\"assistant\","
         "\"content\":"
         "\"two\"},{\"role\":\"user\",\"content\":\"three\"},{\"role\":\"assistant\",\"content\":"
         "null}"
         "]}",
         "You wrote: three There was nothing in it to replace.|stop"},
        {"a tool's answer",
         "{\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\"}}],\"messages\":[{"
         "\"role\":"
         "\"user\",\"content\":\"one\"},{\"role\":\"tool\",\"content\":\"TOKENaaaa\"}]}",
         "The tool answered: TOKENaaaa I have taken note of TOKENaaaa.|stop"},
        {"a stop string", "{" USER("a b c") ",\"stop\":[\"zzz\",\" c\",\"b\"]}",
         "You wrote: a |stop"},
        {"one stop string", "{" USER("a b c") ",\"stop\":\"You\"}", "|stop"},
        {"a limit", "{" USER("a b c") ",\"max_tokens\":4}", "You wrote: a b|length"},
        {"the newer limit", "{" USER("a b c") ",\"max_tokens\":4,\"max_completion_tokens\":3}",
         "You wrote: a|length"},
        {"a limit of nothing", "{" USER("a") ",\"max_tokens\":0}", "|length"},
        {"a wide limit", "{" USER("a") ",\"max_tokens\":1000}",
         "You wrote: a There was nothing in it to replace.|stop"},
        {"a JSON object", "{" USER("TOKENaaaa") ",\"response_format\":{\"type\":\"json_object\"}}",
         "{\"tokens\":[\"TOKENaaaa\"]}|stop"},
        {"a schema",
         "{" USER(
             "TOKENaaaa TOKENbbbb") ",\"response_format\":{\"type\":\"json_schema\",\"json_"
                                    "schema\":"
                                    "{\"schema\":{\"type\":\"object\",\"properties\":{\"a\":{"
                                    "\"type\":\"string\"},\"b\":{\"type\":"
                                    "\"integer\"},\"c\":{\"type\":\"boolean\"},\"d\":{\"type\":"
                                    "\"string\"},\"e\":{\"enum\":[\"x\"]},"
                                    "\"f\":{\"type\":\"array\"},\"g\":{\"type\":\"object\"}}}}}}",
         "{\"a\":\"TOKENaaaa\",\"b\":0,\"c\":false,\"d\":\"TOKENbbbb\",\"e\":\"x\",\"f\":["
         "\"TOKENaaaa\","
         "\"TOKENbbbb\"],\"g\":{}}|stop"},
        {"no tool where none is wanted",
         "{" USER("a") ",\"tools\":[{\"function\":{\"name\":\"f\"}}],\"tool_choice\":\"none\"}",
         "You wrote: a There was nothing in it to replace.|stop"},
    };
    for (size_t i = 0; i < SOTTO_COUNT(cases); i++) {
        IS_STR(said(cases[i].body, 0), cases[i].want, "%s", cases[i].name);
    }
    IS_STR(said("{" USER("a") ",\"n\":2}", 1),
           "You wrote: a There was nothing in it to replace. This is choice 2 of 2.|stop",
           "the second of two choices");
}

static void test_long_prompts_are_cut(void)
{
    size_t len = 2 * SOTTO_MIRROR_ECHO_MAX;
    char *text = malloc(len + 1);
    for (size_t i = 0; i < len; i++) {
        text[i] = i % 7 == 6 ? ' ' : 'a';
    }
    text[len] = '\0';
    struct sotto_call call;
    struct sotto_mirror_plan plan;
    call_with(&call, "{\"messages\":[{\"role\":\"user\",\"content\":\"\"}]}");
    yyjson_mut_val *message =
        yyjson_mut_arr_get_first(sotto_json_get(yyjson_mut_doc_get_root(call.doc), "messages"));
    IS_INT(sotto_json_put_text(call.doc, message, "content", sotto_span_str(text)), SOTTO_OK,
           "a long prompt");
    IS_INT(sotto_mirror_plan(&call, is_token, &plan), SOTTO_OK, "has a plan");
    OK(plan.choices[0].text.len <= SOTTO_MIRROR_ECHO_MAX + 64, "that is shorter");
    sotto_mirror_plan_free(&plan);
    sotto_call_free(&call);
    free(text);
}

static void test_tool_calls(void)
{
    IS_STR(
        whole("{" USER(
            "TOKENaaaa") ",\"tools\":[{\"type\":\"custom\"},{\"type\":\"function\","
                         "\"function\":{\"name\":\"f\",\"parameters\":{\"type\":\"object\","
                         "\"properties\":{"
                         "\"who\":{\"type\":\"string\"}}}}},{\"function\":{\"name\":\"g\"}}]}"),
        "{\"id\":\"mirror-1\",\"object\":\"chat.completion\",\"created\":17,\"model\":\"asked\","
        "\"system_fingerprint\":\"sotto-mirror\",\"choices\":[{\"index\":0,\"message\":{\"role\":"
        "\"assistant\",\"content\":null,\"refusal\":null,\"tool_calls\":[{\"id\":\"call_mirror1\","
        "\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"{\\\"who\\\":"
        "\\\"TOKENaaaa\\\"}\"}}]},\"logprobs\":null,\"finish_reason\":\"tool_calls\"}],\"usage\":{"
        "\"prompt_tokens\":1,\"completion_tokens\":1,\"total_tokens\":2}}",
        "the first function is called");
    const char *text = whole(
        "{" USER("a") ",\"tools\":[{\"function\":{\"name\":\"f\"}},{\"function\":{"
                      "\"name\":\"g\"}}],\"tool_choice\":{\"type\":\"function\",\"function\":{"
                      "\"name\":\"g\"}}}");
    OK(strstr(text, "\"name\":\"g\",\"arguments\":\"{\\\"tokens\\\":[]}\"") != NULL,
       "or the one that is named");
}

static void test_logprobs(void)
{
    const char *text =
        whole("{" USER("a") ",\"max_tokens\":2,\"logprobs\":true,\"top_logprobs\":1}");
    OK(strstr(text,
              "\"logprobs\":{\"content\":[{\"token\":\"You\",\"logprob\":-0.25,\"bytes\":[89,111,"
              "117],\"top_logprobs\":[{\"token\":\"You\",\"logprob\":-0.25,\"bytes\":[89,111,117]"
              "}]},{\"token\":\" wrote:\",") != NULL,
       "each word has its probability: %s", text);
}

/* All that a stream says: the texts of choice `wanted`, joined, and the number of chunks. */
struct heard {
    char content[4096], arguments[4096], finish[32];
    size_t chunks, usages, roles;
    bool first_is_zero;
};

static void hear(struct heard *h, yyjson_mut_val *root, int64_t wanted)
{
    yyjson_mut_val *choice = yyjson_mut_arr_get_first(sotto_json_get(root, "choices"));
    yyjson_mut_val *delta = sotto_json_get(choice, "delta");
    int64_t index = -1;
    h->usages += yyjson_mut_is_obj(sotto_json_get(root, "usage")) ? 1 : 0;
    if (choice == NULL || sotto_json_int(sotto_json_get(choice, "index"), &index) != SOTTO_OK) {
        return;
    }
    h->first_is_zero = h->chunks == 0 ? index == 0 : h->first_is_zero;
    h->chunks++;
    if (index != wanted) {
        return;
    }
    yyjson_mut_val *call = yyjson_mut_arr_get_first(sotto_json_get(delta, "tool_calls"));
    sotto_span text = sotto_json_text(sotto_json_get(delta, "content"));
    sotto_span arguments =
        sotto_json_text(sotto_json_get(sotto_json_get(call, "function"), "arguments"));
    sotto_span finish = sotto_json_text(sotto_json_get(choice, "finish_reason"));
    h->roles += sotto_json_get(delta, "role") != NULL ? 1 : 0;
    snprintf(h->content + strlen(h->content), sizeof(h->content) - strlen(h->content), "%.*s",
             SOTTO_FMT(text));
    snprintf(h->arguments + strlen(h->arguments), sizeof(h->arguments) - strlen(h->arguments),
             "%.*s", SOTTO_FMT(arguments));
    snprintf(h->finish + strlen(h->finish), sizeof(h->finish) - strlen(h->finish), "%.*s",
             SOTTO_FMT(finish));
}

static void listen_to(const char *body, int64_t wanted, struct heard *h)
{
    struct sotto_call call;
    struct sotto_mirror_stream *stream = NULL;
    memset(h, 0, sizeof(*h));
    call_with(&call, body);
    IS_INT(sotto_mirror_stream_new(&call, &options, &stream), SOTTO_OK, "a stream");
    sotto_call_free(&call);
    yyjson_mut_doc *chunk = NULL;
    while (sotto_mirror_stream_next(stream, &chunk) == SOTTO_OK && chunk != NULL) {
        hear(h, yyjson_mut_doc_get_root(chunk), wanted);
        sotto_json_free(chunk);
    }
    sotto_mirror_stream_free(stream);
    sotto_mirror_stream_free(NULL);
}

static void test_a_stream_says_what_a_whole_answer_says(void)
{
    static const char *const bodies[] = {
        "{" USER("Gr\xc3\xbc\xc3\x9f"
                 "e an TOKENaaaa,\\n und TOKENbbbb!") "}",
        "{" USER("a b") ",\"n\":3}",
        "{" USER("a b c d") ",\"max_tokens\":3}",
        "{" USER("") ",\"max_tokens\":0}",
    };
    for (size_t i = 0; i < SOTTO_COUNT(bodies); i++) {
        struct heard h;
        char both[4200];
        listen_to(bodies[i], 0, &h);
        snprintf(both, sizeof(both), "%s|%s", h.content, h.finish);
        IS_STR(said(bodies[i], 0), both, "body %zu", i);
        IS_SIZE(h.roles, 1, "the role comes once");
        IS_SIZE(h.usages, 1, "usage comes once");
        OK(h.first_is_zero, "the first chunk is of choice 0");
    }
    struct heard h;
    listen_to("{" USER("a b") ",\"n\":3}", 2, &h);
    IS_STR(h.content, "You wrote: a b There was nothing in it to replace. This is choice 3 of 3.",
           "the third choice");
}

static void test_a_streamed_tool_call(void)
{
    struct heard h;
    listen_to(
        "{" USER(
            "TOKENaaaa \xc3\xa4\xc3\xb6") ",\"tools\":[{\"function\":{\"name\":\"f\","
                                          "\"parameters\":{\"properties\":{\"w\xc3\xa4r\":{}}}}}]}",
        0, &h);
    IS_STR(h.arguments, "{\"w\xc3\xa4r\":\"TOKENaaaa\"}", "its arguments");
    IS_STR(h.finish, "tool_calls", "its end");
    OK(h.chunks >= 5, "they come in fragments: %zu chunks", h.chunks);
}

static void test_embeddings(void)
{
    yyjson_mut_doc *doc = mirrored("{\"input\":[\"one two\",\"two one\",\"\"],\"dimensions\":8}");
    yyjson_mut_val *root = yyjson_mut_doc_get_root(doc);
    yyjson_mut_val *data = sotto_json_get(root, "data"), *first, *second;
    IS_SIZE(yyjson_mut_arr_size(data), 3, "one vector an input");
    for (size_t i = 0; i < 3; i++) {
        yyjson_mut_val *vector = sotto_json_get(yyjson_mut_arr_get(data, i), "embedding");
        double sum = 0, one;
        yyjson_mut_arr_iter iter = yyjson_mut_arr_iter_with(vector);
        yyjson_mut_val *number;
        while ((number = yyjson_mut_arr_iter_next(&iter)) != NULL) {
            sum += sotto_json_double(number, &one) == SOTTO_OK ? one * one : 0;
        }
        IS_SIZE(yyjson_mut_arr_size(vector), 8, "vector %zu has the wanted length", i);
        OK(fabs(sum - 1) < 1e-5, "and the norm one");
    }
    first = sotto_json_get(yyjson_mut_arr_get(data, 0), "embedding");
    second = sotto_json_get(yyjson_mut_arr_get(data, 1), "embedding");
    OK(yyjson_mut_equals(first, second), "the same words, the same vector");
    sotto_json_free(doc);

    const char *text = whole("{\"input\":\"\",\"dimensions\":1,\"encoding_format\":\"base64\"}");
    IS_STR(text,
           "{\"object\":\"list\",\"data\":[{\"object\":\"embedding\",\"index\":0,\"embedding\":"
           "\"AACAPw==\"}],\"model\":\"asked\",\"usage\":{\"prompt_tokens\":0,\"total_tokens\":0}}",
           "1.0 in base64");
    doc = mirrored("{\"input\":\"a\",\"dimensions\":1000000000}");
    root = yyjson_mut_doc_get_root(doc);
    first = yyjson_mut_arr_get_first(sotto_json_get(root, "data"));
    IS_SIZE(yyjson_mut_arr_size(sotto_json_get(first, "embedding")), SOTTO_MIRROR_VECTOR_MAX,
            "vectors have an end");
    sotto_json_free(doc);
}

static void test_every_allocation_failure(void)
{
    static const char *const bodies[] = {
        "{" USER("TOKENaaaa b") ",\"n\":2,\"logprobs\":true,\"top_logprobs\":1}",
        "{" USER("TOKENaaaa b") ",\"tools\":[{\"function\":{\"name\":\"f\"}}]}",
        "{\"input\":[\"a\"],\"dimensions\":2,\"encoding_format\":\"base64\"}",
    };
    for (size_t i = 0; i < SOTTO_COUNT(bodies); i++) {
        for (size_t n = 1;; n++) {
            struct sotto_call call;
            yyjson_mut_doc *doc = NULL;
            call_with(&call, bodies[i]);
            call.kind = i == 2 ? SOTTO_CALL_EMBEDDINGS : SOTTO_CALL_CHAT;
            sotto_alloc_set_fault(n);
            enum sotto_err err = sotto_mirror_answer(&call, &options, &doc);
            sotto_alloc_set_fault(0);
            OK(err == SOTTO_OK || (err == SOTTO_ENOMEM && doc == NULL),
               "answer %zu without allocation %zu", i, n);
            sotto_json_free(doc);
            sotto_call_free(&call);
            if (err == SOTTO_OK) {
                break;
            }
        }
    }
    for (size_t i = 0; i < 2; i++) {
        for (size_t n = 1;; n++) {
            struct sotto_call call;
            struct sotto_mirror_stream *stream = NULL;
            yyjson_mut_doc *chunk = NULL;
            call_with(&call, bodies[i]);
            sotto_alloc_set_fault(n);
            enum sotto_err err = sotto_mirror_stream_new(&call, &options, &stream);
            while (err == SOTTO_OK &&
                   (err = sotto_mirror_stream_next(stream, &chunk)) == SOTTO_OK && chunk != NULL) {
                sotto_json_free(chunk);
            }
            sotto_alloc_set_fault(0);
            OK(err == SOTTO_OK || err == SOTTO_ENOMEM, "stream %zu without allocation %zu", i, n);
            sotto_mirror_stream_free(stream);
            sotto_call_free(&call);
            if (err == SOTTO_OK) {
                break;
            }
        }
    }
}

int main(void)
{
    test_a_whole_answer();
    test_what_it_says();
    test_long_prompts_are_cut();
    test_tool_calls();
    test_logprobs();
    test_a_stream_says_what_a_whole_answer_says();
    test_a_streamed_tool_call();
    test_embeddings();
    test_every_allocation_failure();
    return done_testing();
}
