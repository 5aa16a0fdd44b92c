/* SPDX-License-Identifier: Apache-2.0 */

#include "detect/names/people.h"

#include "detect/names/cue.h"
#include "detect/names/lexicon.h"
#include "detect/rule.h"

#define PEOPLE_SCORE 700

static bool has(uint32_t flags, uint32_t wanted)
{
    return (flags & wanted) != 0;
}

/* The word that the phrase before `i` depends on: articles and the like are passed over. */
static bool governor(const struct names_tokens *t, size_t i, size_t *out)
{
    while (i > 0 && sotto_names_joined(t, i)) {
        i--;
        if (!NAMES_IS(t, i, "a", "an", "also", "originally", "half", "part", "proud", "fellow",
                      "devout", "practicing", "practising", "not", "actually", "really", "first")) {
            *out = i;
            return true;
        }
    }
    return false;
}

/* "he", "my wife", "Anna": somebody of whom the next word may tell something. */
static bool is_somebody(const struct names_token *token, const struct names_tokens *t, size_t i)
{
    return has(token->flags, (uint32_t)SOTTO_LEXICON_FAMILY | SOTTO_LEXICON_PATIENT) ||
           (token->shape == TOKEN_CAP &&
            has(token->flags, SOTTO_LEXICON_ANY_FIRST | SOTTO_LEXICON_ANY_LAST)) ||
           NAMES_IS(t, i, "he", "she", "they", "we", "who", "you");
}

/* "I am Kenyan", "she was a Muslim", "as an American". */
static bool is_said(const struct names_tokens *t, size_t i)
{
    size_t verb;
    if (!governor(t, i, &verb)) {
        return false;
    }
    if (NAMES_IS(t, verb, "am", "i'm", "he's", "she's", "i\xe2\x80\x99m")) {
        return true;
    }
    if (NAMES_IS(t, verb, "as")) {
        return verb + 2 <= i && NAMES_IS(t, i - 1, "a", "an");
    }
    return NAMES_IS(t, verb, "is", "was", "are", "were", "being") && verb > 0 &&
           sotto_names_joined(t, verb) && is_somebody(&t->item[verb - 1], t, verb - 1);
}

/* "a Dutch citizen", "his Swedish wife", "of Greek descent". */
static bool is_of_somebody(const struct names_tokens *t, size_t i)
{
    if (i + 1 >= t->count || !sotto_names_joined(t, i + 1)) {
        return false;
    }
    return has(t->item[i + 1].flags, (uint32_t)SOTTO_LEXICON_FAMILY | SOTTO_LEXICON_PATIENT) ||
           NAMES_IS(t, i + 1, "citizen", "national", "passport", "descent", "origin", "immigrant",
                    "refugee", "ancestry", "heritage", "parents", "man", "woman", "male", "female",
                    "guy", "lady", "girl", "boy", "girlfriend", "boyfriend", "colleague");
}

/* "Nationality: Swiss". */
static bool is_in_form(const struct names_tokens *t, size_t i)
{
    return i > 0 && (t->item[i].gap & TOKEN_COLON) != 0 &&
           NAMES_IS(t, i - 1, "nationality", "citizenship", "religion", "ethnicity", "faith",
                    "race", "denomination");
}

enum sotto_err sotto_names_people(const struct names_tokens *t, size_t first, size_t limit,
                                  struct sotto_findings *out)
{
    enum sotto_err err = SOTTO_OK;
    for (size_t i = first; i < limit && err == SOTTO_OK; i++) {
        const struct names_token *token = &t->item[i];
        bool written = token->shape == TOKEN_CAP || (t->lower && token->shape == TOKEN_LOWER);
        if (has(token->flags, SOTTO_LEXICON_NRP) && written && !token->glued &&
            (is_said(t, i) || is_of_somebody(t, i) || is_in_form(t, i))) {
            err = sotto_findings_add(out, (struct sotto_finding){.start = token->start,
                                                                 .end = token->end,
                                                                 .score = PEOPLE_SCORE,
                                                                 .rule = SOTTO_RULE_PEOPLE,
                                                                 .label = SOTTO_LABEL_NRP,
                                                                 .layer = SOTTO_LAYER_NAMES});
        }
    }
    return err;
}
