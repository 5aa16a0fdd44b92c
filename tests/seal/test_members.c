/* SPDX-License-Identifier: Apache-2.0 */

#include "seal/members.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "tap/tap.h"

#define ID "0123456789abcdefghijklmnopqrstuvwxyzABCDEFG="

static const uint8_t secret[SOTTO_FIELD_SECRET_BYTES] = {7};

static bool all_but_model(sotto_span key, const yyjson_mut_val *value)
{
    (void)value;
    return !sotto_span_eq(key, SOTTO_LIT("model"));
}

static yyjson_mut_doc *must_read(sotto_span text)
{
    yyjson_mut_doc *doc = NULL;
    if (sotto_json_read(text, 64, &doc, NULL) != SOTTO_OK) {
        printf("Bail out! no JSON: %.*s\n", SOTTO_FMT(text));
        exit(1);
    }
    return doc;
}

static struct sotto_field_cipher *cipher(void)
{
    struct sotto_field_cipher *c = NULL;
    IS_INT(sotto_field_cipher_new(secret, SOTTO_LIT(ID), &c), SOTTO_OK, "a cipher");
    return c;
}

/* A client's request: an object sealed with the numbers of `order`, which lists its keys. */
static void client_seal(const char *const *order, const char *const *values, size_t n,
                        struct sotto_buf *out)
{
    struct sotto_field_cipher *c = cipher();
    for (size_t i = 0; i < n; i++) {
        sotto_ignore(sotto_buf_printf(out, "%s\"%s\":\"", i == 0 ? "{" : ",", order[i]));
        sotto_ignore(sotto_field_seal(c, (uint32_t)i, NULL, sotto_span_str(values[i]), out));
        sotto_ignore(sotto_buf_push(out, '"'));
    }
    sotto_ignore(sotto_buf_printf(out, ",\"model\":\"m\"}"));
    sotto_field_cipher_free(c);
}

static enum sotto_err open_text(sotto_span text, sotto_members_write *write, void *ctx,
                                struct sotto_buf *plain)
{
    yyjson_mut_doc *doc = must_read(text);
    struct sotto_field_cipher *c = NULL;
    enum sotto_err err = sotto_field_cipher_new(secret, SOTTO_LIT(ID), &c);
    if (err == SOTTO_OK) {
        err = sotto_members_open(c, yyjson_mut_doc_get_root(doc), all_but_model, write, ctx, plain);
    }
    sotto_field_cipher_free(c);
    sotto_json_free(doc);
    return err;
}

static void test_order(void)
{
    /* A dot counts as a backslash and a dot: it stands behind upper case. */
    static const char *const values[] = {"1", "true", "null", "[ 1 ]", "{\"x\":2}", "\"s\"", "0.5"};
    static const char *const right[] = {"Z", ".x", "a", "a-b", "a.b", "aa", "\xc3\xa9"};
    struct sotto_buf text, plain;
    sotto_buf_init(&text, 100000);
    sotto_buf_init(&plain, 100000);
    client_seal(right, values, 7, &text);
    IS_INT(open_text(sotto_buf_span(&text), NULL, NULL, &plain), SOTTO_OK, "an object opens");
    IS_TEXT(plain.base, plain.len,
            "{\"Z\":1,\".x\":true,\"a\":null,\"a-b\":[ 1 ],\"a.b\":{\"x\":2},\"aa\":\"s\","
            "\"\xc3\xa9\":0.5,\"model\":\"m\"}",
            "in the order of its keys");
    static const char *const wrong[] = {"Z", ".x", "a", "a.b", "a-b", "aa", "\xc3\xa9"};
    sotto_buf_truncate(&text, 0);
    sotto_buf_truncate(&plain, 0);
    client_seal(wrong, values, 7, &text);
    IS_INT(open_text(sotto_buf_span(&text), NULL, NULL, &plain), SOTTO_EAUTH,
           "another order does not");
    IS_SIZE(plain.len, 0, "and leaves nothing");
    sotto_buf_free(&text);
    sotto_buf_free(&plain);
}

static enum sotto_err as_messages(void *ctx, sotto_span key, sotto_span text, bool *done,
                                  struct sotto_buf *out)
{
    size_t *members = ctx;
    (*members)++;
    *done = sotto_span_eq(key, SOTTO_LIT("message"));
    return *done ? sotto_buf_printf(out, "\"messages\":[%.*s]", SOTTO_FMT(text)) : SOTTO_OK;
}

static void test_write(void)
{
    static const char *const keys[] = {"message", "tools"};
    static const char *const values[] = {"1", "[]"};
    struct sotto_buf text, plain;
    size_t members = 0;
    sotto_buf_init(&text, 100000);
    sotto_buf_init(&plain, 100000);
    client_seal(keys, values, 2, &text);
    IS_INT(open_text(sotto_buf_span(&text), as_messages, &members, &plain), SOTTO_OK, "it opens");
    IS_SIZE(members, 2, "and each sealed member is shown");
    IS_TEXT(plain.base, plain.len, "{\"messages\":[1],\"tools\":[],\"model\":\"m\"}",
            "with one member written in another way");
    sotto_buf_free(&text);
    sotto_buf_free(&plain);
}

static void test_refusals(void)
{
    static const char *const cases[] = {
        "{}",
        "[]",
        "1",
        "{\"model\":\"m\"}",
        "{\"a\":1}",
        "{\"a\":null}",
        "{\"a\":\"\"}",
        "{\"a\":\"" ID ":\"}",
    };
    struct sotto_buf plain;
    sotto_buf_init(&plain, 1000);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        IS_INT(open_text(sotto_span_str(cases[i]), NULL, NULL, &plain), SOTTO_EAUTH, "refused: %s",
               cases[i]);
        IS_SIZE(plain.len, 0, "nothing is left");
    }
    struct sotto_buf many;
    sotto_buf_init(&many, 100000);
    sotto_ignore(sotto_buf_push(&many, '{'));
    for (int i = 0; i <= SOTTO_MEMBERS_MAX; i++) {
        sotto_ignore(sotto_buf_printf(&many, "%s\"k%d\":\"x\"", i == 0 ? "" : ",", i));
    }
    sotto_ignore(sotto_buf_push(&many, '}'));
    IS_INT(open_text(sotto_buf_span(&many), NULL, NULL, &plain), SOTTO_EAUTH, "too many members");
    sotto_buf_free(&many);
    sotto_buf_free(&plain);
}

/* What is sealed for an answer opens as a request: the cipher counts both alike. */
static void test_seal(void)
{
    yyjson_mut_doc *doc =
        must_read(SOTTO_LIT("{\"z\":[1,2],\"model\":\"m\",\"a\":{\"b\":\"\\u00e9\"}}"));
    struct sotto_field_cipher *c = cipher();
    struct sotto_buf scratch, out, plain, request;
    sotto_buf_init(&scratch, 1000);
    sotto_buf_init(&out, 10000);
    sotto_buf_init(&plain, 10000);
    sotto_buf_init(&request, 10000);
    yyjson_mut_val *root = yyjson_mut_doc_get_root(doc);
    IS_INT(sotto_members_seal(c, root, all_but_model, &scratch, &out), SOTTO_ESTATE,
           "no answer before a request");
    static const char *const keys[] = {"a"};
    static const char *const values[] = {"1"};
    client_seal(keys, values, 1, &request);
    yyjson_mut_doc *asked = must_read(sotto_buf_span(&request));
    IS_INT(sotto_members_open(c, yyjson_mut_doc_get_root(asked), all_but_model, NULL, NULL, &plain),
           SOTTO_OK, "a request");
    sotto_buf_truncate(&plain, 0);
    IS_INT(sotto_members_seal(c, root, all_but_model, &scratch, &out), SOTTO_OK, "its answer");
    IS_SIZE(scratch.len, 0, "the scratch is wiped");
    yyjson_mut_doc *sealed = must_read(sotto_buf_span(&out));
    OK(sotto_json_is(sotto_json_get(yyjson_mut_doc_get_root(sealed), "model"), "m"),
       "what is plain stays plain");
    /* The nonce is the request's, so a cipher that has not opened one opens the answer. */
    IS_INT(open_text(sotto_buf_span(&out), NULL, NULL, &plain), SOTTO_OK, "opens");
    IS_TEXT(plain.base, plain.len, "{\"a\":{\"b\":\"\xc3\xa9\"},\"z\":[1,2],\"model\":\"m\"}",
            "to what it was");
    uint32_t number = 0;
    IS_INT(sotto_field_number(c, 1, &number), SOTTO_OK, "the next number");
    IS_INT(number, 2, "follows those that were used");
    out.max = out.len + 50;
    size_t before = out.len;
    IS_INT(sotto_members_seal(c, root, all_but_model, &scratch, &out), SOTTO_ELIMIT, "too small");
    IS_SIZE(out.len, before, "a buffer is as before");
    yyjson_mut_doc *list = must_read(SOTTO_LIT("[]"));
    IS_INT(sotto_members_seal(c, yyjson_mut_doc_get_root(list), all_but_model, &scratch, &out),
           SOTTO_EINVAL, "only objects");
    sotto_json_free(list);
    sotto_json_free(sealed);
    sotto_json_free(asked);
    sotto_json_free(doc);
    sotto_field_cipher_free(c);
    sotto_buf_free(&scratch);
    sotto_buf_free(&out);
    sotto_buf_free(&plain);
    sotto_buf_free(&request);
}

static void test_faults(void)
{
    static const char *const keys[] = {"message", "tools"};
    static const char *const values[] = {"1", "[]"};
    struct sotto_buf text, plain;
    sotto_buf_init(&text, 100000);
    client_seal(keys, values, 2, &text);
    yyjson_mut_doc *doc = must_read(sotto_buf_span(&text));
    for (size_t n = 1, total = 1; n <= total; n++) {
        struct sotto_field_cipher *c = cipher();
        size_t members = 0;
        sotto_buf_init(&plain, 100000);
        (void)sotto_alloc_set_fault(n == 1 ? SIZE_MAX : n - 1);
        enum sotto_err err = sotto_members_open(c, yyjson_mut_doc_get_root(doc), all_but_model,
                                                as_messages, &members, &plain);
        size_t used = sotto_alloc_set_fault(0);
        total = n == 1 ? used + 1 : total;
        OK(n == 1 ? err == SOTTO_OK : err == SOTTO_OK || plain.len == 0,
           "allocation %zu fails: nothing in part", n - 1);
        sotto_buf_free(&plain);
        sotto_field_cipher_free(c);
    }
    sotto_json_free(doc);
    sotto_buf_free(&text);
}

int main(void)
{
    test_order();
    test_write();
    test_refusals();
    test_seal();
    test_faults();
    return done_testing();
}
