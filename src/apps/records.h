/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_APPS_RECORDS_H
#define SOTTO_APPS_RECORDS_H

/*
 * JSON Lines in, JSON Lines out, one record a line in the same order.  A line that is not valid is
 * answered by `{"error":…,"line":N}` in its place; empty lines are passed over.
 */

#include "apps/input.h"
#include "json/json.h"

/**
 * Handles a record: appends its answer to `out`, with the line end.
 *
 * @param root     an object
 * @param[out] why on SOTTO_EINVAL what is wrong with the record; static text
 *
 * @retval SOTTO_EINVAL  the record is not valid; `out` unchanged
 * @retval others        the run ends
 */
typedef enum sotto_err sotto_record_fn(void *ctx, yyjson_mut_doc *doc, yyjson_mut_val *root,
                                       struct sotto_buf *out, const char **why);

/**
 * Goes over standard input and writes standard output, line by line.
 *
 * @param[out] invalid  whether a line was not valid
 *
 * @retval SOTTO_EIO, SOTTO_ENOMEM, what `handle` returned
 */
SOTTO_MUST_CHECK enum sotto_err sotto_records_run(sotto_record_fn *handle, void *ctx,
                                                  bool *invalid);

/** The member `text` of a record; NULL with `why` set when it is not a string. */
yyjson_mut_val *sotto_record_text(yyjson_mut_val *root, const char **why);

/** Replaces a record's text and appends the record to `out`, with the line end. */
SOTTO_MUST_CHECK enum sotto_err sotto_record_put(yyjson_mut_doc *doc, yyjson_mut_val *text,
                                                 sotto_span replacement, struct sotto_buf *out);

/**
 * Writes what is in `out` to standard output and empties it.  To a terminal the text is inert
 * (text/inert.h): what a provider or a map says moves no cursor.
 */
void sotto_records_flush(struct sotto_buf *out);

#endif
