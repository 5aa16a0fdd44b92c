/* SPDX-License-Identifier: Apache-2.0 */

#include "tap/tap.h"

#include "detect/ner/kernel.h"

#define WIDTH  SOTTO_NER_WIDTH
#define TOKENS 37 /* no multiple of any tile */
#define PAD    SOTTO_NER_REACH_MAX
#define ROWS   (TOKENS + SOTTO_NER_SLACK)

/* Reproducible numbers (xorshift32). */
static uint32_t state = 2463534242U;

static uint32_t next(void)
{
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return state;
}

struct data {
    _Alignas(64) int8_t weights[SOTTO_NER_TAPS * WIDTH * WIDTH];
    _Alignas(64) int32_t bias[WIDTH];
    _Alignas(64) int32_t shift[WIDTH];
    uint8_t a[(PAD + ROWS + PAD) * WIDTH];
    int16_t h[ROWS * WIDTH];
    int8_t rows[64][WIDTH];
};

static struct data data;

/* `wild`: bytes at their limits, as a hostile model could have them. */
static void fill(bool wild)
{
    for (size_t i = 0; i < sizeof(data.weights); i++) {
        data.weights[i] =
            (int8_t)(wild ? ((next() & 1) != 0 ? -63 : 63) : (int)(next() % 127) - 63);
    }
    for (size_t i = 0; i < WIDTH; i++) {
        data.bias[i] = (int32_t)(next() % (wild ? 1U << 26 : 4000)) - (wild ? 1 << 25 : 2000);
        data.shift[i] = wild ? 1 : 1 + (int32_t)(next() % 10);
    }
    memset(data.a, 0, sizeof(data.a));
    for (size_t i = PAD * WIDTH; i < (PAD + TOKENS) * WIDTH; i++) {
        data.a[i] = (uint8_t)(wild ? 127 : next() % 128);
    }
    for (size_t i = 0; i < SOTTO_COUNT(data.h); i++) {
        data.h[i] = (int16_t)(wild ? ((next() & 1) != 0 ? INT16_MIN : INT16_MAX)
                                   : (int)(next() % 20000) - 10000);
    }
    for (size_t i = 0; i < sizeof(data.rows); i++) {
        data.rows[i / WIDTH][i % WIDTH] = (int8_t)(wild ? -128 : (int)(next() % 255) - 127);
    }
}

static void check_convolve(const struct sotto_ner_kernels *k, size_t count, size_t dilation)
{
    static int16_t want[ROWS * WIDTH], got[ROWS * WIDTH];
    struct sotto_ner_matrix m = {data.weights, data.bias, data.shift};
    const uint8_t *a = data.a + (size_t)PAD * WIDTH;

    memcpy(want, data.h, sizeof(want));
    memcpy(got, data.h, sizeof(got));
    sotto_ner_reference.convolve(&m, a, dilation, count, want);
    k->convolve(&m, a, dilation, count, got);
    OK(memcmp(want, got, count * WIDTH * sizeof(want[0])) == 0,
       "%s: convolution of %zu tokens, dilation %zu", k->name, count, dilation);
}

static void check_head(const struct sotto_ner_kernels *k)
{
    static int32_t want[ROWS * SOTTO_NER_HEAD], got[ROWS * SOTTO_NER_HEAD];
    struct sotto_ner_matrix m = {data.weights, data.bias, data.shift};
    const uint8_t *a = data.a + (size_t)PAD * WIDTH;

    sotto_ner_reference.head(&m, a, TOKENS, want);
    k->head(&m, a, TOKENS, got);
    OK(memcmp(want, got, TOKENS * SOTTO_NER_HEAD * sizeof(want[0])) == 0, "%s: head", k->name);
}

static void check_activate(const struct sotto_ner_kernels *k)
{
    static uint8_t want[ROWS * WIDTH], got[ROWS * WIDTH];

    sotto_ner_reference.activate(data.h, TOKENS, want);
    k->activate(data.h, TOKENS, got);
    OK(memcmp(want, got, (size_t)TOKENS * WIDTH) == 0, "%s: activation", k->name);
}

static void check_embed(const struct sotto_ner_kernels *k, size_t rows, size_t grams)
{
    const int8_t *list[64];
    int16_t want[WIDTH], got[WIDTH];

    for (size_t i = 0; i < SOTTO_COUNT(list); i++) {
        list[i] = data.rows[i];
    }
    sotto_ner_reference.embed(list, rows, list, grams, want);
    k->embed(list, rows, list, grams, got);
    OK(memcmp(want, got, sizeof(want)) == 0, "%s: %zu rows and %zu n-grams", k->name, rows, grams);
}

static void check(const struct sotto_ner_kernels *k)
{
    for (int wild = 0; wild < 2; wild++) {
        fill(wild != 0);
        for (size_t dilation = 1; dilation <= PAD; dilation *= 2) {
            check_convolve(k, TOKENS, dilation);
        }
        for (size_t count = 0; count < 10; count++) {
            check_convolve(k, count, 1);
        }
        check_head(k);
        check_activate(k);
        check_embed(k, 3, 0);
        check_embed(k, 20, 1);
        check_embed(k, 20, 47);
    }
}

int main(void)
{
    size_t compared = 0;

    for (size_t i = 1; sotto_ner_kernels_all[i] != NULL; i++) {
        if (sotto_ner_kernels_all[i]->usable()) {
            check(sotto_ner_kernels_all[i]);
            compared++;
        } else {
            SKIP(1, sotto_ner_kernels_all[i]->name);
        }
    }
    OK(sotto_ner_kernels_best()->usable(), "the best kernels can run, %zu compared", compared);
    return done_testing();
}
