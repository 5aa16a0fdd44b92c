/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_DETECT_NER_PIECE_H
#define SOTTO_DETECT_NER_PIECE_H

/*
 * Tokens cut into pieces of a vocabulary (WordPiece), as the encoder was trained on them.
 *
 * A token's code points, as sotto_ner_points() gives them, are cut from the left, each piece as
 * long as one of the vocabulary fits; pieces that begin a token and pieces that continue one are
 * different ones.  A token of which some rest fits no piece is unknown as a whole.  A line break is
 * the piece that ends a passage.
 */

#include <stddef.h>
#include <stdint.h>

#include "base/span.h"
#include "detect/ner/encoder_model.h"

/** Most pieces of one token; further ones are left out. */
#define SOTTO_NER_TOKEN_PIECES 8

/** Pieces that are no text. */
#define SOTTO_NER_PIECE_UNKNOWN 1
#define SOTTO_NER_PIECE_BEGIN   2
#define SOTTO_NER_PIECE_END     3

/**
 * Cuts a token.
 *
 * @param bytes  of the token; any bytes give a result
 * @param kind   enum sotto_ner_kind
 * @param[out] ids  rows of the encoder's table
 * @return how many, at least 1
 */
size_t sotto_ner_pieces(const struct sotto_ner_vocabulary *vocabulary, sotto_span bytes,
                        uint8_t kind, uint16_t ids[SOTTO_NER_TOKEN_PIECES]);

#endif
