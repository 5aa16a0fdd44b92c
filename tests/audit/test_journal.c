/* SPDX-License-Identifier: Apache-2.0 */

#include "audit/journal.h"

#include "base/alloc.h"
#include "tap/tap.h"

static uint8_t entry[SOTTO_AUDIT_ENTRY_BYTES];
static uint8_t slot[SOTTO_AUDIT_SLOT_BYTES] = {1, 1, 'k'};

/* A frame of `count` entries from `first` on, with a slot before them. */
static void add_frame(uint64_t first, uint32_t count, struct sotto_buf *out)
{
    size_t start = out->len;
    enum sotto_err err = sotto_journal_begin(first, out);
    if (err == SOTTO_OK) {
        err = sotto_journal_slot(9, slot, out);
    }
    for (uint32_t i = 0; i < count && err == SOTTO_OK; i++) {
        err = sotto_journal_entry(entry, 9, SOTTO_LIT("sealed bytes"), out);
    }
    if (err != SOTTO_OK || sotto_journal_end(start, 1, count, out) != SOTTO_OK) {
        abort();
    }
}

static void test_round_trip(void)
{
    struct sotto_buf out;
    struct sotto_journal_frame frame;
    struct sotto_journal_item item;
    sotto_buf_init(&out, 1 << 20);
    add_frame(3, 2, &out);
    add_frame(5, 0, &out);
    sotto_span rest = sotto_buf_span(&out);
    IS_INT(sotto_journal_next(&rest, &frame), SOTTO_OK, "a frame");
    OK(frame.first == 3 && frame.count == 2 && frame.slots == 1, "with what was written");
    IS_INT(sotto_journal_take_slot(&frame, &item), SOTTO_OK, "its slot");
    OK(item.slot == 9 && memcmp(item.bytes.base, slot, sizeof(slot)) == 0, "is the one");
    IS_INT(sotto_journal_take_slot(&frame, &item), SOTTO_ENOTFOUND, "there is one");
    for (int i = 0; i < 2; i++) {
        IS_INT(sotto_journal_take_entry(&frame, &item), SOTTO_OK, "an entry");
        OK(item.slot == 9 && memcmp(item.bytes.base, entry, sizeof(entry)) == 0, "is the one");
        IS_TEXT(item.sealed.base, item.sealed.len, "sealed bytes", "with its record");
    }
    IS_INT(sotto_journal_take_entry(&frame, &item), SOTTO_ENOTFOUND, "there are two");
    IS_INT(sotto_journal_own(&rest, &frame), SOTTO_OK, "the second frame");
    OK(frame.first == 5 && frame.count == 0, "is empty");
    IS_INT(sotto_journal_next(&rest, &frame), SOTTO_ENOTFOUND, "the end");
    sotto_buf_free(&out);
}

/* A power cut leaves any beginning of the last frame, or bytes of it that are zero. */
static void test_torn(void)
{
    struct sotto_buf out;
    sotto_buf_init(&out, 1 << 20);
    add_frame(0, 3, &out);
    size_t whole = out.len, wrong = 0;
    for (size_t len = 1; len < whole; len++) {
        sotto_span rest = sotto_span_init(out.base, len);
        struct sotto_journal_frame frame;
        wrong += sotto_journal_next(&rest, &frame) != SOTTO_EFORMAT || rest.len != len;
    }
    for (size_t i = 0; i < whole; i++) {
        sotto_span rest = sotto_buf_span(&out);
        struct sotto_journal_frame frame;
        out.base[i] ^= 4;
        wrong += sotto_journal_next(&rest, &frame) != SOTTO_EFORMAT;
        out.base[i] ^= 4;
    }
    IS_SIZE(wrong, 0, "no part of a frame and no changed byte passes for a frame");
    OK(!sotto_journal_any(sotto_buf_span(&out)), "behind it there is none");
    add_frame(3, 1, &out);
    out.base[30] ^= 1;
    OK(sotto_journal_any(sotto_buf_span(&out)), "behind a damaged frame a whole one is found");
    sotto_buf_free(&out);
}

static void test_lies(void)
{
    struct sotto_buf out;
    struct sotto_journal_frame frame;
    struct sotto_journal_item item;
    sotto_buf_init(&out, 1 << 20);
    if (sotto_journal_begin(0, &out) != SOTTO_OK || sotto_journal_end(0, 1, 1, &out) != SOTTO_OK) {
        abort();
    }
    sotto_span rest = sotto_buf_span(&out);
    IS_INT(sotto_journal_next(&rest, &frame), SOTTO_OK, "a frame that promises what it lacks");
    IS_INT(sotto_journal_take_slot(&frame, &item), SOTTO_EFORMAT, "has no slot");
    IS_INT(sotto_journal_take_entry(&frame, &item), SOTTO_EFORMAT, "and no entry");
    IS_INT(sotto_journal_end(0, 0, SOTTO_JOURNAL_COUNT_MAX + 1, &out), SOTTO_ELIMIT, "too many");
    static uint8_t big[SOTTO_AUDIT_SEALED_MAX + 1];
    IS_INT(sotto_journal_entry(entry, 0, sotto_span_init(big, sizeof(big)), &out), SOTTO_ELIMIT,
           "a record that is too long");
    sotto_buf_free(&out);
}

int main(void)
{
    entry[0] = 1;
    memset(entry + 1, 'a', SOTTO_AUDIT_ID_SYMBOLS);
    test_round_trip();
    test_torn();
    test_lies();
    return done_testing();
}
