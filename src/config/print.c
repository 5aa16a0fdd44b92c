/* SPDX-License-Identifier: Apache-2.0 */

#include <inttypes.h>
#include <stdio.h>

#include "config/schema.h"
#include "config/value.h"
#include "json/json.h"

/* --- JSON Schema ---------------------------------------------------------------------------- */

/* A document being built; a failed allocation is remembered. */
struct print_schema {
    yyjson_mut_doc *doc;
    bool failed;
};

static void put(struct print_schema *s, yyjson_mut_val *obj, const char *key, yyjson_mut_val *val)
{
    s->failed = s->failed || val == NULL || !yyjson_mut_obj_add_val(s->doc, obj, key, val);
}

static void put_text(struct print_schema *s, yyjson_mut_val *obj, const char *key, const char *text)
{
    put(s, obj, key, yyjson_mut_strcpy(s->doc, text));
}

static void put_number(struct print_schema *s, yyjson_mut_val *obj, const char *key,
                       uint64_t number)
{
    put(s, obj, key, yyjson_mut_uint(s->doc, number));
}

static yyjson_mut_val *put_object(struct print_schema *s, yyjson_mut_val *obj, const char *key)
{
    yyjson_mut_val *child = yyjson_mut_obj(s->doc);
    put(s, obj, key, child);
    return child;
}

static void append(struct print_schema *s, yyjson_mut_val *arr, yyjson_mut_val *val)
{
    s->failed = s->failed || val == NULL || !yyjson_mut_arr_append(arr, val);
}

/* Puts "anyOf": the returned schema, or text with a reference to the environment. */
static yyjson_mut_val *put_or_reference(struct print_schema *s, yyjson_mut_val *obj)
{
    yyjson_mut_val *any = yyjson_mut_arr(s->doc);
    yyjson_mut_val *one = yyjson_mut_obj(s->doc), *reference = yyjson_mut_obj(s->doc);
    put_text(s, reference, "$ref", "#/$defs/reference");
    append(s, any, one);
    append(s, any, reference);
    put(s, obj, "anyOf", any);
    return one;
}

static void put_words(struct print_schema *s, yyjson_mut_val *obj, const char *const *words)
{
    yyjson_mut_val *list = yyjson_mut_arr(s->doc);
    for (size_t i = 0; words[i] != NULL; i++) {
        append(s, list, yyjson_mut_strcpy(s->doc, words[i]));
    }
    put(s, obj, "enum", list);
}

static void put_labels(struct print_schema *s, yyjson_mut_val *obj)
{
    yyjson_mut_val *list = yyjson_mut_arr(s->doc);
    for (unsigned i = 0; i < SOTTO_LABEL_COUNT; i++) {
        append(s, list, yyjson_mut_strcpy(s->doc, sotto_label_name((enum sotto_label)i)));
    }
    put(s, obj, "enum", list);
}

static void put_text_type(struct print_schema *s, yyjson_mut_val *obj,
                          const struct config_field *field)
{
    put_text(s, obj, "type", "string");
    if (field->min != 0) {
        put_number(s, obj, "minLength", field->min == 1 ? 1 : 4); /* "${X}" is short for more */
    }
}

static void put_default(struct print_schema *s, yyjson_mut_val *obj,
                        const struct config_field *field)
{
    if (field->preset == NULL) {
        return;
    }
    if (field->type == CONFIG_BOOL) {
        put(s, obj, "default", yyjson_mut_bool(s->doc, strcmp(field->preset, "true") == 0));
    } else if (field->type == CONFIG_COUNT || field->type == CONFIG_MONEY) { /* money: whole */
        uint64_t count = 0;
        s->failed =
            s->failed || config_parse_count(sotto_span_str(field->preset), &count) != SOTTO_OK;
        put_number(s, obj, "default", count);
    } else if (field->type == CONFIG_SCORE) {
        uint16_t score = 0;
        s->failed =
            s->failed || config_parse_score(sotto_span_str(field->preset), &score) != SOTTO_OK;
        put(s, obj, "default", yyjson_mut_real(s->doc, score / (double)SOTTO_SCORE_MAX));
    } else {
        put_text(s, obj, "default", field->preset);
    }
}

/* NOLINTBEGIN(misc-no-recursion): as deep as the table of fields, which is constant */
static void put_object_type(struct print_schema *s, yyjson_mut_val *obj,
                            const struct config_fields *fields);

/* A mapping of fields, or a single text that is short for one of them. */
static void put_item(struct print_schema *s, yyjson_mut_val *obj, const struct config_field *field)
{
    if (field->short_for == NULL) {
        put_object_type(s, obj, &field->fields);
        return;
    }
    yyjson_mut_val *any = yyjson_mut_arr(s->doc);
    yyjson_mut_val *mapping = yyjson_mut_obj(s->doc), *text = yyjson_mut_obj(s->doc);
    put_object_type(s, mapping, &field->fields);
    put_text(s, text, "type", "string");
    append(s, any, mapping);
    append(s, any, text);
    put(s, obj, "anyOf", any);
}

static void put_entries(struct print_schema *s, yyjson_mut_val *obj,
                        const struct config_field *field)
{
    put_text(s, obj, "type", "object");
    if (field->flag != NULL) {
        yyjson_mut_val *flag = put_object(s, put_object(s, obj, "properties"), field->flag);
        yyjson_mut_val *any = yyjson_mut_arr(s->doc);
        yyjson_mut_val *yes = yyjson_mut_obj(s->doc), *entry = yyjson_mut_obj(s->doc);
        put_text(s, yes, "type", "boolean");
        put_item(s, entry, field);
        append(s, any, yes);
        append(s, any, entry);
        put(s, flag, "anyOf", any);
    }
    put_item(s, put_object(s, obj, "additionalProperties"), field);
}

static void put_scores(struct print_schema *s, yyjson_mut_val *obj)
{
    put_text(s, obj, "type", "object");
    put_labels(s, put_object(s, obj, "propertyNames"));
    yyjson_mut_val *score = put_object(s, obj, "additionalProperties");
    put_text(s, score, "type", "number");
    put_number(s, score, "minimum", 0);
    put_number(s, score, "maximum", 1);
}

static void put_number_type(struct print_schema *s, yyjson_mut_val *obj,
                            const struct config_field *field)
{
    yyjson_mut_val *one = put_or_reference(s, obj);
    bool whole = field->type == CONFIG_COUNT;
    put_text(s, one, "type", whole ? "integer" : "number");
    put_number(s, one, "minimum", whole ? field->min : 0);
    put_number(s, one, "maximum", whole ? field->max : 1);
}

static void put_money_type(struct print_schema *s, yyjson_mut_val *obj,
                           const struct config_field *field)
{
    yyjson_mut_val *one = put_or_reference(s, obj);
    put_text(s, one, "type", "number");
    put_number(s, one, "minimum", field->min / SOTTO_CONFIG_NANO);
    put_number(s, one, "maximum", field->max / SOTTO_CONFIG_NANO);
}

static void put_field(struct print_schema *s, yyjson_mut_val *obj, const struct config_field *field)
{
    yyjson_mut_val *list;
    put_text(s, obj, "description", field->about);
    switch (field->type) {
    case CONFIG_BOOL:
        put_text(s, put_or_reference(s, obj), "type", "boolean");
        break;
    case CONFIG_COUNT:
    case CONFIG_SCORE:
        put_number_type(s, obj, field);
        break;
    case CONFIG_MONEY:
        put_money_type(s, obj, field);
        break;
    case CONFIG_SIZE:
        list = yyjson_mut_arr(s->doc);
        append(s, list, yyjson_mut_strcpy(s->doc, "string"));
        append(s, list, yyjson_mut_strcpy(s->doc, "integer"));
        put(s, obj, "type", list);
        put_text(s, obj, "pattern", "^[0-9]+(B|KiB|MiB|GiB)?$|\\$\\{");
        break;
    case CONFIG_DURATION:
        put_text(s, obj, "type", "string");
        put_text(s, obj, "pattern", "^[0-9]+(ms|s|m|h|d)$|\\$\\{");
        break;
    case CONFIG_TEXT:
    case CONFIG_SECRET:
        put_text_type(s, obj, field);
        break;
    case CONFIG_WORD:
    case CONFIG_EITHER:
    case CONFIG_CHOICE:
        put_words(s, put_or_reference(s, obj), field->words);
        break;
    case CONFIG_ADDRESS:
        put_text(s, obj, "type", "string");
        put_text(s, obj, "pattern", "^(\\[[0-9A-Fa-f:]+\\]|[0-9.]+):[0-9]+$|^off$|\\$\\{");
        break;
    case CONFIG_URL:
        put_text(s, obj, "type", "string");
        put_text(s, obj, "pattern", "^[Hh][Tt][Tt][Pp][Ss]?://|\\$\\{");
        break;
    case CONFIG_VALKEY:
        put_text(s, obj, "type", "string");
        put_text(s, obj, "pattern", "^[Rr][Ee][Dd][Ii][Ss][Ss]?://|\\$\\{");
        break;
    case CONFIG_LABEL:
        put_labels(s, put_or_reference(s, obj));
        break;
    case CONFIG_TEXTS:
        put_text(s, obj, "type", "array");
        put_text_type(s, put_object(s, obj, "items"), field);
        break;
    case CONFIG_SCORES:
        put_scores(s, obj);
        break;
    case CONFIG_SECTION:
        put_object_type(s, obj, &field->fields);
        break;
    case CONFIG_ITEMS:
        put_text(s, obj, "type", "array");
        put_item(s, put_object(s, obj, "items"), field);
        break;
    case CONFIG_ENTRIES:
        put_entries(s, obj, field);
        break;
    }
    put_default(s, obj, field);
}

static void put_object_type(struct print_schema *s, yyjson_mut_val *obj,
                            const struct config_fields *fields)
{
    yyjson_mut_val *required = yyjson_mut_arr(s->doc);
    put_text(s, obj, "type", "object");
    put(s, obj, "additionalProperties", yyjson_mut_bool(s->doc, false));
    yyjson_mut_val *properties = put_object(s, obj, "properties");
    for (size_t i = 0; i < fields->count; i++) {
        const struct config_field *field = &fields->list[i];
        put_field(s, put_object(s, properties, field->name), field);
        if (field->required) {
            append(s, required, yyjson_mut_strcpy(s->doc, field->name));
        }
    }
    if (yyjson_mut_arr_size(required) != 0) {
        put(s, obj, "required", required);
    }
}

/* NOLINTEND(misc-no-recursion) */

enum sotto_err sotto_config_print_schema(struct sotto_buf *out)
{
    struct print_schema s = {.doc = sotto_json_new()};
    if (s.doc == NULL) {
        return SOTTO_ENOMEM;
    }
    yyjson_mut_val *root = yyjson_mut_obj(s.doc);
    yyjson_mut_doc_set_root(s.doc, root);
    put_text(&s, root, "$schema", "https://json-schema.org/draft/2020-12/schema");
    put_text(&s, root, "title", "Configuration of Sotto");
    put_object_type(&s, root, &config_schema);
    yyjson_mut_val *reference = put_object(&s, put_object(&s, root, "$defs"), "reference");
    put_text(&s, reference, "description", "Text that refers to the environment: ${NAME}.");
    put_text(&s, reference, "type", "string");
    put_text(&s, reference, "pattern", "\\$\\{");

    size_t len = 0;
    char *text = s.failed ? NULL
                          : yyjson_mut_write_opts(
                                s.doc, YYJSON_WRITE_PRETTY_TWO_SPACES | YYJSON_WRITE_NEWLINE_AT_END,
                                &sotto_json_alc, &len, NULL);
    enum sotto_err err =
        text != NULL ? sotto_buf_append(out, sotto_span_init(text, len)) : SOTTO_ENOMEM;
    if (text != NULL) {
        sotto_json_alc.free(sotto_json_alc.ctx, text);
    }
    sotto_json_free(s.doc);
    return err;
}

/* --- reference ------------------------------------------------------------------------------ */

void config_describe(const struct config_field *field, char out[CONFIG_DESCRIBE_BYTES])
{
    char min[CONFIG_NUMBER_BYTES], max[CONFIG_NUMBER_BYTES];
    size_t len = 0;
    switch (field->type) {
    case CONFIG_BOOL:
        snprintf(out, CONFIG_DESCRIBE_BYTES, "`true` or `false`");
        break;
    case CONFIG_COUNT:
        snprintf(out, CONFIG_DESCRIBE_BYTES, "%" PRIu64 " to %" PRIu64, field->min, field->max);
        break;
    case CONFIG_SIZE:
        config_write_size(field->min, min);
        config_write_size(field->max, max);
        snprintf(out, CONFIG_DESCRIBE_BYTES, "size, %s to %s", min, max);
        break;
    case CONFIG_DURATION:
        config_write_duration(field->min, min);
        config_write_duration(field->max, max);
        snprintf(out, CONFIG_DESCRIBE_BYTES, "duration, %s to %s", min, max);
        break;
    case CONFIG_MONEY:
        snprintf(out, CONFIG_DESCRIBE_BYTES, "number, %" PRIu64 " to %" PRIu64,
                 field->min / SOTTO_CONFIG_NANO, field->max / SOTTO_CONFIG_NANO);
        break;
    case CONFIG_SCORE:
        snprintf(out, CONFIG_DESCRIBE_BYTES, "0 to 1");
        break;
    case CONFIG_TEXT:
    case CONFIG_SECRET:
        snprintf(out, CONFIG_DESCRIBE_BYTES, "text");
        break;
    case CONFIG_WORD:
    case CONFIG_EITHER:
    case CONFIG_CHOICE:
        for (size_t i = 0; field->words[i] != NULL && len < CONFIG_DESCRIBE_BYTES; i++) {
            len += (size_t)snprintf(out + len, CONFIG_DESCRIBE_BYTES - len, "%s`%s`",
                                    i != 0 ? ", " : "", field->words[i]);
        }
        break;
    case CONFIG_ADDRESS:
        snprintf(out, CONFIG_DESCRIBE_BYTES, "address:port%s", field->off ? " or `off`" : "");
        break;
    case CONFIG_URL:
    case CONFIG_VALKEY:
        snprintf(out, CONFIG_DESCRIBE_BYTES, "URL");
        break;
    case CONFIG_LABEL:
        snprintf(out, CONFIG_DESCRIBE_BYTES, "label");
        break;
    case CONFIG_TEXTS:
        snprintf(out, CONFIG_DESCRIBE_BYTES, "list of texts");
        break;
    case CONFIG_SCORES:
        snprintf(out, CONFIG_DESCRIBE_BYTES, "mapping from label to 0 to 1");
        break;
    case CONFIG_SECTION:
        snprintf(out, CONFIG_DESCRIBE_BYTES, "mapping, see below");
        break;
    case CONFIG_ITEMS:
        snprintf(out, CONFIG_DESCRIBE_BYTES, "list, see below");
        break;
    case CONFIG_ENTRIES:
        snprintf(out, CONFIG_DESCRIBE_BYTES, "mapping by name, see below");
        break;
    }
}

static enum sotto_err print_row(const struct config_field *field, struct sotto_buf *out)
{
    char what[CONFIG_DESCRIBE_BYTES];
    config_describe(field, what);
    enum sotto_err err = sotto_buf_printf(out, "| `%s` | %s | ", field->name, what);
    if (err == SOTTO_OK && field->required) {
        err = sotto_buf_append(out, SOTTO_LIT("*required*"));
    } else if (err == SOTTO_OK && field->preset_about != NULL) {
        err = sotto_buf_append(out, sotto_span_str(field->preset_about));
    } else if (err == SOTTO_OK && field->preset != NULL) {
        err = sotto_buf_printf(out, "`%s`", field->preset);
    }
    return err == SOTTO_OK ? sotto_buf_printf(out, " | %s |\n", field->about) : err;
}

static enum sotto_err print_table(const struct config_fields *fields, struct sotto_buf *out)
{
    enum sotto_err err = sotto_buf_append(
        out, SOTTO_LIT("\n| field | value | default | meaning |\n|---|---|---|---|\n"));
    for (size_t i = 0; err == SOTTO_OK && i < fields->count; i++) {
        err = print_row(&fields->list[i], out);
    }
    return err;
}

/* NOLINTBEGIN(misc-no-recursion): see above */
/* One heading for a field that has fields, and for those below it; they are nested twice. */
static enum sotto_err print_section(const char *above, const struct config_field *field,
                                    struct sotto_buf *out)
{
    char name[100];
    snprintf(name, sizeof(name), "%s%s%s", above, above[0] != '\0' ? "." : "", field->name);
    const char *kind = field->type == CONFIG_ENTRIES ? ".NAME" : "";
    kind = field->type == CONFIG_ITEMS ? "[]" : kind;
    enum sotto_err err = sotto_buf_printf(out, "\n## `%s%s`\n\n%s\n", name, kind, field->about);
    if (err == SOTTO_OK && field->short_for != NULL) {
        err = sotto_buf_printf(out, "\nA single text in place of the mapping is its `%s`.\n",
                               field->short_for);
    }
    if (err == SOTTO_OK) {
        err = print_table(&field->fields, out);
    }
    for (size_t i = 0; err == SOTTO_OK && i < field->fields.count; i++) {
        const struct config_field *below = &field->fields.list[i];
        if (below->fields.count != 0) {
            err = print_section(name, below, out);
        }
    }
    return err;
}
/* NOLINTEND(misc-no-recursion) */

static const char reference_intro[] =
    "<!-- Made by scripts/make-reference from src/config/schema.c; do not edit. -->\n"
    "# Configuration\n"
    "\n"
    "`sotto serve --config FILE` reads one YAML file. Everything has a default: a file need only\n"
    "say what is different. `sotto check --config FILE` says what is wrong with it, each problem\n"
    "with its line, and what the gateway would do with it. Editors check it while you write with\n"
    "this first line (the schema is `deploy/sotto.schema.json`):\n"
    "\n"
    "```yaml\n"
    "# yaml-language-server: $schema=sotto.schema.json\n"
    "```\n"
    "\n"
    "- Unknown and doubled keys, values out of range and references to what is not there are\n"
    "  errors. Anchors, aliases and tags are not allowed.\n"
    "- `${NAME}` in a value is replaced by the environment variable, which must be set;\n"
    "  `${NAME:-text}` by `text` where it is not set; `$${` stands for `${`.\n"
    "- Sizes are written as `64KiB`, `32MiB` or `1GiB`, durations as `250ms`, `300s`, `5m`, `48h`\n"
    "  or `30d`.\n"
    "- Labels are PERSON LOCATION ADDRESS ORG DATE AGE OCCUPATION NRP PHONE EMAIL URL ID SECRET;\n"
    "  exact types are the words that `sotto detect` prints behind them, such as IBAN.\n"
    "\n"
    "Without a file, and for a file without `upstreams`, the environment names the providers:\n"
    "\n"
    "| variable | what it does |\n"
    "|---|---|\n"
    "| `OPENAI_API_KEY`, `OPENAI_BASE_URL` | an OpenAI-compatible upstream that serves all models; "
    "a base URL of your own needs no key |\n"
    "| `AZURE_OPENAI_ENDPOINT` and `AZURE_OPENAI_API_KEY` (`OPENAI_API_VERSION`) | the same with "
    "Azure; not together with the former |\n"
    "| `MISTRAL_API_KEY` | Mistral serves `mistral-*` |\n"
    "| `ANTHROPIC_API_KEY` | Anthropic serves `claude-*` |\n"
    "\n"
    "A provider that is the only one serves all other models too. With none, the built-in "
    "`mirror`\n"
    "answers, for trying things out.\n"
    "\n"
    "## Top level\n";

enum sotto_err sotto_config_print_reference(struct sotto_buf *out)
{
    size_t mark = out->len;
    enum sotto_err err = sotto_buf_append(out, sotto_span_str(reference_intro));
    if (err == SOTTO_OK) {
        err = print_table(&config_schema, out);
    }
    for (size_t i = 0; err == SOTTO_OK && i < config_schema.count; i++) {
        if (config_schema.list[i].fields.count != 0) {
            err = print_section("", &config_schema.list[i], out);
        }
    }
    if (err != SOTTO_OK) {
        sotto_buf_truncate(out, mark);
    }
    return err;
}
