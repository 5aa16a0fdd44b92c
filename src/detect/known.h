/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_DETECT_KNOWN_H
#define SOTTO_DETECT_KNOWN_H

/*
 * Known values: what was found anywhere in a conversation is found everywhere in it, as a whole
 * word in its spelling, and inside other words (`JohnDoe1984`) from five letters on.  A common
 * word of a supported language ("Will", "An", "Mark") counts only where it was part of a full
 * name.  One linear pass over each text, whatever the number of values.
 */

#include "detect/finding.h"

struct sotto_known;

/** An empty set.  @retval SOTTO_ENOMEM */
SOTTO_MUST_CHECK enum sotto_err sotto_known_new(struct sotto_known **out);

/** Wipes and frees; NULL is allowed. */
void sotto_known_free(struct sotto_known *known);

/**
 * Adds a value that was found; of a PERSON also its parts as far as the rule above lets them
 * stand alone.  Labels other than PERSON, EMAIL, PHONE, ID, SECRET and ADDRESS are ignored.
 *
 * @param value    copied
 * @param finding  gives label, finer type and score
 *
 * @retval SOTTO_ENOMEM  set unchanged
 */
SOTTO_MUST_CHECK enum sotto_err sotto_known_add(struct sotto_known *known, sotto_span value,
                                                const struct sotto_finding *finding);

/**
 * Appends to `out` each place of `text` where a value stands (layer SOTTO_LAYER_KNOWN), sorted,
 * without overlaps.  Adding after a scan is allowed.
 *
 * @retval SOTTO_ENOMEM  `out` unchanged
 */
SOTTO_MUST_CHECK enum sotto_err sotto_known_scan(struct sotto_known *known, sotto_span text,
                                                 struct sotto_findings *out);

#endif
