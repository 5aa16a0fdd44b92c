/* SPDX-License-Identifier: Apache-2.0 */

#include "store/audit_records.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "audit/bytes.h"
#include "base/alloc.h"
#include "sys/files.h"

#define RECORD_HEAD_BYTES 10
#define RECORD_ID_BYTES   (SOTTO_AUDIT_ID_SYMBOLS + 2)

static enum sotto_err segment_path(const char *folder, uint64_t segment, const char *kind,
                                   char out[AUDIT_PATH_BYTES])
{
    char name[64];
    snprintf(name, sizeof(name), "records/%09" PRIu64 ".%s", segment, kind);
    return audit_path(folder, name, out);
}

static enum sotto_err open_segment(const char *folder, uint64_t segment, const char *kind,
                                   enum sotto_disk_mode mode, struct sotto_disk_file *out)
{
    char path[AUDIT_PATH_BYTES];
    out->fd = -1;
    enum sotto_err err = segment_path(folder, segment, kind, path);
    return err == SOTTO_OK ? sotto_disk_open(path, mode, out) : err;
}

static uint64_t offset_of(const uint8_t bytes[8])
{
    struct sotto_reader rd = sotto_reader_init(sotto_span_init(bytes, 8));
    return audit_read_u64(&rd);
}

/* --- writing ----------------------------------------------------------------------------------- */

/* Length of a segment's .rec with `count` records: where the last one ends. */
static enum sotto_err segment_bytes(const char *folder, uint64_t segment, uint64_t count,
                                    uint64_t *out)
{
    struct sotto_disk_file idx, rec = {-1};
    uint8_t at[8], head[RECORD_HEAD_BYTES];
    uint64_t size = 0;
    *out = 0;
    if (count == 0) {
        return SOTTO_OK;
    }
    enum sotto_err err = open_segment(folder, segment, "idx", SOTTO_DISK_READ, &idx);
    if (err == SOTTO_OK) {
        err = open_segment(folder, segment, "rec", SOTTO_DISK_READ, &rec);
    }
    if (err == SOTTO_OK) {
        err = sotto_disk_read(&idx, (count - 1) * sizeof(at), at, sizeof(at));
    }
    if (err == SOTTO_OK) {
        err = sotto_disk_read(&rec, offset_of(at), head, sizeof(head));
    }
    if (err == SOTTO_OK) {
        *out = offset_of(at) + sizeof(head) + (uint64_t)(head[8] << 8 | head[9]);
        err = sotto_disk_size(&rec, &size);
    }
    if (err == SOTTO_OK && size < *out) {
        err = SOTTO_EFORMAT;
    }
    sotto_disk_close(&idx);
    sotto_disk_close(&rec);
    return err == SOTTO_ENOTFOUND ? SOTTO_EFORMAT : err;
}

enum sotto_err audit_records_back(struct audit_records *r, uint64_t count)
{
    sotto_buf_truncate(&r->rec, 0);
    sotto_buf_truncate(&r->idx, 0);
    r->added = 0;
    r->count = count;
    return segment_bytes(r->folder, count / AUDIT_SEGMENT_ENTRIES, count % AUDIT_SEGMENT_ENTRIES,
                         &r->bytes);
}

/* What lies behind the last record that counts is written again from the journal. */
static enum sotto_err cut_tail(const char *folder, uint64_t segment, const char *kind, uint64_t len)
{
    struct sotto_disk_file file;
    enum sotto_err err = open_segment(folder, segment, kind, SOTTO_DISK_WRITE, &file);
    if (err == SOTTO_ENOTFOUND) {
        return SOTTO_OK;
    }
    if (err == SOTTO_OK) {
        err = sotto_disk_cut(&file, len);
    }
    sotto_disk_close(&file);
    return err;
}

enum sotto_err audit_records_open(struct audit_records *r, const char *folder, uint64_t count)
{
    char path[AUDIT_PATH_BYTES];
    uint64_t segment = count / AUDIT_SEGMENT_ENTRIES;
    *r = (struct audit_records){0};
    snprintf(r->folder, sizeof(r->folder), "%s", folder);
    sotto_buf_init(&r->rec, SOTTO_BUF_UNBOUNDED);
    sotto_buf_init(&r->idx, SOTTO_BUF_UNBOUNDED);
    enum sotto_err err = audit_path(folder, "records", path);
    if (err == SOTTO_OK) {
        err = sotto_folder_make(path);
    }
    if (err == SOTTO_OK) {
        err = audit_records_back(r, count);
    }
    if (err == SOTTO_OK) {
        err = cut_tail(folder, segment, "rec", r->bytes);
    }
    return err == SOTTO_OK ? cut_tail(folder, segment, "idx", count % AUDIT_SEGMENT_ENTRIES * 8)
                           : err;
}

void audit_records_close(struct audit_records *r)
{
    sotto_buf_free(&r->rec);
    sotto_buf_free(&r->idx);
}

static enum sotto_err write_file(const char *folder, uint64_t segment, const char *kind,
                                 uint64_t at, sotto_span bytes)
{
    struct sotto_disk_file file;
    enum sotto_err err = open_segment(folder, segment, kind, SOTTO_DISK_CREATE, &file);
    if (err == SOTTO_OK) {
        err = sotto_disk_write(&file, at, bytes);
    }
    if (err == SOTTO_OK) {
        err = sotto_disk_sync(&file);
    }
    sotto_disk_close(&file);
    return err;
}

enum sotto_err audit_records_flush(struct audit_records *r)
{
    if (r->added == 0) {
        return SOTTO_OK;
    }
    uint64_t segment = r->count / AUDIT_SEGMENT_ENTRIES;
    enum sotto_err err = write_file(r->folder, segment, "rec", r->bytes, sotto_buf_span(&r->rec));
    if (err == SOTTO_OK) {
        err = write_file(r->folder, segment, "idx", r->count % AUDIT_SEGMENT_ENTRIES * 8,
                         sotto_buf_span(&r->idx));
    }
    if (err != SOTTO_OK) {
        return err;
    }
    r->count += r->added;
    r->bytes = r->count % AUDIT_SEGMENT_ENTRIES != 0 ? r->bytes + r->rec.len : 0;
    r->added = 0;
    sotto_buf_truncate(&r->rec, 0);
    sotto_buf_truncate(&r->idx, 0);
    return SOTTO_OK;
}

enum sotto_err audit_records_add(struct audit_records *r, uint64_t slot, sotto_span sealed)
{
    uint8_t *at, *to = NULL;
    size_t mark = r->idx.len;
    enum sotto_err err = sotto_buf_extend(&r->idx, 8, &at);
    if (err == SOTTO_OK) {
        audit_put_u64(at, r->bytes + r->rec.len);
        err = sotto_buf_extend(&r->rec, RECORD_HEAD_BYTES + sealed.len, &to);
    }
    if (err != SOTTO_OK) {
        sotto_buf_truncate(&r->idx, mark);
        return err;
    }
    audit_put_u64(to, slot);
    audit_put_u16(to + 8, (uint16_t)sealed.len);
    memcpy(to + RECORD_HEAD_BYTES, sealed.base, sealed.len);
    r->added++;
    return (r->count + r->added) % AUDIT_SEGMENT_ENTRIES == 0 ? audit_records_flush(r) : SOTTO_OK;
}

/* --- reading ----------------------------------------------------------------------------------- */

static enum sotto_err read_sealed(const struct sotto_disk_file *rec, uint64_t at, uint64_t *slot,
                                  struct sotto_buf *sealed)
{
    uint8_t head[RECORD_HEAD_BYTES], *to;
    size_t mark = sealed->len;
    enum sotto_err err = sotto_disk_read(rec, at, head, sizeof(head));
    if (err != SOTTO_OK) {
        return err;
    }
    size_t len = (size_t)head[8] << 8 | head[9];
    *slot = offset_of(head);
    err = sotto_buf_extend(sealed, len, &to);
    if (err == SOTTO_OK) {
        err = sotto_disk_read(rec, at + sizeof(head), to, len);
    }
    if (err != SOTTO_OK) {
        sotto_buf_truncate(sealed, mark);
    }
    return err;
}

enum sotto_err audit_record_read(const char *folder, uint64_t index, uint64_t *slot,
                                 struct sotto_buf *sealed)
{
    struct sotto_disk_file idx, rec = {-1};
    uint8_t at[8];
    uint64_t segment = index / AUDIT_SEGMENT_ENTRIES;
    enum sotto_err err = open_segment(folder, segment, "idx", SOTTO_DISK_READ, &idx);
    if (err == SOTTO_OK) {
        err = open_segment(folder, segment, "rec", SOTTO_DISK_READ, &rec);
    }
    if (err == SOTTO_OK) {
        err = sotto_disk_read(&idx, index % AUDIT_SEGMENT_ENTRIES * 8, at, sizeof(at));
    }
    if (err == SOTTO_OK) {
        err = read_sealed(&rec, offset_of(at), slot, sealed);
    }
    sotto_disk_close(&idx);
    sotto_disk_close(&rec);
    return err;
}

/* --- ids --------------------------------------------------------------------------------------- */

static int compare_ids(const void *a, const void *b)
{
    return memcmp(a, b, SOTTO_AUDIT_ID_SYMBOLS);
}

static enum sotto_err collect_ids(const char *log, uint64_t segment, uint8_t *rows)
{
    struct audit_bundle *bundle = sotto_calloc(1, sizeof(*bundle));
    enum sotto_err err = bundle != NULL ? SOTTO_OK : SOTTO_ENOMEM;
    for (size_t b = 0; b < AUDIT_SEGMENT_ENTRIES / SOTTO_AUDIT_TILE_WIDTH && err == SOTTO_OK; b++) {
        err = audit_bundle_read(log, segment * (AUDIT_SEGMENT_ENTRIES / SOTTO_AUDIT_TILE_WIDTH) + b,
                                SOTTO_AUDIT_TILE_WIDTH, bundle);
        for (size_t i = 0; i < SOTTO_AUDIT_TILE_WIDTH && err == SOTTO_OK; i++) {
            size_t n = b * SOTTO_AUDIT_TILE_WIDTH + i;
            uint8_t *row = rows + n * RECORD_ID_BYTES;
            memcpy(row, bundle->entries[i] + 1, SOTTO_AUDIT_ID_SYMBOLS);
            audit_put_u16(row + SOTTO_AUDIT_ID_SYMBOLS, (uint16_t)n);
        }
    }
    sotto_free(bundle);
    return err;
}

enum sotto_err audit_ids_write(const char *folder, const char *log, uint64_t size)
{
    enum sotto_err err = SOTTO_OK;
    for (uint64_t segment = size / AUDIT_SEGMENT_ENTRIES; segment > 0 && err == SOTTO_OK;
         segment--) {
        char path[AUDIT_PATH_BYTES];
        err = segment_path(folder, segment - 1, "ids", path);
        if (err != SOTTO_OK || sotto_file_exists(path)) {
            return err; /* older ones are there as well */
        }
        uint8_t *rows = sotto_calloc(AUDIT_SEGMENT_ENTRIES, RECORD_ID_BYTES);
        err = rows != NULL ? collect_ids(log, segment - 1, rows) : SOTTO_ENOMEM;
        if (err == SOTTO_OK) {
            qsort(rows, AUDIT_SEGMENT_ENTRIES, RECORD_ID_BYTES, compare_ids);
            err = sotto_file_write(
                path, sotto_span_init(rows, (size_t)AUDIT_SEGMENT_ENTRIES * RECORD_ID_BYTES));
        }
        sotto_free(rows);
    }
    return err;
}

/* Binary search in the table of a full segment. */
static enum sotto_err find_in_table(const char *folder, uint64_t segment, sotto_span id,
                                    uint64_t *index)
{
    struct sotto_disk_file file;
    uint8_t row[RECORD_ID_BYTES];
    size_t low = 0, high = AUDIT_SEGMENT_ENTRIES;
    enum sotto_err err = open_segment(folder, segment, "ids", SOTTO_DISK_READ, &file);
    while (err == SOTTO_OK && low < high) {
        size_t middle = low + (high - low) / 2;
        err = sotto_disk_read(&file, (uint64_t)middle * sizeof(row), row, sizeof(row));
        int order = err == SOTTO_OK ? memcmp(row, id.base, SOTTO_AUDIT_ID_SYMBOLS) : 1;
        if (order == 0) {
            *index = segment * AUDIT_SEGMENT_ENTRIES +
                     (uint64_t)(row[SOTTO_AUDIT_ID_SYMBOLS] << 8 | row[SOTTO_AUDIT_ID_SYMBOLS + 1]);
            break;
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    sotto_disk_close(&file);
    return err == SOTTO_OK && low >= high ? SOTTO_ENOTFOUND : err;
}

static enum sotto_err find_in_bundle(const char *log, uint64_t n, unsigned width, sotto_span id,
                                     struct audit_bundle *bundle, uint64_t *index)
{
    enum sotto_err err = audit_bundle_read(log, n, width, bundle);
    for (unsigned i = 0; i < width && err == SOTTO_OK; i++) {
        if (sotto_span_eq(sotto_audit_entry_id(bundle->entries[i]), id)) {
            *index = n * SOTTO_AUDIT_TILE_WIDTH + i;
            return SOTTO_OK;
        }
    }
    return err == SOTTO_OK ? SOTTO_ENOTFOUND : err;
}

enum sotto_err audit_ids_find(const char *folder, const char *log, uint64_t size, sotto_span id,
                              uint64_t *index)
{
    uint64_t full = size / AUDIT_SEGMENT_ENTRIES;
    uint64_t n = (size + SOTTO_AUDIT_TILE_WIDTH - 1) / SOTTO_AUDIT_TILE_WIDTH;
    struct audit_bundle *bundle = sotto_calloc(1, sizeof(*bundle));
    enum sotto_err err = bundle != NULL ? SOTTO_ENOTFOUND : SOTTO_ENOMEM;
    /* The newest first: that is what is asked for most. */
    while (err == SOTTO_ENOTFOUND && n > full * (AUDIT_SEGMENT_ENTRIES / SOTTO_AUDIT_TILE_WIDTH)) {
        n--;
        err = find_in_bundle(log, n, sotto_audit_width(size, 0, n), id, bundle, index);
    }
    while (err == SOTTO_ENOTFOUND && full > 0) {
        err = find_in_table(folder, --full, id, index);
    }
    sotto_free(bundle);
    return err;
}
