/* SPDX-License-Identifier: Apache-2.0 */

#include "detect/ner/encoder_kernel.h"

#if defined(__x86_64__)

#    include <immintrin.h>
#    include <string.h>

#    define AVX2        __attribute__((target("avx2")))
#    define AVX2_INLINE __attribute__((target("avx2"), always_inline)) static inline

/* A tile: four rows by 16 outputs, eight sums that fit the registers with all that is computed. */
#    define AVX2_OUTPUTS 16

static bool usable(void)
{
    return __builtin_cpu_supports("avx2") != 0;
}

/* sum + the products of four inputs; those of two fit 16 bits. */
AVX2_INLINE __m256i dot(__m256i sum, __m256i a, __m256i w)
{
    return _mm256_add_epi32(sum,
                            _mm256_madd_epi16(_mm256_maddubs_epi16(a, w), _mm256_set1_epi16(1)));
}

AVX2_INLINE __m256i broadcast(const uint8_t *a)
{
    int32_t x;
    memcpy(&x, a, sizeof(x));
    return _mm256_set1_epi32(x);
}

AVX2_INLINE void put(int32_t *to, __m256i low, __m256i high)
{
    _mm256_storeu_si256((__m256i *)(void *)to, low);
    _mm256_storeu_si256((__m256i *)(void *)(to + 8), high);
}

/* `w`: the first output's weights of the first four inputs. */
AVX2_INLINE void tile(const int8_t *w, size_t inputs, const uint8_t *rows, int32_t *products)
{
    __m256i a0 = _mm256_setzero_si256(), a1 = a0, b0 = a0, b1 = a0;
    __m256i c0 = a0, c1 = a0, d0 = a0, d1 = a0;

    for (size_t k = 0; k < inputs; k += 4, w += (size_t)4 * SOTTO_NER_PANEL) {
        const __m256i *p = (const __m256i *)(const void *)w;
        __m256i low = _mm256_load_si256(p), high = _mm256_load_si256(p + 1);
        __m256i a = broadcast(rows + k), b = broadcast(rows + inputs + k);
        a0 = dot(a0, a, low);
        a1 = dot(a1, a, high);
        b0 = dot(b0, b, low);
        b1 = dot(b1, b, high);
        a = broadcast(rows + 2 * inputs + k);
        b = broadcast(rows + 3 * inputs + k);
        c0 = dot(c0, a, low);
        c1 = dot(c1, a, high);
        d0 = dot(d0, b, low);
        d1 = dot(d1, b, high);
    }
    put(products, a0, a1);
    put(products + SOTTO_NER_PANEL, b0, b1);
    put(products + (size_t)2 * SOTTO_NER_PANEL, c0, c1);
    put(products + (size_t)3 * SOTTO_NER_PANEL, d0, d1);
}

AVX2 static void multiply(const int8_t *weights, size_t inputs, const uint8_t *rows, size_t count,
                          int32_t *products)
{
    for (size_t n = 0; n < SOTTO_NER_PANEL; n += AVX2_OUTPUTS) {
        for (size_t r = 0; r < count; r += SOTTO_NER_ENCODER_TILE) {
            tile(weights + n * 4, inputs, rows + r * inputs, products + r * SOTTO_NER_PANEL + n);
        }
    }
}

const struct sotto_ner_encoder_kernels sotto_ner_encoder_avx2 = {
    .name = "avx2",
    .usable = usable,
    .multiply = multiply,
    .math = &sotto_ner_math_avx2,
};

#endif
