/* SPDX-License-Identifier: Apache-2.0 */

#include "vault/restore.h"

#include <unistd.h>

#include "apps/cli.h"
#include "apps/command.h"
#include "apps/input.h"
#include "apps/map.h"
#include "apps/records.h"
#include "vault/restore_text.h"

struct restore_run {
    struct sotto_map *map;
    struct sotto_buf text; /* of the record at hand, restored */
};

static enum sotto_err restore_record(void *ctx, yyjson_mut_doc *doc, yyjson_mut_val *root,
                                     struct sotto_buf *out, const char **why)
{
    struct restore_run *run = ctx;
    yyjson_mut_val *text = sotto_record_text(root, why);
    if (text == NULL) {
        return SOTTO_EINVAL;
    }
    sotto_buf_truncate(&run->text, 0);
    enum sotto_err err =
        sotto_restore_text(sotto_map_vault(run->map), sotto_json_text(text), &run->text);
    return err == SOTTO_OK ? sotto_record_put(doc, text, sotto_buf_span(&run->text), out) : err;
}

static int restore_jsonl(struct restore_run *run)
{
    bool invalid = false;
    sotto_buf_init(&run->text, SOTTO_BUF_UNBOUNDED);
    enum sotto_err err = sotto_records_run(restore_record, run, &invalid);
    sotto_buf_free(&run->text);
    int status = sotto_input_status(NULL, err, "restoring");
    return invalid ? SOTTO_EXIT_FAILED : status;
}

/* A token may lie across two blocks: the restorer holds back what may still become one. */
static enum sotto_err run_text(struct sotto_restore *restore, struct sotto_input *in,
                               struct sotto_buf *out)
{
    enum sotto_err err = SOTTO_OK;
    while (err == SOTTO_OK) {
        sotto_span text;
        err = sotto_input_text(in, &text);
        if (err == SOTTO_OK) {
            err = sotto_restore_feed(restore, text, out);
        }
        sotto_records_flush(out);
    }
    if (err == SOTTO_ECLOSED) {
        err = sotto_restore_end(restore, out);
        sotto_records_flush(out);
    }
    return err;
}

static int restore_stream(struct restore_run *run)
{
    struct sotto_restore *restore = NULL;
    struct sotto_input in;
    struct sotto_buf out;
    sotto_input_init(&in, STDIN_FILENO);
    sotto_buf_init(&out, SOTTO_BUF_UNBOUNDED);
    enum sotto_err err = sotto_restore_new(sotto_map_vault(run->map), &restore);
    if (err == SOTTO_OK) {
        err = run_text(restore, &in, &out);
    }
    int status = sotto_input_status(&in, err, "restoring");
    sotto_restore_free(restore);
    sotto_buf_free(&out);
    sotto_input_free(&in);
    return status;
}

int sotto_cmd_restore(int argc, char **argv)
{
    bool jsonl = false;
    const char *map_path = NULL;
    const struct sotto_cli_option table[] = {
        {"--jsonl", NULL, "records with a `text` a line", NULL, &jsonl},
        {"--map", "FILE", "the file that `sotto redact --map FILE` wrote", &map_path, NULL},
    };
    const struct sotto_cli cli = {
        .usage = "sotto restore [--jsonl] --map FILE",
        .about = "Puts the values back where standard input has tokens of the map.",
        .options = table,
        .option_count = SOTTO_COUNT(table),
    };
    struct restore_run run = {0};
    int status = sotto_cli_read(&cli, argc, argv, NULL);
    if (status == SOTTO_CLI_GO && map_path == NULL) {
        status = sotto_cli_misuse("--map is missing: name the file that `sotto redact` wrote");
    }
    if (status == SOTTO_CLI_GO) {
        status = sotto_map_read(map_path, &run.map);
    }
    if (status != SOTTO_CLI_GO) {
        return status;
    }
    status = sotto_cli_finish(jsonl ? restore_jsonl(&run) : restore_stream(&run));
    sotto_map_free(run.map);
    return status;
}
