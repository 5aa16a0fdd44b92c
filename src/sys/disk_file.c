/* SPDX-License-Identifier: Apache-2.0 */

#include "sys/disk_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/files.h"
#include "sys/os_error.h"

static enum sotto_err failed(void)
{
    return sotto_os_error(errno);
}

static enum sotto_err open_new(const char *path, int *fd)
{
    *fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (*fd < 0) {
        return failed();
    }
    enum sotto_err err = sotto_entry_sync(path);
    if (err != SOTTO_OK) {
        close(*fd);
        *fd = -1;
    }
    return err;
}

enum sotto_err sotto_disk_open(const char *path, enum sotto_disk_mode mode,
                               struct sotto_disk_file *out)
{
    struct stat info;
    int flags = mode == SOTTO_DISK_READ ? O_RDONLY : O_RDWR;
    out->fd = open(path, flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (out->fd < 0 && errno == ENOENT && mode == SOTTO_DISK_CREATE) {
        return open_new(path, &out->fd);
    }
    if (out->fd < 0) {
        return failed();
    }
    if (fstat(out->fd, &info) != 0 || !S_ISREG(info.st_mode)) {
        sotto_disk_close(out);
        return SOTTO_EINVAL;
    }
    return SOTTO_OK;
}

void sotto_disk_close(struct sotto_disk_file *file)
{
    if (file->fd >= 0) {
        close(file->fd);
        file->fd = -1;
    }
}

enum sotto_err sotto_disk_size(const struct sotto_disk_file *file, uint64_t *out)
{
    struct stat info;
    if (fstat(file->fd, &info) != 0) {
        return failed();
    }
    *out = (uint64_t)info.st_size;
    return SOTTO_OK;
}

enum sotto_err sotto_disk_read(const struct sotto_disk_file *file, uint64_t at, void *to, size_t n)
{
    uint8_t *dst = to;
    while (n != 0) {
        ssize_t got = pread(file->fd, dst, n, (off_t)at);
        if (got == 0) {
            return SOTTO_EFORMAT;
        }
        if (got < 0 && errno != EINTR) {
            return failed();
        }
        size_t step = got > 0 ? (size_t)got : 0;
        dst += step;
        at += step;
        n -= step;
    }
    return SOTTO_OK;
}

enum sotto_err sotto_disk_write(const struct sotto_disk_file *file, uint64_t at, sotto_span bytes)
{
    while (bytes.len != 0) {
        ssize_t put = pwrite(file->fd, bytes.base, bytes.len, (off_t)at);
        if (put < 0 && errno != EINTR) {
            return failed();
        }
        size_t step = put > 0 ? (size_t)put : 0;
        bytes = sotto_span_skip(bytes, step);
        at += step;
    }
    return SOTTO_OK;
}

enum sotto_err sotto_disk_sync(const struct sotto_disk_file *file)
{
    return fdatasync(file->fd) == 0 ? SOTTO_OK : failed();
}

enum sotto_err sotto_disk_cut(const struct sotto_disk_file *file, uint64_t size)
{
    return ftruncate(file->fd, (off_t)size) == 0 ? SOTTO_OK : failed();
}

enum sotto_err sotto_disk_lock(const struct sotto_disk_file *file)
{
    if (flock(file->fd, LOCK_EX | LOCK_NB) == 0) {
        return SOTTO_OK;
    }
    return errno == EWOULDBLOCK ? SOTTO_EEXISTS : failed();
}

enum sotto_err sotto_file_remove(const char *path)
{
    return unlink(path) == 0 || errno == ENOENT ? SOTTO_OK : failed();
}

static enum sotto_err remove_entry(void *ctx, const char *name)
{
    char path[PATH_MAX];
    int n = snprintf(path, sizeof(path), "%s/%s", (const char *)ctx, name);
    return n > 0 && (size_t)n < sizeof(path) ? sotto_file_remove(path) : SOTTO_EINVAL;
}

void sotto_folder_remove(const char *path)
{
    char copy[PATH_MAX];
    snprintf(copy, sizeof(copy), "%s", path);
    if (sotto_folder_each(copy, remove_entry, copy) == SOTTO_OK) {
        (void)rmdir(copy); /* what is left is only in the way of nobody */
    }
}

enum sotto_err sotto_file_rename(const char *from, const char *to)
{
    if (rename(from, to) != 0) {
        return failed();
    }
    enum sotto_err err = sotto_entry_sync(to);
    return err == SOTTO_OK ? sotto_entry_sync(from) : err;
}

bool sotto_file_exists(const char *path)
{
    struct stat info;
    return lstat(path, &info) == 0;
}

enum sotto_err sotto_folder_each(const char *path,
                                 enum sotto_err (*fn)(void *ctx, const char *name), void *ctx)
{
    DIR *dir = opendir(path);
    if (dir == NULL) {
        return failed();
    }
    enum sotto_err err = SOTTO_OK;
    errno = 0;
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): each thread has a stream of its own */
    for (struct dirent *e = readdir(dir); e != NULL && err == SOTTO_OK; e = readdir(dir)) {
        if (e->d_name[0] != '.') {
            err = fn(ctx, e->d_name);
        }
        errno = 0;
    }
    if (err == SOTTO_OK && errno != 0) {
        err = failed();
    }
    closedir(dir);
    return err;
}
