/* SPDX-License-Identifier: Apache-2.0 */

#include "pipeline/finder.h"

#include <string.h>

#include "base/alloc.h"
#include "detect/known.h"
#include "detect/merge.h"

struct sotto_finder {
    struct sotto_detector *detector;
    struct sotto_detect_job *job;  /* made with the first text */
    struct sotto_modes *modes;     /* NULL: none, or those of another finder */
    bool is_fork;                  /* detector and mode belong to another finder */
    const struct sotto_mode *mode; /* NULL: everything is reported */
    sotto_span lang;
};

static enum sotto_err find_mode(struct sotto_finder *finder, sotto_span name)
{
    if (name.len == 0) {
        return SOTTO_OK;
    }
    enum sotto_err err = sotto_modes_new(NULL, 0, NULL, 0, &finder->modes, NULL);
    if (err == SOTTO_OK) {
        finder->mode = sotto_modes_find(finder->modes, name);
    }
    return err == SOTTO_OK && finder->mode == NULL ? SOTTO_ENOTFOUND : err;
}

static bool find_language(sotto_span code, sotto_span *out)
{
    static const char *const known[] = {"en", "de", "fr", "es", "it"};
    for (size_t i = 0; i < SOTTO_COUNT(known); i++) {
        if (sotto_span_eq(code, sotto_span_str(known[i]))) {
            *out = sotto_span_str(known[i]);
        }
    }
    return code.len == 0 || out->len != 0;
}

enum sotto_err sotto_finder_new(const struct sotto_detector_options *options, sotto_span mode,
                                sotto_span lang, struct sotto_finder **out)
{
    struct sotto_finder *finder = sotto_calloc(1, sizeof(*finder));
    if (finder == NULL) {
        return SOTTO_ENOMEM;
    }
    enum sotto_err err = find_mode(finder, mode);
    if (err == SOTTO_OK && !find_language(lang, &finder->lang)) {
        err = SOTTO_EINVAL;
    }
    if (err == SOTTO_OK) {
        err = sotto_detector_new(options, &finder->detector, NULL);
    }
    if (err != SOTTO_OK) {
        sotto_finder_free(finder);
        return err;
    }
    *out = finder;
    return SOTTO_OK;
}

enum sotto_err sotto_finder_fork(const struct sotto_finder *of, struct sotto_finder **out)
{
    struct sotto_finder *finder = sotto_calloc(1, sizeof(*finder));
    if (finder == NULL) {
        return SOTTO_ENOMEM;
    }
    finder->detector = of->detector;
    finder->mode = of->mode;
    finder->lang = of->lang;
    finder->is_fork = true;
    *out = finder;
    return SOTTO_OK;
}

void sotto_finder_free(struct sotto_finder *finder)
{
    if (finder != NULL) {
        sotto_detect_job_free(finder->job);
        if (!finder->is_fork) {
            sotto_detector_free(finder->detector);
        }
        sotto_modes_free(finder->modes);
        sotto_free(finder);
    }
}

/* Adds to `out` where the values found stand once more. */
static enum sotto_err add_known(sotto_span text, struct sotto_findings *out)
{
    struct sotto_known *known;
    struct sotto_findings list = {0};
    enum sotto_err err = sotto_known_new(&known);
    if (err != SOTTO_OK) {
        return err;
    }
    for (size_t i = 0; i < out->count && err == SOTTO_OK; i++) {
        const struct sotto_finding *f = &out->items[i];
        err = sotto_known_add(known, sotto_span_sub(text, f->start, f->end), f);
    }
    if (err == SOTTO_OK) {
        err = sotto_known_scan(known, text, &list);
    }
    if (err == SOTTO_OK) {
        err = sotto_merge_known(text, out->items, out->count, &list);
    }
    if (err == SOTTO_OK && list.count != 0) {
        struct sotto_findings old = *out;
        *out = list;
        list = old;
    }
    sotto_findings_free(&list);
    sotto_known_free(known);
    return err;
}

static void keep_replaced(const struct sotto_finder *finder, sotto_span text,
                          struct sotto_findings *out)
{
    size_t kept = 0;
    for (size_t i = 0; i < out->count; i++) {
        const struct sotto_finding *f = &out->items[i];
        if (sotto_mode_action(finder->mode, (enum sotto_label)f->label,
                              sotto_finder_finer(finder, f),
                              sotto_span_sub(text, f->start, f->end)) != SOTTO_ACTION_PASS) {
            out->items[kept++] = *f;
        }
    }
    out->count = kept;
}

enum sotto_err sotto_finder_run(struct sotto_finder *finder, sotto_span text, sotto_span lang,
                                struct sotto_findings *out)
{
    bool done = false;
    sotto_findings_clear(out);
    if (finder->job == NULL) {
        enum sotto_err made = sotto_detect_job_new(finder->detector, &finder->job);
        if (made != SOTTO_OK) {
            return made;
        }
    }
    sotto_detect_begin(finder->job, text);
    sotto_detect_language(finder->job, lang.len != 0 ? lang : finder->lang);
    enum sotto_err err = sotto_detect_step(finder->job, SIZE_MAX, &done);
    if (err != SOTTO_OK) {
        return err;
    }
    const struct sotto_findings *found = sotto_detect_result(finder->job);
    for (size_t i = 0; i < found->count && err == SOTTO_OK; i++) {
        err = sotto_findings_add(out, found->items[i]);
    }
    if (err == SOTTO_OK && out->count != 0) {
        err = add_known(text, out);
    }
    if (err == SOTTO_OK && finder->mode != NULL) {
        keep_replaced(finder, text, out);
    }
    return err;
}

const char *sotto_finder_finer(const struct sotto_finder *finder,
                               const struct sotto_finding *finding)
{
    return sotto_detect_finer(finder->detector, finding);
}

const char *sotto_finder_rule(const struct sotto_finder *finder,
                              const struct sotto_finding *finding)
{
    return sotto_detect_rule(finder->detector, finding);
}

bool sotto_finder_foldable(const struct sotto_finder *finder, const struct sotto_finding *finding)
{
    const unsigned folded = 1U << SOTTO_LABEL_PERSON | 1U << SOTTO_LABEL_LOCATION |
                            1U << SOTTO_LABEL_ORG | 1U << SOTTO_LABEL_ADDRESS |
                            1U << SOTTO_LABEL_EMAIL | 1U << SOTTO_LABEL_PHONE;
    const char *finer = sotto_finder_finer(finder, finding);
    return (folded >> finding->label & 1) != 0 || (finer != NULL && strcmp(finer, "IBAN") == 0);
}
