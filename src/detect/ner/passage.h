/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_DETECT_NER_PASSAGE_H
#define SOTTO_DETECT_NER_PASSAGE_H

/*
 * Which tokens the encoder reads together: whole sentences or lines, at least SOTTO_NER_PASSAGE_ENOUGH
 * tokens of them where there are as many, as far as they fit a reading.  Where a passage ends depends
 * on its tokens and the one behind alone.
 */

#include "detect/ner/place.h"
#include "detect/ner/reading.h"

/** From so many tokens on a passage ends with its sentence. */
#define SOTTO_NER_PASSAGE_ENOUGH 32

/** Most tokens of a passage: each has a piece. */
#define SOTTO_NER_PASSAGE_MAX SOTTO_NER_PIECES

/**
 * Begins a reading with the tokens of the passage that begins with the first of `count`.
 *
 * @param last  whether the text ends with these tokens
 *
 * @return tokens of the passage; 0: more must be known to tell where it ends (never where `last`
 *         or from SOTTO_NER_PASSAGE_MAX + 1 tokens on), the reading is then undefined
 */
size_t sotto_ner_passage(struct sotto_ner_reading *reading, sotto_span text,
                         const struct sotto_ner_place *places, size_t count, bool last);

#endif
