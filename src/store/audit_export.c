/* SPDX-License-Identifier: Apache-2.0 */

#include <stdio.h>

#include "base/alloc.h"
#include "store/audit_state.h"
#include "sys/files.h"

static enum sotto_err copy_tile(const char *from, const char *to, unsigned level, uint64_t n,
                                unsigned width)
{
    struct sotto_audit_hash tile[SOTTO_AUDIT_TILE_WIDTH];
    enum sotto_err err = audit_tile_read((void *)(uintptr_t)from, level, n, width, tile);
    return err == SOTTO_OK
               ? audit_tile_write(to, level, n, width, sotto_span_init(tile, width * sizeof(*tile)))
               : err;
}

static enum sotto_err copy_bundle(const char *from, const char *to, uint64_t n, unsigned width,
                                  struct audit_bundle *bundle)
{
    struct sotto_buf bytes;
    sotto_buf_init(&bytes, (size_t)SOTTO_AUDIT_TILE_WIDTH * AUDIT_BUNDLE_ENTRY_BYTES);
    enum sotto_err err = audit_bundle_read(from, n, width, bundle);
    for (unsigned i = 0; i < width && err == SOTTO_OK; i++) {
        uint8_t *dst;
        err = sotto_buf_extend(&bytes, AUDIT_BUNDLE_ENTRY_BYTES, &dst);
        if (err == SOTTO_OK) {
            dst[0] = 0;
            dst[1] = SOTTO_AUDIT_ENTRY_BYTES;
            memcpy(dst + 2, bundle->entries[i], SOTTO_AUDIT_ENTRY_BYTES);
        }
    }
    if (err == SOTTO_OK) {
        err = audit_tile_write(to, SOTTO_AUDIT_ENTRIES, n, width, sotto_buf_span(&bytes));
    }
    sotto_buf_free(&bytes);
    return err;
}

/* All tiles that a tree of `size` entries has. */
static enum sotto_err copy_tiles(const char *from, const char *to, uint64_t size)
{
    struct audit_bundle *bundle = sotto_calloc(1, sizeof(*bundle));
    enum sotto_err err = bundle != NULL ? SOTTO_OK : SOTTO_ENOMEM;
    for (unsigned level = 0; level < SOTTO_AUDIT_LEVELS && err == SOTTO_OK; level++) {
        unsigned width;
        for (uint64_t n = 0; err == SOTTO_OK && (width = sotto_audit_width(size, level, n)) != 0;
             n++) {
            err = copy_tile(from, to, level, n, width);
            if (err == SOTTO_OK && level == 0) {
                err = copy_bundle(from, to, n, width, bundle);
            }
        }
    }
    sotto_free(bundle);
    return err;
}

enum sotto_err sotto_audit_export(const char *folder, const char *to, uint64_t *size,
                                  char why[SOTTO_STORE_WHY_BYTES])
{
    char from[AUDIT_PATH_BYTES], path[AUDIT_PATH_BYTES];
    struct sotto_buf text;
    struct sotto_note note;
    struct sotto_checkpoint c;
    sotto_buf_init(&text, SOTTO_NOTE_MAX_BYTES);
    enum sotto_err err = audit_path(folder, "log", from);
    if (err == SOTTO_OK) {
        err = audit_path(from, "checkpoint", path);
    }
    if (err == SOTTO_OK) {
        err = sotto_file_read(path, SOTTO_NOTE_MAX_BYTES, &text);
    }
    if (err == SOTTO_OK) {
        err = sotto_note_parse(sotto_buf_span(&text), &note);
    }
    if (err == SOTTO_OK) {
        err = sotto_checkpoint_parse(note.text, &c);
    }
    if (err == SOTTO_OK) {
        err = sotto_folder_make(to);
    }
    if (err == SOTTO_OK) {
        err = copy_tiles(from, to, c.size);
    }
    if (err == SOTTO_OK) {
        err = audit_path(to, "checkpoint", path);
    }
    if (err == SOTTO_OK) {
        err = sotto_file_write(path, sotto_buf_span(&text));
    }
    if (err == SOTTO_OK) {
        *size = c.size;
    } else {
        snprintf(why, SOTTO_STORE_WHY_BYTES, "%.200s: cannot be copied to %.200s (%s)", from, to,
                 sotto_err_text(err));
    }
    sotto_buf_free(&text);
    return err;
}
