/* SPDX-License-Identifier: Apache-2.0 */

#include "seal/native.h"

#include "base/alloc.h"
#include "crypto/hkdf.h"
#include "crypto/hmac.h"

/* Names of what is hashed, signed and derived, filled up with zero bytes. */
#define NATIVE_NAME_BYTES 24
static const uint8_t session_name[NATIVE_NAME_BYTES] = "sotto-native-1 session";
static const uint8_t sign_name[NATIVE_NAME_BYTES] = "sotto-native-1 sign";
static const uint8_t evidence_name[NATIVE_NAME_BYTES] = "sotto-native-1 evidence";
static const uint8_t request_name[NATIVE_NAME_BYTES] = "sotto-native-1 request";
static const uint8_t answer_name[NATIVE_NAME_BYTES] = "sotto-native-1 answer";

#define NATIVE_REQUEST 1
#define NATIVE_ANSWER  2

/* Direction, last, sequence, status; then method, path and model with their lengths. */
#define NATIVE_AAD_FIXED (1 + 1 + 8 + 2)
#define NATIVE_AAD_MAX                                                                             \
    (NATIVE_AAD_FIXED + 1 + SOTTO_NATIVE_METHOD_MAX + 2 + SOTTO_NATIVE_PATH_MAX + 2 +              \
     SOTTO_NATIVE_MODEL_MAX)

/* Length of the text, in front of it. */
#define NATIVE_LENGTH_BYTES 4

/* Texts are padded to a multiple of this, and long ones to a multiple of the other. */
#define NATIVE_PAD_SHORT 256
#define NATIVE_PAD_LONG  4096
#define NATIVE_LONG      16384

struct sotto_native_channel {
    struct sotto_aead *aead;
    uint64_t sequence;
    bool over;
    struct sotto_buf text; /* of the record that is being written or was read */
    size_t aad_len;
    uint8_t aad[NATIVE_AAD_MAX];
};

static void put_be(uint8_t *out, uint64_t number, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        out[i] = (uint8_t)(number >> (8 * (bytes - 1 - i)));
    }
}

/* --- sessions ---------------------------------------------------------------------------------- */

enum sotto_err sotto_native_transcript(const struct sotto_native_terms *t,
                                       uint8_t out[SOTTO_SHA256_BYTES])
{
    sotto_span suite = sotto_span_str(t->suite->name);
    uint8_t suite_len = (uint8_t)suite.len, tee_len = (uint8_t)t->tee.len;
    uint8_t public_len[4], ciphertext_len[4], lifetime[4];
    if (t->tee.len > UINT8_MAX) {
        sotto_wipe(out, SOTTO_SHA256_BYTES);
        return SOTTO_EINVAL;
    }
    put_be(public_len, t->public_key.len, sizeof(public_len));
    put_be(ciphertext_len, t->ciphertext.len, sizeof(ciphertext_len));
    put_be(lifetime, t->lifetime_s, sizeof(lifetime));
    const sotto_span parts[] = {
        sotto_span_init(session_name, sizeof(session_name)),
        sotto_span_init(&suite_len, 1),
        suite,
        sotto_span_init(public_len, sizeof(public_len)),
        t->public_key,
        sotto_span_init(ciphertext_len, sizeof(ciphertext_len)),
        t->ciphertext,
        sotto_span_init(t->random, sizeof(t->random)),
        sotto_span_init(lifetime, sizeof(lifetime)),
        sotto_span_init(t->signing_key, sizeof(t->signing_key)),
        sotto_span_init(&tee_len, 1),
        t->tee,
    };
    return sotto_sha256_parts(parts, SOTTO_COUNT(parts), out);
}

void sotto_native_signed(const uint8_t transcript[SOTTO_SHA256_BYTES],
                         uint8_t out[SOTTO_NATIVE_SIGNED_BYTES])
{
    memcpy(out, sign_name, sizeof(sign_name));
    memcpy(out + sizeof(sign_name), transcript, SOTTO_SHA256_BYTES);
}

enum sotto_err sotto_native_secret(const uint8_t shared[SOTTO_KEM_SECRET_BYTES],
                                   const uint8_t transcript[SOTTO_SHA256_BYTES],
                                   uint8_t out[SOTTO_NATIVE_SECRET_BYTES])
{
    /* HKDF-Extract: the result is a key for HKDF-Expand. */
    return sotto_hmac_sha256(sotto_span_init(transcript, SOTTO_SHA256_BYTES),
                             sotto_span_init(shared, SOTTO_KEM_SECRET_BYTES), out);
}

enum sotto_err sotto_native_evidence_binding(const uint8_t signing_key[SOTTO_ED25519_PUBLIC_BYTES],
                                             uint8_t out[SOTTO_SHA256_BYTES])
{
    const sotto_span parts[] = {sotto_span_init(evidence_name, sizeof(evidence_name)),
                                sotto_span_init(signing_key, SOTTO_ED25519_PUBLIC_BYTES)};
    return sotto_sha256_parts(parts, SOTTO_COUNT(parts), out);
}

/* --- channels ---------------------------------------------------------------------------------- */

static uint8_t *put_span(uint8_t *at, sotto_span s, size_t length_bytes)
{
    put_be(at, s.len, length_bytes);
    if (s.len != 0) {
        memcpy(at + length_bytes, s.base, s.len);
    }
    return at + length_bytes + s.len;
}

static enum sotto_err channel_new(const uint8_t *secret, const sotto_span *info, size_t count,
                                  uint8_t direction, int status,
                                  const struct sotto_native_place *place,
                                  struct sotto_native_channel **out)
{
    uint8_t key[SOTTO_AEAD_KEY_BYTES];
    if (place->method.len > SOTTO_NATIVE_METHOD_MAX || place->path.len > SOTTO_NATIVE_PATH_MAX ||
        place->model.len > SOTTO_NATIVE_MODEL_MAX) {
        return SOTTO_EINVAL;
    }
    struct sotto_native_channel *c = sotto_calloc(1, sizeof(*c));
    if (c == NULL) {
        return SOTTO_ENOMEM;
    }
    sotto_buf_init(&c->text, SOTTO_BUF_UNBOUNDED);
    enum sotto_err err = sotto_hkdf_expand(sotto_span_init(secret, SOTTO_NATIVE_SECRET_BYTES), info,
                                           count, key, sizeof(key));
    if (err == SOTTO_OK) {
        err = sotto_aead_new(key, &c->aead);
    }
    sotto_wipe(key, sizeof(key));
    if (err != SOTTO_OK) {
        sotto_native_channel_free(c);
        return err;
    }
    c->aad[0] = direction;
    put_be(c->aad + 10, (uint64_t)status, 2);
    uint8_t *end = put_span(c->aad + NATIVE_AAD_FIXED, place->method, 1);
    end = put_span(end, place->path, 2);
    end = put_span(end, place->model, 2);
    c->aad_len = (size_t)(end - c->aad);
    *out = c;
    return SOTTO_OK;
}

enum sotto_err sotto_native_request_channel(const uint8_t secret[SOTTO_NATIVE_SECRET_BYTES],
                                            const uint8_t nonce[SOTTO_NATIVE_NONCE_BYTES],
                                            const struct sotto_native_place *place,
                                            struct sotto_native_channel **out)
{
    const sotto_span info[] = {sotto_span_init(request_name, sizeof(request_name)),
                               sotto_span_init(nonce, SOTTO_NATIVE_NONCE_BYTES)};
    return channel_new(secret, info, SOTTO_COUNT(info), NATIVE_REQUEST, 0, place, out);
}

enum sotto_err sotto_native_answer_channel(const uint8_t secret[SOTTO_NATIVE_SECRET_BYTES],
                                           const uint8_t nonce[SOTTO_NATIVE_NONCE_BYTES],
                                           const uint8_t answer_nonce[SOTTO_NATIVE_NONCE_BYTES],
                                           int status, const struct sotto_native_place *place,
                                           struct sotto_native_channel **out)
{
    const sotto_span info[] = {sotto_span_init(answer_name, sizeof(answer_name)),
                               sotto_span_init(nonce, SOTTO_NATIVE_NONCE_BYTES),
                               sotto_span_init(answer_nonce, SOTTO_NATIVE_NONCE_BYTES)};
    return channel_new(secret, info, SOTTO_COUNT(info), NATIVE_ANSWER, status, place, out);
}

void sotto_native_channel_free(struct sotto_native_channel *c)
{
    if (c != NULL) {
        sotto_aead_free(c->aead);
        sotto_buf_free(&c->text);
        sotto_free(c);
    }
}

/* --- records ----------------------------------------------------------------------------------- */

size_t sotto_native_padded(size_t n)
{
    size_t total = n + NATIVE_LENGTH_BYTES;
    size_t unit = total > NATIVE_LONG ? NATIVE_PAD_LONG : NATIVE_PAD_SHORT;
    return (total + unit - 1) / unit * unit;
}

/* The key serves one direction of one request, so the number of the record is nonce enough. */
static void place_record(struct sotto_native_channel *c, bool last,
                         uint8_t nonce[SOTTO_AEAD_NONCE_BYTES])
{
    put_be(nonce, 0, SOTTO_AEAD_NONCE_BYTES - 8);
    put_be(nonce + SOTTO_AEAD_NONCE_BYTES - 8, c->sequence, 8);
    c->aad[1] = last ? 1 : 0;
    put_be(c->aad + 2, c->sequence, 8);
}

enum sotto_err sotto_native_begin(struct sotto_native_channel *c, struct sotto_buf **text)
{
    static const uint8_t room[NATIVE_LENGTH_BYTES];
    sotto_buf_truncate(&c->text, 0);
    enum sotto_err err = sotto_buf_append(&c->text, sotto_span_init(room, sizeof(room)));
    if (err == SOTTO_OK) {
        *text = &c->text;
    }
    return err;
}

static enum sotto_err pad_text(struct sotto_buf *text)
{
    size_t len = text->len - NATIVE_LENGTH_BYTES;
    uint8_t *padding;
    size_t missing = sotto_native_padded(len) - text->len;
    if (len > SOTTO_AEAD_MAX_BYTES) {
        return SOTTO_ELIMIT;
    }
    enum sotto_err err = sotto_buf_extend(text, missing, &padding);
    if (err != SOTTO_OK) {
        return err;
    }
    if (missing != 0) {
        memset(padding, 0, missing);
    }
    put_be(text->base, len, NATIVE_LENGTH_BYTES);
    return SOTTO_OK;
}

enum sotto_err sotto_native_seal(struct sotto_native_channel *c, bool last, struct sotto_buf *out)
{
    uint8_t nonce[SOTTO_AEAD_NONCE_BYTES];
    size_t mark = out->len;
    if (c->over || c->text.len < NATIVE_LENGTH_BYTES) {
        return SOTTO_ESTATE;
    }
    place_record(c, last, nonce);
    c->over = true; /* until it has worked */
    enum sotto_err err = pad_text(&c->text);
    if (err == SOTTO_OK) {
        err = sotto_buf_push(out, last ? 1 : 0);
    }
    if (err == SOTTO_OK) {
        err = sotto_aead_seal(c->aead, nonce, sotto_span_init(c->aad, c->aad_len),
                              sotto_buf_span(&c->text), out);
    }
    sotto_buf_truncate(&c->text, 0);
    if (err != SOTTO_OK) {
        sotto_buf_truncate(out, mark);
        return err;
    }
    c->over = last;
    c->sequence++;
    return SOTTO_OK;
}

enum sotto_err sotto_native_unpad(sotto_span padded, sotto_span *text)
{
    if (padded.len < NATIVE_LENGTH_BYTES) {
        return SOTTO_EAUTH;
    }
    const uint8_t *b = padded.base;
    size_t len = (size_t)b[0] << 24 | (size_t)b[1] << 16 | (size_t)b[2] << 8 | b[3];
    if (len > padded.len - NATIVE_LENGTH_BYTES) {
        return SOTTO_EAUTH;
    }
    *text = sotto_span_sub(padded, NATIVE_LENGTH_BYTES, NATIVE_LENGTH_BYTES + len);
    return SOTTO_OK;
}

enum sotto_err sotto_native_open(struct sotto_native_channel *c, sotto_span record, bool *last,
                                 struct sotto_buf *out)
{
    uint8_t nonce[SOTTO_AEAD_NONCE_BYTES];
    if (c->over) {
        return SOTTO_ESTATE;
    }
    c->over = true; /* until it has worked */
    if (record.len < 1 || record.base[0] > 1) {
        return SOTTO_EAUTH;
    }
    bool is_last = record.base[0] == 1;
    place_record(c, is_last, nonce);
    sotto_buf_truncate(&c->text, 0);
    enum sotto_err err = sotto_aead_open(c->aead, nonce, sotto_span_init(c->aad, c->aad_len),
                                         sotto_span_skip(record, 1), &c->text);
    sotto_span text = {NULL, 0};
    if (err == SOTTO_OK) {
        err = sotto_native_unpad(sotto_buf_span(&c->text), &text);
    }
    if (err == SOTTO_OK) {
        err = sotto_buf_append(out, text);
    }
    sotto_buf_truncate(&c->text, 0);
    if (err == SOTTO_OK) {
        *last = is_last;
        c->over = is_last;
        c->sequence++;
    }
    return err;
}
