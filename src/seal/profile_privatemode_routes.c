/* SPDX-License-Identifier: Apache-2.0 */

/*
 * How Privatemode's clients come to share a secret with the gateway: they ask for evidence and the
 * certificate authority in it, send a fresh public key, and get a secret encapsulated to it, signed
 * by a leaf of that authority.  docs/wire/privatemode.md, "Exchange".
 */

#include <stdio.h>

#include "base/alloc.h"
#include "crypto/base64.h"
#include "crypto/hpke.h"
#include "crypto/mesh.h"
#include "seal/privatemode.h"
#include "seal/profile_privatemode.h"

_Static_assert(SOTTO_PRIVATEMODE_REPORT_BYTES == SOTTO_SEAL_REPORT_DATA_BYTES, "one report");

#define EXCHANGE_JSON_DEPTH 4

/* --- requests and refusals ----------------------------------------------------------------------- */

static enum sotto_err refuse(struct sotto_seal_reply *reply, int status, const char *message)
{
    struct sotto_seal_error error = {.status = status, .type = "invalid_request_error"};
    snprintf(error.message, sizeof(error.message), "%s", message);
    reply->status = status;
    reply->type = "application/json";
    enum sotto_err err = sotto_buf_append(&reply->fields, SOTTO_LIT(SOTTO_PRIVATEMODE_CLEAR));
    return err == SOTTO_OK ? privatemode_write_error(&error, &reply->body) : err;
}

/* The bytes of a member in base64, of exactly `n` bytes.  @retval SOTTO_EINVAL  there are none */
static enum sotto_err take_bytes(sotto_span body, const char *name, size_t n, struct sotto_buf *out)
{
    yyjson_mut_doc *doc = NULL;
    enum sotto_err err = sotto_json_read(body, EXCHANGE_JSON_DEPTH, &doc, NULL);
    if (err == SOTTO_OK) {
        sotto_span text = sotto_json_text(sotto_json_get(yyjson_mut_doc_get_root(doc), name));
        err = text.len == SOTTO_BASE64_LEN(n) ? sotto_base64_read(text, out) : SOTTO_EFORMAT;
    }
    sotto_json_free(doc);
    if (err == SOTTO_OK && out->len != n) {
        err = SOTTO_EFORMAT;
    }
    return err == SOTTO_EFORMAT || err == SOTTO_ELIMIT ? SOTTO_EINVAL : err;
}

/* "name":"base64" */
static enum sotto_err put_bytes(const char *name, sotto_span bytes, struct sotto_buf *out)
{
    enum sotto_err err = sotto_buf_printf(out, "\"%s\":\"", name);
    if (err == SOTTO_OK) {
        err = sotto_base64_write(bytes, out);
    }
    return err == SOTTO_OK ? sotto_buf_push(out, '"') : err;
}

/* --- evidence ------------------------------------------------------------------------------------ */

/* What a client compares with what it expects: the authority, and whether evidence vouches for it. */
static enum sotto_err write_manifest(const struct sotto_seal_host *host, struct sotto_buf *out)
{
    enum sotto_err err =
        sotto_buf_printf(out, "{\"tee\":\"%s\",\"attested\":%s,", host->attestor->tee,
                         host->attestor->evidence != NULL ? "true" : "false");
    if (err == SOTTO_OK) {
        err = put_bytes("mesh_ca_sha256",
                        sotto_span_init(sotto_mesh_ca_hash(host->mesh), SOTTO_SHA256_BYTES), out);
    }
    return err == SOTTO_OK ? sotto_buf_push(out, '}') : err;
}

/* The document as Contrast's coordinator writes it, and `attested` in plain words. */
static enum sotto_err write_document(const struct sotto_seal_host *host, sotto_span manifest,
                                     sotto_span evidence, struct sotto_buf *out)
{
    bool attested = evidence.len != 0;
    sotto_span ca = sotto_mesh_ca(host->mesh);
    enum sotto_err err = sotto_buf_append(out, SOTTO_LIT("{\"version\":\"" SOTTO_VERSION "\","));
    if (err == SOTTO_OK) {
        err = put_bytes("raw_attestation_doc", evidence, out);
    }
    if (err == SOTTO_OK) {
        err = sotto_buf_printf(out, ",\"attestation_type\":%s,\"manifests\":[\"",
                               attested ? "[1,3,9901,2,1]" : "null");
    }
    if (err == SOTTO_OK) {
        err = sotto_base64_write(manifest, out);
    }
    if (err == SOTTO_OK) {
        err = sotto_buf_append(out, SOTTO_LIT("\"],\"policies\":[],"));
    }
    if (err == SOTTO_OK) {
        err = put_bytes("root_ca", ca, out);
    }
    if (err == SOTTO_OK) {
        err = sotto_buf_push(out, ',');
    }
    if (err == SOTTO_OK) {
        err = put_bytes("mesh_ca", ca, out);
    }
    return err == SOTTO_OK ? sotto_buf_printf(out, ",\"tee\":\"%s\",\"attested\":%s}",
                                              host->attestor->tee, attested ? "true" : "false")
                           : err;
}

static enum sotto_err attest(const struct sotto_seal_host *host, sotto_span nonce,
                             struct sotto_buf *out)
{
    uint8_t report[SOTTO_SEAL_REPORT_DATA_BYTES];
    struct sotto_buf manifest, evidence, document;
    sotto_buf_init(&manifest, SOTTO_BUF_UNBOUNDED);
    sotto_buf_init(&evidence, SOTTO_BUF_UNBOUNDED);
    sotto_buf_init(&document, SOTTO_BUF_UNBOUNDED);
    enum sotto_err err = write_manifest(host, &manifest);
    if (err == SOTTO_OK && host->attestor->evidence != NULL) {
        /* The mesh CA is its own root. */
        err = sotto_privatemode_binding(nonce, sotto_buf_span(&manifest), sotto_mesh_ca(host->mesh),
                                        sotto_mesh_ca(host->mesh), report);
        if (err == SOTTO_OK) {
            err = host->attestor->evidence(host->attestor->ctx, report, &evidence);
        }
    }
    if (err == SOTTO_OK) {
        err = write_document(host, sotto_buf_span(&manifest), sotto_buf_span(&evidence), &document);
    }
    if (err == SOTTO_OK) {
        err = sotto_buf_push(out, '{');
    }
    if (err == SOTTO_OK) {
        err = put_bytes("AttestationDoc", sotto_buf_span(&document), out);
    }
    if (err == SOTTO_OK) {
        err = sotto_buf_push(out, '}');
    }
    sotto_buf_free(&manifest);
    sotto_buf_free(&evidence);
    sotto_buf_free(&document);
    return err;
}

static enum sotto_err answer_attest(const struct sotto_seal_host *host,
                                    const struct sotto_seal_asked *asked,
                                    struct sotto_seal_reply *reply)
{
    struct sotto_buf nonce;
    sotto_buf_init(&nonce, SOTTO_PRIVATEMODE_NONCE_BYTES);
    enum sotto_err err = take_bytes(asked->body, "Nonce", SOTTO_PRIVATEMODE_NONCE_BYTES, &nonce);
    if (err == SOTTO_EINVAL) {
        err = refuse(reply, 400, "Nonce must be 32 bytes in base64.");
    } else if (err == SOTTO_OK) {
        reply->status = 200;
        reply->type = "application/json";
        err = attest(host, sotto_buf_span(&nonce), &reply->body);
    }
    sotto_buf_free(&nonce);
    return err;
}

/* --- the secret ---------------------------------------------------------------------------------- */

/* One exchange; `session` holds the secret and is wiped. */
struct exchange {
    struct sotto_session session;
    struct sotto_buf key; /* of the client */
    struct sotto_buf signature;
    uint8_t ciphertext[SOTTO_KEM_CIPHERTEXT_MAX];
};

static enum sotto_err name_session(struct exchange *x)
{
    uint8_t id[SOTTO_FIELD_ID_LEN];
    enum sotto_err err = sotto_privatemode_id(sotto_buf_span(&x->key), id);
    if (err == SOTTO_OK) {
        err = privatemode_id(sotto_span_init(id, sizeof(id)), &x->session.id);
    }
    return err == SOTTO_OK ? sotto_session_key_id(sotto_buf_span(&x->key), x->session.key_id) : err;
}

static enum sotto_err sign(const struct sotto_seal_host *host, struct exchange *x)
{
    uint8_t digest[SOTTO_SHA256_BYTES];
    enum sotto_err err = sotto_privatemode_digest(
        sotto_buf_span(&x->key), sotto_span_init(x->ciphertext, sotto_kem_xwing.ciphertext_len),
        digest);
    return err == SOTTO_OK ? sotto_mesh_sign(host->mesh, digest, &x->signature) : err;
}

static enum sotto_err share(const struct sotto_seal_host *host,
                            const struct sotto_seal_asked *asked, struct exchange *x)
{
    sotto_span none = sotto_span_init(NULL, 0);
    x->session.profile = &sotto_seal_profile_privatemode;
    x->session.algorithm = "x-wing";
    x->session.forward_secret = true;
    x->session.expires_s = asked->now_s + host->life_s;
    if (asked->owner.len > SOTTO_SESSION_OWNER_MAX) {
        return SOTTO_ESTATE;
    }
    memcpy(x->session.owner, asked->owner.base, asked->owner.len);
    enum sotto_err err = sotto_hpke_send(&sotto_kem_xwing, sotto_buf_span(&x->key), none, none,
                                         x->ciphertext, x->session.secret);
    if (err == SOTTO_OK) {
        err = name_session(x);
    }
    if (err == SOTTO_OK) {
        err = sign(host, x);
    }
    return err == SOTTO_OK ? sotto_sessions_put(host->sessions, &x->session, asked->now_s) : err;
}

static enum sotto_err write_shared(const struct sotto_seal_host *host, const struct exchange *x,
                                   struct sotto_buf *out)
{
    enum sotto_err err = sotto_buf_push(out, '{');
    if (err == SOTTO_OK) {
        err = put_bytes("EncapsulatedKey",
                        sotto_span_init(x->ciphertext, sotto_kem_xwing.ciphertext_len), out);
    }
    if (err == SOTTO_OK) {
        err = sotto_buf_push(out, ',');
    }
    if (err == SOTTO_OK) {
        err = put_bytes("Signature", sotto_buf_span(&x->signature), out);
    }
    if (err == SOTTO_OK) {
        err = sotto_buf_push(out, ',');
    }
    if (err == SOTTO_OK) {
        err = put_bytes("MeshCert", sotto_mesh_leaf(host->mesh), out);
    }
    return err == SOTTO_OK ? sotto_buf_push(out, '}') : err;
}

static enum sotto_err answer_secret(const struct sotto_seal_host *host,
                                    const struct sotto_seal_asked *asked,
                                    struct sotto_seal_reply *reply)
{
    struct exchange *x = sotto_calloc(1, sizeof(*x));
    if (x == NULL) {
        return SOTTO_ENOMEM;
    }
    sotto_buf_init(&x->key, sotto_kem_xwing.public_len);
    sotto_buf_init(&x->signature, SOTTO_BUF_UNBOUNDED);
    enum sotto_err err = take_bytes(asked->body, "PublicKey", sotto_kem_xwing.public_len, &x->key);
    if (err == SOTTO_OK) {
        err = share(host, asked, x);
    }
    if (err == SOTTO_OK) {
        reply->begun = x->session.id;
        reply->status = 200;
        reply->type = "application/json";
        err = write_shared(host, x, &reply->body);
    } else if (err == SOTTO_EINVAL || err == SOTTO_EEXISTS) {
        err = refuse(reply, 400,
                     "PublicKey must be a fresh X-Wing public key of 1216 bytes in "
                     "base64.");
    } else if (err == SOTTO_EQUOTA) {
        err = refuse(reply, 503, "This gateway keeps no more secrets now: try again later.");
    }
    sotto_buf_free(&x->key);
    sotto_buf_free(&x->signature);
    sotto_free(x);
    return err;
}

const struct sotto_seal_route sotto_privatemode_routes[2] = {
    {"POST", "/privatemode/v1/attest", true, answer_attest},
    {"POST", "/privatemode/v1/secret", true, answer_secret},
};
