/* SPDX-License-Identifier: Apache-2.0 */

#include "config/tree.h"

#include <stdlib.h>
#include <yaml.h>

#include "base/alloc.h"

/* What reading a text needs at hand. */
struct tree_reader {
    yaml_parser_t parser;
    const struct sotto_config_env *env;
    struct sotto_arena *arena;
    struct config_problems *problems;
    sotto_span yaml;
    size_t nodes;
    struct config_node *open[SOTTO_CONFIG_MAX_DEPTH]; /* lists and mappings around here */
    size_t depth;
    struct config_node *key; /* of a mapping, waiting for its value */
    struct config_node *root;
};

static uint32_t to_u32(size_t n)
{
    return n < UINT32_MAX ? (uint32_t)n : UINT32_MAX;
}

static uint32_t line_of(const yaml_mark_t *mark)
{
    return to_u32(mark->line + 1);
}

static uint32_t column_of(const yaml_mark_t *mark)
{
    return to_u32(mark->column + 1);
}

static enum sotto_err refuse(struct tree_reader *rd, const yaml_mark_t *mark, const char *sentence)
{
    config_problem(rd->problems, line_of(mark), column_of(mark), "", "%s", sentence);
    return SOTTO_EINVAL;
}

/* --- ${NAME} in flow mappings ---------------------------------------------------------------- */

/*
 * YAML does not allow braces in plain values inside of {...}, but `{key: ${NAME}}` is how people
 * write it.  So while libyaml reads, the braces of a reference are two noncharacters, which
 * Unicode leaves to programs for such use; they count as one column each, as the braces do.
 */
#define TREE_OPEN  "\xef\xb7\x90" /* U+FDD0 */
#define TREE_CLOSE "\xef\xb7\x91" /* U+FDD1 */

static bool is_name_byte(uint8_t c, bool first)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' ||
           (!first && c >= '0' && c <= '9');
}

/* Length of the reference at the start of `in`, braces included; 0: there is none. */
static size_t reference_length(sotto_span in)
{
    size_t i = 2;
    if (!sotto_span_starts(in, SOTTO_LIT("${"))) {
        return 0;
    }
    while (i < in.len && is_name_byte(in.base[i], i == 2)) {
        i++;
    }
    if (i > 2 && sotto_span_starts(sotto_span_skip(in, i), SOTTO_LIT(":-"))) {
        while (i < in.len && strchr("}\n\"'", in.base[i]) == NULL) {
            i++;
        }
    }
    return i > 2 && i < in.len && in.base[i] == '}' ? i + 1 : 0;
}

static enum sotto_err append_hidden(sotto_span inner, struct sotto_buf *out)
{
    enum sotto_err err = sotto_buf_append(out, SOTTO_LIT("$" TREE_OPEN));
    if (err == SOTTO_OK) {
        err = sotto_buf_append(out, inner);
    }
    return err == SOTTO_OK ? sotto_buf_append(out, SOTTO_LIT(TREE_CLOSE)) : err;
}

static enum sotto_err hide_braces(sotto_span in, struct sotto_buf *out)
{
    enum sotto_err err = SOTTO_OK;
    while (err == SOTTO_OK && in.len != 0) {
        const uint8_t *dollar = memchr(in.base, '$', in.len);
        size_t n = dollar != NULL ? (size_t)(dollar - in.base) : in.len;
        err = sotto_buf_append(out, sotto_span_sub(in, 0, n));
        in = sotto_span_skip(in, n);
        n = reference_length(in);
        if (err == SOTTO_OK && n != 0) {
            err = append_hidden(sotto_span_sub(in, 2, n - 1), out);
        } else if (err == SOTTO_OK && in.len != 0) {
            n = 1;
            err = sotto_buf_push(out, '$');
        }
        in = sotto_span_skip(in, n);
    }
    return err;
}

/* Copies the text of a value, with its braces. */
static enum sotto_err show_braces(struct sotto_arena *arena, sotto_span in, sotto_span *out)
{
    char *copy = sotto_arena_alloc(arena, in.len + 1);
    size_t n = 0;
    if (copy == NULL) {
        return SOTTO_ENOMEM;
    }
    for (size_t i = 0; i < in.len; n++) {
        sotto_span rest = sotto_span_skip(in, i);
        bool open = sotto_span_starts(rest, SOTTO_LIT(TREE_OPEN));
        bool close = sotto_span_starts(rest, SOTTO_LIT(TREE_CLOSE));
        copy[n] = (char)in.base[i];
        if (open || close) {
            copy[n] = open ? '{' : '}';
        }
        i += open || close ? sizeof(TREE_OPEN) - 1 : 1;
    }
    *out = sotto_span_init(copy, n);
    return SOTTO_OK;
}

/* --- ${NAME} ------------------------------------------------------------------------------- */

#define TREE_NAME_MAX 128

/* A reference "${NAME}" or "${NAME:-text}" at the start of `in`. */
struct tree_reference {
    char name[TREE_NAME_MAX + 1];
    sotto_span otherwise;
    bool has_otherwise;
    size_t len; /* of all of it */
};

/* Reads the reference at the start of `in`, which begins with "${".  NULL, or what is wrong. */
static const char *read_reference(sotto_span in, struct tree_reference *ref)
{
    const uint8_t *end = memchr(in.base, '}', in.len);
    if (end == NULL) {
        return "'${' without a '}'; write $${ for the two characters themselves";
    }
    ref->len = (size_t)(end - in.base) + 1;
    sotto_span body = sotto_span_sub(in, 2, ref->len - 1);
    size_t n = 0;
    while (n < body.len && n < TREE_NAME_MAX && is_name_byte(body.base[n], n == 0)) {
        ref->name[n] = (char)body.base[n];
        n++;
    }
    ref->name[n] = '\0';
    body = sotto_span_skip(body, n);
    ref->has_otherwise = sotto_span_starts(body, SOTTO_LIT(":-"));
    if (n == 0 || (body.len != 0 && !ref->has_otherwise)) {
        return "'${' must be followed by the name of an environment variable and a '}'";
    }
    ref->otherwise = ref->has_otherwise ? sotto_span_skip(body, 2) : body;
    return NULL;
}

/* Remembers a value, so that no sentence about the file repeats it. */
static enum sotto_err hide(struct tree_reader *rd, const char *name, const char *value)
{
    for (const struct config_hidden *h = rd->problems->hidden; h != NULL; h = h->next) {
        if (strcmp(h->name, name) == 0) {
            return SOTTO_OK;
        }
    }
    struct config_hidden *hidden = sotto_arena_calloc(rd->arena, 1, sizeof(*hidden));
    char *copy = sotto_arena_calloc(rd->arena, 1, strlen(name) + 1);
    if (hidden == NULL || copy == NULL) {
        return SOTTO_ENOMEM;
    }
    memcpy(copy, name, strlen(name));
    *hidden = (struct config_hidden){rd->problems->hidden, copy, value};
    rd->problems->hidden = hidden;
    return SOTTO_OK;
}

/* Appends what the reference at the start of `in` stands for. */
static enum sotto_err append_reference(struct tree_reader *rd, struct config_node *node,
                                       sotto_span in, struct sotto_buf *out, size_t *used)
{
    struct tree_reference ref;
    const char *wrong = read_reference(in, &ref);
    *used = 2;
    if (wrong != NULL) {
        config_problem(rd->problems, node->line, node->column, "", "%s", wrong);
        node->broken = true;
        return SOTTO_OK;
    }
    *used = ref.len;
    const char *value = rd->env != NULL ? rd->env->get(rd->env->ctx, ref.name) : NULL;
    if (value == NULL && !ref.has_otherwise) {
        config_problem(rd->problems, node->line, node->column, "",
                       "the environment variable %s is not set", ref.name);
        node->broken = true;
        return SOTTO_OK;
    }
    node->replaced = true;
    if (value == NULL) {
        return sotto_buf_append(out, ref.otherwise);
    }
    enum sotto_err err = hide(rd, ref.name, value);
    return err == SOTTO_OK ? sotto_buf_append(out, sotto_span_str(value)) : err;
}

/* Replaces references in the text of a value. */
static enum sotto_err replace_references(struct tree_reader *rd, struct config_node *node)
{
    sotto_span in = node->text;
    if (in.len == 0 || memchr(in.base, '$', in.len) == NULL) {
        return SOTTO_OK;
    }
    struct sotto_buf out;
    sotto_buf_init(&out, SOTTO_CONFIG_MAX_BYTES);
    enum sotto_err err = SOTTO_OK;
    while (err == SOTTO_OK && in.len != 0) {
        size_t used = 1;
        if (sotto_span_starts(in, SOTTO_LIT("$${"))) {
            used = 3;
            err = sotto_buf_append(&out, SOTTO_LIT("${"));
        } else if (sotto_span_starts(in, SOTTO_LIT("${"))) {
            err = append_reference(rd, node, in, &out, &used);
        } else {
            err = sotto_buf_push(&out, in.base[0]);
        }
        in = sotto_span_skip(in, used);
    }
    if (err == SOTTO_OK) {
        err = sotto_arena_copy(rd->arena, sotto_buf_span(&out), &node->text);
    }
    sotto_buf_free(&out);
    return err;
}

/* --- building ------------------------------------------------------------------------------ */

static enum sotto_err new_node(struct tree_reader *rd, enum config_node_kind kind,
                               const yaml_mark_t *mark, struct config_node **out)
{
    if (++rd->nodes > SOTTO_CONFIG_MAX_NODES) {
        return refuse(rd, mark, "the file holds too many values");
    }
    struct config_node *node = sotto_arena_calloc(rd->arena, 1, sizeof(*node));
    if (node == NULL) {
        return SOTTO_ENOMEM;
    }
    node->kind = kind;
    node->line = line_of(mark);
    node->column = column_of(mark);
    *out = node;
    return SOTTO_OK;
}

static struct config_node *innermost(const struct tree_reader *rd)
{
    return rd->depth != 0 ? rd->open[rd->depth - 1] : NULL;
}

/* Whether a value that comes now is a key. */
static bool key_is_due(const struct tree_reader *rd)
{
    const struct config_node *parent = innermost(rd);
    return parent != NULL && parent->kind == CONFIG_NODE_MAPPING && rd->key == NULL;
}

/* Hangs a node into the innermost open list or mapping. */
static void attach(struct tree_reader *rd, struct config_node *node)
{
    struct config_node *parent = innermost(rd);
    if (parent == NULL) {
        rd->root = node;
        return;
    }
    if (parent->kind == CONFIG_NODE_MAPPING) {
        node->key = rd->key->text;
        node->key_line = rd->key->line;
        node->key_column = rd->key->column;
        rd->key = NULL;
    } else {
        node->key_line = node->line;
        node->key_column = node->column;
    }
    if (parent->first == NULL) {
        parent->first = node;
    } else {
        parent->last->next = node;
    }
    parent->last = node;
    parent->count++;
}

static enum sotto_err on_value(struct tree_reader *rd, const yaml_event_t *event)
{
    struct config_node *node = NULL;
    bool is_key = key_is_due(rd);
    enum sotto_err err = new_node(rd, CONFIG_NODE_VALUE, &event->start_mark, &node);
    if (err != SOTTO_OK) {
        return err;
    }
    node->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    err =
        show_braces(rd->arena, sotto_span_init(event->data.scalar.value, event->data.scalar.length),
                    &node->text);
    if (err != SOTTO_OK) {
        return err;
    }
    if (is_key) {
        rd->key = node;
        return SOTTO_OK;
    }
    attach(rd, node);
    return replace_references(rd, node);
}

static enum sotto_err on_start(struct tree_reader *rd, enum config_node_kind kind,
                               const yaml_event_t *event)
{
    struct config_node *node = NULL;
    if (key_is_due(rd)) {
        return refuse(rd, &event->start_mark, "a key must be a single value");
    }
    if (rd->depth == SOTTO_CONFIG_MAX_DEPTH) {
        return refuse(rd, &event->start_mark, "the values are nested too deep");
    }
    enum sotto_err err = new_node(rd, kind, &event->start_mark, &node);
    if (err == SOTTO_OK) {
        attach(rd, node);
        rd->open[rd->depth++] = node;
    }
    return err;
}

static int compare_keys(const void *a, const void *b)
{
    const struct config_node *x = *(struct config_node *const *)a;
    const struct config_node *y = *(struct config_node *const *)b;
    size_t common = x->key.len < y->key.len ? x->key.len : y->key.len;
    int order = common != 0 ? memcmp(x->key.base, y->key.base, common) : 0;
    if (order == 0 && x->key.len != y->key.len) {
        order = x->key.len < y->key.len ? -1 : 1;
    }
    if (order == 0 && x->key_line != y->key_line) {
        order = x->key_line < y->key_line ? -1 : 1;
    }
    if (order == 0 && x->key_column != y->key_column) {
        order = x->key_column < y->key_column ? -1 : 1;
    }
    return order;
}

/* Complains about keys that a mapping has twice; the later one is broken. */
static enum sotto_err find_doubles(struct tree_reader *rd, struct config_node *mapping)
{
    struct config_node **sorted = sotto_calloc(mapping->count + 1, sizeof(struct config_node *));
    if (sorted == NULL) {
        return SOTTO_ENOMEM;
    }
    size_t n = 0;
    for (struct config_node *child = mapping->first; child != NULL; child = child->next) {
        sorted[n++] = child;
    }
    qsort(sorted, n, sizeof(struct config_node *), compare_keys);
    for (size_t i = 1; i < n; i++) {
        if (sotto_span_eq(sorted[i - 1]->key, sorted[i]->key)) {
            char key[CONFIG_SHOW_BYTES];
            config_show(sorted[i]->key, key);
            config_problem(rd->problems, sorted[i]->key_line, sorted[i]->key_column, key,
                           "is given twice, before in line %u", sorted[i - 1]->key_line);
            sorted[i]->broken = true;
        }
    }
    sotto_free(sorted);
    return SOTTO_OK;
}

static enum sotto_err on_end(struct tree_reader *rd)
{
    struct config_node *node = rd->open[--rd->depth];
    return node->kind == CONFIG_NODE_MAPPING ? find_doubles(rd, node) : SOTTO_OK;
}

/* What we refuse of what YAML allows; NULL: nothing. */
static const char *forbidden(const yaml_event_t *event)
{
    const yaml_char_t *anchor = NULL, *tag = NULL;
    switch ((int)event->type) {
    case YAML_ALIAS_EVENT:
        return "aliases are not allowed";
    case YAML_SCALAR_EVENT:
        anchor = event->data.scalar.anchor;
        tag = event->data.scalar.tag;
        break;
    case YAML_SEQUENCE_START_EVENT:
        anchor = event->data.sequence_start.anchor;
        tag = event->data.sequence_start.tag;
        break;
    case YAML_MAPPING_START_EVENT:
        anchor = event->data.mapping_start.anchor;
        tag = event->data.mapping_start.tag;
        break;
    default:
        break;
    }
    if (anchor != NULL) {
        return "anchors are not allowed";
    }
    return tag != NULL ? "tags are not allowed" : NULL;
}

static enum sotto_err on_event(struct tree_reader *rd, const yaml_event_t *event, bool *end)
{
    const char *sentence = forbidden(event);
    if (sentence != NULL) {
        return refuse(rd, &event->start_mark, sentence);
    }
    switch ((int)event->type) {
    case YAML_DOCUMENT_START_EVENT:
        return rd->root == NULL ? SOTTO_OK
                                : refuse(rd, &event->start_mark, "the file must be one document");
    case YAML_SCALAR_EVENT:
        return on_value(rd, event);
    case YAML_SEQUENCE_START_EVENT:
        return on_start(rd, CONFIG_NODE_LIST, event);
    case YAML_MAPPING_START_EVENT:
        return on_start(rd, CONFIG_NODE_MAPPING, event);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        return on_end(rd);
    case YAML_STREAM_END_EVENT:
        *end = true;
        return SOTTO_OK;
    default:
        return SOTTO_OK;
    }
}

/* The place of a byte, for errors of encoding, where libyaml knows only the offset. */
static yaml_mark_t mark_of_offset(sotto_span yaml, size_t offset)
{
    yaml_mark_t mark = {0, 0, 0};
    for (size_t i = 0; i < offset && i < yaml.len; i++) {
        bool newline = yaml.base[i] == '\n';
        mark.line += newline ? 1 : 0;
        mark.column = newline ? 0 : mark.column + ((yaml.base[i] & 0xc0) != 0x80 ? 1 : 0);
    }
    return mark;
}

static enum sotto_err refuse_syntax(struct tree_reader *rd)
{
    const yaml_parser_t *parser = &rd->parser;
    if (parser->error == YAML_MEMORY_ERROR) {
        return SOTTO_ENOMEM;
    }
    yaml_mark_t mark = parser->error == YAML_READER_ERROR
                           ? mark_of_offset(rd->yaml, parser->problem_offset)
                           : parser->problem_mark;
    config_problem(rd->problems, line_of(&mark), column_of(&mark), "", "is not YAML: %s%s%s",
                   parser->context != NULL ? parser->context : "",
                   parser->context != NULL ? ", " : "",
                   parser->problem != NULL ? parser->problem : "it cannot be read");
    return SOTTO_EINVAL;
}

static enum sotto_err read_events(struct tree_reader *rd)
{
    enum sotto_err err = SOTTO_OK;
    bool end = false;
    while (err == SOTTO_OK && !end) {
        yaml_event_t event;
        if (yaml_parser_parse(&rd->parser, &event) == 0) {
            return refuse_syntax(rd);
        }
        err = on_event(rd, &event, &end);
        yaml_event_delete(&event);
    }
    return err;
}

static enum sotto_err read_text(struct tree_reader *rd)
{
    if (yaml_parser_initialize(&rd->parser) == 0) {
        return SOTTO_ENOMEM;
    }
    yaml_parser_set_encoding(&rd->parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(
        &rd->parser, rd->yaml.base != NULL ? rd->yaml.base : (const uint8_t *)"", rd->yaml.len);
    enum sotto_err err = read_events(rd);
    yaml_parser_delete(&rd->parser);
    return err;
}

enum sotto_err config_tree_read(sotto_span yaml, const struct sotto_config_env *env,
                                struct sotto_arena *arena, struct config_problems *problems,
                                struct config_node **root)
{
    struct tree_reader rd = {.env = env, .arena = arena, .problems = problems};
    struct sotto_buf text;
    if (yaml.len > SOTTO_CONFIG_MAX_BYTES) {
        config_problem(problems, 0, 0, "", "the file is longer than 4 MiB");
        return SOTTO_EINVAL;
    }
    if (yaml.len != 0 &&
        (memmem(yaml.base, yaml.len, TREE_OPEN, sizeof(TREE_OPEN) - 1) != NULL ||
         memmem(yaml.base, yaml.len, TREE_CLOSE, sizeof(TREE_CLOSE) - 1) != NULL)) {
        config_problem(problems, 0, 0, "", "the file holds noncharacters (U+FDD0, U+FDD1)");
        return SOTTO_EINVAL;
    }
    sotto_buf_init(&text, SOTTO_BUF_UNBOUNDED);
    enum sotto_err err = hide_braces(yaml, &text);
    if (err == SOTTO_OK) {
        rd.yaml = sotto_buf_span(&text);
        err = read_text(&rd);
    }
    sotto_buf_free(&text);
    if (err == SOTTO_OK) {
        *root = config_node_is_null(rd.root) ? NULL : rd.root;
    }
    return err;
}

struct config_node *config_node_child(const struct config_node *node, sotto_span key)
{
    if (node == NULL || node->kind != CONFIG_NODE_MAPPING) {
        return NULL;
    }
    for (struct config_node *child = node->first; child != NULL; child = child->next) {
        if (sotto_span_eq(child->key, key)) {
            return child;
        }
    }
    return NULL;
}

struct config_node *config_node_at(const struct config_node *node, size_t i)
{
    struct config_node *child = node != NULL ? node->first : NULL;
    while (child != NULL && i-- > 0) {
        child = child->next;
    }
    return child;
}

bool config_node_is_null(const struct config_node *node)
{
    return node == NULL ||
           (node->kind == CONFIG_NODE_VALUE && node->plain && !node->replaced && !node->broken &&
            (node->text.len == 0 || sotto_span_eq(node->text, SOTTO_LIT("~")) ||
             sotto_span_eq(node->text, SOTTO_LIT("null"))));
}
