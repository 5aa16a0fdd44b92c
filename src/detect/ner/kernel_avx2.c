/* SPDX-License-Identifier: Apache-2.0 */

#include "detect/ner/kernel.h"

#if defined(__x86_64__)

#    include <immintrin.h>
#    include <string.h>

#    include "detect/ner/kernel_avx2.h"

#    define AVX2        __attribute__((target("avx2")))
#    define AVX2_INLINE __attribute__((target("avx2"), always_inline)) static inline

/*
 * A tile: four tokens by 16 outputs.  Eight sums, the ones and what is being computed fit the
 * sixteen registers; larger tiles were slower because compilers spill.
 */
#    define AVX2_TILE    4
#    define AVX2_OUTPUTS 16

static bool usable(void)
{
    return __builtin_cpu_supports("avx2") != 0;
}

AVX2 static void sum_rows(const int8_t *const *rows, size_t count, __m256i sum[8])
{
    __m256i s[8];

    for (size_t v = 0; v < 8; v++) {
        s[v] = _mm256_setzero_si256();
    }
    for (size_t i = 0; i < count; i++) {
        const __m128i *row = (const __m128i *)(const void *)rows[i];
        s[0] = _mm256_add_epi16(s[0], _mm256_cvtepi8_epi16(_mm_loadu_si128(row)));
        s[1] = _mm256_add_epi16(s[1], _mm256_cvtepi8_epi16(_mm_loadu_si128(row + 1)));
        s[2] = _mm256_add_epi16(s[2], _mm256_cvtepi8_epi16(_mm_loadu_si128(row + 2)));
        s[3] = _mm256_add_epi16(s[3], _mm256_cvtepi8_epi16(_mm_loadu_si128(row + 3)));
        s[4] = _mm256_add_epi16(s[4], _mm256_cvtepi8_epi16(_mm_loadu_si128(row + 4)));
        s[5] = _mm256_add_epi16(s[5], _mm256_cvtepi8_epi16(_mm_loadu_si128(row + 5)));
        s[6] = _mm256_add_epi16(s[6], _mm256_cvtepi8_epi16(_mm_loadu_si128(row + 6)));
        s[7] = _mm256_add_epi16(s[7], _mm256_cvtepi8_epi16(_mm_loadu_si128(row + 7)));
    }
    for (size_t v = 0; v < 8; v++) {
        sum[v] = s[v];
    }
}

AVX2 void sotto_ner_avx2_embed(const int8_t *const *rows, size_t row_count,
                               const int8_t *const *grams, size_t gram_count, int16_t *h)
{
    __m256i plain[8], gram[8], root = _mm256_set1_epi16(sotto_ner_root[gram_count]);
    __m256i eight = _mm256_set1_epi16(1 << 3);

    sum_rows(rows, row_count, plain);
    sum_rows(grams, gram_count, gram);
    for (size_t v = 0; v < 8; v++) {
        __m256i x = _mm256_add_epi16(plain[v], _mm256_mulhrs_epi16(gram[v], root));
        /* saturating x * 8: the two halves of the product, packed */
        __m256i low = _mm256_mullo_epi16(x, eight), high = _mm256_mulhi_epi16(x, eight);
        __m256i y =
            _mm256_packs_epi32(_mm256_unpacklo_epi16(low, high), _mm256_unpackhi_epi16(low, high));
        _mm256_storeu_si256((__m256i *)(void *)(h + 16 * v), y);
    }
}

AVX2 void sotto_ner_avx2_activate(const int16_t *h, size_t count, uint8_t *a)
{
    __m256i half = _mm256_set1_epi16(8), top = _mm256_set1_epi16(127);
    __m256i zero = _mm256_setzero_si256();

    for (size_t i = 0; i < count * SOTTO_NER_WIDTH; i += 32) {
        __m256i x[2];
        for (size_t v = 0; v < 2; v++) {
            x[v] = _mm256_loadu_si256((const __m256i *)(const void *)(h + i + 16 * v));
            x[v] = _mm256_srai_epi16(_mm256_adds_epi16(x[v], half), 4);
            x[v] = _mm256_min_epi16(_mm256_max_epi16(x[v], zero), top);
        }
        __m256i y = _mm256_permute4x64_epi64(_mm256_packus_epi16(x[0], x[1]), 0xd8);
        _mm256_storeu_si256((__m256i *)(void *)(a + i), y);
    }
}

/* Eight inputs of one token: two halves, whose sums of products fit 16 bits together. */
struct avx2_inputs {
    __m256i low;
    __m256i high;
};

AVX2_INLINE __m256i broadcast(const uint8_t *a)
{
    int32_t x;
    memcpy(&x, a, sizeof(x));
    return _mm256_set1_epi32(x);
}

AVX2_INLINE struct avx2_inputs eight(const uint8_t *a)
{
    return (struct avx2_inputs){.low = broadcast(a), .high = broadcast(a + 4)};
}

AVX2_INLINE __m256i dot(__m256i sum, struct avx2_inputs a, __m256i low, __m256i high)
{
    __m256i pairs =
        _mm256_add_epi16(_mm256_maddubs_epi16(a.low, low), _mm256_maddubs_epi16(a.high, high));
    return _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
}

/*
 * Sums of one tile; `w` points at the first output's weights of the first four inputs.  The sums have
 * names because compilers keep names in registers more willingly than elements of an array.
 */
AVX2_INLINE void tile(const int8_t *w, size_t outputs, const uint8_t *a, size_t taps, size_t step,
                      __m256i sum[AVX2_TILE][2])
{
    const size_t next = SOTTO_NER_WIDTH;
    __m256i s00 = sum[0][0], s01 = sum[0][1], s10 = sum[1][0], s11 = sum[1][1];
    __m256i s20 = sum[2][0], s21 = sum[2][1], s30 = sum[3][0], s31 = sum[3][1];

    for (size_t tap = 0; tap < taps; tap++, a += step * SOTTO_NER_WIDTH) {
        for (size_t k = 0; k < SOTTO_NER_WIDTH; k += 8, w += outputs * 8) {
            const __m256i *p = (const __m256i *)(const void *)w;
            const __m256i *q = (const __m256i *)(const void *)(w + outputs * 4);
            struct avx2_inputs x = eight(a + k), y = eight(a + k + next);
            s00 = dot(s00, x, p[0], q[0]);
            s01 = dot(s01, x, p[1], q[1]);
            s10 = dot(s10, y, p[0], q[0]);
            s11 = dot(s11, y, p[1], q[1]);
            x = eight(a + k + 2 * next);
            y = eight(a + k + 3 * next);
            s20 = dot(s20, x, p[0], q[0]);
            s21 = dot(s21, x, p[1], q[1]);
            s30 = dot(s30, y, p[0], q[0]);
            s31 = dot(s31, y, p[1], q[1]);
        }
    }
    sum[0][0] = s00;
    sum[0][1] = s01;
    sum[1][0] = s10;
    sum[1][1] = s11;
    sum[2][0] = s20;
    sum[2][1] = s21;
    sum[3][0] = s30;
    sum[3][1] = s31;
}

AVX2_INLINE void begin_tile(const int32_t *bias, __m256i sum[AVX2_TILE][2])
{
    for (size_t v = 0; v < 2; v++) {
        __m256i b = _mm256_load_si256((const __m256i *)(const void *)(bias + 8 * v));
        sum[0][v] = b;
        sum[1][v] = b;
        sum[2][v] = b;
        sum[3][v] = b;
    }
}

AVX2_INLINE __m256i shifted(__m256i sum, const int32_t *shift)
{
    return _mm256_srav_epi32(sum, _mm256_load_si256((const __m256i *)(const void *)shift));
}

AVX2_INLINE void add_to(int16_t *h, __m256i low, __m256i high)
{
    __m256i *p = (__m256i *)(void *)h;
    __m256i x = _mm256_permute4x64_epi64(_mm256_packs_epi32(low, high), 0xd8);
    _mm256_storeu_si256(p, _mm256_adds_epi16(_mm256_loadu_si256(p), x));
}

AVX2 static void convolve(const struct sotto_ner_matrix *m, const uint8_t *a, size_t dilation,
                          size_t count, int16_t *h)
{
    for (size_t n = 0; n < SOTTO_NER_WIDTH; n += AVX2_OUTPUTS) {
        const int32_t *shift = m->shift + n;
        for (size_t t = 0; t < count; t += AVX2_TILE) {
            __m256i sum[AVX2_TILE][2];
            begin_tile(m->bias + n, sum);
            tile(m->weights + n * 4, SOTTO_NER_WIDTH,
                 a + t * SOTTO_NER_WIDTH - dilation * SOTTO_NER_WIDTH, SOTTO_NER_TAPS, dilation,
                 sum);
            for (size_t j = 0; j < AVX2_TILE; j++) {
                add_to(h + (t + j) * SOTTO_NER_WIDTH + n, shifted(sum[j][0], shift),
                       shifted(sum[j][1], shift + 8));
            }
        }
    }
}

AVX2 static void head(const struct sotto_ner_matrix *m, const uint8_t *a, size_t count,
                      int32_t *out)
{
    for (size_t n = 0; n < SOTTO_NER_HEAD; n += AVX2_OUTPUTS) {
        for (size_t t = 0; t < count; t += AVX2_TILE) {
            __m256i sum[AVX2_TILE][2];
            begin_tile(m->bias + n, sum);
            tile(m->weights + n * 4, SOTTO_NER_HEAD, a + t * SOTTO_NER_WIDTH, 1, 0, sum);
            for (size_t j = 0; j < AVX2_TILE; j++) {
                for (size_t v = 0; v < 2; v++) {
                    __m256i *p = (__m256i *)(void *)(out + (t + j) * SOTTO_NER_HEAD + n + 8 * v);
                    _mm256_storeu_si256(p, shifted(sum[j][v], m->shift + n + 8 * v));
                }
            }
        }
    }
}

const struct sotto_ner_kernels sotto_ner_avx2 = {
    .name = "avx2",
    .usable = usable,
    .embed = sotto_ner_avx2_embed,
    .activate = sotto_ner_avx2_activate,
    .convolve = convolve,
    .head = head,
};

#endif
