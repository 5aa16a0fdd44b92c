/* SPDX-License-Identifier: Apache-2.0 */

#include "apps/records.h"

#include <stdio.h>
#include <unistd.h>

#include "text/inert.h"

#define RECORDS_DEPTH 128

static void write_inert(const struct sotto_buf *out)
{
    static struct sotto_inert inert; /* of standard output, of which there is one */
    for (size_t i = 0; i < out->len; i++) {
        char shown[SOTTO_INERT_BYTES];
        fwrite(shown, 1, sotto_inert_put(&inert, out->base[i], shown), stdout);
    }
}

void sotto_records_flush(struct sotto_buf *out)
{
    static int terminal = -1; /* not asked yet */
    if (terminal < 0) {
        terminal = isatty(STDOUT_FILENO);
    }
    if (terminal != 0) {
        write_inert(out);
    } else {
        fwrite(out->base, 1, out->len, stdout);
    }
    fflush(stdout);
    sotto_buf_truncate(out, 0);
}

static enum sotto_err put_error(struct sotto_buf *out, const char *what, size_t line)
{
    enum sotto_err err = sotto_buf_append(out, SOTTO_LIT("{\"error\":"));
    if (err == SOTTO_OK) {
        err = sotto_json_quote(sotto_span_str(what), true, out);
    }
    return err == SOTTO_OK ? sotto_buf_printf(out, ",\"line\":%zu}\n", line) : err;
}

/* Handles one line; SOTTO_EINVAL with `what` filled: it is not valid. */
static enum sotto_err run_line(sotto_record_fn *handle, void *ctx, sotto_span line,
                               struct sotto_buf *out, char what[256])
{
    yyjson_mut_doc *doc;
    struct sotto_json_error error;
    enum sotto_err err = sotto_json_read(line, RECORDS_DEPTH, &doc, &error);
    if (err == SOTTO_EFORMAT) {
        snprintf(what, 256, "not JSON, column %zu: %s", error.column, error.what);
        return SOTTO_EINVAL;
    }
    if (err != SOTTO_OK) {
        return err;
    }
    const char *why = "not an object";
    yyjson_mut_val *root = yyjson_mut_doc_get_root(doc);
    err = yyjson_mut_is_obj(root) ? handle(ctx, doc, root, out, &why) : SOTTO_EINVAL;
    if (err == SOTTO_EINVAL) {
        snprintf(what, 256, "%s", why);
    }
    sotto_json_free(doc);
    return err;
}

static enum sotto_err run_lines(struct sotto_input *in, sotto_record_fn *handle, void *ctx,
                                struct sotto_buf *out, bool *invalid)
{
    for (;;) {
        char what[256];
        sotto_span line;
        enum sotto_err err = sotto_input_line(in, &line);
        if (err == SOTTO_ELIMIT) {
            snprintf(what, sizeof(what), "longer than %zu MiB", SOTTO_INPUT_LINE_MAX >> 20);
            err = SOTTO_EINVAL;
        } else if (err == SOTTO_OK && sotto_span_trim(line).len != 0) {
            err = run_line(handle, ctx, line, out, what);
        }
        if (err == SOTTO_EINVAL) {
            *invalid = true;
            err = put_error(out, what, in->line);
        }
        if (err != SOTTO_OK) {
            return err == SOTTO_ECLOSED ? SOTTO_OK : err;
        }
        sotto_records_flush(out);
    }
}

enum sotto_err sotto_records_run(sotto_record_fn *handle, void *ctx, bool *invalid)
{
    struct sotto_input in;
    struct sotto_buf out;
    sotto_input_init(&in, STDIN_FILENO);
    sotto_buf_init(&out, SOTTO_BUF_UNBOUNDED);
    enum sotto_err err = run_lines(&in, handle, ctx, &out, invalid);
    sotto_buf_free(&out);
    sotto_input_free(&in);
    return err;
}

yyjson_mut_val *sotto_record_text(yyjson_mut_val *root, const char **why)
{
    yyjson_mut_val *text = sotto_json_get(root, "text");
    if (!yyjson_mut_is_str(text)) {
        *why = text == NULL ? "text is missing" : "text is not a string";
        return NULL;
    }
    return text;
}

enum sotto_err sotto_record_put(yyjson_mut_doc *doc, yyjson_mut_val *text, sotto_span replacement,
                                struct sotto_buf *out)
{
    enum sotto_err err = sotto_json_set_text(doc, text, replacement);
    if (err == SOTTO_OK) {
        err = sotto_json_write(yyjson_mut_doc_get_root(doc), out);
    }
    return err == SOTTO_OK ? sotto_buf_push(out, '\n') : err;
}
