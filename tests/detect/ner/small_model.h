/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_TESTS_DETECT_NER_SMALL_MODEL_H
#define SOTTO_TESTS_DETECT_NER_SMALL_MODEL_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/hash.h"
#include "detect/ner/model.h"

/*
 * A valid model file with small tables and random weights, written here from docs/wire/model-file.md and
 * not with the code under test.
 */

#define SMALL_LAYERS 2
#define SMALL_WORDS  3

/* Offsets of the header's fields. */
#define SMALL_AT_SIZE ((size_t)16)
#define SMALL_AT_SUM  24
#define SMALL_AT_BODY ((size_t)56)

struct small_model {
    uint8_t *base; /* aligned to 64; free() it */
    size_t len;
    size_t index_at; /* the lexicon's sections */
};

static inline uint32_t small_next(uint32_t *state)
{
    *state = *state * 1664525U + 1013904223U;
    return *state >> 8;
}

static inline void small_u32(struct small_model *m, uint32_t x)
{
    memcpy(m->base + m->len, &x, sizeof(x));
    m->len += sizeof(x);
}

static inline void small_align(struct small_model *m)
{
    m->len += (64 - m->len % 64) % 64;
}

static inline void small_bytes(struct small_model *m, uint32_t *state, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        m->base[m->len++] = (uint8_t)small_next(state);
    }
    small_align(m);
}

static inline void small_matrix(struct small_model *m, uint32_t *state, size_t inputs,
                                size_t outputs)
{
    for (size_t i = 0; i < inputs * outputs; i++) {
        m->base[m->len++] = (uint8_t)((int)(small_next(state) % 127) - 63);
    }
    small_align(m);
    for (size_t i = 0; i < outputs; i++) {
        small_u32(m, small_next(state) % 2000);
    }
    small_align(m);
    for (size_t i = 0; i < outputs; i++) {
        small_u32(m, 5 + small_next(state) % 4);
    }
    small_align(m);
}

static inline void small_lexicon(struct small_model *m)
{
    static const uint16_t flags[SMALL_WORDS] = {1, 2, 0x8000}, cluster[SMALL_WORDS] = {0, 1, 1};

    m->index_at = m->len;
    for (size_t i = 0; i <= 65536; i++) {
        small_u32(m, i == 0 ? 0 : i <= 0x8000 ? 1 : SMALL_WORDS);
    }
    small_align(m);
    small_u32(m, 0x00001234);
    small_u32(m, 0x80000001);
    small_u32(m, 0x8000ffff);
    small_align(m);
    memcpy(m->base + m->len, flags, sizeof(flags));
    m->len += sizeof(flags);
    small_align(m);
    memcpy(m->base + m->len, cluster, sizeof(cluster));
    m->len += sizeof(cluster);
    small_align(m);
}

/** Writes size and checksum for the bytes as they are now. */
static inline void small_seal(uint8_t *base, size_t len)
{
    uint64_t size = len;
    memcpy(base + SMALL_AT_SIZE, &size, sizeof(size));
    sotto_ignore(sotto_sha256(sotto_span_init(base + SMALL_AT_BODY, len - SMALL_AT_BODY),
                              base + SMALL_AT_SUM)); /* a wrong sum shows in every test */
}

static inline struct small_model small_model_new(uint32_t seed)
{
    struct small_model m = {.base = aligned_alloc(64, 1U << 20)};
    static const uint8_t dilation[8] = {1, 2};

    if (m.base == NULL) {
        abort();
    }
    memset(m.base, 0, 1U << 20);
    memcpy(m.base, "SOTTONER", 8);
    m.len = 8;
    small_u32(&m, 1);
    small_u32(&m, SOTTO_NER_WIDTH);
    m.len = SMALL_AT_BODY;
    const uint32_t counts[8] = {SMALL_LAYERS,     SOTTO_NER_TAGS,  3, 2,
                                SOTTO_NER_SHAPES, SOTTO_NER_FLAGS, 2, SMALL_WORDS};
    for (size_t i = 0; i < 8; i++) {
        small_u32(&m, counts[i]);
    }
    memcpy(m.base + m.len, dilation, sizeof(dilation));
    m.len = SOTTO_NER_HEADER_BYTES;
    const size_t rows[5] = {8, 4, SOTTO_NER_SHAPES, SOTTO_NER_FLAGS, 2};
    for (size_t i = 0; i < 5; i++) {
        small_bytes(&m, &seed, rows[i] * SOTTO_NER_WIDTH);
    }
    for (size_t i = 0; i < SMALL_LAYERS; i++) {
        small_matrix(&m, &seed, (size_t)SOTTO_NER_TAPS * SOTTO_NER_WIDTH, SOTTO_NER_WIDTH);
    }
    small_matrix(&m, &seed, SOTTO_NER_WIDTH, SOTTO_NER_HEAD);
    for (size_t i = 0; i < 16; i++) {
        small_u32(&m, 0);
    }
    small_align(&m);
    small_lexicon(&m);
    small_seal(m.base, m.len);
    return m;
}

#endif
