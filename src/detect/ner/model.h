/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_DETECT_NER_MODEL_H
#define SOTTO_DETECT_NER_MODEL_H

/*
 * The model file, opened as views into its bytes; docs/wire/model-file.md describes the format.
 *
 * The file is hostile input: after sotto_ner_model_open() every view lies inside it and every number
 * that is used as an index has been checked.  What the weights compute is not checked: the
 * arithmetic is defined for all of them.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/span.h"

/** Channels of the network. */
#define SOTTO_NER_WIDTH 128

/** Taps of a convolution: left, middle, right. */
#define SOTTO_NER_TAPS 3

/** Most convolutions, and the greatest sum of their dilations: how far a token sees to each side. */
#define SOTTO_NER_LAYERS_MAX 16
#define SOTTO_NER_REACH_MAX  24

/** Outputs of the head: the tags, rounded up for the kernels. */
#define SOTTO_NER_HEAD 64

/** "Outside", and begin, inside, end, single of each label. */
#define SOTTO_NER_TAGS 53

/** Greatest weight of a convolution or the head, see detect/ner/kernel.h. */
#define SOTTO_NER_WEIGHT_MAX 63

/** Rows of the tables that are indexed by shape and by lexicon flag. */
#define SOTTO_NER_SHAPES 256
#define SOTTO_NER_FLAGS  16

/** Size of the file's header; everything behind it is under the checksum. */
#define SOTTO_NER_HEADER_BYTES 128

/** A matrix and what is added to and shifted out of its products; see the format. */
struct sotto_ner_matrix {
    const int8_t *weights; /* [inputs / 4][outputs][4] */
    const int32_t *bias;   /* one an output, with half of the divisor in it */
    const int32_t *shift;  /* one an output, 1 to 15 */
};

struct sotto_ner_model {
    const int8_t *word; /* tables of rows of SOTTO_NER_WIDTH bytes */
    const int8_t *gram;
    const int8_t *shape;
    const int8_t *flag;
    const int8_t *cluster;
    uint32_t word_mask; /* rows - 1; the number of rows is a power of two */
    uint32_t gram_mask;
    uint32_t cluster_count;
    uint32_t lexicon_count;
    const uint32_t
        *lexicon_index;           /* 65537 offsets: where the hashes with these upper 16 bits are */
    const uint32_t *lexicon_hash; /* ascending */
    const uint16_t *lexicon_flags;
    const uint16_t *lexicon_cluster; /* 0: none; less than cluster_count */
    uint32_t layer_count;
    uint32_t dilation[SOTTO_NER_LAYERS_MAX];
    uint32_t reach; /* sum of the dilations */
    struct sotto_ner_matrix layer[SOTTO_NER_LAYERS_MAX];
    struct sotto_ner_matrix head;
    const int32_t *lean; /* one a label: added to its tags in decoding, in 1/256 */
};

/**
 * Opens a model file.
 *
 * @param file      borrowed, must outlive `out`; aligned to 64 bytes
 * @param trusted   whether the checksum may be left out: for a file that is part of the program
 * @param[out] out  set only on SOTTO_OK
 *
 * @retval SOTTO_EFORMAT  not such a file, of another version, damaged or not aligned
 * @retval SOTTO_ECRYPTO, SOTTO_ENOMEM  the checksum cannot be computed
 */
SOTTO_MUST_CHECK enum sotto_err sotto_ner_model_open(sotto_span file, bool trusted,
                                                     struct sotto_ner_model *out);

/** Flags of a word and its cluster, both 0 for a word that stands nowhere. */
uint32_t sotto_ner_model_lookup(const struct sotto_ner_model *model, uint32_t hash,
                                uint32_t *cluster);

#endif
