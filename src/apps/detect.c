/* SPDX-License-Identifier: Apache-2.0 */

#include <stdio.h>
#include <unistd.h>

#include "apps/cli.h"
#include "apps/command.h"
#include "apps/finder.h"
#include "apps/records.h"
#include "text/utf8.h"

/* What the whole command needs; memory is used again for each text. */
struct detect_run {
    struct sotto_finder *finder;
    struct sotto_findings found;
};

static enum sotto_err put_span(const struct detect_run *run, const struct sotto_finding *f,
                               struct sotto_utf8_cursor *cursor, struct sotto_buf *out)
{
    const char *finer = sotto_finder_finer(run->finder, f);
    size_t start = sotto_utf8_chars_at(cursor, f->start);
    size_t end = sotto_utf8_chars_at(cursor, f->end);
    enum sotto_err err = sotto_buf_printf(out, "[%zu,%zu,\"%s\",%.3f", start, end,
                                          sotto_label_name((enum sotto_label)f->label),
                                          (double)f->score / SOTTO_SCORE_MAX);
    if (err == SOTTO_OK && finer != NULL) {
        err = sotto_buf_push(out, ',');
        err = err == SOTTO_OK ? sotto_json_quote(sotto_span_str(finer), true, out) : err;
    }
    return err == SOTTO_OK ? sotto_buf_push(out, ']') : err;
}

static enum sotto_err put_spans(const struct detect_run *run, sotto_span text,
                                const yyjson_mut_val *id, struct sotto_buf *out)
{
    struct sotto_utf8_cursor cursor = {.text = text};
    enum sotto_err err = sotto_buf_append(out, SOTTO_LIT("{\"id\":"));
    if (err == SOTTO_OK) {
        err = sotto_json_write(id, out);
    }
    if (err == SOTTO_OK) {
        err = sotto_buf_append(out, SOTTO_LIT(",\"spans\":["));
    }
    for (size_t i = 0; i < run->found.count && err == SOTTO_OK; i++) {
        err = i == 0 ? SOTTO_OK : sotto_buf_push(out, ',');
        err = err == SOTTO_OK ? put_span(run, &run->found.items[i], &cursor, out) : err;
    }
    return err == SOTTO_OK ? sotto_buf_append(out, SOTTO_LIT("]}\n")) : err;
}

static enum sotto_err detect_record(void *ctx, yyjson_mut_doc *doc, yyjson_mut_val *root,
                                    struct sotto_buf *out, const char **why)
{
    struct detect_run *run = ctx;
    yyjson_mut_val *id = sotto_json_get(root, "id"), *lang = sotto_json_get(root, "lang");
    yyjson_mut_val *text = sotto_record_text(root, why);
    (void)doc;
    if (text == NULL) {
        return SOTTO_EINVAL;
    }
    if (id == NULL || (lang != NULL && !yyjson_mut_is_str(lang) && !yyjson_mut_is_null(lang))) {
        *why = id == NULL ? "id is missing" : "lang is not a string";
        return SOTTO_EINVAL;
    }
    sotto_span hint = yyjson_mut_is_str(lang) ? sotto_json_text(lang) : sotto_span_str(NULL);
    enum sotto_err err = sotto_finder_run(run->finder, sotto_json_text(text), hint, &run->found);
    return err == SOTTO_OK ? put_spans(run, sotto_json_text(text), id, out) : err;
}

/* Appends a value on one line of tab-separated columns. */
static enum sotto_err put_value(struct sotto_buf *out, sotto_span value)
{
    enum sotto_err err = SOTTO_OK;
    for (size_t i = 0; i < value.len && err == SOTTO_OK; i++) {
        uint8_t c = value.base[i];
        if (c == '\n') {
            err = sotto_buf_append(out, SOTTO_LIT("\\n"));
        } else if (c == '\t') {
            err = sotto_buf_append(out, SOTTO_LIT("\\t"));
        } else if (c == '\\') {
            err = sotto_buf_append(out, SOTTO_LIT("\\\\"));
        } else if (c < 0x20 || c == 0x7f) {
            err = sotto_buf_printf(out, "\\x%02x", c);
        } else {
            err = sotto_buf_push(out, c);
        }
    }
    return err;
}

static enum sotto_err put_lines(const struct detect_run *run, sotto_span text, size_t chars_before,
                                struct sotto_buf *out)
{
    struct sotto_utf8_cursor cursor = {.text = text};
    enum sotto_err err = SOTTO_OK;
    for (size_t i = 0; i < run->found.count && err == SOTTO_OK; i++) {
        const struct sotto_finding *f = &run->found.items[i];
        const char *finer = sotto_finder_finer(run->finder, f);
        size_t start = chars_before + sotto_utf8_chars_at(&cursor, f->start);
        size_t end = chars_before + sotto_utf8_chars_at(&cursor, f->end);
        err = sotto_buf_printf(out, "%zu\t%zu\t%s\t%s\t%.3f\t", start, end,
                               sotto_label_name((enum sotto_label)f->label),
                               finer != NULL ? finer : "-", (double)f->score / SOTTO_SCORE_MAX);
        if (err == SOTTO_OK) {
            err = put_value(out, sotto_span_sub(text, f->start, f->end));
        }
        if (err == SOTTO_OK) {
            err = sotto_buf_push(out, '\n');
        }
    }
    return err;
}

static enum sotto_err run_text(struct detect_run *run, struct sotto_input *in,
                               struct sotto_buf *out)
{
    size_t chars = 0;
    for (;;) {
        sotto_span text;
        enum sotto_err err = sotto_input_text(in, &text);
        if (err == SOTTO_OK) {
            err = sotto_finder_run(run->finder, text, sotto_span_str(NULL), &run->found);
        }
        if (err == SOTTO_OK) {
            err = put_lines(run, text, chars, out);
        }
        if (err != SOTTO_OK) {
            return err == SOTTO_ECLOSED ? SOTTO_OK : err;
        }
        sotto_records_flush(out);
        chars += sotto_utf8_count(text);
    }
}

static int detect_text(struct detect_run *run)
{
    struct sotto_input in;
    struct sotto_buf out;
    sotto_input_init(&in, STDIN_FILENO);
    sotto_buf_init(&out, SOTTO_BUF_UNBOUNDED);
    enum sotto_err err = run_text(run, &in, &out);
    int status = sotto_input_status(&in, err, "detection");
    sotto_buf_free(&out);
    sotto_input_free(&in);
    return status;
}

static int detect_jsonl(struct detect_run *run)
{
    bool invalid = false;
    enum sotto_err err = sotto_records_run(detect_record, run, &invalid);
    int status = sotto_input_status(NULL, err, "detection");
    return invalid ? SOTTO_EXIT_FAILED : status;
}

int sotto_cmd_detect(int argc, char **argv)
{
    bool jsonl = false;
    struct sotto_finder_options options = {0};
    const struct sotto_cli_option table[] = {
        {"--jsonl", NULL, "records {\"id\",\"text\",\"lang\"?} a line in, their spans out", NULL,
         &jsonl},
        {"--lang", "CODE", "language of the text: en, de, fr, es, it (default: guessed)",
         &options.lang, NULL},
        {"--mode", "MODE", "report only what this mode replaces", &options.mode, NULL},
        {"--threshold", "X", "report what scores at least X, 0 to 1 (default: by label)",
         &options.threshold, NULL},
        {"--tagger", "NAME", "small, cascade, large or none (default: small)", &options.tagger,
         NULL},
    };
    const struct sotto_cli cli = {
        .usage = "sotto detect [--jsonl] [--lang CODE] [--mode MODE] [--threshold X] "
                 "[--tagger NAME]",
        .about = "Finds personal data in standard input.  A finding is a line of columns between\n"
                 "tabs: START END LABEL FINER SCORE VALUE; offsets count code points.",
        .options = table,
        .option_count = SOTTO_COUNT(table),
    };
    struct detect_run run = {0};
    int status = sotto_cli_read(&cli, argc, argv, NULL);
    if (status == SOTTO_CLI_GO) {
        status = sotto_finder_open(&options, &run.finder);
    }
    if (status != SOTTO_CLI_GO) {
        return status;
    }
    status = sotto_cli_finish(jsonl ? detect_jsonl(&run) : detect_text(&run));
    sotto_findings_free(&run.found);
    sotto_finder_free(run.finder);
    return status;
}
