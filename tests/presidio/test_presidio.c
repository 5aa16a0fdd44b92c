/* SPDX-License-Identifier: Apache-2.0 */

#include "presidio/presidio.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "crypto/crypto.h"
#include "tap/tap.h"

static struct sotto_detector *detector;

/* The answer to a request, in steps of `budget`. */
static enum sotto_err ask(enum sotto_presidio_route route, const char *body, size_t budget,
                          int *status, struct sotto_buf *out)
{
    struct sotto_detect_job *job = NULL;
    struct sotto_presidio *p = NULL;
    struct sotto_presidio_request request = {
        .route = route,
        .content_type = SOTTO_LIT("application/json; charset=utf-8"),
        .body = sotto_span_str(body),
        .max_depth = 32,
        .detector = detector,
    };
    bool done = false;
    enum sotto_err err = sotto_detect_job_new(detector, &job);
    if (err == SOTTO_OK) {
        request.job = job;
        err = sotto_presidio_new(&request, &p);
    }
    while (err == SOTTO_OK && !done) {
        err = sotto_presidio_step(p, budget, &done);
    }
    if (err == SOTTO_OK) {
        const char *type;
        sotto_span text;
        sotto_presidio_answer(p, status, &type, &text);
        err = sotto_buf_append(out, text);
    }
    sotto_presidio_free(p);
    sotto_detect_job_free(job);
    return err;
}

static const char analyze_body[] =
    "{\"text\": [\"Ask Jane Doe, jane@example.org\", \"\", \"zip 10023 \\u00e9\"], "
    "\"language\": \"en\", \"context\": [\"column\"], \"allow_list\": [\"nobody\"], "
    "\"entities\": [\"PERSON\", \"ZIP\"], \"return_decision_process\": true, "
    "\"ad_hoc_recognizers\": [{\"supported_entity\": \"ZIP\", \"context\": [\"zip\"], "
    "\"patterns\": "
    "[{\"name\": \"p\", \"regex\": \"[0-9]{5}\", \"score\": 0.2}], \"deny_list\": [\"abc\"]}]}";
static const char anonymize_body[] =
    "{\"text\": \"Ask Jane Doe\", \"analyzer_results\": [{\"start\": 4, \"end\": 8, \"score\": 1, "
    "\"entity_type\": \"PERSON\"}, {\"start\": 9, \"end\": 12, \"score\": 0.5, \"entity_type\": "
    "\"PERSON\"}], \"anonymizers\": {\"DEFAULT\": {\"type\": \"mask\", \"masking_char\": \"*\", "
    "\"chars_to_mask\": 3, \"from_end\": true}}}";

static void test_answers(void)
{
    struct sotto_buf out;
    int status = 0;
    sotto_buf_init(&out, 1 << 20);
    IS_INT(ask(SOTTO_PRESIDIO_ANONYMIZE, anonymize_body, SIZE_MAX, &status, &out), SOTTO_OK,
           "anonymize");
    IS_INT(status, 200, "is answered");
    IS_TEXT(out.base, out.len,
            "{\"text\": \"Ask Jane ***\", \"items\": [{\"start\": 4, \"end\": 12, \"entity_type\": "
            "\"PERSON\", \"text\": \"Jane ***\", \"operator\": \"mask\", \"score\": 0.5}]}",
            "two names with a space between are one");
    sotto_buf_free(&out);
}

static void test_every_budget(void)
{
    struct sotto_buf whole;
    int status = 0;
    sotto_buf_init(&whole, 1 << 20);
    IS_INT(ask(SOTTO_PRESIDIO_ANALYZE, analyze_body, SIZE_MAX, &status, &whole), SOTTO_OK,
           "at once");
    IS_INT(status, 200, "is answered");
    OK(memmem(whole.base, whole.len, "\"ZIP\"", 5) != NULL, "with the ad hoc type");
    OK(memmem(whole.base, whole.len, "\"score\": 0.55", 13) != NULL, "its score raised");
    for (size_t budget = 1; budget < 40; budget += 7) {
        struct sotto_buf out;
        sotto_buf_init(&out, 1 << 20);
        IS_INT(ask(SOTTO_PRESIDIO_ANALYZE, analyze_body, budget, &status, &out), SOTTO_OK,
               "in steps of %zu", budget);
        IS_MEM(out.base, out.len, whole.base, whole.len, "the same answer");
        sotto_buf_free(&out);
    }
    sotto_buf_free(&whole);
}

static void test_every_allocation_failure(enum sotto_presidio_route route, const char *body)
{
    bool good = true, ended = false;
    size_t n = 0;
    while (good && !ended) {
        struct sotto_buf out;
        int status = 0;
        sotto_buf_init(&out, 1 << 20);
        sotto_alloc_set_fault(++n);
        enum sotto_err err = ask(route, body, SIZE_MAX, &status, &out);
        size_t left = sotto_alloc_set_fault(0);
        ended = err == SOTTO_OK && left < n;
        good = err == SOTTO_OK || (err == SOTTO_ENOMEM && out.len == 0);
        sotto_buf_free(&out);
    }
    OK(good && n > 10, "each of %zu allocations may fail", n - 1);
}

static void test_heavy(void)
{
    OK(sotto_presidio_is_heavy(SOTTO_PRESIDIO_ANALYZE, sotto_span_str(analyze_body)),
       "expressions of the caller are not for a loop's thread");
    OK(sotto_presidio_is_heavy(SOTTO_PRESIDIO_ANALYZE,
                               SOTTO_LIT("{\"\\u0061d_hoc_recognizers\": []}")),
       "however the key is written");
    OK(!sotto_presidio_is_heavy(SOTTO_PRESIDIO_ANALYZE, SOTTO_LIT("{\"text\": \"x\"}")),
       "plain requests are");
}

int main(void)
{
    char why[256];
    if (sotto_crypto_init() != SOTTO_OK ||
        sotto_detector_new(&(struct sotto_detector_options){.names_off = false}, &detector, why) !=
            SOTTO_OK) {
        return 1;
    }
    test_answers();
    test_every_budget();
    test_every_allocation_failure(SOTTO_PRESIDIO_ANALYZE, analyze_body);
    test_every_allocation_failure(SOTTO_PRESIDIO_ANONYMIZE, anonymize_body);
    test_heavy();
    sotto_detector_free(detector);
    return done_testing();
}
