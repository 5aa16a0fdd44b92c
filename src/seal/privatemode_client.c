/* SPDX-License-Identifier: Apache-2.0 */

#include "seal/privatemode_client.h"

#include "base/alloc.h"
#include "crypto/base64.h"
#include "crypto/hpke.h"
#include "crypto/mesh_trust.h"
#include "crypto/random.h"
#include "seal/native_json.h"

/* Nesting of answers: what is sealed in them is a string, and of what was sealed. */
#define CLIENT_SEALED_DEPTH 64
#define CLIENT_PLAIN_DEPTH  128

/* Longest signature and certificate of an exchange. */
#define CLIENT_SIGNATURE_MAX 512
#define CLIENT_CERT_MAX      8192

#define CLIENT_SALT_BYTES 32

struct sotto_privatemode_hello {
    struct sotto_kem_pair *pair;
};

struct sotto_privatemode_client {
    uint8_t secret[SOTTO_FIELD_SECRET_BYTES];
    uint8_t id[SOTTO_FIELD_ID_LEN];
};

struct sotto_privatemode_pending {
    struct sotto_field_cipher *cipher;
    bool over;
    /* Choices of the stream. */
    bool begun[SOTTO_PRIVATEMODE_CHOICES_MAX];
    bool finished[SOTTO_PRIVATEMODE_CHOICES_MAX];
};

/* --- the exchange ------------------------------------------------------------------------------ */

void sotto_privatemode_hello_free(struct sotto_privatemode_hello *hello)
{
    if (hello != NULL) {
        sotto_kem_pair_free(hello->pair);
        sotto_free(hello);
    }
}

/* {"PublicKey":"base64"} */
static enum sotto_err write_hello(sotto_span key, struct sotto_buf *body)
{
    size_t mark = body->len;
    enum sotto_err err = sotto_buf_append(body, SOTTO_LIT("{\"PublicKey\":\""));
    if (err == SOTTO_OK) {
        err = sotto_base64_write(key, body);
    }
    if (err == SOTTO_OK) {
        err = sotto_buf_append(body, SOTTO_LIT("\"}"));
    }
    if (err != SOTTO_OK) {
        sotto_buf_truncate(body, mark);
    }
    return err;
}

enum sotto_err sotto_privatemode_hello(struct sotto_buf *body, struct sotto_privatemode_hello **out)
{
    struct sotto_privatemode_hello *hello = sotto_calloc(1, sizeof(*hello));
    if (hello == NULL) {
        return SOTTO_ENOMEM;
    }
    enum sotto_err err = sotto_kem_pair_new(&sotto_kem_xwing, NULL, &hello->pair);
    if (err == SOTTO_OK) {
        err = write_hello(sotto_kem_public(hello->pair), body);
    }
    if (err != SOTTO_OK) {
        sotto_privatemode_hello_free(hello);
        return err;
    }
    *out = hello;
    return SOTTO_OK;
}

/* What the gateway answered. */
struct offer {
    uint8_t encapsulated[SOTTO_KEM_CIPHERTEXT_MAX];
    struct sotto_buf signature, cert;
};

static enum sotto_err read_offer(sotto_span answer, struct offer *offer)
{
    yyjson_mut_doc *doc = NULL;
    enum sotto_err err = sotto_json_read(answer, CLIENT_SEALED_DEPTH, &doc, NULL);
    yyjson_mut_val *root = err == SOTTO_OK ? yyjson_mut_doc_get_root(doc) : NULL;
    if (err == SOTTO_OK) {
        err = sotto_native_take_exact(root, "EncapsulatedKey", offer->encapsulated,
                                      sotto_kem_xwing.ciphertext_len);
    }
    if (err == SOTTO_OK) {
        err = sotto_native_take(root, "Signature", CLIENT_SIGNATURE_MAX, &offer->signature);
    }
    if (err == SOTTO_OK) {
        err = sotto_native_take(root, "MeshCert", CLIENT_CERT_MAX, &offer->cert);
    }
    sotto_json_free(doc);
    return err;
}

/* Only what the mesh has signed is decapsulated. */
static enum sotto_err accept_offer(const struct sotto_privatemode_hello *hello,
                                   const struct offer *offer, sotto_span mesh_ca, int64_t now_s,
                                   struct sotto_privatemode_client *client)
{
    const sotto_span none = sotto_span_init(NULL, 0);
    uint8_t digest[SOTTO_SHA256_BYTES];
    sotto_span key = sotto_kem_public(hello->pair);
    sotto_span encapsulated = sotto_span_init(offer->encapsulated, sotto_kem_xwing.ciphertext_len);
    enum sotto_err err = sotto_privatemode_digest(key, encapsulated, digest);
    if (err == SOTTO_OK) {
        err = sotto_mesh_signed(mesh_ca, sotto_buf_span(&offer->cert), now_s, digest,
                                sotto_buf_span(&offer->signature));
    }
    if (err == SOTTO_OK) {
        err = sotto_hpke_receive(&sotto_kem_xwing, hello->pair, encapsulated, none, none,
                                 client->secret);
        err = err == SOTTO_EINVAL ? SOTTO_EAUTH : err;
    }
    return err == SOTTO_OK ? sotto_privatemode_id(key, client->id) : err;
}

enum sotto_err sotto_privatemode_agreed(const struct sotto_privatemode_hello *hello,
                                        sotto_span answer, sotto_span mesh_ca, int64_t now_s,
                                        struct sotto_privatemode_client **out)
{
    struct offer offer;
    struct sotto_privatemode_client *client = sotto_calloc(1, sizeof(*client));
    if (client == NULL) {
        return SOTTO_ENOMEM;
    }
    sotto_buf_init(&offer.signature, SOTTO_BUF_UNBOUNDED);
    sotto_buf_init(&offer.cert, SOTTO_BUF_UNBOUNDED);
    enum sotto_err err = read_offer(answer, &offer);
    if (err == SOTTO_OK) {
        err = accept_offer(hello, &offer, mesh_ca, now_s, client);
    }
    sotto_buf_free(&offer.signature);
    sotto_buf_free(&offer.cert);
    if (err != SOTTO_OK) {
        sotto_privatemode_client_free(client);
        return err;
    }
    *out = client;
    return SOTTO_OK;
}

void sotto_privatemode_client_free(struct sotto_privatemode_client *client)
{
    sotto_free(client);
}

sotto_span sotto_privatemode_client_id(const struct sotto_privatemode_client *client)
{
    return sotto_span_init(client->id, sizeof(client->id));
}

/* --- requests ---------------------------------------------------------------------------------- */

void sotto_privatemode_pending_free(struct sotto_privatemode_pending *pending)
{
    if (pending != NULL) {
        sotto_field_cipher_free(pending->cipher);
        sotto_free(pending);
    }
}

static enum sotto_err pending_new(const struct sotto_privatemode_client *client,
                                  struct sotto_privatemode_pending **out)
{
    struct sotto_privatemode_pending *pending = sotto_calloc(1, sizeof(*pending));
    if (pending == NULL) {
        return SOTTO_ENOMEM;
    }
    enum sotto_err err = sotto_field_cipher_new(client->secret, sotto_privatemode_client_id(client),
                                                &pending->cipher);
    if (err == SOTTO_OK) {
        err = sotto_field_ask(pending->cipher);
    }
    if (err != SOTTO_OK) {
        sotto_privatemode_pending_free(pending);
        return err;
    }
    *out = pending;
    return SOTTO_OK;
}

/* Prompts are cached by what they begin with; nobody else's begin with this. */
static enum sotto_err add_salt(yyjson_mut_doc *doc, yyjson_mut_val *root)
{
    uint8_t salt[CLIENT_SALT_BYTES];
    if (sotto_json_get(root, "cache_salt") != NULL) {
        return SOTTO_OK;
    }
    enum sotto_err err = sotto_crypto_random(salt, sizeof(salt));
    return err == SOTTO_OK
               ? sotto_native_put(doc, root, "cache_salt", sotto_span_init(salt, sizeof(salt)))
               : err;
}

static enum sotto_err seal_text(struct sotto_privatemode_pending *pending, bool embeddings,
                                sotto_span text, struct sotto_buf *body)
{
    yyjson_mut_doc *doc = NULL;
    struct sotto_buf scratch;
    sotto_buf_init(&scratch, SOTTO_BUF_UNBOUNDED);
    enum sotto_err err = sotto_json_read(text, CLIENT_PLAIN_DEPTH, &doc, NULL);
    yyjson_mut_val *root = err == SOTTO_OK ? yyjson_mut_doc_get_root(doc) : NULL;
    if (err == SOTTO_OK && !yyjson_mut_is_obj(root)) {
        err = SOTTO_EFORMAT;
    }
    if (err == SOTTO_OK && !embeddings) {
        err = add_salt(doc, root);
    }
    if (err == SOTTO_OK) {
        err = sotto_members_seal(pending->cipher, root,
                                 embeddings ? sotto_privatemode_embeddings_rule
                                            : sotto_privatemode_chat_rule,
                                 &scratch, body);
    }
    sotto_json_free(doc);
    sotto_buf_free(&scratch);
    return err;
}

enum sotto_err sotto_privatemode_request(const struct sotto_privatemode_client *client,
                                         bool embeddings, sotto_span text, struct sotto_buf *body,
                                         struct sotto_privatemode_pending **out)
{
    struct sotto_privatemode_pending *pending = NULL;
    enum sotto_err err = pending_new(client, &pending);
    if (err == SOTTO_OK) {
        err = seal_text(pending, embeddings, text, body);
    }
    if (err != SOTTO_OK) {
        sotto_privatemode_pending_free(pending);
        return err;
    }
    *out = pending;
    return SOTTO_OK;
}

/* --- answers ----------------------------------------------------------------------------------- */

/* Opens an object; *error: it is one.  `seen` (may be NULL) gets what was sealed, with `pending`. */
static enum sotto_err open_object(struct sotto_privatemode_pending *pending, sotto_span body,
                                  sotto_members_write *seen, bool *error, struct sotto_buf *text)
{
    yyjson_mut_doc *doc = NULL;
    enum sotto_err err = sotto_json_read(body, CLIENT_SEALED_DEPTH, &doc, NULL);
    if (err == SOTTO_OK) {
        yyjson_mut_val *root = yyjson_mut_doc_get_root(doc);
        *error = sotto_json_get(root, "error") != NULL;
        err = sotto_members_open(pending->cipher, root, sotto_privatemode_answer_rule, seen,
                                 pending, text);
    }
    sotto_json_free(doc);
    return err == SOTTO_EFORMAT ? SOTTO_EAUTH : err;
}

enum sotto_err sotto_privatemode_whole(struct sotto_privatemode_pending *pending, int status,
                                       sotto_span body, struct sotto_buf *text)
{
    size_t mark = text->len;
    bool error = false;
    if (pending->over) {
        return SOTTO_ESTATE;
    }
    pending->over = true;
    enum sotto_err err = open_object(pending, body, NULL, &error, text);
    if (err == SOTTO_OK && error != (status >= 400)) {
        sotto_buf_truncate(text, mark);
        err = SOTTO_EAUTH;
    }
    return err;
}

/* Notes which choices a chunk begins and finishes; the member is written as usual. */
static enum sotto_err note_choices(void *ctx, sotto_span key, sotto_span text, bool *done,
                                   struct sotto_buf *out)
{
    struct sotto_privatemode_pending *pending = ctx;
    yyjson_mut_doc *doc = NULL;
    (void)out;
    *done = false;
    if (!sotto_span_eq(key, SOTTO_LIT("choices"))) {
        return SOTTO_OK;
    }
    enum sotto_err err = sotto_json_read(text, CLIENT_PLAIN_DEPTH, &doc, NULL);
    if (err != SOTTO_OK) {
        return err;
    }
    size_t i, n;
    yyjson_mut_val *choice;
    yyjson_mut_arr_foreach(yyjson_mut_doc_get_root(doc), i, n, choice)
    {
        yyjson_mut_val *index = sotto_json_get(choice, "index");
        int64_t at = 0;
        if ((index != NULL && sotto_json_int(index, &at) != SOTTO_OK) || at < 0 ||
            at >= SOTTO_PRIVATEMODE_CHOICES_MAX) {
            err = SOTTO_EAUTH;
            break;
        }
        pending->begun[at] = true;
        pending->finished[at] |= yyjson_mut_is_str(sotto_json_get(choice, "finish_reason"));
    }
    sotto_json_free(doc);
    return err;
}

/* Anybody can write [DONE]; that a choice is finished was sealed. */
static bool is_finished(const struct sotto_privatemode_pending *pending)
{
    bool any = false, all = true;
    for (size_t i = 0; i < SOTTO_PRIVATEMODE_CHOICES_MAX; i++) {
        any |= pending->begun[i];
        all &= !pending->begun[i] || pending->finished[i];
    }
    return any && all;
}

static enum sotto_err open_event(struct sotto_privatemode_pending *pending, sotto_span data,
                                 bool *last, struct sotto_buf *text)
{
    bool error = false;
    if (sotto_span_eq(data, SOTTO_LIT("[DONE]"))) {
        *last = is_finished(pending);
        return *last ? SOTTO_OK : SOTTO_EAUTH;
    }
    enum sotto_err err = open_object(pending, data, note_choices, &error, text);
    *last = err == SOTTO_OK && error;
    return err;
}

enum sotto_err sotto_privatemode_event(struct sotto_privatemode_pending *pending, sotto_span data,
                                       bool *last, struct sotto_buf *text)
{
    *last = false;
    if (pending->over) {
        return SOTTO_ESTATE;
    }
    enum sotto_err err = open_event(pending, data, last, text);
    pending->over = err != SOTTO_OK || *last;
    return err;
}

bool sotto_privatemode_is_forgotten(int status, sotto_span body)
{
    static const char sentence[] = "no secret for ID";
    yyjson_mut_doc *doc = NULL;
    if ((status != 500 && status != 401) ||
        sotto_json_read(body, CLIENT_SEALED_DEPTH, &doc, NULL) != SOTTO_OK) {
        return false;
    }
    sotto_span message = sotto_json_text(
        sotto_json_get(sotto_json_get(yyjson_mut_doc_get_root(doc), "error"), "message"));
    bool forgotten = message.len != 0 &&
                     memmem(message.base, message.len, sentence, sizeof(sentence) - 1) != NULL;
    sotto_json_free(doc);
    return forgotten;
}
