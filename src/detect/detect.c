/* SPDX-License-Identifier: Apache-2.0 */

#include "detect/detect.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "detect/ages.h"
#include "detect/agree.h"
#include "detect/custom.h"
#include "detect/finer.h"
#include "detect/merge.h"
#include "detect/names/names.h"
#include "detect/ner/tagger.h"
#include "detect/pattern/pattern.h"
#include "detect/phrase.h"
#include "detect/rule.h"
#include "detect/whole.h"
#include "detect/window.h"
#include "text/utf8.h"

/* Scores from which a finding counts, chosen on labelled texts: see docs/detection.md. */
static const uint16_t detect_thresholds[SOTTO_LABEL_COUNT] = {
    [SOTTO_LABEL_PERSON] = 500,     [SOTTO_LABEL_LOCATION] = 500, [SOTTO_LABEL_ADDRESS] = 500,
    [SOTTO_LABEL_ORG] = 500,        [SOTTO_LABEL_DATE] = 500,     [SOTTO_LABEL_AGE] = 500,
    [SOTTO_LABEL_OCCUPATION] = 500, [SOTTO_LABEL_NRP] = 500,      [SOTTO_LABEL_PHONE] = 500,
    [SOTTO_LABEL_EMAIL] = 500,      [SOTTO_LABEL_URL] = 500,      [SOTTO_LABEL_ID] = 500,
    [SOTTO_LABEL_SECRET] = 500,
};

/* The neural layer costs so many times more a byte than all others: budgets shrink for it. */
#define DETECT_TAGGER_COST 8

const char *const sotto_detect_taggers[] = {
    [SOTTO_DETECT_SMALL] = "small", [SOTTO_DETECT_CASCADE] = "cascade",
    [SOTTO_DETECT_LARGE] = "large", [SOTTO_DETECT_NONE] = "none",
    [SOTTO_DETECT_NONE + 1] = NULL,
};

struct sotto_detector {
    struct sotto_patterns *patterns;
    struct sotto_tagger *tagger;   /* NULL: off */
    struct sotto_customs *customs; /* NULL: none */
    struct sotto_phrases *allow;
    struct sotto_phrases *deny; /* ids are labels */
    uint16_t threshold[SOTTO_LABEL_COUNT];
    bool names_off;
};

/*
 * The tagger goes first over the whole text, in steps of its own; what it found joins the findings
 * of the other layers window by window.
 *
 * Findings wait in `pending`, sorted by start, until no later one can overlap them: that is when
 * the text has been scanned beyond the end of their cluster.  Then they are merged into `result`.
 */
struct sotto_detect_job {
    const struct sotto_detector *detector;
    struct sotto_patterns_scratch *patterns;
    struct sotto_customs_scratch *customs;
    struct sotto_names *names;
    struct sotto_tag_job *tag;
    bool tag_done;
    struct sotto_findings tagged;
    size_t taken; /* findings of `tagged` that have joined */
    sotto_span text;
    size_t at;    /* the text before this is scanned */
    size_t spent; /* by the last step */
    bool whole;   /* the result is finished */
    struct sotto_findings pending;
    size_t looked_at;              /* pending findings that are part of `reach` */
    size_t reach;                  /* greatest end among these */
    size_t final_count;            /* pending findings that nothing later can overlap */
    struct sotto_findings cluster; /* being merged */
    struct sotto_findings result;
};

/* What a deny list says, as the phrase matcher's context. */
struct detect_deny {
    struct sotto_findings *out;
    size_t window_start;
};

/* What an allow list is asked. */
struct detect_cover {
    size_t start, end;
    bool covered;
};

static enum sotto_err add_words(struct sotto_phrases *phrases,
                                const struct sotto_detect_word *words, size_t count,
                                const char *list, char why[256])
{
    enum sotto_err err = SOTTO_OK;
    for (size_t i = 0; i < count && err == SOTTO_OK; i++) {
        err = sotto_phrases_add(phrases, words[i].text, (uint32_t)words[i].label);
        if (err == SOTTO_EINVAL && why != NULL) {
            snprintf(why, 256, "%s list, entry %zu: has no letter or digit, or is too long", list,
                     i + 1);
        }
    }
    return err;
}

static enum sotto_err open_tagger(struct sotto_detector *d,
                                  const struct sotto_detector_options *options)
{
    static const enum sotto_tagger_kind kinds[] = {
        [SOTTO_DETECT_SMALL] = SOTTO_TAGGER_SMALL,
        [SOTTO_DETECT_CASCADE] = SOTTO_TAGGER_CASCADE,
        [SOTTO_DETECT_LARGE] = SOTTO_TAGGER_LARGE,
    };
    unsigned tagger = options == NULL ? SOTTO_DETECT_SMALL : options->tagger;
    return tagger == SOTTO_DETECT_NONE ? SOTTO_OK : sotto_tagger_new(kinds[tagger], &d->tagger);
}

static enum sotto_err fill(struct sotto_detector *d, const struct sotto_detector_options *options,
                           char why[256])
{
    enum sotto_err err;
    if ((err = sotto_patterns_new(&d->patterns)) != SOTTO_OK ||
        (err = sotto_phrases_new(&d->allow)) != SOTTO_OK ||
        (err = sotto_phrases_new(&d->deny)) != SOTTO_OK) {
        return err;
    }
    for (size_t i = 0; i < SOTTO_LABEL_COUNT; i++) {
        uint16_t wanted = options != NULL ? options->threshold[i] : 0;
        d->threshold[i] = wanted != 0 ? wanted : detect_thresholds[i];
    }
    if ((err = open_tagger(d, options)) != SOTTO_OK) {
        return err;
    }
    if (options == NULL) {
        return SOTTO_OK;
    }
    d->names_off = options->names_off;
    if ((err = add_words(d->allow, options->allow, options->allow_count, "allow", why)) !=
            SOTTO_OK ||
        (err = add_words(d->deny, options->deny, options->deny_count, "deny", why)) != SOTTO_OK) {
        return err;
    }
    return options->custom_count == 0
               ? SOTTO_OK
               : sotto_customs_new(options->custom, options->custom_count, &d->customs, why);
}

enum sotto_err sotto_detector_new(const struct sotto_detector_options *options,
                                  struct sotto_detector **out, char why[256])
{
    struct sotto_detector *detector = sotto_calloc(1, sizeof(*detector));
    if (detector == NULL) {
        return SOTTO_ENOMEM;
    }
    enum sotto_err err = fill(detector, options, why);
    if (err != SOTTO_OK) {
        sotto_detector_free(detector);
        return err;
    }
    *out = detector;
    return SOTTO_OK;
}

void sotto_detector_free(struct sotto_detector *detector)
{
    if (detector != NULL) {
        sotto_patterns_free(detector->patterns);
        sotto_tagger_free(detector->tagger);
        sotto_customs_free(detector->customs);
        sotto_phrases_free(detector->allow);
        sotto_phrases_free(detector->deny);
        sotto_free(detector);
    }
}

enum sotto_err sotto_detect_job_new(const struct sotto_detector *detector,
                                    struct sotto_detect_job **out)
{
    struct sotto_detect_job *job = sotto_calloc(1, sizeof(*job));
    if (job == NULL) {
        return SOTTO_ENOMEM;
    }
    job->detector = detector;
    enum sotto_err err = sotto_patterns_scratch_new(&job->patterns);
    if (err == SOTTO_OK && detector->customs != NULL) {
        err = sotto_customs_scratch_new(detector->customs, &job->customs);
    }
    if (err == SOTTO_OK && !detector->names_off) {
        err = sotto_names_new(&job->names);
    }
    if (err == SOTTO_OK && detector->tagger != NULL) {
        err = sotto_tag_job_new(detector->tagger, &job->tag);
    }
    if (err != SOTTO_OK) {
        sotto_detect_job_free(job);
        return err;
    }
    *out = job;
    return SOTTO_OK;
}

void sotto_detect_job_free(struct sotto_detect_job *job)
{
    if (job != NULL) {
        sotto_patterns_scratch_free(job->patterns);
        sotto_customs_scratch_free(job->customs);
        sotto_names_free(job->names);
        sotto_tag_job_free(job->tag);
        sotto_findings_free(&job->tagged);
        sotto_findings_free(&job->pending);
        sotto_findings_free(&job->cluster);
        sotto_findings_free(&job->result);
        sotto_free(job);
    }
}

void sotto_detect_begin(struct sotto_detect_job *job, sotto_span text)
{
    job->text = text;
    job->at = 0;
    job->spent = 0;
    job->whole = false;
    job->looked_at = 0;
    job->reach = 0;
    job->final_count = 0;
    sotto_findings_clear(&job->pending);
    sotto_findings_clear(&job->result);
    if (job->names != NULL) {
        sotto_names_begin(job->names);
    }
    sotto_findings_clear(&job->tagged);
    job->taken = 0;
    job->tag_done = job->tag == NULL || text.len == 0;
    if (job->tag != NULL) {
        sotto_tag_begin(job->tag, text);
    }
}

void sotto_detect_forget(struct sotto_detect_job *job)
{
    sotto_detect_begin(job, sotto_span_init(NULL, 0));
    if (job->tag != NULL) {
        sotto_tag_forget(job->tag);
    }
}

void sotto_detect_language(struct sotto_detect_job *job, sotto_span code)
{
    if (job->names != NULL) {
        sotto_names_language(job->names, code);
    }
}

static enum sotto_err deny_seen(void *ctx, size_t start, size_t end, uint32_t id)
{
    const struct detect_deny *deny = ctx;
    if (start < deny->window_start) {
        start = deny->window_start;
    }
    return sotto_findings_add(deny->out, (struct sotto_finding){.start = (uint32_t)start,
                                                                .end = (uint32_t)end,
                                                                .score = SOTTO_SCORE_MAX,
                                                                .rule = SOTTO_RULE_DENY_LIST,
                                                                .label = (uint8_t)id,
                                                                .layer = SOTTO_LAYER_LIST});
}

/* Takes over what the tagger found in a window. */
static enum sotto_err take_tagged(struct sotto_detect_job *job, size_t end)
{
    enum sotto_err err = SOTTO_OK;
    while (err == SOTTO_OK && job->taken < job->tagged.count &&
           job->tagged.items[job->taken].start < end) {
        err = sotto_findings_add(&job->pending, job->tagged.items[job->taken++]);
    }
    return err;
}

/* All layers over one window. */
static enum sotto_err scan_window(struct sotto_detect_job *job, size_t start, size_t end)
{
    const struct sotto_detector *d = job->detector;
    enum sotto_err err =
        sotto_patterns_scan(d->patterns, job->patterns, job->text, start, end, &job->pending);
    if (err == SOTTO_OK && job->names != NULL) {
        err = sotto_names_scan(job->names, job->text, start, end, &job->pending);
    }
    if (err == SOTTO_OK && job->customs != NULL) {
        err = sotto_customs_scan(d->customs, job->customs, job->text, start, end, &job->pending);
    }
    if (err == SOTTO_OK && !sotto_phrases_empty(d->deny)) {
        struct detect_deny deny = {.out = &job->pending, .window_start = start};
        err = sotto_phrases_scan(d->deny, job->text, start, end, deny_seen, &deny);
    }
    return err == SOTTO_OK ? take_tagged(job, end) : err;
}

static enum sotto_err allow_seen(void *ctx, size_t start, size_t end, uint32_t id)
{
    struct detect_cover *cover = ctx;
    (void)id;
    cover->covered |= start <= cover->start && end >= cover->end;
    return SOTTO_OK;
}

static bool is_allowed(const struct sotto_detect_job *job, const struct sotto_finding *f)
{
    if (sotto_phrases_empty(job->detector->allow)) {
        return false;
    }
    struct detect_cover cover = {.start = f->start, .end = f->end};
    size_t reach = sotto_phrases_reach(job->detector->allow);
    size_t from = f->start > reach ? f->start - reach : 0;
    while (!sotto_utf8_boundary(job->text, from)) {
        from--;
    }
    return sotto_phrases_scan(job->detector->allow, job->text, from, f->end, allow_seen, &cover) ==
               SOTTO_OK &&
           cover.covered;
}

/* Drops of the findings of `list` from `fresh` on what is too weak or allowed. */
static void filter(const struct sotto_detect_job *job, struct sotto_findings *list, size_t fresh)
{
    size_t kept = fresh;
    for (size_t i = fresh; i < list->count; i++) {
        const struct sotto_finding *f = &list->items[i];
        bool listed = f->layer == SOTTO_LAYER_LIST;
        bool hint = f->rule == SOTTO_RULE_TAGGER_HINT;
        bool counts = listed || f->score >= job->detector->threshold[f->label];
        bool denied = f->rule == SOTTO_RULE_DENY_LIST;
        if (counts && !hint && (denied || !is_allowed(job, f))) {
            list->items[kept++] = *f;
        }
    }
    list->count = kept;
}

static int by_start(const void *va, const void *vb)
{
    const struct sotto_finding *a = va, *b = vb;
    return a->start < b->start ? -1 : a->start > b->start;
}

/* Sorts the findings of `list` from `from` on. */
static void sort(struct sotto_findings *list, size_t from)
{
    if (list->count > from) {
        qsort(list->items + from, list->count - from, sizeof(*list->items), by_start);
    }
}

/* Notes how many of the pending findings nothing later can touch: later ones begin at job->at. */
static void find_final(struct sotto_detect_job *job)
{
    const struct sotto_findings *list = &job->pending;
    for (; job->looked_at < list->count; job->looked_at++) {
        const struct sotto_finding *f = &list->items[job->looked_at];
        if (job->looked_at != 0 && f->start > job->reach) {
            job->final_count = job->looked_at;
        }
        job->reach = f->end > job->reach ? f->end : job->reach;
    }
    if (job->reach < job->at || job->at == job->text.len) {
        job->final_count = list->count;
    }
}

/* Merges the final ones into the result and takes them off the pending. */
static enum sotto_err settle(struct sotto_detect_job *job)
{
    enum sotto_err err = SOTTO_OK;
    size_t n = job->final_count;
    if (n == 0) {
        return SOTTO_OK;
    }
    sotto_findings_clear(&job->cluster);
    for (size_t i = 0; i < n && err == SOTTO_OK; i++) {
        err = sotto_findings_add(&job->cluster, job->pending.items[i]);
    }
    if (err == SOTTO_OK) {
        err = sotto_merge(job->text, &job->cluster);
    }
    for (size_t i = 0; i < job->cluster.count && err == SOTTO_OK; i++) {
        err = sotto_findings_add(&job->result, job->cluster.items[i]);
    }
    job->pending.count -= n;
    memmove(job->pending.items, job->pending.items + n,
            job->pending.count * sizeof(*job->pending.items));
    job->looked_at -= n;
    job->final_count = 0;
    return err;
}

/* What needs the names of the whole text. */
static enum sotto_err finish(struct sotto_detect_job *job)
{
    struct sotto_findings *list = &job->result;
    sotto_whole_names(job->text, list);
    size_t count = list->count;
    enum sotto_err err = sotto_ages_behind_names(job->text, list);
    filter(job, list, count);
    if (list->count > count) {
        sort(list, 0);
    }
    return err;
}

enum sotto_err sotto_detect_step(struct sotto_detect_job *job, size_t budget, bool *done)
{
    enum sotto_err err = SOTTO_OK;
    *done = false;
    job->spent = 0;
    if (!job->tag_done) {
        size_t share = budget == SIZE_MAX ? budget : budget / DETECT_TAGGER_COST + 1;
        err = sotto_tag_step(job->tag, share, &job->tagged, &job->tag_done);
        job->spent = sotto_tag_spent(job->tag) * DETECT_TAGGER_COST;
    }
    while (job->tag_done && job->at < job->text.len && job->spent < budget && err == SOTTO_OK) {
        size_t start = job->at, fresh = job->pending.count;
        size_t end = sotto_window_end(job->text, start);
        err = scan_window(job, start, end);
        if (err != SOTTO_OK) {
            return err;
        }
        sort(&job->pending, fresh);
        if (job->tag != NULL && job->names != NULL) {
            sotto_agree(job->text, job->names, &job->pending, fresh);
        }
        filter(job, &job->pending, fresh);
        job->at = end;
        find_final(job);
        err = settle(job);
        job->spent += end - start;
    }
    *done = job->tag_done && job->at >= job->text.len;
    if (*done && err == SOTTO_OK && !job->whole) {
        err = finish(job);
        job->whole = err == SOTTO_OK;
    }
    return err;
}

size_t sotto_detect_spent(const struct sotto_detect_job *job)
{
    return job->spent;
}

const struct sotto_findings *sotto_detect_result(const struct sotto_detect_job *job)
{
    return &job->result;
}

const char *sotto_detect_finer(const struct sotto_detector *detector,
                               const struct sotto_finding *finding)
{
    if (finding->finer >= SOTTO_FINER_COUNT && detector->customs != NULL) {
        return sotto_customs_name(detector->customs, (size_t)finding->finer - SOTTO_FINER_COUNT);
    }
    return sotto_finer_name(finding->finer);
}

const char *sotto_detect_rule(const struct sotto_detector *detector,
                              const struct sotto_finding *finding)
{
    static const char *const layers[] = {
        [SOTTO_LAYER_TAGGER] = "tagger",
        [SOTTO_LAYER_NAMES] = "names",
        [SOTTO_LAYER_RECOGNIZER] = "recognizer",
        [SOTTO_LAYER_KNOWN] = "known",
        [SOTTO_LAYER_LIST] = "list",
    };
    (void)detector;
    const char *name = sotto_rule_name(finding->rule);
    return name != NULL ? name : layers[finding->layer];
}
