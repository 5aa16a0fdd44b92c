/* SPDX-License-Identifier: Apache-2.0 */

#include "detect/ner/kernel.h"

#include <string.h>

const int16_t sotto_ner_root[65] = {
    0,    32767, 23170, 18919, 16384, 14654, 13377, 12385, 11585, 10923, 10362, 9880, 9459,
    9088, 8758,  8461,  8192,  7947,  7723,  7517,  7327,  7151,  6986,  6833,  6689, 6554,
    6426, 6306,  6193,  6085,  5983,  5885,  5793,  5704,  5620,  5539,  5461,  5387, 5316,
    5247, 5181,  5118,  5056,  4997,  4940,  4885,  4831,  4780,  4730,  4681,  4634, 4588,
    4544, 4501,  4459,  4418,  4379,  4340,  4303,  4266,  4230,  4196,  4162,  4128, 4096,
};

static bool usable(void)
{
    return true;
}

static int16_t saturate(int32_t x)
{
    return (int16_t)(x < INT16_MIN ? INT16_MIN : x > INT16_MAX ? INT16_MAX : x);
}

static void sum_rows(const int8_t *const *rows, size_t count, int32_t *sum)
{
    for (size_t c = 0; c < SOTTO_NER_WIDTH; c++) {
        sum[c] = 0;
    }
    for (size_t i = 0; i < count; i++) {
        for (size_t c = 0; c < SOTTO_NER_WIDTH; c++) {
            sum[c] += rows[i][c];
        }
    }
}

static void embed(const int8_t *const *rows, size_t row_count, const int8_t *const *grams,
                  size_t gram_count, int16_t *h)
{
    int32_t plain[SOTTO_NER_WIDTH], gram[SOTTO_NER_WIDTH];

    sum_rows(rows, row_count, plain);
    sum_rows(grams, gram_count, gram);
    for (size_t c = 0; c < SOTTO_NER_WIDTH; c++) {
        int32_t scaled = (gram[c] * sotto_ner_root[gram_count] + (1 << 14)) >> 15;
        h[c] = saturate((plain[c] + scaled) * 8);
    }
}

static void activate(const int16_t *h, size_t count, uint8_t *a)
{
    for (size_t i = 0; i < count * SOTTO_NER_WIDTH; i++) {
        int32_t x = saturate(h[i] + 8) >> 4;
        a[i] = (uint8_t)(x < 0 ? 0 : x > 127 ? 127 : x);
    }
}

/* All outputs of one token: the rows that enter are `step` rows apart. */
static void products(const struct sotto_ner_matrix *m, size_t outputs, const uint8_t *a,
                     size_t taps, size_t step, int32_t *sum)
{
    const int8_t *w = m->weights;

    memcpy(sum, m->bias, outputs * sizeof(*sum));
    for (size_t tap = 0; tap < taps; tap++, a += step * SOTTO_NER_WIDTH) {
        for (size_t k = 0; k < SOTTO_NER_WIDTH; k += 4, w += outputs * 4) {
            for (size_t c = 0; c < outputs; c++) {
                sum[c] += a[k] * w[4 * c] + a[k + 1] * w[4 * c + 1] + a[k + 2] * w[4 * c + 2] +
                          a[k + 3] * w[4 * c + 3];
            }
        }
    }
    for (size_t c = 0; c < outputs; c++) {
        sum[c] >>= m->shift[c];
    }
}

static void convolve(const struct sotto_ner_matrix *m, const uint8_t *a, size_t dilation,
                     size_t count, int16_t *h)
{
    int32_t sum[SOTTO_NER_WIDTH];

    for (size_t t = 0; t < count; t++) {
        const uint8_t *left = a + t * SOTTO_NER_WIDTH - dilation * SOTTO_NER_WIDTH;
        products(m, SOTTO_NER_WIDTH, left, SOTTO_NER_TAPS, dilation, sum);
        for (size_t c = 0; c < SOTTO_NER_WIDTH; c++) {
            int16_t *out = &h[t * SOTTO_NER_WIDTH + c];
            *out = saturate(*out + saturate(sum[c]));
        }
    }
}

static void head(const struct sotto_ner_matrix *m, const uint8_t *a, size_t count, int32_t *out)
{
    for (size_t t = 0; t < count; t++) {
        products(m, SOTTO_NER_HEAD, a + t * SOTTO_NER_WIDTH, 1, 0, out + t * SOTTO_NER_HEAD);
    }
}

const struct sotto_ner_kernels sotto_ner_reference = {
    .name = "reference",
    .usable = usable,
    .embed = embed,
    .activate = activate,
    .convolve = convolve,
    .head = head,
};

const struct sotto_ner_kernels *const sotto_ner_kernels_all[] = {
    &sotto_ner_reference,
#if defined(__x86_64__)
    &sotto_ner_avx2,
    &sotto_ner_avx512,
    &sotto_ner_vnni,
#endif
    NULL,
};

const struct sotto_ner_kernels *sotto_ner_kernels_best(void)
{
    const struct sotto_ner_kernels *best = &sotto_ner_reference;

    for (size_t i = 0; sotto_ner_kernels_all[i] != NULL; i++) {
        if (sotto_ner_kernels_all[i]->usable()) {
            best = sotto_ner_kernels_all[i];
        }
    }
    return best;
}
