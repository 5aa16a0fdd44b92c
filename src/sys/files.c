/* SPDX-License-Identifier: Apache-2.0 */

#include "sys/files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "sys/os_error.h"

/* The part of a temporary file's name behind that of the file it becomes. */
#define FILE_TEMP_SUFFIX ".new"
/* Bytes read at once. */
#define FILE_PIECE ((size_t)16384)

static ssize_t read_some(int fd, void *to, size_t len)
{
    ssize_t n;
    do {
        n = read(fd, to, len);
    } while (n < 0 && errno == EINTR);
    return n;
}

/* The limit is reached: that is fine if the file ends there. */
static enum sotto_err expect_end(int fd)
{
    uint8_t byte;
    ssize_t n = read_some(fd, &byte, 1);
    sotto_wipe(&byte, 1);
    return n == 0 ? SOTTO_OK : n > 0 ? SOTTO_ELIMIT : sotto_os_error(errno);
}

static enum sotto_err read_all(int fd, size_t max, struct sotto_buf *out)
{
    for (size_t have = 0; have < max;) {
        uint8_t *dst;
        size_t mark = out->len, piece = max - have < FILE_PIECE ? max - have : FILE_PIECE;
        enum sotto_err err = sotto_buf_extend(out, piece, &dst);
        if (err != SOTTO_OK) {
            return err;
        }
        ssize_t n = read_some(fd, dst, piece);
        sotto_buf_truncate(out, mark + (n > 0 ? (size_t)n : 0));
        if (n <= 0) {
            return n == 0 ? SOTTO_OK : sotto_os_error(errno);
        }
        have += (size_t)n;
    }
    return expect_end(fd);
}

enum sotto_err sotto_file_read(const char *path, size_t max, struct sotto_buf *out)
{
    size_t mark = out->len;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
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

static enum sotto_err write_all(int fd, sotto_span content)
{
    while (content.len != 0) {
        ssize_t n = write(fd, content.base, content.len);
        if (n < 0 && errno != EINTR) {
            return sotto_os_error(errno);
        }
        content = sotto_span_skip(content, n > 0 ? (size_t)n : 0);
    }
    return fsync(fd) == 0 ? SOTTO_OK : sotto_os_error(errno);
}

enum sotto_err sotto_entry_sync(const char *path)
{
    char folder[PATH_MAX];
    const char *slash = strrchr(path, '/');
    size_t n = slash != NULL ? (size_t)(slash - path) : 0;
    snprintf(folder, sizeof(folder), "%.*s", slash == path ? 1 : (int)n, slash != NULL ? path : "");
    int fd = open(slash != NULL ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return sotto_os_error(errno);
    }
    enum sotto_err err = fsync(fd) == 0 ? SOTTO_OK : sotto_os_error(errno);
    close(fd);
    return err;
}

static enum sotto_err make_file(const char *path, sotto_span content)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        return sotto_os_error(errno);
    }
    enum sotto_err err = write_all(fd, content);
    if (close(fd) != 0 && err == SOTTO_OK) {
        err = sotto_os_error(errno);
    }
    if (err != SOTTO_OK) {
        unlink(path);
    }
    return err;
}

enum sotto_err sotto_file_create(const char *path, sotto_span content)
{
    enum sotto_err err = make_file(path, content);
    return err == SOTTO_OK ? sotto_entry_sync(path) : err;
}

enum sotto_err sotto_file_write(const char *path, sotto_span content)
{
    char temp[PATH_MAX];
    int n = snprintf(temp, sizeof(temp), "%s" FILE_TEMP_SUFFIX, path);
    if (n < 0 || (size_t)n >= sizeof(temp)) {
        return SOTTO_ENOTFOUND;
    }
    if (unlink(temp) != 0 && errno != ENOENT) { /* what a crash left behind */
        return sotto_os_error(errno);
    }
    enum sotto_err err = make_file(temp, content);
    if (err != SOTTO_OK) {
        return err;
    }
    if (rename(temp, path) != 0) {
        err = sotto_os_error(errno);
        unlink(temp);
        return err;
    }
    return sotto_entry_sync(path);
}

enum sotto_err sotto_folder_make(const char *path)
{
    char part[PATH_MAX];
    size_t len = strlen(path);
    struct stat info;
    if (len == 0 || len >= sizeof(part)) {
        return SOTTO_EINVAL;
    }
    memcpy(part, path, len + 1);
    for (size_t i = 1; i <= len; i++) {
        if (part[i] != '/' && part[i] != '\0') {
            continue;
        }
        char kept = part[i];
        part[i] = '\0';
        bool made = mkdir(part, 0700) == 0;
        if (!made && errno != EEXIST) {
            return sotto_os_error(errno);
        }
        enum sotto_err err = made ? sotto_entry_sync(part) : SOTTO_OK;
        if (err != SOTTO_OK) {
            return err;
        }
        part[i] = kept;
    }
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode) ? SOTTO_OK : SOTTO_EINVAL;
}
