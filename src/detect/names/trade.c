/* SPDX-License-Identifier: Apache-2.0 */

#include "detect/names/trade.h"

#include "detect/names/cue.h"
#include "detect/rule.h"

#define TRADE_SCORE 650
#define TRADE_WORDS 4

#define TRADE_VERBS 6

/* "works as", "arbeitet als". */
static const struct {
    const char *as, *verb[TRADE_VERBS];
} trade_cues[] = {
    {"as", {"work", "works", "worked", "working", "employed"}},
    {"als",
     {"arbeite", "arbeitet", "arbeitete", "t\xc3\xa4tig",
      "besch\xc3\xa4"
      "ftigt",
      "angestellt"}},
    {"comme", {"travaille", "travaillait", "exerce"}},
    {"como", {"trabaja", "trabajaba", "trabajo"}},
    {"come", {"lavora", "lavorava", "lavoro"}},
};

/* Whether word `i` is the last one of such a cue. */
static bool is_working_as(const struct names_tokens *t, size_t i)
{
    for (size_t k = 0; k < SOTTO_COUNT(trade_cues); k++) {
        if (sotto_names_is(t, i, &trade_cues[k].as, 1)) {
            size_t verbs = 0;
            while (verbs < TRADE_VERBS && trade_cues[k].verb[verbs] != NULL) {
                verbs++;
            }
            return i > 0 && sotto_names_joined(t, i) &&
                   sotto_names_is(t, i - 1, trade_cues[k].verb, verbs);
        }
    }
    return false;
}

/* "Beruf:", "von Beruf": word `i` is the last one. */
static bool is_profession(const struct names_tokens *t, size_t i)
{
    if (!NAMES_IS(t, i, "beruf", "profession", "occupation", "professione", "occupazione",
                  "m\xc3\xa9tier", "profesi\xc3\xb3n", "ocupaci\xc3\xb3n")) {
        return false;
    }
    bool field = (t->item[i + 1].gap & TOKEN_COLON) != 0 &&
                 (t->item[i + 1].gap & (TOKEN_LINE | TOKEN_DOT | TOKEN_STOP)) == 0;
    bool stated = i > 0 && sotto_names_joined(t, i) && sotto_names_joined(t, i + 1) &&
                  NAMES_IS(t, i - 1, "von", "de", "di");
    return field || stated;
}

static bool is_word(const struct names_tokens *t, size_t i)
{
    uint8_t shape = t->item[i].shape;
    return (shape == TOKEN_LOWER || shape == TOKEN_CAP) && !t->item[i].glued &&
           !NAMES_IS(t, i, "at", "in", "for", "with", "and", "since", "who", "but", "from", "on",
                     "or", "by", "bei", "im", "mit", "und", "seit", "von", "am", "auf", "chez",
                     "\xc3\xa0", "dans", "depuis", "et", "au", "pour", "en", "para", "con", "desde",
                     "y", "presso", "per", "da", "e", "ed", "nel", "nella", "alla", "der", "the",
                     "that", "is", "was", "part", "expected", "intended");
}

/* Behind the trade that begins with word `i`; `i`: there is none. */
static size_t trade_end(const struct names_tokens *t, size_t i)
{
    size_t end = i;
    while (end < t->count && end < i + TRADE_WORDS && is_word(t, end) &&
           (end == i || sotto_names_joined(t, end))) {
        end++;
        if (t->german && t->item[end - 1].shape == TOKEN_CAP) {
            return end;
        }
    }
    return t->german && !t->lower ? i : end;
}

#define TRADE_LETTER(c) (UINT32_C(1) << ((c) - 'a' + 1))

/* Whether word `i` has the first letter of a cue's last word: most words have not. */
static bool may_end_cue(const struct names_tokens *t, size_t i)
{
    const uint32_t letters = TRADE_LETTER('a') | TRADE_LETTER('b') | TRADE_LETTER('c') |
                             TRADE_LETTER('m') | TRADE_LETTER('o') | TRADE_LETTER('p');
    return (letters >> (t->text.base[t->item[i].start] & 31) & 1) != 0;
}

enum sotto_err sotto_names_trades(const struct names_tokens *t, size_t first, size_t limit,
                                  struct sotto_findings *out)
{
    enum sotto_err err = SOTTO_OK;
    for (size_t i = first > 2 ? first - 2 : 0; i + 1 < t->count && i < limit && err == SOTTO_OK;
         i++) {
        bool cue = may_end_cue(t, i) &&
                   (is_profession(t, i) || (is_working_as(t, i) && sotto_names_joined(t, i + 1)));
        if (!cue) {
            continue;
        }
        size_t start = i + 1;
        if (start + 1 < t->count &&
            NAMES_IS(t, start, "a", "an", "un", "une", "una", "ein", "eine")) {
            start++;
        }
        size_t end = trade_end(t, start);
        if (end > start && start >= first && start < limit) {
            err = sotto_findings_add(out, (struct sotto_finding){.start = t->item[start].start,
                                                                 .end = t->item[end - 1].end,
                                                                 .score = TRADE_SCORE,
                                                                 .rule = SOTTO_RULE_TRADE,
                                                                 .label = SOTTO_LABEL_OCCUPATION,
                                                                 .layer = SOTTO_LAYER_NAMES});
        }
    }
    return err;
}
