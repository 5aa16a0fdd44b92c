/* SPDX-License-Identifier: Apache-2.0 */

#include "http/write.h"

#include "base/alloc.h"
#include "tap/tap.h"

int main(void)
{
    struct sotto_buf out;
    sotto_buf_init(&out, 1 << 16);
    IS_INT(sotto_http_write_status(&out, 200), SOTTO_OK, "a status");
    IS_INT(sotto_http_write_status(&out, 404), SOTTO_OK, "another");
    IS_INT(sotto_http_write_status(&out, 599), SOTTO_OK, "one without a phrase");
    IS_TEXT(out.base, out.len, "HTTP/1.1 200 OK\r\nHTTP/1.1 404 Not Found\r\nHTTP/1.1 599 \r\n",
            "status lines");
    IS_INT(sotto_http_write_status(&out, 99), SOTTO_EINVAL, "99 is no status");
    IS_INT(sotto_http_write_status(&out, 1000), SOTTO_EINVAL, "1000 is none");

    sotto_buf_truncate(&out, 0);
    IS_INT(sotto_http_write_request_line(&out, "POST", SOTTO_LIT("/v1/x?y=z")), SOTTO_OK, "line");
    IS_INT(sotto_http_write_field(&out, "Host", SOTTO_LIT("a")), SOTTO_OK, "a field");
    IS_INT(sotto_http_write_field(&out, "Empty", SOTTO_LIT("")), SOTTO_OK, "an empty field");
    IS_INT(sotto_http_write_number(&out, "Content-Length", 0), SOTTO_OK, "zero");
    IS_INT(sotto_http_write_number(&out, "N", UINT64_MAX), SOTTO_OK, "a great number");
    IS_INT(sotto_http_write_head_end(&out), SOTTO_OK, "the end");
    IS_TEXT(out.base, out.len,
            "POST /v1/x?y=z HTTP/1.1\r\nHost: a\r\nEmpty: \r\nContent-Length: 0\r\n"
            "N: 18446744073709551615\r\n\r\n",
            "a request head");
    size_t len = out.len;

    static const char *const values[] = {"a\r\nb", "a\nb", "a\rb", "\x01", "\x7f"};
    for (size_t i = 0; i < SOTTO_COUNT(values); i++) {
        IS_INT(sotto_http_write_field(&out, "X", sotto_span_str(values[i])), SOTTO_EINVAL,
               "value %zu is refused", i);
    }
    IS_INT(sotto_http_write_field(&out, "X", SOTTO_LIT("a\0b")), SOTTO_EINVAL, "NUL is refused");
    IS_INT(sotto_http_write_field(&out, "", SOTTO_LIT("a")), SOTTO_EINVAL, "an empty name");
    IS_INT(sotto_http_write_field(&out, "a b", SOTTO_LIT("a")), SOTTO_EINVAL, "a space in a name");
    IS_INT(sotto_http_write_field(&out, "a:", SOTTO_LIT("a")), SOTTO_EINVAL, "a colon in a name");
    IS_INT(sotto_http_write_request_line(&out, "GET", SOTTO_LIT("/a b")), SOTTO_EINVAL, "target");
    IS_INT(sotto_http_write_request_line(&out, "GET", SOTTO_LIT("")), SOTTO_EINVAL, "no target");
    IS_INT(sotto_http_write_request_line(&out, "G T", SOTTO_LIT("/")), SOTTO_EINVAL, "method");
    IS_SIZE(out.len, len, "nothing was written by what failed");

    uint8_t head[SOTTO_HTTP_CHUNK_HEAD_MAX];
    IS_SIZE(sotto_http_chunk_head(head, 26), 4, "the frame of a chunk");
    IS_TEXT(head, 4, "1a\r\n", "is its length");
    IS_SIZE(sotto_http_chunk_head(head, SIZE_MAX), 18, "the longest frame");
    IS_TEXT(head, 18, "ffffffffffffffff\r\n", "is written in full");

    OK(sotto_http_lines_are_fields(SOTTO_LIT("")), "no lines are fine");
    OK(sotto_http_lines_are_fields(SOTTO_LIT("A: b\r\nC: d\r\n")), "so are two fields");
    OK(!sotto_http_lines_are_fields(SOTTO_LIT("A: b\r\nC: d")), "an open line is not");
    OK(!sotto_http_lines_are_fields(SOTTO_LIT("A: b\n")), "nor LF alone");
    OK(!sotto_http_lines_are_fields(SOTTO_LIT("A: b\r\n\r\n")), "nor an empty line");
    OK(!sotto_http_lines_are_fields(SOTTO_LIT("A: b\rc\r\n")), "nor CR in a value");
    OK(!sotto_http_lines_are_fields(SOTTO_LIT("A b\r\n")), "nor a line without a colon");

    sotto_buf_free(&out);
    sotto_alloc_set_fault(1);
    IS_INT(sotto_http_write_field(&out, "X", SOTTO_LIT("y")), SOTTO_ENOMEM, "no memory");
    sotto_alloc_set_fault(0);
    IS_SIZE(out.len, 0, "nothing written");
    return done_testing();
}
