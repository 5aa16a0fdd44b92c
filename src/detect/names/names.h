/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_DETECT_NAMES_NAMES_H
#define SOTTO_DETECT_NAMES_NAMES_H

/*
 * The layer of names: persons, places and organisations by word lists and by the words around
 * them ("Dr. ...", "my name is ...", "wohnt in ...", "... GmbH"), in English, German, French,
 * Spanish and Italian.  One look-up a word; everything else is decided from the words beside.
 */

#include "detect/finding.h"

/** Bytes before and behind a window that are read for context. */
#define SOTTO_NAMES_REACH 256

struct sotto_names;

/** Working memory of one thread.  @retval SOTTO_ENOMEM */
SOTTO_MUST_CHECK enum sotto_err sotto_names_new(struct sotto_names **out);

/** Wipes and frees; NULL is allowed. */
void sotto_names_free(struct sotto_names *names);

/** Forgets the text at hand and its language; the next scan is about the start of another one. */
void sotto_names_begin(struct sotto_names *names);

/**
 * Sets the language of the text at hand; without it each window's is guessed.
 *
 * @param code  "en", "de", "fr", "es", "it"; anything else: guess
 */
void sotto_names_language(struct sotto_names *names, sotto_span code);

/**
 * Appends what begins in bytes [start, end) of `text`.  Windows must be given in order and
 * without gaps, each at most SOTTO_WINDOW_MAX long; the result depends on where they are cut.
 *
 * @param text  valid UTF-8 of less than 4 GiB, whole
 *
 * @retval SOTTO_ENOMEM
 */
SOTTO_MUST_CHECK enum sotto_err sotto_names_scan(struct sotto_names *names, sotto_span text,
                                                 size_t start, size_t end,
                                                 struct sotto_findings *out);

/**
 * How much the words in and around bytes [start, end) speak against the name of a person there, in
 * thousandths of a score; see names/doubt.h.  The bytes begin in the window scanned last, whose
 * text is still there.
 */
unsigned sotto_names_doubt(const struct sotto_names *names, size_t start, size_t end);

/** Whether the window scanned last is known to be in a supported language other than English. */
bool sotto_names_are_foreign(const struct sotto_names *names);

#endif
