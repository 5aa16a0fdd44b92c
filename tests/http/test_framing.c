/* SPDX-License-Identifier: Apache-2.0 */

#include "http/framing.h"

#include "base/buf.h"
#include "tap/tap.h"

static enum sotto_err run(struct sotto_framing f, sotto_span in, size_t split,
                          struct sotto_buf *out, bool *done, size_t *rest)
{
    enum sotto_err err = SOTTO_OK;
    size_t at = 0;
    while (err == SOTTO_OK && at < in.len && !sotto_framing_done(&f)) {
        size_t used, end = at < split ? split : in.len;
        sotto_span piece;
        err = sotto_framing_next(&f, sotto_span_sub(in, at, end), &used, &piece);
        sotto_ignore(sotto_buf_append(out, piece));
        at += used;
    }
    *done = sotto_framing_done(&f);
    *rest = in.len - at;
    return err;
}

static void check(const char *name, struct sotto_framing f, sotto_span in, enum sotto_err want_err,
                  bool want_done, size_t want_rest, const char *want)
{
    size_t wrong = 0;
    for (size_t split = 0; split <= in.len; split++) {
        struct sotto_buf out;
        bool done;
        size_t rest;
        sotto_buf_init(&out, 1 << 20);
        enum sotto_err err = run(f, in, split, &out, &done, &rest);
        bool same = err == want_err;
        if (want_err == SOTTO_OK) {
            same = same && done == want_done && rest == want_rest && out.len == strlen(want) &&
                   (out.len == 0 || memcmp(out.base, want, out.len) == 0);
        }
        if (!same && wrong++ == 0) {
            IS_INT(err, want_err, "%s: result, split at %zu", name, split);
            IS_TEXT(out.base, out.len, want, "%s: data", name);
        }
        sotto_buf_free(&out);
    }
    IS_SIZE(wrong, 0, "%s: at every split", name);
}

int main(void)
{
    struct sotto_framing chunked = sotto_framing_chunked();
    check("length", sotto_framing_length(3), SOTTO_LIT("abcd"), SOTTO_OK, true, 1, "abc");
    check("length, cut off", sotto_framing_length(9), SOTTO_LIT("abc"), SOTTO_OK, false, 0, "abc");
    check("no body", sotto_framing_length(0), SOTTO_LIT("abc"), SOTTO_OK, true, 3, "");
    check("until close", sotto_framing_until_close(), SOTTO_LIT("abc"), SOTTO_OK, false, 0, "abc");
    check("chunks", chunked, SOTTO_LIT("1\r\na\r\nA;x=\"y\"\r\n0123456789\r\n000\r\n\r\nrest"),
          SOTTO_OK, true, 4, "a0123456789");
    check("trailers", chunked, SOTTO_LIT("0\r\na: b\r\nc:\r\n\r\n"), SOTTO_OK, true, 0, "");
    check("chunks, cut off", chunked, SOTTO_LIT("5\r\nabc"), SOTTO_OK, false, 0, "abc");
    check("the greatest size", chunked, SOTTO_LIT("fffffffffffffff\r\nabc"), SOTTO_OK, false, 0,
          "abc");
    check("one digit more", chunked, SOTTO_LIT("0000000000000001\r\na"), SOTTO_EFORMAT, false, 0,
          "");
    check("extensions", chunked, SOTTO_LIT("1;a\r\nx\r\n1;a=b;c=\"d;\\\"\r\" \r\n"), SOTTO_EFORMAT,
          false, 0, "");
    check("extensions of all kinds", chunked,
          SOTTO_LIT("1;a\r\nx\r\n1;a=b;c=\"d; \\\"\";e\r\ny\r\n0\r\n\r\n"), SOTTO_OK, true, 0,
          "xy");
    static const char *const bad[] = {"1;\r\n",     "1;=b\r\n", "1;a=\r\n",
                                      "1;a b\r\n",  "1; a\r\n", "1;a=\"b\"c\r\n",
                                      "1;a=\"\r\n", "1;;a\r\n", "1;a=b=c\r\n"};
    for (size_t i = 0; i < SOTTO_COUNT(bad); i++) {
        check("a bad extension", chunked, sotto_span_str(bad[i]), SOTTO_EFORMAT, false, 0, "");
    }
    check("a space in a trailer's name", chunked, SOTTO_LIT("0\r\na b: c\r\n\r\n"), SOTTO_EFORMAT,
          false, 0, "");
    check("a trailer that frames", chunked, SOTTO_LIT("0\r\na: b\r\nTransfer-encoding: x\r\n\r\n"),
          SOTTO_EFORMAT, false, 0, "");
    check("a trailer that does not", chunked, SOTTO_LIT("0\r\nHosts: x\r\nHos: y\r\n\r\n"),
          SOTTO_OK, true, 0, "");
    check("an empty trailer's name", chunked, SOTTO_LIT("0\r\n: c\r\n\r\n"), SOTTO_EFORMAT, false,
          0, "");
    check("a trailer without a colon", chunked, SOTTO_LIT("0\r\nabc\r\n\r\n"), SOTTO_EFORMAT, false,
          0, "");

    struct sotto_buf in;
    sotto_buf_init(&in, 1 << 20);
    sotto_ignore(sotto_buf_append(&in, SOTTO_LIT("1;")));
    for (size_t i = 0; i <= SOTTO_FRAMING_EXTENSIONS_MAX; i++) {
        sotto_ignore(sotto_buf_push(&in, 'x'));
    }
    struct sotto_buf out;
    bool done;
    size_t rest;
    sotto_buf_init(&out, 1 << 20);
    IS_INT(run(chunked, sotto_buf_span(&in), 1, &out, &done, &rest), SOTTO_ELIMIT,
           "extensions have a limit");
    sotto_buf_truncate(&in, 0);
    sotto_ignore(sotto_buf_append(&in, SOTTO_LIT("0\r\n")));
    for (size_t i = 0; i <= SOTTO_FRAMING_TRAILERS_MAX; i += 5) {
        sotto_ignore(sotto_buf_append(&in, SOTTO_LIT("a:b\r\n")));
    }
    IS_INT(run(chunked, sotto_buf_span(&in), 1, &out, &done, &rest), SOTTO_ELIMIT,
           "trailers have a limit");
    sotto_buf_free(&in);
    sotto_buf_free(&out);
    return done_testing();
}
