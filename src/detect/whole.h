/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_DETECT_WHOLE_H
#define SOTTO_DETECT_WHOLE_H

#include "detect/finding.h"

/**
 * Makes names whole: persons that stand on both sides of a hyphen or a particle are one ("al - Sadr",
 * "John of Gaunt", "Friedrich II. von Preußen"), and a suffix or an initial behind a name is part of it
 * ("Baker, Jr.", "Hollmann F,"), as is the style in front of a peer's ("Lord Byron"), "M.ª" in front of
 * a Spanish one's and a particle with a capital that is no sentence's ("assist for Di Lorenzo").  A
 * place or an organisation takes in the kind of hospital before it ("CH de Saint-Dizier").
 *
 * @param text      the text that the findings are about
 * @param findings  sorted by start, without overlaps, and so afterwards
 */
void sotto_whole_names(sotto_span text, struct sotto_findings *findings);

#endif
