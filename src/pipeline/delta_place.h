/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_PIPELINE_DELTA_PLACE_H
#define SOTTO_PIPELINE_DELTA_PLACE_H

/*
 * Where a text stands in the deltas of a stream: names of members and marks of elements, as bytes
 * that can be compared and that the place can be made from again.  An element of an array is known
 * by its `index`, else by its `type`, else by where it stands.  For the files of this folder.
 */

#include "base/buf.h"
#include "json/json.h"

/** One step further: the member `name`.  @retval SOTTO_ENOMEM  `place` unchanged or longer */
SOTTO_MUST_CHECK enum sotto_err delta_place_key(struct sotto_buf *place, sotto_span name);

/** One step further: `element`, number `position` of its array.  @retval SOTTO_ENOMEM  likewise */
SOTTO_MUST_CHECK enum sotto_err delta_place_element(struct sotto_buf *place,
                                                    yyjson_mut_val *element, size_t position);

/**
 * Appends `text` to the string at a place of a delta; what is missing on the way is made.
 *
 * @retval SOTTO_ENOMEM  the document must not be used any more
 */
SOTTO_MUST_CHECK enum sotto_err delta_place_add(yyjson_mut_doc *doc, yyjson_mut_val *delta,
                                                sotto_span place, sotto_span text);

#endif
