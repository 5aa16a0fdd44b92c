/* SPDX-License-Identifier: Apache-2.0 */

#include "seal/native_session.h"

#include "base/alloc.h"
#include "crypto/hpke.h"
#include "crypto/random.h"
#include "seal/keyring.h"
#include "seal/native.h"
#include "seal/native_json.h"
#include "seal/signer.h"

/* A request for a session is small. */
#define NATIVE_BODY_MAX  16384
#define NATIVE_DEPTH_MAX 8

/* Longest evidence (configfs-tsm: outblob of at most 32 KiB). */
#define NATIVE_EVIDENCE_MAX 65536

#define NATIVE_NONCE_BYTES 32

/* A session that is being agreed on. */
struct native_handshake {
    const struct sotto_seal_host *host;
    const struct sotto_seal_asked *asked;
    const struct sotto_suite *suite;
    struct sotto_gateway_pair *pair;        /* of suites that are not ephemeral */
    struct sotto_buf theirs;                /* the client's public key, or its ciphertext */
    uint8_t made[SOTTO_KEM_CIPHERTEXT_MAX]; /* the gateway's ciphertext */
    uint8_t shared[SOTTO_KEM_SECRET_BYTES];
    uint8_t transcript[SOTTO_SHA256_BYTES];
    uint8_t signature[SOTTO_ED25519_SIG_BYTES];
    struct sotto_native_terms terms;
    struct sotto_session session;
};

/* --- refusing ---------------------------------------------------------------------------------- */

static enum sotto_err put_text_or_null(yyjson_mut_doc *doc, yyjson_mut_val *obj, const char *key,
                                       const char *text)
{
    return text != NULL ? sotto_json_put_text(doc, obj, key, sotto_span_str(text))
                        : sotto_json_put(doc, obj, key, yyjson_mut_null(doc));
}

enum sotto_err sotto_native_write_error(const struct sotto_seal_error *error, struct sotto_buf *out)
{
    yyjson_mut_doc *doc = sotto_json_new();
    yyjson_mut_val *root = yyjson_mut_obj(doc), *body = yyjson_mut_obj(doc);
    enum sotto_err err;
    if (root == NULL || body == NULL ||
        (err = put_text_or_null(doc, body, "message", error->message)) != SOTTO_OK ||
        (err = put_text_or_null(doc, body, "type", error->type)) != SOTTO_OK ||
        (err = put_text_or_null(doc, body, "param", NULL)) != SOTTO_OK ||
        (err = put_text_or_null(doc, body, "code", error->code)) != SOTTO_OK ||
        (err = sotto_json_put(doc, root, "error", body)) != SOTTO_OK) {
        err = SOTTO_ENOMEM;
    } else {
        err = sotto_json_write(root, out);
    }
    sotto_json_free(doc);
    return err;
}

static enum sotto_err refuse(struct sotto_seal_reply *reply, const struct sotto_seal_error *error)
{
    sotto_buf_truncate(&reply->body, 0);
    reply->status = error->status;
    reply->type = "application/json";
    return sotto_native_write_error(error, &reply->body);
}

/* Keys that cannot be used, of whatever kind, get one answer. */
static enum sotto_err refuse_key(struct sotto_seal_reply *reply)
{
    static const struct sotto_seal_error error = {
        400, "invalid_request_error", "seal_refused",
        "The session was refused. Fetch GET /v1/seal/keys and begin it again."};
    return refuse(reply, &error);
}

static enum sotto_err refuse_request(struct sotto_seal_reply *reply)
{
    static const struct sotto_seal_error error = {
        400, "invalid_request_error", "seal_invalid",
        "A session is begun with a JSON object: version 1, suite x-wing or kyber512 and "
        "public_key; or suite rsa4096, key_id and ciphertext."};
    return refuse(reply, &error);
}

/* --- the exchange ------------------------------------------------------------------------------ */

static enum sotto_err agree_ephemeral(struct native_handshake *h)
{
    sotto_span theirs = sotto_buf_span(&h->theirs);
    enum sotto_err err = sotto_hpke_send(h->suite->kem, theirs, SOTTO_LIT(SOTTO_NATIVE_HPKE_INFO),
                                         SOTTO_LIT(SOTTO_NATIVE_HPKE_CONTEXT), h->made, h->shared);
    h->terms.public_key = theirs;
    h->terms.ciphertext = sotto_span_init(h->made, h->suite->kem->ciphertext_len);
    return err;
}

static enum sotto_err agree_published(struct native_handshake *h)
{
    sotto_span theirs = sotto_buf_span(&h->theirs);
    enum sotto_err err = sotto_kem_decapsulate(h->pair->pair, theirs, h->shared);
    h->terms.public_key = sotto_kem_public(h->pair->pair);
    h->terms.ciphertext = theirs;
    return err;
}

static enum sotto_err agree(struct native_handshake *h)
{
    uint8_t to_sign[SOTTO_NATIVE_SIGNED_BYTES];
    enum sotto_err err = h->suite->ephemeral ? agree_ephemeral(h) : agree_published(h);
    h->terms.suite = h->suite;
    h->terms.lifetime_s = (uint32_t)h->host->life_s;
    h->terms.tee = sotto_span_str(h->host->attestor->tee);
    memcpy(h->terms.signing_key, h->host->signer->public_key, sizeof(h->terms.signing_key));
    if (err == SOTTO_OK) {
        err = sotto_crypto_random(h->terms.random, sizeof(h->terms.random));
    }
    if (err == SOTTO_OK) {
        err = sotto_native_transcript(&h->terms, h->transcript);
    }
    if (err == SOTTO_OK) {
        err = sotto_native_secret(h->shared, h->transcript, h->session.secret);
    }
    if (err == SOTTO_OK) {
        sotto_native_signed(h->transcript, to_sign);
        err = sotto_ed25519_sign(h->host->signer->seed, sotto_span_init(to_sign, sizeof(to_sign)),
                                 h->signature);
    }
    return err;
}

static enum sotto_err store(struct native_handshake *h)
{
    struct sotto_session *s = &h->session;
    s->profile = &sotto_seal_profile_native;
    s->id.len = SOTTO_NATIVE_SESSION_BYTES;
    memcpy(s->id.bytes, h->transcript, SOTTO_NATIVE_SESSION_BYTES);
    if (h->asked->owner.len > SOTTO_SESSION_OWNER_MAX) {
        return SOTTO_EINVAL;
    }
    if (h->asked->owner.len != 0) {
        memcpy(s->owner, h->asked->owner.base, h->asked->owner.len);
    }
    s->algorithm = h->suite->name;
    s->forward_secret = h->suite->ephemeral;
    s->expires_s = h->asked->now_s + h->host->life_s;
    enum sotto_err err = sotto_session_key_id(h->terms.public_key, s->key_id);
    return err == SOTTO_OK ? sotto_sessions_put(h->host->sessions, s, h->asked->now_s) : err;
}

static enum sotto_err put_session(const struct native_handshake *h, yyjson_mut_doc *doc,
                                  yyjson_mut_val *root)
{
    const struct sotto_session *s = &h->session;
    enum sotto_err err;
    if ((err = sotto_json_put_int(doc, root, "version", SOTTO_NATIVE_VERSION)) != SOTTO_OK ||
        (err = sotto_native_put(doc, root, "session", sotto_span_init(s->id.bytes, s->id.len))) !=
            SOTTO_OK ||
        (err = sotto_json_put_text(doc, root, "suite", sotto_span_str(h->suite->name))) !=
            SOTTO_OK ||
        (err = sotto_json_put_text(doc, root, "standard", sotto_span_str(h->suite->standard))) !=
            SOTTO_OK ||
        (err = sotto_json_put_text(doc, root, "key_id", sotto_span_str(s->key_id))) != SOTTO_OK ||
        (err = sotto_json_put(doc, root, "forward_secret",
                              yyjson_mut_bool(doc, s->forward_secret))) != SOTTO_OK) {
        return err;
    }
    if (h->suite->ephemeral) {
        err = sotto_native_put(doc, root, "ciphertext", h->terms.ciphertext);
    }
    if (err != SOTTO_OK ||
        (err = sotto_native_put(doc, root, "random",
                                sotto_span_init(h->terms.random, sizeof(h->terms.random)))) !=
            SOTTO_OK ||
        (err = sotto_json_put_int(doc, root, "expires_in", h->host->life_s)) != SOTTO_OK ||
        (err = sotto_json_put_int(doc, root, "renew_in", h->host->life_s * 3 / 4)) != SOTTO_OK ||
        (err = sotto_json_put_text(doc, root, "tee", h->terms.tee)) != SOTTO_OK ||
        (err = sotto_native_put(
             doc, root, "signing_key",
             sotto_span_init(h->terms.signing_key, sizeof(h->terms.signing_key)))) != SOTTO_OK ||
        (err = sotto_native_put(doc, root, "signature",
                                sotto_span_init(h->signature, sizeof(h->signature)))) != SOTTO_OK) {
        return err;
    }
    return SOTTO_OK;
}

static enum sotto_err reply_json(yyjson_mut_val *root, enum sotto_err err,
                                 struct sotto_seal_reply *reply)
{
    if (err == SOTTO_OK) {
        err = sotto_json_write(root, &reply->body);
    }
    if (err == SOTTO_OK) {
        err = sotto_buf_append(&reply->fields, SOTTO_LIT("Cache-Control: no-store\r\n"));
    }
    reply->status = 200;
    reply->type = "application/json";
    return err;
}

static enum sotto_err finish(struct native_handshake *h, struct sotto_seal_reply *reply)
{
    enum sotto_err err = agree(h);
    if (err == SOTTO_OK) {
        err = store(h);
    }
    if (err == SOTTO_EINVAL || err == SOTTO_EAUTH || err == SOTTO_EEXISTS || err == SOTTO_EQUOTA) {
        return refuse_key(reply);
    }
    if (err != SOTTO_OK) {
        return err;
    }
    reply->begun = h->session.id;
    yyjson_mut_doc *doc = sotto_json_new();
    yyjson_mut_val *root = yyjson_mut_obj(doc);
    err = reply_json(root, root != NULL ? put_session(h, doc, root) : SOTTO_ENOMEM, reply);
    sotto_json_free(doc);
    return err;
}

/* --- POST /v1/seal/session --------------------------------------------------------------------- */

static enum sotto_err read_request(struct native_handshake *h, yyjson_mut_val *root)
{
    int64_t version;
    yyjson_mut_val *suite = sotto_json_get(root, "suite"), *key = sotto_json_get(root, "key_id");
    if (sotto_json_int(sotto_json_get(root, "version"), &version) != SOTTO_OK ||
        version != SOTTO_NATIVE_VERSION || !yyjson_mut_is_str(suite) ||
        sotto_json_is(suite, "auto")) {
        return SOTTO_EFORMAT;
    }
    h->suite = sotto_suite_find(sotto_json_text(suite));
    if (h->suite == NULL) {
        return SOTTO_EFORMAT;
    }
    if (h->suite->ephemeral) {
        return sotto_native_take(root, "public_key", SOTTO_KEM_PUBLIC_MAX, &h->theirs);
    }
    if (!yyjson_mut_is_str(key)) {
        return SOTTO_EFORMAT;
    }
    h->pair = sotto_keyring_find(h->host->keyring, h->suite, sotto_json_text(key), h->asked->now_s);
    return sotto_native_take(root, "ciphertext", SOTTO_KEM_CIPHERTEXT_MAX, &h->theirs);
}

enum sotto_err sotto_native_begin_session(const struct sotto_seal_host *host,
                                          const struct sotto_seal_asked *asked,
                                          struct sotto_seal_reply *reply)
{
    struct native_handshake h = {.host = host, .asked = asked};
    yyjson_mut_doc *doc = NULL;
    enum sotto_err err = SOTTO_EFORMAT;
    sotto_buf_init(&h.theirs, SOTTO_KEM_PUBLIC_MAX + 3);
    if (asked->body.len <= NATIVE_BODY_MAX) {
        err = sotto_json_read(asked->body, NATIVE_DEPTH_MAX, &doc, NULL);
    }
    if (err == SOTTO_OK) {
        err = read_request(&h, yyjson_mut_doc_get_root(doc));
    }
    if (err == SOTTO_EFORMAT || err == SOTTO_ELIMIT) {
        err = refuse_request(reply);
    } else if (err == SOTTO_OK && !h.suite->ephemeral && h.pair == NULL) {
        err = refuse_key(reply);
    } else if (err == SOTTO_OK) {
        err = finish(&h, reply);
    }
    sotto_json_free(doc);
    sotto_gateway_pair_unref(h.pair);
    sotto_buf_free(&h.theirs);
    sotto_wipe(&h, sizeof(h));
    return err;
}

/* --- GET /v1/seal/keys ------------------------------------------------------------------------- */

static enum sotto_err put_published(const struct sotto_seal_host *host,
                                    const struct sotto_suite *suite, yyjson_mut_doc *doc,
                                    yyjson_mut_val *row)
{
    struct sotto_gateway_pair *pair = sotto_keyring_current(host->keyring, suite);
    enum sotto_err err = SOTTO_OK;
    if (pair == NULL) {
        return SOTTO_OK; /* it is being made: the row has no key yet */
    }
    if ((err = sotto_json_put_text(doc, row, "key_id", sotto_span_str(pair->key_id))) != SOTTO_OK ||
        (err = sotto_native_put(doc, row, "public_key", sotto_kem_public(pair->pair))) !=
            SOTTO_OK ||
        (err = sotto_json_put_int(doc, row, "not_after", pair->made_s + 2 * suite->pair_life_s)) !=
            SOTTO_OK) {
        sotto_gateway_pair_unref(pair);
        return err;
    }
    sotto_gateway_pair_unref(pair);
    return SOTTO_OK;
}

static enum sotto_err put_suites(const struct sotto_seal_host *host, yyjson_mut_doc *doc,
                                 yyjson_mut_val *root)
{
    yyjson_mut_val *list = yyjson_mut_arr(doc);
    enum sotto_err err = list != NULL ? SOTTO_OK : SOTTO_ENOMEM;
    for (size_t i = 0; err == SOTTO_OK && i < SOTTO_SUITE_COUNT; i++) {
        const struct sotto_suite *suite = &sotto_suites[i];
        yyjson_mut_val *row = yyjson_mut_obj(doc);
        if (row == NULL || !yyjson_mut_arr_append(list, row)) {
            return SOTTO_ENOMEM;
        }
        if ((err = sotto_json_put_text(doc, row, "suite", sotto_span_str(suite->name))) !=
                SOTTO_OK ||
            (err = sotto_json_put_text(doc, row, "standard", sotto_span_str(suite->standard))) !=
                SOTTO_OK ||
            (err = sotto_json_put(doc, row, "forward_secret",
                                  yyjson_mut_bool(doc, suite->ephemeral))) != SOTTO_OK) {
            return err;
        }
        err = suite->ephemeral ? SOTTO_OK : put_published(host, suite, doc, row);
    }
    return err == SOTTO_OK ? sotto_json_put(doc, root, "suites", list) : err;
}

/* The 32 bytes behind "nonce=" in the target, 64 hexadecimal digits; false: there are none. */
static bool read_nonce(sotto_span target, uint8_t out[NATIVE_NONCE_BYTES])
{
    static const char digits[] = "0123456789abcdef";
    sotto_span path_end = SOTTO_LIT("?nonce=");
    size_t path_len = strlen("/v1/seal/keys");
    if (target.len != path_len + path_end.len + (size_t)2 * NATIVE_NONCE_BYTES ||
        !sotto_span_starts(sotto_span_skip(target, path_len), path_end)) {
        return false;
    }
    const uint8_t *text = target.base + path_len + path_end.len;
    for (size_t i = 0; i < NATIVE_NONCE_BYTES; i++) {
        const char *high = strchr(digits, text[2 * i]), *low = strchr(digits, text[2 * i + 1]);
        if (text[2 * i] == 0 || text[2 * i + 1] == 0 || high == NULL || low == NULL) {
            return false;
        }
        out[i] = (uint8_t)((high - digits) << 4 | (low - digits));
    }
    return true;
}

static enum sotto_err put_evidence(const struct sotto_seal_host *host, const uint8_t *report_data,
                                   yyjson_mut_doc *doc, yyjson_mut_val *out)
{
    struct sotto_buf evidence;
    sotto_buf_init(&evidence, NATIVE_EVIDENCE_MAX);
    enum sotto_err err = host->attestor->evidence(host->attestor->ctx, report_data, &evidence);
    if (err == SOTTO_OK) {
        err = sotto_native_put(doc, out, "evidence", sotto_buf_span(&evidence));
    }
    if (err == SOTTO_OK) {
        err = sotto_native_put(doc, out, "report_data",
                               sotto_span_init(report_data, SOTTO_SEAL_REPORT_DATA_BYTES));
    }
    sotto_buf_free(&evidence);
    return err;
}

static enum sotto_err put_attestation(const struct sotto_seal_host *host, sotto_span target,
                                      yyjson_mut_doc *doc, yyjson_mut_val *root)
{
    uint8_t report_data[SOTTO_SEAL_REPORT_DATA_BYTES] = {0};
    bool attested = host->attestor->evidence != NULL;
    yyjson_mut_val *out = yyjson_mut_obj(doc);
    enum sotto_err err;
    (void)read_nonce(target, report_data + SOTTO_SHA256_BYTES); /* without one: zeros */
    if ((err = sotto_json_put(doc, root, "attestation", out)) != SOTTO_OK ||
        (err = sotto_json_put_text(doc, out, "tee", sotto_span_str(host->attestor->tee))) !=
            SOTTO_OK ||
        (err = sotto_json_put(doc, out, "attested", yyjson_mut_bool(doc, attested))) != SOTTO_OK ||
        (err = sotto_native_evidence_binding(host->signer->public_key, report_data)) != SOTTO_OK) {
        return err;
    }
    return attested ? put_evidence(host, report_data, doc, out) : SOTTO_OK;
}

enum sotto_err sotto_native_keys(const struct sotto_seal_host *host,
                                 const struct sotto_seal_asked *asked,
                                 struct sotto_seal_reply *reply)
{
    yyjson_mut_doc *doc = sotto_json_new();
    yyjson_mut_val *root = yyjson_mut_obj(doc);
    enum sotto_err err = SOTTO_OK;
    if (root == NULL ||
        (err = sotto_json_put_int(doc, root, "version", SOTTO_NATIVE_VERSION)) != SOTTO_OK ||
        (err = put_suites(host, doc, root)) != SOTTO_OK ||
        (err = sotto_native_put(doc, root, "signing_key",
                                sotto_span_init(host->signer->public_key,
                                                sizeof(host->signer->public_key)))) != SOTTO_OK ||
        (err = put_attestation(host, asked->head->target, doc, root)) != SOTTO_OK) {
        sotto_json_free(doc);
        return root == NULL ? SOTTO_ENOMEM : err;
    }
    err = reply_json(root, SOTTO_OK, reply);
    sotto_json_free(doc);
    return err;
}
