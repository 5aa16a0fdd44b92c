/* SPDX-License-Identifier: Apache-2.0 */

#include "detect/agree.h"

#include <stdbool.h>
#include <string.h>

#include "base/compiler.h"
#include "detect/rule.h"
#include "text/word.h"

/*
 * Measured on labelled texts (docs/detection.md): of the tagger's names that it gives .7 to .75, six
 * in ten are right with a finding of the lists and three in ten without; the same share
 * without is reached .2 higher.
 */
#define AGREE_ALONE 200

/*
 * More for a person in English: the tagger leans towards persons as far as the other languages need it,
 * which there costs three wrong names in a hundred for one more that is right.
 */
#define AGREE_ENGLISH 150

/* One layer's findings in the order of their starts: has any of them up to a place reached another? */
struct agree_side {
    uint8_t layer;
    bool people; /* what is only hinted at counts where it may be a person */
    size_t next;
    uint32_t reach; /* greatest end of those before `next` */
};

static bool counts(const struct agree_side *side, const struct sotto_finding *f)
{
    return f->layer == side->layer &&
           (!side->people || f->rule != SOTTO_RULE_TAGGER_HINT || f->label == SOTTO_LABEL_PERSON);
}

static bool overlaps(const struct sotto_findings *list, struct agree_side *side,
                     const struct sotto_finding *f)
{
    for (; side->next < list->count && list->items[side->next].start < f->end; side->next++) {
        const struct sotto_finding *other = &list->items[side->next];
        if (counts(side, other) && other->end > side->reach) {
            side->reach = other->end;
        }
    }
    return side->reach > f->start;
}

static void lose(struct sotto_finding *f, unsigned points)
{
    f->score = (uint16_t)(f->score > points ? f->score - points : 0);
}

static bool is_name(const struct sotto_finding *f)
{
    return f->label == SOTTO_LABEL_PERSON || f->label == SOTTO_LABEL_LOCATION ||
           f->label == SOTTO_LABEL_ORG;
}

/* Whether the bytes at `at` are `lower`, in either case. */
static bool reads(sotto_span text, size_t at, const char *lower, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        uint8_t c = text.base[at + i];
        if ((c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c) != (uint8_t)lower[i]) {
            return false;
        }
    }
    return true;
}

static bool ends_with(sotto_span text, size_t end, const char *word)
{
    size_t len = strlen(word);
    return len <= end && reads(text, end - len, word, len) &&
           !sotto_word_char_before(text, end - len);
}

static bool begins_with(sotto_span text, size_t start, const char *word)
{
    size_t len = strlen(word);
    return start <= text.len && len <= text.len - start && reads(text, start, word, len) &&
           !sotto_word_char_at(text, start + len);
}

/*
 * Names of prizes and festivals hold names of persons and name none.  The word that says so is the
 * last one, or stands behind with a capital, in English and German, and first in the other languages.
 */
static bool is_honour(sotto_span text, const struct sotto_finding *f)
{
    static const char *const last[] = {"award",  "awards",   "prize",      "prizes",     "medal",
                                       "medals", "festival", "trophy",     "lecture",    "lectures",
                                       "cup",    "oscars",   "fellowship", "lectureship"};
    static const char *const first[] = {"prix", "premio", "trofeo"};
    bool capital_behind = text.len - f->end >= 2 && text.base[f->end] == ' ' &&
                          text.base[f->end + 1] >= 'A' && text.base[f->end + 1] <= 'Z';
    bool blank_before = f->start > 0 && text.base[f->start - 1] == ' ';

    for (size_t i = 0; i < SOTTO_COUNT(last); i++) {
        if (ends_with(text, f->end, last[i]) ||
            (capital_behind && begins_with(text, f->end + 1, last[i]))) {
            return true;
        }
    }
    for (size_t i = 0; i < SOTTO_COUNT(first); i++) {
        if (begins_with(text, f->start, first[i]) ||
            (blank_before && ends_with(text, f->start - 1, first[i]))) {
            return true;
        }
    }
    return false;
}

void sotto_agree(sotto_span text, const struct sotto_names *names, struct sotto_findings *list,
                 size_t first)
{
    struct agree_side tagger = {.layer = SOTTO_LAYER_TAGGER, .next = first};
    struct agree_side people = {.layer = SOTTO_LAYER_TAGGER, .people = true, .next = first};
    struct agree_side lists = {.layer = SOTTO_LAYER_NAMES, .next = first};
    bool foreign = sotto_names_are_foreign(names);

    for (size_t i = first; i < list->count; i++) {
        struct sotto_finding *f = &list->items[i];
        bool listed = f->layer == SOTTO_LAYER_NAMES && is_name(f);
        bool tagged = f->layer == SOTTO_LAYER_TAGGER && f->rule != SOTTO_RULE_TAGGER_HINT;
        bool person = f->label == SOTTO_LABEL_PERSON;
        if (listed && !overlaps(list, person ? &people : &tagger, f)) {
            f->score = 0;
            continue;
        }
        if (tagged && is_name(f) && !overlaps(list, &lists, f)) {
            lose(f, person && !foreign ? AGREE_ALONE + AGREE_ENGLISH : AGREE_ALONE);
        }
        if ((listed || tagged) && person) {
            lose(f,
                 is_honour(text, f) ? SOTTO_SCORE_MAX : sotto_names_doubt(names, f->start, f->end));
        }
    }
}
