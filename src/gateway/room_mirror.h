/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_GATEWAY_ROOM_MIRROR_H
#define SOTTO_GATEWAY_ROOM_MIRROR_H

#include "gateway/room_stream.h"

/** Answers a masked request with the built-in mirror; finishes. */
void room_mirror(struct room_stream *s);

/* What an answer of any origin goes through; room_answer.c. */

/** One chunk of a stream; takes it over.  `ctx` is a struct room_stream. */
enum sotto_err room_emit(void *ctx, yyjson_mut_doc *chunk);

/** All chunks were emitted. */
void room_stream_done(struct room_stream *s);

/** A whole answer, borrowed for the call and edited. */
void room_whole(struct room_stream *s, yyjson_mut_doc *answer);

#endif
