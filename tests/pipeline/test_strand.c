/* SPDX-License-Identifier: Apache-2.0 */

#include "pipeline/strand.h"

#include "base/alloc.h"
#include "tap/tap.h"

#include "pipeline/answers.h"

static struct sotto_vault *vault;

/* Whether a strand gives `want` for `in` cut at each place, and byte by byte. */
static bool every_split(enum strand_kind kind, sotto_span in, sotto_span want)
{
    bool good = true;
    for (size_t split = 0; split <= in.len + 1 && good; split++) {
        struct strand *s = NULL;
        struct sotto_buf out;
        sotto_buf_init(&out, 1 << 16);
        good = strand_new(vault, kind, &s) == SOTTO_OK;
        if (split <= in.len) {
            good = good && strand_feed(s, sotto_span_sub(in, 0, split), false, &out) == SOTTO_OK &&
                   strand_feed(s, sotto_span_skip(in, split), true, &out) == SOTTO_OK;
        } else {
            for (size_t i = 0; i < in.len && good; i++) {
                good = strand_feed(s, sotto_span_sub(in, i, i + 1), false, &out) == SOTTO_OK;
            }
            good = good && strand_feed(s, SOTTO_LIT(""), true, &out) == SOTTO_OK;
        }
        good = good && sotto_span_eq(sotto_buf_span(&out), want) && !strand_holds(s);
        if (!good) {
            printf("# split at %zu: %.*s\n", split, SOTTO_FMT(sotto_buf_span(&out)));
        }
        strand_free(s);
        sotto_buf_free(&out);
    }
    return good;
}

static void test_both(enum strand_kind kind, const char *const (*cases)[2], size_t count)
{
    struct sotto_buf in, want;
    sotto_buf_init(&in, 1 << 16);
    sotto_buf_init(&want, 1 << 16);
    for (size_t i = 0; i < count; i++) {
        sotto_buf_truncate(&in, 0);
        sotto_buf_truncate(&want, 0);
        answer_expand(cases[i][0], &in);
        answer_expand(cases[i][1] != NULL ? cases[i][1] : cases[i][0], &want);
        OK(every_split(kind, sotto_buf_span(&in), sotto_buf_span(&want)), "at every split: %s",
           cases[i][0]);
    }
    sotto_buf_free(&in);
    sotto_buf_free(&want);
}

static void test_text(void)
{
    static const char *const cases[][2] = {
        {"", NULL},
        {"Dear @1 and ~2-^2", "Dear Ann Lee and J\xc3\xbcrg M\xc3\xbcller"},
        {"@3", "say \"hi\"\\now"},
        {"{\"a\": \"@3\"}", "{\"a\": \"say \\\"hi\\\"\\\\now\"}"},
        {" [ \"x\\\"@4\", @4]", " [ \"x\\\"line 1\\nline 2\", line 1\nline 2]"},
        {"[{\"a\\\\\":\"@4\"}]", "[{\"a\\\\\":\"line 1\\nline 2\"}]"},
        {"{ \"@1\": \"**~1** ^1\"}", "{ \"Ann Lee\": \"**Ann Lee**\"}"},
        {"{@4: \"@4\"}", "{line 1\nline 2: \"line 1\nline 2\"}"},
        {"[see \"@4\"]", "[see \"line 1\nline 2\"]"},
        {"\xff\xfe {\"@4", "\xff\xfe {\"line 1\nline 2"},
    };
    test_both(STRAND_TEXT, cases, SOTTO_COUNT(cases));
}

static void test_json(void)
{
    static const char *const cases[][2] = {
        {"", NULL},
        {"{\"a\":\"@1\"}", "{\"a\":\"Ann Lee\"}"},
        {"{\"a\":\"@3\\n\"}", "{\"a\":\"say \\\"hi\\\"\\\\now\\n\"}"},
        {"\"\\u0050ERSON^1\"", "\"Ann Lee\""},
        {"\"\\u0050\\u0045RSON^1\\u0021\"", "\"Ann Lee\\u0021\""},
        {"\"~1\\u002d^1\"", "\"Ann Lee\""},
        {"\"~1\\u200b^1\"", "\"Ann Lee\""},
        {"\"~1\\u00ad^1\"", "\"Ann Lee\""},
        {"\"~1\\\\_^1\"", "\"Ann Lee\""},
        {"\"**~3** ^3\"", "\"**say \\\"hi\\\"\\\\now**\""},
        {"\"\\\"@1\\\"\\\\@1\\/\\b\\f\\n\\r\\t\"",
         "\"\\\"Ann Lee\\\"\\\\Ann Lee\\/\\b\\f\\n\\r\\t\""},
        {"\"\\ud83d\\ude42 \\u00e9 \\u20ac \\uD800 \\uZZ \\u00 \\x \\", NULL},
        {"~1\\u002", NULL},
        {"~1\\", NULL},
        {"\\u0050ERSON", NULL},
        {"{\"n\":1e5,\"t\":[true,null],\"e\":\"\xc3\xa9\xff\"}", NULL},
    };
    test_both(STRAND_JSON, cases, SOTTO_COUNT(cases));
}

/* Longer than the pieces that it is worked off in. */
static void test_long(void)
{
    struct sotto_buf in, want, out;
    struct strand *s = NULL;
    sotto_buf_init(&in, 1 << 20);
    sotto_buf_init(&want, 1 << 20);
    sotto_buf_init(&out, 1 << 20);
    for (int i = 0; i < 1000; i++) {
        answer_expand("\\u0020@1\\u00e9 ", &in);
        answer_expand("\\u0020Ann Lee\\u00e9 ", &want);
    }
    IS_INT(strand_new(vault, STRAND_JSON, &s), SOTTO_OK, "a long text");
    IS_INT(strand_feed(s, sotto_buf_span(&in), true, &out), SOTTO_OK, "is restored");
    OK(sotto_span_eq(sotto_buf_span(&out), sotto_buf_span(&want)), "as a short one");
    IS_INT(strand_feed(s, sotto_buf_span(&in), false, &out), SOTTO_ESTATE, "nothing after the end");
    strand_free(s);
    sotto_buf_free(&in);
    sotto_buf_free(&want);
    sotto_buf_free(&out);
}

static void test_place(void)
{
    struct strand *s = NULL;
    struct sotto_buf in, out;
    sotto_buf_init(&in, 4096);
    sotto_buf_init(&out, 4096);
    answer_expand("\xc3\xa9 @2!", &in);
    IS_INT(strand_new(vault, STRAND_TEXT, &s), SOTTO_OK, "a text with places");
    for (size_t i = 0; i < in.len; i++) {
        IS_INT(strand_feed(s, sotto_span_init(in.base + i, 1), false, &out), SOTTO_OK, "byte %zu",
               i);
    }
    IS_SIZE(strand_place(s, 0, false), 0, "the start");
    IS_SIZE(strand_place(s, 2, false), 2, "before the token");
    IS_SIZE(strand_place(s, 2, true), 2, "also as an end");
    IS_SIZE(strand_place(s, 5, false), 2, "inside of it, as a start");
    IS_SIZE(strand_place(s, 5, true), 13, "inside of it, as an end");
    IS_SIZE(strand_place(s, 17, true), 13, "behind it");
    IS_SIZE(strand_place(s, 18, true), 14, "the end");
    strand_free(s);
    sotto_buf_free(&in);
    sotto_buf_free(&out);
}

static void test_faults(enum strand_kind kind)
{
    struct sotto_buf in;
    sotto_buf_init(&in, 4096);
    answer_expand("{\"a\": \"\\u0020@3 @4\"}", &in);
    for (size_t n = 1;; n++) {
        struct strand *s = NULL;
        struct sotto_buf out;
        sotto_buf_init(&out, 4096);
        sotto_alloc_set_fault(n);
        enum sotto_err err = strand_new(vault, kind, &s);
        if (err == SOTTO_OK) {
            err = strand_feed(s, sotto_buf_span(&in), true, &out);
        }
        bool done = sotto_alloc_set_fault(0) < n;
        IS_INT(err, done ? SOTTO_OK : SOTTO_ENOMEM, "allocation %zu", n);
        OK(done || out.len == 0, "nothing partial");
        strand_free(s);
        sotto_buf_free(&out);
        if (done) {
            break;
        }
    }
    struct strand *s = NULL;
    struct sotto_buf small;
    sotto_buf_init(&small, 12);
    IS_INT(strand_new(vault, kind, &s), SOTTO_OK, "a small buffer");
    IS_INT(strand_feed(s, sotto_buf_span(&in), true, &small), SOTTO_ELIMIT, "has no room");
    IS_SIZE(small.len, 0, "and stays empty");
    IS_INT(strand_feed(s, SOTTO_LIT("x"), false, &small), SOTTO_ESTATE, "after which it is dead");
    strand_free(s);
    strand_free(NULL);
    sotto_buf_free(&small);
    sotto_buf_free(&in);
}

int main(void)
{
    vault = answer_vault();
    test_text();
    test_json();
    test_long();
    test_place();
    test_faults(STRAND_TEXT);
    test_faults(STRAND_JSON);
    sotto_vault_free(vault);
    return done_testing();
}
