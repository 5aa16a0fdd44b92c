/* SPDX-License-Identifier: Apache-2.0 */

#include "json/json.h"

#include <math.h>
#include <stdlib.h>

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

struct refusal {
    const char *name, *text;
    size_t len;
    size_t line, column, position;
};

#define R(name, text, line, column, position)                                                      \
    {                                                                                              \
        name, text, sizeof(text) - 1, line, column, position                                       \
    }

static const struct refusal refusals[] = {
    R("nothing", "", 1, 1, 0),
    R("white space only", "  ", 1, 1, 0),
    R("a BOM", "\xef\xbb\xbf{}", 1, 1, 0),
    R("two texts", "{} {}", 1, 4, 3),
    R("a text behind a line", "{}\n\nx", 3, 1, 4),
    R("a raw NUL between values", "[1,\0002]", 1, 4, 3),
    R("a raw NUL after the end", "{}\000", 1, 3, 2),
    R("a raw NUL in a string", "[\"a\000b\"]", 1, 4, 3),
    R("a control character in a string", "[\n \"a\001\"]", 2, 4, 5),
    R("an end in a string", "{\"a", 1, 4, 3),
    R("an end in an object", "{\"a\":1", 1, 7, 6),
    R("a comment", "[1/**/]", 1, 3, 2),
    R("a comma too many", "[1,]", 1, 3, 2),
    R("single quotes", "{'a':1}", 1, 2, 1),
    R("a leading zero", "[01]", 1, 2, 1),
    R("a leading plus", "[+1]", 1, 2, 1),
    R("a bare fraction", "[.5]", 1, 2, 1),
    R("an unfinished exponent", "[1e+,2]", 1, 6, 5),
    R("not a number", "[NaN]", 1, 2, 1),
    R("infinity", "[-Infinity]", 1, 3, 2),
    R("an unknown escape", "[\"\\x41\"]", 1, 4, 3),
    R("a lone high surrogate", "[\"\\ud800\"]", 1, 9, 8),
    R("a high surrogate before text", "[\"\\ud800a\"]", 1, 9, 8),
    R("two high surrogates", "[\"\\ud800\\ud800\"]", 1, 9, 8),
    R("a lone low surrogate", "[\"\\udc00\"]", 1, 3, 2),
    R("a surrogate as UTF-8", "[\"\xed\xa0\x80\"]", 1, 3, 2),
    R("an overlong form", "[\"\xc0\xaf\"]", 1, 3, 2),
    R("a code point beyond the last", "[\"\xf4\x90\x80\x80\"]", 1, 3, 2),
    R("a lone continuation", "[\"\x80\"]", 1, 3, 2),
    R("a cut sequence", "[\"\xe2\x82\"]", 1, 3, 2),
    R("a key that stands twice", "{\"a\":1,\n \"b\":2, \"a\":3}", 2, 9, 16),
    R("a key that stands twice, once escaped", "{\"a\":1,\"\\u0061\":2}", 1, 8, 7),
    R("a key that stands twice in an inner object", "[{},{\"x\":{\"\":0,\"\":0}}]", 1, 16, 15),
};

static void test_what_is_refused_is_located(void)
{
    for (size_t i = 0; i < SOTTO_COUNT(refusals); i++) {
        const struct refusal *r = &refusals[i];
        yyjson_mut_doc *doc = NULL;
        struct sotto_json_error error = {0};
        IS_INT(sotto_json_read(sotto_span_init(r->text, r->len), 128, &doc, &error), SOTTO_EFORMAT,
               "%s is refused", r->name);
        OK(doc == NULL, "%s: no document", r->name);
        IS_SIZE(error.position, r->position, "%s: position", r->name);
        IS_SIZE(error.line, r->line, "%s: line", r->name);
        IS_SIZE(error.column, r->column, "%s: column", r->name);
        OK(error.what != NULL && error.what[0] != '\0', "%s: %s", r->name, error.what);
        IS_INT(sotto_json_read(sotto_span_init(r->text, r->len), 128, &doc, NULL), SOTTO_EFORMAT,
               "%s is refused without an error to fill", r->name);
    }
}

static void test_every_prefix_of_a_text_is_refused(void)
{
    static const char text[] =
        "{\"a\":[1.5e3,true,null,\"\\u00e9\\ud83d\\ude42\xc3\xa9\"],\"b\":{}}";
    for (size_t n = 0; n < sizeof(text) - 1; n++) {
        /* An exact copy, so that a sanitizer sees a read beyond it. */
        uint8_t *copy = malloc(n + 1);
        memcpy(copy, text, n);
        yyjson_mut_doc *doc = NULL;
        struct sotto_json_error error = {0};
        IS_INT(sotto_json_read(sotto_span_init(copy, n), 128, &doc, &error), SOTTO_EFORMAT,
               "the first %zu bytes are no text", n);
        OK(error.position <= n, "the first %zu bytes: position inside", n);
        free(copy);
    }
}

static void test_depth(void)
{
    static const struct {
        const char *text;
        size_t depth;
        size_t position; /* where one level less fails */
    } cases[] = {
        {"[]", 1, 0},
        {"{\"a\":[]}", 2, 5},
        {"[[],[[]],[]]", 3, 5},
        {"[\"[[[\",\"\\\"[\",{\"}\":[{}]}]", 4, 19},
        {"[[[[[[[[[]]]]]]]]]", 9, 8},
    };
    for (size_t i = 0; i < SOTTO_COUNT(cases); i++) {
        yyjson_mut_doc *doc = NULL;
        struct sotto_json_error error = {0};
        sotto_span text = sotto_span_str(cases[i].text);
        IS_INT(sotto_json_read(text, cases[i].depth, &doc, &error), SOTTO_OK, "%s has depth %zu",
               cases[i].text, cases[i].depth);
        sotto_json_free(doc);
        doc = NULL;
        if (cases[i].depth > 1) {
            IS_INT(sotto_json_read(text, cases[i].depth - 1, &doc, &error), SOTTO_EFORMAT,
                   "%s does not have depth %zu", cases[i].text, cases[i].depth - 1);
            IS_SIZE(error.position, cases[i].position, "%s: position", cases[i].text);
        }
    }
}

/* `open` and `close` around a number, `depth` times. */
static void nested(struct sotto_buf *out, const char *open, const char *close, size_t depth)
{
    enum sotto_err err = SOTTO_OK;
    for (size_t i = 0; i < depth && err == SOTTO_OK; i++) {
        err = sotto_buf_append(out, sotto_span_str(open));
    }
    err = err == SOTTO_OK ? sotto_buf_push(out, '1') : err;
    for (size_t i = 0; i < depth && err == SOTTO_OK; i++) {
        err = sotto_buf_append(out, sotto_span_str(close));
    }
    if (err != SOTTO_OK) {
        abort();
    }
}

static void test_great_depth(void)
{
    static const char *const open[] = {"[", "{\"a\":"}, *const close[] = {"]", "}"};
    for (size_t i = 0; i < 2; i++) {
        struct sotto_buf text;
        yyjson_mut_doc *doc = NULL;
        struct sotto_json_error error = {0};
        sotto_buf_init(&text, SOTTO_BUF_UNBOUNDED);
        nested(&text, open[i], close[i], 100000);
        IS_INT(sotto_json_read(sotto_buf_span(&text), 128, &doc, &error), SOTTO_EFORMAT,
               "100,000 levels are refused");
        IS_SIZE(error.position, 128 * strlen(open[i]), "at the 129th");
        IS_INT(sotto_json_read(sotto_buf_span(&text), 100000, &doc, &error), SOTTO_OK,
               "and read where they are allowed");
        sotto_json_free(doc);
        sotto_buf_free(&text);
    }
}

static void test_keys_of_large_objects(void)
{
    static const size_t counts[] = {2, 11, 12, 13, 14, 32, 33, 1000, 20000};
    for (size_t i = 0; i < SOTTO_COUNT(counts); i++) {
        struct sotto_buf text;
        enum sotto_err err = SOTTO_OK;
        sotto_buf_init(&text, SOTTO_BUF_UNBOUNDED);
        for (size_t k = 0; k < counts[i] && err == SOTTO_OK; k++) {
            err = sotto_buf_printf(&text, "%c\"k%zu\":[{}]", k == 0 ? '{' : ',', k);
        }
        size_t mark = text.len;
        yyjson_mut_doc *doc = NULL;
        struct sotto_json_error error = {0};
        IS_INT(err == SOTTO_OK ? sotto_buf_push(&text, '}') : err, SOTTO_OK, "text is made");
        IS_INT(sotto_json_read(sotto_buf_span(&text), 8, &doc, &error), SOTTO_OK,
               "%zu different keys are read", counts[i]);
        IS_SIZE(yyjson_mut_obj_size(yyjson_mut_doc_get_root(doc)), counts[i], "all are there");
        sotto_json_free(doc);
        doc = NULL;
        sotto_buf_truncate(&text, mark);
        IS_INT(sotto_buf_printf(&text, ",\"k%zu\":0}", counts[i] / 2), SOTTO_OK, "text is made");
        IS_INT(sotto_json_read(sotto_buf_span(&text), 8, &doc, &error), SOTTO_EFORMAT,
               "%zu keys and one of them again are refused", counts[i]);
        IS_SIZE(error.position, mark + 1, "at the second");
        sotto_buf_free(&text);
    }
}

static void test_whole_numbers(void)
{
    static const struct {
        const char *text;
        enum sotto_err err;
        int64_t want;
    } cases[] = {
        {"0", SOTTO_OK, 0},
        {"-0", SOTTO_OK, 0},
        {"0.000e99999999999999999999", SOTTO_OK, 0},
        {"1", SOTTO_OK, 1},
        {"-17", SOTTO_OK, -17},
        {"1.0", SOTTO_OK, 1},
        {"1.50e1", SOTTO_OK, 15},
        {"1e2", SOTTO_OK, 100},
        {"100e-2", SOTTO_OK, 1},
        {"100e-3", SOTTO_EINVAL, 0},
        {"0.5", SOTTO_EINVAL, 0},
        {"9223372036854775807", SOTTO_OK, INT64_MAX},
        {"9223372036854775808", SOTTO_EINVAL, 0},
        {"-9223372036854775808", SOTTO_OK, INT64_MIN},
        {"-9223372036854775809", SOTTO_EINVAL, 0},
        {"18446744073709551616", SOTTO_EINVAL, 0},
        {"92233720368547758070", SOTTO_EINVAL, 0},
        {"1e18", SOTTO_OK, 1000000000000000000},
        {"1e19", SOTTO_EINVAL, 0},
        {"1e-99999999999999999999", SOTTO_EINVAL, 0},
        {"\"1\"", SOTTO_EINVAL, 0},
        {"null", SOTTO_EINVAL, 0},
        {"true", SOTTO_EINVAL, 0},
        {"[]", SOTTO_EINVAL, 0},
    };
    for (size_t i = 0; i < SOTTO_COUNT(cases); i++) {
        int64_t got = 4711;
        yyjson_mut_doc *doc = read_ok(cases[i].text);
        IS_INT(sotto_json_int(yyjson_mut_doc_get_root(doc), &got), cases[i].err, "%s as an integer",
               cases[i].text);
        IS_INT(got, cases[i].err == SOTTO_OK ? cases[i].want : 4711, "%s: its value",
               cases[i].text);
        sotto_json_free(doc);
    }
}

static void test_doubles(void)
{
    static const struct {
        const char *text;
        enum sotto_err err;
        double want;
    } cases[] = {
        {"0", SOTTO_OK, 0},           {"-1.5", SOTTO_OK, -1.5},   {"0.7", SOTTO_OK, 0.7},
        {"1e3", SOTTO_OK, 1000},      {"1e999", SOTTO_EINVAL, 0}, {"\"1\"", SOTTO_EINVAL, 0},
        {"5e-324", SOTTO_OK, 5e-324}, {"null", SOTTO_EINVAL, 0},
    };
    for (size_t i = 0; i < SOTTO_COUNT(cases); i++) {
        double got = 47.11;
        yyjson_mut_doc *doc = read_ok(cases[i].text);
        IS_INT(sotto_json_double(yyjson_mut_doc_get_root(doc), &got), cases[i].err,
               "%s as a double", cases[i].text);
        OK(got == (cases[i].err == SOTTO_OK ? cases[i].want : 47.11), "%s: its value",
           cases[i].text);
        sotto_json_free(doc);
    }
}

static void test_members(void)
{
    yyjson_mut_doc *doc = read_ok("{\"a\":\"x\",\"b\":2,\"c\":null,\"d\":[1]}");
    yyjson_mut_val *root = yyjson_mut_doc_get_root(doc);
    struct sotto_buf out;
    sotto_buf_init(&out, 1000);

    OK(sotto_json_is(sotto_json_get(root, "a"), "x"), "a string is compared");
    OK(!sotto_json_is(sotto_json_get(root, "b"), "2"), "a number is not");
    OK(sotto_json_get(root, "z") == NULL, "no such member");
    OK(sotto_json_get(sotto_json_get(root, "d"), "a") == NULL, "no member of an array");
    OK(sotto_json_get(NULL, "a") == NULL, "no member of nothing");
    IS_SIZE(sotto_json_text(sotto_json_get(root, "b")).len, 1, "the text of a number");
    IS_SIZE(sotto_json_text(sotto_json_get(root, "c")).len, 0, "null has no text");

    IS_INT(sotto_json_put(doc, root, "b", sotto_json_str(doc, SOTTO_LIT("two"))), SOTTO_OK,
           "a member is replaced");
    IS_INT(sotto_json_put(doc, root, "e", yyjson_mut_true(doc)), SOTTO_OK, "a member is added");
    IS_INT(sotto_json_set_text(doc, sotto_json_get(root, "a"), SOTTO_LIT("longer than before")),
           SOTTO_OK, "a text is replaced");
    IS_INT(sotto_json_set_text(doc, sotto_json_get(root, "d"), sotto_span_init(NULL, 0)), SOTTO_OK,
           "an array is replaced by an empty text");
    IS_INT(sotto_json_put(doc, root, "b", NULL), SOTTO_ENOMEM, "a value that could not be made");
    IS_INT(sotto_json_write(root, &out), SOTTO_OK, "it is written");
    IS_TEXT(out.base, out.len,
            "{\"a\":\"longer than before\",\"b\":\"two\",\"c\":null,\"d\":\"\",\"e\":true}",
            "each in its place");
    sotto_json_free(doc);
    sotto_json_free(NULL);
    sotto_buf_free(&out);
}

static void test_every_allocation_failure(void)
{
    /* More than the pairwise keys and more depth than the shallow walk, so all paths allocate. */
    static const char text[] =
        "{\"a\":1,\"b\":2,\"c\":3,\"d\":4,\"e\":5,\"f\":6,\"g\":7,\"h\":8,\"i\":9,"
        "\"j\":[{\"k\":\"text\"}],\"l\":0,\"m\":0,\"n\":0,\"o\":\"\\u00e9\"}";
    yyjson_mut_doc *doc = NULL;
    sotto_alloc_set_fault(SIZE_MAX);
    IS_INT(sotto_json_read(SOTTO_LIT(text), 1000, &doc, NULL), SOTTO_OK, "dry run");
    size_t total = sotto_alloc_set_fault(0);
    OK(total >= 4, "it allocates %zu times", total);
    sotto_json_free(doc);
    for (size_t n = 1; n <= total; n++) {
        doc = NULL;
        sotto_alloc_set_fault(n);
        IS_INT(sotto_json_read(SOTTO_LIT(text), 1000, &doc, NULL), SOTTO_ENOMEM,
               "reading without allocation %zu", n);
        sotto_alloc_set_fault(0);
        OK(doc == NULL, "no document");
    }

    doc = read_ok(text);
    struct sotto_buf out;
    sotto_buf_init(&out, 1000);
    sotto_alloc_set_fault(1);
    IS_INT(sotto_json_write(yyjson_mut_doc_get_root(doc), &out), SOTTO_ENOMEM,
           "writing into an empty buffer without memory");
    sotto_alloc_set_fault(0);
    OK(out.len == 0 && out.cap == 0, "it stays empty");
    sotto_alloc_set_fault(1);
    IS_INT(sotto_json_write(yyjson_mut_real(doc, 0.5), &out), SOTTO_ENOMEM, "a built number too");
    sotto_alloc_set_fault(0);
    yyjson_mut_val *val = sotto_json_get(yyjson_mut_doc_get_root(doc), "o");
    uint8_t big[4096];
    memset(big, 'x', sizeof(big));
    sotto_alloc_set_fault(1);
    IS_INT(sotto_json_set_text(doc, val, sotto_span_init(big, sizeof(big))), SOTTO_ENOMEM,
           "replacing without memory");
    sotto_alloc_set_fault(0);
    OK(sotto_json_is(val, "\xc3\xa9"), "the old text stands");
    sotto_alloc_set_fault(1);
    OK(sotto_json_str(doc, sotto_span_init(big, sizeof(big))) == NULL, "a string without memory");
    sotto_alloc_set_fault(1);
    OK(sotto_json_new() == NULL, "a document without memory");
    sotto_alloc_set_fault(0);
    sotto_json_free(doc);
    sotto_buf_free(&out);
}

int main(void)
{
    test_what_is_refused_is_located();
    test_every_prefix_of_a_text_is_refused();
    test_depth();
    test_great_depth();
    test_keys_of_large_objects();
    test_whole_numbers();
    test_doubles();
    test_members();
    test_every_allocation_failure();
    return done_testing();
}
