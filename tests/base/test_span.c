/* SPDX-License-Identifier: Apache-2.0 */

#include "base/span.h"

#include "tap/tap.h"

int main(void)
{
    sotto_span s = SOTTO_LIT("Content-Type");
    OK(sotto_span_ieq(s, SOTTO_LIT("content-type")), "letters without case");
    OK(!sotto_span_ieq(SOTTO_LIT("a["), SOTTO_LIT("A{")), "other characters as they are");
    OK(!sotto_span_eq(s, SOTTO_LIT("content-type")), "bytes with case");
    OK(sotto_span_eq(sotto_span_str(NULL), SOTTO_LIT("")), "NULL is empty");
    OK(sotto_span_starts(s, SOTTO_LIT("Cont")) && !sotto_span_starts(s, SOTTO_LIT("Type")),
       "starts");
    OK(sotto_span_ends(s, SOTTO_LIT("Type")) && !sotto_span_ends(SOTTO_LIT("x"), s), "ends");
    sotto_span t = sotto_span_trim(SOTTO_LIT(" \t a b\t "));
    IS_TEXT(t.base, t.len, "a b", "trimmed");
    IS_SIZE(sotto_span_trim(SOTTO_LIT("  ")).len, 0, "nothing but space");
    t = sotto_span_sub(s, 8, 12);
    IS_TEXT(t.base, t.len, "Type", "part");
    return done_testing();
}
