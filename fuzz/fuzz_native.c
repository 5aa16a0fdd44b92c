/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The profile native, both ends.  The first byte says what the rest is:
 *
 *   0  the body of a sealed request          2  events of a stream, one a line
 *   1  the padded text inside a record       3  the body of POST /v1/seal/session
 *   4  the gateway's answer to that
 *
 * Oracles: only what was sealed opens, and only once; a padded text opens to the bytes that its
 * length names or not at all; a session is begun or refused, with nothing in between; an answer that
 * the pinned key has not signed begins none.
 */

#include <stdlib.h>

#include "crypto/hkdf.h"
#include "seal/keyring.h"
#include "seal/native_client.h"
#include "seal/native_session.h"
#include "seal/profile.h"
#include "seal/signer.h"

#define FUZZ_NOW 1000
#define FUZZ_MAX ((size_t)1 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct sotto_seal_host host;
static struct sotto_signer signer;
static const struct sotto_seal_attestor attestor = {"none", NULL, NULL};
static const uint8_t secret[SOTTO_NATIVE_SECRET_BYTES] = {7};
static const uint8_t nonce[SOTTO_NATIVE_NONCE_BYTES] = {9};

static void require(bool true_always)
{
    if (!true_always) {
        abort();
    }
}

static struct sotto_native_place place(void)
{
    return (struct sotto_native_place){SOTTO_LIT("POST"), SOTTO_LIT("/v1/chat/completions"),
                                       SOTTO_LIT("m")};
}

static void setup(void)
{
    if (host.sessions != NULL) {
        return;
    }
    host.attestor = &attestor;
    host.life_s = 3600;
    host.signer = &signer;
    require(sotto_signer_derive(SOTTO_LIT("fuzz"), &signer) == SOTTO_OK);
    require(sotto_keyring_new(&host.keyring) == SOTTO_OK);
    require(sotto_sessions_new(&host.sessions) == SOTTO_OK);
}

/* A fresh session with the known secret, out of the table: what one input opens is new. */
static struct sotto_session *session_new(void)
{
    struct sotto_session s = {.profile = &sotto_seal_profile_native, .expires_s = FUZZ_NOW + 1};
    s.id.len = SOTTO_NATIVE_SESSION_BYTES;
    memcpy(s.secret, secret, sizeof(secret));
    (void)sotto_sessions_sweep(host.sessions, FUZZ_NOW + 1);
    require(sotto_sessions_put(host.sessions, &s, FUZZ_NOW) == SOTTO_OK);
    struct sotto_session *session =
        sotto_sessions_find(host.sessions, &sotto_seal_profile_native, &s.id, FUZZ_NOW);
    require(session != NULL);
    return session;
}

/* --- requests ---------------------------------------------------------------------------------- */

static void request(sotto_span body)
{
    const struct sotto_seal_profile *p = &sotto_seal_profile_native;
    struct sotto_http_head head = {
        .method = SOTTO_LIT("POST"), .target = SOTTO_LIT("/v1/chat/completions"), .field_count = 0};
    struct sotto_seal_exchange *exchange = NULL;
    struct sotto_session_id id = {0};
    struct sotto_session *session = session_new();
    struct sotto_buf plain;
    sotto_buf_init(&plain, FUZZ_MAX);
    bool named = p->find(&head, body, &id) == SOTTO_OK;
    enum sotto_err err = p->open(session, &head, body, 16, &exchange, &plain);
    require(err == SOTTO_OK || (err == SOTTO_EAUTH && exchange == NULL && plain.len == 0));
    if (err == SOTTO_OK) {
        require(named && id.len == SOTTO_NATIVE_SESSION_BYTES && exchange->session == session);
        sotto_seal_exchange_free(exchange);
        require(p->open(session, &head, body, 16, &exchange, &plain) == SOTTO_EAUTH);
    }
    sotto_session_unref(session);
    sotto_buf_free(&plain);
}

/* --- records ----------------------------------------------------------------------------------- */

/* Seals bytes of the input as if a client had padded them so. */
static void record_with(sotto_span padded, struct sotto_buf *record)
{
    static const uint8_t name[24] = "sotto-native-1 request";
    const sotto_span info[] = {sotto_span_init(name, sizeof(name)),
                               sotto_span_init(nonce, sizeof(nonce))};
    const uint8_t aad[] = "\1\1\0\0\0\0\0\0\0\0\0\0\4POST\0\24/v1/chat/completions\0\1m";
    uint8_t key[SOTTO_AEAD_KEY_BYTES], zeros[SOTTO_AEAD_NONCE_BYTES] = {0};
    struct sotto_aead *aead = NULL;
    require(sotto_hkdf_expand(sotto_span_init(secret, sizeof(secret)), info, 2, key, sizeof(key)) ==
            SOTTO_OK);
    require(sotto_aead_new(key, &aead) == SOTTO_OK);
    require(sotto_buf_push(record, 1) == SOTTO_OK);
    require(sotto_aead_seal(aead, zeros, sotto_span_init(aad, sizeof(aad) - 1), padded, record) ==
            SOTTO_OK);
    sotto_aead_free(aead);
}

static void padded_text(sotto_span padded)
{
    struct sotto_native_channel *channel = NULL;
    struct sotto_native_place to = place();
    struct sotto_buf record, text;
    bool last = false;
    sotto_buf_init(&record, FUZZ_MAX);
    sotto_buf_init(&text, FUZZ_MAX);
    record_with(padded, &record);
    require(sotto_native_request_channel(secret, nonce, &to, &channel) == SOTTO_OK);
    enum sotto_err err = sotto_native_open(channel, sotto_buf_span(&record), &last, &text);
    const uint8_t *b = padded.base;
    size_t named = padded.len < 4
                       ? SIZE_MAX
                       : (size_t)b[0] << 24 | (size_t)b[1] << 16 | (size_t)b[2] << 8 | b[3];
    if (padded.len >= 4 && named <= padded.len - 4) {
        require(err == SOTTO_OK && last &&
                sotto_span_eq(sotto_buf_span(&text), sotto_span_sub(padded, 4, 4 + named)));
    } else {
        require(err == SOTTO_EAUTH && text.len == 0);
    }
    require(sotto_native_open(channel, sotto_buf_span(&record), &last, &text) == SOTTO_ESTATE);
    sotto_native_channel_free(channel);
    sotto_buf_free(&record);
    sotto_buf_free(&text);
}

/* --- sessions ---------------------------------------------------------------------------------- */

/* Asks the gateway for a session; its status. */
static int ask(sotto_span body, struct sotto_buf *answer)
{
    struct sotto_http_head head = {.method = SOTTO_LIT("POST"),
                                   .target = SOTTO_LIT("/v1/seal/session")};
    const struct sotto_seal_asked asked = {&head, body, SOTTO_LIT("fuzz"), FUZZ_NOW};
    struct sotto_seal_reply reply = {0};
    sotto_buf_init(&reply.body, FUZZ_MAX);
    sotto_buf_init(&reply.fields, FUZZ_MAX);
    (void)sotto_sessions_sweep(host.sessions, INT64_MAX);
    require(sotto_native_begin_session(&host, &asked, &reply) == SOTTO_OK);
    require(reply.body.len != 0 && (reply.status == 200 || reply.status == 400));
    require((sotto_sessions_sweep(host.sessions, FUZZ_NOW) == 1) == (reply.status == 200));
    require(sotto_buf_append(answer, sotto_buf_span(&reply.body)) == SOTTO_OK);
    sotto_buf_free(&reply.body);
    sotto_buf_free(&reply.fields);
    return reply.status;
}

static void session_asked(sotto_span body)
{
    struct sotto_buf answer;
    sotto_buf_init(&answer, FUZZ_MAX);
    (void)ask(body, &answer);
    sotto_buf_free(&answer);
}

/* --- a client ---------------------------------------------------------------------------------- */

static void session_answered(sotto_span answer)
{
    struct sotto_native_hello *hello = NULL;
    struct sotto_native_client *client = NULL;
    struct sotto_buf body;
    sotto_buf_init(&body, FUZZ_MAX);
    require(sotto_native_hello(sotto_suite_find(SOTTO_LIT("kyber512")), SOTTO_LIT(""), &body,
                               &hello) == SOTTO_OK);
    enum sotto_err err = sotto_native_agreed(hello, answer, signer.public_key, &client);
    require((err == SOTTO_EAUTH || err == SOTTO_EFORMAT) && client == NULL);
    sotto_native_hello_free(hello);
    sotto_buf_free(&body);
}

/* A client that knows the gateway, once for all inputs. */
static struct sotto_native_client *known_client(void)
{
    static struct sotto_native_client *client;
    struct sotto_native_hello *hello = NULL;
    struct sotto_buf body, answer;
    if (client != NULL) {
        return client;
    }
    sotto_buf_init(&body, FUZZ_MAX);
    sotto_buf_init(&answer, FUZZ_MAX);
    require(sotto_native_hello(sotto_suite_find(SOTTO_LIT("kyber512")), SOTTO_LIT(""), &body,
                               &hello) == SOTTO_OK);
    require(ask(sotto_buf_span(&body), &answer) == 200);
    require(sotto_native_agreed(hello, sotto_buf_span(&answer), signer.public_key, &client) ==
            SOTTO_OK);
    sotto_native_hello_free(hello);
    sotto_buf_free(&body);
    sotto_buf_free(&answer);
    return client;
}

/* Without the secret nobody makes an event that opens, whatever the head. */
static void events(sotto_span lines)
{
    struct sotto_native_pending *pending = NULL;
    struct sotto_native_place to = place();
    struct sotto_buf body, text;
    bool last = false;
    sotto_buf_init(&body, FUZZ_MAX);
    sotto_buf_init(&text, FUZZ_MAX);
    require(sotto_native_request(known_client(), &to, SOTTO_LIT("{}"), &body, &pending) ==
            SOTTO_OK);
    for (size_t at = 0, count = 0; at <= lines.len; count++) {
        size_t end = at;
        while (end < lines.len && lines.base[end] != '\n') {
            end++;
        }
        enum sotto_err err =
            sotto_native_event(pending, sotto_span_sub(lines, at, end), &last, &text);
        require(err != SOTTO_OK || count == 0); /* the head alone is not secret */
        require(!last && text.len == 0);
        at = end + 1;
    }
    sotto_native_pending_free(pending);
    sotto_buf_free(&body);
    sotto_buf_free(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const parts[])(sotto_span) = {request, padded_text, events, session_asked,
                                                session_answered};
    setup();
    if (size != 0) {
        parts[data[0] % SOTTO_COUNT(parts)](sotto_span_init(data + 1, size - 1));
    }
    return 0;
}
