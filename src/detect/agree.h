/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_DETECT_AGREE_H
#define SOTTO_DETECT_AGREE_H

#include "detect/finding.h"
#include "detect/names/names.h"

/**
 * Lets the tagger and the layer of names judge each other's findings.
 *
 * Names that the lists find where the tagger is sure that nothing is are wrong nine times in ten,
 * and persons where it only hints at something else, every other time: they are taken out.  What
 * the tagger found as a person, a place or an organisation and no list or cue bears out must be
 * surer: it loses some of its score.  A person of either that is the name of a prize or a festival
 * ("Philip K. Dick Award", "prix Goncourt") is taken out, and any other one loses as much as the
 * words in and around it speak against a name.  Other findings are left as they are.
 *
 * @param text   what the findings are in
 * @param names  has scanned the window that the findings from `first` on begin in
 * @param list   findings from `first` on are sorted by start; hints of the tagger among them
 * @param first  those before it are not looked at
 */
void sotto_agree(sotto_span text, const struct sotto_names *names, struct sotto_findings *list,
                 size_t first);

#endif
