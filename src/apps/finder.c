/* SPDX-License-Identifier: Apache-2.0 */

#include "apps/finder.h"

#include <string.h>

#include "apps/cli.h"
#include "base/alloc.h"
#include "detect/known.h"
#include "detect/merge.h"

struct sotto_finder {
    struct sotto_detector *detector;
    struct sotto_detect_job *job;
    struct sotto_modes *modes;
    const struct sotto_mode *mode; /* NULL: everything is reported */
    sotto_span lang;
};

/* Reads a number from 0 to 1 such as "0.85" in thousandths; false: it is none. */
static bool read_share(const char *text, unsigned *out)
{
    unsigned value = 0, digits = 0;
    if (text[0] != '0' && text[0] != '1') {
        return false;
    }
    value = (unsigned)(text[0] - '0') * SOTTO_SCORE_MAX;
    text++;
    if (*text == '.') {
        unsigned unit = SOTTO_SCORE_MAX / 10;
        for (text++; *text >= '0' && *text <= '9' && digits < 16; text++, digits++) {
            value += (unsigned)(*text - '0') * unit;
            unit /= 10;
        }
    }
    *out = value;
    return *text == '\0' && value <= SOTTO_SCORE_MAX;
}

static int read_threshold(const char *text, struct sotto_detector_options *options)
{
    unsigned threshold;
    if (text == NULL) {
        return SOTTO_CLI_GO;
    }
    if (!read_share(text, &threshold)) {
        return sotto_cli_misuse("--threshold %s is not a number from 0 to 1: try 0.5", text);
    }
    /* 0 would mean the built-in threshold. */
    for (size_t i = 0; i < SOTTO_LABEL_COUNT; i++) {
        options->threshold[i] = (uint16_t)(threshold != 0 ? threshold : 1);
    }
    return SOTTO_CLI_GO;
}

static int read_mode(const char *name, struct sotto_finder *finder)
{
    if (name == NULL) {
        return SOTTO_CLI_GO;
    }
    if (sotto_modes_new(NULL, 0, NULL, 0, &finder->modes, NULL) != SOTTO_OK) {
        return sotto_cli_fail("out of memory: free some and try again");
    }
    finder->mode = sotto_modes_find(finder->modes, sotto_span_str(name));
    if (finder->mode == NULL) {
        return sotto_cli_misuse("unknown mode %s: use standard, hipaa, gdpr or sox", name);
    }
    return SOTTO_CLI_GO;
}

static int read_lang(const char *lang, struct sotto_finder *finder)
{
    static const char *const known[] = {"en", "de", "fr", "es", "it"};
    finder->lang = sotto_span_str(lang);
    for (size_t i = 0; i < SOTTO_COUNT(known); i++) {
        if (lang == NULL || strcmp(lang, known[i]) == 0) {
            return SOTTO_CLI_GO;
        }
    }
    return sotto_cli_misuse("unknown language %s: use en, de, fr, es or it", lang);
}

int sotto_finder_new(const struct sotto_finder_options *options, struct sotto_finder **out)
{
    struct sotto_detector_options detector = {0};
    struct sotto_finder *finder = sotto_calloc(1, sizeof(*finder));
    if (finder == NULL) {
        return sotto_cli_fail("out of memory: free some and try again");
    }
    int status = read_threshold(options->threshold, &detector);
    if (status == SOTTO_CLI_GO) {
        status = read_mode(options->mode, finder);
    }
    if (status == SOTTO_CLI_GO) {
        status = read_lang(options->lang, finder);
    }
    if (status == SOTTO_CLI_GO &&
        (sotto_detector_new(&detector, &finder->detector, NULL) != SOTTO_OK ||
         sotto_detect_job_new(finder->detector, &finder->job) != SOTTO_OK)) {
        status = sotto_cli_fail("detection cannot start, out of memory: free some and try again");
    }
    if (status != SOTTO_CLI_GO) {
        sotto_finder_free(finder);
        return status;
    }
    *out = finder;
    return SOTTO_CLI_GO;
}

void sotto_finder_free(struct sotto_finder *finder)
{
    if (finder != NULL) {
        sotto_detect_job_free(finder->job);
        sotto_detector_free(finder->detector);
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
    sotto_detect_begin(finder->job, text);
    sotto_detect_language(finder->job, lang.len != 0 ? lang : finder->lang);
    enum sotto_err err = sotto_detect_step(finder->job, SIZE_MAX, &done);
    sotto_findings_clear(out);
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

bool sotto_finder_foldable(const struct sotto_finder *finder, const struct sotto_finding *finding)
{
    const unsigned folded = 1U << SOTTO_LABEL_PERSON | 1U << SOTTO_LABEL_LOCATION |
                            1U << SOTTO_LABEL_ORG | 1U << SOTTO_LABEL_ADDRESS |
                            1U << SOTTO_LABEL_EMAIL | 1U << SOTTO_LABEL_PHONE;
    const char *finer = sotto_finder_finer(finder, finding);
    return (folded >> finding->label & 1) != 0 || (finer != NULL && strcmp(finer, "IBAN") == 0);
}
