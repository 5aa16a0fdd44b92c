/* SPDX-License-Identifier: Apache-2.0 */

#include "detect/names/doubt.h"

#include <stdlib.h>
#include <string.h>

#include "detect/finding.h"
#include "detect/names/lexicon.h"
#include "tap/tap.h"

#define TOKENS_MAX ((size_t)128)

static struct names_cache cache;

/* The doubt about `name` where it first stands in `text`. */
static unsigned doubt_in(const char *text, const char *name, int language)
{
    struct names_token token[TOKENS_MAX];
    struct names_tokens words = {.item = token};
    sotto_span span = sotto_span_str(text);
    const char *at = strstr(text, name);
    if (at == NULL || span.len > 2 * (TOKENS_MAX - 2)) {
        abort();
    }
    sotto_names_tokenize(span, 0, span.len, language, &cache, &words);
    size_t start = (size_t)(at - text);
    return sotto_names_doubt_of(&words, start, start + strlen(name));
}

static unsigned german(const char *text, const char *name)
{
    return doubt_in(text, name, SOTTO_LEXICON_DE);
}

static unsigned english(const char *text, const char *name)
{
    return doubt_in(text, name, SOTTO_LEXICON_EN);
}

static void test_words(void)
{
    unsigned noun = german("Nach dem Merkmal der Sache war es so.", "Merkmal");
    unsigned either = german("Gestern kam Fuchs nach Bern.", "Fuchs");
    OK(noun > 0, "a German noun alone is doubted");
    OK(either > 0 && either < noun, "one that is a last name too, less");
    IS_INT(german("Gestern kam Herr Fuchs nach Bern.", "Fuchs"), 0, "behind a title nothing is");
    IS_INT(german("Gestern kam Anna Kammer nach Bern.", "Anna Kammer"), 0, "nor with a first name");
    IS_INT(german("Gestern kam Schmidhuber nach Bern.", "Schmidhuber"), 0, "nor what is no word");
    OK(english("After that Campaign it was taken.", "Campaign") > 0,
       "an English word alone is doubted");
    IS_INT(english("After that Rose was taken.", "Rose"), 0, "not one that is a name");
    OK(english("All the Germans came.", "Germans") > 0, "a people is doubted");
    IS_INT(english("Then Christian came.", "Christian"), 0, "not one that is a first name");
    OK(german("Es war ein M. Parkinson, den man sah.", "M. Parkinson") > 0, "a disease is doubted");
    IS_INT(german("Es war M. Okonjo, den man sah.", "M. Okonjo"), 0, "not an initial");
    OK(german("Ab morgen Falithrom und Torasemid.", "Falithrom") > 0, "a remedy is doubted");
    OK(english("She took Xarelto Eliquis.", "Xarelto Eliquis") > 0, "and two of them");
    IS_INT(english("So wrote Kafka.", "Kafka"), 0, "not a name that is a program, too");
    IS_INT(german("Prof. Dr. med. habil. Xqrtson", "habil"), SOTTO_SCORE_MAX, "a title is no name");
    IS_INT(german("An Herrn Kollegen\nDr. Xqrt", "Kollegen"), SOTTO_SCORE_MAX,
           "nor behind another");
    IS_INT(doubt_in("Veuillez agr\xc3\xa9"
                    "er, Monsieur le Pr\xc3\xa9sident, tout cela.",
                    "le Pr\xc3\xa9sident", SOTTO_LEXICON_FR),
           SOTTO_SCORE_MAX, "nor what somebody is, behind a title");
    IS_INT(doubt_in("La Sra. Fiscal, en contra.", "Fiscal", SOTTO_LEXICON_ES), SOTTO_SCORE_MAX,
           "also without an article");
    OK(german("Gestern kam Richter nach Bern.", "Richter") < SOTTO_SCORE_MAX,
       "without a title it may be a name");
    IS_INT(german("Gestern kam Landrat Fuchs nach Bern.", "Fuchs"), 0,
           "a word that is a last name too is one behind what somebody is");
    OK(german("Gestern kam Landrat Merkmal nach Bern.", "Merkmal") > 0, "no other word is");
    OK(english("i told don about it", "don") < SOTTO_SCORE_MAX, "but a name in lower case may be");
    IS_INT(german("Sehr geehrter Herr Kollege Xqrtson", "Xqrtson"), 0, "but the name behind it is");
}

static void test_case(void)
{
    OK(german("Der Hund lief zu anna nach Haus.", "anna") > 0, "lower case among capitals");
    IS_INT(german("der hund lief zu anna nach haus", "anna"), 0, "not where all is lower case");
    IS_INT(english("The dog ran to anna then.", "anna"), 0, "not in English");
    OK(german("So auch das Gericht m. w. N. im Urteil.", "w. N.") > 0, "letters of a phrase");
    IS_INT(german("Gestern kam Anna v. Berg nach Bern.", "Anna v. Berg"), 0, "\"v.\" is in names");
    IS_INT(german("Gestern kam Anna von der Berg an.", "Anna von der Berg"), 0, "so are particles");
    OK(english("We saw Xqrt went Yxqz.", "Xqrt went Yxqz") > 0, "a lower case word inside");
}

static void test_neighbours(void)
{
    OK(german("Romberg sicher, Barthel 75 Punkte", "Barthel") > 0,
       "an eponym with a number behind");
    OK(german("Arthrose Kellgren-Lawrence IV rechts", "Kellgren-Lawrence IV") > 0, "or a grade");
    IS_INT(german("Gestern kam Herr Barthel 75 Minuten", "Barthel"), 0, "not behind a title");
    IS_INT(german("Gestern kam Barthel an.", "Barthel"), 0, "nor without a number");
    OK(english("the asteroid 4 Vesta was seen", "Vesta") > 0, "a number before");
    IS_INT(english("In 1737 Xqrtson was elected", "Xqrtson"), 0, "a year before is none");
    OK(english("two Legends of Xqrtson were read", "Xqrtson") > 0, "\"X of\" before");
    IS_INT(english("Several of Xqrtson's books", "Xqrtson"), 0, "not at the start of a sentence");
    OK(english("the novel Xqrtson (1922) was read", "Xqrtson") > 0, "a year in brackets behind");
    IS_INT(english("see Anna Xqrtson (1922) for it", "Anna Xqrtson"), 0, "not behind a full name");
    IS_INT(english("see Xqrtson (page 19) for it", "Xqrtson"), 0, "another word in brackets");
}

static void test_edges(void)
{
    struct names_token token[TOKENS_MAX];
    struct names_tokens words = {.item = token};
    IS_INT(sotto_names_doubt_of(&words, 0, 0), 0, "no words at all");
    sotto_names_tokenize(SOTTO_LIT("... Anna ..."), 0, 12, -1, &cache, &words);
    IS_INT(sotto_names_doubt_of(&words, 0, 3), 0, "signs before the first word");
    IS_INT(sotto_names_doubt_of(&words, 9, 12), 0, "signs behind the last one");
    OK(english("12 m of der (2000)", "der") <= SOTTO_SCORE_MAX, "never more than a score");
}

int main(void)
{
    test_words();
    test_case();
    test_neighbours();
    test_edges();
    return done_testing();
}
