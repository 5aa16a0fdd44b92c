/* SPDX-License-Identifier: Apache-2.0 */

#include "crypto/hash.h"

#include "base/alloc.h"
#include "crypto/fetched.h"

enum sotto_err sotto_sha256_parts(const sotto_span *parts, size_t count,
                                  uint8_t out[SOTTO_SHA256_BYTES])
{
    enum sotto_err err = SOTTO_ECRYPTO;
    const EVP_MD *md = crypto_sha256();
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
        sotto_wipe(out, SOTTO_SHA256_BYTES);
    }
    return err;
}

enum sotto_err sotto_sha256(sotto_span in, uint8_t out[SOTTO_SHA256_BYTES])
{
    return sotto_sha256_parts(&in, 1, out);
}
