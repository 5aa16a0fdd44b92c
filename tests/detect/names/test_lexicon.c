/* SPDX-License-Identifier: Apache-2.0 */

#include "detect/names/lexicon.h"

#include "tap/tap.h"

int main(void)
{
    static const struct {
        const char *word;
        uint32_t all, none;
    } cases[] = {
        {"Anna", SOTTO_LEXICON_FIRST, SOTTO_LEXICON_WORD},
        {"anna", SOTTO_LEXICON_FIRST, 0},
        {"ANNA", SOTTO_LEXICON_FIRST, 0},
        {"Smith", SOTTO_LEXICON_LAST, SOTTO_LEXICON_WORD},
        {"M\xc3\xbcller", SOTTO_LEXICON_LAST, 0},
        {"Mueller", SOTTO_LEXICON_LAST, 0},
        {"Muller", SOTTO_LEXICON_LAST, 0},
        {"Jos\xc3\xa9", SOTTO_LEXICON_FIRST, 0},
        {"Jose\xcc\x81", SOTTO_LEXICON_FIRST, 0},
        {"Jo\xe2\x80\x8bse", SOTTO_LEXICON_FIRST, 0},
        {"Will", (uint32_t)SOTTO_LEXICON_WORD | SOTTO_LEXICON_FIRST, 0},
        {"Berlin", SOTTO_LEXICON_CITY, 0},
        {"New York", SOTTO_LEXICON_CITY, 0},
        {"New", SOTTO_LEXICON_PHRASE, 0},
        {"Stra\xc3\x9f"
         "burg",
         SOTTO_LEXICON_CITY, 0},
        {"Deutschland", SOTTO_LEXICON_COUNTRY, 0},
        {"GmbH", SOTTO_LEXICON_LEGAL, 0},
        {"mit freundlichen Gr\xc3\xbc\xc3\x9f"
         "en",
         SOTTO_LEXICON_CLOSING, 0},
        {"Crohn", SOTTO_LEXICON_EPONYM_NAME, 0},
        {"das", SOTTO_LEXICON_WORD, SOTTO_LEXICON_LAST},
        {"qxzzqx", 0, ~0U},
        {"", 0, ~0U},
    };
    for (size_t i = 0; i < SOTTO_COUNT(cases); i++) {
        uint32_t flags = sotto_lexicon_word(sotto_span_str(cases[i].word));
        IS_INT(flags & cases[i].all, cases[i].all, "'%s' has its flags", cases[i].word);
        IS_INT(flags & cases[i].none, 0, "'%s' has no others", cases[i].word);
    }
    return done_testing();
}
