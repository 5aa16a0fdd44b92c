/* SPDX-License-Identifier: Apache-2.0 */

#include "detect/names/trade.h"

#include "detect/names/cue.h"
#include "detect/rule.h"

#define TRADE_SCORE 650
#define TRADE_WORDS 4

/* "works as", "arbeitet als": word `i` is the last one. */
static bool is_working_as(const struct names_tokens *t, size_t i)
{
    if (i == 0 || !sotto_names_joined(t, i)) {
        return false;
    }
    size_t verb = i - 1;
    return (NAMES_IS(t, i, "as") &&
            NAMES_IS(t, verb, "work", "works", "worked", "working", "employed")) ||
           (NAMES_IS(t, i, "als") &&
            NAMES_IS(t, verb, "arbeite", "arbeitet", "arbeitete", "t\xc3\xa4tig",
                     "besch\xc3\xa4"
                     "ftigt",
                     "angestellt")) ||
           (NAMES_IS(t, i, "comme") && NAMES_IS(t, verb, "travaille", "travaillait", "exerce")) ||
           (NAMES_IS(t, i, "como") && NAMES_IS(t, verb, "trabaja", "trabajaba", "trabajo")) ||
           (NAMES_IS(t, i, "come") && NAMES_IS(t, verb, "lavora", "lavorava", "lavoro"));
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

enum sotto_err sotto_names_trades(const struct names_tokens *t, size_t first, size_t limit,
                                  struct sotto_findings *out)
{
    enum sotto_err err = SOTTO_OK;
    for (size_t i = first > 0 ? first - 1 : 0; i + 1 < t->count && i < limit && err == SOTTO_OK;
         i++) {
        bool as = is_working_as(t, i) && sotto_names_joined(t, i + 1);
        if (!as && !is_profession(t, i)) {
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
