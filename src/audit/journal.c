/* SPDX-License-Identifier: Apache-2.0 */

#include "audit/journal.h"

#include "audit/bytes.h"
#include "base/ct.h"
#include "base/hash.h"

static const uint8_t journal_magic[4] = {'S', 'J', '0', '2'};

static void write_check(sotto_span frame, uint8_t out[SOTTO_JOURNAL_CHECK_BYTES])
{
    static const uint8_t key[SOTTO_HASH_KEY_BYTES] = "sotto journal 02";
    audit_put_u64(out, sotto_hash64(key, frame));
}

enum sotto_err sotto_journal_begin(uint64_t first, struct sotto_buf *out)
{
    uint8_t *head;
    enum sotto_err err = sotto_buf_extend(out, SOTTO_JOURNAL_HEAD_BYTES, &head);
    if (err == SOTTO_OK) {
        memcpy(head, journal_magic, sizeof(journal_magic));
        audit_put_u64(head + 8, first);
    }
    return err;
}

enum sotto_err sotto_journal_slot(uint64_t number, const uint8_t slot[SOTTO_AUDIT_SLOT_BYTES],
                                  struct sotto_buf *out)
{
    uint8_t *to;
    enum sotto_err err = sotto_buf_extend(out, 8 + SOTTO_AUDIT_SLOT_BYTES, &to);
    if (err == SOTTO_OK) {
        audit_put_u64(to, number);
        memcpy(to + 8, slot, SOTTO_AUDIT_SLOT_BYTES);
    }
    return err;
}

enum sotto_err sotto_journal_entry(const uint8_t entry[SOTTO_AUDIT_ENTRY_BYTES], uint64_t slot,
                                   sotto_span sealed, struct sotto_buf *out)
{
    uint8_t *to;
    if (sealed.len > SOTTO_AUDIT_SEALED_MAX) {
        return SOTTO_ELIMIT;
    }
    enum sotto_err err = sotto_buf_extend(out, SOTTO_AUDIT_ENTRY_BYTES + 8 + 2 + sealed.len, &to);
    if (err == SOTTO_OK) {
        memcpy(to, entry, SOTTO_AUDIT_ENTRY_BYTES);
        audit_put_u64(to + SOTTO_AUDIT_ENTRY_BYTES, slot);
        audit_put_u16(to + SOTTO_AUDIT_ENTRY_BYTES + 8, (uint16_t)sealed.len);
        memcpy(to + SOTTO_AUDIT_ENTRY_BYTES + 10, sealed.base, sealed.len);
    }
    return err;
}

enum sotto_err sotto_journal_end(size_t start, uint32_t slots, uint32_t count,
                                 struct sotto_buf *out)
{
    uint8_t *check;
    size_t len = out->len - start, body = len - SOTTO_JOURNAL_HEAD_BYTES;
    if (body > SOTTO_JOURNAL_BODY_MAX || count > SOTTO_JOURNAL_COUNT_MAX) {
        return SOTTO_ELIMIT;
    }
    audit_put_u32(out->base + start + 4, (uint32_t)body);
    audit_put_u32(out->base + start + 16, slots);
    audit_put_u32(out->base + start + 20, count);
    enum sotto_err err = sotto_buf_extend(out, SOTTO_JOURNAL_CHECK_BYTES, &check);
    if (err == SOTTO_OK) {
        write_check(sotto_span_init(out->base + start, len), check);
    }
    return err;
}

/* Reads the head; false: it is none, or the frame is longer than what there is. */
static bool read_head(sotto_span in, struct sotto_journal_frame *out)
{
    struct sotto_reader rd = sotto_reader_init(in);
    sotto_span magic = sotto_read_bytes(&rd, sizeof(journal_magic));
    size_t body = audit_read_u32(&rd);
    out->first = audit_read_u64(&rd);
    out->slots = audit_read_u32(&rd);
    out->count = audit_read_u32(&rd);
    if (rd.failed || !sotto_ct_equal(magic.base, journal_magic, sizeof(journal_magic)) ||
        body > SOTTO_JOURNAL_BODY_MAX || out->count > SOTTO_JOURNAL_COUNT_MAX) {
        return false;
    }
    out->body = sotto_read_bytes(&rd, body);
    return sotto_read_bytes(&rd, SOTTO_JOURNAL_CHECK_BYTES).len == SOTTO_JOURNAL_CHECK_BYTES;
}

enum sotto_err sotto_journal_next(sotto_span *rest, struct sotto_journal_frame *out)
{
    struct sotto_journal_frame frame;
    uint8_t check[SOTTO_JOURNAL_CHECK_BYTES];
    if (rest->len == 0) {
        return SOTTO_ENOTFOUND;
    }
    if (!read_head(*rest, &frame)) {
        return SOTTO_EFORMAT;
    }
    size_t len = SOTTO_JOURNAL_HEAD_BYTES + frame.body.len;
    write_check(sotto_span_sub(*rest, 0, len), check);
    if (!sotto_ct_equal(check, rest->base + len, sizeof(check))) {
        return SOTTO_EFORMAT;
    }
    *rest = sotto_span_skip(*rest, len + sizeof(check));
    *out = frame;
    return SOTTO_OK;
}

enum sotto_err sotto_journal_own(sotto_span *rest, struct sotto_journal_frame *out)
{
    if (rest->len == 0) {
        return SOTTO_ENOTFOUND;
    }
    if (!read_head(*rest, out)) {
        return SOTTO_EFORMAT;
    }
    *rest = sotto_span_skip(*rest,
                            SOTTO_JOURNAL_HEAD_BYTES + out->body.len + SOTTO_JOURNAL_CHECK_BYTES);
    return SOTTO_OK;
}

bool sotto_journal_any(sotto_span rest)
{
    while (rest.len > 1) {
        struct sotto_journal_frame frame;
        rest = sotto_span_skip(rest, 1);
        const uint8_t *at = memmem(rest.base, rest.len, journal_magic, sizeof(journal_magic));
        if (at == NULL) {
            return false;
        }
        rest = sotto_span_skip(rest, (size_t)(at - rest.base));
        sotto_span probe = rest;
        if (sotto_journal_next(&probe, &frame) == SOTTO_OK) {
            return true;
        }
    }
    return false;
}

enum sotto_err sotto_journal_take_slot(struct sotto_journal_frame *frame,
                                       struct sotto_journal_item *out)
{
    struct sotto_reader rd = sotto_reader_init(frame->body);
    if (frame->slots == 0) {
        return SOTTO_ENOTFOUND;
    }
    *out = (struct sotto_journal_item){.slot = audit_read_u64(&rd)};
    out->bytes = sotto_read_bytes(&rd, SOTTO_AUDIT_SLOT_BYTES);
    frame->body = rd.rest;
    frame->slots--;
    return rd.failed ? SOTTO_EFORMAT : SOTTO_OK;
}

enum sotto_err sotto_journal_take_entry(struct sotto_journal_frame *frame,
                                        struct sotto_journal_item *out)
{
    struct sotto_reader rd = sotto_reader_init(frame->body);
    if (frame->count == 0) {
        return frame->body.len == 0 ? SOTTO_ENOTFOUND : SOTTO_EFORMAT;
    }
    *out = (struct sotto_journal_item){.bytes = sotto_read_bytes(&rd, SOTTO_AUDIT_ENTRY_BYTES)};
    out->slot = audit_read_u64(&rd);
    out->sealed = sotto_read_bytes(&rd, sotto_read_u16(&rd));
    frame->body = rd.rest;
    frame->count--;
    return rd.failed || frame->slots != 0 || !sotto_audit_entry_valid(out->bytes) ? SOTTO_EFORMAT
                                                                                  : SOTTO_OK;
}
