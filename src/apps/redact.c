/* SPDX-License-Identifier: Apache-2.0 */

#include <string.h>
#include <unistd.h>

#include "apps/cli.h"
#include "apps/command.h"
#include "apps/finder.h"
#include "apps/input.h"
#include "apps/map.h"
#include "apps/records.h"

struct redact_run {
    struct sotto_finder *finder;
    struct sotto_map *map;
    struct sotto_findings found;
    struct sotto_buf text; /* of the record at hand, redacted */
};

/* Appends `text` with tokens in the place of what was found. */
static enum sotto_err redact(struct redact_run *run, sotto_span text, struct sotto_buf *out)
{
    size_t copied = 0;
    enum sotto_err err = sotto_finder_run(run->finder, text, sotto_span_str(NULL), &run->found);
    if (err == SOTTO_OK) {
        err = sotto_vault_shield(sotto_map_vault(run->map), text);
    }
    for (size_t i = 0; i < run->found.count && err == SOTTO_OK; i++) {
        const struct sotto_finding *f = &run->found.items[i];
        sotto_span token;
        err = sotto_map_token(run->map, (enum sotto_label)f->label,
                              sotto_finder_foldable(run->finder, f),
                              sotto_span_sub(text, f->start, f->end), &token);
        if (err == SOTTO_OK) {
            err = sotto_buf_append(out, sotto_span_sub(text, copied, f->start));
        }
        if (err == SOTTO_OK) {
            err = sotto_buf_append(out, token);
        }
        copied = f->end;
    }
    return err == SOTTO_OK ? sotto_buf_append(out, sotto_span_skip(text, copied)) : err;
}

static enum sotto_err redact_record(void *ctx, yyjson_mut_doc *doc, yyjson_mut_val *root,
                                    struct sotto_buf *out, const char **why)
{
    struct redact_run *run = ctx;
    yyjson_mut_val *text = sotto_record_text(root, why);
    if (text == NULL) {
        return SOTTO_EINVAL;
    }
    sotto_buf_truncate(&run->text, 0);
    enum sotto_err err = redact(run, sotto_json_text(text), &run->text);
    return err == SOTTO_OK ? sotto_record_put(doc, text, sotto_buf_span(&run->text), out) : err;
}

static enum sotto_err run_text(struct redact_run *run, struct sotto_input *in,
                               struct sotto_buf *out)
{
    for (;;) {
        sotto_span text;
        enum sotto_err err = sotto_input_text(in, &text);
        if (err == SOTTO_OK) {
            err = redact(run, text, out);
        }
        if (err != SOTTO_OK) {
            return err == SOTTO_ECLOSED ? SOTTO_OK : err;
        }
        sotto_records_flush(out);
    }
}

static int redact_text(struct redact_run *run)
{
    struct sotto_input in;
    struct sotto_buf out;
    sotto_input_init(&in, STDIN_FILENO);
    sotto_buf_init(&out, SOTTO_BUF_UNBOUNDED);
    enum sotto_err err = run_text(run, &in, &out);
    int status = sotto_input_status(&in, err, "redacting");
    sotto_buf_free(&out);
    sotto_input_free(&in);
    return status;
}

static int redact_jsonl(struct redact_run *run)
{
    bool invalid = false;
    enum sotto_err err = sotto_records_run(redact_record, run, &invalid);
    int status = sotto_input_status(NULL, err, "redacting");
    return invalid ? SOTTO_EXIT_FAILED : status;
}

/* The map is written also after a failure: what went out must be restorable. */
static int redact_all(struct redact_run *run, bool jsonl)
{
    sotto_buf_init(&run->text, SOTTO_BUF_UNBOUNDED);
    int status = jsonl ? redact_jsonl(run) : redact_text(run);
    if (sotto_map_save(run->map) != SOTTO_EXIT_OK) {
        status = SOTTO_EXIT_FAILED;
    }
    sotto_buf_free(&run->text);
    return sotto_cli_finish(status);
}

static int read_style(const char *name, enum sotto_style *style)
{
    *style = SOTTO_STYLE_TOKEN;
    return name == NULL || sotto_style_parse(sotto_span_str(name), style)
               ? SOTTO_CLI_GO
               : sotto_cli_misuse("unknown style %s: use token, angle, surrogate or redact", name);
}

int sotto_cmd_redact(int argc, char **argv)
{
    bool jsonl = false;
    const char *map_path = NULL, *style_name = NULL;
    enum sotto_style style = SOTTO_STYLE_TOKEN;
    struct sotto_finder_options options = {0};
    const struct sotto_cli_option table[] = {
        {"--jsonl", NULL, "records with a `text` a line", NULL, &jsonl},
        {"--map", "FILE", "keep what `sotto restore` needs in FILE; grows when it is there",
         &map_path, NULL},
        {"--mode", "MODE", "what is replaced: standard, hipaa, gdpr, sox (default: standard)",
         &options.mode, NULL},
        {"--style", "STYLE", "token, angle, surrogate, redact (no way back); default: token",
         &style_name, NULL},
        {"--tagger", "NAME", "small, cascade, large or none (default: small)", &options.tagger,
         NULL},
    };
    const struct sotto_cli cli = {
        .usage = "sotto redact [--jsonl] [--map FILE] [--mode MODE] [--style STYLE] "
                 "[--tagger NAME]",
        .about = "Replaces personal data in standard input by tokens.",
        .options = table,
        .option_count = SOTTO_COUNT(table),
    };
    struct redact_run run = {0};
    int status = sotto_cli_read(&cli, argc, argv, NULL);
    if (status == SOTTO_CLI_GO) {
        status = read_style(style_name, &style);
    }
    if (status == SOTTO_CLI_GO && style == SOTTO_STYLE_REDACT && map_path != NULL) {
        status = sotto_cli_misuse("--map is of no use with --style redact: leave one out");
    }
    options.mode = options.mode != NULL ? options.mode : "standard";
    if (status == SOTTO_CLI_GO) {
        status = sotto_finder_open(&options, &run.finder);
    }
    if (status == SOTTO_CLI_GO) {
        status = sotto_map_open(map_path, style, &run.map);
    }
    if (status == SOTTO_CLI_GO) {
        status = redact_all(&run, jsonl);
    }
    sotto_findings_free(&run.found);
    sotto_map_free(run.map);
    sotto_finder_free(run.finder);
    return status;
}
