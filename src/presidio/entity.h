/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_PRESIDIO_ENTITY_H
#define SOTTO_PRESIDIO_ENTITY_H

/*
 * Presidio's names of entity types ("US_SSN", "EMAIL_ADDRESS") for Sotto's findings.  A finding
 * bears Presidio's name where there is one; other identifiers and secrets bear their exact type
 * ("CH_AHV", "MRN"), all else its label's name.  A request may name types by Presidio's names, by
 * exact types and by labels.  For the files of this folder.
 */

#include "base/buf.h"
#include "detect/detect.h"

/** A set of words, compared byte for byte; zero-initialised is empty and valid. */
struct presidio_words {
    sotto_span *items; /* sorted; they point into what the set was made of */
    size_t count;
};

/** Makes a set of `count` words with room for them in `items`.  @retval SOTTO_ENOMEM */
SOTTO_MUST_CHECK enum sotto_err presidio_words_new(size_t count, struct presidio_words *out);

/** Sorts the words, after which the set may be asked. */
void presidio_words_sort(struct presidio_words *words);

/** The word of the set that equals `word`; NULL: there is none. */
const sotto_span *presidio_words_find(const struct presidio_words *words, sotto_span word);

/** Frees the set, not the words. */
void presidio_words_free(struct presidio_words *words);

/** Whether texts in this language are analyzed. */
bool presidio_language_known(sotto_span code);

/**
 * The name of a finding.
 *
 * @param language  of the request; decides between names of countries
 * @param wanted    types that the request asks for; empty: all
 *
 * @return empty: the request does not ask for it
 */
sotto_span presidio_entity(const struct sotto_detector *detector,
                           const struct sotto_finding *finding, sotto_span language,
                           const struct presidio_words *wanted);

/** Whether any finding could bear one of the names. */
bool presidio_entity_any_known(const struct sotto_detector *detector,
                               const struct presidio_words *wanted);

/** Appends a JSON list of all names, for a language or (empty) for all.  @retval SOTTO_ENOMEM */
SOTTO_MUST_CHECK enum sotto_err presidio_entity_list(const struct sotto_detector *detector,
                                                     sotto_span language, struct sotto_buf *out);

#endif
