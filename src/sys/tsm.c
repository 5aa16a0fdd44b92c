/* SPDX-License-Identifier: Apache-2.0 */

#include "sys/tsm.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/os_error.h"

#define TSM_PATH_BYTES   256
#define TSM_NUMBER_BYTES 32

static bool join(char out[TSM_PATH_BYTES], const char *folder, const char *name)
{
    int n = snprintf(out, TSM_PATH_BYTES, "%s/%s", folder, name);
    return n > 0 && n < TSM_PATH_BYTES;
}

static enum sotto_err read_all(int fd, size_t max, struct sotto_buf *out)
{
    size_t start = out->len;
    for (;;) {
        uint8_t piece[4096];
        ssize_t n = read(fd, piece, sizeof(piece));
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return sotto_os_error(errno);
        }
        if (n == 0) {
            return SOTTO_OK;
        }
        if ((size_t)n > max - (out->len - start)) {
            return SOTTO_ELIMIT;
        }
        enum sotto_err err = sotto_buf_append(out, sotto_span_init(piece, (size_t)n));
        if (err != SOTTO_OK) {
            return err;
        }
    }
}

/* Appends an attribute of the folder; `out` is unchanged on failure. */
static enum sotto_err read_attribute(const char *folder, const char *name, size_t max,
                                     struct sotto_buf *out)
{
    char path[TSM_PATH_BYTES];
    size_t mark = out->len;
    if (!join(path, folder, name)) {
        return SOTTO_EINVAL;
    }
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) {
        return sotto_os_error(errno);
    }
    enum sotto_err err = read_all(fd, max, out);
    close(fd);
    if (err != SOTTO_OK) {
        sotto_buf_truncate(out, mark);
    }
    return err;
}

/* The kernel takes a blob in one write only. */
static enum sotto_err write_attribute(const char *folder, const char *name, sotto_span data)
{
    char path[TSM_PATH_BYTES];
    if (!join(path, folder, name)) {
        return SOTTO_EINVAL;
    }
    int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) {
        return sotto_os_error(errno);
    }
    ssize_t n = write(fd, data.base, data.len);
    enum sotto_err err = n == (ssize_t)data.len ? SOTTO_OK
                         : n < 0                ? sotto_os_error(errno)
                                                : SOTTO_EIO;
    close(fd);
    return err;
}

/* An attribute that is a line of text. */
static enum sotto_err read_line(const char *folder, const char *name, char *out, size_t size)
{
    struct sotto_buf text;
    sotto_buf_init(&text, size - 1);
    enum sotto_err err = read_attribute(folder, name, size - 1, &text);
    if (err == SOTTO_OK) {
        size_t len = text.len;
        while (len != 0 && text.base[len - 1] == '\n') {
            len--;
        }
        if (len != 0) {
            memcpy(out, text.base, len);
        }
        out[len] = '\0';
    }
    sotto_buf_free(&text);
    return err;
}

/* Both blobs are of one question if the count of questions stayed the same. */
static enum sotto_err ask(const char *folder, sotto_span data,
                          char provider[SOTTO_TSM_PROVIDER_BYTES], struct sotto_buf *report,
                          struct sotto_buf *table)
{
    char before[TSM_NUMBER_BYTES], after[TSM_NUMBER_BYTES];
    enum sotto_err err = write_attribute(folder, "inblob", data);
    if (err != SOTTO_OK ||
        (err = read_line(folder, "generation", before, sizeof(before))) != SOTTO_OK ||
        (err = read_attribute(folder, "outblob", SOTTO_TSM_BYTES_MAX, report)) != SOTTO_OK) {
        return err;
    }
    err = read_attribute(folder, "auxblob", SOTTO_TSM_BYTES_MAX, table);
    if (err != SOTTO_OK && err != SOTTO_ENOTFOUND) { /* not every provider has one */
        return err;
    }
    if ((err = read_line(folder, "generation", after, sizeof(after))) != SOTTO_OK ||
        (err = read_line(folder, "provider", provider, SOTTO_TSM_PROVIDER_BYTES)) != SOTTO_OK) {
        return err;
    }
    return strcmp(before, after) == 0 ? SOTTO_OK : SOTTO_ESTATE;
}

enum sotto_err sotto_tsm_report(const char *path, const char *name, sotto_span data,
                                char provider[SOTTO_TSM_PROVIDER_BYTES], struct sotto_buf *report,
                                struct sotto_buf *table)
{
    char folder[TSM_PATH_BYTES], who[SOTTO_TSM_PROVIDER_BYTES];
    size_t report_mark = report->len, table_mark = table->len;
    if (data.len == 0 || data.len > SOTTO_TSM_DATA_MAX || !join(folder, path, name)) {
        return SOTTO_EINVAL;
    }
    bool made = mkdir(folder, 0700) == 0;
    if (!made && errno != EEXIST) {
        return sotto_os_error(errno);
    }
    enum sotto_err err = ask(folder, data, who, report, table);
    if (made) {
        rmdir(folder);
    }
    if (err != SOTTO_OK) {
        sotto_buf_truncate(report, report_mark);
        sotto_buf_truncate(table, table_mark);
        return err;
    }
    memcpy(provider, who, sizeof(who));
    return SOTTO_OK;
}
