/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_VAULT_SEEN_H
#define SOTTO_VAULT_SEEN_H

/*
 * What the text of a request holds, so that no stand-in is taken that could be meant by it: words,
 * and type words with a number ("person 3").  A set of fixed size that may say yes where no is
 * right, which costs another try, and never the other way round.  For the files of this folder.
 */

#include "base/err.h"
#include "base/hash.h"
#include "base/span.h"

/** Size of the set. */
#define SEEN_BYTES ((size_t)128 << 10)

struct seen {
    uint8_t *bits; /* NULL: empty */
    uint8_t key[SOTTO_HASH_KEY_BYTES];
};

/** Adds the words of a text and its type words with numbers.  @retval SOTTO_ENOMEM  unchanged */
SOTTO_MUST_CHECK enum sotto_err seen_add(struct seen *seen, sotto_span text);

/** Whether any word of `text` was added (`any`), or all of them. */
bool seen_words(const struct seen *seen, sotto_span text, bool any);

/** Whether the type word stood before this number. */
bool seen_number(const struct seen *seen, unsigned type, unsigned number);

/** Wipes and frees. */
void seen_free(struct seen *seen);

#endif
