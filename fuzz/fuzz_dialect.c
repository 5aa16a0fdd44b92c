/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A request to each dialect.  The first byte chooses route and headers, the rest is the body.
 * Where it is accepted, the document that the upstream would get is accepted again by a dialect
 * that speaks its form and stays as it is; where it is refused, there is an answer in JSON with a
 * status from 400 on.  The same bytes are then an upstream's answer, a chunk and an error.
 */

#include <stdlib.h>

#include "dialects/table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const heads[] = {
    "POST /v1/chat/completions\r\ncontent-type: application/json\r\n\r\n",
    "POST /v1/chat/completions\r\nx-compliantchatgpt-key: k\r\nx-openai-key: s\r\n\r\n",
    "POST /v1/ai/completions\r\nApi-token: k\r\n\r\n",
    "POST /v1/embeddings\r\naccept: application/x-ndjson\r\n\r\n",
};

static void require(bool true_always)
{
    if (!true_always) {
        abort();
    }
}

static bool is_json(struct sotto_buf *text)
{
    yyjson_mut_doc *doc = NULL;
    enum sotto_err err = sotto_json_read(sotto_buf_span(text), 200, &doc, NULL);
    sotto_json_free(doc);
    return err == SOTTO_OK;
}

static void check_refusal(const struct sotto_dialect *dialect, const struct sotto_problem *problem)
{
    struct sotto_buf out;
    int status = 0;
    sotto_buf_init(&out, SOTTO_BUF_UNBOUNDED);
    require(dialect->write_error(SOTTO_REFUSE_PROBLEM, problem, NULL, NULL, &out, &status) ==
            SOTTO_OK);
    require(status >= 400 && status < 600 && is_json(&out));
    sotto_buf_free(&out);
}

/* A chat that was accepted is an OpenAI request: reading it as one changes nothing. */
static void check_again(const struct sotto_http_head *head, const struct sotto_call *call,
                        const struct sotto_dialect *dialect)
{
    struct sotto_buf once, twice;
    struct sotto_call again;
    struct sotto_problem problem;
    sotto_buf_init(&once, SOTTO_BUF_UNBOUNDED);
    sotto_buf_init(&twice, SOTTO_BUF_UNBOUNDED);
    sotto_call_init(&again);
    require(sotto_json_write(yyjson_mut_doc_get_root(call->doc), &once) == SOTTO_OK);
    require(dialect->read(head, sotto_buf_span(&once), 64, &again, &problem) == SOTTO_OK);
    require(sotto_json_write(yyjson_mut_doc_get_root(again.doc), &twice) == SOTTO_OK);
    require(sotto_span_eq(sotto_buf_span(&once), sotto_buf_span(&twice)));
    require(sotto_span_eq(again.model, call->model) && again.choices == call->choices &&
            again.stream == call->stream);
    sotto_call_free(&again);
    sotto_buf_free(&once);
    sotto_buf_free(&twice);
}

static void write_back(const struct sotto_dialect *dialect, const struct sotto_call *call,
                       sotto_span text)
{
    static const struct sotto_answer_facts facts = {{(const uint8_t *)"id", 2}, 1};
    for (int what = 0; what < 3; what++) {
        yyjson_mut_doc *doc = NULL;
        struct sotto_buf out;
        int status = 0;
        if (sotto_json_read(text, 64, &doc, NULL) != SOTTO_OK ||
            !yyjson_mut_is_obj(yyjson_mut_doc_get_root(doc))) {
            sotto_json_free(doc);
            return;
        }
        sotto_buf_init(&out, SOTTO_BUF_UNBOUNDED);
        if (what == 0) {
            require(dialect->write(call, &facts, doc, &out) == SOTTO_OK && is_json(&out));
        } else if (what == 1) {
            require(dialect->write_event(call, &facts, doc, &out) == SOTTO_OK);
            require(out.len == 0 || out.base[out.len - 1] == '\n');
        } else {
            require(dialect->write_error(SOTTO_REFUSE_PROBLEM, NULL, doc, NULL, &out, &status) ==
                    SOTTO_OK);
            require(status >= 400 && is_json(&out));
        }
        sotto_buf_free(&out);
        sotto_json_free(doc);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    struct sotto_http_head head;
    struct sotto_call call;
    struct sotto_problem problem = {0};
    sotto_span body = sotto_span_init(data + 1, size - 1);
    const char *block = heads[data[0] % SOTTO_COUNT(heads)];
    require(sotto_http_head_index(sotto_span_str(block), true, &head) == SOTTO_OK);
    const struct sotto_dialect *dialect = sotto_dialect_of(&head);

    sotto_call_init(&call);
    enum sotto_err err = dialect->read(&head, body, 64, &call, &problem);
    require(err == SOTTO_OK || err == SOTTO_EINVAL);
    if (err == SOTTO_EINVAL) {
        check_refusal(dialect, &problem);
    } else if (call.kind == SOTTO_CALL_CHAT) {
        struct sotto_http_head plain;
        require(sotto_http_head_index(sotto_span_str(heads[0]), true, &plain) == SOTTO_OK);
        check_again(&plain, &call, &sotto_dialect_openai);
    } else {
        check_again(&head, &call, dialect);
    }
    write_back(dialect, &call, body);
    sotto_call_free(&call);
    return 0;
}
