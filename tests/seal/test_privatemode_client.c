/* SPDX-License-Identifier: Apache-2.0 */

/* The client's side of the profile `privatemode` against the gateway's. */

#include "seal/privatemode_client.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "crypto/mesh.h"
#include "seal/profile.h"
#include "tap/tap.h"

#define NOW 1700000000
#define TEXT                                                                                       \
    "{\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}],\"model\":\"m\",\"stream\":true}"

static const struct sotto_seal_attestor nobody = {.tee = "none"};
static struct sotto_seal_host host = {.attestor = &nobody, .life_s = 3600};
static sotto_span mesh_ca;

static sotto_span span_of(const struct sotto_buf *buf)
{
    return sotto_buf_span(buf);
}

static bool begin_host(void)
{
    struct sotto_buf ca, leaf;
    struct sotto_mesh *mesh = NULL;
    sotto_buf_init(&ca, SOTTO_MESH_PEM_MAX);
    sotto_buf_init(&leaf, SOTTO_MESH_PEM_MAX);
    bool begun = sotto_mesh_make_ca(NOW, &ca) == SOTTO_OK &&
                 sotto_mesh_make_leaf(span_of(&ca), NOW, &leaf) == SOTTO_OK &&
                 sotto_mesh_read(span_of(&ca), span_of(&leaf), &mesh) == SOTTO_OK &&
                 sotto_sessions_new(&host.sessions) == SOTTO_OK;
    host.mesh = mesh;
    mesh_ca = begun ? sotto_mesh_ca(mesh) : SOTTO_LIT("");
    sotto_buf_free(&ca);
    sotto_buf_free(&leaf);
    return begun;
}

static void end_host(void)
{
    union {
        const struct sotto_mesh *lent;
        struct sotto_mesh *own;
    } mesh = {.lent = host.mesh};
    sotto_sessions_free(host.sessions);
    sotto_mesh_free(mesh.own);
}

/* --- the exchange ------------------------------------------------------------------------------ */

/* What the gateway answers to a hello. */
static void offer(sotto_span hello, struct sotto_buf *out)
{
    struct sotto_seal_reply reply = {.status = 0};
    const struct sotto_seal_profile *profile = NULL;
    const struct sotto_seal_asked asked = {.body = hello, .owner = SOTTO_LIT("o"), .now_s = NOW};
    sotto_buf_init(&reply.fields, 10000);
    sotto_buf_init(&reply.body, 10000);
    const struct sotto_seal_route *route =
        sotto_seal_profile_route(SOTTO_LIT("/privatemode/v1/secret"), &profile);
    if (route->answer(&host, &asked, &reply) != SOTTO_OK || reply.status != 200 ||
        sotto_buf_append(out, span_of(&reply.body)) != SOTTO_OK) {
        printf("Bail out! no secret\n");
        exit(1);
    }
    sotto_buf_free(&reply.fields);
    sotto_buf_free(&reply.body);
}

static struct sotto_privatemode_client *agree(void)
{
    struct sotto_privatemode_hello *hello = NULL;
    struct sotto_privatemode_client *client = NULL;
    struct sotto_buf asked, answer;
    sotto_buf_init(&asked, 10000);
    sotto_buf_init(&answer, 10000);
    IS_INT(sotto_privatemode_hello(&asked, &hello), SOTTO_OK, "a hello");
    offer(span_of(&asked), &answer);
    IS_INT(sotto_privatemode_agreed(hello, span_of(&answer), mesh_ca, NOW, &client), SOTTO_OK,
           "becomes a secret");
    sotto_privatemode_hello_free(hello);
    sotto_buf_free(&asked);
    sotto_buf_free(&answer);
    return client;
}

static void test_exchange(void)
{
    static const char *const bad[] = {
        "", "{}", "[]",
        "{\"EncapsulatedKey\":\"AAAA\",\"Signature\":\"AAAA\",\"MeshCert\":\"AA==\"}"};
    struct sotto_privatemode_hello *hello = NULL, *other = NULL;
    struct sotto_privatemode_client *client = NULL;
    struct sotto_buf asked, answer;
    sotto_buf_init(&asked, 10000);
    sotto_buf_init(&answer, 10000);
    IS_INT(sotto_privatemode_hello(&asked, &other), SOTTO_OK, "a hello");
    sotto_buf_truncate(&asked, 0);
    IS_INT(sotto_privatemode_hello(&asked, &hello), SOTTO_OK, "another one");
    offer(span_of(&asked), &answer);
    IS_INT(sotto_privatemode_agreed(other, span_of(&answer), mesh_ca, NOW, &client), SOTTO_EAUTH,
           "the answer to one is none to the other");
    IS_INT(sotto_privatemode_agreed(hello, span_of(&answer), mesh_ca, NOW - 86400, &client),
           SOTTO_EAUTH, "nor before its certificate is valid");
    IS_INT(sotto_privatemode_agreed(hello, span_of(&answer), SOTTO_LIT("x"), NOW, &client),
           SOTTO_EFORMAT, "nor without an authority");
    for (size_t i = 0; i < SOTTO_COUNT(bad); i++) {
        IS_INT(sotto_privatemode_agreed(hello, sotto_span_str(bad[i]), mesh_ca, NOW, &client),
               SOTTO_EFORMAT, "no answer: '%s'", bad[i]);
    }
    OK(client == NULL, "nothing came of all that");
    /* One of seven: each costs a signature or a KEM. */
    size_t believed = 0;
    for (size_t i = 0; i < answer.len; i += 7) {
        answer.base[i] ^= 1;
        believed +=
            sotto_privatemode_agreed(hello, span_of(&answer), mesh_ca, NOW, &client) == SOTTO_OK;
        answer.base[i] ^= 1;
    }
    IS_SIZE(believed, 0, "no answer with a changed byte is believed");
    sotto_privatemode_hello_free(hello);
    sotto_privatemode_hello_free(other);
    sotto_buf_free(&asked);
    sotto_buf_free(&answer);
}

/* --- requests and answers ---------------------------------------------------------------------- */

/* A request at the gateway. */
static enum sotto_err open_at_gateway(const struct sotto_privatemode_client *client,
                                      const char *path, sotto_span body,
                                      struct sotto_seal_exchange **out, struct sotto_buf *plain)
{
    char block[512];
    struct sotto_http_head head;
    struct sotto_session_id id;
    snprintf(block, sizeof(block), "POST %s\r\nprivatemode-secret-id: %.*s\r\n\r\n", path,
             SOTTO_FMT(sotto_privatemode_client_id(client)));
    const struct sotto_seal_profile *profile = &sotto_seal_profile_privatemode;
    enum sotto_err err = sotto_http_head_index(sotto_span_str(block), true, &head);
    if (err == SOTTO_OK) {
        err = profile->find(&head, body, &id);
    }
    struct sotto_session *session =
        err == SOTTO_OK ? sotto_sessions_find(host.sessions, profile, &id, NOW) : NULL;
    if (session == NULL) {
        return SOTTO_ENOTFOUND;
    }
    err = profile->open(session, &head, body, 64, out, plain);
    sotto_session_unref(session);
    return err;
}

/* Both ends of one request. */
struct both {
    struct sotto_privatemode_pending *pending;
    struct sotto_seal_exchange *x;
    struct sotto_buf body;
};

static void ask(const struct sotto_privatemode_client *client, struct both *b)
{
    struct sotto_buf plain;
    sotto_buf_init(&b->body, 100000);
    sotto_buf_init(&plain, 100000);
    IS_INT(sotto_privatemode_request(client, false, SOTTO_LIT(TEXT), &b->body, &b->pending),
           SOTTO_OK, "a request");
    IS_INT(open_at_gateway(client, "/v1/chat/completions", span_of(&b->body), &b->x, &plain),
           SOTTO_OK, "opens at the gateway");
    sotto_buf_free(&plain);
}

static void end(struct both *b)
{
    sotto_privatemode_pending_free(b->pending);
    sotto_seal_exchange_free(b->x);
    sotto_buf_free(&b->body);
}

static yyjson_mut_doc *must_read(sotto_span text)
{
    yyjson_mut_doc *doc = NULL;
    if (sotto_json_read(text, 64, &doc, NULL) != SOTTO_OK) {
        printf("Bail out! no JSON: %.*s\n", SOTTO_FMT(text));
        exit(1);
    }
    return doc;
}

/* The data of an event, or a whole answer. */
static void say(struct both *b, const char *text, bool event, struct sotto_buf *out)
{
    yyjson_mut_doc *doc = must_read(sotto_span_str(text));
    struct sotto_buf line;
    sotto_buf_init(&line, 1000000);
    enum sotto_err err = event ? b->x->profile->event(b->x, doc, &line)
                               : b->x->profile->answer(b->x, 200, doc, &line);
    size_t skip = event ? 6 : 0;
    IS_INT(err, SOTTO_OK, "the gateway says something");
    IS_INT(sotto_buf_append(out, sotto_span_sub(span_of(&line), skip, line.len - (event ? 2 : 0))),
           SOTTO_OK, "that is kept");
    sotto_json_free(doc);
    sotto_buf_free(&line);
}

static void test_request(const struct sotto_privatemode_client *client)
{
    struct sotto_privatemode_pending *pending = NULL;
    struct sotto_seal_exchange *x = NULL;
    struct sotto_buf body, plain;
    sotto_buf_init(&body, 100000);
    sotto_buf_init(&plain, 100000);
    IS_INT(sotto_privatemode_request(client, false, SOTTO_LIT("[]"), &body, &pending),
           SOTTO_EFORMAT, "a list is no request");
    IS_INT(sotto_privatemode_request(client, false, SOTTO_LIT("{"), &body, &pending), SOTTO_EFORMAT,
           "nor is half of one");
    IS_SIZE(body.len, 0, "nothing was written");
    IS_INT(sotto_privatemode_request(client, false, SOTTO_LIT(TEXT), &body, &pending), SOTTO_OK,
           "a request");
    yyjson_mut_doc *sealed = must_read(span_of(&body));
    yyjson_mut_val *root = yyjson_mut_doc_get_root(sealed);
    OK(sotto_field_is_sealed(sotto_json_text(sotto_json_get(root, "messages"))) &&
           sotto_field_is_sealed(sotto_json_text(sotto_json_get(root, "cache_salt"))) &&
           sotto_json_is(sotto_json_get(root, "model"), "m") &&
           yyjson_mut_is_true(sotto_json_get(root, "stream")),
       "has sealed members, a salt among them, and plain ones");
    sotto_json_free(sealed);
    IS_INT(open_at_gateway(client, "/v1/chat/completions", span_of(&body), &x, &plain), SOTTO_OK,
           "opens at the gateway");
    yyjson_mut_doc *opened = must_read(span_of(&plain));
    root = yyjson_mut_doc_get_root(opened);
    IS_SIZE(sotto_json_text(sotto_json_get(root, "cache_salt")).len, 44, "the salt has 32 bytes");
    (void)yyjson_mut_obj_remove_key(root, "cache_salt");
    yyjson_mut_doc *want = must_read(SOTTO_LIT(TEXT));
    OK(yyjson_mut_equals(root, yyjson_mut_doc_get_root(want)), "the rest is what was asked");
    sotto_json_free(want);
    sotto_json_free(opened);
    sotto_seal_exchange_free(x);
    sotto_privatemode_pending_free(pending);
    sotto_buf_truncate(&body, 0);
    sotto_buf_truncate(&plain, 0);
    IS_INT(sotto_privatemode_request(client, true, SOTTO_LIT("{\"model\":\"m\",\"n\":1}"), &body,
                                     &pending),
           SOTTO_OK, "embeddings");
    IS_INT(open_at_gateway(client, "/v1/embeddings", span_of(&body), &x, &plain), SOTTO_OK,
           "have members of their own that are sealed");
    IS_TEXT(plain.base, plain.len, "{\"n\":1,\"model\":\"m\"}", "and no salt");
    sotto_seal_exchange_free(x);
    sotto_privatemode_pending_free(pending);
    sotto_buf_free(&body);
    sotto_buf_free(&plain);
}

#define ANSWER "{\"id\":\"1\",\"choices\":[],\"object\":\"x\"}"

/* Whether an answer opens that was sealed to a request of its own, with a byte changed. */
static bool opens_changed(const struct sotto_privatemode_client *client, size_t at)
{
    struct sotto_privatemode_pending *pending = NULL;
    struct sotto_seal_exchange *x = NULL;
    struct sotto_buf buf[3]; /* request, its text, answer */
    for (size_t i = 0; i < SOTTO_COUNT(buf); i++) {
        sotto_buf_init(&buf[i], 100000);
    }
    yyjson_mut_doc *doc = must_read(SOTTO_LIT(ANSWER));
    bool made =
        sotto_privatemode_request(client, false, SOTTO_LIT(TEXT), &buf[0], &pending) == SOTTO_OK &&
        open_at_gateway(client, "/v1/chat/completions", span_of(&buf[0]), &x, &buf[1]) ==
            SOTTO_OK &&
        x->profile->answer(x, 200, doc, &buf[2]) == SOTTO_OK && at < buf[2].len;
    if (made) {
        buf[2].base[at] ^= 1;
    }
    sotto_buf_truncate(&buf[1], 0);
    bool opens =
        !made || sotto_privatemode_whole(pending, 200, span_of(&buf[2]), &buf[1]) == SOTTO_OK;
    sotto_json_free(doc);
    sotto_privatemode_pending_free(pending);
    sotto_seal_exchange_free(x);
    for (size_t i = 0; i < SOTTO_COUNT(buf); i++) {
        sotto_buf_free(&buf[i]);
    }
    return opens;
}

/* The strings that are sealed, between their quotes. */
static void test_flipped(const struct sotto_privatemode_client *client)
{
    static const size_t first[] = {sizeof("{\"id\":\"1\",\"choices\":\"") - 1,
                                   sizeof("{\"id\":\"1\",\"choices\":\"\",\"object\":\"") - 1 +
                                       SOTTO_FIELD_LEN(2)};
    static const size_t len[] = {SOTTO_FIELD_LEN(2), SOTTO_FIELD_LEN(3)};
    size_t opened = 0;
    for (size_t which = 0; which < 2; which++) {
        for (size_t i = 0; i < len[which]; i++) {
            opened += opens_changed(client, first[which] + i);
        }
    }
    IS_SIZE(opened, 0, "no byte of a sealed member can be changed");
}

static void test_whole(const struct sotto_privatemode_client *client)
{
    struct both b;
    struct sotto_buf said, text;
    sotto_buf_init(&said, 100000);
    sotto_buf_init(&text, 100000);
    ask(client, &b);
    say(&b, ANSWER, false, &said);
    IS_INT(sotto_privatemode_whole(b.pending, 200, span_of(&said), &text), SOTTO_OK, "an answer");
    IS_TEXT(text.base, text.len, "{\"choices\":[],\"object\":\"x\",\"id\":\"1\"}", "opens");
    IS_INT(sotto_privatemode_whole(b.pending, 200, span_of(&said), &text), SOTTO_ESTATE, "once");
    end(&b);
    sotto_buf_free(&said);
    sotto_buf_free(&text);
}

static void test_errors(const struct sotto_privatemode_client *client)
{
    static const struct {
        const char *said;
        int status;
        enum sotto_err want;
        const char *what;
    } rows[] = {
        {"{\"error\":{\"message\":\"m\"}}", 400, SOTTO_OK, "an error"},
        {"{\"error\":{\"message\":\"m\"}}", 200, SOTTO_EAUTH, "an error that claims to be none"},
        {ANSWER, 500, SOTTO_EAUTH, "an answer that claims to be an error"},
    };
    for (size_t i = 0; i < SOTTO_COUNT(rows); i++) {
        struct both b;
        struct sotto_buf said, text;
        sotto_buf_init(&said, 100000);
        sotto_buf_init(&text, 100000);
        ask(client, &b);
        say(&b, rows[i].said, false, &said);
        IS_INT(sotto_privatemode_whole(b.pending, rows[i].status, span_of(&said), &text),
               rows[i].want, "%s", rows[i].what);
        OK((text.len != 0) == (rows[i].want == SOTTO_OK), "%s: text or none", rows[i].what);
        end(&b);
        sotto_buf_free(&said);
        sotto_buf_free(&text);
    }
}

/* A member of the request in the place of the answer's with its number. */
static void test_reflected(const struct sotto_privatemode_client *client)
{
    struct both b;
    struct sotto_buf said, text;
    sotto_buf_init(&said, 100000);
    sotto_buf_init(&text, 100000);
    ask(client, &b);
    yyjson_mut_doc *asked = must_read(span_of(&b.body));
    sotto_span field =
        sotto_json_text(sotto_json_get(yyjson_mut_doc_get_root(asked), "cache_salt"));
    IS_INT(sotto_buf_printf(&said, "{\"choices\":\"%.*s\"}", SOTTO_FMT(field)), SOTTO_OK,
           "a field that comes back");
    IS_INT(sotto_privatemode_whole(b.pending, 200, span_of(&said), &text), SOTTO_EAUTH,
           "is no answer");
    IS_SIZE(text.len, 0, "and nothing of it is shown");
    sotto_json_free(asked);
    end(&b);
    sotto_buf_free(&said);
    sotto_buf_free(&text);
}

/* --- streams ----------------------------------------------------------------------------------- */

#define BEGUN(at)                                                                                  \
    "{\"choices\":[{\"index\":" at ",\"delta\":{\"content\":\"a\"},\"finish_reason\":null}]}"
#define FINISHED(at) "{\"choices\":[{\"index\":" at ",\"delta\":{},\"finish_reason\":\"stop\"}]}"
#define USAGE        "{\"choices\":[],\"usage\":{\"total_tokens\":1}}"
#define DONE         "[DONE]"

static void test_streams(const struct sotto_privatemode_client *client)
{
    static const struct {
        const char *events[6];
        enum sotto_err want; /* of the last one */
        bool last;
        const char *what;
    } rows[] = {
        {{BEGUN("0"), FINISHED("0"), USAGE, DONE}, SOTTO_OK, true, "a stream"},
        {{BEGUN("0"), BEGUN("1"), FINISHED("1"), FINISHED("0"), DONE}, SOTTO_OK, true, "of two"},
        {{BEGUN("0"), FINISHED("0")}, SOTTO_OK, false, "one that was cut"},
        {{BEGUN("0"), DONE}, SOTTO_EAUTH, false, "a cut one with an end"},
        {{BEGUN("0"), BEGUN("1"), FINISHED("1"), DONE}, SOTTO_EAUTH, false, "half of two"},
        {{DONE}, SOTTO_EAUTH, false, "an end alone"},
        {{USAGE, DONE}, SOTTO_EAUTH, false, "no choice"},
        {{BEGUN("0"), "{\"error\":{\"message\":\"m\"}}"}, SOTTO_OK, true, "an error"},
        {{BEGUN("127"), FINISHED("127"), DONE}, SOTTO_OK, true, "the last choice there can be"},
        {{BEGUN("128")}, SOTTO_EAUTH, false, "one behind it"},
        {{BEGUN("-1")}, SOTTO_EAUTH, false, "one before the first"},
        {{FINISHED("0"), DONE, DONE}, SOTTO_ESTATE, false, "two ends"},
    };
    for (size_t i = 0; i < SOTTO_COUNT(rows); i++) {
        struct both b;
        struct sotto_buf said, text;
        sotto_buf_init(&said, 100000);
        sotto_buf_init(&text, 100000);
        enum sotto_err err = SOTTO_OK;
        bool last = false;
        ask(client, &b);
        for (size_t n = 0; rows[i].events[n] != NULL && n < SOTTO_COUNT(rows[i].events); n++) {
            sotto_buf_truncate(&said, 0);
            sotto_buf_truncate(&text, 0);
            if (rows[i].events[n][0] == '[') {
                err = sotto_privatemode_event(b.pending, SOTTO_LIT(DONE), &last, &text);
            } else {
                say(&b, rows[i].events[n], true, &said);
                err = sotto_privatemode_event(b.pending, span_of(&said), &last, &text);
            }
        }
        IS_INT(err, rows[i].want, "%s", rows[i].what);
        OK(last == rows[i].last, "%s: its end is told", rows[i].what);
        OK(err == SOTTO_OK || text.len == 0, "%s: nothing of what does not open", rows[i].what);
        end(&b);
        sotto_buf_free(&said);
        sotto_buf_free(&text);
    }
}

static void test_forgotten(void)
{
    static const struct {
        int status;
        const char *body;
        bool want;
    } rows[] = {
        {500, "{\"error\":{\"message\":\"x: no secret for ID y\"}}", true},
        {401, "{\"error\":{\"message\":\"no API key, and no secret for ID\"}}", true},
        {400, "{\"error\":{\"message\":\"no secret for ID y\"}}", false},
        {500, "{\"error\":{\"message\":\"no memory\"}}", false},
        {500, "{\"error\":\"no secret for ID\"}", false},
        {500, "no secret for ID", false},
        {500, "", false},
    };
    for (size_t i = 0; i < SOTTO_COUNT(rows); i++) {
        OK(sotto_privatemode_is_forgotten(rows[i].status, sotto_span_str(rows[i].body)) ==
               rows[i].want,
           "%d '%s'", rows[i].status, rows[i].body);
    }
}

/* --- memory ------------------------------------------------------------------------------------ */

/* Seals a request; opens an answer that is none. */
static enum sotto_err try_request(const struct sotto_privatemode_client *client,
                                  struct sotto_buf *body)
{
    struct sotto_privatemode_pending *pending = NULL;
    enum sotto_err err = sotto_privatemode_request(client, false, SOTTO_LIT(TEXT), body, &pending);
    OK((err == SOTTO_OK) == (pending != NULL), "what opens its answer, or nothing");
    sotto_privatemode_pending_free(pending);
    return err;
}

static void test_faults(const struct sotto_privatemode_client *client)
{
    struct sotto_buf body;
    sotto_buf_init(&body, 100000);
    (void)sotto_alloc_set_fault(0);
    IS_INT(try_request(client, &body), SOTTO_OK, "with memory");
    size_t count = sotto_alloc_set_fault(0);
    for (size_t i = 1; i <= count; i++) {
        sotto_buf_free(&body);
        sotto_buf_init(&body, 100000);
        (void)sotto_alloc_set_fault(i);
        enum sotto_err err = try_request(client, &body);
        (void)sotto_alloc_set_fault(0);
        OK(err == SOTTO_OK || (body.len == 0 && (err == SOTTO_ENOMEM || err == SOTTO_ECRYPTO)),
           "allocation %zu fails: nothing in part", i);
    }
    sotto_buf_free(&body);
}

static void test_faults_of_answers(const struct sotto_privatemode_client *client)
{
    for (size_t i = 1, failed = 1; failed != 0; i++) {
        struct both b;
        struct sotto_buf said, text;
        bool last = false;
        sotto_buf_init(&said, 100000);
        sotto_buf_init(&text, 100000);
        ask(client, &b);
        say(&b, BEGUN("0"), true, &said);
        (void)sotto_alloc_set_fault(i);
        enum sotto_err err = sotto_privatemode_event(b.pending, span_of(&said), &last, &text);
        (void)sotto_alloc_set_fault(0);
        failed = err != SOTTO_OK;
        OK(err == SOTTO_OK || (text.len == 0 && (err == SOTTO_ENOMEM || err == SOTTO_ECRYPTO)),
           "allocation %zu fails: no text", i);
        OK(err == SOTTO_OK ||
               sotto_privatemode_event(b.pending, span_of(&said), &last, &text) == SOTTO_ESTATE,
           "and it is over");
        end(&b);
        sotto_buf_free(&said);
        sotto_buf_free(&text);
    }
}

int main(void)
{
    if (!begin_host()) {
        printf("Bail out! no mesh\n");
        return 1;
    }
    test_exchange();
    struct sotto_privatemode_client *client = agree();
    test_request(client);
    test_whole(client);
    test_flipped(client);
    test_errors(client);
    test_reflected(client);
    test_streams(client);
    test_forgotten();
    test_faults(client);
    test_faults_of_answers(client);
    sotto_privatemode_client_free(client);
    sotto_privatemode_client_free(NULL);
    sotto_privatemode_hello_free(NULL);
    sotto_privatemode_pending_free(NULL);
    end_host();
    return done_testing();
}
