/* SPDX-License-Identifier: Apache-2.0 */

#include <malloc.h>
#include <math.h>

#include "small_encoder.h"
#include "tap/tap.h"

#include "base/alloc.h"
#include "detect/ner/encoder_kernel.h"
#include "detect/ner/piece.h"
#include "detect/ner/reading.h"

#define ROWS  SOTTO_NER_ENCODER_POSITIONS
#define WIDTH SMALL_ENCODER_WIDTH
#define INNER SMALL_ENCODER_INNER

/* --- the reading in double precision, as docs/wire/encoder-file.md says ----------------------- */

static void plain_product(const struct sotto_ner_dense *m, const double *x, double *y)
{
    double top = 0;
    int u[INNER];

    for (size_t k = 0; k < m->inputs; k++) {
        top = fmax(top, fabs(x[k]));
    }
    double s = top / 127;
    for (size_t k = 0; k < m->inputs; k++) {
        u[k] = s > 0 ? (int)lrint(x[k] / s) : 0;
    }
    for (size_t n = 0; n < m->outputs; n++) {
        const int8_t *w = m->weights + n / 64 * 64 * m->inputs + n % 64 * 4;
        int sum = 0;
        for (size_t k = 0; k < m->inputs; k++) {
            sum += u[k] * w[k / 4 * 256 + k % 4];
        }
        y[n] = sum * s * (double)m->scale[n] + (double)m->bias[n];
    }
}

static void plain_norm(const struct sotto_ner_norm *norm, double *x)
{
    double mean = 0, variance = 0;

    for (size_t c = 0; c < WIDTH; c++) {
        mean += x[c] / WIDTH;
    }
    for (size_t c = 0; c < WIDTH; c++) {
        variance += (x[c] - mean) * (x[c] - mean) / WIDTH;
    }
    for (size_t c = 0; c < WIDTH; c++) {
        x[c] =
            (x[c] - mean) / sqrt(variance + 1e-12) * (double)norm->gamma[c] + (double)norm->beta[c];
    }
}

struct plain {
    size_t rows;
    size_t tokens;
    size_t first[SOTTO_NER_PIECES];
    double x[ROWS][WIDTH];
    double qkv[ROWS][3 * WIDTH];
};

static struct plain plain;

static void plain_piece(const struct sotto_ner_encoder_model *m, uint16_t id)
{
    for (size_t c = 0; c < WIDTH; c++) {
        plain.x[plain.rows][c] = (double)m->row_scale[id] * m->rows[(size_t)id * WIDTH + c] +
                                 (double)m->positions[plain.rows * WIDTH + c];
    }
    plain.rows++;
}

static void plain_head(size_t head, size_t row, double *out)
{
    const size_t size = WIDTH / SMALL_ENCODER_HEADS, at = head * size;
    double score[ROWS], sum = 0, top = -INFINITY;

    for (size_t j = 0; j < plain.rows; j++) {
        score[j] = 0;
        for (size_t c = 0; c < size; c++) {
            score[j] += plain.qkv[row][at + c] * plain.qkv[j][WIDTH + at + c];
        }
        top = fmax(top, score[j]);
    }
    for (size_t j = 0; j < plain.rows; j++) {
        score[j] = exp(score[j] - top);
        sum += score[j];
    }
    for (size_t c = 0; c < size; c++) {
        out[at + c] = 0;
        for (size_t j = 0; j < plain.rows; j++) {
            out[at + c] += score[j] / sum * plain.qkv[j][(size_t)2 * WIDTH + at + c];
        }
    }
}

static void plain_layer(const struct sotto_ner_encoder_layer *layer)
{
    double mixed[WIDTH], y[WIDTH], inner[INNER];

    for (size_t i = 0; i < plain.rows; i++) {
        plain_product(&layer->qkv, plain.x[i], plain.qkv[i]);
    }
    for (size_t i = 0; i < plain.rows; i++) {
        double *x = plain.x[i];
        for (size_t head = 0; head < SMALL_ENCODER_HEADS; head++) {
            plain_head(head, i, mixed);
        }
        plain_product(&layer->out, mixed, y);
        for (size_t c = 0; c < WIDTH; c++) {
            x[c] += y[c];
        }
        plain_norm(&layer->attention_norm, x);
        plain_product(&layer->inner, x, inner);
        for (size_t c = 0; c < INNER; c++) {
            inner[c] = inner[c] / 2 * (1 + erf(inner[c] / sqrt(2)));
        }
        plain_product(&layer->outer, inner, y);
        for (size_t c = 0; c < WIDTH; c++) {
            x[c] += y[c];
        }
        plain_norm(&layer->norm, x);
    }
}

/* --- passages -------------------------------------------------------------------------------- */

static uint16_t flags_of(const struct sotto_ner_token *token)
{
    return token->kind == SOTTO_NER_WORD ? (uint16_t)(token->hash >> 16) : 0;
}

/* Reads as much of the text as fits, by the loops above. */
static void plain_read(const struct sotto_ner_encoder_model *m, sotto_span text)
{
    struct sotto_ner_cursor cursor = {.text = text, .space = true};
    struct sotto_ner_token token;
    uint16_t ids[SOTTO_NER_TOKEN_PIECES];

    plain.rows = plain.tokens = 0;
    plain_piece(m, 2);
    while (sotto_ner_next(&cursor, &token)) {
        sotto_span bytes = sotto_span_sub(text, token.start, token.end);
        size_t n = sotto_ner_pieces(&m->vocabulary, bytes, token.kind, ids);
        if (plain.rows + n > ROWS - 1) {
            break;
        }
        double *x = plain.x[plain.rows];
        plain.first[plain.tokens++] = plain.rows;
        for (size_t i = 0; i < n; i++) {
            plain_piece(m, ids[i]);
        }
        for (size_t c = 0; c < WIDTH; c++) {
            x[c] += (double)m->shapes[(size_t)token.shape * WIDTH + c];
            for (unsigned bit = 0; bit < 16; bit++) {
                x[c] += (flags_of(&token) >> bit & 1) * (double)m->flags[(size_t)bit * WIDTH + c];
            }
        }
    }
    plain_piece(m, 3);
    for (size_t i = 0; i < plain.rows; i++) {
        plain_norm(&m->norm, plain.x[i]);
    }
    for (size_t i = 0; i < m->layer_count; i++) {
        plain_layer(&m->layers[i]);
    }
}

static void begin(struct sotto_ner_reading *r, sotto_span text)
{
    struct sotto_ner_cursor cursor = {.text = text, .space = true};
    struct sotto_ner_token token;

    sotto_ner_reading_begin(r);
    while (sotto_ner_next(&cursor, &token) &&
           sotto_ner_reading_add(r, text, token.start, token.end, token.kind, token.shape,
                                 flags_of(&token))) {
    }
}

static int32_t logits[2][SOTTO_NER_PIECES][SOTTO_NER_HEAD];

static void take(const struct sotto_ner_reading *r, size_t which)
{
    memset(logits[which], 0, sizeof(logits[which]));
    for (size_t i = 0; i < sotto_ner_reading_count(r); i++) {
        sotto_ner_reading_logits(r, i, logits[which][i]);
    }
}

static const char *const texts[] = {
    "Dear Okafor,",
    "a",
    "\xc3\x89lodie, 1234 Elm. \n\nABAB abcbcd 5655 zzz. dearly Dear the 12 - 10",
    "abab abc dear abcdea Okafor, aaaaaaaaaaaa ab. abcbcd elm the the the 12 1234 56 - . , a e eee "
    "abab abc dear abcdea Okafor, aaaaaaaaaaaa ab. abcbcd elm the the the 12 1234 56 - . , a e eee "
    "abab abc dear abcdea Okafor, aaaaaaaaaaaa ab. abcbcd elm the the the 12 1234 56 - . , a e eee",
};

static struct sotto_ner_encoder *open_encoder(const struct small_encoder *e, const char *kernels)
{
    struct sotto_ner_encoder *encoder = NULL;

    if (sotto_ner_encoder_open(sotto_span_init(e->base, e->len), false, kernels, &encoder) !=
        SOTTO_OK) {
        abort();
    }
    return encoder;
}

static struct sotto_ner_reading *new_reading(const struct sotto_ner_encoder *encoder)
{
    struct sotto_ner_reading *r = NULL;

    if (sotto_ner_reading_new(encoder, &r) != SOTTO_OK) {
        abort();
    }
    return r;
}

/* --- tests ----------------------------------------------------------------------------------- */

static void test_against_plain(const struct small_encoder *e, sotto_span text)
{
    struct sotto_ner_encoder *encoder = open_encoder(e, NULL);
    const struct sotto_ner_encoder_model *m = sotto_ner_encoder_model(encoder);
    struct sotto_ner_reading *r = new_reading(encoder);
    double worst = 0, most = 0, y[SOTTO_NER_HEAD] = {0};

    begin(r, text);
    OK(sotto_ner_reading_run(r, SIZE_MAX), "all at once");
    take(r, 0);
    plain_read(m, text);
    IS_SIZE(sotto_ner_reading_count(r), plain.tokens, "tokens of a passage");
    for (size_t i = 0; i < plain.tokens; i++) {
        plain_product(&m->head, plain.x[plain.first[i]], y);
        for (size_t c = 0; c < SOTTO_NER_TAGS; c++) {
            worst = fmax(worst, fabs(logits[0][i][c] - y[c] * 256));
            most = fmax(most, fabs(y[c] * 256));
        }
        for (size_t c = SOTTO_NER_TAGS; c < SOTTO_NER_HEAD; c++) {
            worst = logits[0][i][c] != 0 ? INFINITY : worst;
        }
    }
    OK(worst < 2 && most > 100, "%zu tokens as in double precision, off by %.2f/256 of %.0f/256",
       plain.tokens, worst, most);
    sotto_ner_reading_free(r);
    sotto_ner_encoder_free(encoder);
}

static void test_steps(struct sotto_ner_reading *r, sotto_span text)
{
    static const size_t budgets[] = {1, 70000, 500000, SOTTO_NER_STEP_MACS};

    begin(r, text);
    while (!sotto_ner_reading_step(r)) {
    }
    take(r, 0);
    for (size_t b = 0; b < SOTTO_COUNT(budgets); b++) {
        begin(r, text);
        while (!sotto_ner_reading_run(r, budgets[b])) {
        }
        take(r, 1);
        OK(memcmp(logits[0], logits[1], sizeof(logits[0])) == 0, "the same in steps of %zu",
           budgets[b]);
    }
}

static void test_kernels(const struct small_encoder *e, sotto_span text)
{
    struct sotto_ner_encoder *reference = open_encoder(e, "reference");
    struct sotto_ner_reading *r = new_reading(reference);

    begin(r, text);
    OK(sotto_ner_reading_run(r, SIZE_MAX), "read by the reference");
    take(r, 0);
    sotto_ner_reading_free(r);
    sotto_ner_encoder_free(reference);
    for (size_t i = 1; sotto_ner_encoder_kernels_all[i] != NULL; i++) {
        const char *name = sotto_ner_encoder_kernels_all[i]->name;
        if (!sotto_ner_encoder_kernels_all[i]->usable()) {
            SKIP(1, name);
            continue;
        }
        struct sotto_ner_encoder *encoder = open_encoder(e, name);
        r = new_reading(encoder);
        begin(r, text);
        bool done = sotto_ner_reading_run(r, SIZE_MAX);
        take(r, 1);
        OK(done && memcmp(logits[0], logits[1], sizeof(logits[0])) == 0, "the same numbers by %s",
           sotto_ner_encoder_kernels(encoder));
        sotto_ner_reading_free(r);
        sotto_ner_encoder_free(encoder);
    }
}

/* The numbers of the last two texts, as every compiler and processor must find them. */
static void test_golden(const struct sotto_ner_encoder *encoder)
{
    struct sotto_ner_reading *r = new_reading(encoder);
    uint32_t h = 0x811c9dc5U;

    for (size_t n = 2; n < SOTTO_COUNT(texts); n++) {
        begin(r, sotto_span_str(texts[n]));
        sotto_ner_reading_run(r, SIZE_MAX);
        take(r, 0);
        for (size_t i = 0; i < sotto_ner_reading_count(r); i++) {
            for (size_t c = 0; c < SOTTO_NER_TAGS; c++) {
                h = (h ^ (uint32_t)logits[0][i][c]) * 0x01000193U;
            }
        }
    }
    IS_INT(h, 824158448, "the numbers that were found when this was written");
    sotto_ner_reading_free(r);
}

/* What was read or left before does not show. */
static void test_again(const struct sotto_ner_encoder *encoder)
{
    struct sotto_ner_reading *r = new_reading(encoder);
    sotto_span text = sotto_span_str(texts[2]);

    begin(r, text);
    sotto_ner_reading_run(r, SIZE_MAX);
    take(r, 0);
    begin(r, sotto_span_str(texts[3]));
    sotto_ner_reading_run(r, SIZE_MAX);
    begin(r, text);
    sotto_ner_reading_run(r, SIZE_MAX);
    take(r, 1);
    OK(memcmp(logits[0], logits[1], sizeof(logits[0])) == 0, "after a longer passage");
    begin(r, sotto_span_str(texts[3]));
    sotto_ner_reading_run(r, 3000000);
    begin(r, text);
    sotto_ner_reading_run(r, SIZE_MAX);
    take(r, 1);
    OK(memcmp(logits[0], logits[1], sizeof(logits[0])) == 0, "after one left in the middle");
    sotto_ner_reading_free(r);
}

static void test_room(const struct sotto_ner_encoder *encoder)
{
    struct sotto_ner_reading *r = new_reading(encoder);
    sotto_span eight = SOTTO_LIT("eeeeeeeee"), one = SOTTO_LIT("a");
    size_t n = 0;

    OK(sotto_ner_reading_step(r) && sotto_ner_reading_count(r) == 0,
       "a passage of no tokens is read at once");
    OK(!sotto_ner_reading_add(r, one, 0, 1, SOTTO_NER_WORD, 0, 0), "and takes none any more");
    sotto_ner_reading_begin(r);
    while (sotto_ner_reading_add(r, eight, 0, 9, SOTTO_NER_WORD, 0, 0)) {
        n++;
    }
    IS_SIZE(n, SOTTO_NER_PIECES / 8, "tokens of eight pieces");
    for (n = 0; sotto_ner_reading_add(r, one, 0, 1, SOTTO_NER_WORD, 255, 0xffff); n++) {
    }
    IS_SIZE(n, SOTTO_NER_PIECES % 8, "a shorter one still fits");
    IS_SIZE(sotto_ner_reading_count(r), SOTTO_NER_PIECES / 8 + SOTTO_NER_PIECES % 8, "counted");
    OK(!sotto_ner_reading_run(r, 1), "begun");
    OK(!sotto_ner_reading_add(r, one, 0, 1, SOTTO_NER_WORD, 0, 0), "no token once it has begun");
    OK(sotto_ner_reading_run(r, SIZE_MAX) && sotto_ner_reading_run(r, 1), "read, and stays so");
    sotto_ner_reading_free(r);
    sotto_ner_reading_begin(r = new_reading(encoder));
    for (n = 0; sotto_ner_reading_add(r, one, 0, 1, SOTTO_NER_WORD, 0, 0); n++) {
    }
    IS_SIZE(n, SOTTO_NER_PIECES, "as many tokens as pieces");
    OK(sotto_ner_reading_run(r, SIZE_MAX), "read");
    sotto_ner_reading_free(r);
}

/* A reading is as new, to the last byte, when the next passage begins. */
static void test_forgetting(const struct sotto_ner_encoder *encoder, sotto_span text)
{
    struct sotto_ner_reading *r = new_reading(encoder);
    size_t size = malloc_usable_size(r);
    void *fresh = malloc(size);

    sotto_ner_reading_begin(r);
    memcpy(fresh, r, size);
    for (size_t macs = 0; macs < 3; macs++) {
        begin(r, text);
        for (size_t i = 0; macs == 2 ? !sotto_ner_reading_step(r) : i < macs * 9; i++) {
            (void)sotto_ner_reading_run(r, 0);
        }
        bool equal = memcmp(r, fresh, size) == 0;
        sotto_ner_reading_begin(r);
        OK(!equal && memcmp(r, fresh, size) == 0, "nothing is left of a passage: %zu", macs);
    }
    free(fresh);
    sotto_ner_reading_free(r);
}

static void test_failures(const struct small_encoder *e)
{
    struct sotto_ner_encoder *encoder = NULL;
    struct sotto_ner_reading *r = NULL;
    sotto_span file = sotto_span_init(e->base, e->len);

    IS_INT(sotto_ner_encoder_open(file, false, "abacus", &encoder), SOTTO_EINVAL,
           "no such kernels");
    IS_INT(sotto_ner_encoder_open(sotto_span_sub(file, 0, e->len - 64), true, NULL, &encoder),
           SOTTO_EFORMAT, "a short file");
    sotto_alloc_set_fault(1);
    IS_INT(sotto_ner_encoder_open(file, true, NULL, &encoder), SOTTO_ENOMEM, "no memory to open");
    OK(encoder == NULL, "no encoder on failure");
    sotto_alloc_set_fault(0);
    encoder = open_encoder(e, NULL);
    sotto_alloc_set_fault(1);
    IS_INT(sotto_ner_reading_new(encoder, &r), SOTTO_ENOMEM, "no memory to read");
    OK(r == NULL, "no reading on failure");
    sotto_alloc_set_fault(0);
    sotto_ner_reading_free(NULL);
    sotto_ner_encoder_free(encoder);
    sotto_ner_encoder_free(NULL);
}

/* Numbers at their limits: no number that comes out is beyond its limit, and no kernel differs. */
static void test_wild(struct small_encoder e)
{
    for (size_t at = e.row_scale_at; at < e.len; at += sizeof(float)) {
        float x;
        memcpy(&x, e.base + at, sizeof(x));
        bool matrix = at >= e.qkv_at; /* where most is no number, but some sections are */
        if (!matrix && x != 0) {
            x = x < 0 ? -1e6F : 1e6F;
            memcpy(e.base + at, &x, sizeof(x));
        }
    }
    small_encoder_seal(e.base, e.len);
    test_kernels(&e, sotto_span_str(texts[2]));
    int32_t top = 0;
    for (size_t i = 0; i < SOTTO_NER_PIECES; i++) {
        for (size_t c = 0; c < SOTTO_NER_TAGS; c++) {
            top = abs(logits[0][i][c]) > top ? abs(logits[0][i][c]) : top;
        }
    }
    OK(top > 0 && top <= SOTTO_NER_LOGIT_MAX, "what comes out keeps its limits");
}

int main(void)
{
    struct small_encoder e = small_encoder_new(5);

    for (size_t i = 0; i < SOTTO_COUNT(texts); i++) {
        test_against_plain(&e, sotto_span_str(texts[i]));
        test_kernels(&e, sotto_span_str(texts[i]));
    }
    struct sotto_ner_encoder *encoder = open_encoder(&e, NULL);
    struct sotto_ner_reading *r = new_reading(encoder);
    test_steps(r, sotto_span_str(texts[2]));
    test_steps(r, sotto_span_str(texts[3]));
    sotto_ner_reading_free(r);
    test_golden(encoder);
    test_again(encoder);
    test_room(encoder);
    test_forgetting(encoder, sotto_span_str(texts[2]));
    sotto_ner_encoder_free(encoder);
    test_failures(&e);
    test_wild(e);
    free(e.base);
    return done_testing();
}
