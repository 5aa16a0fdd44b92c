/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_STORE_AUDIT_RECORDS_H
#define SOTTO_STORE_AUDIT_RECORDS_H

/*
 * The sealed records of a log, in segments of 65,536 entries, and the way from an id to its entry;
 * the files are described in store/audit_folder.h.  Not thread-safe.
 */

#include "store/audit_folder.h"

#define AUDIT_SEGMENT_ENTRIES 65536

/** Where the writer is: behind the last record. */
struct audit_records {
    char folder[AUDIT_FOLDER_MAX]; /* of the log */
    uint64_t count;                /* records that are durable */
    uint64_t bytes;                /* of them in the present segment's .rec */
    struct sotto_buf rec, idx;     /* of the same segment, not written yet */
    uint64_t added;                /* records in them */
};

/**
 * Begins to write behind record number `count`; records behind it are cut off.
 *
 * @retval SOTTO_EFORMAT  there are fewer
 * @retval SOTTO_EIO, SOTTO_EDENIED, SOTTO_EINVAL
 */
SOTTO_MUST_CHECK enum sotto_err audit_records_open(struct audit_records *r, const char *folder,
                                                   uint64_t count);

void audit_records_close(struct audit_records *r);

/** Adds a record; it is written when a segment is full, else by audit_records_flush(). */
SOTTO_MUST_CHECK enum sotto_err audit_records_add(struct audit_records *r, uint64_t slot,
                                                  sotto_span sealed);

/** Makes all records durable. */
SOTTO_MUST_CHECK enum sotto_err audit_records_flush(struct audit_records *r);

/** Forgets what was added behind record number `count`, which a flush has made durable or not. */
SOTTO_MUST_CHECK enum sotto_err audit_records_back(struct audit_records *r, uint64_t count);

/**
 * Reads a record.
 *
 * @param[out] sealed  appended
 * @retval SOTTO_ENOTFOUND, SOTTO_EFORMAT, SOTTO_EIO, SOTTO_ENOMEM
 */
SOTTO_MUST_CHECK enum sotto_err audit_record_read(const char *folder, uint64_t index,
                                                  uint64_t *slot, struct sotto_buf *sealed);

/** Writes the tables of ids that full segments of a log of `size` entries lack. */
SOTTO_MUST_CHECK enum sotto_err audit_ids_write(const char *folder, const char *log, uint64_t size);

/**
 * The entry with an id, in a log of `size` entries.
 *
 * @retval SOTTO_ENOTFOUND
 * @retval SOTTO_EIO, SOTTO_EFORMAT, SOTTO_ENOMEM
 */
SOTTO_MUST_CHECK enum sotto_err audit_ids_find(const char *folder, const char *log, uint64_t size,
                                               sotto_span id, uint64_t *index);

#endif
