/* SPDX-License-Identifier: Apache-2.0 */

#include "detect/ner/passage.h"

#include <string.h>

#include "detect/ner/token.h"

static bool is_stop(const struct sotto_ner_place *place)
{
    return place->kind == SOTTO_NER_PUNCT && place->sign != 0 && strchr(".!?", place->sign) != NULL;
}

/* Whether a line or a sentence ends with `place`; `next` NULL: the text does. */
static bool is_end(const struct sotto_ner_place *place, const struct sotto_ner_place *next)
{
    return place->kind == SOTTO_NER_BREAK || next == NULL ||
           (is_stop(place) && (next->kind == SOTTO_NER_BREAK || (next->shape & 1) != 0));
}

size_t sotto_ner_passage(struct sotto_ner_reading *reading, sotto_span text,
                         const struct sotto_ner_place *places, size_t count, bool last)
{
    sotto_ner_reading_begin(reading);
    for (size_t i = 0; i < count; i++) {
        const struct sotto_ner_place *place = &places[i];
        if (!sotto_ner_reading_add(reading, text, place->start, place->end, place->kind,
                                   place->shape, place->flags)) {
            return i;
        }
        if (i + 1 == count && !last) {
            return 0;
        }
        if (i + 1 >= SOTTO_NER_PASSAGE_ENOUGH && is_end(place, i + 1 < count ? place + 1 : NULL)) {
            return i + 1;
        }
    }
    return count;
}
