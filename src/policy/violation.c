/* SPDX-License-Identifier: Apache-2.0 */

#include "policy/violation.h"

#include <stdarg.h>
#include <stdio.h>

#include "chat/slots.h"

struct violation_run {
    const struct sotto_policy_facts *facts;
    const char *code; /* of the rule at hand */
    sotto_violation_fn *fn;
    void *ctx;
    size_t count;
};

SOTTO_PRINTF(2, 3)
static void violated(struct violation_run *run, const char *fmt, ...)
{
    struct sotto_violation violation = {.code = run->code};
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(violation.sentence, sizeof(violation.sentence), fmt, ap);
    va_end(ap);
    run->count++;
    if (run->fn != NULL) {
        run->fn(run->ctx, &violation);
    }
}

static bool is_among(sotto_span word, struct sotto_mode_words words)
{
    for (size_t i = 0; i < words.count; i++) {
        if (sotto_span_eq(words.items[i], word)) {
            return true;
        }
    }
    return false;
}

/* --- the rules --------------------------------------------------------------------------------- */

static void rule_agreements(struct violation_run *run)
{
    const struct sotto_policy_facts *f = run->facts;
    const struct sotto_mode_words wanted = sotto_mode_agreements(f->mode, f->require_agreements);
    for (size_t i = 0; f->has_upstream && !f->trusted && i < wanted.count; i++) {
        if (!is_among(wanted.items[i], f->agreements)) {
            violated(run,
                     "The mode %.*s asks for the agreement %.*s, which the upstream %.*s does "
                     "not have.",
                     SOTTO_FMT(sotto_mode_name(f->mode)), SOTTO_FMT(wanted.items[i]),
                     SOTTO_FMT(f->upstream));
        }
    }
}

/* "ch or eu" */
static void list_words(struct sotto_mode_words words, char out[100])
{
    size_t len = 0;
    out[0] = '\0';
    for (size_t i = 0; i < words.count && len < 99; i++) {
        const char *before = i == 0 ? "" : i + 1 < words.count ? ", " : " or ";
        int n = snprintf(out + len, 100 - len, "%s%.*s", before, SOTTO_FMT(words.items[i]));
        len += n > 0 ? (size_t)n : 0;
    }
}

static void rule_region(struct violation_run *run)
{
    const struct sotto_policy_facts *f = run->facts;
    const struct sotto_mode_words allowed = sotto_mode_regions(f->mode);
    char list[100];
    if (!f->has_upstream || f->trusted || allowed.count == 0 || is_among(f->region, allowed)) {
        return;
    }
    list_words(allowed, list);
    if (f->region.len == 0) {
        violated(run,
                 "The mode %.*s lets data go to %s only, and the upstream %.*s says no region.",
                 SOTTO_FMT(sotto_mode_name(f->mode)), list, SOTTO_FMT(f->upstream));
    } else {
        violated(run, "The mode %.*s lets data go to %s only, and the upstream %.*s is in %.*s.",
                 SOTTO_FMT(sotto_mode_name(f->mode)), list, SOTTO_FMT(f->upstream),
                 SOTTO_FMT(f->region));
    }
}

static void rule_content(struct violation_run *run)
{
    static const struct {
        unsigned bit;
        const char *what;
    } kinds[] = {{SOTTO_UNPROTECTED_IMAGE, "Images"},
                 {SOTTO_UNPROTECTED_AUDIO, "Audio"},
                 {SOTTO_UNPROTECTED_FILE, "Files"}};
    const struct sotto_policy_facts *f = run->facts;
    for (size_t i = 0; i < SOTTO_COUNT(kinds); i++) {
        if ((f->unprotected & kinds[i].bit) != 0 && !sotto_mode_content_passes(f->mode)) {
            violated(run, "%s cannot be protected, and the mode %.*s does not let them pass.",
                     kinds[i].what, SOTTO_FMT(sotto_mode_name(f->mode)));
        }
    }
}

static void rule_blocked(struct violation_run *run)
{
    const struct sotto_policy_facts *f = run->facts;
    for (unsigned i = 0; f->blocked != NULL && i < SOTTO_LABEL_COUNT; i++) {
        if (f->blocked[i] != 0) {
            violated(run, "The mode %.*s lets no such %s out of the house, and the request has %u.",
                     SOTTO_FMT(sotto_mode_name(f->mode)), sotto_label_name((enum sotto_label)i),
                     f->blocked[i]);
        }
    }
}

static const struct violation_rule {
    const char *code;
    void (*judge)(struct violation_run *run);
} rules[] = {
    {"provider_not_permitted", rule_agreements},
    {"provider_not_permitted", rule_region},
    {"content_not_protected", rule_content},
    {"content_blocked", rule_blocked},
};

size_t sotto_policy_violations(const struct sotto_policy_facts *facts, sotto_violation_fn *fn,
                               void *ctx)
{
    struct violation_run run = {.facts = facts, .fn = fn, .ctx = ctx};
    for (size_t i = 0; i < SOTTO_COUNT(rules); i++) {
        run.code = rules[i].code;
        rules[i].judge(&run);
    }
    return run.count;
}
