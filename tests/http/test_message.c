/* SPDX-License-Identifier: Apache-2.0 */

#include "http/message.h"

#include "tap/tap.h"

static enum sotto_err read_head(const char *raw, bool request, struct sotto_http_head *head)
{
    int minor;
    return sotto_message_read(sotto_span_str(raw), request, head, &minor);
}

static void test_collect(void)
{
    sotto_span in = SOTTO_LIT("GET / HTTP/1.1\r\nHost: a\r\n\r\nbody"), raw;
    size_t head_len = in.len - 4, used;
    for (size_t split = 0; split <= in.len; split++) {
        struct sotto_collector c = {.max = head_len};
        sotto_buf_init(&c.held, head_len);
        raw = sotto_span_init(NULL, 0);
        size_t total = 0;
        enum sotto_err err = SOTTO_OK;
        if (split != 0) {
            err = sotto_collect(&c, sotto_span_sub(in, 0, split), &used, &raw);
            total += used;
        }
        if (err == SOTTO_OK && raw.len == 0) {
            err = sotto_collect(&c, sotto_span_skip(in, split), &used, &raw);
            total += used;
        }
        if (err != SOTTO_OK || total != head_len ||
            !sotto_span_eq(raw, sotto_span_sub(in, 0, head_len))) {
            OK(false, "split at %zu", split);
        }
        sotto_collect_next(&c);
        IS_SIZE(c.held.len, 0, "split at %zu: nothing is held afterwards", split);
        sotto_buf_free(&c.held);
    }
    struct sotto_collector c = {.max = 10};
    sotto_buf_init(&c.held, 10);
    IS_INT(sotto_collect(&c, in, &used, &raw), SOTTO_ELIMIT, "too long");
    sotto_buf_free(&c.held);
}

static void test_framing(void)
{
    static const struct {
        const char *fields;
        enum sotto_err err;
        bool chunked, has_length;
        uint64_t length;
    } cases[] = {
        {"", SOTTO_OK, false, false, 0},
        {"Content-Length: 0\r\n", SOTTO_OK, false, true, 0},
        {"content-length: 999999999999999999\r\n", SOTTO_OK, false, true, 999999999999999999},
        {"Content-Length: 1000000000000000000\r\n", SOTTO_EFORMAT, false, false, 0},
        {"Transfer-Encoding: CHUNKED\r\n", SOTTO_OK, true, false, 0},
    };
    for (size_t i = 0; i < SOTTO_COUNT(cases); i++) {
        char raw[256];
        struct sotto_http_head head;
        struct sotto_message_framing framing;
        snprintf(raw, sizeof(raw), "POST / HTTP/1.1\r\n%s\r\n", cases[i].fields);
        enum sotto_err err = read_head(raw, true, &head);
        if (err == SOTTO_OK) {
            err = sotto_message_framing(&head, 1, &framing);
        }
        IS_INT(err, cases[i].err, "case %zu", i);
        if (err == SOTTO_OK) {
            OK(framing.chunked == cases[i].chunked && framing.has_length == cases[i].has_length &&
                   framing.length == cases[i].length,
               "case %zu: framing", i);
        }
    }
}

static void test_keep_alive(void)
{
    static const struct {
        const char *value;
        bool with_10, with_11;
    } cases[] = {
        {"keep-alive", true, true},
        {"close", false, false},
        {"Keep-Alive , X", true, true},
        {"X,close", false, false},
        {"keep-alive, close", false, false},
        {",,", false, true},
        {"closed", false, true},
    };
    for (size_t i = 0; i < SOTTO_COUNT(cases); i++) {
        char raw[256];
        struct sotto_http_head head;
        snprintf(raw, sizeof(raw), "GET / HTTP/1.1\r\nConnection: %s\r\n\r\n", cases[i].value);
        IS_INT(read_head(raw, true, &head), SOTTO_OK, "case %zu", i);
        IS_INT(sotto_message_keep_alive(&head, 0), cases[i].with_10, "'%s' in 1.0", cases[i].value);
        IS_INT(sotto_message_keep_alive(&head, 1), cases[i].with_11, "'%s' in 1.1", cases[i].value);
    }
}

static void test_fields(void)
{
    struct sotto_http_head head;
    struct sotto_buf block;
    sotto_buf_init(&block, 1024);
    IS_INT(read_head("HTTP/1.1 200 OK\r\nA:  b \r\nC:\r\n\r\n", false, &head), SOTTO_OK,
           "a response");
    IS_INT(head.status, 200, "its status");
    IS_INT(sotto_message_fields(&head, &block), SOTTO_OK, "written anew");
    IS_TEXT(block.base, block.len, "A: b\r\nC: \r\n\r\n", "without white space around values");
    sotto_buf_free(&block);
    IS_INT(read_head("\r\n", false, &head), SOTTO_EFORMAT, "an empty line is no response");
    IS_INT(read_head("GET / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n\r\n", true, &head), SOTTO_EFORMAT,
           "two heads are not one");
    IS_INT(read_head("GET / HTTP/1.1\r\n", true, &head), SOTTO_EFORMAT, "half a head is none");
}

int main(void)
{
    test_collect();
    test_framing();
    test_keep_alive();
    test_fields();
    return done_testing();
}
