/* SPDX-License-Identifier: Apache-2.0 */

#include "small_model.h"
#include "tap/tap.h"

#include "detect/ner/model.h"

static enum sotto_err open_bytes(const uint8_t *base, size_t len, bool trusted)
{
    struct sotto_ner_model m, before;

    memset(&m, 0x5a, sizeof(m));
    before = m;
    enum sotto_err err = sotto_ner_model_open(sotto_span_init(base, len), trusted, &m);
    if (err != SOTTO_OK && memcmp(&m, &before, sizeof(m)) != 0) {
        return SOTTO_ESTATE; /* written to on failure */
    }
    return err;
}

static void test_valid(const struct small_model *m)
{
    struct sotto_ner_model model;
    uint32_t cluster = 9;

    IS_INT(sotto_ner_model_open(sotto_span_init(m->base, m->len), false, &model), SOTTO_OK,
           "a valid file opens");
    IS_INT(model.layer_count, SMALL_LAYERS, "layers");
    IS_INT(model.reach, 3, "reach is the sum of the dilations");
    IS_INT(sotto_ner_model_lookup(&model, 0x8000ffff, &cluster), 0x8000, "a word's flags");
    IS_INT(cluster, 1, "a word's cluster");
    IS_INT(sotto_ner_model_lookup(&model, 0x8000fffe, &cluster), 0, "a word that stands nowhere");
    IS_INT(sotto_ner_model_lookup(&model, 0xffffffff, &cluster), 0, "the last hash");
    IS_INT(cluster, 0, "no cluster");
    IS_INT(open_bytes(m->base + 4, m->len - 4, true), SOTTO_EFORMAT, "not aligned");
}

/* The size in the header follows, so that the sections are what must notice. */
static void test_every_truncation(const struct small_model *m)
{
    size_t bad = 0;

    for (size_t len = 0; len < m->len; len++) {
        uint64_t size = len, old;
        memcpy(&old, m->base + SMALL_AT_SIZE, sizeof(old));
        memcpy(m->base + SMALL_AT_SIZE, &size, sizeof(size));
        bad += open_bytes(m->base, len, true) != SOTTO_EFORMAT;
        memcpy(m->base + SMALL_AT_SIZE, &old, sizeof(old));
        bad += open_bytes(m->base, len, true) != SOTTO_EFORMAT;
    }
    IS_SIZE(bad, 0, "truncated at every length: refused");
}

/* On the heap at its exact size, so that a sanitizer sees a read behind the end. */
static void test_exact_copies(const struct small_model *m)
{
    size_t bad = 0;

    for (size_t len = 64; len < m->len; len += (size_t)64 * 61) {
        uint64_t size = len;
        uint8_t *copy = aligned_alloc(64, len);
        if (copy == NULL) {
            abort();
        }
        memcpy(copy, m->base, len);
        memcpy(copy + SMALL_AT_SIZE, &size, len >= SMALL_AT_SUM ? sizeof(size) : 0);
        bad += open_bytes(copy, len, true) != SOTTO_EFORMAT;
        free(copy);
    }
    IS_SIZE(bad, 0, "truncated copies are refused without a read behind them");
}

static void test_bit_flips(const struct small_model *m)
{
    size_t bad = 0, tried = 0;

    for (size_t bit = 0; bit < m->len * 8; bit += bit < SMALL_AT_BODY * 8 ? 1 : 24001) {
        m->base[bit / 8] ^= (uint8_t)(1U << bit % 8);
        bad += open_bytes(m->base, m->len, false) != SOTTO_EFORMAT;
        m->base[bit / 8] ^= (uint8_t)(1U << bit % 8);
        tried++;
    }
    IS_SIZE(bad, 0, "a flipped bit is noticed, %zu tried", tried);
}

/* Without the checksum a flipped bit in the header or the index is refused or harmless. */
static void test_trusted_flips(const struct small_model *m)
{
    size_t opened = 0;

    for (size_t bit = SMALL_AT_BODY * 8; bit < m->len * 8; bit++) {
        if (bit == (size_t)SOTTO_NER_HEADER_BYTES * 8) {
            bit = m->index_at * 8;
        }
        if (bit > m->index_at * 8 + 4096 && bit < (m->len - 512) * 8) {
            bit = (m->len - 512) * 8;
        }
        struct sotto_ner_model model;
        m->base[bit / 8] ^= (uint8_t)(1U << bit % 8);
        if (sotto_ner_model_open(sotto_span_init(m->base, m->len), true, &model) == SOTTO_OK) {
            opened++;
            for (uint32_t h = 0; h < 1000; h++) {
                uint32_t cluster;
                (void)sotto_ner_model_lookup(&model, h * 0x00418937U, &cluster);
            }
        }
        m->base[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
    OK(opened > 0, "flips that pass the checks are harmless, %zu of them", opened);
}

/* Each of these fields has a value that would lead out of the file or out of a table. */
static void test_fields(const struct small_model *m)
{
    static const struct {
        const char *name;
        size_t at;
        uint32_t value;
    } cases[] = {
        {"version", 8, 2},           {"width", 12, 64},         {"no layers", 56, 0},
        {"many layers", 56, 9},      {"tags", 60, 54},          {"word bits", 64, 21},
        {"no word bits", 64, 0},     {"gram bits", 68, 32},     {"shapes", 72, 255},
        {"flags", 76, 17},           {"no clusters", 80, 0},    {"clusters", 80, 1U << 17},
        {"lexicon", 84, UINT32_MAX}, {"lexicon by one", 84, 4}, {"dilation 0", 88, 0},
        {"dilation 17", 88, 17},     {"reach", 88, 0x1010},
    };

    for (size_t i = 0; i < SOTTO_COUNT(cases); i++) {
        uint32_t old;
        memcpy(&old, m->base + cases[i].at, sizeof(old));
        memcpy(m->base + cases[i].at, &cases[i].value, sizeof(old));
        IS_INT(open_bytes(m->base, m->len, true), SOTTO_EFORMAT, "refused: %s", cases[i].name);
        memcpy(m->base + cases[i].at, &old, sizeof(old));
    }
}

int main(void)
{
    struct small_model m = small_model_new(7);

    test_valid(&m);
    test_every_truncation(&m);
    test_exact_copies(&m);
    test_bit_flips(&m);
    test_trusted_flips(&m);
    test_fields(&m);
    test_valid(&m);
    free(m.base);
    return done_testing();
}
