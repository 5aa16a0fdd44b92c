/* SPDX-License-Identifier: Apache-2.0 */

#include "audit/subject.h"

#include "audit/bytes.h"
#include "base/alloc.h"
#include "crypto/random.h"

#define SLOT_NAME    2
#define SLOT_NONCE   (SLOT_NAME + SOTTO_AUDIT_SUBJECT_MAX)
#define SLOT_WRAPPED (SLOT_NONCE + SOTTO_AEAD_NONCE_BYTES)
#define WRAPPED_LEN  (SOTTO_AUDIT_KEY_BYTES + SOTTO_AEAD_TAG_BYTES)

_Static_assert(SLOT_WRAPPED + WRAPPED_LEN + 2 == SOTTO_AUDIT_SLOT_BYTES, "the slot is full");

bool sotto_audit_subject_valid(sotto_span name)
{
    if (name.len == 0 || name.len > SOTTO_AUDIT_SUBJECT_MAX) {
        return false;
    }
    for (size_t i = 0; i < name.len; i++) {
        uint8_t c = name.base[i];
        if (!((c >= '-' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
              c == '_')) {
            return false;
        }
    }
    return true;
}

/* What a slot does not use is zero, so that no byte of it can be changed. */
static bool rest_is_zero(const uint8_t *slot)
{
    uint8_t any = slot[SOTTO_AUDIT_SLOT_BYTES - 1] | slot[SOTTO_AUDIT_SLOT_BYTES - 2];
    for (size_t i = slot[1]; i < SOTTO_AUDIT_SUBJECT_MAX; i++) {
        any |= slot[SLOT_NAME + i];
    }
    return any == 0;
}

/* Slot and name cannot be exchanged for another's. */
static sotto_span bind(uint64_t number, sotto_span name, uint8_t to[8 + SOTTO_AUDIT_SUBJECT_MAX])
{
    audit_put_u64(to, number);
    memcpy(to + 8, name.base, name.len);
    return sotto_span_init(to, 8 + name.len);
}

enum sotto_err sotto_audit_slot_write(struct sotto_aead *wrap, uint64_t number, sotto_span name,
                                      const uint8_t key[SOTTO_AUDIT_KEY_BYTES],
                                      uint8_t slot[SOTTO_AUDIT_SLOT_BYTES])
{
    uint8_t bound[8 + SOTTO_AUDIT_SUBJECT_MAX];
    struct sotto_buf wrapped;
    sotto_wipe(slot, SOTTO_AUDIT_SLOT_BYTES);
    if (!sotto_audit_subject_valid(name)) {
        return SOTTO_EINVAL;
    }
    sotto_buf_init(&wrapped, WRAPPED_LEN);
    enum sotto_err err = sotto_crypto_random(slot + SLOT_NONCE, SOTTO_AEAD_NONCE_BYTES);
    if (err == SOTTO_OK) {
        err = sotto_aead_seal(wrap, slot + SLOT_NONCE, bind(number, name, bound),
                              sotto_span_init(key, SOTTO_AUDIT_KEY_BYTES), &wrapped);
    }
    if (err == SOTTO_OK) {
        slot[0] = SOTTO_AUDIT_SLOT_LIVE;
        slot[1] = (uint8_t)name.len;
        memcpy(slot + SLOT_NAME, name.base, name.len);
        memcpy(slot + SLOT_WRAPPED, wrapped.base, WRAPPED_LEN);
    } else {
        sotto_wipe(slot, SOTTO_AUDIT_SLOT_BYTES);
    }
    sotto_buf_free(&wrapped);
    return err;
}

void sotto_audit_slot_erase(uint8_t slot[SOTTO_AUDIT_SLOT_BYTES])
{
    sotto_wipe(slot, SOTTO_AUDIT_SLOT_BYTES);
    slot[0] = SOTTO_AUDIT_SLOT_ERASED;
}

enum sotto_err sotto_audit_slot_read(struct sotto_aead *wrap, uint64_t number,
                                     const uint8_t slot[SOTTO_AUDIT_SLOT_BYTES], sotto_span *name,
                                     uint8_t key[SOTTO_AUDIT_KEY_BYTES])
{
    uint8_t bound[8 + SOTTO_AUDIT_SUBJECT_MAX];
    struct sotto_buf plain;
    sotto_span text = sotto_span_init(slot + SLOT_NAME, slot[1]);
    if (slot[0] == SOTTO_AUDIT_SLOT_ERASED) {
        return SOTTO_ENOTFOUND;
    }
    if (slot[0] != SOTTO_AUDIT_SLOT_LIVE || !sotto_audit_subject_valid(text) ||
        !rest_is_zero(slot)) {
        return SOTTO_EFORMAT;
    }
    sotto_buf_init(&plain, SOTTO_AUDIT_KEY_BYTES);
    enum sotto_err err = sotto_aead_open(wrap, slot + SLOT_NONCE, bind(number, text, bound),
                                         sotto_span_init(slot + SLOT_WRAPPED, WRAPPED_LEN), &plain);
    if (err == SOTTO_OK) {
        memcpy(key, plain.base, SOTTO_AUDIT_KEY_BYTES);
        *name = text;
    }
    sotto_buf_free(&plain);
    return err;
}
