/* SPDX-License-Identifier: Apache-2.0 */

#include "detect/custom.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdio.h>

#include "base/alloc.h"
#include "detect/finer.h"
#include "detect/phrase.h"
#include "detect/rule.h"
#include "detect/validate/validate.h"
#include "text/utf8.h"
#include "text/word.h"

/* Steps that a match may take at one place; well-made expressions need tens. */
#define CUSTOM_MATCH_LIMIT 20000
#define CUSTOM_HEAP_KIB    1024

#define CUSTOM_COMPILE                                                                             \
    (PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C | PCRE2_USE_OFFSET_LIMIT | PCRE2_NO_UTF_CHECK)

/* How far a match that lies inside a word is widened. */
#define CUSTOM_WIDEN 64

struct custom_recognizer {
    char *name;
    pcre2_code *code;              /* NULL: words only */
    struct sotto_phrases *context; /* NULL: not needed */
    sotto_validate_fn *checksum;   /* NULL: none */
    enum sotto_label label;
    uint16_t score;
};

struct sotto_customs {
    pcre2_general_context *memory;
    struct sotto_phrases *words; /* ids are numbers of recognizers */
    struct custom_recognizer *items;
    size_t count;
};

struct sotto_customs_scratch {
    pcre2_match_context *context;
    pcre2_match_data *match;
};

/* One scan, as the phrase matcher's context. */
struct custom_scan {
    const struct sotto_customs *customs;
    sotto_span text;
    size_t window_start;
    struct sotto_findings *out;
};

static void *memory_alloc(PCRE2_SIZE size, void *ctx)
{
    (void)ctx;
    return sotto_alloc(size);
}

static void memory_free(void *block, void *ctx)
{
    (void)ctx;
    sotto_free(block);
}

static enum sotto_err refuse(char why[256], sotto_span name, const char *what)
{
    if (why != NULL) {
        snprintf(why, 256, "recognizer %.*s: %.180s", (int)(name.len < 60 ? name.len : 60),
                 (const char *)name.base, what);
    }
    return SOTTO_EINVAL;
}

static enum sotto_err compile(struct sotto_customs *customs, struct custom_recognizer *r,
                              const struct sotto_detect_custom *item, char why[256])
{
    int code = 0;
    PCRE2_SIZE at = 0;
    uint32_t back_references = 0;
    pcre2_compile_context *context = pcre2_compile_context_create(customs->memory);
    if (context == NULL) {
        return SOTTO_ENOMEM;
    }
    r->code =
        pcre2_compile(item->pattern.base, item->pattern.len, CUSTOM_COMPILE, &code, &at, context);
    pcre2_compile_context_free(context);
    if (r->code == NULL) {
        char text[120], sentence[200];
        if (pcre2_get_error_message(code, (PCRE2_UCHAR *)text, sizeof(text)) < 0) {
            text[0] = '\0';
        }
        snprintf(sentence, sizeof(sentence), "pattern, position %zu: %s", (size_t)at, text);
        return refuse(why, item->name, sentence);
    }
    if (pcre2_pattern_info(r->code, PCRE2_INFO_BACKREFMAX, &back_references) == 0 &&
        back_references != 0) {
        return refuse(why, item->name, "pattern: back-references are not allowed");
    }
    /* Where the system forbids memory that is written and run, the interpreter does it. */
    (void)pcre2_jit_compile(r->code, PCRE2_JIT_COMPLETE);
    return SOTTO_OK;
}

static enum sotto_err add_words(struct sotto_customs *customs, uint32_t id,
                                const struct sotto_detect_custom *item, char why[256])
{
    enum sotto_err err = SOTTO_OK;
    for (size_t i = 0; i < item->word_count && err == SOTTO_OK; i++) {
        err = sotto_phrases_add(customs->words, item->words[i], id);
        if (err == SOTTO_EINVAL) {
            return refuse(why, item->name, "words: one has no letter or digit, or is too long");
        }
    }
    return err;
}

static enum sotto_err add_context(struct custom_recognizer *r,
                                  const struct sotto_detect_custom *item, char why[256])
{
    enum sotto_err err = item->context_count != 0 ? sotto_phrases_new(&r->context) : SOTTO_OK;
    for (size_t i = 0; i < item->context_count && err == SOTTO_OK; i++) {
        err = sotto_phrases_add(r->context, item->context[i], 0);
        if (err == SOTTO_EINVAL) {
            return refuse(why, item->name, "context: one has no letter or digit, or is too long");
        }
    }
    return err;
}

static enum sotto_err add_one(struct sotto_customs *customs, const struct sotto_detect_custom *item,
                              char why[256])
{
    struct custom_recognizer *r = &customs->items[customs->count];
    uint32_t id = (uint32_t)customs->count++; /* from here on it is freed with the rest */
    if (item->name.len == 0) {
        return refuse(why, SOTTO_LIT("(without a name)"), "name: is missing");
    }
    if (item->pattern.len == 0 && item->word_count == 0) {
        return refuse(why, item->name, "needs a pattern or words");
    }
    if (item->score > SOTTO_SCORE_MAX) {
        return refuse(why, item->name, "score: is above 1");
    }
    if (item->checksum.len != 0 && (r->checksum = sotto_validate_find(item->checksum)) == NULL) {
        return refuse(why, item->name, "checksum: there is none of this name");
    }
    r->label = item->label;
    r->score = item->score;
    if ((r->name = sotto_alloc(item->name.len + 1)) == NULL) {
        return SOTTO_ENOMEM;
    }
    memcpy(r->name, item->name.base, item->name.len);
    r->name[item->name.len] = '\0';

    enum sotto_err err = item->pattern.len != 0 ? compile(customs, r, item, why) : SOTTO_OK;
    if (err == SOTTO_OK) {
        err = add_words(customs, id, item, why);
    }
    return err == SOTTO_OK ? add_context(r, item, why) : err;
}

enum sotto_err sotto_customs_new(const struct sotto_detect_custom *items, size_t count,
                                 struct sotto_customs **out, char why[256])
{
    struct sotto_customs *customs = sotto_calloc(1, sizeof(*customs));
    if (customs == NULL) {
        return SOTTO_ENOMEM;
    }
    enum sotto_err err = sotto_phrases_new(&customs->words);
    customs->memory = pcre2_general_context_create(memory_alloc, memory_free, NULL);
    customs->items = sotto_calloc(count + 1, sizeof(*customs->items));
    if (customs->memory == NULL || customs->items == NULL) {
        err = SOTTO_ENOMEM;
    }
    for (size_t i = 0; i < count && err == SOTTO_OK; i++) {
        err = add_one(customs, &items[i], why);
    }
    if (err != SOTTO_OK) {
        sotto_customs_free(customs);
        return err;
    }
    *out = customs;
    return SOTTO_OK;
}

void sotto_customs_free(struct sotto_customs *customs)
{
    if (customs == NULL) {
        return;
    }
    for (size_t i = 0; customs->items != NULL && i < customs->count; i++) {
        sotto_free(customs->items[i].name);
        sotto_phrases_free(customs->items[i].context);
        pcre2_code_free(customs->items[i].code);
    }
    sotto_phrases_free(customs->words);
    pcre2_general_context_free(customs->memory);
    sotto_free(customs->items);
    sotto_free(customs);
}

enum sotto_err sotto_customs_scratch_new(const struct sotto_customs *customs,
                                         struct sotto_customs_scratch **out)
{
    struct sotto_customs_scratch *scratch = sotto_calloc(1, sizeof(*scratch));
    if (scratch == NULL) {
        return SOTTO_ENOMEM;
    }
    scratch->context = pcre2_match_context_create(customs->memory);
    scratch->match = pcre2_match_data_create(1, customs->memory);
    if (scratch->context == NULL || scratch->match == NULL) {
        sotto_customs_scratch_free(scratch);
        return SOTTO_ENOMEM;
    }
    (void)pcre2_set_match_limit(scratch->context, CUSTOM_MATCH_LIMIT);
    (void)pcre2_set_heap_limit(scratch->context, CUSTOM_HEAP_KIB);
    *out = scratch;
    return SOTTO_OK;
}

void sotto_customs_scratch_free(struct sotto_customs_scratch *scratch)
{
    if (scratch != NULL) {
        pcre2_match_data_free(scratch->match);
        pcre2_match_context_free(scratch->context);
        sotto_free(scratch);
    }
}

/* The character boundary at or before `at`. */
static size_t boundary(sotto_span text, size_t at)
{
    while (!sotto_utf8_boundary(text, at)) {
        at--;
    }
    return at;
}

static enum sotto_err context_seen(void *ctx, size_t start, size_t end, uint32_t id)
{
    (void)start;
    (void)end;
    (void)id;
    *(bool *)ctx = true;
    return SOTTO_OK;
}

static bool has_context(const struct custom_recognizer *r, sotto_span text, size_t start,
                        size_t end)
{
    bool seen = false;
    size_t from = start > SOTTO_CUSTOM_CONTEXT ? boundary(text, start - SOTTO_CUSTOM_CONTEXT) : 0;
    size_t to = text.len - end > SOTTO_CUSTOM_CONTEXT ? end + SOTTO_CUSTOM_CONTEXT : text.len;
    return sotto_phrases_scan(r->context, text, from, boundary(text, to), context_seen, &seen) ==
               SOTTO_OK &&
           seen;
}

/* Widens to whole words as far as these are of a usual length. */
static void widen(sotto_span text, size_t floor, size_t *start, size_t *end)
{
    sotto_span near = text;
    if (!sotto_word_edge(text, *end)) {
        near.len = text.len - *end > CUSTOM_WIDEN ? boundary(text, *end + CUSTOM_WIDEN) : text.len;
        *end = sotto_word_run_end(near, *end);
    }
    if (!sotto_word_edge(text, *start)) {
        size_t low = *start - floor > CUSTOM_WIDEN ? boundary(text, *start - CUSTOM_WIDEN) : floor;
        near = sotto_span_sub(text, low, text.len);
        *start = low + sotto_word_run_start(near, *start - low);
    }
}

static enum sotto_err add_finding(const struct custom_scan *scan, size_t number, size_t start,
                                  size_t end)
{
    const struct custom_recognizer *r = &scan->customs->items[number];
    if ((r->checksum != NULL &&
         !sotto_validate_value(r->checksum, sotto_span_sub(scan->text, start, end))) ||
        (r->context != NULL && !has_context(r, scan->text, start, end))) {
        return SOTTO_OK;
    }
    widen(scan->text, scan->window_start, &start, &end);
    return sotto_findings_add(
        scan->out, (struct sotto_finding){.start = (uint32_t)start,
                                          .end = (uint32_t)end,
                                          .score = r->score,
                                          .finer = (uint16_t)(SOTTO_FINER_COUNT + number),
                                          .rule = SOTTO_RULE_CUSTOM,
                                          .label = (uint8_t)r->label,
                                          .layer = SOTTO_LAYER_LIST});
}

static enum sotto_err word_seen(void *ctx, size_t start, size_t end, uint32_t id)
{
    const struct custom_scan *scan = ctx;
    return add_finding(scan, id, start < scan->window_start ? scan->window_start : start, end);
}

/* Runs one expression over the window; the subject ends a little behind it. */
static enum sotto_err run(const struct custom_scan *scan, size_t number,
                          struct sotto_customs_scratch *scratch, size_t start, size_t end)
{
    sotto_span text = scan->text;
    size_t limit =
        text.len - end > SOTTO_CUSTOM_REACH ? boundary(text, end + SOTTO_CUSTOM_REACH) : text.len;
    enum sotto_err err = SOTTO_OK;
    (void)pcre2_set_offset_limit(scratch->context, end - 1);
    while (start < end && err == SOTTO_OK) {
        int rc = pcre2_match(scan->customs->items[number].code, text.base, limit, start,
                             PCRE2_NO_UTF_CHECK | PCRE2_NOTEMPTY, scratch->match, scratch->context);
        if (rc == PCRE2_ERROR_NOMATCH) {
            break;
        }
        if (rc < 0) {
            return rc == PCRE2_ERROR_NOMEMORY ? SOTTO_ENOMEM : SOTTO_ELIMIT;
        }
        const PCRE2_SIZE *bounds = pcre2_get_ovector_pointer(scratch->match);
        if (bounds[0] < start || bounds[0] >= end || bounds[1] <= bounds[0]) {
            break; /* \K can set odd bounds */
        }
        err = add_finding(scan, number, bounds[0], bounds[1]);
        start = bounds[1];
    }
    return err;
}

enum sotto_err sotto_customs_scan(const struct sotto_customs *customs,
                                  struct sotto_customs_scratch *scratch, sotto_span text,
                                  size_t start, size_t end, struct sotto_findings *out)
{
    struct custom_scan scan = {.customs = customs, .text = text, .window_start = start, .out = out};
    enum sotto_err err = SOTTO_OK;
    if (!sotto_phrases_empty(customs->words)) {
        err = sotto_phrases_scan(customs->words, text, start, end, word_seen, &scan);
    }
    for (size_t i = 0; i < customs->count && err == SOTTO_OK; i++) {
        if (customs->items[i].code != NULL) {
            err = run(&scan, i, scratch, start, end);
        }
    }
    return err;
}

const char *sotto_customs_name(const struct sotto_customs *customs, size_t i)
{
    return i < customs->count ? customs->items[i].name : NULL;
}
