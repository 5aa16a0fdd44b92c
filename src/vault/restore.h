/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_VAULT_RESTORE_H
#define SOTTO_VAULT_RESTORE_H

/*
 * Streaming restorer: puts the values back where a model's text has tokens.
 *
 * Exact first: an issued token, as issued, with no letter or digit before it, is its value.  Then
 * tolerant, since models rewrite: case, separators between word and code or inside it (space,
 * hyphen, underscore, their Markdown and HTML escapes), and one wrong symbol of the code, only
 * behind an exact type word, only when the check symbol fails and exactly one issued token fits.
 * What was not issued by the vault comes out unchanged.  What follows a token (a possessive, a
 * plural, a case ending) stays.
 *
 * What can still become an issued token is withheld, never more than SOTTO_RESTORE_HOLD bytes;
 * everything else comes out in the same call it went in.  Any split of a text gives the same
 * result as the whole.  Input and output are decoded text; escaping belongs to the caller.
 *
 * One restorer serves one text stream.  Not thread-safe.  No I/O, no clock.
 */

#include "base/buf.h"
#include "vault/vault.h"

/** Most bytes withheld. */
#define SOTTO_RESTORE_HOLD 48

struct sotto_restore;

/** Told of each token that was restored; `at` is the offset of the value in the whole output. */
typedef void sotto_restore_seen(void *ctx, size_t in_at, size_t in_len, size_t out_at,
                                size_t out_len);

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

/** Calls `seen` for each token restored from now on; offsets count from the stream's start. */
void sotto_restore_watch(struct sotto_restore *r, sotto_restore_seen *seen, void *ctx);

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
