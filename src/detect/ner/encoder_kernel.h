/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_DETECT_NER_ENCODER_KERNEL_H
#define SOTTO_DETECT_NER_ENCODER_KERNEL_H

/*
 * The integer half of the encoder's arithmetic, once in portable C and once per instruction set,
 * and the floating-point half that goes with each.  Activations are unsigned bytes, weights -63 to
 * 63, so that the sum of two products fits an int16 and no kernel saturates: sums of int32 are
 * exact, and all kernels give the same bytes.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "detect/ner/encoder_math.h"

/** Kernels read and write whole tiles: up to this many rows less one behind the last. */
#define SOTTO_NER_ENCODER_TILE 4

struct sotto_ner_encoder_kernels {
    const char *name; /* as those of detect/ner/kernel.h */

    /** Whether this processor has the instructions. */
    bool (*usable)(void);

    /**
     * Products of rows with a panel of SOTTO_NER_PANEL outputs.
     *
     * @param weights   of the panel, [inputs / 4][64][4]
     * @param inputs    a multiple of SOTTO_NER_PANEL, at most SOTTO_NER_ENCODER_INNER_MAX
     * @param rows      [count rounded up to whole tiles][inputs]
     * @param products  [count rounded up to whole tiles][64]; behind `count` undefined
     */
    void (*multiply)(const int8_t *weights, size_t inputs, const uint8_t *rows, size_t count,
                     int32_t *products);

    const struct sotto_ner_math *math;
};

extern const struct sotto_ner_encoder_kernels sotto_ner_encoder_reference;
#if defined(__x86_64__)
extern const struct sotto_ner_encoder_kernels sotto_ner_encoder_avx2;
extern const struct sotto_ner_encoder_kernels sotto_ner_encoder_avx512;
extern const struct sotto_ner_encoder_kernels sotto_ner_encoder_vnni;
#endif

/** All kernels of this build, the reference first, faster ones later; ends with NULL. */
extern const struct sotto_ner_encoder_kernels *const sotto_ner_encoder_kernels_all[];

/** The kernels of that name, NULL: the fastest.  NULL if this processor cannot run them. */
const struct sotto_ner_encoder_kernels *sotto_ner_encoder_kernels_named(const char *name);

#endif
