/* SPDX-License-Identifier: Apache-2.0 */

#include "config/read.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "config/value.h"

#define READ_PATH_BYTES 300

/* Where the walk stands. */
struct read_walk {
    struct sotto_arena *arena;
    struct config_problems *problems;
    char path[READ_PATH_BYTES];
    size_t path_len;
    bool no_memory;
};

/* Longer names than this are not looked for among similar ones. */
#define READ_SIMILAR_MAX 30

static enum sotto_err read_fields(struct read_walk *walk, const struct config_fields *fields,
                                  const struct config_node *node, const struct config_node *place,
                                  void *base);

/* --- the path ------------------------------------------------------------------------------ */

/* Lengthens the path and returns how long it was, for leave(). */
static size_t enter(struct read_walk *walk, sotto_span name)
{
    size_t mark = walk->path_len;
    char shown[CONFIG_SHOW_BYTES];
    config_show(name, shown);
    int n =
        snprintf(walk->path + mark, sizeof(walk->path) - mark, "%s%s", mark != 0 ? "." : "", shown);
    walk->path_len += (size_t)n < sizeof(walk->path) - mark ? (size_t)n : 0;
    walk->path[walk->path_len] = '\0';
    return mark;
}

static size_t enter_item(struct read_walk *walk, size_t i)
{
    size_t mark = walk->path_len;
    int n = snprintf(walk->path + mark, sizeof(walk->path) - mark, "[%zu]", i);
    walk->path_len += (size_t)n < sizeof(walk->path) - mark ? (size_t)n : 0;
    walk->path[walk->path_len] = '\0';
    return mark;
}

static void leave(struct read_walk *walk, size_t mark)
{
    walk->path_len = mark;
    walk->path[mark] = '\0';
}

/* --- complaints ---------------------------------------------------------------------------- */

/* A sentence about a node, at its place. */
SOTTO_PRINTF(3, 4)
static void complain(struct read_walk *walk, const struct config_node *node, const char *fmt, ...)
{
    char sentence[400];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(sentence, sizeof(sentence), fmt, ap);
    va_end(ap);
    config_problem(walk->problems, node->line, node->column, walk->path, "%s", sentence);
}

/* "must be WHAT, not 'VALUE'", without the value where it may be secret. */
SOTTO_PRINTF(4, 5)
static void complain_value(struct read_walk *walk, const struct config_field *field,
                           const struct config_node *node, const char *fmt, ...)
{
    char what[300], shown[CONFIG_SHOW_BYTES];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(what, sizeof(what), fmt, ap);
    va_end(ap);
    if (node->replaced || field->type == CONFIG_SECRET || node->kind != CONFIG_NODE_VALUE) {
        complain(walk, node, "must be %s", what);
    } else {
        config_show(node->text, shown);
        complain(walk, node, "must be %s, not '%s'", what, shown);
    }
}

/* --- single values -------------------------------------------------------------------------- */

static void *at(void *base, size_t offset)
{
    return (char *)base + offset;
}

static void read_number(struct read_walk *walk, const struct config_field *field,
                        const struct config_node *node, uint64_t *out)
{
    uint64_t number = 0;
    char min[CONFIG_NUMBER_BYTES], max[CONFIG_NUMBER_BYTES];
    const char *what = "a whole number";
    enum sotto_err err;
    if (field->type == CONFIG_SIZE) {
        err = config_parse_size(node->text, &number);
        what = "a size such as 32MiB";
        config_write_size(field->min, min);
        config_write_size(field->max, max);
    } else if (field->type == CONFIG_DURATION) {
        err = config_parse_duration(node->text, &number);
        what = "a duration such as 300s, 5m or 48h";
        config_write_duration(field->min, min);
        config_write_duration(field->max, max);
    } else {
        err = config_parse_count(node->text, &number);
        snprintf(min, sizeof(min), "%" PRIu64, field->min);
        snprintf(max, sizeof(max), "%" PRIu64, field->max);
    }
    if (err != SOTTO_OK) {
        complain_value(walk, field, node, "%s", what);
    } else if (number < field->min || number > field->max) {
        complain_value(walk, field, node, "between %s and %s", min, max);
    } else {
        *out = number;
    }
}

static bool has_control(sotto_span text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.base[i] < 0x20 || text.base[i] == 0x7f) {
            return true;
        }
    }
    return false;
}

static bool has_high(sotto_span text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.base[i] >= 0x80) {
            return true;
        }
    }
    return false;
}

static void read_text(struct read_walk *walk, const struct config_field *field,
                      const struct config_node *node, sotto_span *out)
{
    sotto_span text = node->text;
    if (text.len < field->min && field->min == 1) {
        complain(walk, node, "must not be empty");
    } else if (text.len < field->min) {
        complain(walk, node, "must be at least %" PRIu64 " characters long", field->min);
    } else if (text.len > field->max) {
        complain(walk, node, "must be at most %" PRIu64 " bytes long", field->max);
    } else if (has_control(text)) {
        complain(walk, node, "must not hold line breaks or other control characters");
    } else if (field->type == CONFIG_SECRET && has_high(text)) {
        complain(walk, node, "must be ASCII");
    } else {
        *out = text;
    }
}

/* "token, angle or redact" */
static void list_words(const char *const *words, char out[200])
{
    size_t len = 0;
    for (size_t i = 0; words[i] != NULL; i++) {
        const char *before = i == 0 ? "" : words[i + 1] != NULL ? ", " : " or ";
        int n = snprintf(out + len, 200 - len, "%s%s", before, words[i]);
        len += (size_t)n < 200 - len ? (size_t)n : 0;
    }
}

/* Index of the value among the words; -1 with a complaint. */
static int read_word(struct read_walk *walk, const struct config_field *field,
                     const struct config_node *node)
{
    for (int i = 0; field->words[i] != NULL; i++) {
        if (sotto_span_eq(node->text, sotto_span_str(field->words[i]))) {
            return i;
        }
    }
    char words[200];
    list_words(field->words, words);
    complain_value(walk, field, node, "%s", words);
    return -1;
}

static void read_bool(struct read_walk *walk, const struct config_field *field,
                      const struct config_node *node, bool *out)
{
    bool yes = sotto_span_eq(node->text, SOTTO_LIT("true"));
    if (yes || sotto_span_eq(node->text, SOTTO_LIT("false"))) {
        *out = yes;
    } else {
        complain_value(walk, field, node, "true or false");
    }
}

static void read_address(struct read_walk *walk, const struct config_field *field,
                         const struct config_node *node, struct sotto_config_address *out)
{
    if (field->off && sotto_span_eq(node->text, SOTTO_LIT("off"))) {
        *out = (struct sotto_config_address){0};
    } else if (sotto_config_parse_address(node->text, out) != SOTTO_OK) {
        complain_value(walk, field, node, "an address and a port such as 127.0.0.1:8484%s",
                       field->off ? ", or off" : "");
    }
}

static void read_label(struct read_walk *walk, const struct config_field *field,
                       const struct config_node *node, enum sotto_label *out)
{
    if (!sotto_label_parse(node->text, out)) {
        complain_value(walk, field, node, "a label such as PERSON or ID");
    }
}

static void read_money(struct read_walk *walk, const struct config_field *field,
                       const struct config_node *node, uint64_t *out)
{
    uint64_t nano = 0;
    if (config_parse_money(node->text, &nano) != SOTTO_OK || nano < field->min ||
        nano > field->max) {
        complain_value(walk, field, node, "a number such as 2.50, from %" PRIu64 " to %" PRIu64,
                       field->min / SOTTO_CONFIG_NANO, field->max / SOTTO_CONFIG_NANO);
        return;
    }
    *out = nano;
}

/* A field that is one value; `node` is a value that was given. */
static void read_value(struct read_walk *walk, const struct config_field *field,
                       const struct config_node *node, void *base)
{
    void *to = at(base, field->offset);
    int word;
    switch (field->type) {
    case CONFIG_BOOL:
        read_bool(walk, field, node, to);
        break;
    case CONFIG_COUNT:
    case CONFIG_SIZE:
    case CONFIG_DURATION:
        read_number(walk, field, node, to);
        break;
    case CONFIG_MONEY:
        read_money(walk, field, node, to);
        break;
    case CONFIG_SCORE:
        if (config_parse_score(node->text, to) != SOTTO_OK) {
            complain_value(walk, field, node, "a number from 0 to 1");
        }
        break;
    case CONFIG_TEXT:
    case CONFIG_SECRET:
        read_text(walk, field, node, to);
        break;
    case CONFIG_WORD:
        if ((word = read_word(walk, field, node)) >= 0) {
            *(sotto_span *)to = sotto_span_str(field->words[word]);
        }
        break;
    case CONFIG_EITHER:
        if ((word = read_word(walk, field, node)) >= 0) {
            *(bool *)to = word == 1;
        }
        break;
    case CONFIG_CHOICE:
        if ((word = read_word(walk, field, node)) >= 0) {
            *(uint8_t *)to = (uint8_t)word;
        }
        break;
    case CONFIG_ADDRESS:
        read_address(walk, field, node, to);
        break;
    case CONFIG_URL:
        if (sotto_config_parse_url(node->text, to) != SOTTO_OK) {
            complain_value(walk, field, node, "a URL such as https://api.example.com/v1");
        }
        break;
    case CONFIG_VALKEY:
        if (sotto_config_parse_valkey_url(node->text, to) != SOTTO_OK) {
            complain_value(walk, field, node, "a URL such as rediss://valkey.example.com:6379");
        }
        break;
    case CONFIG_LABEL:
        read_label(walk, field, node, to);
        break;
    case CONFIG_TEXTS:
    case CONFIG_SCORES:
    case CONFIG_SECTION:
    case CONFIG_ITEMS:
    case CONFIG_ENTRIES:
        break; /* not one value */
    }
}

static void read_preset(struct read_walk *walk, const struct config_field *field, void *base)
{
    if (field->preset != NULL) {
        const struct config_node node = {.text = sotto_span_str(field->preset)};
        read_value(walk, field, &node, base);
    }
}

/* --- lists and mappings --------------------------------------------------------------------- */

static void *take_items(struct read_walk *walk, size_t count, size_t bytes)
{
    void *items = sotto_arena_calloc(walk->arena, count + 1, bytes);
    walk->no_memory = walk->no_memory || items == NULL;
    return items;
}

static void read_texts(struct read_walk *walk, const struct config_field *field,
                       const struct config_node *node, struct sotto_config_list *out)
{
    if (node->kind != CONFIG_NODE_LIST) {
        complain_value(walk, field, node, "a list such as [one, two]");
        return;
    }
    sotto_span *items = take_items(walk, node->count, sizeof(*items));
    size_t count = 0;
    const struct config_node *child = items != NULL ? node->first : NULL;
    for (size_t i = 0; child != NULL; child = child->next, i++) {
        size_t mark = enter_item(walk, i);
        if (child->kind != CONFIG_NODE_VALUE) {
            complain(walk, child, "must be a single value");
        } else if (!child->broken) {
            read_text(walk, field, child, &items[count++]);
        }
        leave(walk, mark);
    }
    *out = (struct sotto_config_list){items, items != NULL ? count : 0};
}

static void read_scores(struct read_walk *walk, const struct config_field *field,
                        const struct config_node *node, uint16_t *scores)
{
    if (node->kind != CONFIG_NODE_MAPPING) {
        complain_value(walk, field, node, "a mapping such as {PERSON: 0.6}");
        return;
    }
    for (const struct config_node *child = node->first; child != NULL; child = child->next) {
        enum sotto_label label;
        uint16_t score = 0;
        size_t mark = enter(walk, child->key);
        if (!sotto_label_parse(child->key, &label)) {
            config_problem(walk->problems, child->key_line, child->key_column, walk->path,
                           "is not a label such as PERSON or ID");
        } else if (child->kind != CONFIG_NODE_VALUE ||
                   (!child->broken && config_parse_score(child->text, &score) != SOTTO_OK)) {
            complain_value(walk, field, child, "a number from 0 to 1");
        } else {
            scores[label] = score != 0 ? score : 1; /* 0 would be the built-in threshold */
        }
        leave(walk, mark);
    }
}

/* NOLINTBEGIN(misc-no-recursion): as deep as the table of fields, which is constant */

/* One item or entry: a mapping of fields, or a single value that is short for one of them. */
static void read_item(struct read_walk *walk, const struct config_field *field,
                      const struct config_node *place, void *item)
{
    const struct config_node *given = place;
    if (config_node_is_null(place)) {
        given = NULL;
    } else if (place->kind == CONFIG_NODE_VALUE && field->short_for != NULL) {
        for (size_t i = 0; i < field->fields.count; i++) {
            const struct config_field *one = &field->fields.list[i];
            if (strcmp(one->name, field->short_for) != 0) {
                read_preset(walk, one, item);
            } else if (!place->broken) {
                read_value(walk, one, place, item);
            }
        }
        return;
    } else if (place->kind != CONFIG_NODE_MAPPING) {
        complain(walk, place, "must be a mapping (key: value)");
        return;
    }
    walk->no_memory =
        read_fields(walk, &field->fields, given, place, item) != SOTTO_OK || walk->no_memory;
}

static void read_items(struct read_walk *walk, const struct config_field *field,
                       const struct config_node *node, void *base)
{
    if (node->kind != CONFIG_NODE_LIST) {
        complain(walk, node, "must be a list");
        return;
    }
    char *items = take_items(walk, node->count, field->item_bytes);
    size_t count = 0;
    const struct config_node *child = items != NULL ? node->first : NULL;
    for (; child != NULL; child = child->next) {
        size_t mark = enter_item(walk, count);
        read_item(walk, field, child, items + count++ * field->item_bytes);
        leave(walk, mark);
    }
    *(void **)at(base, field->offset) = items;
    *(size_t *)at(base, field->count_offset) = count;
}

static bool is_flag(const struct config_field *field, const struct config_node *child)
{
    return field->flag != NULL && child->kind == CONFIG_NODE_VALUE &&
           sotto_span_eq(child->key, sotto_span_str(field->flag));
}

static void read_entries(struct read_walk *walk, const struct config_field *field,
                         const struct config_node *node, void *base)
{
    const struct config_field flag = {.type = CONFIG_BOOL, .offset = field->flag_offset};
    if (node->kind != CONFIG_NODE_MAPPING) {
        complain(walk, node, "must be a mapping (name: ...)");
        return;
    }
    char *items = take_items(walk, node->count, field->item_bytes);
    size_t count = 0;
    const struct config_node *child = items != NULL ? node->first : NULL;
    for (; child != NULL; child = child->next) {
        size_t mark = enter(walk, child->key);
        if (is_flag(field, child)) {
            if (!child->broken) {
                read_value(walk, &flag, child, base);
            }
        } else if (!child->broken || child->kind == CONFIG_NODE_VALUE) {
            char *item = items + count++ * field->item_bytes;
            *(sotto_span *)(void *)item = child->key;
            read_item(walk, field, child, item);
        }
        leave(walk, mark);
    }
    *(void **)at(base, field->offset) = items;
    *(size_t *)at(base, field->count_offset) = count;
}

/* --- fields --------------------------------------------------------------------------------- */

static bool is_collection(enum config_type type)
{
    return type == CONFIG_TEXTS || type == CONFIG_SCORES || type == CONFIG_SECTION ||
           type == CONFIG_ITEMS || type == CONFIG_ENTRIES;
}

static void read_collection(struct read_walk *walk, const struct config_field *field,
                            const struct config_node *node, void *base)
{
    if (field->type == CONFIG_TEXTS) {
        read_texts(walk, field, node, at(base, field->offset));
    } else if (field->type == CONFIG_SCORES) {
        read_scores(walk, field, node, at(base, field->offset));
    } else if (field->type == CONFIG_ITEMS) {
        read_items(walk, field, node, base);
    } else if (field->type == CONFIG_ENTRIES) {
        read_entries(walk, field, node, base);
    }
}

static void read_section(struct read_walk *walk, const struct config_field *field,
                         const struct config_node *node, void *base)
{
    if (!config_node_is_null(node) && node->kind != CONFIG_NODE_MAPPING) {
        complain(walk, node, "must be a mapping (key: value)");
        node = NULL;
    }
    walk->no_memory = read_fields(walk, &field->fields, config_node_is_null(node) ? NULL : node,
                                  node, base) != SOTTO_OK ||
                      walk->no_memory;
}

/* One field; `node` is NULL where it is not given. */
static void read_field(struct read_walk *walk, const struct config_field *field,
                       const struct config_node *node, const struct config_node *place, void *base)
{
    if (field->type == CONFIG_SECTION) {
        read_section(walk, field, node, base);
        return;
    }
    if (is_collection(field->type)) {
        if (!config_node_is_null(node)) {
            read_collection(walk, field, node, base);
        }
        return;
    }
    read_preset(walk, field, base);
    if (node == NULL) {
        if (field->required && place != NULL) {
            config_problem(walk->problems, place->key_line, place->key_column, walk->path,
                           "is missing");
        }
    } else if (node->kind != CONFIG_NODE_VALUE) {
        complain(walk, node, "must be a single value");
    } else if (config_node_is_null(node)) {
        complain(walk, node, "has no value");
    } else if (!node->broken) {
        read_value(walk, field, node, base);
    }
}

/* NOLINTEND(misc-no-recursion) */

/* Number of letters to change, add or leave out (Levenshtein). */
static size_t distance(sotto_span a, sotto_span b)
{
    size_t row[READ_SIMILAR_MAX + 1];
    for (size_t j = 0; j <= b.len; j++) {
        row[j] = j;
    }
    for (size_t i = 1; i <= a.len; i++) {
        size_t corner = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b.len; j++) {
            size_t change = corner + (a.base[i - 1] != b.base[j - 1] ? 1 : 0);
            corner = row[j];
            size_t least = row[j] < row[j - 1] ? row[j] + 1 : row[j - 1] + 1;
            row[j] = change < least ? change : least;
        }
    }
    return row[b.len];
}

/* The field that a wrong key was perhaps meant to be; NULL: none is near. */
static const char *similar(const struct config_fields *fields, sotto_span key)
{
    const char *best = NULL;
    size_t least = 3;
    for (size_t i = 0; key.len <= READ_SIMILAR_MAX && i < fields->count; i++) {
        size_t d = distance(key, sotto_span_str(fields->list[i].name));
        if (d < least && d < key.len) {
            least = d;
            best = fields->list[i].name;
        }
    }
    return best;
}

static bool is_known(const struct config_fields *fields, sotto_span key)
{
    for (size_t i = 0; i < fields->count; i++) {
        if (sotto_span_eq(sotto_span_str(fields->list[i].name), key)) {
            return true;
        }
    }
    return false;
}

static void find_unknown(struct read_walk *walk, const struct config_fields *fields,
                         const struct config_node *node)
{
    const struct config_node *child = node->first;
    for (; child != NULL && walk->problems->list->count < CONFIG_PROBLEMS_MAX;
         child = child->next) {
        if (!is_known(fields, child->key)) {
            const char *meant = similar(fields, child->key);
            size_t mark = enter(walk, child->key);
            config_problem(walk->problems, child->key_line, child->key_column, walk->path,
                           "is not a known key%s%s%s", meant != NULL ? "; did you mean " : "",
                           meant != NULL ? meant : "", meant != NULL ? "?" : "");
            leave(walk, mark);
        }
    }
}

/* NOLINTBEGIN(misc-no-recursion): see above */
/* All fields of a mapping; `node` is NULL where none is given, `place` where to say so. */
static enum sotto_err read_fields(struct read_walk *walk, const struct config_fields *fields,
                                  const struct config_node *node, const struct config_node *place,
                                  void *base)
{
    for (size_t i = 0; i < fields->count && !walk->no_memory; i++) {
        const struct config_field *field = &fields->list[i];
        size_t mark = enter(walk, sotto_span_str(field->name));
        read_field(walk, field, config_node_child(node, sotto_span_str(field->name)), place, base);
        leave(walk, mark);
    }
    if (node != NULL) {
        find_unknown(walk, fields, node);
    }
    return walk->no_memory || walk->problems->no_memory ? SOTTO_ENOMEM : SOTTO_OK;
}
/* NOLINTEND(misc-no-recursion) */

enum sotto_err config_read_draft(const struct config_node *root, struct config_draft *draft,
                                 struct config_problems *problems)
{
    struct read_walk walk = {.arena = &draft->c.arena, .problems = problems};
    if (root != NULL && root->kind != CONFIG_NODE_MAPPING) {
        complain(&walk, root, "the file must be a mapping (key: value)");
        root = NULL;
    }
    return read_fields(&walk, &config_schema, root, NULL, draft);
}
