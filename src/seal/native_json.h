/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_SEAL_NATIVE_JSON_H
#define SOTTO_SEAL_NATIVE_JSON_H

/* Bytes as members of JSON objects: in base64, as both sides of docs/wire/native.md write them. */

#include "json/json.h"

/** Sets member `key` (a literal) to `bytes` in base64.  @retval SOTTO_ENOMEM, SOTTO_ELIMIT */
SOTTO_MUST_CHECK enum sotto_err sotto_native_put(yyjson_mut_doc *doc, yyjson_mut_val *obj,
                                                 const char *key, sotto_span bytes);

/**
 * Appends the bytes of member `key`.
 *
 * @param max  most bytes
 * @retval SOTTO_EFORMAT  absent, no string, no base64, or too long
 * @retval SOTTO_ENOMEM   `out` unchanged in both cases
 */
SOTTO_MUST_CHECK enum sotto_err sotto_native_take(yyjson_mut_val *obj, const char *key, size_t max,
                                                  struct sotto_buf *out);

/** The same for exactly `n` bytes. */
SOTTO_MUST_CHECK enum sotto_err sotto_native_take_exact(yyjson_mut_val *obj, const char *key,
                                                        uint8_t *out, size_t n);

#endif
