/* SPDX-License-Identifier: Apache-2.0 */

#include "vault/seen.h"

#include "base/alloc.h"
#include "tap/tap.h"

int main(void)
{
    struct seen seen = {.bits = NULL};
    OK(!seen_words(&seen, SOTTO_LIT("a"), true) && !seen_number(&seen, 0, 1), "empty at first");
    sotto_alloc_set_fault(1);
    IS_INT(seen_add(&seen, SOTTO_LIT("x")), SOTTO_ENOMEM, "without memory nothing is added");
    sotto_alloc_set_fault(0);
    IS_INT(seen_add(&seen,
                    SOTTO_LIT("Ask \xc3\x89va about 192.0.2.1, <PERSON_3> and person&nbsp;12!")),
           SOTTO_OK, "a text");
    OK(seen_words(&seen, SOTTO_LIT("ask"), true), "its words are there, in any case");
    OK(!seen_words(&seen, SOTTO_LIT("va"), true), "parts of words are not");
    OK(seen_words(&seen, SOTTO_LIT("Jane about"), true), "any of several");
    OK(!seen_words(&seen, SOTTO_LIT("Jane about"), false), "or all of them");
    OK(seen_words(&seen, SOTTO_LIT("2.0.192.1"), false), "numbers are words");
    OK(seen_number(&seen, 0, 3) && seen_number(&seen, 0, 12), "type words with numbers");
    OK(!seen_number(&seen, 0, 1) && !seen_number(&seen, 1, 3), "and no others");
    seen_free(&seen);
    OK(!seen_words(&seen, SOTTO_LIT("ask"), true), "and all is gone");
    return done_testing();
}
