/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_STORE_AUDIT_FOLDER_H
#define SOTTO_STORE_AUDIT_FOLDER_H

/*
 * The files of an audit log.
 *
 *   log/checkpoint, log/tile/...   what anybody may read: C2SP tlog-tiles
 *   journal                        what is committed and not in the tree yet (audit/journal.h)
 *   records/NNNNNNNNN.rec          sealed records of 65,536 entries, one behind the other:
 *                                  slot number(8) len(2) sealed
 *   records/NNNNNNNNN.idx          where each begins, 8 bytes an entry
 *   records/NNNNNNNNN.ids          of a full segment: id(22) entry(2), sorted by id
 *   subjects                       head(32) and a slot each (audit/subject.h)
 *   wrap                           the key under which the slots are wrapped
 *   key                            the log's signing key
 *   witnessed/                     checkpoints that a witness cosigned
 *   lock                           held by the process that writes
 *
 * A gateway of a fleet has no `journal`, `subjects` and `wrap`: what they hold lies in PostgreSQL
 * (store/postgres_audit.h), and the folder is a copy of the fleet's log, which says
 *   subjects.in-postgres           so
 */

#include "audit/entry.h"
#include "audit/note.h"
#include "store/store.h"
#include "sys/disk_file.h"

/** Room for a path within an audit log. */
#define AUDIT_PATH_BYTES 4352

/** Longest name of an audit log's folder. */
#define AUDIT_FOLDER_MAX 4096

/** Writes the path of a file below `folder`.  @retval SOTTO_EINVAL  too long */
SOTTO_MUST_CHECK enum sotto_err audit_path(const char *folder, const char *name,
                                           char out[AUDIT_PATH_BYTES]);

/** The file that says that a folder is one gateway's copy of a fleet's log. */
#define AUDIT_REPLICA "subjects.in-postgres"

/** Whether it is. */
bool audit_is_replica(const char *folder);

/** Bytes of an entry in a bundle: its length and itself. */
#define AUDIT_BUNDLE_ENTRY_BYTES (2 + SOTTO_AUDIT_ENTRY_BYTES)

/** Entries of a bundle. */
struct audit_bundle {
    unsigned width;
    uint8_t entries[SOTTO_AUDIT_TILE_WIDTH][SOTTO_AUDIT_ENTRY_BYTES];
};

/**
 * Reads `width` entries of bundle `n` below the log's public folder.
 *
 * @retval SOTTO_ENOTFOUND  there is neither this width nor a full one
 * @retval SOTTO_EFORMAT    the file is no bundle
 * @retval SOTTO_EIO, SOTTO_EDENIED, SOTTO_ENOMEM
 */
SOTTO_MUST_CHECK enum sotto_err audit_bundle_read(const char *log, uint64_t n, unsigned width,
                                                  struct audit_bundle *out);

/** As the `read` of struct sotto_audit_tiles; `ctx` is the public folder's path. */
SOTTO_MUST_CHECK enum sotto_err audit_tile_read(void *ctx, unsigned level, uint64_t n,
                                                unsigned width, struct sotto_audit_hash *out);

/** Writes a tile or bundle, durable, and the folders above it. */
SOTTO_MUST_CHECK enum sotto_err audit_tile_write(const char *log, unsigned level, uint64_t n,
                                                 unsigned width, sotto_span bytes);

/** Removes the incomplete forms of a tile that is full now. */
void audit_tile_tidy(const char *log, unsigned level, uint64_t n);

#endif
