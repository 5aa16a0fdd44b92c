/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_DIALECTS_CREDENTIALS_H
#define SOTTO_DIALECTS_CREDENTIALS_H

#include "base/err.h"
#include "http/head.h"

/**
 * The gateway key of a request: from `Authorization: Bearer`, `x-api-key`, `api-key` and `own`.
 * Empty fields and other schemes of Authorization count as absent; a field may be repeated.
 *
 * @param own       the dialect's own header, a literal; NULL: none
 * @param[out] key  borrowed from `head`; empty when there is none; set only on SOTTO_OK
 *
 * @retval SOTTO_EAUTH  the request bears keys that differ
 */
SOTTO_MUST_CHECK enum sotto_err sotto_credentials(const struct sotto_http_head *head,
                                                  const char *own, sotto_span *key);

#endif
