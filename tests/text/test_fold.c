/* SPDX-License-Identifier: Apache-2.0 */

#include "text/fold.h"

#include "tap/tap.h"
#include "text/utf8.h"

static void fold_text(const char *in, char out[64])
{
    sotto_span text = sotto_span_str(in);
    size_t n = 0;
    for (size_t at = 0; at < text.len;) {
        n += sotto_utf8_put(sotto_fold(sotto_utf8_next(text, &at)), (uint8_t *)out + n);
    }
    out[n] = '\0';
}

int main(void)
{
    static const char *const cases[][2] = {
        {"Miller-O'Neil 42", "miller-o'neil 42"},
        {"\xc3\x89lo\xc3\xafse M\xc3\xbcller", "eloise muller"},
        {"Stra\xc3\x9f"
         "e",
         "strase"},
        {"\xc3\x98rsted \xc5\x81\xc3\xb3"
         "d\xc5\xba",
         "orsted lodz"},
        {"\xd0\x90nn\xd0\xb0", "anna"}, /* Cyrillic look-alikes */
        {"O\xe2\x80\x99"
         "Brien",
         "o'brien"},
        {"\xe4\xb8\xad", "\xe4\xb8\xad"},
    };
    for (size_t i = 0; i < SOTTO_COUNT(cases); i++) {
        char out[64];
        fold_text(cases[i][0], out);
        IS_TEXT(out, strlen(out), cases[i][1], "'%s' folds", cases[i][0]);
    }
    size_t wrong = 0;
    for (uint32_t c = 0; c <= 0x10ffff; c++) {
        uint32_t folded = sotto_fold(c);
        wrong += (c < 0xd800 || c > 0xdfff) && sotto_fold(folded) != folded;
    }
    IS_SIZE(wrong, 0, "folding twice is folding once");
    IS_INT(sotto_lower(0xc4), 0xe4, "lower case keeps diacritics");
    return done_testing();
}
