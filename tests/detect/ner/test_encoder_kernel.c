/* SPDX-License-Identifier: Apache-2.0 */

#include <math.h>

#include "tap/tap.h"

#include "detect/ner/encoder_kernel.h"
#include "detect/ner/model.h"

#define ROWS   24
#define WIDTH  ((size_t)SOTTO_NER_ENCODER_WIDTH_MAX)
#define INNER  ((size_t)SOTTO_NER_ENCODER_INNER_MAX)
#define PANEL  SOTTO_NER_PANEL
#define KEYS   SOTTO_NER_ENCODER_POSITIONS
#define STRIDE ((size_t)3 * SOTTO_NER_ENCODER_WIDTH_MAX)

/* Reproducible numbers (xorshift32). */
static uint32_t state = 2463534242U;

static uint32_t next(void)
{
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return state;
}

static float real(float reach)
{
    return reach * ((float)(next() >> 8) / (float)(1 << 23) - 1.0F);
}

/* Bit by bit, which tells -0 from 0, too. */
static bool same_bits(const void *a, const void *b, size_t n)
{
    return memcmp(a, b, n) == 0;
}

static _Alignas(64) int8_t weights[SOTTO_NER_ENCODER_INNER_MAX * PANEL];
static uint8_t bytes[ROWS * SOTTO_NER_ENCODER_INNER_MAX];

/* As docs/wire/encoder-file.md says. */
static void plain_multiply(size_t inputs, size_t rows, int32_t *out)
{
    for (size_t r = 0; r < rows; r++) {
        for (size_t n = 0; n < PANEL; n++) {
            int32_t sum = 0;
            for (size_t i = 0; i < inputs; i++) {
                sum += bytes[r * inputs + i] * weights[i / 4 * 256 + n * 4 + i % 4];
            }
            out[r * PANEL + n] = sum;
        }
    }
}

static void check_multiply(const struct sotto_ner_encoder_kernels *k, size_t inputs, size_t rows)
{
    static int32_t want[ROWS * PANEL], got[ROWS * PANEL];

    plain_multiply(inputs, rows, want);
    k->multiply(weights, inputs, bytes, rows, got);
    OK(memcmp(want, got, rows * PANEL * sizeof(want[0])) == 0, "%s: %zu inputs, %zu rows", k->name,
       inputs, rows);
}

static void test_multiply(const struct sotto_ner_encoder_kernels *k)
{
    for (int wild = 0; wild < 2; wild++) {
        for (size_t i = 0; i < sizeof(weights); i++) {
            weights[i] =
                (int8_t)(wild != 0 ? (next() % 8 == 0 ? -63 : 63) : (int)(next() % 127) - 63);
        }
        for (size_t i = 0; i < sizeof(bytes); i++) {
            bytes[i] = (uint8_t)(wild != 0 ? 255 : next());
        }
        check_multiply(k, 64, 5);
        check_multiply(k, 384, 16);
        check_multiply(k, 512, 1);
        check_multiply(k, 2048, 7);
    }
}

/* --- floating point -------------------------------------------------------------------------- */

#define ATTEND SOTTO_NER_ATTEND_ROWS

static float data[ATTEND * 3 * SOTTO_NER_ENCODER_WIDTH_MAX + KEYS * 64];

static void fill(float *to, size_t n, float reach)
{
    for (size_t i = 0; i < n; i++) {
        to[i] = real(reach);
    }
}

static void test_quantise(const struct sotto_ner_math *math, const char *name)
{
    static uint8_t want[SOTTO_NER_ENCODER_INNER_MAX], got[SOTTO_NER_ENCODER_INNER_MAX];
    static const float reach[] = {1, 1e-3F, 3e7F, 1e-18F, 1e-30F, 0};
    bool same = true, right = true;

    for (size_t n = 0; n < SOTTO_COUNT(reach); n++) {
        float scale, other;
        fill(data, INNER, reach[n]);
        sotto_ner_math_portable.quantise(data, INNER, want, &scale);
        math->quantise(data, INNER, got, &other);
        same = same && scale == other && same_bits(want, got, sizeof(want));
        for (size_t i = 0; i < INNER; i++) {
            float back = (float)(got[i] - 128) * scale;
            right = right && got[i] != 0 && fabsf(back - data[i]) <= 0.5001F * scale + 1e-20F;
        }
    }
    for (size_t i = 0; i < INNER; i++) { /* halves, exactly */
        data[i] = i == 0 ? 127.0F : (float)(i % 50) + 0.5F;
    }
    float scale;
    math->quantise(data, INNER, got, &scale);
    for (size_t i = 1; i < INNER; i++) {
        right = right && got[i] == 128 + (i % 50 + 1) / 2 * 2;
    }
    OK(same && right, "%s: rows in bytes", name);
}

static void test_finish(const struct sotto_ner_math *math, const char *name)
{
    static float want[ROWS * PANEL], got[ROWS * PANEL], before[ROWS * PANEL];
    static float scale[2 * PANEL], bias[2 * PANEL], row_scales[ROWS];
    static int32_t products[ROWS * PANEL], sums[2 * PANEL];
    struct sotto_ner_dense m = {.scale = scale, .bias = bias, .sums = sums, .outputs = 2 * PANEL};
    double worst = 0;

    fill(scale, SOTTO_COUNT(scale), 0.01F);
    fill(bias, SOTTO_COUNT(bias), 1);
    fill(row_scales, ROWS, 0.02F);
    fill(before, SOTTO_COUNT(before), 1);
    for (size_t i = 0; i < SOTTO_COUNT(products); i++) {
        products[i] = (int32_t)(next() % 200000) - 100000;
    }
    for (size_t i = 0; i < SOTTO_COUNT(sums); i++) {
        sums[i] = (int32_t)(next() % 2000) - 1000;
    }
    for (int how = SOTTO_NER_FINISH_SET; how <= SOTTO_NER_FINISH_GELU; how++) {
        enum sotto_ner_finish finish = (enum sotto_ner_finish)how;
        memcpy(want, before, sizeof(want));
        memcpy(got, before, sizeof(got));
        sotto_ner_math_portable.finish(finish, &m, 1, products, row_scales, ROWS, want, PANEL);
        math->finish(finish, &m, 1, products, row_scales, ROWS, got, PANEL);
        OK(same_bits(want, got, sizeof(want)), "%s: finish %d", name, how);
        for (size_t i = 0; i < SOTTO_COUNT(got); i++) {
            size_t n = PANEL + i % PANEL;
            double y = ((double)products[i] - 128.0 * sums[n]) * (double)row_scales[i / PANEL] *
                           (double)scale[n] +
                       (double)bias[n];
            y = finish == SOTTO_NER_FINISH_GELU  ? y / 2 * (1 + erf(y / sqrt(2)))
                : finish == SOTTO_NER_FINISH_ADD ? y + (double)before[i]
                                                 : y;
            worst = fmax(worst, fabs(y - (double)got[i]) / (1 + fabs(y)));
        }
    }
    OK(worst < 1e-6, "%s: as in double precision, off by %.1e", name, worst);
}

/* The curve alone, from where it is flat to where it is straight. */
static void test_gelu(const struct sotto_ner_math *math, const char *name)
{
    static float scale[PANEL], bias[PANEL], row[1] = {1}, got[PANEL];
    static int32_t products[PANEL], sums[PANEL];
    struct sotto_ner_dense m = {.scale = scale, .bias = bias, .sums = sums, .outputs = PANEL};
    double worst = 0;

    for (int at = -640; at < 640; at++) {
        for (size_t i = 0; i < PANEL; i++) {
            bias[i] = (float)at / 64 + (float)i / 4096;
        }
        math->finish(SOTTO_NER_FINISH_GELU, &m, 0, products, row, 1, got, PANEL);
        for (size_t i = 0; i < PANEL; i++) {
            double x = (double)bias[i], y = x / 2 * (1 + erf(x / sqrt(2)));
            worst = fmax(worst, fabs((double)got[i] - y));
            worst = x > 0 ? fmax(worst, fabs((double)got[i] / y - 1)) : worst;
        }
    }
    OK(worst < 2e-6, "%s: gelu off by %.1e", name, worst);
    bias[0] = 1e18F;
    bias[1] = -1e18F;
    math->finish(SOTTO_NER_FINISH_GELU, &m, 0, products, row, 1, got, PANEL);
    OK(got[0] == 1e18F && got[1] == 0, "%s: gelu far out", name);
}

static void test_norm(const struct sotto_ner_math *math, const char *name)
{
    static float want[SOTTO_NER_ENCODER_WIDTH_MAX], got[SOTTO_NER_ENCODER_WIDTH_MAX];
    static float gamma[SOTTO_NER_ENCODER_WIDTH_MAX], beta[SOTTO_NER_ENCODER_WIDTH_MAX];
    const struct sotto_ner_norm norm = {gamma, beta};
    double mean = 0, variance = 0, worst = 0;

    fill(gamma, WIDTH, 2);
    fill(beta, WIDTH, 1);
    fill(data, WIDTH, 5);
    memcpy(want, data, sizeof(want));
    memcpy(got, data, sizeof(got));
    sotto_ner_math_portable.norm(&norm, WIDTH, want);
    math->norm(&norm, WIDTH, got);
    for (size_t i = 0; i < WIDTH; i++) {
        mean += (double)data[i] / (double)WIDTH;
    }
    for (size_t i = 0; i < WIDTH; i++) {
        variance += pow((double)data[i] - mean, 2) / (double)WIDTH;
    }
    for (size_t i = 0; i < WIDTH; i++) {
        double y = ((double)data[i] - mean) / sqrt(variance + 1e-12) * (double)gamma[i];
        worst = fmax(worst, fabs(y + (double)beta[i] - (double)got[i]));
    }
    OK(same_bits(want, got, sizeof(want)) && worst < 1e-5, "%s: norm, off by %.1e", name, worst);
    fill(got, WIDTH, 0);
    math->norm(&norm, WIDTH, got);
    OK(same_bits(got, beta, sizeof(got)), "%s: norm of nothing", name);
    for (size_t i = 0; i < WIDTH; i++) {
        got[i] = i % 2 == 0 ? 1e28F : -1e28F;
    }
    math->norm(&norm, WIDTH, got);
    OK(same_bits(got, beta, sizeof(got)), "%s: norm of what is too large to square", name);
}

static void test_attend(const struct sotto_ner_math *math, const char *name, size_t count,
                        size_t size, size_t rows, float reach)
{
    static float keys[64 * KEYS];
    static float want[ATTEND * STRIDE], got[ATTEND * STRIDE];
    const float *values = data + ATTEND * STRIDE;
    struct sotto_ner_attention at = {keys, values, count, size, STRIDE};
    double worst = 0;

    fill(data, SOTTO_COUNT(data), 1);
    memset(keys, 0, sizeof(keys));
    for (size_t i = 0; i < size; i++) {
        fill(keys + i * KEYS, count, reach);
    }
    memcpy(want, data, sizeof(want));
    memcpy(got, data, sizeof(got));
    sotto_ner_math_portable.attend(&at, want, rows);
    math->attend(&at, got, rows);
    for (size_t r = 0; r < rows; r++) {
        double score[KEYS], sum = 0, top = -INFINITY;
        for (size_t j = 0; j < count; j++) {
            score[j] = 0;
            for (size_t c = 0; c < size; c++) {
                score[j] += (double)data[r * STRIDE + c] * (double)keys[c * KEYS + j];
            }
            top = fmax(top, score[j]);
        }
        for (size_t j = 0; j < count; j++) {
            score[j] = exp(score[j] - top);
            sum += score[j];
        }
        for (size_t c = 0; c < size; c++) {
            double y = 0;
            for (size_t j = 0; j < count; j++) {
                y += score[j] / sum * (double)values[j * size + c];
            }
            worst = fmax(worst, fabs(y - (double)got[r * STRIDE + c]));
        }
    }
    OK(same_bits(want, got, sizeof(want)) && worst < 1e-5,
       "%s: attention of %zu to %zu by heads of %zu, off by %.1e", name, rows, count, size, worst);
}

static void test_math(const struct sotto_ner_math *math, const char *name)
{
    test_quantise(math, name);
    test_finish(math, name);
    test_gelu(math, name);
    test_norm(math, name);
    test_attend(math, name, 1, 32, 4, 1);
    test_attend(math, name, 31, 64, 16, 1);
    test_attend(math, name, 33, 32, 8, 10);
    test_attend(math, name, 64, 32, 16, 1);
    test_attend(math, name, 127, 32, 4, 0.1F);
    test_attend(math, name, 128, 64, 16, 3);
}

int main(void)
{
    size_t compared = 0;

    for (size_t i = 0; sotto_ner_encoder_kernels_all[i] != NULL; i++) {
        const struct sotto_ner_encoder_kernels *k = sotto_ner_encoder_kernels_all[i];
        if (k->usable()) {
            test_multiply(k);
            test_math(k->math, k->name);
            compared++;
        } else {
            SKIP(1, k->name);
            OK(sotto_ner_encoder_kernels_named(k->name) == NULL, "%s: not to be had", k->name);
        }
    }
    OK(sotto_ner_encoder_kernels_named("reference") == &sotto_ner_encoder_reference, "by name");
    OK(sotto_ner_encoder_kernels_named("abacus") == NULL, "no such name");
    OK(sotto_ner_encoder_kernels_named(NULL)->usable(), "the best can run, %zu compared", compared);
    return done_testing();
}
