/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_DETECT_NER_DECODE_H
#define SOTTO_DETECT_NER_DECODE_H

/*
 * From the head's numbers to entities: the best path on which begin, inside and end follow one
 * another (Viterbi; the transitions are only allowed or not, so a token costs one pass over its tags).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "detect/ner/model.h"

#define SOTTO_NER_LABELS 13

/** Most tokens that are decoded together. */
#define SOTTO_NER_PATH_MAX 448

/** How each token's best predecessor was reached; scratch memory. */
struct sotto_ner_path {
    uint8_t closed[SOTTO_NER_PATH_MAX];  /* enum in decode.c and label: how the path closed here */
    uint16_t stayed[SOTTO_NER_PATH_MAX]; /* bit per label: the open entity came from before */
};

/** An entity: tokens first to last. */
struct sotto_ner_entity {
    uint16_t first;
    uint16_t last;
    uint8_t label;
    uint16_t score; /* 0 to 1000: mean presence of its tokens */
};

/**
 * Decodes `count` <= SOTTO_NER_PATH_MAX tokens.
 *
 * @param logits    SOTTO_NER_HEAD numbers a token, in 1/256; changed: the leans are added
 * @param leant     tokens whose logits have their lean already
 * @param whole     whether the text ends here; else tokens at the end may be left undecided
 * @param[out] out  entities in order; room for `count`
 * @param[out] done how many tokens are decided; the rest is to be decoded again with what follows
 *
 * @return number of entities
 */
size_t sotto_ner_decode(const struct sotto_ner_model *model, int32_t *logits, size_t count,
                        size_t leant, bool whole, struct sotto_ner_path *path,
                        struct sotto_ner_entity *out, size_t *done);

/** Probability that a token is part of anything, leans included: 0 to 1000; 0 where it is below 50.
 *  @param label the likeliest label, set where the result is not 0 */
unsigned sotto_ner_presence(const int32_t *logits, uint8_t *label);

#endif
