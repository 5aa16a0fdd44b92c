/* SPDX-License-Identifier: Apache-2.0 */

#include "detect/ner/report.h"

#include <string.h>

#include "detect/ner/tagger.h"
#include "detect/ner/token.h"
#include "detect/rule.h"

static bool is_dressing(const struct sotto_ner_place *place, const char *but)
{
    return place->kind == SOTTO_NER_BREAK ||
           (place->kind == SOTTO_NER_PUNCT &&
            (place->sign == 0 || strchr(but, place->sign) == NULL));
}

static bool is_initial(const struct sotto_ner_path_tokens *tokens,
                       const struct sotto_ner_place *place)
{
    uint8_t c = tokens->text.base[place->start];

    return place->kind == SOTTO_NER_WORD && place->end - place->start == 1 && c >= 'A' && c <= 'Z';
}

/* "T. S. Eliot" is one name even where only "Eliot" was sure. */
static const struct sotto_ner_place *with_initials(const struct sotto_ner_path_tokens *tokens,
                                                   const struct sotto_ner_place *first,
                                                   const struct sotto_ner_place *floor)
{
    const struct sotto_ner_place *name = first;
    while (first - floor >= 2 && first[-1].sign == '.' && is_initial(tokens, first - 2) &&
           first[-1].start == first[-2].end && first[-1].end == first[-1].start + 1 &&
           first->start - first[-1].end <= 1) {
        first -= 2;
    }
    /* A lone "M." is a title in French. */
    return name - first == 2 && tokens->text.base[first->start] == 'M' ? name : first;
}

/* Tokens of a finding. */
struct tag_stretch {
    const struct sotto_ner_place *first;
    const struct sotto_ner_place *last; /* before the first: none is left */
};

/* Leaves out breaks and signs at both ends, but those that open or close what is found; does not reach
 * below `floor`. */
static struct tag_stretch stretch_of(const struct sotto_ner_path_tokens *tokens,
                                     const struct sotto_ner_entity *entity, size_t floor)
{
    struct tag_stretch s = {tokens->places + entity->first, tokens->places + entity->last};

    while (s.first <= s.last && is_dressing(s.first, "+(")) {
        s.first++;
    }
    while (s.last >= s.first && is_dressing(s.last, ").")) {
        s.last--;
    }
    if (s.first <= s.last && entity->label == SOTTO_LABEL_PERSON) {
        s.first = with_initials(tokens, s.first, tokens->places + floor);
    }
    return s;
}

/* Words from `at` up to `end` that may be something. */
static enum sotto_err report_hints(const struct sotto_ner_path_tokens *tokens, size_t at,
                                   size_t end, struct sotto_findings *list)
{
    enum sotto_err err = SOTTO_OK;

    for (; at < end && err == SOTTO_OK; at++) {
        const struct sotto_ner_place *place = &tokens->places[at];
        uint8_t label = 0;
        unsigned score = place->kind == SOTTO_NER_WORD
                             ? sotto_ner_presence(tokens->logits + at * SOTTO_NER_HEAD, &label)
                             : 0;
        if (score >= SOTTO_TAG_HINT_MIN) {
            err = sotto_findings_add(list, (struct sotto_finding){.start = place->start,
                                                                  .end = place->end,
                                                                  .score = (uint16_t)score,
                                                                  .rule = SOTTO_RULE_TAGGER_HINT,
                                                                  .label = label,
                                                                  .layer = SOTTO_LAYER_TAGGER});
        }
    }
    return err;
}

enum sotto_err sotto_ner_report(const struct sotto_ner_path_tokens *tokens,
                                const struct sotto_ner_entity *entities, size_t n, size_t end,
                                struct sotto_findings *list)
{
    enum sotto_err err = SOTTO_OK;
    size_t floor = 0; /* an entity does not grow into the one before */

    for (size_t i = 0; i < n && err == SOTTO_OK; i++) {
        const struct sotto_ner_entity *e = &entities[i];
        struct tag_stretch s = stretch_of(tokens, e, floor);
        if (s.first <= s.last) {
            err = report_hints(tokens, floor, (size_t)(s.first - tokens->places), list);
        }
        if (s.first <= s.last && err == SOTTO_OK) {
            err = sotto_findings_add(list, (struct sotto_finding){.start = s.first->start,
                                                                  .end = s.last->end,
                                                                  .score = e->score,
                                                                  .label = e->label,
                                                                  .layer = SOTTO_LAYER_TAGGER});
        }
        floor = (size_t)e->last + 1;
    }
    return err == SOTTO_OK ? report_hints(tokens, floor, end, list) : err;
}
