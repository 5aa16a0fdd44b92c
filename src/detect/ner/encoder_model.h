/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_DETECT_NER_ENCODER_MODEL_H
#define SOTTO_DETECT_NER_ENCODER_MODEL_H

/*
 * The file of the encoder, opened as views into its bytes; docs/wire/encoder-file.md describes the
 * format.
 *
 * The file is hostile input: after sotto_ner_encoder_model_open() every view lies inside it, every
 * number that is used as an index has been checked, every floating-point number is at most
 * SOTTO_NER_ENCODER_FLOAT_MAX in size, and the sums of the matrices are those of their weights.
 * From that follows that no product overflows and that nothing computed is infinite or not a
 * number, but for the sum of squares of a norm, which may be infinite and then divides to zero.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/span.h"

/** Limits of the network's dimensions; width and inner are multiples of SOTTO_NER_PANEL. */
#define SOTTO_NER_ENCODER_LAYERS_MAX 12
#define SOTTO_NER_ENCODER_WIDTH_MAX  512
#define SOTTO_NER_ENCODER_INNER_MAX  2048

/** Positions of a passage, the one before its pieces and the one behind them among them. */
#define SOTTO_NER_ENCODER_POSITIONS 128

/** Outputs that lie together in a matrix. */
#define SOTTO_NER_PANEL 64

/** Greatest size of a floating-point number of the file. */
#define SOTTO_NER_ENCODER_FLOAT_MAX 1e6F

/** A matrix: an output is (sum of inputs x weights) x scale + bias. */
struct sotto_ner_dense {
    const int8_t *weights; /* [outputs / 64][inputs / 4][64][4], at most SOTTO_NER_WEIGHT_MAX */
    const float *scale;    /* one an output, as the two below */
    const float *bias;
    const int32_t *sums; /* of the output's weights */
    uint32_t inputs;
    uint32_t outputs;
};

struct sotto_ner_norm {
    const float *gamma;
    const float *beta;
};

/** Pieces by the hash of their code points, see detect/ner/piece.h. */
struct sotto_ner_vocabulary {
    const uint32_t *index; /* 65537 offsets: where the hashes with these upper 16 bits are */
    const uint32_t *hash;  /* ascending */
    const uint16_t *id;    /* less than the number of rows */
    uint32_t count;
};

struct sotto_ner_encoder_layer {
    struct sotto_ner_dense qkv;
    struct sotto_ner_dense out;
    struct sotto_ner_norm attention_norm;
    struct sotto_ner_dense inner;
    struct sotto_ner_dense outer;
    struct sotto_ner_norm norm;
};

struct sotto_ner_encoder_model {
    uint32_t width;
    uint32_t layer_count;
    uint32_t head_count;
    uint32_t head_size; /* 32 or 64; width / head_count */
    uint32_t inner;
    uint32_t row_count;
    uint32_t unsure_from; /* per mille: where a cheaper reader is unsure, for whom it may concern */
    uint32_t unsure_to;
    struct sotto_ner_vocabulary vocabulary;
    const int8_t *rows; /* row_count rows of width bytes */
    const float *row_scale;
    const float *positions; /* tables of rows of width numbers */
    const float *shapes;
    const float *flags;
    struct sotto_ner_norm norm;
    struct sotto_ner_encoder_layer layers[SOTTO_NER_ENCODER_LAYERS_MAX];
    struct sotto_ner_dense head;
};

/**
 * Opens a file of an encoder.
 *
 * @param file      borrowed, must outlive `out`; aligned to 64 bytes
 * @param trusted   whether the checksum may be left out: for a file that is part of the program
 * @param[out] out  set only on SOTTO_OK
 *
 * @retval SOTTO_EFORMAT  not such a file, of another version, damaged or not aligned
 * @retval SOTTO_ECRYPTO, SOTTO_ENOMEM  the checksum cannot be computed
 */
SOTTO_MUST_CHECK enum sotto_err sotto_ner_encoder_model_open(sotto_span file, bool trusted,
                                                             struct sotto_ner_encoder_model *out);

#endif
