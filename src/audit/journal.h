/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_AUDIT_JOURNAL_H
#define SOTTO_AUDIT_JOURNAL_H

/*
 * The journal: what was committed and does not stand in the tree yet.  One frame is one commit,
 * written with one write and made durable by one sync.
 *
 *   frame  = "SJ02" body_len(4) first(8) slots(4) count(4) body check(8)
 *   body   = slots * ( number(8) slot(176) )  count * ( entry(55) slot_number(8) len(2) sealed )
 *   check  = SipHash-1-3, under a key that is no secret, of what stands before it in the frame
 *
 * Numbers are big-endian.  `first` is the index of the first entry.  A frame is begun only after
 * the one before it is durable, so at most the last one can be incomplete: one that is not whole
 * and has a whole one anywhere behind it was damaged afterwards.  The check tells a frame that was
 * written from one that was torn.  It keeps out nobody who can write to the journal, as no digest
 * without a secret would; what an entry says is sealed, and what was published is in the tree.
 */

#include "audit/subject.h"

#define SOTTO_JOURNAL_HEAD_BYTES  24
#define SOTTO_JOURNAL_CHECK_BYTES 8
/** Most entries of a frame, and its longest body. */
#define SOTTO_JOURNAL_COUNT_MAX 1024
#define SOTTO_JOURNAL_BODY_MAX  ((size_t)8 << 20)

/** Begins a frame behind what is in `out`.  Errors of sotto_buf_append(). */
SOTTO_MUST_CHECK enum sotto_err sotto_journal_begin(uint64_t first, struct sotto_buf *out);

/** Adds a new subject; before all entries.  Errors of sotto_buf_append(), `out` unchanged. */
SOTTO_MUST_CHECK enum sotto_err sotto_journal_slot(uint64_t number,
                                                   const uint8_t slot[SOTTO_AUDIT_SLOT_BYTES],
                                                   struct sotto_buf *out);

/** Adds an entry.  Errors of sotto_buf_append(), `out` unchanged. */
SOTTO_MUST_CHECK enum sotto_err sotto_journal_entry(const uint8_t entry[SOTTO_AUDIT_ENTRY_BYTES],
                                                    uint64_t slot, sotto_span sealed,
                                                    struct sotto_buf *out);

/** Completes the frame that begins at `start`.  @retval SOTTO_ELIMIT, SOTTO_ENOMEM */
SOTTO_MUST_CHECK enum sotto_err sotto_journal_end(size_t start, uint32_t slots, uint32_t count,
                                                  struct sotto_buf *out);

/** A whole frame; spans are views into what was read. */
struct sotto_journal_frame {
    uint64_t first;
    uint32_t slots, count;
    sotto_span body;
};

/**
 * Takes the next frame off the front.
 *
 * @retval SOTTO_ENOTFOUND  nothing is left
 * @retval SOTTO_EFORMAT    what is left does not begin with a whole frame; `rest` unchanged
 */
SOTTO_MUST_CHECK enum sotto_err sotto_journal_next(sotto_span *rest,
                                                   struct sotto_journal_frame *out);

/** As sotto_journal_next(), where something else vouches for the bytes (this process made them, or
 *  a code with a secret covers them): the check is not looked at. */
SOTTO_MUST_CHECK enum sotto_err sotto_journal_own(sotto_span *rest,
                                                  struct sotto_journal_frame *out);

/** Whether there is a whole frame anywhere in `rest`, behind its first byte. */
bool sotto_journal_any(sotto_span rest);

/** A slot or an entry of a frame. */
struct sotto_journal_item {
    uint64_t slot;     /* number of the subject's slot */
    sotto_span bytes;  /* of a slot: SOTTO_AUDIT_SLOT_BYTES; else the entry */
    sotto_span sealed; /* of an entry */
};

/** Takes the next slot of a frame off its body.  Only as often as there are. */
SOTTO_MUST_CHECK enum sotto_err sotto_journal_take_slot(struct sotto_journal_frame *frame,
                                                        struct sotto_journal_item *out);

/** The next entry, when the slots are taken.  @retval SOTTO_EFORMAT */
SOTTO_MUST_CHECK enum sotto_err sotto_journal_take_entry(struct sotto_journal_frame *frame,
                                                         struct sotto_journal_item *out);

#endif
