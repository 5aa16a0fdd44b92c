/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_HTTP_ACCEPT_H
#define SOTTO_HTTP_ACCEPT_H

#include "http/head.h"

/**
 * The next element of a comma-separated list, trimmed and without its parameters (RFC 9110 5.6.1
 * and 5.6.6).
 *
 * @param[in,out] list  advanced behind the element and its comma
 */
sotto_span sotto_http_next_element(sotto_span *list);

/** Whether `type` is named in the request's Accept, compared without case; wildcards do not count. */
bool sotto_http_accepts(const struct sotto_http_head *head, sotto_span type);

#endif
