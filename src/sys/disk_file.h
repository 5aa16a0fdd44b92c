/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_SYS_DISK_FILE_H
#define SOTTO_SYS_DISK_FILE_H

/*
 * A file that is read and written at offsets, and made durable when its owner says so.  What was
 * written and not synced may be there after a power cut, or not, or in part.
 */

#include "base/buf.h"

struct sotto_disk_file {
    int fd; /* -1: not open */
};

/** How a file is opened. */
enum sotto_disk_mode {
    SOTTO_DISK_READ,   /* must be there */
    SOTTO_DISK_WRITE,  /* must be there; for reading, too */
    SOTTO_DISK_CREATE, /* made with mode 0600 where it is missing; its entry is durable then */
};

/**
 * Opens a regular file; symbolic links are refused.
 *
 * @param[out] out  `fd` is -1 on failure
 * @retval SOTTO_ENOTFOUND, SOTTO_EDENIED, SOTTO_EIO, SOTTO_EINVAL (no regular file)
 */
SOTTO_MUST_CHECK enum sotto_err sotto_disk_open(const char *path, enum sotto_disk_mode mode,
                                                struct sotto_disk_file *out);

/** Closes; one that is not open is fine. */
void sotto_disk_close(struct sotto_disk_file *file);

/** Length in bytes.  @retval SOTTO_EIO */
SOTTO_MUST_CHECK enum sotto_err sotto_disk_size(const struct sotto_disk_file *file, uint64_t *out);

/** Reads exactly `n` bytes.  @retval SOTTO_EFORMAT  the file ends before;  @retval SOTTO_EIO */
SOTTO_MUST_CHECK enum sotto_err sotto_disk_read(const struct sotto_disk_file *file, uint64_t at,
                                                void *to, size_t n);

/** Writes all bytes at an offset.  @retval SOTTO_EIO  some may have been written */
SOTTO_MUST_CHECK enum sotto_err sotto_disk_write(const struct sotto_disk_file *file, uint64_t at,
                                                 sotto_span bytes);

/**
 * Makes content and length durable.
 *
 * @retval SOTTO_EIO  nothing is known about what was written since the last sync; it must not be
 *                    tried again (a second sync may succeed although the first lost data)
 */
SOTTO_MUST_CHECK enum sotto_err sotto_disk_sync(const struct sotto_disk_file *file);

/** Cuts the file or makes it longer with zeros.  @retval SOTTO_EIO */
SOTTO_MUST_CHECK enum sotto_err sotto_disk_cut(const struct sotto_disk_file *file, uint64_t size);

/**
 * Takes the file for this process, until it is closed.
 *
 * @retval SOTTO_EEXISTS  another process has it
 * @retval SOTTO_EIO
 */
SOTTO_MUST_CHECK enum sotto_err sotto_disk_lock(const struct sotto_disk_file *file);

/** Removes a file.  One that is not there is fine.  @retval SOTTO_EDENIED, SOTTO_EIO */
SOTTO_MUST_CHECK enum sotto_err sotto_file_remove(const char *path);

/** Removes the files of a folder (not those of folders in it) and the folder. */
void sotto_folder_remove(const char *path);

/** Renames within a file system and makes both folders durable. */
SOTTO_MUST_CHECK enum sotto_err sotto_file_rename(const char *from, const char *to);

/** Whether there is something at the path. */
bool sotto_file_exists(const char *path);

/**
 * Calls `fn` for each name in a folder but those that begin with a dot, in no order, until it
 * fails.
 *
 * @retval SOTTO_ENOTFOUND  there is no such folder
 * @retval SOTTO_EDENIED, SOTTO_EIO, errors of `fn`
 */
SOTTO_MUST_CHECK enum sotto_err
sotto_folder_each(const char *path, enum sotto_err (*fn)(void *ctx, const char *name), void *ctx);

#endif
