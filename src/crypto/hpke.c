/* SPDX-License-Identifier: Apache-2.0 */

#include "crypto/hpke.h"

#include "base/alloc.h"
#include "crypto/hkdf.h"
#include "crypto/hmac.h"

#define HPKE_VERSION   "HPKE-v1"
#define HPKE_MODE_BASE 0x00

/* "HPKE" and the three ids (RFC 9180, 5.1). */
struct hpke_suite {
    uint8_t id[10];
};

static struct hpke_suite suite_of(uint16_t kem_id, uint16_t aead_id)
{
    static const uint16_t kdf = SOTTO_HPKE_KDF_HKDF_SHA256;
    return (struct hpke_suite){{'H', 'P', 'K', 'E', (uint8_t)(kem_id >> 8), (uint8_t)kem_id,
                                (uint8_t)(kdf >> 8), (uint8_t)kdf, (uint8_t)(aead_id >> 8),
                                (uint8_t)aead_id}};
}

/* LabeledExtract (RFC 9180, 4). */
static enum sotto_err extract(const struct hpke_suite *suite, sotto_span salt, sotto_span label,
                              sotto_span ikm, uint8_t out[SOTTO_HMAC_BYTES])
{
    struct sotto_hmac *hmac = NULL;
    const sotto_span parts[] = {SOTTO_LIT(HPKE_VERSION),
                                sotto_span_init(suite->id, sizeof(suite->id)), label, ikm};
    enum sotto_err err = sotto_hmac_new(salt, &hmac);
    if (err == SOTTO_OK) {
        err = sotto_hmac_parts(hmac, parts, SOTTO_COUNT(parts), out);
    } else {
        sotto_wipe(out, SOTTO_HMAC_BYTES);
    }
    sotto_hmac_free(hmac);
    return err;
}

/* LabeledExpand (RFC 9180, 4): the length stands in what is hashed. */
static enum sotto_err expand(const struct hpke_suite *suite, sotto_span prk, sotto_span label,
                             sotto_span info, uint8_t *out, size_t n)
{
    const uint8_t length[] = {(uint8_t)(n >> 8), (uint8_t)n};
    const sotto_span parts[] = {sotto_span_init(length, sizeof(length)), SOTTO_LIT(HPKE_VERSION),
                                sotto_span_init(suite->id, sizeof(suite->id)), label, info};
    return sotto_hkdf_expand(prk, parts, SOTTO_COUNT(parts), out, n);
}

enum sotto_err sotto_hpke_schedule(uint16_t kem_id, uint16_t aead_id, sotto_span shared_secret,
                                   sotto_span info, uint8_t out[SOTTO_HPKE_EXPORTER_BYTES])
{
    const struct hpke_suite suite = suite_of(kem_id, aead_id);
    uint8_t context[1 + 2 * SOTTO_HMAC_BYTES] = {HPKE_MODE_BASE};
    uint8_t secret[SOTTO_HMAC_BYTES];
    enum sotto_err err = SOTTO_EINVAL;
    if (info.len > SOTTO_HPKE_INFO_MAX ||
        (err = extract(&suite, SOTTO_LIT(""), SOTTO_LIT("psk_id_hash"), SOTTO_LIT(""),
                       context + 1)) != SOTTO_OK ||
        (err = extract(&suite, SOTTO_LIT(""), SOTTO_LIT("info_hash"), info,
                       context + 1 + SOTTO_HMAC_BYTES)) != SOTTO_OK ||
        (err = extract(&suite, shared_secret, SOTTO_LIT("secret"), SOTTO_LIT(""), secret)) !=
            SOTTO_OK) {
        sotto_wipe(out, SOTTO_HPKE_EXPORTER_BYTES);
        return err;
    }
    err = expand(&suite, sotto_span_init(secret, sizeof(secret)), SOTTO_LIT("exp"),
                 sotto_span_init(context, sizeof(context)), out, SOTTO_HPKE_EXPORTER_BYTES);
    sotto_wipe(secret, sizeof(secret));
    return err;
}

enum sotto_err sotto_hpke_export(uint16_t kem_id, uint16_t aead_id,
                                 const uint8_t exporter[SOTTO_HPKE_EXPORTER_BYTES],
                                 sotto_span context, uint8_t *out, size_t n)
{
    const struct hpke_suite suite = suite_of(kem_id, aead_id);
    if (context.len > SOTTO_HPKE_INFO_MAX) {
        sotto_wipe(out, n);
        return SOTTO_EINVAL;
    }
    return expand(&suite, sotto_span_init(exporter, SOTTO_HPKE_EXPORTER_BYTES), SOTTO_LIT("sec"),
                  context, out, n);
}

/* What both sides do with the KEM's secret. */
static enum sotto_err finish(const struct sotto_kem *kem, uint8_t shared[SOTTO_KEM_SECRET_BYTES],
                             sotto_span info, sotto_span context, uint8_t *out)
{
    uint8_t exporter[SOTTO_HPKE_EXPORTER_BYTES];
    enum sotto_err err =
        sotto_hpke_schedule(kem->hpke_id, SOTTO_HPKE_AEAD_EXPORT_ONLY,
                            sotto_span_init(shared, SOTTO_KEM_SECRET_BYTES), info, exporter);
    if (err == SOTTO_OK) {
        err = sotto_hpke_export(kem->hpke_id, SOTTO_HPKE_AEAD_EXPORT_ONLY, exporter, context, out,
                                SOTTO_KEM_SECRET_BYTES);
    }
    sotto_wipe(exporter, sizeof(exporter));
    sotto_wipe(shared, SOTTO_KEM_SECRET_BYTES);
    return err;
}

enum sotto_err sotto_hpke_send(const struct sotto_kem *kem, sotto_span public_key, sotto_span info,
                               sotto_span context, uint8_t *ciphertext,
                               uint8_t out[SOTTO_KEM_SECRET_BYTES])
{
    uint8_t shared[SOTTO_KEM_SECRET_BYTES];
    enum sotto_err err = sotto_kem_encapsulate(kem, public_key, ciphertext, shared);
    if (err == SOTTO_OK) {
        err = finish(kem, shared, info, context, out);
    }
    if (err != SOTTO_OK) {
        sotto_wipe(ciphertext, kem->ciphertext_len);
        sotto_wipe(out, SOTTO_KEM_SECRET_BYTES);
    }
    return err;
}

enum sotto_err sotto_hpke_receive(const struct sotto_kem *kem, const struct sotto_kem_pair *pair,
                                  sotto_span ciphertext, sotto_span info, sotto_span context,
                                  uint8_t out[SOTTO_KEM_SECRET_BYTES])
{
    uint8_t shared[SOTTO_KEM_SECRET_BYTES];
    enum sotto_err err = sotto_kem_decapsulate(pair, ciphertext, shared);
    if (err == SOTTO_OK) {
        err = finish(kem, shared, info, context, out);
    }
    if (err != SOTTO_OK) {
        sotto_wipe(out, SOTTO_KEM_SECRET_BYTES);
    }
    return err;
}
