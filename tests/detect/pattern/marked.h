/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_TESTS_DETECT_PATTERN_MARKED_H
#define SOTTO_TESTS_DETECT_PATTERN_MARKED_H

/*
 * Golden texts with the findings marked in them: "call [[PHONE|555-123-4567]] now".  The name is the
 * exact type where a finding has one, else the label.  Text without marks must yield nothing.
 */

#include "base/buf.h"
#include "detect/finer.h"
#include "detect/pattern/pattern.h"
#include "detect/rule.h"
#include "tap/tap.h"

#define MARKED_MAX   64
#define MARKED_SCORE 500 /* what the default thresholds let through */

struct marked {
    struct sotto_buf text;
    size_t count;
    struct {
        size_t start, end;
        sotto_span name;
    } want[MARKED_MAX];
};

static inline void marked_read(const char *source, struct marked *out)
{
    sotto_buf_init(&out->text, SOTTO_BUF_UNBOUNDED);
    out->count = 0;
    for (const char *at = source; *at != '\0';) {
        const char *bar = strncmp(at, "[[", 2) == 0 ? strchr(at, '|') : NULL;
        if (bar != NULL) {
            out->want[out->count].name = sotto_span_init(at + 2, (size_t)(bar - at - 2));
            out->want[out->count].start = out->text.len;
            at = bar + 1;
        } else if (strncmp(at, "]]", 2) == 0) {
            out->want[out->count++].end = out->text.len;
            at += 2;
        } else if (sotto_buf_push(&out->text, (uint8_t)*at++) != SOTTO_OK) {
            abort();
        }
    }
}

static inline sotto_span marked_name(const struct sotto_finding *f)
{
    const char *finer = sotto_finer_name(f->finer);
    return sotto_span_str(finer != NULL ? finer : sotto_label_name((enum sotto_label)f->label));
}

static inline void marked_show(const struct marked *m, const struct sotto_findings *found)
{
    printf("#   text: %.*s\n", SOTTO_FMT(sotto_buf_span(&m->text)));
    for (size_t i = 0; i < m->count; i++) {
        printf(
            "#   want %.*s '%.*s'\n", SOTTO_FMT(m->want[i].name),
            SOTTO_FMT(sotto_span_sub(sotto_buf_span(&m->text), m->want[i].start, m->want[i].end)));
    }
    for (size_t i = 0; i < found->count; i++) {
        const struct sotto_finding *f = &found->items[i];
        printf("#   got  %.*s '%.*s' %u by %s\n", SOTTO_FMT(marked_name(f)),
               SOTTO_FMT(sotto_span_sub(sotto_buf_span(&m->text), f->start, f->end)),
               (unsigned)f->score, sotto_rule_name(f->rule));
    }
}

/* Whether what was found is what was marked. */
static inline bool marked_same(const struct marked *m, const struct sotto_findings *found)
{
    size_t k = 0;
    for (size_t i = 0; i < found->count; i++) {
        const struct sotto_finding *f = &found->items[i];
        if (f->score < MARKED_SCORE) {
            continue;
        }
        if (k == m->count || f->start != m->want[k].start || f->end != m->want[k].end ||
            !sotto_span_eq(marked_name(f), m->want[k].name)) {
            return false;
        }
        k++;
    }
    return k == m->count;
}

/* The source as the name of a test: on one line. */
static inline const char *marked_title(const char *source, char title[256])
{
    size_t n = 0;
    for (; source[n] != '\0' && n < 255; n++) {
        bool plain = source[n] != '\n' && source[n] != '#';
        title[n] = source[n];
        if (!plain) {
            title[n] = ' ';
        }
    }
    title[n] = '\0';
    return title;
}

static inline void marked_check(const struct sotto_patterns *patterns,
                                struct sotto_patterns_scratch *scratch, const char *source)
{
    struct marked m;
    struct sotto_findings found = {0};
    marked_read(source, &m);
    sotto_span text = sotto_buf_span(&m.text);
    enum sotto_err err = sotto_patterns_scan(patterns, scratch, text, 0, text.len, &found);
    char title[256];
    if (!OK(err == SOTTO_OK && marked_same(&m, &found), "%s", marked_title(source, title))) {
        marked_show(&m, &found);
    }
    sotto_findings_free(&found);
    sotto_buf_free(&m.text);
}

/* Checks all of a list. */
static inline void marked_check_all(const char *const *sources, size_t count)
{
    struct sotto_patterns *patterns;
    struct sotto_patterns_scratch *scratch;
    if (sotto_patterns_new(&patterns) != SOTTO_OK ||
        sotto_patterns_scratch_new(&scratch) != SOTTO_OK) {
        abort();
    }
    for (size_t i = 0; i < count; i++) {
        marked_check(patterns, scratch, sources[i]);
    }
    sotto_patterns_scratch_free(scratch);
    sotto_patterns_free(patterns);
}

#endif
