/* SPDX-License-Identifier: Apache-2.0 */

#include "fleet/wrap.h"

#include "base/alloc.h"
#include "crypto/hkdf.h"
#include "crypto/random.h"
#include "seal/suite.h"

#define WRAP_VERSION 1
#define WRAP_FIXED   (SOTTO_SESSION_SECRET_BYTES + 8 + 1)
#define WRAP_HEAD    (1 + SOTTO_AEAD_NONCE_BYTES)

enum sotto_err sotto_wrap_key(sotto_span master, uint8_t out[SOTTO_AEAD_KEY_BYTES])
{
    return sotto_hkdf(master, SOTTO_LIT(""), SOTTO_LIT("sotto fleet sessions v1"), out,
                      SOTTO_AEAD_KEY_BYTES);
}

static enum sotto_err bind(sotto_span place, struct sotto_buf *out)
{
    static const char label[] = "sotto fleet session v1";
    enum sotto_err err = sotto_buf_append(
        out, sotto_span_init((const uint8_t *)label, sizeof(label))); /* with its 0 */
    return err == SOTTO_OK ? sotto_buf_append(out, place) : err;
}

static enum sotto_err put_text(struct sotto_buf *out, const char *text)
{
    sotto_span span = sotto_span_str(text);
    enum sotto_err err = sotto_buf_push(out, (uint8_t)span.len);
    return err == SOTTO_OK ? sotto_buf_append(out, span) : err;
}

static enum sotto_err write_inside(const struct sotto_session *s, struct sotto_buf *out)
{
    uint8_t fixed[WRAP_FIXED];
    memcpy(fixed, s->secret, sizeof(s->secret));
    for (size_t i = 0; i < 8; i++) {
        fixed[sizeof(s->secret) + i] = (uint8_t)((uint64_t)s->expires_s >> (56 - 8 * i));
    }
    fixed[WRAP_FIXED - 1] = s->forward_secret;
    enum sotto_err err = sotto_buf_append(out, sotto_span_init(fixed, sizeof(fixed)));
    sotto_wipe(fixed, sizeof(fixed));
    if (err == SOTTO_OK) {
        err = put_text(out, s->owner);
    }
    if (err == SOTTO_OK) {
        err = put_text(out, s->algorithm);
    }
    return err == SOTTO_OK ? put_text(out, s->key_id) : err;
}

enum sotto_err sotto_wrap(struct sotto_aead *aead, sotto_span place,
                          const struct sotto_session *session, struct sotto_buf *out)
{
    struct sotto_buf inside, aad;
    size_t mark = out->len;
    uint8_t head[WRAP_HEAD] = {WRAP_VERSION};
    sotto_buf_init(&inside, SOTTO_WRAP_BYTES_MAX);
    sotto_buf_init(&aad, SOTTO_BUF_UNBOUNDED);
    enum sotto_err err = sotto_crypto_random(head + 1, SOTTO_AEAD_NONCE_BYTES);
    if (err == SOTTO_OK) {
        err = write_inside(session, &inside);
    }
    if (err == SOTTO_OK) {
        err = bind(place, &aad);
    }
    if (err == SOTTO_OK) {
        err = sotto_buf_append(out, sotto_span_init(head, sizeof(head)));
    }
    if (err == SOTTO_OK) {
        err = sotto_aead_seal(aead, head + 1, sotto_buf_span(&aad), sotto_buf_span(&inside), out);
    }
    if (err != SOTTO_OK) {
        sotto_buf_truncate(out, mark);
    }
    sotto_buf_free(&inside);
    sotto_buf_free(&aad);
    return err;
}

/* The next text, as a C string; false: it does not fit. */
static bool take_text(sotto_span *in, char *out, size_t cap)
{
    if (in->len == 0 || in->base[0] >= cap || in->len - 1 < in->base[0]) {
        return false;
    }
    size_t len = in->base[0];
    memset(out, 0, cap);
    memcpy(out, in->base + 1, len);
    *in = sotto_span_skip(*in, len + 1);
    return true;
}

static enum sotto_err read_inside(sotto_span in, struct sotto_session *out)
{
    char algorithm[32];
    uint64_t expires = 0;
    if (in.len < WRAP_FIXED) {
        return SOTTO_EFORMAT;
    }
    memcpy(out->secret, in.base, sizeof(out->secret));
    for (size_t i = 0; i < 8; i++) {
        expires = expires << 8 | in.base[sizeof(out->secret) + i];
    }
    out->expires_s = (int64_t)expires;
    out->forward_secret = in.base[WRAP_FIXED - 1] == 1;
    in = sotto_span_skip(in, WRAP_FIXED);
    if (!take_text(&in, out->owner, sizeof(out->owner)) ||
        !take_text(&in, algorithm, sizeof(algorithm)) ||
        !take_text(&in, out->key_id, sizeof(out->key_id)) || in.len != 0) {
        return SOTTO_EFORMAT;
    }
    const struct sotto_suite *suite = sotto_suite_find(sotto_span_str(algorithm));
    if (suite == NULL) {
        return SOTTO_EFORMAT;
    }
    out->algorithm = suite->name;
    return SOTTO_OK;
}

enum sotto_err sotto_unwrap(struct sotto_aead *aead, sotto_span place, sotto_span wrapped,
                            struct sotto_session *session)
{
    struct sotto_buf inside, aad;
    struct sotto_session fresh = *session;
    if (wrapped.len < WRAP_HEAD || wrapped.len > SOTTO_WRAP_BYTES_MAX) {
        return SOTTO_EAUTH;
    }
    if (wrapped.base[0] != WRAP_VERSION) {
        return SOTTO_EFORMAT;
    }
    sotto_buf_init(&inside, SOTTO_WRAP_BYTES_MAX);
    sotto_buf_init(&aad, SOTTO_BUF_UNBOUNDED);
    enum sotto_err err = bind(place, &aad);
    if (err == SOTTO_OK) {
        err = sotto_aead_open(aead, wrapped.base + 1, sotto_buf_span(&aad),
                              sotto_span_skip(wrapped, WRAP_HEAD), &inside);
    }
    if (err == SOTTO_OK) {
        err = read_inside(sotto_buf_span(&inside), &fresh);
    }
    if (err == SOTTO_OK) {
        *session = fresh;
    }
    sotto_wipe(&fresh, sizeof(fresh));
    sotto_buf_free(&inside);
    sotto_buf_free(&aad);
    return err;
}
