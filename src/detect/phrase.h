/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_DETECT_PHRASE_H
#define SOTTO_DETECT_PHRASE_H

/*
 * A set of words and phrases, found as whole words and without regard to case.  White space of any
 * length and kind in a text equals a space of a phrase; hidden characters in the text do not count.
 * Immutable while it is used; one look-up for each word of a text.
 */

#include "base/err.h"
#include "base/span.h"

struct sotto_phrases;

/** Told of each place; `id` is what the phrase was added with.  Another result than OK ends it. */
typedef enum sotto_err sotto_phrase_seen(void *ctx, size_t start, size_t end, uint32_t id);

/** An empty set.  @retval SOTTO_ENOMEM */
SOTTO_MUST_CHECK enum sotto_err sotto_phrases_new(struct sotto_phrases **out);

/** Wipes and frees; NULL is allowed. */
void sotto_phrases_free(struct sotto_phrases *phrases);

/**
 * Adds a phrase; the same one may be added with several ids.
 *
 * @param text  valid UTF-8; copied
 *
 * @retval SOTTO_EINVAL  there is no letter or digit in it, or it is longer than 1,024 bytes
 * @retval SOTTO_ENOMEM
 */
SOTTO_MUST_CHECK enum sotto_err sotto_phrases_add(struct sotto_phrases *phrases, sotto_span text,
                                                  uint32_t id);

/** Whether nothing was added. */
bool sotto_phrases_empty(const struct sotto_phrases *phrases);

/** How many bytes before its end a phrase may begin in a text of usual spacing. */
size_t sotto_phrases_reach(const struct sotto_phrases *phrases);

/** Calls `seen` for each phrase whose first word begins in bytes [start, end) of `text`. */
SOTTO_MUST_CHECK enum sotto_err sotto_phrases_scan(const struct sotto_phrases *phrases,
                                                   sotto_span text, size_t start, size_t end,
                                                   sotto_phrase_seen *seen, void *ctx);

#endif
