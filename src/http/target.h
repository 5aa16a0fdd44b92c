/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_HTTP_TARGET_H
#define SOTTO_HTTP_TARGET_H

/*
 * What a request's target and its Host may be, in every version of HTTP.  Used inside http/ only.
 */

#include "http/head.h"

/**
 * Turns the target into origin-form.  absolute-form has to be understood (RFC 9112 3.2.2);
 * authority-form belongs to CONNECT, which this is no proxy for.  False: it is none of them, or
 * has characters that RFC 3986 does not allow.
 */
bool sotto_http_normalise_target(struct sotto_http_head *head);

/** Whether it is a host and port by its letters (RFC 3986 3.2, without user information). */
bool sotto_http_is_host(sotto_span host);

#endif
