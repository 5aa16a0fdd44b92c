/* SPDX-License-Identifier: Apache-2.0 */

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "config/config.h"
#include "gateway/metrics_set.h"

/* What writes: the first failure stays. */
struct print_run {
    struct sotto_buf *out;
    enum sotto_err err;
};

SOTTO_PRINTF(2, 3)
static void put(struct print_run *run, const char *fmt, ...)
{
    char line[800];
    va_list ap;
    va_start(ap, fmt);
    int len = vsnprintf(line, sizeof(line), fmt, ap);
    va_end(ap);
    if (run->err == SOTTO_OK) {
        run->err = len >= 0 && (size_t)len < sizeof(line)
                       ? sotto_buf_append(run->out, sotto_span_init(line, (size_t)len))
                       : SOTTO_ELIMIT;
    }
}

static void put_family(struct print_run *run, const char *name, const char *type, const char *help)
{
    put(run, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* Room for a label's value: a name of the configuration, escaped. */
#define PRINT_LABEL_BYTES 420

/* Backslash, quote and line break are escaped; names of models may be any text. */
static const char *label_text(sotto_span name, char out[PRINT_LABEL_BYTES])
{
    size_t len = 0;
    for (size_t i = 0; i < name.len && len + 3 < PRINT_LABEL_BYTES; i++) {
        char c = (char)name.base[i];
        if (c == '\\' || c == '"' || c == '\n') {
            out[len++] = '\\';
        }
        out[len++] = c == '\n' ? 'n' : c;
    }
    out[len] = '\0';
    return out;
}

/* Seconds of microseconds, without trailing zeros. */
static void seconds_text(uint64_t us, char out[32])
{
    int len = snprintf(out, 32, "%" PRIu64 ".%06" PRIu64, us / 1000000, us % 1000000);
    while (out[len - 1] == '0') {
        out[--len] = '\0';
    }
    if (out[len - 1] == '.') {
        out[len - 1] = '\0';
    }
}

static void amount_text(const struct metrics_scale *scale, uint64_t amount, char out[32])
{
    if (scale->seconds) {
        seconds_text(amount, out);
    } else {
        snprintf(out, 32, "%" PRIu64, amount);
    }
}

/* @param labels  "a=\"b\"", never empty */
static void put_histogram(struct print_run *run, const char *name, const char *labels,
                          const struct metrics_histogram *h, const struct metrics_scale *scale)
{
    char text[32];
    uint64_t sum = 0;
    if (h->count == 0) {
        return;
    }
    for (size_t i = 0; i < scale->count; i++) {
        sum += h->buckets[i];
        amount_text(scale, scale->bounds[i], text);
        put(run, "%s_bucket{", name);
        put(run, "%s", labels);
        put(run, ",le=\"%s\"} %" PRIu64 "\n", text, sum);
    }
    put(run, "%s_bucket{", name);
    put(run, "%s", labels);
    put(run, ",le=\"+Inf\"} %" PRIu64 "\n", h->count);
    amount_text(scale, h->sum, text);
    put(run, "%s_sum{", name);
    put(run, "%s", labels);
    put(run, "} %s\n", text);
    put(run, "%s_count{", name);
    put(run, "%s", labels);
    put(run, "} %" PRIu64 "\n", h->count);
}

/* --- what concerns models ---------------------------------------------------------------------- */

/* Room for the labels of a series. */
#define PRINT_LABELS_BYTES 780

/* Kinds of providers and names of upstreams have an alphabet that needs no escaping. */
static const char *series_labels(const struct metrics_series *s, const char *more,
                                 char out[PRINT_LABELS_BYTES])
{
    char model[PRINT_LABEL_BYTES];
    snprintf(out, PRINT_LABELS_BYTES,
             "gen_ai_operation_name=\"%s\",gen_ai_provider_name=\"%.*s\",sotto_upstream=\"%.*s\","
             "gen_ai_request_model=\"%s\"%s",
             s->operation, SOTTO_FMT(s->provider), SOTTO_FMT(s->upstream),
             label_text(s->model, model), more);
    return out;
}

/* One histogram of every series. */
struct print_column {
    const char *name;
    const char *help;
    const char *more; /* labels beyond those of the series */
    size_t offset;    /* in struct metrics_series */
    const struct metrics_scale *scale;
};

#define COLUMN(member) offsetof(struct metrics_series, member)

static const struct print_column columns[] = {
    {"gen_ai_client_token_usage", "Tokens of a request, as the provider counted them.",
     ",gen_ai_token_type=\"input\"", COLUMN(input), &metrics_token_scale},
    {"gen_ai_client_token_usage", NULL, ",gen_ai_token_type=\"output\"", COLUMN(output),
     &metrics_token_scale},
    {"gen_ai_server_request_duration_seconds", "From sending a request to the end of its answer.",
     "", COLUMN(good), &metrics_duration_scale},
    {"gen_ai_server_request_duration_seconds", NULL, ",error_type=\"upstream_failed\"",
     COLUMN(failed), &metrics_duration_scale},
    {"gen_ai_server_time_to_first_token_seconds", "From sending a request to its first token.", "",
     COLUMN(first), &metrics_first_scale},
    {"gen_ai_server_time_per_output_token_seconds", "For each token after the first.", "",
     COLUMN(per_token), &metrics_per_token_scale},
};

static void put_columns(struct print_run *run, const struct sotto_metrics *m)
{
    char labels[PRINT_LABELS_BYTES];
    for (size_t c = 0; c < SOTTO_COUNT(columns); c++) {
        const struct print_column *column = &columns[c];
        if (column->help != NULL) {
            put_family(run, column->name, "histogram", column->help);
        }
        for (size_t i = 0; i < m->series_count; i++) {
            const char *series = (const char *)m->series[i];
            put_histogram(run, column->name, series_labels(m->series[i], column->more, labels),
                          (const struct metrics_histogram *)(const void *)(series + column->offset),
                          column->scale);
        }
    }
}

static void put_use(struct print_run *run, const struct sotto_metrics *m)
{
    static const char *const types[] = {"input", "output"};
    char labels[PRINT_LABELS_BYTES];
    put_family(
        run, "sotto_tokens_total", "counter",
        "Tokens used, by who counted them: the provider, or nobody, then it is an estimate.");
    for (size_t i = 0; i < m->series_count; i++) {
        const struct metrics_series *s = m->series[i];
        for (size_t t = 0; t < 2; t++) {
            series_labels(s, "", labels);
            put(run, "sotto_tokens_total{%s", labels);
            put(run, ",gen_ai_token_type=\"%s\",source=\"provider\"} %" PRIu64 "\n", types[t],
                s->counted[t]);
            put(run, "sotto_tokens_total{%s", labels);
            put(run, ",gen_ai_token_type=\"%s\",source=\"estimate\"} %" PRIu64 "\n", types[t],
                s->estimated[t]);
        }
    }
    put_family(run, "sotto_cost_total", "counter",
               "Cost by the prices of the configuration, in their currency.");
    for (size_t i = 0; i < m->series_count; i++) {
        uint64_t cost = m->series[i]->cost_nano;
        put(run, "sotto_cost_total{%s", series_labels(m->series[i], "", labels));
        put(run, "} %" PRIu64 ".%09" PRIu64 "\n", cost / SOTTO_CONFIG_NANO,
            cost % SOTTO_CONFIG_NANO);
    }
}

/* --- what concerns the gateway ----------------------------------------------------------------- */

static void put_requests(struct print_run *run, const struct sotto_metrics *m)
{
    static const char *const outcomes[METRICS_OUTCOMES] = {
        [SOTTO_OUTCOME_ANSWERED] = "answered",
        [SOTTO_OUTCOME_REFUSED] = "refused",
        [SOTTO_OUTCOME_UPSTREAM] = "upstream_failed",
        [SOTTO_OUTCOME_GONE] = "client_gone",
        [SOTTO_OUTCOME_FAILED] = "failed",
    };
    static const char *const classes[METRICS_CLASSES] = {"2xx", "4xx", "5xx"};
    put_family(run, "sotto_requests_total", "counter", "Requests that have ended.");
    for (size_t d = 0; d < METRICS_DIALECTS && m->dialects[d] != NULL; d++) {
        for (size_t o = 0; o < METRICS_OUTCOMES; o++) {
            for (size_t c = 0; c < METRICS_CLASSES; c++) {
                if (m->requests[d][o][c] != 0) {
                    put(run,
                        "sotto_requests_total{dialect=\"%s\",outcome=\"%s\",status=\"%s\"} %" PRIu64
                        "\n",
                        m->dialects[d], outcomes[o], classes[c], m->requests[d][o][c]);
                }
            }
        }
    }
    put_family(run, "sotto_requests_in_flight", "gauge", "Requests that have not ended.");
    put(run, "sotto_requests_in_flight %" PRIu64 "\n", m->begun - m->ended);
    put_family(run, "sotto_refusals_total", "counter", "Errors that clients got, by their code.");
    for (size_t i = 0; i < SOTTO_METRICS_CODES_MAX && m->codes[i].code != NULL; i++) {
        put(run, "sotto_refusals_total{code=\"%s\"} %" PRIu64 "\n", m->codes[i].code,
            m->codes[i].count);
    }
}

static void put_entities(struct print_run *run, const struct sotto_metrics *m)
{
    put_family(run, "sotto_entities_found_total", "counter", "Personal data found in requests.");
    for (unsigned i = 0; i < SOTTO_LABEL_COUNT; i++) {
        put(run, "sotto_entities_found_total{label=\"%s\"} %" PRIu64 "\n",
            sotto_label_name((enum sotto_label)i), m->found[i]);
    }
    put_family(run, "sotto_entities_replaced_total", "counter",
               "Personal data that did not go to a provider.");
    for (unsigned i = 0; i < SOTTO_LABEL_COUNT; i++) {
        put(run, "sotto_entities_replaced_total{label=\"%s\"} %" PRIu64 "\n",
            sotto_label_name((enum sotto_label)i), m->replaced[i]);
    }
}

static void put_stages(struct print_run *run, const struct sotto_metrics *m)
{
    static const char *const stages[METRICS_STAGES] = {
        [METRICS_RECEIVE] = "stage=\"receive\"", [METRICS_PROTECT] = "stage=\"protect\"",
        [METRICS_WAIT] = "stage=\"wait\"",       [METRICS_ANSWER] = "stage=\"answer\"",
        [METRICS_OWN] = "stage=\"own\"",         [METRICS_TOTAL] = "stage=\"total\"",
    };
    put_family(run, "sotto_stage_duration_seconds", "histogram",
               "What a request spends its time on; own is the gateway's share of all of it.");
    for (size_t i = 0; i < METRICS_STAGES; i++) {
        put_histogram(run, "sotto_stage_duration_seconds", stages[i], &m->stages[i],
                      &metrics_stage_scale);
    }
}

static void put_number(struct print_run *run, const char *name, const char *type, const char *help,
                       uint64_t number)
{
    put_family(run, name, type, help);
    put(run, "%s %" PRIu64 "\n", name, number);
}

static void put_store(struct print_run *run, const struct sotto_metrics_store *store)
{
    if (store->name != NULL) {
        put(run, "sotto_store_ready{store=\"%s\"} %d\n", store->name, store->ready ? 1 : 0);
    }
}

static void put_facts(struct print_run *run, const struct sotto_metrics_facts *f)
{
    char text[32];
    put_family(run, "sotto_build_info", "gauge", "The version that runs.");
    put(run, "sotto_build_info{version=\"%s\"} 1\n", f->version);
    put_number(run, "sotto_ready", "gauge", "Whether requests are served.", f->ready ? 1 : 0);
    put_family(run, "sotto_store_ready", "gauge",
               "Whether requests that need this store of a fleet are served.");
    put_store(run, &f->keys_store);
    put_store(run, &f->limits_store);
    put_number(run, "sotto_keys", "gauge", "API keys, with those that were revoked.", f->keys);
    put_family(run, "sotto_config_reloads_total", "counter",
               "Times the configuration was read anew.");
    put(run, "sotto_config_reloads_total{result=\"taken\"} %" PRIu64 "\n", f->reloads);
    put(run, "sotto_config_reloads_total{result=\"refused\"} %" PRIu64 "\n", f->refused);
    put_number(run, "sotto_use_save_failures_total", "counter",
               "Times that use could not be written to the store.", f->unsaved);
    put_number(run, "process_start_time_seconds", "gauge", "Start of the process.",
               (uint64_t)f->started_s);
    put_family(run, "process_cpu_seconds_total", "counter", "CPU time of the process.");
    seconds_text((uint64_t)f->cpu_us, text);
    put(run, "process_cpu_seconds_total %s\n", text);
    put_number(run, "process_resident_memory_bytes", "gauge", "Resident memory.",
               (uint64_t)f->memory_bytes);
    put_number(run, "process_open_fds", "gauge", "Open descriptors.", (uint64_t)f->descriptors);
}

enum sotto_err sotto_metrics_print(struct sotto_metrics *const *all, size_t count,
                                   const struct sotto_metrics_facts *facts, struct sotto_buf *out)
{
    size_t mark = out->len;
    struct sotto_metrics *sum = NULL;
    struct print_run run = {out, sotto_metrics_new(&sum)};
    if (run.err != SOTTO_OK) {
        return run.err;
    }
    for (size_t i = 0; i < count; i++) {
        pthread_mutex_lock(&all[i]->lock);
        metrics_add(sum, all[i]);
        pthread_mutex_unlock(&all[i]->lock);
    }
    put_requests(&run, sum);
    put_entities(&run, sum);
    put_stages(&run, sum);
    put_columns(&run, sum);
    put_use(&run, sum);
    put_facts(&run, facts);
    sotto_metrics_free(sum);
    if (run.err != SOTTO_OK) {
        sotto_buf_truncate(out, mark);
    }
    return run.err;
}
