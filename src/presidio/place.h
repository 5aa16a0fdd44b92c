/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_PRESIDIO_PLACE_H
#define SOTTO_PRESIDIO_PLACE_H

/*
 * The stretches of a text that a request names, and Presidio's rules for those that touch:
 *
 *   1. of one type, overlapping: one, with the greatest score
 *   2. contained in another: dropped; of equal ones the greatest score stays, then the last
 *   3. of one type with nothing but spaces between: one
 *
 * All of it takes sorting and passes over the list.  For the files of this folder.
 */

#include "presidio/answer.h"

struct presidio_place {
    int64_t start, end; /* code points; as the caller said, perhaps behind the text */
    size_t start_byte, end_byte;
    sotto_span type;             /* borrowed from the request */
    const yyjson_mut_val *score; /* likewise; may be null in JSON, never NULL */
    double score_value;
    size_t position; /* order in the list */
};

/** Zero-initialised is empty and valid. */
struct presidio_places {
    struct presidio_place *items;
    size_t count;
    size_t text_chars; /* length of the text */
};

/**
 * Reads a list of {"start", "end", "entity_type", "score"} and finds the bytes in `text`.
 *
 * @param list        borrowed, as `places` points into it; a JSON value of any kind
 * @param with_score  refuse those without
 *
 * @retval SOTTO_EINVAL  refused; `answer` says why
 * @retval SOTTO_ENOMEM
 */
SOTTO_MUST_CHECK enum sotto_err presidio_places_read(yyjson_mut_val *list, bool with_score,
                                                     sotto_span text,
                                                     struct presidio_places *places,
                                                     struct presidio_answer *answer);

/** Wipes and frees; empty afterwards. */
void presidio_places_free(struct presidio_places *places);

/** Applies the rules above; sorted by start and end afterwards. */
void presidio_places_settle(struct presidio_places *places, sotto_span text);

/** Sorts by start alone; equal ones stay in their order, the last of them first. */
void presidio_places_sort(struct presidio_places *places);

#endif
