/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_VAULT_RESTORE_H
#define SOTTO_VAULT_RESTORE_H

/*
 * Streaming restorer: puts the values back where a model's text has tokens.
 *
 * Exact: an issued token, as issued, is its value wherever it stands, also inside of a word: a
 * name inside of a word ("JohnDoe1984") was masked there, and no 39 bits appear by chance.
 *
 * Tolerant, since models rewrite, where no ASCII letter or digit stands directly before:
 *   - the case of word and code;
 *   - separators between word and code or inside the code: space, hyphen, underscore, their
 *     Markdown, HTML and URL escapes, invisible characters (vault/spelling.h has the grammar);
 *     a code written apart counts only where a letter or digit does not follow;
 *   - Markdown marks there move to the side of the value where they belong:
 *     "**PERSON** 4KQ7XM2BT" becomes "**Ann**";
 *   - one wrong symbol of a code in capitals and in one piece, only behind a type word in
 *     capitals, only when the check symbol fails, exactly one issued token fits and no further
 *     capital or digit follows.
 *
 * What the vault did not issue comes out unchanged.  What follows a token stays, since tokens of
 * a type have one length: a possessive, a plural, a case ending ("PERSON4KQ7XM2BTs"), digits that
 * followed the value.  Where several spellings overlap, the one that begins first counts.
 *
 * What can still become an issued token is withheld, never more than SOTTO_RESTORE_HOLD bytes and
 * nothing while the vault has issued none; everything else comes out in the same call it went in.
 * Any split of a text gives the same result as the whole.  Input and output are decoded text, any
 * bytes; escaping belongs to the caller.
 *
 * One restorer serves one text stream.  Not thread-safe.  No I/O, no clock.
 */

#include "base/buf.h"
#include "vault/vault.h"

/** Most bytes withheld. */
#define SOTTO_RESTORE_HOLD 48

struct sotto_restore;

/** One token that is restored.  The spans are borrowed for the call of sotto_restore_put. */
struct sotto_restored {
    size_t in_at;       /* where it stands, in bytes from the start of the stream */
    sotto_span spelled; /* what stands there */
    sotto_span before;  /* Markdown marks that go before the value */
    sotto_span value;
    sotto_span after; /* Markdown marks that go behind it */
};

/**
 * Appends what is to stand for a token; everything before it is in `out`.  Its errors become
 * those of feeding.
 */
typedef enum sotto_err sotto_restore_put(void *ctx, const struct sotto_restored *hit,
                                         struct sotto_buf *out);

/**
 * @param vault     borrowed; must outlive the restorer and issue no token meanwhile
 * @param[out] out  set only on SOTTO_OK; freed with sotto_restore_free()
 *
 * @retval SOTTO_ENOMEM
 */
SOTTO_MUST_CHECK enum sotto_err sotto_restore_new(const struct sotto_vault *vault,
                                                  struct sotto_restore **out);

/** Wipes and frees; NULL is allowed. */
void sotto_restore_free(struct sotto_restore *r);

/** From now on `put` appends the values, in place of the restorer; NULL: the restorer again. */
void sotto_restore_divert(struct sotto_restore *r, sotto_restore_put *put, void *ctx);

/**
 * Feeds one chunk and appends the restored text to `out`.
 *
 * On failure `out` is as it was before the call and the restorer accepts no more input.
 *
 * @param chunk  borrowed for the call; may be empty, may end inside a character
 *
 * @retval SOTTO_ELIMIT, SOTTO_ENOMEM  from `out`
 * @retval SOTTO_ESTATE                an earlier call failed, or the stream has ended
 */
SOTTO_MUST_CHECK enum sotto_err sotto_restore_feed(struct sotto_restore *r, sotto_span chunk,
                                                   struct sotto_buf *out);

/** Ends the stream: appends what was withheld.  Errors and guarantees as for feeding. */
SOTTO_MUST_CHECK enum sotto_err sotto_restore_end(struct sotto_restore *r, struct sotto_buf *out);

/** How many bytes are withheld now. */
size_t sotto_restore_held(const struct sotto_restore *r);

#endif
