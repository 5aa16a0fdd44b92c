/* SPDX-License-Identifier: Apache-2.0 */

#include "http/sse.h"

#include "base/alloc.h"
#include "tap/tap.h"

struct outcome {
    struct sotto_buf text;
    enum sotto_err err;
};

static void note(struct outcome *o, const struct sotto_sse_event *event)
{
    sotto_ignore(sotto_buf_append(&o->text, SOTTO_LIT("[")));
    sotto_ignore(sotto_buf_append(&o->text, event->name));
    sotto_ignore(sotto_buf_append(&o->text, SOTTO_LIT("|")));
    sotto_ignore(sotto_buf_append(&o->text, event->data));
    sotto_ignore(sotto_buf_append(&o->text, SOTTO_LIT("]")));
}

static void feed(struct sotto_sse *sse, sotto_span in, struct outcome *o)
{
    bool got = true;
    while (o->err == SOTTO_OK && got) {
        struct sotto_sse_event event;
        o->err = sotto_sse_next(sse, &in, &event, &got);
        if (o->err == SOTTO_OK && got) {
            note(o, &event);
        }
    }
    if (o->err == SOTTO_OK && in.len != 0) {
        o->err = SOTTO_ESTATE; /* it has to consume everything */
    }
}

static struct outcome run(sotto_span in, size_t split, size_t step, size_t max)
{
    struct outcome o = {.err = SOTTO_OK};
    struct sotto_sse sse;
    sotto_buf_init(&o.text, SOTTO_BUF_UNBOUNDED);
    sotto_sse_init(&sse, max);
    for (size_t at = 0; o.err == SOTTO_OK && at < in.len;) {
        size_t end = at < split ? split : at + step;
        end = end < in.len ? end : in.len;
        uint8_t *copy = malloc(end - at);
        memcpy(copy, in.base + at, end - at);
        feed(&sse, sotto_span_init(copy, end - at), &o);
        free(copy);
        at = end;
    }
    bool got = false;
    struct sotto_sse_event event;
    if (o.err == SOTTO_OK && (o.err = sotto_sse_end(&sse, &event, &got)) == SOTTO_OK && got) {
        note(&o, &event);
    }
    sotto_sse_free(&sse);
    return o;
}

static void check(const char *name, sotto_span in, size_t max, enum sotto_err err, const char *want)
{
    size_t wrong = 0;
    for (size_t split = 0; split <= in.len + 1; split++) {
        struct outcome o = split <= in.len ? run(in, split, in.len, max) : run(in, 0, 1, max);
        bool same =
            o.err == err &&
            (err != SOTTO_OK || (o.text.len == strlen(want) &&
                                 (o.text.len == 0 || memcmp(o.text.base, want, o.text.len) == 0)));
        if (!same && wrong++ == 0) {
            IS_INT(o.err, err, "%s: result, split at %zu", name, split);
            IS_TEXT(o.text.base, o.text.len, want, "%s: events", name);
        }
        sotto_buf_free(&o.text);
    }
    IS_SIZE(wrong, 0, "%s: at every split", name);
}

#define CHECK(name, in, want) check(name, SOTTO_LIT(in), 4096, SOTTO_OK, want)

static void test_events(void)
{
    CHECK("one event", "data: hello\n\n", "[|hello]");
    CHECK("CRLF", "data: hello\r\n\r\ndata: x\r\n\r\n", "[|hello][|x]");
    CHECK("CR", "data: hello\r\rdata: x\r\r", "[|hello][|x]");
    CHECK("mixed line ends", "data: a\r\n\ndata: b\n\r\ndata: c\r\r\ndata: d\n\r",
          "[|a][|b][|c][|d]");
    CHECK("no space behind the colon", "data:x\n\n", "[|x]");
    CHECK("only one space is taken", "data:  x\n\n", "[| x]");
    CHECK("several data lines", "data: a\ndata:\ndata: b\n\n", "[|a\n\nb]");
    CHECK("two empty data lines", "data\ndata\n\n", "[|\n]");
    CHECK("an empty data line is an event", "data:\n\n", "[|]");
    CHECK("a name", "event: delta\ndata: x\n\ndata: y\n\n", "[delta|x][|y]");
    CHECK("a name behind the data", "data: x\nevent: delta\n\n", "[delta|x]");
    CHECK("the last name counts", "event: a\nevent: b\ndata: x\n\n", "[b|x]");
    CHECK("a name alone is no event", "event: a\n\ndata: x\n\n", "[|x]");
    CHECK("comments", ": keepalive\n\n:\ndata: x\n: y\n\n", "[|x]");
    CHECK("id, retry and unknown fields", "id: 1\nretry: 5\nfoo: bar\ndata: x\n\n", "[|x]");
    CHECK("data that is like a field", "data: data: x\n\n", "[|data: x]");
    CHECK("field names are exact", "Data: x\ndata : y\n data: z\n\n", "");
    CHECK("colons in data", "data: {\"a\":1}\n\n", "[|{\"a\":1}]");
    CHECK("many empty lines", "\n\n\r\n\rdata: x\n\n\n\n", "[|x]");
    CHECK("a byte order mark",
          "\xef\xbb\xbf"
          "data: x\n\n",
          "[|x]");
    CHECK("a byte order mark behind an empty line is no mark",
          "\n\xef\xbb\xbf"
          "data: x\n\ndata: y\n\n",
          "[|y]");
    CHECK("a byte order mark later is no mark",
          "data: x\n\n\xef\xbb\xbf"
          "data: y\n\n",
          "[|x]");
    CHECK("half a byte order mark",
          "\xef\xbb"
          "data: x\n\ndata: y\n\n",
          "[|y]");
    CHECK("NUL in data", "data: a\n\n", "[|a]");
    CHECK("nothing", "", "");
    CHECK("the end without an empty line", "data: a\n\ndata: [DONE]\n", "[|a][|[DONE]]");
    CHECK("the end in a line", "data: a\n\ndata: b\ndata: c", "[|a][|b]");
    CHECK("the end in the first line", "data: a\n\ndata: b", "[|a]");
    CHECK("the end behind CR", "data: a\r", "[|a]");
    CHECK("OpenAI", "data: {\"x\":1}\n\ndata: [DONE]\n\n", "[|{\"x\":1}][|[DONE]]");
    CHECK("Anthropic", "event: ping\ndata: {}\n\nevent: message_stop\ndata: {\"a\":2}\n\n",
          "[ping|{}][message_stop|{\"a\":2}]");
}

static void test_limit(void)
{
    check("an event of the limit", SOTTO_LIT("data: abc\n\n"), 10, SOTTO_OK, "[|abc]");
    check("an event of one byte more", SOTTO_LIT("data: abcd\n\n"), 10, SOTTO_ELIMIT, "");
    check("endless data", SOTTO_LIT("data: abcdefghijklmnopqrstuvwxyz"), 10, SOTTO_ELIMIT, "");
    check("endless comments", SOTTO_LIT(":a\n:b\n:c\n:d\n:e\n:f\n"), 10, SOTTO_ELIMIT, "");
    check("the limit is for one event", SOTTO_LIT("data: abc\n\ndata: def\n\n:a\n\n:bcdefg\n\n"),
          10, SOTTO_OK, "[|abc][|def]");
}

static void test_zero_copy(void)
{
    sotto_span in = SOTTO_LIT("event: e\ndata: hello\n\ndata: again\n\n"), rest = in;
    struct sotto_sse sse;
    struct sotto_sse_event event;
    bool got;
    sotto_sse_init(&sse, SOTTO_SSE_EVENT_MAX);
    sotto_alloc_set_fault(1);
    IS_INT(sotto_sse_next(&sse, &rest, &event, &got), SOTTO_OK, "an event in one piece");
    OK(got && event.data.base == in.base + 15 && event.name.base == in.base + 7,
       "points into the input");
    IS_INT(sotto_sse_next(&sse, &rest, &event, &got), SOTTO_OK, "so does the next");
    OK(got && event.name.len == 0 && event.data.len == 5, "and has no name");
    IS_INT(sotto_sse_next(&sse, &rest, &event, &got), SOTTO_OK, "then");
    OK(!got && rest.len == 0, "all is consumed");
    sotto_alloc_set_fault(0);
    IS_SIZE(sse.held.cap, 0, "nothing was allocated");
    sotto_sse_free(&sse);
}

static void test_dead(void)
{
    struct sotto_sse sse;
    struct sotto_sse_event event;
    bool got;
    sotto_span in = SOTTO_LIT("data: too long\n\n");
    sotto_sse_init(&sse, 4);
    IS_INT(sotto_sse_next(&sse, &in, &event, &got), SOTTO_ELIMIT, "too long");
    in = SOTTO_LIT("data: x\n\n");
    IS_INT(sotto_sse_next(&sse, &in, &event, &got), SOTTO_ESTATE, "a failed reader is dead");
    OK(!got, "and gives nothing");
    IS_INT(sotto_sse_end(&sse, &event, &got), SOTTO_ESTATE, "also at the end");
    sotto_sse_free(&sse);
}

static void test_memory_faults(void)
{
    sotto_span in = SOTTO_LIT("data: a\ndata: b\n\n");
    for (size_t n = 1;; n++) {
        struct outcome o = {.err = SOTTO_OK};
        struct sotto_sse sse;
        sotto_buf_init(&o.text, 0);
        sotto_sse_init(&sse, 4096);
        sotto_alloc_set_fault(n);
        feed(&sse, sotto_span_sub(in, 0, 5), &o);
        feed(&sse, sotto_span_skip(in, 5), &o);
        bool hit = sotto_alloc_set_fault(0) >= n;
        sotto_sse_free(&sse);
        IS_INT(o.err, hit ? SOTTO_ENOMEM : SOTTO_OK, "allocation %zu", n);
        if (!hit) {
            break;
        }
    }
}

int main(void)
{
    test_events();
    test_limit();
    test_zero_copy();
    test_dead();
    test_memory_faults();
    return done_testing();
}
