/* SPDX-License-Identifier: Apache-2.0 */

#include "crypto/cbc.h"

#include <openssl/evp.h>

#include "crypto/crypto.h"
#include "crypto/random.h"

#define CBC_BLOCK 16
#define CBC_MAX   ((size_t)1 << 30)

static const char *cipher_name(size_t key_len)
{
    return key_len == 16   ? "AES-128-CBC"
           : key_len == 24 ? "AES-192-CBC"
           : key_len == 32 ? "AES-256-CBC"
                           : NULL;
}

bool sotto_cbc_key_valid(size_t len)
{
    return cipher_name(len) != NULL;
}

/* A context with key and iv; NULL: OpenSSL fails. */
static EVP_CIPHER_CTX *prepare(sotto_span key, const uint8_t *iv, int encrypts)
{
    EVP_CIPHER_CTX *ctx = NULL;
    EVP_CIPHER *cipher =
        sotto_crypto_init() == SOTTO_OK ? EVP_CIPHER_fetch(NULL, cipher_name(key.len), NULL) : NULL;
    if (cipher != NULL && (ctx = EVP_CIPHER_CTX_new()) != NULL &&
        EVP_CipherInit_ex2(ctx, cipher, key.base, iv, encrypts, NULL) != 1) {
        EVP_CIPHER_CTX_free(ctx);
        ctx = NULL;
    }
    EVP_CIPHER_free(cipher);
    return ctx;
}

enum sotto_err sotto_cbc_encrypt(sotto_span key, sotto_span plain, struct sotto_buf *out)
{
    size_t mark = out->len;
    uint8_t *dst;
    int first = 0, last = 0;
    if (!sotto_cbc_key_valid(key.len)) {
        return SOTTO_EINVAL;
    }
    if (plain.len > CBC_MAX) {
        return SOTTO_ELIMIT;
    }
    size_t sealed_len = (plain.len / CBC_BLOCK + 1) * CBC_BLOCK;
    enum sotto_err err = sotto_buf_extend(out, SOTTO_CBC_IV_BYTES + sealed_len, &dst);
    if (err != SOTTO_OK) {
        return err;
    }
    EVP_CIPHER_CTX *ctx = NULL;
    uint8_t *body = dst + SOTTO_CBC_IV_BYTES;
    err = sotto_crypto_random(dst, SOTTO_CBC_IV_BYTES);
    if (err == SOTTO_OK) {
        ctx = prepare(key, dst, 1);
        bool done = ctx != NULL &&
                    (plain.len == 0 ||
                     EVP_CipherUpdate(ctx, body, &first, plain.base, (int)plain.len) == 1) &&
                    EVP_CipherFinal_ex(ctx, body + first, &last) == 1;
        err = done ? SOTTO_OK : SOTTO_ECRYPTO;
    }
    EVP_CIPHER_CTX_free(ctx);
    if (err != SOTTO_OK) {
        sotto_buf_truncate(out, mark);
    }
    return err;
}

enum sotto_err sotto_cbc_decrypt(sotto_span key, sotto_span sealed, struct sotto_buf *out)
{
    size_t mark = out->len;
    uint8_t *dst;
    int first = 0, last = 0;
    if (!sotto_cbc_key_valid(key.len)) {
        return SOTTO_EINVAL;
    }
    if (sealed.len < SOTTO_CBC_IV_BYTES + CBC_BLOCK || sealed.len % CBC_BLOCK != 0) {
        return SOTTO_EFORMAT;
    }
    if (sealed.len > CBC_MAX) {
        return SOTTO_ELIMIT;
    }
    sotto_span body = sotto_span_skip(sealed, SOTTO_CBC_IV_BYTES);
    enum sotto_err err = sotto_buf_extend(out, body.len + CBC_BLOCK, &dst);
    if (err != SOTTO_OK) {
        return err;
    }
    EVP_CIPHER_CTX *ctx = prepare(key, sealed.base, 0);
    if (ctx == NULL || EVP_CipherUpdate(ctx, dst, &first, body.base, (int)body.len) != 1) {
        err = SOTTO_ECRYPTO;
    } else if (EVP_CipherFinal_ex(ctx, dst + first, &last) != 1) {
        err = SOTTO_EFORMAT;
    }
    EVP_CIPHER_CTX_free(ctx);
    sotto_buf_truncate(out, err == SOTTO_OK ? mark + (size_t)first + (size_t)last : mark);
    return err;
}
