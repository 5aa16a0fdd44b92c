/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A journal as a crash or a hand may have left it, and the body of a frame whose check fits.  What
 * is read is put together again: a frame of which every slot and entry was taken is, written from
 * those, the same bytes.
 */

#include <stdlib.h>

#include "audit/entry.h"
#include "audit/journal.h"
#include "base/reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool true_always)
{
    if (!true_always) {
        abort();
    }
}

static bool is_inside(sotto_span part, sotto_span whole)
{
    return part.len == 0 || (part.base >= whole.base && part.len <= whole.len &&
                             part.base + part.len <= whole.base + whole.len);
}

/* Takes a frame apart and writes it again. */
static void try_frame(struct sotto_journal_frame frame, sotto_span bytes)
{
    const uint32_t slots = frame.slots, count = frame.count;
    struct sotto_journal_item item;
    struct sotto_buf again;
    enum sotto_err err = SOTTO_OK;
    sotto_buf_init(&again, SOTTO_BUF_UNBOUNDED);
    require(is_inside(frame.body, bytes));
    require(sotto_journal_begin(frame.first, &again) == SOTTO_OK);
    while (frame.slots != 0 && (err = sotto_journal_take_slot(&frame, &item)) == SOTTO_OK) {
        require(item.bytes.len == SOTTO_AUDIT_SLOT_BYTES && is_inside(item.bytes, bytes));
        require(sotto_journal_slot(item.slot, item.bytes.base, &again) == SOTTO_OK);
    }
    while (err == SOTTO_OK && (err = sotto_journal_take_entry(&frame, &item)) == SOTTO_OK) {
        require(item.bytes.len == SOTTO_AUDIT_ENTRY_BYTES && is_inside(item.bytes, bytes));
        require(is_inside(item.sealed, bytes) && sotto_audit_entry_valid(item.bytes));
        if (sotto_journal_entry(item.bytes.base, item.slot, item.sealed, &again) != SOTTO_OK) {
            sotto_buf_free(&again); /* longer than what is ever written: opening it fails */
            return;
        }
    }
    require(err == SOTTO_EFORMAT || err == SOTTO_ENOTFOUND);
    if (err == SOTTO_ENOTFOUND) {
        require(sotto_journal_end(0, slots, count, &again) == SOTTO_OK);
        require(sotto_span_eq(sotto_buf_span(&again), bytes));
    }
    sotto_buf_free(&again);
}

static void try_journal(sotto_span given)
{
    sotto_span rest = given, own = given;
    struct sotto_journal_frame frame, same;
    enum sotto_err err;
    for (;;) {
        sotto_span before = rest;
        err = sotto_journal_next(&rest, &frame);
        if (err != SOTTO_OK) {
            break;
        }
        sotto_span bytes = sotto_span_sub(before, 0, before.len - rest.len);
        require(sotto_journal_own(&own, &same) == SOTTO_OK && own.len == rest.len);
        require(sotto_span_eq(same.body, frame.body) && same.first == frame.first);
        try_frame(frame, bytes);
    }
    require(err == SOTTO_ENOTFOUND || err == SOTTO_EFORMAT);
    require((err == SOTTO_ENOTFOUND) == (rest.len == 0));
    (void)sotto_journal_any(rest); /* any answer: it must only end and stay inside */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    sotto_span given = sotto_span_init(data, size);
    struct sotto_reader rd = sotto_reader_init(given);
    struct sotto_buf journal;
    try_journal(given);
    sotto_buf_init(&journal, SOTTO_BUF_UNBOUNDED);
    uint8_t slots = (uint8_t)sotto_read_u8(&rd), count = (uint8_t)sotto_read_u8(&rd);
    if (!rd.failed) {
        require(sotto_journal_begin(size, &journal) == SOTTO_OK &&
                sotto_buf_append(&journal, rd.rest) == SOTTO_OK);
        if (sotto_journal_end(0, slots, count, &journal) == SOTTO_OK) {
            size_t len = journal.len;
            require(sotto_buf_append(&journal, given) == SOTTO_OK);
            sotto_span rest = sotto_buf_span(&journal);
            struct sotto_journal_frame frame;
            require(sotto_journal_next(&rest, &frame) == SOTTO_OK && rest.len == journal.len - len);
            try_journal(sotto_buf_span(&journal));
            require(sotto_buf_reserve(&journal, len) == SOTTO_OK); /* so that it does not move */
            require(sotto_buf_append(&journal, sotto_span_init(journal.base, len)) == SOTTO_OK);
            require(sotto_journal_any(sotto_span_init(journal.base, journal.len)));
        }
    }
    sotto_buf_free(&journal);
    return 0;
}
