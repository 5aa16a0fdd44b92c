/* SPDX-License-Identifier: Apache-2.0 */

#include "crypto/hmac.h"

#include <openssl/core_names.h>
#include <openssl/params.h>

#include "base/alloc.h"
#include "crypto/fetched.h"
#include "crypto/hash.h"

#define HMAC_BLOCK_BYTES 64

struct sotto_hmac {
    EVP_MAC_CTX *ctx; /* with the key; each message starts from it */
};

/* A key of no bytes is a key (RFC 2104), but NULL means "the key as before". */
static bool set_key(EVP_MAC_CTX *ctx, sotto_span key)
{
    char digest[] = "SHA256";
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end(),
    };
    static const uint8_t none[1];
    return EVP_MAC_init(ctx, key.len != 0 ? key.base : none, key.len, params) == 1;
}

enum sotto_err sotto_hmac_new(sotto_span key, struct sotto_hmac **out)
{
    EVP_MAC *mac = crypto_hmac();
    if (mac == NULL) {
        return SOTTO_ECRYPTO;
    }
    struct sotto_hmac *hmac = sotto_calloc(1, sizeof(*hmac));
    if (hmac == NULL) {
        return SOTTO_ENOMEM;
    }
    hmac->ctx = EVP_MAC_CTX_new(mac);
    if (hmac->ctx == NULL || !set_key(hmac->ctx, key)) {
        sotto_hmac_free(hmac);
        return SOTTO_ECRYPTO;
    }
    *out = hmac;
    return SOTTO_OK;
}

void sotto_hmac_free(struct sotto_hmac *hmac)
{
    if (hmac != NULL) {
        EVP_MAC_CTX_free(hmac->ctx);
        sotto_free(hmac);
    }
}

static bool run(EVP_MAC_CTX *ctx, const sotto_span *parts, size_t count, uint8_t *out)
{
    size_t len = 0;
    if (EVP_MAC_init(ctx, NULL, 0, NULL) != 1) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (parts[i].len != 0 && EVP_MAC_update(ctx, parts[i].base, parts[i].len) != 1) {
            return false;
        }
    }
    return EVP_MAC_final(ctx, out, &len, SOTTO_HMAC_BYTES) == 1 && len == SOTTO_HMAC_BYTES;
}

enum sotto_err sotto_hmac_parts(struct sotto_hmac *hmac, const sotto_span *parts, size_t count,
                                uint8_t out[SOTTO_HMAC_BYTES])
{
    if (run(hmac->ctx, parts, count, out)) {
        return SOTTO_OK;
    }
    sotto_wipe(out, SOTTO_HMAC_BYTES);
    return SOTTO_ECRYPTO;
}

/* RFC 2104: hash of the outer block and the hash of the inner one and the message.  Two plain hashes
 * cost a third of preparing a key that is used once. */
enum sotto_err sotto_hmac_sha256(sotto_span key, sotto_span message, uint8_t out[SOTTO_HMAC_BYTES])
{
    uint8_t block[HMAC_BLOCK_BYTES] = {0}, inner[SOTTO_SHA256_BYTES];
    enum sotto_err err = SOTTO_OK;
    if (key.len > sizeof(block)) {
        err = sotto_sha256(key, block);
    } else if (key.len != 0) {
        memcpy(block, key.base, key.len);
    }
    for (size_t i = 0; i < sizeof(block); i++) {
        block[i] ^= 0x36;
    }
    const sotto_span first[] = {sotto_span_init(block, sizeof(block)), message};
    const sotto_span second[] = {first[0], sotto_span_init(inner, sizeof(inner))};
    if (err == SOTTO_OK) {
        err = sotto_sha256_parts(first, 2, inner);
    }
    for (size_t i = 0; i < sizeof(block); i++) {
        block[i] ^= 0x36 ^ 0x5c;
    }
    if (err == SOTTO_OK) {
        err = sotto_sha256_parts(second, 2, out);
    }
    if (err != SOTTO_OK) {
        sotto_wipe(out, SOTTO_HMAC_BYTES);
    }
    sotto_wipe(block, sizeof(block));
    sotto_wipe(inner, sizeof(inner));
    return err;
}
