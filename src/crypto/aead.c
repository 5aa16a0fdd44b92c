/* SPDX-License-Identifier: Apache-2.0 */

#include "crypto/aead.h"

#include "base/alloc.h"
#include "crypto/fetched.h"

/* Two contexts, so that neither direction ever works with what the other left behind. */
struct sotto_aead {
    EVP_CIPHER_CTX *seal;
    EVP_CIPHER_CTX *open;
};

static EVP_CIPHER_CTX *prepare(const EVP_CIPHER *cipher, const uint8_t *key, int seals)
{
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    if (ctx != NULL && EVP_CipherInit_ex2(ctx, cipher, key, NULL, seals, NULL) != 1) {
        EVP_CIPHER_CTX_free(ctx);
        ctx = NULL;
    }
    return ctx;
}

enum sotto_err sotto_aead_new(const uint8_t key[SOTTO_AEAD_KEY_BYTES], struct sotto_aead **out)
{
    const EVP_CIPHER *cipher = crypto_aes256_gcm();
    if (cipher == NULL) {
        return SOTTO_ECRYPTO;
    }
    struct sotto_aead *aead = sotto_calloc(1, sizeof(*aead));
    if (aead == NULL) {
        return SOTTO_ENOMEM;
    }
    aead->seal = prepare(cipher, key, 1);
    aead->open = prepare(cipher, key, 0);
    if (aead->seal == NULL || aead->open == NULL) {
        sotto_aead_free(aead);
        return SOTTO_ECRYPTO;
    }
    *out = aead;
    return SOTTO_OK;
}

void sotto_aead_free(struct sotto_aead *aead)
{
    if (aead != NULL) {
        EVP_CIPHER_CTX_free(aead->seal);
        EVP_CIPHER_CTX_free(aead->open);
        sotto_free(aead);
    }
}

/* Nonce and additional data: what both directions begin with.  -1 keeps the direction. */
static bool begin(EVP_CIPHER_CTX *ctx, const uint8_t *nonce, sotto_span aad)
{
    int len;
    return EVP_CipherInit_ex2(ctx, NULL, NULL, nonce, -1, NULL) == 1 &&
           (aad.len == 0 || EVP_CipherUpdate(ctx, NULL, &len, aad.base, (int)aad.len) == 1);
}

static bool transform(EVP_CIPHER_CTX *ctx, sotto_span in, uint8_t *out)
{
    int len;
    return in.len == 0 ||
           (EVP_CipherUpdate(ctx, out, &len, in.base, (int)in.len) == 1 && (size_t)len == in.len);
}

static bool finish(EVP_CIPHER_CTX *ctx)
{
    uint8_t none[1];
    int len;
    return EVP_CipherFinal_ex(ctx, none, &len) == 1;
}

enum sotto_err sotto_aead_seal(struct sotto_aead *aead, const uint8_t nonce[SOTTO_AEAD_NONCE_BYTES],
                               sotto_span aad, sotto_span plain, struct sotto_buf *out)
{
    size_t mark = out->len;
    uint8_t *dst;
    if (aad.len > SOTTO_AEAD_MAX_BYTES || plain.len > SOTTO_AEAD_MAX_BYTES) {
        return SOTTO_ELIMIT;
    }
    enum sotto_err err = sotto_buf_extend(out, plain.len + SOTTO_AEAD_TAG_BYTES, &dst);
    if (err != SOTTO_OK) {
        return err;
    }
    if (!begin(aead->seal, nonce, aad) || !transform(aead->seal, plain, dst) ||
        !finish(aead->seal) ||
        EVP_CIPHER_CTX_ctrl(aead->seal, EVP_CTRL_AEAD_GET_TAG, SOTTO_AEAD_TAG_BYTES,
                            dst + plain.len) != 1) {
        sotto_buf_truncate(out, mark);
        return SOTTO_ECRYPTO;
    }
    return SOTTO_OK;
}

enum sotto_err sotto_aead_open(struct sotto_aead *aead, const uint8_t nonce[SOTTO_AEAD_NONCE_BYTES],
                               sotto_span aad, sotto_span sealed, struct sotto_buf *out)
{
    size_t mark = out->len;
    uint8_t tag[SOTTO_AEAD_TAG_BYTES];
    uint8_t *dst;
    if (sealed.len < SOTTO_AEAD_TAG_BYTES) {
        return SOTTO_EAUTH;
    }
    sotto_span text = sotto_span_sub(sealed, 0, sealed.len - SOTTO_AEAD_TAG_BYTES);
    if (aad.len > SOTTO_AEAD_MAX_BYTES || text.len > SOTTO_AEAD_MAX_BYTES) {
        return SOTTO_ELIMIT;
    }
    enum sotto_err err = sotto_buf_extend(out, text.len, &dst);
    if (err != SOTTO_OK) {
        return err;
    }
    memcpy(tag, text.base + text.len, sizeof(tag));
    if (!begin(aead->open, nonce, aad) || !transform(aead->open, text, dst) ||
        EVP_CIPHER_CTX_ctrl(aead->open, EVP_CTRL_AEAD_SET_TAG, SOTTO_AEAD_TAG_BYTES, tag) != 1) {
        err = SOTTO_ECRYPTO;
    } else if (!finish(aead->open)) {
        err = SOTTO_EAUTH;
    }
    if (err != SOTTO_OK) {
        sotto_buf_truncate(out, mark);
    }
    return err;
}
