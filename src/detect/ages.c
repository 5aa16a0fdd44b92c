/* SPDX-License-Identifier: Apache-2.0 */

#include "detect/ages.h"

#include <stdbool.h>
#include <string.h>

#include "detect/finer.h"
#include "detect/rule.h"

#define AGES_SCORE     700
#define AGES_MOST      120
#define AGES_SAFE_LAST 89 /* 45 CFR 164.514(b)(2)(i)(C) */

static bool is_digit(sotto_span text, size_t at)
{
    return at < text.len && text.base[at] >= '0' && text.base[at] <= '9';
}

static bool is_full_name(sotto_span text, const struct sotto_finding *f)
{
    return f->label == SOTTO_LABEL_PERSON &&
           memchr(text.base + f->start, ' ', f->end - f->start) != NULL;
}

/* Whether an age may end at `at`: behind a comma where the phrase ends, too. */
static bool ends(sotto_span text, size_t at, bool bracket)
{
    if (bracket) {
        return at < text.len && (text.base[at] == ')' || text.base[at] == ',');
    }
    if (at < text.len && text.base[at] == '.') {
        return !is_digit(text, at + 1);
    }
    return at == text.len || memchr(",;)\r\n", text.base[at], 5) != NULL;
}

/* The age behind the name `f`; false: none. */
static bool age_behind(sotto_span text, const struct sotto_finding *f, struct sotto_finding *out)
{
    size_t at = f->end, start = at + 2;
    bool bracket = start < text.len && memcmp(text.base + at, " (", 2) == 0;
    if (!bracket && (start >= text.len || memcmp(text.base + at, ", ", 2) != 0)) {
        return false;
    }
    unsigned years = 0;
    for (at = start; is_digit(text, at) && at - start < 4; at++) {
        years = years * 10 + (unsigned)(text.base[at] - '0');
    }
    if (years < 10 || years > AGES_MOST || text.base[start] == '0' || !ends(text, at, bracket)) {
        return false;
    }
    *out = (struct sotto_finding){.start = (uint32_t)start,
                                  .end = (uint32_t)at,
                                  .score = AGES_SCORE,
                                  .finer = years > AGES_SAFE_LAST ? SOTTO_FINER_AGE_OVER_89
                                                                  : SOTTO_FINER_NONE,
                                  .rule = SOTTO_RULE_AGE,
                                  .label = SOTTO_LABEL_AGE,
                                  .layer = SOTTO_LAYER_RECOGNIZER};
    return true;
}

enum sotto_err sotto_ages_behind_names(sotto_span text, struct sotto_findings *findings)
{
    enum sotto_err err = SOTTO_OK;
    size_t count = findings->count;
    for (size_t i = 0; i < count && err == SOTTO_OK; i++) {
        struct sotto_finding age;
        if (is_full_name(text, &findings->items[i]) &&
            age_behind(text, &findings->items[i], &age) &&
            (i + 1 == count || findings->items[i + 1].start >= age.end)) {
            err = sotto_findings_add(findings, age);
        }
    }
    if (err != SOTTO_OK) {
        findings->count = count;
    }
    return err;
}
