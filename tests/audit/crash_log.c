/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Writes an audit log and tells, on standard output and in a trace, what was promised: for crash
 * tests.  Its own write calls come before the C library's, so every one that changes the log's
 * folder is put into the trace with its bytes; tests/audit/crash.py builds from a beginning of the
 * trace what a power cut could have left on the disk.
 *
 * usage: crash_log FOLDER TRACE SEED ROUNDS
 *
 *   trace   one record a call: kind(1) path_len(2) path offset(8) data_len(4) data, big-endian
 *   kinds   w write at offset, t truncate to offset, s sync of a file, d sync of a folder,
 *           c create, r rename to data, u unlink, m mkdir, a an append returned (data: the ids)
 */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "store/audit_log.h"

static int trace = -1;
static char root[PATH_MAX];

static void put(char kind, const char *path, uint64_t at, const void *data, size_t len)
{
    uint8_t head[3 + PATH_MAX + 12];
    size_t n = strlen(path), pos = 3 + n;
    if (trace < 0 || strncmp(path, root, strlen(root)) != 0) {
        return;
    }
    head[0] = (uint8_t)kind;
    head[1] = (uint8_t)(n >> 8);
    head[2] = (uint8_t)n;
    memcpy(head + 3, path, n);
    for (int i = 7; i >= 0; i--) {
        head[pos++] = (uint8_t)(at >> (8 * i));
    }
    for (int i = 3; i >= 0; i--) {
        head[pos++] = (uint8_t)(len >> (8 * i));
    }
    if (syscall(SYS_write, trace, head, pos) != (long)pos ||
        (len != 0 && syscall(SYS_write, trace, data, len) != (long)len)) {
        abort();
    }
}

static const char *path_of(int fd)
{
    static char path[PATH_MAX];
    char link[64];
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof(path) - 1);
    path[n > 0 ? n : 0] = '\0';
    return path;
}

/* The calls of sys/files.c and sys/disk_file.c, before those of the C library. */

ssize_t write(int fd, const void *data, size_t len)
{
    off_t at = lseek(fd, 0, SEEK_CUR);
    ssize_t n = syscall(SYS_write, fd, data, len);
    if (n > 0 && at >= 0) {
        put('w', path_of(fd), (uint64_t)at, data, (size_t)n);
    }
    return n;
}

ssize_t pwrite(int fd, const void *data, size_t len, off_t at)
{
    ssize_t n = syscall(SYS_pwrite64, fd, data, len, at);
    if (n > 0) {
        put('w', path_of(fd), (uint64_t)at, data, (size_t)n);
    }
    return n;
}

int ftruncate(int fd, off_t size)
{
    int rc = (int)syscall(SYS_ftruncate, fd, size);
    if (rc == 0) {
        put('t', path_of(fd), (uint64_t)size, NULL, 0);
    }
    return rc;
}

/* What is on the disk is decided by the trace: nothing has to be synced for real. */
int fsync(int fd)
{
    struct stat info;
    if (fstat(fd, &info) == 0) {
        put(S_ISDIR(info.st_mode) ? 'd' : 's', path_of(fd), 0, NULL, 0);
    }
    return 0;
}

int fdatasync(int fd)
{
    return fsync(fd);
}

int rename(const char *from, const char *to)
{
    int rc = (int)syscall(SYS_rename, from, to);
    if (rc == 0) {
        put('r', from, 0, to, strlen(to));
    }
    return rc;
}

int unlink(const char *path)
{
    int rc = (int)syscall(SYS_unlink, path);
    if (rc == 0) {
        put('u', path, 0, NULL, 0);
    }
    return rc;
}

int mkdir(const char *path, mode_t mode)
{
    int rc = (int)syscall(SYS_mkdir, path, mode);
    if (rc == 0) {
        put('m', path, 0, NULL, 0);
    }
    return rc;
}

int open(const char *path, int flags, ...)
{
    bool made = (flags & O_CREAT) != 0 && access(path, F_OK) != 0;
    int fd = (int)syscall(SYS_openat, AT_FDCWD, path, flags, 0600);
    if (fd >= 0 && made) {
        put('c', path, 0, NULL, 0);
    }
    return fd;
}

static enum sotto_err append(struct sotto_audit_log *log, unsigned long *n)
{
    static char ids[64][SOTTO_AUDIT_ID_SYMBOLS + 1], names[64][24], text[64][400];
    struct sotto_audit_item items[64];
    char said[64 * SOTTO_AUDIT_ID_SYMBOLS];
    size_t count = 1 + (size_t)(rand() % 64); /* mistake-ok: a test's seed */
    for (size_t i = 0; i < count; i++, (*n)++) {
        snprintf(ids[i], sizeof(ids[i]), "id%020lu", *n);
        snprintf(names[i], sizeof(names[i]), "key%d", rand() % 20);
        snprintf(text[i], sizeof(text[i]), "{\"v\":1,\"n\":%lu,\"pad\":\"%0*d\"}", *n,
                 1 + rand() % 300, 0);
        items[i] =
            (struct sotto_audit_item){ids[i], sotto_span_str(names[i]), sotto_span_str(text[i])};
        memcpy(said + i * SOTTO_AUDIT_ID_SYMBOLS, ids[i], SOTTO_AUDIT_ID_SYMBOLS);
    }
    enum sotto_err err = sotto_audit_append(log, items, count);
    if (err == SOTTO_OK) {
        put('a', root, 0, said, count * SOTTO_AUDIT_ID_SYMBOLS);
    }
    return err;
}

int main(int argc, char **argv)
{
    struct sotto_audit_log *log = NULL;
    struct sotto_audit_found_state found;
    char why[SOTTO_STORE_WHY_BYTES];
    if (argc != 5 || realpath(argv[1], root) == NULL) {
        return 2;
    }
    trace = (int)syscall(SYS_openat, AT_FDCWD, argv[2], O_WRONLY | O_CREAT | O_TRUNC, 0600);
    srand((unsigned)strtoul(argv[3], NULL, 10));
    const struct sotto_audit_options options = {
        .folder = root, .origin = SOTTO_LIT("test.example/log"), .strict = true};
    if (sotto_audit_open(&options, &log, &found, why) != SOTTO_OK) {
        fprintf(stderr, "crash_log: %s\n", why);
        return 1;
    }
    unsigned long n = found.entries;
    for (long round = strtol(argv[4], NULL, 10); round > 0; round--) {
        uint64_t slot;
        char name[24];
        snprintf(name, sizeof(name), "key%d", rand() % 20);
        enum sotto_err err = append(log, &n);
        if (err == SOTTO_OK && rand() % 4 == 0) {
            err = sotto_audit_publish(log, NULL);
        }
        if (err == SOTTO_OK && rand() % 12 == 0) {
            err = sotto_audit_erase(log, sotto_span_str(name), &slot);
            err = err == SOTTO_ENOTFOUND ? SOTTO_OK : err;
        }
        if (err != SOTTO_OK) {
            fprintf(stderr, "crash_log: %s\n", sotto_err_text(err));
            return 1;
        }
    }
    sotto_audit_close(log);
    return 0;
}
