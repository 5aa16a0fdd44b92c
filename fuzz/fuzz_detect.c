/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Detection of a whole text: all layers, merge, known values.  Oracles: findings are sorted, apart
 * and cut no character; any steps give what one step gives; what was known covers what was found;
 * a finding is found again when its text is said to be known.
 */

#include <stdlib.h>

#include "base/buf.h"
#include "detect/detect.h"
#include "detect/known.h"
#include "detect/merge.h"
#include "text/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
    if (!ok) {
        abort();
    }
}

static struct sotto_detector *detector(void)
{
    static const struct sotto_detect_word allow[] = {{.text = {(const uint8_t *)"Jane Doe", 8}}};
    static const struct sotto_detect_word deny[] = {
        {.text = {(const uint8_t *)"blue whale", 10}, .label = SOTTO_LABEL_ORG},
        {.text = {(const uint8_t *)"#x", 2}, .label = SOTTO_LABEL_ID},
    };
    static struct sotto_detector *made;
    struct sotto_detect_custom custom = {.name = SOTTO_LIT("case"),
                                         .label = SOTTO_LABEL_ID,
                                         .pattern = SOTTO_LIT("[A-Z]{2}-\\d{2,9}"),
                                         .score = 800};
    struct sotto_detector_options options = {.allow = allow,
                                             .allow_count = 1,
                                             .deny = deny,
                                             .deny_count = 2,
                                             .custom = &custom,
                                             .custom_count = 1};
    if (made == NULL) {
        must(sotto_detector_new(&options, &made, NULL) == SOTTO_OK);
    }
    return made;
}

static void check(sotto_span text, const struct sotto_findings *list)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct sotto_finding *f = &list->items[i];
        must(f->start < f->end && f->end <= text.len);
        must(i == 0 || f->start >= list->items[i - 1].end);
        must(sotto_utf8_boundary(text, f->start) && sotto_utf8_boundary(text, f->end));
        must(f->label < SOTTO_LABEL_COUNT && f->score <= SOTTO_SCORE_MAX);
        must(sotto_detect_rule(detector(), f) != NULL);
    }
}

static void copy(const struct sotto_findings *from, struct sotto_findings *to)
{
    for (size_t i = 0; i < from->count; i++) {
        must(sotto_findings_add(to, from->items[i]) == SOTTO_OK);
    }
}

static void check_known(sotto_span text, const struct sotto_findings *found)
{
    struct sotto_known *known;
    struct sotto_findings all = {0};
    must(sotto_known_new(&known) == SOTTO_OK);
    for (size_t i = 0; i < found->count; i++) {
        const struct sotto_finding *f = &found->items[i];
        must(sotto_known_add(known, sotto_span_sub(text, f->start, f->end), f) == SOTTO_OK);
    }
    must(sotto_known_scan(known, text, &all) == SOTTO_OK);
    check(text, &all);
    copy(found, &all);
    must(sotto_merge(text, &all) == SOTTO_OK);
    check(text, &all);
    sotto_findings_free(&all);
    sotto_known_free(known);
}

/* Repeats the input until it fills several windows, so that their cuts are tried. */
static void grow(sotto_span text, struct sotto_buf *out)
{
    sotto_buf_init(out, SOTTO_BUF_UNBOUNDED);
    must(sotto_buf_append(out, text) == SOTTO_OK);
    while (text.len >= 16 && out->len < 20000) {
        must(sotto_buf_append(out, text) == SOTTO_OK);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct sotto_detect_job *job;
    sotto_span input = sotto_span_init(data, size);
    struct sotto_buf text;
    if (size < 1 || !sotto_utf8_valid(sotto_span_skip(input, 1), NULL)) {
        return 0;
    }
    if (job == NULL) {
        must(sotto_detect_job_new(detector(), &job) == SOTTO_OK);
    }
    grow(sotto_span_skip(input, 1), &text);
    sotto_span whole = sotto_buf_span(&text);
    struct sotto_findings once = {0};
    bool done = false;

    sotto_detect_begin(job, whole);
    enum sotto_err err = sotto_detect_step(job, SIZE_MAX, &done);
    must(err == SOTTO_OK && done);
    copy(sotto_detect_result(job), &once);
    check(whole, &once);

    size_t budget = 1 + (size_t)data[0] * 64;
    sotto_detect_begin(job, whole);
    for (done = false; !done;) {
        must(sotto_detect_step(job, budget, &done) == SOTTO_OK);
    }
    const struct sotto_findings *again = sotto_detect_result(job);
    must(again->count == once.count &&
         (once.count == 0 ||
          memcmp(again->items, once.items, once.count * sizeof(*once.items)) == 0));
    check_known(whole, &once);
    sotto_findings_free(&once);
    sotto_buf_free(&text);
    return 0;
}
