/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A sealed request in Privatemode's profiles.  The first byte chooses:
 *
 *   0, 1  the rest is a body, as a stranger sends it: whatever opens was sealed with the secret,
 *         which nobody here knows, so nothing does
 *   2, 3  the rest is the text of one field that the right client sealed: it opens, once, and the
 *         answer's numbers begin at 0
 */

#include <stdlib.h>

#include "seal/field.h"
#include "seal/profile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ID "0123456789abcdefghijklmnopqrstuvwxyzABCDEFG="

static const char *const heads[] = {
    "POST /v1/chat/completions\r\nprivatemode-secret-id: " ID "\r\n\r\n",
    "POST /v1/chat/completions\r\n\r\n",
};

static const struct sotto_seal_profile *const profiles[] = {
    &sotto_seal_profile_privatemode,
    &sotto_seal_profile_continuum,
};

static void require(bool true_always)
{
    if (!true_always) {
        abort();
    }
}

static struct sotto_session *begin(struct sotto_sessions **sessions)
{
    struct sotto_session s = {.profile = &sotto_seal_profile_privatemode, .expires_s = 100};
    s.id.len = SOTTO_FIELD_ID_LEN;
    memcpy(s.id.bytes, ID, SOTTO_FIELD_ID_LEN);
    memset(s.secret, 7, sizeof(s.secret));
    require(sotto_sessions_new(sessions) == SOTTO_OK);
    require(sotto_sessions_put(*sessions, &s, 1) == SOTTO_OK);
    return sotto_sessions_find(*sessions, s.profile, &s.id, 1);
}

/* {"model":"m","message":"<field>"}, sealed as a client would. */
static void seal_body(const struct sotto_session *session, const char *key, sotto_span text,
                      struct sotto_buf *body)
{
    struct sotto_field_cipher *c = NULL;
    require(sotto_field_cipher_new(session->secret, SOTTO_LIT(ID), &c) == SOTTO_OK);
    require(sotto_buf_printf(body, "{\"model\":\"m\",\"%s\":\"", key) == SOTTO_OK);
    require(sotto_field_seal(c, 0, NULL, text, body) == SOTTO_OK);
    require(sotto_buf_append(body, SOTTO_LIT("\"}")) == SOTTO_OK);
    sotto_field_cipher_free(c);
}

static void check_stranger(const struct sotto_seal_profile *profile,
                           const struct sotto_http_head *head, struct sotto_session *session,
                           sotto_span body)
{
    struct sotto_seal_exchange *x = NULL;
    struct sotto_session_id id;
    struct sotto_buf plain;
    sotto_buf_init(&plain, SOTTO_BUF_UNBOUNDED);
    enum sotto_err err = profile->find(head, body, &id);
    require(err == SOTTO_OK || err == SOTTO_EFORMAT);
    require(err != SOTTO_OK || id.len == SOTTO_FIELD_ID_LEN);
    require(profile->open(session, head, body, 64, &x, &plain) == SOTTO_EAUTH);
    require(x == NULL && plain.len == 0);
    sotto_buf_free(&plain);
}

static void check_client(const struct sotto_seal_profile *profile,
                         const struct sotto_http_head *head, struct sotto_session *session,
                         sotto_span text)
{
    bool continuum = profile == &sotto_seal_profile_continuum;
    struct sotto_seal_exchange *x = NULL, *again = NULL;
    struct sotto_buf body, plain, out;
    yyjson_mut_doc *doc = NULL;
    sotto_buf_init(&body, SOTTO_BUF_UNBOUNDED);
    sotto_buf_init(&plain, SOTTO_BUF_UNBOUNDED);
    sotto_buf_init(&out, SOTTO_BUF_UNBOUNDED);
    seal_body(session, continuum ? "message" : "messages", text, &body);
    require(profile->accepts(head, sotto_buf_span(&body)));
    require(profile->open(session, head, sotto_buf_span(&body), 64, &x, &plain) == SOTTO_OK);
    require(sotto_span_starts(sotto_buf_span(&plain), SOTTO_LIT("{\"messages\":")));
    require(sotto_span_ends(sotto_buf_span(&plain), SOTTO_LIT(",\"model\":\"m\"}")));
    require(continuum || plain.len == text.len + sizeof("{\"messages\":,\"model\":\"m\"}") - 1);
    require(profile->open(session, head, sotto_buf_span(&body), 64, &again, &out) == SOTTO_EAUTH);
    /* What opened is now an answer, if it is an object that can be one. */
    if (sotto_json_read(sotto_buf_span(&plain), 64, &doc, NULL) == SOTTO_OK) {
        require(profile->event(x, doc, &out) == SOTTO_OK || out.len == 0);
        require(out.len == 0 || sotto_span_ends(sotto_buf_span(&out), SOTTO_LIT("}\n\n")));
    }
    sotto_json_free(doc);
    sotto_seal_exchange_free(x);
    sotto_buf_free(&body);
    sotto_buf_free(&plain);
    sotto_buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    struct sotto_sessions *sessions;
    struct sotto_session *session = begin(&sessions);
    struct sotto_http_head head;
    const struct sotto_seal_profile *profile = profiles[data[0] & 1];
    sotto_span rest = sotto_span_init(data + 1, size - 1);
    require(sotto_http_head_index(sotto_span_str(heads[data[0] & 1]), true, &head) == SOTTO_OK);
    if ((data[0] & 2) == 0) {
        check_stranger(profile, &head, session, rest);
    } else {
        check_client(profile, &head, session, rest);
    }
    sotto_session_unref(session);
    sotto_sessions_free(sessions);
    return 0;
}
