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

/* Four inputs of a row. */
AVX512_INLINE __m512i broadcast(const uint8_t *a)
{
    int32_t x;
    memcpy(&x, a, sizeof(x));
    return _mm512_set1_epi32(x);
}

/* Eight inputs of one row against a panel; `low`: weights of the first four. */
AVX512_INLINE void row(__m512i sum[4], const uint8_t *a, const __m512i low[4],
                       const __m512i high[4])
{
    __m512i x = broadcast(a), y = broadcast(a + 4);

    sum[0] = dot(dot(sum[0], x, low[0]), y, high[0]);
    sum[1] = dot(dot(sum[1], x, low[1]), y, high[1]);
    sum[2] = dot(dot(sum[2], x, low[2]), y, high[2]);
    sum[3] = dot(dot(sum[3], x, low[3]), y, high[3]);
}

/* A tile: four rows by a panel are sixteen sums. */
AVX512_INLINE void tile(const int8_t *weights, size_t inputs, const uint8_t *rows,
                        int32_t *products)
{
    const __m512i zero = _mm512_setzero_si512();
    __m512i sum[SOTTO_NER_ENCODER_TILE][4] = {{zero, zero, zero, zero},
                                              {zero, zero, zero, zero},
                                              {zero, zero, zero, zero},
                                              {zero, zero, zero, zero}};

    for (size_t k = 0; k < inputs; k += 8, weights += (size_t)8 * SOTTO_NER_PANEL) {
        const __m512i *p = (const __m512i *)(const void *)weights;
        const __m512i low[4] = {p[0], p[1], p[2], p[3]}, high[4] = {p[4], p[5], p[6], p[7]};
        row(sum[0], rows + k, low, high);
        row(sum[1], rows + inputs + k, low, high);
        row(sum[2], rows + 2 * inputs + k, low, high);
        row(sum[3], rows + 3 * inputs + k, low, high);
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
