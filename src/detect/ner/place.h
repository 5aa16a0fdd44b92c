/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_DETECT_NER_PLACE_H
#define SOTTO_DETECT_NER_PLACE_H

#include <stdint.h>

/** What is kept of a token (detect/ner/token.h) once it is embedded. */
struct sotto_ner_place {
    uint32_t start; /* bytes */
    uint32_t end;
    uint16_t flags; /* of the lexicon */
    uint8_t kind;   /* enum sotto_ner_kind */
    uint8_t sign;   /* first byte, for punctuation */
    uint8_t shape; /* row of the shape table; but for breaks its lowest bit says that white space or
                       the beginning of the text stands before */
};

#endif
