/* SPDX-License-Identifier: Apache-2.0 */

#include "http/h2_head.h"

#include "base/alloc.h"
#include "http/head.h"
#include "tap/tap.h"

#define CASE(n)    printf("# %s\n", n)
#define MOST       200
#define BODY_BYTES 1000

static struct sotto_h2_head head;
static struct sotto_buf block;

/* Adds "name=value" words. */
static enum sotto_err add(const char *words)
{
    enum sotto_err err = SOTTO_OK;
    sotto_span left = sotto_span_str(words);
    while (left.len != 0 && err == SOTTO_OK) {
        const uint8_t *bar = memchr(left.base, '|', left.len);
        size_t n = bar != NULL ? (size_t)(bar - left.base) : left.len;
        const uint8_t *equals = memchr(left.base, '=', n);
        size_t at = (size_t)(equals - left.base);
        err =
            sotto_h2_head_add(&head, sotto_span_sub(left, 0, at), sotto_span_sub(left, at + 1, n));
        left = sotto_span_skip(left, bar != NULL ? n + 1 : n);
    }
    return err;
}

static void begin(void)
{
    sotto_h2_head_init(&head, MOST);
    sotto_buf_init(&block, SOTTO_BUF_UNBOUNDED);
    if (sotto_buf_append(&block, SOTTO_LIT("+")) != SOTTO_OK) {
        abort();
    }
}

static void begin_response(void)
{
    begin();
    sotto_h2_head_free(&head);
    sotto_h2_head_init_response(&head, MOST);
}

static void end(void)
{
    sotto_h2_head_free(&head);
    sotto_buf_free(&block);
}

#define FINE ":method=POST|:scheme=https|:path=/v1/x?y|:authority=a.example"

static void test_requests(void)
{
    CASE("requests");
    begin();
    IS_INT(add(FINE "|content-length=5|x-own=v w"), SOTTO_OK, "fields");
    IS_INT(sotto_h2_head_request(&head, BODY_BYTES, &block), SOTTO_OK, "a request");
    IS_TEXT(block.base, block.len,
            "+POST /v1/x?y\r\nhost: a.example\r\ncontent-length: 5\r\nx-own: v w\r\n\r\n",
            "is appended as HTTP/1.1 would have it");
    OK(head.has_length && head.length == 5 && !head.is_head && !head.expects_continue, "and read");
    end();
    begin();
    IS_INT(add(":path=/|:method=HEAD|:scheme=HTTP|host=b:80|expect=100-continue"), SOTTO_OK,
           "another one");
    IS_INT(sotto_h2_head_request(&head, BODY_BYTES, &block), SOTTO_OK, "with Host alone");
    IS_TEXT(block.base, block.len, "+HEAD /\r\nhost: b:80\r\nexpect: 100-continue\r\n\r\n", "once");
    OK(head.is_head && head.expects_continue && !head.has_length, "and read");
    end();
    begin();
    IS_INT(add(FINE "|host=A.Example|content-encoding=identity"), SOTTO_OK, "the same host twice");
    IS_INT(sotto_h2_head_request(&head, BODY_BYTES, &block), SOTTO_OK, "is one");
    end();
}

static void test_refusals(void)
{
    static const struct {
        const char *words;
        int status;
        const char *reason;
    } cases[] = {
        {":method=GET|:scheme=ftp|:path=/|:authority=a", 400, "the scheme is not https"},
        {":method=GET|:protocol=x|:path=/|:authority=a", 400, "the request is not valid HTTP/2"},
        {":method=G T|:path=/|:authority=a", 400, "the request is not valid HTTP/2"},
        {":path=/|:authority=a", 400, "the request target is not valid"},
        {":method=GET|:authority=a", 400, "the request target is not valid"},
        {":method=GET|:path=/a b|:authority=a", 400, "the request target is not valid"},
        {":method=GET|:path=/", 400, "the Host field is missing"},
        {":method=GET|:path=/|:authority=a b", 400, "the Host field is not valid"},
        {FINE "|host=b.example", 400, "more than one Host field"},
        {":method=GET|:path=/|host=a|host=a", 400, "more than one Host field"},
        {FINE "|content-length=1001", 413, "the body is too large"},
        {FINE "|content-length=9999999999999999999", 413, "the body is too large"},
        {FINE "|content-encoding=gzip", 415, "a Content-Encoding is not supported in requests"},
        {FINE "|expect=cats", 417, "only 100-continue can be expected"},
        {FINE "|x y=v", 400, "the request is not valid HTTP/2"},
        {FINE "|=v", 400, "the request is not valid HTTP/2"},
        {FINE "|x=a\nb", 400, "the request is not valid HTTP/2"},
        {FINE "|x=a\rb", 400, "the request is not valid HTTP/2"},
    };
    CASE("refusals");
    for (size_t i = 0; i < SOTTO_COUNT(cases); i++) {
        begin();
        IS_INT(add(cases[i].words), SOTTO_OK, "%s", cases[i].words);
        IS_INT(sotto_h2_head_request(&head, BODY_BYTES, &block), SOTTO_EFORMAT, "refused");
        IS_INT(head.refused, cases[i].status, "with a status");
        IS_TEXT(head.reason, strlen(head.reason), cases[i].reason, "and a reason");
        IS_TEXT(block.base, block.len, "+", "the block is as it was");
        end();
    }
    begin();
    IS_INT(sotto_h2_head_add(&head, SOTTO_LIT("x"), SOTTO_LIT("a\0b")), SOTTO_OK, "a raw NUL");
    IS_INT(head.refused, 400, "is refused");
    sotto_ignore(add("expect=cats"));
    IS_INT(head.refused, 400, "the first fault is the one that is told");
    end();
}

static void test_limits(void)
{
    CASE("limits");
    static char value[MOST + 1];
    memset(value, 'v', MOST);
    begin();
    sotto_span fits = sotto_span_init((const uint8_t *)value, MOST - 5);
    IS_INT(sotto_h2_head_add(&head, SOTTO_LIT("x"), fits), SOTTO_OK, "as long as it may be");
    IS_INT(head.refused, 0, "is fine");
    IS_INT(add("y="), SOTTO_OK, "and one more");
    IS_INT(head.refused, 431, "is too much");
    IS_INT(sotto_h2_head_request(&head, BODY_BYTES, &block), SOTTO_EFORMAT, "and told at the end");
    enum sotto_err err = SOTTO_OK;
    int more = 0;
    for (; more < 10 && err == SOTTO_OK; more++) {
        err = sotto_h2_head_add(&head, SOTTO_LIT("x"), sotto_span_str(value));
    }
    OK(err == SOTTO_ELIMIT && more == 3, "at four times the limit the connection ends");
    IS_TEXT(block.base, block.len, "+", "the block is as it was");
    end();
    begin();
    sotto_h2_head_free(&head);
    sotto_h2_head_init(&head, SIZE_MAX / 8);
    for (size_t i = 0; i < SOTTO_HTTP_FIELDS_MAX; i++) {
        sotto_ignore(add("x=y"));
    }
    IS_INT(head.refused, 0, "as many fields as may be");
    sotto_ignore(add("x=y"));
    OK(head.refused == 431 && strcmp(head.reason, "too many header fields") == 0, "one more");
    end();
}

static void test_responses(void)
{
    CASE("responses");
    int status = -1;
    begin_response();
    IS_INT(add(":status=103|link=x"), SOTTO_OK, "an interim one");
    IS_INT(sotto_h2_head_response(&head, &status, &block), SOTTO_OK, "is read");
    OK(status == 103 && block.len == 1, "and leaves nothing");
    IS_INT(add(":status=200|content-length=9999999999999999999|expect=cats|host=a|host=b"),
           SOTTO_OK, "the answer");
    IS_INT(sotto_h2_head_response(&head, &status, &block), SOTTO_OK, "is read");
    IS_INT(status, 200, "its status");
    IS_TEXT(block.base, block.len,
            "+200\r\ncontent-length: 9999999999999999999\r\nexpect: cats\r\nhost: a\r\nhost: b\r\n"
            "\r\n",
            "its fields, in which nothing of a request is looked for");
    end();
    static const struct {
        const char *words;
        enum sotto_err err;
    } bad[] = {
        {"", SOTTO_EFORMAT},
        {"x=y", SOTTO_EFORMAT},
        {":status=99", SOTTO_EFORMAT},
        {":status=099", SOTTO_EFORMAT},
        {":status=2000", SOTTO_EFORMAT},
        {":method=GET", SOTTO_EFORMAT},
        {":status=200|x=a\nb", SOTTO_EFORMAT},
    };
    for (size_t i = 0; i < SOTTO_COUNT(bad); i++) {
        begin_response();
        status = -1;
        IS_INT(add(bad[i].words), SOTTO_OK, "%s", bad[i].words);
        IS_INT(sotto_h2_head_response(&head, &status, &block), bad[i].err, "is no answer");
        OK(status == -1 && block.len == 1, "nothing is given out");
        end();
    }
    begin_response();
    enum sotto_err err = SOTTO_OK;
    int heads = 0;
    for (; heads < 100 && err == SOTTO_OK; heads++) {
        sotto_ignore(add(":status=103|link=xxxxxxxxxxxxxxxxxxxx"));
        err = sotto_h2_head_response(&head, &status, &block);
    }
    OK(err == SOTTO_ELIMIT && heads == 5, "interim ones count against the limit together");
    end();
    begin_response();
    struct sotto_buf small;
    sotto_buf_init(&small, 4);
    status = -1;
    IS_INT(add(":status=200|x=y"), SOTTO_OK, "an answer");
    IS_INT(sotto_h2_head_response(&head, &status, &small), SOTTO_ELIMIT, "that finds no room");
    OK(status == -1 && small.len == 0, "gives nothing out");
    sotto_buf_free(&small);
    end();
}

static void test_memory(void)
{
    CASE("no memory");
    for (int response = 0; response < 2; response++) {
        bool worked = false;
        for (size_t n = 1; n < 50 && !worked; n++) {
            int status = -1;
            (response ? begin_response : begin)();
            sotto_alloc_set_fault(n);
            IS_INT(add(response ? ":status=200|x=y" : FINE), SOTTO_OK, "fault %zu", n);
            enum sotto_err err = response ? sotto_h2_head_response(&head, &status, &block)
                                          : sotto_h2_head_request(&head, BODY_BYTES, &block);
            worked = sotto_alloc_set_fault(0) < n;
            OK(err == (worked ? SOTTO_OK : response ? SOTTO_ENOMEM : SOTTO_EFORMAT), "is told");
            OK(worked || (block.len == 1 && status == -1), "and nothing is given out");
            OK(worked || response || head.refused == 503, "a request is to be answered by 503");
            end();
        }
        OK(worked, "all allocations were tried");
    }
}

int main(void)
{
    test_requests();
    test_refusals();
    test_limits();
    test_responses();
    test_memory();
    return done_testing();
}
