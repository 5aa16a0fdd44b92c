/* SPDX-License-Identifier: Apache-2.0 */

#include "seal/native_client.h"

#include <stdio.h>

#include "base/alloc.h"
#include "crypto/base64.h"
#include "crypto/hpke.h"
#include "crypto/random.h"
#include "seal/native_json.h"
#include "seal/session.h"

/* Longest answer to a hello, and its nesting. */
#define CLIENT_ANSWER_MAX 16384
#define CLIENT_DEPTH_MAX  8

#define CLIENT_TEE_MAX 31

struct sotto_native_hello {
    const struct sotto_suite *suite;
    struct sotto_kem_pair *pair;            /* ephemeral suites */
    struct sotto_buf published;             /* other suites: the gateway's public key */
    uint8_t made[SOTTO_KEM_CIPHERTEXT_MAX]; /* other suites: ciphertext and secret */
    uint8_t shared[SOTTO_KEM_SECRET_BYTES];
};

struct sotto_native_client {
    uint8_t session[SOTTO_NATIVE_SESSION_BYTES];
    uint8_t secret[SOTTO_NATIVE_SECRET_BYTES];
    uint32_t lifetime_s;
    char tee[CLIENT_TEE_MAX + 1];
};

struct sotto_native_pending {
    uint8_t secret[SOTTO_NATIVE_SECRET_BYTES];
    uint8_t nonce[SOTTO_NATIVE_NONCE_BYTES];
    struct sotto_native_channel *channel; /* of the answer, from its head on */
    bool over;
    struct sotto_buf scratch;
    char method[SOTTO_NATIVE_METHOD_MAX];
    char path[SOTTO_NATIVE_PATH_MAX];
    char model[SOTTO_NATIVE_MODEL_MAX];
    struct sotto_native_place place; /* points to these */
};

/* --- hello ------------------------------------------------------------------------------------- */

void sotto_native_hello_free(struct sotto_native_hello *h)
{
    if (h != NULL) {
        sotto_kem_pair_free(h->pair);
        sotto_buf_free(&h->published);
        sotto_free(h);
    }
}

static enum sotto_err make_hello(struct sotto_native_hello *h, sotto_span published)
{
    if (h->suite->ephemeral) {
        return sotto_kem_pair_new(h->suite->kem, NULL, &h->pair);
    }
    enum sotto_err err = sotto_buf_append(&h->published, published);
    return err == SOTTO_OK ? sotto_kem_encapsulate(h->suite->kem, published, h->made, h->shared)
                           : err;
}

static enum sotto_err put_hello(const struct sotto_native_hello *h, yyjson_mut_doc *doc,
                                yyjson_mut_val *root)
{
    char key_id[SOTTO_SESSION_KEY_ID_LEN + 1];
    enum sotto_err err;
    if ((err = sotto_json_put_int(doc, root, "version", SOTTO_NATIVE_VERSION)) != SOTTO_OK ||
        (err = sotto_json_put_text(doc, root, "suite", sotto_span_str(h->suite->name))) !=
            SOTTO_OK) {
        return err;
    }
    if (h->suite->ephemeral) {
        return sotto_native_put(doc, root, "public_key", sotto_kem_public(h->pair));
    }
    err = sotto_session_key_id(sotto_buf_span(&h->published), key_id);
    if (err == SOTTO_OK) {
        err = sotto_json_put_text(doc, root, "key_id", sotto_span_str(key_id));
    }
    return err == SOTTO_OK
               ? sotto_native_put(doc, root, "ciphertext",
                                  sotto_span_init(h->made, h->suite->kem->ciphertext_len))
               : err;
}

enum sotto_err sotto_native_hello(const struct sotto_suite *suite, sotto_span published,
                                  struct sotto_buf *body, struct sotto_native_hello **out)
{
    struct sotto_native_hello *h = sotto_calloc(1, sizeof(*h));
    if (h == NULL) {
        return SOTTO_ENOMEM;
    }
    h->suite = suite;
    sotto_buf_init(&h->published, SOTTO_KEM_PUBLIC_MAX);
    enum sotto_err err = make_hello(h, published);
    yyjson_mut_doc *doc = sotto_json_new();
    yyjson_mut_val *root = yyjson_mut_obj(doc);
    if (err == SOTTO_OK) {
        err = root != NULL ? put_hello(h, doc, root) : SOTTO_ENOMEM;
    }
    if (err == SOTTO_OK) {
        err = sotto_json_write(root, body);
    }
    sotto_json_free(doc);
    if (err != SOTTO_OK) {
        sotto_native_hello_free(h);
        return err == SOTTO_ELIMIT && published.len > SOTTO_KEM_PUBLIC_MAX ? SOTTO_EINVAL : err;
    }
    *out = h;
    return SOTTO_OK;
}

/* --- the gateway's answer ---------------------------------------------------------------------- */

struct client_answer {
    struct sotto_native_terms terms;
    struct sotto_buf ciphertext;
    uint8_t session[SOTTO_NATIVE_SESSION_BYTES];
    uint8_t signature[SOTTO_ED25519_SIG_BYTES];
};

static enum sotto_err read_answer(struct sotto_native_hello *h, yyjson_mut_val *root,
                                  struct client_answer *a)
{
    int64_t version, lifetime;
    yyjson_mut_val *suite = sotto_json_get(root, "suite"), *tee = sotto_json_get(root, "tee");
    enum sotto_err err;
    if (sotto_json_int(sotto_json_get(root, "version"), &version) != SOTTO_OK ||
        version != SOTTO_NATIVE_VERSION || !yyjson_mut_is_str(suite) || !yyjson_mut_is_str(tee) ||
        sotto_json_text(tee).len > CLIENT_TEE_MAX ||
        sotto_json_int(sotto_json_get(root, "expires_in"), &lifetime) != SOTTO_OK || lifetime < 1 ||
        lifetime > UINT32_MAX) {
        return SOTTO_EFORMAT;
    }
    if ((err = sotto_native_take_exact(root, "session", a->session, sizeof(a->session))) !=
            SOTTO_OK ||
        (err = sotto_native_take_exact(root, "random", a->terms.random, sizeof(a->terms.random))) !=
            SOTTO_OK ||
        (err = sotto_native_take_exact(root, "signing_key", a->terms.signing_key,
                                       sizeof(a->terms.signing_key))) != SOTTO_OK ||
        (err = sotto_native_take_exact(root, "signature", a->signature, sizeof(a->signature))) !=
            SOTTO_OK) {
        return err;
    }
    a->terms.suite = sotto_suite_find(sotto_json_text(suite));
    a->terms.tee = sotto_json_text(tee);
    a->terms.lifetime_s = (uint32_t)lifetime;
    if (a->terms.suite != h->suite) { /* never another one than asked for */
        return SOTTO_EAUTH;
    }
    return h->suite->ephemeral ? sotto_native_take(root, "ciphertext",
                                                   h->suite->kem->ciphertext_len, &a->ciphertext)
                               : SOTTO_OK;
}

static enum sotto_err share(struct sotto_native_hello *h, struct client_answer *a)
{
    if (!h->suite->ephemeral) {
        a->terms.public_key = sotto_buf_span(&h->published);
        a->terms.ciphertext = sotto_span_init(h->made, h->suite->kem->ciphertext_len);
        return SOTTO_OK;
    }
    a->terms.public_key = sotto_kem_public(h->pair);
    a->terms.ciphertext = sotto_buf_span(&a->ciphertext);
    return sotto_hpke_receive(h->suite->kem, h->pair, a->terms.ciphertext,
                              SOTTO_LIT(SOTTO_NATIVE_HPKE_INFO),
                              SOTTO_LIT(SOTTO_NATIVE_HPKE_CONTEXT), h->shared);
}

static enum sotto_err check(struct sotto_native_hello *h, struct client_answer *a,
                            const uint8_t *pinned, struct sotto_native_client *client)
{
    uint8_t transcript[SOTTO_SHA256_BYTES], to_sign[SOTTO_NATIVE_SIGNED_BYTES];
    /* The key that signs is part of what is signed: the trusted one stands there. */
    memcpy(a->terms.signing_key, pinned, sizeof(a->terms.signing_key));
    enum sotto_err err = share(h, a);
    if (err == SOTTO_OK) {
        err = sotto_native_transcript(&a->terms, transcript);
    }
    if (err == SOTTO_OK) {
        sotto_native_signed(transcript, to_sign);
        err = sotto_ed25519_verify(pinned, sotto_span_init(to_sign, sizeof(to_sign)), a->signature);
    }
    if (err == SOTTO_OK && !sotto_span_eq(sotto_span_init(a->session, sizeof(a->session)),
                                          sotto_span_init(transcript, sizeof(a->session)))) {
        err = SOTTO_EAUTH;
    }
    if (err == SOTTO_OK) {
        err = sotto_native_secret(h->shared, transcript, client->secret);
    }
    memcpy(client->session, a->session, sizeof(client->session));
    client->lifetime_s = a->terms.lifetime_s;
    snprintf(client->tee, sizeof(client->tee), "%.*s", SOTTO_FMT(a->terms.tee));
    return err;
}

enum sotto_err sotto_native_agreed(struct sotto_native_hello *h, sotto_span answer,
                                   const uint8_t pinned[SOTTO_ED25519_PUBLIC_BYTES],
                                   struct sotto_native_client **out)
{
    struct client_answer a = {.ciphertext = {0}};
    yyjson_mut_doc *doc = NULL;
    enum sotto_err err = SOTTO_EFORMAT;
    sotto_buf_init(&a.ciphertext, SOTTO_KEM_CIPHERTEXT_MAX + 3);
    struct sotto_native_client *client = sotto_calloc(1, sizeof(*client));
    if (client == NULL) {
        return SOTTO_ENOMEM;
    }
    if (answer.len <= CLIENT_ANSWER_MAX) {
        err = sotto_json_read(answer, CLIENT_DEPTH_MAX, &doc, NULL);
    }
    if (err == SOTTO_OK) {
        err = read_answer(h, yyjson_mut_doc_get_root(doc), &a);
    }
    if (err == SOTTO_OK) {
        err = check(h, &a, pinned, client);
    }
    sotto_json_free(doc);
    sotto_buf_free(&a.ciphertext);
    if (err != SOTTO_OK) {
        sotto_native_client_free(client);
        return err == SOTTO_ELIMIT ? SOTTO_EFORMAT : err;
    }
    *out = client;
    return SOTTO_OK;
}

void sotto_native_client_free(struct sotto_native_client *client)
{
    sotto_free(client);
}

uint32_t sotto_native_lifetime(const struct sotto_native_client *client)
{
    return client->lifetime_s;
}

const char *sotto_native_tee(const struct sotto_native_client *client)
{
    return client->tee;
}

/* --- requests ---------------------------------------------------------------------------------- */

void sotto_native_pending_free(struct sotto_native_pending *p)
{
    if (p != NULL) {
        sotto_native_channel_free(p->channel);
        sotto_buf_free(&p->scratch);
        sotto_free(p);
    }
}

static sotto_span keep(char *to, sotto_span from)
{
    if (from.len != 0) {
        memcpy(to, from.base, from.len);
    }
    return sotto_span_init(to, from.len);
}

static enum sotto_err pending_new(const struct sotto_native_client *client,
                                  const struct sotto_native_place *place,
                                  struct sotto_native_pending **out)
{
    if (place->method.len > sizeof((*out)->method) || place->path.len > sizeof((*out)->path) ||
        place->model.len > sizeof((*out)->model)) {
        return SOTTO_EINVAL;
    }
    struct sotto_native_pending *p = sotto_calloc(1, sizeof(*p));
    if (p == NULL) {
        return SOTTO_ENOMEM;
    }
    sotto_buf_init(&p->scratch, SOTTO_BUF_UNBOUNDED);
    memcpy(p->secret, client->secret, sizeof(p->secret));
    p->place = (struct sotto_native_place){
        keep(p->method, place->method), keep(p->path, place->path), keep(p->model, place->model)};
    enum sotto_err err = sotto_crypto_random(p->nonce, sizeof(p->nonce));
    if (err != SOTTO_OK) {
        sotto_native_pending_free(p);
        return err;
    }
    *out = p;
    return SOTTO_OK;
}

static enum sotto_err write_head(const struct sotto_native_client *client,
                                 const struct sotto_native_pending *p, struct sotto_buf *body)
{
    const uint8_t version = SOTTO_NATIVE_VERSION;
    const uint8_t length[] = {(uint8_t)(p->place.model.len >> 8), (uint8_t)p->place.model.len};
    enum sotto_err err;
    if ((err = sotto_buf_append(body, sotto_span_init(&version, 1))) != SOTTO_OK ||
        (err = sotto_buf_append(body, sotto_span_init(client->session, sizeof(client->session)))) !=
            SOTTO_OK ||
        (err = sotto_buf_append(body, sotto_span_init(p->nonce, sizeof(p->nonce)))) != SOTTO_OK ||
        (err = sotto_buf_append(body, sotto_span_init(length, sizeof(length)))) != SOTTO_OK) {
        return err;
    }
    return sotto_buf_append(body, p->place.model);
}

static enum sotto_err write_text(const struct sotto_native_pending *p, sotto_span text,
                                 struct sotto_buf *body)
{
    struct sotto_native_channel *channel = NULL;
    struct sotto_buf *record = NULL;
    enum sotto_err err = sotto_native_request_channel(p->secret, p->nonce, &p->place, &channel);
    if (err == SOTTO_OK) {
        err = sotto_native_begin(channel, &record);
    }
    if (err == SOTTO_OK) {
        err = sotto_buf_append(record, text);
    }
    if (err == SOTTO_OK) {
        err = sotto_native_seal(channel, true, body);
    }
    sotto_native_channel_free(channel);
    return err;
}

enum sotto_err sotto_native_request(struct sotto_native_client *client,
                                    const struct sotto_native_place *place, sotto_span text,
                                    struct sotto_buf *body, struct sotto_native_pending **out)
{
    struct sotto_native_pending *p = NULL;
    size_t mark = body->len;
    enum sotto_err err = pending_new(client, place, &p);
    if (err == SOTTO_OK) {
        err = write_head(client, p, body);
    }
    if (err == SOTTO_OK) {
        err = write_text(p, text, body);
    }
    if (err != SOTTO_OK) {
        sotto_buf_truncate(body, mark);
        sotto_native_pending_free(p);
        return err;
    }
    *out = p;
    return SOTTO_OK;
}

/* --- answers ----------------------------------------------------------------------------------- */

static enum sotto_err open_head(struct sotto_native_pending *p, int status, sotto_span head)
{
    if (head.len != SOTTO_NATIVE_ANSWER_HEAD || head.base[0] != SOTTO_NATIVE_VERSION) {
        return SOTTO_EAUTH;
    }
    return sotto_native_answer_channel(p->secret, p->nonce, head.base + 1, status, &p->place,
                                       &p->channel);
}

enum sotto_err sotto_native_whole(struct sotto_native_pending *p, int status, sotto_span body,
                                  struct sotto_buf *text)
{
    size_t mark = text->len;
    bool last = false;
    if (p->over || p->channel != NULL) {
        return SOTTO_ESTATE;
    }
    p->over = true;
    if (body.len < SOTTO_NATIVE_ANSWER_HEAD || status < 100 || status > 599) {
        return SOTTO_EAUTH;
    }
    enum sotto_err err = open_head(p, status, sotto_span_sub(body, 0, SOTTO_NATIVE_ANSWER_HEAD));
    if (err == SOTTO_OK) {
        err = sotto_native_open(p->channel, sotto_span_skip(body, SOTTO_NATIVE_ANSWER_HEAD), &last,
                                text);
    }
    if (err == SOTTO_OK && !last) {
        sotto_buf_truncate(text, mark);
        err = SOTTO_EAUTH;
    }
    return err;
}

enum sotto_err sotto_native_event(struct sotto_native_pending *p, sotto_span data, bool *last,
                                  struct sotto_buf *text)
{
    bool is_last = false;
    if (p->over) {
        return SOTTO_ESTATE;
    }
    p->over = true; /* until it has worked */
    sotto_buf_truncate(&p->scratch, 0);
    enum sotto_err err = sotto_base64_read(data, &p->scratch);
    if (err != SOTTO_OK) {
        return err == SOTTO_EFORMAT ? SOTTO_EAUTH : err;
    }
    sotto_span bytes = sotto_buf_span(&p->scratch);
    err = p->channel == NULL ? open_head(p, 200, bytes)
                             : sotto_native_open(p->channel, bytes, &is_last, text);
    if (err == SOTTO_OK) {
        p->over = is_last;
        *last = is_last;
    }
    return err;
}
