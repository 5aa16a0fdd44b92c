/* SPDX-License-Identifier: Apache-2.0 */

#include <sotto/sotto.h>

#include "base/alloc.h"
#include "words.h"

#define TEXT "Call Margaret Thornbury, m.thornbury@example.org. Margaret Thornbury is in."

static const unsigned char key[SOTTO_CONVERSATION_KEY_BYTES] = "of no secret at all, for tests";

static struct sotto_engine *engine;

static struct sotto_conversation *must_start(const unsigned char *with, const char *name)
{
    struct sotto_conversation *c = NULL;
    IS_INT(sotto_conversation_new(engine, with, name, strlen(name), &c), SOTTO_STATUS_OK,
           "a conversation");
    return c;
}

static char *must_redact(struct sotto_conversation *c, const char *text)
{
    char *out = NULL;
    size_t len = 0;
    IS_INT(sotto_conversation_redact(c, text, strlen(text), &out, &len), SOTTO_STATUS_OK,
           "redacted");
    OK(out != NULL && strlen(out) == len, "its length is told");
    return out;
}

static void test_there_and_back(void)
{
    struct sotto_conversation *c = must_start(key, "a");
    char *safe = must_redact(c, TEXT), *back = NULL;
    OK(strstr(safe, "Thornbury") == NULL && strstr(safe, "example.org") == NULL,
       "no value is left: %s", safe);
    OK(strstr(safe, "PERSON") != NULL && strstr(safe, "EMAIL") != NULL, "tokens are there");
    IS_SIZE(sotto_conversation_count(c), 2, "one for each value");
    IS_INT(sotto_conversation_restore(c, safe, strlen(safe), &back, NULL), SOTTO_STATUS_OK,
           "restored");
    IS_STR(back, TEXT, "is what it was");
    sotto_text_free(back);
    sotto_text_free(safe);
    sotto_conversation_free(c);
}

static void test_tokens_of_two_conversations(void)
{
    struct sotto_conversation *a = must_start(key, "a"), *again = must_start(key, "a"),
                              *b = must_start(key, "b"), *other = must_start(NULL, "a");
    char *text[] = {must_redact(a, TEXT), must_redact(again, TEXT), must_redact(b, TEXT),
                    must_redact(other, TEXT)};
    char *back = NULL;
    IS_STR(text[0], text[1], "the same key and name: the same tokens");
    OK(strcmp(text[0], text[2]) != 0, "another name: other tokens");
    OK(strcmp(text[0], text[3]) != 0, "another key: other tokens");
    IS_INT(sotto_conversation_restore(b, text[0], strlen(text[0]), &back, NULL), SOTTO_STATUS_OK,
           "a text of another conversation");
    IS_STR(back, text[0], "stays as it is");
    sotto_text_free(back);
    for (size_t i = 0; i < SOTTO_COUNT(text); i++) {
        sotto_text_free(text[i]);
    }
    sotto_conversation_free(a);
    sotto_conversation_free(again);
    sotto_conversation_free(b);
    sotto_conversation_free(other);
}

/* Feeds `text` in two pieces, cut at `split`, and compares with TEXT. */
static bool restores(const struct sotto_conversation *c, const char *text, size_t split)
{
    struct sotto_restorer *r = NULL;
    char whole[512] = "", *piece[3] = {NULL, NULL, NULL};
    bool good = sotto_restorer_new(c, &r) == SOTTO_STATUS_OK &&
                sotto_restorer_feed(r, text, split, &piece[0], NULL) == SOTTO_STATUS_OK &&
                sotto_restorer_feed(r, text + split, strlen(text) - split, &piece[1], NULL) ==
                    SOTTO_STATUS_OK &&
                sotto_restorer_end(r, &piece[2], NULL) == SOTTO_STATUS_OK;
    for (size_t i = 0; i < SOTTO_COUNT(piece) && good; i++) {
        strncat(whole, piece[i], sizeof(whole) - strlen(whole) - 1);
    }
    for (size_t i = 0; i < SOTTO_COUNT(piece); i++) {
        sotto_text_free(piece[i]);
    }
    sotto_restorer_free(r);
    return good && strcmp(whole, TEXT) == 0;
}

static void test_restoring_at_every_split(void)
{
    struct sotto_conversation *c = must_start(key, "a");
    char *safe = must_redact(c, TEXT), *out = NULL;
    size_t good = 0, len = strlen(safe);
    for (size_t split = 0; split <= len; split++) {
        good += restores(c, safe, split);
    }
    IS_SIZE(good, len + 1, "any split gives the whole");
    struct sotto_restorer *r = NULL;
    IS_INT(sotto_restorer_new(c, &r), SOTTO_STATUS_OK, "a restorer");
    IS_INT(sotto_restorer_end(r, &out, NULL), SOTTO_STATUS_OK, "ends");
    IS_STR(out, "", "with nothing");
    sotto_text_free(out);
    out = NULL;
    IS_INT(sotto_restorer_feed(r, "x", 1, &out, NULL), SOTTO_STATUS_ENDED, "and takes no more");
    OK(out == NULL, "and puts nothing out");
    sotto_restorer_free(r);
    sotto_text_free(safe);
    sotto_conversation_free(c);
}

static void test_what_is_refused(void)
{
    struct sotto_conversation *c = must_start(key, "a");
    char *out = NULL;
    IS_INT(sotto_conversation_redact(c, "\xc3", 1, &out, NULL), SOTTO_STATUS_TEXT, "half a letter");
    IS_INT(sotto_conversation_restore(c, "\xc3", 1, &out, NULL), SOTTO_STATUS_TEXT, "likewise");
    IS_INT(sotto_conversation_redact(c, "", SOTTO_TEXT_MAX + 1, &out, NULL), SOTTO_STATUS_LIMIT,
           "too long");
    OK(out == NULL, "nothing is put out");
    sotto_conversation_free(c);
    sotto_conversation_free(NULL);
    sotto_restorer_free(NULL);
    sotto_text_free(NULL);
}

static void test_every_allocation_failure(void)
{
    size_t failed = 0, total = 1;
    for (size_t n = 0; n <= total; n++) {
        struct sotto_conversation *c = must_start(key, "a");
        char *out = NULL;
        sotto_alloc_set_fault(n);
        enum sotto_status status = sotto_conversation_redact(c, TEXT, strlen(TEXT), &out, NULL);
        size_t count = sotto_alloc_set_fault(0);
        total = n == 0 ? count : total;
        failed += n != 0 && status == SOTTO_STATUS_MEMORY && out == NULL;
        sotto_text_free(out);
        sotto_conversation_free(c);
    }
    IS_SIZE(failed, total, "each allocation that fails is told, and puts no text out");
}

int main(void)
{
    const struct sotto_engine_options options = {.size = sizeof(options), .mode = "standard"};
    IS_INT(sotto_engine_new(&options, &engine), SOTTO_STATUS_OK, "an engine");
    test_there_and_back();
    test_tokens_of_two_conversations();
    test_restoring_at_every_split();
    test_what_is_refused();
    test_every_allocation_failure();
    sotto_engine_free(engine);
    return done_testing();
}
