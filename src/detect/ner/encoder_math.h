/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_DETECT_NER_ENCODER_MATH_H
#define SOTTO_DETECT_NER_ENCODER_MATH_H

/*
 * The floating-point half of the encoder's arithmetic, for vectors of 4, 8 and 16 numbers.
 *
 * All of them give the same bits on every processor: each number is computed by the same additions,
 * multiplications and divisions in the same order, none of them fused or reordered (the build says
 * -ffp-contract=off); a sum over a row has 16 parts, of every sixteenth number, that are added up
 * in pairs; exp and erf are polynomials of their own with a relative error below 1e-6.  The code is
 * the same as well: encoder_lanes.h, compiled once for each width.
 *
 * Rows are of finite numbers and have a multiple of SOTTO_NER_PANEL numbers.
 */

#include <stddef.h>
#include <stdint.h>

#include "detect/ner/encoder_model.h"

/** Most rows of queries that attention takes at a time, and what it works on. */
#define SOTTO_NER_ATTEND_ROWS 16
#define SOTTO_NER_ATTEND_TILE 4

/** Numbers that a row of transposed keys is a multiple of. */
#define SOTTO_NER_ATTEND_KEYS 32

/** What comes behind the products of a panel. */
enum sotto_ner_finish {
    SOTTO_NER_FINISH_SET,  /* out = y */
    SOTTO_NER_FINISH_ADD,  /* out += y */
    SOTTO_NER_FINISH_GELU, /* out = gelu(y) */
};

/** One head of attention over a passage. */
struct sotto_ner_attention {
    const float *keys;   /* [size][SOTTO_NER_ENCODER_POSITIONS]: transposed, zeros behind `count` */
    const float *values; /* [count][size] */
    size_t count;        /* positions of the passage, 1 to SOTTO_NER_ENCODER_POSITIONS */
    size_t size;         /* of the head: 32 or 64 */
    size_t stride;       /* how far rows of queries are apart */
};

struct sotto_ner_math {
    /**
     * A row in bytes: round(x / scale) + 128, with scale = greatest |x| / 127.  A row without a
     * number that counts is 128 everywhere, and its scale 0.
     */
    void (*quantise)(const float *x, size_t width, uint8_t *bytes, float *scale);

    /**
     * y = (product - 128 * sum of weights) * (scale of the row * scale of the output) + bias, for
     * the 64 outputs of panel `panel`, which go to `out`.
     *
     * @param products    [rows][64]
     * @param out         [rows], rows `stride` numbers apart; the panel's first output
     */
    void (*finish)(enum sotto_ner_finish how, const struct sotto_ner_dense *m, size_t panel,
                   const int32_t *products, const float *row_scales, size_t rows, float *out,
                   size_t stride);

    /** x = (x - mean) / sqrt(variance + 1e-12) * gamma + beta, one row. */
    void (*norm)(const struct sotto_ner_norm *norm, size_t width, float *x);

    /**
     * Puts softmax(q . keys) . values where the queries were.
     *
     * @param q     rows of queries; there are whole tiles of them, whose rest becomes undefined
     * @param rows  at most SOTTO_NER_ATTEND_ROWS
     */
    void (*attend)(const struct sotto_ner_attention *attention, float *q, size_t rows);
};

extern const struct sotto_ner_math sotto_ner_math_portable;
#if defined(__x86_64__)
extern const struct sotto_ner_math sotto_ner_math_avx2;
extern const struct sotto_ner_math sotto_ner_math_avx512;
#endif

#endif
