/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_TESTS_DETECT_NER_SMALL_ENCODER_H
#define SOTTO_TESTS_DETECT_NER_SMALL_ENCODER_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/hash.h"
#include "detect/ner/encoder_model.h"
#include "detect/ner/model.h"

/*
 * A valid file of a tiny encoder with random weights, written here from docs/wire/encoder-file.md
 * and not with the code under test.
 */

#define SMALL_ENCODER_WIDTH  64
#define SMALL_ENCODER_HEADS  2
#define SMALL_ENCODER_INNER  128
#define SMALL_ENCODER_LAYERS 2
#define SMALL_ENCODER_BYTES  ((size_t)1 << 20)

/* Offsets of the header's fields. */
#define SMALL_ENCODER_AT_SIZE ((size_t)16)
#define SMALL_ENCODER_AT_SUM  ((size_t)24)
#define SMALL_ENCODER_AT_BODY ((size_t)56)

struct small_encoder {
    uint8_t *base; /* aligned to 64; free() it */
    size_t len;
    size_t index_at; /* sections */
    size_t hash_at;
    size_t id_at;
    size_t row_scale_at;
    size_t norm_at; /* of the embedding */
    size_t qkv_at;
    size_t head_at;
    uint32_t state;
};

/* Row 4 on; "##": continues a token.  Each stands for its ASCII letters. */
static const char *const small_encoder_pieces[] = {
    "dear", "oka", "##for", ".", ",",   "a", "##a", "12",  "##34", "elm",   "##m", "##lie", "elod",
    "56",   "##5", "-",     "e", "##e", "1", "##0", "the", "##ab", "##abc", "ab",  "##bcd", "abc",
};

#define SMALL_ENCODER_PIECES SOTTO_COUNT(small_encoder_pieces)
#define SMALL_ENCODER_ROWS   (4 + SMALL_ENCODER_PIECES)

static inline uint32_t small_encoder_next(struct small_encoder *e)
{
    e->state = e->state * 1664525U + 1013904223U;
    return e->state >> 8;
}

/* From -1 to 1. */
static inline float small_encoder_random(struct small_encoder *e)
{
    return (float)small_encoder_next(e) / (float)(1 << 23) - 1.0F;
}

static inline void small_encoder_put(struct small_encoder *e, const void *bytes, size_t n)
{
    if (n > SMALL_ENCODER_BYTES - 64 - e->len) {
        abort();
    }
    memcpy(e->base + e->len, bytes, n);
    e->len += n;
}

static inline void small_encoder_u32(struct small_encoder *e, uint32_t x)
{
    small_encoder_put(e, &x, sizeof(x));
}

/* Returns where the next section begins. */
static inline size_t small_encoder_align(struct small_encoder *e)
{
    e->len += (64 - e->len % 64) % 64;
    return e->len;
}

static inline void small_encoder_floats(struct small_encoder *e, size_t n, float middle,
                                        float reach)
{
    for (size_t i = 0; i < n; i++) {
        float x = middle + reach * small_encoder_random(e);
        small_encoder_put(e, &x, sizeof(x));
    }
    small_encoder_align(e);
}

/* Sets the sums of a matrix that ends at `end` right. */
static inline void small_encoder_sum(uint8_t *base, size_t end, size_t inputs, size_t outputs)
{
    uint8_t *sums = base + end - outputs * 4;
    const int8_t *weights = (const int8_t *)base + end - outputs * 12 - inputs * outputs;

    for (size_t n = 0; n < outputs; n++) {
        int32_t sum = 0;
        for (size_t k = 0; k < inputs; k++) {
            sum += weights[n / 64 * 64 * inputs + k / 4 * 256 + n % 64 * 4 + k % 4];
        }
        memcpy(sums + n * 4, &sum, sizeof(sum));
    }
}

static inline void small_encoder_matrix(struct small_encoder *e, size_t inputs, size_t outputs)
{
    for (size_t i = 0; i < inputs * outputs; i++) {
        int8_t w = (int8_t)((int)(small_encoder_next(e) % 127) - 63);
        small_encoder_put(e, &w, 1);
    }
    small_encoder_floats(e, outputs, 0.003F, 0.001F);
    small_encoder_floats(e, outputs, 0, 0.3F);
    e->len += outputs * 4;
    small_encoder_sum(e->base, e->len, inputs, outputs);
}

static inline void small_encoder_norm(struct small_encoder *e)
{
    small_encoder_floats(e, SMALL_ENCODER_WIDTH, 1, 0.3F);
    small_encoder_floats(e, SMALL_ENCODER_WIDTH, 0, 0.2F);
}

static inline uint32_t small_encoder_hash(const char *piece)
{
    uint32_t h = 0x811c9dc5U;

    if (piece[0] == '#') {
        h ^= 0x23230000U;
        piece += 2;
    }
    for (; *piece != '\0'; piece++) {
        h = (h ^ (uint8_t)*piece) * 0x01000193U;
    }
    h = (h ^ h >> 16) * 0x85ebca6bU;
    h = (h ^ h >> 13) * 0xc2b2ae35U;
    return h ^ h >> 16;
}

static inline void small_encoder_vocabulary(struct small_encoder *e)
{
    uint32_t hash[SMALL_ENCODER_PIECES] = {0};
    uint16_t id[SMALL_ENCODER_PIECES] = {0};

    for (size_t i = 0; i < SMALL_ENCODER_PIECES; i++) { /* sorted by insertion */
        uint32_t h = small_encoder_hash(small_encoder_pieces[i]);
        size_t at = i;
        for (; at > 0 && hash[at - 1] > h; at--) {
            hash[at] = hash[at - 1];
            id[at] = id[at - 1];
        }
        hash[at] = h;
        id[at] = (uint16_t)(4 + i);
    }
    e->index_at = e->len;
    for (uint32_t upper = 0, at = 0; upper <= 65536; upper++) {
        while (at < SMALL_ENCODER_PIECES && hash[at] >> 16 < upper) {
            at++;
        }
        small_encoder_u32(e, at);
    }
    e->hash_at = small_encoder_align(e);
    small_encoder_put(e, hash, sizeof(hash));
    e->id_at = small_encoder_align(e);
    small_encoder_put(e, id, sizeof(id));
    small_encoder_align(e);
}

static inline void small_encoder_tables(struct small_encoder *e)
{
    for (size_t i = 0; i < SMALL_ENCODER_ROWS * SMALL_ENCODER_WIDTH; i++) {
        uint8_t x = (uint8_t)small_encoder_next(e);
        small_encoder_put(e, &x, 1);
    }
    e->row_scale_at = small_encoder_align(e);
    small_encoder_floats(e, SMALL_ENCODER_ROWS, 0.01F, 0.003F);
    small_encoder_floats(e, (size_t)128 * SMALL_ENCODER_WIDTH, 0, 0.3F);
    small_encoder_floats(e, (size_t)256 * SMALL_ENCODER_WIDTH, 0, 0.5F);
    small_encoder_floats(e, (size_t)16 * SMALL_ENCODER_WIDTH, 0, 0.5F);
    e->norm_at = e->len;
    small_encoder_norm(e);
}

/** Writes size and checksum for the bytes as they are now. */
static inline void small_encoder_seal(uint8_t *base, size_t len)
{
    uint64_t size = len;
    memcpy(base + SMALL_ENCODER_AT_SIZE, &size, sizeof(size));
    sotto_ignore(
        sotto_sha256(sotto_span_init(base + SMALL_ENCODER_AT_BODY, len - SMALL_ENCODER_AT_BODY),
                     base + SMALL_ENCODER_AT_SUM)); /* a wrong sum shows in every test */
}

static inline void small_encoder_header(struct small_encoder *e)
{
    const uint32_t fields[9] = {SMALL_ENCODER_LAYERS,
                                SOTTO_NER_TAGS,
                                SMALL_ENCODER_HEADS,
                                SMALL_ENCODER_INNER,
                                128,
                                SMALL_ENCODER_ROWS,
                                SMALL_ENCODER_PIECES,
                                120,
                                880};

    memcpy(e->base, "SOTTOENC", 8);
    e->len = 8;
    small_encoder_u32(e, 1);
    small_encoder_u32(e, SMALL_ENCODER_WIDTH);
    e->len = SMALL_ENCODER_AT_BODY;
    small_encoder_put(e, fields, sizeof(fields));
    e->len = SOTTO_NER_HEADER_BYTES;
}

/** Sets the sums of all matrices right for the weights as they are now. */
static inline void small_encoder_sums(struct small_encoder *e)
{
    const size_t shapes[5][2] = {{SMALL_ENCODER_WIDTH, (size_t)3 * SMALL_ENCODER_WIDTH},
                                 {SMALL_ENCODER_WIDTH, SMALL_ENCODER_WIDTH},
                                 {SMALL_ENCODER_WIDTH, SMALL_ENCODER_INNER},
                                 {SMALL_ENCODER_INNER, SMALL_ENCODER_WIDTH},
                                 {SMALL_ENCODER_WIDTH, SOTTO_NER_HEAD}};
    size_t end = e->qkv_at;

    for (size_t i = 0; i <= (size_t)4 * SMALL_ENCODER_LAYERS; i++) {
        const size_t *shape = shapes[i == (size_t)4 * SMALL_ENCODER_LAYERS ? 4 : i % 4];
        end += shape[1] * (shape[0] + 12);
        small_encoder_sum(e->base, end, shape[0], shape[1]);
        end += i % 2 == 1 ? (size_t)2 * 4 * SMALL_ENCODER_WIDTH : 0; /* a norm */
    }
}

static inline struct small_encoder small_encoder_new(uint32_t seed)
{
    const size_t width = SMALL_ENCODER_WIDTH, inner = SMALL_ENCODER_INNER;
    struct small_encoder e = {.base = aligned_alloc(64, SMALL_ENCODER_BYTES), .state = seed};

    if (e.base == NULL) {
        abort();
    }
    memset(e.base, 0, SMALL_ENCODER_BYTES);
    small_encoder_header(&e);
    small_encoder_vocabulary(&e);
    small_encoder_tables(&e);
    e.qkv_at = e.len;
    for (size_t i = 0; i < SMALL_ENCODER_LAYERS; i++) {
        small_encoder_matrix(&e, width, 3 * width);
        small_encoder_matrix(&e, width, width);
        small_encoder_norm(&e);
        small_encoder_matrix(&e, width, inner);
        small_encoder_matrix(&e, inner, width);
        small_encoder_norm(&e);
    }
    e.head_at = e.len;
    small_encoder_matrix(&e, width, SOTTO_NER_HEAD);
    small_encoder_seal(e.base, e.len);
    return e;
}

#endif
