/* SPDX-License-Identifier: Apache-2.0 */

#include "gateway/metrics.h"

#include "base/alloc.h"
#include "tap/tap.h"

static const struct sotto_metrics_facts facts = {.version = "1.2.3",
                                                 .ready = true,
                                                 .started_s = 1795359600,
                                                 .keys = 7,
                                                 .reloads = 2,
                                                 .refused = 1,
                                                 .limits_store = {"valkey", false},
                                                 .cpu_us = 1500000,
                                                 .memory_bytes = 12345678,
                                                 .descriptors = 42};

static struct sotto_record a_record(void)
{
    struct sotto_record r = {
        .dialect = "openai",
        .outcome = SOTTO_OUTCOME_ANSWERED,
        .status = 200,
        .operation = "chat",
        .provider = SOTTO_LIT_INIT("openai"),
        .upstream = SOTTO_LIT_INIT("house"),
        .model = SOTTO_LIT_INIT("gpt-\"4\"\\x"),
        .prompt_tokens = 100,
        .completion_tokens = 11,
        .cost_nano = 2500000001,
        .first_byte_us = 1000000,
        .opened_us = 1000040,
        .fetched_us = 1000300,
        .answered_us = 1300300,
        .first_token_us = 1400300,
        .last_token_us = 1900300,
        .done_us = 2000300,
        .own_us = 120,
    };
    r.counts.found[SOTTO_LABEL_PERSON] = 3;
    r.counts.replaced[SOTTO_LABEL_PERSON] = 2;
    return r;
}

static void has(struct sotto_buf *out, const char *line, const char *what)
{
    char whole[512];
    snprintf(whole, sizeof(whole), "\n%s\n", line);
    OK(memmem(out->base, out->len, whole, strlen(whole)) != NULL, "%s: %s", what, line);
}

static void lacks(struct sotto_buf *out, const char *text, const char *what)
{
    OK(memmem(out->base, out->len, text, strlen(text)) == NULL, "%s", what);
}

#define SERIES                                                                                     \
    "gen_ai_operation_name=\"chat\",gen_ai_provider_name=\"openai\",sotto_upstream=\"house\","     \
    "gen_ai_request_model=\"gpt-\\\"4\\\"\\\\x\""

static void test_sums(void)
{
    struct sotto_metrics *two[2] = {NULL, NULL};
    struct sotto_buf out;
    struct sotto_record r = a_record();
    sotto_buf_init(&out, SOTTO_BUF_UNBOUNDED);
    for (size_t i = 0; i < 2; i++) {
        IS_INT(sotto_metrics_new(&two[i]), SOTTO_OK, "a set");
        sotto_metrics_begin(two[i]);
        sotto_metrics_end(two[i], &r);
    }
    sotto_metrics_begin(two[0]);
    r = a_record();
    r.outcome = SOTTO_OUTCOME_GONE;
    r.estimated_tokens = 60;
    r.code = "client_gone";
    r.first_token_us = 0;
    sotto_metrics_begin(two[1]);
    sotto_metrics_end(two[1], &r);
    IS_INT(sotto_metrics_print(two, 2, &facts, &out), SOTTO_OK, "two sets are printed");

    has(&out, "sotto_requests_total{dialect=\"openai\",outcome=\"answered\",status=\"2xx\"} 2",
        "threads are added up");
    has(&out, "sotto_requests_total{dialect=\"openai\",outcome=\"client_gone\",status=\"2xx\"} 1",
        "by outcome");
    has(&out, "sotto_requests_in_flight 1", "one still runs");
    has(&out, "sotto_refusals_total{code=\"client_gone\"} 1", "codes");
    has(&out, "sotto_entities_found_total{label=\"PERSON\"} 9", "entities");
    has(&out, "sotto_entities_replaced_total{label=\"PERSON\"} 6", "and what became of them");
    has(&out, "sotto_stage_duration_seconds_bucket{stage=\"receive\",le=\"0.00005\"} 3", "stages");
    has(&out, "sotto_stage_duration_seconds_bucket{stage=\"own\",le=\"0.0001\"} 0", "not below");
    has(&out, "sotto_stage_duration_seconds_bucket{stage=\"own\",le=\"0.00025\"} 3", "from there");
    has(&out, "sotto_stage_duration_seconds_bucket{stage=\"own\",le=\"+Inf\"} 3", "to the end");
    has(&out, "sotto_stage_duration_seconds_sum{stage=\"total\"} 3.0009", "in seconds");
    has(&out, "sotto_stage_duration_seconds_count{stage=\"wait\"} 3", "all of them");
    has(&out, "gen_ai_client_token_usage_sum{" SERIES ",gen_ai_token_type=\"input\"} 200",
        "tokens that were counted");
    has(&out, "gen_ai_client_token_usage_count{" SERIES ",gen_ai_token_type=\"output\"} 2",
        "and no others");
    has(&out,
        "gen_ai_client_token_usage_bucket{" SERIES ",gen_ai_token_type=\"output\",le=\"4\"} 0",
        "below");
    has(&out,
        "gen_ai_client_token_usage_bucket{" SERIES ",gen_ai_token_type=\"output\",le=\"16\"} 2",
        "above");
    has(&out, "gen_ai_server_request_duration_seconds_count{" SERIES "} 3", "durations");
    has(&out, "gen_ai_server_time_to_first_token_seconds_sum{" SERIES "} 0.8", "the first token");
    has(&out, "gen_ai_server_time_per_output_token_seconds_sum{" SERIES "} 0.1",
        "half a second for the ten after it, twice");
    has(&out, "sotto_tokens_total{" SERIES ",gen_ai_token_type=\"input\",source=\"provider\"} 200",
        "tokens by who counted them");
    has(&out, "sotto_tokens_total{" SERIES ",gen_ai_token_type=\"output\",source=\"estimate\"} 11",
        "an estimate is marked");
    has(&out, "sotto_cost_total{" SERIES "} 7.500000003", "money");
    has(&out, "sotto_build_info{version=\"1.2.3\"} 1", "the version");
    has(&out, "sotto_ready 1", "ready");
    has(&out, "sotto_store_ready{store=\"valkey\"} 0", "a store that is away");
    lacks(&out, "postgres", "no word of one that there is not");
    has(&out, "sotto_config_reloads_total{result=\"refused\"} 1", "reloads");
    has(&out, "process_cpu_seconds_total 1.5", "CPU");
    has(&out, "process_resident_memory_bytes 12345678", "memory");
    sotto_buf_free(&out);
    sotto_metrics_free(two[0]);
    sotto_metrics_free(two[1]);
    sotto_metrics_free(NULL);
}

/* However many names come, the number of series stays below its bound. */
static void test_bound(void)
{
    struct sotto_metrics *m = NULL;
    struct sotto_buf out;
    sotto_buf_init(&out, SOTTO_BUF_UNBOUNDED);
    IS_INT(sotto_metrics_new(&m), SOTTO_OK, "a set");
    for (unsigned i = 0; i < SOTTO_METRICS_SERIES_MAX + 50; i++) {
        char name[24];
        struct sotto_record r = a_record();
        snprintf(name, sizeof(name), "model-%u", i);
        r.model = sotto_span_str(name);
        sotto_metrics_begin(m);
        sotto_metrics_end(m, &r);
    }
    IS_INT(sotto_metrics_print(&m, 1, &facts, &out), SOTTO_OK, "it is printed");
    OK(memmem(out.base, out.len, "\"model-999\"", 11) != NULL, "up to the bound names are told");
    lacks(&out, "\"model-1001\"", "and not beyond");
    has(&out,
        "gen_ai_server_request_duration_seconds_count{gen_ai_operation_name=\"chat\","
        "gen_ai_provider_name=\"other\",sotto_upstream=\"other\",gen_ai_request_model=\"other\"} "
        "50",
        "what came after is there, together");
    sotto_buf_free(&out);
    sotto_metrics_free(m);
}

static void test_nothing_and_faults(void)
{
    struct sotto_metrics *m = NULL;
    struct sotto_buf out;
    sotto_buf_init(&out, SOTTO_BUF_UNBOUNDED);
    IS_INT(sotto_metrics_new(&m), SOTTO_OK, "a set");
    struct sotto_record r = {.dialect = "none",
                             .status = 401,
                             .outcome = SOTTO_OUTCOME_REFUSED,
                             .prompt_tokens = -1,
                             .completion_tokens = -1};
    sotto_metrics_begin(m);
    sotto_metrics_end(m, &r);
    IS_INT(sotto_metrics_print(&m, 1, &facts, &out), SOTTO_OK, "a refused request");
    has(&out, "sotto_requests_total{dialect=\"none\",outcome=\"refused\",status=\"4xx\"} 1",
        "counts");
    lacks(&out, "gen_ai_client_token_usage_count", "and used no model");
    IS_SIZE(out.base[out.len - 1], '\n', "the text ends with its last line");
    size_t len = out.len;
    r = a_record();
    sotto_metrics_begin(m);
    sotto_metrics_end(m, &r);
    for (size_t fault = 1; fault <= 4; fault++) {
        sotto_alloc_set_fault(fault);
        enum sotto_err err = sotto_metrics_print(&m, 1, &facts, &out);
        sotto_alloc_set_fault(0);
        if (err != SOTTO_OK) {
            IS_SIZE(out.len, len, "allocation %zu fails: nothing is appended", fault);
        }
        sotto_buf_truncate(&out, len);
    }
    sotto_buf_free(&out);
    sotto_metrics_free(m);
}

int main(void)
{
    test_sums();
    test_bound();
    test_nothing_and_faults();
    return done_testing();
}
