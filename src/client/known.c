/* SPDX-License-Identifier: Apache-2.0 */

#include "client/known.h"

#include "base/buf.h"
#include "base/ct.h"
#include "crypto/base64.h"
#include "sys/files.h"
#include "json/json.h"

/* One line of the file. */
struct known_row {
    sotto_span line;
    bool any; /* neither empty nor a comment */
    bool has_gateway;
    bool is_gateway; /* it is about the gateway that was asked for */
    uint8_t key[SOTTO_KNOWN_BYTES];
};

static bool take_line(sotto_span *rest, sotto_span *line)
{
    if (rest->len == 0) {
        return false;
    }
    const uint8_t *lf = memchr(rest->base, '\n', rest->len);
    size_t len = lf != NULL ? (size_t)(lf - rest->base) : rest->len;
    *line = sotto_span_init(rest->base, len);
    *rest = sotto_span_skip(*rest, lf != NULL ? len + 1 : len);
    while (line->len != 0 && strchr(" \t\r", line->base[line->len - 1]) != NULL) {
        line->len--;
    }
    return true;
}

static enum sotto_err read_object(const char *member, sotto_span gateway, struct known_row *row)
{
    struct sotto_json_error where;
    yyjson_mut_doc *doc = NULL;
    enum sotto_err err = sotto_json_read(row->line, 4, &doc, &where);
    if (err != SOTTO_OK) {
        return err == SOTTO_ENOMEM ? err : SOTTO_EFORMAT;
    }
    yyjson_mut_val *root = yyjson_mut_doc_get_root(doc);
    yyjson_mut_val *name = sotto_json_get(root, "gateway");
    yyjson_mut_val *key = sotto_json_get(root, member);
    err = SOTTO_EFORMAT;
    if (yyjson_mut_is_str(name) && yyjson_mut_is_str(key)) {
        row->has_gateway = true;
        row->is_gateway = sotto_span_eq(sotto_json_text(name), gateway);
        err = sotto_base64_read_exact(sotto_json_text(key), row->key, sizeof(row->key));
    }
    sotto_json_free(doc);
    return err;
}

static enum sotto_err read_row(const char *member, sotto_span gateway, struct known_row *row)
{
    row->any = row->line.len != 0 && row->line.base[0] != '#';
    if (!row->any) {
        return SOTTO_OK;
    }
    return row->line.base[0] == '{'
               ? read_object(member, gateway, row)
               : sotto_base64_read_exact(row->line, row->key, sizeof(row->key));
}

/* --- pinned ----------------------------------------------------------------------------------- */

enum sotto_err sotto_known_pinned(const char *path, const uint8_t key[SOTTO_KNOWN_BYTES])
{
    struct sotto_buf file;
    bool found = false;
    sotto_buf_init(&file, SOTTO_BUF_UNBOUNDED);
    enum sotto_err err = sotto_file_read(path, SOTTO_KNOWN_BYTES_MAX, &file);
    sotto_span rest = sotto_buf_span(&file);
    struct known_row row = {.any = false};
    while (err == SOTTO_OK && take_line(&rest, &row.line)) {
        err = read_row(SOTTO_KNOWN_SIGNING_KEY, SOTTO_LIT(""), &row);
        found |= err == SOTTO_OK && row.any && sotto_ct_equal(row.key, key, sizeof(row.key));
    }
    sotto_buf_free(&file);
    return err != SOTTO_OK ? err : found ? SOTTO_OK : SOTTO_EDENIED;
}

/* --- first use -------------------------------------------------------------------------------- */

static enum sotto_err append_row(struct sotto_buf *file, const char *member, sotto_span gateway,
                                 const uint8_t *key, int64_t now_s)
{
    enum sotto_err err = SOTTO_OK;
    if (file->len != 0 && file->base[file->len - 1] != '\n') {
        err = sotto_buf_push(file, '\n');
    }
    if (err == SOTTO_OK) {
        err = sotto_buf_append(file, SOTTO_LIT("{\"gateway\": "));
    }
    if (err == SOTTO_OK) {
        err = sotto_json_quote(gateway, true, file);
    }
    if (err == SOTTO_OK) {
        err = sotto_buf_printf(file, ", \"%s\": \"", member);
    }
    if (err == SOTTO_OK) {
        err = sotto_base64_write(sotto_span_init(key, SOTTO_KNOWN_BYTES), file);
    }
    return err == SOTTO_OK ? sotto_buf_printf(file, "\", \"seen\": %lld}\n", (long long)now_s)
                           : err;
}

static enum sotto_err make_folder_of(const char *path)
{
    char folder[4096];
    const char *slash = strrchr(path, '/');
    if (slash == NULL || slash == path) {
        return SOTTO_OK;
    }
    size_t len = (size_t)(slash - path);
    if (len >= sizeof(folder)) {
        return SOTTO_EINVAL;
    }
    memcpy(folder, path, len);
    folder[len] = '\0';
    return sotto_folder_make(folder);
}

/* Looks for the gateway's row.  SOTTO_ENOTFOUND: it has none. */
static enum sotto_err find_row(sotto_span file, const char *member, sotto_span gateway,
                               const uint8_t *key)
{
    struct known_row row = {.any = false};
    while (take_line(&file, &row.line)) {
        row.has_gateway = row.is_gateway = false;
        enum sotto_err err = read_row(member, gateway, &row);
        if (err != SOTTO_OK || (row.any && !row.has_gateway)) {
            return err != SOTTO_OK ? err : SOTTO_EFORMAT;
        }
        if (row.any && row.is_gateway) {
            return sotto_ct_equal(row.key, key, sizeof(row.key)) ? SOTTO_OK : SOTTO_EDENIED;
        }
    }
    return SOTTO_ENOTFOUND;
}

enum sotto_err sotto_known_first_use(const char *path, const char *member, sotto_span gateway,
                                     const uint8_t key[SOTTO_KNOWN_BYTES], int64_t now_s)
{
    struct sotto_buf file;
    sotto_buf_init(&file, SOTTO_BUF_UNBOUNDED);
    enum sotto_err err = sotto_file_read(path, SOTTO_KNOWN_BYTES_MAX, &file);
    if (err == SOTTO_ENOTFOUND) {
        err = make_folder_of(path);
    }
    if (err == SOTTO_OK) {
        err = find_row(sotto_buf_span(&file), member, gateway, key);
        if (err == SOTTO_ENOTFOUND) {
            err = append_row(&file, member, gateway, key, now_s);
            err = err == SOTTO_OK ? sotto_file_write(path, sotto_buf_span(&file)) : err;
        }
    }
    sotto_buf_free(&file);
    return err;
}
