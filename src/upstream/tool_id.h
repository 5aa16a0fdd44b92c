/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_UPSTREAM_TOOL_ID_H
#define SOTTO_UPSTREAM_TOOL_ID_H

#include "json/json.h"

/**
 * Ids of tool calls for providers that are particular about them.  An id that the provider would
 * refuse becomes nine letters and digits that depend on it alone, so that a call and its result
 * still name each other; one that it would take stays as it is.
 *
 * @param holder  the object with the id
 * @param key     the member that holds it; what is no string is left alone
 * @param takes   whether the provider takes an id
 * @retval SOTTO_ENOMEM
 */
SOTTO_MUST_CHECK enum sotto_err sotto_tool_id_map(yyjson_mut_doc *doc, yyjson_mut_val *holder,
                                                  const char *key, bool (*takes)(sotto_span id));

#endif
