/* SPDX-License-Identifier: Apache-2.0 */

#include "gateway/key_json.h"

#include "tap/tap.h"

#define NOW 1795359600

static enum sotto_err read(const char *json, yyjson_mut_doc **doc, struct sotto_key *key,
                           struct sotto_problem *problem)
{
    if (sotto_json_read(sotto_span_str(json), 16, doc, NULL) != SOTTO_OK) {
        abort();
    }
    memset(problem, 0, sizeof(*problem));
    return sotto_key_json_read(yyjson_mut_doc_get_root(*doc), NOW, key, problem);
}

static void test_round(void)
{
    yyjson_mut_doc *doc = NULL;
    struct sotto_key key = {0};
    struct sotto_problem problem;
    struct sotto_buf out;
    sotto_buf_init(&out, SOTTO_BUF_UNBOUNDED);
    IS_INT(read("{\"name\":\"a \\\"b\\\"\",\"tenant\":\"ward\",\"scopes\":\"model:gpt-*,admin\","
                "\"mode\":\"hipaa\",\"style\":\"redact\",\"expires\":\"2h\",\"anonymize\":false,"
                "\"requests_per_minute\":60,\"tokens_per_minute\":5,\"monthly_requests\":7,"
                "\"monthly_tokens\":8,\"monthly_cost\":0.25}",
                &doc, &key, &problem),
           SOTTO_OK, "a key with everything");
    memcpy(key.id, "aB3dE6gH9jK2", sizeof(key.id));
    IS_INT(sotto_key_json_write(&key, &out), SOTTO_OK, "it is written");
    IS_TEXT(out.base, out.len,
            "{\"id\":\"aB3dE6gH9jK2\",\"name\":\"a \\\"b\\\"\",\"tenant\":\"ward\","
            "\"scopes\":\"model:gpt-*,admin\",\"mode\":\"hipaa\",\"style\":\"redact\","
            "\"anonymize\":false,\"created\":1795359600,\"expires\":1795366800,\"revoked\":0,"
            "\"old_until\":0,\"requests_per_minute\":60,\"tokens_per_minute\":5,"
            "\"monthly_requests\":7,\"monthly_tokens\":8,\"monthly_cost\":0.25}",
            "as it was read");
    sotto_json_free(doc);
    sotto_buf_free(&out);

    IS_INT(read("{\"name\":null}", &doc, &key, &problem), SOTTO_OK, "null says nothing");
    OK(key.name.len == 0 && key.anonymize && key.expires_s == 0 &&
           key.quota.monthly_cost_nano == 0 && key.created_s == NOW,
       "what is not said is the default");
    sotto_json_free(doc);
}

static void test_use(void)
{
    const struct sotto_use used = {1, 20, 3, 4, 1500000000};
    const struct sotto_use negative = {.requests = -1, .cost_nano = -5};
    struct sotto_buf out;
    sotto_buf_init(&out, 4096);
    IS_INT(sotto_key_json_use(SOTTO_LIT("a1B2c3D4e5F6"), &used, &out), SOTTO_OK, "use is written");
    IS_TEXT(out.base, out.len,
            "\"key\":\"a1B2c3D4e5F6\",\"requests\":1,\"prompt_tokens\":20,\"completion_tokens\":3,"
            "\"estimated_tokens\":4,\"cost\":1.5",
            "figure by figure");
    sotto_buf_truncate(&out, 0);
    IS_INT(sotto_key_json_use(SOTTO_LIT("a1B2c3D4e5F6"), &negative, &out), SOTTO_OK,
           "use that was given back is written, too");
    OK(sotto_span_ends(sotto_buf_span(&out), SOTTO_LIT("\"cost\":0")), "money is never negative");
    sotto_buf_free(&out);
}

static void test_bad(void)
{
    static const struct {
        const char *json, *param;
    } cases[] = {
        {"[]", ""},
        {"\"name\"", ""},
        {"{\"nmae\":\"x\"}", ""},
        {"{\"name\":1}", "name"},
        {"{\"name\":\"\"}", "name"},
        {"{\"tenant\":\"a\\u0000b\"}", "tenant"},
        {"{\"mode\":[]}", "mode"},
        {"{\"scopes\":\"nonsense\"}", "scopes"},
        {"{\"scopes\":[\"admin\"]}", "scopes"},
        {"{\"style\":\"bold\"}", "style"},
        {"{\"expires\":30}", "expires"},
        {"{\"expires\":\"0s\"}", "expires"},
        {"{\"expires\":\"999999d\"}", "expires"},
        {"{\"anonymize\":\"no\"}", "anonymize"},
        {"{\"monthly_tokens\":\"5\"}", "monthly_tokens"},
        {"{\"monthly_tokens\":1.5}", "monthly_tokens"},
        {"{\"monthly_tokens\":1000000000001}", "monthly_tokens"},
        {"{\"monthly_requests\":1e3}", "monthly_requests"},
        {"{\"monthly_cost\":-1}", "monthly_cost"},
        {"{\"monthly_cost\":\"1\"}", "monthly_cost"},
        {"{\"monthly_cost\":1000000001}", "monthly_cost"},
        {"{\"name\":\"good\",\"tenant\":7}", "tenant"},
    };
    for (size_t i = 0; i < SOTTO_COUNT(cases); i++) {
        yyjson_mut_doc *doc = NULL;
        struct sotto_key key = {.created_s = 77};
        struct sotto_problem problem;
        IS_INT(read(cases[i].json, &doc, &key, &problem), SOTTO_EINVAL, "%s is refused",
               cases[i].json);
        IS_TEXT(problem.param, strlen(problem.param), cases[i].param, "%s: the field",
                cases[i].json);
        OK(problem.status == 400 && problem.message[0] != '\0', "%s: a sentence", cases[i].json);
        IS_INT(key.created_s, 77, "%s: nothing comes out", cases[i].json);
        sotto_json_free(doc);
    }
}

int main(void)
{
    test_round();
    test_use();
    test_bad();
    return done_testing();
}
