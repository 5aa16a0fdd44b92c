/* SPDX-License-Identifier: Apache-2.0 */

#include "pipeline/restoring.h"

#include "base/alloc.h"
#include "tap/tap.h"

#include "pipeline/answers.h"

static struct sotto_vault *vault;

/* --- whole answers --------------------------------------------------------------------------- */

static const struct {
    const char *name, *in, *want;
} whole_cases[] = {
    {"content",
     "{\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"Dear @1, "
     "hi\"}}]}",
     "{\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"Dear Ann "
     "Lee, hi\"}}]}"},
    {"structural members",
     "{\"id\":\"@1\",\"object\":\"@1\",\"model\":\"@1\",\"choices\":[{\"finish_reason\":\"@1\","
     "\"message\":{\"role\":"
     "\"@1\",\"content\":null,\"tool_calls\":[{\"id\":\"@1\",\"type\":\"@1\",\"function\":{"
     "\"name\":\"@1\","
     "\"arguments\":\"{}\"}}]}}]}",
     NULL},
    {"refusal, reasoning and fields nobody knows",
     "{\"choices\":[{\"message\":{\"refusal\":\"no, "
     "@1\",\"reasoning_content\":\"@2\",\"thinking\":[\"@1\",{\"x\":"
     "\"@1\"}]},\"new\":{\"deep\":[[\"@1\"]]}}],\"note\":\"@1\"}",
     "{\"choices\":[{\"message\":{\"refusal\":\"no, Ann "
     "Lee\",\"reasoning_content\":\"J\xc3\xbcrg M\xc3\xbcller\","
     "\"thinking\":[\"Ann Lee\",{\"x\":\"Ann Lee\"}]},\"new\":{\"deep\":[[\"Ann "
     "Lee\"]]}}],\"note\":\"Ann Lee\"}"},
    {"tool arguments are escaped twice",
     "{\"choices\":[{\"message\":{\"tool_calls\":[{\"function\":{\"arguments\":\"{\\\"a\\\": "
     "\\\"x @3 y\\\"}\"}}]}}]}",
     "{\"choices\":[{\"message\":{\"tool_calls\":[{\"function\":{\"arguments\":\"{\\\"a\\\": "
     "\\\"x say "
     "\\\\\\\"hi\\\\\\\"\\\\\\\\now y\\\"}\"}}]}}]}"},
    {"escapes in tool arguments",
     "{\"choices\":[{\"message\":{\"tool_calls\":[{\"function\":{\"arguments\":\"{"
     "\\\"\\\\u0050ERSON^1\\\":\\\"\\\\u00e9\\\\/"
     "\\\\ud83d\\\\ude42\\\\x\\\"}\"}}]}}]}",
     "{\"choices\":[{\"message\":{\"tool_calls\":[{\"function\":{\"arguments\":\"{\\\"Ann "
     "Lee\\\":\\\"\\\\u00e9\\\\/"
     "\\\\ud83d\\\\ude42\\\\x\\\"}\"}}]}}]}"},
    {"custom tool input",
     "{\"choices\":[{\"message\":{\"tool_calls\":[{\"custom\":{\"name\":\"@1\",\"input\":\"say "
     "@3\"}}]}}]}",
     NULL},
    {"audio",
     "{\"choices\":[{\"message\":{\"audio\":{\"id\":\"@1\",\"data\":\"@1\",\"transcript\":\"@"
     "1\"}}}]}",
     NULL},
    {"structured output keeps its form",
     "{\"choices\":[{\"message\":{\"content\":\"{\\\"a\\\": \\\"@3\\\", \\\"b\\\": @1}\"}}]}",
     "{\"choices\":[{\"message\":{\"content\":\"{\\\"a\\\": \\\"say "
     "\\\\\\\"hi\\\\\\\"\\\\\\\\now\\\", \\\"b\\\": Ann Lee}\"}}]}"},
    {"prose that begins with a bracket",
     "{\"choices\":[{\"message\":{\"content\":\"[1] \\\"@3\\\" {\\\"@4\\\"}\"}}]}",
     "{\"choices\":[{\"message\":{\"content\":\"[1] \\\"say \\\"hi\\\"\\\\now\\\" {\\\"line "
     "1\\nline 2\\\"}\"}}]}"},
    {"embeddings",
     "{\"object\":\"list\",\"data\":[{\"embedding\":[0.1,-2e5],\"index\":0}],\"model\":\"m\"}",
     NULL},
    {"an error",
     "{\"error\":{\"message\":\"no @1 here\",\"type\":\"x\",\"param\":null,\"code\":null}}",
     "{\"error\":{\"message\":\"no Ann Lee "
     "here\",\"type\":\"x\",\"param\":null,\"code\":null}}"},
    {"no object", "[\"@1\"]", "[\"Ann Lee\"]"},
    {"numbers stay as they were", "{\"x\":1.50,\"y\":1E+2,\"note\":\"@1\"}",
     "{\"x\":1.50,\"y\":1E+2,\"note\":\"Ann Lee\"}"},
};

static void test_whole(void)
{
    struct sotto_buf out, want;
    sotto_buf_init(&out, 1 << 20);
    sotto_buf_init(&want, 1 << 20);
    for (size_t i = 0; i < SOTTO_COUNT(whole_cases); i++) {
        struct sotto_restoring *r = NULL;
        yyjson_mut_doc *doc = answer_doc(whole_cases[i].in);
        IS_INT(sotto_restoring_new(vault, &r), SOTTO_OK, "%s", whole_cases[i].name);
        IS_INT(sotto_restoring_whole(r, doc), SOTTO_OK, "is restored");
        answer_write(doc, &out);
        sotto_buf_truncate(&want, 0);
        answer_expand(whole_cases[i].want != NULL ? whole_cases[i].want : whole_cases[i].in, &want);
        if (strcmp(whole_cases[i].name, "custom tool input") == 0 ||
            strcmp(whole_cases[i].name, "audio") == 0) {
            OK(memmem(out.base, out.len, i == 5 ? "hi" : "\"transcript\":\"Ann", i == 5 ? 2 : 17) !=
                   NULL,
               "only what is text");
            OK(memmem(out.base, out.len, "\"Ann Lee\",\"data", 15) == NULL &&
                   memmem(out.base, out.len, "data\":\"Ann", 10) == NULL &&
                   memmem(out.base, out.len, "name\":\"Ann", 10) == NULL,
               "and nothing else");
        } else {
            IS_MEM(out.base, out.len, want.base, want.len, "as expected");
            if (!sotto_span_eq(sotto_buf_span(&out), sotto_buf_span(&want))) {
                printf("# %.*s\n# %.*s\n", SOTTO_FMT(sotto_buf_span(&out)),
                       SOTTO_FMT(sotto_buf_span(&want)));
            }
        }
        sotto_json_free(doc);
        sotto_restoring_free(r);
    }
    sotto_buf_free(&out);
    sotto_buf_free(&want);
}

static void test_citations(void)
{
    /* "é @2 and @1." with places in front of, around, inside and behind the tokens */
    static const struct {
        int start, end, want_start, want_end;
    } cases[] = {{0, 1, 0, 1},     {0, 2, 0, 2},     {2, 17, 2, 13},
                 {5, 9, 2, 13},    {17, 22, 13, 18}, {22, 37, 18, 25},
                 {37, 38, 25, 26}, {0, 38, 0, 26},   {2, 3, 2, 13}};
    for (size_t i = 0; i < SOTTO_COUNT(cases); i++) {
        char text[512];
        int64_t start = -1, end = -1;
        struct sotto_restoring *r = NULL;
        snprintf(text, sizeof(text),
                 "{\"choices\":[{\"message\":{\"annotations\":[{\"type\":\"url_citation\",\"url_"
                 "citation\":"
                 "{\"start_index\":%d,\"end_index\":%d,\"title\":\"@1\",\"url\":\"u\"}}],"
                 "\"content\":\"\xc3\xa9 "
                 "@2 and @1.\"}}]}",
                 cases[i].start, cases[i].end);
        yyjson_mut_doc *doc = answer_doc(text);
        IS_INT(sotto_restoring_new(vault, &r), SOTTO_OK, "[%d, %d)", cases[i].start, cases[i].end);
        IS_INT(sotto_restoring_whole(r, doc), SOTTO_OK, "is restored");
        yyjson_mut_val *cited =
            yyjson_mut_doc_ptr_get(doc, "/choices/0/message/annotations/0/url_citation");
        OK(sotto_json_is(sotto_json_get(cited, "title"), "Ann Lee"), "the title is text");
        OK(sotto_json_int(sotto_json_get(cited, "start_index"), &start) == SOTTO_OK &&
               sotto_json_int(sotto_json_get(cited, "end_index"), &end) == SOTTO_OK,
           "and has places");
        IS_INT(start, cases[i].want_start, "start");
        IS_INT(end, cases[i].want_end, "end");
        sotto_json_free(doc);
        sotto_restoring_free(r);
    }
}

/* --- streams --------------------------------------------------------------------------------- */

struct step {
    const char *in;
    const char *want; /* NULL: the chunk says nothing new */
};

static void run_steps(const char *name, const struct step *steps, size_t count,
                      const char *want_end)
{
    struct sotto_restoring *r = NULL;
    struct sotto_buf out, want;
    sotto_buf_init(&out, 1 << 20);
    sotto_buf_init(&want, 1 << 20);
    IS_INT(sotto_restoring_new(vault, &r), SOTTO_OK, "%s", name);
    for (size_t i = 0; i < count; i++) {
        bool empty = false;
        yyjson_mut_doc *doc = answer_doc(steps[i].in);
        IS_INT(sotto_restoring_chunk(r, doc, &empty), SOTTO_OK, "chunk %zu", i);
        OK(empty == (steps[i].want == NULL), "chunk %zu says %s", i,
           empty ? "nothing" : "something");
        if (steps[i].want != NULL) {
            answer_write(doc, &out);
            sotto_buf_truncate(&want, 0);
            answer_expand(steps[i].want, &want);
            if (sotto_buf_push(&want, '\0') != SOTTO_OK) {
                abort();
            }
            IS_TEXT(out.base, out.len, (const char *)want.base, "chunk %zu", i);
        }
        sotto_json_free(doc);
    }
    bool any = false;
    yyjson_mut_doc *rest = sotto_json_new();
    IS_INT(sotto_restoring_end(r, NULL, rest, &any), SOTTO_OK, "the end");
    OK(any == (want_end != NULL), "with %s", any ? "something" : "nothing");
    if (any && want_end != NULL) {
        answer_write(rest, &out);
        IS_TEXT(out.base, out.len, want_end, "withheld");
    }
    sotto_json_free(rest);
    sotto_restoring_free(r);
    sotto_buf_free(&out);
    sotto_buf_free(&want);
}

#define DELTA(delta) "{\"choices\":[{\"index\":0,\"delta\":{" delta "},\"finish_reason\":null}]}"
#define FINISH(delta)                                                                              \
    "{\"choices\":[{\"index\":0,\"delta\":{" delta "},\"finish_reason\":\"stop\"}]}"
#define C(text) DELTA("\"content\":\"" text "\"")

static void test_streams(void)
{
    static const struct step plain[] = {
        {DELTA("\"role\":\"assistant\",\"content\":\"\""),
         DELTA("\"role\":\"assistant\",\"content\":\"\"")},
        {C("Dear "), C("Dear ")},
        {C("~1"), NULL},
        {C("^1, h"), C("Ann Lee, h")},
        {C("ow are you?"), C("ow are you?")},
        {FINISH(""), FINISH("")},
    };
    run_steps("a token in two deltas", plain, SOTTO_COUNT(plain), NULL);

    static const struct step role[] = {
        {DELTA("\"role\":\"assistant\",\"content\":\"~1\""),
         DELTA("\"role\":\"assistant\",\"content\":\"\"")},
        {DELTA("\"role\":\"assistant\",\"content\":\"\""),
         DELTA("\"role\":\"assistant\",\"content\":\"\"")},
        {DELTA("\"role\":\"assistant\",\"content\":\" \""), NULL},
        {C("^1!"), C("Ann Lee!")},
    };
    run_steps("the first chunk has the role", role, SOTTO_COUNT(role), NULL);

    static const struct step finish[] = {
        {C("I am a ~1"), C("I am a ")},
        {FINISH(""), FINISH("\"content\":\"PERSON\"")},
        {"{\"choices\":[],\"usage\":{\"total_tokens\":3}}",
         "{\"choices\":[],\"usage\":{\"total_tokens\":3}}"},
    };
    run_steps("withheld text comes with the finish", finish, SOTTO_COUNT(finish), NULL);

    static const struct step same[] = {
        {C("P"), NULL},
        {FINISH("\"content\":\"ERSON\""), FINISH("\"content\":\"PERSON\"")},
        {FINISH("\"content\":\"@1\""), FINISH("\"content\":\"Ann Lee\"")},
    };
    run_steps("and before the text of that chunk", same, SOTTO_COUNT(same), NULL);

    static const struct step usage[] = {
        {C("P"), NULL},
        {"{\"choices\":[],\"usage\":{\"total_tokens\":3}}",
         "{\"choices\":[{\"index\":0,\"delta\":{\"content\":\"P\"},\"finish_reason\":null}],"
         "\"usage\":{\"total_tokens\":3}}"},
    };
    run_steps("nothing comes after the usage", usage, SOTTO_COUNT(usage), NULL);

    static const struct step end[] = {
        {"{\"id\":\"i\",\"object\":\"o\",\"created\":1,\"model\":\"m\",\"choices\":[{\"index\":1,"
         "\"delta\":"
         "{\"content\":\"~1\"}}]}",
         NULL},
    };
    run_steps("a stream without a finish", end, SOTTO_COUNT(end),
              "{\"object\":\"chat.completion.chunk\",\"created\":1,\"choices\":[{\"index\":1,"
              "\"delta\":{\"content\":\"PERSON\"},\"finish_reason\":null}]}");

    static const struct step error[] = {
        {"{\"error\":{\"message\":\"@1\"}}", "{\"error\":{\"message\":\"Ann Lee\"}}"},
        {"[\"@1\"]", "[\"Ann Lee\"]"},
        {"{\"choices\":[{\"index\":0,\"finish_reason\":null}]}",
         "{\"choices\":[{\"index\":0,\"finish_reason\":null}]}"},
        {"{\"choices\":[],\"prompt_filter_results\":[{\"x\":\"@1\"}]}",
         "{\"choices\":[],\"prompt_filter_results\":[{\"x\":\"Ann Lee\"}]}"},
    };
    run_steps("other things in a stream", error, SOTTO_COUNT(error), NULL);
}

static void test_choices_and_fields(void)
{
    static const struct step steps[] = {
        {"{\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a ~1\"}},{\"index\":1,\"delta\":"
         "{\"content\":\"b ~2\"}}]}",
         "{\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a \"}},{\"index\":1,\"delta\":"
         "{\"content\":\"b \"}}]}"},
        {"{\"choices\":[{\"index\":1,\"delta\":{\"content\":\"^2\",\"reasoning\":\"~1\"}}]}",
         "{\"choices\":[{\"index\":1,\"delta\":{\"content\":\"J\xc3\xbcrg M\xc3\xbcller\","
         "\"reasoning\":\"\"}}]}"},
        {"{\"choices\":[{\"index\":0,\"delta\":{\"content\":\"^1\",\"refusal\":null}}]}",
         "{\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Ann Lee\",\"refusal\":null}}]}"},
        {"{\"choices\":[{\"index\":1,\"delta\":{\"reasoning\":\"^1 x\"}}]}",
         "{\"choices\":[{\"index\":1,\"delta\":{\"reasoning\":\"Ann Lee x\"}}]}"},
    };
    run_steps("choices and fields do not mix", steps, SOTTO_COUNT(steps), NULL);

    static const struct step tools[] = {
        {DELTA("\"tool_calls\":[{\"index\":0,\"id\":\"c\",\"type\":\"function\",\"function\":{"
               "\"name\":"
               "\"f\",\"arguments\":\"\"}}]"),
         DELTA("\"tool_calls\":[{\"index\":0,\"id\":\"c\",\"type\":\"function\",\"function\":{"
               "\"name\":"
               "\"f\",\"arguments\":\"\"}}]")},
        {DELTA("\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\"{\\\"a\\\":\\\"~3\"}}]"),
         DELTA("\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\"{\\\"a\\\":\\\"\"}}]")},
        {DELTA("\"tool_calls\":[{\"index\":1,\"id\":\"d\",\"function\":{\"arguments\":\"~1\"}}]"),
         DELTA("\"tool_calls\":[{\"index\":1,\"id\":\"d\",\"function\":{\"arguments\":\"\"}}]")},
        {DELTA("\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\" \"}}]"), NULL},
        {DELTA("\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\"^3\\\"\"}}]"),
         DELTA("\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\"say "
               "\\\\\\\"hi\\\\\\\"\\\\\\\\now\\\"\"}}]")},
        {DELTA("\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\"}\\\\u00\"}}]"),
         DELTA("\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\"}\"}}]")},
        {FINISH(""),
         FINISH(
             "\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\"\\\\u00\"}},{\"index\":1,"
             "\"function\":{\"arguments\":\"PERSON\"}}]")},
    };
    run_steps("tool calls in fragments", tools, SOTTO_COUNT(tools), NULL);

    static const struct step parts[] = {
        {DELTA("\"content\":[{\"type\":\"thinking\",\"thinking\":[{\"type\":\"text\",\"text\":\"~"
               "1\"}]}]"),
         NULL},
        {DELTA("\"content\":[{\"type\":\"thinking\",\"thinking\":[{\"type\":\"text\",\"text\":\"^1 "
               "P\"}]}]"),
         DELTA("\"content\":[{\"type\":\"thinking\",\"thinking\":[{\"type\":\"text\",\"text\":"
               "\"Ann Lee "
               "\"}]}]")},
        {FINISH("\"content\":\"x\""), FINISH("\"content\":[{\"type\":\"thinking\",\"thinking\":[{"
                                             "\"type\":\"text\",\"text\":\"P\"}]},"
                                             "{\"type\":\"text\",\"text\":\"x\"}]")},
    };
    run_steps("content in parts", parts, SOTTO_COUNT(parts), NULL);
}

#define LP(token, lp)                                                                              \
    "{\"token\":\"" token "\",\"logprob\":" lp ",\"bytes\":null,\"top_logprobs\":[]}"
#define LPTOP(token, lp)                                                                           \
    "{\"token\":\"" token "\",\"logprob\":" lp                                                     \
    ",\"bytes\":null,\"top_logprobs\":[{\"token\":\"q\"}]}"
#define LPCHUNK(text, entries)                                                                     \
    "{\"choices\":[{\"index\":0,\"delta\":{\"content\":\"" text                                    \
    "\"},\"logprobs\":{\"content\":[" entries "]},\"finish_reason\":null}]}"

static void test_logprobs(void)
{
    static const struct step steps[] = {
        {LPCHUNK("Hi", LPTOP("Hi", "-0.10")), LPCHUNK("Hi", LPTOP("Hi", "-0.10"))},
        {LPCHUNK(" ~1", LPTOP(" ~1", "-0.5")), LPCHUNK(" ", "")},
        {LPCHUNK("^1", LPTOP("^1", "-0.25")), LPCHUNK("Ann Lee", LP(" Ann Lee", "-0.75"))},
        {LPCHUNK(".", LPTOP(".", "-1")), LPCHUNK(".", LPTOP(".", "-1"))},
        {LPCHUNK("~1", LPTOP("~1", "-1")), NULL},
        {"{\"choices\":[{\"index\":0,\"delta\":{},\"logprobs\":null,\"finish_reason\":\"stop\"}]}",
         "{\"choices\":[{\"index\":0,\"delta\":{\"content\":\"PERSON\"},\"logprobs\":{\"content\":["
         "{\"token\":\"PERSON\",\"logprob\":-1,\"bytes\":null,\"top_logprobs\":[{\"token\":\"q\"}]}"
         "]},"
         "\"finish_reason\":\"stop\"}]}"},
    };
    run_steps("logprobs follow the text", steps, SOTTO_COUNT(steps), NULL);
}

/* The caller may have a chunk to copy from. */
static void test_template(void)
{
    struct sotto_restoring *r = NULL;
    struct sotto_buf out;
    bool empty = false, any = false;
    sotto_buf_init(&out, 1 << 16);
    yyjson_mut_doc *last =
        answer_doc("{\"id\":\"i\",\"model\":\"m\",\"x\":1,\"choices\":[{\"index\":0,"
                   "\"delta\":{\"content\":\"P\"}}]}");
    yyjson_mut_doc *rest = sotto_json_new();
    IS_INT(sotto_restoring_new(vault, &r), SOTTO_OK, "a stream");
    IS_INT(sotto_restoring_chunk(r, last, &empty), SOTTO_OK, "that withholds");
    IS_INT(sotto_restoring_end(r, last, rest, &any), SOTTO_OK, "and ends");
    OK(empty && any, "with something");
    answer_write(rest, &out);
    IS_TEXT(out.base, out.len,
            "{\"id\":\"i\",\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"P\"},"
            "\"finish_reason\":null}]}",
            "in a chunk like the one given");
    sotto_json_free(last);
    sotto_json_free(rest);
    sotto_restoring_free(r);
    sotto_buf_free(&out);
}

/* --- trouble --------------------------------------------------------------------------------- */

static void test_nothing_issued(void)
{
    struct sotto_vault *none = NULL;
    struct sotto_restoring *r = NULL;
    static const uint8_t key[SOTTO_VAULT_KEY_BYTES] = {1};
    bool empty = true;
    IS_INT(sotto_vault_new(key, SOTTO_LIT("c"), SOTTO_STYLE_TOKEN, &none), SOTTO_OK, "vault");
    IS_INT(sotto_restoring_new(none, &r), SOTTO_OK, "nothing issued");
    yyjson_mut_doc *doc = answer_doc(C("@1"));
    IS_INT(sotto_restoring_chunk(r, doc, &empty), SOTTO_OK, "a chunk");
    OK(!empty, "stays");
    IS_INT(sotto_restoring_whole(r, doc), SOTTO_OK, "a whole answer");
    sotto_json_free(doc);
    sotto_restoring_free(r);
    sotto_restoring_free(NULL);
    sotto_vault_free(none);
}

static void test_limit(void)
{
    struct sotto_restoring *r = NULL;
    enum sotto_err err = SOTTO_OK;
    int i = 0;
    IS_INT(sotto_restoring_new(vault, &r), SOTTO_OK, "a stream with ever more choices");
    for (; i < 5000 && err == SOTTO_OK; i++) {
        char text[128];
        bool empty;
        snprintf(text, sizeof(text), "{\"choices\":[{\"index\":%d,\"delta\":{\"content\":\"x\"}}]}",
                 i);
        yyjson_mut_doc *doc = answer_doc(text);
        err = sotto_restoring_chunk(r, doc, &empty);
        sotto_json_free(doc);
    }
    IS_INT(err, SOTTO_ELIMIT, "comes to a limit");
    IS_INT(i, 4096 / 2 + 1, "a choice and its text count as two");
    sotto_restoring_free(r);
}

static enum sotto_err scenario(size_t fault, size_t *seen)
{
    static const char *const chunks[] = {
        DELTA("\"role\":\"assistant\",\"content\":\"@1 ~2\""),
        "{\"choices\":[{\"index\":0,\"delta\":{\"content\":\"^2\",\"tool_calls\":[{\"index\":0,"
        "\"function\":{\"arguments\":\"@3 ~1\"}}]},\"logprobs\":{\"content\":[{\"token\":\"@1\","
        "\"logprob\":-1,\"bytes\":[1,2]}]}}]}",
        FINISH(""),
    };
    struct sotto_restoring *r = NULL;
    yyjson_mut_doc *doc[SOTTO_COUNT(chunks)];
    for (size_t i = 0; i < SOTTO_COUNT(chunks); i++) {
        doc[i] = answer_doc(chunks[i]);
    }
    sotto_alloc_set_fault(fault);
    enum sotto_err err = sotto_restoring_new(vault, &r);
    for (size_t i = 0; i < SOTTO_COUNT(chunks) && err == SOTTO_OK; i++) {
        bool empty;
        err = sotto_restoring_chunk(r, doc[i], &empty);
    }
    sotto_restoring_free(r);
    *seen = sotto_alloc_set_fault(0);
    for (size_t i = 0; i < SOTTO_COUNT(chunks); i++) {
        sotto_json_free(doc[i]);
    }
    return err;
}

static void test_faults(void)
{
    size_t total = 0, seen;
    IS_INT(scenario(SIZE_MAX, &total), SOTTO_OK, "dry run");
    OK(total > 10, "%zu allocations", total);
    bool all = true;
    for (size_t n = 1; n <= total; n++) {
        all = all && scenario(n, &seen) == SOTTO_ENOMEM;
    }
    OK(all, "each, failing, is reported");
}

int main(void)
{
    vault = answer_vault();
    test_whole();
    test_citations();
    test_streams();
    test_template();
    test_choices_and_fields();
    test_logprobs();
    test_nothing_issued();
    test_limit();
    test_faults();
    sotto_vault_free(vault);
    return done_testing();
}
