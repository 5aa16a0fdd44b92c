/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_DETECT_NER_KERNEL_AVX2_H
#define SOTTO_DETECT_NER_KERNEL_AVX2_H

#include <stddef.h>
#include <stdint.h>

/** The short kernels of AVX2, which the 512-bit kernels use too; see detect/ner/kernel.h. */
void sotto_ner_avx2_embed(const int8_t *const *rows, size_t row_count, const int8_t *const *grams,
                          size_t gram_count, int16_t *h);
void sotto_ner_avx2_activate(const int16_t *h, size_t count, uint8_t *a);

#endif
