/* SPDX-License-Identifier: Apache-2.0 */

#include "audit/entry.h"

#include "base/alloc.h"
#include "crypto/hmac.h"
#include "tap/tap.h"

#define ID SOTTO_LIT("0123456789ABCDEFGHabcd")

static uint8_t keys[SOTTO_AUDIT_KEY_BYTES];

static void test_round_trip(void)
{
    struct sotto_audit_sealer *sealer = NULL, *other = NULL;
    uint8_t entry[SOTTO_AUDIT_ENTRY_BYTES], opening[SOTTO_AUDIT_OPENING_BYTES], want[32];
    struct sotto_audit_hash leaf, again;
    struct sotto_buf sealed, record;
    sotto_span text = SOTTO_LIT("{\"v\":1}");
    for (size_t i = 0; i < sizeof(keys); i++) {
        keys[i] = (uint8_t)i;
    }
    sotto_buf_init(&sealed, 8192);
    sotto_buf_init(&record, 8192);
    IS_INT(sotto_audit_sealer_new(keys, &sealer), SOTTO_OK, "keys of a subject");
    keys[0] ^= 1;
    IS_INT(sotto_audit_sealer_new(keys, &other), SOTTO_OK, "and of another");
    keys[0] ^= 1;
    IS_INT(sotto_audit_commit(sealer, ID, text, entry, &leaf, &sealed), SOTTO_OK, "a commitment");
    OK(sotto_audit_entry_valid(sotto_span_init(entry, sizeof(entry))), "is an entry");
    OK(sotto_span_eq(sotto_audit_entry_id(entry), ID), "with its id");
    OK(memmem(entry, sizeof(entry), text.base, text.len) == NULL, "without the record");
    IS_INT(sotto_audit_leaf(sotto_span_init(entry, sizeof(entry)), &again), SOTTO_OK, "the leaf");
    IS_MEM(leaf.bytes, 32, again.bytes, 32, "is that of the entry");
    IS_INT(sotto_audit_reveal(sealer, entry, sotto_buf_span(&sealed), &record), SOTTO_OK, "opened");
    IS_MEM(record.base, record.len, text.base, text.len, "the record is what it was");
    IS_INT(sotto_audit_opening(sealer, ID, opening), SOTTO_OK, "what opens the commitment");
    IS_INT(sotto_hmac_sha256(sotto_span_init(keys, 32), ID, want), SOTTO_OK, "the formula");
    IS_MEM(opening, 32, want, 32, "is the documented one");
    IS_INT(sotto_hmac_sha256(sotto_span_init(opening, 32), text, want), SOTTO_OK, "the other");
    IS_MEM(entry + 23, 32, want, 32, "as well");
    IS_INT(sotto_audit_opening_check(entry, opening, text), SOTTO_OK, "anybody can check it");
    IS_INT(sotto_audit_opening_check(entry, opening, SOTTO_LIT("{\"v\":2}")), SOTTO_EAUTH,
           "for this record alone");
    size_t mark = record.len;
    IS_INT(sotto_audit_reveal(other, entry, sotto_buf_span(&sealed), &record), SOTTO_EAUTH,
           "another subject's keys do not open it");
    for (size_t i = 0; i < sealed.len + sizeof(entry); i++) {
        uint8_t *byte = i < sealed.len ? sealed.base + i : entry + (i - sealed.len);
        byte[0] ^= 0x40;
        enum sotto_err err = sotto_audit_reveal(sealer, entry, sotto_buf_span(&sealed), &record);
        if (err != SOTTO_EAUTH || record.len != mark) {
            OK(false, "byte %zu can be changed", i);
        }
        byte[0] ^= 0x40;
    }
    sotto_audit_sealer_free(sealer);
    sotto_audit_sealer_free(other);
    sotto_audit_sealer_free(NULL);
    sotto_buf_free(&sealed);
    sotto_buf_free(&record);
}

static void test_limits(void)
{
    static uint8_t big[SOTTO_AUDIT_RECORD_MAX + 1];
    uint8_t entry[SOTTO_AUDIT_ENTRY_BYTES];
    struct sotto_audit_hash leaf;
    struct sotto_audit_sealer *sealer = NULL;
    struct sotto_buf sealed;
    sotto_buf_init(&sealed, 8192);
    if (sotto_audit_sealer_new(keys, &sealer) != SOTTO_OK) {
        abort();
    }
    IS_INT(sotto_audit_commit(sealer, ID, sotto_span_init(big, sizeof(big)), entry, &leaf, &sealed),
           SOTTO_ELIMIT, "a record that is too long");
    IS_INT(sotto_audit_commit(sealer, SOTTO_LIT("short"), SOTTO_LIT("x"), entry, &leaf, &sealed),
           SOTTO_EINVAL, "an id that is none");
    IS_SIZE(sealed.len, 0, "nothing was sealed");
    IS_INT(sotto_audit_commit(sealer, ID, sotto_span_init(big, sizeof(big) - 1), entry, &leaf,
                              &sealed),
           SOTTO_OK, "the longest record");
    OK(!sotto_audit_entry_valid(sotto_span_init(entry, sizeof(entry) - 1)), "a short entry");
    entry[0] = 2;
    OK(!sotto_audit_entry_valid(sotto_span_init(entry, sizeof(entry))), "another version");
    entry[0] = 1;
    entry[5] = '/';
    OK(!sotto_audit_entry_valid(sotto_span_init(entry, sizeof(entry))), "another alphabet");
    sotto_audit_sealer_free(sealer);
    sotto_buf_free(&sealed);
}

static void test_faults(void)
{
    for (size_t n = 1;; n++) {
        struct sotto_audit_sealer *sealer = NULL;
        uint8_t entry[SOTTO_AUDIT_ENTRY_BYTES];
        struct sotto_audit_hash leaf;
        struct sotto_buf sealed;
        sotto_buf_init(&sealed, 8192);
        sotto_alloc_set_fault(n);
        enum sotto_err err = sotto_audit_sealer_new(keys, &sealer);
        if (err == SOTTO_OK) {
            err = sotto_audit_commit(sealer, ID, SOTTO_LIT("{}"), entry, &leaf, &sealed);
        }
        sotto_alloc_set_fault(0);
        size_t len = sealed.len;
        sotto_audit_sealer_free(sealer);
        sotto_buf_free(&sealed);
        if (err == SOTTO_OK) {
            OK(n > 1, "with memory it works");
            return;
        }
        OK(len == 0, "allocation %zu fails: nothing is appended", n);
    }
}

int main(void)
{
    test_round_trip();
    test_limits();
    test_faults();
    return done_testing();
}
