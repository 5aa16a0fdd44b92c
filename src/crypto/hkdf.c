/* SPDX-License-Identifier: Apache-2.0 */

#include "crypto/hkdf.h"

#include "base/alloc.h"
#include "crypto/hmac.h"

/* RFC 5869 2.3: T(i) = HMAC(PRK, T(i-1) | info | i), with T(0) empty. */
static enum sotto_err expand(struct sotto_hmac *prk, const sotto_span *info, size_t count,
                             uint8_t *out, size_t n)
{
    uint8_t block[SOTTO_HMAC_BYTES];
    sotto_span parts[SOTTO_HKDF_PARTS_MAX + 2] = {{NULL, 0}};
    enum sotto_err err = SOTTO_OK;

    for (size_t i = 0; i < count; i++) {
        parts[1 + i] = info[i];
    }
    for (uint8_t i = 1; err == SOTTO_OK && n != 0; i++) {
        parts[1 + count] = sotto_span_init(&i, 1);
        err = sotto_hmac_parts(prk, parts, count + 2, block);
        size_t take = n < sizeof(block) ? n : sizeof(block);
        memcpy(out, block, take);
        out += take;
        n -= take;
        parts[0] = sotto_span_init(block, sizeof(block));
    }
    sotto_wipe(block, sizeof(block));
    return err;
}

enum sotto_err sotto_hkdf_expand(sotto_span key, const sotto_span *info, size_t count, uint8_t *out,
                                 size_t n)
{
    struct sotto_hmac *hmac = NULL;
    enum sotto_err err = SOTTO_EINVAL;
    if (n <= SOTTO_HKDF_MAX_BYTES && count <= SOTTO_HKDF_PARTS_MAX) {
        err = sotto_hmac_new(key, &hmac);
    }
    if (err == SOTTO_OK) {
        err = expand(hmac, info, count, out, n);
    }
    if (err != SOTTO_OK) {
        sotto_wipe(out, n);
    }
    sotto_hmac_free(hmac);
    return err;
}

enum sotto_err sotto_hkdf(sotto_span secret, sotto_span salt, sotto_span info, uint8_t *out,
                          size_t n)
{
    uint8_t prk[SOTTO_HMAC_BYTES];
    enum sotto_err err = SOTTO_EINVAL;
    if (n <= SOTTO_HKDF_MAX_BYTES) {
        /* An empty salt stands for one of zeros (2.2), which is the same HMAC key. */
        err = sotto_hmac_sha256(salt, secret, prk);
    }
    if (err == SOTTO_OK) {
        err = sotto_hkdf_expand(sotto_span_init(prk, sizeof(prk)), &info, 1, out, n);
    } else {
        sotto_wipe(out, n);
    }
    sotto_wipe(prk, sizeof(prk));
    return err;
}
