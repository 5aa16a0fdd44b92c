/* SPDX-License-Identifier: Apache-2.0 */

#include "client/veil.h"

#include "base/alloc.h"
#include "tap/tap.h"

#define MAIL "jane.roe@example.org"
#define ASK                                                                                        \
    "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"Write to " MAIL ".\"}]}"

static yyjson_mut_doc *read_doc(const char *text)
{
    struct sotto_json_error where;
    yyjson_mut_doc *doc = NULL;
    OK(sotto_json_read(sotto_span_str(text), 32, &doc, &where) == SOTTO_OK, "JSON");
    return doc;
}

/* The content of the masked request. */
static sotto_span content_of(yyjson_mut_doc *doc)
{
    yyjson_mut_val *messages = sotto_json_get(yyjson_mut_doc_get_root(doc), "messages");
    return sotto_json_text(sotto_json_get(yyjson_mut_arr_get(messages, 0), "content"));
}

/* Restores what stands before and behind a token, and the token. */
static void restore(struct sotto_veil_answer *answer, const char *before, sotto_span token,
                    const char *behind, bool chunk, const char *want, const char *what)
{
    char text[512];
    struct sotto_buf out;
    sotto_buf_init(&out, SOTTO_BUF_UNBOUNDED);
    snprintf(text, sizeof(text), "%s%.*s%s", before, SOTTO_FMT(token), behind);
    OK(sotto_veil_restore(answer, sotto_span_str(text), chunk, &out) == SOTTO_OK, "%s", what);
    IS_TEXT(out.base, out.len, want, "%s: the value is back", what);
    sotto_buf_free(&out);
}

static void test_round_trip(struct sotto_veil *veil)
{
    struct sotto_veil_answer *answer = NULL;
    struct sotto_buf out;
    yyjson_mut_doc *doc = read_doc(ASK);
    OK(sotto_veil_request(veil, doc, &answer) == SOTTO_OK, "a request is masked");
    sotto_span content = content_of(doc);
    OK(memmem(content.base, content.len, MAIL, strlen(MAIL)) == NULL, "the address is out");
    sotto_span token = sotto_span_sub(content, strlen("Write to "), content.len - 1);
    restore(answer, "{\"choices\":[{\"index\":0,\"message\":{\"content\":\"To ", token, "\"}}]}",
            false, "{\"choices\":[{\"index\":0,\"message\":{\"content\":\"To " MAIL "\"}}]}",
            "a whole answer");
    restore(answer, "{\"choices\":[{\"index\":0,\"delta\":{\"content\":\"To ", token, ".\"}}]}",
            true, "{\"choices\":[{\"index\":0,\"delta\":{\"content\":\"To " MAIL ".\"}}]}",
            "a chunk");
    sotto_buf_init(&out, SOTTO_BUF_UNBOUNDED);
    IS_INT(sotto_veil_restore(answer, SOTTO_LIT("{"), false, &out), SOTTO_EFORMAT, "no JSON");
    IS_SIZE(out.len, 0, "nothing is given out");
    sotto_buf_free(&out);
    sotto_veil_answer_free(answer);
    sotto_json_free(doc);
}

static void test_nothing(struct sotto_veil *veil)
{
    struct sotto_veil_answer *answer = NULL;
    yyjson_mut_doc *doc = read_doc("{\"model\":\"m\",\"input\":\"the weather\"}");
    OK(sotto_veil_request(veil, doc, &answer) == SOTTO_OK, "embeddings without anything");
    restore(answer, "{\"data\":[ ]}", SOTTO_LIT(""), "", false, "{\"data\":[ ]}",
            "an answer to a request in which nothing was found");
    sotto_veil_answer_free(answer);
    sotto_json_free(doc);
}

static void test_faults(struct sotto_veil *veil)
{
    size_t failed = 0;
    for (size_t n = 1;; n++) {
        struct sotto_veil_answer *answer = NULL;
        yyjson_mut_doc *doc = read_doc(ASK);
        sotto_alloc_set_fault(n);
        enum sotto_err err = sotto_veil_request(veil, doc, &answer);
        bool done = sotto_alloc_set_fault(0) < n;
        OK(err == SOTTO_OK ? answer != NULL : answer == NULL, "allocation %zu: all or nothing", n);
        failed += err != SOTTO_OK;
        sotto_veil_answer_free(answer);
        sotto_json_free(doc);
        if (done) {
            IS_INT(err, SOTTO_OK, "without a failure it is masked");
            break;
        }
    }
    OK(failed > 5, "%zu failures were told", failed);
}

int main(void)
{
    struct sotto_veil *veil = NULL;
    IS_INT(sotto_veil_new(SOTTO_LIT("none"), &veil), SOTTO_ENOTFOUND, "no such mode");
    OK(veil == NULL, "nothing is made");
    OK(sotto_veil_new(SOTTO_LIT("standard"), &veil) == SOTTO_OK, "a veil");
    test_round_trip(veil);
    test_nothing(veil);
    test_faults(veil);
    sotto_veil_free(veil);
    sotto_veil_free(NULL);
    return done_testing();
}
