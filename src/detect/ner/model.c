/* SPDX-License-Identifier: Apache-2.0 */

#include "detect/ner/model.h"

#include "crypto/hash.h"
#include "detect/ner/hash_index.h"

#define MODEL_MAGIC       "SOTTONER"
#define MODEL_VERSION     1
#define MODEL_ALIGN       64
#define MODEL_INDEX_COUNT 65537

/* Limits that keep every size far from overflow; a real model is a hundredth of them. */
#define MODEL_TABLE_BITS_MAX 20
#define MODEL_LEXICON_MAX    (1U << 23)
#define MODEL_CLUSTERS_MAX   (1U << 16)
#define MODEL_BIAS_MAX       (1 << 26)
#define MODEL_LEAN_MAX       (1 << 16)

/*
 * The header, little-endian as the machines we run on; a file for another order is refused by its
 * version.  Offsets of the sections are not stored: they follow one another, each on the next
 * multiple of MODEL_ALIGN, in the order in which open_sections() takes them.
 */
struct model_header {
    char magic[8];
    uint32_t version;
    uint32_t width;
    uint64_t file_size;
    uint8_t checksum[32]; /* SHA-256 of everything behind the header and of its fields below */
    uint32_t layer_count;
    uint32_t tag_count;
    uint32_t word_bits;
    uint32_t gram_bits;
    uint32_t shape_count;
    uint32_t flag_count;
    uint32_t cluster_count;
    uint32_t lexicon_count;
    uint8_t dilation[SOTTO_NER_LAYERS_MAX];
    uint8_t reserved[24];
};

_Static_assert(sizeof(struct model_header) == SOTTO_NER_HEADER_BYTES, "the format says so");

/* Takes sections from the file one after another; `failed` is sticky. */
struct model_sections {
    sotto_span file;
    size_t at;
    bool failed;
};

static const void *take(struct model_sections *s, size_t count, size_t size)
{
    size_t len = count * size; /* the limits above keep this small */

    if (s->failed || s->at > s->file.len || len > s->file.len - s->at) {
        s->failed = true;
        return NULL;
    }
    const uint8_t *p = s->file.base + s->at;
    s->at += len;
    size_t pad = (MODEL_ALIGN - len % MODEL_ALIGN) % MODEL_ALIGN;
    s->failed = pad > s->file.len - s->at;
    s->at += pad;
    return p;
}

static bool header_is_sane(const struct model_header *h, size_t len)
{
    if (memcmp(h->magic, MODEL_MAGIC, sizeof(h->magic)) != 0 || h->version != MODEL_VERSION ||
        h->file_size != len || h->width != SOTTO_NER_WIDTH || h->tag_count != SOTTO_NER_TAGS ||
        h->shape_count != SOTTO_NER_SHAPES || h->flag_count != SOTTO_NER_FLAGS) {
        return false;
    }
    return h->layer_count >= 1 && h->layer_count <= SOTTO_NER_LAYERS_MAX && h->word_bits >= 1 &&
           h->word_bits <= MODEL_TABLE_BITS_MAX && h->gram_bits >= 1 &&
           h->gram_bits <= MODEL_TABLE_BITS_MAX && h->cluster_count >= 1 &&
           h->cluster_count <= MODEL_CLUSTERS_MAX && h->lexicon_count <= MODEL_LEXICON_MAX;
}

static bool set_dilations(const struct model_header *h, struct sotto_ner_model *m)
{
    m->layer_count = h->layer_count;
    m->reach = 0;
    for (size_t i = 0; i < h->layer_count; i++) {
        if (h->dilation[i] < 1 || h->dilation[i] > SOTTO_NER_REACH_MAX) {
            return false;
        }
        m->dilation[i] = h->dilation[i];
        m->reach += h->dilation[i];
    }
    return m->reach <= SOTTO_NER_REACH_MAX;
}

static void take_matrix(struct model_sections *s, size_t inputs, size_t outputs,
                        struct sotto_ner_matrix *out)
{
    out->weights = take(s, inputs * outputs, 1);
    out->bias = take(s, outputs, sizeof(*out->bias));
    out->shift = take(s, outputs, sizeof(*out->shift));
}

static bool matrix_is_sane(const struct sotto_ner_matrix *m, size_t inputs, size_t outputs)
{
    for (size_t i = 0; i < inputs * outputs; i++) {
        if (m->weights[i] < -SOTTO_NER_WEIGHT_MAX || m->weights[i] > SOTTO_NER_WEIGHT_MAX) {
            return false;
        }
    }
    for (size_t i = 0; i < outputs; i++) {
        if (m->shift[i] < 1 || m->shift[i] > 15 || m->bias[i] < -MODEL_BIAS_MAX ||
            m->bias[i] > MODEL_BIAS_MAX) {
            return false;
        }
    }
    return true;
}

static bool lexicon_is_sane(const struct sotto_ner_model *m)
{
    if (m->lexicon_index[0] != 0 || m->lexicon_index[MODEL_INDEX_COUNT - 1] != m->lexicon_count) {
        return false;
    }
    for (size_t i = 1; i < MODEL_INDEX_COUNT; i++) {
        if (m->lexicon_index[i] < m->lexicon_index[i - 1]) {
            return false;
        }
    }
    for (size_t i = 0; i < m->lexicon_count; i++) {
        if (m->lexicon_cluster[i] >= m->cluster_count) {
            return false;
        }
    }
    return true;
}

static void take_sections(struct model_sections *s, const struct model_header *h,
                          struct sotto_ner_model *m)
{
    m->word_mask = (1U << h->word_bits) - 1;
    m->gram_mask = (1U << h->gram_bits) - 1;
    m->cluster_count = h->cluster_count;
    m->lexicon_count = h->lexicon_count;
    m->word = take(s, (size_t)m->word_mask + 1, SOTTO_NER_WIDTH);
    m->gram = take(s, (size_t)m->gram_mask + 1, SOTTO_NER_WIDTH);
    m->shape = take(s, SOTTO_NER_SHAPES, SOTTO_NER_WIDTH);
    m->flag = take(s, SOTTO_NER_FLAGS, SOTTO_NER_WIDTH);
    m->cluster = take(s, h->cluster_count, SOTTO_NER_WIDTH);
    for (size_t i = 0; i < m->layer_count; i++) {
        take_matrix(s, (size_t)SOTTO_NER_TAPS * SOTTO_NER_WIDTH, SOTTO_NER_WIDTH, &m->layer[i]);
    }
    take_matrix(s, SOTTO_NER_WIDTH, SOTTO_NER_HEAD, &m->head);
    m->lean = take(s, 16, sizeof(*m->lean));
    m->lexicon_index = take(s, MODEL_INDEX_COUNT, sizeof(*m->lexicon_index));
    m->lexicon_hash = take(s, h->lexicon_count, sizeof(*m->lexicon_hash));
    m->lexicon_flags = take(s, h->lexicon_count, sizeof(*m->lexicon_flags));
    m->lexicon_cluster = take(s, h->lexicon_count, sizeof(*m->lexicon_cluster));
}

static bool contents_are_sane(const struct sotto_ner_model *m)
{
    for (size_t i = 0; i < m->layer_count; i++) {
        if (!matrix_is_sane(&m->layer[i], (size_t)SOTTO_NER_TAPS * SOTTO_NER_WIDTH,
                            SOTTO_NER_WIDTH)) {
            return false;
        }
    }
    for (size_t i = 0; i < 16; i++) { /* keeps the sums of decoding far from overflow */
        if (m->lean[i] < -MODEL_LEAN_MAX || m->lean[i] > MODEL_LEAN_MAX) {
            return false;
        }
    }
    return matrix_is_sane(&m->head, SOTTO_NER_WIDTH, SOTTO_NER_HEAD) && lexicon_is_sane(m);
}

static enum sotto_err check_sum(sotto_span file, const struct model_header *h)
{
    uint8_t sum[SOTTO_SHA256_BYTES];
    enum sotto_err err =
        sotto_sha256(sotto_span_skip(file, offsetof(struct model_header, layer_count)), sum);
    if (err != SOTTO_OK) {
        return err;
    }
    return memcmp(sum, h->checksum, sizeof(sum)) == 0 ? SOTTO_OK : SOTTO_EFORMAT; /* public */
}

enum sotto_err sotto_ner_model_open(sotto_span file, bool trusted, struct sotto_ner_model *out)
{
    struct model_header h;
    struct sotto_ner_model m = {0};

    if (file.len < sizeof(h) || (uintptr_t)file.base % MODEL_ALIGN != 0) {
        return SOTTO_EFORMAT;
    }
    memcpy(&h, file.base, sizeof(h));
    if (!header_is_sane(&h, file.len) || !set_dilations(&h, &m)) {
        return SOTTO_EFORMAT;
    }
    enum sotto_err err = trusted ? SOTTO_OK : check_sum(file, &h);
    if (err != SOTTO_OK) {
        return err;
    }
    struct model_sections s = {.file = file, .at = sizeof(h)};
    take_sections(&s, &h, &m);
    if (s.failed || s.at != file.len || !contents_are_sane(&m)) {
        return SOTTO_EFORMAT;
    }
    *out = m;
    return SOTTO_OK;
}

uint32_t sotto_ner_model_lookup(const struct sotto_ner_model *m, uint32_t hash, uint32_t *cluster)
{
    uint32_t at = sotto_ner_hash_find(m->lexicon_index, m->lexicon_hash, m->lexicon_count, hash);
    if (at == m->lexicon_count) {
        *cluster = 0;
        return 0;
    }
    *cluster = m->lexicon_cluster[at];
    return m->lexicon_flags[at];
}
