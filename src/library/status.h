/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_LIBRARY_STATUS_H
#define SOTTO_LIBRARY_STATUS_H

/* Errors of the inside as those of include/sotto/sotto.h, and texts on their way out. */

#include <sotto/sotto.h>

#include "base/buf.h"
#include "base/err.h"

enum sotto_status sotto_status_of(enum sotto_err err);

/** Whether a text may be looked at: its length and its encoding. */
enum sotto_status sotto_status_of_text(sotto_span text);

/**
 * Hands out the text of a buffer, which is freed in any case.
 *
 * @param[out] out  set only on SOTTO_STATUS_OK; freed with sotto_text_free()
 */
enum sotto_status sotto_status_put(enum sotto_err err, struct sotto_buf *buf, char **out,
                                   size_t *out_len);

#endif
