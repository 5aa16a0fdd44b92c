/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The matrix products with 512-bit registers, included by kernel_avx512.c and kernel_vnni.c, which
 * differ in one instruction: they define KERNEL_TARGET (the attribute) and dot().
 */

#include <immintrin.h>
#include <string.h>

/* A tile: four tokens by 64 outputs are sixteen sums. */
#define AVX512_TILE    4
#define AVX512_OUTPUTS 64

#define AVX512_INLINE __attribute__((target(KERNEL_TARGET), always_inline)) static inline
#define AVX512        __attribute__((target(KERNEL_TARGET)))

/* Eight inputs of one token: two halves. */
struct avx512_inputs {
    __m512i low;
    __m512i high;
};

/* sum + the products of eight inputs; the sums of four products fit 16 bits. */
AVX512_INLINE __m512i dot(__m512i sum, struct avx512_inputs a, __m512i low, __m512i high);

AVX512_INLINE __m512i broadcast(const uint8_t *a)
{
    int32_t x;
    memcpy(&x, a, sizeof(x));
    return _mm512_set1_epi32(x);
}

/* One token against 64 outputs. */
AVX512_INLINE void row(__m512i sum[4], const uint8_t *a, const __m512i *low, const __m512i *high)
{
    struct avx512_inputs x = {.low = broadcast(a), .high = broadcast(a + 4)};

    sum[0] = dot(sum[0], x, low[0], high[0]);
    sum[1] = dot(sum[1], x, low[1], high[1]);
    sum[2] = dot(sum[2], x, low[2], high[2]);
    sum[3] = dot(sum[3], x, low[3], high[3]);
}

/* Sums of one tile; `w` points at the first output's weights of the first four inputs. */
AVX512_INLINE void tile(const int8_t *w, size_t outputs, const uint8_t *a, size_t taps, size_t step,
                        __m512i sum[AVX512_TILE][4])
{
    const size_t next = SOTTO_NER_WIDTH;

    for (size_t tap = 0; tap < taps; tap++, a += step * SOTTO_NER_WIDTH) {
        for (size_t k = 0; k < SOTTO_NER_WIDTH; k += 8, w += outputs * 8) {
            const __m512i *p = (const __m512i *)(const void *)w;
            const __m512i *q = (const __m512i *)(const void *)(w + outputs * 4);
            const __m512i low[4] = {p[0], p[1], p[2], p[3]}, high[4] = {q[0], q[1], q[2], q[3]};
            row(sum[0], a + k, low, high);
            row(sum[1], a + k + next, low, high);
            row(sum[2], a + k + 2 * next, low, high);
            row(sum[3], a + k + 3 * next, low, high);
        }
    }
}

AVX512_INLINE void begin_tile(const int32_t *bias, __m512i sum[AVX512_TILE][4])
{
    for (size_t v = 0; v < 4; v++) {
        __m512i b = _mm512_load_si512(bias + 16 * v);
        sum[0][v] = b;
        sum[1][v] = b;
        sum[2][v] = b;
        sum[3][v] = b;
    }
}

AVX512 static void convolve(const struct sotto_ner_matrix *m, const uint8_t *a, size_t dilation,
                            size_t count, int16_t *h)
{
    for (size_t n = 0; n < SOTTO_NER_WIDTH; n += AVX512_OUTPUTS) {
        for (size_t t = 0; t < count; t += AVX512_TILE) {
            __m512i sum[AVX512_TILE][4];
            begin_tile(m->bias + n, sum);
            tile(m->weights + n * 4, SOTTO_NER_WIDTH,
                 a + t * SOTTO_NER_WIDTH - dilation * SOTTO_NER_WIDTH, SOTTO_NER_TAPS, dilation,
                 sum);
            for (size_t j = 0; j < AVX512_TILE; j++) {
                for (size_t v = 0; v < 4; v++) {
                    __m256i *p = (__m256i *)(void *)(h + (t + j) * SOTTO_NER_WIDTH + n + 16 * v);
                    __m512i shift = _mm512_load_si512(m->shift + n + 16 * v);
                    __m256i x = _mm512_cvtsepi32_epi16(_mm512_srav_epi32(sum[j][v], shift));
                    _mm256_storeu_si256(p, _mm256_adds_epi16(_mm256_loadu_si256(p), x));
                }
            }
        }
    }
}

AVX512 static void head(const struct sotto_ner_matrix *m, const uint8_t *a, size_t count,
                        int32_t *out)
{
    for (size_t t = 0; t < count; t += AVX512_TILE) {
        __m512i sum[AVX512_TILE][4];
        begin_tile(m->bias, sum);
        tile(m->weights, SOTTO_NER_HEAD, a + t * SOTTO_NER_WIDTH, 1, 0, sum);
        for (size_t j = 0; j < AVX512_TILE; j++) {
            for (size_t v = 0; v < 4; v++) {
                __m512i shift = _mm512_load_si512(m->shift + 16 * v);
                _mm512_storeu_si512(out + (t + j) * SOTTO_NER_HEAD + 16 * v,
                                    _mm512_srav_epi32(sum[j][v], shift));
            }
        }
    }
}
