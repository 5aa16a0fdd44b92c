/* SPDX-License-Identifier: Apache-2.0 */

/* Modes of one's own: the second half of policy/mode.h. */

#include "policy/mode_row.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/alloc.h"
#include "detect/finer.h"
#include "policy/generalise.h"

/* The labels of exact types that `standard` lets pass; all others are of labels it tokenizes. */
static const struct sotto_finer_word passing_words[] = {
    {SOTTO_LIT_INIT("YEAR"), SOTTO_LABEL_DATE},
    {SOTTO_LIT_INIT("DATE_OF_BIRTH"), SOTTO_LABEL_DATE},
    {SOTTO_LIT_INIT("AGE_OVER_89"), SOTTO_LABEL_AGE},
    {SOTTO_LIT_INIT("COUNTRY"), SOTTO_LABEL_LOCATION},
    {SOTTO_LIT_INIT("STATE"), SOTTO_LABEL_LOCATION},
    {SOTTO_LIT_INIT("CITY"), SOTTO_LABEL_LOCATION},
    {SOTTO_LIT_INIT("PERSONAL_URL"), SOTTO_LABEL_URL},
};

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

/* What making a set knows. */
struct mode_maker {
    const struct sotto_mode_def *defs;
    size_t def_count;
    const struct sotto_finer_word *words;
    size_t word_count;
    struct sotto_modes *set;
    struct sotto_mode_error *wrong;
};

SOTTO_PRINTF(5, 6)
static enum sotto_err refuse(const struct mode_maker *maker, size_t def, const char *field,
                             size_t item, const char *fmt, ...)
{
    if (maker->wrong != NULL) {
        va_list ap;
        maker->wrong->def = def;
        maker->wrong->field = field;
        maker->wrong->item = item;
        va_start(ap, fmt);
        vsnprintf(maker->wrong->sentence, sizeof(maker->wrong->sentence), fmt, ap);
        va_end(ap);
    }
    return SOTTO_EINVAL;
}

static bool is_name(sotto_span name)
{
    bool good = name.len != 0 && name.len <= SOTTO_MODE_NAME_MAX;
    for (size_t i = 0; good && i < name.len; i++) {
        uint8_t c = name.base[i];
        good = (c >= 'a' && c <= 'z') || (i != 0 && (is_digit(c) || c == '-'));
    }
    return good;
}

static bool is_builtin_finer(sotto_span name)
{
    for (unsigned i = 1; i < SOTTO_FINER_COUNT; i++) {
        if (sotto_span_eq(sotto_span_str(sotto_finer_name(i)), name)) {
            return true;
        }
    }
    return false;
}

/* The labels that findings of an exact type may bear; 0: there is no such type. */
static unsigned labels_of(const struct mode_maker *maker, sotto_span finer)
{
    for (size_t i = 0; i < SOTTO_COUNT(passing_words); i++) {
        if (sotto_span_eq(passing_words[i].name, finer)) {
            return 1U << passing_words[i].label;
        }
    }
    for (size_t i = 0; i < maker->word_count; i++) {
        if (sotto_span_eq(maker->words[i].name, finer)) {
            return 1U << maker->words[i].label;
        }
    }
    return is_builtin_finer(finer) ? MODE_ALL_LABELS : 0;
}

/* The lists of a definition, in the order in which they are compared with each other. */
static const struct mode_list_name {
    const char *name;
    enum sotto_action action;
} list_names[] = {
    {"tokenize", SOTTO_ACTION_TOKENIZE},
    {"generalise", SOTTO_ACTION_GENERALISE},
    {"block", SOTTO_ACTION_BLOCK},
    {"pass", SOTTO_ACTION_PASS},
};

static struct sotto_mode_words list_of(const struct sotto_mode_def *d, enum sotto_action action)
{
    switch (action) {
    case SOTTO_ACTION_PASS:
        return (struct sotto_mode_words){d->pass, d->pass_count};
    case SOTTO_ACTION_GENERALISE:
        return (struct sotto_mode_words){d->generalise, d->generalise_count};
    case SOTTO_ACTION_TOKENIZE:
        return (struct sotto_mode_words){d->tokenize, d->tokenize_count};
    case SOTTO_ACTION_BLOCK:
        return (struct sotto_mode_words){d->block, d->block_count};
    }
    return (struct sotto_mode_words){NULL, 0};
}

static void drop_exception(struct mode_exception *list, size_t *count, size_t i)
{
    memmove(&list[i], &list[i + 1], (*count - i - 1) * sizeof(*list));
    (*count)--;
}

/* A label moves with all its exact types: exceptions that were inherited for it end. */
static void move_label(struct sotto_mode *mode, struct mode_exception *list, size_t *count,
                       enum sotto_label label, enum sotto_action action)
{
    unsigned bit = 1U << label;
    mode->tokenized = (mode->tokenized & ~bit) | (action == SOTTO_ACTION_TOKENIZE ? bit : 0);
    mode->generalised = (mode->generalised & ~bit) | (action == SOTTO_ACTION_GENERALISE ? bit : 0);
    mode->blocked = (mode->blocked & ~bit) | (action == SOTTO_ACTION_BLOCK ? bit : 0);
    for (size_t i = *count; i-- > 0;) {
        list[i].labels &= ~bit;
        if (list[i].labels == 0) {
            drop_exception(list, count, i);
        }
    }
}

static void move_finer(struct mode_exception *list, size_t *count, sotto_span finer,
                       unsigned labels, enum sotto_action action)
{
    for (size_t i = *count; i-- > 0;) {
        if (sotto_span_eq(list[i].finer, finer)) {
            drop_exception(list, count, i);
        }
    }
    list[(*count)++] = (struct mode_exception){finer, labels, action};
}

/* One pass over a list of a definition: labels, or exact types. */
static enum sotto_err move_words(const struct mode_maker *maker, size_t def, bool labels,
                                 const struct mode_list_name *list_name, struct sotto_mode *mode,
                                 struct mode_exception *list)
{
    const struct sotto_mode_words words = list_of(&maker->defs[def], list_name->action);
    enum sotto_err err = SOTTO_OK;

    for (size_t i = 0; err == SOTTO_OK && i < words.count; i++) {
        enum sotto_label label;
        bool is_label = sotto_label_parse(words.items[i], &label);
        unsigned of = is_label ? 0 : labels_of(maker, words.items[i]);
        if (is_label && labels) {
            move_label(mode, list, &mode->exception_count, label, list_name->action);
        } else if (!is_label && !labels && of == 0) {
            err = refuse(maker, def, list_name->name, i,
                         "must be a label or an exact type, not '%.*s'",
                         (int)(words.items[i].len < 60 ? words.items[i].len : 60),
                         (const char *)words.items[i].base);
        } else if (!is_label && !labels) {
            sotto_span name;
            err = sotto_arena_copy(&maker->set->arena, words.items[i], &name);
            if (err == SOTTO_OK) {
                move_finer(list, &mode->exception_count, name, of, list_name->action);
            }
        }
    }
    return err;
}

static enum sotto_err move_lists(const struct mode_maker *maker, size_t def, bool labels,
                                 struct sotto_mode *mode, struct mode_exception *list)
{
    enum sotto_err err = SOTTO_OK;
    for (size_t i = 0; err == SOTTO_OK && i < SOTTO_COUNT(list_names); i++) {
        err = move_words(maker, def, labels, &list_names[i], mode, list);
    }
    return err;
}

/* A word in two lists has no meaning. */
static enum sotto_err check_pair(const struct mode_maker *maker, size_t def,
                                 const struct mode_list_name *one,
                                 const struct mode_list_name *other)
{
    const struct sotto_mode_words a = list_of(&maker->defs[def], one->action);
    const struct sotto_mode_words b = list_of(&maker->defs[def], other->action);
    for (size_t i = 0; i < a.count; i++) {
        for (size_t j = 0; j < b.count; j++) {
            if (sotto_span_eq(a.items[i], b.items[j])) {
                return refuse(maker, def, other->name, j, "must not stand in %s as well",
                              one->name);
            }
        }
    }
    return SOTTO_OK;
}

static enum sotto_err check_lists(const struct mode_maker *maker, size_t def)
{
    const struct sotto_mode_def *d = &maker->defs[def];
    enum sotto_err err = SOTTO_OK;
    for (size_t j = 1; j < SOTTO_COUNT(list_names); j++) {
        for (size_t i = 0; err == SOTTO_OK && i < j; i++) {
            err = check_pair(maker, def, &list_names[i], &list_names[j]);
        }
    }
    for (size_t i = 0; err == SOTTO_OK && i < d->generalise_count; i++) {
        if (!sotto_generalise_knows(d->generalise[i])) {
            err = refuse(maker, def, "generalise", i,
                         "must be DATE, DATE_OF_BIRTH, AGE, AGE_OVER_89 or POSTCODE: there is no "
                         "rule for others");
        }
    }
    bool known = d->content.len == 0 || sotto_span_eq(d->content, SOTTO_LIT("pass")) ||
                 sotto_span_eq(d->content, SOTTO_LIT("refuse"));
    return err == SOTTO_OK && !known ? refuse(maker, def, "content", 0, "must be pass or refuse")
                                     : err;
}

static enum sotto_err check_floor(const struct mode_maker *maker, size_t def,
                                  const struct sotto_mode *mode)
{
    sotto_span finer;
    enum sotto_label label;
    if (mode_covers_findings(mode, &mode_builtin[0], true, &finer, &label)) {
        return SOTTO_OK;
    }
    if (finer.len == 0) {
        finer = sotto_span_str(sotto_label_name(label));
    }
    return refuse(maker, def, "pass", 0, "would let %.*s pass, which standard tokenizes",
                  SOTTO_FMT(finer));
}

static enum sotto_err name_mode(struct sotto_arena *arena, sotto_span name, struct sotto_mode *mode)
{
    char answer[SOTTO_MODE_NAME_MAX + sizeof("-aligned")];
    int len = snprintf(answer, sizeof(answer), "%.*s-aligned", SOTTO_FMT(name));
    enum sotto_err err = sotto_arena_copy(arena, name, &mode->name);
    if (err == SOTTO_OK) {
        err = sotto_arena_copy(arena, sotto_span_init(answer, (size_t)len), &mode->answer_name);
    }
    return err;
}

static enum sotto_err copy_words(struct sotto_arena *arena, const sotto_span *items, size_t count,
                                 struct sotto_mode_words *out)
{
    sotto_span *copy = sotto_arena_calloc(arena, count, sizeof(*copy));
    enum sotto_err err = copy != NULL ? SOTTO_OK : SOTTO_ENOMEM;
    for (size_t i = 0; err == SOTTO_OK && i < count; i++) {
        err = sotto_arena_copy(arena, items[i], &copy[i]);
    }
    *out = (struct sotto_mode_words){copy, count};
    return err;
}

/* What a definition says about providers and content; what it does not, is inherited. */
static enum sotto_err copy_providers(const struct mode_maker *maker, const struct sotto_mode_def *d,
                                     struct sotto_mode *mode)
{
    struct sotto_arena *arena = &maker->set->arena;
    enum sotto_err err = SOTTO_OK;
    if (d->agreement_count != 0) {
        mode->agreements_count = true;
        err = copy_words(arena, d->agreements, d->agreement_count, &mode->agreements);
    }
    if (err == SOTTO_OK && d->region_count != 0) {
        err = copy_words(arena, d->regions, d->region_count, &mode->regions);
    }
    if (d->content.len != 0) {
        mode->content_passes = sotto_span_eq(d->content, SOTTO_LIT("pass"));
    }
    return err;
}

/* Makes mode number `def` of one's own from its parent, which is complete. */
static enum sotto_err make_mode(const struct mode_maker *maker, size_t def,
                                const struct sotto_mode *parent, struct sotto_mode *out)
{
    const struct sotto_mode_def *d = &maker->defs[def];
    struct sotto_mode mode = *parent;
    struct mode_exception *list =
        sotto_arena_calloc(&maker->set->arena,
                           parent->exception_count + d->tokenize_count + d->pass_count +
                               d->generalise_count + d->block_count + 1,
                           sizeof(*list));
    if (list == NULL) {
        return SOTTO_ENOMEM;
    }
    memcpy(list, parent->exceptions, parent->exception_count * sizeof(*list));
    mode.exceptions = list;

    enum sotto_err err = name_mode(&maker->set->arena, d->name, &mode);
    if (err != SOTTO_OK || (err = check_lists(maker, def)) != SOTTO_OK ||
        (err = move_lists(maker, def, true, &mode, list)) != SOTTO_OK ||
        (err = move_lists(maker, def, false, &mode, list)) != SOTTO_OK ||
        (err = copy_providers(maker, d, &mode)) != SOTTO_OK ||
        (err = check_floor(maker, def, &mode)) != SOTTO_OK) {
        return err;
    }
    *out = mode;
    return SOTTO_OK;
}

static enum sotto_err check_names(const struct mode_maker *maker)
{
    for (size_t i = 0; i < maker->def_count; i++) {
        sotto_span name = maker->defs[i].name;
        if (!is_name(name)) {
            return refuse(maker, i, NULL, 0,
                          "the name must be 1 to %d lower-case letters, digits and hyphens, "
                          "beginning with a letter",
                          SOTTO_MODE_NAME_MAX);
        }
        for (size_t j = 0; j < mode_builtin_count; j++) {
            if (sotto_span_eq(mode_builtin[j].name, name)) {
                return refuse(maker, i, NULL, 0, "the name is that of a built-in mode");
            }
        }
        for (size_t j = 0; j < i; j++) {
            if (sotto_span_eq(maker->defs[j].name, name)) {
                return refuse(maker, i, NULL, 0, "the name is taken");
            }
        }
    }
    return SOTTO_OK;
}

static bool is_defined(const struct mode_maker *maker, sotto_span name)
{
    for (size_t i = 0; i < maker->def_count; i++) {
        if (sotto_span_eq(maker->defs[i].name, name)) {
            return true;
        }
    }
    return false;
}

/* Why the modes that are left cannot be made: their parents are missing, or wait for them. */
static enum sotto_err refuse_rest(const struct mode_maker *maker)
{
    size_t first = 0;
    for (size_t i = maker->def_count; i-- > 0;) {
        const struct sotto_mode_def *d = &maker->defs[i];
        if (sotto_modes_find(maker->set, d->name) != NULL) {
            continue;
        }
        if (!is_defined(maker, d->inherits)) {
            return refuse(maker, i, "inherits", 0, "must be the name of a mode");
        }
        first = i;
    }
    return refuse(maker, first, "inherits", 0, "must not lead back to the mode itself");
}

/* Makes each mode whose parent is there, until none is left. */
static enum sotto_err make_modes(const struct mode_maker *maker)
{
    enum sotto_err err = check_names(maker);
    size_t wanted = mode_builtin_count + maker->def_count;
    while (err == SOTTO_OK && maker->set->count < wanted) {
        size_t before = maker->set->count;
        for (size_t i = 0; err == SOTTO_OK && i < maker->def_count; i++) {
            const struct sotto_mode_def *d = &maker->defs[i];
            const struct sotto_mode *parent = sotto_modes_find(maker->set, d->inherits);
            if (parent != NULL && sotto_modes_find(maker->set, d->name) == NULL) {
                err = make_mode(maker, i, parent, &maker->set->items[maker->set->count]);
                maker->set->count += err == SOTTO_OK ? 1 : 0;
            }
        }
        if (err == SOTTO_OK && maker->set->count == before) {
            err = refuse_rest(maker);
        }
    }
    return err;
}

enum sotto_err sotto_modes_new(const struct sotto_mode_def *defs, size_t def_count,
                               const struct sotto_finer_word *words, size_t word_count,
                               struct sotto_modes **out, struct sotto_mode_error *wrong)
{
    size_t room = mode_builtin_count + def_count;
    struct sotto_modes *set = sotto_calloc(1, sizeof(*set) + room * sizeof(set->items[0]));
    if (set == NULL) {
        return SOTTO_ENOMEM;
    }
    memcpy(set->items, mode_builtin, mode_builtin_count * sizeof(mode_builtin[0]));
    set->count = mode_builtin_count;

    const struct mode_maker maker = {defs, def_count, words, word_count, set, wrong};
    enum sotto_err err = make_modes(&maker);
    if (err == SOTTO_OK) {
        *out = set;
    } else {
        sotto_modes_free(set);
    }
    return err;
}
