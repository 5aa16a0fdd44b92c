/* SPDX-License-Identifier: Apache-2.0 */

#include "audit/subject.h"

#include "base/alloc.h"
#include "tap/tap.h"

static const uint8_t wrap_key[32] = {7};
static const uint8_t keys[SOTTO_AUDIT_KEY_BYTES] = {1, 2, 3};

static void test_slot(void)
{
    struct sotto_aead *wrap = NULL;
    uint8_t slot[SOTTO_AUDIT_SLOT_BYTES], again[SOTTO_AUDIT_SLOT_BYTES], got[SOTTO_AUDIT_KEY_BYTES];
    sotto_span name = {0};
    if (sotto_aead_new(wrap_key, &wrap) != SOTTO_OK) {
        abort();
    }
    IS_INT(sotto_audit_slot_write(wrap, 5, SOTTO_LIT("0123456789AB/u1"), keys, slot), SOTTO_OK,
           "a slot is written");
    OK(memmem(slot, sizeof(slot), keys, 3) == NULL, "without the keys in the clear");
    IS_INT(sotto_audit_slot_read(wrap, 5, slot, &name, got), SOTTO_OK, "and read");
    IS_TEXT(name.base, name.len, "0123456789AB/u1", "with its name");
    IS_MEM(got, sizeof(got), keys, sizeof(keys), "and its keys");
    IS_INT(sotto_audit_slot_read(wrap, 6, slot, &name, got), SOTTO_EAUTH, "not at another place");
    for (size_t i = 0; i < sizeof(slot); i++) {
        memcpy(again, slot, sizeof(slot));
        again[i] ^= 1;
        if (sotto_audit_slot_read(wrap, 5, again, &name, got) == SOTTO_OK) {
            OK(false, "byte %zu of a slot can be changed", i);
        }
    }
    IS_INT(sotto_audit_slot_write(wrap, 5, SOTTO_LIT("0123456789AB/u1"), keys, again), SOTTO_OK,
           "written again");
    OK(memcmp(slot, again, sizeof(slot)) != 0, "it looks different");
    sotto_audit_slot_erase(slot);
    IS_INT(sotto_audit_slot_read(wrap, 5, slot, &name, got), SOTTO_ENOTFOUND, "erased");
    bool empty = true;
    for (size_t i = 1; i < sizeof(slot); i++) {
        empty = empty && slot[i] == 0;
    }
    OK(empty, "nothing is left but that it was one");
    sotto_aead_free(wrap);
}

static void test_names(void)
{
    char longest[SOTTO_AUDIT_SUBJECT_MAX + 2];
    memset(longest, 'a', sizeof(longest));
    OK(sotto_audit_subject_valid(SOTTO_LIT("-")), "the gateway itself");
    OK(sotto_audit_subject_valid(sotto_span_init(longest, SOTTO_AUDIT_SUBJECT_MAX)), "the longest");
    OK(!sotto_audit_subject_valid(sotto_span_init(longest, SOTTO_AUDIT_SUBJECT_MAX + 1)), "longer");
    OK(!sotto_audit_subject_valid(SOTTO_LIT("")), "nothing");
    OK(!sotto_audit_subject_valid(SOTTO_LIT("a b")), "a space");
    OK(!sotto_audit_subject_valid(SOTTO_LIT("a\"b")), "a quote");
}

int main(void)
{
    test_slot();
    test_names();
    return done_testing();
}
