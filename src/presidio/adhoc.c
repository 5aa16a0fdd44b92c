/* SPDX-License-Identifier: Apache-2.0 */

#include "presidio/adhoc.h"

#include "base/alloc.h"
#include "base/arena.h"
#include "base/compiler.h"
#include "detect/custom.h"
#include "detect/finer.h"
#include "detect/phrase.h"
#include "text/utf8.h"

/* How far before a match its context words may stand, in bytes. */
#define ADHOC_CONTEXT 60

/* What a context word adds, and what it raises to at least. */
#define ADHOC_BOOST     350
#define ADHOC_BOOST_MIN 400

#define FAILED_TO_PARSE "Failed to parse /analyze request for AnalyzerEngine.analyze(). "

/* One pattern or deny list: an item of the custom recognizers. */
struct adhoc_item {
    sotto_span entity;
    sotto_span name;
    struct sotto_phrases *context; /* owned by the recognizer's first item; NULL: none */
    bool owns_context;
};

struct presidio_adhoc {
    struct sotto_arena arena; /* expressions with their flags, lists of words */
    struct sotto_customs *customs;
    struct sotto_customs_scratch *scratch;
    struct adhoc_item items[PRESIDIO_ADHOC_MAX];
    struct sotto_detect_custom source[PRESIDIO_ADHOC_MAX]; /* what customs are made of */
    size_t count;
};

/* --- reading ----------------------------------------------------------------------------------- */

static enum sotto_err check_keys(yyjson_mut_val *rec, struct presidio_answer *answer)
{
    static const char *const known[] = {
        "supported_entity",
        "supported_entities",
        "name",
        "supported_language",
        "patterns",
        "deny_list",
        "context",
        "deny_list_score",
        "global_regex_flags",
        "version",
        "country_code",
    };
    size_t i, max;
    yyjson_mut_val *key, *val;
    yyjson_mut_obj_foreach(rec, i, max, key, val)
    {
        bool good = false;
        for (size_t k = 0; k < SOTTO_COUNT(known); k++) {
            good |= sotto_json_is(key, known[k]);
        }
        if (!good) {
            return presidio_refuse(answer, 400,
                                   FAILED_TO_PARSE "PatternRecognizer.__init__() got an unexpected "
                                                   "keyword argument '%.*s'",
                                   SOTTO_FMT(presidio_word(sotto_json_text(key))));
        }
    }
    return SOTTO_OK;
}

/* The entity type; with "supported_entities" the first of these. */
static enum sotto_err read_entity(yyjson_mut_val *rec, sotto_span *out,
                                  struct presidio_answer *answer)
{
    const yyjson_mut_val *one = sotto_json_get(rec, "supported_entity");
    yyjson_mut_val *several = sotto_json_get(rec, "supported_entities");
    if (one != NULL && several != NULL) {
        return presidio_refuse(answer, 500,
                               "Both 'supported_entity' and 'supported_entities' are present in "
                               "the input dictionary. Only one should be provided.");
    }
    one = one != NULL ? one : yyjson_mut_arr_get_first(several);
    if (one == NULL) {
        return presidio_refuse(answer, 400,
                               FAILED_TO_PARSE "PatternRecognizer.__init__() missing 1 required "
                                               "positional argument: 'supported_entity'");
    }
    if (presidio_kind_of(one) != PRESIDIO_STR || presidio_is_falsy(one)) {
        return presidio_refuse(answer, 500, "Pattern recognizer should be initialized with entity");
    }
    *out = sotto_json_text(one);
    return SOTTO_OK;
}

static enum sotto_err read_score(const yyjson_mut_val *val, uint16_t *out,
                                 struct presidio_answer *answer)
{
    double score = 1;
    if (val != NULL && sotto_json_double(val, &score) != SOTTO_OK) {
        return presidio_refuse(answer, 400,
                               FAILED_TO_PARSE "'<' not supported between instances of 'str' and "
                                               "'int'");
    }
    if (!(score >= 0 && score <= 1)) {
        return presidio_refuse(answer, 500, "Invalid score: %g. Score should be between 0 and 1",
                               score);
    }
    *out = (uint16_t)(score * SOTTO_SCORE_MAX + 0.5);
    return SOTTO_OK;
}

enum sotto_err presidio_regex(sotto_span expression, const yyjson_mut_val *flags,
                              struct sotto_buf *out)
{
    static const struct {
        int64_t bit;
        char letter;
    } known[] = {{2, 'i'}, {8, 'm'}, {16, 's'}, {64, 'x'}};
    int64_t bits = presidio_kind_of(flags) == PRESIDIO_INT ? presidio_int(flags) : 26;
    enum sotto_err err = sotto_buf_append(out, SOTTO_LIT("(?"));
    for (size_t i = 0; i < SOTTO_COUNT(known) && err == SOTTO_OK; i++) {
        if ((bits & known[i].bit) != 0) {
            err = sotto_buf_push(out, (uint8_t)known[i].letter);
        }
    }
    if (err == SOTTO_OK) {
        err = sotto_buf_push(out, ')');
    }
    return err == SOTTO_OK ? sotto_buf_append(out, expression) : err;
}

static enum sotto_err add_item(struct presidio_adhoc *adhoc, const struct adhoc_item *item,
                               const struct sotto_detect_custom *source,
                               struct presidio_answer *answer)
{
    if (adhoc->count == PRESIDIO_ADHOC_MAX) {
        return presidio_refuse(answer, 500, "A request may have %d ad hoc patterns at most.",
                               PRESIDIO_ADHOC_MAX);
    }
    adhoc->items[adhoc->count] = *item;
    adhoc->items[adhoc->count].owns_context = false;
    adhoc->source[adhoc->count] = *source;
    adhoc->source[adhoc->count].name = item->entity;
    adhoc->count++;
    return SOTTO_OK;
}

static enum sotto_err add_pattern(struct presidio_adhoc *adhoc, const struct adhoc_item *item,
                                  yyjson_mut_val *pattern, const yyjson_mut_val *flags,
                                  struct presidio_answer *answer)
{
    static const char *const needed[] = {"name", "regex", "score"};
    struct sotto_detect_custom source = {.label = SOTTO_LABEL_ID};
    if (presidio_kind_of(pattern) != PRESIDIO_DICT) {
        return presidio_refuse(answer, 400,
                               FAILED_TO_PARSE "Pattern() argument after ** must be a mapping");
    }
    for (size_t i = 0; i < SOTTO_COUNT(needed); i++) {
        if (sotto_json_get(pattern, needed[i]) == NULL) {
            return presidio_refuse(answer, 400,
                                   FAILED_TO_PARSE "Pattern.__init__() missing 1 required "
                                                   "positional argument: '%s'",
                                   needed[i]);
        }
    }
    const yyjson_mut_val *regex = sotto_json_get(pattern, "regex");
    if (presidio_kind_of(regex) != PRESIDIO_STR) {
        return presidio_refuse(answer, 400,
                               FAILED_TO_PARSE "first argument must be string or compiled pattern");
    }
    struct sotto_buf text;
    sotto_buf_init(&text, SOTTO_BUF_UNBOUNDED);
    enum sotto_err err = read_score(sotto_json_get(pattern, "score"), &source.score, answer);
    if (err == SOTTO_OK) {
        err = presidio_regex(sotto_json_text(regex), flags, &text);
    }
    if (err == SOTTO_OK) {
        err = sotto_arena_copy(&adhoc->arena, sotto_buf_span(&text), &source.pattern);
    }
    sotto_buf_free(&text);
    return err == SOTTO_OK ? add_item(adhoc, item, &source, answer) : err;
}

static enum sotto_err add_deny_list(struct presidio_adhoc *adhoc, const struct adhoc_item *item,
                                    yyjson_mut_val *list, const yyjson_mut_val *score,
                                    struct presidio_answer *answer)
{
    struct sotto_detect_custom source = {.label = SOTTO_LABEL_ID};
    sotto_span *words =
        sotto_arena_alloc(&adhoc->arena, (yyjson_mut_arr_size(list) + 1) * sizeof(*words));
    enum sotto_err err = words == NULL ? SOTTO_ENOMEM : read_score(score, &source.score, answer);
    if (err != SOTTO_OK) {
        return err;
    }
    size_t i, max;
    const yyjson_mut_val *word;
    yyjson_mut_arr_foreach(list, i, max, word)
    {
        if (presidio_kind_of(word) != PRESIDIO_STR) {
            return presidio_refuse(answer, 400,
                                   FAILED_TO_PARSE "a deny list has words, nothing else");
        }
        words[source.word_count++] = sotto_json_text(word);
    }
    source.words = words;
    return add_item(adhoc, item, &source, answer);
}

static enum sotto_err read_context(yyjson_mut_val *list, struct sotto_phrases **out)
{
    if (presidio_kind_of(list) != PRESIDIO_LIST || presidio_is_falsy(list)) {
        return SOTTO_OK;
    }
    enum sotto_err err = sotto_phrases_new(out);
    size_t i, max;
    const yyjson_mut_val *word;
    yyjson_mut_arr_foreach(list, i, max, word)
    {
        if (err == SOTTO_OK && presidio_kind_of(word) == PRESIDIO_STR) {
            err = sotto_phrases_add(*out, sotto_json_text(word), 0);
            err = err == SOTTO_EINVAL ? SOTTO_OK : err; /* what is no word stands nowhere */
        }
    }
    return err;
}

static enum sotto_err add_recognizer(struct presidio_adhoc *adhoc, yyjson_mut_val *rec,
                                     sotto_span language, struct presidio_answer *answer)
{
    struct adhoc_item item = {0};
    if (presidio_kind_of(rec) != PRESIDIO_DICT) {
        return presidio_refuse(answer, 500, "an ad hoc recognizer must be an object");
    }
    enum sotto_err err = check_keys(rec, answer);
    if (err == SOTTO_OK) {
        err = read_entity(rec, &item.entity, answer);
    }
    if (err != SOTTO_OK) {
        return err;
    }
    yyjson_mut_val *patterns = sotto_json_get(rec, "patterns");
    yyjson_mut_val *deny = sotto_json_get(rec, "deny_list");
    if (presidio_is_falsy(patterns) && presidio_is_falsy(deny)) {
        return presidio_refuse(answer, 500,
                               "Pattern recognizer should be initialized with patterns or with "
                               "deny list");
    }
    const yyjson_mut_val *name = sotto_json_get(rec, "name");
    const yyjson_mut_val *own = sotto_json_get(rec, "supported_language");
    item.name = presidio_is_falsy(name) ? SOTTO_LIT("PatternRecognizer") : sotto_json_text(name);
    bool serves = sotto_span_eq(own != NULL ? sotto_json_text(own) : SOTTO_LIT("en"), language);
    size_t first = adhoc->count;

    err = read_context(sotto_json_get(rec, "context"), &item.context);
    size_t i, max;
    yyjson_mut_val *pattern;
    yyjson_mut_arr_foreach(patterns, i, max, pattern)
    {
        if (err == SOTTO_OK) {
            err = add_pattern(adhoc, &item, pattern, sotto_json_get(rec, "global_regex_flags"),
                              answer);
        }
    }
    if (err == SOTTO_OK && !presidio_is_falsy(deny)) {
        err = add_deny_list(adhoc, &item, deny, sotto_json_get(rec, "deny_list_score"), answer);
    }
    if (err != SOTTO_OK || !serves || adhoc->count == first) {
        adhoc->count = first; /* of another language: read, as Presidio reads it, and left out */
        sotto_phrases_free(item.context);
        return err;
    }
    adhoc->items[first].owns_context = true;
    return SOTTO_OK;
}

static enum sotto_err compile(struct presidio_adhoc *adhoc, struct presidio_answer *answer)
{
    char why[256];
    why[0] = '\0';
    enum sotto_err err = sotto_customs_new(adhoc->source, adhoc->count, &adhoc->customs, why);
    if (err == SOTTO_EINVAL) {
        return presidio_refuse(answer, 500, "Invalid regex pattern: %s", why);
    }
    return err == SOTTO_OK ? sotto_customs_scratch_new(adhoc->customs, &adhoc->scratch) : err;
}

enum sotto_err presidio_adhoc_new(yyjson_mut_val *list, sotto_span language,
                                  struct presidio_adhoc **out, struct presidio_answer *answer)
{
    *out = NULL;
    if (presidio_is_falsy(list)) {
        return SOTTO_OK;
    }
    if (presidio_kind_of(list) != PRESIDIO_LIST) {
        return presidio_refuse(answer, 500, "ad_hoc_recognizers must be an array");
    }
    struct presidio_adhoc *adhoc = sotto_calloc(1, sizeof(*adhoc));
    enum sotto_err err = adhoc == NULL ? SOTTO_ENOMEM : SOTTO_OK;
    size_t i, max;
    yyjson_mut_val *rec;
    yyjson_mut_arr_foreach(list, i, max, rec)
    {
        if (err == SOTTO_OK) {
            err = add_recognizer(adhoc, rec, language, answer);
        }
    }
    if (err == SOTTO_OK) {
        err = compile(adhoc, answer);
    }
    if (err != SOTTO_OK) {
        presidio_adhoc_free(adhoc);
        return err;
    }
    *out = adhoc;
    return SOTTO_OK;
}

void presidio_adhoc_free(struct presidio_adhoc *adhoc)
{
    if (adhoc == NULL) {
        return;
    }
    for (size_t i = 0; i < adhoc->count; i++) {
        if (adhoc->items[i].owns_context) {
            sotto_phrases_free(adhoc->items[i].context);
        }
    }
    sotto_customs_scratch_free(adhoc->scratch);
    sotto_customs_free(adhoc->customs);
    sotto_arena_free(&adhoc->arena);
    sotto_free(adhoc);
}

/* --- scanning ---------------------------------------------------------------------------------- */

static const struct adhoc_item *item_of(const struct presidio_adhoc *adhoc,
                                        const struct sotto_finding *f)
{
    return &adhoc->items[f->finer - SOTTO_FINER_COUNT];
}

static enum sotto_err context_seen(void *ctx, size_t start, size_t end, uint32_t id)
{
    (void)start;
    (void)end;
    (void)id;
    *(bool *)ctx = true;
    return SOTTO_OK;
}

static enum sotto_err boost(const struct presidio_adhoc *adhoc, sotto_span text,
                            struct sotto_finding *f)
{
    const struct sotto_phrases *context = item_of(adhoc, f)->context;
    bool seen = false;
    if (context == NULL) {
        return SOTTO_OK;
    }
    size_t from = f->start > ADHOC_CONTEXT ? f->start - ADHOC_CONTEXT : 0;
    while (!sotto_utf8_boundary(text, from)) {
        from--;
    }
    enum sotto_err err = sotto_phrases_scan(context, text, from, f->start, context_seen, &seen);
    if (seen) {
        unsigned score = (unsigned)f->score + ADHOC_BOOST;
        score = score < ADHOC_BOOST_MIN ? ADHOC_BOOST_MIN : score;
        f->score = (uint16_t)(score < SOTTO_SCORE_MAX ? score : SOTTO_SCORE_MAX);
    }
    return err;
}

enum sotto_err presidio_adhoc_scan(struct presidio_adhoc *adhoc, sotto_span text, size_t start,
                                   size_t end, struct sotto_findings *out)
{
    size_t kept = out->count;
    enum sotto_err err = sotto_customs_scan(adhoc->customs, adhoc->scratch, text, start, end, out);
    for (size_t i = kept; i < out->count && err == SOTTO_OK; i++) {
        struct sotto_finding f = out->items[i];
        if (f.score != 0) { /* Presidio takes 0 for "not a match" */
            err = boost(adhoc, text, &f);
            out->items[kept++] = f;
        }
    }
    out->count = kept;
    return err;
}

bool presidio_adhoc_serves(const struct presidio_adhoc *adhoc, const struct presidio_words *wanted)
{
    for (size_t i = 0; i < adhoc->count; i++) {
        if (presidio_words_find(wanted, adhoc->items[i].entity) != NULL) {
            return true;
        }
    }
    return false;
}

sotto_span presidio_adhoc_entity(const struct presidio_adhoc *adhoc, const struct sotto_finding *f)
{
    return item_of(adhoc, f)->entity;
}

sotto_span presidio_adhoc_name(const struct presidio_adhoc *adhoc, const struct sotto_finding *f)
{
    return item_of(adhoc, f)->name;
}
