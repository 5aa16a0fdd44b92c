/* SPDX-License-Identifier: Apache-2.0 */

#include "seal/profile.h"

#include "base/alloc.h"
#include "crypto/base64.h"
#include "crypto/random.h"
#include "seal/talking.h"

#define MAX ((size_t)1 << 20)

static yyjson_mut_doc *doc_of(const char *text)
{
    yyjson_mut_doc *doc = NULL;
    return sotto_json_read(sotto_span_str(text), 16, &doc, NULL) == SOTTO_OK ? doc : NULL;
}

/* A request that is opened: both ends of it. */
struct pair {
    struct sotto_native_pending *pending;
    struct sotto_seal_exchange *exchange;
};

static struct pair ask(struct talk *t, struct sotto_native_client *client)
{
    struct sotto_http_head head = talk_head("POST", TALK_PATH, TALK_SEALED);
    struct sotto_native_place place = talk_place();
    struct sotto_buf body, plain;
    struct pair p = {NULL, NULL};
    sotto_buf_init(&body, MAX);
    sotto_buf_init(&plain, MAX);
    enum sotto_err err =
        sotto_native_request(client, &place, SOTTO_LIT(TALK_TEXT), &body, &p.pending);
    if (err == SOTTO_OK) {
        err = talk_receive(t, &head, sotto_buf_span(&body), &p.exchange, &plain);
    }
    IS_INT(err, SOTTO_OK, "a sealed request is opened");
    IS_TEXT(plain.base, plain.len, TALK_TEXT, "and is what was sealed");
    IS_TEXT(p.exchange->model.base, p.exchange->model.len, TALK_MODEL, "bound to its model");
    sotto_buf_free(&body);
    sotto_buf_free(&plain);
    return p;
}

static void pair_free(struct pair *p)
{
    sotto_native_pending_free(p->pending);
    sotto_seal_exchange_free(p->exchange);
}

static void test_suite(const struct sotto_suite *suite)
{
    struct talk t;
    struct sotto_native_client *client = NULL;
    struct sotto_buf answer, text;
    talk_open(&t, suite);
    sotto_buf_init(&answer, MAX);
    sotto_buf_init(&text, MAX);
    IS_INT(talk_agree(&t, suite, &client), SOTTO_OK, "%s: a session", suite->name);
    IS_INT(sotto_native_lifetime(client), TALK_LIFE_S, "that lives for an hour");
    IS_TEXT(sotto_native_tee(client), strlen(sotto_native_tee(client)), "none", "without a TEE");

    struct pair p = ask(&t, client);
    OK(strcmp(p.exchange->session->algorithm, suite->name) == 0, "the session names its suite");
    IS_INT(p.exchange->session->forward_secret, suite->ephemeral, "and whether it looks forward");
    OK(strcmp(p.exchange->session->owner, TALK_OWNER) == 0, "and who began it");
    yyjson_mut_doc *doc = doc_of("{\"id\":\"x\"}");
    IS_INT(p.exchange->profile->answer(p.exchange, 404, doc, &answer), SOTTO_OK, "an answer");
    IS_INT((answer.len - SOTTO_NATIVE_ANSWER_HEAD - 1 - 16) % 256, 0, "has a padded length");
    IS_INT(sotto_native_whole(p.pending, 404, sotto_buf_span(&answer), &text), SOTTO_OK, "opens");
    IS_TEXT(text.base, text.len, "{\"id\":\"x\"}", "and is what was sealed");
    IS_INT(p.exchange->profile->answer(p.exchange, 200, doc, &answer), SOTTO_ESTATE,
           "there is no second answer");
    IS_INT(sotto_native_whole(p.pending, 404, sotto_buf_span(&answer), &text), SOTTO_ESTATE,
           "nor is one opened");
    sotto_json_free(doc);
    pair_free(&p);
    sotto_buf_free(&answer);
    sotto_buf_free(&text);
    sotto_native_client_free(client);
    talk_close(&t);
}

/* --- requests that are not opened -------------------------------------------------------------- */

static void is_refused(struct talk *t, const char *path, sotto_span body, const char *what)
{
    struct sotto_http_head head = talk_head("POST", path, TALK_SEALED);
    struct sotto_seal_exchange *exchange = NULL;
    struct sotto_buf plain;
    sotto_buf_init(&plain, MAX);
    IS_INT(talk_receive(t, &head, body, &exchange, &plain), SOTTO_EAUTH, "%s", what);
    OK(plain.len == 0 && exchange == NULL, "gives nothing");
    sotto_buf_free(&plain);
}

/* Quietly: the same, of many. */
static bool refused(struct talk *t, const struct sotto_http_head *head, sotto_span body)
{
    struct sotto_seal_exchange *exchange = NULL;
    struct sotto_buf plain;
    sotto_buf_init(&plain, MAX);
    enum sotto_err err = talk_receive(t, head, body, &exchange, &plain);
    bool nothing = err == SOTTO_EAUTH && plain.len == 0 && exchange == NULL;
    sotto_seal_exchange_free(exchange);
    sotto_buf_free(&plain);
    return nothing;
}

static void test_refused_requests(void)
{
    struct talk t;
    struct sotto_native_client *client = NULL;
    struct sotto_native_pending *pending = NULL;
    struct sotto_native_place place = talk_place();
    struct sotto_http_head head = talk_head("POST", TALK_PATH, TALK_SEALED "; v=1");
    struct sotto_buf body;
    talk_open(&t, &sotto_suites[0]);
    sotto_buf_init(&body, MAX);
    IS_INT(talk_agree(&t, &sotto_suites[0], &client), SOTTO_OK, "a session");
    IS_INT(sotto_native_request(client, &place, SOTTO_LIT(TALK_TEXT), &body, &pending), SOTTO_OK,
           "a request");
    bool all = true;
    for (size_t i = 0; i < body.len; i++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            body.base[i] ^= (uint8_t)(1U << bit);
            all = refused(&t, &head, sotto_buf_span(&body)) && all;
            body.base[i] ^= (uint8_t)(1U << bit);
        }
    }
    OK(all, "each of the bits of a request, flipped, is noticed (%zu bytes)", body.len);
    for (size_t n = 0; n < body.len; n++) {
        all = refused(&t, &head, sotto_span_init(body.base, n)) && all;
    }
    OK(all, "and each cut");
    is_refused(&t, "/v1/embeddings", sotto_buf_span(&body), "another path");
    head.method = SOTTO_LIT("PUT");
    OK(refused(&t, &head, sotto_buf_span(&body)), "another method");
    head.method = SOTTO_LIT("POST");
    OK(sotto_buf_push(&body, 0) == SOTTO_OK && refused(&t, &head, sotto_buf_span(&body)),
       "a byte too many");
    sotto_buf_truncate(&body, body.len - 1);

    struct sotto_seal_exchange *exchange = NULL;
    struct sotto_buf plain;
    sotto_buf_init(&plain, MAX);
    IS_INT(talk_receive(&t, &head, sotto_buf_span(&body), &exchange, &plain), SOTTO_OK,
           "after all that the request itself is opened");
    sotto_buf_free(&plain);
    is_refused(&t, TALK_PATH, sotto_buf_span(&body), "but only once");
    sotto_seal_exchange_free(exchange);
    sotto_native_pending_free(pending);
    sotto_buf_free(&body);
    sotto_native_client_free(client);
    talk_close(&t);
}

static void test_one_error(void)
{
    struct sotto_seal_error a, b;
    struct sotto_session_id id = {.len = 16}, none = {0};
    struct sotto_http_head head = talk_head("POST", TALK_PATH, TALK_SEALED);
    struct sotto_buf fields, body;
    sotto_seal_profile_native.refusal(&id, true, true, &a);
    sotto_seal_profile_native.refusal(&none, false, true, &b);
    OK(a.status == 400 && a.status == b.status && strcmp(a.message, b.message) == 0 &&
           strcmp(a.code, b.code) == 0,
       "an unknown session and a wrong seal are told alike");
    sotto_seal_profile_native.refusal(&id, true, false, &b);
    IS_INT(b.status, 401, "who has no key either has shown nothing at all");
    sotto_buf_init(&fields, MAX);
    sotto_buf_init(&body, MAX);
    IS_INT(sotto_seal_profile_native.refuse(&head, &a, &fields, &body), SOTTO_OK, "written");
    IS_TEXT(fields.base, fields.len, "Content-Type: application/json\r\n", "as JSON");
    IS_TEXT(body.base, body.len,
            "{\"error\":{\"message\":\"The sealed request could not be opened. Begin a new session "
            "and seal it again.\",\"type\":\"invalid_request_error\",\"param\":null,"
            "\"code\":\"seal_refused\"}}",
            "in the form of the OpenAI API");
    sotto_buf_free(&fields);
    sotto_buf_free(&body);
}

/* --- streams ----------------------------------------------------------------------------------- */

#define EVENTS 8

/* A stream's `data:` fields. */
struct events {
    struct sotto_buf all;
    sotto_span data[EVENTS];
    size_t count;
};

static void split(struct events *e)
{
    static const size_t before = sizeof("data: ") - 1;
    e->count = 0;
    for (size_t at = 0; at < e->all.len && e->count < EVENTS;) {
        size_t end = at;
        while (e->all.base[end] != '\n') {
            end++;
        }
        e->data[e->count++] = sotto_span_sub(sotto_buf_span(&e->all), at + before, end);
        at = end + 2;
    }
}

static void write_stream(struct sotto_seal_exchange *exchange, struct events *e)
{
    const struct sotto_seal_profile *p = exchange->profile;
    sotto_buf_init(&e->all, MAX);
    yyjson_mut_doc *first = doc_of("{\"n\":1}"), *second = doc_of("{\"n\":2}");
    IS_INT(p->event(exchange, first, &e->all), SOTTO_OK, "an event");
    IS_INT(p->idle(exchange, &e->all), SOTTO_OK, "silence");
    IS_INT(p->event(exchange, second, &e->all), SOTTO_OK, "another one");
    IS_INT(p->end(exchange, &e->all), SOTTO_OK, "the end");
    IS_INT(p->event(exchange, second, &e->all), SOTTO_ESTATE, "nothing comes after it");
    sotto_json_free(first);
    sotto_json_free(second);
    split(e);
}

static void test_stream(void)
{
    struct talk t;
    struct sotto_native_client *client = NULL;
    struct events e;
    struct sotto_buf text;
    bool last = false;
    talk_open(&t, &sotto_suites[1]);
    sotto_buf_init(&text, MAX);
    IS_INT(talk_agree(&t, &sotto_suites[1], &client), SOTTO_OK, "a session");
    struct pair p = ask(&t, client);
    write_stream(p.exchange, &e);
    IS_SIZE(e.count, 5, "a head, three events and the end");
    for (size_t i = 0; i < e.count; i++) {
        OK(!last, "the stream goes on");
        IS_INT(sotto_native_event(p.pending, e.data[i], &last, &text), SOTTO_OK, "event %zu", i);
    }
    OK(last, "it has ended");
    IS_TEXT(text.base, text.len, "{\"n\":1}{\"n\":2}", "and all has arrived");
    IS_INT(sotto_native_event(p.pending, e.data[4], &last, &text), SOTTO_ESTATE, "nothing follows");
    sotto_buf_free(&e.all);
    pair_free(&p);

    p = ask(&t, client);
    sotto_buf_init(&e.all, MAX);
    yyjson_mut_doc *error = doc_of("{\"error\":{}}");
    sotto_buf_truncate(&text, 0);
    IS_INT(p.exchange->profile->fail(p.exchange, error, &e.all), SOTTO_OK, "an error in a stream");
    split(&e);
    IS_INT(sotto_native_event(p.pending, e.data[0], &last, &text), SOTTO_OK, "head");
    IS_INT(sotto_native_event(p.pending, e.data[1], &last, &text), SOTTO_OK, "error");
    OK(last, "is its last event");
    IS_TEXT(text.base, text.len, "{\"error\":{}}", "sealed like any other");
    sotto_json_free(error);
    sotto_buf_free(&e.all);
    pair_free(&p);
    sotto_buf_free(&text);
    sotto_native_client_free(client);
    talk_close(&t);
}

/* Presents events in some order to a client that waits for them; how many it takes. */
static size_t taken(struct talk *t, struct sotto_native_client *client, const size_t *order,
                    size_t count, bool *last)
{
    struct pair p = ask(t, client);
    struct events e;
    struct sotto_buf text;
    size_t n = 0;
    sotto_buf_init(&text, MAX);
    write_stream(p.exchange, &e);
    *last = false;
    while (n < count && sotto_native_event(p.pending, e.data[order[n]], last, &text) == SOTTO_OK) {
        n++;
    }
    if (n < count) {
        OK(sotto_native_event(p.pending, e.data[n], last, &text) == SOTTO_ESTATE,
           "after a refusal nothing more is opened");
    }
    sotto_buf_free(&text);
    sotto_buf_free(&e.all);
    pair_free(&p);
    return n;
}

static void test_stream_tampered(void)
{
    struct talk t;
    struct sotto_native_client *client = NULL;
    bool last;
    talk_open(&t, &sotto_suites[0]);
    IS_INT(talk_agree(&t, &sotto_suites[0], &client), SOTTO_OK, "a session");
    IS_SIZE(taken(&t, client, (const size_t[]){0, 1, 2, 3}, 4, &last), 4, "a stream that is cut");
    OK(!last, "is known to be");
    IS_SIZE(taken(&t, client, (const size_t[]){0, 2, 1}, 3, &last), 1, "events out of order");
    IS_SIZE(taken(&t, client, (const size_t[]){0, 1, 1}, 3, &last), 2, "an event twice");
    IS_SIZE(taken(&t, client, (const size_t[]){0, 1, 3}, 3, &last), 2, "an event left out");
    IS_SIZE(taken(&t, client, (const size_t[]){0, 4}, 2, &last), 1, "the end in their place");
    IS_SIZE(taken(&t, client, (const size_t[]){1}, 1, &last), 0, "no head");

    struct pair a = ask(&t, client), b = ask(&t, client);
    struct events e;
    struct sotto_buf text;
    sotto_buf_init(&text, MAX);
    write_stream(a.exchange, &e);
    IS_INT(sotto_native_event(b.pending, e.data[0], &last, &text), SOTTO_OK, "a foreign head");
    IS_INT(sotto_native_event(b.pending, e.data[1], &last, &text), SOTTO_EAUTH,
           "opens nothing: answers belong to their request");
    sotto_buf_free(&e.all);
    sotto_buf_free(&text);
    pair_free(&a);
    pair_free(&b);
    sotto_native_client_free(client);
    talk_close(&t);
}

/* Every bit of every record of an answer; the answer's key is the same for all tries. */
static void test_answer_flipped(void)
{
    struct talk t;
    struct sotto_native_client *client = NULL;
    struct sotto_buf answer, text;
    bool all = true;
    talk_open(&t, &sotto_suites[0]);
    sotto_buf_init(&text, MAX);
    IS_INT(talk_agree(&t, &sotto_suites[0], &client), SOTTO_OK, "a session");
    yyjson_mut_doc *doc = doc_of("{\"id\":\"x\"}");
    for (size_t i = 0;; i++) {
        struct sotto_http_head head = talk_head("POST", TALK_PATH, TALK_SEALED);
        struct sotto_native_place place = talk_place();
        struct pair p = {NULL, NULL};
        struct sotto_buf body, plain;
        sotto_buf_init(&body, MAX);
        sotto_buf_init(&plain, MAX);
        sotto_buf_init(&answer, MAX);
        all =
            sotto_native_request(client, &place, SOTTO_LIT("{}"), &body, &p.pending) == SOTTO_OK &&
            talk_receive(&t, &head, sotto_buf_span(&body), &p.exchange, &plain) == SOTTO_OK &&
            p.exchange->profile->answer(p.exchange, 200, doc, &answer) == SOTTO_OK && all;
        bool more = i < answer.len;
        if (more) {
            answer.base[i] ^= (uint8_t)(1U << (i % 8));
        }
        enum sotto_err err =
            sotto_native_whole(p.pending, more ? 200 : 201, sotto_buf_span(&answer), &text);
        all = err == SOTTO_EAUTH && all;
        pair_free(&p);
        sotto_buf_free(&body);
        sotto_buf_free(&plain);
        sotto_buf_free(&answer);
        if (!more) {
            break;
        }
    }
    OK(all && text.len == 0, "no changed byte of an answer, and no other status, goes unnoticed");
    sotto_json_free(doc);
    sotto_buf_free(&text);
    sotto_native_client_free(client);
    talk_close(&t);
}

/* --- chances and memory that fail --------------------------------------------------------------- */

static enum sotto_err use_all(struct talk *t, struct sotto_native_client *client)
{
    struct sotto_http_head head = talk_head("POST", TALK_PATH, TALK_SEALED);
    struct sotto_native_place place = talk_place();
    struct sotto_buf body, plain;
    struct pair p = {NULL, NULL};
    sotto_buf_init(&body, MAX);
    sotto_buf_init(&plain, MAX);
    yyjson_mut_doc *doc = doc_of("{}");
    enum sotto_err err = doc != NULL ? SOTTO_OK : SOTTO_ENOMEM;
    if (err == SOTTO_OK) {
        err = sotto_native_request(client, &place, SOTTO_LIT(TALK_TEXT), &body, &p.pending);
    }
    if (err == SOTTO_OK) {
        err = talk_receive(t, &head, sotto_buf_span(&body), &p.exchange, &plain);
    }
    size_t mark = plain.len;
    if (err == SOTTO_OK) {
        err = p.exchange->profile->event(p.exchange, doc, &plain);
    }
    if (err == SOTTO_OK) {
        err = p.exchange->profile->end(p.exchange, &plain);
    } else if (plain.len != mark) {
        err = SOTTO_EIO; /* something was left behind */
    }
    sotto_json_free(doc);
    pair_free(&p);
    sotto_buf_free(&body);
    sotto_buf_free(&plain);
    return err;
}

static void test_faults(void)
{
    struct talk t;
    struct sotto_native_client *client = NULL;
    bool right = true;
    size_t n = 1;
    talk_open(&t, &sotto_suites[1]);
    IS_INT(talk_agree(&t, &sotto_suites[1], &client), SOTTO_OK, "a session");
    IS_INT(use_all(&t, client), SOTTO_OK, "dry run");
    for (;; n++) {
        sotto_alloc_set_fault(n);
        enum sotto_err err = use_all(&t, client);
        if (sotto_alloc_set_fault(0) < n) {
            break;
        }
        right = right && (err == SOTTO_ENOMEM || err == SOTTO_ECRYPTO);
    }
    OK(right && n > 10, "each of %zu allocations that fails is reported", n - 1);
    for (n = 1; n <= 2; n++) {
        sotto_crypto_random_set_fault(n);
        IS_INT(use_all(&t, client), SOTTO_ECRYPTO, "without random numbers there is no seal");
        sotto_crypto_random_set_fault(0);
    }
    sotto_native_client_free(client);
    talk_close(&t);
}

int main(void)
{
    for (size_t i = 0; i < SOTTO_SUITE_COUNT; i++) {
        test_suite(&sotto_suites[i]);
    }
    test_refused_requests();
    test_one_error();
    test_stream();
    test_stream_tampered();
    test_answer_flipped();
    test_faults();
    return done_testing();
}
