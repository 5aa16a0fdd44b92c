/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_HTTP_HEAD_H
#define SOTTO_HTTP_HEAD_H

/*
 * The head of an HTTP message as a table: what parsers (http/request.h, http/response.h) make and
 * everybody else reads.  Spans point into one block of bytes, so that a head can be passed through
 * a door between processes as those bytes and be indexed again (sotto_http_head_index()).
 */

#include "base/err.h"
#include "base/span.h"

/** Most header fields of a message; more are refused (431). */
#define SOTTO_HTTP_FIELDS_MAX 128

struct sotto_http_field {
    sotto_span name;  /* as sent; compared without case */
    sotto_span value; /* without white space around it */
};

struct sotto_http_head {
    sotto_span method; /* requests */
    sotto_span target; /* requests: as sent, "/v1/models?limit=3" */
    int status;        /* responses */
    size_t field_count;
    struct sotto_http_field fields[SOTTO_HTTP_FIELDS_MAX];
};

/** The path of the target: up to '?'. */
sotto_span sotto_http_path(const struct sotto_http_head *head);

/** The value of the first field with this name; an absent one is {NULL, 0}. */
sotto_span sotto_http_find(const struct sotto_http_head *head, sotto_span name);

/** The same for a literal, whose length the compiler knows. */
static inline sotto_span sotto_http_get(const struct sotto_http_head *head, const char *name)
{
    return sotto_http_find(head, sotto_span_str(name));
}

/** How many fields bear this name. */
size_t sotto_http_count(const struct sotto_http_head *head, const char *name);

/**
 * Reads a block "METHOD target\r\nname: value\r\n...\r\n" (requests) or "status\r\n..." (responses)
 * that sotto's own code wrote, as it passes through a door, into `head`, whose spans point into
 * `block`.
 *
 * @retval SOTTO_EFORMAT  not such a block; `head` unchanged
 */
SOTTO_MUST_CHECK enum sotto_err sotto_http_head_index(sotto_span block, bool request,
                                                      struct sotto_http_head *head);

#endif
