/* SPDX-License-Identifier: Apache-2.0 */

#include "detect/names/trade.h"

#include "finder.h"

static void check(const char *text, const char *want)
{
    check_found(sotto_names_trades, text, want);
}

static void test_found(void)
{
    check("She works as a software engineer at Acme.", "software engineer");
    check("He was employed as an electrician.", "electrician");
    check("Occupation: retired bus driver\nAge: 40", "retired bus driver");
    check("Der Mann arbeitet als Schwei\xc3\x9f"
          "er bei uns in der Firma.",
          "Schwei\xc3\x9f"
          "er");
    check("Er lebt mit der Frau und nicht allein. Beruf: freier Landwirt Nord", "freier Landwirt");
    check("Er ist von Beruf Maurer und lebt allein in der Stadt.", "Maurer");
    check("Profession : ancien couvreur, veuf", "ancien couvreur");
    check("Elle travaille comme gardienne d'immeuble \xc3\xa0 Lyon.", "gardienne d'immeuble");
    check("Trabaja como alba\xc3\xb1il en Madrid.", "alba\xc3\xb1il");
    check("Lavora come infermiera da anni.", "infermiera");
    check("occupation: one two three four five six", "one two three four");
}

static void test_left_alone(void)
{
    check("", "");
    check("occupation", "");
    check("works as", "");
    check("It works as expected.", "");
    check("This works as part of it.", "");
    check("As a nurse I know.", "");
    check("The occupation was long.", "");
    check("Occupation:\nName: x", "");
    check("Er arbeitet als 3 andere.", "");
    check("Er arbeitet so viel als wir und ist mit der Zeit", "");
}

/* Where words of a cue are before the first, the trade behind it is found all the same. */
static enum sotto_err from_third(const struct names_tokens *t, size_t first, size_t limit,
                                 struct sotto_findings *out)
{
    return sotto_names_trades(t, first + 3, limit, out);
}

int main(void)
{
    check_found(from_third, "works as a roofer in town", "roofer");
    check_found(from_third, "working as roofer in town", "");
    test_found();
    test_left_alone();
    check_failed_allocation(sotto_names_trades, "He works as a roofer.");
    return done_testing();
}
