/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The functions of struct sotto_ner_math, for vectors of LANES_WIDTH numbers: included by the files
 * that define it together with LANES_TARGET (the instruction set of each function), and
 * put_bytes(). Vectors are those of the compilers, so that what is written is what is computed.
 */

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/compiler.h"

#define LANES_INLINE __attribute__((always_inline)) LANES_TARGET static inline

typedef float lanes_f __attribute__((vector_size(4 * LANES_WIDTH)));
typedef int32_t lanes_i __attribute__((vector_size(4 * LANES_WIDTH)));

/* The same anywhere in a row. */
typedef float lanes_rf __attribute__((vector_size(4 * LANES_WIDTH), aligned(4), may_alias));
typedef int32_t lanes_ri __attribute__((vector_size(4 * LANES_WIDTH), aligned(4), may_alias));

/* Parts of a sum over a row. */
#define LANES_PARTS   16
#define LANES_VECTORS (LANES_PARTS / LANES_WIDTH)

LANES_INLINE lanes_f load(const float *p)
{
    return *(const lanes_rf *)(const void *)p;
}

LANES_INLINE lanes_i load_int(const int32_t *p)
{
    return *(const lanes_ri *)(const void *)p;
}

LANES_INLINE void store(float *p, lanes_f v)
{
    *(lanes_rf *)(void *)p = v;
}

/* Numbers from 0 to 255 as bytes. */
LANES_INLINE void put_bytes(uint8_t *to, lanes_i v);

LANES_INLINE lanes_f all(float x)
{
    return x - (lanes_f){0}; /* x - 0 is x, also for -0 */
}

LANES_INLINE lanes_f choose(lanes_i mask, lanes_f yes, lanes_f no)
{
    return (lanes_f)((mask & (lanes_i)yes) | (~mask & (lanes_i)no));
}

LANES_INLINE lanes_f least(lanes_f a, lanes_f b)
{
    return choose(a < b, a, b);
}

LANES_INLINE lanes_f greatest(lanes_f a, lanes_f b)
{
    return choose(a > b, a, b);
}

LANES_INLINE lanes_f size_of(lanes_f x)
{
    return (lanes_f)((lanes_i)x & 0x7fffffff);
}

/* To the nearest integer, ties to even, for |x| < 2^22. */
LANES_INLINE lanes_f nearest(lanes_f x)
{
    return (x + 12582912.0F) - 12582912.0F;
}

/* e^x for -87 <= x <= 0: 2^n e^r with |r| <= ln 2 / 2, and the series of e^r. */
LANES_INLINE lanes_f exponential(lanes_f x)
{
    lanes_f n = nearest(x * 1.44269504F);
    lanes_f r = x - n * 0.693359375F + n * 2.12194440e-4F; /* ln 2 in two parts */
    lanes_f y = all(1.0F / 5040);
    y = y * r + 1.0F / 720;
    y = y * r + 1.0F / 120;
    y = y * r + 1.0F / 24;
    y = y * r + 1.0F / 6;
    y = y * r + 0.5F;
    y = y * r + 1.0F;
    y = y * r + 1.0F;
    /* the bits of 2^n, its exponent in its place */
    return y * (lanes_f) __builtin_convertvector(n * 8388608.0F + 1065353216.0F, lanes_i);
}

/* A fraction of two polynomials in z^2, fitted to z from 0 to 4; erf(4) is 1 to these digits. */
LANES_INLINE lanes_f error_function(lanes_f z)
{
    lanes_f at = least(greatest(z, all(-4.0F)), all(4.0F)), t = at * at;
    lanes_f p = all(1.9867580e-6F), q = all(3.7419908e-5F);

    p = p * t + 2.8456587e-4F;
    p = p * t + 3.8834005e-3F;
    p = p * t + 5.3101938e-2F;
    p = p * t + 1.9354655e-1F;
    p = p * t + 1.1283791F;
    q = q * t + 1.1855820e-3F;
    q = q * t + 1.5207374e-2F;
    q = q * t + 1.1535061e-1F;
    q = q * t + 5.0485873e-1F;
    q = q * t + 1.0F;
    lanes_f y = at * p / q;
    return least(greatest(choose(size_of(z) < 4.0F, y, at), all(-1.0F)), all(1.0F));
}

LANES_INLINE lanes_f gelu(lanes_f x)
{
    return x * 0.5F * (error_function(x * 0.707106781F) + 1.0F);
}

/* The sum of the parts, in pairs. */
LANES_INLINE float add_up(const lanes_f parts[LANES_VECTORS])
{
    float sum[LANES_PARTS];

    for (size_t v = 0; v < LANES_VECTORS; v++) {
        store(sum + v * LANES_WIDTH, parts[v]);
    }
    for (size_t half = LANES_PARTS / 2; half > 0; half /= 2) {
        for (size_t i = 0; i < half; i++) {
            sum[i] += sum[i + half];
        }
    }
    return sum[0];
}

/* --- quantise -------------------------------------------------------------------------------- */

LANES_INLINE float greatest_of(lanes_f v)
{
    float each[LANES_WIDTH];

    store(each, v);
    for (size_t i = 1; i < LANES_WIDTH; i++) {
        each[0] = each[i] > each[0] ? each[i] : each[0];
    }
    return each[0];
}

LANES_TARGET static void quantise(const float *x, size_t width, uint8_t *bytes, float *scale)
{
    lanes_f sizes = {0};

    for (size_t i = 0; i < width; i += LANES_WIDTH) {
        sizes = greatest(size_of(load(x + i)), sizes);
    }
    float top = greatest_of(sizes);
    if (top < 1e-20F) { /* far from where divisions lose their digits */
        *scale = 0;
        memset(bytes, 128, width);
        return;
    }
    *scale = top / 127.0F;
    for (size_t i = 0; i < width; i += LANES_WIDTH) {
        lanes_i n = __builtin_convertvector(nearest(load(x + i) / *scale), lanes_i) + 128;
        put_bytes(bytes + i, n);
    }
}

/* --- products -------------------------------------------------------------------------------- */

LANES_TARGET static void finish(enum sotto_ner_finish how, const struct sotto_ner_dense *m,
                                size_t panel, const int32_t *products, const float *row_scales,
                                size_t rows, float *out, size_t stride)
{
    size_t first = panel * SOTTO_NER_PANEL;

    for (size_t i = 0; i < SOTTO_NER_PANEL; i += LANES_WIDTH) {
        lanes_f scale = load(m->scale + first + i), bias = load(m->bias + first + i);
        lanes_i offset = load_int(m->sums + first + i) * 128;
        float *to = out + i;
        for (size_t r = 0; r < rows; r++, to += stride) {
            lanes_i sum = load_int(products + r * SOTTO_NER_PANEL + i) - offset;
            lanes_f y = __builtin_convertvector(sum, lanes_f) * (row_scales[r] * scale) + bias;
            if (how == SOTTO_NER_FINISH_GELU) {
                y = gelu(y);
            } else if (how == SOTTO_NER_FINISH_ADD) {
                y = load(to) + y;
            }
            store(to, y);
        }
    }
}

/* --- norm ------------------------------------------------------------------------------------ */

LANES_TARGET static void normalise(const struct sotto_ner_norm *norm, size_t width, float *x)
{
    lanes_f parts[LANES_VECTORS] = {{0}}, squares[LANES_VECTORS] = {{0}};

    for (size_t i = 0; i < width; i += LANES_PARTS) {
        for (size_t v = 0; v < LANES_VECTORS; v++) {
            parts[v] += load(x + i + v * LANES_WIDTH);
        }
    }
    float mean = add_up(parts) / (float)width;
    for (size_t i = 0; i < width; i += LANES_PARTS) {
        for (size_t v = 0; v < LANES_VECTORS; v++) {
            lanes_f d = load(x + i + v * LANES_WIDTH) - mean;
            squares[v] += d * d;
        }
    }
    float factor = 1.0F / sqrtf(add_up(squares) / (float)width + 1e-12F);
    for (size_t i = 0; i < width; i += LANES_WIDTH) {
        lanes_f y = (load(x + i) - mean) * factor;
        store(x + i, y * load(norm->gamma + i) + load(norm->beta + i));
    }
}

/* --- attention ------------------------------------------------------------------------------- */

/* Two vectors of sums of each of four rows; names stay in registers more willingly than arrays. */
struct lanes_tile {
    lanes_f a0, a1, b0, b1, c0, c1, d0, d1;
};

/* Sums over i < n of the four rows' s[i], `stride` apart, times two vectors of m's row i. */
LANES_INLINE struct lanes_tile multiply(const float *s, size_t stride, const float *m,
                                        size_t m_stride, size_t n)
{
    const float *s1 = s + stride, *s2 = s1 + stride, *s3 = s2 + stride;
    struct lanes_tile t = {0};

    for (size_t i = 0; i < n; i++, m += m_stride) {
        lanes_f low = load(m), high = load(m + LANES_WIDTH);
        t.a0 += s[i] * low;
        t.a1 += s[i] * high;
        t.b0 += s1[i] * low;
        t.b1 += s1[i] * high;
        t.c0 += s2[i] * low;
        t.c1 += s2[i] * high;
        t.d0 += s3[i] * low;
        t.d1 += s3[i] * high;
    }
    return t;
}

LANES_INLINE void put(float *row, lanes_f low, lanes_f high, float factor)
{
    store(row, low * factor);
    store(row + LANES_WIDTH, high * factor);
}

/* Scores of a row become powers of e, those behind `count` zero; returns 1 / their sum. */
LANES_INLINE float powers(float *scores, size_t count, size_t padded)
{
    lanes_f top = all(scores[0]), parts[LANES_VECTORS] = {{0}};

    for (size_t i = count; i < padded; i++) {
        scores[i] = scores[0];
    }
    for (size_t i = 0; i < padded; i += LANES_WIDTH) {
        top = greatest(load(scores + i), top);
    }
    float most = greatest_of(top);
    for (size_t i = 0; i < padded; i += LANES_WIDTH) {
        lanes_f x = greatest(load(scores + i) - most, all(-87.0F));
        store(scores + i, exponential(x));
    }
    for (size_t i = count; i < padded; i++) {
        scores[i] = 0;
    }
    for (size_t i = 0; i < padded; i += LANES_PARTS) {
        for (size_t v = 0; v < LANES_VECTORS; v++) {
            parts[v] += load(scores + i + v * LANES_WIDTH);
        }
    }
    return 1.0F / add_up(parts);
}

/* Scores of four rows. */
LANES_INLINE void score(const struct sotto_ner_attention *at, const float *q, size_t padded,
                        float *scores)
{
    enum {
        KEYS = SOTTO_NER_ENCODER_POSITIONS
    };

    for (size_t i = 0; i < padded; i += (size_t)2 * LANES_WIDTH) {
        struct lanes_tile t = multiply(q, at->stride, at->keys + i, KEYS, at->size);
        put(scores + i, t.a0, t.a1, 1);
        put(scores + KEYS + i, t.b0, t.b1, 1);
        put(scores + (size_t)2 * KEYS + i, t.c0, t.c1, 1);
        put(scores + (size_t)3 * KEYS + i, t.d0, t.d1, 1);
    }
}

/* Values of four rows, to where their queries were. */
LANES_INLINE void mix(const struct sotto_ner_attention *at, const float *scores,
                      const float *factor, float *q)
{
    enum {
        KEYS = SOTTO_NER_ENCODER_POSITIONS
    };

    for (size_t i = 0; i < at->size; i += (size_t)2 * LANES_WIDTH) {
        struct lanes_tile t = multiply(scores, KEYS, at->values + i, at->size, at->count);
        put(q + i, t.a0, t.a1, factor[0]);
        put(q + at->stride + i, t.b0, t.b1, factor[1]);
        put(q + 2 * at->stride + i, t.c0, t.c1, factor[2]);
        put(q + 3 * at->stride + i, t.d0, t.d1, factor[3]);
    }
}

LANES_TARGET static void attend(const struct sotto_ner_attention *at, float *q, size_t rows)
{
    enum {
        KEYS = SOTTO_NER_ENCODER_POSITIONS,
        TILE = SOTTO_NER_ATTEND_TILE
    };
    SOTTO_UNINIT float scores[SOTTO_NER_ATTEND_ROWS * KEYS];
    float factor[SOTTO_NER_ATTEND_ROWS] = {0};
    size_t padded =
        (at->count + SOTTO_NER_ATTEND_KEYS - 1) / SOTTO_NER_ATTEND_KEYS * SOTTO_NER_ATTEND_KEYS;

    for (size_t r = 0; r < rows; r += TILE) {
        score(at, q + r * at->stride, padded, scores + r * KEYS);
    }
    for (size_t r = 0; r < (rows + TILE - 1) / TILE * TILE; r++) {
        factor[r] = powers(scores + r * KEYS, at->count, padded);
    }
    for (size_t r = 0; r < rows; r += TILE) {
        mix(at, scores + r * KEYS, factor + r, q + r * at->stride);
    }
    sotto_wipe(scores, sizeof(scores));
}
