/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_TESTS_SEAL_TALKING_H
#define SOTTO_TESTS_SEAL_TALKING_H

/* A gateway and a client of the profile `native` without anything between them. */

#include "seal/keyring.h"
#include "seal/native_client.h"
#include "seal/native_session.h"
#include "seal/profile.h"
#include "seal/signer.h"
#include "tap/tap.h"

#define TALK_NOW    1000
#define TALK_LIFE_S 3600
#define TALK_OWNER  "k1k2k3k4k5k6"
#define TALK_PATH   "/v1/chat/completions"
#define TALK_MODEL  "gpt-4"
#define TALK_TEXT   "{\"model\":\"gpt-4\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}"

static const struct sotto_seal_attestor talk_none = {"none", NULL, NULL};

struct talk {
    struct sotto_seal_host host;
    struct sotto_signer signer;
};

static inline void talk_open(struct talk *t, const struct sotto_suite *suite)
{
    *t = (struct talk){.host = {.attestor = &talk_none, .life_s = TALK_LIFE_S}};
    t->host.signer = &t->signer;
    if (sotto_sessions_new(&t->host.sessions) != SOTTO_OK ||
        sotto_keyring_new(&t->host.keyring) != SOTTO_OK ||
        sotto_signer_derive(SOTTO_LIT("a master secret of some length.."), &t->signer) !=
            SOTTO_OK ||
        (!suite->ephemeral && sotto_keyring_renew(t->host.keyring, suite, TALK_NOW) != SOTTO_OK)) {
        printf("Bail out! no gateway\n");
        exit(1);
    }
}

static inline void talk_close(struct talk *t)
{
    sotto_sessions_free(t->host.sessions);
    sotto_keyring_free(t->host.keyring);
}

static inline struct sotto_http_head talk_head(const char *method, const char *path,
                                               const char *type)
{
    struct sotto_http_head head = {
        .method = sotto_span_str(method), .target = sotto_span_str(path), .field_count = 1};
    head.fields[0] = (struct sotto_http_field){SOTTO_LIT("content-type"), sotto_span_str(type)};
    return head;
}

/* Asks a route of the gateway; appends the body of the answer. */
static inline enum sotto_err talk_ask(struct talk *t, const char *method, const char *path,
                                      sotto_span body, struct sotto_buf *out, int *status)
{
    struct sotto_http_head head = talk_head(method, path, "application/json");
    const struct sotto_seal_profile *profile = NULL;
    const struct sotto_seal_route *route =
        sotto_seal_profile_route(sotto_http_path(&head), &profile);
    const struct sotto_seal_asked asked = {&head, body, SOTTO_LIT(TALK_OWNER), TALK_NOW};
    struct sotto_seal_reply reply = {0};
    sotto_buf_init(&reply.body, (size_t)1 << 20);
    sotto_buf_init(&reply.fields, (size_t)1 << 20);
    enum sotto_err err = route != NULL ? route->answer(&t->host, &asked, &reply) : SOTTO_ENOTFOUND;
    *status = reply.status;
    if (err == SOTTO_OK) {
        err = sotto_buf_append(out, sotto_buf_span(&reply.body));
    }
    sotto_buf_free(&reply.body);
    sotto_buf_free(&reply.fields);
    return err;
}

/* The public key that clients of a suite need, as its own buffer. */
static inline struct sotto_buf talk_published(struct talk *t, const struct sotto_suite *suite)
{
    struct sotto_buf out;
    sotto_buf_init(&out, SOTTO_KEM_PUBLIC_MAX);
    struct sotto_gateway_pair *pair =
        suite->ephemeral ? NULL : sotto_keyring_current(t->host.keyring, suite);
    if (pair != NULL) {
        sotto_ignore(sotto_buf_append(&out, sotto_kem_public(pair->pair))); /* empty: hello says */
    }
    sotto_gateway_pair_unref(pair);
    return out;
}

static inline enum sotto_err talk_agree(struct talk *t, const struct sotto_suite *suite,
                                        struct sotto_native_client **out)
{
    struct sotto_buf body, answer, published = talk_published(t, suite);
    struct sotto_native_hello *hello = NULL;
    int status = 0;
    sotto_buf_init(&body, (size_t)1 << 20);
    sotto_buf_init(&answer, (size_t)1 << 20);
    enum sotto_err err = sotto_native_hello(suite, sotto_buf_span(&published), &body, &hello);
    if (err == SOTTO_OK) {
        err = talk_ask(t, "POST", "/v1/seal/session", sotto_buf_span(&body), &answer, &status);
    }
    if (err == SOTTO_OK) {
        err = status == 200
                  ? sotto_native_agreed(hello, sotto_buf_span(&answer), t->signer.public_key, out)
                  : SOTTO_EDENIED;
    }
    sotto_native_hello_free(hello);
    sotto_buf_free(&body);
    sotto_buf_free(&answer);
    sotto_buf_free(&published);
    return err;
}

/* What the vault room does with a request up to its plain text. */
static inline enum sotto_err talk_receive(struct talk *t, const struct sotto_http_head *head,
                                          sotto_span body, struct sotto_seal_exchange **out,
                                          struct sotto_buf *plain)
{
    struct sotto_session_id id = {0};
    const struct sotto_seal_profile *profile = sotto_seal_profile_of(head, body);
    if (profile == NULL) {
        return SOTTO_ENOTFOUND;
    }
    if (profile->find(head, body, &id) != SOTTO_OK) {
        return SOTTO_EAUTH;
    }
    struct sotto_session *session = sotto_sessions_find(t->host.sessions, profile, &id, TALK_NOW);
    enum sotto_err err =
        session != NULL ? profile->open(session, head, body, 16, out, plain) : SOTTO_EAUTH;
    sotto_session_unref(session);
    return err;
}

static inline struct sotto_native_place talk_place(void)
{
    return (struct sotto_native_place){SOTTO_LIT("POST"), SOTTO_LIT(TALK_PATH),
                                       SOTTO_LIT(TALK_MODEL)};
}

#define TALK_SEALED "application/vnd.sotto.sealed"

#endif
