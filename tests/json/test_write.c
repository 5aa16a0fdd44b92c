/* SPDX-License-Identifier: Apache-2.0 */

#include "json/json.h"

#include <math.h>

#include "base/alloc.h"
#include "tap/tap.h"

static yyjson_mut_doc *read_ok(const char *text)
{
    yyjson_mut_doc *doc = NULL;
    struct sotto_json_error error = {0};
    if (sotto_json_read(sotto_span_str(text), 128, &doc, &error) != SOTTO_OK) {
        printf("# %s: %s at %zu\n", text, error.what, error.position);
        return NULL;
    }
    return doc;
}

static void test_what_is_not_edited_is_written_as_it_was(void)
{
    static const char *const same[] = {
        "null",
        "true",
        "false",
        "\"\"",
        "{}",
        "[]",
        "[[],{}]",
        "0",
        "-0",
        "-0.0",
        "1e400",
        "1E+2",
        "0.10",
        "123456789012345678901234567890",
        "3.14159265358979323846264338327950288",
        "{\"a\":1,\"b\":[1.0,2e3,{\"c\":null}],\"\":\"\"}",
        "\"\\u0000 is text\"",
        "\"\\\"\\\\/\\b\\f\\n\\r\\t\\u001F\"",
        "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x99\x82\x7f\"",
    };
    for (size_t i = 0; i < SOTTO_COUNT(same); i++) {
        struct sotto_buf out;
        sotto_buf_init(&out, 4096);
        yyjson_mut_doc *doc = read_ok(same[i]);
        IS_INT(doc != NULL ? sotto_json_write(yyjson_mut_doc_get_root(doc), &out) : SOTTO_EFORMAT,
               SOTTO_OK, "%s is read and written", same[i]);
        IS_TEXT(out.base, out.len, same[i], "%s comes out as it went in", same[i]);
        sotto_json_free(doc);
        sotto_buf_free(&out);
    }
}

static void test_escapes_and_white_space_are_normalised(void)
{
    struct sotto_buf out;
    sotto_buf_init(&out, 4096);
    yyjson_mut_doc *doc = read_ok(" \t\r\n{ \"\\u0061\" : [ \"\\/\" , \"\\ud83d\\ude42\" ] }\n");
    IS_INT(sotto_json_write(yyjson_mut_doc_get_root(doc), &out), SOTTO_OK, "it is written");
    IS_TEXT(out.base, out.len, "{\"a\":[\"/\",\"\xf0\x9f\x99\x82\"]}", "without white space");
    sotto_json_free(doc);
    sotto_buf_free(&out);
}

static void test_quote(void)
{
    static const struct {
        const char *name;
        sotto_span in;
        const char *want;
    } cases[] = {
        {"nothing", {NULL, 0}, ""},
        {"plain text", {(const uint8_t *)"plain /", 7}, "plain /"},
        {"quotes", {(const uint8_t *)"a\"b\\", 4}, "a\\\"b\\\\"},
        {"control characters",
         {(const uint8_t *)"\0\b\f\n\r\t\x1f\x7f", 8},
         "\\u0000\\b\\f\\n\\r\\t\\u001F\x7f"},
        {"UTF-8", {(const uint8_t *)"\xc3\xa9", 2}, "\xc3\xa9"},
    };
    for (size_t i = 0; i < SOTTO_COUNT(cases); i++) {
        struct sotto_buf out;
        sotto_buf_init(&out, 100);
        IS_INT(sotto_json_quote(cases[i].in, false, &out), SOTTO_OK, "%s is quoted", cases[i].name);
        IS_TEXT(out.base, out.len, cases[i].want, "%s without quotes", cases[i].name);
        IS_INT(sotto_json_quote(cases[i].in, true, &out), SOTTO_OK, "%s is quoted", cases[i].name);
        IS_SIZE(out.len, 2 * strlen(cases[i].want) + 2, "%s with quotes", cases[i].name);
        sotto_buf_free(&out);
    }
    for (size_t room = 0; room < 10; room++) {
        struct sotto_buf out;
        sotto_buf_init(&out, room);
        enum sotto_err err = sotto_json_quote(SOTTO_LIT("a\n\x01"), true, &out);
        IS_INT(err, SOTTO_ELIMIT, "eleven bytes do not fit into %zu", room);
        IS_SIZE(out.len, 0, "and none is left");
        sotto_buf_free(&out);
    }
}

static void test_built_numbers(void)
{
    yyjson_mut_doc *doc = sotto_json_new();
    int64_t whole = 0;
    double real = 0;
    OK(sotto_json_int(yyjson_mut_uint(doc, 7), &whole) == SOTTO_OK && whole == 7, "unsigned");
    OK(sotto_json_int(yyjson_mut_sint(doc, -7), &whole) == SOTTO_OK && whole == -7, "signed");
    OK(sotto_json_int(yyjson_mut_real(doc, 3.0), &whole) == SOTTO_OK && whole == 3, "real, whole");
    IS_INT(sotto_json_int(yyjson_mut_real(doc, 3.5), &whole), SOTTO_EINVAL, "real with a fraction");
    IS_INT(sotto_json_int(yyjson_mut_real(doc, 1e300), &whole), SOTTO_EINVAL, "real, too large");
    IS_INT(sotto_json_int(yyjson_mut_real(doc, (double)NAN), &whole), SOTTO_EINVAL, "no number");
    IS_INT(sotto_json_int(yyjson_mut_uint(doc, UINT64_MAX), &whole), SOTTO_EINVAL, "too large");
    OK(sotto_json_double(yyjson_mut_uint(doc, 7), &real) == SOTTO_OK && real == 7.0, "as a double");
    OK(sotto_json_is_num(yyjson_mut_real(doc, 1.5)), "a built number is a number");
    OK(!sotto_json_is_num(NULL), "nothing is no number");
    IS_INT(sotto_json_int(NULL, &whole), SOTTO_EINVAL, "nothing is no integer");
    IS_INT(sotto_json_double(NULL, &real), SOTTO_EINVAL, "nothing is no double");
    sotto_json_free(doc);
}

static void test_a_full_buffer_is_left_alone(void)
{
    yyjson_mut_doc *doc = read_ok("[1,2,3]");
    struct sotto_buf out;
    sotto_buf_init(&out, 10);
    IS_INT(sotto_buf_append(&out, SOTTO_LIT("before")), SOTTO_OK, "a buffer in use");
    IS_INT(sotto_json_write(yyjson_mut_doc_get_root(doc), &out), SOTTO_ELIMIT, "it does not fit");
    IS_TEXT(out.base, out.len, "before", "the buffer is as before");
    sotto_json_free(doc);
    sotto_buf_free(&out);
}

int main(void)
{
    test_what_is_not_edited_is_written_as_it_was();
    test_escapes_and_white_space_are_normalised();
    test_quote();
    test_built_numbers();
    test_a_full_buffer_is_left_alone();
    return done_testing();
}
