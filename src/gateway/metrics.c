/* SPDX-License-Identifier: Apache-2.0 */

#include "base/alloc.h"
#include "gateway/metrics_set.h"

/* From 50 microseconds, which a small request takes, to a long answer. */
const struct metrics_scale metrics_stage_scale = {
    {50, 100, 250, 500, 1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000, 500000, 1000000,
     2500000, 10000000, 60000000, 300000000},
    18,
    true,
};

/* OpenTelemetry, "Semantic conventions for generative AI metrics": advised bucket boundaries. */
const struct metrics_scale metrics_token_scale = {
    {1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864},
    14,
    false,
};
const struct metrics_scale metrics_duration_scale = {
    {10000, 20000, 40000, 80000, 160000, 320000, 640000, 1280000, 2560000, 5120000, 10240000,
     20480000, 40960000, 81920000},
    14,
    true,
};
const struct metrics_scale metrics_first_scale = {
    {1000, 5000, 10000, 20000, 40000, 60000, 80000, 100000, 250000, 500000, 750000, 1000000,
     2500000, 5000000, 7500000, 10000000},
    16,
    true,
};
const struct metrics_scale metrics_per_token_scale = {
    {10000, 25000, 50000, 75000, 100000, 150000, 200000, 300000, 400000, 500000, 750000, 1000000,
     2500000},
    13,
    true,
};

enum sotto_err sotto_metrics_new(struct sotto_metrics **out)
{
    struct sotto_metrics *m = sotto_calloc(1, sizeof(*m));
    if (m == NULL) {
        return SOTTO_ENOMEM;
    }
    if (pthread_mutex_init(&m->lock, NULL) != 0) {
        sotto_free(m);
        return SOTTO_ENOMEM;
    }
    *out = m;
    return SOTTO_OK;
}

void sotto_metrics_free(struct sotto_metrics *m)
{
    if (m != NULL) {
        pthread_mutex_destroy(&m->lock);
        sotto_arena_free(&m->arena);
        sotto_free(m->series);
        sotto_free(m);
    }
}

/* --- counting ---------------------------------------------------------------------------------- */

static void observe(struct metrics_histogram *h, const struct metrics_scale *scale, int64_t value)
{
    uint64_t amount = value > 0 ? (uint64_t)value : 0;
    size_t i = 0;
    while (i < scale->count && amount > scale->bounds[i]) {
        i++;
    }
    h->buckets[i]++;
    h->count++;
    h->sum += amount;
}

static bool is_series(const struct metrics_series *s, const char *operation, sotto_span provider,
                      sotto_span upstream, sotto_span model)
{
    return strcmp(s->operation, operation) == 0 && sotto_span_eq(s->provider, provider) &&
           sotto_span_eq(s->upstream, upstream) && sotto_span_eq(s->model, model);
}

static struct metrics_series *find_series(const struct sotto_metrics *m, const char *operation,
                                          sotto_span provider, sotto_span upstream,
                                          sotto_span model)
{
    for (size_t i = 0; i < m->series_count; i++) {
        if (is_series(m->series[i], operation, provider, upstream, model)) {
            return m->series[i];
        }
    }
    return NULL;
}

static struct metrics_series *add_series(struct sotto_metrics *m, const char *operation,
                                         sotto_span provider, sotto_span upstream, sotto_span model)
{
    if (m->series_count == m->series_cap) {
        size_t cap = m->series_cap != 0 ? m->series_cap * 2 : 16;
        struct metrics_series **series =
            sotto_resize(m->series, cap * sizeof(struct metrics_series *));
        if (series == NULL) {
            return NULL;
        }
        m->series = series;
        m->series_cap = cap;
    }
    struct metrics_series *s = sotto_arena_calloc(&m->arena, 1, sizeof(*s));
    if (s == NULL || sotto_arena_copy(&m->arena, provider, &s->provider) != SOTTO_OK ||
        sotto_arena_copy(&m->arena, upstream, &s->upstream) != SOTTO_OK ||
        sotto_arena_copy(&m->arena, model, &s->model) != SOTTO_OK) {
        return NULL;
    }
    s->operation = operation;
    m->series[m->series_count++] = s;
    return s;
}

/* The series of these names, made where it is new; NULL: no memory. */
static struct metrics_series *take_series(struct sotto_metrics *m, const char *operation,
                                          sotto_span provider, sotto_span upstream,
                                          sotto_span model)
{
    struct metrics_series *s = find_series(m, operation, provider, upstream, model);
    if (s == NULL && m->series_count >= SOTTO_METRICS_SERIES_MAX) {
        provider = upstream = model = SOTTO_LIT("other");
        s = find_series(m, operation, provider, upstream, model);
    }
    return s != NULL ? s : add_series(m, operation, provider, upstream, model);
}

static size_t dialect_index(struct sotto_metrics *m, const char *name)
{
    size_t i = 0;
    while (i + 1 < METRICS_DIALECTS && m->dialects[i] != NULL &&
           strcmp(m->dialects[i], name) != 0) {
        i++;
    }
    m->dialects[i] = m->dialects[i] != NULL ? m->dialects[i] : name;
    return i;
}

static void count_code(struct sotto_metrics *m, const char *code, uint64_t count)
{
    for (size_t i = 0; i < SOTTO_METRICS_CODES_MAX; i++) {
        if (m->codes[i].code == NULL || strcmp(m->codes[i].code, code) == 0) {
            m->codes[i].code = code;
            m->codes[i].count += count;
            return;
        }
    }
}

static size_t class_of(int status)
{
    return status < 400 ? 0 : status < 500 ? 1 : 2;
}

/* Durations of the stages that the request went through. */
static void count_stages(struct sotto_metrics *m, const struct sotto_record *r)
{
    const struct {
        enum metrics_stage stage;
        int64_t from, to;
    } stages[] = {
        {METRICS_RECEIVE, r->first_byte_us, r->opened_us},
        {METRICS_PROTECT, r->opened_us, r->fetched_us},
        {METRICS_WAIT, r->fetched_us, r->answered_us},
        {METRICS_ANSWER, r->answered_us, r->done_us},
        {METRICS_TOTAL, r->first_byte_us, r->done_us},
    };
    for (size_t i = 0; i < SOTTO_COUNT(stages); i++) {
        if (stages[i].from != 0 && stages[i].to != 0) {
            observe(&m->stages[stages[i].stage], &metrics_stage_scale,
                    stages[i].to - stages[i].from);
        }
    }
    observe(&m->stages[METRICS_OWN], &metrics_stage_scale, r->own_us);
}

/* Of a request that went to a provider. */
static void count_use(struct metrics_series *s, const struct sotto_record *r)
{
    bool failed = r->outcome == SOTTO_OUTCOME_UPSTREAM || r->outcome == SOTTO_OUTCOME_FAILED;
    int64_t tokens[2] = {r->prompt_tokens, r->completion_tokens};
    observe(failed ? &s->failed : &s->good, &metrics_duration_scale, r->done_us - r->fetched_us);
    if (r->first_token_us != 0) {
        observe(&s->first, &metrics_first_scale, r->first_token_us - r->fetched_us);
        if (r->completion_tokens > 1 && r->last_token_us > r->first_token_us) {
            observe(&s->per_token, &metrics_per_token_scale,
                    (r->last_token_us - r->first_token_us) / (r->completion_tokens - 1));
        }
    }
    for (size_t i = 0; i < 2; i++) {
        uint64_t n = tokens[i] > 0 ? (uint64_t)tokens[i] : 0;
        if (tokens[i] >= 0 && r->estimated_tokens == 0) {
            observe(i == 0 ? &s->input : &s->output, &metrics_token_scale, tokens[i]);
            s->counted[i] += n;
        } else {
            s->estimated[i] += n;
        }
    }
    s->cost_nano += r->cost_nano > 0 ? (uint64_t)r->cost_nano : 0;
}

void sotto_metrics_begin(struct sotto_metrics *m)
{
    pthread_mutex_lock(&m->lock);
    m->begun++;
    pthread_mutex_unlock(&m->lock);
}

void sotto_metrics_end(struct sotto_metrics *m, const struct sotto_record *r)
{
    pthread_mutex_lock(&m->lock);
    m->ended++;
    m->requests[dialect_index(m, r->dialect)][r->outcome][class_of(r->status)]++;
    if (r->code != NULL) {
        count_code(m, r->code, 1);
    }
    for (size_t i = 0; i < SOTTO_LABEL_COUNT; i++) {
        m->found[i] += r->counts.found[i];
        m->replaced[i] += r->counts.replaced[i];
    }
    count_stages(m, r);
    if (r->operation != NULL && r->fetched_us != 0) {
        struct metrics_series *s = take_series(m, r->operation, r->provider, r->upstream, r->model);
        if (s != NULL) {
            count_use(s, r);
        }
    }
    pthread_mutex_unlock(&m->lock);
}

/* --- adding up --------------------------------------------------------------------------------- */

static void add_histogram(struct metrics_histogram *to, const struct metrics_histogram *from)
{
    for (size_t i = 0; i < SOTTO_COUNT(to->buckets); i++) {
        to->buckets[i] += from->buckets[i];
    }
    to->count += from->count;
    to->sum += from->sum;
}

static void add_one_series(struct metrics_series *to, const struct metrics_series *from)
{
    add_histogram(&to->input, &from->input);
    add_histogram(&to->output, &from->output);
    add_histogram(&to->good, &from->good);
    add_histogram(&to->failed, &from->failed);
    add_histogram(&to->first, &from->first);
    add_histogram(&to->per_token, &from->per_token);
    for (size_t i = 0; i < 2; i++) {
        to->counted[i] += from->counted[i];
        to->estimated[i] += from->estimated[i];
    }
    to->cost_nano += from->cost_nano;
}

static void add_requests(struct sotto_metrics *to, const struct sotto_metrics *from)
{
    for (size_t d = 0; d < METRICS_DIALECTS && from->dialects[d] != NULL; d++) {
        size_t at = dialect_index(to, from->dialects[d]);
        for (size_t o = 0; o < METRICS_OUTCOMES; o++) {
            for (size_t c = 0; c < METRICS_CLASSES; c++) {
                to->requests[at][o][c] += from->requests[d][o][c];
            }
        }
    }
}

void metrics_add(struct sotto_metrics *to, const struct sotto_metrics *from)
{
    to->begun += from->begun;
    to->ended += from->ended;
    add_requests(to, from);
    for (size_t i = 0; i < SOTTO_METRICS_CODES_MAX && from->codes[i].code != NULL; i++) {
        count_code(to, from->codes[i].code, from->codes[i].count);
    }
    for (size_t i = 0; i < SOTTO_LABEL_COUNT; i++) {
        to->found[i] += from->found[i];
        to->replaced[i] += from->replaced[i];
    }
    for (size_t i = 0; i < METRICS_STAGES; i++) {
        add_histogram(&to->stages[i], &from->stages[i]);
    }
    for (size_t i = 0; i < from->series_count; i++) {
        const struct metrics_series *s = from->series[i];
        struct metrics_series *mine =
            take_series(to, s->operation, s->provider, s->upstream, s->model);
        if (mine != NULL) {
            add_one_series(mine, s);
        }
    }
}
