/* SPDX-License-Identifier: Apache-2.0 */

/*
 * How fast is the encoder on one core?  Random weights of the real dimensions, a passage of the
 * most pieces; prints for each kernel that this processor can run the median and the spread of
 * pieces a second of processor time, the longest step, and how the time is shared by the stages,
 * each measured by itself.
 *
 *   bench_encoder [RUNS [KERNELS]]
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "detect/ner/encoder_kernel.h"
#include "detect/ner/model.h"
#include "detect/ner/reading.h"

#define WIDTH    384
#define HEADS    12
#define INNER    1536
#define LAYERS   6
#define ROWS     1000
#define RUNS_MAX 101
#define PLACES   SOTTO_NER_ENCODER_POSITIONS

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int by_value(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return *x < *y ? -1 : *x > *y;
}

/* --- a file ---------------------------------------------------------------------------------- */

struct file {
    uint8_t *base;
    size_t len;
    size_t room;
};

static void put(struct file *f, const void *bytes, size_t n)
{
    if (n > f->room - f->len) {
        abort();
    }
    memcpy(f->base + f->len, bytes, n);
    f->len += n;
}

static void align(struct file *f)
{
    f->len += (64 - f->len % 64) % 64;
}

static uint32_t next(void)
{
    static uint32_t state = 2463534242U;

    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return state;
}

static void floats(struct file *f, size_t n, float middle, float reach)
{
    for (size_t i = 0; i < n; i++) {
        float x = middle + reach * ((float)(next() >> 8) / (float)(1 << 23) - 1.0F);
        put(f, &x, sizeof(x));
    }
    align(f);
}

static void bytes(struct file *f, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        int8_t w = (int8_t)((int)(next() % 127) - 63);
        put(f, &w, 1);
    }
    align(f);
}

static void matrix(struct file *f, size_t inputs, size_t outputs)
{
    const int8_t *weights = (const int8_t *)f->base + f->len;

    bytes(f, inputs * outputs);
    floats(f, outputs, 0, 0.002F);
    floats(f, outputs, 0, 0.3F);
    for (size_t n = 0; n < outputs; n++) {
        int32_t sum = 0;
        for (size_t k = 0; k < inputs; k++) {
            sum += weights[n / 64 * 64 * inputs + k / 4 * 256 + n % 64 * 4 + k % 4];
        }
        put(f, &sum, sizeof(sum));
    }
    align(f);
}

static void norm(struct file *f)
{
    floats(f, WIDTH, 1, 0.3F);
    floats(f, WIDTH, 0, 0.2F);
}

/* A vocabulary of no pieces: every token is the one unknown piece. */
static void compose(struct file *f)
{
    const uint32_t version[2] = {1, WIDTH};
    const uint32_t fields[9] = {LAYERS, SOTTO_NER_TAGS, HEADS, INNER, PLACES, ROWS, 0, 0, 0};

    memcpy(f->base, "SOTTOENC", 8);
    memcpy(f->base + 8, version, sizeof(version));
    memcpy(f->base + 56, fields, sizeof(fields));
    f->len = SOTTO_NER_HEADER_BYTES + (size_t)65537 * 4;
    align(f);
    bytes(f, (size_t)ROWS * WIDTH);
    floats(f, ROWS, 0.01F, 0.003F);
    floats(f, (size_t)(PLACES + SOTTO_NER_SHAPES + SOTTO_NER_FLAGS) * WIDTH, 0, 0.3F);
    norm(f);
    for (size_t i = 0; i < LAYERS; i++) {
        matrix(f, WIDTH, (size_t)3 * WIDTH);
        matrix(f, WIDTH, WIDTH);
        norm(f);
        matrix(f, WIDTH, INNER);
        matrix(f, INNER, WIDTH);
        norm(f);
    }
    matrix(f, WIDTH, SOTTO_NER_HEAD);
    uint64_t size = f->len;
    memcpy(f->base + 16, &size, sizeof(size));
}

/* --- passages -------------------------------------------------------------------------------- */

static void begin(struct sotto_ner_reading *r, size_t tokens)
{
    sotto_span word = SOTTO_LIT("word");

    sotto_ner_reading_begin(r);
    for (size_t i = 0; i < tokens; i++) {
        if (!sotto_ner_reading_add(r, word, 0, 4, SOTTO_NER_WORD, (uint8_t)i, 1)) {
            abort();
        }
    }
}

static void measure(const struct sotto_ner_encoder *encoder, size_t tokens, size_t runs)
{
    struct sotto_ner_reading *r;
    double rate[RUNS_MAX], longest = 0;

    if (sotto_ner_reading_new(encoder, &r) != SOTTO_OK) {
        abort();
    }
    for (size_t i = 0; i < runs; i++) {
        double start = now(), at = start;
        begin(r, tokens);
        for (bool done = false; !done;) {
            done = sotto_ner_reading_step(r);
            double then = now();
            longest = then - at > longest && i > 0 ? then - at : longest;
            at = then;
        }
        rate[i] = (double)tokens / (at - start);
    }
    qsort(rate, runs, sizeof(rate[0]), by_value);
    printf("%s, %zu pieces: median %.0f pieces/s (%.0f to %.0f), longest step %.0f us\n",
           sotto_ner_encoder_kernels(encoder), tokens, rate[runs / 2], rate[0], rate[runs - 1],
           longest * 1e6);
    sotto_ner_reading_free(r);
}

/* --- the stages by themselves ---------------------------------------------------------------- */

static _Alignas(64) float x[PLACES * 3 * WIDTH];
static _Alignas(64) float y[PLACES * INNER];
static _Alignas(64) uint8_t rows[PLACES * INNER];
static _Alignas(64) int32_t products[16 * SOTTO_NER_PANEL];
static float scales[PLACES];

static double products_of(const struct sotto_ner_encoder_kernels *k,
                          const struct sotto_ner_dense *m)
{
    double start = now();

    for (size_t n = 0; n < m->outputs / SOTTO_NER_PANEL; n++) {
        for (size_t i = 0; i < PLACES; i += 16) {
            k->multiply(m->weights + n * SOTTO_NER_PANEL * m->inputs, m->inputs,
                        rows + i * m->inputs, 16, products);
        }
    }
    return now() - start;
}

static double finish_of(const struct sotto_ner_math *math, const struct sotto_ner_dense *m,
                        enum sotto_ner_finish how)
{
    double start = now();

    for (size_t n = 0; n < m->outputs / SOTTO_NER_PANEL; n++) {
        for (size_t i = 0; i < PLACES; i += 16) {
            math->finish(how, m, n, products, scales + i, 16, y + i * m->outputs % SOTTO_COUNT(y),
                         64);
        }
    }
    return now() - start;
}

static double attention_of(const struct sotto_ner_math *math)
{
    static float keys[32 * PLACES];
    double start = now();

    for (size_t head = 0; head < HEADS; head++) {
        struct sotto_ner_attention a = {keys, keys, PLACES, 32, (size_t)3 * WIDTH};
        for (size_t i = 0; i < PLACES; i += SOTTO_NER_ATTEND_ROWS) {
            math->attend(&a, x + i * 3 * WIDTH + head * 32, SOTTO_NER_ATTEND_ROWS);
        }
    }
    return now() - start;
}

static double rows_of(const struct sotto_ner_encoder_kernels *k,
                      const struct sotto_ner_encoder_layer *layer)
{
    double start = now();

    for (size_t i = 0; i < PLACES; i++) {
        k->math->quantise(x + i * WIDTH, WIDTH, rows, &scales[i]);
        k->math->quantise(x + i * WIDTH, WIDTH, rows, &scales[i]);
        k->math->quantise(x + i * WIDTH, WIDTH, rows, &scales[i]);
        k->math->quantise(y, INNER, rows, &scales[i]);
        k->math->norm(&layer->norm, WIDTH, x + i * WIDTH);
        k->math->norm(&layer->norm, WIDTH, x + i * WIDTH);
    }
    return now() - start;
}

static void share(const struct sotto_ner_encoder *encoder, size_t runs)
{
    const struct sotto_ner_encoder_kernels *k =
        sotto_ner_encoder_kernels_named(sotto_ner_encoder_kernels(encoder));
    const struct sotto_ner_encoder_layer *layer = sotto_ner_encoder_model(encoder)->layers;
    static const char *const names[] = {"products", "attention", "scaling and gelu",
                                        "rounding and norms"};
    double sums[4] = {0}, all = 0;

    for (size_t i = 0; i < SOTTO_COUNT(x); i++) {
        x[i] = (float)(next() % 2000) / 1000 - 1;
    }
    for (size_t i = 0; i < runs; i++) {
        sums[0] += products_of(k, &layer->qkv) + products_of(k, &layer->out) +
                   products_of(k, &layer->inner) + products_of(k, &layer->outer);
        sums[1] += attention_of(k->math);
        sums[2] += finish_of(k->math, &layer->qkv, SOTTO_NER_FINISH_SET) +
                   finish_of(k->math, &layer->out, SOTTO_NER_FINISH_ADD) +
                   finish_of(k->math, &layer->inner, SOTTO_NER_FINISH_GELU) +
                   finish_of(k->math, &layer->outer, SOTTO_NER_FINISH_ADD);
        sums[3] += rows_of(k, layer);
    }
    for (size_t i = 0; i < 4; i++) {
        all += sums[i];
    }
    for (size_t i = 0; i < 4; i++) {
        printf("  %s: %.0f %%, %.1f us a piece\n", names[i], sums[i] / all * 100,
               sums[i] / (double)runs / PLACES * LAYERS * 1e6);
    }
    printf("  %.1f billion multiply-adds a second in the products\n",
           (4.0 * WIDTH * WIDTH + 2.0 * WIDTH * INNER) * PLACES * (double)runs / sums[0] / 1e9);
}

int main(int argc, char **argv)
{
    long runs = argc > 1 ? strtol(argv[1], NULL, 10) : 15;
    struct file f = {.room = (size_t)32 << 20};

    f.base = aligned_alloc(64, f.room);
    if (f.base == NULL || runs < 1 || runs > RUNS_MAX) {
        return 2;
    }
    memset(f.base, 0, f.room);
    compose(&f);
    for (size_t i = 0; sotto_ner_encoder_kernels_all[i] != NULL; i++) {
        struct sotto_ner_encoder *encoder;
        double start = now();
        const char *name = sotto_ner_encoder_kernels_all[i]->name;
        if (!sotto_ner_encoder_kernels_all[i]->usable() ||
            (argc > 2 && strcmp(argv[2], name) != 0)) {
            continue;
        }
        if (sotto_ner_encoder_open(sotto_span_init(f.base, f.len), true, name, &encoder) !=
            SOTTO_OK) {
            return 1;
        }
        printf("opened in %.1f ms\n", (now() - start) * 1e3);
        measure(encoder, SOTTO_NER_PIECES, (size_t)runs);
        measure(encoder, 40, (size_t)runs);
        share(encoder, (size_t)runs);
        sotto_ner_encoder_free(encoder);
    }
    free(f.base);
    return 0;
}
