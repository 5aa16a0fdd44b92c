/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_SEAL_PIECES_H
#define SOTTO_SEAL_PIECES_H

/*
 * Cuts a chunk of a stream (OpenAI's chat.completion.chunk) into several that say the same one
 * after the other, for clients that take lines of bounded length.
 */

#include "json/json.h"

/** Most bytes of text in a piece. */
#define SOTTO_PIECE_BYTES 4096

/** Takes a piece, which is freed after the call. */
typedef enum sotto_err sotto_pieces_emit(void *ctx, yyjson_mut_doc *piece);

/**
 * Cuts the longest text of the chunk's deltas: emits a chunk for each piece of it but the last,
 * which stays in `chunk` with everything else.  What comes first in a delta (`role`, a tool call's
 * id, type and name) goes out with the first piece.
 *
 * @param[out] cut  false: no text is longer than SOTTO_PIECE_BYTES, nothing was done
 *
 * @retval SOTTO_ENOMEM, what `emit` returned  the chunk must not be used any more
 */
SOTTO_MUST_CHECK enum sotto_err sotto_pieces_cut(yyjson_mut_doc *chunk, sotto_pieces_emit *emit,
                                                 void *ctx, bool *cut);

#endif
