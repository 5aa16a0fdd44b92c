/* SPDX-License-Identifier: Apache-2.0 */

#include "presidio/analyze.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "detect/custom.h"
#include "detect/window.h"
#include "presidio/adhoc.h"
#include "presidio/entity.h"
#include "text/utf8.h"

/* One result, as it is answered. */
struct analyze_hit {
    uint32_t start, end; /* bytes of the text */
    uint64_t start_char, end_char;
    uint16_t score;
    sotto_span entity;
    sotto_span recognizer;
};

struct analyze_hits {
    struct analyze_hit *items;
    size_t count, cap;
};

enum analyze_stage {
    ANALYZE_DETECT, /* the gateway's own detection */
    ANALYZE_ADHOC,  /* the request's recognizers, window by window */
    ANALYZE_WRITE,
};

struct presidio_analyze {
    const struct sotto_detector *detector;
    struct sotto_detect_job *job;
    sotto_span language;
    struct presidio_words wanted;    /* entity types; empty: all */
    struct presidio_words allow;     /* texts that are no results */
    struct sotto_customs *allow_any; /* the same as expressions; NULL: none */
    struct sotto_customs_scratch *allow_scratch;
    struct presidio_adhoc *adhoc; /* NULL: none */
    bool explain;
    uint16_t threshold;

    yyjson_mut_val *texts; /* a list, or one value */
    bool batch;
    size_t count, number; /* texts; the one at hand */
    enum analyze_stage stage;
    bool begun;
    struct sotto_buf context; /* the request's context words and ": " */
    struct sotto_buf text;    /* what is detected: context and text */
    sotto_span at_hand;       /* the text alone */
    size_t at;                /* of ANALYZE_ADHOC */
    struct sotto_findings found;
    struct analyze_hits hits;
};

/* --- reading ----------------------------------------------------------------------------------- */

static enum sotto_err no_recognizers(struct presidio_answer *answer)
{
    return presidio_refuse(answer, 500, "No matching recognizers were found to serve the request.");
}

static enum sotto_err read_words(yyjson_mut_val *list, struct presidio_words *out)
{
    enum sotto_err err = presidio_words_new(yyjson_mut_arr_size(list), out);
    size_t i, max;
    const yyjson_mut_val *word;
    yyjson_mut_arr_foreach(list, i, max, word)
    {
        if (err == SOTTO_OK && presidio_kind_of(word) == PRESIDIO_STR) {
            out->items[out->count++] = sotto_json_text(word);
        }
    }
    if (err == SOTTO_OK) {
        presidio_words_sort(out);
    }
    return err;
}

static enum sotto_err read_threshold(struct presidio_analyze *a, const yyjson_mut_val *val,
                                     struct presidio_answer *answer)
{
    double threshold = 0;
    if (presidio_kind_of(val) == PRESIDIO_NONE) {
        return SOTTO_OK;
    }
    if (sotto_json_double(val, &threshold) != SOTTO_OK && presidio_kind_of(val) != PRESIDIO_BOOL) {
        return presidio_refuse(answer, 400,
                               "Failed to parse /analyze request for AnalyzerEngine.analyze(). "
                               "score_threshold must be a number");
    }
    threshold = presidio_kind_of(val) == PRESIDIO_BOOL ? (double)presidio_int(val) : threshold;
    double scaled = threshold * SOTTO_SCORE_MAX;
    a->threshold = scaled <= 0                ? 0
                   : scaled > SOTTO_SCORE_MAX ? SOTTO_SCORE_MAX + 1
                                              : (uint16_t)(scaled + 0.999);
    return SOTTO_OK;
}

/* Expressions of which one must be found inside of a result that is allowed. */
static enum sotto_err read_allow_regex(struct presidio_analyze *a, yyjson_mut_val *root,
                                       struct presidio_answer *answer)
{
    const yyjson_mut_val *flags = sotto_json_get(root, "regex_flags");
    struct sotto_buf all;
    struct sotto_detect_custom item = {.name = SOTTO_LIT("allow_list"), .score = SOTTO_SCORE_MAX};
    char why[256] = "";
    size_t count = 0, i, max;
    const yyjson_mut_val *term;
    sotto_buf_init(&all, SOTTO_BUF_UNBOUNDED);
    enum sotto_err err = presidio_regex(SOTTO_LIT(""), flags, &all);
    yyjson_mut_arr_foreach(sotto_json_get(root, "allow_list"), i, max, term)
    {
        if (err == SOTTO_OK && presidio_kind_of(term) == PRESIDIO_STR && !presidio_is_falsy(term)) {
            err = count++ != 0 ? sotto_buf_push(&all, '|') : SOTTO_OK;
            if (err == SOTTO_OK) {
                err = sotto_buf_append(&all, sotto_json_text(term));
            }
        }
    }
    if (err == SOTTO_OK && count != 0) {
        item.pattern = sotto_buf_span(&all);
        err = sotto_customs_new(&item, 1, &a->allow_any, why);
        if (err == SOTTO_EINVAL) {
            err = presidio_refuse(answer, 500, "%s", why);
        } else if (err == SOTTO_OK) {
            err = sotto_customs_scratch_new(a->allow_any, &a->allow_scratch);
        }
    }
    sotto_buf_free(&all);
    return err;
}

static enum sotto_err read_allow(struct presidio_analyze *a, yyjson_mut_val *root,
                                 struct presidio_answer *answer)
{
    const yyjson_mut_val *match = sotto_json_get(root, "allow_list_match");
    yyjson_mut_val *list = sotto_json_get(root, "allow_list");
    if (presidio_is_falsy(list)) {
        return SOTTO_OK;
    }
    if (presidio_kind_of(list) != PRESIDIO_LIST) {
        return presidio_refuse(answer, 500, "allow_list must be an array");
    }
    if (match == NULL || sotto_json_is(match, "exact")) {
        return read_words(list, &a->allow);
    }
    if (sotto_json_is(match, "regex")) {
        return read_allow_regex(a, root, answer);
    }
    return presidio_refuse(answer, 500,
                           "allow_list_match must either be set to 'exact' or 'regex'.");
}

/* Words that stand before every text: detection takes them as it takes the name of a column. */
static enum sotto_err read_context(struct presidio_analyze *a, yyjson_mut_val *list)
{
    enum sotto_err err = SOTTO_OK;
    size_t i, max;
    const yyjson_mut_val *word;
    yyjson_mut_arr_foreach(list, i, max, word)
    {
        if (err == SOTTO_OK && presidio_kind_of(word) == PRESIDIO_STR) {
            err = sotto_buf_append(&a->context, sotto_json_text(word));
            if (err == SOTTO_OK) {
                err = sotto_buf_append(&a->context, SOTTO_LIT(": "));
            }
        }
    }
    return err;
}

static enum sotto_err read_entities(struct presidio_analyze *a, yyjson_mut_val *list,
                                    struct presidio_answer *answer)
{
    if (presidio_is_falsy(list)) {
        return SOTTO_OK;
    }
    if (presidio_kind_of(list) != PRESIDIO_LIST) {
        return no_recognizers(answer);
    }
    enum sotto_err err = read_words(list, &a->wanted);
    if (err == SOTTO_OK && !presidio_entity_any_known(a->detector, &a->wanted) &&
        (a->adhoc == NULL || !presidio_adhoc_serves(a->adhoc, &a->wanted))) {
        err = no_recognizers(answer);
    }
    return err;
}

/* One text: what is no string is analyzed as Python prints it. */
static bool is_text(const yyjson_mut_val *val)
{
    return presidio_is_falsy(val) ||
           (presidio_kind_of(val) != PRESIDIO_LIST && presidio_kind_of(val) != PRESIDIO_DICT);
}

static enum sotto_err read_texts(struct presidio_analyze *a, struct presidio_answer *answer)
{
    bool good = a->batch || is_text(a->texts);
    size_t i, max;
    const yyjson_mut_val *text;
    a->count = a->batch ? yyjson_mut_arr_size(a->texts) : 1;
    if (a->batch) {
        yyjson_mut_arr_foreach(a->texts, i, max, text)
        {
            good &= is_text(text);
        }
    }
    return good ? SOTTO_OK
                : presidio_refuse(answer, 500,
                                  "Analyzer.analyze_iterator only works on primitive types (int, "
                                  "float, bool, str). Lists of objects are not yet supported.");
}

static enum sotto_err read_request(struct presidio_analyze *a, yyjson_mut_val *root,
                                   struct presidio_answer *answer)
{
    if (presidio_kind_of(root) != PRESIDIO_DICT) {
        return presidio_refuse(answer, 500, "the request must be a JSON object");
    }
    const yyjson_mut_val *language = sotto_json_get(root, "language");
    a->texts = sotto_json_get(root, "text");
    a->batch = presidio_kind_of(a->texts) == PRESIDIO_LIST;
    a->language = presidio_kind_of(language) == PRESIDIO_STR ? sotto_json_text(language)
                                                             : sotto_span_init(NULL, 0);
    a->explain = !presidio_is_falsy(sotto_json_get(root, "return_decision_process"));

    enum sotto_err err = presidio_adhoc_new(sotto_json_get(root, "ad_hoc_recognizers"), a->language,
                                            &a->adhoc, answer);
    if (err == SOTTO_OK && presidio_is_falsy(a->texts)) {
        return presidio_refuse(answer, 500, "No text provided");
    }
    if (err == SOTTO_OK && presidio_is_falsy(language)) {
        return presidio_refuse(answer, 500, "No language provided");
    }
    if (err == SOTTO_OK && !presidio_language_known(a->language)) {
        return no_recognizers(answer);
    }
    if (err != SOTTO_OK || (err = read_texts(a, answer)) != SOTTO_OK ||
        (err = read_entities(a, sotto_json_get(root, "entities"), answer)) != SOTTO_OK ||
        (err = read_threshold(a, sotto_json_get(root, "score_threshold"), answer)) != SOTTO_OK ||
        (err = read_context(a, sotto_json_get(root, "context"))) != SOTTO_OK) {
        return err;
    }
    return read_allow(a, root, answer);
}

enum sotto_err presidio_analyze_new(yyjson_mut_val *root, const struct sotto_detector *detector,
                                    struct sotto_detect_job *job, struct presidio_analyze **out,
                                    struct presidio_answer *answer)
{
    struct presidio_analyze *a = sotto_calloc(1, sizeof(*a));
    if (a == NULL) {
        return SOTTO_ENOMEM;
    }
    a->detector = detector;
    a->job = job;
    sotto_buf_init(&a->context, SOTTO_BUF_UNBOUNDED);
    sotto_buf_init(&a->text, SOTTO_BUF_UNBOUNDED);
    enum sotto_err err = read_request(a, root, answer);
    if (err == SOTTO_OK && a->batch) {
        err = sotto_buf_push(&answer->body, '[');
    }
    if (err != SOTTO_OK) {
        presidio_analyze_free(a);
        return err;
    }
    *out = a;
    return SOTTO_OK;
}

void presidio_analyze_free(struct presidio_analyze *a)
{
    if (a == NULL) {
        return;
    }
    presidio_words_free(&a->wanted);
    presidio_words_free(&a->allow);
    sotto_customs_scratch_free(a->allow_scratch);
    sotto_customs_free(a->allow_any);
    presidio_adhoc_free(a->adhoc);
    sotto_buf_free(&a->context);
    sotto_buf_free(&a->text);
    sotto_findings_free(&a->found);
    sotto_free(a->hits.items);
    sotto_free(a);
}

/* --- results ----------------------------------------------------------------------------------- */

static enum sotto_err is_allowed(const struct presidio_analyze *a, sotto_span text, bool *allowed)
{
    struct sotto_findings seen = {0};
    *allowed = presidio_words_find(&a->allow, text) != NULL;
    if (*allowed || a->allow_any == NULL) {
        return SOTTO_OK;
    }
    enum sotto_err err =
        sotto_customs_scan(a->allow_any, a->allow_scratch, text, 0, text.len, &seen);
    *allowed = err == SOTTO_OK && seen.count != 0;
    sotto_findings_free(&seen);
    return err;
}

static enum sotto_err add_hit(struct presidio_analyze *a, struct analyze_hit hit)
{
    bool allowed;
    if (hit.entity.len == 0 || hit.score < a->threshold) {
        return SOTTO_OK;
    }
    enum sotto_err err = is_allowed(a, sotto_span_sub(a->at_hand, hit.start, hit.end), &allowed);
    if (err != SOTTO_OK || allowed) {
        return err;
    }
    if (a->hits.count == a->hits.cap) {
        size_t cap = a->hits.cap != 0 ? a->hits.cap * 2 : 16;
        struct analyze_hit *items = sotto_resize(a->hits.items, cap * sizeof(*items));
        if (items == NULL) {
            return SOTTO_ENOMEM;
        }
        a->hits.items = items;
        a->hits.cap = cap;
    }
    a->hits.items[a->hits.count++] = hit;
    return SOTTO_OK;
}

/* What detection found, without what it found in the context words. */
static enum sotto_err take_found(struct presidio_analyze *a)
{
    const struct sotto_findings *result = sotto_detect_result(a->job);
    size_t before = a->context.len;
    enum sotto_err err = SOTTO_OK;
    for (size_t i = 0; i < result->count && err == SOTTO_OK; i++) {
        const struct sotto_finding *f = &result->items[i];
        if (f->end > before) {
            err = add_hit(a, (struct analyze_hit){
                                 .start = f->start > before ? f->start - (uint32_t)before : 0,
                                 .end = f->end - (uint32_t)before,
                                 .score = f->score,
                                 .entity = presidio_entity(a->detector, f, a->language, &a->wanted),
                                 .recognizer = sotto_span_str(sotto_detect_rule(a->detector, f)),
                             });
        }
    }
    return err;
}

static enum sotto_err take_adhoc(struct presidio_analyze *a)
{
    enum sotto_err err = SOTTO_OK;
    for (size_t i = 0; i < a->found.count && err == SOTTO_OK; i++) {
        const struct sotto_finding *f = &a->found.items[i];
        sotto_span entity = presidio_adhoc_entity(a->adhoc, f);
        if (a->wanted.count == 0 || presidio_words_find(&a->wanted, entity) != NULL) {
            err = add_hit(a, (struct analyze_hit){.start = f->start,
                                                  .end = f->end,
                                                  .score = f->score,
                                                  .entity = entity,
                                                  .recognizer = presidio_adhoc_name(a->adhoc, f)});
        }
    }
    return err;
}

static int compare(uint64_t a, uint64_t b)
{
    return a < b ? -1 : a > b;
}

static int by_place(const void *va, const void *vb)
{
    const struct analyze_hit *a = va, *b = vb;
    int order = compare(a->start, b->start);
    order = order != 0 ? order : compare(a->end, b->end);
    return order != 0 ? order : compare(b->score, a->score);
}

/* Presidio's order: the surest first, then by place, then the longest. */
static int by_score(const void *va, const void *vb)
{
    const struct analyze_hit *a = va, *b = vb;
    int order = compare(b->score, a->score);
    order = order != 0 ? order : compare(a->start, b->start);
    return order != 0 ? order : compare(b->end, a->end);
}

/* Offsets in code points, no result twice, Presidio's order. */
static void settle(struct presidio_analyze *a)
{
    struct analyze_hits *hits = &a->hits;
    struct sotto_utf8_cursor cursor = {.text = a->at_hand};
    size_t kept = 0;
    if (hits->count != 0) {
        qsort(hits->items, hits->count, sizeof(*hits->items), by_place);
    }
    for (size_t i = 0; i < hits->count; i++) {
        struct analyze_hit hit = hits->items[i];
        const struct analyze_hit *last = kept != 0 ? &hits->items[kept - 1] : NULL;
        if (last != NULL && last->start == hit.start && last->end == hit.end &&
            sotto_span_eq(last->entity, hit.entity)) {
            continue;
        }
        hit.start_char = sotto_utf8_chars_at(&cursor, hit.start);
        hit.end_char =
            hit.start_char + sotto_utf8_count(sotto_span_sub(a->at_hand, hit.start, hit.end));
        hits->items[kept++] = hit;
    }
    hits->count = kept;
    if (kept != 0) {
        qsort(hits->items, kept, sizeof(*hits->items), by_score);
    }
}

/* --- writing ----------------------------------------------------------------------------------- */

static enum sotto_err write_score(uint16_t score, struct sotto_buf *out)
{
    if (score % 100 == 0) {
        return sotto_buf_printf(out, "%u.%u", score / 1000U, score % 1000U / 100);
    }
    return score % 10 == 0 ? sotto_buf_printf(out, "%u.%02u", score / 1000U, score % 1000U / 10)
                           : sotto_buf_printf(out, "%u.%03u", score / 1000U, score % 1000U);
}

static enum sotto_err write_explanation(const struct presidio_analyze *a,
                                        const struct analyze_hit *hit, struct sotto_buf *out)
{
    if (!a->explain) {
        return sotto_buf_append(out, SOTTO_LIT("null"));
    }
    enum sotto_err err = sotto_buf_append(out, SOTTO_LIT("{\"original_score\": "));
    if (err != SOTTO_OK || (err = write_score(hit->score, out)) != SOTTO_OK ||
        (err = sotto_buf_append(out, SOTTO_LIT(", \"pattern\": null, \"pattern_name\": null, "
                                               "\"recognizer\": "))) != SOTTO_OK ||
        (err = sotto_json_quote(hit->recognizer, true, out)) != SOTTO_OK ||
        (err = sotto_buf_append(out, SOTTO_LIT(", \"regex_flags\": null, \"score\": "))) !=
            SOTTO_OK ||
        (err = write_score(hit->score, out)) != SOTTO_OK) {
        return err;
    }
    return sotto_buf_append(out, SOTTO_LIT(", \"score_context_improvement\": 0, "
                                           "\"supportive_context_word\": \"\", "
                                           "\"textual_explanation\": null, "
                                           "\"validation_result\": null}"));
}

static enum sotto_err write_hit(const struct presidio_analyze *a, const struct analyze_hit *hit,
                                struct sotto_buf *out)
{
    enum sotto_err err = sotto_buf_append(out, SOTTO_LIT("{\"analysis_explanation\": "));
    if (err != SOTTO_OK || (err = write_explanation(a, hit, out)) != SOTTO_OK ||
        (err = sotto_buf_printf(out, ", \"end\": %llu, \"entity_type\": ",
                                (unsigned long long)hit->end_char)) != SOTTO_OK ||
        (err = sotto_json_quote(hit->entity, true, out)) != SOTTO_OK ||
        (err = sotto_buf_append(out, SOTTO_LIT(", \"score\": "))) != SOTTO_OK ||
        (err = write_score(hit->score, out)) != SOTTO_OK) {
        return err;
    }
    return sotto_buf_printf(out, ", \"start\": %llu}", (unsigned long long)hit->start_char);
}

/* The list of one text; the answer is complete with the last one. */
static enum sotto_err write_text(struct presidio_analyze *a, struct presidio_answer *answer)
{
    struct sotto_buf *out = &answer->body;
    bool last = a->number + 1 == a->count;
    enum sotto_err err = sotto_buf_push(out, '[');
    for (size_t i = 0; i < a->hits.count && err == SOTTO_OK; i++) {
        err = i != 0 ? sotto_buf_append(out, SOTTO_LIT(", ")) : SOTTO_OK;
        if (err == SOTTO_OK) {
            err = write_hit(a, &a->hits.items[i], out);
        }
    }
    if (err == SOTTO_OK) {
        err = sotto_buf_push(out, ']');
    }
    if (err == SOTTO_OK && a->batch) {
        err = sotto_buf_append(out, last ? SOTTO_LIT("]") : SOTTO_LIT(", "));
    }
    if (last) {
        answer->status = 200;
        answer->type = "application/json";
    }
    return err;
}

/* --- steps ------------------------------------------------------------------------------------- */

static enum sotto_err begin_text(struct presidio_analyze *a)
{
    const yyjson_mut_val *val = a->batch ? yyjson_mut_arr_get(a->texts, a->number) : a->texts;
    sotto_span text = presidio_str(val);
    a->at_hand = text;
    if (text.len > UINT32_MAX / 2) {
        return SOTTO_ELIMIT;
    }
    if (a->context.len != 0) {
        sotto_buf_truncate(&a->text, 0);
        enum sotto_err err = sotto_buf_append(&a->text, sotto_buf_span(&a->context));
        if (err == SOTTO_OK) {
            err = sotto_buf_append(&a->text, text);
        }
        if (err != SOTTO_OK) {
            return err;
        }
        text = sotto_buf_span(&a->text);
    }
    a->begun = true;
    a->at = 0;
    a->hits.count = 0;
    sotto_findings_clear(&a->found);
    sotto_detect_begin(a->job, text);
    sotto_detect_language(a->job, a->language);
    return SOTTO_OK;
}

static enum sotto_err detect(struct presidio_analyze *a, size_t *budget)
{
    bool done = false;
    enum sotto_err err = a->begun ? SOTTO_OK : begin_text(a);
    if (err == SOTTO_OK) {
        err = sotto_detect_step(a->job, *budget, &done);
    }
    *budget -= a->at_hand.len < *budget ? a->at_hand.len : *budget;
    if (err == SOTTO_OK && done) {
        err = take_found(a);
        a->begun = false;
        a->stage = ANALYZE_ADHOC;
    }
    return err;
}

static enum sotto_err scan_adhoc(struct presidio_analyze *a, size_t *budget)
{
    if (a->adhoc == NULL || a->at == a->at_hand.len) {
        a->stage = ANALYZE_WRITE;
        return a->adhoc != NULL ? take_adhoc(a) : SOTTO_OK;
    }
    size_t end = sotto_window_end(a->at_hand, a->at);
    enum sotto_err err = presidio_adhoc_scan(a->adhoc, a->at_hand, a->at, end, &a->found);
    *budget -= end - a->at < *budget ? end - a->at : *budget;
    a->at = end;
    return err;
}

static enum sotto_err step_stage(struct presidio_analyze *a, size_t *budget,
                                 struct presidio_answer *answer)
{
    enum sotto_err err = SOTTO_OK;
    switch (a->stage) {
    case ANALYZE_DETECT:
        return detect(a, budget);
    case ANALYZE_ADHOC:
        return scan_adhoc(a, budget);
    case ANALYZE_WRITE:
        settle(a);
        err = write_text(a, answer);
        a->number++;
        a->stage = ANALYZE_DETECT;
        break;
    }
    return err;
}

enum sotto_err presidio_analyze_step(struct presidio_analyze *a, size_t budget, bool *done,
                                     struct presidio_answer *answer)
{
    enum sotto_err err = SOTTO_OK;
    while (err == SOTTO_OK && a->number < a->count && budget != 0) {
        err = step_stage(a, &budget, answer);
        budget -= budget != 0; /* a text without bytes is work as well */
    }
    *done = err == SOTTO_OK && a->number == a->count;
    return err;
}
