/* SPDX-License-Identifier: Apache-2.0 */

#include "detect/names/people.h"

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
    IS_INT(sotto_names_people(&t, 0, t.count, &out), SOTTO_OK, "%s", text);
    for (size_t i = 0; i < out.count; i++) {
        at += (size_t)snprintf(got + at, sizeof(got) - at, "%s%.*s", at == 0 ? "" : ",",
                               (int)(out.items[i].end - out.items[i].start),
                               text + out.items[i].start);
    }
    IS_TEXT(got, at, want, "peoples in %s", text);
    sotto_findings_free(&out);
}

static void test_found(void)
{
    check("I am Kenyan and live in Rome.", "Kenyan");
    check("I'm a Muslim, she is Jewish.", "Muslim,Jewish");
    check("i am also polish", "polish");
    check("As a Mexican I do not agree.", "Mexican");
    check("My wife is Dutch.", "Dutch");
    check("Anna was a devout Catholic.", "Catholic");
    check("He met his Swedish wife there.", "Swedish");
    check("She has a Nigerian passport.", "Nigerian");
    check("A man of Greek descent called.", "Greek");
    check("Nationality: Swiss\nReligion: Hindu", "Swiss,Hindu");
}

static void test_left_alone(void)
{
    check("", "");
    check("We ate at a German restaurant.", "");
    check("American football is a game.", "");
    check("The Dutch and the Belgians won.", "");
    check("The car is German.", "");
    check("It is as Italian as pizza.", "");
    check("Is French hard to learn?", "");
    check("Kenyan", "");
}

static void test_failed_allocation(void)
{
    const char *text = "I am Kenyan.";
    struct names_token token[MOST];
    static struct names_cache cache;
    struct names_tokens t = {.item = token};
    struct sotto_findings out = {0};

    sotto_names_tokenize(sotto_span_str(text), 0, strlen(text), -1, &cache, &t);
    (void)sotto_alloc_set_fault(1);
    enum sotto_err err = sotto_names_people(&t, 0, t.count, &out);
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
