/* SPDX-License-Identifier: Apache-2.0 */

#include "fleet/resp.h"

#include "base/alloc.h"
#include "tap/tap.h"

static sotto_span span(const char *text)
{
    return sotto_span_str(text);
}

/* Reads what is cut at every place: nothing before the end, and the same reply at it. */
static void at_every_split(const char *text, enum sotto_resp_kind kind, size_t count)
{
    struct sotto_resp_reply reply;
    sotto_span whole = span(text);
    size_t used = 0;
    bool early = false, refused = false;
    for (size_t i = 0; i < whole.len; i++) {
        refused =
            sotto_resp_read(sotto_span_sub(whole, 0, i), &reply, &used) != SOTTO_OK || refused;
        early = used != 0 || early;
    }
    OK(!refused && !early, "a part of a reply is none yet");
    IS_INT(sotto_resp_read(whole, &reply, &used), SOTTO_OK, "the whole one is read");
    IS_SIZE(used, whole.len, "to its end");
    IS_INT(reply.value.kind, kind, "as what it is");
    IS_SIZE(reply.count, count, "with all its items");
}

static void reads_each_kind(void)
{
    struct sotto_resp_reply reply;
    size_t used = 0;
    at_every_split("+OK\r\n", SOTTO_RESP_TEXT, 0);
    at_every_split("-NOSCRIPT No matching script.\r\n", SOTTO_RESP_ERROR, 0);
    at_every_split(":-42\r\n", SOTTO_RESP_INT, 0);
    at_every_split("$5\r\na\r\nbc\r\n", SOTTO_RESP_BULK, 0);
    at_every_split("$0\r\n\r\n", SOTTO_RESP_BULK, 0);
    at_every_split("$-1\r\n", SOTTO_RESP_NULL, 0);
    at_every_split("*-1\r\n", SOTTO_RESP_NULL, 0);
    at_every_split("*0\r\n", SOTTO_RESP_LIST, 0);
    at_every_split("*4\r\n:1\r\n$2\r\nab\r\n$-1\r\n+x\r\n", SOTTO_RESP_LIST, 4);

    IS_INT(
        sotto_resp_read(span("*2\r\n:9223372036854775807\r\n$2\r\nab\r\n+next\r\n"), &reply, &used),
        SOTTO_OK, "what follows is left");
    IS_SIZE(used, 34, "for the next call");
    IS_INT(reply.items[0].number, INT64_MAX, "the greatest integer is one");
    IS_TEXT(reply.items[1].text.base, reply.items[1].text.len, "ab", "a byte string is a view");
}

static void refuses_what_is_none(void)
{
    static const char *const wrong[] = {
        "OK\r\n",
        "\r\n",
        ":\r\n",
        ":1a\r\n",
        ":--1\r\n",
        ":9223372036854775808\r\n",
        "$-2\r\n",
        "$65537\r\n",
        "$1\r\nabc\r\n",
        "*17\r\n",
        "*-2\r\n",
        "*1\r\n*0\r\n",
        "+a\rb\r\n",
        "*1\r\n?\r\n",
        "$99999999999999999999\r\n",
        "%1\r\n+a\r\n+b\r\n",
    };
    struct sotto_resp_reply reply;
    size_t used = 1;
    for (size_t i = 0; i < SOTTO_COUNT(wrong); i++) {
        IS_INT(sotto_resp_read(span(wrong[i]), &reply, &used), SOTTO_EFORMAT, "refused: number %zu",
               i);
        IS_SIZE(used, 0, "and nothing is taken");
    }
    char line[SOTTO_RESP_LINE_MAX + 8];
    memset(line, 'x', sizeof(line));
    line[0] = '+';
    IS_INT(sotto_resp_read(sotto_span_init((const uint8_t *)line, sizeof(line)), &reply, &used),
           SOTTO_EFORMAT, "a line without end is refused before its end");
}

static void writes_commands(void)
{
    struct sotto_buf out;
    const sotto_span words[] = {span("SET"), span("a\r\nb"), span("")};
    sotto_buf_init(&out, 1024);
    IS_INT(sotto_resp_write(words, 3, &out), SOTTO_OK, "a command is written");
    IS_TEXT(out.base, out.len, "*3\r\n$3\r\nSET\r\n$4\r\na\r\nb\r\n$0\r\n\r\n",
            "with the length of each word before it");
    sotto_buf_free(&out);
    sotto_buf_init(&out, 20);
    IS_INT(sotto_resp_write(words, 3, &out), SOTTO_ELIMIT, "one that does not fit");
    IS_SIZE(out.len, 0, "leaves nothing behind");
    sotto_buf_free(&out);
}

int main(void)
{
    reads_each_kind();
    refuses_what_is_none();
    writes_commands();
    return done_testing();
}
