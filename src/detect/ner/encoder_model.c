/* SPDX-License-Identifier: Apache-2.0 */

#include "detect/ner/encoder_model.h"

#include "crypto/hash.h"
#include "detect/ner/model.h"

#define ENCODER_MAGIC       "SOTTOENC"
#define ENCODER_VERSION     1
#define ENCODER_ALIGN       64
#define ENCODER_INDEX_COUNT 65537
#define ENCODER_ROWS_MIN    5 /* four special ones and a piece */
#define ENCODER_ROWS_MAX    65536
#define ENCODER_PER_MILLE   1000

/*
 * The header, little-endian as the machines we run on; a file for another order is refused by its
 * version.  Offsets of the sections are not stored: they follow one another, each on the next
 * multiple of ENCODER_ALIGN, in the order in which take_sections() takes them.
 */
struct encoder_header {
    char magic[8];
    uint32_t version;
    uint32_t width;
    uint64_t file_size;
    uint8_t checksum[32]; /* SHA-256 of everything behind it */
    uint32_t layer_count;
    uint32_t tag_count;
    uint32_t head_count;
    uint32_t inner;
    uint32_t position_count;
    uint32_t row_count;
    uint32_t piece_count;
    uint32_t unsure_from;
    uint32_t unsure_to;
    uint8_t reserved[36];
};

_Static_assert(sizeof(struct encoder_header) == SOTTO_NER_HEADER_BYTES, "the format says so");

_Static_assert(SOTTO_NER_ENCODER_INNER_MAX / 4 * SOTTO_NER_WEIGHT_MAX <= INT16_MAX,
               "the sums of panel_is_sane() fit");

/* Takes sections from the file one after another; `failed` is sticky. */
struct encoder_sections {
    sotto_span file;
    size_t at;
    bool failed;
};

static bool is_zero(sotto_span bytes)
{
    uint8_t any = 0;

    for (size_t i = 0; i < bytes.len; i++) {
        any |= bytes.base[i];
    }
    return any == 0;
}

static const void *take(struct encoder_sections *s, size_t count, size_t size)
{
    size_t len = count * size; /* the limits of the header keep this small */
    size_t pad = (ENCODER_ALIGN - len % ENCODER_ALIGN) % ENCODER_ALIGN;

    if (s->failed || len + pad > s->file.len - s->at) {
        s->failed = true;
        return NULL;
    }
    const uint8_t *p = s->file.base + s->at;
    s->at += len + pad;
    s->failed = !is_zero(sotto_span_init(p + len, pad));
    return p;
}

/* Numbers that are finite and of a sane size. */
static const float *take_floats(struct encoder_sections *s, size_t count)
{
    const float *p = take(s, count, sizeof(*p));
    bool sane = true;

    for (size_t i = 0; p != NULL && i < count; i++) { /* what is not a number fails, too */
        sane &= p[i] >= -SOTTO_NER_ENCODER_FLOAT_MAX && p[i] <= SOTTO_NER_ENCODER_FLOAT_MAX;
    }
    s->failed = s->failed || !sane;
    return p;
}

static void take_norm(struct encoder_sections *s, size_t width, struct sotto_ner_norm *out)
{
    out->gamma = take_floats(s, width);
    out->beta = take_floats(s, width);
}

/*
 * Whether no weight of a panel is too large, and their sums are as they should be.  Sums of 16 bits
 * hold all inputs of an output that fall into one of four columns.
 */
static bool panel_is_sane(const int8_t *w, size_t inputs, const int32_t *sums)
{
    int16_t column[4 * SOTTO_NER_PANEL] = {0};
    uint8_t top = 0;

    for (size_t k = 0; k < inputs; k += 4, w += sizeof(column) / sizeof(column[0])) {
        for (size_t i = 0; i < SOTTO_COUNT(column); i++) {
            uint8_t size = (uint8_t)(w[i] + SOTTO_NER_WEIGHT_MAX);
            top = size > top ? size : top;
            column[i] = (int16_t)(column[i] + w[i]);
        }
    }
    bool sane = top <= 2 * SOTTO_NER_WEIGHT_MAX;
    for (size_t i = 0; i < SOTTO_NER_PANEL; i++) {
        const int16_t *c = &column[4 * i];
        sane = sane && c[0] + c[1] + c[2] + c[3] == sums[i];
    }
    return sane;
}

static void take_dense(struct encoder_sections *s, uint32_t inputs, uint32_t outputs,
                       struct sotto_ner_dense *out)
{
    out->inputs = inputs;
    out->outputs = outputs;
    out->weights = take(s, (size_t)inputs * outputs, 1);
    out->scale = take_floats(s, outputs);
    out->bias = take_floats(s, outputs);
    out->sums = take(s, outputs, sizeof(*out->sums));
    for (size_t n = 0; n < outputs && !s->failed; n += SOTTO_NER_PANEL) {
        s->failed = !panel_is_sane(out->weights + n * inputs, inputs, out->sums + n);
    }
}

static bool vocabulary_is_sane(const struct sotto_ner_vocabulary *v, uint32_t row_count)
{
    uint32_t at = 0;

    for (uint32_t upper = 0; upper < ENCODER_INDEX_COUNT; upper++) {
        if (v->index[upper] != at) {
            return false;
        }
        while (at < v->count && v->hash[at] >> 16 == upper) {
            if ((at > 0 && v->hash[at] <= v->hash[at - 1]) || v->id[at] >= row_count) {
                return false;
            }
            at++;
        }
    }
    return at == v->count;
}

static void take_vocabulary(struct encoder_sections *s, const struct encoder_header *h,
                            struct sotto_ner_vocabulary *v)
{
    v->count = h->piece_count;
    v->index = take(s, ENCODER_INDEX_COUNT, sizeof(*v->index));
    v->hash = take(s, v->count, sizeof(*v->hash));
    v->id = take(s, v->count, sizeof(*v->id));
    s->failed = s->failed || !vocabulary_is_sane(v, h->row_count);
}

static void take_layer(struct encoder_sections *s, const struct encoder_header *h,
                       struct sotto_ner_encoder_layer *layer)
{
    take_dense(s, h->width, 3 * h->width, &layer->qkv);
    take_dense(s, h->width, h->width, &layer->out);
    take_norm(s, h->width, &layer->attention_norm);
    take_dense(s, h->width, h->inner, &layer->inner);
    take_dense(s, h->inner, h->width, &layer->outer);
    take_norm(s, h->width, &layer->norm);
}

static void take_sections(struct encoder_sections *s, const struct encoder_header *h,
                          struct sotto_ner_encoder_model *m)
{
    take_vocabulary(s, h, &m->vocabulary);
    m->rows = take(s, (size_t)h->row_count * h->width, 1);
    m->row_scale = take_floats(s, h->row_count);
    m->positions = take_floats(s, (size_t)SOTTO_NER_ENCODER_POSITIONS * h->width);
    m->shapes = take_floats(s, (size_t)SOTTO_NER_SHAPES * h->width);
    m->flags = take_floats(s, (size_t)SOTTO_NER_FLAGS * h->width);
    take_norm(s, h->width, &m->norm);
    for (size_t i = 0; i < h->layer_count; i++) {
        take_layer(s, h, &m->layers[i]);
    }
    take_dense(s, h->width, SOTTO_NER_HEAD, &m->head);
}

static bool is_dimension(uint32_t n, uint32_t max)
{
    return n != 0 && n <= max && n % SOTTO_NER_PANEL == 0;
}

static bool header_is_sane(const struct encoder_header *h, size_t len)
{
    if (memcmp(h->magic, ENCODER_MAGIC, sizeof(h->magic)) != 0 || h->version != ENCODER_VERSION ||
        h->file_size != len || h->tag_count != SOTTO_NER_TAGS ||
        h->position_count != SOTTO_NER_ENCODER_POSITIONS ||
        !is_zero(sotto_span_init(h->reserved, sizeof(h->reserved)))) {
        return false;
    }
    if (!is_dimension(h->width, SOTTO_NER_ENCODER_WIDTH_MAX) ||
        !is_dimension(h->inner, SOTTO_NER_ENCODER_INNER_MAX) || h->head_count == 0 ||
        (h->width != 32 * (uint64_t)h->head_count && h->width != 64 * (uint64_t)h->head_count)) {
        return false;
    }
    return h->layer_count >= 1 && h->layer_count <= SOTTO_NER_ENCODER_LAYERS_MAX &&
           h->row_count >= ENCODER_ROWS_MIN && h->row_count <= ENCODER_ROWS_MAX &&
           h->piece_count <= h->row_count && h->unsure_from <= ENCODER_PER_MILLE &&
           h->unsure_to <= ENCODER_PER_MILLE;
}

static enum sotto_err check_sum(sotto_span file, const struct encoder_header *h)
{
    uint8_t sum[SOTTO_SHA256_BYTES];
    enum sotto_err err =
        sotto_sha256(sotto_span_skip(file, offsetof(struct encoder_header, layer_count)), sum);
    if (err != SOTTO_OK) {
        return err;
    }
    return memcmp(sum, h->checksum, sizeof(sum)) == 0 ? SOTTO_OK : SOTTO_EFORMAT; /* public */
}

enum sotto_err sotto_ner_encoder_model_open(sotto_span file, bool trusted,
                                            struct sotto_ner_encoder_model *out)
{
    struct encoder_header h;

    if (file.len < sizeof(h) || (uintptr_t)file.base % ENCODER_ALIGN != 0) {
        return SOTTO_EFORMAT;
    }
    memcpy(&h, file.base, sizeof(h));
    if (!header_is_sane(&h, file.len)) {
        return SOTTO_EFORMAT;
    }
    enum sotto_err err = trusted ? SOTTO_OK : check_sum(file, &h);
    if (err != SOTTO_OK) {
        return err;
    }
    struct sotto_ner_encoder_model m = {.width = h.width,
                                        .layer_count = h.layer_count,
                                        .head_count = h.head_count,
                                        .head_size = h.width / h.head_count,
                                        .inner = h.inner,
                                        .row_count = h.row_count,
                                        .unsure_from = h.unsure_from,
                                        .unsure_to = h.unsure_to};
    struct encoder_sections s = {.file = file, .at = sizeof(h)};
    take_sections(&s, &h, &m);
    if (s.failed || s.at != file.len) {
        return SOTTO_EFORMAT;
    }
    *out = m;
    return SOTTO_OK;
}
