/* SPDX-License-Identifier: Apache-2.0 */

#include "crypto/hmac.h"

#include "base/alloc.h"
#include "crypto/fetched.h"
#include "crypto/hash.h"

#define HMAC_BLOCK_BYTES 64
#define HMAC_INNER       0x36
#define HMAC_OUTER       0x5c

/* RFC 2104 over SHA-256: the library's own form fetches the hash by its name for each key and asks
 * for its length with each message. */
struct sotto_hmac {
    EVP_MD_CTX *inner, *outer; /* behind the block that the key fills; each message starts there */
};

/* The key as a block of its own, wiped by the caller. */
static enum sotto_err key_block(sotto_span key, uint8_t block[HMAC_BLOCK_BYTES])
{
    memset(block, 0, HMAC_BLOCK_BYTES);
    if (key.len > HMAC_BLOCK_BYTES) {
        return sotto_sha256(key, block);
    }
    if (key.len != 0) {
        memcpy(block, key.base, key.len);
    }
    return SOTTO_OK;
}

static void mask_block(uint8_t block[HMAC_BLOCK_BYTES], uint8_t mask)
{
    for (size_t i = 0; i < HMAC_BLOCK_BYTES; i++) {
        block[i] ^= mask;
    }
}

static EVP_MD_CTX *begin(const uint8_t block[HMAC_BLOCK_BYTES])
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    if (ctx != NULL && (EVP_DigestInit_ex2(ctx, crypto_sha256(), NULL) != 1 ||
                        EVP_DigestUpdate(ctx, block, HMAC_BLOCK_BYTES) != 1)) {
        EVP_MD_CTX_free(ctx);
        ctx = NULL;
    }
    return ctx;
}

enum sotto_err sotto_hmac_new(sotto_span key, struct sotto_hmac **out)
{
    uint8_t block[HMAC_BLOCK_BYTES];
    if (crypto_sha256() == NULL) {
        return SOTTO_ECRYPTO;
    }
    struct sotto_hmac *hmac = sotto_calloc(1, sizeof(*hmac));
    if (hmac == NULL) {
        return SOTTO_ENOMEM;
    }
    enum sotto_err err = key_block(key, block);
    if (err == SOTTO_OK) {
        mask_block(block, HMAC_INNER);
        hmac->inner = begin(block);
        mask_block(block, HMAC_INNER ^ HMAC_OUTER);
        hmac->outer = begin(block);
        err = hmac->inner != NULL && hmac->outer != NULL ? SOTTO_OK : SOTTO_ECRYPTO;
    }
    sotto_wipe(block, sizeof(block));
    if (err != SOTTO_OK) {
        sotto_hmac_free(hmac);
        return err;
    }
    *out = hmac;
    return SOTTO_OK;
}

void sotto_hmac_free(struct sotto_hmac *hmac)
{
    if (hmac != NULL) {
        EVP_MD_CTX_free(hmac->inner);
        EVP_MD_CTX_free(hmac->outer);
        sotto_free(hmac);
    }
}

/* The hash of the parts behind what `from` stands behind. */
static bool go_on(EVP_MD_CTX *ctx, const EVP_MD_CTX *from, const sotto_span *parts, size_t count,
                  uint8_t out[SOTTO_HMAC_BYTES])
{
    bool good = EVP_MD_CTX_copy_ex(ctx, from) == 1;
    for (size_t i = 0; i < count && good; i++) {
        good = parts[i].len == 0 || EVP_DigestUpdate(ctx, parts[i].base, parts[i].len) == 1;
    }
    return good && EVP_DigestFinal_ex(ctx, out, NULL) == 1;
}

enum sotto_err sotto_hmac_parts(struct sotto_hmac *hmac, const sotto_span *parts, size_t count,
                                uint8_t out[SOTTO_HMAC_BYTES])
{
    uint8_t digest[SOTTO_SHA256_BYTES];
    const sotto_span inner = sotto_span_init(digest, sizeof(digest));
    EVP_MD_CTX *ctx = crypto_sha256_ctx();
    bool good = ctx != NULL && go_on(ctx, hmac->inner, parts, count, digest) &&
                go_on(ctx, hmac->outer, &inner, 1, out);
    if (ctx != NULL) {
        good = crypto_sha256_end(ctx) && good;
    }
    sotto_wipe(digest, sizeof(digest));
    if (!good) {
        sotto_wipe(out, SOTTO_HMAC_BYTES);
    }
    return good ? SOTTO_OK : SOTTO_ECRYPTO;
}

/* Two plain hashes: a key that is used once is not worth preparing. */
enum sotto_err sotto_hmac_sha256(sotto_span key, sotto_span message, uint8_t out[SOTTO_HMAC_BYTES])
{
    uint8_t block[HMAC_BLOCK_BYTES], digest[SOTTO_SHA256_BYTES];
    const sotto_span inner[] = {sotto_span_init(block, sizeof(block)), message};
    const sotto_span outer[] = {inner[0], sotto_span_init(digest, sizeof(digest))};
    enum sotto_err err = key_block(key, block);
    if (err == SOTTO_OK) {
        mask_block(block, HMAC_INNER);
        err = sotto_sha256_parts(inner, 2, digest);
    }
    if (err == SOTTO_OK) {
        mask_block(block, HMAC_INNER ^ HMAC_OUTER);
        err = sotto_sha256_parts(outer, 2, out);
    }
    if (err != SOTTO_OK) {
        sotto_wipe(out, SOTTO_HMAC_BYTES);
    }
    sotto_wipe(block, sizeof(block));
    sotto_wipe(digest, sizeof(digest));
    return err;
}
