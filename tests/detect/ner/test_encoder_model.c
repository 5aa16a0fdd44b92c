/* SPDX-License-Identifier: Apache-2.0 */

#include <math.h>

#include "small_encoder.h"
#include "tap/tap.h"

#include "base/alloc.h"

static bool same_bytes(const void *a, const void *b, size_t n)
{
    return memcmp(a, b, n) == 0;
}

static enum sotto_err open_bytes(const uint8_t *base, size_t len, bool trusted)
{
    static struct sotto_ner_encoder_model m, before;

    memset(&m, 0x5a, sizeof(m));
    before = m;
    enum sotto_err err = sotto_ner_encoder_model_open(sotto_span_init(base, len), trusted, &m);
    if (err != SOTTO_OK && !same_bytes(&m, &before, sizeof(m))) {
        return SOTTO_ESTATE; /* written to on failure */
    }
    return err;
}

static void test_valid(const struct small_encoder *e)
{
    struct sotto_ner_encoder_model m;

    IS_INT(sotto_ner_encoder_model_open(sotto_span_init(e->base, e->len), false, &m), SOTTO_OK,
           "a valid file opens");
    IS_INT(m.width, SMALL_ENCODER_WIDTH, "width");
    IS_INT(m.layer_count, SMALL_ENCODER_LAYERS, "layers");
    IS_INT(m.head_size, SMALL_ENCODER_WIDTH / SMALL_ENCODER_HEADS, "size of a head");
    IS_INT(m.vocabulary.count, SMALL_ENCODER_PIECES, "pieces");
    IS_INT(m.unsure_from, 120, "unsure from");
    IS_INT(m.unsure_to, 880, "unsure to");
    OK(m.layers[0].qkv.weights == (const int8_t *)e->base + e->qkv_at &&
           m.layers[0].qkv.outputs == 3 * m.width,
       "the first matrix lies where it should");
    OK(m.head.weights == (const int8_t *)e->base + e->head_at && m.head.outputs == SOTTO_NER_HEAD,
       "and the last");
    IS_INT(open_bytes(e->base + 4, e->len - 4, true), SOTTO_EFORMAT, "not aligned");
}

/* The size in the header follows, so that the sections are what must notice. */
static void test_every_truncation(const struct small_encoder *e)
{
    size_t bad = 0;

    for (size_t len = 0; len < e->len; len += len < 1024 ? 1 : 61) {
        uint64_t size = len, old;
        memcpy(&old, e->base + SMALL_ENCODER_AT_SIZE, sizeof(old));
        memcpy(e->base + SMALL_ENCODER_AT_SIZE, &size, sizeof(size));
        bad += open_bytes(e->base, len, true) != SOTTO_EFORMAT;
        memcpy(e->base + SMALL_ENCODER_AT_SIZE, &old, sizeof(old));
        bad += open_bytes(e->base, len, true) != SOTTO_EFORMAT;
    }
    IS_SIZE(bad, 0, "truncated: refused");
    uint64_t size = e->len + 64;
    memcpy(e->base + SMALL_ENCODER_AT_SIZE, &size, sizeof(size));
    IS_INT(open_bytes(e->base, e->len + 64, true), SOTTO_EFORMAT, "longer: refused");
    small_encoder_seal(e->base, e->len);
}

/* On the heap at its exact size, so that a sanitizer sees a read behind the end. */
static void test_exact_copies(const struct small_encoder *e)
{
    size_t bad = 0;

    for (size_t len = 64; len < e->len; len += (size_t)64 * 61) {
        uint64_t size = len;
        uint8_t *copy = aligned_alloc(64, len);
        if (copy == NULL) {
            abort();
        }
        memcpy(copy, e->base, len);
        memcpy(copy + SMALL_ENCODER_AT_SIZE, &size, sizeof(size));
        bad += open_bytes(copy, len, true) != SOTTO_EFORMAT;
        free(copy);
    }
    IS_SIZE(bad, 0, "truncated copies are refused without a read behind them");
}

static void test_bit_flips(const struct small_encoder *e)
{
    size_t bad = 0, tried = 0;

    for (size_t bit = 0; bit < e->len * 8; bit += bit < SMALL_ENCODER_AT_BODY * 8 ? 1 : 24001) {
        e->base[bit / 8] ^= (uint8_t)(1U << bit % 8);
        bad += open_bytes(e->base, e->len, false) != SOTTO_EFORMAT;
        e->base[bit / 8] ^= (uint8_t)(1U << bit % 8);
        tried++;
    }
    IS_SIZE(bad, 0, "a flipped bit is noticed, %zu tried", tried);
}

static void is_refused(const struct small_encoder *e, size_t at, const void *value, size_t n,
                       const char *why)
{
    uint8_t old[8];

    memcpy(old, e->base + at, n);
    memcpy(e->base + at, value, n);
    IS_INT(open_bytes(e->base, e->len, true), SOTTO_EFORMAT, "refused: %s", why);
    memcpy(e->base + at, old, n);
}

/* Without the checksum every bit of header, index, hashes and matrices' sums counts by itself. */
static void test_header(const struct small_encoder *e)
{
    static const struct {
        const char *name;
        size_t at;
        uint32_t value;
    } cases[] = {
        {"magic", 0, 0},
        {"version", 8, 2},
        {"width 0", 12, 0},
        {"width no multiple", 12, 96},
        {"another width", 12, 128},
        {"large width", 12, 576},
        {"huge width", 12, 0x80000000U},
        {"no layers", 56, 0},
        {"another layer", 56, 3},
        {"many layers", 56, 13},
        {"tags", 60, 54},
        {"no heads", 64, 0},
        {"heads too large", 64, 3},
        {"heads too small", 64, 4},
        {"heads that overflow", 64, 0x08000002U},
        {"inner 0", 68, 0},
        {"inner no multiple", 68, 100},
        {"another inner", 68, 192},
        {"large inner", 68, 2112},
        {"positions", 72, 127},
        {"few rows", 76, 4},
        {"another row", 76, SMALL_ENCODER_ROWS + 1},
        {"many rows", 76, 65537},
        {"a piece more", 80, SMALL_ENCODER_PIECES + 1},
        {"a piece less", 80, SMALL_ENCODER_PIECES - 1},
        {"more pieces than rows", 80, SMALL_ENCODER_ROWS + 1},
        {"unsure from", 84, 1001},
        {"unsure to", 88, 1001},
        {"reserved", 92, 1},
        {"reserved at the end", 124, 0x01000000U},
    };

    for (size_t i = 0; i < SOTTO_COUNT(cases); i++) {
        is_refused(e, cases[i].at, &cases[i].value, sizeof(cases[i].value), cases[i].name);
    }
}

static void test_vocabulary(const struct small_encoder *e)
{
    const uint32_t one = 1, many = SMALL_ENCODER_PIECES + 1, zero = 0, top = UINT32_MAX;
    const uint16_t beyond = SMALL_ENCODER_ROWS;
    uint32_t second;

    memcpy(&second, e->base + e->hash_at + 4, sizeof(second));
    is_refused(e, e->index_at, &one, sizeof(one), "the index begins late");
    is_refused(e, e->index_at + (size_t)4 * 65536, &many, sizeof(many), "the index ends late");
    is_refused(e, e->index_at + (size_t)4 * 65536, &zero, sizeof(zero), "the index ends early");
    is_refused(e, e->index_at + (size_t)4 * 30000, &top, sizeof(top),
               "an offset beyond the hashes");
    is_refused(e, e->index_at + (size_t)4 * 65537, &one, sizeof(one), "padding behind the index");
    is_refused(e, e->hash_at, &second, sizeof(second), "two hashes alike");
    is_refused(e, e->hash_at, &top, sizeof(top), "hashes that descend");
    is_refused(e, e->id_at, &beyond, sizeof(beyond), "a row that is not there");
}

static void test_numbers(const struct small_encoder *e)
{
    static const float bad[] = {NAN, -NAN, INFINITY, -INFINITY, 1.1e6F, -1.1e6F};
    const size_t width = SMALL_ENCODER_WIDTH, weights = width * 3 * width;
    const size_t places[] = {e->row_scale_at,
                             e->norm_at,
                             e->norm_at + 2 * width * 4 - 4,
                             e->qkv_at + weights,
                             e->qkv_at + weights + 3 * width * 4,
                             e->len - (size_t)3 * 64 * 4,
                             e->len - (size_t)64 * 4 - 4};

    for (size_t i = 0; i < SOTTO_COUNT(places); i++) {
        for (size_t n = 0; n < SOTTO_COUNT(bad); n++) {
            is_refused(e, places[i], &bad[n], sizeof(bad[n]), "a number that is none or too large");
        }
    }
}

static void test_weights(const struct small_encoder *e)
{
    static const int8_t bad[] = {64, -64, 127, -128};
    const size_t places[] = {e->qkv_at, e->qkv_at + (size_t)64 * 3 * 64 - 1, e->head_at + 4095};

    for (size_t i = 0; i < SOTTO_COUNT(places); i++) {
        for (size_t n = 0; n < SOTTO_COUNT(bad); n++) {
            is_refused(e, places[i], &bad[n], 1, "a weight that is too large");
        }
        int8_t other = (int8_t)e->base[places[i]];
        other = (int8_t)(other > 0 ? other - 1 : other + 1);
        is_refused(e, places[i], &other, 1, "a weight that is not in its sum");
    }
    uint32_t sum;
    memcpy(&sum, e->base + e->len - 4, sizeof(sum));
    sum ^= 1;
    is_refused(e, e->len - 4, &sum, sizeof(sum), "a sum that is not that of the weights");
}

static void test_memory(const struct small_encoder *e)
{
    size_t failed = 0;

    for (size_t n = 1; n < 100; n++) {
        sotto_alloc_set_fault(n);
        enum sotto_err err = open_bytes(e->base, e->len, false);
        failed += err == SOTTO_ENOMEM || err == SOTTO_ECRYPTO;
        if (err == SOTTO_ESTATE || err == SOTTO_EFORMAT) {
            failed = 1000;
        }
    }
    sotto_alloc_set_fault(0);
    OK(failed < 1000, "allocations that fail: %zu were noticed", failed);
}

int main(void)
{
    struct small_encoder e = small_encoder_new(7);

    test_valid(&e);
    test_every_truncation(&e);
    test_exact_copies(&e);
    test_bit_flips(&e);
    test_header(&e);
    test_vocabulary(&e);
    test_numbers(&e);
    test_weights(&e);
    test_memory(&e);
    test_valid(&e);
    free(e.base);
    return done_testing();
}
