/* SPDX-License-Identifier: Apache-2.0 */

#include "detect/ner/decode.h"

/* Values of path.closed: outside, an entity of one token, the end of a longer one. */
#define DECODE_OUTSIDE 0
#define DECODE_SINGLE  1
#define DECODE_END     (1 + SOTTO_NER_LABELS)

/* Keeps sums over SOTTO_NER_PATH_MAX tokens inside an int32 whatever the weights are. */
#define DECODE_LIMIT (1 << 20)
#define DECODE_NEVER (-(1 << 30))

/* Undecided tokens: at most this many are kept, and this many must follow a decided one. */
#define DECODE_KEEP  64
#define DECODE_AHEAD 8

/* Less than this in 1/1000 is no presence; a best tag so far below "outside" has less, all tags together. */
#define DECODE_FAINT 50
#define DECODE_FAR   (7 * 256)

/* Tags of a label, relative to its first. */
enum decode_part {
    DECODE_BEGIN_TAG,
    DECODE_INSIDE_TAG,
    DECODE_END_TAG,
    DECODE_SINGLE_TAG,
};

static void add_leans(const struct sotto_ner_model *m, int32_t *logits)
{
    for (size_t i = 0; i < SOTTO_NER_TAGS; i++) {
        int32_t x = logits[i];
        x = x < -DECODE_LIMIT ? -DECODE_LIMIT : x > DECODE_LIMIT ? DECODE_LIMIT : x;
        logits[i] = i == 0 ? x : x + m->lean[(i - 1) / 4];
    }
}

/* Sums of the best paths that end closed, and in an open entity of each label. */
struct decode_state {
    int32_t closed;
    int32_t open[SOTTO_NER_LABELS];
};

static void advance(struct decode_state *s, const int32_t *logits, uint8_t *how, uint16_t *stayed)
{
    int32_t best = s->closed + logits[0];

    *how = DECODE_OUTSIDE;
    *stayed = 0;
    for (size_t k = 0; k < SOTTO_NER_LABELS; k++) {
        const int32_t *tag = logits + 1 + 4 * k;
        int32_t single = s->closed + tag[DECODE_SINGLE_TAG];
        int32_t end = s->open[k] + tag[DECODE_END_TAG];
        int32_t stay = s->open[k] + tag[DECODE_INSIDE_TAG];
        int32_t begin = s->closed + tag[DECODE_BEGIN_TAG];
        if (single > best) {
            best = single;
            *how = (uint8_t)(DECODE_SINGLE + k);
        }
        if (end > best) {
            best = end;
            *how = (uint8_t)(DECODE_END + k);
        }
        *stayed |= (uint16_t)((stay > begin) << k);
        stay = stay > begin ? stay : begin;
        s->open[k] = stay > DECODE_NEVER ? stay : DECODE_NEVER;
    }
    s->closed = best;
}

/* exp(-d / 256) in 1/65536, exact to the bit on every machine. */
static uint32_t decay(uint32_t d)
{
    /* 65536 * exp(-2^b / 256) */
    static const uint32_t power[12] = {65280, 65026, 64520, 63520, 61565, 57835,
                                       51039, 39750, 24109, 8869,  1200,  22};
    uint32_t e = 65536;

    if (d >> 12 != 0) {
        return 0;
    }
    for (size_t b = 0; b < 12; b++) {
        if ((d >> b & 1) != 0) {
            e = (uint32_t)((uint64_t)e * power[b] >> 16);
        }
    }
    return e;
}

unsigned sotto_ner_presence(const int32_t *logits, uint8_t *label)
{
    int32_t best = logits[1];
    size_t tag = 1;

    for (size_t i = 2; i < SOTTO_NER_TAGS; i++) {
        if (logits[i] > best) {
            best = logits[i];
            tag = i;
        }
    }
    if (logits[0] - best > DECODE_FAR) {
        return 0;
    }
    int32_t top = best > logits[0] ? best : logits[0];
    uint32_t outside = decay((uint32_t)(top - logits[0])), all = outside;
    for (size_t i = 1; i < SOTTO_NER_TAGS; i++) {
        all += decay((uint32_t)(top - logits[i]));
    }
    *label = (uint8_t)((tag - 1) / 4);
    unsigned share = (unsigned)((uint64_t)(all - outside) * 1000 / all);
    return share >= DECODE_FAINT ? share : 0;
}

static uint16_t score_of(const int32_t *logits, const struct sotto_ner_entity *e)
{
    uint32_t sum = 0;

    for (size_t t = e->first; t <= e->last; t++) {
        uint8_t label;
        sum += sotto_ner_presence(logits + t * SOTTO_NER_HEAD, &label);
    }
    return (uint16_t)(sum / (uint32_t)(e->last - e->first + 1));
}

/* Where the path begins that is best at the end: behind all tokens, or at an open entity. */
static size_t best_end(const struct decode_state *s, const struct sotto_ner_path *path,
                       size_t count, bool whole)
{
    int32_t best = s->closed;
    unsigned label = SOTTO_NER_LABELS;

    for (unsigned k = 0; k < SOTTO_NER_LABELS && !whole; k++) {
        if (s->open[k] > best) {
            best = s->open[k];
            label = k;
        }
    }
    size_t t = count;
    if (label != SOTTO_NER_LABELS) {
        for (t = count - 1; t > 0 && (path->stayed[t] >> label & 1) != 0; t--) {
        }
    }
    return t;
}

/* Walks back from token `t`; writes entities from the end of `out` and returns the first of them. */
static size_t walk_back(const struct sotto_ner_path *path, size_t t, size_t keep_above,
                        struct sotto_ner_entity *out, size_t room, size_t *decided)
{
    size_t at = room;

    while (t > 0) {
        uint8_t how = path->closed[--t];
        if (how == DECODE_OUTSIDE) {
            if (*decided == 0 && t < keep_above) {
                *decided = t + 1;
            }
            continue;
        }
        struct sotto_ner_entity e = {.first = (uint16_t)t, .last = (uint16_t)t};
        if (how >= DECODE_END) {
            e.label = (uint8_t)(how - DECODE_END);
            for (t -= t > 0; t > 0 && (path->stayed[t] >> e.label & 1) != 0; t--) {
            }
            e.first = (uint16_t)t;
        } else {
            e.label = (uint8_t)(how - DECODE_SINGLE);
        }
        out[--at] = e;
    }
    return at;
}

size_t sotto_ner_decode(const struct sotto_ner_model *model, int32_t *logits, size_t count,
                        size_t leant, bool whole, struct sotto_ner_path *path,
                        struct sotto_ner_entity *out, size_t *done)
{
    struct decode_state s = {.closed = 0};

    for (size_t k = 0; k < SOTTO_NER_LABELS; k++) {
        s.open[k] = DECODE_NEVER;
    }
    for (size_t t = 0; t < count; t++) {
        int32_t *row = logits + t * SOTTO_NER_HEAD;
        if (t >= leant) {
            add_leans(model, row);
        }
        advance(&s, row, &path->closed[t], &path->stayed[t]);
    }
    size_t decided = whole ? count : 0;
    size_t above = count > DECODE_AHEAD ? count - DECODE_AHEAD : 0;
    size_t at = walk_back(path, best_end(&s, path, count, whole), above, out, count, &decided);
    if (decided + DECODE_KEEP < count) {
        decided = count;
    }
    size_t n = 0;
    for (; at < count; at++) {
        if (out[at].last < decided) {
            out[n] = out[at];
            out[n].score = score_of(logits, &out[n]);
            n++;
        }
    }
    *done = decided;
    return n;
}
