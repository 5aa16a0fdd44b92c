/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_GATEWAY_ROOM_LOG_H
#define SOTTO_GATEWAY_ROOM_LOG_H

/*
 * The audit log as a service of the vault room; for the files room*.c alone.
 *
 *   GET  /v1/audit/{id}       the record, what opens the entry's commitment, and the proof
 *   GET  /log/checkpoint      the log's public files (C2SP tlog-tiles)
 *   GET  /log/tile/...
 *   GET  /log/vkey            the log's public key, for clients to pin
 *   POST /log/cosignatures    a checkpoint that a witness cosigned
 *
 * All of it reads files, so a worker does it.
 */

#include "gateway/room_stream.h"

/** In a worker: does what is asked.  Errors as room_admit(). */
SOTTO_MUST_CHECK enum sotto_err room_log_read(struct room_stream *s,
                                              const struct sotto_http_head *head, sotto_span body);

/** Sends what room_log_read() came to, and finishes. */
void room_log(struct room_stream *s);

#endif
