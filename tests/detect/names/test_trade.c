/* SPDX-License-Identifier: Apache-2.0 */

#include "detect/names/trade.h"

#include <string.h>

#include "base/alloc.h"
#include "tap/tap.h"

#define MOST 64

/* What is found in `text`, with commas between, is `want`. */
static void check(const char *text, const char *want)
{
    struct names_token token[MOST];
    static struct names_cache cache;
    struct names_tokens t = {.item = token};
    struct sotto_findings out = {0};
    char got[128];
    size_t at = 0;

    if (NAMES_TOKENS_FOR(strlen(text)) > MOST) {
        abort();
    }
    sotto_names_tokenize(sotto_span_str(text), 0, strlen(text), -1, &cache, &t);
    IS_INT(sotto_names_trades(&t, 0, t.count, &out), SOTTO_OK, "%s", text);
    for (size_t i = 0; i < out.count; i++) {
        at += (size_t)snprintf(got + at, sizeof(got) - at, "%s%.*s", at == 0 ? "" : ",",
                               (int)(out.items[i].end - out.items[i].start),
                               text + out.items[i].start);
    }
    IS_TEXT(got, at, want, "trades in %s", text);
    sotto_findings_free(&out);
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

static void test_failed_allocation(void)
{
    const char *text = "He works as a roofer.";
    struct names_token token[MOST];
    static struct names_cache cache;
    struct names_tokens t = {.item = token};
    struct sotto_findings out = {0};

    sotto_names_tokenize(sotto_span_str(text), 0, strlen(text), -1, &cache, &t);
    (void)sotto_alloc_set_fault(1);
    enum sotto_err err = sotto_names_trades(&t, 0, t.count, &out);
    (void)sotto_alloc_set_fault(0);
    IS_INT(err, SOTTO_ENOMEM, "no memory for a finding");
    IS_INT(out.count, 0, "gives none");
    sotto_findings_free(&out);
}

int main(void)
{
    test_found();
    test_left_alone();
    test_failed_allocation();
    return done_testing();
}
