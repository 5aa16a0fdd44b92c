/* SPDX-License-Identifier: Apache-2.0 */

#include "http/head.h"

#include "base/buf.h"
#include "tap/tap.h"

static void test_request(void)
{
    struct sotto_http_head head;
    sotto_span block =
        SOTTO_LIT("POST /v1/models?limit=3\r\nHost: a\r\nX-A: 1\r\nx-a: 2\r\nE: \r\n\r\n");
    IS_INT(sotto_http_head_index(block, true, &head), SOTTO_OK, "a request's block is read");
    IS_TEXT(head.method.base, head.method.len, "POST", "the method");
    IS_TEXT(head.target.base, head.target.len, "/v1/models?limit=3", "the target");
    sotto_span path = sotto_http_path(&head);
    IS_TEXT(path.base, path.len, "/v1/models", "the path");
    IS_SIZE(head.field_count, 4, "all fields");
    sotto_span value = sotto_http_get(&head, "HOST");
    IS_TEXT(value.base, value.len, "a", "names are compared without case");
    value = sotto_http_get(&head, "x-a");
    IS_TEXT(value.base, value.len, "1", "the first one counts");
    IS_SIZE(sotto_http_count(&head, "x-A"), 2, "there are two");
    value = sotto_http_get(&head, "e");
    OK(value.base != NULL && value.len == 0, "an empty value is not absent");
    OK(sotto_http_get(&head, "host2").base == NULL, "an absent one is NULL");
    OK(head.method.base == block.base, "spans point into the block");
}

static void test_response(void)
{
    struct sotto_http_head head;
    IS_INT(sotto_http_head_index(SOTTO_LIT("404\r\nA: b:c\r\n\r\n"), false, &head), SOTTO_OK,
           "a response's block is read");
    IS_INT(head.status, 404, "the status");
    sotto_span value = sotto_http_get(&head, "a");
    IS_TEXT(value.base, value.len, "b:c", "a value may have a colon");
    OK(sotto_http_path(&head).len == 0, "there is no path");
}

static void test_bad(void)
{
    static const struct {
        const char *block;
        bool request;
    } bad[] = {
        {"", true},
        {"GET /\r\n", true},
        {"GET /\r\nA: b\r\n", true},
        {"GET /\n\r\n", true},
        {"GET\r\n\r\n", true},
        {"GET \r\n\r\n", true},
        {" /\r\n\r\n", true},
        {"GET /\r\nA\r\n\r\n", true},
        {"GET /\r\n: b\r\n\r\n", true},
        {"GET /\r\n\r\nmore", true},
        {"20\r\n\r\n", false},
        {"2000\r\n\r\n", false},
        {"2x0\r\n\r\n", false},
        {"\r\n\r\n", false},
        {"\n", false},
    };
    for (size_t i = 0; i < SOTTO_COUNT(bad); i++) {
        struct sotto_http_head head = {.status = 77};
        IS_INT(sotto_http_head_index(sotto_span_str(bad[i].block), bad[i].request, &head),
               SOTTO_EFORMAT, "block %zu is refused", i);
        IS_INT(head.status, 77, "and the head unchanged");
    }

    struct sotto_buf block;
    struct sotto_http_head head;
    sotto_buf_init(&block, 1 << 16);
    sotto_ignore(sotto_buf_printf(&block, "GET /\r\n"));
    for (int i = 0; i < SOTTO_HTTP_FIELDS_MAX; i++) {
        sotto_ignore(sotto_buf_printf(&block, "a: b\r\n"));
    }
    size_t mark = block.len;
    sotto_ignore(sotto_buf_printf(&block, "\r\n"));
    IS_INT(sotto_http_head_index(sotto_buf_span(&block), true, &head), SOTTO_OK, "128 fields");
    IS_SIZE(head.field_count, 128, "are all there");
    sotto_buf_truncate(&block, mark);
    sotto_ignore(sotto_buf_printf(&block, "a: b\r\n\r\n"));
    IS_INT(sotto_http_head_index(sotto_buf_span(&block), true, &head), SOTTO_EFORMAT,
           "129 are not");
    sotto_buf_free(&block);
}

int main(void)
{
    test_request();
    test_response();
    test_bad();
    return done_testing();
}
