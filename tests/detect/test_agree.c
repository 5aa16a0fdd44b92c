/* SPDX-License-Identifier: Apache-2.0 */

#include "detect/agree.h"

#include "detect/names/names.h"
#include "detect/rule.h"
#include "tap/tap.h"

static struct sotto_finding make(enum sotto_layer layer, uint32_t start, uint32_t end,
                                 enum sotto_label label)
{
    return (struct sotto_finding){
        .start = start, .end = end, .score = 800, .label = (uint8_t)label, .layer = (uint8_t)layer};
}

static void add(struct sotto_findings *list, struct sotto_finding f)
{
    if (sotto_findings_add(list, f) != SOTTO_OK) {
        abort();
    }
}

/* Judges findings of `text` from `first` on as detection does once a window is scanned. */
static void judge(sotto_span text, struct sotto_findings *list, size_t first)
{
    struct sotto_findings found = {0};
    struct sotto_names *names;
    if (sotto_names_new(&names) != SOTTO_OK) {
        abort();
    }
    sotto_names_begin(names);
    if (sotto_names_scan(names, text, 0, text.len, &found) != SOTTO_OK) {
        abort();
    }
    sotto_agree(text, names, list, first);
    sotto_names_free(names);
    sotto_findings_free(&found);
}

/* The score that a person of the tagger's has at [start, end) of `text` afterwards. */
static int score_at(const char *text, uint32_t start, uint32_t end)
{
    struct sotto_findings list = {0};
    add(&list, make(SOTTO_LAYER_TAGGER, start, end, SOTTO_LABEL_PERSON));
    add(&list, make(SOTTO_LAYER_NAMES, start, end, SOTTO_LABEL_PERSON));
    judge(sotto_span_str(text), &list, 0);
    int score = list.items[0].score;
    IS_INT(list.items[1].score, score, "both layers are judged alike: %s", text);
    sotto_findings_free(&list);
    return score;
}

static void test_honours(void)
{
    IS_INT(score_at("the Maria Lopez Award", 4, 21), 0, "a prize that ends in its word");
    IS_INT(score_at("the maria lopez award", 4, 21), 0, "in lower case");
    IS_INT(score_at("the Maria Lopez Prize", 4, 15), 0, "its word stands behind");
    IS_INT(score_at("le prix Maria Lopez", 8, 19), 0, "its word stands in front");
    IS_INT(score_at("il Premio Lopez", 3, 15), 0, "and inside");
    IS_INT(score_at("Maria Lopez awarded it", 0, 11), 800, "another word behind");
    IS_INT(score_at("give Maria cup and plate", 5, 10), 800, "not meant as a name behind");
    IS_INT(score_at("Maria Lopez. Award", 0, 11), 800, "behind a full stop");
    IS_INT(score_at("Maria Lopez", 0, 11), 800, "nothing around");
}

static void test_doubts(void)
{
    const char *german = "Der Senat hat die Sache und das Merkmal nicht mit dem Fall befasst.";
    IS_INT(score_at(german, 32, 39), 400, "a German noun alone must be surer");
    IS_INT(score_at("the asteroid 4 Vesta was seen", 15, 20), 550,
           "what is numbered must be surer");
}

/* The score that a finding of the lists has where the tagger hints at `hinted`. */
static int score_hinted(enum sotto_label listed, enum sotto_label hinted, bool only_a_hint)
{
    struct sotto_findings list = {0};
    struct sotto_finding hint = make(SOTTO_LAYER_TAGGER, 4, 9, hinted);
    hint.rule = only_a_hint ? SOTTO_RULE_TAGGER_HINT : SOTTO_RULE_NONE;
    add(&list, make(SOTTO_LAYER_NAMES, 4, 9, listed));
    add(&list, hint);
    judge(SOTTO_LIT("... ..... ..."), &list, 0);
    int score = list.items[0].score;
    sotto_findings_free(&list);
    return score;
}

static void test_hints(void)
{
    enum sotto_label person = SOTTO_LABEL_PERSON, org = SOTTO_LABEL_ORG;
    IS_INT(score_hinted(person, person, true), 800, "a hint at a person bears out a person");
    IS_INT(score_hinted(person, org, true), 0, "a hint at something else does not");
    IS_INT(score_hinted(person, org, false), 800, "but finding something else does");
    IS_INT(score_hinted(org, person, true), 800, "what is no person needs any hint");
}

/* The score that a finding of the tagger's alone has at [start, end) of `text` afterwards. */
static int score_alone(const char *text, uint32_t start, uint32_t end, enum sotto_label label)
{
    struct sotto_findings list = {0};
    add(&list, make(SOTTO_LAYER_TAGGER, start, end, label));
    judge(sotto_span_str(text), &list, 0);
    int score = list.items[0].score;
    sotto_findings_free(&list);
    return score;
}

static void test_languages(void)
{
    const char *english = "it was not what they had thought of when Xqrt came";
    const char *german = "das war nicht so, wie sie es sich gedacht hatten, als Xqrt kam";

    IS_INT(score_alone(english, 41, 45, SOTTO_LABEL_PERSON), 450, "a person in English");
    IS_INT(score_alone(german, 54, 58, SOTTO_LABEL_PERSON), 600, "not as sure in German");
    IS_INT(score_alone(english, 41, 45, SOTTO_LABEL_LOCATION), 600, "nor a place anywhere");
}

int main(void)
{
    test_languages();
    test_honours();
    test_hints();
    test_doubts();
    sotto_span text = SOTTO_LIT("............................................");
    struct sotto_findings list = {0};
    struct sotto_finding hint = make(SOTTO_LAYER_TAGGER, 30, 34, SOTTO_LABEL_PERSON);
    hint.score = 200;
    hint.rule = SOTTO_RULE_TAGGER_HINT;

    add(&list, make(SOTTO_LAYER_TAGGER, 0, 5, SOTTO_LABEL_PERSON));
    add(&list, make(SOTTO_LAYER_TAGGER, 10, 15, SOTTO_LABEL_PERSON));
    add(&list, make(SOTTO_LAYER_NAMES, 12, 20, SOTTO_LABEL_LOCATION));
    add(&list, make(SOTTO_LAYER_TAGGER, 22, 26, SOTTO_LABEL_DATE));
    add(&list, make(SOTTO_LAYER_NAMES, 28, 32, SOTTO_LABEL_PERSON));
    add(&list, hint);
    add(&list, make(SOTTO_LAYER_NAMES, 34, 38, SOTTO_LABEL_PERSON));
    add(&list, make(SOTTO_LAYER_RECOGNIZER, 40, 44, SOTTO_LABEL_PERSON));
    judge(text, &list, 1);
    IS_INT(list.items[0].score, 800, "what stands before the first is not looked at");
    IS_INT(list.items[1].score, 800, "a name that the lists bear out keeps its score");
    IS_INT(list.items[2].score, 800, "and so does what the lists found there");
    IS_INT(list.items[3].score, 800, "a date needs no list");
    IS_INT(list.items[4].score, 800, "a hint bears out a name of the lists");
    IS_INT(list.items[6].score, 0, "without one it is nothing, also directly behind");
    IS_INT(list.items[7].score, 800, "recognizers are not asked");
    judge(text, &list, 0);
    IS_INT(list.items[0].score, 450, "a person that no list bears out must be surer");
    sotto_findings_free(&list);
    return done_testing();
}
