/* SPDX-License-Identifier: Apache-2.0 */

#include "store/audit_folder.h"

#include <stdio.h>

#include "sys/files.h"

enum sotto_err audit_path(const char *folder, const char *name, char out[AUDIT_PATH_BYTES])
{
    int n = snprintf(out, AUDIT_PATH_BYTES, "%s/%s", folder, name);
    return n > 0 && n < AUDIT_PATH_BYTES ? SOTTO_OK : SOTTO_EINVAL;
}

bool audit_is_replica(const char *folder)
{
    char path[AUDIT_PATH_BYTES];
    return audit_path(folder, AUDIT_REPLICA, path) == SOTTO_OK && sotto_file_exists(path);
}

/* Reads a tile of at least `width`: that one, or the full one that came after it. */
static enum sotto_err read_tile_file(const char *log, unsigned level, uint64_t n, unsigned width,
                                     struct sotto_buf *out)
{
    char name[SOTTO_AUDIT_TILE_PATH_BYTES], path[AUDIT_PATH_BYTES];
    sotto_audit_tile_path(level, n, width, name);
    enum sotto_err err = audit_path(log, name, path);
    if (err == SOTTO_OK) {
        err = sotto_file_read(path, out->max, out);
    }
    if (err == SOTTO_ENOTFOUND && width != SOTTO_AUDIT_TILE_WIDTH) {
        sotto_audit_tile_path(level, n, SOTTO_AUDIT_TILE_WIDTH, name);
        err = audit_path(log, name, path);
        if (err == SOTTO_OK) {
            err = sotto_file_read(path, out->max, out);
        }
    }
    return err == SOTTO_ELIMIT ? SOTTO_EFORMAT : err;
}

enum sotto_err audit_tile_read(void *ctx, unsigned level, uint64_t n, unsigned width,
                               struct sotto_audit_hash *out)
{
    struct sotto_buf bytes;
    sotto_buf_init(&bytes, SOTTO_AUDIT_TILE_WIDTH * sizeof(*out));
    enum sotto_err err = read_tile_file(ctx, level, n, width, &bytes);
    if (err == SOTTO_OK && (bytes.len < width * sizeof(*out) ||
                            (bytes.len != width * sizeof(*out) && bytes.len != bytes.max))) {
        err = SOTTO_EFORMAT;
    }
    if (err == SOTTO_OK) {
        memcpy(out, bytes.base, width * sizeof(*out));
    }
    sotto_buf_free(&bytes);
    return err;
}

enum sotto_err audit_bundle_read(const char *log, uint64_t n, unsigned width,
                                 struct audit_bundle *out)
{
    struct sotto_buf bytes;
    sotto_buf_init(&bytes, (size_t)SOTTO_AUDIT_TILE_WIDTH * AUDIT_BUNDLE_ENTRY_BYTES);
    enum sotto_err err = read_tile_file(log, SOTTO_AUDIT_ENTRIES, n, width, &bytes);
    if (err == SOTTO_OK && bytes.len != (size_t)width * AUDIT_BUNDLE_ENTRY_BYTES &&
        bytes.len != bytes.max) {
        err = SOTTO_EFORMAT;
    }
    for (unsigned i = 0; err == SOTTO_OK && i < width; i++) {
        const uint8_t *at = bytes.base + (size_t)i * AUDIT_BUNDLE_ENTRY_BYTES;
        if (at[0] != 0 || at[1] != SOTTO_AUDIT_ENTRY_BYTES) {
            err = SOTTO_EFORMAT;
        } else {
            memcpy(out->entries[i], at + 2, SOTTO_AUDIT_ENTRY_BYTES);
        }
    }
    out->width = width;
    sotto_buf_free(&bytes);
    return err;
}

enum sotto_err audit_tile_write(const char *log, unsigned level, uint64_t n, unsigned width,
                                sotto_span bytes)
{
    char name[SOTTO_AUDIT_TILE_PATH_BYTES], path[AUDIT_PATH_BYTES];
    sotto_audit_tile_path(level, n, width, name);
    enum sotto_err err = audit_path(log, name, path);
    if (err != SOTTO_OK) {
        return err;
    }
    err = sotto_file_write(path, bytes);
    if (err != SOTTO_ENOTFOUND) {
        return err;
    }
    char *slash = strrchr(path, '/');
    *slash = '\0';
    err = sotto_folder_make(path);
    *slash = '/';
    return err == SOTTO_OK ? sotto_file_write(path, bytes) : err;
}

void audit_tile_tidy(const char *log, unsigned level, uint64_t n)
{
    char name[SOTTO_AUDIT_TILE_PATH_BYTES], path[AUDIT_PATH_BYTES];
    sotto_audit_tile_path(level, n, 1, name);
    if (audit_path(log, name, path) == SOTTO_OK) {
        *strrchr(path, '/') = '\0'; /* the folder "NNN.p" */
        sotto_folder_remove(path);
    }
}
