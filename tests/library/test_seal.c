/* SPDX-License-Identifier: Apache-2.0 */

#include <sotto/seal.h>

#include "../seal/talking.h"
#include "base/alloc.h"
#include "words.h"

#define ANSWER "{\"choices\":[{\"message\":{\"content\":\"hello\"}}]}"

static struct talk gateway;

static enum sotto_status agree(const struct sotto_suite *suite, const unsigned char *key,
                               struct sotto_sealer **out)
{
    struct sotto_buf answer, published = talk_published(&gateway, suite);
    struct sotto_hello *hello = NULL;
    char *body = NULL;
    size_t len = 0;
    int code = 0;
    sotto_buf_init(&answer, (size_t)1 << 20);
    enum sotto_status status =
        sotto_hello_new(suite->name, published.base, published.len, &body, &len, &hello);
    if (status == SOTTO_STATUS_OK &&
        talk_ask(&gateway, "POST", "/v1/seal/session", sotto_span_init(body, len), &answer,
                 &code) != SOTTO_OK) {
        status = SOTTO_STATUS_CRYPTO;
    }
    if (status == SOTTO_STATUS_OK) {
        status = sotto_hello_finish(hello, (const char *)answer.base, answer.len, key, out);
    }
    sotto_hello_free(hello);
    sotto_text_free(body);
    sotto_buf_free(&answer);
    sotto_buf_free(&published);
    return status;
}

static enum sotto_status seal_one(struct sotto_sealer *sealer, char **body, size_t *len,
                                  struct sotto_opener **opener)
{
    return sotto_sealer_seal(sealer, "POST", TALK_PATH, TALK_MODEL, TALK_TEXT, strlen(TALK_TEXT),
                             body, len, opener);
}

static struct sotto_seal_exchange *receive(const char *body, size_t len)
{
    struct sotto_http_head head = talk_head("POST", TALK_PATH, TALK_SEALED);
    struct sotto_seal_exchange *exchange = NULL;
    struct sotto_buf plain;
    sotto_buf_init(&plain, (size_t)1 << 20);
    IS_INT(talk_receive(&gateway, &head, sotto_span_init(body, len), &exchange, &plain), SOTTO_OK,
           "the gateway opens it");
    IS_TEXT(plain.base, plain.len, TALK_TEXT, "and has the text");
    sotto_buf_free(&plain);
    return exchange;
}

static yyjson_mut_doc *document(void)
{
    yyjson_mut_doc *doc = NULL;
    if (sotto_json_read(SOTTO_LIT(ANSWER), 8, &doc, NULL) != SOTTO_OK) {
        printf("Bail out! no document\n");
        exit(1);
    }
    return doc;
}

/* One request whole: `flip` is the byte of the answer that is changed; SIZE_MAX: none. */
static enum sotto_status talk_whole(struct sotto_sealer *sealer, int status_seen, size_t flip)
{
    struct sotto_opener *opener = NULL;
    struct sotto_buf answer;
    char *body = NULL, *text = NULL;
    size_t len = 0;
    yyjson_mut_doc *doc = document();
    sotto_buf_init(&answer, (size_t)1 << 20);
    IS_INT(seal_one(sealer, &body, &len, &opener), SOTTO_STATUS_OK, "a request is sealed");
    struct sotto_seal_exchange *exchange = receive(body, len);
    IS_INT(exchange->profile->answer(exchange, 200, doc, &answer), SOTTO_OK, "and answered");
    if (flip < answer.len) {
        answer.base[flip] ^= 1;
    }
    enum sotto_status status = sotto_opener_answer(opener, status_seen, (const char *)answer.base,
                                                   answer.len, &text, NULL);
    if (status == SOTTO_STATUS_OK) {
        IS_STR(text, ANSWER, "the answer opens");
    } else {
        OK(text == NULL, "nothing is put out");
    }
    sotto_text_free(text);
    text = NULL;
    IS_INT(sotto_opener_answer(opener, 200, (const char *)answer.base, answer.len, &text, NULL),
           SOTTO_STATUS_ENDED, "once");
    sotto_json_free(doc);
    sotto_seal_exchange_free(exchange);
    sotto_opener_free(opener);
    sotto_text_free(body);
    sotto_buf_free(&answer);
    return status;
}

static void test_suite(const struct sotto_suite *suite)
{
    struct sotto_sealer *sealer = NULL;
    unsigned char other[SOTTO_SIGNING_KEY_BYTES];
    talk_open(&gateway, suite);
    IS_INT(agree(suite, gateway.signer.public_key, &sealer), SOTTO_STATUS_OK, "%s: a session",
           suite->name);
    IS_INT(sotto_sealer_lifetime(sealer), TALK_LIFE_S, "with its life");
    IS_STR(sotto_sealer_environment(sealer), "none", "and what it runs in");
    IS_INT(talk_whole(sealer, 200, SIZE_MAX), SOTTO_STATUS_OK, "there and back");
    IS_INT(talk_whole(sealer, 400, SIZE_MAX), SOTTO_STATUS_REFUSED, "another status");
    IS_INT(talk_whole(sealer, 200, 20), SOTTO_STATUS_REFUSED, "a changed byte");
    sotto_sealer_free(sealer);
    sealer = NULL;
    memcpy(other, gateway.signer.public_key, sizeof(other));
    other[0] ^= 1;
    IS_INT(agree(suite, other, &sealer), SOTTO_STATUS_REFUSED,
           "a gateway with another key is refused");
    OK(sealer == NULL, "and gives no session");
    talk_close(&gateway);
}

static void test_auto(void)
{
    struct sotto_hello *hello = NULL;
    char *body = NULL;
    IS_INT(sotto_hello_new("auto", NULL, 0, &body, NULL, &hello), SOTTO_STATUS_OK, "auto");
    OK(strstr(body, "\"suite\":\"x-wing\"") != NULL, "is the strongest suite");
    sotto_text_free(body);
    sotto_hello_free(hello);
    IS_INT(sotto_hello_new("rot13", NULL, 0, &body, NULL, &hello), SOTTO_STATUS_OPTION,
           "there is no other");
    IS_INT(sotto_hello_new("rsa4096", NULL, 0, &body, NULL, &hello), SOTTO_STATUS_OPTION,
           "and none of them is without the key that it needs");
}

static void test_places(void)
{
    const struct sotto_suite *suite = &sotto_suites[0];
    struct sotto_sealer *sealer = NULL;
    struct sotto_opener *opener = NULL;
    char *body = NULL, model[SOTTO_SEAL_MODEL_MAX + 2];
    size_t len = 0;
    talk_open(&gateway, suite);
    IS_INT(agree(suite, gateway.signer.public_key, &sealer), SOTTO_STATUS_OK, "a session");
    memset(model, 'm', sizeof(model) - 1);
    model[sizeof(model) - 1] = '\0';
    IS_INT(sotto_sealer_seal(sealer, "POST", TALK_PATH, model, "{}", 2, &body, &len, &opener),
           SOTTO_STATUS_OPTION, "a name of a model has its length");
    OK(body == NULL && opener == NULL, "nothing is put out");
    sotto_sealer_free(sealer);
    talk_close(&gateway);
}

/* Events of a stream, each behind "data: ". */
static size_t events_of(struct sotto_buf *all, sotto_span *out, size_t max)
{
    size_t n = 0;
    sotto_span rest = sotto_buf_span(all);
    while (n < max && rest.len > 8) {
        const uint8_t *end = memmem(rest.base, rest.len, "\n\n", 2);
        size_t len = end == NULL ? rest.len : (size_t)(end - rest.base);
        out[n++] = sotto_span_sub(rest, 6, len);
        rest = sotto_span_skip(rest, end == NULL ? len : len + 2);
    }
    return n;
}

static void test_stream(void)
{
    const struct sotto_suite *suite = &sotto_suites[0];
    struct sotto_sealer *sealer = NULL;
    struct sotto_opener *opener = NULL;
    struct sotto_buf all;
    sotto_span events[8] = {{0}};
    char *body = NULL, *text = NULL;
    size_t len = 0;
    int last = 0;
    yyjson_mut_doc *doc = document();
    talk_open(&gateway, suite);
    sotto_buf_init(&all, (size_t)1 << 20);
    IS_INT(agree(suite, gateway.signer.public_key, &sealer), SOTTO_STATUS_OK, "a session");
    IS_INT(seal_one(sealer, &body, &len, &opener), SOTTO_STATUS_OK, "a request");
    sotto_sealer_free(sealer); /* its openers stay */
    struct sotto_seal_exchange *exchange = receive(body, len);
    IS_INT(exchange->profile->event(exchange, doc, &all), SOTTO_OK, "an event");
    IS_INT(exchange->profile->end(exchange, &all), SOTTO_OK, "and the end");
    IS_SIZE(events_of(&all, events, SOTTO_COUNT(events)), 3, "a head and two records");
    for (size_t i = 0; i < 3; i++) {
        IS_INT(last, 0, "it goes on");
        IS_INT(sotto_opener_event(opener, (const char *)events[i].base, events[i].len, &text, &len,
                                  &last),
               SOTTO_STATUS_OK, "event %zu", i);
        IS_STR(text, i == 1 ? ANSWER : "", "is what was sealed");
        sotto_text_free(text);
    }
    IS_INT(last, 1, "it has ended");
    IS_INT(
        sotto_opener_event(opener, (const char *)events[1].base, events[1].len, &text, &len, &last),
        SOTTO_STATUS_ENDED, "nothing follows");
    sotto_json_free(doc);
    sotto_seal_exchange_free(exchange);
    sotto_opener_free(opener);
    sotto_text_free(body);
    sotto_buf_free(&all);
    talk_close(&gateway);
}

static void test_faults(void)
{
    const struct sotto_suite *suite = &sotto_suites[0];
    struct sotto_sealer *sealer = NULL;
    enum sotto_status status = SOTTO_STATUS_MEMORY;
    size_t wrong = 0;
    talk_open(&gateway, suite);
    IS_INT(agree(suite, gateway.signer.public_key, &sealer), SOTTO_STATUS_OK, "a session");
    for (size_t n = 1; n < 1000 && status != SOTTO_STATUS_OK; n++) {
        struct sotto_opener *opener = NULL;
        char *body = NULL;
        size_t len = 0;
        sotto_alloc_set_fault(n);
        status = seal_one(sealer, &body, &len, &opener);
        sotto_alloc_set_fault(0);
        wrong += status != SOTTO_STATUS_OK && (body != NULL || opener != NULL);
        sotto_text_free(body);
        sotto_opener_free(opener);
    }
    IS_INT(status, SOTTO_STATUS_OK, "each allocation of a request failed once, and then none");
    status = SOTTO_STATUS_MEMORY;
    for (size_t n = 1; n < 1000 && status != SOTTO_STATUS_OK; n++) {
        struct sotto_hello *hello = NULL;
        char *body = NULL;
        sotto_alloc_set_fault(n);
        status = sotto_hello_new("auto", NULL, 0, &body, NULL, &hello);
        sotto_alloc_set_fault(0);
        wrong += status != SOTTO_STATUS_OK && (body != NULL || hello != NULL);
        sotto_text_free(body);
        sotto_hello_free(hello);
    }
    IS_INT(status, SOTTO_STATUS_OK, "each one of a hello");
    IS_SIZE(wrong, 0, "and nothing was put out then");
    sotto_sealer_free(sealer);
    talk_close(&gateway);
}

int main(void)
{
    for (size_t i = 0; i < SOTTO_SUITE_COUNT; i++) {
        test_suite(&sotto_suites[i]);
    }
    test_auto();
    test_places();
    test_stream();
    test_faults();
    return done_testing();
}
