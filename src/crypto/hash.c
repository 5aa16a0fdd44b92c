/* SPDX-License-Identifier: Apache-2.0 */

#include "crypto/hash.h"

#include "base/alloc.h"
#include "crypto/crypto.h"
#include "crypto/fetched.h"

static enum sotto_err digest(const EVP_MD *md, const sotto_span *parts, size_t count, uint8_t *out,
                             size_t out_len)
{
    enum sotto_err err = SOTTO_ECRYPTO;
    EVP_MD_CTX *ctx = md != NULL ? EVP_MD_CTX_new() : NULL;
    if (ctx == NULL || EVP_DigestInit_ex2(ctx, md, NULL) != 1) {
        goto out;
    }
    for (size_t i = 0; i < count; i++) {
        if (parts[i].len != 0 && EVP_DigestUpdate(ctx, parts[i].base, parts[i].len) != 1) {
            goto out;
        }
    }
    err = EVP_DigestFinal_ex(ctx, out, NULL) == 1 ? SOTTO_OK : SOTTO_ECRYPTO;

out:
    EVP_MD_CTX_free(ctx);
    if (err != SOTTO_OK) {
        sotto_wipe(out, out_len);
    }
    return err;
}

enum sotto_err sotto_sha256_parts(const sotto_span *parts, size_t count,
                                  uint8_t out[SOTTO_SHA256_BYTES])
{
    return digest(crypto_sha256(), parts, count, out, SOTTO_SHA256_BYTES);
}

enum sotto_err sotto_sha512_parts(const sotto_span *parts, size_t count,
                                  uint8_t out[SOTTO_SHA512_BYTES])
{
    EVP_MD *md = sotto_crypto_init() == SOTTO_OK ? EVP_MD_fetch(NULL, "SHA512", NULL) : NULL;
    enum sotto_err err = SOTTO_ECRYPTO;
    if (md != NULL) {
        err = digest(md, parts, count, out, SOTTO_SHA512_BYTES);
    } else {
        sotto_wipe(out, SOTTO_SHA512_BYTES);
    }
    EVP_MD_free(md);
    return err;
}

enum sotto_err sotto_sha256(sotto_span in, uint8_t out[SOTTO_SHA256_BYTES])
{
    return sotto_sha256_parts(&in, 1, out);
}
