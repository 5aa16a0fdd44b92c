/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_SYS_FILES_H
#define SOTTO_SYS_FILES_H

#include "base/buf.h"

/**
 * Appends the content of the file to `out`, which is unchanged on failure.
 *
 * @retval SOTTO_ENOTFOUND  there is no such file
 * @retval SOTTO_EDENIED    no permission
 * @retval SOTTO_ELIMIT     longer than `max` bytes
 * @retval SOTTO_EIO, SOTTO_ENOMEM
 */
SOTTO_MUST_CHECK enum sotto_err sotto_file_read(const char *path, size_t max,
                                                struct sotto_buf *out);

/**
 * Replaces the file by one with this content and mode 0600, so that after a crash there is the old
 * one or the new one (written beside it, synced, renamed, folder synced).
 *
 * @retval SOTTO_ENOTFOUND, SOTTO_EDENIED, SOTTO_EIO  the file is as it was
 */
SOTTO_MUST_CHECK enum sotto_err sotto_file_write(const char *path, sotto_span content);

/**
 * Makes a new file with this content and mode 0600.
 *
 * @retval SOTTO_EEXISTS  there is one already
 * @retval SOTTO_ENOTFOUND, SOTTO_EDENIED, SOTTO_EIO
 */
SOTTO_MUST_CHECK enum sotto_err sotto_file_create(const char *path, sotto_span content);

/**
 * Makes a folder with mode 0700, and those above it that are missing, so that they are there after
 * a crash.  One that exists is fine.
 *
 * @retval SOTTO_EDENIED, SOTTO_EIO, SOTTO_EINVAL
 */
SOTTO_MUST_CHECK enum sotto_err sotto_folder_make(const char *path);

/**
 * Makes the entry of `path` in its folder durable: what was made, renamed or removed there.
 *
 * @retval SOTTO_ENOTFOUND, SOTTO_EDENIED, SOTTO_EIO
 */
SOTTO_MUST_CHECK enum sotto_err sotto_entry_sync(const char *path);

#endif
