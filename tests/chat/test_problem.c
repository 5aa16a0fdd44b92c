/* SPDX-License-Identifier: Apache-2.0 */

#include "chat/problem.h"

#include "tap/tap.h"

static void test_fields(void)
{
    struct sotto_problem problem;
    sotto_problem_set(&problem, 404, "invalid_request_error", "model_not_found", "model",
                      "The model %d is not served.", 7);
    IS_INT(problem.status, 404, "status");
    OK(strcmp(problem.type, "invalid_request_error") == 0, "type");
    OK(strcmp(problem.code, "model_not_found") == 0, "code");
    OK(strcmp(problem.param, "model") == 0, "param");
    OK(strcmp(problem.message, "The model 7 is not served.") == 0, "message");
    IS_INT(problem.retry_after_s, 0, "no Retry-After");
    IS_INT(problem.should_retry, 0, "nothing about retrying");

    sotto_problem_invalid(&problem, NULL, "%s", "plain");
    IS_INT(problem.status, 400, "invalid is 400");
    OK(strcmp(problem.type, "invalid_request_error") == 0, "type of invalid");
    OK(problem.code == NULL, "no code");
    OK(problem.param[0] == '\0', "no param");
}

static void test_long_texts_are_cut_between_characters(void)
{
    struct sotto_problem problem;
    char text[2000];
    memset(text, 'a', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    sotto_problem_invalid(&problem, text, "%s", text);
    IS_SIZE(strlen(problem.param), sizeof(problem.param) - 1, "param is cut");
    IS_SIZE(strlen(problem.message), sizeof(problem.message) - 1, "message is cut");

    text[sizeof(problem.param) - 2] = '\xc3';
    text[sizeof(problem.param) - 1] = '\xa9';
    sotto_problem_invalid(&problem, text, "x");
    IS_SIZE(strlen(problem.param), sizeof(problem.param) - 2, "not inside a character");
}

int main(void)
{
    test_fields();
    test_long_texts_are_cut_between_characters();
    return done_testing();
}
