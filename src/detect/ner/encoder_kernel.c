/* SPDX-License-Identifier: Apache-2.0 */

#include "detect/ner/encoder_kernel.h"

#include <string.h>

static bool usable(void)
{
    return true;
}

/*
 * Vectors of 128 bits, which all processors of 64 bits have.  Four inputs of an output are two
 * halves: the even and the odd bytes, as numbers of 16 bits, so that the products of both fit 16
 * bits together.
 */
typedef int16_t half __attribute__((vector_size(16)));
typedef uint16_t uhalf __attribute__((vector_size(16)));
typedef int32_t word __attribute__((vector_size(16)));
typedef uint32_t uword __attribute__((vector_size(16)));

struct halves {
    half even;
    half odd;
};

/* Four inputs of four outputs. */
static inline struct halves weights_at(const int8_t *w)
{
    uhalf v;
    memcpy(&v, w, sizeof(v));
    return (struct halves){.even = (half)(v << 8) >> 8, .odd = (half)v >> 8};
}

/* Four inputs of a row, for four outputs. */
static inline struct halves inputs_at(const uint8_t *a)
{
    uint32_t x;
    memcpy(&x, a, sizeof(x));
    uhalf v = (uhalf)(uword){x, x, x, x};
    return (struct halves){.even = (half)(v & 0xff), .odd = (half)(v >> 8)};
}

static inline word dot(word sum, struct halves a, struct halves w)
{
    half pairs = a.even * w.even + a.odd * w.odd;
    return sum + ((word)pairs >> 16) + ((word)((uword)pairs << 16) >> 16);
}

static inline void put(int32_t *to, word low, word high)
{
    memcpy(to, &low, sizeof(low));
    memcpy(to + 4, &high, sizeof(high));
}

/* Four rows by eight outputs; `w`: the first output's weights of the first four inputs. */
static inline void tile(const int8_t *w, size_t inputs, const uint8_t *rows, int32_t *products)
{
    word a0 = {0}, a1 = a0, b0 = a0, b1 = a0, c0 = a0, c1 = a0, d0 = a0, d1 = a0;

    for (size_t k = 0; k < inputs; k += 4, w += (size_t)4 * SOTTO_NER_PANEL) {
        struct halves low = weights_at(w), high = weights_at(w + 16), x = inputs_at(rows + k);
        a0 = dot(a0, x, low);
        a1 = dot(a1, x, high);
        x = inputs_at(rows + inputs + k);
        b0 = dot(b0, x, low);
        b1 = dot(b1, x, high);
        x = inputs_at(rows + 2 * inputs + k);
        c0 = dot(c0, x, low);
        c1 = dot(c1, x, high);
        x = inputs_at(rows + 3 * inputs + k);
        d0 = dot(d0, x, low);
        d1 = dot(d1, x, high);
    }
    put(products, a0, a1);
    put(products + SOTTO_NER_PANEL, b0, b1);
    put(products + (size_t)2 * SOTTO_NER_PANEL, c0, c1);
    put(products + (size_t)3 * SOTTO_NER_PANEL, d0, d1);
}

static void multiply(const int8_t *weights, size_t inputs, const uint8_t *rows, size_t count,
                     int32_t *products)
{
    for (size_t n = 0; n < SOTTO_NER_PANEL; n += 8) {
        for (size_t r = 0; r < count; r += SOTTO_NER_ENCODER_TILE) {
            tile(weights + n * 4, inputs, rows + r * inputs, products + r * SOTTO_NER_PANEL + n);
        }
    }
}

const struct sotto_ner_encoder_kernels sotto_ner_encoder_reference = {
    .name = "reference",
    .usable = usable,
    .multiply = multiply,
    .math = &sotto_ner_math_portable,
};

const struct sotto_ner_encoder_kernels *const sotto_ner_encoder_kernels_all[] = {
    &sotto_ner_encoder_reference,
#if defined(__x86_64__)
    &sotto_ner_encoder_avx2,
    &sotto_ner_encoder_avx512,
    &sotto_ner_encoder_vnni,
#endif
    NULL,
};

const struct sotto_ner_encoder_kernels *sotto_ner_encoder_kernels_named(const char *name)
{
    const struct sotto_ner_encoder_kernels *found = NULL;

    for (size_t i = 0; sotto_ner_encoder_kernels_all[i] != NULL; i++) {
        const struct sotto_ner_encoder_kernels *k = sotto_ner_encoder_kernels_all[i];
        if ((name == NULL || strcmp(k->name, name) == 0) && k->usable()) {
            found = k;
        }
    }
    return found;
}
