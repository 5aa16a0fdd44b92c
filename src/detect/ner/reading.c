/* SPDX-License-Identifier: Apache-2.0 */

#include "detect/ner/reading.h"

#include <math.h>

#include "base/alloc.h"
#include "detect/ner/encoder_kernel.h"
#include "detect/ner/piece.h"

/*
 * What is done with a passage, in order.  The stages up to HEAD are cut into pieces of work by
 * columns (panels of outputs, heads of attention) and READING_ROWS rows.
 *
 *   EMBED -> each layer { QKV -> ATTEND -> OUT -> each block of rows { INNER -> OUTER } } -> HEAD
 *
 * A matrix reads rows of bytes, so behind each stage the rows are quantised for the next one.
 */
#define READING_ROWS  16
#define READING_BLOCK 64 /* rows for which the inner numbers are kept */
#define READING_ALIGN 64

/* A multiply-add in floating point takes about as long as so many of bytes. */
#define READING_FLOAT_COST 4

_Static_assert(READING_ROWS % SOTTO_NER_ENCODER_TILE == 0, "pieces of work are whole tiles");
_Static_assert(READING_ROWS <= SOTTO_NER_ATTEND_ROWS, "a piece of work is attended to at once");
_Static_assert(READING_BLOCK % READING_ROWS == 0, "a block is cut into whole pieces of work");
_Static_assert(SOTTO_NER_ENCODER_POSITIONS % READING_BLOCK == 0, "rows behind the last are there");

enum reading_stage {
    READING_EMBED,
    READING_QKV,
    READING_ATTEND,
    READING_OUT,
    READING_INNER,
    READING_OUTER,
    READING_HEAD,
    READING_DONE,
};

struct sotto_ner_encoder {
    struct sotto_ner_encoder_model model;
    const struct sotto_ner_encoder_kernels *kernels;
};

struct reading_token {
    uint16_t flags;
    uint8_t shape;
    uint8_t row; /* of its first piece */
};

struct sotto_ner_reading {
    const struct sotto_ner_encoder *encoder;
    enum reading_stage stage;
    size_t layer;
    size_t block;  /* stages INNER and OUTER: first row */
    size_t column; /* next piece of work: panel or head */
    size_t row;    /* and row */
    size_t
        rows; /* of the passage, with the piece before its text; the one behind it from EMBED on */
    size_t live; /* of them, how many go on: all, then one a token */
    size_t token_count;
    uint16_t ids[SOTTO_NER_ENCODER_POSITIONS];
    struct reading_token tokens[SOTTO_NER_PIECES];
    float scales[SOTTO_NER_ENCODER_POSITIONS];    /* of the rows of bytes */
    float *x;                                     /* the stream of the network: rows of width */
    float *wide;                                  /* rows of 3 width, of inner, or of the head */
    uint8_t *bytes;                               /* quantised rows */
    float keys[64 * SOTTO_NER_ENCODER_POSITIONS]; /* of a head, as attention wants them */
    float values[64 * SOTTO_NER_ENCODER_POSITIONS];
};

static const struct sotto_ner_encoder_model *model_of(const struct sotto_ner_reading *r)
{
    return &r->encoder->model;
}

static const struct sotto_ner_math *math_of(const struct sotto_ner_reading *r)
{
    return r->encoder->kernels->math;
}

/* --- between the stages ---------------------------------------------------------------------- */

static void enter(struct sotto_ner_reading *r, enum reading_stage stage)
{
    r->stage = stage;
    r->column = 0;
    r->row = 0;
}

/* `count` rows of `width` numbers, `stride` apart, become the rows of bytes. */
static void quantise(struct sotto_ner_reading *r, const float *from, size_t stride, size_t width,
                     size_t count)
{
    for (size_t i = 0; i < count; i++) {
        math_of(r)->quantise(from + i * stride, width, r->bytes + i * width, &r->scales[i]);
    }
}

static void normalise(struct sotto_ner_reading *r, const struct sotto_ner_norm *norm, size_t first,
                      size_t count)
{
    size_t width = model_of(r)->width;

    for (size_t i = first; i < first + count; i++) {
        math_of(r)->norm(norm, width, r->x + i * width);
    }
}

static size_t block_rows(const struct sotto_ner_reading *r)
{
    return r->live - r->block < READING_BLOCK ? r->live - r->block : READING_BLOCK;
}

static void enter_block(struct sotto_ner_reading *r, size_t first)
{
    size_t width = model_of(r)->width;

    r->block = first;
    quantise(r, r->x + first * width, width, width, block_rows(r));
    enter(r, READING_INNER);
}

static void enter_layer(struct sotto_ner_reading *r, size_t layer)
{
    size_t width = model_of(r)->width;

    quantise(r, r->x, width, width, r->live);
    if (layer == model_of(r)->layer_count) {
        enter(r, READING_HEAD);
        return;
    }
    r->layer = layer;
    enter(r, READING_QKV);
}

/* In the last layer every piece is looked at, but only the first one of a token looks: the head reads
 * no other. */
static void enter_attention(struct sotto_ner_reading *r)
{
    size_t width = model_of(r)->width, bytes = width * sizeof(float);

    enter(r, READING_ATTEND);
    if (r->layer + 1 < model_of(r)->layer_count) {
        return;
    }
    for (size_t i = 0; i < r->token_count; i++) { /* never behind where it stands */
        size_t row = r->tokens[i].row;
        memmove(r->wide + i * 3 * width, r->wide + row * 3 * width, bytes);
        memmove(r->x + i * width, r->x + row * width, bytes);
    }
    r->live = r->token_count;
}

/* --- the stages ------------------------------------------------------------------------------ */

static void add_row(float *x, const float *row, size_t width)
{
    for (size_t c = 0; c < width; c++) {
        x[c] += row[c];
    }
}

/* What the vocabulary does not know of a token: its capitals, and what the lexicon says. */
static void add_features(struct sotto_ner_reading *r, const struct reading_token *token)
{
    const struct sotto_ner_encoder_model *m = model_of(r);
    float sum[SOTTO_NER_ENCODER_WIDTH_MAX];

    memcpy(sum, m->shapes + (size_t)token->shape * m->width, m->width * sizeof(sum[0]));
    for (size_t bit = 0; bit < SOTTO_NER_FLAGS; bit++) {
        if ((token->flags >> bit & 1) != 0) {
            add_row(sum, m->flags + bit * m->width, m->width);
        }
    }
    add_row(r->x + token->row * (size_t)m->width, sum, m->width);
}

static void embed(struct sotto_ner_reading *r)
{
    const struct sotto_ner_encoder_model *m = model_of(r);

    r->ids[r->rows++] = SOTTO_NER_PIECE_END;
    for (size_t i = 0; i < r->rows; i++) {
        const int8_t *row = m->rows + (size_t)r->ids[i] * m->width;
        float scale = m->row_scale[r->ids[i]];
        for (size_t c = 0; c < m->width; c++) {
            r->x[i * m->width + c] = (float)row[c] * scale + m->positions[i * m->width + c];
        }
    }
    for (size_t i = 0; i < r->token_count; i++) {
        add_features(r, &r->tokens[i]);
    }
    normalise(r, &m->norm, 0, r->rows);
    r->live = r->rows;
    enter_layer(r, 0);
}

/*
 * Some rows of one panel of a matrix, from `count` rows of bytes to rows of `out` that are `stride`
 * apart. Returns whether that was the last piece of the stage.
 */
static bool multiply(struct sotto_ner_reading *r, const struct sotto_ner_dense *m,
                     enum sotto_ner_finish how, size_t count, float *out, size_t stride)
{
    SOTTO_UNINIT int32_t products[READING_ROWS * SOTTO_NER_PANEL];
    const struct sotto_ner_encoder_kernels *k = r->encoder->kernels;
    size_t n = count - r->row < READING_ROWS ? count - r->row : READING_ROWS;

    k->multiply(m->weights + r->column * SOTTO_NER_PANEL * m->inputs, m->inputs,
                r->bytes + r->row * m->inputs, n, products);
    k->math->finish(how, m, r->column, products, r->scales + r->row, n,
                    out + r->row * stride + r->column * SOTTO_NER_PANEL, stride);
    r->row += n;
    if (r->row == count) {
        r->row = 0;
        r->column++;
    }
    return r->column == m->outputs / SOTTO_NER_PANEL;
}

/* `keys` and `values`: of the first row. */
static void gather_head(struct sotto_ner_reading *r, const float *keys, const float *values,
                        size_t stride)
{
    size_t size = model_of(r)->head_size;

    for (size_t i = 0; i < SOTTO_NER_ENCODER_POSITIONS; i++) {
        for (size_t c = 0; c < size; c++) {
            r->keys[c * SOTTO_NER_ENCODER_POSITIONS + i] = i < r->rows ? keys[i * stride + c] : 0;
        }
    }
    for (size_t i = 0; i < r->rows; i++) {
        memcpy(r->values + i * size, values + i * stride, size * sizeof(values[0]));
    }
}

/* Some rows of one head. */
static bool attend(struct sotto_ner_reading *r)
{
    const struct sotto_ner_encoder_model *m = model_of(r);
    size_t width = m->width, n = r->live - r->row < READING_ROWS ? r->live - r->row : READING_ROWS;
    float *q = r->wide + r->column * m->head_size;
    struct sotto_ner_attention attention = {.keys = r->keys,
                                            .values = r->values,
                                            .count = r->rows,
                                            .size = m->head_size,
                                            .stride = 3 * width};

    if (r->row == 0) {
        gather_head(r, q + width, q + 2 * width, 3 * width);
    }
    math_of(r)->attend(&attention, q + r->row * 3 * width, n);
    r->row += n;
    if (r->row == r->live) {
        r->row = 0;
        r->column++;
    }
    return r->column == m->head_count;
}

static void score_tags(struct sotto_ner_reading *r)
{
    const struct sotto_ner_encoder_model *m = model_of(r);

    if (multiply(r, &m->head, SOTTO_NER_FINISH_SET, r->token_count, r->wide, SOTTO_NER_HEAD)) {
        enter(r, READING_DONE);
    }
}

static void feed_forward(struct sotto_ner_reading *r)
{
    const struct sotto_ner_encoder_model *m = model_of(r);
    const struct sotto_ner_encoder_layer *layer = &m->layers[r->layer];
    size_t n = block_rows(r);

    if (r->stage == READING_INNER) {
        if (multiply(r, &layer->inner, SOTTO_NER_FINISH_GELU, n, r->wide, m->inner)) {
            quantise(r, r->wide, m->inner, m->inner, n);
            enter(r, READING_OUTER);
        }
        return;
    }
    if (multiply(r, &layer->outer, SOTTO_NER_FINISH_ADD, n, r->x + r->block * m->width, m->width)) {
        normalise(r, &layer->norm, r->block, n);
        if (r->block + n == r->live) {
            enter_layer(r, r->layer + 1);
        } else {
            enter_block(r, r->block + n);
        }
    }
}

static void self_attention(struct sotto_ner_reading *r)
{
    const struct sotto_ner_encoder_model *m = model_of(r);
    const struct sotto_ner_encoder_layer *layer = &m->layers[r->layer];
    size_t stride = (size_t)3 * m->width;

    if (r->stage == READING_QKV) {
        if (multiply(r, &layer->qkv, SOTTO_NER_FINISH_SET, r->rows, r->wide, stride)) {
            enter_attention(r);
        }
    } else if (r->stage == READING_ATTEND) {
        if (attend(r)) {
            quantise(r, r->wide, stride, m->width, r->live);
            enter(r, READING_OUT);
        }
    } else if (multiply(r, &layer->out, SOTTO_NER_FINISH_ADD, r->live, r->x, m->width)) {
        normalise(r, &layer->attention_norm, 0, r->live);
        enter_block(r, 0);
    }
}

/* --- steps ----------------------------------------------------------------------------------- */

/* Multiply-adds that the next piece of work is worth. */
static size_t piece_cost(const struct sotto_ner_reading *r)
{
    const struct sotto_ner_encoder_model *m = model_of(r);
    size_t inputs = r->stage == READING_OUTER ? m->inner : m->width;

    switch (r->stage) {
    case READING_EMBED:
        return r->rows * m->width * READING_FLOAT_COST;
    case READING_ATTEND:
        return (size_t)2 * READING_ROWS * r->rows * m->head_size * READING_FLOAT_COST;
    case READING_QKV:
    case READING_OUT:
    case READING_INNER:
    case READING_OUTER:
    case READING_HEAD:
        return READING_ROWS * inputs * SOTTO_NER_PANEL;
    case READING_DONE:
        break;
    }
    return 0;
}

static void work(struct sotto_ner_reading *r)
{
    switch (r->stage) {
    case READING_EMBED:
        embed(r);
        break;
    case READING_QKV:
    case READING_ATTEND:
    case READING_OUT:
        self_attention(r);
        break;
    case READING_INNER:
    case READING_OUTER:
        feed_forward(r);
        break;
    case READING_HEAD:
        score_tags(r);
        break;
    case READING_DONE:
        break;
    }
}

bool sotto_ner_reading_run(struct sotto_ner_reading *reading, size_t macs)
{
    if (reading->token_count == 0) {
        reading->stage = READING_DONE;
    }
    for (bool first = true; reading->stage != READING_DONE; first = false) {
        size_t cost = piece_cost(reading);
        if (cost > macs && !first) {
            break;
        }
        macs -= cost < macs ? cost : macs;
        work(reading);
    }
    return reading->stage == READING_DONE;
}

bool sotto_ner_reading_step(struct sotto_ner_reading *reading)
{
    return sotto_ner_reading_run(reading, SOTTO_NER_STEP_MACS);
}

/* --- passages -------------------------------------------------------------------------------- */

/* Sizes of what lies behind a reading, in bytes. */
struct reading_room {
    size_t x;
    size_t wide;
    size_t all;
};

static size_t more(size_t a, size_t b)
{
    return a > b ? a : b;
}

static struct reading_room room_of(const struct sotto_ner_encoder_model *m)
{
    const size_t rows = SOTTO_NER_ENCODER_POSITIONS, block = READING_BLOCK;
    struct reading_room room = {
        .x = rows * m->width * sizeof(float),
        .wide = more(rows * 3 * m->width, block * m->inner) * sizeof(float),
    };

    room.all = room.x + room.wide + more(rows * m->width, block * m->inner);
    return room;
}

/* Pieces are text, and the numbers of the first layers tell which ones they came from. */
static void forget(struct sotto_ner_reading *r)
{
    sotto_wipe(r->ids, r->rows * sizeof(r->ids[0]));
    sotto_wipe(r->tokens, r->token_count * sizeof(r->tokens[0]));
    sotto_wipe(r->scales, sizeof(r->scales));
    if (r->stage != READING_EMBED) {
        sotto_wipe(r->x, room_of(model_of(r)).all); /* the others lie behind it */
        sotto_wipe(r->keys, sizeof(r->keys));
        sotto_wipe(r->values, sizeof(r->values));
    }
}

void sotto_ner_reading_begin(struct sotto_ner_reading *reading)
{
    forget(reading);
    enter(reading, READING_EMBED);
    reading->ids[0] = SOTTO_NER_PIECE_BEGIN;
    reading->rows = 1;
    reading->live = reading->token_count = reading->layer = reading->block = 0;
}

bool sotto_ner_reading_add(struct sotto_ner_reading *reading, sotto_span text, uint32_t start,
                           uint32_t end, uint8_t kind, uint8_t shape, uint16_t flags)
{
    uint16_t ids[SOTTO_NER_TOKEN_PIECES];
    size_t n = sotto_ner_pieces(&model_of(reading)->vocabulary, sotto_span_sub(text, start, end),
                                kind, ids);

    if (reading->stage != READING_EMBED || reading->rows + n > SOTTO_NER_PIECES + 1) {
        return false;
    }
    reading->tokens[reading->token_count++] =
        (struct reading_token){.flags = flags, .shape = shape, .row = (uint8_t)reading->rows};
    memcpy(reading->ids + reading->rows, ids, n * sizeof(ids[0]));
    reading->rows += n;
    return true;
}

size_t sotto_ner_reading_count(const struct sotto_ner_reading *reading)
{
    return reading->token_count;
}

void sotto_ner_reading_logits(const struct sotto_ner_reading *reading, size_t at,
                              int32_t out[SOTTO_NER_HEAD])
{
    const float *y = reading->wide + at * SOTTO_NER_HEAD;

    memset(out, 0, SOTTO_NER_HEAD * sizeof(out[0]));
    for (size_t i = 0; i < SOTTO_NER_TAGS; i++) {
        float x = y[i] * 256.0F;
        x = x > SOTTO_NER_LOGIT_MAX ? SOTTO_NER_LOGIT_MAX : x;
        x = x < -SOTTO_NER_LOGIT_MAX ? -SOTTO_NER_LOGIT_MAX : x;
        out[i] = (int32_t)lrintf(x);
    }
}

enum sotto_err sotto_ner_reading_new(const struct sotto_ner_encoder *encoder,
                                     struct sotto_ner_reading **out)
{
    const struct reading_room room = room_of(&encoder->model);
    struct sotto_ner_reading *r = sotto_calloc(1, sizeof(*r) + READING_ALIGN + room.all);

    if (r == NULL) {
        return SOTTO_ENOMEM;
    }
    uint8_t *p = (uint8_t *)(r + 1);
    p += READING_ALIGN - (uintptr_t)p % READING_ALIGN;
    r->x = (float *)(void *)p;
    r->wide = (float *)(void *)(p + room.x);
    r->bytes = p + room.x + room.wide;
    r->encoder = encoder;
    sotto_ner_reading_begin(r);
    *out = r;
    return SOTTO_OK;
}

void sotto_ner_reading_free(struct sotto_ner_reading *reading)
{
    sotto_free(reading);
}

/* --- encoders -------------------------------------------------------------------------------- */

enum sotto_err sotto_ner_encoder_open(sotto_span file, bool trusted, const char *kernels,
                                      struct sotto_ner_encoder **out)
{
    struct sotto_ner_encoder *encoder = sotto_calloc(1, sizeof(*encoder));
    enum sotto_err err = SOTTO_ENOMEM;

    if (encoder == NULL) {
        goto out;
    }
    err = sotto_ner_encoder_model_open(file, trusted, &encoder->model);
    encoder->kernels = sotto_ner_encoder_kernels_named(kernels);
    if (err == SOTTO_OK && encoder->kernels == NULL) {
        err = SOTTO_EINVAL;
    }
    if (err == SOTTO_OK) {
        *out = encoder;
        encoder = NULL; /* transferred */
    }

out:
    sotto_free(encoder);
    return err;
}

void sotto_ner_encoder_free(struct sotto_ner_encoder *encoder)
{
    sotto_free(encoder);
}

const struct sotto_ner_encoder_model *
sotto_ner_encoder_model(const struct sotto_ner_encoder *encoder)
{
    return &encoder->model;
}

const char *sotto_ner_encoder_kernels(const struct sotto_ner_encoder *encoder)
{
    return encoder->kernels->name;
}
