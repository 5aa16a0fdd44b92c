/* SPDX-License-Identifier: Apache-2.0 */

#include "policy/generalise.h"

#include "tap/tap.h"

int main(void)
{
    static const struct {
        enum sotto_label label;
        const char *finer, *value, *want;
    } cases[] = {
        {SOTTO_LABEL_DATE, NULL, "3 May 2024", "2024"},
        {SOTTO_LABEL_DATE, "DATE_OF_BIRTH", "03.05.1984", "1984"},
        {SOTTO_LABEL_DATE, NULL, "2024-05-03", "2024"},
        {SOTTO_LABEL_DATE, NULL, "from May 2023 to June 2024", "[DATE]"},
        {SOTTO_LABEL_DATE, NULL, "2024, that is 2024", "2024"},
        {SOTTO_LABEL_DATE, NULL, "03/05/84", "[DATE]"},
        {SOTTO_LABEL_DATE, NULL, "next Tuesday", "[DATE]"},
        {SOTTO_LABEL_DATE, NULL, "", "[DATE]"},
        {SOTTO_LABEL_AGE, NULL, "47 years old", "40 to 49 years old"},
        {SOTTO_LABEL_AGE, NULL, "aged 3", "0 to 9 years old"},
        {SOTTO_LABEL_AGE, NULL, "89", "80 to 89 years old"},
        {SOTTO_LABEL_AGE, NULL, "90", "90 or older"},
        {SOTTO_LABEL_AGE, NULL, "between 85 and 95", "90 or older"},
        {SOTTO_LABEL_AGE, NULL, "99999999999999999999", "90 or older"},
        {SOTTO_LABEL_AGE, "AGE_OVER_89", "ninety-one", "90 or older"},
        {SOTTO_LABEL_AGE, NULL, "forty", "[AGE]"},
        {SOTTO_LABEL_ADDRESS, "POSTCODE", "90210", "902"},
        {SOTTO_LABEL_ADDRESS, "POSTCODE", "CA 90210-1234", "902"},
        {SOTTO_LABEL_ADDRESS, "POSTCODE", "03601", "000"},
        {SOTTO_LABEL_ADDRESS, "POSTCODE", "89301", "000"},
        {SOTTO_LABEL_ADDRESS, "POSTCODE", "01001", "010"},
        {SOTTO_LABEL_ADDRESS, "POSTCODE", "8001", "[POSTCODE]"},
        {SOTTO_LABEL_ADDRESS, "POSTCODE", "EC1A 1BB", "[POSTCODE]"},
        {SOTTO_LABEL_ADDRESS, "POSTCODE", "90210-12", "[POSTCODE]"},
        {SOTTO_LABEL_ORG, NULL, "Muster AG", "[ORG]"},
    };
    for (size_t i = 0; i < SOTTO_COUNT(cases); i++) {
        char out[SOTTO_GENERALISE_BYTES];
        sotto_generalise(cases[i].label, cases[i].finer, sotto_span_str(cases[i].value), out);
        IS_TEXT(out, strlen(out), cases[i].want, "'%s' becomes coarser", cases[i].value);
    }
    OK(sotto_generalise_knows(SOTTO_LIT("DATE")) && sotto_generalise_knows(SOTTO_LIT("POSTCODE")),
       "there are rules for some");
    OK(!sotto_generalise_knows(SOTTO_LIT("PERSON")) && !sotto_generalise_knows(SOTTO_LIT("")),
       "and not for others");
    return done_testing();
}
