/* SPDX-License-Identifier: Apache-2.0 */

#include "pipeline/logprobs.h"

#include "base/alloc.h"
#include "tap/tap.h"

#include "pipeline/answers.h"

static struct sotto_vault *vault;

/* What comes of two lists, the second of which ends the text. */
static enum sotto_err feed_two(const char *first, const char *second, struct sotto_buf *out)
{
    const char *const text[] = {first, second};
    struct logprobs *l = NULL;
    struct sotto_buf part;
    sotto_buf_init(&part, 1 << 16);
    enum sotto_err err = logprobs_new(vault, &l);
    for (size_t i = 0; i < 2 && err == SOTTO_OK; i++) {
        yyjson_mut_doc *doc = answer_doc(text[i]);
        err = logprobs_feed(l, doc, doc->root, i == 1);
        answer_write(doc, &part);
        answer_put(out, sotto_buf_span(&part));
        sotto_json_free(doc);
    }
    OK(err != SOTTO_OK || !logprobs_holds(l), "nothing is left");
    logprobs_free(l);
    sotto_buf_free(&part);
    return err;
}

#define E(token, lp)                                                                               \
    "{\"token\":\"" token "\",\"logprob\":" lp ",\"top_logprobs\":[{\"token\":\"a\"}]}"
#define M(token, lp) "{\"token\":\"" token "\",\"logprob\":" lp ",\"top_logprobs\":[]}"

static void test_lists(void)
{
    static const struct {
        const char *name, *first, *second, *want;
    } cases[] = {
        {"nothing to restore", "[" E("a", "-1") "]", "[" E("b", "-2.50") "]",
         "[" E("a", "-1") "][" E("b", "-2.50") "]"},
        {"one entry", "[" E("a @1 b", "-1") "]", "[]", "[" M("a Ann Lee b", "-1") "][]"},
        {"three entries", "[" E("x ~1", "-0.5") "," E("", "-0.25") "," E("^1 y", "-1") "]", "[]",
         "[" M("x Ann Lee y", "-1.75") "][]"},
        {"over two lists", "[" E("x", "-1") "," E("~1", "-0.5") "]",
         "[" E("^1", "-0.25") "," E("y", "-2") "]",
         "[" E("x", "-1") "][" M("Ann Lee", "-0.75") "," E("y", "-2") "]"},
        {"two tokens in a row", "[" E("~1", "-1") "," E("^1~2", "-1") "," E("^2", "-1") "]", "[]",
         "[" M("Ann LeeJ\xc3\xbcrg M\xc3\xbcller", "-3.0") "][]"},
        {"the beginning of one behind another", "[" E("@1~2", "-1") "]", "[" E("!", "-1") "]",
         "[][" M("Ann LeePERSON", "-1") "," E("!", "-1") "]"},
        {"withheld and free again", "[" E("P", "-1") "," E("E", "-1") "]", "[" E("A", "-1") "]",
         "[][" E("P", "-1") "," E("E", "-1") "," E("A", "-1") "]"},
        {"withheld to the end", "[" E("P", "-1") "]", "[]", "[][" E("P", "-1") "]"},
        {"bytes",
         "[{\"token\":\"\xef\xbf\xbd\",\"logprob\":-1,\"bytes\":[195]},{\"token\":\"\xef\xbf\xbd"
         "@5\",\"logprob\":-2,\"bytes\":[169]}]",
         "[]",
         "[{\"token\":\"\xef\xbf\xbd\",\"logprob\":-1,\"bytes\":[195]},{\"token\":\"\xef\xbf\xbd"
         "@5\",\"logprob\":-2,\"bytes\":[169]}][]"},
        {"no number", "[{\"token\":\"~1\",\"logprob\":null},{\"token\":\"^1\"}]", "[]",
         "[{\"token\":\"Ann Lee\",\"logprob\":null}][]"},
        {"no entries at all", "[1,\"@1\",null,{}]", "[]", "[1,\"@1\",null,{}][]"},
    };
    struct sotto_buf out, want;
    sotto_buf_init(&out, 1 << 16);
    sotto_buf_init(&want, 1 << 16);
    for (size_t i = 0; i < SOTTO_COUNT(cases); i++) {
        sotto_buf_truncate(&out, 0);
        sotto_buf_truncate(&want, 0);
        IS_INT(feed_two(cases[i].first, cases[i].second, &out), SOTTO_OK, "%s", cases[i].name);
        answer_expand(cases[i].want, &want);
        answer_put(&want, SOTTO_LIT("\0"));
        IS_TEXT(out.base, out.len, (const char *)want.base, "as expected");
    }
    sotto_buf_free(&out);
    sotto_buf_free(&want);
}

/* `bytes` of a merged entry are those of its text. */
static void test_bytes(void)
{
    struct sotto_buf text, out;
    sotto_buf_init(&text, 1 << 16);
    sotto_buf_init(&out, 1 << 16);
    answer_put(&text, SOTTO_LIT("[{\"token\":\"ignored\",\"logprob\":-1,\"bytes\":["));
    for (size_t i = 0; i < answer_token[4].len; i++) {
        char number[8];
        snprintf(number, sizeof(number), "%s%u", i != 0 ? "," : "", answer_token[4].base[i]);
        answer_put(&text, sotto_span_str(number));
    }
    answer_put(&text, SOTTO_LIT(",195]},{\"token\":\"x\",\"logprob\":-1,\"bytes\":[169]}]\0"));
    IS_INT(feed_two((const char *)text.base, "[]", &out), SOTTO_OK, "a token in bytes");
    IS_TEXT(
        out.base, out.len,
        "[{\"token\":\"\xf0\x9f\x99\x82\xef\xbf\xbd\",\"logprob\":-1,\"bytes\":[240,159,153,130,"
        "195]},{\"token\":\"x\",\"logprob\":-1,\"bytes\":[169]}][]",
        "becomes its value in bytes");
    sotto_buf_free(&text);
    sotto_buf_free(&out);
}

static void test_limit(void)
{
    struct logprobs *l = NULL;
    enum sotto_err err = SOTTO_OK;
    IS_INT(logprobs_new(vault, &l), SOTTO_OK, "a list");
    yyjson_mut_doc *doc = answer_doc("[{\"token\":\"P\"}]");
    IS_INT(logprobs_feed(l, doc, doc->root, false), SOTTO_OK, "that withholds");
    OK(logprobs_holds(l), "an entry");
    sotto_json_free(doc);
    for (int i = 0; i < 5000 && err == SOTTO_OK; i++) {
        doc = answer_doc("[{},{},{},{}]");
        err = logprobs_feed(l, doc, doc->root, false);
        sotto_json_free(doc);
    }
    IS_INT(err, SOTTO_ELIMIT, "and ever more without text, comes to a limit");
    logprobs_free(l);
    logprobs_free(NULL);
}

int main(void)
{
    vault = answer_vault();
    test_lists();
    test_bytes();
    test_limit();
    sotto_vault_free(vault);
    return done_testing();
}
