/* SPDX-License-Identifier: Apache-2.0 */

/* The manual page of the file, in the macros of man(7), from the table of fields. */

#include <stdio.h>

#include "config/schema.h"

/* Writes a text of Markdown in roff: `words` become bold, backslashes and leading dots are text. */
static enum sotto_err put_text(const char *text, struct sotto_buf *out)
{
    enum sotto_err err = SOTTO_OK;
    bool bold = false;
    if (text[0] == '.' || text[0] == '\'') {
        err = sotto_buf_append(out, SOTTO_LIT("\\&"));
    }
    for (const char *c = text; err == SOTTO_OK && *c != '\0'; c++) {
        if (*c == '`') {
            bold = !bold;
            err = sotto_buf_append(out, bold ? SOTTO_LIT("\\fB") : SOTTO_LIT("\\fR"));
        } else if (*c == '\\') {
            err = sotto_buf_append(out, SOTTO_LIT("\\e"));
        } else if (*c == '-') {
            err = sotto_buf_append(out, SOTTO_LIT("\\-"));
        } else {
            err = sotto_buf_push(out, (uint8_t)*c);
        }
    }
    return err;
}

/* A text and a newline. */
static enum sotto_err put_line(const char *text, struct sotto_buf *out)
{
    enum sotto_err err = put_text(text, out);
    return err == SOTTO_OK ? sotto_buf_push(out, '\n') : err;
}

static enum sotto_err put_default(const struct config_field *field, struct sotto_buf *out)
{
    if (field->required) {
        return put_text("; required", out);
    }
    if (field->preset_about == NULL && field->preset == NULL) {
        return SOTTO_OK;
    }
    char text[400];
    snprintf(text, sizeof(text), field->preset_about != NULL ? "; default: %s" : "; default: `%s`",
             field->preset_about != NULL ? field->preset_about : field->preset);
    return put_text(text, out);
}

static enum sotto_err put_field(const struct config_field *field, struct sotto_buf *out)
{
    char what[CONFIG_DESCRIBE_BYTES];
    enum sotto_err err;
    config_describe(field, what);
    if ((err = sotto_buf_append(out, SOTTO_LIT(".TP\n.B "))) != SOTTO_OK ||
        (err = put_line(field->name, out)) != SOTTO_OK ||
        (err = put_line(field->about, out)) != SOTTO_OK ||
        (err = sotto_buf_push(out, '(')) != SOTTO_OK || (err = put_text(what, out)) != SOTTO_OK ||
        (err = put_default(field, out)) != SOTTO_OK) {
        return err;
    }
    return sotto_buf_append(out, SOTTO_LIT(")\n"));
}

static enum sotto_err put_fields(const struct config_fields *fields, struct sotto_buf *out)
{
    enum sotto_err err = SOTTO_OK;
    for (size_t i = 0; err == SOTTO_OK && i < fields->count; i++) {
        err = put_field(&fields->list[i], out);
    }
    return err;
}

/* NOLINTBEGIN(misc-no-recursion): as deep as the table of fields, which is constant */
static enum sotto_err put_section(const char *above, const struct config_field *field,
                                  struct sotto_buf *out)
{
    char name[100];
    snprintf(name, sizeof(name), "%s%s%s", above, above[0] != '\0' ? "." : "", field->name);
    const char *kind = field->type == CONFIG_ENTRIES ? ".NAME" : "";
    kind = field->type == CONFIG_ITEMS ? "[]" : kind;
    enum sotto_err err = sotto_buf_printf(out, ".SS %s%s\n", name, kind);
    if (err == SOTTO_OK) {
        err = put_line(field->about, out);
    }
    if (err == SOTTO_OK) {
        err = put_fields(&field->fields, out);
    }
    for (size_t i = 0; err == SOTTO_OK && i < field->fields.count; i++) {
        if (field->fields.list[i].fields.count != 0) {
            err = put_section(name, &field->fields.list[i], out);
        }
    }
    return err;
}
/* NOLINTEND(misc-no-recursion) */

static const char manual_head[] =
    ".\\\" Made by scripts/make-reference from src/config/schema.c; do not edit.\n"
    ".TH SOTTO.CONF 5 \"\" \"sotto\" \"Sotto\"\n"
    ".SH NAME\n"
    "sotto.conf \\- configuration of the privacy gateway sotto\n"
    ".SH DESCRIPTION\n"
    ".B sotto serve \\-\\-config\n"
    ".I FILE\n"
    "reads one YAML file.\n"
    "Everything has a default: a file need only say what is different.\n"
    ".B sotto check \\-\\-config\n"
    ".I FILE\n"
    "says what is wrong with it, each problem with its line, and what the gateway would do.\n"
    ".PP\n"
    "Unknown and doubled keys, values out of range and references to what is not there are "
    "errors.\n"
    "Anchors, aliases and tags are not allowed.\n"
    ".PP\n"
    "\\fB${NAME}\\fR in a value is replaced by the environment variable, which must be set;\n"
    "\\fB${NAME:\\-text}\\fR by \\fItext\\fR where it is not set;\n"
    "\\fB$${\\fR stands for \\fB${\\fR.\n"
    "Sizes are written as \\fB64KiB\\fR, \\fB32MiB\\fR or \\fB1GiB\\fR,\n"
    "durations as \\fB250ms\\fR, \\fB300s\\fR, \\fB5m\\fR, \\fB48h\\fR or \\fB30d\\fR.\n"
    ".SH FIELDS\n";

static const char manual_tail[] =
    ".SH EXAMPLE\n"
    ".nf\n"
    "listen: 0.0.0.0:8484\n"
    "upstreams:\n"
    "  openai: {kind: openai, key: ${OPENAI_API_KEY}, region: us, agreements: [baa]}\n"
    "  house: {kind: openai, url: http://127.0.0.1:8000/v1, trusted: true}\n"
    "models:\n"
    "  llama: house\n"
    "  \"*\": openai\n"
    "privacy: {mode: hipaa}\n"
    ".fi\n"
    ".SH SEE ALSO\n"
    ".BR sotto (1)\n";

enum sotto_err sotto_config_print_manual(struct sotto_buf *out)
{
    size_t mark = out->len;
    enum sotto_err err = sotto_buf_append(out, sotto_span_str(manual_head));
    if (err == SOTTO_OK) {
        err = put_fields(&config_schema, out);
    }
    for (size_t i = 0; err == SOTTO_OK && i < config_schema.count; i++) {
        if (config_schema.list[i].fields.count != 0) {
            err = put_section("", &config_schema.list[i], out);
        }
    }
    if (err == SOTTO_OK) {
        err = sotto_buf_append(out, sotto_span_str(manual_tail));
    }
    if (err != SOTTO_OK) {
        sotto_buf_truncate(out, mark);
    }
    return err;
}
