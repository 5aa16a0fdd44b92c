/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The encoder's products with 512-bit registers, included by encoder_kernel_avx512.c and
 * encoder_kernel_vnni.c, which differ in one instruction: they define KERNEL_TARGET (the attribute)
 * and dot().
 */

#include <immintrin.h>
#include <string.h>

#define AVX512_INLINE __attribute__((target(KERNEL_TARGET), always_inline)) static inline
#define AVX512        __attribute__((target(KERNEL_TARGET)))

/* sum + the products of four inputs; those of two fit 16 bits. */
AVX512_INLINE __m512i dot(__m512i sum, __m512i a, __m512i w);

/* One row against a panel. */
AVX512_INLINE void row(__m512i sum[4], const uint8_t *a, const __m512i w[4])
{
    int32_t x;

    memcpy(&x, a, sizeof(x));
    __m512i all = _mm512_set1_epi32(x);
    sum[0] = dot(sum[0], all, w[0]);
    sum[1] = dot(sum[1], all, w[1]);
    sum[2] = dot(sum[2], all, w[2]);
    sum[3] = dot(sum[3], all, w[3]);
}

/* A tile: four rows by a panel are sixteen sums. */
AVX512_INLINE void tile(const int8_t *weights, size_t inputs, const uint8_t *rows,
                        int32_t *products)
{
    __m512i sum[SOTTO_NER_ENCODER_TILE][4];

    for (size_t v = 0; v < 4; v++) {
        sum[0][v] = _mm512_setzero_si512();
        sum[1][v] = sum[0][v];
        sum[2][v] = sum[0][v];
        sum[3][v] = sum[0][v];
    }
    for (size_t k = 0; k < inputs; k += 4, weights += (size_t)4 * SOTTO_NER_PANEL) {
        const __m512i *p = (const __m512i *)(const void *)weights;
        const __m512i w[4] = {p[0], p[1], p[2], p[3]};
        row(sum[0], rows + k, w);
        row(sum[1], rows + inputs + k, w);
        row(sum[2], rows + 2 * inputs + k, w);
        row(sum[3], rows + 3 * inputs + k, w);
    }
    for (size_t j = 0; j < SOTTO_NER_ENCODER_TILE; j++) {
        for (size_t v = 0; v < 4; v++) {
            _mm512_storeu_si512(products + j * SOTTO_NER_PANEL + 16 * v, sum[j][v]);
        }
    }
}

AVX512 static void multiply(const int8_t *weights, size_t inputs, const uint8_t *rows, size_t count,
                            int32_t *products)
{
    for (size_t r = 0; r < count; r += SOTTO_NER_ENCODER_TILE) {
        tile(weights, inputs, rows + r * inputs, products + r * SOTTO_NER_PANEL);
    }
}
