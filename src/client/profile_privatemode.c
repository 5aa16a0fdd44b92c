/* SPDX-License-Identifier: Apache-2.0 */

/* The profile `privatemode` (docs/wire/privatemode.md): the mesh CA, then a secret. */

#include <stdio.h>

#include "base/alloc.h"
#include "client/profile.h"
#include "client/vouch.h"
#include "crypto/base64.h"
#include "crypto/mesh_trust.h"
#include "crypto/random.h"
#include "http/write.h"
#include "seal/privatemode_client.h"
#include "sys/clock.h"
#include "sys/files.h"
#include "json/json.h"

#define PRIVATEMODE_DEPTH_MAX 16

/* The version of the clients whose protocol this is. */
#define PRIVATEMODE_VERSION "v1.40.0"

/* Longest parts of the gateway's document. */
#define PRIVATEMODE_DOCUMENT_MAX ((size_t)256 << 10)

struct privatemode_agreement {
    struct client_agreement base;
    uint8_t nonce[SOTTO_PRIVATEMODE_NONCE_BYTES];
    struct sotto_buf mesh_ca;              /* in PEM, once it is believed */
    struct sotto_privatemode_hello *hello; /* NULL: it is not yet */
};

struct privatemode_session {
    struct client_session base;
    struct sotto_privatemode_client *client;
};

struct privatemode_pending {
    struct client_pending base;
    struct sotto_privatemode_pending *pending;
};

static enum sotto_err agreement_new(struct client_agreement **out)
{
    struct privatemode_agreement *a = sotto_calloc(1, sizeof(*a));
    if (a == NULL) {
        return SOTTO_ENOMEM;
    }
    sotto_buf_init(&a->mesh_ca, SOTTO_MESH_TRUST_BYTES_MAX);
    *out = &a->base;
    return SOTTO_OK;
}

static void agreement_free(struct client_agreement *agreement)
{
    if (agreement != NULL) {
        struct privatemode_agreement *a =
            SOTTO_CONTAINER(agreement, struct privatemode_agreement, base);
        sotto_privatemode_hello_free(a->hello);
        sotto_buf_free(&a->mesh_ca);
        sotto_free(a);
    }
}

static void session_free(struct client_session *session)
{
    if (session != NULL) {
        struct privatemode_session *s = SOTTO_CONTAINER(session, struct privatemode_session, base);
        sotto_privatemode_client_free(s->client);
        sotto_free(s);
    }
}

static void pending_free(struct client_pending *pending)
{
    if (pending != NULL) {
        struct privatemode_pending *p = SOTTO_CONTAINER(pending, struct privatemode_pending, base);
        sotto_privatemode_pending_free(p->pending);
        sotto_free(p);
    }
}

/* The gateway's routes stand beside its /v1, not below it. */
static void write_ask(const struct privatemode_agreement *a, const char *route,
                      struct client_ask *ask)
{
    sotto_span base = a->base.options->base_path;
    if (base.len >= 3 && memcmp(base.base + base.len - 3, "/v1", 3) == 0) {
        base.len -= 3;
    }
    ask->method = "POST";
    snprintf(ask->target, sizeof(ask->target), "%.*s%s", SOTTO_FMT(base), route);
}

/* --- the mesh CA ------------------------------------------------------------------------------- */

static bool begin(struct client_agreement *agreement, struct client_ask *ask)
{
    struct privatemode_agreement *a =
        SOTTO_CONTAINER(agreement, struct privatemode_agreement, base);
    enum sotto_err err = sotto_crypto_random(a->nonce, sizeof(a->nonce));
    if (err == SOTTO_OK) {
        err = sotto_buf_append(&ask->body, SOTTO_LIT("{\"Nonce\":\""));
    }
    if (err == SOTTO_OK) {
        err = sotto_base64_write(sotto_span_init(a->nonce, sizeof(a->nonce)), &ask->body);
    }
    if (err == SOTTO_OK) {
        err = sotto_buf_append(&ask->body, SOTTO_LIT("\"}"));
    }
    write_ask(a, "/privatemode/v1/attest", ask);
    return err == SOTTO_OK || client_fail(agreement, "The gateway at %s cannot be asked: %s.",
                                          a->base.gateway, sotto_err_text(err));
}

/* The bytes of a string in base64; SOTTO_EFORMAT also where they are none. */
static enum sotto_err take_bytes(yyjson_mut_val *val, struct sotto_buf *out)
{
    sotto_span text = yyjson_mut_is_str(val) ? sotto_json_text(val) : sotto_span_init(NULL, 0);
    enum sotto_err err = text.len != 0 ? sotto_base64_read(text, out) : SOTTO_EFORMAT;
    return err == SOTTO_ELIMIT ? SOTTO_EFORMAT : err;
}

/* What evidence has to vouch for: this question, the one manifest, and the mesh CA. */
static enum sotto_err read_binding(const struct privatemode_agreement *a, yyjson_mut_val *document,
                                   uint8_t out[SOTTO_PRIVATEMODE_REPORT_BYTES])
{
    struct sotto_buf manifest, root_ca;
    yyjson_mut_val *manifests = sotto_json_get(document, "manifests");
    sotto_buf_init(&manifest, PRIVATEMODE_DOCUMENT_MAX);
    sotto_buf_init(&root_ca, PRIVATEMODE_DOCUMENT_MAX);
    enum sotto_err err = yyjson_mut_arr_size(manifests) == 1
                             ? take_bytes(yyjson_mut_arr_get_first(manifests), &manifest)
                             : SOTTO_EFORMAT;
    if (err == SOTTO_OK) {
        err = take_bytes(sotto_json_get(document, "root_ca"), &root_ca);
    }
    if (err == SOTTO_OK) {
        err = sotto_privatemode_binding(sotto_span_init(a->nonce, sizeof(a->nonce)),
                                        sotto_buf_span(&manifest), sotto_buf_span(&root_ca),
                                        sotto_buf_span(&a->mesh_ca), out);
    }
    sotto_buf_free(&manifest);
    sotto_buf_free(&root_ca);
    return err;
}

static bool check_evidence(struct privatemode_agreement *a, yyjson_mut_val *document)
{
    uint8_t report[SOTTO_PRIVATEMODE_REPORT_BYTES];
    const char *why = "its document cannot be read";
    enum sotto_tee tee = SOTTO_TEE_NONE;
    enum sotto_err err = read_binding(a, document, report);
    if (err == SOTTO_OK) {
        err = sotto_vouch_report(a->base.options->evidence, document, "raw_attestation_doc", report,
                                 sotto_wall_s(), &tee, &why);
    }
    return err == SOTTO_OK ||
           client_fail(&a->base, "No evidence vouches for the mesh CA of the gateway at %s: %s.",
                       a->base.gateway, why);
}

static enum sotto_err check_pinned(const char *path, const uint8_t name[SOTTO_SHA256_BYTES])
{
    struct sotto_buf file;
    sotto_buf_init(&file, SOTTO_BUF_UNBOUNDED);
    enum sotto_err err = sotto_file_read(path, SOTTO_MESH_TRUST_BYTES_MAX, &file);
    if (err == SOTTO_OK) {
        err = sotto_mesh_ca_listed(sotto_buf_span(&file), name);
    }
    sotto_buf_free(&file);
    return err;
}

static bool check_trust(struct privatemode_agreement *a, yyjson_mut_val *document)
{
    static const struct client_credential mesh = {
        .member = SOTTO_KNOWN_MESH_CA,
        .one = "has a mesh CA",
        .another = "has another mesh CA",
        .pinned = check_pinned,
    };
    uint8_t name[SOTTO_SHA256_BYTES];
    enum sotto_err err = sotto_mesh_ca_name(sotto_buf_span(&a->mesh_ca), name);
    if (err != SOTTO_OK) {
        return client_fail(&a->base, "The gateway at %s shows no mesh CA.", a->base.gateway);
    }
    return a->base.options->evidence != NULL ? check_evidence(a, document)
                                             : client_check_known(&a->base, &mesh, name);
}

static bool ask_secret(struct privatemode_agreement *a, struct client_ask *ask)
{
    enum sotto_err err = sotto_privatemode_hello(&ask->body, &a->hello);
    write_ask(a, "/privatemode/v1/secret", ask);
    return err == SOTTO_OK ||
           client_fail(&a->base, "No secret can be exchanged with the gateway at %s: %s.",
                       a->base.gateway, sotto_err_text(err));
}

/* {"AttestationDoc": base64(JSON)} */
static enum sotto_err read_document(sotto_span answer, yyjson_mut_doc **out)
{
    yyjson_mut_doc *doc = NULL;
    struct sotto_buf text;
    sotto_buf_init(&text, PRIVATEMODE_DOCUMENT_MAX);
    enum sotto_err err = sotto_json_read(answer, PRIVATEMODE_DEPTH_MAX, &doc, NULL);
    if (err == SOTTO_OK) {
        err = take_bytes(sotto_json_get(yyjson_mut_doc_get_root(doc), "AttestationDoc"), &text);
    }
    sotto_json_free(doc);
    if (err == SOTTO_OK) {
        err = sotto_json_read(sotto_buf_span(&text), PRIVATEMODE_DEPTH_MAX, out, NULL);
    }
    sotto_buf_free(&text);
    return err;
}

static bool take_document(struct privatemode_agreement *a, int status, sotto_span answer,
                          struct client_ask *ask)
{
    yyjson_mut_doc *doc = NULL;
    enum sotto_err err = status == 200 ? read_document(answer, &doc) : SOTTO_EUPSTREAM;
    yyjson_mut_val *document = err == SOTTO_OK ? yyjson_mut_doc_get_root(doc) : NULL;
    if (err == SOTTO_OK) {
        err = take_bytes(sotto_json_get(document, "mesh_ca"), &a->mesh_ca);
    }
    bool good =
        err == SOTTO_OK
            ? check_trust(a, document) && ask_secret(a, ask)
            : client_fail(&a->base, "What answers at %s does not speak the profile privatemode.",
                          a->base.gateway);
    sotto_json_free(doc);
    return good;
}

/* --- the secret -------------------------------------------------------------------------------- */

static bool take_secret(struct privatemode_agreement *a, int status, sotto_span answer,
                        struct client_session **out)
{
    struct privatemode_session *session = sotto_calloc(1, sizeof(*session));
    enum sotto_err err =
        session == NULL ? SOTTO_ENOMEM
        : status == 200 ? sotto_privatemode_agreed(a->hello, answer, sotto_buf_span(&a->mesh_ca),
                                                   sotto_wall_s(), &session->client)
                        : SOTTO_EUPSTREAM;
    if (err != SOTTO_OK) {
        session_free(session != NULL ? &session->base : NULL);
        return client_fail(
            &a->base, "The gateway at %s does not agree on a secret: %s.", a->base.gateway,
            err == SOTTO_EAUTH ? "its answer is not signed by its mesh CA" : sotto_err_text(err));
    }
    session->base.lifetime_s = SOTTO_PRIVATEMODE_LIFE_S;
    *out = &session->base;
    return true;
}

static bool take(struct client_agreement *agreement, int status, sotto_span answer,
                 struct client_ask *ask, struct client_session **out)
{
    struct privatemode_agreement *a =
        SOTTO_CONTAINER(agreement, struct privatemode_agreement, base);
    if (client_is_key_refused(agreement, status)) {
        return false;
    }
    return a->hello == NULL ? take_document(a, status, answer, ask)
                            : take_secret(a, status, answer, out);
}

/* --- requests ---------------------------------------------------------------------------------- */

static enum sotto_err write_fields(const struct privatemode_session *session,
                                   const struct sotto_link_options *options,
                                   struct sotto_buf *fields)
{
    enum sotto_err err =
        sotto_http_write_field(fields, "Content-Type", SOTTO_LIT("application/json"));
    if (err == SOTTO_OK) {
        err = sotto_link_write_key(options, fields);
    }
    if (err == SOTTO_OK) {
        err = sotto_http_write_field(fields, "Privatemode-Version", SOTTO_LIT(PRIVATEMODE_VERSION));
    }
    if (err == SOTTO_OK) {
        err = sotto_http_write_field(fields, "Privatemode-Client", SOTTO_LIT("Proxy"));
    }
    return err == SOTTO_OK ? sotto_http_write_field(fields, "Privatemode-Secret-ID",
                                                    sotto_privatemode_client_id(session->client))
                           : err;
}

static enum sotto_err seal(struct client_session *session, const struct sotto_link_options *options,
                           const struct client_request *request, struct sotto_buf *fields,
                           struct sotto_buf *body, struct client_pending **out)
{
    const struct privatemode_session *s =
        SOTTO_CONTAINER(session, struct privatemode_session, base);
    struct privatemode_pending *p = sotto_calloc(1, sizeof(*p));
    if (p == NULL) {
        return SOTTO_ENOMEM;
    }
    p->base.profile = &sotto_client_profile_privatemode;
    enum sotto_err err =
        sotto_privatemode_request(s->client, request->embeddings, request->text, body, &p->pending);
    if (err == SOTTO_OK) {
        err = write_fields(s, options, fields);
    }
    if (err != SOTTO_OK) {
        pending_free(&p->base);
        return err;
    }
    *out = &p->base;
    return SOTTO_OK;
}

static bool is_sealed(const struct sotto_http_head *head)
{
    return client_is_type(head, "application/json") &&
           !sotto_span_ieq(sotto_http_get(head, "privatemode-encrypted"), SOTTO_LIT("false"));
}

static enum sotto_err whole(struct client_pending *pending, int status, sotto_span body,
                            struct sotto_buf *text)
{
    return sotto_privatemode_whole(
        SOTTO_CONTAINER(pending, struct privatemode_pending, base)->pending, status, body, text);
}

static enum sotto_err event(struct client_pending *pending, sotto_span data, bool *last,
                            struct sotto_buf *text)
{
    return sotto_privatemode_event(
        SOTTO_CONTAINER(pending, struct privatemode_pending, base)->pending, data, last, text);
}

const struct sotto_client_profile sotto_client_profile_privatemode = {
    .name = "privatemode",
    .known_file = "known_meshes",
    .suites = false,
    .agreement_new = agreement_new,
    .agreement_free = agreement_free,
    .session_free = session_free,
    .pending_free = pending_free,
    .begin = begin,
    .take = take,
    .seal = seal,
    .is_sealed = is_sealed,
    .whole = whole,
    .event = event,
    .is_forgotten = sotto_privatemode_is_forgotten,
};
