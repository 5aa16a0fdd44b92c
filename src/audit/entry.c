/* SPDX-License-Identifier: Apache-2.0 */

#include "audit/entry.h"

#include "base/alloc.h"
#include "base/ct.h"
#include "crypto/aead.h"
#include "crypto/hmac.h"

#define ENTRY_VERSION 1

struct sotto_audit_sealer {
    struct sotto_hmac *commit;
    struct sotto_aead *seal;
};

bool sotto_audit_entry_valid(sotto_span entry)
{
    if (entry.len != SOTTO_AUDIT_ENTRY_BYTES || entry.base[0] != ENTRY_VERSION) {
        return false;
    }
    for (size_t i = 0; i < SOTTO_AUDIT_ID_SYMBOLS; i++) {
        uint8_t c = entry.base[1 + i];
        if (!((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'))) {
            return false;
        }
    }
    return true;
}

enum sotto_err sotto_audit_sealer_new(const uint8_t key[SOTTO_AUDIT_KEY_BYTES],
                                      struct sotto_audit_sealer **out)
{
    struct sotto_audit_sealer *sealer = sotto_calloc(1, sizeof(*sealer));
    if (sealer == NULL) {
        return SOTTO_ENOMEM;
    }
    enum sotto_err err = sotto_hmac_new(sotto_span_init(key, 32), &sealer->commit);
    if (err == SOTTO_OK) {
        err = sotto_aead_new(key + 32, &sealer->seal);
    }
    if (err != SOTTO_OK) {
        sotto_audit_sealer_free(sealer);
        return err;
    }
    *out = sealer;
    return SOTTO_OK;
}

void sotto_audit_sealer_free(struct sotto_audit_sealer *sealer)
{
    if (sealer != NULL) {
        sotto_hmac_free(sealer->commit);
        sotto_aead_free(sealer->seal);
        sotto_free(sealer);
    }
}

enum sotto_err sotto_audit_opening(struct sotto_audit_sealer *sealer, sotto_span id,
                                   uint8_t out[SOTTO_AUDIT_OPENING_BYTES])
{
    return sotto_hmac_parts(sealer->commit, &id, 1, out);
}

enum sotto_err sotto_audit_commit(struct sotto_audit_sealer *sealer, sotto_span id,
                                  sotto_span record, uint8_t entry[SOTTO_AUDIT_ENTRY_BYTES],
                                  struct sotto_audit_hash *leaf, struct sotto_buf *sealed)
{
    uint8_t opening[SOTTO_AUDIT_OPENING_BYTES];
    if (record.len > SOTTO_AUDIT_RECORD_MAX) {
        return SOTTO_ELIMIT;
    }
    if (id.len != SOTTO_AUDIT_ID_SYMBOLS) {
        return SOTTO_EINVAL;
    }
    entry[0] = ENTRY_VERSION;
    memcpy(entry + 1, id.base, id.len);
    enum sotto_err err = sotto_audit_opening(sealer, id, opening);
    if (err == SOTTO_OK) {
        err = sotto_hmac_sha256(sotto_span_init(opening, sizeof(opening)), record,
                                entry + 1 + SOTTO_AUDIT_ID_SYMBOLS);
    }
    sotto_span whole = sotto_span_init(entry, SOTTO_AUDIT_ENTRY_BYTES);
    if (err == SOTTO_OK) {
        err = sotto_audit_leaf(whole, leaf);
    }
    if (err == SOTTO_OK) {
        err = sotto_aead_seal(sealer->seal, leaf->bytes, whole, record, sealed);
    }
    sotto_wipe(opening, sizeof(opening));
    return err;
}

enum sotto_err sotto_audit_opening_check(const uint8_t entry[SOTTO_AUDIT_ENTRY_BYTES],
                                         const uint8_t opening[SOTTO_AUDIT_OPENING_BYTES],
                                         sotto_span record)
{
    uint8_t want[SOTTO_HMAC_BYTES];
    enum sotto_err err =
        sotto_hmac_sha256(sotto_span_init(opening, SOTTO_AUDIT_OPENING_BYTES), record, want);
    if (err == SOTTO_OK &&
        !sotto_ct_equal(want, entry + 1 + SOTTO_AUDIT_ID_SYMBOLS, sizeof(want))) {
        err = SOTTO_EAUTH;
    }
    sotto_wipe(want, sizeof(want));
    return err;
}

enum sotto_err sotto_audit_reveal(struct sotto_audit_sealer *sealer,
                                  const uint8_t entry[SOTTO_AUDIT_ENTRY_BYTES], sotto_span sealed,
                                  struct sotto_buf *record)
{
    uint8_t opening[SOTTO_AUDIT_OPENING_BYTES];
    struct sotto_audit_hash leaf;
    size_t mark = record->len;
    sotto_span whole = sotto_span_init(entry, SOTTO_AUDIT_ENTRY_BYTES);
    enum sotto_err err = sotto_audit_leaf(whole, &leaf);
    if (err == SOTTO_OK) {
        err = sotto_aead_open(sealer->seal, leaf.bytes, whole, sealed, record);
    }
    if (err == SOTTO_OK) {
        err = sotto_audit_opening(sealer, sotto_audit_entry_id(entry), opening);
    }
    if (err == SOTTO_OK) {
        err = sotto_audit_opening_check(entry, opening,
                                        sotto_span_skip(sotto_buf_span(record), mark));
    }
    if (err != SOTTO_OK) {
        sotto_buf_truncate(record, mark);
    }
    sotto_wipe(opening, sizeof(opening));
    return err;
}
