/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_PIPELINE_STRAND_H
#define SOTTO_PIPELINE_STRAND_H

/*
 * One text of an answer, whole or in pieces: a restorer and what the place needs around it.
 * For the files of this folder.
 *
 *   STRAND_TEXT  text as people read it.  Where it is itself a JSON document, as structured
 *                output is, values inside its strings are escaped unless they are so already.
 *   STRAND_JSON  JSON in a string, as tool arguments are: tokens are looked for in what its
 *                escapes mean, values are escaped, everything else passes byte for byte.
 */

#include "base/buf.h"
#include "vault/vault.h"

enum strand_kind {
    STRAND_TEXT,
    STRAND_JSON,
};

struct strand;

/**
 * @param vault     borrowed; must outlive the strand
 * @param[out] out  set only on SOTTO_OK; freed with strand_free()
 * @retval SOTTO_ENOMEM
 */
SOTTO_MUST_CHECK enum sotto_err strand_new(const struct sotto_vault *vault, enum strand_kind kind,
                                           struct strand **out);

/** Wipes and frees; NULL is allowed. */
void strand_free(struct strand *s);

/**
 * Appends what `in` restores to; `ends`: and what was withheld, as the strand ends.
 *
 * @retval SOTTO_ENOMEM, SOTTO_ELIMIT, SOTTO_ESTATE  `out` as before; the strand is dead
 */
SOTTO_MUST_CHECK enum sotto_err strand_feed(struct strand *s, sotto_span in, bool ends,
                                            struct sotto_buf *out);

/** Whether anything is withheld. */
bool strand_holds(const struct strand *s);

/** A token that was restored: where it stood in what was fed, and what stands for it now. */
typedef enum sotto_err strand_seen(void *ctx, size_t in_at, size_t in_len, sotto_span text);

/**
 * Calls `seen` for each token restored from now on, with a text borrowed for the call; its errors
 * become those of feeding.  Only for STRAND_TEXT.
 */
void strand_watch(struct strand *s, strand_seen *seen, void *ctx);

/** How many bytes are withheld.  Only for STRAND_TEXT. */
size_t strand_held(const struct strand *s);

/**
 * Where a place in the text, in code points, lies after restoring; inside of a token that was
 * restored it is an end of the value.  Only for STRAND_TEXT, of what was fed so far.
 *
 * @param end  the place is the end of a stretch, not the start
 */
size_t strand_place(const struct strand *s, size_t chars, bool end);

#endif
