/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_DETECT_NER_KERNEL_H
#define SOTTO_DETECT_NER_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "detect/ner/model.h"

/*
 * The arithmetic of the network, once in portable C and once per instruction set.  It is integer
 * arithmetic without overflow, so that all of them give the same bytes:
 *
 *   rows         signed bytes, in 1/64
 *   h            the stream of the network: int16, in 1/512, additions saturate
 *   activation   clamp((h + 8) >> 4, 0, 127): unsigned bytes, in 1/32
 *   weights      -63 to 63: the sum of four products with activations fits an int16, so that no
 *                kernel saturates in between
 *   products     int32: (sum + bias) >> shift, one shift an output, half of the divisor in the bias
 *
 * Kernels work on tiles of tokens.  They read and write up to SOTTO_NER_SLACK rows behind the last
 * token: what they write there is undefined, and the buffers must have room.  So whoever cuts a window
 * into pieces cuts at multiples of SOTTO_NER_TILE.
 */

/** A multiple of every kernel's tile. */
#define SOTTO_NER_TILE 12

/** Rows behind the last token that a kernel may touch. */
#define SOTTO_NER_SLACK 8

struct sotto_ner_kernels {
    const char *name;

    /** Whether this processor has the instructions. */
    bool (*usable)(void);

    /** h = 8 * (sum of `rows` + sum of `grams` / sqrt(gram_count)), one token; gram_count <= 64. */
    void (*embed)(const int8_t *const *rows, size_t row_count, const int8_t *const *grams,
                  size_t gram_count, int16_t *h);

    /** Activation of `count` tokens of h. */
    void (*activate)(const int16_t *h, size_t count, uint8_t *a);

    /**
     * h += products of the rows a[t - dilation], a[t], a[t + dilation].
     *
     * @param a  `dilation` rows before the first and behind the last token must be zero
     */
    void (*convolve)(const struct sotto_ner_matrix *m, const uint8_t *a, size_t dilation,
                     size_t count, int16_t *h);

    /** Products of the rows of `a` with the head: SOTTO_NER_HEAD numbers a token, in 1/256. */
    void (*head)(const struct sotto_ner_matrix *m, const uint8_t *a, size_t count, int32_t *out);
};

extern const struct sotto_ner_kernels sotto_ner_reference;
#if defined(__x86_64__)
extern const struct sotto_ner_kernels sotto_ner_avx2;
extern const struct sotto_ner_kernels sotto_ner_avx512;
extern const struct sotto_ner_kernels sotto_ner_vnni;
#endif

/** All kernels of this build, the reference first, faster ones later; ends with NULL. */
extern const struct sotto_ner_kernels *const sotto_ner_kernels_all[];

/** The fastest that this processor can run. */
const struct sotto_ner_kernels *sotto_ner_kernels_best(void);

/** 32768 / sqrt(n), at most 32767: what the sum of n n-gram rows is multiplied with. */
extern const int16_t sotto_ner_root[65];

#endif
