/* SPDX-License-Identifier: Apache-2.0 */

#include "crypto/hkdf.h"

#include "base/alloc.h"
#include "crypto/hmac.h"

/* RFC 5869 2.3: T(i) = HMAC(PRK, T(i-1) | info | i), with T(0) empty. */
static enum sotto_err expand(struct sotto_hmac *prk, sotto_span info, uint8_t *out, size_t n)
{
    uint8_t block[SOTTO_HMAC_BYTES];
    sotto_span before = {NULL, 0};
    enum sotto_err err = SOTTO_OK;

    for (uint8_t i = 1; err == SOTTO_OK && n != 0; i++) {
        const sotto_span parts[] = {before, info, sotto_span_init(&i, 1)};
        err = sotto_hmac_parts(prk, parts, SOTTO_COUNT(parts), block);
        size_t take = n < sizeof(block) ? n : sizeof(block);
        memcpy(out, block, take);
        out += take;
        n -= take;
        before = sotto_span_init(block, sizeof(block));
    }
    sotto_wipe(block, sizeof(block));
    return err;
}

enum sotto_err sotto_hkdf(sotto_span secret, sotto_span salt, sotto_span info, uint8_t *out,
                          size_t n)
{
    uint8_t prk[SOTTO_HMAC_BYTES];
    struct sotto_hmac *hmac = NULL;
    enum sotto_err err = SOTTO_EINVAL;
    if (n > SOTTO_HKDF_MAX_BYTES) {
        goto out;
    }
    /* An empty salt stands for one of zeros (2.2), which is the same HMAC key. */
    if ((err = sotto_hmac_sha256(salt, secret, prk)) != SOTTO_OK ||
        (err = sotto_hmac_new(sotto_span_init(prk, sizeof(prk)), &hmac)) != SOTTO_OK) {
        goto out;
    }
    err = expand(hmac, info, out, n);

out:
    if (err != SOTTO_OK) {
        sotto_wipe(out, n);
    }
    sotto_hmac_free(hmac);
    sotto_wipe(prk, sizeof(prk));
    return err;
}
