/* SPDX-License-Identifier: Apache-2.0 */

#include "dialects/sealed_messages.h"

#include "asking.h"

/* A profile that seals nothing and says what it was asked to seal. */

static enum sotto_err write_as(const char *what, int status, yyjson_mut_doc *doc,
                               struct sotto_buf *out)
{
    enum sotto_err err = sotto_buf_printf(out, "%s %d ", what, status);
    return err == SOTTO_OK ? sotto_json_write(doc->root, out) : err;
}

static enum sotto_err answer(struct sotto_seal_exchange *x, int status, yyjson_mut_doc *doc,
                             struct sotto_buf *out)
{
    (void)x;
    return write_as("answer", status, doc, out);
}

static enum sotto_err one_event(struct sotto_seal_exchange *x, yyjson_mut_doc *doc,
                                struct sotto_buf *out)
{
    (void)x;
    return write_as("event", 0, doc, out);
}

static enum sotto_err fail(struct sotto_seal_exchange *x, yyjson_mut_doc *doc,
                           struct sotto_buf *out)
{
    (void)x;
    return write_as("fail", 0, doc, out);
}

static enum sotto_err end(struct sotto_seal_exchange *x, struct sotto_buf *out)
{
    (void)x;
    return sotto_buf_append(out, SOTTO_LIT("end"));
}

static struct sotto_seal_profile profile = {
    .name = "open",
    .answer = answer,
    .event = one_event,
    .fail = fail,
    .end = end,
};

static struct sotto_seal_exchange exchange = {.profile = &profile};

/* As ask() of asking.h, for a request that was opened. */
static void ask_opened(struct asking *a, const char *head, const char *body)
{
    static char block[1024];
    snprintf(block, sizeof(block), "%s\r\n", head);
    memset(a, 0, sizeof(*a));
    sotto_call_init(&a->call);
    a->call.exchange = &exchange;
    IS_INT(sotto_http_head_index(sotto_span_str(block), true, &a->head), SOTTO_OK, "a head");
    a->err = sotto_dialect_sealed_messages.read(&a->head, sotto_span_str(body), 64, &a->call,
                                                &a->problem);
}

static void test_read(void)
{
    struct asking a;
    ask_opened(&a, CHAT "accept: application/x-ndjson\r\ncontent-type: application/vnd.x\r\n",
               "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],"
               "\"cache_salt\":\"s\",\"compliance_mode\":\"hipaa\",\"encryption\":\"auto\"}");
    IS_INT(a.err, SOTTO_OK, "a chat that was opened is read whatever its wrapping's type");
    IS_DOC(a.call.doc, "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]}",
           "as one of OpenAI's, without the salt and our own fields");
    IS_SPAN(a.call.mode, "hipaa", "which are taken");
    OK(!a.call.ndjson, "bare lines are the exchange's choice");
    asked(&a);

    exchange.lines = profile.tells_usage = true;
    ask_opened(&a, CHAT,
               "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],"
               "\"stream\":true}");
    OK(a.call.ndjson && a.call.stream, "which it makes");
    OK(a.call.include_usage, "as is that usage is told");
    asked(&a);
    exchange.lines = profile.tells_usage = false;

    ask_opened(&a, "POST /v1/embeddings\r\n", "{\"model\":\"m\",\"input\":\"x\"}");
    IS_INT(a.err, SOTTO_OK, "embeddings");
    IS_INT(a.call.kind, SOTTO_CALL_EMBEDDINGS, "are told by their path");
    asked(&a);
}

static void test_refusals(void)
{
    static const char image[] = "{\"model\":\"m\",\"messages\":[{\"role\":\"system\",\"content\":"
                                "\"s\"},{\"role\":\"user\",\"content\":[{\"type\":\"text\","
                                "\"text\":\"t\"},{\"type\":\"image_url\",\"image_url\":{\"url\":"
                                "\"u\"}}]}]}";
    struct asking a;
    ask_opened(&a, CHAT, "{\"model\":\"m\",\"messages\":7}");
    IS_INT(a.err, SOTTO_EINVAL, "what is wrong is named");
    IS_STR(a.problem.param, "messages", "by its field");
    asked(&a);
    ask_opened(&a, CHAT, "{\"model\":");
    IS_INT(a.err, SOTTO_EINVAL, "what was sealed may be no JSON");
    IS_STR(a.problem.code, "invalid_json", "and it is said");
    asked(&a);
    ask_opened(&a, CHAT, image);
    IS_INT(a.err, SOTTO_OK, "an image passes");
    asked(&a);
    profile.no_images = true;
    ask_opened(&a, CHAT, image);
    IS_INT(a.err, SOTTO_EINVAL, "but not where the profile refuses it");
    IS_STR(a.problem.param, "messages[1].content", "and its place is named");
    asked(&a);
    profile.no_images = false;
}

static void test_write(void)
{
    const struct sotto_dialect *dialect = &sotto_dialect_sealed_messages;
    const struct sotto_answer_facts facts = {SOTTO_LIT("chatcmpl-1"), 5};
    const struct sotto_problem problem = {.status = 429, .type = "t", .message = "m"};
    struct sotto_call call = {.model = SOTTO_LIT("mine"), .exchange = &exchange};
    IS_STR(written(dialect, &call, &facts, "{\"id\":\"x\",\"model\":\"theirs\",\"choices\":[]}"),
           "answer 200 {\"id\":\"chatcmpl-1\",\"model\":\"mine\",\"choices\":[],\"created\":5}",
           "an answer goes through the exchange");
    IS_STR(event(dialect, &call, &facts, "{\"choices\":[],\"created\":1}"),
           "event 0 {\"choices\":[],\"created\":1,\"id\":\"chatcmpl-1\",\"model\":\"mine\"}",
           "as does an event");
    struct sotto_buf out;
    sotto_buf_init(&out, 1000);
    IS_INT(dialect->write_done(&call, &out), SOTTO_OK, "the end");
    IS_TEXT(out.base, out.len, "end", "is the profile's");
    sotto_buf_truncate(&out, 0);
    IS_INT(sotto_sealed_write_error(&exchange, &problem, NULL, false, &out), SOTTO_OK, "an error");
    IS_TEXT(
        out.base, out.len,
        "answer 429 {\"error\":{\"message\":\"m\",\"type\":\"t\",\"param\":null,\"code\":null}}",
        "is an answer with its status");
    sotto_buf_truncate(&out, 0);
    yyjson_mut_doc *upstream = must_read("{\"error\":{\"message\":\"theirs\"}}");
    IS_INT(sotto_sealed_write_error(&exchange, &problem, upstream, true, &out), SOTTO_OK,
           "another");
    IS_TEXT(out.base, out.len, "fail 0 {\"error\":{\"message\":\"theirs\"}}", "ends a stream");
    sotto_json_free(upstream);
    sotto_buf_free(&out);
}

static void test_key(void)
{
    struct sotto_http_head head;
    const struct sotto_dialect *dialect = &sotto_dialect_sealed_messages;
    IS_INT(sotto_http_head_index(SOTTO_LIT("POST /\r\n\r\n"), true, &head), SOTTO_OK, "a head");
    IS_SIZE(dialect->key(&head).len, 0, "no key is none");
    IS_INT(sotto_http_head_index(
               SOTTO_LIT("POST /\r\nauthorization: Bearer a\r\nx-api-key: b\r\n\r\n"), true, &head),
           SOTTO_OK, "a head with two keys");
    OK(dialect->key(&head).len != 0, "is not one without a key");
    OK(!dialect->accepts(&head), "the dialect is never asked by a head alone");
}

int main(void)
{
    test_read();
    test_refusals();
    test_write();
    test_key();
    return done_testing();
}
