/* SPDX-License-Identifier: Apache-2.0 */

#include "library/engine.h"

#include <stddef.h>

#include "base/alloc.h"
#include "crypto/crypto.h"
#include "library/status.h"

struct sotto_engine {
    struct sotto_finder *finder; /* never run itself: forked for each use */
};

struct sotto_entities {
    size_t count;
    struct sotto_entity items[];
};

static size_t count_words(const char *const *words)
{
    size_t count = 0;
    while (words != NULL && words[count] != NULL) {
        count++;
    }
    return count;
}

/* A list that ends with NULL as the detector wants it; *out is NULL where it is empty. */
static enum sotto_err read_words(const char *const *words, struct sotto_detect_word **out,
                                 size_t *count)
{
    *count = count_words(words);
    if (*count == 0) {
        return SOTTO_OK;
    }
    *out = sotto_calloc(*count, sizeof(**out));
    if (*out == NULL) {
        return SOTTO_ENOMEM;
    }
    for (size_t i = 0; i < *count; i++) {
        (*out)[i] =
            (struct sotto_detect_word){.text = sotto_span_str(words[i]), .label = SOTTO_LABEL_ID};
    }
    return SOTTO_OK;
}

/* A caller that was compiled against an older header passes a shorter structure. */
static enum sotto_err read_options(const struct sotto_engine_options *given,
                                   struct sotto_engine_options *out)
{
    const size_t first = offsetof(struct sotto_engine_options, deny) + sizeof(given->deny);
    *out = (struct sotto_engine_options){.size = sizeof(*out)};
    if (given == NULL) {
        return SOTTO_OK;
    }
    if (given->size < first || given->size > sizeof(*out)) {
        return SOTTO_EINVAL;
    }
    memcpy(out, given, given->size);
    return out->threshold >= 0 && out->threshold <= 1 ? SOTTO_OK : SOTTO_EINVAL;
}

static enum sotto_err make_finder(const struct sotto_engine_options *options,
                                  struct sotto_finder **out)
{
    struct sotto_detector_options detector = {0};
    struct sotto_detect_word *allow = NULL, *deny = NULL;
    for (size_t i = 0; i < SOTTO_LABEL_COUNT && options->threshold > 0; i++) {
        double score = options->threshold * SOTTO_SCORE_MAX + 0.5;
        detector.threshold[i] = score < 1 ? 1 : (uint16_t)score;
    }
    enum sotto_err err = read_words(options->allow, &allow, &detector.allow_count);
    if (err == SOTTO_OK) {
        err = read_words(options->deny, &deny, &detector.deny_count);
    }
    if (err == SOTTO_OK) {
        detector.allow = allow;
        detector.deny = deny;
        err = sotto_finder_new(&detector, sotto_span_str(options->mode),
                               sotto_span_str(options->language), out);
    }
    sotto_free(allow);
    sotto_free(deny);
    return err;
}

enum sotto_status sotto_engine_new(const struct sotto_engine_options *given,
                                   struct sotto_engine **out)
{
    struct sotto_engine_options options;
    enum sotto_err err = sotto_crypto_init();
    if (err == SOTTO_OK) {
        err = read_options(given, &options);
    }
    if (err != SOTTO_OK) {
        return sotto_status_of(err);
    }
    struct sotto_engine *engine = sotto_calloc(1, sizeof(*engine));
    err = engine == NULL ? SOTTO_ENOMEM : make_finder(&options, &engine->finder);
    if (err != SOTTO_OK) {
        sotto_engine_free(engine);
        return sotto_status_of(err);
    }
    *out = engine;
    return SOTTO_STATUS_OK;
}

void sotto_engine_free(struct sotto_engine *engine)
{
    if (engine != NULL) {
        sotto_finder_free(engine->finder);
        sotto_free(engine);
    }
}

enum sotto_err sotto_engine_finder(const struct sotto_engine *engine, struct sotto_finder **out)
{
    return sotto_finder_fork(engine->finder, out);
}

static enum sotto_err list_entities(const struct sotto_finder *finder,
                                    const struct sotto_findings *found, struct sotto_entities **out)
{
    struct sotto_entities *list =
        sotto_calloc(1, sizeof(*list) + found->count * sizeof(list->items[0]));
    if (list == NULL) {
        return SOTTO_ENOMEM;
    }
    list->count = found->count;
    for (size_t i = 0; i < found->count; i++) {
        const struct sotto_finding *f = &found->items[i];
        list->items[i] = (struct sotto_entity){
            .start = f->start,
            .end = f->end,
            .label = sotto_label_name((enum sotto_label)f->label),
            .type = sotto_finder_finer(finder, f),
            .rule = sotto_finder_rule(finder, f),
            .score = f->score / (double)SOTTO_SCORE_MAX,
        };
    }
    *out = list;
    return SOTTO_OK;
}

enum sotto_status sotto_engine_detect(const struct sotto_engine *engine, const char *text,
                                      size_t len, struct sotto_entities **out)
{
    struct sotto_finder *finder = NULL;
    struct sotto_findings found = {0};
    sotto_span span = sotto_span_init(text, len);
    enum sotto_status status = sotto_status_of_text(span);
    if (status != SOTTO_STATUS_OK) {
        return status;
    }
    enum sotto_err err = sotto_engine_finder(engine, &finder);
    if (err == SOTTO_OK) {
        err = sotto_finder_run(finder, span, sotto_span_str(NULL), &found);
    }
    if (err == SOTTO_OK) {
        err = list_entities(finder, &found, out);
    }
    sotto_findings_free(&found);
    sotto_finder_free(finder);
    return sotto_status_of(err);
}

size_t sotto_entities_count(const struct sotto_entities *entities)
{
    return entities->count;
}

const struct sotto_entity *sotto_entities_at(const struct sotto_entities *entities, size_t i)
{
    return i < entities->count ? &entities->items[i] : NULL;
}

void sotto_entities_free(struct sotto_entities *entities)
{
    sotto_free(entities);
}
