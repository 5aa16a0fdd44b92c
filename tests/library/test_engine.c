/* SPDX-License-Identifier: Apache-2.0 */

#include "library/engine.h"

#include "base/alloc.h"
#include "words.h"

static struct sotto_engine *must_make(const struct sotto_engine_options *options)
{
    struct sotto_engine *engine = NULL;
    IS_INT(sotto_engine_new(options, &engine), SOTTO_STATUS_OK, "an engine");
    return engine;
}

/* "LABEL text|LABEL text|" of what is found; "status N" where that fails. */
static const char *found_in(const struct sotto_engine *engine, const char *text)
{
    static char line[1024];
    struct sotto_entities *list = NULL;
    enum sotto_status status = sotto_engine_detect(engine, text, strlen(text), &list);
    size_t at = 0;
    line[0] = '\0';
    if (status != SOTTO_STATUS_OK) {
        snprintf(line, sizeof(line), "status %d", (int)status);
    }
    for (size_t i = 0; list != NULL && i < sotto_entities_count(list); i++) {
        const struct sotto_entity *e = sotto_entities_at(list, i);
        at += (size_t)snprintf(line + at, sizeof(line) - at, "%s %.*s|", e->label,
                               (int)(e->end - e->start), text + e->start);
    }
    sotto_entities_free(list);
    return line;
}

static void test_what_is_found(void)
{
    struct sotto_engine *engine = must_make(NULL);
    IS_STR(found_in(engine, "Call Margaret Thornbury, m.thornbury@example.org."),
           "PERSON Margaret Thornbury|EMAIL m.thornbury@example.org|", "all labels, in order");
    IS_STR(found_in(engine, ""), "", "nothing in nothing");
    IS_STR(found_in(engine, "a\xff"), "status 2", "what is not UTF-8");
    struct sotto_entities *list = NULL;
    IS_INT(sotto_engine_detect(engine, "", SOTTO_TEXT_MAX + 1, &list), SOTTO_STATUS_LIMIT,
           "a text that is too long is not looked at");
    OK(list == NULL, "and puts nothing out");
    IS_INT(sotto_engine_detect(engine, "card 4111 1111 1111 1111", 24, &list), SOTTO_STATUS_OK,
           "a card");
    const struct sotto_entity *card = sotto_entities_at(list, 0);
    OK(card != NULL && card->type != NULL && strcmp(card->type, "CREDIT_CARD") == 0 &&
           card->rule[0] != '\0' && card->score > 0.5 && card->score <= 1,
       "has an exact type, a rule and a score");
    OK(sotto_entities_at(list, sotto_entities_count(list)) == NULL, "behind the last one is none");
    sotto_entities_free(list);
    sotto_engine_free(engine);
}

static void test_options(void)
{
    static const char *const allow[] = {"m.thornbury@example.org", NULL};
    static const char *const deny[] = {"Bluebird", NULL};
    struct sotto_engine_options options = {
        .size = sizeof(options), .mode = "standard", .allow = allow, .deny = deny};
    struct sotto_engine *engine = must_make(&options);
    IS_STR(found_in(engine, "The Bluebird team in Lisbon, m.thornbury@example.org."),
           "ID Bluebird|", "mode, allowed and denied words");
    sotto_engine_free(engine);
    options = (struct sotto_engine_options){.size = sizeof(options), .threshold = 1};
    engine = must_make(&options);
    IS_STR(found_in(engine, "m.thornbury@example.org"), "", "a threshold that nothing reaches");
    sotto_engine_free(engine);
}

static void test_options_that_are_refused(void)
{
    static const struct {
        const char *name;
        struct sotto_engine_options options;
    } cases[] = {
        {"no size", {0}},
        {"too small", {.size = sizeof(struct sotto_engine_options) - 1}},
        {"of a later header", {.size = sizeof(struct sotto_engine_options) + 8}},
        {"an unknown mode", {.size = sizeof(struct sotto_engine_options), .mode = "hippo"}},
        {"an unknown language", {.size = sizeof(struct sotto_engine_options), .language = "tlh"}},
        {"a threshold above 1", {.size = sizeof(struct sotto_engine_options), .threshold = 1.1}},
        {"a negative one", {.size = sizeof(struct sotto_engine_options), .threshold = -0.1}},
    };
    for (size_t i = 0; i < SOTTO_COUNT(cases); i++) {
        struct sotto_engine *engine = NULL;
        IS_INT(sotto_engine_new(&cases[i].options, &engine), SOTTO_STATUS_OPTION, "%s",
               cases[i].name);
        OK(engine == NULL, "%s: nothing is put out", cases[i].name);
    }
}

static void test_every_allocation_failure(void)
{
    struct sotto_engine *engine = must_make(NULL);
    struct sotto_entities *list = NULL;
    static const char text[] = "Call Margaret Thornbury, m.thornbury@example.org.";
    size_t failed = 0;
    sotto_alloc_set_fault(0);
    IS_INT(sotto_engine_detect(engine, text, sizeof(text) - 1, &list), SOTTO_STATUS_OK, "dry run");
    size_t total = sotto_alloc_set_fault(0);
    sotto_entities_free(list);
    for (size_t n = 1; n <= total; n++) {
        list = NULL;
        sotto_alloc_set_fault(n);
        enum sotto_status status = sotto_engine_detect(engine, text, sizeof(text) - 1, &list);
        sotto_alloc_set_fault(0);
        failed += status == SOTTO_STATUS_MEMORY && list == NULL;
        sotto_entities_free(list);
    }
    IS_SIZE(failed, total, "each allocation that fails is told, and puts nothing out");
    sotto_engine_free(engine);
    sotto_engine_free(NULL);
    sotto_entities_free(NULL);
}

int main(void)
{
    test_what_is_found();
    test_options();
    test_options_that_are_refused();
    test_every_allocation_failure();
    return done_testing();
}
