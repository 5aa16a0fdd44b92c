/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_TESTS_DIALECTS_ASKING_H
#define SOTTO_TESTS_DIALECTS_ASKING_H

/* A request as a dialect gets it, made from a head in lines and a body. */

#include <stdlib.h>

#include "dialects/table.h"
#include "tap/tap.h"

#define CHAT      "POST /v1/chat/completions\r\n"
#define JSON_TYPE "content-type: application/json\r\n"

struct asking {
    struct sotto_http_head head;
    struct sotto_call call;
    struct sotto_problem problem;
    enum sotto_err err;
};

/** @param head  "METHOD target\r\nname: value\r\n...", without the empty line; static */
static inline void ask(struct asking *a, const struct sotto_dialect *dialect, const char *head,
                       const char *body)
{
    static char block[8192];
    snprintf(block, sizeof(block), "%s\r\n", head);
    memset(a, 0, sizeof(*a));
    sotto_call_init(&a->call);
    if (sotto_http_head_index(sotto_span_str(block), true, &a->head) != SOTTO_OK) {
        printf("Bail out! not a head: %s\n", head);
        exit(1);
    }
    a->err = dialect->read(&a->head, sotto_span_str(body), 64, &a->call, &a->problem);
}

static inline void asked(struct asking *a)
{
    sotto_call_free(&a->call);
}

/** The document as text, in a static buffer. */
static inline const char *doc_text(const yyjson_mut_doc *doc)
{
    static char text[65536];
    struct sotto_buf out;
    sotto_buf_init(&out, sizeof(text) - 1);
    text[0] = '\0';
    if (doc != NULL && sotto_json_write(doc->root, &out) == SOTTO_OK) {
        memcpy(text, out.base, out.len);
        text[out.len] = '\0';
    }
    sotto_buf_free(&out);
    return text;
}

#define IS_DOC(doc, want, ...)                                                                     \
    do {                                                                                           \
        const char *doc_text_ = doc_text(doc);                                                     \
        IS_TEXT(doc_text_, strlen(doc_text_), want, __VA_ARGS__);                                  \
    } while (0)

#define IS_SPAN(got, want, ...)                                                                    \
    do {                                                                                           \
        sotto_span span_ = (got);                                                                  \
        IS_TEXT(span_.base, span_.len, want, __VA_ARGS__);                                         \
    } while (0)

static inline yyjson_mut_doc *must_read(const char *text)
{
    yyjson_mut_doc *doc = NULL;
    struct sotto_json_error error;
    if (sotto_json_read(sotto_span_str(text), 64, &doc, &error) != SOTTO_OK) {
        printf("Bail out! %s in %s\n", error.what, text);
        exit(1);
    }
    return doc;
}

/** What the dialect makes of a whole answer, in a static buffer. */
static inline const char *written(const struct sotto_dialect *dialect,
                                  const struct sotto_call *call,
                                  const struct sotto_answer_facts *facts, const char *answer)
{
    static char text[65536];
    yyjson_mut_doc *doc = must_read(answer);
    struct sotto_buf out;
    sotto_buf_init(&out, sizeof(text) - 1);
    enum sotto_err err = dialect->write(call, facts, doc, &out);
    snprintf(text, sizeof(text), "%.*s", SOTTO_FMT(sotto_buf_span(&out)));
    if (err != SOTTO_OK) {
        snprintf(text, sizeof(text), "error %d", (int)err);
    }
    sotto_buf_free(&out);
    sotto_json_free(doc);
    return text;
}

/** What it makes of one chunk. */
static inline const char *event(const struct sotto_dialect *dialect, const struct sotto_call *call,
                                const struct sotto_answer_facts *facts, const char *chunk)
{
    static char text[65536];
    yyjson_mut_doc *doc = must_read(chunk);
    struct sotto_buf out;
    sotto_buf_init(&out, sizeof(text) - 1);
    enum sotto_err err = dialect->write_event(call, facts, doc, &out);
    snprintf(text, sizeof(text), "%.*s", SOTTO_FMT(sotto_buf_span(&out)));
    if (err != SOTTO_OK) {
        snprintf(text, sizeof(text), "error %d", (int)err);
    }
    sotto_buf_free(&out);
    sotto_json_free(doc);
    return text;
}

/** What it says to refuse; `upstream` is the text of an error object or NULL. */
static inline const char *refusal(const struct sotto_dialect *dialect, enum sotto_refusal why,
                                  const struct sotto_problem *problem, const char *upstream,
                                  bool in_stream, int *status)
{
    static char text[8192];
    static const struct sotto_call stream;
    yyjson_mut_doc *doc = upstream != NULL ? must_read(upstream) : NULL;
    struct sotto_buf out;
    sotto_buf_init(&out, sizeof(text) - 1);
    *status = 0;
    enum sotto_err err =
        dialect->write_error(why, problem, doc, in_stream ? &stream : NULL, &out, status);
    snprintf(text, sizeof(text), "%.*s", SOTTO_FMT(sotto_buf_span(&out)));
    if (err != SOTTO_OK) {
        snprintf(text, sizeof(text), "error %d", (int)err);
    }
    sotto_buf_free(&out);
    sotto_json_free(doc);
    return text;
}

#define IS_STR(got, want, ...)                                                                     \
    do {                                                                                           \
        const char *str_ = (got);                                                                  \
        IS_TEXT(str_, str_ != NULL ? strlen(str_) : 0, want, __VA_ARGS__);                         \
    } while (0)

#endif
